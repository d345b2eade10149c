"""Does calibration make accuracy vary less between draws of the examples?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.calibration import Calibrated
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, first_of_tasks, tones
from onset.analysis.questions.say import Say


class Calibration(Question):
    """Per task: the calibration that changes the spread between draws most, and what it does to the mean."""

    kind = "calibration"
    unit = "ratio"
    verdicts = tones({"narrows": "for", "widens": "against", "undecided": "open"})
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        told = [one for one in study.calibrations if one.at.clean and one.spreads.ratio is not None]
        for one in sorted(first_of_tasks(told, _clear), key=_clear, reverse=True):
            ratio = words.ratio(one.spreads.ratio or 0.0)
            yield self.finding(
                f"{one.task}, {one.method}, {one.model}", one.verdict, partial(_sentence, study, one),
                lines.line(
                    f"calibration.{one.verdict}", study.named(one.task), method=lines.method(one.method),
                    other=lines.method(one.plain), ratio=ratio, range=lines.ratio_range(one.spreads.interval),
                ),
                estimate=one.spreads.ratio, interval=one.spreads.interval, n=one.n,
                test="Pitman-Morgan over paired draws, Holm",
            )  # fmt: skip


def _clear(one: Calibrated) -> tuple[bool, float]:
    return one.verdict != "undecided", -1.0 if one.spreads.p is None else -one.spreads.p


def _sentence(study: Analysis, one: Calibrated, say: Say) -> str:
    """The two spreads, their ratio, and the means."""
    labels = study.used(one.labels, [one.plain, one.method], one.task)
    given = say.with_labels(labels, study.shown(one.labels, [one.plain, one.method], one.task), 2)
    spread = say(
        "Calibration on {task}, {model} {given}: between draws the accuracy of {plain} has a standard deviation of"
        " {before}, that of {method} of {after}, {ratio} times as much ({range}; {verdict}; {sample})",
        task=say.named_task(one.task), model=one.model, given=given, plain=say.named(one.plain),
        method=say.named(one.method), before=say.points(one.spreads.before), after=say.points(one.spreads.after),
        ratio=words.ratio(one.spreads.ratio or 0.0), range=say.ratio_range(one.spreads.interval or (None, None)),
        verdict=say(_SAID[one.verdict]), sample=say.sample(one.n, len(one.draws)),
    )  # fmt: skip
    plain, calibrated = one.accuracies
    means = say(
        "on average the two are right in {plain} and {calibrated}",
        plain=words.percent(plain),
        calibrated=words.percent(calibrated),
    )
    batch = say("batch calibration looks at the test questions, without their labels") if one.how == "batch" else ""
    return say.text([spread, means, batch])


_SAID = {"narrows": "it varies less", "widens": "it varies more", "undecided": "undecided"}
