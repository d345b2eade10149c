"""At which size does one method overtake another? Two curves over the same sizes, fitted together.

Both curves are rising logistics in log size, each with a free floor, ceiling and slope (so steep that they hold steps),
fitted by maximum likelihood. The crossing N* is the size from which on the second curve stays ahead of the first. Its
interval is that of the profile likelihood (Venzon and Moolgavkar 1988, Applied Statistics 37, 87-94): the places at
which the best pair of curves *forced to be equal there*, with the second one not behind at the largest size, loses at
most half a chi-square quantile. As with Fieller's (1954, "Some Problems in Interval Estimation", JRSS B 16, 175-185)
interval for a ratio, the set may run off the sizes, and will where both methods are at chance below some size: such an
end is None, printed as "unbounded". Scatter between sizes is estimated and taken into the likelihood, shown or not; and
where the data reject either curve (`onset.analysis.curves.goodness`) no place is said. Items that both methods share
make the two curves rise and fall together, which the profile does not know; it is then too wide rather than too narrow.

Beside it stands a bootstrap of the sign pattern of the fitted difference: items are resampled for both methods together
where outcomes are given (`onset.analysis.stats.bootstrap.joint_replicates`), else counts are drawn from the fitted
curves. A replicate ahead at every size crosses below the sizes, one that is not ahead at the largest size crosses
beyond them.

The verdict does not rest on the curves but on the difference at each size, with intervals adjusted by Holm (1979) over
the sizes: Tango's (1998) interval where both methods answered the same items once, the crossed bootstrap over several
draws, Newcombe's (1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<873) hybrid score interval for separate counts, a
normal one for scores with standard errors. ``from``: above 0 at every size from one on, and not at the size below;
``always``: at every size; ``none``: at no size, and a lead of the margin is excluded at each; else ``unresolved``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import special

from onset.analysis import words
from onset.analysis.curves.fit import Shapes, best_fit
from onset.analysis.curves.goodness import fit_of
from onset.analysis.curves.likelihood import (
    FEWEST_FREE,
    SCATTER,
    Counts,
    Data,
    Scores,
    counts,
    overdispersion,
    with_rho,
)
from onset.analysis.curves.series import Curve, Scale, SizePoint
from onset.analysis.curves.shapes import STEEPEST, Array, Logistic, logistics, place, unplace
from onset.analysis.curves.shapes import Curve as FittedCurve
from onset.analysis.curves.threshold import Place
from onset.analysis.stats.adjust import ALPHA, LEVEL, MARGIN
from onset.analysis.stats.bootstrap import Block, crossed_bootstrap, joint_replicates
from onset.analysis.stats.shares import Interval, newcombe, tango, tango_z
from onset.analysis.stats.tails import chi2_quantile, f_quantile
from onset.errors import InputError
from onset.records import derive_seed

CrossingVerdict = Literal["always", "none", "from", "unresolved"]
Standing = Literal["above", "below", "level", "open"]
"""Of a difference: its interval is above 0, below 0, excludes a lead of the margin, or none of these."""

MIN_SIZES = 4
"""Sizes below which no curves are fitted: two ends, a slope and a midpoint."""
REPLICATES = 400
_PLACES = 24
_NEAR = 8.0
_TURNS = 14
_SLOPES = (math.log(0.15), math.log(200.0))
_PARTS = (-9.0, 9.0)
_OTHERS = ((math.log(1.0), -1.0), (math.log(4.0), -3.0), (math.log(20.0), 2.0))
_MEMBERS = (np.array([0, 1, 2, 6]), np.array([3, 4, 5, 6]))


@dataclass(frozen=True, slots=True)
class SizeDifference:
    """``difference`` (second minus first, in the unit of the score) at the size ``x`` of ``model``.

    ``interval`` is adjusted over the sizes, ``p`` is not, ``p_holm`` is.
    """

    model: str
    x: float
    difference: float
    interval: Interval
    p: float
    p_holm: float
    standing: Standing
    test: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where two fitted curves meet: ``place`` (sizes, profile interval), the ``bootstrap`` interval beside it, and the
    shares of replicates that are ahead at ``every`` size and not ahead at the largest (``none``). ``misfits``: the
    sides (0: first, 1: second) whose curve the data reject; nothing else is said then.
    """

    place: Place = field(default_factory=Place)
    bootstrap: Place = field(default_factory=Place)
    every: float = math.nan
    none: float = math.nan
    misfits: tuple[int, ...] = ()


