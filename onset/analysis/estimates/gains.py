"""How a gain changes with size: chain of thought over answer-only, a vote over a single sample, in one family.

The gain at each size is that of the paired comparison of the two methods (`onset.analysis.contrast.paired`), with its
interval, adjusted p and verdict. Three questions are asked of them together.

Where does one overtake the other? That is where the two curves meet: from four sizes on they are fitted together, and
the place has an interval of its own (`onset.analysis.curves.crossing`). Beside it stands what is shown: ``shown_from``,
the smallest measured size from which on the method wins at every size. It is a statement of evidence, which moves with
the number of items, and has no interval.

Where does accuracy rise most? The *steepest rise* is the largest difference between neighbouring sizes, paired on items
and draws; its interval allows for having been picked out of all of them (Bonferroni). Is it the method's own rise? The
rise of one method minus that of the other over the same two sizes, paired again. Over several draws noise between draws
is pooled over the steps where there are enough (`onset.analysis.stats.pooling`); else two draws would say nothing of a
rise. Both are evidence beside the verdict on the curve (`onset.analysis.emergence.verdict`), which alone says whether
an ability emerges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from onset.analysis.contrast.paired import Comparison, Verdict, pair
from onset.analysis.curves import crossing, meeting, series
from onset.analysis.curves.likelihood import Counts, counts
from onset.analysis.outcomes import Outcomes
from onset.analysis.stats.adjust import ALPHA, holm
from onset.analysis.stats.bootstrap import REPLICATES, Array, Block, Crossed, crossed_bootstrap
from onset.analysis.stats.pooling import Moderated, pool
from onset.analysis.stats.shares import Interval

GainKind = Literal["chain of thought", "voting"]
CrossoverVerdict = crossing.CrossingVerdict
MIN_SIZES = 3
"""Sizes from which on a gain is followed over them."""


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
    """Where the method overtakes the other (sizes in parameters).

    ``estimate``: where the fitted curves meet, None where they do not within the sizes, were not fitted, or do not fit;
    ``interval``: its profile interval, an end None where it is unbounded; None where nothing was fitted.
    ``verdict``: ``always`` (wins at every size), ``from`` (from ``shown_from`` on, not at the size below),
    ``none`` (at no size, and at each the gain is shown to be negative or within the margin), ``unresolved`` (anything
    else). ``shown_from``: None unless ``always`` or ``from``; ``gap``: the size below it and itself, of ``from`` alone.
    ``notes``: why no place is said.
    """

    verdict: CrossoverVerdict
    shown_from: int | None
    gap: tuple[int, int] | None
    estimate: float | None = None
    interval: tuple[float | None, float | None] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rise:
    """The largest difference (share) in one method's accuracy between neighbouring sizes.

    ``steps``: differences it was picked from; ``interval`` allows for them. ``n``: items of both sizes.
    """

    method: str
    models: tuple[str, str]
    sizes: tuple[int, int]
    difference: float
    interval: Interval
    steps: int
    n: int


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
        return point.verdict in ("wins", "loses") and point.p_sizes <= ALPHA

    @property
    def sizes(self) -> tuple[int, ...]:
        """The different sizes, ascending, in parameters."""
        return tuple(sorted({point.params for point in self.points}))


def gain_curves(
    arms: Sequence[Outcomes],
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
    groups: dict[tuple[str, int, str, str, str], list[Outcomes]] = {}
    for arm in arms:
        if not arm.tuned:
            groups.setdefault((arm.task, arm.labels, arm.shift, arm.stage, arm.family), []).append(arm)
    made = []
    for group in groups.values():
        for kind, sides in _questions(group):
            found = _curve(kind, sides, group, known, replicates)
            made += [found] if found else []
    return tuple(made)


def _questions(group: Sequence[Outcomes]) -> Iterator[tuple[GainKind, tuple[str, str]]]:
    """(kind, (method, the one it is held against)), each once."""
    kinds = {arm.method: (arm.asked.prompt, arm.asked.vote is not None) for arm in group}
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
    """Both sides on one model and their comparison, said of the method."""

    method: Outcomes
    against: Outcomes
    point: GainPoint


def _curve(
    kind: GainKind,
    sides: tuple[str, str],
    group: Sequence[Outcomes],
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
        crossover=_crossover(rows),
        rises=rises,
        own_rise=own[0] if own else None,
        own_rise_interval=own[1] if own else None,
    )


def _both(method: Outcomes, against: Outcomes, one: Comparison) -> _Both:
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
    return _Both(method, against, point)


def _over_sizes(points: Sequence[GainPoint]) -> tuple[GainPoint, ...]:
    adjusted = holm([point.p_holm for point in points])
    return tuple(replace(point, p_sizes=p) for point, p in zip(points, adjusted, strict=True))


# ---- the crossover -------------------------------------------------------------------------------------------------


def _crossover(rows: Sequence[_Both]) -> Crossover:
    sizes = sorted({row.point.params for row in rows})
    at = [[index for index, row in enumerate(rows) if row.point.params == size] for size in sizes]
    won = np.array([row.point.verdict == "wins" for row in rows])[:, None]
    start = int(crossing.start_of_wins(won, at)[0])
    resolved = all(row.point.verdict in ("loses", "equivalent") for row in rows)
    verdict = crossing.verdict_of(start, len(sizes), resolved=resolved)
    estimate, interval, notes = _meeting(rows)
    return Crossover(
        verdict=verdict,
        shown_from=sizes[start] if verdict in ("always", "from") else None,
        gap=(sizes[start - 1], sizes[start]) if verdict == "from" else None,
        estimate=estimate,
        interval=interval,
        notes=notes,
    )


def _meeting(
    rows: Sequence[_Both],
) -> tuple[float | None, tuple[float | None, float | None] | None, tuple[str, ...]]:
    """Where the fitted curves of both sides meet (`onset.analysis.curves.meeting`), its interval, and why there is
    none.

    Outcomes count as the independent trials they are worth (`onset.analysis.stats.counting`).
    """
    sizes = len({row.point.params for row in rows})
    if sizes < series.MIN_SIZES:
        return None, None, (f"{sizes} sizes: no curve, which takes {series.MIN_SIZES}",)
    sides = [[row.against for row in rows], [row.method for row in rows]]
    x = np.log10(np.array([row.point.params for row in rows], dtype=np.float64))
    found = meeting.meet(_effective(sides[0]), _effective(sides[1]), x, replicates=0)
    if found.misfits:
        names = [sides[index][0].method for index in found.misfits]
        return None, None, (f"no rising curve fits {' or '.join(names)}",)
    return found.place.estimate, (found.place.low, found.place.high), ()


def _effective(arms: Sequence[Outcomes]) -> Counts:
    right, n = [], []
    for arm in arms:
        correct, size = arm.counts().effective()
        right.append(correct)
        n.append(size)
    return counts(np.array(right), np.array(n))


# ---- rises ---------------------------------------------------------------------------------------------------------


def _rise(arms: Sequence[Outcomes], replicates: int) -> Rise | None:
    """The steepest one over the neighbouring sizes of ``arms`` (ascending)."""
    steps = [(a, b, pair(b, a)) for a, b in _neighbours(arms)]
    steps = [step for step in steps if step[2].plus.size]
    if not steps:
        return None
    top = max(range(len(steps)), key=lambda index: float(np.nanmean(steps[index][2].plus - steps[index][2].minus)))
    tables = {(a.model, b.model): paired.plus - paired.minus for a, b, paired in steps}
    low, high, paired = steps[top]
    crossed = _pooled(tables, (low.model, high.model), replicates)
    return Rise(
        method=low.method,
        models=(low.model, high.model),
        sizes=(low.params, high.params),
        difference=crossed.estimate,
        interval=_among(crossed, len(steps)),
        steps=len(steps),
        n=len(paired.items),
    )


def _neighbours(arms: Sequence[Outcomes]) -> Iterator[tuple[Outcomes, Outcomes]]:
    """All pairs of models of two neighbouring sizes."""
    sizes = sorted({arm.params for arm in arms})
    for low, high in pairwise(sizes):
        for a in arms:
            for b in arms:
                if (a.params, b.params) == (low, high):
                    yield a, b


_Step = tuple[str, str]
"""The models of two neighbouring sizes."""


def _pooled(tables: Mapping[_Step, Array], step: _Step, replicates: int) -> Crossed | Moderated:
    """The estimate of one of several steps, its noise between draws pooled over all of them where that can be done.

    ``tables``: of each step values of draws x items whose mean is wanted.
    """
    own = crossed_bootstrap([Block(tables[step])], replicates)
    assert own is not None  # the step holds at least one outcome
    if own.draws == 1:
        return own
    # of the others only the variances are used
    every = [own if one == step else crossed_bootstrap([Block(table)], 20) for one, table in tables.items()]
    made = pool(every, ["steps between sizes"] * len(every), list(tables))[list(tables).index(step)]
    return made if isinstance(made, Moderated) else own


def _among(made: Crossed | Moderated, steps: int, limit: float = 1.0) -> Interval:
    level = 1 - ALPHA / steps
    low, high = made.interval(level=level)
    return max(-limit, low), min(limit, high)


def _own_rise(rows: Sequence[_Both], rise: Rise, replicates: int) -> tuple[float, Interval] | None:
    other = {row.method.model: row.against for row in rows}
    tables: dict[_Step, Array] = {}
    for low, high in _neighbours([row.method for row in rows]):
        blocks = _aligned([low, high, other[low.model], other[high.model]])
        if blocks is not None:
            table = (blocks[1] - blocks[0]) - (blocks[3] - blocks[2])
            tables |= {(low.model, high.model): table} if np.isfinite(table).any() else {}
    if rise.models not in tables:
        return None
    crossed = _pooled(tables, rise.models, replicates)
    return crossed.estimate, _among(crossed, rise.steps, 2.0)


def _aligned(arms: Sequence[Outcomes]) -> list[Array] | None:
    """The outcomes of ``arms`` on the draws and items all of them have; None when there are none."""
    seeds = sorted(set.intersection(*(set(arm.draws) for arm in arms)))
    items = sorted(set.intersection(*(set(arm.items) for arm in arms)))
    same = [seed for seed in seeds if len({_examples(arm, seed) for arm in arms}) == 1]
    if not same or not items:
        return None
    out = []
    for arm in arms:
        column = {item: index for index, item in enumerate(arm.items)}
        rows = [arm.draws.index(seed) for seed in same]
        out.append(arm.values[np.ix_(rows, [column[item] for item in items])])
    return out


def _examples(arm: Outcomes, draw: int) -> tuple[str, ...]:
    """What a draw was asked with: the task's version and the example plan, where they are known."""
    place = arm.draws.index(draw)
    return (*arm.versions[place : place + 1], *arm.plans[place : place + 1])
