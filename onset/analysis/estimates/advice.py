"""What to use for a given number of queries and of labelled examples, perhaps under a shift, and what would change it.

The recommendation is that of the report (`onset.analysis.estimates.decisions`), of the arms that are open to the user:
those of the shift, and of budgets that they can pay. Nothing is said of budgets, shifts or prices that were not
measured; between budgets the largest one measured that is paid for is what they get. Accuracy comes before cost: cost
decides among arms that are shown to be level, in total over the queries, with what is done once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from onset.analysis import words
from onset.analysis.contrast.best import Rival, known_pairs
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.costs import Spent, front, key_of
from onset.analysis.estimates.decisions import (
    Alternative,
    Basis,
    By,
    Decision,
    NextStep,
    alternative,
    decide_among,
    nearest_step,
    terms_of,
    total_of,
)
from onset.analysis.estimates.money import NO_PRICE
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import CLEAN
from onset.errors import DataError

PRICES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""Prices of a rationale, in answers, that are tried for where the recommendation changes."""

MOST = 1e15
"""The largest number that may be wanted: totals stay numbers that JSON and people can read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user has: ``queries`` to be asked (None: cost is that of a query), at most so many ``labels`` (None: any
    number), test items under ``shift``, and what a ``rationale`` costs, in answers (None: rationales come with the
    labels; else labels and price together are what may be spent). ``by``: what cost is counted in. Raises DataError
    for values out of range.
    """

    queries: float | None = None
    labels: int | None = None
    shift: str = CLEAN
    rationale: float | None = None
    by: By = "flops"

    def __post_init__(self) -> None:
        checks = (
            ("--queries", self.queries, 1, "1 or more"),
            ("--labels", self.labels, 0, "0 or more"),
            ("--rationale-price", self.rationale, 0, "0 or more answers"),
        )
        for name, value, least, allowed in checks:
            if value is not None and not least <= value <= MOST:
                said = value if isinstance(value, int) else f"{value:g}"
                raise DataError(f"{name} {said}: expected {f'at most {MOST:.0e}' if value > MOST else allowed}")
        if self.rationale is not None and self.labels is None:
            raise DataError("--rationale-price needs --labels: what may be spent, in answers")


@dataclass(frozen=True, slots=True)
class Cheaper:
    """An arm that is level with the one recommended, or may be as good or better (``standing``), and costs less in
    total up to so many ``queries`` (``below``) or from so many on (None: at any number); ``now``: at the number
    wanted, where it is said, ``total``: FLOPs of all these, or money (None: it is not said).
    """

    arm: Alternative
    accuracy: float
    standing: Literal["level", "open"]
    queries: float | None
    below: bool
    now: bool
    total: float | None


@dataclass(frozen=True, slots=True)
class Instead:
    """What is recommended where something else is given: ``what`` has the value ``at``."""

    what: Literal["labels", "shift", "rationale"]
    at: str
    arm: Alternative
    verdict: str
    accuracy: float


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """An arm that none beats in accuracy at no more cost: ``total`` FLOPs, or money, of all queries, or of one;
    ``money`` of the same, with its currency, where it is known.
    """

    named: Alternative
    accuracy: float
    interval: tuple[float, float]
    total: float
    money: tuple[float, str] | None = None


@dataclass(frozen=True, eq=False)
class Advice:
    """``decision``: what is recommended; ``nearest``: the rival it is hardest to tell from, or, where the highest is
    not what is recommended, the latter against the former (None: there is none); ``spent``: what it cost; ``total``
    and ``total_reused`` FLOPs of all queries (None: not asked, or not known), ``money`` of them with its currency;
    ``decisive``: what would tell it from the nearest open rival (None: nothing is open); ``budgets`` that were
    measured.
    """

    wanted: Wanted
    decision: Decision
    nearest: Rival | None
    spent: Spent | None
    total: float | None
    total_reused: float | None
    money: tuple[float, str] | None
    decisive: NextStep | None
    cheaper: tuple[Cheaper, ...]
    instead: tuple[Instead, ...]
    front: tuple[FrontPoint, ...]
    budgets: tuple[int, ...]

    @property
    def nearest_name(self) -> Alternative | None:
        """What the nearest rival is called beside the arm recommended."""
        return None if self.nearest is None else alternative(self.nearest.arm, self.decision.arm)

    def json(self) -> dict[str, Any]:
        """As plain JSON: the decision as in ``onset show --json``, and what belongs to what is wanted."""
        lead = None
        if self.nearest is not None:
            one = self.nearest.against
            lead = {
                "best": self.decision.held.best.method,
                "over": self.nearest.arm.method,
                "lead": one.difference,
                "interval": None if one.interval is None else list(one.interval),
                "p": one.p,
            }
        return {
            "decision": self.decision.json() | {"shift": self.decision.shift},
            "nearest": lead,
            "cost": None if self.spent is None else self.spent.json(),
            "decisive": None
            if self.decisive is None
            else {
                "rival": str(self.decisive.rival),
                "seeds": self.decisive.seeds,
                "items": self.decisive.items,
                "flops": self.decisive.flops,
            },
            "total_flops": self.total,
            "total_flops_reused": self.total_reused,
            "money": None if self.money is None else {"amount": self.money[0], "currency": self.money[1]},
            "cheaper": [
                {
                    "arm": str(one.arm),
                    "accuracy": one.accuracy,
                    "standing": one.standing,
                    "queries": one.queries,
                    "below": one.below,
                    "now": one.now,
                    "total_flops": one.total if self.wanted.by == "flops" else None,
                    "total_money": one.total if self.wanted.by == "money" else None,
                }
                for one in self.cheaper
            ],
            "instead": [
                {"what": one.what, "at": one.at, "arm": str(one.arm), "verdict": one.verdict, "accuracy": one.accuracy}
                for one in self.instead
            ],
            "front": [
                {
                    "arm": str(one.named),
                    "accuracy": one.accuracy,
                    "interval": list(one.interval),
                    "total_flops": one.total if self.wanted.by == "flops" else None,
                    "money": None if one.money is None else {"amount": one.money[0], "currency": one.money[1]},
                }
                for one in self.front
            ],
            "budgets": list(self.budgets),
        }


