"""The simplest examples: the control of choosing the most complex ones.

Source: Fu et al. 2022, arXiv 2210.00720, whose analysis holds complex prompts against simple ones of as many
demonstrations. Ties and order as in `onset.demos.complex`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from onset.demos.complexity import ByComplexity
from onset.records import Item
from onset.tasks.base import Task


class Simple(ByComplexity):
    """The examples with fewest reasoning steps."""

    kind: ClassVar[str] = "simple"
    source: ClassVar[str] = "Fu et al. 2022, arXiv 2210.00720 (a control)"
    words: ClassVar[str] = "the simplest ones"
    needs: ClassVar[frozenset[Literal["rationales"]]] = frozenset({"rationales"})
    reads: ClassVar[bool] = True

    def rank(self, examples: Sequence[Item], task: Task, item: Item | None = None) -> Sequence[Item]:
        """The simplest first."""
        return self.ranked(examples, most_first=False)
