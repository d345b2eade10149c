"""Halfway: the size at which a rising curve is in the middle between its own floor and its own ceiling.

The curve is a logistic in log size with free floor, ceiling and slope (so steep that it holds steps); the profile is
that of the best curve *with its middle at a place* (`onset.analysis.curves.place`). Scatter between sizes is estimated
whether it is shown or not. A curve whose ceiling the sizes do not show may have its middle far beyond them, and the
interval then is open on that side.

All curves over the same sizes are searched together, each (curve, place) a row: the slopes of a grid are ranked by the
likelihood after one weighted least-squares pass, the nearest few are solved, and where a place may enter an interval
the slope is closed in on by parabolas through three of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from onset.analysis.curves.fit import solve
from onset.analysis.curves.goodness import Fit, fit_of
from onset.analysis.curves.likelihood import FEWEST_FREE, SCATTER, Counts, Data, Indices, overdispersion, with_rho
from onset.analysis.curves.place import Profile, profiles
from onset.analysis.curves.series import Scale
from onset.analysis.curves.shapes import Array, Curve, Logistic

REACH = 2.0
"""How many decades beyond the measured sizes a midpoint is looked for."""
_SLOPES = np.log(np.geomspace(0.3, 200.0, 22))
_GRID = float(_SLOPES[1] - _SLOPES[0])
_KEPT = 3
_ROWS = 400
"""Rows ranked in one go, few enough to stay in the processor's cache."""
_WIDE, _DENSE = 61, 41
_CLOSER, _ROUNDS = 5, 4
_SHRINK = 0.4
_NEAR = 7.0
"""Nats up to which a place's deviance has to be exact, and within which places are dense."""
_SLACK = 5.0
"""Nats by which a slope that is not closed in on may be too low."""


@dataclass(frozen=True, eq=False)
class Midpoint:
    """``profile`` of the midpoint; ``curve``: the best logistic; ``fit``: whether the data bear it."""

    profile: Profile
    curve: Curve
    fit: Fit


def midpoints(
    data: Data, x: Array, generators: Sequence[np.random.Generator], *, margin: float, scale: Scale = "params"
) -> list[Midpoint]:
    """The midpoint of each row of ``data`` over places ``x``, ascending.

    Scatter between sizes is estimated around the best logistic and taken into the likelihood, shown or not (with four
    sizes there is none to be seen); ``margin``: see `onset.analysis.curves.goodness`.
    """
    if not len(data.share):
        return []
    found = _searched(data, x)
    free: list[int | None] = [None] * len(found)
    if isinstance(data, Counts):
        fitted = np.array([np.clip(curve(x), 0.0, 1.0) for _, _, curve in found])
        scatter = overdispersion(data, fitted, Logistic.free, level=1.0)
        rows = np.flatnonzero(scatter > SCATTER)
        if rows.size:
            for row, again in zip(rows.tolist(), _searched(with_rho(data.take(rows), scatter[rows]), x), strict=True):
                found[row], free[row] = again, max(x.size - Logistic.free, FEWEST_FREE)
    made = []
    for row, ((places, likely, curve), generator) in enumerate(zip(found, generators, strict=True)):
        profile = Profile(places, 2 * (likely.max() - likely), x, scale, free[row])
        fit = fit_of(data.take(np.array([row])), x, curve, generator, margin=margin)
        made.append(Midpoint(profile, curve, fit))
    return made


def _searched(data: Data, x: Array) -> list[tuple[Array, Array, Curve]]:
    """(places, log-likelihood there, the best curve): first over the whole reach, then closer where it is high."""
    low, high = float(x.min()) - REACH, float(x.max()) + REACH
    places = np.unique(np.concatenate([np.linspace(low, high, _WIDE), np.linspace(x.min(), x.max(), _WIDE), x]))
    rows = len(data.share)
    found = profiles(
        lambda row, place: _likelihood(data, x, row, place), [places] * rows, near=_NEAR, dense=_DENSE, rounds=_CLOSER
    )
    made = []
    for at, likely, shape in found:
        top = int(likely.argmax())
        slope, floor, ceiling = (float(value) for value in shape[top])
        made.append((at, likely, Logistic(floor, ceiling, slope, float(at[top]))))
    return made


def _likelihood(data: Data, x: Array, row: Indices, place: Array) -> tuple[Array, Array]:
    """(log-likelihood; slope, floor, ceiling) of the best rising logistic of each row with its middle at each place."""
    parts = [
        _ranked(data.take(row[start : start + _ROWS]), x - place[start : start + _ROWS, None])
        for start in range(0, len(row), _ROWS)
    ]
    best, gain = np.concatenate([one for one, _ in parts]), np.concatenate([one for _, one in parts])
    highest = np.full(len(data.share), -np.inf)
    np.maximum.at(highest, row, best[:, 0])
    near = np.flatnonzero(best[:, 0] + gain >= highest[row] - _NEAR - _SLACK)
    best[near] = _closer(data.take(row[near]), (x - place[:, None])[near], best[near])
    return best[:, 0], np.column_stack([np.exp(best[:, 1]), best[:, 2:]])


def _ranked(data: Data, lean: Array) -> tuple[Array, Array]:
    """The best slope of the grid for each row: (log-likelihood, log slope, floor and ceiling, rows x 4; what a slope
    between those of the grid may gain, rows).
    """
    unit = special.expit(np.exp(_SLOPES)[:, None] * lean[:, None, :])
    rank, index = solve(data, unit, iterations=0)[0], np.arange(len(lean))
    nearest = np.argpartition(-rank, _KEPT - 1, axis=1)[:, :_KEPT]
    found, floor, ceiling = solve(data, unit[index[:, None], nearest], iterations=3)
    top = found.argmax(axis=1)
    chosen = nearest[index, top]
    middle = np.clip(chosen, 1, len(_SLOPES) - 2)
    # a parabola through three neighbours is an eighth of its bend higher half way between two of them, at most
    bend = np.abs(rank[index, middle - 1] - 2 * rank[index, middle] + rank[index, middle + 1])
    return np.stack([found[index, top], _SLOPES[chosen], floor[index, top], ceiling[index, top]], axis=1), bend / 4


def _closer(data: Data, lean: Array, best: Array) -> Array:
    """Close in on the slope of each row; ``best``: log-likelihood, log slope, floor and ceiling (rows x 4)."""
    bounds = float(_SLOPES[0]), float(_SLOPES[-1])

    def evaluate(slopes: Array) -> Array:
        """Rows x tries -> rows x tries x 4."""
        slopes = np.clip(slopes, *bounds)
        solved = solve(data, special.expit(np.exp(slopes)[..., None] * lean[:, None, :]), iterations=4)
        return np.stack([solved[0], slopes, *solved[1:]], axis=2)

    index, step = np.arange(len(best)), _GRID / 2
    for _ in range(_ROUNDS):
        sides = evaluate(best[:, 1, None] + np.array([-step, step]))
        bend = sides[:, 0, 0] - 2 * best[:, 0] + sides[:, 1, 0]
        shift = step / 2 * (sides[:, 0, 0] - sides[:, 1, 0]) / np.where(bend < 0, bend, -1e-9)
        tip = evaluate((best[:, 1] + np.clip(shift, -step, step))[:, None])
        every = np.concatenate([best[:, None], sides, tip], axis=1)
        best = every[index, every[:, :, 0].argmax(axis=1)]
        step *= _SHRINK
    return best
