"""At which size does one method overtake another?

Where the fitted curves meet is estimated in `onset.analysis.curves.meeting`. The verdict does not rest on the curves
but on the difference at each size, with intervals adjusted by Holm (1979) over the sizes: Newcombe's (1998, doi
10.1002/(SICI)1097-0258(19980430)17:8<873) hybrid score interval for counts, a normal one for scores with standard
errors. ``from``: above 0 at every size from one on, and not at the size below; ``always``: at every size; ``none``: at
no size, and a lead of the margin is excluded at each; else ``unresolved``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from onset.analysis import words
from onset.analysis.curves.likelihood import Data, Scores, counts
from onset.analysis.curves.meeting import REPLICATES, Meeting, meet
from onset.analysis.curves.series import MIN_SIZES, Curve, Scale, SizePoint
from onset.analysis.curves.shapes import Array, place
from onset.analysis.stats.adjust import ALPHA, MARGIN
from onset.analysis.stats.shares import Interval, newcombe
from onset.errors import InputError

CrossingVerdict = Literal["always", "none", "from", "unresolved"]
Standing = Literal["above", "below", "level", "open"]
"""Of a difference: its interval is above 0, below 0, excludes a lead of the margin, or none of these."""


@dataclass(frozen=True, slots=True)
class SizeDifference:
    """``difference`` (second minus first, in the unit of the score) at the size ``x`` of ``model``.

    ``interval`` is adjusted over the sizes, ``p`` is not, ``p_holm`` is.
    """

    model: str
    x: float
    difference: float
    interval: Interval
    p: float
    p_holm: float
    standing: Standing
    test: str


@dataclass(frozen=True)
class Crossing:
    """The curve ``b`` against ``a`` over the sizes both have.

    ``gap``: the largest size without a lead and the smallest from which on every size has one (None unless ``from``);
    ``meeting``: of the fitted curves, None below four sizes; ``notes``: what limits it.
    """

    a: Curve
    b: Curve
    verdict: CrossingVerdict
    differences: tuple[SizeDifference, ...]
    gap: tuple[float, float] | None
    meeting: Meeting | None
    notes: tuple[str, ...] = ()

    @property
    def estimate(self) -> float | None:
        """N*, None where the curves do not meet within the sizes or were not fitted."""
        return None if self.meeting is None else self.meeting.place.estimate

    @property
    def words(self) -> str:
        """``none``, ``always``, ``unresolved``, or ``from 4.1 B parameters [2.9 B to unbounded]``."""
        if self.verdict != "from" or self.gap is None:
            return self.verdict
        if self.meeting is None or self.estimate is None:
            return f"from between {' and '.join(words.on_scale(end, self.a.scale, bare=True) for end in self.gap)}"
        where = self.meeting.place
        spread = interval_words(where.low, where.high, self.a.scale)
        return f"from {words.on_scale(self.estimate, self.a.scale)} [{spread}]"

    def json(self) -> dict[str, Any]:
        """Plain JSON; an end of an interval that is unbounded is None."""
        met = self.meeting
        return {
            "curves": [self.a.curve, self.b.curve],
            "family": self.a.family,
            "verdict": self.verdict,
            "estimate": self.estimate,
            "interval": None if met is None else [met.place.low, met.place.high],
            "bootstrap": None if met is None else [met.bootstrap.low, met.bootstrap.high],
            "gap": None if self.gap is None else list(self.gap),
            "differences": [
                {name: getattr(one, name) for name in SizeDifference.__dataclass_fields__} for one in self.differences
            ],
            "notes": list(self.notes),
        }


def interval_words(low: float | None, high: float | None, scale: Scale = "params") -> str:
    """``2.9 B to 5.5 B``; an end that runs off the sizes is unbounded."""
    if low is None and high is None:
        return "unbounded at both ends"
    return " to ".join("unbounded" if end is None else words.on_scale(end, scale, bare=True) for end in (low, high))


def crossing(
    a: Curve,
    b: Curve,
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
) -> Crossing:
    """From which size on ``b`` is ahead of ``a``.

    ``margin``: the lead (in the unit of the score) that has to be excluded for ``none``; ``replicates``: of the meeting
    place's bootstrap. Raises InputError for curves on different scales, without a model in common or without counts or
    standard errors.
    """
    pairs = _shared(a, b)
    differences = _differences(pairs, margin)
    sizes = sorted({one.x for one in differences}, reverse=a.scale == "loss")
    at = [[index for index, one in enumerate(differences) if one.x == size] for size in sizes]
    start = int(start_of_wins(np.array([[one.standing == "above"] for one in differences]), at)[0])
    verdict = verdict_of(start, len(sizes), resolved=all(one.standing in ("below", "level") for one in differences))
    meeting, notes = None, []
    if len(sizes) >= MIN_SIZES:
        x = place([first.x for first, _ in pairs], a.scale)
        data = _data([first for first, _ in pairs]), _data([second for _, second in pairs])
        meeting = meet(*data, x, scale=a.scale, replicates=replicates, margin=margin)
        notes += [
            f"no rising curve fits {(a, b)[side].curve}: where the curves meet is not said" for side in meeting.misfits
        ]
    else:
        notes.append(f"{words.counted(len(sizes), 'size')}: curves are fitted from {MIN_SIZES} on")
    gap = (sizes[start - 1], sizes[start]) if verdict == "from" else None
    return Crossing(a, b, verdict, differences, gap, meeting, tuple(notes))


def start_of_wins(wins: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], at: Sequence[Sequence[int]]) -> Array:
    """Per column the index of the size from which on every one is won (their number: not even the largest is).

    ``wins``: rows x columns; ``at``: the rows of each size; a size with several models is won when all of them are.
    """
    by_size = np.array([wins[list(rows)].all(axis=0) for rows in at])
    tail = np.logical_and.accumulate(by_size[::-1], axis=0)
    out: Array = (len(at) - tail.sum(axis=0)).astype(np.float64)
    return out


def verdict_of(start: int, sizes: int, *, resolved: bool) -> CrossingVerdict:
    """``start``: the index from `start_of_wins` among ``sizes``; ``resolved``: no lead is possible at any size."""
    if start == 0:
        return "always"
    return "from" if start < sizes else "none" if resolved else "unresolved"


# ---- the data ------------------------------------------------------------------------------------------------------


def _shared(a: Curve, b: Curve) -> list[tuple[SizePoint, SizePoint]]:
    """Points of the models both curves have, by ascending model."""
    if a.scale != b.scale:
        raise InputError(f"crossing: {a.curve} is measured in {a.scale}, {b.curve} in {b.scale}")
    for curve in (a, b):
        names = [(point.model, point.x) for point in curve.points]
        twice = next((name for name, _ in names if sum(other[0] == name for other in names) > 1), None)
        if twice is not None:
            raise InputError(f"crossing: {curve.curve} has several points of {twice}: one for each model is needed")
    other = {(point.model, point.x): point for point in b.points}
    pairs = [(point, other[point.model, point.x]) for point in a.points if (point.model, point.x) in other]
    if not pairs:
        raise InputError(f"crossing: {a.curve} and {b.curve} have no model in common")
    pairs.sort(key=lambda pair: float(place([pair[0].x], a.scale)[0]))
    for pair in pairs:
        for point in pair:
            if not point.n and not (point.score is not None and point.stderr):
                raise InputError(
                    f"crossing: {point.curve}, {point.model}: neither counts nor a standard error is known"
                )
    return pairs


def _data(points: Sequence[SizePoint]) -> Data:
    if all(point.n and point.correct is not None for point in points):
        return counts(np.array([point.correct for point in points]), np.array([point.n for point in points]))
    known = [_score(point) for point in points]
    return Scores(np.array([[value for value, _ in known]]), np.array([[error for _, error in known]]))


def _score(point: SizePoint) -> tuple[float, float]:
    """Score and standard error, from counts where there are any (drawn in from 0 and 1)."""
    if point.n and point.correct is not None:
        drawn = (point.correct + 1) / (point.n + 2)
        return point.correct / point.n, math.sqrt(drawn * (1 - drawn) / point.n)
    return float(point.score or 0.0), float(point.stderr or 0.0)


# ---- differences at each size --------------------------------------------------------------------------------------


def _differences(pairs: Sequence[tuple[SizePoint, SizePoint]], margin: float) -> tuple[SizeDifference, ...]:
    tests = [_Test.of(*pair) for pair in pairs]
    order = sorted(range(len(tests)), key=lambda index: tests[index].p)
    made: dict[int, SizeDifference] = {}
    worst, rejected = 0.0, 0
    for step, index in enumerate(order):
        one, left = tests[index], len(tests) - step
        worst = max(worst, min(1.0, one.p * left))
        rejected += worst <= ALPHA
        # what Holm's procedure rejects at step k was tested at level / (m - k), the rest at the step it stopped at
        level = 1 - ALPHA / max(len(tests) - (step if worst <= ALPHA else rejected), 1)
        low, high = one.interval(level)
        standing: Standing = "open"
        if worst <= ALPHA and one.difference != 0:
            standing = "above" if one.difference > 0 else "below"
        elif one.interval(1 - 2 * (1 - level))[1] < margin:
            standing = "level"
        first = pairs[index][0]
        made[index] = SizeDifference(
            first.model, first.x, one.difference, (low, high), one.p, worst, standing, one.name
        )
    return tuple(made[index] for index in range(len(tests)))


@dataclass(frozen=True, eq=False)
class _Test:
    """A difference at one size."""

    name: str
    difference: float
    p: float
    a: SizePoint
    b: SizePoint

    @classmethod
    def of(cls, a: SizePoint, b: SizePoint) -> _Test:
        if a.n and b.n and a.correct is not None and b.correct is not None:
            gap = b.correct / b.n - a.correct / a.n
            return cls("Newcombe", gap, _newcombe_p(a, b), a, b)
        (first, first_error), (second, second_error) = _score(a), _score(b)
        z = (second - first) / math.hypot(first_error, second_error)
        return cls("normal", second - first, float(2 * special.ndtr(-abs(z))), a, b)

    def interval(self, level: float) -> Interval:
        """At a confidence level."""
        if self.name == "Newcombe":
            return newcombe(_counts(self.a), _counts(self.b), level)
        half = float(special.ndtri((1 + level) / 2)) * math.hypot(_score(self.a)[1], _score(self.b)[1])
        return self.difference - half, self.difference + half


def _counts(point: SizePoint) -> tuple[int, int]:
    return int(point.correct or 0), int(point.n or 1)


def _newcombe_p(a: SizePoint, b: SizePoint) -> float:
    """The p that belongs to the interval: 1 - the level at which it just reaches 0."""
    gap = _counts(b)[0] / _counts(b)[1] - _counts(a)[0] / _counts(a)[1]
    if gap == 0:
        return 1.0
    low, high = 0.0, 30.0
    for _ in range(40):
        z = (low + high) / 2
        # the tail is exact where 1 - tail is not
        ends = newcombe(_counts(a), _counts(b), min(max(1 - 2 * float(special.ndtr(-z)), 1e-12), 1 - 1e-15))
        low, high = (z, high) if ends[0] > 0 or ends[1] < 0 else (low, z)
    return float(2 * special.ndtr(-(low + high) / 2))
