"""Shares of outputs with their 95 % intervals: means over draws and items, and ratios of sums over them.

The interval of a mean is that of the crossed bootstrap (`onset.analysis.stats.bootstrap`), from two to five draws the
wider of it and of Student's t over the draws. A ratio is linearised (Cochran 1977, Sampling Techniques, section 6.3):
one value an item and draw whose mean it is, over the items that have something to take it of; its interval is that of
such a mean on a t scale (`onset.analysis.stats.means`), since a linear value has no shape to resample. Both are cut at
0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap, intervals
from onset.analysis.stats.draws import draw_means, with_draws
from onset.analysis.stats.means import mean_interval
from onset.analysis.stats.shares import Interval


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole`` (outputs, or steps) as a share 0..1, with its 95 % interval."""

    part: int
    whole: int
    value: float
    interval: Interval

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"part": self.part, "whole": self.whole, "value": self.value, "interval": list(self.interval)}


def mean(values: Array, replicates: int) -> tuple[float, Interval]:
    """The mean of ``values`` (draws x items, NaN where a draw lacks the item; not all of them) with its interval."""
    return means([values], replicates)[0]


def means(tables: Sequence[Array], replicates: int) -> list[tuple[float, Interval]]:
    """`mean` of each, resampled together."""
    crossed = [one for one in (crossed_bootstrap([Block(values)], replicates) for values in tables) if one is not None]
    assert len(crossed) == len(tables)  # there is an item
    bounds = [with_draws(one, draw_means(table)) for one, table in zip(intervals(crossed), tables, strict=True)]
    return [(one.estimate, _cut(one.estimate, bound)) for one, bound in zip(crossed, bounds, strict=True)]


def ratio(part: Array, whole: Array) -> Share | None:
    """The sum of ``part`` over that of ``whole`` (both draws x items); None where the whole is nothing."""
    some = np.nansum(whole, axis=0) > 0
    if not some.any():
        return None
    part, whole = part[:, some], whole[:, some]
    value = float(np.nansum(part) / np.nansum(whole))
    linear = value + (part - value * whole) / np.nanmean(whole)
    return Share(int(np.nansum(part)), int(np.nansum(whole)), value, _cut(value, mean_interval(linear, shares=True)[1]))


def _cut(value: float, interval: Interval) -> Interval:
    low, high = interval
    return min(value, max(0.0, low)), max(value, min(1.0, high))
