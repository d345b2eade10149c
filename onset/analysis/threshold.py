"""The size at which an ability leaves chance, with intervals.

Threshold: where the fitted curve is above chance by the larger of 5 points and two standard errors of chance itself. The
curve is free: logistic of any slope, hinge, step or power law of the log-probability, all with free floor and ceiling
(`onset.analysis.fitting`). Its interval is that of the profile likelihood (Venzon and Moolgavkar 1988, Applied
Statistics 37, 87-94): the sizes x at which the best curve *forced through (x, chance + 5 points)* loses at most half a
chi-square quantile. A step may cross anywhere between two sizes, so where the data say no more than that, the interval
is the gap between them (``censored`` = "gap"); where the best curve is past the threshold at the smallest size or short
of it at the largest, there is no estimate ("below", "above"), and an end of the interval out of range is None.

Beside it: a percentile interval over parametric bootstrap replicates and the share of replicates that never cross
within the sizes; the midpoint (halfway between floor and ceiling) and the break (the hinge's corner), each with the
profile interval over the shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import stats

from onset.analysis.curves import Array, Hinge, Logistic, Step
from onset.analysis.fitting import Best, Counts, Data, Shapes, best_fit, solve, solve_through

Censored = Literal["gap", "below", "above"]

LEVEL = 0.95
_PER_DECADE = 16
_CLOSE = 2.6
"""Shapes that lose more than this (nats) unconstrained cannot enter the interval."""


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
    not computed); ``midpoint``, ``break_at``: see the module.
    """

    place: Place = field(default_factory=Place)
    above_chance: float | None = None
    bootstrap: Place | None = None
    none: float | None = None
    midpoint: Place | None = None
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
            "midpoint": None if self.midpoint is None else _json(self.midpoint),
            "break": None if self.break_at is None else _json(self.break_at),
        }


def _json(place: Place) -> dict[str, Any]:
    return {"estimate": place.estimate, "low": place.low, "high": place.high, "censored": place.censored}


NOT_IN_RANGE = Threshold()


def leave_by(chance: float, n: float, margin: float) -> float:
    """By how much above chance counts as having left it: ``margin`` or two standard errors of chance with n items."""
    return max(margin, 2 * math.sqrt(chance * (1 - chance) / n))


def threshold_of(
    data: Data,
    x: Array,
    shapes: Shapes,
    chance: float,
    margin: float,
    generator: np.random.Generator,
    replicates: int,
    to_size: Callable[[float], float],
) -> Threshold:
    """The threshold of one curve (``data`` of one row over places ``x``); ``to_size`` turns a place into a size."""
    n = float(np.median(data.n)) if isinstance(data, Counts) else 1.0
    delta = leave_by(chance, n, margin) if isinstance(data, Counts) else margin
    target = min(chance + delta, 1 - 1e-6)
    found, low, high = solve(data, shapes.values[None])
    found, low, high = found[0], low[0], high[0]
    best = float(found.max())
    near = np.flatnonzero(found >= best - _CLOSE)
    places = _places(x)
    profile = _profile(data, x, shapes, near, places, target, found, low, high)
    rise = (high - low)[near]
    first, last = low[near] + rise * shapes.values[near].min(axis=1), low[near] + rise * shapes.values[near].max(axis=1)
    below = float(np.max(found[near][first >= target], initial=-math.inf))
    above = float(np.max(found[near][last <= target], initial=-math.inf))
    allowed = max(best, float(profile.max())) - float(stats.chi2.ppf(LEVEL, 1)) / 2
    place = _read(x, places, profile, max(below, float(profile[0])), max(above, float(profile[-1])), allowed, to_size)
    if place.estimate is not None and max(below, above) > profile.max() + 0.05:
        place = Place(None, place.low, place.high, "below" if below >= above else "above")
    spread, none = (None, None)
    if replicates:
        spread, none = _bootstrap(data, x, shapes, near, found, low, high, target, generator, replicates, to_size)
    return Threshold(
        place, delta, spread, none,
        _over(x, shapes, found, best, to_size, "midpoint"), _over(x, shapes, found, best, to_size, "break"),
    )  # fmt: skip


def _places(x: Array) -> Array:
    """A grid over the range that holds every size."""
    low, high = float(x.min()), float(x.max())
    count = max(24, math.ceil((high - low) * _PER_DECADE))
    return np.unique(np.concatenate([np.linspace(low, high, count + 1), x]))


def _profile(
    data: Data, x: Array, shapes: Shapes, near: Any, places: Array, target: float, found: Array, low: Array, high: Array
) -> Array:
    """The best log-likelihood of curves through (place, target), for each place."""
    steps = np.array([shapes.family[i] is Step for i in near])
    out = np.full(len(places), -math.inf)
    curved = near[~steps]
    if curved.size:
        chosen = shapes.only(curved)
        crossed = np.clip(chosen.at(places), 0.0, 1.0)
        values = np.repeat(chosen.values[:, None, :], len(places), axis=1).reshape(1, -1, x.size)
        forced = solve_through(data, values, crossed.reshape(1, -1), np.array([target]))
        out = np.maximum(out, forced.reshape(len(curved), len(places)).max(axis=0))
    for index in near[steps]:
        if low[index] <= target <= high[index]:
            at = float(shapes.table[index][0])
            left, right = float(x[x <= at].max()), float(x[x >= at].min())
            inside = (places >= left - 1e-12) & (places <= right + 1e-12)
            out = np.where(inside, np.maximum(out, found[index]), out)
    return out


