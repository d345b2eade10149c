"""The first examples of the plan, which is a random draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from onset.demos.base import Choice
from onset.records import Item
from onset.tasks.base import Task


class Random(Choice):
    """The examples in the order of the plan: a draw at random, the same for every method at a budget."""

    kind: ClassVar[str] = "random"
    source: ClassVar[str] = "Brown et al. 2020, arXiv 2005.14165, section 2"
    words: ClassVar[str] = "drawn at random"

    def rank(self, examples: Sequence[Item], task: Task, item: Item | None = None) -> Sequence[Item]:
        """As they come."""
        return examples
