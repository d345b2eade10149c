"""Which model does best, over all tasks and on each, and which others does it beat? For results of other tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.label_curves import LabelPoint, mean_accuracy
from onset.analysis.estimates.models import asked_alike
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, means_in_common, tones
from onset.analysis.questions.say import ENGLISH, Say
from onset.analysis.setting import Setting

_ALL = "all tasks"
_SAID = 4
"""Rivals of one kind that are named; of more, the rest is counted."""


_Rival = tuple[Outcomes, Contrast | None]
"""Another model, and its contrast with the best."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The best model on a task. ``several``: the task was asked in several ways."""

    best: Outcomes
    point: LabelPoint
    several: bool

    def where(self, say: Say) -> str:
        """The task, with the way of asking where there are several."""
        task = say.named_task(self.best.task or _ALL)
        return say.parted([task, say.named(self.best.method)]) if self.several else task

    def level(self, say: Say) -> str:
        """Its accuracy with what that rests on."""
        point = self.point
        size = say("n = {items} items", items=point.n)
        size += say(" × {draws} draws", draws=point.draws) if point.draws > 1 else ""
        size += "" if self.best.task else say(", each counting the same")
        return say(
            "{share}, {range}; {sample}", share=words.percent(point.accuracy), range=say.share_range(point.interval),
            sample=size,
        )  # fmt: skip


class BestModel(Question):
    """Over all tasks, then per task and way of asking: the most accurate model, its lead over the next, and which
    others it beats.
    """

    kind = "best model"
    unit = "points"
    figure = "size"
    verdicts = tones({"best": "for", "undecided": "open", "measured": "open", "not above chance": "open"})
    of_anybody = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        if not study.measured.foreign:
            return
        groups: dict[Setting, list[Outcomes]] = {}
        for arm in study.clean():
            groups.setdefault(asked_alike(arm), []).append(arm)
        ranked = [_ranked(arms) for arms in groups.values()]
        found = [self._finding(study, arms, study.point(arms[0])) for arms in ranked]
        found.sort(key=lambda one: (one.verdict != "best", one.verdict == "measured"))
        if study.contrasts.models.overall:
            arms = _ranked(study.contrasts.models.overall)
            yield self._finding(study, arms, mean_accuracy(arms[0]))
        yield from found

    def _finding(self, study: Analysis, arms: Sequence[Outcomes], point: LabelPoint) -> Finding:
        best = arms[0]
        several = len({arm.method for arm in study.arms if arm.task == best.task}) > 1
        place = _Place(best, point, several)
        where = place.where(ENGLISH)
        rivals = [(arm, _between(study.contrasts.models.pairs, best, arm)) for arm in arms[1:]]
        named = [study.named(best.task) or "", best.method if several else ""]
        of = ", ".join(part for part in named if part) or None if best.task else _ALL
        if not point.above_chance(len(arms)):
            chance = words.percent(best.chance or 0.0)
            line = lines.line("best model.not above chance", of, model=best.model, chance=chance)
            return self.finding(where, "not above chance", partial(_none_above_chance, place), line, n=point.n)
        if not rivals:
            line = lines.line(
                "best model.measured", of, model=best.model, share=words.percent(point.accuracy),
                range=lines.share_range(point.interval),
            )  # fmt: skip
            return self.finding(where, "measured", partial(_alone, place), line, n=point.n)
        verdict = "best" if all(one is not None and one.verdict == "wins" for _, one in rivals) else "undecided"
        nearest = rivals[0][1]
        gap, interval = (None, None) if nearest is None else (nearest.difference, nearest.interval)
        line = lines.line(
            f"best model.{verdict}{_standing(best, rivals[0])}", of, model=best.model, other=arms[1].model,
            points=lines.points(gap or 0.0), items=str(nearest.n if nearest else 0),
            range=lines.share_range(interval), share=words.percent(point.accuracy),
        )  # fmt: skip
        return self.finding(
            where, verdict, partial(_sentence, place, rivals, verdict), line, estimate=gap, interval=interval,
            n=None if nearest is None else nearest.n,
            test=None if nearest is None else f"{nearest.test}; p adjusted by Holm",
        )  # fmt: skip