@dataclass(frozen=True)
class Crossing:
    """The curve ``b`` against ``a`` over the sizes both have.

    ``gap``: the largest size without a lead and the smallest from which on every size has one (None unless ``from``);
    ``meeting``: of the fitted curves, None below four sizes; ``notes``: what limits it.
    """

    a: Curve
    b: Curve
    verdict: CrossingVerdict
    differences: tuple[SizeDifference, ...]
    gap: tuple[float, float] | None
    meeting: Meeting | None
    notes: tuple[str, ...] = ()

    @property
    def estimate(self) -> float | None:
        """N*, None where the curves do not meet within the sizes or were not fitted."""
        return None if self.meeting is None else self.meeting.place.estimate

    @property
    def words(self) -> str:
        """``none``, ``always``, ``unresolved``, or ``from 4.1 B parameters [2.9 B to unbounded]``."""
        if self.verdict != "from" or self.gap is None:
            return self.verdict
        if self.meeting is None or self.estimate is None:
            ends = " and ".join(size_words(end, self.a.scale) for end in self.gap)
            return f"from between {ends}"
        where = self.meeting.place
        unit = " parameters" if self.a.scale == "params" else ""
        spread = interval_words(where.low, where.high, self.a.scale)
        return f"from {size_words(self.estimate, self.a.scale)}{unit} [{spread}]"

    def json(self) -> dict[str, Any]:
        """Plain JSON; an end of an interval that is unbounded is None."""
        met = self.meeting
        return {
            "curves": [self.a.curve, self.b.curve],
            "family": self.a.family,
            "verdict": self.verdict,
            "estimate": self.estimate,
            "interval": None if met is None else [met.place.low, met.place.high],
            "bootstrap": None if met is None else [met.bootstrap.low, met.bootstrap.high],
            "gap": None if self.gap is None else list(self.gap),
            "differences": [
                {name: getattr(one, name) for name in SizeDifference.__dataclass_fields__} for one in self.differences
            ],
            "notes": list(self.notes),
        }


def size_words(size: float, scale: Scale = "params") -> str:
    """``4.1 B``; FLOPs in exponents, losses with two decimals."""
    return {"flops": f"{size:.2g} FLOPs", "loss": f"loss {size:.2f}"}.get(scale, words.short_count(size))


def interval_words(low: float | None, high: float | None, scale: Scale = "params") -> str:
    """``2.9 B to 5.5 B``; an end that runs off the sizes is unbounded."""
    if low is None and high is None:
        return "unbounded at both ends"
    return " to ".join("unbounded" if end is None else size_words(end, scale) for end in (low, high))


def crossing(
    a: Curve,
    b: Curve,
    outcomes: Sequence[tuple[Array, Array]] | None = None,
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
) -> Crossing:
    """From which size on ``b`` is ahead of ``a``.

    ``outcomes``: for each model both curves have, by ascending size, the outcomes of a and of b (each draws x items on
    the same items, NaN: missing); ``margin``: the lead (in the unit of the score) that has to be excluded for ``none``.
    Raises InputError for curves on different scales, without a model in common or without counts or standard errors,
    and for outcomes that do not match the models.
    """
    pairs = _shared(a, b)
    if outcomes is not None and len(outcomes) != len(pairs):
        raise InputError(f"crossing: outcomes of {len(outcomes)} models for {len(pairs)} models that both curves have")
    differences = _differences(pairs, outcomes, margin)
    sizes = sorted({one.x for one in differences}, reverse=a.scale == "loss")
    at = [[index for index, one in enumerate(differences) if one.x == size] for size in sizes]
    start = int(start_of_wins(np.array([[one.standing == "above"] for one in differences]), at)[0])
    verdict = verdict_of(start, len(sizes), resolved=all(one.standing in ("below", "level") for one in differences))
    meeting, notes = None, []
    if len(sizes) >= MIN_SIZES:
        x = place([first.x for first, _ in pairs], a.scale)
        data = _data([first for first, _ in pairs]), _data([second for _, second in pairs])
        drawn = None if outcomes is None or not replicates else resampled(outcomes, replicates)
        meeting = meet(*data, x, scale=a.scale, drawn=drawn, replicates=replicates, margin=margin)
        notes += [
            f"no rising curve fits {(a, b)[side].curve}: where the curves meet is not said" for side in meeting.misfits
        ]
    else:
        notes.append(f"{words.counted(len(sizes), 'size')}: curves are fitted from {MIN_SIZES} on")
    gap = (sizes[start - 1], sizes[start]) if verdict == "from" else None
    return Crossing(a, b, verdict, differences, gap, meeting, tuple(notes))


