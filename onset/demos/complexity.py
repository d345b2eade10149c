"""How complex a labelled example is: what complexity-based choices rank by.

Source: Fu et al. 2022, arXiv 2210.00720: the number of reasoning steps, a step being a line of the
rationale; where there are no rationales, the length of the question in their place. The other measures are those of
their ablations: steps that end with a full stop, and the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from onset.demos.base import Choice
from onset.errors import DataError
from onset.records import Item
from onset.tasks.base import Task

Measure = Literal["steps", "sentences", "question", "rationale"]
"""``steps``: lines of the rationale; ``sentences``: of the rationale; ``question`` and ``rationale``: characters."""

_STOP = re.compile(r"[.!?。！？]+(?=\s|$)|[。！？]+|\n")


def steps(text: str) -> int:
    """Reasoning steps of a chain: its lines that are not blank."""
    return sum(1 for line in text.splitlines() if line.strip())


def sentences(text: str) -> int:
    """Sentences of a chain: pieces that end with ``.``, ``!`` or ``?`` before a space, or with their line."""
    return sum(1 for piece in _STOP.split(text) if piece.strip())


def complexity(item: Item, by: Measure) -> int:
    """How complex ``item`` is. An item without a rationale has none (0), but by its question."""
    if by == "question":
        return len(item.question)
    text = item.rationale or ""
    return {"steps": steps, "sentences": sentences, "rationale": len}[by](text)


class ByComplexity(Choice):
    """Settings of a choice by complexity. ``by``: what is counted (`Measure`)."""

    by: Measure = "steps"

    def needed(self) -> frozenset[Literal["rationales"]]:
        """Rationales, but where questions are measured."""
        return frozenset() if self.by == "question" else frozenset({"rationales"})

    def check_task(self, task: Task) -> None:
        """Raises DataError where all examples are equally complex: the choice would be one at random."""
        measured = {complexity(item, self.by) for item in task.pool if item.rationale or self.by == "question"}
        if len(measured) == 1:
            hint = "; write 'by: sentences' where steps share a line" if self.by == "steps" else ""
            raise DataError(
                f"task {task.name}: 'choose: {self.kind}' by {self.by} finds no example more complex than another, all"
                f" of them have {measured.pop()}{hint}"
            )

    def ranked(self, examples: Sequence[Item], *, most_first: bool) -> Sequence[Item]:
        """``examples`` by complexity; ties stay in the order of the plan."""
        sign = -1 if most_first else 1
        return sorted(examples, key=lambda one: sign * complexity(one, self.by))
