"""Does a stage create an ability or only make it likelier, and does it make the steps right?"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.stage_reach import ReachVerdict, StageReach
from onset.analysis.estimates.stage_steps import StageSteps
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import CHANGE, CHANGE_SAID, CHANGE_VERDICTS, Question, first_of_tasks, tones
from onset.analysis.questions.gain_words import given_words
from onset.analysis.questions.say import Say
from onset.analysis.questions.stage_words import agreed, reference_words, stage_words, token_words, weakest
from onset.analysis.stats.adjust import ALPHA

_SAID = {
    "created": "created, as far as {count} samples show",
    "made likelier": "only made likelier: what it answers more often, the model before it reaches with more samples",
    "narrowed": "made likelier and narrowed: fewer items are within reach",
    "no change": "no change beyond the margin",
    "lost": "lost rather than gained",
    "undecided": "undecided whether it is created or only made likelier",
}


class Reach(Question):
    """Per task: pass@1 and pass@K after a stage and before, where most is shown; what holds against all references."""

    kind = "reach"
    figure = "reach"
    unit = "points"
    verdicts = tones(
        {
            "created": "for",
            "made likelier": "level",
            "narrowed": "against",
            "no change": "level",
            "lost": "against",
            "undecided": "open",
        }
    )
    wait = 1

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        groups: dict[str, list[StageReach]] = {}
        for one in study.stages.reach:
            if one.at.clean:
                groups.setdefault(one.task, []).append(one)
        for group in groups.values():
            most = max(one.labels for one in group)
            stages: dict[Hashable, list[StageReach]] = {}
            for one in group:
                if one.labels == most:
                    stages.setdefault((one.one.plus.model, one.sides[0], one.methods), []).append(one)
            rows = min(stages.values(), key=_rank)
            top, verdict = weakest(rows, _verdict), _agreed(rows)
            change = top.all if verdict != "lost" else top.one
            yield self.finding(
                f"{top.task}, {top.methods[0]}, {top.one.plus.model}", verdict, partial(_reached, study, rows),
                lines.line(
                    f"reach.{verdict}", study.named(top.task), stage=lines.stage(top.sides[0]),
                    count=str(top.samples), one=lines.points(top.one.gap), points=lines.points(change.gap),
                    range=lines.share_range(change.spread),
                ),
                estimate=change.difference, interval=change.interval, n=top.one.n, test=change.test,
            )  # fmt: skip


def _verdict(one: StageReach) -> ReachVerdict:
    return one.verdict


def _agreed(rows: Sequence[StageReach]) -> ReachVerdict:
    return agreed(rows, _verdict) or "undecided"


def _rank(rows: Sequence[StageReach]) -> tuple[bool, bool, bool, float]:
    by_placebo = any(one.against == "placebo" for one in rows)
    return rows[0].placebo, _agreed(rows) == "undecided", not by_placebo, -abs(weakest(rows, _verdict).one.gap)


def _reached(study: Analysis, rows: Sequence[StageReach], say: Say) -> str:
    """The weakest of the references in full, the others by their verdict where it is another."""
    top = weakest(rows, _verdict)
    head = say(
        "Created or made likelier on {task}, {stage} at {size} against {reference} ({method}, {given}): {verdict}",
        task=say.named_task(top.task), stage=stage_words(top.sides[0], say), size=say.size(top.params),
        reference=reference_words(top.sides[1], top.against, say), method=say.named(top.methods[0]),
        given=given_words(study, top.labels, top.methods[:1], top.task, say),
        verdict=say(_SAID[top.verdict], count=top.samples),
    )  # fmt: skip
    reached = say.clauses(
        [_changed(top.one, say("one sample"), say), _changed(top.all, _any(top.samples, say), say), _lead(top, say)]
    )
    others = [
        say(
            "against {reference} it is otherwise: {verdict}",
            reference=reference_words(one.sides[1], one.against, say),
            verdict=say(_SAID[one.verdict], count=one.samples),
        )
        for one in rows
        if one.verdict != top.verdict
    ]  # fmt: skip
    return say.text([head, say("{sentence} ({sample})", sentence=reached, sample=_sample(top, say)), *others])


def _any(count: int, say: Say) -> str:
    return say("one of {count} samples", count=count)


def _sample(one: StageReach, say: Say) -> str:
    text = say.sample(one.one.n, len(one.one.draws))
    return say.clauses([text, say("one training run a stage"), token_words(one.tokens, one.against, say)])


def _changed(one: Contrast, what: str, say: Say) -> str:
    after, before = one.levels
    return say(
        "{what} is right in {before} before and in {after} after ({points}; {range})", what=what,
        before=words.percent(before or 0.0), after=words.percent(after or 0.0), points=say.points(one.gap),
        range=say.point_range(one.spread),
    )  # fmt: skip


def _lead(top: StageReach, say: Say) -> str:
    """How the difference goes on from one sample to all."""
    alone = top.growth.p is not None and top.growth.p <= ALPHA
    down = top.growth.gap < 0 and (top.growth.verdict == "loses" or alone)
    if top.growth.verdict == "loses":
        text = "the lead closes by {points} as samples grow ({range})"
    elif down:
        text = (
            "the lead narrows by {points} as samples grow ({range}), which is not shown after correcting for {count}"
            " tests"
        )
    elif top.keeps_its_lead:
        text = "the lead does not close as samples grow ({points}; {range})"
    else:
        text = "whether the lead closes as samples grow is open ({points}; {range})"
    shown = top.growth.turned() if down else top.growth
    count = top.growth.decided.size if top.growth.decided is not None else 1
    said = say(text, points=say.points(shown.gap), range=say.point_range(shown.spread), count=count)
    if top.all.verdict == "wins" and top.keeps_its_lead and not top.ended:
        text = "{said}, but the model before still reaches more items as samples grow: more of them would tell"
        said = say(text, said=said)
    if top.verdict == "undecided" and top.growth.verdict == "loses" and top.all.verdict == "wins":
        said = say("{said}, and is still there at the most samples: more of them would tell", said=said)
    return said


class StepsByStage(Question):
    """Per task: the share of right steps after a stage and before, where it changes most."""

    kind = "steps by stage"
    figure = "chains"
    unit = "points"
    verdicts = CHANGE_VERDICTS
    wait = 2

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        def rank(one: StageSteps) -> tuple[int, bool, bool, float]:
            return one.labels, one.change.verdict != "undecided", one.against == "placebo", abs(one.change.gap)

        for one in first_of_tasks((one for one in study.stages.steps if one.at.clean), rank):
            verdict = CHANGE[one.change.verdict]
            yield self.finding(
                f"{one.task}, {one.method}, {one.change.plus.model}", verdict, partial(_steps, one),
                lines.line(
                    f"steps by stage.{verdict}", study.named(one.task), stage=lines.stage(one.sides[0]),
                    after=words.percent(one.shares[0].value), before=words.percent(one.shares[1].value),
                    points=lines.points(one.change.gap), range=lines.share_range(one.change.spread),
                ),
                estimate=one.change.difference, interval=one.change.interval, n=one.change.n, test=one.change.test,
            )  # fmt: skip


def _steps(one: StageSteps, say: Say) -> str:
    after, before = one.shares
    return say.text(
        [
            say(
                "Steps on {task} after {stage} at {size} ({method}): of the steps that can be checked {after} are right"
                " ({after_range}), with {reference} {before} ({before_range}): {points} ({range}; {verdict}; {sample};"
                " one training run a stage)",
                task=say.named_task(one.task), stage=say("“{stage}”", stage=say.stage(one.sides[0])),
                size=say.size(one.params), method=say.named(one.method), after=words.percent(after.value),
                after_range=say.share_range(after.interval), before=words.percent(before.value),
                before_range=say.share_range(before.interval),
                reference=reference_words(one.sides[1], one.against, say), points=say.points(one.change.gap),
                range=say.point_range(one.change.spread), verdict=say(CHANGE_SAID[one.change.verdict]),
                sample=say.sample(one.change.n, len(one.change.draws)),
            )
        ]
    )  # fmt: skip