def start_of_wins(wins: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], at: Sequence[Sequence[int]]) -> Array:
    """Per column the index of the size from which on every one is won (their number: not even the largest is).

    ``wins``: rows x columns; ``at``: the rows of each size; a size with several models is won when all of them are.
    """
    by_size = np.array([wins[list(rows)].all(axis=0) for rows in at])
    tail = np.logical_and.accumulate(by_size[::-1], axis=0)
    out: Array = (len(at) - tail.sum(axis=0)).astype(np.float64)
    return out


def verdict_of(start: int, sizes: int, *, resolved: bool) -> CrossingVerdict:
    """``start``: the index from `start_of_wins` among ``sizes``; ``resolved``: no lead is possible at any size."""
    if start == 0:
        return "always"
    return "from" if start < sizes else "none" if resolved else "unresolved"


# ---- the data ------------------------------------------------------------------------------------------------------


def _shared(a: Curve, b: Curve) -> list[tuple[SizePoint, SizePoint]]:
    """Points of the models both curves have, by ascending model."""
    if a.scale != b.scale:
        raise InputError(f"crossing: {a.curve} is measured in {a.scale}, {b.curve} in {b.scale}")
    for curve in (a, b):
        names = [(point.model, point.x) for point in curve.points]
        twice = next((name for name, _ in names if sum(other[0] == name for other in names) > 1), None)
        if twice is not None:
            raise InputError(f"crossing: {curve.curve} has several points of {twice}: one for each model is needed")
    other = {(point.model, point.x): point for point in b.points}
    pairs = [(point, other[point.model, point.x]) for point in a.points if (point.model, point.x) in other]
    if not pairs:
        raise InputError(f"crossing: {a.curve} and {b.curve} have no model in common")
    pairs.sort(key=lambda pair: float(place([pair[0].x], a.scale)[0]))
    for pair in pairs:
        for point in pair:
            if not point.n and not (point.score is not None and point.stderr):
                raise InputError(
                    f"crossing: {point.curve}, {point.model}: neither counts nor a standard error is known"
                )
    return pairs


def _data(points: Sequence[SizePoint]) -> Data:
    if all(point.n and point.correct is not None for point in points):
        return counts(np.array([point.correct for point in points]), np.array([point.n for point in points]))
    known = [_score(point) for point in points]
    return Scores(np.array([[value for value, _ in known]]), np.array([[error for _, error in known]]))


def _score(point: SizePoint) -> tuple[float, float]:
    """Score and standard error, from counts where there are any (drawn in from 0 and 1)."""
    if point.n and point.correct is not None:
        drawn = (point.correct + 1) / (point.n + 2)
        return point.correct / point.n, math.sqrt(drawn * (1 - drawn) / point.n)
    return float(point.score or 0.0), float(point.stderr or 0.0)


def resampled(outcomes: Sequence[tuple[Array, Array]], replicates: int) -> tuple[Array, Array]:
    """Means of a and of b (each draws x items a size), replicates x sizes, of the same resamples of draws and items."""
    both = [np.atleast_2d(side) for pair in outcomes for side in pair]
    drawn = joint_replicates(both, replicates)
    return drawn[0::2].T, drawn[1::2].T


# ---- differences at each size --------------------------------------------------------------------------------------


