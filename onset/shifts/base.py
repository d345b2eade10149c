"""What a shift is: the same task asked differently, so that the label stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from onset.errors import UnknownName
from onset.records import Item
from onset.shifts import SHIFTS
from onset.tasks.base import Task


class Shift(Protocol):
    """A deterministic rewrite of an item.

    ``apply`` depends on the item and the seed alone, keeps ``answer`` and ``choices``, and sets ``twin`` to the id
    of the item it rewrote, also where it found nothing to rewrite: every shifted item is paired with a clean one.
    """

    def apply(self, item: Item, seed: int) -> Item:
        """The shifted item."""
        ...


@dataclass(frozen=True, slots=True)
class Unshifted:
    """The item as it is, its own twin."""

    def apply(self, item: Item, seed: int) -> Item:
        """``item``, unchanged; ``seed`` is not used."""
        return item


def apply_shift(task: Task, shift: str, seed: int = 0) -> tuple[Item, ...]:
    """The test items of ``task`` under ``shift``, in order.

    ``none`` gives the test items; the name of one of the task's test sets gives its items (they have no twin: other
    questions, not rewritten ones); a name of the table gives the test items rewritten, keyed by ``seed``.
    Raises UnknownName with everything this task knows.
    """
    named = dict(task.test_sets)
    if shift == "none":
        return task.test
    if shift in named:
        return named[shift]
    if shift not in SHIFTS:
        raise UnknownName("shift", shift, [*SHIFTS, *named])
    rewrite: Shift = SHIFTS.load(shift)()
    return tuple(rewrite.apply(item, seed) for item in task.test)
