"""A mean over a few draws: Student's t over draw-level values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.shares import Interval

ENOUGH_DRAWS = 6
"""Below it an estimate that is not pooled has the wider of two intervals, the crossed bootstrap's and the one here: the
bootstrap hardly sees how draws differ, and t takes the items as given.
"""


def rounding_of(items: int) -> float:
    """The variance of rounding a share to one of ``items`` + 1 values (Sheppard 1898): 1 / (12 items^2)."""
    return 1 / (12 * items**2)


@dataclass(frozen=True, slots=True)
class OverDraws:
    """The mean of draw-level values and its standard error, on a t scale with ``df``."""

    estimate: float
    error: float
    df: int

    def interval(self, limit: float = math.inf, level: float = LEVEL) -> Interval:
        """Cut at ``limit`` on both sides."""
        half = float(special.stdtrit(self.df, (1 + level) / 2)) * self.error
        return max(-limit, self.estimate - half), min(limit, self.estimate + half)

    def tail(self, value: float, *, above: bool) -> float:
        """One-sided p of the hypothesis that the truth lies at ``value`` or beyond (``above`` or below it)."""
        gap = (value - self.estimate) if above else (self.estimate - value)
        if self.error == 0:
            # scores that agree exactly over draws leave no error to divide by
            return 0.0 if gap > 0 else 1.0
        return float(special.stdtr(self.df, -gap / self.error))

    def p(self) -> float:
        """Two-sided p of "the truth is 0"."""
        return min(1.0, 2 * self.tail(0.0, above=self.estimate < 0))


def draw_means(values: Array) -> Array:
    """The mean of each row of ``values`` (draws x items, NaN where a draw lacks an item) that holds any."""
    known = values[np.isfinite(values).any(axis=1)]
    means: Array = np.nanmean(known, axis=1)
    return means


def with_draws(interval: Interval, by_draw: Array) -> Interval:
    """``interval`` of a mean, and where it has two to five draws Student's t over these: at either end the further out
    of the two. ``by_draw``: a value a draw.
    """
    if not 1 < len(by_draw) < ENOUGH_DRAWS:
        return interval
    low, high = over_draws(by_draw).interval()
    return min(interval[0], low), max(interval[1], high)


def over_draws(by_draw: Array, rounding: float = 0.0) -> OverDraws:
    """The mean of ``by_draw``, at least two values.

    ``rounding``: the least variance of a draw, what counting items hides: two draws that agree to the item are no sign
    of draws without noise.
    """
    error = math.sqrt(max(float(by_draw.var(ddof=1)), rounding) / len(by_draw))
    return OverDraws(float(by_draw.mean()), error, len(by_draw) - 1)
