"""What does an ingredient of training change: accuracy at one size, or the size that is needed?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.stage_sizes import StageShift
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import (
    WITHOUT,
    method_words,
    ratio_range,
)
from onset.analysis.questions.lines import Lines
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
        parts = [
            f"the model {one.names[0]} {'gains' if (one.gap) > 0 else 'loses'} {_against_base(one)}"
            for one in decided[:_SHOWN_STAGES]
        ]
        more = len(decided) - _SHOWN_STAGES
        if more > 0:
            parts.append(f"{words.counted(more, 'smaller difference')} {'is' if more == 1 else 'are'} shown too")
        for verdict, phrase in (("equivalent", "no difference beyond the margin"), ("undecided", "undecided")):
            settings = [one for one in rows if one.verdict == verdict]
            if len(settings) > _SHOWN_STAGES:
                parts.append(f"{phrase} in {len(settings)} further settings")
            elif settings:
                parts.append(f"{phrase}: {words.listed([_setting(one) for one in settings])}")
        top = (decided or rows)[0]
        kinds = {one.verdict for one in rows}
        verdict = {"wins": "gains", "loses": "loses"}.get(
            top.verdict, "equivalent" if kinds == {"equivalent"} else "undecided"
        )
        where = f"{task}, {study.given(budget, [one.method for one in rows], task)}, family {family}"
        other = " unless another is named" if any(one.names[1] != BASE for one in rows) else ""
        text = f"Ingredients on {where}, against the base model of the same size{other}:"
        rest = f". Besides, {'; '.join(parts[1:])}" if parts[1:] else ""
        return self.finding(
            f"{task}, family {family}", verdict,
            f"{text} {parts[0]}{rest} ({words.sample(top.n, len(top.draws))}; one training run a stage).",
            _short(top, verdict, study.named(task)),
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
            given = study.given(first.labels, [first.method], first.task)
            where = f"{first.task} ({method_words(first.method)}, {given}, family {first.family})"
            sample = f"{words.counted(first.n, 'outcome')} at {words.counted(len(set(first.sizes)), 'size')}"
            said = "; ".join(_moved(one) for one in rows)
            yield self.finding(
                f"{first.task}, {first.method}, family {first.family}", first.verdict,
                f"Size by ingredient on {where}: {said} ({sample}; one training run a point).",
                _short_by_size(first, study.named(first.task)), estimate=first.ratio,
                interval=None if first.ratio is None else first.interval, n=first.n,
                test="profile likelihood of the ratio of two midpoints",
            )  # fmt: skip


def _short(top: Contrast, verdict: str, of: str | None) -> Lines:
    shown = top.turned() if verdict == "loses" else top
    return lines.line(
        f"ingredient.{verdict}",
        of,
        stage=top.names[0],
        size=lines.size(top.params),
        points=lines.points(shown.gap),
        range=lines.share_range(shown.spread),
    )


def _short_by_size(first: StageShift, of: str | None) -> Lines:
    at = ".at" if first.verdict == "undecided" and first.ratio is not None else ""
    return lines.line(
        f"ingredient by size.{first.verdict}{at}",
        of,
        stage=first.stages[0],
        size=lines.size(first.midpoints[1]),
        ratio=words.ratio(first.ratio or 0.0),
        range=lines.ratio_range(first.interval),
    )


def _moved(one: StageShift) -> str:
    stage, reference = ("the base model" if name == BASE else f"the model {name}" for name in one.stages)
    before = words.short_count(one.midpoints[1])
    if one.ratio is None or one.midpoints[0] is None:
        if one.without == "no curve fits":
            return f"undecided where {stage} is halfway: no rising curve fits ({reference} is at {before})"
        why = "" if one.without is None else f" ({WITHOUT[one.without]})"
        return f"{reference} is halfway between its floor and its ceiling at {before}, {stage} at no size measured{why}"
    said = f"{words.ratio(one.ratio)} times the parameters of {reference} to be halfway between its floor and its"
    said += f" ceiling ({words.short_count(one.midpoints[0])} against {before}; {ratio_range(one.interval)})"
    return f"undecided whether {stage} needs more: {said}" if one.verdict == "undecided" else f"{stage} needs {said}"


def _against_base(one: Contrast) -> str:
    shown = one if (one.gap) > 0 else one.turned()
    after, before = one.levels
    levels = f"{words.percent(before or 0.0)} to {words.percent(after or 0.0)}"
    return (
        f"{words.points(shown.gap)} at {words.short_count(one.params)} with {one.method}"
        f" ({words.point_range(shown.spread)}; {levels}{_reference(one)})"
    )


def _reference(one: Contrast) -> str:
    return "" if one.names[1] == BASE else f"; against the model {one.names[1]}"


def _setting(one: Contrast) -> str:
    where = f"{one.names[0]} at {words.short_count(one.params)} with {one.method}"
    return f"{where} ({words.points(one.gap)}{_reference(one)})"


_SHOWN_STAGES = 4
