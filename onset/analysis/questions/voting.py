"""At which size does a vote over several samples add to a single one?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.gains import GainCurve
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import (
    chosen,
    family_words,
    given_words,
    sample_words,
)
from onset.analysis.questions.say import Say


class Voting(Question):
    """Per task and family: at which size a vote adds most to a single sample, and what it adds at both ends."""

    kind = "voting"
    figure = "gains"
    unit = "points"
    verdicts = tones(
        {
            "helps": "for",
            "helps in between": "for",
            "hurts": "against",
            "equivalent": "level",
            "undecided": "open",
        }
    )
    about_size = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        curves = chosen(study.sizes.gains, "voting")
        for curve in sorted(curves, key=lambda curve: -(_most(curve).difference or 0.0)):
            top = _most(curve)
            yield self.finding(
                f"{curve.task}, {curve.sides[0]} over {curve.sides[1]}, {family_words(curve)}",
                _verdict(curve, top), partial(_sentence, study, curve, top),
                lines.line(
                    f"voting.{_verdict(curve, top).removesuffix(' in between')}", study.named(curve.task),
                    other=lines.method(curve.sides[1]),
                    size=lines.size(top.params), points=lines.points(top.gap),
                    range=lines.share_range(top.spread),
                ),
                estimate=top.difference, interval=top.interval, n=top.n, test=top.test,
            )  # fmt: skip


def _sentence(study: Analysis, curve: GainCurve, top: Contrast, say: Say) -> str:
    wins = [say.size(one.params) for one in curve.points if one.verdict == "wins" and curve.settled(one)]
    shown = say(
        "Voting on {task}, {given}, {family}: a gain of {vote} over {other} is shown at {sizes}"
        if wins
        else "Voting on {task}, {given}, {family}: a gain of {vote} over {other} is shown at no size",
        task=say.named_task(curve.task), given=given_words(study, curve.labels, curve.sides, curve.task, say),
        family=family_words(curve, say), vote=say.named(curve.sides[0]), other=say.named(curve.sides[1]),
        sizes=say.listed(wins),
    )  # fmt: skip
    parts = [
        say(
            "the largest is measured at {size}, {points} ({range}; {verdict})", size=say.parameters(top.params),
            points=say.points(top.gap), range=say.point_range(top.spread), verdict=_picked(curve, top, say),
        )
    ]  # fmt: skip
    ends = curve.points[0], curve.points[-1]
    for one in (one for one in ends if one.params != top.params):
        parts.append(
            say(
                "at the smallest size, {size}, it is {points} ({range}; {verdict})"
                if one is ends[0]
                else "at the largest size, {size}, it is {points} ({range}; {verdict})",
                size=say.size(one.params), points=say.points(one.gap), range=say.point_range(one.spread),
                verdict=_verdict_words(one, say),
            )
        )  # fmt: skip
    measured = say.clauses(parts)
    sample = sample_words(curve.points, say)
    return say.text([shown, say("{sentence} ({sample})", sentence=measured, sample=sample)])


def _most(curve: GainCurve) -> Contrast:
    return max(curve.points, key=lambda point: point.gap)


def _verdict(curve: GainCurve, top: Contrast) -> str:
    inside = curve.sizes[0] < top.params < curve.sizes[-1]
    shown = {point.verdict for point in curve.points if curve.settled(point)}
    if "wins" in shown:
        ends = {point.verdict for point in curve.points if point.params in (curve.sizes[0], curve.sizes[-1])}
        return "helps in between" if inside and ends == {"equivalent"} else "helps"
    level = all(point.verdict == "equivalent" for point in curve.points)
    return "hurts" if "loses" in shown else "equivalent" if level else "undecided"


def _picked(curve: GainCurve, point: Contrast, say: Say) -> str:
    """The verdict of a point that was picked from all sizes."""
    if point.verdict in ("wins", "loses") and not curve.settled(point):
        return say("not settled after correcting for {count} sizes", count=len(curve.points))
    return _verdict_words(point, say)


def _verdict_words(point: Contrast, say: Say) -> str:
    named = {
        "wins": say("a gain"),
        "loses": say("a loss"),
        "equivalent": say("equivalent within the margin"),
        "undecided": say("undecided"),
    }
    return named[point.verdict]
