"""Shares of outputs with their 95 % intervals: means over draws and items, and ratios of sums over them.

The interval is that of the crossed bootstrap (`onset.analysis.stats.bootstrap`), cut at 0 and 1. A ratio is linearised:
one value an item and draw whose mean it is, over the items that have something to take it of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap
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
    return _bounded(values, replicates)


def ratio(part: Array, whole: Array, replicates: int) -> Share | None:
    """The sum of ``part`` over that of ``whole`` (both draws x items); None where the whole is nothing."""
    has = np.nansum(whole, axis=0) > 0
    if not has.any():
        return None
    part, whole = part[:, has], whole[:, has]
    value = float(np.nansum(part) / np.nansum(whole))
    _, interval = _bounded(value + (part - value * whole) / np.nanmean(whole), replicates, value)
    return Share(int(np.nansum(part)), int(np.nansum(whole)), value, interval)


def ratios(tables: Sequence[tuple[Array, Array]], replicates: int) -> list[Share | None]:
    """`ratio` of each (part, whole): those over as many items one after another, which share their resamples."""
    width = [int((np.nansum(whole, axis=0) > 0).sum()) for _, whole in tables]
    made: dict[int, Share | None] = {}
    for place in sorted(range(len(tables)), key=width.__getitem__):
        made[place] = ratio(*tables[place], replicates)
    return [made[place] for place in range(len(tables))]


def _bounded(values: Array, replicates: int, estimate: float | None = None) -> tuple[float, Interval]:
    crossed = crossed_bootstrap([Block(values)], replicates)
    assert crossed is not None  # there is an item
    low, high = crossed.interval()
    value = crossed.estimate if estimate is None else estimate
    return value, (min(value, max(0.0, low)), max(value, min(1.0, high)))
