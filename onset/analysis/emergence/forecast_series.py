"""A curve's points as a forecast wants them: one row by place, whether it is at chance, the trend of a score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis import words
from onset.analysis.curves.likelihood import Counts, Data, Scores
from onset.analysis.curves.series import Curve, SizePoint
from onset.analysis.curves.shapes import Array, place
from onset.analysis.emergence.forecast_result import Trend
from onset.analysis.stats.adjust import ALPHA
from onset.analysis.stats.tails import binomial_above
from onset.errors import InputError
from onset.records import derive_seed
from onset.scores import wilson

LEAST = 3
"""Fewest sizes that a back-test or a trend is made from."""
_TAILS = (ALPHA / 2, 1 - ALPHA / 2)


@dataclass(frozen=True, eq=False)
class Series:
    """A curve's points as one row of data at ascending places; ``problem``: why nothing can be fitted."""

    x: Array
    data: Data | None
    share: Array
    chance: float | None
    continuous: bool
    problem: str | None

    @classmethod
    def of(cls, curve: Curve) -> Series:
        """The points of a curve by ascending place."""
        x = place([point.x for point in curve.points], curve.scale)
        order = np.argsort(x, kind="stable")
        points = [curve.points[index] for index in order]
        continuous = points[0].continuous
        data, problem = _row(points)
        return cls(x[order], data, np.array([_value(point) for point in points]), points[0].chance, continuous, problem)

    @property
    def places(self) -> Array:
        """The different places."""
        return np.unique(self.x)

    @property
    def items(self) -> int | None:
        """The median number of items (None: no counts)."""
        return round(float(np.median(self.data.n))) if isinstance(self.data, Counts) else None

    def only(self, rows: NDArray[np.bool_]) -> Series:
        """The points for which ``rows`` is true."""
        data: Data | None = self.data
        if isinstance(data, Counts):
            data = Counts(data.right[:, rows], data.n[:, rows], data.rho)
        elif isinstance(data, Scores):
            data = Scores(data.value[:, rows], data.error[:, rows])
        return replace(self, x=self.x[rows], data=data, share=self.share[rows])

    def generator(self, stream: str) -> np.random.Generator:
        """A stream of random numbers that follows from the data."""
        return np.random.default_rng(derive_seed("forecast", stream, str(self.x.tolist()), str(self.share.tolist())))

    def last(self) -> tuple[float, tuple[float, float]]:
        """The value at the largest size, models of that size taken together, and its 95 % interval."""
        end = self.only(self.x == self.x.max())
        if isinstance(end.data, Counts):
            right, total = int(end.data.right.sum()), int(end.data.n.sum())
            return right / total, wilson(right, total)
        if isinstance(end.data, Scores):
            weight = 1 / end.data.error[0] ** 2
            value, half = float(np.average(end.data.value[0], weights=weight)), 1.96 / math.sqrt(float(weight.sum()))
            return value, (value - half, value + half)
        value = float(end.share.mean())
        return value, (math.nan, math.nan)


def _value(point: SizePoint) -> float:
    if point.n and point.correct is not None and not (point.continuous and point.score is not None):
        return point.correct / point.n
    return math.nan if point.score is None else point.score


def _row(points: Sequence[SizePoint]) -> tuple[Data | None, str | None]:
    if not points[0].continuous and all(point.n for point in points):
        table = np.array(
            [[point.correct or 0 for point in points], [point.n or 0 for point in points]], dtype=np.float64
        )
        return Counts(table[:1], table[1:], np.zeros(1)), None
    if all(point.score is not None and point.stderr for point in points):
        pairs = np.array([[point.score for point in points], [point.stderr for point in points]], dtype=np.float64)
        return Scores(pairs[:1], pairs[1:]), None
    missing = [point.model for point in points if not point.n and not point.stderr]
    return None, f"neither counts nor a standard error is known for {words.listed(missing[:3])}"


def at_chance(series: Series) -> str | None:
    """Why emergence cannot be forecast: no size is shown to be above chance (exact tests, Holm over sizes, at 5 %)."""
    if series.continuous or series.chance is None or series.data is None:
        return None
    data = series.data
    if isinstance(data, Counts):
        p = binomial_above(data.right[0] - 1, data.n[0], series.chance)
    else:
        p = special.ndtr((series.chance - data.value[0]) / data.error[0])
    if float(np.min(p)) * len(p) <= ALPHA:
        return None
    return (
        f"no size is shown to be above chance ({words.percent(series.chance)}), and from accuracy at chance an"
        " ability about to emerge cannot be told from one that never will (on ten BIG-bench tasks labelled emergent,"
        " every method missed the largest size by 15 points or more on average); a continuous score of the same outputs"
        " is needed, such as the log-probability of the right answer"
    )


def trend_of(curve: Curve) -> Trend:
    """Raises InputError for fewer than three sizes or unknown values."""
    series = Series.of(curve)
    sizes, x, value = len(series.places), series.x, series.share
    if sizes < LEAST or not np.isfinite(value).all():
        raise InputError(f"companion {curve.metric} of {curve.curve}: expected scores at {LEAST} sizes or more")
    known = isinstance(series.data, Scores)
    weight = 1 / series.data.error[0] ** 2 if isinstance(series.data, Scores) else np.ones_like(x)
    centred = x - np.average(x, weights=weight)
    total = float((weight * centred**2).sum())
    slope = float((weight * centred * value).sum()) / total
    rest = value - np.average(value, weights=weight) - slope * centred
    spare = x.size - 2
    birge = float((weight * rest**2).sum()) / spare
    error = math.sqrt((max(birge, 1.0) if known else birge) / total)
    half = float(special.stdtrit(spare, _TAILS[1])) * error
    p = float(2 * special.stdtr(spare, -abs(slope) / error)) if error > 0 else 0.0
    return Trend(curve.metric, slope, (slope - half, slope + half), p, sizes)
