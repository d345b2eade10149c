"""Do right answers come from right steps, and what would a calculator change?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.chains import Chains
from onset.analysis.estimates.shares import Share
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import CHANGE, CHANGE_SAID, CHANGE_VERDICTS, Question, first_of_tasks, tones
from onset.analysis.questions.say import Say

MOST_LUCKY = 0.05
"""Up to this share of right answers by wrong chains, right answers say that the steps are right."""


class Process(Question):
    """Per task: of the right answers of the most accurate chains of the largest model, how many had a wrong step."""

    kind = "process"
    figure = "chains"
    unit = "share"
    verdicts = tones({"sound": "for", "lucky": "against", "undecided": "open"})
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for one in _picked(study):
            if one.lucky is None:
                continue
            verdict = _verdict(one.lucky)
            yield self.finding(
                f"{one.task}, {one.method}, {one.model}", verdict, partial(_sentence, study, one, one.lucky),
                lines.line(
                    f"process.{verdict}", study.named(one.task), method=lines.method(one.method), model=one.model,
                    share=words.percent(one.lucky.value), range=lines.share_range(one.lucky.interval),
                ),
                estimate=one.lucky.value, interval=one.lucky.interval, n=one.lucky.whole,
                test="crossed bootstrap of a linearised ratio",
            )  # fmt: skip


def _picked(study: Analysis) -> list[Chains]:
    """Of each task, without a shift, the largest model's chains with most right answers to each output."""

    def rank(one: Chains) -> tuple[float, float]:
        return one.params, sum(one.counts[True].values()) / max(one.outputs, 1)

    return first_of_tasks((one for one in study.chains if one.at.clean and one.outputs), rank)


def _verdict(lucky: Share) -> str:
    low, high = lucky.interval
    return "sound" if high <= MOST_LUCKY else "lucky" if low > MOST_LUCKY else "undecided"


def _sentence(study: Analysis, one: Chains, lucky: Share, say: Say) -> str:
    labels = study.used(one.labels, [one.method], one.task)
    given = say.with_labels(labels, study.shown(one.labels, [one.method], one.task))
    right = one.counts[True]
    parts = [
        say(
            "Steps on {task}, {model} {given}: of {whole} right answers of {method} whose steps can be checked, {part}"
            " ({share}; {range}) have a wrong step",
            task=say.named_task(one.task), model=one.model, given=given, whole=lucky.whole,
            method=say.named(one.method), part=lucky.part, share=words.percent(lucky.value),
            range=say.share_range(lucky.interval),
        )
    ]  # fmt: skip
    if right["unchecked"]:
        parts.append(say("{count} right answers have no step that can be checked", count=right["unchecked"]))
    if one.steps is not None:
        parts.append(
            say(
                "{share} of all steps checked are right ({range}; {unchecked} steps unchecked)",
                share=words.percent(one.steps.value), range=say.share_range(one.steps.interval),
                unchecked=one.unchecked_steps,
            )
        )  # fmt: skip
    for part, template in (
        (one.sound, "after right steps the answer is right in {share} ({range})"),
        (one.faulty, "after a wrong step in {share} ({range})"),
    ):
        if part is not None:
            parts.append(say(template, share=words.percent(part.value), range=say.share_range(part.interval)))
    return say.text([say.clauses(parts)])


class Calculator(Question):
    """Per task: what working out the sums of chains changes, where it changes most."""

    kind = "calculator"
    unit = "points"
    verdicts = CHANGE_VERDICTS
    wait = 3

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        known = (
            one
            for one in study.chains
            if one.at.clean and one.calculator is not None and one.calculator.difference is not None
        )
        for one in sorted(first_of_tasks(known, _gap), key=lambda found: -_gap(found)):
            held = one.calculator
            assert held is not None
            verdict = CHANGE[held.verdict]
            yield self.finding(
                f"{one.task}, {one.method}, {one.model}", verdict, partial(_calculated, study, one),
                lines.line(
                    f"calculator.{verdict}", study.named(one.task), method=lines.method(one.method), model=one.model,
                    points=lines.points(held.gap), range=lines.share_range(held.spread),
                ),
                estimate=held.difference, interval=held.interval, n=held.n, test=held.test,
            )  # fmt: skip


def _gap(one: Chains) -> float:
    return abs(one.calculator.gap) if one.calculator else -1.0


def _calculated(study: Analysis, one: Chains, say: Say) -> str:
    held = one.calculator
    assert held is not None
    with_sums, without = held.levels
    labels = study.used(one.labels, [one.method], one.task)
    given = say.with_labels(labels, study.shown(one.labels, [one.method], one.task))
    return say.text(
        [
            say(
                "A calculator on {task}, {model} {given}: with the sums of its steps worked out, {method} is right in"
                " {with_sums} instead of {without}, {points} ({range}; {verdict}; {sample})",
                task=say.named_task(one.task), model=one.model, given=given, method=say.named(one.method),
                with_sums=words.percent(with_sums or 0.0), without=words.percent(without or 0.0),
                points=say.points(held.gap), range=say.point_range(held.spread), verdict=say(CHANGE_SAID[held.verdict]),
                sample=say.sample(one.n, len(one.draws)),
            ),
            say("it replaced results in {part} of {whole} outputs", part=one.replaced, whole=one.outputs),
        ]
    )  # fmt: skip
