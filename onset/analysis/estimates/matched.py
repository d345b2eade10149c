"""Accuracy on shifted items at matched accuracy on clean ones: effective robustness.

What is accurate on clean items is accurate on shifted ones too, so that drops of unlike models say little. Each arm is
held against the line through all arms of the *other* methods (`onset.analysis.stats.line`): the accuracy that these
have under the shift where they are as accurate on clean items. What it has beyond that is its effective robustness
(Taori et al. 2020, arXiv 2007.00644); a method's is the mean over its arms. Its own arms are left out of its line, lest
it be judged by itself.

An arm's interval holds other items and other draws of examples, the line moving with them: it is linearised, and
tested as any weighted sum of accuracies (`onset.analysis.contrast.combined`). A method's is the wider of that one and a
t interval from the scatter of the other methods' arms about their line, as that of new points about a fitted line: the
models of a study are few, and what one of them does says little of the method. p is adjusted by Holm over the methods
of a task and shift.

Nothing is said where the line would not carry it: fewer than `FEWEST_POINTS` arms of other methods, clean accuracies
that differ by little more than their noise (reliability under `LEAST_RELIABLE`), an arm beyond the range of the
others' (by more than `BEYOND` of it), or one whose clean accuracy is not shown to be above chance, which has nothing to
lose. The reason is kept for every arm and method.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from onset.analysis.contrast.asked import place
from onset.analysis.contrast.combined import Together, crossed_of, estimate_of, together
from onset.analysis.contrast.contrast import verdict_of
from onset.analysis.contrast.parts import Estimate, Verdict
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN, holm, two_one_sided
from onset.analysis.stats.bootstrap import REPLICATES, Array, Crossed
from onset.analysis.stats.draws import OverDraws
from onset.analysis.stats.line import Line, covariance_of_means, fit_line, logit, logit_slope, share
from onset.analysis.stats.pooling import pool
from onset.scores import wilson

FEWEST_POINTS = 5
LEAST_RELIABLE = 0.8
BEYOND = 0.1

AT_CHANCE = "its clean accuracy is not shown to be above chance"


@dataclass(frozen=True, eq=False)
class Matched(Placed):
    """An arm under a shift beside what other methods have at its clean accuracy (shares, 0..1).

    ``difference``: ``shifted`` minus ``expected``, below 0 where it falls more than they do; ``estimate``: its interval
    and p, by itself.
    """

    at: Setting
    clean: float
    shifted: float
    expected: float
    difference: float
    estimate: Estimate

    def json(self) -> dict[str, Any]:
        """As plain JSON, without its setting."""
        return {
            "expected": self.expected,
            "difference": self.difference,
            "interval": list(self.estimate.interval),
            "p": self.estimate.p,
            "test": self.estimate.test,
        }


@dataclass(frozen=True, eq=False)
class MatchedMethod:
    """A method under a shift beside what others have at its clean accuracies.

    ``arms``: those within the range of ``line``, that of the other methods, and ``outside``: how many lie beyond it;
    ``difference``: the mean of the arms'; ``estimate``, ``p_adjusted`` and ``verdict`` (``wins``: it falls less than
    the others) decided over the methods of the task and shift. None, and ``why``, where nothing can be said.
    """

    task: str
    shift: str
    method: str
    arms: tuple[Matched, ...] = ()
    outside: int = 0
    line: Line | None = None
    difference: float | None = None
    estimate: Estimate | None = None
    p_adjusted: float | None = None
    p_equivalent: float | None = None
    verdict: Verdict = "undecided"
    why: str | None = None
    n: int = 0
    draws: tuple[int, ...] = ()
    margin: float = MARGIN

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the difference."""
        return None if self.estimate is None else self.estimate.interval

    def json(self) -> dict[str, Any]:
        """As plain JSON; ``line``: in logits, with the range of clean accuracies that it was fitted over."""
        return {
            "task": self.task,
            "shift": self.shift,
            "method": self.method,
            "arms": len(self.arms),
            "outside": self.outside,
            "n": self.n,
            "seeds": list(self.draws),
            "difference": self.difference,
            "interval": None if self.interval is None else list(self.interval),
            "p": self.estimate and self.estimate.p,
            "p_holm": self.p_adjusted,
            "p_equivalent_holm": self.p_equivalent,
            "margin": self.margin,
            "test": self.estimate and self.estimate.test,
            "verdict": self.verdict,
            "why": self.why,
            "line": None if self.line is None else line_json(self.line, self.n),
        }


