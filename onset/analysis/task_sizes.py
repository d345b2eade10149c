"""Which of several related tasks needs the larger model: their midpoints in order, and the ratios of neighbours.

Tasks are related when their names agree up to the first "[", as `one-hop[frequency=head]` and `one-hop[frequency=tail]`
do. Each has a curve of accuracy over size (`onset.analysis.size_curves`); its midpoint m is where accuracy is halfway
between chance and the curve's ceiling. The tasks have different items, so the log-likelihoods of two curves add up, and
the interval of the difference d = m_b - m_a in log10 parameters is that of the profile likelihood (Venzon and
Moolgavkar 1988, "A Method for Computing Profile-Likelihood-Based Confidence Intervals", Applied Statistics 37, 87-94):

    D(d) = min over m of [deviance_a(m) + deviance_b(m + d)]   at most the chi-square quantile

Design effects are in the deviances, so noise between draws of examples is counted. The same models stand behind both
curves: what another training run would change is not. Intervals allow for the number of neighbours (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import optimize, stats

from onset.analysis.intervals import LEVEL, Array
from onset.analysis.size_curves import SizeCurve, midpoint_deviance, size_within_reach

_STEP = 0.02
"""Decades between the differences tried; the end is then found between two of them."""


@dataclass(frozen=True, slots=True)
class SizeRatio:
    """How many times the parameters of ``tasks[0]`` the midpoint of ``tasks[1]`` takes.

    An end of ``interval`` is None where it is out of reach; ``larger``: the interval excludes 1.
    """

    tasks: tuple[str, str]
    ratio: float
    interval: tuple[float | None, float | None]
    larger: bool


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """Related tasks in the order of their midpoints (parameters), smallest first.

    ``ceilings``: what each curve rises to (shares); ``ratios``: of neighbours in this order; ``overall``: the last to
    the first; ``without``: tasks whose curve shows no growth, or a midpoint out of reach, with the curve's verdict.
    ``n``: outcomes behind all curves.
    """

    stem: str
    method: str
    labels: int
    stage: str
    family: str
    tasks: tuple[str, ...]
    midpoints: tuple[float, ...]
    intervals: tuple[tuple[float | None, float | None], ...]
    ceilings: tuple[float, ...]
    sizes: tuple[int, ...]
    ratios: tuple[SizeRatio, ...]
    overall: SizeRatio
    without: tuple[tuple[str, str], ...]
    n: int


def stem_of(task: str) -> str:
    """The name of a task without its parameters, which is what related tasks share.

    >>> stem_of("one-hop[frequency=head]")
    'one-hop'
    """
    return task.partition("[")[0]


def task_orders(curves: Sequence[SizeCurve]) -> tuple[TaskOrder, ...]:
    """One order for every stem, stage and family with two tasks or more whose accuracy grows with size.

    Without a shift, at the largest budget two of the tasks share, with the method that is best there at the largest
    size (mean over the tasks).
    """
    groups: dict[tuple[str, str, str], list[SizeCurve]] = {}
    for curve in curves:
        if curve.shift == "none" and curve.fit is not None and "[" in curve.task:
            groups.setdefault((stem_of(curve.task), curve.stage, curve.family), []).append(curve)
    orders = (_order(stem, _chosen(group)) for (stem, _, _), group in groups.items())
    return tuple(order for order in orders if order is not None)


def _chosen(group: Sequence[SizeCurve]) -> list[SizeCurve]:
    """The curves of one method and budget."""
    settings: dict[tuple[int, str], list[SizeCurve]] = {}
    for curve in group:
        settings.setdefault((curve.labels, curve.method), []).append(curve)
    shared = [(labels, method) for (labels, method), found in settings.items() if len(found) > 1]
    if not shared:
        return []

    def rank(setting: tuple[int, str]) -> tuple[float, ...]:
        found = settings[setting]
        return setting[0], len(found), sum(one.correct[-1] / one.n[-1] for one in found) / len(found)

    return settings[max(shared, key=rank)]


@dataclass(frozen=True, eq=False)
class _Profile:
    """``deviance`` of midpoints at ``places`` (log10 parameters)."""

    curve: SizeCurve
    midpoint: float
    places: Array
    deviance: Array


def _order(stem: str, curves: Sequence[SizeCurve]) -> TaskOrder | None:
    growing = [curve for curve in curves if growing_midpoint(curve) is not None]
    if len(growing) < 2:
        return None
    growing.sort(key=lambda curve: growing_midpoint(curve) or 0.0)
    profiles = [_Profile(one, math.log10(growing_midpoint(one) or 1.0), *midpoint_deviance(one)) for one in growing]
    pairs = list(pairwise(profiles))
    first = growing[0]
    return TaskOrder(
        stem=stem,
        method=first.method,
        labels=first.labels,
        stage=first.stage,
        family=first.family,
        tasks=tuple(one.task for one in growing),
        midpoints=tuple(10**profile.midpoint for profile in profiles),
        intervals=tuple(_in_parameters(one.fit.midpoint_interval) for one in growing if one.fit),
        ceilings=tuple(one.fit.curve.ceiling for one in growing if one.fit),
        sizes=first.sizes,
        ratios=tuple(_ratio(a, b, 1 - (1 - LEVEL) / len(pairs)) for a, b in pairs),
        overall=_ratio(profiles[0], profiles[-1], LEVEL),
        without=tuple((one.task, one.verdict) for one in curves if one not in growing),
        n=sum(sum(one.n) for one in growing),
    )


def growing_midpoint(curve: SizeCurve) -> float | None:
    """The curve's midpoint in parameters; None where no growth is shown or the midpoint is out of reach."""
    if curve.fit is None or curve.verdict != "grows":
        return None
    return size_within_reach(curve, curve.fit.curve.midpoint)