def _differences(
    pairs: Sequence[tuple[SizePoint, SizePoint]], outcomes: Sequence[tuple[Array, Array]] | None, margin: float
) -> tuple[SizeDifference, ...]:
    tests = [_Test.of(*pair, None if outcomes is None else outcomes[index]) for index, pair in enumerate(pairs)]
    order = sorted(range(len(tests)), key=lambda index: tests[index].p)
    made: dict[int, SizeDifference] = {}
    worst, rejected = 0.0, 0
    for step, index in enumerate(order):
        one, left = tests[index], len(tests) - step
        worst = max(worst, min(1.0, one.p * left))
        rejected += worst <= ALPHA
        # what Holm's procedure rejects at step k was tested at level / (m - k), the rest at the step it stopped at
        level = 1 - ALPHA / max(len(tests) - (step if worst <= ALPHA else rejected), 1)
        low, high = one.interval(level)
        standing: Standing = "open"
        if worst <= ALPHA and one.difference != 0:
            standing = "above" if one.difference > 0 else "below"
        elif one.interval(1 - 2 * (1 - level))[1] < margin:
            standing = "level"
        first = pairs[index][0]
        made[index] = SizeDifference(
            first.model, first.x, one.difference, (low, high), one.p, worst, standing, one.name
        )
    return tuple(made[index] for index in range(len(tests)))


@dataclass(frozen=True, eq=False)
class _Test:
    """A difference at one size, from the points and, if at hand, the outcomes."""

    name: str
    difference: float
    p: float
    a: SizePoint
    b: SizePoint
    table: Array | None = None

    @classmethod
    def of(cls, a: SizePoint, b: SizePoint, outcomes: tuple[Array, Array] | None) -> _Test:
        if outcomes is not None:
            return cls._paired(a, b, np.atleast_2d(outcomes[1]) - np.atleast_2d(outcomes[0]))
        if a.n and b.n and a.correct is not None and b.correct is not None:
            gap = b.correct / b.n - a.correct / a.n
            return cls("Newcombe", gap, _newcombe_p(a, b), a, b)
        (first, first_error), (second, second_error) = _score(a), _score(b)
        z = (second - first) / math.hypot(first_error, second_error)
        return cls("normal", second - first, float(2 * special.ndtr(-abs(z))), a, b)

    @classmethod
    def _paired(cls, a: SizePoint, b: SizePoint, table: Array) -> _Test:
        known = table[np.isfinite(table)]
        if not known.size:
            raise InputError(f"crossing: {a.curve} and {b.curve} share no item on {a.model}")
        if len(table) == 1 and np.isin(known, (-1.0, 0.0, 1.0)).all():
            z = tango_z(int((known > 0).sum()), int((known < 0).sum()), len(known), 0.0)
            return cls("Tango", float(known.mean()), float(2 * special.ndtr(-abs(z))), a, b, table)
        crossed = crossed_bootstrap([Block(table)])
        assert crossed is not None  # the table holds at least one outcome
        return cls("crossed bootstrap", crossed.estimate, crossed.p(), a, b, table)

    def interval(self, level: float) -> Interval:
        """At a confidence level."""
        if self.table is not None and self.name == "Tango":
            known = self.table[np.isfinite(self.table)]
            found = tango(int((known > 0).sum()), int((known < 0).sum()), len(known), level)
            return found or (-1.0, 1.0)
        if self.table is not None:
            crossed = crossed_bootstrap([Block(self.table)])
            return (-1.0, 1.0) if crossed is None else crossed.interval(level)
        if self.name == "Newcombe":
            return newcombe(_counts(self.a), _counts(self.b), level)
        half = float(special.ndtri((1 + level) / 2)) * math.hypot(_score(self.a)[1], _score(self.b)[1])
        return self.difference - half, self.difference + half


def _counts(point: SizePoint) -> tuple[int, int]:
    return int(point.correct or 0), int(point.n or 1)


