"""Advice in words: one sentence to act on, its reasons, what would change it, and the next step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from onset.analysis import words
from onset.analysis.estimates.advice import Advice, Cheaper, FrontPoint, Instead
from onset.analysis.estimates.decisions import Decision, alternative
from onset.analysis.questions.decision import (
    change_words,
    cost_words,
    name_words,
    next_words,
    right_words,
    ruled_out,
    setting_words,
    some_words,
    sure_words,
    use_words,
)
from onset.analysis.questions.say import Say

_MOST = 3
"""Changes of one kind that are said."""


@dataclass(frozen=True, slots=True)
class Told:
    """``sentence``: what to do; ``reasons``; ``changes``: what would change it; ``next_step`` (None: there is none)."""

    sentence: str
    reasons: tuple[str, ...]
    changes: tuple[str, ...]
    next_step: str | None


def advice_words(one: Advice, say: Say) -> Told:
    """All of it, each part a sentence."""
    made = one.decision
    reasons = [_sure(one, say), _lead(one, say), _cost(one, say), _scope(one, say), _front(one, say)]
    changes = [
        *_cheaper(one, say),
        *_instead(one, say),
        *(change_words(change, say) for change in made.changes),
    ]
    steps = [] if made.verdict == "not above chance" else [*_decisive(one, say), *next_words(made, say)]
    return Told(
        say.text([_do(one, say)]),
        tuple(say.text([reason]) for reason in reasons if reason),
        tuple(say.text([change]) for change in changes),
        say.text(steps) if steps else None,
    )


def _sure(one: Advice, say: Say) -> str:
    """As the page says it; where rivals are open the sentence names them."""
    made = one.decision
    if made.verdict != "open":
        return sure_words(made, say, total=one.wanted.queries is not None)
    tried, out = made.others.tried, made.others.ruled_out
    alternatives = say.counted("alternative", tried)
    return ruled_out(say, out, alternatives)


def _decisive(one: Advice, say: Say) -> list[str]:
    """What would tell it from the nearest open rival, where that is not the cheapest step."""
    step = one.decisive
    if step is None or step == one.decision.next_step:
        return []
    rival = name_words(step.rival, say)
    if step.seeds is None and step.items is None:
        return [
            say(
                "more seeds or items would hardly tell it from the nearest undecided, {rival}: take the cheaper",
                rival=rival,
            )
        ]
    key = f"`seeds: {step.seeds}`" if step.seeds is not None else f"`items: {step.items}`"
    if step.flops is None:
        return [say("{key} may tell it from the nearest undecided, {rival}", key=key, rival=rival)]
    cost = words.operations(step.flops)
    return [
        say(
            "{key} ({operations}) may tell it from the nearest undecided, {rival}",
            key=key,
            operations=cost,
            rival=rival,
        )
    ]


def _do(one: Advice, say: Say) -> str:
    made, given = one.decision, _given(one, say)
    if made.verdict == "not above chance":
        use = use_words(made, say)
    else:
        places = {"setting": setting_words(made, say), "task": say.task(made.task), "right": right_words(made, say)}
        use = say("use {setting} on {task}: {right}", **places)
        if made.verdict == "open":
            use = say(_for_now(made), names=some_words(made.others.open, say), **places)
    return say("{given}: {said}", given=given, said=use) if given else use


def _for_now(made: Decision) -> str:
    """What is open: how many labels it takes, where only budgets of one way of asking are left; else what to use."""
    if all(one.model is None and one.method == made.method for one in made.others.open):
        return "use {setting} on {task}: {right}; how many labels it takes is undecided between it and {names}"
    return "use {setting} on {task} for now: {right}; undecided between it and {names}"


def _given(one: Advice, say: Say) -> str:
    wanted, parts = one.wanted, []
    if wanted.queries is not None:
        parts.append(say("for {queries} queries", queries=f"{wanted.queries:,.0f}"))
    if wanted.labels is not None and wanted.rationale is None:
        parts.append(say("with at most {labels} labels", labels=wanted.labels))
    if wanted.labels is not None and wanted.rationale is not None:
        said = "with annotation worth {labels} answers, a rationale at {price}"
        parts.append(say(said, labels=wanted.labels, price=f"{wanted.rationale:g}"))
    if wanted.shift != "none":
        parts.append(say("under the shift {shift}", shift=say.shift(wanted.shift)))
    return say.parted(parts)


def _lead(one: Advice, say: Say) -> str:
    """How far it is from what it is hardest to tell from."""
    made, rival = one.decision, one.nearest
    if rival is None or rival.against.difference is None or rival.against.interval is None:
        return ""
    gap, span = say.points(rival.against.difference), say.point_range(rival.against.interval)
    if rival.arm is made.arm:
        best = name_words(alternative(made.held.best, made.arm), say)
        return say("the highest, {best}, leads it by {points} ({range})", best=best, points=gap, range=span)
    from_name = name_words(one.nearest_name, say) if one.nearest_name is not None else ""
    text = say("the nearest, {rival}, is {points} behind ({range})", rival=from_name, points=gap, range=span)
    if not rival.ruled_out and not rival.level and rival.against.interval[0] > 0:
        said = "{said}, which would do if it were the only alternative, and does not among {count}"
        return say(said, said=text, count=made.others.tried)
    return text


def _cost(one: Advice, say: Say) -> str:
    if one.wanted.queries is None or one.total is None or one.spent is None:
        return cost_words(one.decision, say)
    queries = f"{one.wanted.queries:,.0f}"
    said = say("{queries} queries cost {total} in all", queries=queries, total=words.operations(one.total))
    parts = [said]
    if one.spent.tuning:
        parts.append(say("{tuning} of it tuning", tuning=words.operations(one.spent.tuning)))
    if one.spent.search:
        parts.append(say("{search} of it the search for settings", search=words.operations(one.spent.search)))
    if one.spent.stages:
        parts.append(say("{stages} of it stages of training", stages=words.operations(one.spent.stages)))
    if one.total_reused is not None:
        total = words.operations(one.total_reused)
        parts.append(say("{total} where what prompts begin with is kept", total=total))
    if one.money is not None:
        parts.append(words.money(*one.money))
    return say.parted(parts)


def _scope(one: Advice, say: Say) -> str:
    """What was measured of the labels that the user has."""
    wanted = one.wanted.labels
    if wanted is None or one.wanted.rationale is not None or wanted in one.budgets:
        return ""
    held = say.listed([str(budget) for budget in one.budgets])
    if wanted > one.budgets[-1]:
        return say(
            "budgets measured are {budgets}: what {labels} labels would bring is not known", budgets=held, labels=wanted
        )
    return say("budgets measured are {budgets}: no more of the {labels} labels was used", budgets=held, labels=wanted)


def _front(one: Advice, say: Say) -> str:
    if len(one.front) < 2:
        return ""
    points = [
        say(
            "{arm} ({share}, {cost})",
            arm=name_words(point.named, say),
            share=words.percent(point.accuracy),
            cost=_point_cost(one, point, say),
        )
        for point in one.front
    ]
    said = "most accurate for what it costs, from cheap to dear: {arms}"
    if one.wanted.queries is None:
        said = "most accurate for what a query costs, from cheap to dear: {arms}"
    return say(said, arms=say.clauses(points))


def _point_cost(one: Advice, point: FrontPoint, say: Say) -> str:
    """Operations, and money where it is known; by money that alone."""
    money = [] if point.money is None else [words.money(*point.money)]
    return say.parted(money if one.wanted.by == "money" else [words.operations(point.total), *money])


def _amount(one: Advice, total: float) -> str:
    """A total in what cost is counted in."""
    if one.wanted.by == "money" and one.spent is not None and one.spent.money is not None:
        return words.money(total, one.spent.money.currency)
    return words.operations(total)


def _cheaper(advice: Advice, say: Say) -> Iterable[str]:
    for one in sorted(advice.cheaper, key=lambda one: (one.standing == "open", not one.now))[:_MOST]:
        share = words.percent(one.accuracy)
        arm = say("{name} ({share})", name=name_words(one.arm, say), share=share)
        said = "{arm}, as good within the margin, {cheaper}"
        if one.standing == "open":
            said = "{arm}, which may be as good or better, {cheaper}"
        text = say(said, arm=arm, cheaper=_at(one, say))
        if one.now and one.total is not None:
            text = say("{said}: {total} for those asked here", said=text, total=_amount(advice, one.total))
        yield text


def _at(one: Cheaper, say: Say) -> str:
    """At which numbers of queries it costs less."""
    if one.queries is None:
        return say("costs less at any number of queries")
    queries = say.size(math.floor(one.queries) if one.below else math.ceil(one.queries))
    if one.below:
        return say("costs less up to about {queries} queries", queries=queries)
    return say("costs less from about {queries} queries on", queries=queries)


def _instead(one: Advice, say: Say) -> Iterable[str]:
    for other in _nearest(one):
        if other.verdict == "not above chance":
            yield _none(other, say)
            continue
        places = {
            "arm": name_words(other.arm, say),
            "share": words.percent(other.accuracy),
            "verdict": words.said("decision", other.verdict, say.language),
        }
        if other.what == "labels":
            yield say(
                "with at most {labels} labels it would be {arm} ({share} right; {verdict})", labels=other.at, **places
            )
        elif other.what == "shift":
            shift = say.shift(other.at) if other.at != "none" else say("without a shift")
            said = "under the shift {shift} it would be {arm} ({share} right; {verdict})"
            plain = "{shift} it would be {arm} ({share} right; {verdict})"
            yield say(plain if other.at == "none" else said, shift=shift, **places)
        else:
            said = "with a rationale at {price} answers it would be {arm} ({share} right; {verdict})"
            yield say(said, price=other.at, **places)


def _none(other: Instead, say: Say) -> str:
    if other.what == "labels":
        return say("with at most {labels} labels nothing is shown to be above chance", labels=other.at)
    if other.what == "rationale":
        return say("with a rationale at {price} answers nothing is shown to be above chance", price=other.at)
    if other.at == "none":
        return say("without a shift nothing is shown to be above chance")
    return say("under the shift {shift} nothing is shown to be above chance", shift=say.shift(other.at))


def _nearest(one: Advice) -> list[Instead]:
    """Of budgets and of prices the nearest change on either side; every shift."""
    out: list[Instead] = []
    now = {
        "labels": one.decision.labels if one.wanted.labels is None else one.wanted.labels,
        "rationale": one.wanted.rationale,
    }
    for what in ("labels", "rationale"):
        held, at = [other for other in one.instead if other.what == what], now[what]
        if at is None:
            continue
        below = [other for other in held if float(other.at) < at]
        above = [other for other in held if float(other.at) > at]
        out += [*below[-1:], *above[:1]]
    return [*out, *[other for other in one.instead if other.what == "shift"][:_MOST]]