def line_json(line: Line, n: int) -> dict[str, Any]:
    """A line as plain JSON: in logits of shares of ``n`` outcomes, and as shares (``curve``: clean, shifted) over its
    range.
    """
    low, high = share(np.array([line.u.min(), line.u.max()]), n)
    places = np.linspace(line.u.min(), line.u.max(), 13)
    return {
        "points": line.points,
        "slope": line.slope,
        "intercept": line.intercept,
        "low": float(low),
        "high": float(high),
        "reliability": line.reliability,
        "r2": line.r2,
        "curve": [[float(x), float(y)] for x, y in zip(share(places, n), share(line.at(places), n), strict=True)],
    }


@dataclass(frozen=True, eq=False)
class Grid:
    """All arms of a task under a shift: their ``methods``, the ``line`` through all of them (None: no line), and why
    arms are in none (``left_out``, by setting of the shifted arm).
    """

    task: str
    shift: str
    methods: tuple[MatchedMethod, ...]
    line: Line | None
    n: int
    left_out: Mapping[Setting, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "task": self.task,
            "shift": self.shift,
            "n": self.n,
            "line": None if self.line is None else line_json(self.line, self.n),
            "methods": [one.json() for one in self.methods],
            "left_out": [
                {"model": at.model, "stage": at.stage_name, "method": at.method, "labels": at.labels, "why": why}
                for at, why in self.left_out.items()
            ],
        }


# ---- the points ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Points:
    """``arms``, by their shifted side, on what all of them share."""

    arms: tuple[Outcomes, ...]
    held: Together

    @property
    def n(self) -> int:
        """Shifted items."""
        return int(self.held.shifted.shape[2])

    @property
    def accuracies(self) -> tuple[Array, Array]:
        """Clean and shifted."""
        return self.held.clean.mean(axis=(1, 2)), self.held.shifted.mean(axis=(1, 2))

    @property
    def logits(self) -> tuple[Array, Array]:
        """Of both accuracies."""
        clean, shifted = self.accuracies
        return logit(clean, self.held.clean.shape[2]), logit(shifted, self.n)

    @property
    def slopes(self) -> tuple[Array, Array]:
        """Derivatives of both logits by their accuracies."""
        clean, shifted = self.accuracies
        return logit_slope(clean, self.held.clean.shape[2]), logit_slope(shifted, self.n)

    def line(self, rows: Sequence[int]) -> Line | None:
        """Through the arms ``rows``, corrected for the noise in their logits."""
        (u, v), (du, dv) = self.logits, self.slopes
        clean, shifted = self.held.clean[rows], self.held.shifted[rows]
        by = np.concatenate([du[rows], dv[rows]])
        noise = covariance_of_means([np.concatenate([clean, shifted])] if self.held.paired else [clean, shifted])
        return fit_line(u[rows], v[rows], noise * by[:, None] * by)


def _points(pairs: Sequence[tuple[Outcomes, Outcomes]], left_out: dict[Setting, str]) -> _Points | None:
    """The pairs (clean, shifted) on what all of them share; what cannot be among them is told."""
    kept: list[tuple[Outcomes, Outcomes]] = []
    for clean, shifted in pairs:
        correct, n = clean.counts().effective()
        if wilson(correct, n)[0] <= (clean.chance or 0.0):
            left_out[shifted.at] = AT_CHANCE
        else:
            kept.append((clean, shifted))
    if not kept:
        return None
    held = together([clean for clean, _ in kept], [shifted for _, shifted in kept])
    if isinstance(held, str):
        left_out |= {shifted.at: held for _, shifted in kept}
        return None
    return _Points(tuple(shifted for _, shifted in kept), held)


# ---- the estimates -------------------------------------------------------------------------------------------------


