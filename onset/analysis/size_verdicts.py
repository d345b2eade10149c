"""The verdict on every accuracy curve of a study, and whether continuous scores of the same outputs bear it out.

Accuracies of all curves are judged in one call of `onset.analysis.emergence.emergence_of` and their continuous scores
in another, so that a verdict does not depend on which scores were measured beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onset.analysis.emergence import MIN_SIZES, Emergence, Settings, emergence_of
from onset.analysis.metric_check import MetricCheck, metric_check
from onset.analysis.points import Curve
from onset.analysis.size_curves import SizeCurve
from onset.analysis.study_points import accuracy_curve, score_curves
from onset.analysis.table import Results

SETTINGS = Settings(threshold_replicates=0)
"""The threshold's profile interval is what is shown; its bootstrap is left out, so that a report stays quick."""


@dataclass(frozen=True)
class SizeVerdict:
    """Of one size curve: ``emergence`` (from effective counts) and ``check``; ``scores``: its continuous scores.

    ``emergence`` and ``check`` are None, and ``scores`` empty, below four sizes.
    """

    emergence: Emergence | None = None
    check: MetricCheck | None = None
    scores: tuple[Curve, ...] = ()

    def json(self) -> dict[str, Any]:
        """The keys ``emergence``, ``metric_check`` and ``scores`` of a curve in ``onset show --json``."""
        return {
            "emergence": None if self.emergence is None else self.emergence.json(),
            "metric_check": None if self.check is None else self.check.json(),
            "scores": [
                {
                    "metric": one.metric,
                    "models": [point.model for point in one.points],
                    "sizes": [int(point.x) for point in one.points],
                    "values": [point.score for point in one.points],
                    "errors": [point.stderr for point in one.points],
                }
                for one in self.scores
            ],
        }


def size_verdicts(
    curves: Sequence[SizeCurve], results: Results, settings: Settings = SETTINGS
) -> tuple[SizeVerdict, ...]:
    """One for each of ``curves``, in their order."""
    judged = [index for index, one in enumerate(curves) if len(set(one.sizes)) >= MIN_SIZES]
    out = [SizeVerdict() for _ in curves]
    if not judged:
        return tuple(out)
    accuracies = emergence_of([accuracy_curve(curves[index]) for index in judged], settings)
    held: dict[tuple[str, str], list[Curve]] = {}
    for one in score_curves(results):
        held.setdefault((one.curve, one.family), []).append(one)
    wanted = [held.get((one.curve.curve, one.curve.family), []) for one in accuracies]
    tested = iter(emergence_of([one for some in wanted for one in some], settings))
    for index, accuracy, scores in zip(judged, accuracies, wanted, strict=True):
        verdicts = [next(tested) for _ in scores]
        out[index] = SizeVerdict(accuracy, metric_check(accuracy, verdicts, settings), tuple(scores))
    return tuple(out)
