"""Shares of outputs with their 95 % intervals: means over draws and items, and ratios of sums over them.

The interval is that of the crossed bootstrap (`onset.analysis.stats.bootstrap`), from two to five draws the wider of it
and of Student's t over the draws, cut at 0 and 1. A ratio is linearised:
one value an item and draw whose mean it is, over the items that have something to take it of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap, intervals
from onset.analysis.stats.draws import draw_means, with_draws
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
    return _bounded(tables, [None] * len(tables), replicates)


def ratio(part: Array, whole: Array, replicates: int) -> Share | None:
    """The sum of ``part`` over that of ``whole`` (both draws x items); None where the whole is nothing."""
    return ratios([(part, whole)], replicates)[0]


def ratios(tables: Sequence[tuple[Array, Array]], replicates: int) -> list[Share | None]:
    """`ratio` of each (part, whole), resampled together."""
    some = [np.nansum(whole, axis=0) > 0 for _, whole in tables]
    held = [(part[:, has], whole[:, has]) for (part, whole), has in zip(tables, some, strict=True) if has.any()]
    values = [float(np.nansum(part) / np.nansum(whole)) for part, whole in held]
    linear = [
        value + (part - value * whole) / np.nanmean(whole) for (part, whole), value in zip(held, values, strict=True)
    ]
    shares = iter(
        Share(int(np.nansum(part)), int(np.nansum(whole)), value, interval)
        for (part, whole), (value, interval) in zip(held, _bounded(linear, values, replicates), strict=True)
    )
    return [next(shares) if has.any() else None for has in some]


def _bounded(
    tables: Sequence[Array], estimates: Sequence[float | None], replicates: int
) -> list[tuple[float, Interval]]:
    made = [crossed_bootstrap([Block(values)], replicates) for values in tables]
    crossed = [one for one in made if one is not None]
    assert len(crossed) == len(tables)  # there is an item
    out = []
    for one, table, estimate, interval in zip(crossed, tables, estimates, intervals(crossed), strict=True):
        value = one.estimate if estimate is None else estimate
        low, high = with_draws(interval, draw_means(table))
        out.append((value, (min(value, max(0.0, low)), max(value, min(1.0, high)))))
    return out
