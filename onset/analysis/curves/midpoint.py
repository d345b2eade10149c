"""Halfway: the size at which a rising curve is in the middle between its own floor and its own ceiling.

The curve is a logistic in log size with free floor, ceiling and slope (so steep that it holds steps). The interval is
that of the profile likelihood (Venzon and Moolgavkar 1988, Applied Statistics 37, 87-94): the places at which the best
curve *with its middle there* loses at most half a chi-square quantile; with scatter between sizes, which is estimated
whether it is shown or not, half a quantile of F (McCullagh and Nelder 1989, section 4.5). A curve whose ceiling the
sizes do not show may have its middle far beyond them, and the interval then is open on that side.

How many times the parameters one curve takes to be halfway compared with another is the difference d of two midpoints.
Their items differ, so the log-likelihoods add up:

    D(d) = min over m of [deviance_a(m) + deviance_b(m + d)]

Where both curves have the same items, what they have in common is not used, and the interval is rather too wide. The
same models stand behind both curves: what another training run would change is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from onset.analysis.curves.fit import Pattern, search, solve
from onset.analysis.curves.goodness import Fit, fit_of
from onset.analysis.curves.likelihood import FEWEST_FREE, SCATTER, Counts, Data, overdispersion, with_rho
from onset.analysis.curves.series import Scale
from onset.analysis.curves.shapes import Array, Curve, Logistic, unplace
from onset.analysis.curves.threshold import Place
from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.tails import chi2_quantile, f_quantile

REACH = 2.0
"""How many decades beyond the measured sizes a midpoint is looked for."""
_SLOPES = np.log(np.geomspace(0.3, 200.0, 22))
_KEPT = 5
_WIDE, _DENSE = 61, 41
_CLOSER, _ROUNDS = 5, 9
_NEAR = 14.0
_PLATEAU = 0.04
_STEP = 0.02


@dataclass(frozen=True, eq=False)
class Profile:
    """Of the midpoint: ``deviance`` (twice the nats lost against the best) at ``places``, ascending.

    ``curve``: the best logistic; ``fit``: whether the data bear it; ``x``: the places measured; ``free``: degrees of
    freedom of the estimated scatter, None where there is none.
    """

    x: Array
    places: Array
    deviance: Array
    curve: Curve
    fit: Fit
    free: int | None

    @property
    def estimate(self) -> float:
        """The likeliest place; in the middle where several are (a step between two sizes)."""
        top = self.places[self.deviance <= _PLATEAU]
        return float((top[0] + top[-1]) / 2)

    @property
    def within(self) -> bool:
        """Does the midpoint lie between the smallest and the largest size?"""
        return bool(self.x.min() <= self.estimate <= self.x.max())

    def place(self, scale: Scale = "params", level: float = LEVEL) -> Place:
        """Estimate and interval in sizes; what lies beyond the sizes is None."""
        allowed = _quantile(level, self.free)
        ends = [_outward(self._at, allowed, self.estimate, float(end)) for end in (self.places[0], self.places[-1])]
        first, last = float(self.x.min()), float(self.x.max())
        low = None if ends[0] is None or ends[0] < first else unplace(ends[0], scale)
        high = None if ends[1] is None or ends[1] > last else unplace(ends[1], scale)
        if self.within:
            return Place(unplace(self.estimate, scale), low, high)
        if self.estimate < first:
            return Place(None, None, high, "below")
        return Place(None, low, None, "above")

    def _at(self, place: float) -> float:
        return float(np.interp(place, self.places, self.deviance))


def midpoint_profile(data: Data, x: Array, generator: np.random.Generator, *, margin: float) -> Profile:
    """The profile of the midpoint of one row of ``data`` over places ``x``, ascending.

    Scatter between sizes is estimated around the best logistic and taken into the likelihood, shown or not (with four
    sizes there is none to be seen); ``margin``: see `onset.analysis.curves.goodness`.
    """
    places, found, curve = _closer(data, x)
    free = None
    if isinstance(data, Counts):
        scatter = overdispersion(data, np.clip(curve(x), 0.0, 1.0)[None], Logistic.free, level=1.0)
        if scatter[0] > SCATTER:
            free = max(x.size - Logistic.free, FEWEST_FREE)
            places, found, curve = _closer(with_rho(data, scatter), x)
    return Profile(x, places, 2 * (found.max() - found), curve, fit_of(data, x, curve, generator, margin=margin), free)


def _closer(data: Data, x: Array) -> tuple[Array, Array, Curve]:
    """(places, log-likelihood there, the best curve): first over the whole reach, then closer where it is high."""
    low, high = float(x.min()) - REACH, float(x.max()) + REACH
    places = np.unique(np.concatenate([np.linspace(low, high, _WIDE), np.linspace(x.min(), x.max(), _WIDE), x]))
    found, shapes = _profile(data, x, places)
    for _ in range(_CLOSER):
        near = np.flatnonzero(found >= found.max() - _NEAR / 2)
        inner = np.linspace(places[max(near[0] - 1, 0)], places[min(near[-1] + 1, len(places) - 1)], _DENSE)
        more = np.setdiff1d(inner, places)
        if more.size:
            fine, shapes_too = _profile(data, x, more)
            every = np.concatenate([places, more])
            order = np.argsort(every)
            places, found = every[order], np.concatenate([found, fine])[order]
            shapes = np.concatenate([shapes, shapes_too])[order]
        if (found >= found.max() - _NEAR / 2).sum() >= _DENSE / 2:
            break
    top = int(found.argmax())
    slope, floor, ceiling = (float(value) for value in shapes[top])
    return places, found, Logistic(floor, ceiling, slope, float(places[top]))


def _profile(data: Data, x: Array, places: Array) -> tuple[Array, Array]:
    """(log-likelihood; slope, floor, ceiling) of the best rising logistic with its middle at each place."""
    lean = x - places[:, None, None]

    def solved(slopes: Array, iterations: int) -> tuple[Array, Array, Array]:
        values = special.expit(np.exp(slopes) * lean).reshape(1, -1, x.size)
        found, floor, ceiling = solve(data, values, iterations=iterations)
        shape = slopes.shape[:2]
        return found.reshape(shape), floor.reshape(shape), ceiling.reshape(shape)

    def evaluate(slopes: Array) -> tuple[Array, ...]:
        return solved(slopes, 8)

    # one pass ranks the slopes, the nearest are solved exactly
    ranks = solved(np.repeat(_SLOPES[None, :, None], len(places), axis=0), 1)[0]
    nearest = _SLOPES[np.argsort(-ranks, axis=1)[:, :_KEPT], None]
    made, row = evaluate(nearest), np.arange(len(places))
    top = made[0].argmax(axis=1)
    start = tuple(part[row, top] for part in made)
    pattern = Pattern.along([float(_SLOPES[1] - _SLOPES[0])], [(float(_SLOPES[0]), float(_SLOPES[-1]))], 0.5)
    slope, (best, floor, ceiling) = search(nearest[row, top], start, pattern, range(1, _ROUNDS), evaluate)
    return best, np.stack([np.exp(slope[:, 0]), floor, ceiling], axis=1)


def apart(a: Profile, b: Profile, level: float = LEVEL) -> tuple[float, tuple[float | None, float | None]]:
    """(how many times the size of a's midpoint b's is, its interval); an end out of reach is None."""
    free = None if a.free is None and b.free is None else (a.free or b.free or 0) + (b.free or a.free or 0)
    allowed = _quantile(level, free)

    def excess(gap: float) -> float:
        # midpoints of a: its own places, and those that the places of b stand for
        own = a.deviance + np.interp(a.places + gap, b.places, b.deviance)
        other = b.deviance + np.interp(b.places - gap, a.places, a.deviance)
        return min(float(own.min()), float(other.min()))

    best = b.estimate - a.estimate
    ends = float(b.places[0] - a.places[-1]), float(b.places[-1] - a.places[0])
    low, high = (_outward(excess, allowed, best, end) for end in ends)
    return 10**best, (None if low is None else 10**low, None if high is None else 10**high)


def _quantile(level: float, free: int | None) -> float:
    return float(chi2_quantile(level, 1) if free is None else f_quantile(level, 1, free))


def _outward(excess: Callable[[float], float], allowed: float, start: float, end: float) -> float | None:
    """Where the deviance first exceeds ``allowed`` on the way from ``start`` to ``end``; None when it does not."""
    inside = start
    for place in np.linspace(start, end, max(2, math.ceil(abs(end - start) / _STEP)))[1:]:
        if excess(float(place)) > allowed:
            if excess(inside) > allowed:
                return inside
            return float(optimize.brentq(lambda at: excess(at) - allowed, inside, float(place), xtol=1e-5))
        inside = float(place)
    return None