def _in_parameters(ends: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = ends
    return None if low is None else 10**low, None if high is None else 10**high


def _ratio(a: _Profile, b: _Profile, level: float) -> SizeRatio:
    low, high = difference_interval((a.places, a.deviance), (b.places, b.deviance), level)
    return SizeRatio(
        tasks=(a.curve.task, b.curve.task),
        ratio=10 ** (b.midpoint - a.midpoint),
        interval=_in_parameters((low, high)),
        larger=low is not None and low > 0,
    )


def difference_interval(
    a: tuple[Array, Array], b: tuple[Array, Array], level: float = LEVEL
) -> tuple[float | None, float | None]:
    """Profile-likelihood interval of (midpoint of b) - (midpoint of a) in log10 parameters.

    ``a`` and ``b``: places and deviances of `onset.analysis.size_curves.midpoint_deviance`. An end is None when the
    deviance does not reach the chi-square quantile within the places; beyond them it counts as at their end.
    """
    allowed = float(stats.chi2.ppf(level, 1))
    (places_a, deviance_a), (places_b, deviance_b) = a, b

    def excess(gap: float) -> float:
        # midpoints of a: its own places, and those that the places of b stand for
        own = deviance_a + np.interp(places_a + gap, places_b, deviance_b)
        other = deviance_b + np.interp(places_b - gap, places_a, deviance_a)
        return min(float(own.min()), float(other.min())) - allowed

    best = float(places_b[int(deviance_b.argmin())] - places_a[int(deviance_a.argmin())])
    ends = float(places_b[0] - places_a[-1]), float(places_b[-1] - places_a[0])
    return _outward(excess, best, ends[0]), _outward(excess, best, ends[1])


def _outward(excess: Callable[[float], float], start: float, end: float) -> float | None:
    """Where ``excess`` first becomes positive on the way from ``start`` to ``end``; None when it does not."""
    inside = start
    for place in np.linspace(start, end, max(2, math.ceil(abs(end - start) / _STEP)))[1:]:
        if excess(float(place)) > 0:
            return float(optimize.brentq(excess, inside, float(place), xtol=1e-5))
        inside = float(place)
    return None
