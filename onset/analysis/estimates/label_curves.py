"""Accuracy against the number of labelled examples, and from which budget on tuning overtakes prompting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy import special

from onset.analysis.contrast.asked import place
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.contrast.parts import Verdict
from onset.analysis.curves.break_even import rising
from onset.analysis.outcomes import Flops, Outcomes
from onset.analysis.stats.adjust import ALPHA
from onset.analysis.stats.bootstrap import REPLICATES, Block, Crossed, crossed_bootstrap, intervals
from onset.analysis.stats.draws import ENOUGH_DRAWS, draw_means, over_draws
from onset.analysis.stats.pooling import Moderated, pool
from onset.analysis.stats.shares import Interval
from onset.scores import wilson

Overtakes = Literal["reached", "not reached", "lost again"]


@dataclass(frozen=True, slots=True)
class LabelPoint:
    """Mean accuracy (share) over the draws at one budget.

    ``interval``: Wilson's for one draw of right and wrong, over draws and items otherwise (`means_over_draws`); ``n``:
    items; ``parse_rate``: share of outputs an answer was found in, and ``flops``, means over all draws (None: not
    known); ``p_chance``: one-sided p of "it is at chance or below" by what the interval is made of (None: no chance
    level is known, or it is 0).
    """

    labels: int
    draws: int
    n: int
    accuracy: float
    interval: Interval
    parse_rate: float | None = None
    flops: Flops | None = None
    p_chance: float | None = None

    def above_chance(self, among: int = 1) -> bool:
        """Is it shown to be above chance, where it was picked from ``among`` (Bonferroni; 2.5 % one-sided)?"""
        return self.p_chance is None or self.p_chance * among <= ALPHA / 2

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
    """Mean accuracy of an arm by itself with its 95 % interval, cut at 0 and 1 (`means_over_draws`)."""
    (point,) = means_over_draws([arm], replicates)
    return point


def means_over_draws(arms: Sequence[Outcomes], replicates: int = REPLICATES) -> list[LabelPoint]:
    """Mean accuracy of each arm of a study, with its 95 % interval, cut at 0 and 1.

    One draw of right and wrong has Wilson's interval, one of scores and six draws or more the crossed bootstrap's. From
    two to five draws noise between draws is pooled over the prompted arms of a study, and over the tuned ones, in
    proportion to the variance of an arm's outcomes (`onset.analysis.stats.pooling`); where there are too few arms for
    that, the interval is the wider of the bootstrap's and of Student's t over the draws. With two draws whose log-odds
    scatter by one, the bootstrap's alone held 87 or 88 % of truths, the pooled one 95 to 97 %, at less width
    (`benchmarks/few_draws_means.py`).
    """
    crossed = [
        None if len(arm.draws) == 1 and arm.binary else crossed_bootstrap([Block(arm.values)], replicates)
        for arm in arms
    ]
    pooled = _pooled(arms, crossed)
    alone = [one for one, moderated in zip(crossed, pooled, strict=True) if one is not None and moderated is None]
    resampled = dict(zip(alone, intervals(alone), strict=True))
    return [
        _point(arm, one, None if one is None else resampled.get(one), moderated)
        for arm, one, moderated in zip(arms, crossed, pooled, strict=True)
    ]


def _pooled(arms: Sequence[Outcomes], crossed: Sequence[Crossed | None]) -> list[Moderated | None]:
    """Arms of few draws with noise between draws pooled; one that shows no example stands at several budgets, and is
    one arm of the pool.
    """
    keys = [(arm.shift, place(arm)) for arm in arms]
    few = [1 < len(arm.draws) < ENOUGH_DRAWS and not arm.repeated for arm in arms]
    first = {key: spot for spot, key in reversed([*enumerate(keys)]) if few[spot]}
    spots = sorted(first.values())
    made = pool(
        [(held := crossed[spot]) and replace(held, square=float(np.nanvar(arms[spot].values))) for spot in spots],
        [_design(arms[spot]) for spot in spots],
        [(keys[spot][1], "all draws") for spot in spots],
    )
    found = {keys[spot]: one for spot, one in zip(spots, made, strict=True) if isinstance(one, Moderated)}
    return [found.get(key) if is_few else None for key, is_few in zip(keys, few, strict=True)]


def _design(arm: Outcomes) -> str:
    return f"{'tuned' if arm.tuned else 'prompted'}, {'right or wrong' if arm.binary else 'scores'}"


def _point(arm: Outcomes, crossed: Crossed | None, resampled: Interval | None, pooled: Moderated | None) -> LabelPoint:
    """``resampled``: the interval of ``crossed``; None: of one draw of right and wrong, or where noise is pooled."""
    chance, p = arm.chance or 0.0, 1.0
    if pooled is not None:
        low, high = pooled.interval()
        p = pooled.tail(chance, above=False)
    elif crossed is None or resampled is None:
        counts = arm.counts()
        low, high = wilson(counts.correct, counts.n)
        if 0 < chance < 1:  # the score test, of which the interval is the inversion
            error = math.sqrt(chance * (1 - chance) / counts.n)
            p = float(special.ndtr((chance - counts.correct / counts.n) / error))
    else:
        (low, high), p = resampled, crossed.tail(chance, above=False) if chance else 1.0
        if 1 < len(arm.draws) < ENOUGH_DRAWS and not arm.repeated:
            apart = over_draws(draw_means(arm.values))
            over = apart.interval()
            low, high, p = min(low, over[0]), max(high, over[1]), max(p, apart.tail(chance, above=False))
    items = int(np.isfinite(arm.values).any(axis=0).sum())
    interval = max(0.0, low), min(1.0, high)
    return LabelPoint(
        arm.labels, len(arm.draws), items, arm.accuracy, interval, arm.parse_rate, arm.ran.flops, p if chance else None
    )


def label_curves(arms: Sequence[Outcomes], *, replicates: int = REPLICATES) -> tuple[LabelCurve, ...]:
    """One curve for every (model, stage, method, task, shift)."""
    groups: dict[tuple[str, ...], list[tuple[Outcomes, LabelPoint]]] = {}
    for arm, point in zip(arms, means_over_draws(arms, replicates), strict=True):
        groups.setdefault((arm.model, arm.stage, arm.method, arm.task, arm.shift), []).append((arm, point))
    return tuple(_curve(sorted(group, key=lambda one: one[0].labels)) for group in groups.values())


def _curve(group: Sequence[tuple[Outcomes, LabelPoint]]) -> LabelCurve:
    first = group[0][0]
    return LabelCurve(
        model=first.model,
        params=first.params,
        stage=first.stage,
        method=first.method,
        tune=first.asked.tune,
        task=first.task,
        shift=first.shift,
        chance=first.chance,
        points=tuple(point for _, point in group),
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
