"""Curves as tables over one set of sizes, and the shapes that are tried over them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from onset.analysis import words
from onset.analysis.curves.fit import Limits, Shapes
from onset.analysis.curves.likelihood import Counts, Data, Indices, Scores
from onset.analysis.curves.series import MIN_SIZES, Curve, SizePoint
from onset.analysis.curves.shapes import (
    STEEPEST,
    Array,
    ErrorPowerLaw,
    Hinge,
    Logistic,
    LogLinear,
    LossPowerLaw,
    Step,
    logistics,
    loss_power_laws,
    place,
)
from onset.analysis.emergence.settings import Settings
from onset.records import derive_seed

_NEAREST = 1e-3


def same_axis(curves: Sequence[Curve]) -> Iterable[list[int]]:
    """Rows that can be fitted together: same sizes, scale and kind of data."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, curve in enumerate(curves):
        key = (curve.scale, tuple(point.x for point in curve.points), kind_of(curve))
        groups.setdefault(key, []).append(row)
    return groups.values()


def kind_of(curve: Curve) -> str:
    """``counts``, ``scores``, or why the curve cannot be tested."""
    points = curve.points
    if curve.sizes < MIN_SIZES:
        return f"{words.counted(curve.sizes, 'size')}, at least {MIN_SIZES} are needed"
    if float(np.ptp(place([point.x for point in points], curve.scale))) < _NEAREST:
        return "no test: its sizes differ by less than a thousandth of a decade"
    if all(point.n for point in points) and not points[0].continuous:
        return "counts"
    return "scores" if all(point.score is not None and point.stderr for point in points) else _no_errors(points)


def _no_errors(points: Sequence[SizePoint]) -> str:
    exact = [point.model for point in points if point.score is not None and point.stderr == 0]
    if exact:
        return f"no test: the standard error is 0 for {words.listed(exact[:3])}: give n and correct instead"
    missing = [point.model for point in points if not point.n and not point.stderr]
    if missing:
        return f"no test: neither counts nor a standard error is known for {words.listed(missing[:3])}"
    return "no test: some points are counts, others scores: give all of them in one way"


def chance_of(curve: Curve) -> float:
    """The share of guessing; NaN where the source states none."""
    chance = curve.points[0].chance
    return math.nan if chance is None else chance


def prepared(curves: Sequence[Curve], settings: Settings) -> tuple[Data, Axis, list[int]]:
    """(data by ascending place, axis, a seed of each row's own) of curves over the same sizes."""
    x = place([point.x for point in curves[0].points], curves[0].scale)
    order = np.argsort(x, kind="stable")  # loss falls as models grow
    data = _data(curves, order, kind_of(curves[0]))
    keys = [derive_seed("emergence", str(_numbers(data, row))) for row in range(len(curves))]
    return data, axis_of(tuple(x[order].tolist()), settings), keys


def _data(curves: Sequence[Curve], order: Indices, kind: str) -> Data:
    def table(name: str) -> Array:
        return np.array([[getattr(point, name) for point in curve.points] for curve in curves], dtype=np.float64)[
            :, order
        ]

    if kind == "counts":
        return Counts(table("correct"), table("n"), np.zeros(len(curves)))
    return Scores(table("score"), table("stderr"))


def _numbers(data: Data, row: int) -> list[float]:
    parts = (data.right, data.n) if isinstance(data, Counts) else (data.value, data.error)
    return [float(value) for part in parts for value in part[row]]


@dataclass(frozen=True, eq=False)
class Axis:
    """The shapes over one set of sizes."""

    x: Array
    smooth: Shapes
    sharp: Shapes
    every: Shapes
    coarse: Shapes
    limits: Limits
    sharp_limits: Limits


@lru_cache(maxsize=64)
def axis_of(places: tuple[float, ...], settings: Settings) -> Axis:
    """The shapes over sizes at ``places``, ascending."""
    x = np.array(places)
    smooth = (
        (Logistic, logistics(x, 0.25, settings.steepest_smooth, 6)),
        (LossPowerLaw, loss_power_laws(x, settings.loss_exponent)),
        (ErrorPowerLaw, np.array([[one, x.min()] for one in np.geomspace(0.05, 1.0, 6)])),
        (LogLinear, LogLinear.grid(x)),
    )
    sharp = (
        (Logistic, logistics(x, 1.2 * settings.steepest_smooth, STEEPEST, 7)),
        (Hinge, Hinge.grid(x)),
        (Step, Step.grid(x)),
    )
    limits: Limits = {
        Logistic: (((0.05, settings.steepest_smooth), (float(x.min()) - 2, float(x.max()) + 2)), (0.3, 0.12)),
        ErrorPowerLaw: (((0.01, 1.0), (float(x.min()), float(x.min()))), (0.15, 0.0)),
        LossPowerLaw: (((0.01, settings.loss_exponent), (float(x.min()) - 20, float(x.max()) + 20)), (0.05, 0.3)),
    }
    return Axis(
        x,
        Shapes.of(x, *smooth),
        Shapes.of(x, *sharp),
        Shapes.of(x, *smooth, *sharp),
        Shapes.of(x, (Logistic, logistics(x, 0.5, STEEPEST / 4, 4)), (Step, Step.grid(x))),
        limits,
        {
            Logistic: (((0.05, STEEPEST), (float(x.min()) - 2, float(x.max()) + 2)), (1.0, 0.06)),
            Hinge: ((Hinge.bounds(x)[0],), (0.05,)),
        },
    )


def of_rise(values: Array) -> Array:
    """Shapes as shares of their rise over the sizes (last axis)."""
    low = values.min(axis=-1, keepdims=True)
    out: Array = (values - low) / np.maximum(np.ptp(values, axis=-1, keepdims=True), 1e-12)
    return out
