"""From where on is a lead above 0? A place on a logarithmic axis, with its interval, from leads at a few points of it.

The lead of one side over another is measured at a few points of an axis (labels, or what they cost), each with an
interval. Between neighbouring points it is taken to change evenly with the logarithm, and so are the ends of its
interval: those of a mixture of two estimates are no wider than the mixture of theirs, so that nothing is made too
narrow. Where the lead is 0 the interval of the lead holds 0; the interval of the place is therefore all of the axis
where it does (a test inverted, as Fieller 1954 does for a ratio, "Some problems in interval estimation", Journal of the
Royal Statistical Society B 16). It needs no curve beyond that, which three to six points could not tell, and no
correction for the number of points, since one hypothesis alone is true of the place: that the lead there is 0.

The estimate is where the leads, made to rise (isotonic regression, weighted by precision: Barlow et al. 1972,
"Statistical Inference under Order Restrictions"), cross 0. What lies outside the points is not guessed: an end of the
interval is None where it is beyond them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.shares import Interval

Ahead = Literal["reached", "throughout", "not reached", "lost again", "undecided"]
"""Ahead at the largest point, and from somewhere on; ahead at every point; behind at the largest; ahead somewhere and
behind beyond it; none of these is shown.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lead begins. ``at``: the estimate within the points (None: beyond them, or there is none); ``interval``:
    95 %, an end that is None lies beyond the points.
    """

    verdict: Ahead
    at: float | None
    interval: tuple[float | None, float | None]

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"verdict": self.verdict, "at": self.at, "interval": list(self.interval)}


def isotonic(values: Array, weights: Array) -> Array:
    """The rising sequence nearest to ``values`` in weighted squares, by pooling adjacent violators."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((float(value), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, of_a, n), (b, of_b, m) = blocks[-2:]
            blocks[-2:] = [((a * of_a + b * of_b) / (of_a + of_b), of_a + of_b, n + m)]
    return np.concatenate([np.full(count, value) for value, _, count in blocks])


def rising(values: Sequence[float], intervals: Sequence[Interval]) -> Array:
    """``values`` made to rise, each weighted by the square of its interval's width, inverted."""
    widths = np.array([max(high - low, 1e-6) for low, high in intervals])
    return isotonic(np.asarray(values, dtype=np.float64), widths**-2.0)


def place_of_lead(points: Sequence[float], leads: Sequence[float], intervals: Sequence[Interval]) -> Place:
    """From where on the lead is above 0. ``points``: ascending and above 0, two or more; ``leads`` with ``intervals``.

    Raises ValueError for fewer points, or points that do not ascend.
    """
    if len(points) < 2 or any(not 0 < a < b for a, b in pairwise(points)):
        raise ValueError(f"a lead needs two points or more that ascend from above 0, not {list(points)}")
    x = np.log(np.asarray(points, dtype=np.float64))
    low, high = (np.array([one[end] for one in intervals]) for end in (0, 1))
    above, below = np.flatnonzero(low > 0), np.flatnonzero(high < 0)
    if above.size and below.size and below[-1] > above[0]:
        return Place("lost again", None, (None, None))
    if high[-1] < 0:
        return Place("not reached", None, (float(points[-1]), None))
    if not (low <= 0).any():
        return Place("throughout", None, (None, float(points[0])))
    first = None if high[0] >= 0 else math.exp(_crossing(x, high, int(np.flatnonzero(high >= 0)[0]) - 1))
    last = None if low[-1] <= 0 else math.exp(_crossing(x, low, int(np.flatnonzero(low <= 0)[-1])))
    made = rising(leads, intervals)
    at = None
    if made[0] < 0 < made[-1]:
        at = math.exp(_crossing(x, made, int(np.flatnonzero(made <= 0)[-1])))
        at = min(max(at, first or at), last or at)
    return Place("undecided" if last is None else "reached", at, (first, last))


def _crossing(x: Array, values: Array, before: int) -> float:
    """Where the line from ``before`` to its neighbour is 0."""
    a, b = float(values[before]), float(values[before + 1])
    return float(x[before] + (x[before + 1] - x[before]) * (-a / (b - a)))
