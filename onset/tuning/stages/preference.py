"""Preference tuning: of two completions of a prompt the chosen one is made likelier than the rejected one, relative to
the model before (direct preference optimisation, Rafailov et al. 2023, arXiv 2305.18290, equation 7).

    recipes:
      prefer: {kind: preference, data: pairs.jsonl, steps: 100}
      placebo: {kind: preference, data: pairs.jsonl, steps: 100, control: swapped}

A line is ``{"prompt": ..., "chosen": ..., "rejected": ...}``; other keys are left aside. The loss is our own, ten lines
over the loop of all tuning, so that steps, batches, checkpoints and costs are those of every stage; the library trl is
what tests hold it against.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from onset.errors import DataError
from onset.prompting.base import CHARACTERS_PER_TOKEN
from onset.tuning.base import Example, Progress, Seeds
from onset.tuning.stages.base import Stage, Text, Trained, Work
from onset.tuning.stages.texts import digest, joined, read_lines, texts_in

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint

KEYS = ("prompt", "chosen", "rejected")


@dataclass(frozen=True, slots=True)
class Choice:
    """Two completions of one prompt, the ``chosen`` and the ``rejected`` one."""

    chosen: Example
    rejected: Example


class Preference(Stage):
    """Direct preference optimisation for ``steps`` steps of ``batch_size`` pairs. ``beta``: how strongly the model is
    held to what it was (above 0); ``control: swapped``: of every pair it is drawn which one counts as chosen, a placebo
    of the same tokens. The learning rate is that of the paper, made for billions of parameters: small models need more.
    """

    kind = "preference"
    source = "Rafailov et al. 2023, arXiv 2305.18290, equation 7 (DPO)"
    words = "preference tuning"
    paths = ("data",)
    rate = 1e-6
    data: str
    beta: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    control: Literal["none", "swapped"] = "none"

    @property
    def where(self) -> str:
        """The file."""
        return f"corpus {self.data}"

    def contents(self) -> dict[str, Any]:
        """A hash of the pairs. Raises DataError when they cannot be read."""
        return {"data": digest(self.data)[:16]}

    def pairs(self, *, control: bool = True) -> tuple[Choice, ...]:
        """The pairs as they are trained on. Raises DataError for a file that holds none, with the line."""
        rows = read_lines(self.data, _row)
        if not control or self.control == "none":
            return rows
        draw = random.Random(self.seed)
        return tuple(Choice(one.rejected, one.chosen) if draw.random() < 0.5 else one for one in rows)

    def texts(self) -> Iterator[Text]:
        """Both completions of every prompt."""
        for one in self.pairs():
            yield from (Text(side.prompt, side.completion) for side in (one.chosen, one.rejected))

    def work(self) -> Work:
        """Both completions of every pair of every step, and once each by the model before."""
        rows = self.pairs()
        sizes = [sum(len(one.prompt + one.rest) for one in self.texts()) / len(rows) / CHARACTERS_PER_TOKEN]
        each = sizes[0]
        return Work(each * self.steps * min(self.batch_size, len(rows)), read=each * len(rows))

    def train(
        self, model: HFModel, seeds: Seeds, progress: Progress | None = None, checkpoint: Checkpoint | None = None
    ) -> Trained:
        """The report's detail: ``pairs``; ``swapped`` of them; ``read``, tokens run forward by the model before; the
        share of pairs in whose order the model has them, relative to the model before, in the first and the last tenth
        of the steps (``accuracy``). Kept: ``steps`` (loss, accuracy, margin: how much likelier the chosen one is than
        before, over the rejected one, times ``beta``, nats).
        """
        from onset.tuning.stages import dpo

        pairs = self.pairs()
        swapped = sum(a != b for a, b in zip(pairs, self.pairs(control=False), strict=True))
        return dpo.train(model, pairs, self, swapped, seeds, progress, checkpoint)


def _row(where: str, line: str) -> Choice:
    found = texts_in(where, line, KEYS)
    if found is None or set(found) != set(KEYS):
        raise DataError(
            f"{where}: expected an object with 'prompt', 'chosen' and 'rejected', texts that are not empty (received"
            f" {line[:60]!r})"
        )
    if found["chosen"] == found["rejected"]:
        raise DataError(f"{where}: 'chosen' and 'rejected' are equal")
    return Choice(joined(found["prompt"], found["chosen"]), joined(found["prompt"], found["rejected"]))
