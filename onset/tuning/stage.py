"""A stage of training before any labelled example is seen: all weights are trained on a corpus of one's own.

    recipes:
      instruct: {data: instructions.jsonl, steps: 400}
      placebo: {data: instructions.jsonl, steps: 400, control: shuffled}
    stages: [[], [instruct], [placebo], [instruct, code]]

A line of the corpus is ``{"prompt": ..., "completion": ...}``, of which the completion is learnt (instructions, worked
steps), or ``{"text": ...}``, of which everything is (code, plain text). Other keys are left aside.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from onset.errors import DataError
from onset.step import Step
from onset.tuning.base import Example, Progress, Schedule, Seeds, TuningReport
from onset.tuning.full import Full

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint


class Stage(Step):
    """Full training for ``steps`` optimiser steps of ``batch_size`` examples at the peak ``learning_rate`` (None: that
    of full tuning), with the schedule of tuning: warm-up over a tenth of the steps, linear decay.

    ``data``: the corpus, a file of JSON lines beside the study file. ``control: shuffled``: every prompt gets the
    completion of another one, a placebo of the same tokens. ``seed``: of the order of the examples, and of the shuffle.
    """

    kind = "corpus"
    source = (
        "every weight, the loss of tuning; with prompts on completions alone (Ouyang et al. 2022, arXiv 2203.02155)"
    )
    words = "training on a corpus"
    paths = ("data",)
    data: str
    steps: int = Field(ge=1)
    batch_size: int = Field(default=8, ge=1)
    learning_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    control: Literal["none", "shuffled"] = "none"
    seed: int = Field(default=0, ge=0, lt=2**63)

    def contents(self) -> dict[str, str]:
        """A hash of the corpus. Raises DataError when it cannot be read."""
        return {"data": hashlib.sha256(_bytes(self.data)).hexdigest()[:16]}

    def corpus(self) -> tuple[Example, ...]:
        """The corpus as it is trained on. Raises DataError for a file that is no corpus, with the line."""
        rows = _read(self.data, _stamp(self.data))
        if self.control == "none":
            return rows
        if len(rows) < 2 or not all(one.prompt for one in rows):
            raise DataError(f"stage corpus {self.data}: 'control: shuffled' needs two prompts with completions or more")
        order = list(range(len(rows)))
        random.Random(self.seed).shuffle(order)
        dealt = dict(zip(order, [*order[1:], order[0]], strict=True))
        return tuple(Example(one.prompt, rows[dealt[place]].completion) for place, one in enumerate(rows))

    def schedule(self) -> Schedule:
        """Of its training."""
        return Schedule(steps=self.steps, batch_size=self.batch_size, learning_rate=self.learning_rate)

    def train(
        self,
        model: HFModel,
        seeds: Seeds,
        progress: Progress | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> tuple[HFModel, TuningReport]:
        """The trained model, a copy. Raises DataError and ModelError as `corpus` and `Full.tune` do."""
        return Full().tune(model, self.corpus(), seeds, self.schedule(), progress, checkpoint)

    def refuse(self, questions: Sequence[str], task: str) -> None:
        """Raises DataError where the corpus holds some of a task's test ``questions``, with the count: one of
        `WHOLE` characters or more anywhere in a text, a shorter one as a whole prompt or text. Case and spaces do not
        count.
        """
        texts = [_plain(one.prompt + one.completion) for one in self.corpus()]
        everything = "\n".join(texts)
        alone = {*texts, *(_plain(one.prompt) for one in self.corpus())}
        wanted = [(one, _plain(one)) for one in questions]
        held = [one for one, plain in wanted if (plain in everything if len(plain) >= WHOLE else plain in alone)]
        if held:
            raise DataError(
                f"stage corpus {self.data} holds {len(held)} of the {len(questions)} test items of task {task}; leave"
                f" them out (first: {held[0][:80]!r})"
            )


WHOLE = 30
"""A test question of so many characters or more is looked for inside the texts of a corpus."""


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _bytes(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise DataError(f"stage corpus {path}: cannot be read ({error.strerror})") from None


def _stamp(path: str) -> str:
    return hashlib.sha256(_bytes(path)).hexdigest()


@lru_cache(maxsize=8)
def _read(path: str, stamp: str) -> tuple[Example, ...]:
    """The rows of a corpus whose bytes have the hash ``stamp``."""
    try:
        lines = _bytes(path).decode("utf-8-sig").split("\n")  # other line separators may stand inside a text
    except UnicodeDecodeError:
        raise DataError(f"stage corpus {path}: not UTF-8") from None
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise DataError(f"stage corpus {path}: it has no lines")
    return tuple(rows)


def _row(path: str, number: int, line: str) -> Example:
    try:
        row = json.loads(line)
    except ValueError:
        raise DataError(f"stage corpus {path}, line {number}: not JSON") from None
    found = (
        {key: row[key] for key in ("text", "prompt", "completion") if key in row} if isinstance(row, Mapping) else {}
    )
    if not all(isinstance(one, str) and one.strip() for one in found.values()) or set(found) not in (
        {"text"},
        {"prompt", "completion"},
    ):
        raise DataError(
            f"stage corpus {path}, line {number}: expected an object with 'text', or with 'prompt' and 'completion',"
            f" texts that are not empty (received {line[:60]!r})"
        )
    if "text" in found:
        return Example("", found["text"])
    prompt, completion = found["prompt"].rstrip(), found["completion"]
    gap = found["prompt"][len(prompt) :] or ("" if completion[:1].isspace() else " ")
    return Example(prompt, gap + completion)


@dataclass(frozen=True)
class Recipe:
    """A stage of a study: the ``name`` it has there, and its ``step``."""

    name: str
    step: Stage

    def seeds(self) -> Seeds:
        """All three of its seed: it draws no new weights."""
        return Seeds(self.step.seed, self.step.seed, self.step.seed)
