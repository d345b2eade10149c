"""Selection by a dev set beyond the budget: an upper bound on what choosing settings could bring, no method of its own.

    search: {select: oracle-dev, dev: 100}

A practitioner with these labels would train on them. Published "few-shot" results often chose their prompts or
learning rates so (Perez et al. 2021, arXiv 2105.11447, section 1). Whatever is chosen by this rule is shown apart, and
never compared with the other methods, recommended, or pooled with them.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from onset.plan import ExamplePlan
from onset.search.base import Part, Search


class OracleDev(Search):
    """Accuracy on ``dev`` labelled examples that no budget grants: the last ones of the example plan, the same for
    every method and budget of a draw. In a trial the method has all examples that the budget grants.
    """

    kind: ClassVar[str] = "oracle-dev"
    source: ClassVar[str] = "Perez et al. 2021, arXiv 2105.11447, section 1 (held-out few-shot learning)"
    words: ClassVar[str] = "settings chosen on labels beyond the budget: an upper bound"
    bound: ClassVar[bool] = True
    dev: int = Field(ge=1)

    def check(self, labels: int, pool: int) -> str | None:
        """Dev set and budget share no example."""
        if labels + self.dev <= pool:
            return None
        needed = f"a dev set of {self.dev} beyond {labels} labels needs {labels + self.dev} labelled examples"
        return f"{needed}, the pool holds {pool}"

    def parts(self, plan: ExamplePlan, labels: int) -> tuple[Part, ...]:
        """One: all that is granted, asked about the last examples of the plan."""
        return (Part(plan.take(labels), plan.order[-self.dev :]),)

    def sizes(self, labels: int) -> tuple[tuple[int, int], ...]:
        """As `parts`."""
        return ((labels, self.dev),)
