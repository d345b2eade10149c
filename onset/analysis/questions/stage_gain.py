"""What does a stage of training add to the gain of chain of thought?"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import partial

from onset.analysis.contrast.parts import Verdict
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.stage_gains import StageGain
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import CHANGE, CHANGE_VERDICTS, Question
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say
from onset.analysis.questions.stage_words import agreed, order, reference_words, stage_words, token_words, weakest

_LISTED = 4


class GainByStage(Question):
    """Per task and family, at the largest budget: the stage of which most is shown.

    What is said of a stage is what holds against all that it was held against: a placebo may lose what the base model
    had, and a stage that beats such a placebo alone has added nothing.
    """

    kind = "gain by stage"
    figure = "stage gains"
    unit = "points"
    verdicts = CHANGE_VERDICTS

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        groups: dict[tuple[str, str], list[StageGain]] = {}
        for one in study.stages.gains:
            if one.at.clean:
                groups.setdefault((one.task, one.family), []).append(one)
        findings = [self._finding(study, group) for group in groups.values()]
        yield from sorted(
            findings, key=lambda finding: (finding.verdict not in ("loses", "gains"), -abs(finding.estimate or 0))
        )

    def _finding(self, study: Analysis, group: Sequence[StageGain]) -> Finding:
        most = max(one.labels for one in group)
        stages: dict[Hashable, list[StageGain]] = {}
        for one in group:
            if one.labels == most:
                stages.setdefault((one.gains[0].model, one.sides[0], one.methods), []).append(one)
        rows = sorted(stages.values(), key=_rank)
        top, verdict = weakest(rows[0], _verdict), CHANGE[_agreed(rows[0])]
        return self.finding(
            f"{top.task}, family {top.family}", verdict, partial(_sentence, study, rows),
            _short(top, verdict, study.named(top.task)), estimate=top.added.difference, interval=top.added.interval,
            n=top.added.n, test=top.added.test,
        )  # fmt: skip


def _verdict(one: StageGain) -> Verdict:
    return one.added.verdict


def _agreed(rows: Sequence[StageGain]) -> Verdict:
    return agreed(rows, _verdict) or "undecided"


def _rank(rows: Sequence[StageGain]) -> tuple[bool, bool, bool, float]:
    """A placebo itself last, shown before not shown, by a placebo before without one, the larger before the smaller."""
    by_placebo = any(one.against == "placebo" for one in rows)
    return (
        rows[0].placebo,
        _agreed(rows) not in ("wins", "loses"),
        not by_placebo,
        -abs(weakest(rows, _verdict).added.gap),
    )


def _short(top: StageGain, verdict: str, of: str | None) -> Lines:
    shown = top.added.turned() if verdict == "loses" else top.added
    return lines.line(
        f"gain by stage.{verdict}",
        of,
        stage=lines.stage(top.sides[0]),
        method=lines.method(top.methods[0]),
        points=lines.points(shown.gap),
        range=lines.share_range(shown.spread),
    )


def _sentence(study: Analysis, stages: Sequence[Sequence[StageGain]], say: Say) -> str:
    """The first stage against all its references, and the others in short."""
    first = sorted(stages[0], key=lambda one: order(one.against, one.tokens))
    top = first[0]
    head = say(
        "What stages add to the gain of {method} over {other} on {task}, {given}, {family}",
        method=say.named(top.methods[0]), other=say.named(top.methods[1]), task=say.named_task(top.task),
        given=given_words(study, top.labels, top.methods, top.task, say),
        family=say("family {family}", family=top.family),
    )  # fmt: skip
    sample = say.sample(top.added.n, len(top.added.draws))
    sentences = [
        say("{head}: {said}", head=head, said=_added(top, say)),
        *(_added(one, say) for one in first[1:]),
    ]
    if len({one.added.verdict for one in first}) > 1:
        sentences.append(say("so nothing is shown of the stage itself: its references differ"))
    rest = [one for rows in stages[1:] for one in rows]
    for template, wanted in (
        ("shown too: {settings}", ("wins", "loses")),
        ("nothing beyond the margin: {settings}", ("equivalent",)),
        ("undecided: {settings}", ("undecided",)),
    ):
        held = [one for one in rest if one.added.verdict in wanted]
        if held:
            sentences.append(say(template, settings=_settings(held, say)))
    sentences[-1] = say("{sentence} ({sample}; one training run a stage)", sentence=sentences[-1], sample=sample)
    return say.text(sentences)


def _added(one: StageGain, say: Say) -> str:
    after, before = one.gains
    change = {
        "wins": "{points} more",
        "loses": "{points} less",
        "equivalent": "no more and no less than the margin ({points})",
        "undecided": "a difference of {points}, undecided",
    }[one.added.verdict]
    shown = one.added.turned() if one.added.verdict == "loses" else one.added
    return say(
        "{stage} gains {after} at {size} ({after_range}), {reference} {before} ({before_range}): {change} ({range};"
        " {tokens})",
        stage=stage_words(one.sides[0], say), size=say.size(one.params), after=say.points(after.gap),
        after_range=say.point_range(after.spread), reference=reference_words(one.sides[1], one.against, say),
        before=say.points(before.gap), before_range=say.point_range(before.spread),
        change=say(change, points=say.points(shown.gap)), range=say.point_range(shown.spread),
        tokens=token_words(one.tokens, one.against, say),
    )  # fmt: skip


def _settings(rows: Sequence[StageGain], say: Say) -> str:
    def told(one: StageGain) -> str:
        return say(
            "“{stage}” against {reference} at {size} ({points}; {range})", stage=say.stage(one.sides[0]),
            reference=reference_words(one.sides[1], one.against, say), size=say.size(one.params),
            points=say.points(one.added.gap), range=say.point_range(one.added.spread),
        )  # fmt: skip

    return say.listed(say.first(rows, _LISTED, told))
