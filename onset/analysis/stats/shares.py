"""Shares and differences of shares: exact and score tests and intervals. Wilson's interval is in `onset.scores`, which
a graded file needs, too.
"""

from __future__ import annotations

import math

from scipy import special

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.tails import root
from onset.scores import wilson

Interval = tuple[float, float]


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p of McNemar's (1947) test: a fair coin over the discordant pairs (1 when there are none)."""
    n = only_a + only_b
    # by symmetry twice the smaller tail
    return min(1.0, 2 * float(special.bdtr(min(only_a, only_b), n, 0.5))) if n else 1.0


def clopper_pearson(right: float, n: float, level: float = LEVEL) -> Interval:
    """The exact interval of a share (Clopper and Pearson 1934); ``right`` and ``n`` may be effective numbers."""
    tail = (1 - level) / 2
    low = 0.0 if right <= 0 else float(special.betaincinv(right, n - right + 1, tail))
    high = 1.0 if right >= n else float(special.betaincinv(right + 1, n - right, 1 - tail))
    return low, high


def exact_interval(only_a: int, only_b: int, n: int, level: float = LEVEL) -> Interval:
    """The interval of a paired difference of proportions (a - b) that McNemar's exact test inverts.

    Given the number of discordant pairs of ``n``: the share of them that only a has right has `clopper_pearson`'s
    interval, and a share s of m discordant pairs is a difference of (2 s - 1) m / n. (0, 0) without any.
    """
    m = only_a + only_b
    if m == 0:
        return 0.0, 0.0
    low, high = clopper_pearson(only_a, m, level)
    return (2 * low - 1) * m / n, (2 * high - 1) * m / n


def newcombe(a: tuple[int, int], b: tuple[int, int], level: float = LEVEL) -> Interval:
    """Hybrid score interval of share b - share a, each (right, n) on items of its own, from two Wilson intervals:
    Newcombe 1998, method 10 (doi 10.1002/(SICI)1097-0258(19980430)17:8<873).
    """
    (p, p_low, p_high), (q, q_low, q_high) = ((right / n, *wilson(right, n, level)) for right, n in (b, a))
    return p - q - math.hypot(p - p_low, q_high - q), p - q + math.hypot(p_high - p, q - q_low)


def tango_z(only_a: int, only_b: int, n: int, difference: float) -> float:
    """Tango's score statistic of a paired difference of proportions (a - b) being ``difference``.

    ``only_a``, ``only_b``: items only that side has right, of ``n`` pairs; ``difference`` in (-1, 1).
    Tango 1998, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Statistics in Medicine 17, 891-908. At 0 its square is McNemar's statistic.
    """
    a = 2 * n
    b = -only_a - only_b + (2 * n - only_a + only_b) * difference
    c = -only_b * difference * (1 - difference)
    share_b = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * share_b + difference * (1 - difference))
    gap = only_a - only_b - n * difference
    if variance <= 0:
        return 0.0 if abs(gap) < 1e-12 else math.copysign(math.inf, gap)
    return gap / math.sqrt(variance)


def tango(only_a: int, only_b: int, n: int, level: float = LEVEL) -> Interval | None:
    """Tango's score interval of a paired difference of proportions; None when ``n`` is 0."""
    if n == 0:
        return None
    z = float(special.ndtri((1 + level) / 2))
    edge = 1 - 1e-9
    ends = []
    for target in (z, -z):

        def gap(difference: float, target: float = target) -> float:
            # clipped: the statistic is infinite at the edges and brentq needs finite values
            return max(-1e9, min(1e9, tango_z(only_a, only_b, n, difference))) - target

        side = -edge if target > 0 else edge
        centre = (only_a - only_b) / n
        outside = gap(side) * (1 if target > 0 else -1)
        ends.append(root(gap, side, min(max(centre, -edge), edge)) if outside > 0 else side)
    return ends[0], ends[1]
