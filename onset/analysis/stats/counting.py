"""From outcomes to a point of a curve: the one way from a table of draws x items to counts or to a mean with its error.

The outcomes of several draws are no independent trials: every draw has the same items, and examples drawn well lift
all of them. What they are worth is their number over the design effect (Kish 1965, "Survey Sampling"): the variance of
their mean over that of as many independent ones. Items and draws are crossed random effects, so the variance is

    V = V_items + V_draws - V_single,    at least V_items and V_draws

(Cornfield and Tukey 1956, the balanced layout, as in `onset.analysis.stats.bootstrap`): V_items and V_draws are the
variances of a mean over clusters, which need no balance (the same sum as the two-way cluster-robust variance of
Cameron, Gelbach and Miller 2011, "Robust Inference With Multiway Clustering"), V_single is that of the residuals of the
additive layout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from onset.analysis.stats.bootstrap import Array


@dataclass(frozen=True, slots=True)
class Counted:
    """``correct`` of ``n`` outcomes, and how many outcomes weigh as much as one independent trial (at least 1).

    ``freedom``: degrees of freedom of that estimate, draws less one; 0 where there is nothing to estimate.
    """

    correct: int
    n: int
    design_effect: float = 1.0
    freedom: int = 0

    def effective(self) -> tuple[int, int]:
        """(correct, n) of as many independent trials as the outcomes are worth, in whole numbers; n is at least 1."""
        n = max(1, round(self.n / self.design_effect))
        return round(self.correct / self.n * n), n


def counted(values: Array) -> Counted:
    """The counts of ``values`` (draws x items, 0 or 1, NaN: not measured).

    One draw has a design effect of 1: its items are the trials. With several, an item that is right and one that is
    wrong in every draw are added before the effect is estimated, so that a handful of right answers do not pass for
    independent ones: draws that are all wrong or all right are worth a single one. Draws that are all alike show no
    noise: their effect is no estimate of it. The order of draws and items does not matter.
    """
    known = values[np.isfinite(values)]
    correct, n = int(known.sum()), int(known.size)
    if values.shape[0] == 1:
        return Counted(correct, n)
    both = np.ones((values.shape[0], 2)) * np.array([0.0, 1.0])
    drawn = np.concatenate([values, both], axis=1)
    drawn = drawn[:, np.isfinite(drawn).any(axis=0)]
    size, items = int(np.isfinite(drawn).sum()), drawn.shape[1]
    share = float(np.nanmean(drawn))
    single = share * (1 - share) / size * items / (items - 1)
    alike = bool(np.array_equal(values, values[:1].repeat(len(values), axis=0), equal_nan=True))
    return Counted(correct, n, max(1.0, variance(drawn) / single), 0 if alike else len(values) - 1)


def mean_and_error(values: Array, *, bounded: bool) -> tuple[float, float | None]:
    """The mean of ``values`` (draws x items, NaN: not measured) and its standard error; None for a single item.

    ``bounded``: of a score within 0..1 that never varies, the error is that of a share that is drawn in by two of each
    kind (Agresti and Coull 1998) instead of 0. Both are rounded to twelve digits, so that the order of items, on which
    the last bits of a sum depend, decides nothing.
    """
    table = values[:, np.isfinite(values).any(axis=0)]
    items = table.shape[1]
    mean = float(np.nanmean(table))
    if items < 2:
        return _twelve(mean), None
    found = variance(table)
    if found <= 0 and bounded:
        drawn = (mean * items + 2) / (items + 4)
        found = drawn * (1 - drawn) / (items + 4)
    return _twelve(mean), _twelve(math.sqrt(max(found, 0.0)))


def _twelve(value: float) -> float:
    return float(f"{value:.12g}")


def variance(table: Array) -> float:
    """Of the mean of ``table`` (draws x items, NaN: not measured; no column without a value).

    For a single draw it is that of other items, else of other items and other draws.
    """
    known = np.isfinite(table)
    size = int(known.sum())
    off = np.where(known, table - np.nanmean(table), 0.0)
    by_item = _between(off.sum(axis=0), size)
    if table.shape[0] == 1:
        return by_item
    by_draw = _between(off.sum(axis=1)[known.any(axis=1)], size)
    rows, columns = off.sum(axis=1) / known.sum(axis=1).clip(1), off.sum(axis=0) / known.sum(axis=0)
    freedom = size - int(known.any(axis=1).sum()) - table.shape[1] + 1
    if freedom < 1:
        # no item in two draws: an item's part cannot be told from that of a single outcome
        return float(max(by_draw, by_item))
    rest = np.where(known, off - rows[:, None] - columns[None, :], 0.0)
    single = float((rest**2).sum()) / freedom / size
    return float(max(by_item + by_draw - single, by_item, by_draw))


def _between(sums: Array, size: int) -> float:
    """The variance of a mean over ``size`` values whose deviations add up to ``sums`` in each cluster."""
    count = len(sums)
    return float((sums**2).sum()) / size**2 * count / (count - 1) if count > 1 else 0.0
