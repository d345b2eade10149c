"""Selection within the granted examples: no label beyond the budget is used.

    search: {select: within, folds: 4}            # each fold held out once, the method has the others
    search: {select: within, by: next, folds: 4}  # each block after the first is asked with those before it

``by: next`` is prequential validation: every example is predicted from those before it, here a block at a time
(Bornschein et al. 2025, arXiv 2512.19879; the codelength of Perez et al. 2021, arXiv 2105.11447, section 2.2). It has
one training fewer than there are folds; the first block is asked by nobody.

In a trial a method has fewer examples than it will have: settings are taken that are good for three quarters of the
budget (four folds), which is all that a selection within it can see.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import Field

from onset.plan import ExamplePlan
from onset.search.base import Part, Search


class Within(Search):
    """Held-out accuracy over ``folds`` (at least 2) parts of the granted examples, each as large as the others, give or
    take one. ``by``: ``folds`` or ``next`` examples.
    """

    kind: ClassVar[str] = "within"
    source: ClassVar[str] = (
        "Perez et al. 2021, arXiv 2105.11447, section 2 (cross-validation, next examples); by: next as in Bornschein et"
        " al. 2025, arXiv 2512.19879"
    )
    words: ClassVar[str] = "settings chosen within the granted examples"
    folds: int = Field(default=4, ge=2)
    by: Literal["folds", "next"] = "folds"

    def check(self, labels: int, pool: int) -> str | None:
        """A fold is never empty."""
        if labels >= self.folds:
            return None
        return f"{self.folds} folds of {labels} labelled examples leave a fold empty; lower 'folds'"

    def parts(self, plan: ExamplePlan, labels: int) -> tuple[Part, ...]:
        """By folds: every ``folds``-th example of the plan is held out together, so that folds are alike where those
        with rationales come first. By next: blocks in the order of the plan, each after all before it.
        """
        granted = plan.take(labels)
        if self.by == "folds":
            return tuple(
                Part(
                    tuple(one for place, one in enumerate(granted) if place % self.folds != fold),
                    granted[fold :: self.folds],
                )
                for fold in range(self.folds)
            )
        edges = [round(block * labels / self.folds) for block in range(self.folds + 1)]
        return tuple(Part(granted[:start], granted[start:end]) for start, end in pairwise(edges[1:]))

    def sizes(self, labels: int) -> tuple[tuple[int, int], ...]:
        """As `parts`."""
        if self.by == "folds":
            held = [len(range(fold, labels, self.folds)) for fold in range(self.folds)]
            return tuple((labels - one, one) for one in held)
        edges = [round(block * labels / self.folds) for block in range(self.folds + 1)]
        return tuple((start, end - start) for start, end in pairwise(edges[1:]))
