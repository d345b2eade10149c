"""The smooth null: the best smooth and the best sharp curve of each row, and how often smooth growth looks as sharp.

How the replicates are drawn. A bootstrap from the one best smooth curve rejects too often with few sizes (10 % of true
nulls at a nominal 5 % with 7 sizes of 50 items): four parameters fitted to seven sizes are not the truth. So each
replicate comes from a smooth curve drawn in proportion to its likelihood (posterior predictive p-value under a flat
prior: Meng 1994, Annals of Statistics 22, 1142-1160). `benchmarks/emergence_calibration.py` measures the error rates.

Where sizes scatter more than items can explain (training runs differ), counts are taken as beta-binomial and a note
says so. The scatter is estimated again in every replicate, so its uncertainty is in the p-value. Noise between training
runs that does not show in the data is in no interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from onset.analysis.curves.draws import Draws
from onset.analysis.curves.fit import Best, Refined, best_fit, refine
from onset.analysis.curves.likelihood import Counts, Data, Indices, Mask, joined, overdispersion, with_rho
from onset.analysis.curves.shapes import Array
from onset.analysis.emergence.axis import Axis
from onset.analysis.emergence.settings import Settings

_EQUAL = 1e-9
_BLOCK = 64
"""Replicates of a row that are drawn in one go."""
_TOGETHER = 512
"""About how many replicates are fitted in one go: fits of few cost as much as those of many."""


@dataclass(frozen=True, eq=False)
class Growth:
    """How one curve grows, against smooth growth.

    ``p_value`` with ``replicates``: of "no faster than smooth"; ``p_jump``: see `onset.analysis.emergence.jump`;
    ``rise``: of the best rising curve over the sizes; ``rho``: scatter between sizes where it is shown, else 0;
    ``scatter``: its estimate, shown or not; ``smooth_fit``: the best smooth curve at the sizes.
    """

    p_value: float
    replicates: int
    p_jump: float
    rise: float
    rho: float
    scatter: float
    smooth_fit: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Growing:
    """The best smooth and the best sharp curve of each row, with the scatter between sizes that they leave.

    ``scatter``: the estimate of rho, shown or not (replicates are drawn with it); ``data`` carry it where it is shown.
    """

    data: Data
    sharp: Best
    smooth: Refined
    scatter: Array

    @property
    def ratio(self) -> Array:
        """Log-likelihood ratio against smooth growth, per row."""
        return np.maximum(self.sharp.log_likelihood - self.smooth.log_likelihood, 0.0)

    def shares(self, axis: Axis) -> Array:
        """The better of the two curves at the sizes."""
        better = self.sharp.log_likelihood > self.smooth.log_likelihood
        return np.where(better[:, None], self.sharp.shares(axis.sharp), self.smooth.shares)


def fit_growth(data: Data, axis: Axis, *, any_direction: bool = False, least: Array | None = None) -> Growing:
    """The whole of what is done to a row of counts, observed or simulated.

    ``any_direction``: take scatter around a falling or u-shaped curve where one fits better (replicates all rise);
    ``least``: of each row the ratio that is asked for, where a lower one need not be exact (`_plain`).
    """
    fit = _plain(data, axis, least)
    if not isinstance(data, Counts):
        return fit
    p = best_of_any(data, axis, fit) if any_direction else fit.shares(axis)
    rho = overdispersion(data, p, 4)
    scatter = rho if least is not None else overdispersion(data, p, 4, level=1.0)
    shown = np.flatnonzero(rho > 0)
    if shown.size:
        # with many items the grid of sharp curves is coarse, and what it misses is no scatter
        part = data.take(shown)
        closer = refine(part, axis.x, axis.sharp, fit.sharp.take(shown), axis.sharp_limits).shares
        options = np.stack([p[shown], closer], axis=1)
        p[shown] = options[np.arange(len(shown)), part.log_likelihood(options).argmax(axis=1)]
        scatter[shown] = overdispersion(part, p[shown], 4, level=1.0)
        rho[shown] = overdispersion(part, p[shown], 4)
        shown = np.flatnonzero(rho > 0)
    if not shown.size:
        return replace(fit, scatter=scatter)
    again = _plain(with_rho(data.take(shown), rho[shown]), axis, None if least is None else least[shown])
    found, shares = fit.smooth.log_likelihood.copy(), fit.smooth.shares.copy()
    found[shown], shares[shown] = again.smooth.log_likelihood, again.smooth.shares
    return Growing(with_rho(data, rho), fit.sharp.put(shown, again.sharp), Refined(found, shares), scatter)


def best_of_any(data: Counts, axis: Axis, fit: Growing) -> Array:
    """Shares of the likeliest of the rising, falling and quadratic curves, per row."""
    turned = best_fit(data.turned(), axis.every)
    curved = polynomial(data, axis.x, 2)[0] @ powers(axis.x, 2).T
    options = np.stack([fit.shares(axis), 1 - turned.shares(axis.every), np.clip(curved, 1e-6, 1 - 1e-6)], axis=1)
    best: Array = options[np.arange(len(options)), data.log_likelihood(options).argmax(axis=1)]
    return best


def _plain(data: Data, axis: Axis, least: Array | None) -> Growing:
    """With the scatter as it is.

    A smooth curve that is closed in on only becomes likelier, and the ratio against it smaller: where the nearest shape
    of the grid leaves less than ``least``, and no scatter that would be fitted anew, it stays.
    """
    nearest, scatter = best_fit(data, axis.smooth), np.zeros(len(data.share))
    if least is None:
        smooth = refine(data, axis.x, axis.smooth, nearest, axis.limits)
        return Growing(data, best_fit(data, axis.sharp), smooth, scatter)
    smooth = Refined(nearest.log_likelihood, nearest.shares(axis.smooth))
    rows = np.flatnonzero(may_reach(data, smooth.shares, least))
    sharp = Best(np.full(len(scatter), -np.inf), np.zeros(len(scatter), dtype=np.intp), scatter, scatter)
    if rows.size:
        sharp = sharp.put(rows, best_fit(data.take(rows), axis.sharp))
    fit = Growing(data, sharp, smooth, scatter)
    asked = fit.ratio >= least - _EQUAL
    if isinstance(data, Counts) and not data.rho.any():
        asked |= overdispersion(data, fit.shares(axis), 4) > 0
    rows = np.flatnonzero(asked)
    if rows.size:
        closer = refine(data.take(rows), axis.x, axis.smooth, nearest.take(rows), axis.limits)
        fit.smooth.log_likelihood[rows], fit.smooth.shares[rows] = closer.log_likelihood, closer.shares
    return fit


def may_reach(data: Data, fitted: Array, least: Array) -> Mask:
    """Of which rows may a curve be likelier than ``fitted`` (rows x sizes) by ``least`` nats, whichever curve it is?

    Where a share of its own at every size is not, none is; where sizes seem to scatter around ``fitted``, it is open.
    """
    if isinstance(data, Counts) and data.rho.any():
        return np.ones(len(least), dtype=np.bool_)
    found = data.log_likelihood(np.stack([data.share, fitted], axis=1))
    out: Mask = found[:, 0] - found[:, 1] >= least - _EQUAL
    return out | (overdispersion(data, fitted, 4) > 0) if isinstance(data, Counts) else out


def test_smooth(fit: Growing, axis: Axis, keys: Sequence[int], settings: Settings) -> tuple[Array, Array]:
    """(p, replicates used) of "no faster than smooth", per row."""
    model = with_rho(fit.data, fit.scatter) if isinstance(fit.data, Counts) else fit.data

    def statistic(replicates: Data, least: Array) -> Array:
        return fit_growth(replicates.plain(), axis, least=least).ratio

    generators = [np.random.default_rng([key, 1]) for key in keys]
    draws = Draws.of(fit.data, axis.smooth)
    return sequential(model, draws.shares, fit.ratio, statistic, generators, settings)


def sequential(
    data: Data,
    null: Callable[[int, int, np.random.Generator], Array],
    observed: Array,
    statistic: Callable[[Data, Array], Array],
    generators: Sequence[np.random.Generator],
    settings: Settings,
) -> tuple[Array, Array]:
    """Sequential Monte Carlo p-values: h / l when the h-th exceedance comes at replicate l, else (g + 1) / (n + 1).

    ``statistic``: of replicates, and of each the value that was observed; what is lower need not be exact.
    """
    rows = len(observed)
    p, used, hits = np.ones(rows), np.zeros(rows), np.zeros(rows)
    active: Indices = np.flatnonzero(observed > 1e-6)
    done = 0
    while active.size and done < settings.replicates:
        chosen = [generators[int(row)] for row in active]
        blocks = _blocks(done, len(active), settings)
        size, asked = sum(blocks), observed[active]
        values = statistic(_replicates(data.take(active), active, null, chosen, blocks), np.repeat(asked, size))
        above = values.reshape(len(active), size) >= asked[:, None] - _EQUAL
        counted = hits[active, None] + above.cumsum(axis=1)
        stopped = counted >= settings.exceedances
        ends = stopped.any(axis=1)
        first = stopped.argmax(axis=1) + 1
        used[active] = done + np.where(ends, first, size)
        hits[active] = counted[:, -1]
        p[active] = np.where(ends, settings.exceedances / used[active], (hits[active] + 1) / (used[active] + 1))
        active = active[~ends]
        done += size
    return p, used


def _blocks(done: int, rows: int, settings: Settings) -> list[int]:
    """How many replicates to draw next, block by block; after the first hundreds several blocks at once."""
    if not done:
        return [min(24, settings.replicates)]
    count = max(1, min(_TOGETHER // (_BLOCK * rows), done // (2 * _BLOCK)))
    ends = [min(done + _BLOCK * block, settings.replicates) for block in range(count + 1)]
    return [after - before for before, after in pairwise(ends) if after > before]


def _replicates(
    data: Data,
    rows: Indices,
    null: Callable[[int, int, np.random.Generator], Array],
    generators: Sequence[np.random.Generator],
    blocks: Sequence[int],
) -> Data:
    """Replicates of ``data``, row by row; each row draws one block after the other from its own generator."""
    made = []
    for index, (row, generator) in enumerate(zip(rows, generators, strict=True)):
        one = data.take(np.array([index]))
        made += [one.simulate(null(int(row), size, generator)[None], [generator]) for size in blocks]
    return joined(made)


def powers(x: Array, degree: int) -> Array:
    """The basis of `polynomial`: places x powers 0 to ``degree`` of the distance from the middle."""
    out: Array = (x - x.mean())[:, None] ** np.arange(degree + 1)[None, :]
    return out


def polynomial(data: Data, x: Array, degree: int) -> tuple[Array, Array, Array]:
    """Polynomial of the share in x (identity link): coefficients, covariances, log-likelihoods, per row."""
    basis = powers(x, degree)
    weight = data.start_weight()
    for _ in range(4):
        information = np.einsum("rs,si,sj->rij", weight, basis, basis)
        moment = np.einsum("rs,si,rs->ri", weight, basis, data.share)
        coefficients = np.linalg.solve(information, moment[:, :, None])[:, :, 0]
        fitted = coefficients @ basis.T
        weight = data.weight(np.clip(fitted, 0.005, 0.995)[:, None, :])[:, 0] if data.bounded else weight
    found = data.log_likelihood(fitted[:, None, :])[:, 0]
    return coefficients, np.linalg.inv(information), found
