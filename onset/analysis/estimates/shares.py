"""Shares of outputs with their 95 % intervals: means over draws and items, and ratios of sums over them.

The interval of a mean is that of the crossed bootstrap (`onset.analysis.stats.bootstrap`), from two to five draws the
wider of it and of Student's t over the draws. A ratio is linearised (Cochran 1977, Sampling Techniques, section 6.3):
one value an item and draw whose mean it is, over the items that have something to take it of; its interval is that of
such a mean on a t scale (`onset.analysis.stats.means`), since a linear value has no shape to resample. Where an item
has several outputs it reaches at either end as far as Wilson's of as many outputs as tell something (`_told`), since a
t interval is symmetric and a rare share is not. All are cut at 0 and 1.
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
from onset.scores import wilson


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
    total = float(np.nansum(whole))
    value = float(np.nansum(part)) / total
    linear = value + (part - value * whole) / np.nanmean(whole)
    low, high = mean_interval(linear, shares=True)[1]
    if np.nanmax(whole) > 1:
        told = _told(part, whole)
        score = wilson(value * told, told)
        low, high = min(low, score[0]), max(high, score[1])
    return Share(int(np.nansum(part)), int(total), value, _cut(value, (low, high)))


def _told(part: Array, whole: Array) -> float:
    """How many independent outputs tell as much as those here: all of them over their design effect (Kish 1965).

    The effect is the linearised variance over that of independent outputs, at least 1. Where few items have the rarer
    kind of output it says little: it is then averaged, over these items and one more, with that of outputs of an item
    which all agree.
    """
    apart = part - np.nansum(part) / np.nansum(whole) * whole
    by_item, by_draw = np.nansum(apart, axis=0), np.nansum(apart, axis=1)
    variance = max(_of_sum(by_item), _of_sum(by_draw))
    mine, of = np.nansum(part, axis=0), np.nansum(whole, axis=0)
    total = float(of.sum())
    independent = float(mine.sum()) * float((of - mine).sum()) / total
    seen = variance / independent if independent else 0.0
    agreed = float((of**2).sum()) / total
    rarer = int(min((mine > 0).sum(), (of > mine).sum()))
    return total / max(1.0, seen, (rarer * seen + agreed) / (rarer + 1))


def _of_sum(values: Array) -> float:
    """The variance of the sum of independent values."""
    return len(values) * float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _cut(value: float, interval: Interval) -> Interval:
    low, high = interval
    return min(value, max(0.0, low)), max(value, min(1.0, high))
