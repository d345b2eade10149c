"""The size at which an ability leaves chance, with intervals.

Threshold: where the fitted curve is above chance by `leave_by`: the margin of the settings (5 points) or two standard
errors of chance at the median number of items a size, whichever is larger; ``above_chance`` says which it was.
The curve is a logistic of any slope, a ramp (level, a straight line, level) of any width, or a step, with free floor
and ceiling. Ramps are there because a logistic approaches its floor by a long tail: where an ability begins at once,
curves with a tail alone put its beginning too far down. The interval is that of the profile likelihood (Venzon and
Moolgavkar 1988, Applied Statistics 37, 87-94): the sizes x at which the best curve *forced through
(x, chance + above_chance)* loses at most half a chi-square quantile. A step may cross anywhere between two sizes, so
where the data say no more than that, the interval is the gap between them (``censored`` = "gap"); where the best curve
is past the threshold at the smallest size or short of it at the largest, there is no estimate ("below", "above"), and
an end of the interval out of range is None.

Beside it: a percentile interval over parametric bootstrap replicates and the share of replicates that never cross
within the sizes; and the break (the hinge's corner) with the profile interval over the shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy import special

from onset.analysis.curves.fit import Best, Pattern, Shapes, best_fit, search, solve, solve_through
from onset.analysis.curves.likelihood import FEWEST_FREE, SCATTER, Counts, Data, Indices
from onset.analysis.curves.shapes import Array, Family, Hinge, Logistic, Ramp, Step
from onset.analysis.stats.tails import chi2_quantile, f_quantile

Censored = Literal["gap", "below", "above"]

LEVEL = 0.95
_CLOSE = 2.6
"""Shapes that lose more than this (nats) unconstrained cannot enter the interval."""
_MOST = 150
_PLACES = 32
_PER_DECADE = 16
_SLOPES = (math.log(0.15), math.log(200.0))
_PARTS = (-5.0, 4.0)
_ROUNDS = 14
_PATTERN = Pattern(
    np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    * np.array([(_SLOPES[1] - _SLOPES[0]) / 22, (_PARTS[1] - _PARTS[0]) / 16]),
    (_SLOPES, _PARTS), 0.72, (False, False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the size axis: ``estimate``, ``low``, ``high`` in sizes; None: not in range at that end."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    censored: Censored | None = None


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

    def of_families(self, *families: Family) -> _Fits:
        return self.only(np.flatnonzero(np.array([one in families for one in self.shapes.family])))

    def near(self) -> _Fits:
        """Those that may enter the interval, at most `_MOST` of them."""
        rows = np.flatnonzero(self.found >= self.found.max() - _CLOSE)
        return self.only(rows if len(rows) <= _MOST else rows[np.argsort(-self.found[rows])[:: len(rows) // _MOST + 1]])

    def ends(self) -> tuple[Array, Array]:
        """Fitted shares at the smallest and the largest size."""
        rise = self.high - self.low
        return self.low + rise * self.shapes.values.min(axis=1), self.low + rise * self.shapes.values.max(axis=1)


def threshold_of(
    data: Data,
    x: Array,
    shapes: Shapes,
    chance: float,
    generator: np.random.Generator,
    *,
    margin: float,
    replicates: int,
    to_size: Callable[[float], float],
) -> Threshold:
    """The threshold of one curve (``data`` of one row over places ``x``); ``to_size`` turns a place into a size."""
    delta = leave_by(chance, float(np.median(data.n)), margin) if isinstance(data, Counts) else margin
    target = min(chance + delta, 1 - 1e-6)
    used = np.flatnonzero(np.array([family in (Logistic, Step) for family in shapes.family]))
    coarse = _Fits.of(data, x, shapes.only(used).joined(_ramps(tuple(x.tolist()))))
    fits = coarse.near()
    first, last = fits.ends()
    best = float(fits.found.max())
    below = float(np.max(fits.found[first >= target], initial=-math.inf))
    above = float(np.max(fits.found[last <= target], initial=-math.inf))
    places, profile = _profile(fits, target, best - _allowance(data, fits))
    allowed = max(best, float(profile.max())) - _allowance(data, fits)
    reached = _Profile(x, places, profile, below, above, allowed)
    spread, none = _bootstrap(coarse, fits, target, generator, replicates, to_size) if replicates else (None, None)
    return Threshold(
        reached.place(to_size), delta, spread, none,
        _over(_Fits.of(data, x, _breaks(x)), to_size),
    )  # fmt: skip


def _allowance(data: Data, fits: _Fits) -> float:
    """Half the chi-square quantile; with scatter that of F (McCullagh and Nelder 1989, section 4.5)."""
    if isinstance(data, Counts) and data.rho.max() > SCATTER:
        return float(f_quantile(LEVEL, 1, max(fits.x.size - 4, FEWEST_FREE))) / 2
    return float(chi2_quantile(LEVEL, 1)) / 2


def _profile(fits: _Fits, target: float, allowed: float) -> tuple[Array, Array]:
    """(places, the best log-likelihood of curves through (place, target))."""
    low, high = float(fits.x.min()), float(fits.x.max())
    crossed = _crossings(fits, target)
    crossed = crossed[np.isfinite(crossed)]
    if crossed.size:
        wide = max(0.15, float(np.ptp(crossed)) / 2)
        ends = max(low, float(crossed.min()) - wide), min(high, float(crossed.max()) + wide)
        inner = fits.x[(fits.x >= ends[0]) & (fits.x <= ends[1])]
        places = np.unique(np.concatenate([np.linspace(*ends, _PLACES), inner]))
        profile = _forced(fits, places, target)
        short = (profile[0] >= allowed and ends[0] > low) or (profile[-1] >= allowed and ends[1] < high)
        if not short:
            return places, profile
    places = np.unique(np.concatenate([np.linspace(low, high, 2 * _PLACES), fits.x]))
    return places, _forced(fits, places, target)


def _forced(fits: _Fits, places: Array, target: float) -> Array:
    """The best logistic, ramp or step through (place, target), for each place."""
    best = np.maximum(*(_closed_in(fits, places, family, target) for family in (Logistic, Ramp)))
    for index in np.flatnonzero(np.array([family is Step for family in fits.shapes.family])):
        if fits.low[index] <= target <= fits.high[index]:
            left, right = _gap(fits.x, float(fits.shapes.table[index][0]))
            inside = (places >= left - 1e-12) & (places <= right + 1e-12)
            best = np.where(inside, np.maximum(best, fits.found[index]), best)
    out: Array = best
    return out


def _closed_in(fits: _Fits, places: Array, family: Family, target: float) -> Array:
    """The best log-likelihood of a family's curves through (place, target), for each place.

    A grid over log slope and log-odds of the part of the rise at the place, closed in on by a pattern search. A ramp
    has kinks on which that can stop, so each place then goes on from the better of its neighbours' shapes and its own.
    """

    def evaluate(table: Array) -> tuple[Array]:
        return (_through(fits, places, family, table, target),)

    grid = np.array([(slope, part) for slope in np.linspace(*_SLOPES, 12) for part in np.linspace(*_PARTS, 9)])
    (found,) = evaluate(np.broadcast_to(grid[None], (len(places), *grid.shape)))
    row, top = np.arange(len(places)), found.argmax(axis=1)
    shape, (best,) = search(grid[top], (found[row, top],), _PATTERN, range(_ROUNDS), evaluate)
    shifted = np.stack([np.concatenate([shape[:1], shape[:-1]]), np.concatenate([shape[1:], shape[-1:]])], axis=1)
    (found,) = evaluate(shifted)
    top = found.argmax(axis=1)
    better = found[row, top] > best
    shape = np.where(better[:, None], shifted[row, top], shape)
    start = (np.where(better, found[row, top], best),)
    return search(shape, start, _PATTERN, range(_ROUNDS // 2, _ROUNDS), evaluate)[1][0]


def _through(fits: _Fits, places: Array, family: Family, table: Array, target: float) -> Array:
    """Log-likelihoods, places x shapes; ``table``: log slope and log-odds of the part of the rise at the place.

    The slope of a ramp is that of the logistic with the same tangent in the middle, four times the rise a decade.
    """
    slope, part = np.exp(table[..., 0]), special.expit(table[..., 1])
    if family is Ramp:
        rise = part[..., None] + slope[..., None] / 4 * (fits.x - places[:, None, None])
        values = np.clip(rise, 0.0, 1.0)
    else:
        values = special.expit(table[..., 1, None] + slope[..., None] * (fits.x - places[:, None, None]))
    found = solve_through(
        fits.data, values.reshape(1, -1, fits.x.size), part.reshape(1, -1), np.array([target]), iterations=4
    )
    return found.reshape(table.shape[0], table.shape[1])


@lru_cache(maxsize=64)
def _ramps(x: tuple[float, ...]) -> Shapes:
    places = np.array(x)
    return Shapes.of(places, (Ramp, Ramp.grid(places)))


def _gap(x: Array, at: float) -> tuple[float, float]:
    """The sizes on both sides of a place."""
    return float(x[x <= at].max()), float(x[x >= at].min())


def _crossings(fits: _Fits, target: float) -> Array:
    """Where each shape's own best curve first reaches ``target``."""
    best = Best(fits.found, np.arange(len(fits.found)), fits.low, fits.high)
    return crossing(fits.x, fits.shapes, best, target)


