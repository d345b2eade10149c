"""Scores that are not right or wrong, and their differences, in words."""

from __future__ import annotations

from onset.analysis import words
from onset.analysis.estimates.scores import ScoreMean, ScorePair
from onset.analysis.questions.say import Say
from onset.analysis.stats.shares import Interval


def score_range(interval: Interval, say: Say) -> str:
    """``95 % interval 0.589 to 0.728``."""
    return say.interval(interval, lambda end: words.score(end, 3))


def level(one: ScoreMean, say: Say) -> str:
    """``0.6572, 95 % interval 0.589 to 0.728; n = 16 items``, and what is not known of it."""
    value = words.score(one.value)
    if one.interval is not None:
        value = say("{value}, {range}", value=value, range=score_range(one.interval, say))
    size = say("n = {items} items", items=one.n) if one.n is not None else ""
    size += say(" × {draws} draws", draws=one.draws) if one.draws > 1 else ""
    lacking = [
        say("no items, only what is stated") if not one.draws else "",
        say("no standard error") if one.interval is None else "",
    ]
    return say.clauses([value, size, *lacking])


def pair_sentence(one: ScorePair, say: Say) -> str:
    """What two sides differ by: metric, values, interval, test and verdict."""
    a, b = one.names if one.axis == "model" else map(say.named, one.names)
    way = one.plus.model if one.axis == "method" else say.named(one.plus.method)
    where = say("{metric} on {task}, {way}", metric=one.plus.metric, task=say.named_task(one.plus.task), way=way)
    if one.difference is None:
        return say.text([say("{where}: {a} and {b} share no items", where=where, a=a, b=b)])
    verdicts = {"wins": "{a} wins against {b}", "loses": "{a} loses against {b}"}
    parts = [
        say("no interval") if one.interval is None else score_range(one.interval, say),
        "" if one.p_adjusted is None else f"p {say.probability(one.p_adjusted)}",
    ]
    text = say(
        "{where} (higher is better): {a} minus {b} is {difference} ({parts}; {test}): {verdict}"
        if one.plus.higher_is_better
        else "{where} (lower is better): {a} minus {b} is {difference} ({parts}; {test}): {verdict}",
        where=where, a=a, b=b, difference=words.signed_score(one.difference), parts=say.parted(parts),
        test=say.told(one.test),
        verdict=say(verdicts.get(one.verdict, one.verdict), a=a, b=b),
    )  # fmt: skip
    return say.text([text])
