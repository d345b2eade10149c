"""The line everything hangs off, in one screen:

Item -> Prompt -> Completion -> Answer -> Score -> Record
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onset.batching import Failure, solve_all
from onset.methods import Method
from onset.models.base import Model
from onset.models.chat import ChatTemplate
from onset.plan import ExamplePlan, Use, use_of
from onset.prompting import PROMPTING
from onset.prompting.base import Calls, Context, most_tokens, render
from onset.records import Attempt, Item, Record, content_hash
from onset.shifts.base import apply_shift
from onset.tasks.base import Task

ASKING = 2
"""Raised whenever a cell with equal settings would be asked, or its answers read, in another way than before. 1: until
results folders got format 2; 2: a text ends where its answer does, and reading stops where a new turn begins.
"""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model asked in one way: what `evaluate` needs for any chunk of items. ``chat``: the template it is asked
    through, None for plain text.
    """

    model: Model
    task: Task
    method: Method
    demonstrations: tuple[Item, ...]
    seed: int
    continuous: bool = True
    chat: ChatTemplate | None = None

    def evaluate(self, items: Sequence[Item], first: int) -> list[Record]:
        """The records of ``items``, whose first has position ``first`` in its cell."""
        attempts = solve_all(self.model, PROMPTING.load(self.method.prompt), items, self._context)
        return [
            self._failed(item, attempt, first + offset)
            if isinstance(attempt, Failure)
            else self._record(item, attempt, first + offset)
            for offset, (item, attempt) in enumerate(zip(items, attempts, strict=True))
        ]

    def _context(self, calls: Calls) -> Context:
        vote = self.method.vote
        samples, temperature = (vote.samples, vote.temperature) if vote else (1, 0.0)
        return Context(
            self.task, self.demonstrations, calls, self.seed, samples, temperature, self.continuous, self.chat
        )

    def _record(self, item: Item, attempt: Attempt, position: int) -> Record:
        done = attempt.completions
        overlong = any(one.finish == "overlong" for one in done)
        prompt_tokens = 0 if overlong else done[0].prompt_tokens  # such a prompt is never run
        output_tokens = sum(one.tokens for one in done)
        # Voting shares the prefill of its prompt; scoring runs its own tokens.
        flops = 2.0 * self.model.facts.params_compute * (prompt_tokens + output_tokens)
        return Record(
            position=position,
            item=item.id,
            twin=item.twin,
            question=item.question,
            gold=item.answer,
            prompt_hash=content_hash(attempt.prompt),
            prompt=attempt.prompt,
            outputs=tuple(one.text for one in done),
            finishes=tuple(one.finish for one in done),
            answers=tuple(one.value for one in attempt.answers),
            answer=attempt.answer.value,
            status=attempt.answer.status,
            correct=self.task.format.correct(attempt.answer, item),
            overlong=overlong,
            gold_logprob=_finite(attempt.gold_logprob),
            gold_prob=_finite(attempt.gold_prob),
            prompt_tokens=prompt_tokens,
            output_tokens=output_tokens,
            flops=flops,
        )

    def _failed(self, item: Item, failure: Failure, position: int) -> Record:
        """An item whose solver raised: counted as wrong, with its cause, and with what it cost."""
        return Record(
            position=position,
            item=item.id,
            twin=item.twin,
            question=item.question,
            gold=item.answer,
            prompt_hash=content_hash(failure.prompt),
            prompt=failure.prompt,
            outputs=(),
            finishes=(),
            answers=(),
            answer=None,
            status="failed",
            correct=False,
            overlong=False,
            gold_logprob=None,
            gold_prob=None,
            prompt_tokens=failure.prompt_tokens,
            output_tokens=failure.output_tokens,
            flops=2.0 * self.model.facts.params_compute * (failure.prompt_tokens + failure.output_tokens),
            cause=failure.cause,
        )


def choose_demonstrations(
    model: Model,
    task: Task,
    method: Method,
    plan: ExamplePlan,
    labels: int,
    longest: Item | None,
    chat: ChatTemplate | None = None,
) -> tuple[tuple[Item, ...], tuple[Use, ...]]:
    """The demonstrations of a prompting method and its ledger.

    From the plan's first ``labels`` examples, those that carry what the method needs, in plan order:
    ``method.shots`` of them, or, when that is None, as many as leave room in the model's context for
    ``longest`` (`longest_question`; not used where ``method.shots`` is given) and its answer.
    """
    granted = plan.take(labels)
    usable = tuple(item for item in granted if item.rationale or not method.rationales)
    if method.shots is not None or longest is None:
        chosen = usable[: method.shots]
    else:
        limit = most_tokens(task, rationale=method.rationales, chat=chat)
        room = model.facts.context - limit
        chosen = usable[: _how_many_fit(model, task, usable, longest, room, method.rationales, chat)]
    ledger = (use_of("demonstration", chosen, rationales=method.rationales),) if chosen else ()
    return chosen, ledger


def longest_question(model: Model, task: Task, shifts: Sequence[str], *, rationale: bool) -> Item:
    """The longest in tokens among the longest in characters, over the test items under each of ``shifts``."""
    every = itertools.chain.from_iterable(apply_shift(task, shift) for shift in shifts)
    longest = heapq.nlargest(50, every, key=lambda one: len(render(task, (), one, rationale=rationale)))
    return max(longest, key=lambda one: model.count_tokens(render(task, (), one, rationale=rationale)))


def _count_templated(model: Any, prompt: str) -> int:
    count: int = model.count_tokens(prompt, templated=True)
    return count


def _finite(value: float | None) -> float | None:
    """None for a probability of exactly 0: its logarithm is no number that JSON or a mean could hold."""
    return value if value is not None and math.isfinite(value) else None


def _how_many_fit(
    model: Model,
    task: Task,
    usable: Sequence[Item],
    longest: Item,
    room: int,
    rationale: bool,
    chat: ChatTemplate | None,
) -> int:
    """The largest k such that the prompt with the first k demonstrations has at most ``room`` tokens."""

    def fits(k: int) -> bool:
        prompt = render(task, usable[:k], longest, rationale=rationale, chat=chat)
        # only a model with a chat template has to know what a templated prompt is
        return (model.count_tokens(prompt) if chat is None else _count_templated(model, prompt)) <= room

    if fits(len(usable)):
        return len(usable)
    low, high = 0, len(usable)  # fits(low) is taken for granted: a prompt without demonstrations is what is asked
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
