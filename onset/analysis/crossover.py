"""How a gain changes with size: chain of thought over answer-only, a vote over a single sample, in one family.

The gain at each size is that of the paired comparison of the two methods (`onset.analysis.paired`), with its interval,
adjusted p and verdict. Three questions are asked of them together.

From which size on does the method win? The *crossover* is the smallest size from which on it wins at every larger size
measured while it does not win at the size below: a gap between two measured sizes. How far the gap would move with
other items and draws is a bootstrap of the pattern of wins (Efron and Tibshirani 1993, "An Introduction to the
Bootstrap", chapter 13: percentile interval): items are resampled together for all sizes, crossed with the draws, and a
size counts as a win in a resample when its gain reaches what a win took in the study, i.e. the half-width of the
interval at the level at which Holm's procedure tested that comparison. From four sizes on, the curves of both methods
are fitted together as well, and the place where they cross has an interval of its own (`onset.analysis.crossing`).

Where does accuracy rise most? The *steepest rise* is the largest difference between neighbouring sizes, paired on items
and draws; its interval allows for having been picked out of all of them (Bonferroni). It is called a jump when more
than half of the change between the smallest and the largest size is shown to lie in it. A jump in this sense says
where the growth is, not that a curve through more sizes would be broken there.

Is it the method's own rise? The rise of one method minus that of the other over the same two sizes, paired again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from onset.analysis import crossing
from onset.analysis.arms import Arm
from onset.analysis.counting import counted
from onset.analysis.fitting import Counts, counts
from onset.analysis.intervals import (
    LEVEL,
    REPLICATES,
    Array,
    Block,
    Crossed,
    Interval,
    crossed_bootstrap,
    joint_replicates,
)
from onset.analysis.paired import Comparison, Verdict, holm, pair
from onset.analysis.size_curves import MIN_SIZES

GainKind = Literal["chain of thought", "voting"]
CrossoverVerdict = crossing.CrossingVerdict
_ALPHA = 1 - LEVEL


@dataclass(frozen=True, slots=True)
class GainPoint:
    """The gain (shares, method minus the other) of one model; ``verdict`` is said of the method.

    ``p_holm`` and ``verdict`` are the comparison's; ``p_sizes`` is p_holm adjusted once more, by Holm over the sizes of
    the curve: what a claim has to pass that was picked from all of them.
    """

    model: str
    params: int
    n: int
    draws: int
    accuracy: float
    accuracy_against: float
    gain: float
    interval: Interval
    p_holm: float
    p_sizes: float
    verdict: Verdict
    test: str


@dataclass(frozen=True, slots=True)
class Crossover:
    """From which size on the method wins (sizes in parameters).

    ``verdict``: ``always`` (at every size), ``from`` (at every size from ``gap[1]`` on, not at ``gap[0]``, the size
    below), ``none`` (no size, and at each the gain is shown to be negative or within the margin), ``unresolved``
    (anything else). ``low`` and ``high``: the lower end of the lowest and the upper end of the highest gap that 95 % of
    the resamples span; None: not in range, i.e. it wins at the smallest size already, or not yet at the largest.
    ``estimate``: where the fitted curves of both methods cross, None where they do not within the sizes; ``interval``:
    its profile interval, an end None where it is unbounded; None below four sizes.
    """

    verdict: CrossoverVerdict
    gap: tuple[int, int] | None
    low: int | None
    high: int | None
    estimate: float | None = None
    interval: tuple[float | None, float | None] | None = None


@dataclass(frozen=True, slots=True)
class Rise:
    """The largest difference (share) in one method's accuracy between neighbouring sizes.

    ``steps``: differences it was picked from; ``interval`` allows for them; ``jump``: more than half of the difference
    between the smallest and the largest size is shown to lie in it. ``n``: items of both sizes.
    """

    method: str
    models: tuple[str, str]
    sizes: tuple[int, int]
    difference: float
    interval: Interval
    steps: int
    n: int
    jump: bool


@dataclass(frozen=True, slots=True)
class GainCurve:
    """A method's gain over another one (``sides``) at every size of one family, ascending.

    ``rises``: the steepest rise of either side, and ``own_rise`` with ``own_rise_interval``: by how much the first side
    rises more than the second over the first side's two sizes; None where no two neighbouring sizes share items, and
    for a vote.
    """

    kind: GainKind
    task: str
    labels: int
    shift: str
    stage: str
    family: str
    sides: tuple[str, str]
    points: tuple[GainPoint, ...]
    crossover: Crossover
    rises: tuple[Rise, Rise] | None
    own_rise: float | None
    own_rise_interval: Interval | None

    def settled(self, point: GainPoint) -> bool:
        """Is the verdict of ``point`` a win or a loss that stands after adjusting for the number of sizes?"""
        return point.verdict in ("wins", "loses") and point.p_sizes <= _ALPHA

    @property
    def sizes(self) -> tuple[int, ...]:
        """The different sizes, ascending, in parameters."""
        return tuple(sorted({point.params for point in self.points}))


def gain_curves(
    arms: Sequence[Arm],
    comparisons: Sequence[Comparison],
    *,
    replicates: int = REPLICATES,
) -> tuple[GainCurve, ...]:
    """Every pair of prompting methods that asks a question of size, where at least three sizes have both.

    Chain of thought against answer-only, both without tuning and vote; a vote against no vote with the same prompt.
    ``comparisons``: those of ``arms``, decided within their families.
    """
    known = {
        (one.model, one.stage, one.labels, one.task, one.shift, one.sides): one
        for one in comparisons
        if one.difference is not None
    }
    groups: dict[tuple[str, int, str, str, str], list[Arm]] = {}
    for arm in arms:
        if arm.tune is None:
            groups.setdefault((arm.task, arm.labels, arm.shift, arm.stage, arm.family), []).append(arm)
    made = []
    for group in groups.values():
        for kind, sides in _questions(group):
            found = _curve(kind, sides, group, known, replicates)
            made += [found] if found else []
    return tuple(made)


def _questions(group: Sequence[Arm]) -> Iterator[tuple[GainKind, tuple[str, str]]]:
    """(kind, (method, the one it is held against)), each once."""
    kinds = {arm.method: (arm.prompt, arm.vote is not None) for arm in group}
    for method, (prompt, votes) in kinds.items():
        for against, (other, votes_too) in kinds.items():
            if votes_too:
                continue
            if votes and prompt == other:
                yield "voting", (method, against)
            elif (prompt, other, votes) == ("cot", "answer-only", False):
                yield "chain of thought", (method, against)


@dataclass(frozen=True, eq=False)
class _Both:
    """Both sides on one model: outcomes (draws x items) and the comparison, said of the method."""

    method: Arm
    against: Arm
    point: GainPoint
    difference: Array
    enough: float


def _curve(
    kind: GainKind,
    sides: tuple[str, str],
    group: Sequence[Arm],
    known: Mapping[tuple[str, str, int, str, str, tuple[str, str]], Comparison],
    replicates: int,
) -> GainCurve | None:
    arms = {(arm.model, arm.method): arm for arm in group}
    rows = []
    for model in dict.fromkeys(arm.model for arm in sorted(group, key=lambda arm: arm.params)):
        method, against = arms.get((model, sides[0])), arms.get((model, sides[1]))
        if method is None or against is None:
            continue
        place = (model, method.stage, method.labels, method.task, method.shift)
        one = known.get((*place, sides)) or known.get((*place, (sides[1], sides[0])))
        if one is not None:
            rows.append(_both(method, against, one))
    if len({row.point.params for row in rows}) < MIN_SIZES:
        return None
    rises, own = None, None
    if kind == "chain of thought":
        rise = _rise([row.method for row in rows], replicates)
        other = _rise([row.against for row in rows], replicates)
        rises = (rise, other) if rise and other else None
        own = _own_rise(rows, rise, replicates) if rise else None
    first = rows[0].method
    return GainCurve(
        kind=kind,
        task=first.task,
        labels=first.labels,
        shift=first.shift,
        stage=first.stage,
        family=first.family,
        sides=sides,
        points=_over_sizes([row.point for row in rows]),
        crossover=_crossover(rows, replicates),
        rises=rises,
        own_rise=own[0] if own else None,
        own_rise_interval=own[1] if own else None,
    )


def _both(method: Arm, against: Arm, one: Comparison) -> _Both:
    ahead = one.sides[0] == method.method
    difference, interval = one.difference or 0.0, one.interval or (-1.0, 1.0)
    accuracies = one.accuracy_a or 0.0, one.accuracy_b or 0.0
    verdict = one.verdict
    if not ahead:
        difference, interval, accuracies = -difference, (-interval[1], -interval[0]), (accuracies[1], accuracies[0])
        turned: dict[Verdict, Verdict] = {"wins": "loses", "loses": "wins"}
        verdict = turned.get(verdict, verdict)
    point = GainPoint(
        model=method.model,
        params=method.params,
        n=one.n,
        draws=len(one.seeds),
        accuracy=accuracies[0],
        accuracy_against=accuracies[1],
        gain=difference,
        interval=interval,
        p_holm=1.0 if one.p_holm is None else one.p_holm,
        p_sizes=1.0,
        verdict=verdict,
        test=one.test,
    )
    paired = pair(method, against)
    return _Both(method, against, point, paired.a - paired.b, _enough(one, point, ahead=ahead))


def _over_sizes(points: Sequence[GainPoint]) -> tuple[GainPoint, ...]:
    adjusted = holm([point.p_holm for point in points])
    return tuple(replace(point, p_sizes=p) for point, p in zip(points, adjusted, strict=True))


def _enough(one: Comparison, point: GainPoint, *, ahead: bool) -> float:
    """The gain from which on this size counts as a win: as far above zero as the interval is long on that side.

    At the level at which Holm's procedure tested the comparison: 5 % over the factor by which p was raised.
    """
    level = _ALPHA / one.family_size
    if one.p and one.p_holm:
        level = max(level, _ALPHA * one.p / one.p_holm)
    half = math.inf
    if one.crossed is not None:
        low, high = one.crossed.interval(1 - level)
        half = point.gain - (low if ahead else -high)
    # the verdict rests on the exact test, which may differ from the bootstrap at the edge
    return min(half, point.gain) if point.verdict == "wins" else max(half, math.nextafter(point.gain, 2.0))


# ---- the crossover -------------------------------------------------------------------------------------------------


def _crossover(rows: Sequence[_Both], replicates: int) -> Crossover:
    sizes = sorted({row.point.params for row in rows})
    at = [[index for index, row in enumerate(rows) if row.point.params == size] for size in sizes]
    won = np.array([row.point.verdict == "wins" for row in rows])[:, None]
    start = int(crossing.start_of_wins(won, at)[0])
    gains = joint_replicates([row.difference for row in rows], replicates)
    enough = np.array([row.enough for row in rows])[:, None]
    starts = np.sort(crossing.start_of_wins(gains >= enough, at))
    # the ends of the central 95 % are starts that did occur: a gap has no value between two sizes
    cut = math.floor(len(starts) * _ALPHA / 2)
    lowest, highest = int(starts[cut]), int(starts[len(starts) - 1 - cut])
    resolved = all(row.point.verdict in ("loses", "equivalent") for row in rows)
    verdict = crossing.verdict_of(start, len(sizes), resolved=resolved)
    estimate, interval = _meeting(rows)
    return Crossover(
        verdict=verdict,
        gap=(sizes[start - 1], sizes[start]) if verdict == "from" else None,
        low=sizes[lowest - 1] if lowest > 0 else None,
        high=sizes[highest] if highest < len(sizes) else None,
        estimate=estimate,
        interval=interval,
    )


def _meeting(rows: Sequence[_Both]) -> tuple[float | None, tuple[float | None, float | None] | None]:
    """Where the fitted curves of both sides cross (`onset.analysis.crossing`), and its interval, in parameters.

    Outcomes count as the independent trials they are worth (`onset.analysis.counting`).
    """
    if len({row.point.params for row in rows}) < crossing.MIN_SIZES:
        return None, None
    sides = [[row.against for row in rows], [row.method for row in rows]]
    data = [_effective(arms) for arms in sides]
    x = np.log10(np.array([row.point.params for row in rows], dtype=np.float64))
    found = crossing.meet(data[0], data[1], x, replicates=0).place  # the pattern of wins is resampled already
    return found.estimate, (found.low, found.high)


def _effective(arms: Sequence[Arm]) -> Counts:
    right, n = [], []
    for arm in arms:
        correct, size = counted(arm.values).effective()
        right.append(correct)
        n.append(size)
    return counts(np.array(right), np.array(n))


# ---- rises ---------------------------------------------------------------------------------------------------------


def _rise(arms: Sequence[Arm], replicates: int) -> Rise | None:
    """The steepest one over the neighbouring sizes of ``arms`` (ascending)."""
    steps = [(a, b, pair(b, a)) for a, b in _neighbours(arms)]
    steps = [step for step in steps if step[2].a.size]
    if not steps:
        return None
    low, high, paired = max(steps, key=lambda step: float(np.nanmean(step[2].a - step[2].b)))
    crossed = crossed_bootstrap([Block(paired.a - paired.b)], replicates)
    assert crossed is not None  # the pairing holds at least one outcome
    return Rise(
        method=low.method,
        models=(low.model, high.model),
        sizes=(low.params, high.params),
        difference=crossed.estimate,
        interval=_among(crossed, len(steps)),
        steps=len(steps),
        n=paired.a.shape[1],
        jump=_holds_half(arms, low, high, len(steps), replicates),
    )


def _neighbours(arms: Sequence[Arm]) -> Iterator[tuple[Arm, Arm]]:
    """All pairs of models of two neighbouring sizes."""
    sizes = sorted({arm.params for arm in arms})
    for low, high in pairwise(sizes):
        for a in arms:
            for b in arms:
                if (a.params, b.params) == (low, high):
                    yield a, b


def _among(crossed: Crossed, steps: int) -> Interval:
    low, high = crossed.interval(1 - _ALPHA / steps)
    return max(-1.0, low), min(1.0, high)


def _holds_half(arms: Sequence[Arm], low: Arm, high: Arm, steps: int, replicates: int) -> bool:
    """Is more than half of the rise from the smallest to the largest size shown to lie between ``low`` and ``high``?"""
    blocks = _aligned([arms[0], low, high, arms[-1]])
    if blocks is None:
        return False
    first, below, above, last = blocks
    excess = crossed_bootstrap([Block((above - below) - (last - first) / 2)], replicates)
    return excess is not None and _among(excess, steps)[0] > 0


def _own_rise(rows: Sequence[_Both], rise: Rise, replicates: int) -> tuple[float, Interval] | None:
    low, high = (next(row for row in rows if row.point.model == model) for model in rise.models)
    blocks = _aligned([low.method, high.method, low.against, high.against])
    if blocks is None:
        return None
    crossed = crossed_bootstrap([Block((blocks[1] - blocks[0]) - (blocks[3] - blocks[2]))], replicates)
    if crossed is None:
        return None
    least, most = crossed.interval(1 - _ALPHA / rise.steps)
    return crossed.estimate, (max(-2.0, least), min(2.0, most))


def _aligned(arms: Sequence[Arm]) -> list[Array] | None:
    """The outcomes of ``arms`` on the draws and items all of them have; None when there are none."""
    seeds = sorted(set.intersection(*(set(arm.seeds) for arm in arms)))
    items = sorted(set.intersection(*(set(arm.items) for arm in arms)))
    same = [seed for seed in seeds if len({(arm.task_hash[seed], arm.plan_hash[seed]) for arm in arms}) == 1]
    if not same or not items:
        return None
    out = []
    for arm in arms:
        column = {item: index for index, item in enumerate(arm.items)}
        rows = [arm.seeds.index(seed) for seed in same]
        out.append(arm.values[np.ix_(rows, [column[item] for item in items])])
    return out
