"""The size at which an ability leaves chance, with intervals.

Threshold: where the fitted curve is above chance by `leave_by`: the margin of the settings (5 points) or two standard
errors of chance at the median number of items a size, whichever is larger; ``above_chance`` says which it was.
The curve is a logistic of any slope, a ramp (level, a straight line, level) of any width, or a step, with free floor
and ceiling. Ramps are there because a logistic approaches its floor by a long tail: where an ability begins at once,
curves with a tail alone put its beginning too far down. The profile is that of the best curve *forced through
(x, chance + above_chance)*, for all curves over the same sizes at once; `onset.analysis.curves.place` reads it. A step
may cross anywhere between two sizes, so where the data say no more than that, the interval is the gap between them.
Where the best curve is past the threshold at the smallest size or short of it at the largest, there is no estimate.

Beside it: a percentile interval over parametric bootstrap replicates and the share of replicates that never cross
within the sizes; and the break (the hinge's corner) with the profile interval over the shapes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from onset.analysis.curves.fit import Best, Pattern, Shapes, best_fit, screen_through, search, solve, solve_through
from onset.analysis.curves.likelihood import FEWEST_FREE, SCATTER, Counts, Data, Indices, allowance
from onset.analysis.curves.place import Place, Profile, percentiles
from onset.analysis.curves.series import Scale
from onset.analysis.curves.shapes import Array, Family, Hinge, Logistic, Ramp, Step
from onset.analysis.stats.adjust import LEVEL

_CLOSE = 2.6
"""Shapes that lose more than this (nats) unconstrained cannot enter the interval."""
_MOST = 150
_PLACES = 32
_PER_DECADE = 16
_KEPT = 24
"""Shapes through a point that are solved exactly, of those that least squares put first."""
_SLACK = 30.0
"""Nats below those allowed up to which a place's shape is closed in on."""
_CELLS = 130_000
"""Shares in a table that stays in the processor's cache."""
_SLOPES = (math.log(0.15), math.log(200.0))
_PARTS = (-5.0, 4.0)
_GRID = np.array([(slope, part) for slope in np.linspace(*_SLOPES, 12) for part in np.linspace(*_PARTS, 9)])
"""Log slope and log-odds of the part of the rise at the place."""
_ROUNDS = 14
_FIRST, _SOON = 5, 20.0
"""Rounds after which it is known whether a point may be worth more: when as much again, so many times, would be."""
_EDGE = 1e-7
_PATTERN = Pattern(
    np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    * np.array([(_SLOPES[1] - _SLOPES[0]) / 22, (_PARTS[1] - _PARTS[0]) / 16]),
    (_SLOPES, _PARTS), 0.72, (False, False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Threshold:
    """``place``: where the curve leaves chance; ``above_chance``: by how much (share).

    ``bootstrap``: percentile interval and ``none``, the share of replicates that do not cross within the sizes (None:
    not computed); ``break_at``: see the module.
    """

    place: Place = field(default_factory=Place)
    above_chance: float | None = None
    bootstrap: Place | None = None
    none: float | None = None
    break_at: Place | None = None

    def json(self) -> dict[str, Any]:
        """The stable keys ``kind, estimate, low, high, censored`` and the further ones."""
        return {
            "kind": "leaves chance",
            **_json(self.place),
            "above_chance": self.above_chance,
            "bootstrap": None
            if self.bootstrap is None
            else {"low": self.bootstrap.low, "high": self.bootstrap.high, "none": self.none},
            "break": None if self.break_at is None else _json(self.break_at),
        }


def _json(place: Place) -> dict[str, Any]:
    return {"estimate": place.estimate, "low": place.low, "high": place.high, "censored": place.censored}


NOT_IN_RANGE = Threshold()


def leave_by(chance: float, n: float, margin: float) -> float:
    """By how much above chance counts as having left it (share): the larger of ``margin`` and two standard errors of
    chance itself with ``n`` items, 2 sqrt(chance (1 - chance) / n).
    """
    return max(margin, 2 * math.sqrt(chance * (1 - chance) / n))


@dataclass(frozen=True, eq=False)
class _Fits:
    """Exact fits of one curve's data: ``shapes`` with their log-likelihood and ends (arrays over shapes)."""

    data: Data
    x: Array
    shapes: Shapes
    found: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, data: Data, x: Array, shapes: Shapes) -> _Fits:
        found, low, high = solve(data, shapes.values[None])
        return cls(data, x, shapes, found[0], low[0], high[0])

    def only(self, rows: Indices) -> _Fits:
        return _Fits(self.data, self.x, self.shapes.only(rows), self.found[rows], self.low[rows], self.high[rows])

    def near(self) -> _Fits:
        """Those that may enter the interval, at most `_MOST` of them."""
        rows = np.flatnonzero(self.found >= self.found.max() - _CLOSE)
        return self.only(rows if len(rows) <= _MOST else rows[np.argsort(-self.found[rows])[:: len(rows) // _MOST + 1]])

    def ends(self) -> tuple[Array, Array]:
        """Fitted shares at the smallest and the largest size."""
        rise = self.high - self.low
        return self.low + rise * self.shapes.values.min(axis=1), self.low + rise * self.shapes.values.max(axis=1)

    def free(self) -> int | None:
        """Degrees of freedom of the scatter, None where there is none."""
        scattered = isinstance(self.data, Counts) and self.data.rho.max() > SCATTER
        return max(self.x.size - 4, FEWEST_FREE) if scattered else None

    def steps(self, target: float) -> list[tuple[float, float, float]]:
        """(sizes on both sides, log-likelihood) of the steps that cross ``target``."""
        crossing = (self.low <= target) & (target <= self.high)
        return [
            (*_gap(self.x, float(self.shapes.table[index][0])), float(self.found[index]))
            for index in np.flatnonzero(crossing)
            if self.shapes.family[index] is Step
        ]


def leaves_chance(
    data: Data,
    x: Array,
    shapes: Shapes,
    chance: Array,
    generators: Sequence[np.random.Generator],
    *,
    margin: float,
    replicates: int,
    scale: Scale = "params",
) -> list[Threshold]:
    """The threshold of each row of ``data`` over places ``x``, ``chance``: of each row.

    ``generators``: of the bootstrap of each row, ``replicates`` 0: none.
    """
    if not len(data.share):
        return []
    used = np.flatnonzero(np.array([family in (Logistic, Step) for family in shapes.family]))
    offered, breaks = shapes.only(used).joined(_ramps(tuple(x.tolist()))), _breaks(x)
    rows = [data.take(np.array([row])) for row in range(len(data.share))]
    coarse = [_Fits.of(one, x, offered) for one in rows]
    fits = [one.near() for one in coarse]
    by = [
        leave_by(float(level), float(np.median(one.n)), margin) if isinstance(one, Counts) else margin
        for one, level in zip(rows, chance, strict=True)
    ]
    targets = np.minimum(chance + np.array(by), 1 - 1e-6)
    made = []
    for row, profile in enumerate(_profiles(data, fits, targets, scale)):
        target, spread, none = float(targets[row]), None, None
        if replicates:
            spread, none = _bootstrap(coarse[row], fits[row], target, generators[row], replicates, scale)
        broken = _break(_Fits.of(rows[row], x, breaks), scale)
        made.append(Threshold(profile.interval(), by[row], spread, none, broken))
    return made


def _profiles(data: Data, fits: Sequence[_Fits], targets: Array, scale: Scale) -> list[Profile]:
    """Of where each curve reaches its target: close to where its shapes do, over all sizes where that is not enough."""
    x, made = fits[0].x, []
    places = [_near(one, float(target)) for one, target in zip(fits, targets, strict=True)]
    found = _forced(data, fits, places, targets)
    lost = [allowance(LEVEL, one.free()) / 2 for one in fits]
    whole = [row for row, one in enumerate(fits) if _short(places[row], found[row], one.found.max() - lost[row], x)]
    if whole:
        every = np.unique(np.concatenate([np.linspace(float(x.min()), float(x.max()), 2 * _PLACES), x]))
        again = _forced(
            data.take(np.array(whole)), [fits[row] for row in whole], [every] * len(whole), targets[np.array(whole)]
        )
        for row, values in zip(whole, again, strict=True):
            places[row], found[row] = every, values
    for row, one in enumerate(fits):
        first, last = one.ends()
        below = float(np.max(one.found[first >= targets[row]], initial=-math.inf))
        above = float(np.max(one.found[last <= targets[row]], initial=-math.inf))
        best = max(float(one.found.max()), float(found[row].max()))
        made.append(
            Profile(places[row], 2 * (best - found[row]), x, scale, one.free(), 2 * (best - below), 2 * (best - above))
        )
    return made


def _near(fits: _Fits, target: float) -> Array:
    """Places around where the shapes' own best curves reach the target; none where no shape does."""
    low, high = float(fits.x.min()), float(fits.x.max())
    best = Best(fits.found, np.arange(len(fits.found)), fits.low, fits.high)
    crossed = crossing(fits.x, fits.shapes, best, target)
    crossed = crossed[np.isfinite(crossed)]
    if not crossed.size:
        return np.zeros(0)
    wide = max(0.15, float(np.ptp(crossed)) / 2)
    ends = max(low, float(crossed.min()) - wide), min(high, float(crossed.max()) + wide)
    inner = fits.x[(fits.x >= ends[0]) & (fits.x <= ends[1])]
    return np.unique(np.concatenate([np.linspace(*ends, _PLACES), inner]))


def _short(places: Array, found: Array, allowed: float, x: Array) -> bool:
    """Does the interval reach beyond these places?"""
    if not places.size:
        return True
    return bool((found[0] >= allowed and places[0] > x.min()) or (found[-1] >= allowed and places[-1] < x.max()))


# ---- curves forced through a point ----------------------------------------------------------------------------------


def _forced(data: Data, fits: Sequence[_Fits], places: Sequence[Array], targets: Array) -> list[Array]:
    """The best logistic, ramp or step of each row through (place, target), for each of its places."""
    rows = np.concatenate([np.full(len(some), row) for row, some in enumerate(places)])
    if not rows.size:
        return [np.zeros(0) for _ in places]
    points = _Points(
        data.take(rows), fits[0].x, rows, np.concatenate(places), targets[rows],
        np.array([one.found.max() - allowance(LEVEL, one.free()) / 2 - _SLACK for one in fits])[rows],
    )  # fmt: skip
    best = np.maximum(*(_closed_in(points, family) for family in (Logistic, Ramp)))
    for row, one in enumerate(fits):
        for left, right, found in one.steps(float(targets[row])):
            inside = (rows == row) & (points.place >= left - 1e-12) & (points.place <= right + 1e-12)
            best[inside] = np.maximum(best[inside], found)
    return [best[rows == row] for row in range(len(places))]


@dataclass(frozen=True, eq=False)
class _Points:
    """Points (``place``, ``target``) to be reached, each with the ``data`` of its ``curve``; places ascend in a curve.

    ``worth``: the log-likelihood from which on a point is worth a closer search.
    """

    data: Data
    x: Array
    curve: Indices
    place: Array
    target: Array
    worth: Array

    def only(self, rows: Indices) -> _Points:
        return _Points(
            self.data.take(rows), self.x, self.curve[rows], self.place[rows], self.target[rows], self.worth[rows]
        )

    def neighbours(self) -> Indices:
        """Of each point the one before and the one after it in its curve, itself at the ends: points x 2."""
        row = np.arange(len(self.curve))
        before, after = np.maximum(row - 1, 0), np.minimum(row + 1, len(row) - 1)
        both = np.stack([before, after], axis=1)
        return np.where(self.curve[both] == self.curve[:, None], both, row[:, None])

    def curves(self, family: Family, table: Array) -> tuple[Array, Array]:
        """(values at the sizes, part of the rise at the point) of shapes ``table``, points x shapes x 2.

        The slope of a ramp is that of the logistic with the same tangent in the middle, four times the rise a decade.
        """
        slope, lean = np.exp(table[..., 0, None]), (self.x - self.place[:, None])[:, None, :]
        part = special.expit(table[..., 1])
        if family is Ramp:
            rise = part[..., None] + slope / 4 * lean
            return np.minimum(np.maximum(rise, 0.0), 1.0), part
        values: Array = special.expit(table[..., 1, None] + slope * lean)
        return values, part

    def through(self, family: Family, table: Array, iterations: int = 4) -> tuple[Array]:
        """Log-likelihoods of shapes, points x shapes."""
        values, part = self.curves(family, table)
        return (solve_through(self.data, values, part, self.target, iterations=iterations),)


def _closed_in(points: _Points, family: Family) -> Array:
    """The best log-likelihood of a family's curves through each point.

    A grid of shapes ranked by weighted least squares, the nearest solved exactly, the best of them closed in on by a
    pattern search where that may matter. A ramp has kinks on which it can stop, so each point then goes on from the
    better of its neighbours' shapes and its own.
    """
    size = max(1, _CELLS // (len(_GRID) * points.x.size))
    parts = [
        _ranked(points.only(np.arange(start, min(start + size, len(points.curve)))), family)
        for start in range(0, len(points.curve), size)
    ]
    shape, best = np.concatenate([one for one, _ in parts]), np.concatenate([one for _, one in parts])

    def roughly(table: Array) -> tuple[Array]:
        return points.through(family, table, iterations=3)

    shape, (begun,) = search(shape, (best,), _PATTERN, range(_FIRST // 2), roughly)
    shape, (best,) = search(shape, (begun,), _PATTERN, range(_FIRST // 2, _FIRST), roughly)
    # with many items a search is still far from its end
    rows = np.flatnonzero(best + _SOON * (best - begun) >= points.worth)
    if not rows.size:
        return best
    near = points.only(rows)

    def evaluate(table: Array) -> tuple[Array]:
        return near.through(family, table)

    tried, found = search(shape[rows], (best[rows],), _PATTERN, range(_FIRST, _ROUNDS), evaluate)
    beside = tried[near.neighbours()]
    (other,) = evaluate(beside)
    row, top = np.arange(len(rows)), other.argmax(axis=1)
    better = other[row, top] > found[0]
    tried = np.where(better[:, None], beside[row, top], tried)
    start = (np.where(better, other[row, top], found[0]),)
    best[rows] = search(tried, start, _PATTERN, range(_ROUNDS // 2, _ROUNDS), evaluate)[1][0]
    return best


def _ranked(points: _Points, family: Family) -> tuple[Array, Array]:
    """(the best shape of the grid, its log-likelihood) for each point."""
    values, part = points.curves(family, np.broadcast_to(_GRID, (len(points.curve), *_GRID.shape)))
    loss = screen_through(points.data, values, part, points.target)
    table = _GRID[np.argpartition(loss, _KEPT - 1, axis=1)[:, :_KEPT]]
    (found,) = points.through(family, table)
    row, top = np.arange(len(found)), found.argmax(axis=1)
    return table[row, top], found[row, top]


@lru_cache(maxsize=64)
def _ramps(x: tuple[float, ...]) -> Shapes:
    places = np.array(x)
    return Shapes.of(places, (Ramp, Ramp.grid(places)))


def _gap(x: Array, at: float) -> tuple[float, float]:
    """The sizes on both sides of a place."""
    return float(x[x <= at].max()), float(x[x >= at].min())


def _places(x: Array) -> Array:
    """A grid over the range that holds every size."""
    low, high = float(x.min()), float(x.max())
    count = max(24, math.ceil((high - low) * _PER_DECADE))
    return np.unique(np.concatenate([np.linspace(low, high, count + 1), x]))


def crossing(x: Array, shapes: Shapes, best: Best, target: float) -> Array:
    """Where each row's best curve first reaches ``target``: places; -inf before the sizes, inf beyond them."""
    places = _places(x)
    at = shapes.at(places)[best.shape]
    shares = best.low[:, None] + (best.high - best.low)[:, None] * at
    reached = shares >= target
    first = reached.argmax(axis=1)
    row = np.arange(len(shares))
    before = np.maximum(first - 1, 0)
    gain = np.maximum(shares[row, first] - shares[row, before], 1e-12)
    between = places[before] + (target - shares[row, before]) / gain * (places[first] - places[before])
    out = np.where(first == 0, -math.inf, between)
    out = np.where(reached.any(axis=1), out, math.inf)
    return out


def _bootstrap(
    coarse: _Fits, fits: _Fits, target: float, generator: np.random.Generator, replicates: int, scale: Scale
) -> tuple[Place, float]:
    """Percentile interval over parametric replicates of the best curve."""
    top = int(fits.found.argmax())
    fitted = fits.low[top] + (fits.high[top] - fits.low[top]) * fits.shapes.values[top]
    simulated = fits.data.simulate(np.repeat(fitted[None, None, :], replicates, axis=1), [generator])
    # shapes that fit this much worse than the best are no replicate's best
    chosen = coarse.shapes.only(np.flatnonzero(coarse.found >= coarse.found.max() - 8))
    at = np.sort(crossing(coarse.x, chosen, best_fit(simulated, chosen), target))
    return percentiles(at, coarse.x, scale), float(np.mean(~np.isfinite(at)))


# ---- the break ------------------------------------------------------------------------------------------------------


def _breaks(x: Array) -> Shapes:
    """Hinges at every fiftieth of a decade after the second size, and the steps."""
    low, high = float(np.unique(x)[1]), float(x.max())
    places = np.linspace(low, high, max(12, math.ceil((high - low) / 0.02)))[:-1]
    return Shapes.of(x, (Hinge, places[:, None]), (Step, Step.grid(x)))


def _break(fits: _Fits, scale: Scale) -> Place | None:
    """The break of hinges with its profile interval; that of a step is anywhere in its gap."""
    if not len(fits.found):
        return None
    hinge = np.array([family is Hinge for family in fits.shapes.family])
    at = np.array([float(row[0]) for row in fits.shapes.table])
    gaps = [
        (*_gap(fits.x, float(place)), float(found)) for place, found in zip(at[~hinge], fits.found[~hinge], strict=True)
    ]
    # a gap ends where it ends: no straight line to the next hinge
    edges = [end + side for left, right, _ in gaps for end in (left, right) for side in (-_EDGE, 0.0, _EDGE)]
    places = np.unique(np.concatenate([at[hinge], edges]))
    places = places[(places >= fits.x.min()) & (places <= fits.x.max())]
    found = (
        np.interp(places, at[hinge], fits.found[hinge], left=-math.inf, right=-math.inf)
        if hinge.any()
        else np.full(len(places), -math.inf)
    )
    for left, right, likely in gaps:
        inside = (places >= left) & (places <= right)
        found[inside] = np.maximum(found[inside], likely)
    return Profile(places, 2 * (fits.found.max() - found), fits.x, scale, fits.free()).interval()
