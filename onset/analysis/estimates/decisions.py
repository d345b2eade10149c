"""What to use, for a task of the user's own: which method and model with how many labels, how sure that is, what it
costs, what may change it.

The recommendation is the arm of highest accuracy on the clean test set, or, where others are shown to be within the
margin of it, the cheapest to ask among them. `onset.analysis.contrast.best` says which alternatives are ruled out. What
a thousand queries cost is measured: floating-point operations as the records count them, seconds of the machine that
ran the study, and money where the study gives a price.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from onset.analysis import words
from onset.analysis.contrast.best import Known, Rival, Standing, cost_of, standing
from onset.analysis.estimates.costs import Key, Spent, key_of
from onset.analysis.estimates.label_curves import LabelPoint
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES
from onset.tasks import TASKS

Verdict = Literal["best", "level", "open", "only one", "not above chance"]
"""All alternatives are ruled out; all that are not are level with it; some may be better; nothing to choose from; not
shown to be above chance.
"""
By = Literal["flops", "money"]
"""What cost is counted in."""
THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Price:
    """What a thousand queries cost: ``flops`` and ``seconds`` as measured (None: not known); ``money`` (None:
    not known) and its ``currency`` (None: the study gives no price); ``tuning_flops`` and ``tuning_seconds`` once, and
    before them ``stages_flops`` of the stages of training and ``search_flops`` of the search for settings;
    ``once_money``: of all that is done once (None: not known).
    """

    flops: float | None
    seconds: float | None
    money: float | None
    currency: str | None
    tuning_flops: float
    tuning_seconds: float | None
    stages_flops: float = 0.0
    search_flops: float = 0.0
    once_money: float | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """An arm beside the one recommended: its ``method``, and ``model`` and ``labels`` where they differ (else None)."""

    method: str
    model: str | None
    labels: int | None

    def __str__(self) -> str:
        parts = [self.method]
        parts += [f"on {self.model}"] if self.model is not None else []
        parts += [f"with {words.counted(self.labels, 'label')}"] if self.labels is not None else []
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What would settle the nearest open rival: ``seeds`` or ``items`` to set in the study (both None where no number
    of either would), and its ``flops`` (None: not known).
    """

    rival: Alternative
    seeds: int | None
    items: int | None
    flops: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was varied below what is recommended, so that more of it may change the answer.

    ``what``: "labels", "size" or "draws"; ``before`` and ``after``: budgets or models, as they are called; ``gain``:
    difference of accuracies (share) where one is shown, None where none is (of draws: where only one was tried);
    ``level``: the two are shown to be within the margin.
    """

    what: Literal["labels", "size", "draws"]
    before: str
    after: str
    gain: float | None
    level: bool = False


@dataclass(frozen=True, slots=True)
class Alternatives:
    """What else was tried: ``tried`` in number, ``ruled_out`` of them; ``level`` and ``open`` name the others."""

    tried: int
    ruled_out: int
    level: tuple[Alternative, ...]
    open: tuple[Alternative, ...]


@dataclass(frozen=True, eq=False)
class Decision(Placed):
    """The recommendation for one task: the model, method and labels of ``at``, and their accuracy (``point``).

    ``adapters``: folders of the tuned weights inside the results folder, one a draw; ``changes``: what may change it;
    ``arm``: what is recommended, and how it stands among all others (``held``).
    """

    at: Setting
    verdict: Verdict
    point: LabelPoint
    others: Alternatives
    price: Price
    adapters: tuple[str, ...]
    next_step: NextStep | None
    changes: tuple[Change, ...]
    arm: Outcomes
    held: Standing

    @property
    def given(self) -> int:
        """The labelled examples that it has use of."""
        return self.arm.given

    def json(self) -> dict[str, Any]:
        """Plain JSON; shares 0..1, costs of a thousand queries."""
        return {
            "task": self.task,
            "verdict": self.verdict,
            "model": self.model,
            "method": self.method,
            "labels": self.labels,
            "accuracy": self.point.accuracy,
            "interval": list(self.point.interval),
            "n": self.point.n,
            "draws": self.point.draws,
            "alternatives": self.others.tried,
            "ruled_out": self.others.ruled_out,
            "level": _plain(self.others.level),
            "open": _plain(self.others.open),
            "price": _plain(self.price),
            "adapters": list(self.adapters),
            "next_step": _plain(self.next_step),
            "changes": _plain(self.changes),
        }


def _plain(value: Any) -> Any:
    """Alternatives by their names, all other parts as mappings."""
    if isinstance(value, Alternative):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value


def own_tasks(study: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the study's tasks that are the user's own: those that no entry of the table of tasks bears."""
    grids = [study, *study.get("parts", ())]
    named = [one["name"] for grid in grids for one in grid.get("tasks", ()) if isinstance(one, Mapping)]
    return tuple(dict.fromkeys(name for name in named if name not in TASKS))


