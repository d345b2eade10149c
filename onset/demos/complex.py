"""The most complex examples.

Source: Fu et al. 2022, arXiv 2210.00720 ("complexity-based prompting"): the examples with most reasoning
steps. Which of equally complex ones are taken the paper does not say: here those that come first in the plan. It shows
them in no stated order: here the most complex first, unless ``order`` shuffles them. The prompts it uses were chosen
from whole training sets; here only from what the budget grants, all of which counts as used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from onset.demos.complexity import ByComplexity
from onset.records import Item
from onset.tasks.base import Task


class Complex(ByComplexity):
    """The examples with most reasoning steps."""

    kind: ClassVar[str] = "complex"
    source: ClassVar[str] = "Fu et al. 2022, arXiv 2210.00720"
    words: ClassVar[str] = "the most complex ones"
    needs: ClassVar[frozenset[Literal["rationales"]]] = frozenset({"rationales"})
    reads: ClassVar[bool] = True

    def rank(self, examples: Sequence[Item], task: Task, item: Item | None = None) -> Sequence[Item]:
        """The most complex first."""
        return self.ranked(examples, most_first=True)