def advise(study: Analysis, wanted: Wanted, task: str | None = None) -> tuple[Advice, ...]:
    """One for each task (or for ``task`` alone) with results of what is wanted.

    Raises DataError, with what there is, where there are no results of the task, of the shift, or of a budget that can
    be paid.
    """
    arms = study.arms
    if not arms and study.bounds is not None and study.bounds.outcomes:
        raise DataError("every finished cell of this study is an upper bound (oracle-dev): no user has its labels")
    if not arms:
        raise DataError("no cell of this study is finished: there is nothing to recommend")
    tasks = tuple(dict.fromkeys(arm.task for arm in arms))
    if task is not None and task not in tasks:
        raise DataError(f"no results of task '{task}'; there are: {words.listed(tasks)}")
    shifted = [arm for arm in arms if arm.shift == wanted.shift and task in (None, arm.task)]
    if not shifted:
        held = dict.fromkeys(arm.shift for arm in arms if task in (None, arm.task))
        of = "" if task is None else f" on task {task}"
        raise DataError(f"no results{of} under shift '{wanted.shift}'; there are: {words.listed(list(held))}")
    basis = basis_of(study)
    if wanted.by == "money":
        _check_prices(shifted, basis)
    groups = [[arm for arm in shifted if arm.task == one] for one in tasks]
    found = [(group, _payable(group, wanted, basis)) for group in groups if group]
    if not any(some for _, some in found):
        raise DataError(_too_few([group for group, _ in found], wanted, basis))
    return tuple(_advice(study, wanted, basis, group, some) for group, some in found if some)


def basis_of(study: Analysis) -> Basis:
    """What the decisions of a study are made from."""
    return Basis(
        study.study, study.means, study.spent, known_pairs(study.contrasts.methods), study.margin, study.replicates
    )


def _check_prices(arms: Sequence[Outcomes], basis: Basis) -> None:
    """Raises DataError where an arm has no price, or prices are in several currencies."""
    for arm in arms:
        used = basis.spent.get(key_of(arm))
        money = None if used is None else used.money
        if money is None or money.why is not None:
            why = NO_PRICE if money is None else money.why
            raise DataError(
                f"--by money: what {arm.method} on {arm.model} with {arm.labels} labels costs is not known: {why}"
            )
    held = sorted({basis.spent[key_of(arm)].money.currency for arm in arms})  # type: ignore[union-attr]
    if len(held) > 1:
        raise DataError(f"--by money: prices are in {words.listed(held)}, expected one currency")


def _needs(arm: Outcomes, rationale: float | None, basis: Basis) -> float:
    """Labels that an arm needs, none where it uses no example; with a price of rationales what it uses costs, in
    answers (infinite: not known).
    """
    if rationale is None:
        return float(arm.given)
    used = basis.spent.get(key_of(arm))
    return math.inf if used is None else used.labels + rationale * used.rationales


def _payable(arms: Sequence[Outcomes], wanted: Wanted, basis: Basis) -> list[Outcomes]:
    most = math.inf if wanted.labels is None else wanted.labels
    return [arm for arm in arms if _needs(arm, wanted.rationale, basis) <= most]


def _too_few(groups: Sequence[Sequence[Outcomes]], wanted: Wanted, basis: Basis) -> str:
    """``groups``: the arms of each task."""
    if wanted.rationale is None:
        held = [words.listed([str(one) for one in sorted({arm.labels for arm in arms})]) for arms in groups]
        said = held[0]
        if len(set(held)) > 1:
            said = "; ".join(f"{arms[0].task}: {some}" for arms, some in zip(groups, held, strict=True))
        return f"no results with {wanted.labels} labels or fewer; budgets measured: {said}"
    least = min(_needs(arm, wanted.rationale, basis) for arms in groups for arm in arms)
    return (
        f"no results that cost {wanted.labels} answers or fewer, a rationale at {wanted.rationale:g}; the cheapest"
        f" costs {least:g}"
    )


