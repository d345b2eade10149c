"""Does a curve change over its sizes at all, in which direction, and is it a valley?

The best rising, falling or quadratic curve against none, by replicates of no change; a valley by the test of Lind and
Mehlum (2010, "With or Without U?", Oxford Bulletin of Economics and Statistics 72, 109-118) and by how far it beats
every monotone curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from onset.analysis.curves.fit import best_fit
from onset.analysis.curves.likelihood import Counts, Data, Indices, constant_fit, overdispersion, unturned, with_rho
from onset.analysis.curves.shapes import Array
from onset.analysis.emergence.axis import Axis
from onset.analysis.emergence.settings import Settings
from onset.analysis.emergence.smooth import Growing, best_of_any, may_reach, polynomial, powers, sequential

_SURE = 1e-5
"""p of a change that no replicate could show."""
_REPLICATES = 999
_TIED = 1e-6
"""Nats within which a rising and a falling curve are as likely: the same constant, with rounding."""
_KEPT = 60
"""Shapes solved exactly where the best has to be found: the first pass misranks them where shares are near 0 or 1."""


@dataclass(frozen=True, eq=False)
class Change:
    """Of one curve over its sizes. ``p_value``, ``q_value``: of no change at all, alone and among all curves;
    ``direction``: 1 where a rising curve is the likelier, else -1; ``change`` and its one-sided ends ``range``: of a
    straight line; ``fall``: of the best falling curve; ``u_shaped``: by the slopes at both ends, ``p_valley``: by
    replicates of the best monotone curve.
    """

    p_value: float
    q_value: float
    direction: int
    change: float
    range: tuple[float, float]
    fall: float
    u_shaped: bool
    p_valley: float


def changes(
    data: Data, axis: Axis, fit: Growing, keys: Sequence[int], shares: Sequence[bool], settings: Settings
) -> list[Change]:
    """Change over the sizes: its test, direction and range, and whether it is u-shaped."""
    plain = data.plain()
    level = constant_fit(plain)[1]
    up = np.maximum(fit.sharp.log_likelihood, fit.smooth.log_likelihood)
    falling = best_fit(data.turned(), axis.every)
    down, falls = falling.log_likelihood, np.ptp(falling.shares(axis.every), axis=1)

    def statistic(replicates: Data, least: Array) -> Array:
        flat = np.repeat(constant_fit(replicates)[1][:, None], axis.x.size, axis=1)
        out, rows = np.zeros(len(least)), np.flatnonzero(may_reach(replicates, flat, least))
        if rows.size:
            out[rows] = _change_ratio(replicates.take(rows), axis)
        return out

    fitted = best_of_any(plain, axis, fit) if isinstance(plain, Counts) else fit.shares(axis)
    observed = _change_ratio(plain, axis, fitted)
    rows = len(observed)
    # more than 12 nats are beyond any search over these shapes: 1e-8 before a factor of some hundred
    p = np.full(rows, _SURE)
    open_rows = np.flatnonzero(observed <= 12)

    if open_rows.size:
        sizes = data.share.shape[1]

        def flat(row: int, times: int, generator: np.random.Generator) -> Array:
            at = int(open_rows[row])
            if isinstance(plain, Counts):
                return _scattered(plain.right[at], plain.n[at], float(level[at]), fitted[at], times, generator)
            return np.full((times, sizes), level[at])

        generators = [np.random.default_rng([keys[int(row)], 2]) for row in open_rows]
        more = replace(settings, replicates=max(settings.replicates, _REPLICATES))
        p[open_rows] = sequential(plain.take(open_rows), flat, observed[open_rows], statistic, generators, more)[0]
    linear = polynomial(data, axis.x, 1)
    curved = polynomial(data, axis.x, 2)
    width = float(np.ptp(axis.x))
    valley = [
        _u_shaped(axis.x, curved, row, float(max(up[row], down[row])), settings, shares[row]) for row in range(rows)
    ]
    p_valley = np.ones(rows)
    valleys = np.flatnonzero(valley)
    if valleys.size:
        rising = np.where((up >= down)[:, None], fit.shares(axis), unturned(data, falling.shares(axis.every)))
        beaten = curved[2] - np.maximum(up, down)
        p_valley[valleys] = _test_valley(
            data.take(valleys), axis, rising[valleys], beaten[valleys], keys, valleys, settings
        )
    slope, error = linear[0][:, 1], np.sqrt(linear[1][:, 1, 1])
    reach = float(special.ndtri(1 - settings.level)) * error
    return [
        Change(
            p_value=float(p[row]),
            q_value=1.0,
            direction=1 if up[row] >= down[row] - _TIED else -1,
            change=float(slope[row]) * width,
            range=((float(slope[row]) - float(reach[row])) * width, (float(slope[row]) + float(reach[row])) * width),
            fall=float(falls[row]),
            u_shaped=bool(valley[row]),
            p_valley=float(p_valley[row]),
        )
        for row in range(rows)
    ]


def _test_valley(
    data: Data, axis: Axis, monotone: Array, beaten: Array, keys: Sequence[int], rows: Indices, settings: Settings
) -> Array:
    """The p of a quadratic beating every monotone curve by as much: replicates of the best monotone one.

    With few items the slopes of Lind and Mehlum's test are far from normal. ``beaten``: nats, as measured.
    """

    def statistic(replicates: Data, least: Array) -> Array:
        rising = best_fit(replicates, axis.every, kept=_KEPT)
        falling = best_fit(replicates.turned(), axis.every, kept=_KEPT)
        most = np.maximum(rising.log_likelihood, falling.log_likelihood)
        out: Array = polynomial(replicates, axis.x, 2)[2] - most
        return out

    def null(row: int, times: int, generator: np.random.Generator) -> Array:
        return np.repeat(monotone[row][None], times, axis=0)

    generators = [np.random.default_rng([keys[int(row)], 5]) for row in rows]
    more = replace(settings, replicates=max(settings.replicates, _REPLICATES))
    return sequential(data, null, np.minimum(beaten, statistic(data, beaten)), statistic, generators, more)[0]


def _scattered(
    right: Array, n: Array, level: float, fitted: Array, times: int, generator: np.random.Generator
) -> Array:
    """``times`` x sizes: shares of no change, with scatter between sizes drawn from what the counts say of it.

    Pearson's statistic around the best curve, over the scatter's factor 1 + (n - 1) rho, is about chi-square with four
    degrees of freedom fewer than sizes: each replicate takes one draw of that (a flat prior, as for the smooth
    curves). Around no change, a jump would be taken for scatter.
    """
    around, inside = np.clip(fitted, 1e-6, 1 - 1e-6), min(max(level, 1e-6), 1 - 1e-6)
    used = np.minimum(n * around, n * (1 - around)) >= 1
    statistic = float(((right - n * around) ** 2 / (n * around * (1 - around)))[used].sum())
    factor = statistic / generator.chisquare(max(int(used.sum()) - 4, 1), times)
    rho = np.clip((factor - 1) / max(float(n.mean()) - 1, 1.0), 0.0, 0.95)[:, None]
    size = (1 - rho) / np.maximum(rho, 1e-9)
    spread = generator.beta(np.maximum(inside * size, 1e-6), np.maximum((1 - inside) * size, 1e-6), (times, len(n)))
    return np.where(rho > 1e-6, spread, level)


def _change_ratio(data: Data, axis: Axis, around: Array | None = None) -> Array:
    """Log-likelihood ratio of the best rising, falling or quadratic curve against none, with the scatter it leaves.

    ``around``: shares of a closer fit to take the scatter from (rows x sizes); what a coarse one misses is no scatter.
    """
    rising, falling = best_fit(data, axis.coarse), best_fit(data.turned(), axis.coarse)
    coefficients, _, curved = polynomial(data, axis.x, 2)
    found = np.stack([rising.log_likelihood, falling.log_likelihood, curved])
    ratio = found.max(axis=0) - constant_fit(data)[0]
    if isinstance(data, Counts) and not data.rho.any():
        arch = coefficients @ powers(axis.x, 2).T
        options = np.stack([rising.shares(axis.coarse), 1 - falling.shares(axis.coarse), np.clip(arch, 1e-6, 1 - 1e-6)])
        chosen = options[found.argmax(axis=0), np.arange(len(ratio))] if around is None else around
        rho = overdispersion(data, chosen, 4)
        shown = np.flatnonzero(rho > 0)
        if shown.size:
            ratio[shown] = _change_ratio(with_rho(data.take(shown), rho[shown]), axis)
    out: Array = np.maximum(ratio, 0.0)
    return out


def _u_shaped(
    x: Array, curved: tuple[Array, Array, Array], row: int, monotone: float, settings: Settings, bounded: bool
) -> bool:
    """Lind and Mehlum's test: the slope is negative at the smallest size and positive at the largest."""
    coefficients, covariance, found = curved[0][row], curved[1][row], float(curved[2][row])
    if found < monotone + settings.support:
        return False
    centred = x - x.mean()
    for end, sign in ((float(centred[0]), -1.0), (float(centred[-1]), 1.0)):
        gradient = np.array([0.0, 1.0, 2 * end])
        slope = float(gradient @ coefficients)
        error = math.sqrt(float(gradient @ covariance @ gradient))
        if special.ndtr(-sign * slope / error) > settings.level:
            return False
    bottom = -coefficients[1] / (2 * coefficients[2])
    arms = [coefficients[2] * (float(end) - bottom) ** 2 for end in (centred[0], centred[-1])]
    return bool(min(arms) >= (settings.margin if bounded else 0.0))
