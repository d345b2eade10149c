"""A line through shares on the logit scale: which accuracy on shifted items goes with which on clean ones.

Over many models accuracy on a shifted test set follows accuracy on the original one along a line on the logit (or
probit) scale (Taori et al. 2020, arXiv 2007.00644; Miller et al. 2021, arXiv 2107.04649). How far something lies off
the line of the others is its effective robustness: what it keeps beyond its accuracy.

The line is that of least squares, as there, corrected for noise: both accuracies are measured on some items and draws,
noise in the one on the right of the equation flattens a line, and noise that both share (an item and its rewrite) pulls
it towards the diagonal. With U and V the logits, S their sums of squares and products about their means, and N what
noise adds to these on average, the slope is (S_uv - N_uv) / (S_uu - N_uu) (Fuller 1987, "Measurement Error Models",
section 1.2). Shares are drawn in by half an outcome of each kind, so that 0 and 1 have a logit (Haldane 1956).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from onset.analysis.stats.bootstrap import Array


def logit(share: Array, n: int) -> Array:
    """Of shares (0..1) of ``n`` outcomes: log-odds of (n share + 1/2) / (n + 1), finite at 0 and 1."""
    made: Array = special.logit((n * share + 0.5) / (n + 1))
    return made


def logit_slope(share: Array, n: int) -> Array:
    """The derivative of `logit` by the share."""
    drawn = (n * share + 0.5) / (n + 1)
    made: Array = n / (n + 1) / (drawn * (1 - drawn))
    return made


def share(value: Array, n: int) -> Array:
    """The inverse of `logit`, cut at 0 and 1."""
    made: Array = np.clip(((n + 1) * special.expit(value) - 0.5) / n, 0.0, 1.0)
    return made


@dataclass(frozen=True, eq=False)
class Line:
    """v = ``intercept`` + ``slope`` u through points whose logits are ``u`` (clean) and ``v`` (shifted).

    ``reliability``: the share of the spread of ``u`` that is no noise (0..1; 1 without noise); ``noise``: what noise
    adds to the sums of squares of u and of products of u and v.
    """

    u: Array
    v: Array
    slope: float
    intercept: float
    reliability: float
    noise: tuple[float, float]

    @property
    def points(self) -> int:
        """How many points it goes through."""
        return len(self.u)

    @property
    def spread(self) -> float:
        """The sum of squares of ``u`` about their mean that is no noise."""
        return float(((self.u - self.u.mean()) ** 2).sum()) - self.noise[0]

    @property
    def scatter(self) -> float:
        """The variance of the points about the line, with n - 2."""
        rest = self.v - self.at(self.u)
        return float((rest**2).sum()) / (self.points - 2)

    @property
    def r2(self) -> float:
        """The share of the spread of ``v`` that least squares explain; 1 where they do not vary."""
        whole = float(((self.v - self.v.mean()) ** 2).sum())
        shared = float(((self.u - self.u.mean()) * (self.v - self.v.mean())).sum())
        flat = float(((self.u - self.u.mean()) ** 2).sum())
        return 1.0 if whole == 0 else shared**2 / (whole * flat)

    def at(self, u: Array) -> Array:
        """The line's logits at ``u``."""
        made: Array = self.intercept + self.slope * u
        return made

    def by_points(self, u: float) -> tuple[Array, Array]:
        """Derivatives of the line at ``u`` by the ``u`` and by the ``v`` of its points; noise is taken as known."""
        off_u, off_v, m = self.u - self.u.mean(), self.v - self.v.mean(), self.points
        away = u - float(self.u.mean())
        by_v = 1 / m + away * off_u / self.spread
        by_u = away * (off_v - 2 * self.slope * off_u) / self.spread - self.slope / m
        return by_u, by_v

    def error(self, weights: Array, u: Array) -> float:
        """The standard error of a weighted sum of new points' distances from the line (logits), by the points' scatter.

        ``weights`` of points at ``u``: each new point scatters as those of the line do, and the line itself is known to
        a standard error (as of a prediction by least squares).
        """
        away = float((weights * (u - self.u.mean())).sum())
        total = float(weights.sum())
        variance = float((weights**2).sum()) + total**2 / self.points + away**2 / self.spread
        return float(np.sqrt(self.scatter * variance))


def fit_line(u: Array, v: Array, covariance: Array | None = None) -> Line | None:
    """The line through points with logits ``u`` and ``v``; None where ``u`` vary by no more than their noise.

    ``covariance``: of the noise in (u_1 .. u_m, v_1 .. v_m), None: there is none.
    """
    m = len(u)
    off_u, off_v = u - u.mean(), v - v.mean()
    whole = float((off_u**2).sum())
    noise = (0.0, 0.0) if covariance is None else _about_mean(covariance, m)
    spread = whole - noise[0]
    if m < 2 or spread <= 1e-12:
        return None
    slope = (float((off_u * off_v).sum()) - noise[1]) / spread
    return Line(u, v, slope, float(v.mean()) - slope * float(u.mean()), spread / whole, noise)


def _about_mean(covariance: Array, m: int) -> tuple[float, float]:
    """What noise adds on average to the sums of squares and products about the mean."""
    centre = np.eye(m) - 1 / m
    uu, uv = covariance[:m, :m], covariance[:m, m:]
    return float((centre * uu).sum()), float((centre * uv).sum())


def covariance_of_means(blocks: Sequence[Array]) -> Array:
    """The covariance of the means of tables that share their draws: tables x tables over all blocks, in their order.

    ``blocks``: each tables x draws x items, the tables of one block sharing their items, no value missing. Draws and
    items are crossed, as in `onset.analysis.stats.bootstrap`: the part of draws, plus that of items, less that of
    single outcomes; one draw: the part of items alone.
    """
    rows = np.concatenate([block.mean(axis=2) for block in blocks])
    draws = rows.shape[1]
    out = np.zeros((len(rows), len(rows)))
    start = 0
    for block in blocks:
        count, _, items = block.shape
        place = slice(start, start + count)
        start += count
        columns = block.mean(axis=1)
        out[place, place] += np.atleast_2d(np.cov(columns)) / items
        if draws > 1:
            rest = block - block.mean(axis=2, keepdims=True) - columns[:, None, :]
            rest = (rest + block.mean(axis=(1, 2), keepdims=True)).reshape(count, -1)
            out[place, place] -= rest @ rest.T / ((draws - 1) * (items - 1)) / (draws * items)
    return out + np.atleast_2d(np.cov(rows)) / draws if draws > 1 else out
