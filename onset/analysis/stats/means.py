"""The interval of a mean over draws and items without resampling: quantiles of t, for sums that are no shares."""

from __future__ import annotations

import math

from scipy import special

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap
from onset.analysis.stats.draws import ENOUGH_DRAWS, draw_means, over_draws
from onset.analysis.stats.shares import Interval

_RAW = 1000
"""Resamples of a table with holes, whose variance has no formula."""


def mean_interval(values: Array, level: float = LEVEL, *, shares: bool = False) -> tuple[float, Interval]:
    """The mean of ``values`` (draws x items, NaN where a draw lacks an item) and its interval.

    The variance is that of the two-way layout (`onset.analysis.stats.bootstrap`), on a t scale with Satterthwaite's
    degrees of freedom; from two to five draws the interval is the wider of this and of Student's t over the draws, as
    in contrasts. One draw says nothing of others. ``shares``: values within -1..1, which have a least variance.
    Raises ValueError without any value.
    """
    crossed = crossed_bootstrap([Block(values)], _RAW, shares=shares)
    if crossed is None:
        raise ValueError("a mean of no values")
    mean, half = crossed.estimate, _half(crossed.parts.df, level) * crossed.standard_error
    if 1 < crossed.draws < ENOUGH_DRAWS:
        apart = over_draws(draw_means(values))
        half = max(half, _half(apart.df, level) * apart.error)
    return mean, (mean - half, mean + half)


def _half(df: float, level: float) -> float:
    return float(special.stdtrit(df, (1 + level) / 2))


def spread_interval(variance: float, df: float, level: float = LEVEL) -> Interval:
    """The interval of a variance that is estimated with ``df`` degrees of freedom, of normal values (chi-square)."""
    low, high = (float(special.chdtri(df, tail)) for tail in ((1 - level) / 2, (1 + level) / 2))
    return variance * df / low, variance * df / high if high > 0 else math.inf
