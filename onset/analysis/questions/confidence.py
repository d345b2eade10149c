"""Does a method know when it is right? Its confidence beside its accuracy, and what is left without unsure answers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.confidence import Abstention, Confident, of_most_accurate
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import OF_TWO, Question, by_task, largest, tones
from onset.analysis.questions.say import Say
from onset.analysis.stats.confidence import BINS, FEWEST

_PASSAGES = ("retrieve-then-read", "generate-then-read", "recite", "knowledge")
"""Prompts that show a model what it did not say from memory alone."""
_HALF = 0.5


class Confidence(Question):
    """Per task, of the largest model's most accurate method: is it surer of its answers than it is right? Picked on one
    half of the items and measured on the other, both ways round.
    """

    kind = "confidence"
    unit = "points"
    figure = "confidence"
    verdicts = tones({"overconfident": "against", "underconfident": "against", "matches": "level", "undecided": "open"})
    wait = 3

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for task, arms in by_task(study.clean()).items():
            top = largest(arms)[0]
            here = [one for one in study.confidence.arms if one.at.clean and one.task == task and _beside(one, top)]
            if not here:
                continue
            one = of_most_accurate(here)
            verdict = _verdict(one, study.margin)
            value, (low, high) = one.over.value, one.over.interval
            turned = verdict == "underconfident"
            ends = (-high, -low) if turned else (low, high)
            yield self.finding(
                f"{task}, {one.method}, {one.model}", verdict, partial(_told, study, one, len(here)),
                lines.line(
                    f"confidence.{verdict}", study.named(task), method=lines.method(one.method),
                    points=lines.points(-value if turned else value), range=lines.share_range(ends),
                ),
                estimate=value, interval=one.over.interval, n=one.answered,
                test="t over draws and items",
            )  # fmt: skip


class Abstaining(Question):
    """Per task, of the largest model: the pair of methods whose order of answers differs most clearly, one that reads a
    passage against one that does not before any other.
    """

    kind = "abstention"
    unit = "points"
    figure = "confidence"
    verdicts = tones({"gains": "for", "loses": "against", "undecided": "open"})
    wait = 3

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for task, arms in by_task(study.clean()).items():
            top = largest(arms)[0]
            here = [one for one in study.confidence.pairs if one.at.clean and one.task == task and _beside(one, top)]
            if not here:
                continue
            pair = min(here, key=lambda one: (not _reads(one), 1.0 if one.contrast.p is None else one.contrast.p))
            one = pair.contrast if not _reads(pair) or _passage(pair.plus) else pair.contrast.turned()
            gap, spread = one.gap, one.interval
            verdict = {"wins": "gains", "loses": "loses"}.get(one.verdict, "undecided")
            interval = None if spread is None else (-spread[1], -spread[0])
            yield self.finding(
                f"{task}, {top.model}, {' and '.join(one.names)}", verdict, partial(_compared, study, pair),
                lines.line(
                    f"abstention.{verdict}", study.named(task), method=lines.method(one.names[0]),
                    other=lines.method(one.names[1]), points=lines.points(-gap), range=lines.share_range(interval),
                ),
                estimate=-gap, interval=interval, n=one.n, test=f"{one.test}; p adjusted by Holm",
            )  # fmt: skip


def _verdict(one: Confident, margin: float) -> str:
    low, high = one.over.interval
    if low > 0:
        return "overconfident"
    if high < 0:
        return "underconfident"
    return "matches" if -margin <= low and high <= margin else "undecided"


def _beside(one: Confident | Abstention, top: Outcomes) -> bool:
    return (one.model, one.stage, one.labels) == (top.model, top.stage, top.labels)


def _passage(one: Confident) -> bool:
    return one.arm.asked.prompt in _PASSAGES


def _reads(pair: Abstention) -> bool:
    return _passage(pair.plus) != _passage(pair.minus)


def _told(study: Analysis, one: Confident, rivals: int, say: Say) -> str:
    """How sure and how right, the calibration error, and what is right of the surest half. ``rivals``: from how many
    ways of asking it was picked.
    """
    names = one.method.split(" / ")
    given = say.with_labels(one.labels, study.shown(one.labels, names, one.task), len(names))
    gap, (low, high) = one.over.value, one.over.interval
    head = say(
        "confidence on {task}, {model} {given}: {method} is {sure} sure of its answers on average, by {kind}, and right"
        " in {right} of them, a difference of {points} ({range}; {sample})",
        task=say.named_task(one.task), model=one.model, given=given, method=say.named(one.method),
        sure=words.percent(one.confidence), kind=say(KINDS[one.kind]), right=words.percent(one.accuracy),
        points=say.points(gap), range=say.point_range((low, high)), sample=say.sample(one.answered, len(one.arm.draws)),
    )  # fmt: skip
    if one.error is None:
        error = say("of fewer than {fewest} answered items no calibration error is told", fewest=FEWEST)
    else:
        error = say(
            "its calibration error (ECE, at most {bins} bins of equal mass) is {value} ({range}); a calibrated model"
            " would show {chance} uncorrected, it shows {plain} (p {p})",
            bins=BINS, value=say.points(one.error.value), range=say.point_range(one.error.interval),
            chance=words.number(100 * one.error.chance), plain=words.number(100 * one.error.plain),
            p=say.probability(one.error.p),
        )  # fmt: skip
    half = dict(one.kept)[_HALF]
    left = say(
        "of the surest half of all questions {half} are right ({range}), of all {whole}",
        half=words.percent(half.value), range=say.share_range(half.interval), whole=words.percent(one.arm.accuracy),
    )  # fmt: skip
    lacking = say("{count} of {all} outcomes have no answer and are withheld first", count=one.unanswered,
                  all=one.outcomes) if one.unanswered else ""  # fmt: skip
    picked = ""
    if rivals > 1:
        picked = say(
            "of {count} ways of asking, the most accurate is picked on one half of the items and measured on the other,"
            " both ways round",
            count=rivals,
        )
    return say.text([head, picked, error, left, lacking])


def _compared(study: Analysis, pair: Abstention, say: Say) -> str:
    """The two areas under the risk-coverage curve, and their difference."""
    turned = _reads(pair) and not _passage(pair.plus)
    one = pair.contrast.turned() if turned else pair.contrast
    a, b = (pair.minus, pair.plus) if turned else (pair.plus, pair.minus)
    given = say.with_labels(one.at.labels or 0, study.shown(one.at.labels or 0, one.names, pair.task), 2)
    low, high = one.interval or (0.0, 0.0)
    text = say(
        "withholding unsure answers on {task}, {model} {given}: the share that is wrong, averaged over all coverages"
        " (AURC), is {first} with {a} and {second} with {b}, {points} less ({range}, p {p}; {verdict}; {sample})",
        task=say.named_task(pair.task), model=pair.model, given=given, a=say.named(a.method), b=say.named(b.method),
        first=words.percent(a.aurc.value), second=words.percent(b.aurc.value), points=say.points(-one.gap),
        range=say.point_range((-high, -low)), p=say.probability(one.p_adjusted), verdict=say(OF_TWO[one.verdict]),
        sample=say.sample(one.n, len(one.draws)),
    )  # fmt: skip
    halves = [dict(each.kept)[_HALF].value for each in (a, b)]
    more = say(
        "of the surest half {first} and {second} are right, of all {whole} and {other}",
        first=words.percent(halves[0]), second=words.percent(halves[1]), whole=words.percent(a.arm.accuracy),
        other=words.percent(b.arm.accuracy),
    )  # fmt: skip
    return say.text([text, more])


KINDS = {
    "choice": "the probability of the answer among the choices",
    "p_true": "the probability that the model calls it true",
    "agreement": "the share of samples that agree",
    "text": "the probability of the text that states it",
    "mixed": "what each of them has for it",
}
"""What a confidence is taken from, in words."""