def matched(arms: Sequence[Outcomes], *, margin: float = MARGIN, replicates: int = REPLICATES) -> tuple[Grid, ...]:
    """Every task under every shift: each method beside the line of the others."""
    clean: Mapping[Hashable, Outcomes] = {arm.at: arm for arm in arms if arm.at.clean}
    groups: dict[tuple[str, str], dict[Hashable, tuple[Outcomes, Outcomes]]] = {}
    for arm in arms:
        partner = None if arm.at.clean else clean.get(arm.at.without("shift"))
        if partner is not None:
            # an arm that shows no example is one measurement at every budget
            groups.setdefault((arm.task, arm.shift), {}).setdefault(place(arm), (partner, arm))
    prepared = []
    for (task, shift), pairs in groups.items():
        left_out: dict[Setting, str] = {}
        prepared.append((task, shift, _points(list(pairs.values()), left_out), left_out))
    plans = [_plan(task, shift, points, left_out, replicates) for task, shift, points, left_out in prepared]
    plans = _arms_tested(plans)
    return tuple(_decided(one, margin) for one in _methods_tested(plans, margin))


@dataclass(frozen=True, eq=False)
class _Group:
    """A method on its way: the places of its arms within the range of ``line``, and what is known of them so far."""

    method: MatchedMethod
    places: tuple[int, ...] = ()
    each: tuple[Crossed, ...] = ()
    mean: Crossed | None = None
    scatter: OverDraws | None = None


@dataclass(frozen=True, eq=False)
class _Plan:
    grid: Grid
    points: _Points | None
    groups: tuple[_Group, ...]


def _plan(task: str, shift: str, points: _Points | None, left_out: dict[Setting, str], replicates: int) -> _Plan:
    if points is None:
        return _Plan(Grid(task, shift, (), None, 0, left_out), None, ())
    every = list(range(len(points.arms)))
    line = points.line(every) if len(every) >= 3 else None
    groups = []
    for method in dict.fromkeys(arm.method for arm in points.arms):
        own = [at for at in every if points.arms[at].method == method]
        rest = [at for at in every if at not in own]
        base = MatchedMethod(task, shift, method, n=points.n, draws=points.held.draws)
        groups.append(_group(base, points, own, rest, left_out, replicates))
    return _Plan(Grid(task, shift, (), line, points.n, left_out), points, tuple(groups))


def _group(
    base: MatchedMethod,
    points: _Points,
    own: Sequence[int],
    rest: Sequence[int],
    left_out: dict[Setting, str],
    replicates: int,
) -> _Group:
    why = None
    line = points.line(rest) if len(rest) >= 2 else None
    if len(rest) < FEWEST_POINTS:
        why = f"{len(rest)} arm{'s' * (len(rest) != 1)} of other methods: a line takes {FEWEST_POINTS}"
    elif line is None or line.reliability < LEAST_RELIABLE:
        why = "the clean accuracies of other methods differ by little more than their noise: too narrow for a line"
    if why is not None or line is None:
        left_out |= {points.arms[at].at: why or "" for at in own}
        return _Group(replace(base, why=why))
    u, _ = points.logits
    low, high = float(line.u.min()), float(line.u.max())
    room = BEYOND * (high - low)
    inside = tuple(at for at in own if low - room <= u[at] <= high + room)
    left_out |= {
        points.arms[at].at: "its clean accuracy is beyond the range of the other methods'"
        for at in own
        if at not in inside
    }
    base = replace(base, line=line, outside=len(own) - len(inside))
    if not inside:
        return _Group(replace(base, why="its clean accuracies are beyond the range of the other methods'"))
    made = [_distance(points, line, rest, [at], replicates) for at in inside]
    mean = _distance(points, line, rest, inside, replicates)
    drop = [float(share(line.at(u[[at]]), points.n)[0]) for at in inside]
    clean, shifted = points.accuracies
    arms = tuple(
        Matched(
            points.arms[at].at,
            float(clean[at]),
            float(shifted[at]),
            expected,
            one.estimate,
            estimate_of(one),
        )
        for at, expected, one in zip(inside, drop, made, strict=True)
    )
    per_logit = 1 / logit_slope(np.array(drop), points.n) / len(inside)
    scatter = OverDraws(mean.estimate, line.error(per_logit, u[list(inside)]), line.points - 2)
    return _Group(replace(base, arms=arms), inside, tuple(made), mean, scatter)


