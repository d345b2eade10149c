"""Which of several related tasks needs the larger model: their midpoints in order, and the ratios of neighbours.

Tasks are related when their names agree up to the first "[", as `one-hop[frequency=head]` and `one-hop[frequency=tail]`
do. Each has a curve of accuracy over size; its midpoint and the ratio of two of them, by profile likelihood, are those
of `onset.analysis.curves.place`. Intervals of neighbours allow for their number (Bonferroni), that of the last to the
first for all pairs, since the two are the pair that lies farthest apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from onset.analysis.curves.midpoint import Midpoint
from onset.analysis.curves.place import apart
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import LEVEL

Without = Literal["no growth", "no curve fits", "not halfway"]
"""Why a task has no midpoint: no growth is shown, no curve fits, or it is halfway at no size measured."""


@dataclass(frozen=True, slots=True)
class SizeRatio:
    """How many times the parameters of ``tasks[0]`` the midpoint of ``tasks[1]`` takes.

    An end of ``interval`` is None where it is out of reach; ``larger``: the interval excludes 1.
    """

    tasks: tuple[str, str]
    ratio: float
    interval: tuple[float | None, float | None]
    larger: bool

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "tasks": list(self.tasks),
            "ratio": self.ratio,
            "interval": list(self.interval),
            "larger": self.larger,
        }


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """Where a task is halfway (``midpoint`` in parameters, with its ``interval``) between ``floor`` and ``ceiling``
    (shares).
    """

    task: str
    midpoint: float
    interval: tuple[float | None, float | None]
    floor: float
    ceiling: float


@dataclass(frozen=True)
class TaskOrder(Placed):
    """Related tasks in the order of their midpoints, smallest first; the task of ``at`` is what their names share.

    ``ratios``: of neighbours in this order; ``overall``: the last to the first; ``without``: tasks without a midpoint
    and why. ``n``: outcomes behind all.
    """

    at: Setting
    places: tuple[TaskPlace, ...]
    sizes: tuple[int, ...]
    ratios: tuple[SizeRatio, ...]
    overall: SizeRatio
    without: tuple[tuple[str, Without], ...]
    n: int

    @property
    def stem(self) -> str:
        """What the names of the tasks share."""
        return self.at.task

    @property
    def tasks(self) -> tuple[str, ...]:
        """In the order of their midpoints."""
        return tuple(one.task for one in self.places)

    def json(self) -> dict[str, Any]:
        """An entry of ``task_orders`` in ``onset show --json``."""
        return {
            "stem": self.stem,
            "method": self.method,
            "labels": self.labels,
            "stage": self.stage,
            "family": self.family,
            "tasks": list(self.tasks),
            "midpoints": [one.midpoint for one in self.places],
            "intervals": [list(one.interval) for one in self.places],
            "floors": [one.floor for one in self.places],
            "ceilings": [one.ceiling for one in self.places],
            "sizes": list(self.sizes),
            "ratios": [one.json() for one in self.ratios],
            "overall": self.overall.json(),
            "without": [list(one) for one in self.without],
            "n": self.n,
        }


def stem_of(task: str) -> str:
    """The name of a task without its parameters, which is what related tasks share.

    >>> stem_of("one-hop[frequency=head]")
    'one-hop'
    """
    return task.partition("[")[0]


def task_orders(curves: Sequence[SizeCurve]) -> tuple[TaskOrder, ...]:
    """One order for every stem, stage and family with two tasks or more that have a midpoint within the sizes.

    Without a shift, at the largest budget two of the tasks share, with the method that is best there at the largest
    size (mean over the tasks).
    """
    groups: dict[tuple[str, str, str], list[SizeCurve]] = {}
    for curve in curves:
        if curve.shift == "none" and curve.found is not None and "[" in curve.task:
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
class Halfway:
    """A midpoint within the sizes: ``size`` and ``interval`` in parameters; ``found``: its profile and its curve."""

    found: Midpoint
    size: float
    interval: tuple[float | None, float | None]


def within(curve: SizeCurve) -> Halfway | None:
    """The curve's midpoint where it lies within the sizes and may be said, else None."""
    found = None if curve.found is None else curve.found.midpoint
    if found is None:
        return None
    place = found.profile.interval()
    return None if place.estimate is None else Halfway(found, place.estimate, (place.low, place.high))


def why_without(curve: SizeCurve) -> Without:
    """Why a curve has no midpoint within its sizes."""
    found = curve.found
    if found is not None and found.midpoint is not None:
        return "not halfway"
    grows = found is not None and found.verdict in ("emergent", "smooth", "unresolved")
    shown = grows and found is not None and (found.q_value is not None)
    return "no curve fits" if shown else "no growth"


def _order(stem: str, curves: Sequence[SizeCurve]) -> TaskOrder | None:
    held = [(curve, halfway) for curve in curves if (halfway := within(curve)) is not None]
    if len(held) < 2:
        return None
    held.sort(key=lambda pair: pair[1].size)
    pairs, first = list(pairwise(held)), held[0][0]
    return TaskOrder(
        at=replace(first.at, task=stem),
        places=tuple(
            TaskPlace(curve.task, halfway.size, halfway.interval, fitted.floor, fitted.ceiling)
            for curve, halfway in held
            for fitted in (halfway.found.curve,)
        ),
        sizes=first.sizes,
        ratios=tuple(_ratio(a, b, 1 - (1 - LEVEL) / len(pairs)) for a, b in pairs),
        overall=_ratio(held[0], held[-1], 1 - (1 - LEVEL) / math.comb(len(held), 2)),
        without=tuple((one.task, why_without(one)) for one in curves if within(one) is None),
        n=sum(sum(curve.n) for curve, _ in held),
    )


def _ratio(a: tuple[SizeCurve, Halfway], b: tuple[SizeCurve, Halfway], level: float) -> SizeRatio:
    ratio, interval = b[1].size / a[1].size, times(a[1], b[1], level)
    return SizeRatio((a[0].task, b[0].task), ratio, interval, larger=interval[0] is not None and interval[0] > 1)


def times(a: Halfway, b: Halfway, level: float = LEVEL) -> tuple[float | None, float | None]:
    """The interval of how many times the size of ``a``'s midpoint ``b``'s is; an end out of reach is None."""
    found = apart(a.found.profile, b.found.profile).interval(level)
    return found.low, found.high
