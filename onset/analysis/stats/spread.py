"""Two spreads over the same draws: how many times as much one varies as the other.

The variances of paired values are compared by the test of Pitman 1939 and Morgan 1939 (Biometrika 31, 9-12 and 13-19):
x and y have equal variances just where x + y and x - y are uncorrelated. The F test would take the two for independent.
Exact where pairs are draws of a bivariate normal distribution.

Shares of few items come in steps, so that a few pairs often lie on one line, which would be a p of 0. What a step may
hide, a twelfth of its square (Sheppard 1898, Proceedings of the London Mathematical Society 29, 353-380), is therefore
added to both variances in the test, which errs on the side of equal ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.shares import Interval

FEWEST = 4
"""Pairs that are compared: a correlation of three could be tested, but at three hardly any ratio would be shown."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """Standard deviations ``before`` and ``after`` (with n - 1), their ``ratio`` after / before with its 95 % interval,
    and ``p`` of equal ones; the last three None where one of the two does not vary.
    """

    before: float
    after: float
    ratio: float | None
    interval: Interval | None
    p: float | None


def compare_spreads(before: Array, after: Array, *, hidden: float = 0.0, level: float = 0.05) -> Spreads:
    """The spreads of two rows of values, paired place by place; the interval holds 1 just where p is above ``level``.

    ``hidden``: the variance that rounding the values to steps may hide (`onset.analysis.stats.draws.rounding_of` of the
    items of a share); 0 for values that are not rounded. Raises ValueError for rows of different lengths, or fewer than
    `FEWEST` pairs.
    """
    n = len(before)
    if len(after) != n or n < FEWEST:
        raise ValueError(f"spreads need at least {FEWEST} pairs; got {n} and {len(after)} values")
    (one, shared), (_, other) = np.cov(before, after)
    deviations = math.sqrt(one), math.sqrt(other)
    if min(deviations) < 1e-12:
        return Spreads(*deviations, None, None, None)
    quantile = float(special.stdtrit(n - 2, 1 - level / 2))
    exact = _interval(one, other, shared, quantile, n - 2)
    # the hull: what may be hidden moves the ratio towards 1, and the other end must not follow it
    wider = _interval(one + hidden, other + hidden, shared, quantile, n - 2)
    ends = min(exact[0], wider[0]), max(exact[1], wider[1])
    p = _p(one + hidden, other + hidden, shared, n - 2)
    return Spreads(*deviations, deviations[1] / deviations[0], ends, p)


def _interval(one: float, other: float, shared: float, quantile: float, free: int) -> Interval:
    """Of the ratio of standard deviations, by the two variances and the covariance ``shared``."""
    k = 1 + 2 * max(1 - shared**2 / (one * other), 0.0) * quantile**2 / free
    width = math.sqrt(max(k * k - 1, 0.0))
    ratio = math.sqrt(other / one)
    return ratio * math.sqrt(1 / (k + width)), ratio * math.sqrt(k + width)


def _p(one: float, other: float, shared: float, free: int) -> float:
    """Two-sided, of equal variances."""
    gap, spread = other - one, 4 * (one * other - shared**2)
    # t of the correlation of sum and difference: r / sqrt(1 - r^2) * sqrt(n - 2), written without the division
    t = math.copysign(math.inf, gap) if spread <= 0 and gap else gap * math.sqrt(free / spread) if spread > 0 else 0.0
    return float(2 * special.stdtr(free, -abs(t)))
