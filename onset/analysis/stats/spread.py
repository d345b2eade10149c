"""Two spreads over the same draws: how many times as much one varies as the other.

The variances of paired values are compared by the test of Pitman 1939 and Morgan 1939 (Biometrika 31, 9-12 and 13-19):
x and y have equal variances just where x + y and x - y are uncorrelated. The F test would take the two for independent.
Exact where pairs are draws of a bivariate normal distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.shares import Interval

FEWEST = 3
"""Pairs that a correlation needs to be tested."""


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


def compare_spreads(before: Array, after: Array, *, level: float = 0.05) -> Spreads:
    """The spreads of two rows of values, paired place by place; the interval holds 1 just where p is above ``level``.

    Raises ValueError for rows of different lengths, or fewer than `FEWEST` pairs.
    """
    n = len(before)
    if len(after) != n or n < FEWEST:
        raise ValueError(f"spreads need at least {FEWEST} pairs; got {n} and {len(after)} values")
    one, other = float(np.std(before, ddof=1)), float(np.std(after, ddof=1))
    if min(one, other) < 1e-12:
        return Spreads(one, other, None, None, None)
    r = float(np.clip(np.corrcoef(before, after)[0, 1], -1.0, 1.0))
    free = n - 2
    spread = (1 - r * r) * 4 * one**2 * other**2
    gap = other**2 - one**2
    # t of the correlation of sum and difference: r / sqrt(1 - r^2) * sqrt(n - 2), written without the division
    t = math.copysign(math.inf, gap) if spread <= 0 and gap else gap * math.sqrt(free / spread) if spread > 0 else 0.0
    quantile = float(special.stdtrit(free, 1 - level / 2))
    k = 1 + 2 * (1 - r * r) * quantile**2 / free
    width = math.sqrt(max(k * k - 1, 0.0))
    ratio = other / one
    ends = ratio * math.sqrt(1 / (k + width)), ratio * math.sqrt(k + width)
    return Spreads(one, other, ratio, ends, float(2 * special.stdtr(free, -abs(t))))