def _newcombe_p(a: SizePoint, b: SizePoint) -> float:
    """The p that belongs to the interval: 1 - the level at which it just reaches 0."""
    gap = _counts(b)[0] / _counts(b)[1] - _counts(a)[0] / _counts(a)[1]
    if gap == 0:
        return 1.0
    low, high = 0.0, 30.0
    for _ in range(40):
        z = (low + high) / 2
        # the tail is exact where 1 - tail is not
        ends = newcombe(_counts(a), _counts(b), min(max(1 - 2 * float(special.ndtr(-z)), 1e-12), 1 - 1e-15))
        low, high = (z, high) if ends[0] > 0 or ends[1] < 0 else (low, z)
    return float(2 * special.ndtr(-(low + high) / 2))


# ---- where the curves meet -----------------------------------------------------------------------------------------


def meet(
    a: Data,
    b: Data,
    x: Array,
    *,
    scale: Scale = "params",
    drawn: tuple[Array, Array] | None = None,
    replicates: int = REPLICATES,
    margin: float = MARGIN,
) -> Meeting:
    """Where the curve of ``b`` overtakes that of ``a`` (one row each) over places ``x``, ascending.

    ``drawn``: resampled means of a and of b (replicates x sizes); None: data are drawn from the fitted curves;
    ``replicates`` 0: no bootstrap; ``margin``: see `onset.analysis.curves.goodness`. Equal data give equal results: the
    seed follows from them.
    """
    sides = [_Side.of(data, x) for data in (a, b)]
    key = derive_seed("crossing", *(f"{value:.9g}" for side in sides for value in side.data.share[0]))
    fits = [fit_of(side.data, x, side.curve(), np.random.default_rng([key, 1]), margin=margin) for side in sides]
    misfits = tuple(index for index, fit in enumerate(fits) if not fit.drawn)
    if misfits:
        return Meeting(misfits=misfits)
    places, profile = _dense(sides[0], sides[1], x)
    best = max(sides[0].log_likelihood + sides[1].log_likelihood, float(profile.max()))
    found = _interval(sides, places, profile, best, scale)
    if not replicates:
        return Meeting(found)
    if drawn is None:
        generator = np.random.default_rng(key)
        fitted = [np.repeat(side.at(x)[None, None], replicates, 1) for side in sides]
        simulated = [side.data.simulate(p, [generator]) for side, p in zip(sides, fitted, strict=True)]
    else:
        simulated = [_as_data(side.data, means) for side, means in zip(sides, drawn, strict=True)]
    return _bootstrap(found, simulated, x, scale)


@dataclass(frozen=True, eq=False)
class _Side:
    """One method: its data (one row) and its best curve, `_curve` through the middle of the sizes."""

    data: Data
    middle: Array
    theta: Array
    log_likelihood: float

    @classmethod
    def of(cls, data: Data, x: Array) -> _Side:
        found, theta = _fit(data, x)
        if isinstance(data, Counts):
            rho = overdispersion(data, _curve(theta, x, _middle(x))[:, 0], 4, level=1.0)
            if rho.max() > SCATTER:
                data = with_rho(data, rho)
                found, theta = _fit(data, x)
        return cls(data, _middle(x), theta, float(found[0]))

    def curve(self) -> FittedCurve:
        """The best curve with its ends."""
        slope, part, rise, value = (float(one) for one in self.theta[0, 0])
        floor = value - rise * float(special.expit(part))
        steep = math.exp(slope)
        return Logistic(floor, floor + rise, steep, float(self.middle[0, 0]) - part / steep)

    def at(self, places: Array) -> Array:
        """The best curve at places."""
        out: Array = _curve(self.theta, places, self.middle)[0, 0]
        return out


def _middle(x: Array) -> Array:
    return np.array([[(float(x.min()) + float(x.max())) / 2]])


def _fit(data: Data, x: Array) -> tuple[Array, Array]:
    """(log-likelihood, rows; parameters, rows x 1 x 4) of each row's best curve: a grid, then scoring."""
    shapes = Shapes.of(x, (Logistic, logistics(x, 0.25, STEEPEST)))
    best = best_fit(data, shapes)
    table = np.array(shapes.table)[best.shape]
    slope = table[:, 0]
    part = np.clip(slope * (_middle(x)[0, 0] - table[:, 1]), *_PARTS)
    rise = best.high - best.low
    theta = np.stack([np.log(slope), part, rise, best.low + rise * special.expit(part)], axis=1)[:, None]
    found, theta = _climb([data], x, _middle(x), theta)
    return found[:, 0], theta


