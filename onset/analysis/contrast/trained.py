"""What a kind of training went with in models that others trained: scores before and after, over families and sizes.

Models of one family share their data, their makers and how they were asked: they are no independent witnesses. So a
family is one observation of the mean: its own mean change, and Student's t over families (Cameron and Miller 2015, "A
Practitioner's Guide to Cluster-Robust Inference", Journal of Human Resources 50, 317-372, on few clusters). Whether the
change grows with size is asked within families alone: each family has its own level, and the common slope over log10
parameters has the standard error of leaving one family out at a time, with as many degrees of freedom as families less
one (the cluster jackknife, CV3 there). Sizes of different families are never on one line.

A pair's own interval is Newcombe's, of two independent shares: the same items stand behind both, but which of them were
right is not known, so it is rather too wide. p of a pair is that of the two shares' difference (pooled z), by Holm over
the pairs of a benchmark and kind of training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from onset.analysis.stats.adjust import ALPHA, LEVEL, holm
from onset.analysis.stats.shares import Interval, newcombe

PairVerdict = Literal["gains", "loses", "undecided"]
MIN_FAMILIES = 3
"""Families from which on there is an interval over them."""


@dataclass(frozen=True, slots=True)
class TrainedPair:
    """``model`` was made from ``base`` by training of the kind ``stage``; scores are shares of ``n`` items (None: not
    known), ``params`` parameters.
    """

    family: str
    base: str
    model: str
    stage: str
    params: float
    benchmark: str
    before: float
    after: float
    n: int | None = None

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def interval(self) -> Interval | None:
        """Of the change, by itself; None where the items are not known."""
        if self.n is None:
            return None
        return newcombe((round(self.after * self.n), self.n), (round(self.before * self.n), self.n))

    @property
    def p(self) -> float | None:
        """Two-sided, of no change; None where the items are not known."""
        if self.n is None:
            return None
        share = (self.before + self.after) / 2
        error = math.sqrt(2 * share * (1 - share) / self.n)
        return 1.0 if error == 0 else float(2 * special.ndtr(-abs(self.change) / error))


@dataclass(frozen=True, slots=True)
class Over:
    """A mean or a slope over ``families``, with its 95 % interval; None below `MIN_FAMILIES`."""

    value: float
    interval: Interval | None
    families: int

    @property
    def verdict(self) -> PairVerdict:
        """Does the interval exclude 0?"""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return "undecided"
        return "gains" if self.interval[0] > 0 else "loses"


@dataclass(frozen=True, eq=False)
class StageOnBenchmark:
    """What training of one kind went with on one benchmark. ``mean``: change over families; ``slope``: of the change
    per tenfold size within families (None: no family has two sizes); ``up`` and ``down``: pairs whose own change is
    shown (``shown_of`` with known items).
    """

    benchmark: str
    stage: str
    pairs: tuple[TrainedPair, ...]
    mean: Over
    slope: Over | None
    up: int
    down: int
    shown_of: int

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares."""

        def over(one: Over | None) -> dict[str, Any] | None:
            if one is None:
                return None
            ends = None if one.interval is None else list(one.interval)
            return {"value": one.value, "interval": ends, "families": one.families, "verdict": one.verdict}

        return {
            "benchmark": self.benchmark,
            "stage": self.stage,
            "mean": over(self.mean),
            "slope": over(self.slope),
            "up": self.up,
            "down": self.down,
            "shown_of": self.shown_of,
            "pairs": [
                {
                    "family": one.family,
                    "base": one.base,
                    "model": one.model,
                    "params": one.params,
                    "before": one.before,
                    "after": one.after,
                    "change": one.change,
                    "interval": None if one.interval is None else list(one.interval),
                    "n": one.n,
                }
                for one in self.pairs
            ],
        }


def stages_on_benchmarks(pairs: Sequence[TrainedPair]) -> tuple[StageOnBenchmark, ...]:
    """Every benchmark and kind of training, in order of appearance; pairs by family and size."""
    groups: dict[tuple[str, str], list[TrainedPair]] = {}
    for one in pairs:
        groups.setdefault((one.benchmark, one.stage), []).append(one)
    return tuple(_summed(benchmark, stage, group) for (benchmark, stage), group in groups.items())


def _summed(benchmark: str, stage: str, group: Sequence[TrainedPair]) -> StageOnBenchmark:
    held = sorted(group, key=lambda one: (one.family, one.params, one.model))
    known = [one for one in held if one.p is not None]
    adjusted = holm([one.p or 0.0 for one in known])
    shown = [one for one, p in zip(known, adjusted, strict=True) if p <= ALPHA]
    return StageOnBenchmark(
        benchmark=benchmark,
        stage=stage,
        pairs=tuple(held),
        mean=mean_over_families(held),
        slope=slope_within_families(held),
        up=sum(one.change > 0 for one in shown),
        down=sum(one.change < 0 for one in shown),
        shown_of=len(known),
    )


def mean_over_families(pairs: Sequence[TrainedPair]) -> Over:
    """The mean of the families' mean changes, with Student's t over families."""
    means = np.array([float(np.mean([one.change for one in family])) for family in _families(pairs)])
    value, count = float(means.mean()), len(means)
    if count < MIN_FAMILIES:
        return Over(value, None, count)
    half = _t(count - 1) * float(means.std(ddof=1)) / math.sqrt(count)
    return Over(value, (value - half, value + half), count)


def slope_within_families(pairs: Sequence[TrainedPair]) -> Over | None:
    """How much more the change is per tenfold parameters, within families of two sizes or more."""
    families = [family for family in _families(pairs) if len({one.params for one in family}) > 1]
    if not families:
        return None
    sums = np.array([_sums(family) for family in families])
    value = float(sums[:, 0].sum() / sums[:, 1].sum())
    count = len(families)
    if count < MIN_FAMILIES:
        return Over(value, None, count)
    left = sums.sum(axis=0) - sums
    without = left[:, 0] / left[:, 1]
    error = math.sqrt((count - 1) / count * float(((without - value) ** 2).sum()))
    half = _t(count - 1) * error
    return Over(value, (value - half, value + half), count)


def _families(pairs: Sequence[TrainedPair]) -> list[list[TrainedPair]]:
    groups: dict[str, list[TrainedPair]] = {}
    for one in pairs:
        groups.setdefault(one.family, []).append(one)
    return list(groups.values())


def _sums(family: Sequence[TrainedPair]) -> tuple[float, float]:
    """Sums of products of size and change, and of squares of size, around the family's own means."""
    x = np.log10([one.params for one in family])
    y = np.array([one.change for one in family])
    x = x - x.mean()
    return float((x * (y - y.mean())).sum()), float((x**2).sum())


def _t(df: int) -> float:
    return float(special.stdtrit(df, (1 + LEVEL) / 2))
