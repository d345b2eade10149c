"""Does accuracy depend on who reads the answers?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.second_reader import SecondReading
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import CHANGE_SAID, Question, first_of_tasks, tones
from onset.analysis.questions.say import Say

_VERDICTS = {"wins": "higher", "loses": "lower", "equivalent": "equivalent", "undecided": "undecided"}


class SecondReader(Question):
    """Per task: accuracy by the second reader against that of the task's, where it changes most."""

    kind = "second reader"
    unit = "points"
    verdicts = tones({"higher": "warning", "lower": "warning", "equivalent": "level", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        clean = (one for one in study.second_readings if one.at.clean and one.change.difference is not None)
        for one in sorted(first_of_tasks(clean, _size), key=_size, reverse=True):
            verdict = _VERDICTS[one.change.verdict]
            yield self.finding(
                f"{one.task}, {one.methods[0]}, {one.model}", verdict, partial(_sentence, study, one),
                lines.line(
                    f"second reader.{verdict}", study.named(one.task), method=lines.method(one.methods[0]),
                    model=one.model, share=words.percent(one.differ[0]), points=lines.points(one.change.gap),
                    range=lines.share_range(one.change.spread),
                ),
                estimate=one.change.difference, interval=one.change.interval, n=one.change.n, test=one.change.test,
            )  # fmt: skip


def _size(one: SecondReading) -> float:
    return abs(one.change.gap)


def _sentence(study: Analysis, one: SecondReading, say: Say) -> str:
    """Both accuracies, how often answers differ, and who finds none."""
    labels = study.used(one.labels, one.methods[:1], one.task)
    given = say.with_labels(labels, study.shown(one.labels, one.methods[:1], one.task))
    levels = say(
        "A second reader on {task}, {model} {given}: by math-verify {second} of the outputs of {method} are right"
        " ({second_range}), by the task's reader {first} ({first_range}), {points} ({range}; {verdict}; {sample})",
        task=say.named_task(one.task), model=one.model, given=given, method=say.named(one.methods[0]),
        second=words.percent(one.second[0]), second_range=say.share_range(one.second[1]),
        first=words.percent(one.first[0]), first_range=say.share_range(one.first[1]),
        points=say.points(one.change.gap), range=say.point_range(one.change.spread),
        verdict=say(CHANGE_SAID[one.change.verdict]), sample=say.sample(one.n, len(one.draws)),
    )  # fmt: skip
    differ = say(
        "they find different answers in {differ} of outputs ({differ_range}), right by one alone in {disagree}"
        " ({disagree_range})",
        differ=words.percent(one.differ[0]), differ_range=say.share_range(one.differ[1]),
        disagree=words.percent(one.disagree[0]), disagree_range=say.share_range(one.disagree[1]),
    )  # fmt: skip
    unread = say(
        "of {outputs} outputs math-verify finds no answer in {second}, the task's reader in {first}",
        outputs=one.outputs, second=one.unread[1], first=one.unread[0],
    )  # fmt: skip
    late = say("math-verify ran out of time in {count}, which count as wrong by it", count=one.timeouts)
    return say.text([levels, say.clauses([differ, unread, *([late] if one.timeouts else [])])])
