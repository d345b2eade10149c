"""The demonstrations in another order: the very same ones.

Source: Lu et al. 2022, "Fantastically Ordered Prompts and Where to Find Them", arXiv 2104.08786.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import ClassVar, Literal

from pydantic import Field

from onset.records import Item, derive_seed
from onset.shifts.base import Perturbed


class DemoOrder(Perturbed):
    """Demonstrations ``shuffled`` (by ``seed`` and the draw of examples) or ``reversed``; of two or more, never as they
    were.
    """

    kind: ClassVar[str] = "demo-order"
    source: ClassVar[str] = "Lu et al. 2022, arXiv 2104.08786"
    demonstrations: ClassVar[bool] = True

    order: Literal["shuffled", "reversed"] = "shuffled"
    seed: int = Field(default=0, ge=0)

    def demos(self, demos: Sequence[Item], seed: int) -> tuple[Item, ...]:
        """``demos`` in the other order."""
        mixed = [*demos][::-1]
        if self.order == "shuffled":
            mixed = [*demos]
            Random(derive_seed(self.kind, self.seed, seed)).shuffle(mixed)
            if mixed == [*demos]:
                mixed = [*mixed[1:], *mixed[:1]]
        return tuple(mixed)