def _advice(
    study: Analysis, wanted: Wanted, basis: Basis, group: Sequence[Outcomes], some: Sequence[Outcomes]
) -> Advice:
    made = decide_among(some, basis, wanted.queries, wanted.by)
    arm, used = made.arm, basis.spent.get(key_of(made.arm))
    queries = wanted.queries
    rivals = [one for one in made.held.rivals if made.arm in (made.held.best, one.arm)]
    nearest = next((one for one in rivals if not one.ruled_out), None)
    return Advice(
        wanted=wanted,
        decision=made,
        nearest=nearest or (rivals[0] if rivals else None),
        spent=used,
        total=None if queries is None else total_of(arm, basis.spent, queries),
        total_reused=None if queries is None or used is None else used.total(queries, reused=True),
        money=None if queries is None else _money(used, queries),
        decisive=nearest_step(made.held, arm),
        cheaper=tuple(_cheaper(made, basis, wanted)),
        instead=tuple(_instead(study, wanted, basis, group, made)),
        front=tuple(_front(some, basis, wanted)),
        budgets=tuple(sorted({one.labels for one in group})),
    )


def _cheaper(made: Decision, basis: Basis, wanted: Wanted) -> Iterator[Cheaper]:
    """Arms not ruled out whose total is below that of the one recommended for some number of queries."""
    ours, queries = terms_of(made.arm, basis.spent, wanted.by), wanted.queries
    rivals = [(made.held.best, True)] + [(one.arm, one.level) for one in made.held.rivals if not one.ruled_out]
    for arm, level in rivals:
        theirs = terms_of(arm, basis.spent, wanted.by)
        if arm is made.arm or ours is None or theirs is None:
            continue
        more, each = theirs[0] - ours[0], ours[1] - theirs[1]
        if more >= 0 and each <= 0:
            continue  # dearer at any number
        at = None if (more <= 0 and each >= 0) else more / each
        if at is not None and at < 1:
            if each <= 0:
                continue  # cheaper for less than one query
            at = None
        below = at is not None and each < 0
        now = at is None or (queries is not None and ((queries < at) if below else (queries > at)))
        total = None if queries is None else theirs[0] + queries * theirs[1]
        yield Cheaper(alternative(arm, made.arm), arm.accuracy, "level" if level else "open", at, below, now, total)


def _instead(
    study: Analysis, wanted: Wanted, basis: Basis, group: Sequence[Outcomes], made: Decision
) -> Iterator[Instead]:
    """Other budgets, shifts and prices that were measured, where something else is recommended."""
    for what, at, arms in _others(study, wanted, basis, group):
        if not arms:
            continue
        other = decide_among(arms, basis, wanted.queries, wanted.by)
        none = "not above chance" in {other.verdict, made.verdict} and other.verdict != made.verdict
        if none or other.arm.at.without("shift") != made.arm.at.without("shift"):
            yield Instead(what, at, alternative(other.arm, made.arm), other.verdict, other.point.accuracy)


def _others(
    study: Analysis, wanted: Wanted, basis: Basis, group: Sequence[Outcomes]
) -> Iterator[tuple[Literal["labels", "shift", "rationale"], str, list[Outcomes]]]:
    budgets = sorted({arm.labels for arm in group} - {0})
    now = max((one for one in budgets if wanted.labels is None or one <= wanted.labels), default=0)
    if wanted.rationale is None:
        for budget in budgets:
            if budget != now:
                yield "labels", str(budget), [arm for arm in group if arm.given <= budget]
    else:
        for price in PRICES:
            if price != wanted.rationale:
                other = replace(wanted, rationale=price)
                yield "rationale", f"{price:g}", _payable(group, other, basis)
    task = group[0].task
    for shift in dict.fromkeys(arm.shift for arm in study.arms if arm.task == task):
        if shift != wanted.shift:
            arms = [arm for arm in study.arms if (arm.task, arm.shift) == (task, shift)]
            yield "shift", shift, _payable(arms, wanted, basis)


def _front(arms: Sequence[Outcomes], basis: Basis, wanted: Wanted) -> Iterator[FrontPoint]:
    costs = {key_of(arm): total for arm in arms if (total := _total(arm, basis, wanted)) is not None}
    for arm in front(arms, costs):
        point = basis.means[key_of(arm)]
        name = Alternative(arm.method, arm.model, arm.given)
        money = _money(basis.spent.get(key_of(arm)), wanted.queries)
        yield FrontPoint(name, point.accuracy, point.interval, costs[key_of(arm)], money)


def _total(arm: Outcomes, basis: Basis, wanted: Wanted) -> float | None:
    """Of all queries; of one, without what is done once, where their number is not said."""
    if wanted.queries is not None:
        return total_of(arm, basis.spent, wanted.queries, wanted.by)
    terms = terms_of(arm, basis.spent, wanted.by)
    return None if terms is None else terms[1]


def _money(used: Spent | None, queries: float | None) -> tuple[float, str] | None:
    """Likewise, where it is known."""
    if used is None or used.money is None:
        return None
    amount = used.money.query if queries is None else used.money.total(queries)
    return None if amount is None else (amount, used.money.currency)
