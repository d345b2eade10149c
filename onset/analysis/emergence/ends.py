"""Where a curve starts and ends: the sizes before its rise against chance, and those past it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis.curves.likelihood import Counts, Data
from onset.analysis.curves.series import Curve
from onset.analysis.emergence.axis import Axis, chance_of, of_rise
from onset.analysis.emergence.settings import Settings
from onset.analysis.emergence.smooth import Growing, Growth
from onset.analysis.stats.shares import clopper_pearson
from onset.analysis.stats.tails import binomial_above, binomial_below

Mask = NDArray[np.bool_]

FLOOR_SIZES = 2
"""Fewest sizes before the rise that show a floor."""
_PAST = 0.9


@dataclass(frozen=True, eq=False)
class Ends:
    """Where one curve starts and ends. ``floor``: pooled share of the sizes before the rise, its interval and how many
    sizes, ``floor_state`` what that says; ``top``: fitted share at the largest size; ``top_p``: of the sizes past the
    rise being no better than chance; ``above``: some size is above chance; ``unseen``: right answers above chance that
    the best smooth curve expects before the rise; ``below``: models below chance.
    """

    floor: tuple[float, float, float, int] | None = None
    floor_state: str = ""
    top: float = 0.0
    top_p: float = 1.0
    above: bool = True
    unseen: float | None = None
    below: tuple[str, ...] = ()


def ends_of(curve: Curve, fit: Growing, axis: Axis, row: int, growth: Growth, settings: Settings) -> Ends:
    """Of the curve in one row of ``fit``."""
    data, sharp, chance = fit.data.take(np.array([row])), fit.sharp, chance_of(curve)
    values, shares = of_rise(axis.sharp.values[sharp.shape[row]]), sharp.shares(axis.sharp)[row]
    margin = max(settings.margin, growth.rise / 4)
    low, past = values < 0.25, values > _PAST
    if math.isfinite(chance):
        within = shares < chance + margin
        low = within if within.any() else low
    floor, state = _floor(data, low, int(np.unique(axis.x[low]).size), chance, margin, settings)
    top, top_p = _top(data, past, chance, float(shares[-1]))
    return Ends(
        floor, state, top, top_p, _shown_above(data, chance, settings.level),
        _unseen(growth, data, low, chance), _below(curve, data, chance),
    )  # fmt: skip


def _floor(
    data: Data, low: Mask, sizes: int, chance: float, margin: float, settings: Settings
) -> tuple[tuple[float, float, float, int] | None, str]:
    """(pooled share, interval at 1 - 2 level, sizes) before the rise, and whether it is at chance."""
    if not low.any():
        return None, "open"
    if isinstance(data, Counts):
        inflation = 1 + (data.n[0] - 1) * data.rho[0]
        n, right = float((data.n[0] / inflation)[low].sum()), float((data.right[0] / inflation)[low].sum())
        share = right / n
        ends = clopper_pearson(right, n, 1 - 2 * settings.level)
    else:
        weight = data.start_weight()[0][low]
        share = float(np.average(data.share[0][low], weights=weight))
        half = float(special.ndtri(1 - settings.level)) / math.sqrt(float(weight.sum()))
        ends = share - half, share + half
    floor = (share, *ends, sizes)
    if sizes < FLOOR_SIZES:
        return floor, "too few sizes"
    if not math.isfinite(chance):
        return floor, "chance unknown"
    if chance - margin < ends[0] and ends[1] < chance + margin:
        return floor, "at chance"
    return floor, "above" if ends[0] > chance + margin else "below" if ends[1] < chance - margin else "open"


def _top(data: Data, past: Mask, chance: float, fitted: float) -> tuple[float, float]:
    """Fitted share at the largest size, and the p of the sizes past the rise being no better than chance."""
    past = past.copy()
    past[-1] = True
    if not math.isfinite(chance):
        return fitted, 0.0
    if isinstance(data, Counts):
        inflation = 1 + (data.n[0] - 1) * data.rho[0]
        n, right = float((data.n[0] / inflation)[past].sum()), float((data.right[0] / inflation)[past].sum())
        # P(X >= right) as the tail of a beta, for fractional counts
        p = 1.0 if right <= 0 else float(special.betainc(right, n - right + 1, chance))
        return fitted, p
    weight = data.start_weight()[0][past]
    mean = float(np.average(data.share[0][past], weights=weight))
    return fitted, float(special.ndtr((chance - mean) * math.sqrt(float(weight.sum()))))


def _shown_above(data: Data, chance: float, level: float) -> bool:
    """Is some size above chance by an exact test, adjusted over the sizes? True where chance is not known."""
    if not math.isfinite(chance):
        return True
    if isinstance(data, Counts):
        p = binomial_above(data.right[0] - 1, data.n[0], chance)
    else:
        p = special.ndtr((chance - data.value[0]) / data.error[0])
    return bool(float(np.min(p)) * len(p) <= level)


def _unseen(growth: Growth, data: Data, low: Mask, chance: float) -> float | None:
    """Right answers above chance that the best smooth curve expects at the sizes before the rise."""
    if not isinstance(data, Counts) or not low.any() or not math.isfinite(chance):
        return None
    smooth = np.array(growth.smooth_fit)
    return float((data.n[0] * np.maximum(smooth - chance, 0.0))[low].sum())


def _below(curve: Curve, data: Data, chance: float) -> tuple[str, ...]:
    if not isinstance(data, Counts) or not math.isfinite(chance) or chance <= 0:
        return ()
    points = curve.points
    return tuple(
        point.model for point in points
        if point.n and point.correct is not None and binomial_below(point.correct, point.n, chance) < 0.01
    )  # fmt: skip
