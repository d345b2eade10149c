"""What is known at each size: counts or scores, how likely they are under a curve, and their scatter between sizes.

Likelihoods: binomial on counts; beta-binomial with intra-size correlation rho where sizes are overdispersed (Williams
1982, "Extra-binomial variation in logistic linear models", Applied Statistics 31, 144-148: variance
n p (1 - p) (1 + (n - 1) rho)); Gaussian with known standard errors where only a score and its error are given.

Tables are rows x sizes: rows are curves over the same sizes, or bootstrap replicates of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis.curves.shapes import Array
from onset.analysis.stats.tails import chi2_quantile, f_quantile
from onset.errors import InputError

Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

SCATTER = 1e-6
"""Intra-size correlation up to which there is no scatter."""
FEWEST_FREE = 3
"""Degrees of freedom below which the quantile of F would say no more than that nothing is known of the scatter."""
_EPS = 1e-9
_ITERATIONS = 4
_NO_LESS = 1e-5
"""Shares nearer to 0 or 1 than this get the weight of this share."""


def within(p: Array, low: float, high: float) -> Array:
    """``p`` cut to low..high (as `numpy.clip`, which takes longer to begin)."""
    out: Array = np.maximum(p, low)
    return np.minimum(out, high, out=out)


def along(table: Array, axis: int) -> Array:
    """A table (rows x sizes) to stand beside rows x fits x sizes (axis -1) or sizes x fits x rows (axis 0)."""
    return table[:, None, :] if axis else np.ascontiguousarray(table.T)[:, None, :]


@dataclass(frozen=True, eq=False)
class Counts:
    """``right`` of ``n`` (both rows x sizes, n >= 1); ``rho``: intra-size correlation of each row, 0: binomial."""

    right: Array
    n: Array
    rho: Array

    bounded = True

    @property
    def share(self) -> Array:
        """Observed shares, rows x sizes."""
        out: Array = self.right / self.n
        return out

    def start_weight(self) -> Array:
        """Weights for the first pass: inverse variances at shares drawn in from 0 and 1 (Agresti and Coull 1998)."""
        drawn = (self.right + 1) / (self.n + 2)
        return self.weight(drawn[:, None, :])[:, 0, :]

    @cached_property
    def scattered(self) -> Mask:
        """Of which rows sizes scatter."""
        return self.rho > SCATTER

    @cached_property
    def _tables(self) -> dict[int, tuple[Array, Array, Array]]:
        """Right, wrong and all outcomes, as `along` sets them beside fits."""
        return {
            axis: (along(self.right, axis), along(self.n - self.right, axis), along(self.n, axis)) for axis in (-1, 0)
        }

    def weight(self, p: Array, axis: int = -1) -> Array:
        """Inverse variance of a share: as ``p``, whose sizes lie along ``axis`` (see `along`)."""
        n = self._tables[axis][2]
        inside = within(p, _NO_LESS, 1 - _NO_LESS)
        out: Array = 1 - inside
        out *= inside
        if self.rho.any():
            out *= 1 + (n - 1) * along(self.rho[:, None], axis)
        return np.divide(n, out, out=out)

    def log_likelihood(self, p: Array, axis: int = -1) -> Array:
        """Of shares ``p``, nats, without the binomial coefficients; sizes lie along ``axis``, which is summed over."""
        scattered = self.scattered
        if scattered.any() and not scattered.all():
            mixed = np.empty(p.shape[:-1] if axis else p.shape[1:])
            for rows in (np.flatnonzero(scattered), np.flatnonzero(~scattered)):
                mixed[rows if axis else (..., rows)] = self.take(rows).log_likelihood(
                    p[rows] if axis else p[..., rows], axis
                )
            return mixed
        inside = within(p, _EPS, 1 - _EPS)
        right, wrong, _ = self._tables[axis]
        if not scattered.any():
            terms = np.log(inside)
            terms *= right
            np.negative(inside, out=inside)
            np.log1p(inside, out=inside)
            inside *= wrong
            terms += inside
        else:
            size = (1 - self.rho[:, None]) / self.rho[:, None]
            whole = along(special.gammaln(size) - special.gammaln(self.n + size), axis)
            a, b = inside * along(size, axis), (1 - inside) * along(size, axis)
            terms = special.gammaln(right + a) - special.gammaln(a)
            terms += special.gammaln(wrong + b) - special.gammaln(b) + whole
        out: Array = terms.sum(axis=axis)
        return out

    def take(self, rows: Indices) -> Counts:
        """Some of the rows."""
        return Counts(self.right[rows], self.n[rows], self.rho[rows])

    def turned(self) -> Counts:
        """Right and wrong exchanged: falling curves become rising ones."""
        return Counts(self.n - self.right, self.n, self.rho)

    def plain(self) -> Counts:
        """Without scatter."""
        return Counts(self.right, self.n, np.zeros(len(self.rho)))

    def simulate(self, p: Array, generators: Sequence[np.random.Generator]) -> Counts:
        """One replicate of its row for each of the shares ``p`` (rows x times x sizes): rows * times, row by row."""
        drawn = []
        for row, generator in enumerate(generators):
            share = np.clip(p[row], 0.0, 1.0)
            rho = float(self.rho[row])
            if rho > SCATTER:
                size = (1 - rho) / rho
                share = generator.beta(np.maximum(share * size, 1e-6), np.maximum((1 - share) * size, 1e-6))
            drawn.append(generator.binomial(self.n[row].astype(np.int64)[None, :], share))
        times = p.shape[1]
        return Counts(
            np.concatenate(drawn).astype(np.float64),
            np.repeat(self.n, times, axis=0),
            np.repeat(self.rho, times),
        )


@dataclass(frozen=True, eq=False)
class Scores:
    """``value`` with known standard error ``error`` (rows x sizes)."""

    value: Array
    error: Array

    bounded = False

    @property
    def share(self) -> Array:
        """The scores themselves."""
        return self.value

    def start_weight(self) -> Array:
        """Inverse variances, rows x sizes."""
        return 1 / self.error**2

    def weight(self, p: Array, axis: int = -1) -> Array:
        """Inverse variances, as ``p``, whose sizes lie along ``axis`` (see `along`)."""
        out: Array = np.broadcast_to(along(1 / self.error**2, axis), p.shape)
        return out

    def log_likelihood(self, p: Array, axis: int = -1) -> Array:
        """Of values ``p``, nats, without the constant; sizes lie along ``axis``, which is summed over."""
        out: Array = -0.5 * (((along(self.value, axis) - p) / along(self.error, axis)) ** 2).sum(axis=axis)
        return out

    def take(self, rows: Indices) -> Scores:
        """Some of the rows."""
        return Scores(self.value[rows], self.error[rows])

    def turned(self) -> Scores:
        """The other way up: falling curves become rising ones."""
        return Scores(-self.value, self.error)

    def plain(self) -> Scores:
        """Scores have no scatter beside their errors."""
        return self

    def simulate(self, p: Array, generators: Sequence[np.random.Generator]) -> Scores:
        """One replicate of its row for each of the scores ``p`` (rows x times x sizes): rows * times, row by row."""
        drawn = [
            p[row] + self.error[row] * generator.standard_normal(p.shape[1:])
            for row, generator in enumerate(generators)
        ]
        return Scores(np.concatenate(drawn), np.repeat(self.error, p.shape[1], axis=0))


Data = Counts | Scores


def counts(right: Array, n: Array) -> Counts:
    """Binomial counts, rows x sizes. Raises InputError for impossible ones."""
    right, n = np.atleast_2d(np.asarray(right, dtype=np.float64)), np.atleast_2d(np.asarray(n, dtype=np.float64))
    if right.shape != n.shape or (n < 1).any() or (right < 0).any() or (right > n).any():
        raise InputError("counts: expected 0 <= right <= n and n >= 1 at every size")
    return Counts(right, n, np.zeros(len(right)))


def joined(parts: Sequence[Data]) -> Data:
    """The rows of all ``parts``, one after the other; all are counts or all are scores."""
    kind = type(parts[0])
    columns = ([getattr(part, name) for part in parts] for name in kind.__dataclass_fields__)
    return kind(*(np.concatenate(some) for some in columns))


def unturned(data: Data, fitted: Array) -> Array:
    """Values fitted to turned data as values of the data themselves."""
    out: Array = 1 - fitted if data.bounded else -fitted
    return out


def constant_fit(data: Data) -> tuple[Array, Array]:
    """(log-likelihood, level) of the best constant, per row."""
    level = np.average(data.share, axis=1, weights=data.n if isinstance(data, Counts) else data.start_weight())
    if isinstance(data, Counts) and data.rho.any():
        for _ in range(_ITERATIONS):
            weight = data.weight(np.repeat(level[:, None, None], data.n.shape[1], axis=2))[:, 0]
            level = np.average(data.share, axis=1, weights=weight)
    shares = np.repeat(level[:, None, None], data.share.shape[1], axis=2)
    return data.log_likelihood(shares)[:, 0], level


# ---- scatter --------------------------------------------------------------------------------------------------------


def overdispersion(data: Counts, p: Array, free: int, *, level: float = 0.05) -> Array:
    """Intra-size correlation rho of each row around fitted shares ``p`` (rows x sizes), 0 where none is shown.

    Shown where Pearson's statistic, over the sizes that expect at least one right and one wrong answer, exceeds its
    chi-square quantile at ``level`` (1: take whatever is estimated); then rho solves "statistic = degrees of freedom"
    (Williams 1982, section 4). ``free``: parameters behind ``p``.
    """
    inside = np.clip(p, _EPS, 1 - _EPS)
    variance = data.n * inside * (1 - inside)
    used = np.minimum(data.n * inside, data.n * (1 - inside)) >= 1
    squares = np.where(used, (data.right - data.n * inside) ** 2 / variance, 0.0)
    spare = np.maximum(used.sum(axis=1) - free, 0)
    total = squares.sum(axis=1)
    shown = np.flatnonzero((spare > 0) & (total > np.maximum(chi2_quantile(1 - level, np.maximum(spare, 1)), spare)))
    rho = np.zeros(len(p))
    if shown.size:
        some, others, free_of = squares[shown], data.n[shown] - 1, spare[shown]

        def excess(at: Array) -> Array:
            out: Array = (some / (1 + others * at[:, None])).sum(axis=1) - free_of
            return out

        rho[shown] = _bisect(excess, np.zeros(shown.size), np.full(shown.size, 0.99))
    return rho


def _bisect(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Roots of a falling function, element by element."""
    for _ in range(40):
        middle = (low + high) / 2
        above = function(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    out: Array = (low + high) / 2
    return out


def with_rho(data: Counts, rho: Array) -> Counts:
    """The same counts as beta-binomial ones."""
    return replace(data, rho=rho)


def allowance(level: float, free: int | None) -> float:
    """Twice the nats that a place within the interval at ``level`` may lose: a quantile of chi-square.

    With ``free`` degrees of freedom of an estimated scatter that of F (McCullagh and Nelder 1989, section 4.5).
    """
    return float(chi2_quantile(level, 1) if free is None else f_quantile(level, 1, free))
