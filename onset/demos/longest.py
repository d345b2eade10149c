"""The longest examples: the control that tells complexity from mere length.

Source: Fu et al. 2022, arXiv 2210.00720, whose ablation holds the prompts with most steps against the longest ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from onset.demos.base import Choice
from onset.records import Item
from onset.tasks.base import Task


class Longest(Choice):
    """The examples with most characters: context, question, rationale (where there is one) and answer together."""

    kind: ClassVar[str] = "longest"
    source: ClassVar[str] = "Fu et al. 2022, arXiv 2210.00720 (a control)"
    words: ClassVar[str] = "the longest ones"
    reads: ClassVar[bool] = True
    reads_rationales: ClassVar[bool] = True

    def rank(self, examples: Sequence[Item], task: Task, item: Item | None = None) -> Sequence[Item]:
        """The longest first; ties stay in the order of the plan."""
        return sorted(examples, key=lambda one: -_length(one))


def _length(item: Item) -> int:
    return sum(len(text) for text in (item.context or "", item.question, item.rationale or "", item.answer))
