"""Does an ability grow smoothly with size, or does it emerge?

Wei et al. 2022 ("Emergent Abilities of Large Language Models", TMLR; arXiv 2206.07682, section 2) call an ability
emergent when it is near chance up to some size and well above chance beyond. By eye that cannot be told from a smooth
curve that starts low, so the verdict `emergent` here asks three things of the counts:

1. **Faster than smooth.** The null hypothesis is the best *smooth* curve, never a straight line: a logistic in log size
   with free floor and ceiling whose odds (of what lies between floor and ceiling) grow at most in proportion to size,
   one log-odds per e-fold, so that a tenth to nine tenths of the rise take 1.9 decades; a straight line in log size; an
   error that falls as a power law of size, at most in proportion; or a log-probability that falls
   as a power law of size with an exponent up to 0.3 (three to four times that of the loss of language models, 0.05
   to 0.1: Kaplan et al. 2020), which is what looks sharp under exact match (Schaeffer et al. 2023). Against it stand
   steeper logistics, hinges and steps between sizes. The log-likelihood ratio is compared with parametric bootstrap
   replicates under the null: with a break that exists only under the alternative, chi-square quantiles are wrong
   (Davies 1987, Biometrika 74, 33-43). Replicates stop early where ten exceed the observed value (Besag and Clifford
   1991, "Sequential Monte Carlo p-values", Biometrika 78, 301-304), which keeps the p-values valid.
   Over many curves, Benjamini and Hochberg's (1995) procedure gives q-values, first for growth, then, over the curves
   that grow, for this (Yekutieli 2008, "Hierarchical False Discovery Rate-Controlling Methodology", JASA 103,
   309-316); the verdict uses q.
2. **From chance.** The sizes before the rise (at least two: those that the steep curve puts within a margin of chance,
   the larger of 5 points and a quarter of the rise), taken together, are shown to lie within that margin: two one-sided
   exact tests (Schuirmann 1987).
3. **To something.** At the largest size the fitted curve is at least 10 points above chance, and the sizes past the
   rise are above chance by an exact test.

Beside the test stands `p_jump`, the posterior probability that growth, given that there is any, is a jump from chance
rather than smooth (`onset.analysis.emergence.jump`). A curve is not called emergent unless it is above one half.

`smooth`: growth is shown, and either a jump from chance has a probability of at most 0.1, or the curve starts above
chance and smooth growth is the likelier of the two; `flat`: no change,
and one of 10 points over the sizes is excluded; `inverse`: falls; `u-shaped`: falls, then rises, by the test of Lind
and Mehlum (2010, "With or Without U?", Oxford Bulletin of Economics and Statistics 72, 109-118) and a better fit than
any monotone curve, by more than replicates of the best monotone curve show by chance. All else is
`unresolved`, with the reason: most often the items are too few to resolve what a smooth
curve would show at small sizes (1 / n).

What is measured is in `onset.analysis.emergence.measured`, with the null and its replicates in `smooth`; here stand the
rules that decide, as one table.

Where sizes scatter more than items can explain (training runs differ), counts are taken as beta-binomial and a note
says so. The scatter is estimated again in every replicate, so its uncertainty is in the p-value. Noise between training
runs that does not show in the data is in no interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from onset.analysis import words
from onset.analysis.curves.goodness import Fit
from onset.analysis.curves.midpoint import Midpoint
from onset.analysis.curves.series import MIN_SIZES, Curve
from onset.analysis.curves.shapes import place, unplace
from onset.analysis.curves.threshold import NOT_IN_RANGE, Threshold
from onset.analysis.emergence.axis import chance_of, same_axis
from onset.analysis.emergence.drawn import VERDICTS, EmergenceVerdict, curve_kind, fit_with
from onset.analysis.emergence.ends import FLOOR_SIZES
from onset.analysis.emergence.measured import Measured, again, measure
from onset.analysis.emergence.settings import EVEN, Settings
from onset.analysis.stats.adjust import benjamini_hochberg
from onset.processors import across

__all__ = ["EVEN", "MIN_SIZES", "VERDICTS", "Emergence", "EmergenceVerdict", "Settings", "curve_kind", "emergence_of"]

_TOGETHER = 400
"""Curves fitted in one go, at most."""
_HALVED = 32
"""From so many curves over the same sizes on, two processes are faster than one: they are fitted in two goes. A number
and not what the processors say, since the last digits of a fit depend on what is fitted beside it."""
_FINER = (5, 50)
"""By how much the replicates grow, in turn, where p is at their resolution and q, over many curves, is left open."""
_FEW = 3
"""Right answers expected above chance below which seeing none says nothing."""


@dataclass(frozen=True)
class Emergence:
    """The verdict on one curve.

    ``p_value``, ``q_value``: against smooth growth (None where nothing could be tested, q also where the curve is not
    shown to grow); ``p_change``: against no change at all; ``fit``: of the families that agree with the verdict the
    curve of lowest AIC, and whether the data bear it (None: not tested); ``midpoint``: where a rising curve is halfway
    between its floor and its ceiling (`onset.analysis.curves.midpoint`; None: no growth shown, no counts, or no
    logistic fits); ``p_jump``: probability that its growth is a jump from chance, given that it grows (None where it
    falls or could not be tested; where growth is not shown it says little); ``floor``: pooled accuracy of the sizes
    before the rise, its 90 % interval and how many sizes; ``rise``: of the best rising curve over the sizes; ``rho``:
    intra-size correlation where sizes are overdispersed, else 0; ``scatter``: its estimate, shown or not;
    ``smooth_fit``: the best smooth curve at the sizes.
    """

    curve: Curve
    verdict: EmergenceVerdict
    p_value: float | None
    q_value: float | None
    p_change: float | None
    p_jump: float | None
    threshold: Threshold
    floor: tuple[float, float, float, int] | None
    rise: float | None
    rho: float
    replicates: int
    notes: tuple[str, ...]
    smooth_fit: tuple[float, ...] = ()
    fit: Fit | None = None
    midpoint: Midpoint | None = field(default=None, compare=False)
    scatter: float = 0.0

    @property
    def best_family(self) -> str | None:
        """The family of the curve that goes with the verdict."""
        return None if self.fit is None else self.fit.curve.name

    def json(self) -> dict[str, Any]:
        """The stable keys of ``onset emergence --json``, and what further says how the verdict came about."""
        return {
            "curve": self.curve.curve,
            "family": self.curve.family,
            "verdict": self.verdict,
            "p_value": self.p_value,
            "q_value": self.q_value,
            "threshold": self.threshold.json() | {"midpoint": self._midpoint()},
            "best_family": self.best_family,
            "n_sizes": self.curve.sizes,
            "notes": list(self.notes),
            "metric": self.curve.metric,
            "scale": self.curve.scale,
            "p_jump": self.p_jump,
            "p_change": self.p_change,
            "rise": self.rise,
            "floor": None
            if self.floor is None
            else dict(zip(("share", "low", "high", "sizes"), self.floor, strict=True)),
            "overdispersion": self.rho,
            "replicates": self.replicates,
            "scatter": self.scatter,
            "fit": None if self.fit is None else self.fit.json() | self._line(self.fit),
            "points": [point.json() for point in self.curve.points],
        }

    def _midpoint(self) -> dict[str, Any] | None:
        if self.midpoint is None:
            return None
        found = self.midpoint.profile.interval()
        return {"estimate": found.estimate, "low": found.low, "high": found.high, "censored": found.censored}

    def _line(self, fit: Fit) -> dict[str, Any]:
        """The curve as values over the sizes; none where it is rejected."""
        if not fit.drawn:
            return {"sizes": [], "values": []}
        scale = self.curve.scale
        measured = place([point.x for point in self.curve.points], scale)
        places, values = fit.values(measured, bounded=not self.curve.points[0].continuous)
        return {"sizes": [unplace(float(one), scale) for one in places], "values": [float(one) for one in values]}


def emergence_of(
    curves: Sequence[Curve],
    settings: Settings | None = None,
    *,
    adjust: bool = True,
    here: bool = False,
) -> tuple[Emergence, ...]:
    """The verdict on each of ``curves``, in their order, with q-values over all of them.

    A curve's own numbers depend on nothing but its points and the settings; q depends on the company, and where it is
    left open because p is at the resolution of the replicates, that curve gets five, then fifty times as many.
    ``adjust``: False takes every curve as the only one (q is p).
    ``here``: measure all in this process, also where there are curves enough to be worth several.
    """
    settings = settings or Settings()
    rows = [some for members in same_axis(curves) for some in _goes(members)]
    tasks = [([curves[row] for row in some], settings) for some in rows]
    apart = not here and len(curves) >= _HALVED
    parts = across(measure, tasks) if apart else [measure(*one) for one in tasks]
    held = {row: one for some, part in zip(rows, parts, strict=True) for row, one in zip(some, part, strict=True)}
    whole = _with_q_change([held[row] for row in range(len(curves))], adjust)
    q = _q_values(whole, settings, adjust)
    for times in _FINER if adjust else ():
        finer = replace(settings, replicates=times * settings.replicates)
        whole = [again(one, finer) if _open(one, value, finer) else one for one, value in zip(whole, q, strict=True)]
        q = _q_values(whole, settings, adjust)
    return tuple(_decide(one, value, settings) for one, value in zip(whole, q, strict=True))


def _goes(members: Sequence[int]) -> list[Sequence[int]]:
    """``members`` in parts that are fitted in one go each."""
    parts = max(math.ceil(len(members) / _TOGETHER), 1 + (len(members) >= _HALVED))
    size = math.ceil(len(members) / parts)
    return [members[start : start + size] for start in range(0, len(members), size)]


def _open(one: Measured, q: float | None, settings: Settings) -> bool:
    """Is p as small as its replicates can show, and q not small enough to say so?"""
    growth = one.growth
    few = growth.p_value * (growth.replicates + 1) <= settings.exceedances / 2
    return growth.replicates > 0 and few and q is not None and q > settings.level


def _with_q_change(measured: Sequence[Measured], adjust: bool) -> list[Measured]:
    """With q against no change at all, over all curves tested."""
    tested = [row for row, one in enumerate(measured) if not one.problem]
    p = [measured[row].change.p_value for row in tested]
    q = dict(zip(tested, benjamini_hochberg(p) if adjust else p, strict=True))
    return [replace(one, change=replace(one.change, q_value=q.get(row, 1.0))) for row, one in enumerate(measured)]


def _q_values(measured: Sequence[Measured], settings: Settings, adjust: bool) -> list[float | None]:
    """Each q against smooth growth, over the curves whose growth is shown at the same rate; None for the others."""
    grown = [
        row for row, one in enumerate(measured)
        if not one.problem and one.change.q_value <= settings.level and one.change.direction > 0
    ]  # fmt: skip
    p = [measured[row].growth.p_value for row in grown]
    found = dict(zip(grown, benjamini_hochberg(p) if adjust else p, strict=True))
    return [found.get(row) for row in range(len(measured))]


# ---- the decision ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Case:
    """What the rules ask of one curve; ``q``: against smooth growth, None where growth is not shown."""

    one: Measured
    q: float | None
    settings: Settings

    @property
    def valley(self) -> bool:
        change = self.one.change
        return change.u_shaped and max(change.p_valley, change.q_value) <= self.settings.level

    @property
    def shown(self) -> bool:
        """Is a change shown, up or down?"""
        change = self.one.change
        return self.q is not None or (change.direction < 0 and change.q_value <= self.settings.level)

    @property
    def level(self) -> bool:
        """Is a change of `Settings.least_rise` over the sizes excluded?"""
        low, high = self.one.change.range
        return self.one.bounded and -self.settings.least_rise < low and high < self.settings.least_rise

    @property
    def small(self) -> bool:
        change = self.one.change
        moved = change.fall if change.direction < 0 else self.one.growth.rise
        return abs(change.change) < self.settings.margin and moved < self.settings.least_rise

    @property
    def faster(self) -> bool:
        """Is growth shown to be faster than smooth?"""
        return self.q is not None and self.q <= self.settings.level

    @property
    def early(self) -> bool:
        """Does it start above chance, smooth growth being the likelier of the two?"""
        return self.one.ends.floor_state == "above" and self.one.growth.p_jump < EVEN

    @property
    def lacks(self) -> str:
        """What a curve that rises faster than smooth growth lacks to be emergent; empty: nothing."""
        ends, settings, chance = self.one.ends, self.settings, chance_of(self.one.curve)
        shares = self.one.bounded
        wanting = {
            "from above chance": ends.floor_state == "above",
            f"fewer than {FLOOR_SIZES} sizes before the rise": ends.floor_state == "too few sizes",
            "the sizes before the rise are not shown to be at chance": ends.floor_state == "open",
            "the sizes before the rise are below chance": ends.floor_state == "below",
            "from where is open: the source states no chance level": shares and not math.isfinite(chance),
            "no size is shown to be above chance": shares and not ends.above,
            f"is not shown to end {words.points(settings.least_rise)} above chance": shares
            and (ends.top - chance < settings.least_rise or ends.top_p > settings.level),
            f"smooth growth is the likelier of the two: {self.likely}": self.one.growth.p_jump <= EVEN,
        }
        return next((reason for reason, holds in wanting.items() if holds), "")

    @property
    def likely(self) -> str:
        return f"a jump has probability {self.one.growth.p_jump:.2f}"

    @property
    def open(self) -> str:
        """Why neither smooth growth nor a jump is shown."""
        text = f"grows, but neither smooth growth nor a jump is shown: {self.likely}"
        if self.one.growth.p_jump > EVEN and self.q is not None:
            text += f", yet the test does not reject smooth growth (q = {words.p_words(self.q)})"
        unseen = self.one.ends.unseen
        if unseen is not None and unseen < _FEW:
            text += (
                f": before the rise a smooth curve expects {unseen:.1f} right answers above chance, too few to be seen"
                " with these items"
            )
        return text


def _no_note(case: _Case) -> str:
    return ""


def _not_shown(case: _Case) -> str:
    return f"no change is shown, and one of {words.points(case.settings.least_rise)} is not excluded"


def _too_small(case: _Case) -> str:
    change, margin = words.points(case.one.change.change), words.points(case.settings.margin)
    return f"changes by {change}, less than the margin of {margin}"


def _but(case: _Case) -> str:
    return f"rises faster than a smooth curve, but {case.lacks}"


_RULES: tuple[tuple[EmergenceVerdict, Callable[[_Case], Any], Callable[[_Case], str]], ...] = (
    ("unresolved", lambda case: case.one.problem, lambda case: case.one.problem),
    ("u-shaped", lambda case: case.valley, _no_note),
    ("flat", lambda case: not case.shown and case.level, _no_note),
    ("unresolved", lambda case: not case.shown, _not_shown),
    ("flat", lambda case: case.level and case.small, _too_small),
    ("inverse", lambda case: case.q is None, _no_note),
    # from here on growth is shown
    ("smooth", lambda case: case.faster and case.early, _but),
    ("unresolved", lambda case: case.faster and case.lacks, _but),
    ("emergent", lambda case: case.faster, _no_note),
    ("smooth", lambda case: case.early or case.one.growth.p_jump <= case.settings.smooth_below, _no_note),
    ("unresolved", lambda case: True, lambda case: case.open),
)
"""The decision: the verdict of the first rule that holds, and the note that goes with it."""


def _verdict(one: Measured, q: float | None, settings: Settings) -> tuple[EmergenceVerdict, list[str]]:
    case = _Case(one, q, settings)
    verdict, _, note = next(rule for rule in _RULES if rule[1](case))
    return verdict, [said for said in (note(case),) if said]


_RISES = ("emergent", "smooth", "unresolved")


def _decide(one: Measured, q: float | None, settings: Settings) -> Emergence:
    verdict, notes = _verdict(one, q, settings)
    tested, growth, ends = not one.problem, one.growth, one.ends
    if growth.rho > 0:
        notes.append(f"sizes scatter more than items explain: beta-binomial, intra-size correlation {growth.rho:.3g}")
    if ends.below:
        models = words.listed(list(ends.below[:3])) + (f" and {len(ends.below) - 3} more" if ends.below[3:] else "")
        notes.append(f"below chance at {models}: the form of the answers may be what is learnt")
    if tested and one.bounded and not math.isfinite(chance_of(one.curve)):
        notes.append("the source states no chance level: whether small sizes are at chance was not tested")
    fit = fit_with(one, verdict, q, settings)
    if fit is not None and not fit.drawn:
        notes.append(f"no {curve_kind(verdict)} fits (p {fit.p_value:.2g}): none is drawn")
    drawn = fit is not None and fit.drawn
    rises = drawn and verdict in _RISES and q is not None
    said = rises and ends.above and ends.top_p <= settings.level
    return Emergence(
        curve=one.curve, verdict=verdict, p_value=growth.p_value if tested else None, q_value=q,
        p_change=one.change.p_value if tested else None,
        p_jump=growth.p_jump if tested and one.change.direction > 0 else None,
        threshold=one.threshold if said else NOT_IN_RANGE, floor=ends.floor,
        rise=growth.rise if tested else None, rho=growth.rho, replicates=growth.replicates, notes=tuple(notes),
        smooth_fit=growth.smooth_fit, fit=fit, midpoint=one.midpoint if rises else None,
        scatter=growth.scatter,
    )  # fmt: skip
