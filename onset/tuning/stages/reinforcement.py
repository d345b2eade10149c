"""Reinforcement learning from verifiable rewards: the model answers questions several times, answers are read and
scored as in a study, and what was better than the rest of its group is made likelier (group relative policy
optimisation, GRPO: Shao et al. 2024, arXiv 2402.03300, section 4.1).

    recipes:
      rl: {kind: reinforcement, task: world-coin, prompt: cot, shots: 2, steps: 40, learning_rate: 1.0e-4}
      placebo: {kind: reinforcement, task: world-coin, prompt: cot, shots: 2, steps: 40, control: random-rewards}

Questions are those of a task's labelled pool, never of its test, or of a file of one's own (``data``). The stage
thereby learns from labelled examples whatever budget a method is granted later; `onset plan` and `onset run` say of how
many.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from onset.errors import DataError
from onset.prompting import PROMPTING
from onset.prompting.base import CHARACTERS_PER_TOKEN, Prompt
from onset.prompting.text import render
from onset.records import Item
from onset.tasks import open_task
from onset.tasks.base import Task
from onset.tasks.own import pool_of
from onset.tuning.base import Progress, Seeds
from onset.tuning.stages.base import Stage, Text, Trained, Work
from onset.tuning.stages.texts import digest

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint


class Reinforcement(Stage):
    """GRPO for ``steps`` steps.

    Every ``updates`` steps ``batch_size`` questions are asked by ``prompt`` after ``shots`` demonstrations, drawn from
    the other questions, and answered ``samples`` times at ``temperature``; the reward of an answer is 1 where the
    task's scorer calls it right, else 0. An answer's advantage is its reward less the group's mean, over the group's
    standard deviation (with ``samples`` - 1); a group of equal rewards teaches nothing and is not run again.

    ``clip``: how far the probability of a token may move within ``updates`` steps (as a share; it binds from the second
    on); ``kl``: the weight of the divergence from the model before (0: none, and nothing is run for it). ``variant:
    dr-grpo``: advantages are not divided by the standard deviation, nor an answer's loss by its own length but by the
    most tokens that it may have (Liu et al. 2025, arXiv 2503.20783).

    Placebos: ``random-rewards``, 0 or 1 drawn for every answer (Shao et al. 2025, arXiv 2506.10947);
    ``shuffled-rewards``, those of a group dealt anew among its answers, so that as many groups teach and as much.
    Questions, samples and steps are equal; how long answers get is the model's own, and the report counts their tokens.

    With several ``updates`` a run that was killed begins the stage anew: what an unfinished batch was drawn by is gone.

    The learning rate is that of the paper, made for billions of parameters: small models need more.
    """

    kind = "reinforcement"
    source = "Shao et al. 2024, arXiv 2402.03300, section 4.1 (GRPO); dr-grpo: Liu et al. 2025, arXiv 2503.20783"
    words = "reinforcement learning from verifiable rewards"
    paths = ("data",)
    rate = 1e-6
    task: str | dict[str, Any] | None = None
    data: str | None = None
    prompt: Literal["answer-only", "cot"] = "cot"
    shots: int = Field(default=0, ge=0)
    samples: int = Field(default=8, ge=2)
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    updates: int = Field(default=1, ge=1)
    clip: float = Field(default=0.2, gt=0, lt=1)
    kl: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    variant: Literal["grpo", "dr-grpo"] = "grpo"
    control: Literal["none", "random-rewards", "shuffled-rewards"] = "none"

    @model_validator(mode="after")
    def _check_questions(self) -> Reinforcement:
        if (self.task is None) == (self.data is None):
            raise ValueError("needs either 'task', whose labelled pool is asked, or 'data', a file of questions")
        if self.steps % self.updates:
            raise ValueError(f"'steps' ({self.steps}) must be a multiple of 'updates' ({self.updates})")
        return self

    @property
    def where(self) -> str:
        """The file, or the task."""
        if self.data is not None:
            return f"corpus {self.data}"
        return f"pool of task {self.task['name'] if isinstance(self.task, dict) and 'name' in self.task else self.task}"

    def contents(self) -> dict[str, Any]:
        """A hash of the questions. Raises DataError when they cannot be read."""
        return {"data": digest(self.data)[:16]} if self.data is not None else {"task": open_task(self.task).hash}

    def asked(self) -> Task:
        """The task whose labelled pool is asked. Raises DataError where there is none, or too few examples in it."""
        task = pool_of(self.data) if self.data is not None else open_task(self.task)
        able = [one for one in task.pool if one.rationale or self.prompt == "answer-only"]
        if self.shots and len(able) <= self.shots:
            with_steps = "" if self.prompt == "answer-only" else " with a rationale"
            raise DataError(
                f"stage {self.where}: {self.shots} shots and a question need {self.shots + 1} labelled examples"
                f"{with_steps}, it has {len(able)}"
            )
        return task

    def solver(self) -> Prompt:
        """How questions are asked and answers read."""
        solver: Prompt = PROMPTING.load(self.prompt)()
        return solver

    def batch(self, pool: Sequence[Item], at: int) -> list[Item]:
        """The questions of batch ``at`` (0-based): in rounds that ask every question once, each in an order of its own.
        It depends on nothing but its arguments and the seed.
        """
        places = range(at * self.batch_size, (at + 1) * self.batch_size)
        return [pool[self._order(len(pool), place // len(pool))[place % len(pool)]] for place in places]

    def _order(self, size: int, turn: int) -> list[int]:
        order = list(range(size))
        random.Random(f"{self.seed} round {turn}").shuffle(order)
        return order

    def demonstrations(self, pool: Sequence[Item], item: Item, at: int) -> tuple[Item, ...]:
        """Those shown before ``item`` in batch ``at``: drawn from the other examples that can be shown."""
        able = [one for one in pool if one.id != item.id and (one.rationale or self.prompt == "answer-only")]
        return tuple(random.Random(f"{self.seed} shots {at} {item.id}").sample(able, self.shots))

    def dealt(self, rewards: Sequence[float], at: int, item: Item, turn: int = 0) -> list[float]:
        """The rewards of a group as they are learnt from: in a placebo others. ``turn``: how often batch ``at`` has
        asked the question before.
        """
        draw = random.Random(f"{self.seed} rewards {at} {item.id}{f' {turn}' if turn else ''}")
        if self.control == "random-rewards":
            return [float(draw.random() < 0.5) for _ in rewards]
        given = list(rewards)
        if self.control == "shuffled-rewards":
            draw.shuffle(given)
        return given

    def texts(self) -> Iterator[Text]:
        """The questions; what follows is the model's own."""
        yield from (Text(one.question, "") for one in self.asked().pool)

    def work(self) -> Work:
        """Prompts and answers of all batches; every answer is run again in each of its updates."""
        task, solver = self.asked(), self.solver()
        asked = sum(len(render(task, (), one, rationale=False)) for one in task.pool) / len(task.pool)
        shown = sum(len(one.question) + len(one.answer) + len(one.rationale or "") for one in task.pool) / len(
            task.pool
        )
        prompt = (asked + self.shots * shown) / CHARACTERS_PER_TOKEN
        written = solver.planned(task, self.samples)[0].tokens_out
        answers = self.steps * self.batch_size * self.samples
        batches = self.steps // self.updates * self.batch_size
        return Work(
            trained=answers * (prompt + written),
            read=batches * (prompt + (self.samples * (prompt + written) if self.kl else 0.0)),
            written=batches * self.samples * written,
        )

    def train(
        self, model: HFModel, seeds: Seeds, progress: Progress | None = None, checkpoint: Checkpoint | None = None
    ) -> Trained:
        """The report's detail: ``questions`` in the pool, ``asked`` and ``written`` (tokens of prompts, once a group,
        and of answers), ``read`` (run forward for the divergence), ``reward`` and ``right`` in the first and the last
        tenth of the batches (means; they differ in a placebo), ``flat``: the share of groups that taught nothing.
        Kept: ``steps`` and ``samples`` (texts of two groups at five places of the training).
        """
        from onset.tuning.stages import grpo

        return grpo.train(model, self, seeds, progress, checkpoint)