def _distance(points: _Points, line: Line, rest: Sequence[int], own: Sequence[int], replicates: int) -> Crossed:
    """The mean distance of the arms ``own`` from the line of ``rest`` (in shares), linearised."""
    (u, _), (du, dv), (_, y) = points.logits, points.slopes, points.accuracies
    by_clean, by_shifted = np.zeros(len(u)), np.zeros(len(u))
    distance, weight, others = 0.0, 1 / len(own), list(rest)
    for at in own:
        expected = share(line.at(u[[at]]), points.n)
        per_logit = float(1 / logit_slope(expected, points.n)[0])
        by_u, by_v = line.by_points(float(u[at]))
        distance += weight * float(y[at] - expected[0])
        by_shifted[at] += weight
        by_clean[at] -= weight * per_logit * line.slope * du[at]
        by_clean[others] -= weight * per_logit * by_u * du[others]
        by_shifted[others] -= weight * per_logit * by_v * dv[others]
    blocks = points.held.blocks(by_clean.tolist(), by_shifted.tolist())
    blocks[0] += distance - sum(float(one.mean()) for one in blocks)
    crossed = crossed_of(blocks, replicates)
    assert crossed is not None  # no value is missing
    return crossed


def _arms_tested(plans: Sequence[_Plan]) -> list[_Plan]:
    """The arms with noise between draws pooled over all of them."""
    groups = [group for plan in plans for group in plan.groups]
    held = [pair for group in groups for pair in zip(group.each, group.method.arms, strict=True)]
    pooled = pool(
        [one for one, _ in held],
        ["arms beside a line"] * len(held),
        [((arm.at.without("shift"), arm.task), "the line") for _, arm in held],
    )
    known = {
        id(arm): replace(arm, estimate=estimate_of(one, pooled=said))
        for (one, arm), said in zip(held, pooled, strict=True)
    }
    return [
        replace(
            plan,
            groups=tuple(
                replace(group, method=replace(group.method, arms=tuple(known[id(arm)] for arm in group.method.arms)))
                for group in plan.groups
            ),
        )
        for plan in plans
    ]


def _methods_tested(plans: Sequence[_Plan], margin: float) -> list[_Plan]:
    held = [(group, group.mean) for plan in plans for group in plan.groups if group.mean is not None]
    pooled = pool(
        [mean for _, mean in held],
        ["methods beside a line"] * len(held),
        [((group.method.task, group.method.method), "the line") for group, _ in held],
    )
    known: dict[int, MatchedMethod] = {}
    for (group, mean), said in zip(held, pooled, strict=True):
        assert group.scatter is not None
        estimate = _wider(estimate_of(mean, margin=margin, pooled=said), group.scatter, margin)
        known[id(group)] = replace(group.method, difference=mean.estimate, estimate=estimate, margin=margin)
    return [
        replace(
            plan,
            groups=tuple(replace(group, method=known.get(id(group), group.method)) for group in plan.groups),
        )
        for plan in plans
    ]


def _wider(one: Estimate, scatter: OverDraws, margin: float) -> Estimate:
    """The wider of the interval over items and draws and that from the scatter of arms, and the larger p."""
    low, high = scatter.interval(1.0)
    apart = two_one_sided(scatter, margin)
    return replace(
        one,
        interval=(min(low, one.interval[0]), max(high, one.interval[1])),
        p=max(one.p, scatter.p()),
        p_equivalent=None if one.p_equivalent is None else max(one.p_equivalent, apart),
        test=f"{one.test}; and a t interval from the scatter of {scatter.df + 2} arms about their line: the wider",
    )


def _decided(plan: _Plan, margin: float) -> Grid:
    """Verdicts, p adjusted over the methods of the task and shift."""
    methods = [group.method for group in plan.groups]
    known = [one for one in methods if one.estimate is not None]
    p = holm([one.estimate.p for one in known if one.estimate])
    equivalent = holm([one.estimate.p_equivalent or 0.0 for one in known if one.estimate])
    done = {
        one.method: replace(
            one,
            p_adjusted=own,
            p_equivalent=same,
            verdict=verdict_of(one.difference, own, same, higher_is_better=True),
            margin=margin,
        )
        for one, own, same in zip(known, p, equivalent, strict=True)
    }
    return replace(plan.grid, methods=tuple(done.get(one.method, one) for one in methods))
