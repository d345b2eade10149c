"""Is a small sample of one cluster or of two? The dip test of unimodality.

Hartigan and Hartigan 1985, "The Dip Test of Unimodality", Annals of Statistics 13, 70-84; the algorithm is Hartigan's
(1985, AS 217, Applied Statistics 34, 320-325). The dip is the largest distance between the empirical distribution and
the closest unimodal one: from 1 / (2 n) for points that are evenly spaced to 1/4 for two equal clusters. Its null
distribution here is that of a uniform sample, the least favourable of the unimodal ones (their section 4).

A single point apart is no cluster: a unimodal distribution with a long tail gives one, and the dip does not count it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from onset.analysis.stats.bootstrap import Array

REPLICATES = 4999
"""Uniform samples of each size that p rests on."""
_SEED = 19850301


def dip(values: Sequence[float]) -> float:
    """Hartigan's dip of ``values`` (at least one), in [1 / (2 n), 1/4]."""
    x = sorted(float(value) for value in values)
    n = len(x)
    if n < 4 or x[0] == x[-1]:  # three points are unimodal, whatever they are
        return 1 / (2 * n)
    below, above = _minorant(x), _majorant(x)
    low, high, found = 0, n - 1, 1.0
    while True:
        convex, concave = [high], [low]
        while convex[-1] > low:
            convex.append(below[convex[-1]])
        while concave[-1] < high:
            concave.append(above[concave[-1]])
        apart, at, to = _apart(x, convex, concave)
        if apart < found:
            break
        left = max((_above_line(x, convex[j + 1], convex[j]) for j in range(at, len(convex) - 1)), default=0.0)
        right = max((_below_line(x, concave[j], concave[j + 1]) for j in range(to, len(concave) - 1)), default=0.0)
        found = max(found, left, right)
        if (low, high) == (convex[at], concave[to]):
            break
        low, high = convex[at], concave[to]
    return found / (2 * n)


def _minorant(x: Sequence[float]) -> list[int]:
    """Of each point the one before it on the greatest convex minorant of the points up to it."""
    out = [0]
    for j in range(1, len(x)):
        place = j - 1
        while place:
            other = out[place]
            if (x[j] - x[place]) * (place - other) < (x[place] - x[other]) * (j - place):
                break
            place = other
        out.append(place)
    return out


def _majorant(x: Sequence[float]) -> list[int]:
    """Of each point the one after it on the least concave majorant of the points from it on."""
    last = len(x) - 1
    out = [last] * len(x)
    for k in range(last - 1, -1, -1):
        place = k + 1
        while place != last:
            other = out[place]
            if (x[k] - x[place]) * (place - other) < (x[place] - x[other]) * (k - place):
                break
            place = other
        out[k] = place
    return out


def _apart(x: Sequence[float], convex: Sequence[int], concave: Sequence[int]) -> tuple[float, int, int]:
    """How far minorant and majorant are apart at most (in points), and where on each."""
    at, to = len(convex) - 1, len(concave) - 1
    if at == 1 and to == 1:
        return 1.0, at, to
    found, i, j = 0.0, at - 1, 1
    while True:
        one, other = convex[i], concave[j]
        if one > other:
            before = convex[i + 1]
            gap = other - before + 1 - (x[other] - x[before]) * (one - before) / (x[one] - x[before])
            j += 1
            if gap >= found:
                found, at, to = gap, i + 1, j - 1
        else:
            before = concave[j - 1]
            gap = (x[one] - x[before]) * (other - before) / (x[other] - x[before]) - (one - before - 1)
            i -= 1
            if gap >= found:
                found, at, to = gap, i + 1, j
        i, j = max(i, 0), min(j, len(concave) - 1)
        if convex[i] == concave[j]:
            return found, at, to


def _above_line(x: Sequence[float], first: int, last: int) -> float:
    if last - first <= 1 or x[last] == x[first]:
        return 1.0
    slope = (last - first) / (x[last] - x[first])
    return max(1.0, *(k - first + 1 - (x[k] - x[first]) * slope for k in range(first, last + 1)))


def _below_line(x: Sequence[float], first: int, last: int) -> float:
    if last - first <= 1 or x[last] == x[first]:
        return 1.0
    slope = (last - first) / (x[last] - x[first])
    return max(1.0, *((x[k] - x[first]) * slope - (k - first - 1) for k in range(first, last + 1)))


@lru_cache(maxsize=128)
def uniform_dips(n: int) -> Array:
    """The dips of `REPLICATES` uniform samples of ``n``, the same in every run."""
    drawn = np.random.default_rng([_SEED, n]).random((REPLICATES, n))
    return np.array([dip(row.tolist()) for row in drawn])


def dip_test(samples: Sequence[Sequence[float]]) -> float:
    """The p of all ``samples`` being unimodal, each in its own way: their dips times the root of their sizes, added up.

    One sample: Hartigan and Hartigan's test. Ties must have been spread (`spread_ties`). 1 without any sample.
    """
    if not samples:
        return 1.0
    observed = sum(math.sqrt(len(one)) * dip(one) for one in samples)
    null = np.zeros(REPLICATES)
    for place, one in enumerate(samples):
        order = np.random.default_rng([_SEED, len(one), place]).permutation(REPLICATES)
        null += math.sqrt(len(one)) * uniform_dips(len(one))[order]
    return float((1 + int((null >= observed - 1e-12).sum())) / (REPLICATES + 1))


def spread_ties(values: Sequence[float], widths: Sequence[float]) -> list[float]:
    """``values`` that were rounded to steps of ``widths`` (1 / n of a share of n items), equal ones laid out evenly
    over their step: that they are equal is the rounding's doing, and is no sign of a cluster.
    """
    out = list(values)
    for value in set(values):
        tied = [place for place, one in enumerate(values) if one == value]
        for rank, place in enumerate(tied):
            out[place] = value + widths[place] * ((rank + 0.5) / len(tied) - 0.5)
    return out
