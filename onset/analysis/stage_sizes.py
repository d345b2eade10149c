"""Does an ingredient of training move the size from which on an ability is there?

A stage of training ("without code", "base, extra notes") and its reference (the stage less its last step, else "base")
each have a curve of accuracy over size (`onset.analysis.size_curves`) on one task, with the same method and labels.
The two midpoints, where accuracy is halfway between chance and the curve's own ceiling, are held against each other as
those of two tasks are in `onset.analysis.task_sizes`: the interval of their ratio is that of the profile likelihood.

Both curves are of the same items, and the likelihood takes them for different ones: what the curves have in common is
not used, so the interval is rather too wide. One training run stands behind every point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onset.analysis.factors import BASE
from onset.analysis.size_curves import SizeCurve, midpoint_deviance
from onset.analysis.task_sizes import difference_interval, growing_midpoint

ShiftVerdict = Literal["later", "earlier", "undecided", "not reached"]


@dataclass(frozen=True, slots=True)
class StageShift:
    """How many times the parameters of ``stages[1]``, the reference, ``stages[0]`` takes to be halfway.

    ``midpoints`` (parameters), ``ceilings`` and ``verdict``: ``later`` and ``earlier`` where the interval of ``ratio``
    excludes 1; ``not reached`` where the stage's curve shows no growth or has its midpoint out of reach (midpoint and
    ratio are None then). An end of the interval is None where it is out of reach. ``n``: outcomes behind both curves.
    """

    task: str
    method: str
    labels: int
    family: str
    stages: tuple[str, str]
    midpoints: tuple[float | None, float]
    ceilings: tuple[float, float]
    sizes: tuple[int, ...]
    ratio: float | None
    interval: tuple[float | None, float | None]
    verdict: ShiftVerdict
    n: int


def stage_shifts(curves: Sequence[SizeCurve]) -> tuple[StageShift, ...]:
    """Every stage with a curve against its reference of the same sizes, where the reference's accuracy grows with size.

    Without a shift.
    """
    known = {
        (one.task, one.method, one.labels, one.family, one.stage): one
        for one in curves
        if one.shift == "none" and one.fit is not None
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
    before, after = growing_midpoint(reference), growing_midpoint(curve)
    alike = set(curve.sizes) == set(reference.sizes)  # else one ceiling may be fitted where the other is 1
    if before is None or curve.fit is None or reference.fit is None or not alike:
        return None
    low, high = None, None
    verdict: ShiftVerdict = "not reached"
    if after is not None:
        low, high = difference_interval(midpoint_deviance(reference), midpoint_deviance(curve))
        later, earlier = low is not None and low > 0, high is not None and high < 0
        verdict = "later" if later else "earlier" if earlier else "undecided"
    return StageShift(
        task=curve.task,
        method=curve.method,
        labels=curve.labels,
        family=curve.family,
        stages=(curve.stage, reference.stage),
        midpoints=(after, before),
        ceilings=(curve.fit.curve.ceiling, reference.fit.curve.ceiling),
        sizes=curve.sizes,
        ratio=None if after is None else after / before,
        interval=(None if low is None else 10**low, None if high is None else 10**high),
        verdict=verdict,
        n=sum(curve.n) + sum(reference.n),
    )