@dataclass(frozen=True, eq=False)
class Basis:
    """What a decision is made from beside the arms: the canonical ``study``; accuracies (``means``) and what was
    ``spent``, by the values of `onset.analysis.outcomes.KEY`; pairs that are decided already (``known``).
    """

    study: Mapping[str, Any]
    means: Mapping[Key, LabelPoint]
    spent: Mapping[Key, Spent]
    known: Known
    margin: float = MARGIN
    replicates: int = REPLICATES


def decisions(arms: Sequence[Outcomes], basis: Basis) -> tuple[Decision, ...]:
    """One for each own task of the study that was measured without a shift."""
    measured = [[arm for arm in arms if arm.task == task and arm.shift == "none"] for task in own_tasks(basis.study)]
    return tuple(decide_among(some, basis) for some in measured if some)


def decide_among(arms: Sequence[Outcomes], basis: Basis, queries: float | None = None, by: By = "flops") -> Decision:
    """What to use of ``arms``, of one task and shift, at least one.

    Among arms that are level the cheapest is taken, in operations or ``by`` money: to ask, or in total where so many
    ``queries`` are expected.
    """

    def cost(arm: Outcomes) -> tuple[float, ...]:
        if queries is not None:
            total = total_of(arm, basis.spent, queries, by)
            return (math.inf if total is None else total,)
        terms = terms_of(arm, basis.spent, by)
        return cost_of(arm) if by == "flops" else (math.inf,) if terms is None else (terms[1], terms[0])

    different, known = distinct(arms, basis.known)
    held = standing(different, margin=basis.margin, replicates=basis.replicates, known=known, cost=cost)
    among = len(held.rivals) + 1

    def above(arm: Outcomes) -> bool:
        return basis.means[key_of(arm)].above_chance(among)

    level = [one.arm for one in held.rivals if one.level]
    shown = above(held.best)
    alike = [held.best, *(arm for arm in level if above(arm) or not shown)]
    arm = min(alike, key=cost) if shown else held.best
    point, used = basis.means[key_of(arm)], basis.spent.get(key_of(arm))
    return Decision(
        at=arm.at,
        verdict=_verdict(held, shown),
        point=point,
        others=Alternatives(
            tried=len(held.rivals),
            ruled_out=sum(one.ruled_out for one in held.rivals),
            level=tuple(alternative(one, arm) for one in alike if one is not arm),
            open=tuple(alternative(one.arm, arm) for one in held.open),
        ),
        price=_price(arm, used),
        adapters=used.adapters if used is not None else (),
        next_step=_next_step(held, arm),
        changes=tuple(_changes(held, arm)),
        arm=arm,
        held=held,
    )


def distinct(arms: Sequence[Outcomes], known: Known) -> tuple[list[Outcomes], Known]:
    """The arms of which none is another at a larger budget, and the pairs that are decided, said of these.

    What is one measurement (`Outcomes.once`) counts once, at its smallest budget, and what is known of it at another is
    known of it.
    """
    first: dict[Hashable, Outcomes] = {}
    name: dict[Setting, Setting] = {}
    for arm in sorted(arms, key=lambda arm: arm.labels):
        name[arm.at] = first.setdefault(arm.once or arm.at, arm).at
    kept = [arm for arm in arms if name[arm.at] == arm.at]
    pairs = {(name.get(plus, plus), name.get(minus, minus)): one for (plus, minus), one in known.items()}
    return kept, pairs


def terms_of(arm: Outcomes, spent: Mapping[Key, Spent], by: By = "flops") -> tuple[float, float] | None:
    """What is done once, and a query: FLOPs, or ``by`` money; None: not known."""
    used = spent.get(key_of(arm))
    if by == "money":
        money = None if used is None else used.money
        return None if money is None or money.once is None or money.query is None else (money.once, money.query)
    if used is not None:
        return None if used.flops is None else (used.once, used.flops)
    return None if arm.ran.flops is None else (arm.ran.flops.once, arm.ran.flops.query)


def total_of(arm: Outcomes, spent: Mapping[Key, Spent], queries: float, by: By = "flops") -> float | None:
    """FLOPs, or money, of so many queries and all that is done once; None: not known."""
    terms = terms_of(arm, spent, by)
    return None if terms is None else terms[0] + queries * terms[1]


