"""Premises in another order, where order does not matter.

    Ray has 17 keys. Pam has 7 fewer keys than Ray.  ->  Pam has 7 fewer keys than Ray. Ray has 17 keys.

Source: Chen et al. 2024, "Premise Order Matters in Reasoning with Large Language Models", arXiv 2402.08939.
"""

from __future__ import annotations

from typing import ClassVar

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.tasks.base import Task


class Reordered(Shift):
    """The premises shuffled, never as they were. A problem that changes as it goes on keeps its order, and stays."""

    kind: ClassVar[str] = "reordered"
    source: ClassVar[str] = "Chen et al. 2024, arXiv 2402.08939"
    group: ClassVar[Group] = "adversarial"

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task whose premises are not known to be free."""
        if task.solver is None or not any(task.solver.premises(item) for item in task.test):
            raise self.refuse(task, "it is not known which of its sentences may stand in another order")

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item in another order."""
        held = None if task.solver is None else task.solver.premises(item)
        if held is None or len(set(held.sentences)) < 2:
            return item
        order = [*held.sentences]
        self.rng(item).shuffle(order)
        if tuple(order) == held.sentences:
            order = [*order[1:], order[0]]
        return held.put(item, order)
