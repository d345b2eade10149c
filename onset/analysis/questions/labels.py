"""Accuracy against the number of labelled examples, and from which budget on tuning overtakes prompting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onset.analysis import words
from onset.analysis.arms import Arm
from onset.analysis.contrast.paired import Comparison
from onset.analysis.stats.intervals import REPLICATES, Block, Interval, crossed_bootstrap
from onset.scores import wilson

Overtakes = Literal["reached", "not reached", "lost again"]


@dataclass(frozen=True, slots=True)
class LabelPoint:
    """Mean accuracy (share) over the draws at one budget.

    ``interval``: Wilson's for one draw, crossed bootstrap over draws and items otherwise; ``n``: items.
    """

    labels: int
    draws: int
    n: int
    accuracy: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class LabelCurve:
    """One method on one model: `LabelPoint` by ascending budget."""

    model: str
    params: int
    stage: str
    method: str
    tune: str | None
    task: str
    shift: str
    chance: float
    points: tuple[LabelPoint, ...]


@dataclass(frozen=True, slots=True)
class Overtaking:
    """Does a tuned method overtake a prompting method as labels grow, and from which budget on?

    ``budget``: the smallest one from which tuning wins (p adjusted for its family); ``wins`` and ``losses``: budgets
    with those verdicts; ``verdict``: "reached"; "lost again" when prompting wins at a larger budget; "not reached".
    """

    model: str
    params: int
    stage: str
    task: str
    shift: str
    tuned: str
    prompted: str
    budgets: tuple[int, ...]
    wins: tuple[int, ...]
    losses: tuple[int, ...]
    budget: int | None
    verdict: Overtakes
    sentence: str


def mean_accuracy(arm: Arm, replicates: int = REPLICATES) -> LabelPoint:
    """Mean accuracy of an arm with its 95 % interval, cut at 0 and 1."""
    items = arm.values.shape[1]
    if len(arm.seeds) == 1:
        low, high = wilson(int(arm.values.sum()), items)
    else:
        crossed = crossed_bootstrap([Block(arm.values)], replicates)
        assert crossed is not None  # an arm holds at least one outcome
        low, high = crossed.interval()
    interval = max(0.0, low), min(1.0, high)
    return LabelPoint(arm.labels, len(arm.seeds), items, arm.accuracy, interval)


def label_curves(arms: Sequence[Arm], *, replicates: int = REPLICATES) -> tuple[LabelCurve, ...]:
    """One curve for every (model, stage, method, task, shift)."""
    groups: dict[tuple[str, ...], list[Arm]] = {}
    for arm in arms:
        groups.setdefault((arm.model, arm.stage, arm.method, arm.task, arm.shift), []).append(arm)
    return tuple(_curve(sorted(group, key=lambda arm: arm.labels), replicates) for group in groups.values())


def _curve(group: Sequence[Arm], replicates: int) -> LabelCurve:
    first = group[0]
    return LabelCurve(
        model=first.model,
        params=first.params,
        stage=first.stage,
        method=first.method,
        tune=first.tune,
        task=first.task,
        shift=first.shift,
        chance=first.chance,
        points=tuple(mean_accuracy(arm, replicates) for arm in group),
    )


def overtakings(comparisons: Sequence[Comparison], tuned: set[str]) -> tuple[Overtaking, ...]:
    """From the verdicts at each budget; ``tuned`` names the tuning methods."""
    groups: dict[tuple[str, ...], list[Comparison]] = {}
    for one in comparisons:
        if one.sides[0] in tuned and one.sides[1] not in tuned and one.labels > 0 and one.difference is not None:
            groups.setdefault((one.task, one.shift, one.model, one.stage, *one.sides), []).append(one)
    return tuple(_overtaking(sorted(group, key=lambda one: one.labels)) for group in groups.values())


def _overtaking(group: Sequence[Comparison]) -> Overtaking:
    first = group[0]
    wins = tuple(one.labels for one in group if one.verdict == "wins")
    losses = tuple(one.labels for one in group if one.verdict == "loses")
    budget = min(wins, default=None)
    lost = budget is not None and any(labels > budget for labels in losses)
    verdict: Overtakes = "not reached" if budget is None else "lost again" if lost else "reached"
    blank = Overtaking(
        model=first.model,
        params=first.params,
        stage=first.stage,
        task=first.task,
        shift=first.shift,
        tuned=first.sides[0],
        prompted=first.sides[1],
        budgets=tuple(one.labels for one in group),
        wins=wins,
        losses=losses,
        budget=budget,
        verdict=verdict,
        sentence=_sentence(group, wins, losses),
    )
    return blank


def _sentence(group: Sequence[Comparison], wins: Sequence[int], losses: Sequence[int]) -> str:
    first = group[0]
    tuned, prompted = first.sides
    where = f"{first.model} on {first.task}" + ("" if first.shift == "none" else f", shift {first.shift}")
    budgets = [one.labels for one in group]
    if not wins:
        return f"{where}: {_not_shown(group, losses)}."
    if len(wins) == len(budgets):
        return f"{where}: {tuned} is ahead of {prompted} at every budget tried ({_at(budgets)})."
    ahead = f"; {prompted} is ahead at {_at(losses)}" if losses else ""
    level = [one.labels for one in group if one.verdict == "equivalent"]
    equal = f"; equivalent at {_at(level)}" if level else ""
    open_at = [one for one in budgets if one not in {*wins, *losses, *level}]
    undecided = f"; not settled at {_at(open_at)}" if open_at else ""
    start = (
        f"overtakes {prompted} at {wins[0]} labels"
        if wins[0] > budgets[0]
        else f"is ahead of {prompted} at {_at(wins)}"
    )
    return f"{where}: {tuned} {start}{ahead}{equal}{undecided}."


def _not_shown(group: Sequence[Comparison], losses: Sequence[int]) -> str:
    """No budget is won. That tuning does not overtake is said only where prompting wins or both are level."""
    tuned, prompted = group[0].sides
    level = [one.labels for one in group if one.verdict == "equivalent"]
    open_ones = [one for one in group if one.verdict == "undecided"]
    parts = [f"{prompted} is ahead at {_at(losses)}"] if losses else []
    parts += [f"equivalent at {_at(level)}"] if level else []
    if not open_ones:
        return f"{tuned} does not overtake {prompted}: {'; '.join(parts)}"
    leads = [one for one in open_ones if (one.difference or 0) > 0]
    if leads:
        best = max(leads, key=lambda one: one.difference or 0)
        far = f"undecided at {_at([one.labels for one in open_ones])}, where it leads by"
        far += " up to" if len(open_ones) > 1 else ""
        parts.append(f"{far} {words.points(best.difference or 0)}")
    else:
        parts.append(f"undecided at {_at([one.labels for one in open_ones])}, without a lead")
    return f"it is not shown that {tuned} overtakes {prompted}: {'; '.join(parts)}"


def _at(budgets: Sequence[int]) -> str:
    return f"{words.listed([str(one) for one in budgets])} labels"