def _overtakes(difference: Array, places: Array) -> Array:
    """Per row the place from which on the difference stays above 0; -inf: everywhere, inf: not even at the last."""
    ahead = difference > 0
    count = np.logical_and.accumulate(ahead[:, ::-1], axis=1).sum(axis=1)
    first = ahead.shape[1] - count
    row = np.arange(len(first))
    right, left = np.minimum(first, ahead.shape[1] - 1), np.maximum(first - 1, 0)
    step = np.maximum(difference[row, right] - difference[row, left], 1e-12)
    between = places[left] - difference[row, left] / step * (places[right] - places[left])
    out: Array = np.where(first == 0, -np.inf, np.where(count == 0, np.inf, between))
    return out


def _allowance(sides: Sequence[_Side]) -> float:
    """Half the chi-square quantile; with estimated scatter that of F (McCullagh and Nelder 1989, section 4.5)."""
    if any(isinstance(side.data, Counts) and side.data.rho.any() for side in sides):
        spare = max(2 * sides[0].data.share.shape[1] - 8, FEWEST_FREE)
        return float(f_quantile(LEVEL, 1, spare)) / 2
    return float(chi2_quantile(LEVEL, 1)) / 2


def _interval(sides: Sequence[_Side], places: Array, profile: Array, best: float, scale: Scale) -> Place:
    """Estimate and profile interval in sizes; an end is None where equality beyond the sizes is not excluded."""
    allowed = best - _allowance(sides)
    inside = np.flatnonzero(profile >= allowed)
    top = float(profile.max())
    outside: Literal["below", "above"] | None = None
    if best > top + 0.02:
        beyond = float(_overtakes((sides[1].at(places) - sides[0].at(places))[None], places)[0])
        outside = "below" if beyond == -math.inf else "above" if beyond == math.inf else None
    if not inside.size:
        # ahead at every size, or not at the largest, and no place of equality within the sizes is compatible
        edge = unplace(float(places[0] if outside == "below" else places[-1]), scale)
        return Place(None, None, edge, outside) if outside == "below" else Place(None, edge, None, outside)
    ends = _edge(places, profile, int(inside[0]), -1, allowed), _edge(places, profile, int(inside[-1]), 1, allowed)
    plateau = np.flatnonzero(profile >= top - 0.02)
    estimate = float((places[plateau[0]] + places[plateau[-1]]) / 2)
    return Place(
        None if outside else unplace(estimate, scale),
        None if outside == "below" or inside[0] == 0 else unplace(ends[0], scale),
        None if outside == "above" or inside[-1] == len(places) - 1 else unplace(ends[1], scale),
        outside,
    )


def _edge(places: Array, profile: Array, index: int, side: int, allowed: float) -> float:
    """Where the profile falls below ``allowed`` beyond ``index``, by straight lines between places."""
    beyond = index + side
    if not 0 <= beyond < len(places) or not math.isfinite(profile[beyond]):
        return float(places[index])
    share = (profile[index] - allowed) / max(profile[index] - profile[beyond], 1e-12)
    return float(places[index] + share * (places[beyond] - places[index]))


def _dense(a: _Side, b: _Side, x: Array) -> tuple[Array, Array]:
    """(places, profile): first over all sizes, then close to where it is high."""
    places = np.unique(np.concatenate([np.linspace(float(x.min()), float(x.max()), _PLACES), x]))
    met = _overtakes((b.at(places) - a.at(places))[None], places)
    places = np.unique(np.concatenate([places, met[np.isfinite(met)]]))
    profile = _profile(a, b, x, places)
    high = np.flatnonzero(profile >= profile.max() - _NEAR)
    ends = places[max(high[0] - 1, 0)], places[min(high[-1] + 1, len(places) - 1)]
    more = np.setdiff1d(np.linspace(*ends, _PLACES), places)
    if not more.size:
        return places, profile
    every = np.concatenate([places, more])
    order = np.argsort(every)
    return every[order], np.concatenate([profile, _profile(a, b, x, more)])[order]


