"""A straight line of a share in the logarithm of size, cut at 0 and 1, by maximum binomial likelihood.

Its misfit is the deviance from one free share a size, chi-squared with as many degrees of freedom as sizes are left
over (McCullagh and Nelder 1989, "Generalized Linear Models", section 4.4); the interval of its slope is the profile's.
Where trials are outcomes over a dispersion that is itself estimated, both are of quasi-likelihood (section 4.5 there):
a deviance over its degrees of freedom, scaled by an estimate from elsewhere, is F instead of chi-squared.
Both are found on grids that are drawn narrower: where the line is cut the likelihood has kinks and flat parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.shares import Interval
from onset.analysis.stats.tails import chi2_above, f_above, f_quantile, root

_EDGE = 1e-6
"""A share that the line may have at least and at most: 0 and 1 make outcomes impossible."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """``slope``: of the share (0..1) for a tenfold size, with its 95 % ``interval``; ``p``: of the misfit; ``height``:
    of the line before it is cut, at the size of decimal logarithm ``centre``.
    """

    slope: float
    interval: Interval
    p: float
    height: float
    centre: float

    def points(self, smallest: float, largest: float) -> list[tuple[float, float]]:
        """(size, share) where the line begins, bends at 0 or 1, and ends, from ``smallest`` to ``largest``."""
        ends = math.log10(smallest), math.log10(largest)
        bends = [self.centre + (level - self.height) / self.slope for level in (0.0, 1.0)] if self.slope else []
        places = sorted({*ends, *(one for one in bends if ends[0] < one < ends[1])})
        return [(10**one, min(1.0, max(0.0, self.height + self.slope * (one - self.centre)))) for one in places]


def log_line(sizes: Array, correct: Array, n: Array, *, df: float = math.inf) -> LogLine:
    """The line through ``correct`` of ``n`` trials at each of ``sizes`` (above 0). Raises ValueError below three
    different sizes. No slope is steeper than a rise from 0 to 1 over half the smallest step between sizes.

    ``df``: degrees of freedom of the dispersion by which outcomes were divided into trials; infinite: it is known.
    """
    different, place = np.unique(sizes, return_inverse=True)
    if len(different) < 3:
        raise ValueError(f"a line and its misfit need three sizes, received {len(different)}")
    x = np.log10(sizes) - np.log10(sizes).mean()
    shares = np.bincount(place, correct) / np.bincount(place, n)  # one a size, also where several models have it
    best = float(_likelihood(correct, n, shares[place]))
    steepest = 2 / float(np.diff(np.log10(different)).min())

    def placed(slope: float) -> tuple[float, float]:
        """The height of the best line of that slope, and its deviance."""
        room = abs(slope) * float(np.ptp(x))

        def of(heights: Array) -> Array:
            share = np.clip(heights[:, None] + slope * x, _EDGE, 1 - _EDGE)
            found: Array = 2 * (best - _likelihood(correct, n, share))
            return found

        return _lowest(of, -room, 1 + room)

    def lack(slope: float) -> float:
        return placed(slope)[1]

    slope, least = _lowest(lambda some: np.array([lack(float(one)) for one in some]), -steepest, steepest)
    drop = least + (float(special.chdtri(1, 1 - LEVEL)) if math.isinf(df) else float(f_quantile(LEVEL, 1, df)))
    ends = [
        root(lambda one: lack(one) - drop, slope, end, xtol=1e-4) if lack(end) > drop else end
        for end in (-steepest, steepest)
    ]
    misfit, spare = max(0.0, least), len(different) - 2
    p = float(chi2_above(misfit, spare) if math.isinf(df) else f_above(misfit / spare, spare, df))
    return LogLine(slope, (ends[0], ends[1]), p, placed(slope)[0], float(np.log10(sizes).mean()))


def _lowest(of: Callable[[Array], Array], low: float, high: float) -> tuple[float, float]:
    """Where a function of one variable is lowest between two ends, and its value there."""
    at, value = low, np.inf
    for count in (81, 21, 21, 21):
        grid = np.linspace(low, high, count)
        found = of(grid)
        place = int(np.argmin(found))
        at, value = float(grid[place]), float(found[place])
        low, high = float(grid[max(place - 1, 0)]), float(grid[min(place + 1, count - 1)])
    return at, float(value)


def _likelihood(correct: Array, n: Array, share: Array) -> Array:
    found: Array = (special.xlogy(correct, share) + special.xlog1py(n - correct, -share)).sum(axis=-1)
    return found
