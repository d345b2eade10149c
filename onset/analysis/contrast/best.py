"""Which arm is best, and which may be: the observed best against every other arm of one task.

The arm of highest accuracy was picked by the data, so a test of it against another one does not show that it is the
best. What can be said is which arms are not: all of them are held against the observed best, and those that are shown
to be worse are ruled out. The truly best arm is among the rest with probability of at least 95 %, whichever was
observed to be best (Hsu 1984, "Constrained simultaneous confidence intervals for multiple comparisons with the best",
Annals of Statistics 12, 1136-1144; Hsu's procedure is for normal means of one variance and less conservative: here each
comparison brings its own test).

One pair has one verdict. Where a study compares the two anyway (methods of one model at equal labels, decided by Holm
over all such pairs of the model), it is that comparison's: so that a recommendation, the best method and the table of
comparisons never say different things of a pair. All others are tested here with Bonferroni's factor over all k - 1
alternatives. Both are two-sided at 5 %, and only a win of the observed best can rule out the truly best one: half of
that each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onset.analysis.contrast.asked import kinds, link
from onset.analysis.contrast.contrast import Contrast, decide, measure, share_noise
from onset.analysis.outcomes import Flops, Outcomes
from onset.analysis.setting import Setting
from onset.analysis.stats.adjust import ALPHA, MARGIN
from onset.analysis.stats.bootstrap import REPLICATES

Cost = Callable[[Outcomes], tuple[float, ...]]
"""What an arm costs, to order by: what is not known comes last."""
Known = Mapping[tuple[Setting, Setting], Contrast]
"""Pairs that a study has decided, by both settings, in the order in which they are said."""


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


def known_pairs(comparisons: Sequence[Contrast]) -> Known:
    """The decided comparisons of a study, to look up by both sides."""
    return {(one.plus, one.minus): one for one in comparisons if one.decided is not None}


def cost_of(arm: Outcomes) -> tuple[float, ...]:
    """What asking and tuning took: the cheapest to ask first."""
    flops = arm.ran.flops or Flops(math.inf, math.inf)
    return flops.query, flops.once


def standing(
    arms: Sequence[Outcomes],
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
    known: Known | None = None,
    cost: Cost = cost_of,
) -> Standing:
    """Hold the arm of highest accuracy (of equal ones the cheapest by ``cost``) against all others.

    ``arms``: of one task and shift, at least one; models, methods and budgets may differ. ``known``: pairs whose
    verdict stands. Noise between draws is pooled over the comparisons made here, as among the methods of a model.
    Raises ValueError without arms.
    """
    best = max(arms, key=lambda arm: (arm.accuracy, [-one for one in cost(arm)]))
    others = [arm for arm in arms if arm is not best]
    rivals, unknown = [], []
    for arm in others:
        held = _held(best, arm, known or {})
        if held is None:
            unknown.append(arm)
        else:
            rivals.append(Rival(arm, held, held.verdict == "wins", held.verdict == "equivalent"))
    compared = share_noise(
        [measure(best, other, "method", margin=margin, replicates=replicates) for other in unknown],
        [kinds(best, other) for other in unknown],
        [link(best, other) for other in unknown],
    )
    rivals += [_rival(arm, one, len(others)) for arm, one in zip(unknown, compared, strict=True)]
    return Standing(best, tuple(sorted(rivals, key=lambda one: -one.arm.accuracy)))


def _held(best: Outcomes, other: Outcomes, known: Known) -> Contrast | None:
    """The study's own comparison of the two, said of the best."""
    one = known.get((best.at, other.at))
    if one is not None:
        return one
    turned = known.get((other.at, best.at))
    return None if turned is None else turned.turned()


def _rival(arm: Outcomes, one: Contrast, among: int) -> Rival:
    (alone,) = decide([one])  # items and draws that it would need by itself
    out = one.p is not None and one.p * among <= ALPHA and (one.difference or 0.0) > 0
    level = not out and one.p_equivalent is not None and one.p_equivalent * among <= ALPHA
    return Rival(arm, alone, out, level)
