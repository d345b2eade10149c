"""Is a trap set solved, or guessed by one answer, and which group of items is worst?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.breakdowns import BY_ANSWER, Breakdown, SingleLabel
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, of_largest, tones
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.say import Say


class TrapSet(Question):
    """Per test set whose answers are labels: the arm that is furthest from a constant answer, by balanced accuracy."""

    kind = "trap set"
    figure = "halves"
    unit = "points"
    verdicts = tones({"above": "for", "below": "against", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for rows in _groups(study, answers=True):
            rows.sort(key=lambda one: (one.verdict == "undecided", -abs(one.value)))
            top = rows[0]
            away = -top.value if top.verdict == "below" else top.value
            yield self.finding(
                f"{top.task}, {top.shift}, {top.method}", top.verdict, partial(_trap_sentence, study, rows),
                lines.line(
                    f"trap set.{top.verdict}", study.named(top.task), method=lines.method(top.method),
                    shift=lines.shift(top.shift), points=lines.points(away),
                    range=lines.share_range(_turned(top)),
                ),
                estimate=top.value, interval=top.interval, n=top.n, test=top.test,
            )  # fmt: skip


def _turned(one: Breakdown) -> tuple[float, float]:
    low, high = one.interval
    return (-high, -low) if one.verdict == "below" else (low, high)


class WorstGroup(Question):
    """Per test set with groups: how far the worst lies below all items, for the most accurate arm."""

    kind = "worst group"
    unit = "points"
    wait = 2
    verdicts = tones({"uneven": "against", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for rows in _groups(study, answers=False):
            top = max(rows, key=lambda one: one.balanced)
            yield self.finding(
                f"{top.task}, {top.shift}, {top.by}", top.verdict, partial(_group_sentence, study, top),
                lines.line(
                    f"worst group.{top.verdict}", study.named(top.task), method=lines.method(top.method),
                    shift=lines.shift(top.shift), group=f"{top.by} {top.worst.name}", points=lines.points(top.value),
                    range=lines.share_range(top.interval),
                ),
                estimate=top.value, interval=top.interval, n=top.n, test=top.test,
            )  # fmt: skip


class SingleAnswer(Question):
    """Test sets whose items all have one answer."""

    kind = "warning"
    unit = "count"
    verdicts = tones({"single answer": "warning"})
    always = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        for one in study.robustness.single:
            yield self.finding(
                f"{one.task}, {one.shift}", "single answer", partial(_single_sentence, one),
                lines.line("single answer.single answer", study.named(one.task), shift=lines.shift(one.shift)),
                n=one.n,
            )  # fmt: skip


def _groups(study: Analysis, *, answers: bool) -> list[list[Breakdown]]:
    """By task, test set and what it is parted by: the arms of the largest model at its largest budget. By answer those
    of other test sets alone: a rewrite keeps the items.
    """
    groups: dict[tuple[str, str, str], list[Breakdown]] = {}
    for one in study.robustness.breakdowns:
        if one.shift != "none" and (one.by == BY_ANSWER) == answers and not (answers and one.paired):
            groups.setdefault((one.task, one.shift, one.by), []).append(one)
    return [of_largest(group) for group in groups.values()]


def _trap_sentence(study: Analysis, rows: Sequence[Breakdown], say: Say) -> str:
    top = rows[0]
    said = {
        "above": "{method} is above that ({points}; {range}): {parts}",
        "below": "{method} is below that ({points}; {range}): {parts}",
        "undecided": "{method} is not shown to differ from that ({points}; {range}): {parts}",
    }

    def told(one: Breakdown) -> str:
        return say(
            said[one.verdict], method=say.named(one.method), points=say.points(one.value),
            range=say.point_range(one.interval), parts=_halves(one, say),
        )  # fmt: skip

    return say.text(
        [
            say(
                "on the test set {shift} of {task}, {model} {given}, a constant answer is right on {constant} of the"
                " items, each answer counted the same: {said} ({sample})",
                shift=say.shift(top.shift), task=say.named_task(top.task), model=top.model,
                given=given_words(study, top.labels, [one.method for one in rows], top.task, say),
                constant=words.percent(top.constant or 0.0), said=say.clauses(say.first(rows, 3, told)),
                sample=say.sample(top.n, len(top.draws)),
            )
        ]
    )  # fmt: skip


def _halves(one: Breakdown, say: Say) -> str:
    return say.listed(
        [say('{share} of "{name}" right', share=words.percent(part.accuracy), name=part.name) for part in one.parts[:4]]
    )


def _group_sentence(study: Analysis, top: Breakdown, say: Say) -> str:
    worst = top.worst
    return say.text(
        [
            say(
                "worst group of {count} by {key} under the shift {shift} on {task}, {method} {given}, {model}: {group}"
                " with {share} right ({share_range}; {items} items), {points} below all items ({range}); the intervals"
                " hold whichever group is worst ({sample})",
                count=len(top.parts), key=top.by, shift=say.shift(top.shift), task=say.named_task(top.task),
                method=say.named(top.method), given=given_words(study, top.labels, [top.method], top.task, say),
                model=top.model, group=worst.name, share=words.percent(worst.accuracy),
                share_range=say.share_range(top.worst_interval), items=worst.n, points=say.points(top.value),
                range=say.point_range(top.interval), sample=say.sample(top.n, len(top.draws)),
            )
        ]
    )  # fmt: skip


def _single_sentence(one: SingleLabel, say: Say) -> str:
    return say.text(
        [
            say(
                'One answer alone: all {items} items of the test set {shift} of {task} have the answer "{label}", so'
                " that always giving it is right on each: accuracy there says how often it is given, not what is told"
                " apart",
                items=one.n, shift=say.shift(one.shift), task=say.named_task(one.task), label=one.label,
            )
        ]
    )  # fmt: skip
