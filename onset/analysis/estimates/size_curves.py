"""Accuracy against model size in a study: counts of every curve, and the verdict on it.

A curve is one way of asking (task, method, labels, shift, stage) of the models of one family: sizes of two families
never share one, they differ in data and recipe as well as in size. Counts are those of
`onset.analysis.stats.counting`. From four sizes on a curve is judged by `onset.analysis.emergence.verdict`, the
machine of ``onset emergence``: accuracies of all curves in one call and their continuous scores in another, so that a
verdict does not depend on which scores were measured beside it. Below, there is no curve, and nothing is said but what
was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scipy import special

from onset.analysis.curves.points import point_of, score_curves
from onset.analysis.curves.series import Curve, SizePoint, curves_of
from onset.analysis.emergence.metric import MetricCheck, metric_check
from onset.analysis.emergence.verdict import MIN_SIZES, Emergence, Settings, emergence_of
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.counting import Counted

SETTINGS = Settings(threshold_replicates=0)
"""The threshold's profile interval is what is shown; its bootstrap is left out, so that a report stays quick."""


@dataclass(frozen=True)
class SizeCurve(Placed):
    """One method's accuracy over the sizes of one family, which ``at`` names without a model.

    ``sizes``: parameters, ascending; ``counts``: of each size, pooled over all draws; ``models``: the models of each
    size. ``found``: the verdict, ``check``: whether a jump is one of the metric, ``scores``: continuous scores of the
    same outputs; None and empty below four sizes.
    """

    at: Setting
    chance: float | None
    models: tuple[str, ...]
    sizes: tuple[int, ...]
    counts: tuple[Counted, ...]
    found: Emergence | None = None
    check: MetricCheck | None = None
    scores: tuple[Curve, ...] = ()

    @property
    def n(self) -> tuple[int, ...]:
        """How many outcomes each size has."""
        return tuple(one.n for one in self.counts)

    @property
    def correct(self) -> tuple[int, ...]:
        """How many of them are right."""
        return tuple(one.correct for one in self.counts)

    @property
    def different(self) -> int:
        """How many different sizes."""
        return len(set(self.sizes))

    def json(self) -> dict[str, Any]:
        """A curve of ``onset show --json``."""
        return {
            "task": self.task,
            "method": self.method,
            "labels": self.at.labels,
            "shift": self.shift,
            "stage": self.stage,
            "family": self.family,
            "chance": self.chance,
            "models": list(self.models),
            "sizes": list(self.sizes),
            "n": list(self.n),
            "correct": list(self.correct),
            "design_effect": [one.design_effect for one in self.counts],
            "verdict": "no curve" if self.found is None else self.found.verdict,
            "emergence": None if self.found is None else self.found.json(),
            "metric_check": None if self.check is None else self.check.json(),
            "scores": [
                {
                    "metric": one.metric,
                    "models": [point.model for point in one.points],
                    "sizes": [int(point.x) for point in one.points],
                    "values": [point.score for point in one.points],
                    "errors": [point.stderr for point in one.points],
                    "intervals": [_interval(point) for point in one.points],
                }
                for one in self.scores
            ],
        }


def _interval(point: SizePoint) -> list[float] | None:
    """The normal interval of a score (95 %); None where its standard error is not known."""
    if point.score is None or point.stderr is None:
        return None
    half = point.stderr * float(special.ndtri((1 + LEVEL) / 2))
    return [point.score - half, point.score + half]


def size_curves(arms: Sequence[Outcomes], settings: Settings = SETTINGS) -> tuple[SizeCurve, ...]:
    """One curve for every (task, method, labels, shift, stage, family), judged where it has four sizes or more."""
    groups: dict[tuple[str, str, int, str, str, str], list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault((arm.task, arm.method, arm.labels, arm.shift, arm.stage, arm.family), []).append(arm)
    members = [sorted(group, key=lambda arm: arm.params) for group in groups.values()]
    curves = [_curve(group) for group in members]
    tested = [index for index, one in enumerate(curves) if one.different >= MIN_SIZES and min(one.sizes) > 0]
    if not tested:
        return tuple(curves)
    accuracies = emergence_of([_accuracies(members[index]) for index in tested], settings)
    wanted = [score_curves(members[index]) for index in tested]
    verdicts = iter(emergence_of([one for some in wanted for one in some], settings))
    for index, accuracy, some in zip(tested, accuracies, wanted, strict=True):
        check = metric_check(accuracy, [next(verdicts) for _ in some], settings)
        curves[index] = replace(curves[index], found=accuracy, check=check, scores=some)
    return tuple(curves)


def _accuracies(group: Sequence[Outcomes]) -> Curve:
    (curve,) = curves_of(point_of(arm, float(arm.params)) for arm in group)
    return curve


def _curve(group: Sequence[Outcomes]) -> SizeCurve:
    first = group[0]
    return SizeCurve(
        at=first.at.without("model", "params"),
        chance=first.chance,
        models=tuple(arm.model for arm in group),
        sizes=tuple(arm.params for arm in group),
        counts=tuple(arm.counts() for arm in group),
    )