@dataclass(frozen=True, eq=False)
class _Profile:
    """The profile over places inside the sizes, and of being past it at the smallest or short of it at the largest."""

    x: Array
    places: Array
    values: Array
    below: float
    above: float
    allowed: float

    def place(self, to_size: Callable[[float], float]) -> Place:
        """Estimate and interval in sizes."""
        inside = self.values >= self.allowed
        top = float(self.values.max())
        outside: Censored | None = None
        if max(self.below, self.above) > top + 0.01:
            outside = "below" if self.below >= self.above else "above"
        left, right = float(self.x.min()), float(self.x.max())
        if not inside.any():
            if outside is None:
                return Place()
            low = None if self.below >= self.allowed else to_size(right)
            return Place(None, low, None if self.above >= self.allowed else to_size(left), outside)
        first, last = int(np.flatnonzero(inside)[0]), int(np.flatnonzero(inside)[-1])
        ends = (
            _cross(self.places, self.values, first, -1, self.allowed),
            _cross(self.places, self.values, last, 1, self.allowed),
        )
        gap = None if max(self.below, self.above) >= self.allowed else self._whole_gap(ends)
        if gap is not None:
            return Place(to_size((gap[0] + gap[1]) / 2), to_size(gap[0]), to_size(gap[1]), "gap")
        plateau = np.flatnonzero(self.values >= top - 0.02)
        estimate = float((self.places[plateau[0]] + self.places[plateau[-1]]) / 2)
        return Place(
            None if outside else to_size(estimate),
            None if self.below >= self.allowed else to_size(ends[0]),
            None if self.above >= self.allowed else to_size(ends[1]),
            outside,
        )

    def _whole_gap(self, ends: tuple[float, float]) -> tuple[float, float] | None:
        """The gap between two sizes, where the interval is that and no less."""
        sizes = np.unique(self.x)
        index = int(np.searchsorted(sizes, (ends[0] + ends[1]) / 2)) - 1
        if not 0 <= index < len(sizes) - 1:
            return None
        left, right = float(sizes[index]), float(sizes[index + 1])
        near = 0.03 * (right - left)
        return (left, right) if abs(ends[0] - left) <= near and abs(ends[1] - right) <= near else None


