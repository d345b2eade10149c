"""What should I use? The recommendation for a task of the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.decisions import Alternative, Change, Decision
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.say import Say

_NAMED = 3


class Recommendation(Question):
    """Per own task of the study: what to use, how sure that is, what it costs, what may change it."""

    kind = "decision"
    figure = "labels"
    unit = "share"
    always = True
    verdicts = tones({"best": "for", "level": "for", "open": "open", "only one": "open", "not above chance": "warning"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for one in study.decisions:
            yield self.finding(
                one.task, one.verdict, partial(recommendation, one), _short(one, study.named(one.task)),
                estimate=one.point.accuracy, interval=one.point.interval, n=one.point.n,
                test="against the observed best: verdicts of the comparisons, else Bonferroni over all alternatives",
            )  # fmt: skip


def _short(one: Decision, of: str | None) -> lines.Lines:
    return lines.line(
        f"decision.{one.verdict}", of, method=lines.method(one.method), model=one.model,
        given=lambda language: Say(language).with_labels(one.given), share=words.percent(one.point.accuracy),
        range=lines.share_range(one.point.interval), chance=words.percent(one.arm.chance or 0.0),
        count=str(one.others.tried + 1),
    )  # fmt: skip


def recommendation(one: Decision, say: Say) -> str:
    """All of it in words."""
    parts = [use_words(one, say), sure_words(one, say), cost_words(one, say)]
    if one.verdict == "not above chance":
        # what would tell it from its rivals, and its weights, are of no use
        next_step = "the next step is a larger model, or more labelled examples than {count}"
        most = max((arm.labels for arm in (one.held.best, *(rival.arm for rival in one.held.rivals))), default=0)
        return say.text([*parts, say(next_step, count=most), _changes(one, say)])
    return say.text([*parts, *next_words(one, say), _changes(one, say), _load(one, say)])


def right_words(one: Decision, say: Say) -> str:
    """Its accuracy with its interval."""
    point = one.point
    return say(
        "{share} right ({range}; {sample})", share=words.percent(point.accuracy), range=say.share_range(point.interval),
        sample=say.sample(point.n, point.draws),
    )  # fmt: skip


def setting_words(one: Decision, say: Say) -> str:
    """The method, the model and the labels that are recommended."""
    return say(
        "{method} on {model} {given}", method=say.method(one.method), model=one.model, given=say.with_labels(one.given)
    )


def use_words(one: Decision, say: Say) -> str:
    """What to use, or that nothing is to be used yet."""
    places = {"task": say.task(one.task), "right": right_words(one, say), "setting": setting_words(one, say)}
    if one.verdict == "not above chance":
        chance = words.percent(one.arm.chance or 0.0)
        if one.others.tried:
            return say(
                "use none of these yet on {task}: that {setting} is above chance ({chance}) is not shown, allowing for"
                " its being picked as the best of {count}: {right}",
                count=one.others.tried + 1, chance=chance, **places,
            )  # fmt: skip
        return say(
            "use none of these yet on {task}: {setting} is not shown to be above chance ({chance}): {right}",
            chance=chance, **places,
        )  # fmt: skip
    if one.verdict == "open":
        return say("not settled on {task}; highest so far is {setting}: {right}", **places)
    return say("use {setting} on {task}: {right}", **places)


def name_words(other: Alternative, say: Say) -> str:
    """An alternative as a person says it."""
    name = say.method(other.method)
    given = "" if other.labels is None else say.with_labels(other.labels)
    if other.model is None:
        return say("{method} {given}", method=name, given=given) if given else name
    if not given:
        return say("{method} on {model}", method=name, model=other.model)
    return say("{method} on {model} {given}", method=name, model=other.model, given=given)


def sure_words(one: Decision, say: Say, *, total: bool = False) -> str:
    """How sure it is: what is ruled out, level (and no cheaper: to ask, or in ``total``) and open."""
    others = one.others
    if others.tried == 0:
        return say("nothing else was tried")
    if others.ruled_out == others.tried:
        if others.tried == 1:
            return say("it does better than the other one tried")
        return say("it does better than all {count} others tried", count=others.tried)
    said = []
    if others.ruled_out:
        alternatives = say.counted("alternative", others.tried)
        said.append(ruled_out(say, others.ruled_out, alternatives))
    if others.level:
        cheaper = "as good within the margin, and no cheaper to ask: {names}"
        if total:
            cheaper = "as good within the margin, and no cheaper for so many queries: {names}"
        said.append(say(cheaper, names=some_words(others.level, say)))
    if others.open:
        said.append(say("as good or better may be: {names}", names=some_words(others.open, say)))
    return say.clauses(said)


def ruled_out(say: Say, count: int, alternatives: str) -> str:
    """``count`` of the ``alternatives``, which are counted already, are ruled out."""
    said = "{count} of {alternatives} is ruled out" if count == 1 else "{count} of {alternatives} are ruled out"
    return say(said, count=count, alternatives=alternatives)


def some_words(others: tuple[Alternative, ...], say: Say) -> str:
    """The first alternatives by name, and how many more there are."""
    names = [name_words(other, say) for other in others]
    more, said = len(names) - _NAMED, say.parted(names[:_NAMED])
    return say("{names} and {more} more", names=said, more=more) if more > 0 else said


def cost_words(one: Decision, say: Say) -> str:
    """What a thousand queries cost, and tuning."""
    price = one.price
    parts = [words.operations(price.flops)] if price.flops is not None else []
    if price.seconds is not None:
        parts.append(say("{time} as measured here", time=say.duration(price.seconds)))
    if price.money is not None:
        parts.append(words.money(price.money, price.currency or ""))
    if not parts:
        return ""
    said = [say("a thousand queries cost {cost}", cost=say.parted(parts))]
    if price.tuning_flops > 0:
        once = [words.operations(price.tuning_flops)]
        once += [say.duration(price.tuning_seconds)] if price.tuning_seconds else []
        cost, tuning = say.parted(parts), say.parted(once)
        said = [say("a thousand queries cost {cost}; tuning, once, {tuning}", cost=cost, tuning=tuning)]
    if price.search_flops > 0:
        said.append(say("the search for settings, once, {search}", search=words.operations(price.search_flops)))
    if price.stages_flops > 0:
        said.append(say("stages of training, once, {stages}", stages=words.operations(price.stages_flops)))
    if price.once_money:
        said.append(say("all that is done once, {money}", money=words.money(price.once_money, price.currency or "")))
    return say.clauses(said)


def next_words(one: Decision, say: Say) -> list[str]:
    """What would settle it, where anything is open."""
    step = one.next_step
    if step is None:
        return []
    rival = name_words(step.rival, say)
    if step.seeds is None and step.items is None:
        return [say("more seeds or items would hardly tell it from {rival}: take the cheaper one", rival=rival)]
    key = f"`seeds: {step.seeds}`"
    if step.seeds is None:
        key = say("{key}, if the test set holds so many", key=f"`items: {step.items}`")
    if step.flops is None:
        return [say("the next step is {key}, which may tell it from {rival}", key=key, rival=rival)]
    cost = words.operations(step.flops)
    said = "the cheapest next step is {key} ({operations} for these two alone), which may tell it from {rival}"
    return [say(said, key=key, operations=cost, rival=rival)]


def _changes(one: Decision, say: Say) -> str:
    said = [change_words(change, say) for change in one.changes]
    return say("what may change it: {changes}", changes=say.clauses(said)) if said else ""


def change_words(one: Change, say: Say) -> str:
    """One thing that may change it."""
    if one.what == "draws":
        return say("other examples, since one draw was tried (`seeds: 3`)")
    places = {"before": one.before, "after": one.after}
    if one.gain is not None:
        places["points"] = say.points(one.gain)
    shown = "beats" if one.gain is not None else "level" if one.level else "open"
    return say(_CHANGES[one.what == "labels", shown], **places)


_CHANGES = {
    (True, "beats"): "more labelled examples ({after} beat {before} by {points})",
    (True, "level"): "more labelled examples hardly ({after} and {before} are level)",
    (True, "open"): "perhaps more labelled examples ({after} is not shown to beat {before}, nor to be level)",
    (False, "beats"): "a larger model ({after} beats {before} by {points})",
    (False, "level"): "a larger model hardly ({after} and {before} are level)",
    (False, "open"): "perhaps a larger model ({after} is not shown to beat {before}, nor to be level)",
}


def _load(one: Decision, say: Say) -> str:
    if not one.adapters:
        return ""
    code = f'`import onset`, `onset.open_tuned("D/{one.adapters[0]}")`'
    if len(one.adapters) == 1:
        return say("its weights are in the results folder: {code}", code=code)
    draws = say.counted("draw", len(one.adapters))
    return say("its weights are in the results folder ({draws}, one each): {code}", draws=draws, code=code)
