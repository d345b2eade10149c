"""Scores of other tools' results that are not right or wrong: their means, and what models and methods differ by.

A score that is known item by item has the mean of its items with the interval of the crossed bootstrap, and two of them
are paired on the items that both have (`onset.analysis.contrast`). Of a score that is only stated, with a standard
error, the interval is normal, and two of them are held against each other as if they were of different items: that is
too wide rather than too narrow where the items are the same. p is adjusted by Holm (1979) over the pairs of one metric
of a task, of models asked in one way or of ways of asking one model. Different metrics are never held against each
other, nor pooled over tasks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
from scipy import special

from onset.analysis.contrast.asked import link
from onset.analysis.contrast.contrast import Contrast, measure, share_noise, verdict_of
from onset.analysis.contrast.parts import Verdict, kind_of
from onset.analysis.outcomes import NO_FILTER, Measure, Measuring, Outcomes, Stated
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import LEVEL, MARGIN, holm
from onset.analysis.stats.bootstrap import REPLICATES, Block, crossed_bootstrap
from onset.analysis.stats.counting import mean_and_error
from onset.analysis.stats.shares import Interval

Axis = Literal["model", "method"]
_AXES: tuple[Axis, ...] = ("model", "method")
_Z = float(special.ndtri((1 + LEVEL) / 2))


@dataclass(frozen=True, eq=False)
class ScoreMean(Placed, Measuring):
    """The mean of one metric at one setting, in the metric's own unit.

    ``of``: its items, or what is stated of it; ``stderr`` and ``interval`` (95 %): None where not known; ``draws``: 0
    where it is only stated; ``n``: items (None: not known).
    """

    of: Outcomes | Stated
    value: float
    stderr: float | None
    interval: Interval | None
    n: int | None
    draws: int

    @property
    def at(self) -> Setting:
        """Where it was measured."""
        return self.of.at

    @property
    def measure(self) -> Measure:
        """What was measured."""
        return self.of.measure

    def json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "task": self.task,
            "shift": self.shift,
            "model": self.model,
            "family": self.at.family,
            "params": self.at.params,
            "method": self.at.method,
            "metric": self.metric,
            "filter": None if self.filter == NO_FILTER else self.filter,
            "higher_is_better": self.higher_is_better,
            "value": self.value,
            "stderr": self.stderr,
            "interval": None if self.interval is None else list(self.interval),
            "n": self.n,
            "draws": self.draws,
            "item_by_item": self.draws > 0,
        }


@dataclass(frozen=True, eq=False)
class ScorePair:
    """``plus`` minus ``minus``, which differ in ``axis``; ``difference`` on the items that both have.

    ``contrast``: the paired one, None where a side has no items or they share none; ``interval`` and ``p``: None where
    a standard error is not known; ``p_adjusted`` and ``p_equivalent``: over ``size`` pairs; ``verdict``: said of the
    plus side; ``n``: items compared (None: not known).
    """

    axis: Axis
    plus: ScoreMean
    minus: ScoreMean
    contrast: Contrast | None
    difference: float | None
    interval: Interval | None
    p: float | None
    test: str
    n: int | None
    p_adjusted: float | None = None
    p_equivalent: float | None = None
    size: int = 1
    verdict: Verdict = "undecided"

    @property
    def names(self) -> tuple[str, str]:
        """What the sides are called."""
        return (self.plus.model, self.minus.model) if self.axis == "model" else (self.plus.method, self.minus.method)

    def ahead(self) -> tuple[float | None, Interval | None]:
        """How much better the plus side is, with its interval: the difference, turned where less is better."""
        if self.plus.higher_is_better or self.difference is None:
            return self.difference, self.interval
        return -self.difference, None if self.interval is None else (-self.interval[1], -self.interval[0])

    def turned(self) -> ScorePair:
        """Said of the other side."""
        other: dict[Verdict, Verdict] = {"wins": "loses", "loses": "wins"}
        return replace(
            self,
            plus=self.minus,
            minus=self.plus,
            contrast=self.contrast and self.contrast.turned(),
            difference=None if self.difference is None else -self.difference,
            interval=None if self.interval is None else (-self.interval[1], -self.interval[0]),
            verdict=other.get(self.verdict, self.verdict),
        )

    def json(self) -> dict[str, Any]:
        """Plain JSON; values are of the items compared where the score is known item by item."""
        one, at = self.contrast, self.plus
        value_a, value_b = (self.plus.value, self.minus.value) if one is None else one.levels
        return {
            "axis": self.axis,
            "task": at.task,
            "shift": at.shift,
            "model": None if self.axis == "model" else at.model,
            "method": None if self.axis == "method" else at.at.method,
            "metric": at.metric,
            "filter": None if at.filter == NO_FILTER else at.filter,
            "higher_is_better": at.higher_is_better,
            "sides": list(self.names),
            "sizes": [self.plus.at.params, self.minus.at.params],
            "item_by_item": one is not None,
            "n": self.n,
            "draws": 0 if one is None else len(one.draws),
            "value_a": value_a,
            "value_b": value_b,
            "difference": self.difference,
            "interval": None if self.interval is None else list(self.interval),
            "p": self.p,
            "p_holm": self.p_adjusted,
            "p_equivalent_holm": self.p_equivalent,
            "margin": None if one is None else one.scale.margin,
            "test": self.test,
            "unpaired": None if one is None else list(one.sample.table.only),
            "mismatch": [] if one is None else list(one.refused),
            "family_size": self.size,
            "verdict": self.verdict,
        }


@dataclass(frozen=True, eq=False)
class Scores:
    """``means`` in order of appearance, and ``pairs``: models before ways of asking."""

    means: tuple[ScoreMean, ...] = ()
    pairs: tuple[ScorePair, ...] = ()


def compare_scores(
    scores: Sequence[Outcomes], stated: Sequence[Stated], *, margin: float = MARGIN, replicates: int = REPLICATES
) -> Scores:
    """The means, and every pair of one metric that differs in the model alone, or in the way of asking alone.

    ``margin``: of equivalence, for scores that are shares. The larger model comes first, and the way of asking that
    appears later.
    """
    means = [*(_mean(one, replicates) for one in scores), *map(_stated, stated)]
    pairs: list[ScorePair] = []
    for axis in _AXES:
        groups: dict[tuple[Setting, str, str], list[ScoreMean]] = {}
        for one in means:
            groups.setdefault((_apart_from(one, axis), one.metric, one.filter), []).append(one)
        for group in groups.values():
            ranked = sorted(group, key=lambda one: one.params) if axis == "model" else group
            pairs += _decided([_pair(axis, a, b, margin, replicates) for b, a in combinations(ranked, 2)])
    return Scores(tuple(means), tuple(pairs))


def _apart_from(one: ScoreMean, axis: Axis) -> Setting:
    return one.at.without("model", "family", "params") if axis == "model" else one.at.without("method")


def _mean(one: Outcomes, replicates: int) -> ScoreMean:
    shares = kind_of(one, one) != "score"
    items = int(np.isfinite(one.values).any(axis=0).sum())
    if items < 2:
        return ScoreMean(one, one.accuracy, None, None, items, len(one.draws))
    crossed = crossed_bootstrap([Block(one.values)], replicates, shares=shares)
    assert crossed is not None  # it has items
    low, high = crossed.interval()
    interval = (max(0.0, low), min(1.0, high)) if shares else (low, high)
    return ScoreMean(one, one.accuracy, mean_and_error(one.values, bounded=shares)[1], interval, items, len(one.draws))


def _stated(one: Stated) -> ScoreMean:
    """A standard error of 0 is that of items that are all alike, which bounds nothing: there is no interval then."""
    error = one.stderr if one.stderr is not None and math.isfinite(one.stderr) and one.stderr > 0 else None
    interval = None if error is None else (one.value - _Z * error, one.value + _Z * error)
    return ScoreMean(one, one.value, one.stderr, interval, one.n, 0)


def _pair(axis: Axis, a: ScoreMean, b: ScoreMean, margin: float, replicates: int) -> ScorePair:
    if isinstance(a.of, Outcomes) and isinstance(b.of, Outcomes):
        kind = kind_of(a.of, b.of)
        one = measure(
            a.of, b.of, axis, margin=margin, replicates=replicates, kind="share" if kind == "binary" else kind
        )
        (one,) = share_noise([one], ["scores"], [link(a.of, b.of)])
        few = one.n < 2
        return ScorePair(
            axis, a, b, one, one.difference, None if few else one.interval, None if few else one.p,
            "none: a single item" if few and one.n else one.test, one.n,
        )  # fmt: skip
    difference = a.value - b.value
    if a.interval is None or b.interval is None or a.stderr is None or b.stderr is None:
        return ScorePair(axis, a, b, None, difference, None, None, "none: a standard error is not known", None)
    error = math.hypot(a.stderr, b.stderr)
    return ScorePair(
        axis, a, b, None, difference, (difference - _Z * error, difference + _Z * error),
        float(2 * special.ndtr(-abs(difference) / error)), "normal, from both standard errors, not paired", None,
    )  # fmt: skip


def _decided(pairs: Sequence[ScorePair]) -> list[ScorePair]:
    """With p adjusted over ``pairs``, and the verdicts."""
    tests = [one.p for one in pairs if one.p is not None]
    margins = [one.contrast.p_equivalent for one in pairs if one.p is not None and one.contrast is not None]
    p, equivalent = iter(holm(tests)), iter(holm([one for one in margins if one is not None]))
    out = []
    for one in pairs:
        asked = one.p is not None and one.contrast is not None and one.contrast.p_equivalent is not None
        made = replace(
            one,
            size=max(len(tests), 1),
            p_adjusted=None if one.p is None else next(p),
            p_equivalent=next(equivalent) if asked else None,
        )
        verdict = verdict_of(
            made.difference, made.p_adjusted, made.p_equivalent, higher_is_better=one.plus.higher_is_better
        )
        out.append(replace(made, verdict=verdict))
    return out
