"""What a study says of robustness, in one object: a number for every question, and its JSON.

falls      clean, shifted, drop and flips of every arm and shift, with its place beside the line of other methods
grids      the lines themselves, and every method's effective robustness
worst      the worst of several shifts, per arm
leads      pairs of methods on clean and shifted items, and `curves` of them over sizes
wins       pairs of which one is ahead under a shift alone, corrected for all shifts
slopes     how drops change with size
breakdowns halves of trap sets, and groups of items; `single`: test sets of one label
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from onset.analysis.contrast.asked import place
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.breakdowns import Breakdown, SingleLabel, breakdowns
from onset.analysis.estimates.classification import Classified
from onset.analysis.estimates.falls import Fall, Worst, falls, worst_cases
from onset.analysis.estimates.label_curves import LabelPoint
from onset.analysis.estimates.matched import Grid, Matched, matched
from onset.analysis.estimates.reorder import Lead, LeadCurve, Slope, drop_slopes, lead_curves, leads
from onset.analysis.estimates.shift_wins import ShiftWin, shift_wins
from onset.analysis.outcomes import Measured, Outcomes
from onset.analysis.setting import Setting
from onset.analysis.stats.bootstrap import REPLICATES


@dataclass(frozen=True, eq=False)
class Robustness:
    """The parts are those of the module's docstring; ``without_clean``: shifted arms whose clean counterpart was not
    measured, which are in nothing else; ``same``: the arm that stands for one that is the same at another budget.
    """

    falls: tuple[Fall, ...] = ()
    grids: tuple[Grid, ...] = ()
    worst: tuple[Worst, ...] = ()
    leads: tuple[Lead, ...] = ()
    curves: tuple[LeadCurve, ...] = ()
    wins: tuple[ShiftWin, ...] = ()
    slopes: tuple[Slope, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    single: tuple[SingleLabel, ...] = ()
    without_clean: tuple[Setting, ...] = ()
    same: Mapping[Setting, Setting] | None = None

    @cached_property
    def _matched(self) -> Mapping[Setting, Matched]:
        return {arm.at: arm for grid in self.grids for one in grid.methods for arm in one.arms}

    @cached_property
    def _why_not(self) -> Mapping[Setting, str]:
        return {at: why for grid in self.grids for at, why in grid.left_out.items()}

    def matched(self, at: Setting) -> Matched | None:
        """An arm under a shift beside the line of other methods."""
        return self._matched.get((self.same or {}).get(at, at))

    def json(self) -> dict[str, Any]:
        """The value of ``robustness`` in ``onset show D --json``, and of ``onset show D --robustness --json``."""
        return {
            "falls": [self._fall(one) for one in self.falls],
            "grids": [one.json() for one in self.grids],
            "worst": [one.json() for one in self.worst],
            "leads": [one.json() for one in self.leads],
            "curves": [one.json() for one in self.curves],
            "wins": [one.json() for one in self.wins],
            "slopes": [one.json() for one in self.slopes],
            "breakdowns": [one.json() for one in self.breakdowns],
            "single_label": [one.json() for one in self.single],
            "without_clean": [
                {
                    "model": at.model, "stage": at.stage_name, "method": at.method, "labels": at.labels,
                    "task": at.task, "shift": at.shift,
                }
                for at in self.without_clean
            ],
        }  # fmt: skip

    def _fall(self, one: Fall) -> dict[str, Any]:
        at = (self.same or {}).get(one.at, one.at)
        found = self._matched.get(at)
        return one.json() | {"matched": found and found.json(), "not_matched": self._why_not.get(at)}


def robustness_of(
    measured: Measured,
    methods: Sequence[Contrast],
    losses: Sequence[Contrast],
    loss_differences: Sequence[Contrast],
    means: Mapping[tuple[Any, ...], LabelPoint],
    classes: Sequence[Classified],
    *,
    margin: float,
    replicates: int = REPLICATES,
) -> Robustness:
    """Of a study with a shift; nothing of any other.

    ``methods``, ``losses``, ``loss_differences``: contrasts of the arms, decided; ``means``: of every arm, by the
    values of `onset.analysis.outcomes.KEY`; ``classes``: arms of tasks whose answers are labels.
    """
    arms = measured.outcomes
    shifted = [arm for arm in arms if not arm.at.clean]
    if not shifted:
        return NO_SHIFTS
    clean = {arm.at for arm in arms if arm.at.clean}
    found = falls(losses, means)
    pairs = leads(methods, loss_differences)
    parts, single = breakdowns(measured, classes, replicates=replicates)
    return Robustness(
        falls=found,
        grids=matched(arms, margin=margin, replicates=replicates),
        worst=worst_cases(found, arms, margin=margin, replicates=replicates),
        leads=pairs,
        curves=lead_curves(pairs, arms, replicates=replicates),
        wins=shift_wins(methods, pairs),
        slopes=drop_slopes(losses, arms, replicates=replicates),
        breakdowns=parts,
        single=single,
        without_clean=tuple(arm.at for arm in shifted if arm.at.without("shift") not in clean),
        same=_same(shifted),
    )


def _same(arms: Sequence[Outcomes]) -> dict[Setting, Setting]:
    """An arm -> the first one that is the same measurement: one that shows no example stands at several budgets."""
    first: dict[Any, Setting] = {}
    for arm in arms:
        first.setdefault((arm.shift, place(arm)), arm.at)
    return {arm.at: first[arm.shift, place(arm)] for arm in arms}


NO_SHIFTS = Robustness()
"""Of a study without a shift."""