def _profile(a: _Side, b: _Side, x: Array, places: Array) -> Array:
    """The best log-likelihood of two curves equal at each place, b not behind a at the largest size.

    Scoring from several starts: both curves' own slopes or others, the value at the place between the two curves; then
    again from what was found at the neighbouring places.
    """
    starts = _starts(a, b, places)
    at = np.repeat(places, starts.shape[1])[None]
    found, theta = _climb([a.data, b.data], x, at, starts.reshape(1, -1, 7))
    found, theta = found.reshape(len(places), -1), theta.reshape(len(places), -1, 7)
    row, top = np.arange(len(places)), found.argmax(axis=1)
    best, theta = found[row, top], theta[row, top]
    for _ in range(2):
        near = np.stack([theta[np.maximum(row - 1, 0)], theta, theta[np.minimum(row + 1, len(row) - 1)]], axis=1)
        at = np.repeat(places, 3)[None]
        tried, moved = _climb([a.data, b.data], x, at, near.reshape(1, -1, 7))
        tried, moved = tried.reshape(len(places), 3), moved.reshape(len(places), 3, 7)
        top = tried.argmax(axis=1)
        better = tried[row, top] > best
        best = np.where(better, tried[row, top], best)
        theta = np.where(better[:, None], moved[row, top], theta)
    out: Array = best
    return out


def _starts(a: _Side, b: _Side, places: Array) -> Array:
    """Places x starts x 7: log slope, part of the rise at the place and rise of a, the same of b, and the value."""
    own = np.stack([side.at(places) for side in (a, b)], axis=1)
    shapes = []
    for side in (a, b):
        slope, part, rise, _ = side.theta[0, 0]
        moved = np.clip(part + math.exp(slope) * (places - side.middle[0, 0]), *_PARTS)
        mine = np.stack([np.full_like(places, slope), moved, np.full_like(places, rise)], axis=1)
        full = np.full_like(places, max(rise, 0.05))
        rest = [np.stack([np.full_like(places, s), np.full_like(places, p), full], axis=1) for s, p in _OTHERS]
        shapes.append([mine, *rest])
    starts = [
        np.concatenate([first, second, (own @ np.array([share, 1 - share]))[:, None]], axis=1)
        for first in shapes[0]
        for second in shapes[1]
        for share in (0.2, 0.8)
    ]
    return np.stack(starts, axis=1)


# ---- scoring many curves at once -----------------------------------------------------------------------------------


def _curve(theta: Array, x: Array, at: Array) -> Array:
    """Logistics through (``at``, value): rows x fits x places ``x``.

    ``theta``: rows x fits x 4: log slope, log-odds of the part of the rise at the place, rise, value.
    """
    slope, part, rise, value = (theta[..., index, None] for index in range(4))
    lean = special.expit(np.exp(slope) * (x - at[..., None]) + part) - special.expit(part)
    out: Array = value + rise * lean
    return out


def _scored(data: Data, x: Array, at: Array, theta: Array) -> tuple[Array, Array, Array]:
    """(log-likelihood, its gradient, expected information) of `_curve`, all rows x fits x ..."""
    slope, part, rise, value = (theta[..., index, None] for index in range(4))
    lean, rate = x - at[..., None], np.exp(slope)
    there, here = special.expit(rate * lean + part), special.expit(part)
    steep = there * (1 - there)
    p = value + rise * (there - here)
    parts = [rise * steep * rate * lean, rise * (steep - here * (1 - here)), there - here, np.ones_like(there)]
    slopes = np.stack(parts, axis=-1)
    weighted = slopes * data.weight(p)[..., None]
    gradient = np.einsum("rfsi,rfs->rfi", weighted, data.share[:, None, :] - p)
    return data.log_likelihood(p), gradient, np.einsum("rfsi,rfsj->rfij", weighted, slopes)


