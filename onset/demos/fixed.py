"""Demonstrations that a person picked, in the order in which they are named.

Source: the prompts of Wei et al. 2022, arXiv 2201.11903, appendix G, are of this kind: a few examples, the same for
every question and every run.

    choose: {kind: fixed, positions: [4, 1, 2]}                  # places in the order in which the plan grants them
    choose: {kind: fixed, ids: [7c9e0a1b2c3d4e5f, ...]}          # ids as the ledger of a cell has them

Picking is no way around the budget: one that the budget does not grant is refused. An id is granted or not by the draw;
positions name other examples in every draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, model_validator

from onset.demos.base import Choice
from onset.errors import DataError, PlanMismatch
from onset.records import Item
from onset.tasks.base import Task


class Fixed(Choice):
    """Either ``ids`` or ``positions`` (from 1, in the order of the plan), each at most once."""

    kind: ClassVar[str] = "fixed"
    source: ClassVar[str] = "Wei et al. 2022, arXiv 2201.11903, appendix G"
    words: ClassVar[str] = "picked by hand"

    ids: tuple[str, ...] = Field(default=())
    positions: tuple[int, ...] = Field(default=())

    @model_validator(mode="after")
    def _one_of_them(self) -> Fixed:
        if bool(self.ids) == bool(self.positions):
            raise ValueError("needs either 'ids' or 'positions', a list of at least one")
        named = self.ids or self.positions
        twice = [one for one in named if named.count(one) > 1]
        if twice:
            raise ValueError(f"{twice[0]} is named twice")
        if any(one < 1 for one in self.positions):
            raise ValueError(f"positions begin with 1 (received {min(self.positions)})")
        return self

    def check_task(self, task: Task) -> None:
        """Raises DataError for an id, or a position, that no labelled example has."""
        known = {item.id for item in task.pool}
        for one in self.ids:
            if one not in known:
                raise DataError(f"task {task.name}: 'choose: fixed' names '{one}', none of its {len(known)} examples")
        if self.positions and max(self.positions) > len(task.pool):
            raise DataError(
                f"task {task.name}: 'choose: fixed' names position {max(self.positions)}, its pool holds"
                f" {len(task.pool)} labelled examples"
            )

    def rank(self, examples: Sequence[Item], task: Task, item: Item | None = None) -> Sequence[Item]:
        """Those that are named, in that order. Raises PlanMismatch for one that is not among ``examples``."""
        by_id = {one.id: one for one in examples}
        for name in self.ids:
            if name not in by_id:
                raise self._refused(f"'{name}'", examples, task)
        for place in self.positions:
            if place > len(examples):
                raise self._refused(f"position {place}", examples, task)
        return [by_id[name] for name in self.ids] or [examples[place - 1] for place in self.positions]

    def _refused(self, what: str, examples: Sequence[Item], task: Task) -> PlanMismatch:
        return PlanMismatch(
            f"task {task.name}: 'choose: fixed' names {what}, which is not among the {len(examples)} examples that the"
            " budget grants and the method can show"
        )
