"""What does a stage of training add to the gain of chain of thought?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.stage_gains import StageGain
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import CHANGE, CHANGE_VERDICTS, Question
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say
from onset.analysis.questions.stage_words import order, reference_words, stage_words, token_words

_LISTED = 4


class GainByStage(Question):
    """Per task and family, at the largest budget: what is shown first, against a placebo before against the base."""

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
        rows = sorted((one for one in group if one.labels == most), key=_rank)
        top = rows[0]
        verdict = CHANGE[top.added.verdict]
        return self.finding(
            f"{top.task}, family {top.family}", verdict, partial(_sentence, study, rows),
            _short(top, verdict, study.named(top.task)), estimate=top.added.difference, interval=top.added.interval,
            n=top.added.n, test=top.added.test,
        )  # fmt: skip


def _rank(one: StageGain) -> tuple[bool, int, float]:
    """Shown before not shown, a placebo before the base, the larger before the smaller."""
    return one.added.verdict not in ("wins", "loses"), order(one.against, one.tokens), -abs(one.added.gap)


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


def _sentence(study: Analysis, rows: Sequence[StageGain], say: Say) -> str:
    top = rows[0]
    head = say(
        "What stages add to the gain of {method} over {other} on {task}, {given}, {family}",
        method=say.named(top.methods[0]), other=say.named(top.methods[1]), task=say.named_task(top.task),
        given=given_words(study, top.labels, top.methods, top.task, say),
        family=say("family {family}", family=top.family),
    )  # fmt: skip
    shown = [one for one in rows if one.added.verdict in ("wins", "loses")] or [top]
    said = [_added(one, say) for one in shown[:_LISTED]]
    rest = [one for one in rows if not any(one is other for other in shown[:_LISTED])]
    level = [one for one in rest if one.added.verdict == "equivalent"]
    open_ = [one for one in rest if one.added.verdict == "undecided"]
    more = [one for one in rest if one.added.verdict in ("wins", "loses")]
    for template, held in (
        ("shown too: {settings}", more),
        ("nothing beyond the margin: {settings}", level),
        ("undecided: {settings}", open_),
    ):
        if held:
            said.append(say(template, settings=_settings(held, say)))
    sample = say.sample(top.added.n, len(top.added.draws))
    first = say("{head}: {said}", head=head, said=said[0])
    sentences = [first, *(say("besides, {said}", said=one) for one in said[1:2]), *said[2:]]
    sentences[-1] = say("{sentence} ({sample}; one training run a stage)", sentence=sentences[-1], sample=sample)
    return say.text(sentences)


def _added(one: StageGain, say: Say) -> str:
    after, before = one.gains
    change = {
        "wins": "{points} more",
        "loses": "{points} less",
        "equivalent": "no more and no less than the margin ({points})",
        "undecided": "undecided: {points} more",
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
    shown = [
        say(
            "“{stage}” against {reference} at {size} ({points}; {range})", stage=say.stage(one.sides[0]),
            reference=reference_words(one.sides[1], one.against, say), size=say.size(one.params),
            points=say.points(one.added.gap), range=say.point_range(one.added.spread),
        )
        for one in rows[:_LISTED]
    ]  # fmt: skip
    if len(rows) > _LISTED:
        shown.append(say("{count} more", count=len(rows) - _LISTED))
    return say.listed(shown)