def _verdict(held: Standing, above_chance: bool) -> Verdict:
    if not above_chance:
        return "not above chance"
    if not held.rivals:
        return "only one"
    if held.open:
        return "open"
    return "level" if any(one.level for one in held.rivals) else "best"


def alternative(arm: Outcomes, beside: Outcomes) -> Alternative:
    """How ``arm`` is called beside another: one that uses no example is without any, whatever the budget."""
    return Alternative(
        arm.method,
        arm.model if arm.model != beside.model else None,
        arm.given if arm.given != beside.given else None,
    )


# ---- what it costs --------------------------------------------------------------------------------------------------


def _price(arm: Outcomes, used: Spent | None) -> Price:
    seconds = None if used is None or used.seconds is None else THOUSAND * used.seconds
    money = None if used is None else used.money
    return Price(
        flops=None if arm.ran.flops is None else THOUSAND * arm.ran.flops.query,
        seconds=seconds,
        money=None if money is None or money.query is None else THOUSAND * money.query,
        currency=None if money is None else money.currency,
        tuning_flops=0.0 if arm.ran.flops is None else arm.ran.flops.tuning,
        tuning_seconds=used.tuning_seconds if arm.tuned and used is not None else None,
        stages_flops=0.0 if used is None else used.stages,
        search_flops=0.0 if arm.ran.flops is None else arm.ran.flops.search,
        once_money=None if money is None else money.once,
    )


# ---- what would settle or change it ---------------------------------------------------------------------------------


def _next_step(held: Standing, beside: Outcomes) -> NextStep | None:
    """The cheapest way to settle one open rival, called as ``beside`` needs it: more draws, or more items."""
    steps = [_step(held.best, one, beside) for one in held.open]
    possible = [one for one in steps if one.seeds is not None or one.items is not None]
    if possible:
        return min(possible, key=_dear)
    return steps[0] if steps else None


def nearest_step(held: Standing, beside: Outcomes) -> NextStep | None:
    """What would tell the observed best from the nearest open rival, called as ``beside``, the arm recommended, needs
    it; None where none is open.
    """
    return _step(held.best, held.open[0], beside) if held.open else None


def _step(best: Outcomes, rival: Rival, beside: Outcomes) -> NextStep:
    one, arms = rival.against, (best, rival.arm)
    draws, name = max(len(one.draws), 1), alternative(rival.arm, beside)
    query, tuning = (sum(each) for each in zip(*(cost_of(arm) for arm in arms), strict=True))
    ways: list[NextStep] = []
    each = query * one.n + tuning
    if one.verdict == "wins":  # shown if it were the only alternative
        ways.append(NextStep(name, draws + 1, None, _known(each)))
    if one.needed_draws is not None and one.needed_draws > draws:
        ways.append(NextStep(name, one.needed_draws, None, _known((one.needed_draws - draws) * each)))
    if one.needed is not None and one.needed > one.n:
        ways.append(NextStep(name, None, one.needed, _known((one.needed - one.n) * draws * query)))
    return min(ways, key=_dear) if ways else NextStep(name, None, None, None)


def _known(flops: float) -> float | None:
    return flops if math.isfinite(flops) else None


def _dear(step: NextStep) -> float:
    return math.inf if step.flops is None else step.flops


def _changes(held: Standing, arm: Outcomes) -> list[Change]:
    """Labels, size and draws, where what is recommended is at the end of what was tried."""
    if arm is not held.best:
        return []
    same = [one for one in held.rivals if (one.arm.method, one.arm.stage) == (arm.method, arm.stage)]
    out = []
    fewer = [one for one in same if one.arm.model == arm.model and one.arm.labels < arm.labels]
    more = [one for one in same if one.arm.model == arm.model and one.arm.labels > arm.labels]
    if fewer and not more:
        near = max(fewer, key=lambda one: one.arm.labels)
        out.append(Change("labels", str(near.arm.labels), str(arm.labels), _gain(near), near.level))
    family = [one for one in held.rivals if one.arm.family == arm.family and one.arm.model != arm.model]
    smaller = [one for one in family if one in same and one.arm.labels == arm.labels and one.arm.params < arm.params]
    if smaller and not any(one.arm.params > arm.params for one in family):
        near = max(smaller, key=lambda one: one.arm.params)
        out.append(Change("size", near.arm.model, arm.model, _gain(near), near.level))
    if len(arm.draws) == 1 and arm.given:
        out.append(Change("draws", "1", "3", None))
    return out


def _gain(rival: Rival) -> float | None:
    return rival.against.difference if rival.ruled_out else None
