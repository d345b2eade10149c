"""The contract of a choice of demonstrations: which of the examples that a budget grants are shown, and in what order.

A choice ranks the granted examples; as many of the first are shown as the method says, or as fit. A choice that looks
at the question (`Choice.per_item`) ranks anew for each.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from onset.records import Item, derive_seed
from onset.step import Step
from onset.tasks.base import Task

Ranking = Callable[[Item | None], Sequence[Item]]
"""A question -> the examples, the one to be shown first when there is room for one only first."""


class Choice(Step):
    """Settings that every choice has. ``order``: a seed by which those chosen are shuffled before they are shown (None:
    as the choice arranges them), so that order varies where the examples stay. Of any two examples it says which comes
    first, whatever others are shown: an order that a search finds with some of the examples is that of all.
    """

    needs: ClassVar[frozenset[Literal["rationales"]]] = frozenset()
    """What the examples must carry to be ranked, with the default settings."""
    per_item: ClassVar[bool] = False
    reads: ClassVar[bool] = False
    """Does the ranking look at examples that may not be shown (their text, their rationales)? Then all that are granted
    count as used."""

    reads_rationales: ClassVar[bool] = False
    """Does it read the rationales of examples that have one, whether or not the method shows them? Then they count as
    used."""

    order: int | None = Field(default=None, ge=0)

    def needed(self) -> frozenset[Literal["rationales"]]:
        """What the examples must carry to be ranked, as it is set."""
        return self.needs

    def check_task(self, task: Task) -> None:
        """Raises DataError where the labelled examples of ``task`` cannot be ranked so."""

    def check_installed(self) -> None:
        """Raises NotInstalled where a package that it needs is not there."""

    @abstractmethod
    def rank(self, examples: Sequence[Item], task: Task, item: Item | None = None) -> Sequence[Item]:
        """``examples``, or some of them, the one to be shown first when there is room for one only first. ``examples``
        are in the order of the plan, which is random: ties stay in it. ``item``: the question, where `per_item`. Pure.
        """

    def ranking(self, examples: Sequence[Item], task: Task) -> Ranking:
        """`rank` of ``examples`` as a function of the question: what all questions share is done once."""
        return lambda item: self.rank(examples, task, item)

    def arrange(self, chosen: Sequence[Item]) -> tuple[Item, ...]:
        """Those chosen, best first, as they are shown: here in that order."""
        return tuple(chosen)

    def shown(self, chosen: Sequence[Item], seed: int) -> tuple[Item, ...]:
        """Those chosen in the order in which they are shown: arranged, or shuffled where ``order`` says so. ``seed``:
        that of the draw, so that draws are shuffled apart.
        """
        order = self.order
        if order is None:
            return self.arrange(chosen)
        return tuple(sorted(chosen, key=lambda item: derive_seed("order", order, seed, item.id)))

    def identity(self) -> Any:
        """With a mark where examples are shuffled: cells of before were shuffled as lists, and are other cells."""
        said = super().identity()
        return said if self.order is None else {**said, "shuffled": "by example"}
