"""Which arm is best, and which may be: the observed best against every other arm of one task.

The arm of highest accuracy was picked by the data, so a test of it against another one does not show that it is the
best. What can be said is which arms are not: all of them are tested against the observed best, with Bonferroni's factor
over the k - 1 comparisons, and those that lose are ruled out. The truly best arm is among the rest with probability of
at least 95 %, whichever was observed to be best (Hsu 1984, "Constrained simultaneous confidence intervals for multiple
comparisons with the best", Annals of Statistics 12, 1136-1144; Hsu's procedure is for normal means of one variance and
less conservative: here each comparison brings its own test).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onset.analysis.contrast.asked import kinds, link
from onset.analysis.contrast.contrast import Contrast, decide, measure, share_noise
from onset.analysis.outcomes import Flops, Outcomes
from onset.analysis.stats.adjust import ALPHA, MARGIN
from onset.analysis.stats.bootstrap import REPLICATES


@dataclass(frozen=True, eq=False)
class Rival:
    """Another arm beside the observed best: ``against`` is best minus other; ``ruled_out``: shown to be worse;
    ``level``: not ruled out and shown to be within the margin of the best.
    """

    arm: Outcomes
    against: Contrast
    ruled_out: bool
    level: bool


@dataclass(frozen=True, eq=False)
class Standing:
    """``best``: the arm of highest accuracy; ``rivals``: all others, nearest first."""

    best: Outcomes
    rivals: tuple[Rival, ...]

    @property
    def open(self) -> tuple[Rival, ...]:
        """Rivals neither ruled out nor shown to be level."""
        return tuple(one for one in self.rivals if not one.ruled_out and not one.level)


def standing(arms: Sequence[Outcomes], *, margin: float = MARGIN, replicates: int = REPLICATES) -> Standing:
    """Hold the arm of highest accuracy (of equal ones the cheapest to ask) against all others.

    ``arms``: of one task and shift, at least one; models, methods and budgets may differ. Noise between draws is
    pooled over the comparisons, as among the methods of a model. Raises ValueError without arms.
    """
    best = max(arms, key=lambda arm: (arm.accuracy, [-one for one in cost_of(arm)]))
    others = [arm for arm in arms if arm is not best]
    compared = share_noise(
        [measure(best, other, "method", margin=margin, replicates=replicates) for other in others],
        [kinds(best, other) for other in others],
        [link(best, other) for other in others],
    )
    rivals = [_rival(arm, one, len(others)) for arm, one in zip(others, compared, strict=True)]
    return Standing(best, tuple(sorted(rivals, key=lambda one: -one.arm.accuracy)))


def cost_of(arm: Outcomes) -> tuple[float, float]:
    """What asking and tuning took, to order by: what is not known comes last."""
    flops = arm.ran.flops or Flops(math.inf, math.inf)
    return flops.query, flops.tuning


def _rival(arm: Outcomes, one: Contrast, among: int) -> Rival:
    (alone,) = decide([one])  # items and draws that it would need by itself
    out = one.p is not None and one.p * among <= ALPHA and (one.difference or 0.0) > 0
    level = not out and one.p_equivalent is not None and one.p_equivalent * among <= ALPHA
    return Rival(arm, alone, out, level)
