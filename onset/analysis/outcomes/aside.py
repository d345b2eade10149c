"""What was asked beside a study's own tasks, as outcomes: right answers, and bits a byte of a text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from onset.analysis.outcomes.folder import outcomes_of
from onset.analysis.outcomes.table import Measure, Outcomes, Outputs
from onset.results.read import Results

BITS = "bits a byte"
"""The metric of a text; lower is better."""
_TEXT = "text"


@dataclass(frozen=True, eq=False)
class Aside:
    """One way of asking elsewhere. ``home``: the task whose examples its tuned model has learnt from (None: none).

    ``outcomes``: of a text in bits a byte, an item's share of them: bits over the mean bytes of a segment, so that the
    mean over items is the bits of the whole text over its bytes.
    """

    outcomes: Outcomes
    home: str | None

    @property
    def is_text(self) -> bool:
        """Is it a text, not a task?"""
        return self.outcomes.metric == BITS


def asides_of(results: Results | None) -> tuple[Aside, ...]:
    """All that was asked elsewhere, by home in order of appearance; ``results``: `Results.aside`."""
    if results is None:
        return ()
    found = []
    for home in results.cells["home"].unique(maintain_order=True):
        same = results.cells.filter(results.cells["home"].eq_missing(home))
        records = results.records.filter(results.records["cell"].is_in(same["cell"].to_list()))
        part = Results(results.study, same, records, (), {})
        sizes = _bytes(part)
        found += [Aside(_bits(one, sizes) if one.task == _TEXT else one, home) for one in outcomes_of(part)]
    return tuple(found)


def _bytes(results: Results) -> dict[str, int]:
    """Item -> bytes of its segment."""
    table = results.records.select("item", "gold").unique("item").to_dicts()
    return {row["item"]: len(row["gold"].encode("utf-8")) for row in table}


def _bits(one: Outcomes, sizes: Mapping[str, int]) -> Outcomes:
    scores = one.outputs.scores.get("gold_logprob")
    mean = float(np.mean([sizes[item] for item in one.items]))
    values = np.full(one.values.shape, np.nan) if scores is None else -scores / math.log(2) / mean
    return replace(
        one,
        measure=Measure(BITS, higher_is_better=False),
        values=values,
        outputs=Outputs(),
    )
