"""How a gain changes with size: chain of thought over answer-only, a vote over a single sample, in one family.

The gain at each size is that of the paired comparison of the two methods (`onset.analysis.contrast.contrast`), with its
interval, adjusted p and verdict. Three questions are asked of them together.

Where does one overtake the other? That is where the two curves meet: from four sizes on they are fitted together, and
the place has an interval of its own (`onset.analysis.curves.crossing`). Beside it stands what is shown: ``shown_from``,
the smallest measured size from which on the method wins at every size. It is a statement of evidence, which moves with
the number of items, and has no interval.

Where does accuracy rise most? The *steepest rise* is the largest difference between neighbouring sizes, paired on items
and draws; its interval allows for having been picked out of all of them (Bonferroni). Is it the method's own rise? The
rise of one method minus that of the other over the same two sizes, an interaction. Over several draws noise between
draws is pooled over the steps where there are enough (`onset.analysis.stats.pooling`); else two draws would say nothing
of a rise. Both are evidence beside the verdict on the curve (`onset.analysis.emergence.verdict`), which alone says
whether an ability emerges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from onset.analysis.contrast.asked import size_steps
from onset.analysis.contrast.contrast import Contrast, estimated, interaction
from onset.analysis.curves import crossing, meeting, series
from onset.analysis.curves.likelihood import Counts, counts
from onset.analysis.curves.shapes import Array
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA, holm
from onset.analysis.stats.bootstrap import REPLICATES
from onset.analysis.stats.pooling import pool
from onset.processors import across

GainKind = Literal["chain of thought", "voting"]
CrossoverVerdict = crossing.CrossingVerdict
MIN_SIZES = 3
"""Sizes from which on a gain is followed over them."""


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


@dataclass(frozen=True, eq=False)
class Rise:
    """The largest difference (share) in one method's accuracy between neighbouring sizes.

    ``step``: the larger against the smaller model; ``steps``: differences it was picked from; its interval allows for
    them.
    """

    step: Contrast
    steps: int

    def json(self) -> dict[str, Any]:
        """Plain JSON; the smaller size first."""
        low, high = self.step.minus, self.step.plus
        return {
            "method": self.step.method,
            "models": [low.model, high.model],
            "sizes": [low.params, high.params],
            "difference": self.step.gap,
            "interval": list(self.step.spread),
            "steps": self.steps,
            "n": self.step.n,
        }


@dataclass(frozen=True, eq=False)
class GainCurve(Placed):
    """A method's gain over another one at every size of one family, ascending.

    ``points``: contrasts of the two, each said of the method and decided within its family; ``p_sizes``: their p
    adjusted once more, by Holm over the sizes of the curve: what a claim has to pass that was picked from all of them.
    ``rises``: the steepest rise of either side, and ``own_rise``: by how much the first side rises more than the second
    over the first side's two sizes; None where no two neighbouring sizes share items, and for a vote.
    """

    kind: GainKind
    points: tuple[Contrast, ...]
    p_sizes: tuple[float, ...]
    crossover: Crossover
    rises: tuple[Rise, Rise] | None
    own_rise: Contrast | None

    @property
    def at(self) -> Setting:
        """What all points share."""
        return self.points[0].at.without("model", "params", "method")

    @property
    def sides(self) -> tuple[str, str]:
        """The method, and the one it is held against."""
        return self.points[0].names

    def settled(self, point: Contrast) -> bool:
        """Is the verdict of ``point`` a win or a loss that stands after adjusting for the number of sizes?"""
        p = next(p for one, p in zip(self.points, self.p_sizes, strict=True) if one is point)
        return point.verdict in ("wins", "loses") and p <= ALPHA

    @property
    def sizes(self) -> tuple[int, ...]:
        """The different sizes, ascending, in parameters."""
        return tuple(sorted({point.params for point in self.points}))

    def json(self) -> dict[str, Any]:
        """Plain JSON, its points, crossover and rises inside."""
        crossover = asdict(self.crossover)
        return {
            "kind": self.kind,
            "task": self.task,
            "labels": self.labels,
            "shift": self.shift,
            "stage": self.stage,
            "family": self.family,
            "sides": list(self.sides),
            "points": [_point_json(one, p) for one, p in zip(self.points, self.p_sizes, strict=True)],
            "crossover": {name: list(one) if isinstance(one, tuple) else one for name, one in crossover.items()},
            "rises": None if self.rises is None else [one.json() for one in self.rises],
            "own_rise": None if self.own_rise is None else self.own_rise.gap,
            "own_rise_interval": None if self.own_rise is None else list(self.own_rise.spread),
        }


def _point_json(one: Contrast, p_sizes: float) -> dict[str, Any]:
    accuracy, against = one.levels
    return {
        "model": one.model,
        "params": one.params,
        "n": one.n,
        "draws": len(one.draws),
        "accuracy": accuracy,
        "accuracy_against": against,
        "gain": one.gap,
        "interval": list(one.spread),
        "p_holm": one.p_adjusted,
        "p_sizes": p_sizes,
        "verdict": one.verdict,
        "test": one.test,
    }


def gain_curves(
    arms: Sequence[Outcomes],
    comparisons: Sequence[Contrast],
    *,
    replicates: int = REPLICATES,
) -> tuple[GainCurve, ...]:
    """Every pair of prompting methods that asks a question of size, where at least three sizes have both.

    Chain of thought against answer-only, both without tuning and vote; a vote against no vote with the same prompt.
    ``comparisons``: those of ``arms``, decided within their families.
    """
    known: dict[_Place, Contrast] = {}
    for one in comparisons:
        if one.difference is not None:
            for said in (one, one.turned()):
                known[(said.at.without("method"), said.names)] = said
    groups: dict[Setting, list[Outcomes]] = {}
    for arm in arms:
        if not arm.tuned and arm.at.params:
            groups.setdefault(arm.at.without("model", "params", "method"), []).append(arm)
    pairs = [
        pair
        for group in groups.values()
        for kind, sides in _questions(group)
        if (pair := _Pair.of(kind, sides, group, known)) is not None
    ]
    asked = [(pair.methods, pair.others) for pair in pairs]
    return tuple(_curve(pair, met, replicates) for pair, met in zip(pairs, _meetings(asked), strict=True))


_Place = tuple[Setting, tuple[str, str]]
"""Where two methods were compared, and which."""


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
class _Pair:
    """The ``points`` of a curve, and the arms of either side at each of them, by ascending size."""

    kind: GainKind
    points: tuple[Contrast, ...]
    methods: tuple[Outcomes, ...]
    others: tuple[Outcomes, ...]

    @classmethod
    def of(
        cls, kind: GainKind, sides: tuple[str, str], group: Sequence[Outcomes], known: Mapping[_Place, Contrast]
    ) -> _Pair | None:
        """None where fewer than `MIN_SIZES` have both sides."""
        arms = {(arm.model, arm.method): arm for arm in group}
        points, methods, others = [], [], []
        for model in dict.fromkeys(arm.model for arm in sorted(group, key=lambda arm: arm.params)):
            method, other = arms.get((model, sides[0])), arms.get((model, sides[1]))
            one = None if method is None or other is None else known.get((other.at.without("method"), sides))
            if method is not None and other is not None and one is not None:
                points.append(one)
                methods.append(method)
                others.append(other)
        if len({point.params for point in points}) < MIN_SIZES:
            return None
        return cls(kind, tuple(points), tuple(methods), tuple(others))


def _curve(pair: _Pair, met: _Met, replicates: int) -> GainCurve:
    rises, own = (None, None)
    if pair.kind == "chain of thought":
        rises, own = _rises(pair.methods, pair.others, replicates)
    return GainCurve(
        kind=pair.kind,
        points=pair.points,
        p_sizes=tuple(holm([1.0 if one.p_adjusted is None else one.p_adjusted for one in pair.points])),
        crossover=_crossover(pair.points, met),
        rises=rises,
        own_rise=own,
    )


# ---- the crossover -------------------------------------------------------------------------------------------------


def crossover_of(
    points: Sequence[Contrast], methods: Sequence[Outcomes], others: Sequence[Outcomes], *, fit: bool = True
) -> Crossover:
    """Where a method overtakes another: ``points``, decided, of the ``methods`` against the ``others``, by ascending
    size. ``fit``: are curves fitted, to say where they meet?
    """
    return _crossover(points, _meetings([(methods, others)])[0] if fit else (None, None, ()))


_Met: TypeAlias = tuple[float | None, tuple[float | None, float | None] | None, tuple[str, ...]]
"""Where fitted curves meet, its interval, and why there is none."""


def _crossover(points: Sequence[Contrast], met: _Met) -> Crossover:
    sizes = sorted({point.params for point in points})
    at = [[index for index, point in enumerate(points) if point.params == size] for size in sizes]
    won = np.array([point.verdict == "wins" for point in points])[:, None]
    start = int(crossing.start_of_wins(won, at)[0])
    resolved = all(point.verdict in ("loses", "equivalent") for point in points)
    verdict = crossing.verdict_of(start, len(sizes), resolved=resolved)
    estimate, interval, notes = met
    return Crossover(
        verdict=verdict,
        shown_from=sizes[start] if verdict in ("always", "from") else None,
        gap=(sizes[start - 1], sizes[start]) if verdict == "from" else None,
        estimate=estimate,
        interval=interval,
        notes=notes,
    )


_Sides: TypeAlias = tuple[Sequence[Outcomes], Sequence[Outcomes]]
"""The arms of a method and of the one it is held against, by ascending size."""


def _meetings(pairs: Sequence[_Sides]) -> list[_Met]:
    """Where the fitted curves of both sides of each pair meet (`onset.analysis.curves.meeting`).

    Outcomes count as the independent trials they are worth (`onset.analysis.stats.counting`).
    """
    sizes = [len({arm.params for arm in methods}) for methods, _ in pairs]
    fitted = [pair for pair, count in zip(pairs, sizes, strict=True) if count >= series.MIN_SIZES]
    asked = [
        (_effective(others), _effective(methods), np.log10([float(arm.params) for arm in methods]))
        for methods, others in fitted
    ]
    met = across(_meet, asked) if len(asked) >= _SEVERAL else [_meet(*one) for one in asked]
    said = (_said(found, *pair) for found, pair in zip(met, fitted, strict=True))
    return [
        (None, None, (f"{count} sizes: no curve, which takes {series.MIN_SIZES}",))
        if count < series.MIN_SIZES
        else next(said)
        for count in sizes
    ]


_SEVERAL = 8
"""Pairs of curves, a tenth of a second each, from which on another process is worth its start."""


def _meet(others: Counts, methods: Counts, x: Array) -> meeting.Meeting:
    return meeting.meet(others, methods, x, replicates=0)


def _said(found: meeting.Meeting, methods: Sequence[Outcomes], others: Sequence[Outcomes]) -> _Met:
    if found.misfits:
        names = [(others, methods)[index][0].method for index in found.misfits]
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


def _rises(
    methods: Sequence[Outcomes], others: Sequence[Outcomes], replicates: int
) -> tuple[tuple[Rise, Rise] | None, Contrast | None]:
    """The steepest rise of either side, and how much more the first side rises over its two sizes than the second.

    Both ascending in size.
    """
    steps, there = size_steps(methods, replicates=replicates), size_steps(others, replicates=replicates)
    if not steps:
        return None, None
    top = _steepest(steps)
    beside = {(one.plus.model, one.minus.model): one for one in there}
    more: dict[Contrast, Contrast] = {}
    for one in steps:
        other = beside.get((one.plus.model, one.minus.model))
        made = None if other is None else interaction(one, other, replicates=replicates)
        more |= {one: made} if made is not None and made.difference is not None else {}
    own = None
    if top in more:
        own = _among(list(more.values()), more[top], len(steps), [_models(one) for one in more])
    rises = None
    if there:
        rises = _rise(steps, top), _rise(there, _steepest(there))
    return rises, own


def _steepest(steps: Sequence[Contrast]) -> Contrast:
    return max(steps, key=lambda one: one.gap)


def _rise(steps: Sequence[Contrast], top: Contrast) -> Rise:
    return Rise(_among(steps, top, len(steps), [_models(one) for one in steps]), len(steps))


def _models(step: Contrast) -> tuple[str | None, str | None]:
    return step.minus.model, step.plus.model


def _among(
    alike: Sequence[Contrast], one: Contrast, picked_from: int, links: Sequence[tuple[str | None, str | None]]
) -> Contrast:
    """``one`` tested, its noise between draws pooled over all that are ``alike``, and with an interval that allows for
    having been ``picked_from`` so many (Bonferroni).
    """
    designs = ["steps between sizes"] * len(alike)
    made = None if len(one.draws) == 1 else pool([each.sample.crossed for each in alike], designs, links)
    pooled = None if made is None else made[list(alike).index(one)]
    return estimated(one, pooled, level=1 - ALPHA / picked_from)
