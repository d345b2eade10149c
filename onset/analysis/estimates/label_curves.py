"""Accuracy against the number of labelled examples, and from which budget on tuning overtakes prompting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.contrast.parts import Verdict
from onset.analysis.curves.break_even import rising
from onset.analysis.outcomes import Flops, Outcomes
from onset.analysis.stats.bootstrap import REPLICATES, Block, crossed_bootstrap
from onset.analysis.stats.shares import Interval
from onset.scores import wilson

Overtakes = Literal["reached", "not reached", "lost again"]


@dataclass(frozen=True, slots=True)
class LabelPoint:
    """Mean accuracy (share) over the draws at one budget.

    ``interval``: Wilson's for one draw of right and wrong, crossed bootstrap over draws and items otherwise; ``n``:
    items; ``parse_rate``: share of outputs an answer was found in, and ``flops``, means over all draws (None: not
    known).
    """

    labels: int
    draws: int
    n: int
    accuracy: float
    interval: Interval
    parse_rate: float | None = None
    flops: Flops | None = None

    def json(self) -> dict[str, Any]:
        """What is said of an arm in each of its cells; FLOPs of a query, and of a tuning (0 for prompting)."""
        return {
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "draws": self.draws,
            "parse_rate": self.parse_rate,
            "flops_query": self.flops and self.flops.query,
            "flops_tuning": self.flops and self.flops.tuning,
            "flops_search": self.flops and self.flops.search,
        }


@dataclass(frozen=True, slots=True)
class LabelCurve:
    """One method on one model: `LabelPoint` by ascending budget.

    Three to six budgets tell no curve of three parameters (a power law with a floor); what holds for them is that more
    labels do no harm in truth, so that the fitted accuracies are those made to rise (isotonic regression).
    """

    model: str
    params: int
    stage: str
    method: str
    tune: str | None
    task: str
    shift: str
    chance: float | None
    points: tuple[LabelPoint, ...]

    def json(self) -> dict[str, Any]:
        """An entry of ``label_curves`` in ``onset show --json``; shares 0..1."""
        fitted = rising([one.accuracy for one in self.points], [one.interval for one in self.points])
        points = [
            {"labels": one.labels, "fitted": float(value), **one.json()}
            for one, value in zip(self.points, fitted, strict=True)
        ]
        names = ("task", "shift", "model", "params", "stage", "method")
        return {name: getattr(self, name) for name in names} | {"points": points}


@dataclass(frozen=True, slots=True)
class Overtaking:
    """Does a tuned method overtake a prompting method as labels grow, and from which budget on?

    ``comparisons``: of the two, by ascending budget; ``budget``: the smallest one from which tuning wins (p adjusted
    for its family); ``verdict``: "reached"; "lost again" when prompting wins at a larger budget; "not reached".
    """

    comparisons: tuple[Contrast, ...]
    budget: int | None
    verdict: Overtakes

    def at(self, verdict: Verdict) -> list[int]:
        """The budgets with that verdict of the tuned method."""
        return [one.labels for one in self.comparisons if one.verdict == verdict]


def mean_accuracy(arm: Outcomes, replicates: int = REPLICATES) -> LabelPoint:
    """Mean accuracy of an arm with its 95 % interval, cut at 0 and 1."""
    items = int(np.isfinite(arm.values).any(axis=0).sum())
    if len(arm.draws) == 1 and arm.binary:
        counts = arm.counts()
        low, high = wilson(counts.correct, counts.n)
    else:
        crossed = crossed_bootstrap([Block(arm.values)], replicates)
        assert crossed is not None  # an arm holds at least one outcome
        low, high = crossed.interval()
    interval = max(0.0, low), min(1.0, high)
    return LabelPoint(arm.labels, len(arm.draws), items, arm.accuracy, interval, arm.parse_rate, arm.ran.flops)


def label_curves(arms: Sequence[Outcomes], *, replicates: int = REPLICATES) -> tuple[LabelCurve, ...]:
    """One curve for every (model, stage, method, task, shift)."""
    groups: dict[tuple[str, ...], list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault((arm.model, arm.stage, arm.method, arm.task, arm.shift), []).append(arm)
    return tuple(_curve(sorted(group, key=lambda arm: arm.labels), replicates) for group in groups.values())


def _curve(group: Sequence[Outcomes], replicates: int) -> LabelCurve:
    first = group[0]
    return LabelCurve(
        model=first.model,
        params=first.params,
        stage=first.stage,
        method=first.method,
        tune=first.asked.tune,
        task=first.task,
        shift=first.shift,
        chance=first.chance,
        points=tuple(mean_accuracy(arm, replicates) for arm in group),
    )


def means_of(curves: Sequence[LabelCurve]) -> dict[tuple[Any, ...], LabelPoint]:
    """The points of all curves, by the values of `onset.analysis.outcomes.KEY`."""
    return {
        (curve.model, curve.stage, curve.method, point.labels, curve.task, curve.shift): point
        for curve in curves
        for point in curve.points
    }


def overtakings(comparisons: Sequence[Contrast], tuned: set[str]) -> tuple[Overtaking, ...]:
    """From the verdicts at each budget; ``tuned`` names the tuning methods."""
    groups: dict[tuple[str, ...], list[Contrast]] = {}
    for one in comparisons:
        if one.names[0] in tuned and one.names[1] not in tuned and one.labels > 0 and one.difference is not None:
            groups.setdefault((one.task, one.shift, one.model, one.stage, *one.names), []).append(one)
    return tuple(_overtaking(sorted(group, key=lambda one: one.labels)) for group in groups.values())


def _overtaking(group: Sequence[Contrast]) -> Overtaking:
    budget = min((one.labels for one in group if one.verdict == "wins"), default=None)
    lost = budget is not None and any(one.labels > budget for one in group if one.verdict == "loses")
    verdict: Overtakes = "not reached" if budget is None else "lost again" if lost else "reached"
    return Overtaking(tuple(group), budget, verdict)