def _climb(sides: Sequence[Data], x: Array, at: Array, theta: Array) -> tuple[Array, Array]:
    """Fisher scoring, damped (Levenberg 1944, Marquardt 1963), for rows x fits: (log-likelihood, parameters).

    One side: four parameters (`_curve`); two: three of each and their common value at the place, and the second side
    must not end below the first.
    """
    bounded = sides[0].bounded
    theta = _allowed(theta, bounded)
    best, gradient, information = _joint(sides, x, at, theta)
    damping = np.full(best.shape, 0.03)
    flat = np.eye(theta.shape[-1])
    for _ in range(_TURNS):
        scale = damping[..., None] * (np.diagonal(information, axis1=-2, axis2=-1) + 1e-6)
        step = np.linalg.solve(information + scale[..., None] * flat, gradient[..., None])[..., 0]
        tried = _allowed(theta + np.clip(step, -2.0, 2.0), bounded)
        found, new_gradient, new_information = _joint(sides, x, at, tried)
        better = found > best
        theta = np.where(better[..., None], tried, theta)
        gradient = np.where(better[..., None], new_gradient, gradient)
        information = np.where(better[..., None, None], new_information, information)
        best = np.where(better, found, best)
        damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-6, 1e6)
    return best, theta


def _joint(sides: Sequence[Data], x: Array, at: Array, theta: Array) -> tuple[Array, Array, Array]:
    if len(sides) == 1:
        return _scored(sides[0], x, at, theta)
    size = theta.shape[-1]
    total = np.zeros(theta.shape[:-1])
    gradient, information = np.zeros(theta.shape), np.zeros((*theta.shape, size))
    last = []
    for data, index in zip(sides, _MEMBERS, strict=True):
        mine = theta[..., index]
        found, slope, second = _scored(data, x, at, mine)
        total = total + found
        gradient[..., index] += slope
        information[..., index[:, None], index[None, :]] += second
        last.append(_curve(mine, x[-1:], at)[..., 0])
    return np.where(last[1] >= last[0] - 1e-9, total, -np.inf), gradient, information


def _allowed(theta: Array, bounded: bool) -> Array:
    """Parameters inside their ranges: rising curves, for counts within 0..1."""
    out = theta.copy()
    value = np.clip(theta[..., -1], 1e-6, 1 - 1e-6) if bounded else theta[..., -1]
    out[..., -1] = value
    for start in range(0, theta.shape[-1] - 1, 3):
        out[..., start] = np.clip(theta[..., start], *_SLOPES)
        part = np.clip(theta[..., start + 1], *_PARTS)
        out[..., start + 1] = part
        here = special.expit(part)
        most = np.minimum(value / here, (1 - value) / (1 - here)) if bounded else np.inf
        out[..., start + 2] = np.clip(theta[..., start + 2], 0.0, most)
    return out


# ---- the bootstrap -------------------------------------------------------------------------------------------------


def _as_data(data: Data, means: Array) -> Data:
    """Resampled means as rows of data like ``data``."""
    times = len(means)
    if isinstance(data, Counts):
        n = np.repeat(data.n, times, axis=0)
        return Counts(np.clip(means, 0.0, 1.0) * n, n, np.repeat(data.rho, times))
    return Scores(means, np.repeat(data.error, times, axis=0))


def _bootstrap(found: Place, simulated: Sequence[Data], x: Array, scale: Scale) -> Meeting:
    """Percentile interval of where the difference of refitted curves turns and stays above 0."""
    places = np.linspace(float(x.min()), float(x.max()), 161)
    first, second = (_curve(_fit(data, x)[1], places, _middle(x))[:, 0] for data in simulated)
    at = np.sort(_overtakes(second - first, places))
    cut = math.floor(len(at) * ALPHA / 2)
    ends = [float(at[cut]), float(at[len(at) - 1 - cut])]
    low, high = (unplace(end, scale) if math.isfinite(end) else None for end in ends)
    # both ends on one side: the other end is that edge of the sizes
    if ends[0] == math.inf:
        low = unplace(float(places[-1]), scale)
    if ends[1] == -math.inf:
        high = unplace(float(places[0]), scale)
    return Meeting(found, Place(None, low, high), float(np.mean(at == -math.inf)), float(np.mean(at == math.inf)))
