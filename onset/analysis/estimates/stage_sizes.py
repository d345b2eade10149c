"""Does an ingredient of training move the size from which on an ability is there?

A stage of training ("without code", "base, extra notes") and its reference (the stage less its last step, else "base")
each have a curve of accuracy over size on one task, with the same method and labels. The two midpoints are held against
each other as those of two tasks are (`onset.analysis.curves.place`): the interval of their ratio is that of the
profile likelihood.

Both curves are of the same items, and the likelihood takes them for different ones: what the curves have in common is
not used, so the interval is rather too wide. One training run stands behind every point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.estimates.task_sizes import Without, times, why_without, within
from onset.analysis.setting import BASE, Placed, Setting

Ends = tuple[float | None, float | None]
ShiftVerdict = Literal["later", "earlier", "undecided", "not reached"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A ratio of two midpoints and its interval; None where there is none, or it is out of reach."""

    ratio: float | None = None
    interval: Ends = (None, None)


@dataclass(frozen=True)
class StageShift(Placed):
    """How many times the parameters of ``stages[1]``, the reference, ``stages[0]`` takes to be halfway.

    ``midpoints`` (parameters), ``ceilings`` and ``verdict``: ``later`` and ``earlier`` where the interval of ``ratio``
    excludes 1; ``not reached`` where the stage's curve has no midpoint within the sizes (midpoint and ratio are None
    then), with the reason in ``without``; ``undecided`` where that is "no curve fits". An end of the
    interval is None where it is out of reach. ``n``: outcomes behind both curves.
    """

    at: Setting
    stages: tuple[str, str]
    midpoints: tuple[float | None, float]
    ceilings: tuple[float | None, float]
    sizes: tuple[int, ...]
    moved: Moved
    verdict: ShiftVerdict
    n: int
    without: Without | None = None

    @property
    def ratio(self) -> float | None:
        """Of the midpoints; None where the stage has none."""
        return self.moved.ratio

    @property
    def interval(self) -> Ends:
        """Of the ratio, an end None where it is out of reach."""
        return self.moved.interval

    def json(self) -> dict[str, Any]:
        """An entry of ``stage_shifts`` in ``onset show --json``."""
        return {
            "task": self.task,
            "method": self.method,
            "labels": self.labels,
            "family": self.family,
            "stages": list(self.stages),
            "midpoints": list(self.midpoints),
            "ceilings": list(self.ceilings),
            "sizes": list(self.sizes),
            "ratio": self.ratio,
            "interval": list(self.interval),
            "verdict": self.verdict,
            "n": self.n,
            "without": self.without,
        }


def stage_shifts(curves: Sequence[SizeCurve]) -> tuple[StageShift, ...]:
    """Every stage with a curve against its reference of the same sizes, where the reference has a midpoint.

    Without a shift.
    """
    known = {
        (one.task, one.method, one.labels, one.family, one.stage): one
        for one in curves
        if one.shift == "none" and one.found is not None
    }
    found = []
    for (*place, stage), curve in known.items():
        if stage == BASE:
            continue
        references = (known.get((*place, name)) for name in (stage.rpartition(", ")[0], BASE))  # type: ignore[arg-type]
        reference = next((one for one in references if one is not None), None)
        shift = None if reference is None else _shift(curve, reference)
        found += [shift] if shift else []
    return tuple(found)


def _shift(curve: SizeCurve, reference: SizeCurve) -> StageShift | None:
    before, after = within(reference), within(curve)
    if before is None or set(curve.sizes) != set(reference.sizes):
        return None
    moved = Moved()
    without = None if after is not None else why_without(curve)
    # a curve that no logistic fits may well have risen
    verdict: ShiftVerdict = "undecided" if without == "no curve fits" else "not reached"
    if after is not None:
        moved = Moved(after.size / before.size, times(before, after))
        later, earlier = (moved.interval[0] or 0) > 1, (moved.interval[1] or math.inf) < 1
        verdict = "later" if later else "earlier" if earlier else "undecided"
    return StageShift(
        at=curve.at,
        stages=(curve.stage, reference.stage),
        midpoints=(None if after is None else after.size, before.size),
        ceilings=(None if after is None else after.found.curve.ceiling, before.found.curve.ceiling),
        sizes=curve.sizes,
        moved=moved,
        verdict=verdict,
        n=sum(curve.n) + sum(reference.n),
        without=without,
    )
