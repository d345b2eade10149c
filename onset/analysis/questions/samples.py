"""What do more samples of an item bring, and what would a perfect choice among them?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.banks import Bank
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import CHANGE, CHANGE_SAID, CHANGE_VERDICTS, Question, first_of_tasks
from onset.analysis.questions.say import Say

NEAR = 0.01
"""A majority of fewer samples that comes this near to that of all is as good as all."""


class Samples(Question):
    """Per task: the majority of all samples against one of them, at the bank where it gains most."""

    kind = "samples"
    figure = "samples"
    unit = "points"
    verdicts = CHANGE_VERDICTS
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        best = first_of_tasks((bank for bank in study.banks if bank.at.clean), lambda one: one.gain.gap)
        for bank in sorted(best, key=lambda one: -one.gain.gap):
            verdict = CHANGE[bank.gain.verdict]
            yield self.finding(
                f"{bank.task}, {bank.methods[0]}, {bank.model}", verdict, partial(_sentence, study, bank),
                lines.line(
                    f"samples.{verdict}", study.named(bank.task), vote=lines.method(bank.methods[0]),
                    count=str(bank.samples), points=lines.points(bank.gain.gap),
                    range=lines.share_range(bank.gain.spread),
                ),
                estimate=bank.gain.difference, interval=bank.gain.interval, n=bank.gain.n, test=bank.gain.test,
            )  # fmt: skip


def _sentence(study: Analysis, bank: Bank, say: Say) -> str:
    """All of it: the gain, what one, the majority and any reach, and how few samples are nearly as good."""
    labels = study.used(bank.labels, bank.methods[:1], bank.task)
    given = say.with_labels(labels, study.shown(bank.labels, bank.methods[:1], bank.task))
    gain = say(
        "Samples on {task}, {model} {given}: the majority of the {count} samples of {vote} is {points} more often right"
        " than one of them ({range}; {verdict}; {sample})"
        if bank.gain.gap >= 0
        else "Samples on {task}, {model} {given}: the majority of the {count} samples of {vote} is {points} less often"
        " right than one of them ({range}; {verdict}; {sample})",
        task=say.named_task(bank.task), model=bank.model, given=given, count=bank.samples,
        vote=say.named(bank.methods[0]), points=say.points(abs(bank.gain.gap)),
        range=say.point_range(bank.gain.spread), verdict=say(CHANGE_SAID[bank.gain.verdict]),
        sample=say.sample(bank.n, len(bank.draws)),
    )  # fmt: skip
    reached = say(
        "one is right in {one} ({one_range}), their majority in {majority} ({majority_range})",
        one=words.percent(bank.one.majority), one_range=say.share_range(bank.one.majority_interval),
        majority=words.percent(bank.all.majority), majority_range=say.share_range(bank.all.majority_interval),
    )  # fmt: skip
    room = say(
        "at least one of them is right in {any} of items ({any_range}): a perfect choice would add {room}"
        " ({room_range})",
        any=words.percent(bank.all.any), any_range=say.share_range(bank.all.any_interval), room=say.points(bank.room),
        room_range=say.point_range(bank.room_interval),
    )  # fmt: skip
    few = next(one.k for one in bank.points if one.majority >= bank.all.majority - NEAR)
    enough = say("the majority of {few} samples is within a point of that of {count}", few=few, count=bank.samples)
    return say.text([gain, say.clauses([reached, room]), enough if 1 < few < bank.samples else ""])
