"""What does an ingredient of training change: accuracy at one size, or the size that is needed?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.stage_sizes import StageShift
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import (
    WITHOUT,
    given_words,
    method_words,
    outcomes_words,
)
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say
from onset.analysis.setting import BASE


class Ingredient(Question):
    """Per task and family: which stage changes what at which size, strongest first."""

    kind = "ingredient"
    figure = "stages"
    unit = "points"
    verdicts = tones({"gains": "for", "loses": "against", "equivalent": "level", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        groups: dict[tuple[str, str], list[Contrast]] = {}
        for one in study.contrasts.stages:
            if one.shift == "none" and one.difference is not None:
                groups.setdefault((one.task, one.family), []).append(one)
        findings = [self._finding(study, task, family, group) for (task, family), group in groups.items()]
        yield from sorted(
            findings, key=lambda finding: (finding.verdict not in ("loses", "gains"), -abs(finding.estimate or 0))
        )

    def _finding(self, study: Analysis, task: str, family: str, group: Sequence[Contrast]) -> Finding:
        budget = max(one.labels for one in group)
        rows = sorted((one for one in group if one.labels == budget), key=lambda one: -abs(one.gap))
        decided = [one for one in rows if one.verdict in ("wins", "loses")]
        top = (decided or rows)[0]
        kinds = {one.verdict for one in rows}
        verdict = {"wins": "gains", "loses": "loses"}.get(
            top.verdict, "equivalent" if kinds == {"equivalent"} else "undecided"
        )
        return self.finding(
            f"{task}, family {family}", verdict,
            partial(_sentence, study, rows), _short(top, verdict, study.named(task)),
            estimate=top.difference, interval=top.interval, n=top.n, test=top.test,
        )  # fmt: skip


class IngredientBySize(Question):
    """Per task and family: does a stage move the size at which accuracy is halfway?

    With the largest budget and the method that is halfway at the smallest size.
    """

    kind = "ingredient by size"
    figure = "stages"
    unit = "ratio"
    verdicts = tones({"earlier": "for", "later": "against", "not reached": "open", "undecided": "open"})

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        groups: dict[tuple[str, str], list[StageShift]] = {}
        for one in study.sizes.stage_shifts:
            groups.setdefault((one.task, one.family), []).append(one)
        order = {"later": 0, "earlier": 0, "not reached": 1, "undecided": 2}
        for group in groups.values():
            best = max(group, key=lambda one: (one.labels, -one.midpoints[1]))
            rows = [one for one in group if (one.labels, one.method) == (best.labels, best.method)]
            rows.sort(key=lambda one: (order[one.verdict], -abs(math.log(one.ratio or 1.0))))
            first = rows[0]
            yield self.finding(
                f"{first.task}, {first.method}, family {first.family}", first.verdict,
                partial(_sentence_by_size, study, rows), _short_by_size(first, study.named(first.task)),
                estimate=first.ratio, interval=None if first.ratio is None else first.interval, n=first.n,
                test="profile likelihood of the ratio of two midpoints",
            )  # fmt: skip


def _short(top: Contrast, verdict: str, of: str | None) -> Lines:
    shown = top.turned() if verdict == "loses" else top
    return lines.line(
        f"ingredient.{verdict}",
        of,
        stage=lines.stage(top.names[0]),
        size=lines.size(top.params),
        points=lines.points(shown.gap),
        range=lines.share_range(shown.spread),
    )


def _short_by_size(first: StageShift, of: str | None) -> Lines:
    at = ".at" if first.verdict == "undecided" and first.ratio is not None else ""
    return lines.line(
        f"ingredient by size.{first.verdict}{at}",
        of,
        stage=lines.stage(first.stages[0]),
        size=lines.size(first.midpoints[1]),
        ratio=words.ratio(first.ratio or 0.0),
        range=lines.ratio_range(first.interval),
    )


def _sentence(study: Analysis, rows: Sequence[Contrast], say: Say) -> str:
    """``rows``: the largest differences first."""
    decided = [one for one in rows if one.verdict in ("wins", "loses")]
    parts = [_changes(one, say) for one in decided[:_SHOWN_STAGES]]
    more = len(decided) - _SHOWN_STAGES
    if more > 0:
        differences = say.counted("smaller difference", more)
        parts.append(
            say("{differences} is shown too" if more == 1 else "{differences} are shown too", differences=differences)
        )
    level, left = ([one for one in rows if one.verdict == verdict] for verdict in ("equivalent", "undecided"))
    if len(level) > _SHOWN_STAGES:
        parts.append(say("no difference beyond the margin in {count} further settings", count=len(level)))
    elif level:
        parts.append(say("no difference beyond the margin: {settings}", settings=_settings(level, say)))
    if len(left) > _SHOWN_STAGES:
        parts.append(say("undecided in {count} further settings", count=len(left)))
    elif left:
        parts.append(say("undecided: {settings}", settings=_settings(left, say)))
    top, methods = (decided or rows)[0], [one.method for one in rows]
    sentences = [
        say(
            "Ingredients on {task}, {given}, {family}, against the base model of the same size{other}: {said}",
            task=say.named_task(top.task), given=given_words(study, top.labels, methods, top.task, say),
            family=say("family {family}", family=top.family), said=parts[0],
            other=say(" unless another is named") if any(one.names[1] != BASE for one in rows) else "",
        )
    ]  # fmt: skip
    sentences += [say("besides, {said}", said=say.clauses(parts[1:]))] if parts[1:] else []
    sample = say.sample(top.n, len(top.draws))
    sentences[-1] = say("{sentence} ({sample}; one training run a stage)", sentence=sentences[-1], sample=sample)
    return say.text(sentences)


def _sentence_by_size(study: Analysis, rows: Sequence[StageShift], say: Say) -> str:
    first = rows[0]
    text = say(
        "Size by ingredient on {task} ({method}, {given}, {family}): {said} ({sample}; one training run a point)",
        task=say.named_task(first.task), method=method_words(first.method, say),
        given=given_words(study, first.labels, [first.method], first.task, say),
        family=say("family {family}", family=first.family), said=say.clauses(_moved(one, say) for one in rows),
        sample=outcomes_words(first.n, first.sizes, say),
    )  # fmt: skip
    return say.text([text])


def _stage(name: str, say: Say) -> str:
    return say("the base model") if name == BASE else say("the model {stage}", stage=say.stage(name))


def _moved(one: StageShift, say: Say) -> str:
    stage, reference = (_stage(name, say) for name in one.stages)
    before = say.size(one.midpoints[1])
    if one.ratio is None or one.midpoints[0] is None:
        if one.without == "no curve fits":
            said = "undecided where {stage} is halfway: no rising curve fits ({reference} is at {before})"
            return say(said, stage=stage, reference=reference, before=before)
        return say(
            "{reference} is halfway between its floor and its ceiling at {before}, {stage} at no size measured{why}",
            reference=reference, before=before, stage=stage,
            why="" if one.without is None else say(" ({why})", why=say(WITHOUT[one.without])),
        )  # fmt: skip
    return say(
        "undecided whether {stage} needs more: {ratio} times the parameters of {reference} to be halfway between its"
        " floor and its ceiling ({after} against {before}; {range})"
        if one.verdict == "undecided"
        else "{stage} needs {ratio} times the parameters of {reference} to be halfway between its floor and its ceiling"
        " ({after} against {before}; {range})",
        stage=stage, ratio=words.ratio(one.ratio), reference=reference, after=say.size(one.midpoints[0]),
        before=before, range=say.ratio_range(one.interval),
    )  # fmt: skip


def _changes(one: Contrast, say: Say) -> str:
    """What the stage gains or loses against its reference."""
    more = one.gap > 0
    shown = one if more else one.turned()
    after, before = one.levels
    return say(
        "the model {stage} gains {points} at {size} with {method} ({range}; {before} to {after}{reference})"
        if more
        else "the model {stage} loses {points} at {size} with {method} ({range}; {before} to {after}{reference})",
        stage=say.stage(one.names[0]), points=say.points(shown.gap), size=say.size(one.params),
        method=say.named(one.method),
        range=say.point_range(shown.spread), before=words.percent(before or 0.0), after=words.percent(after or 0.0),
        reference=_reference(one, say),
    )  # fmt: skip


def _reference(one: Contrast, say: Say) -> str:
    return "" if one.names[1] == BASE else say("; against the model {stage}", stage=say.stage(one.names[1]))


def _settings(rows: Sequence[Contrast], say: Say) -> str:
    return say.listed(
        [
            say(
                "{stage} at {size} with {method} ({points}{reference})", stage=say.stage(one.names[0]),
                size=say.size(one.params),
                method=say.named(one.method), points=say.points(one.gap), reference=_reference(one, say),
            )
            for one in rows
        ]
    )  # fmt: skip


_SHOWN_STAGES = 4