def _read(
    x: Array, places: Array, profile: Array, below: float, above: float, allowed: float, to_size: Callable[[float], float]
) -> Place:
    inside = profile >= allowed
    if not inside.any():
        if max(below, above) < allowed:
            return Place()
        side: Censored = "below" if below >= above else "above"
        return Place(None, None if below >= allowed else to_size(float(places[-1])),
                     None if above >= allowed else to_size(float(places[0])), side)  # fmt: skip
    first, last = int(np.flatnonzero(inside)[0]), int(np.flatnonzero(inside)[-1])
    plateau = np.flatnonzero(profile >= profile.max() - 0.02)
    estimate = float((places[plateau[0]] + places[plateau[-1]]) / 2)
    low = None if below >= allowed and first == 0 else _cross(places, profile, first, -1, allowed)
    high = None if above >= allowed and last == len(places) - 1 else _cross(places, profile, last, 1, allowed)
    if low is not None and high is not None:
        sizes = np.unique(x)
        gap = int(np.searchsorted(sizes, (low + high) / 2)) - 1
        if 0 <= gap < len(sizes) - 1 and low >= sizes[gap] - 0.03 and high <= sizes[gap + 1] + 0.03:
            middle = float((sizes[gap] + sizes[gap + 1]) / 2)
            flat = profile[(places >= sizes[gap]) & (places <= sizes[gap + 1])]
            if flat.min() >= allowed:
                return Place(to_size(middle), to_size(float(sizes[gap])), to_size(float(sizes[gap + 1])), "gap")
    return Place(
        to_size(estimate), None if low is None else to_size(low), None if high is None else to_size(high)
    )


def _cross(places: Array, profile: Array, index: int, side: int, allowed: float) -> float:
    """Where the profile falls below ``allowed`` beyond ``index``, by straight lines between places."""
    beyond = index + side
    if not 0 <= beyond < len(places) or not math.isfinite(profile[beyond]):
        return float(places[index])
    share = (profile[index] - allowed) / max(profile[index] - profile[beyond], 1e-12)
    return float(places[index] + share * (places[beyond] - places[index]))


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
    data: Data, x: Array, shapes: Shapes, near: Any, found: Array, low: Array, high: Array, target: float,
    generator: np.random.Generator, replicates: int, to_size: Callable[[float], float],
) -> tuple[Place, float]:  # fmt: skip
    """Percentile interval over parametric replicates of the best curve."""
    top = int(found.argmax())
    fitted = low[top] + (high[top] - low[top]) * shapes.values[top]
    simulated = data.simulate(np.repeat(fitted[None, None, :], replicates, axis=1), [generator])
    kept = np.flatnonzero(found >= found.max() - 8)
    chosen = shapes.only(kept)
    at = np.sort(crossing(x, chosen, best_fit(simulated, chosen, kept=3), target))
    none = float(np.mean(~np.isfinite(at)))
    cut = math.floor(replicates * (1 - LEVEL) / 2)
    ends = [float(at[cut]), float(at[replicates - 1 - cut])]
    sizes = [to_size(end) if math.isfinite(end) else None for end in ends]
    return Place(None, sizes[0], sizes[1]), none


def _over(
    x: Array, shapes: Shapes, found: Array, best: float, to_size: Callable[[float], float], what: str
) -> Place | None:
    """The midpoint of logistics and steps, or the break of hinges and steps, with its profile interval."""
    families = (Logistic, Step) if what == "midpoint" else (Hinge, Step)
    column = {Logistic: 1, Step: 0, Hinge: 0}
    allowed = best - float(stats.chi2.ppf(LEVEL, 1)) / 2
    ends: list[tuple[float, float]] = []
    sizes = np.unique(x)
    top: tuple[float, float, float] | None = None
    for index, family in enumerate(shapes.family):
        if family not in families or found[index] < allowed:
            continue
        at = float(shapes.table[index][column[family]])
        left = right = at
        if family is Step:
            left, right = float(sizes[sizes <= at].max()), float(sizes[sizes >= at].min())
        ends.append((left, right))
        if top is None or found[index] > top[0]:
            top = float(found[index]), left, right
    if top is None:
        return None
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    estimate = (top[1] + top[2]) / 2
    outside: Censored | None = "below" if estimate < x.min() else "above" if estimate > x.max() else None
    if outside is None and low == top[1] and high == top[2] and low < high:
        outside = "gap"
    return Place(
        to_size(estimate) if outside in (None, "gap") else None,
        to_size(low) if low >= x.min() else None, to_size(high) if high <= x.max() else None, outside,
    )  # fmt: skip
