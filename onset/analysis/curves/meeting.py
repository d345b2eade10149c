"""Where does one curve overtake another? Two curves over the same sizes, fitted together.

Both curves are rising logistics in log size, each with a free floor, ceiling and slope (so steep that they hold steps),
fitted by maximum likelihood. The meeting place N* is the size from which on the second curve stays ahead of the first.
The profile is that of the best pair of curves *forced to be equal at a place*, with the second one not behind at the
largest size (`onset.analysis.curves.place`). As with Fieller's (1954, "Some Problems in Interval Estimation", JRSS B
16, 175-185) interval for a ratio, the set may run off the sizes, and will where both methods are at chance below some
size: such an end is None. Scatter between sizes is estimated and taken into the likelihood, shown or not; and where the
data reject either curve (`onset.analysis.curves.goodness`) no place is said. Items that both methods share make the two
curves rise and fall together, which the profile does not know; it is then too wide rather than too narrow.

Beside it stands a bootstrap of the sign pattern of the fitted difference: counts are drawn from the fitted curves. A
replicate ahead at every size meets below the sizes, one that is not ahead at the largest size beyond them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from onset.analysis.curves.fit import Shapes, best_fit
from onset.analysis.curves.goodness import fit_of
from onset.analysis.curves.likelihood import FEWEST_FREE, SCATTER, Counts, Data, Indices, overdispersion, with_rho
from onset.analysis.curves.place import Place, Profile, percentiles, profiles
from onset.analysis.curves.series import Scale
from onset.analysis.curves.shapes import STEEPEST, Array, Logistic, logistics
from onset.analysis.curves.shapes import Curve as FittedCurve
from onset.analysis.stats.adjust import MARGIN
from onset.records import derive_seed

REPLICATES = 400
_PLACES = 24
_NEAR = 8.0
_TURNS = 14
_SLOPES = (math.log(0.15), math.log(200.0))
_PARTS = (-9.0, 9.0)
_OTHERS = ((math.log(1.0), -1.0), (math.log(4.0), -3.0), (math.log(20.0), 2.0))
_MEMBERS = (np.array([0, 1, 2, 6]), np.array([3, 4, 5, 6]))


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where two fitted curves meet: ``place`` (sizes, profile interval; nothing where no size is excluded), the
    ``bootstrap`` interval beside it, and the shares of replicates that are ahead at ``every`` size and not ahead at the
    largest (``none``). ``misfits``: the sides (0: first, 1: second) whose curve the data reject; nothing else is said
    then.
    """

    place: Place = field(default_factory=Place)
    bootstrap: Place = field(default_factory=Place)
    every: float = math.nan
    none: float = math.nan
    misfits: tuple[int, ...] = ()


def meet(
    a: Data,
    b: Data,
    x: Array,
    *,
    scale: Scale = "params",
    replicates: int = REPLICATES,
    margin: float = MARGIN,
) -> Meeting:
    """Where the curve of ``b`` overtakes that of ``a`` (one row each) over places ``x``, ascending.

    ``replicates``: of both curves, 0: no bootstrap; ``margin``: see `onset.analysis.curves.goodness`. Equal data give
    equal results: the seed follows from them.
    """
    sides = [_Side.of(data, x) for data in (a, b)]
    key = derive_seed("crossing", *(f"{value:.9g}" for side in sides for value in side.data.share[0]))
    fits = [fit_of(side.data, x, side.curve(), np.random.default_rng([key, 1]), margin=margin) for side in sides]
    misfits = tuple(index for index, fit in enumerate(fits) if not fit.drawn)
    if misfits:
        return Meeting(misfits=misfits)
    found = _profile(sides, x, scale).interval()
    if found.low is None and found.high is None:  # no place is excluded: the likeliest says nothing
        found = Place()
    if not replicates:
        return Meeting(found)
    generator = np.random.default_rng(key)
    fitted = [np.repeat(side.at(x)[None, None], replicates, 1) for side in sides]
    simulated = [side.data.simulate(p, [generator]) for side, p in zip(sides, fitted, strict=True)]
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


def _profile(sides: Sequence[_Side], x: Array, scale: Scale) -> Profile:
    """Of where the curves meet. What is beyond the sizes is as likely as meeting at the first or the last of them, and
    the best curves themselves where they do not meet within the sizes.
    """
    places = np.unique(np.concatenate([np.linspace(float(x.min()), float(x.max()), _PLACES), x]))
    met = _overtakes((sides[1].at(places) - sides[0].at(places))[None], places)
    places = np.unique(np.concatenate([places, met[np.isfinite(met)]]))

    def evaluate(rows: Indices, places: Array) -> tuple[Array]:
        return (_forced(sides[0], sides[1], x, places),)

    ((places, found),) = profiles(evaluate, [places], near=_NEAR, dense=_PLACES, rounds=1)
    apart = sides[0].log_likelihood + sides[1].log_likelihood
    best = max(apart, float(found.max()))
    beyond = float(_overtakes((sides[1].at(places) - sides[0].at(places))[None], places)[0])
    below = max(float(found[0]), apart if beyond == -math.inf else -math.inf)
    above = max(float(found[-1]), apart if beyond == math.inf else -math.inf)
    return Profile(places, 2 * (best - found), x, scale, _free(sides), 2 * (best - below), 2 * (best - above))


def _free(sides: Sequence[_Side]) -> int | None:
    """Degrees of freedom of the scatter that was estimated, None where there is none."""
    if not any(isinstance(side.data, Counts) and side.data.rho.any() for side in sides):
        return None
    return max(2 * int(sides[0].data.share.shape[1]) - 8, FEWEST_FREE)


def _forced(a: _Side, b: _Side, x: Array, places: Array) -> Array:
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


def _bootstrap(found: Place, simulated: Sequence[Data], x: Array, scale: Scale) -> Meeting:
    """Percentile interval of where the difference of refitted curves turns and stays above 0."""
    places = np.linspace(float(x.min()), float(x.max()), 161)
    first, second = (_curve(_fit(data, x)[1], places, _middle(x))[:, 0] for data in simulated)
    at = np.sort(_overtakes(second - first, places))
    return Meeting(
        found, percentiles(at, places, scale), float(np.mean(at == -math.inf)), float(np.mean(at == math.inf))
    )