def _standing(best: Outcomes, rival: _Rival) -> str:
    """Which line says how the best stands to the next."""
    nearest = rival[1]
    if nearest is None or nearest.estimate is None:
        return ".apart"
    if nearest.difference:
        return ""
    return ".shared" if _partly(best, rival) else ".level"


def _partly(best: Outcomes, rival: _Rival) -> bool:
    """Are the two compared on some of their items alone?"""
    arm, one = rival
    return one is not None and one.n < max(len(best.items), len(arm.items))


def _none_above_chance(place: _Place, say: Say) -> str:
    text = say(
        "on {where} no model is shown to be above chance ({chance}); highest is {model} ({level})",
        where=place.where(say), chance=words.percent(place.best.chance or 0.0), model=place.best.model,
        level=place.level(say),
    )  # fmt: skip
    return say.text([text])


def _alone(place: _Place, say: Say) -> str:
    text = say(
        "on {where}, {model} has {share} right ({level})", where=place.where(say), model=place.best.model,
        share=words.percent(place.point.accuracy), level=place.level(say),
    )  # fmt: skip
    return say.text([text])


def _sentence(place: _Place, rivals: Sequence[_Rival], verdict: str, say: Say) -> str:
    """``rivals``: the nearest first."""
    groups: dict[str, list[_Rival]] = {}
    for arm, one in rivals:
        paired = one is not None and one.estimate is not None
        settled = one is not None and one.verdict in ("wins", "loses", "equivalent")
        name = "apart" if not paired else one.verdict if one is not None and settled else "undecided"
        groups.setdefault(name, []).append((arm, one))
    beaten, behind, level, rest, apart = (
        groups.get(name) for name in ("wins", "loses", "equivalent", "undecided", "apart")
    )
    said = partial(_said, place.best, say)
    parts = [say("it beats {models}", models=said(beaten))] if beaten else []
    parts += [say("on what both were asked it loses to {models}", models=said(behind))] if behind else []
    parts += [say("it is equivalent to {models}", models=said(level))] if level else []
    parts += [say("it cannot be told apart from {models}", models=said(rest))] if rest else []
    parts += [say("it shares no items with {models}", models=said(apart))] if apart else []
    text = say(
        "on {where}, {model} does best ({level}): {standing}"
        if verdict == "best"
        else "on {where}, {model} scores highest ({level}): {standing}",
        where=place.where(say), model=place.best.model, level=place.level(say), standing=say.clauses(parts),
    )  # fmt: skip
    return say.text([text])


def _ranked(arms: Sequence[Outcomes]) -> list[Outcomes]:
    """The most accurate first, on the items that all have, where there are any."""
    ranked = sorted(zip(means_in_common(arms), arms, strict=True), key=lambda row: -row[0])
    return [arm for _, arm in ranked]


def _between(models: Iterable[Contrast], a: Outcomes, b: Outcomes) -> Contrast | None:
    """The contrast of the two, said of ``a``."""
    found = (one for one in models if {one.plus, one.minus} == {a.at, b.at})
    return next((one if one.plus == a.at else one.turned() for one in found), None)


def _said(best: Outcomes, say: Say, rows: Sequence[_Rival]) -> str:
    """``b (by 5.0 points, 95 % interval 1.0 to 9.0)``, the nearest first; many are counted."""

    def told(rival: _Rival) -> str:
        arm, one = rival
        if one is None or one.estimate is None:
            return arm.model
        far = say("by {points}, {range}", points=say.points(one.gap), range=say.point_range(one.spread))
        if _partly(best, rival):
            far = say.parted([far, say("n = {items} items of both", items=one.n)])
        return say("{model} ({far})", model=arm.model, far=far)

    return say.listed(say.first(rows, _SAID, told))