def _cross(places: Array, profile: Array, index: int, side: int, allowed: float) -> float:
    """Where the profile falls below ``allowed`` beyond ``index``, by straight lines between places."""
    beyond = index + side
    if not 0 <= beyond < len(places) or not math.isfinite(profile[beyond]):
        return float(places[index])
    share = (profile[index] - allowed) / max(profile[index] - profile[beyond], 1e-12)
    return float(places[index] + share * (places[beyond] - places[index]))


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
    coarse: _Fits, fits: _Fits, target: float, generator: np.random.Generator, replicates: int,
    to_size: Callable[[float], float],
) -> tuple[Place, float]:  # fmt: skip
    """Percentile interval over parametric replicates of the best curve."""
    top = int(fits.found.argmax())
    fitted = fits.low[top] + (fits.high[top] - fits.low[top]) * fits.shapes.values[top]
    simulated = fits.data.simulate(np.repeat(fitted[None, None, :], replicates, axis=1), [generator])
    # shapes that fit this much worse than the best are no replicate's best
    chosen = coarse.shapes.only(np.flatnonzero(coarse.found >= coarse.found.max() - 8))
    at = np.sort(crossing(coarse.x, chosen, best_fit(simulated, chosen), target))
    none = float(np.mean(~np.isfinite(at)))
    cut = math.floor(replicates * (1 - LEVEL) / 2)
    ends = [float(at[cut]), float(at[replicates - 1 - cut])]
    sizes = [to_size(end) if math.isfinite(end) else None for end in ends]
    return Place(None, sizes[0], sizes[1]), none


def _breaks(x: Array) -> Shapes:
    """Hinges at every fiftieth of a decade after the second size, and the steps."""
    low, high = float(np.unique(x)[1]), float(x.max())
    places = np.linspace(low, high, max(12, math.ceil((high - low) / 0.02)))[:-1]
    return Shapes.of(x, (Hinge, places[:, None]), (Step, Step.grid(x)))


def _over(fits: _Fits, to_size: Callable[[float], float]) -> Place | None:
    """The break of hinges (steps: their gap) with its profile interval."""
    if not len(fits.found):
        return None
    allowed = float(fits.found.max()) - _allowance(fits.data, fits)
    ends: list[tuple[float, float]] = []
    top, best = (0.0, 0.0), -math.inf
    for index in np.flatnonzero(fits.found >= allowed):
        step = fits.shapes.family[index] is Step
        at = float(fits.shapes.table[index][0])
        ends.append(_gap(fits.x, at) if step else (at, at))
        if fits.found[index] > best:
            top, best = ends[-1], float(fits.found[index])
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    estimate = (top[0] + top[1]) / 2
    smallest, largest = float(fits.x.min()), float(fits.x.max())
    outside: Censored | None = "below" if estimate < smallest else "above" if estimate > largest else None
    if outside is None and (low, high) == top and low < high:
        outside = "gap"
    return Place(
        to_size(estimate) if outside in (None, "gap") else None,
        to_size(low) if low >= smallest else None, to_size(high) if high <= largest else None, outside,
    )  # fmt: skip
