"""Fewer demonstrations than the method shows. The ones that stay, and the questions, are the very same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from onset.records import Item
from onset.shifts.base import Perturbed


class DemoCount(Perturbed):
    """The last ``shots`` of the demonstrations, which stand next to the question (unset: half of them, rounded up; 0:
    none). Where no more are shown anyway, all stay.
    """

    kind: ClassVar[str] = "demo-count"
    source: ClassVar[str] = "Min et al. 2022, arXiv 2202.12837, section 5.2"
    demonstrations: ClassVar[bool] = True

    shots: int | None = Field(default=None, ge=0)

    def demos(self, demos: Sequence[Item], seed: int) -> tuple[Item, ...]:
        """Those that stay."""
        count = (len(demos) + 1) // 2 if self.shots is None else min(self.shots, len(demos))
        return tuple(demos[len(demos) - count :])
