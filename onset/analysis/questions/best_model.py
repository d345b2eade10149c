"""Which model does best, over all tasks and on each, and which others does it beat? For results of other tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.label_curves import LabelPoint, mean_accuracy
from onset.analysis.estimates.models import asked_alike
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.setting import Setting

_ALL = "all tasks"
_SAID = 4
"""Rivals of one kind that are named; of more, the rest is counted."""


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
        where = f"{best.task}, {best.method}" if several else best.task or _ALL
        size = f"n = {point.n} items" + (f" × {point.draws} draws" if point.draws > 1 else "")
        size += "" if best.task else ", each counting the same"
        level = f"{words.percent(point.accuracy)}, 95 % interval {words.number(100 * point.interval[0])} to"
        level += f" {words.number(100 * point.interval[1])} %; {size}"
        rivals = [(arm, _between(study.contrasts.models.pairs, best, arm)) for arm in arms[1:]]
        named = [study.named(best.task) or "", best.method if several else ""]
        of = ", ".join(part for part in named if part) or None if best.task else _ALL
        if best.chance and point.interval[0] <= best.chance:
            chance = words.percent(best.chance)
            text = f"On {where} no model is shown to be above chance ({chance}); highest is {best.model} ({level})."
            line = lines.line("best model.not above chance", of, model=best.model, chance=chance)
            return self.finding(where, "not above chance", text, line, n=point.n)
        if not rivals:
            text = f"On {where}, {best.model} has {words.percent(point.accuracy)} right ({level})."
            line = lines.line(
                "best model.measured", of, model=best.model, share=words.percent(point.accuracy),
                range=lines.share_range(point.interval),
            )  # fmt: skip
            return self.finding(where, "measured", text, line, n=point.n)
        beaten = [(arm, one) for arm, one in rivals if one is not None and one.verdict == "wins"]
        level_with = [(arm, one) for arm, one in rivals if one is not None and one.verdict == "equivalent"]
        rest = [row for row in rivals if row not in beaten and row not in level_with]
        verdict = "best" if len(beaten) == len(rivals) else "undecided"
        parts = [f"it beats {_said(beaten)}"] if beaten else []
        parts += [f"it is equivalent to {_said(level_with)}"] if level_with else []
        parts += [f"it cannot be told apart from {_said(rest)}"] if rest else []
        claim = "does best" if verdict == "best" else "scores highest"
        text = f"On {where}, {best.model} {claim} ({level}): {'; '.join(parts)}."
        nearest = rivals[0][1]
        gap, interval = (None, None) if nearest is None else (nearest.difference, nearest.interval)
        line = lines.line(
            f"best model.{verdict}{'' if gap else '.level'}", of, model=best.model, other=arms[1].model,
            points=lines.points(gap or 0.0),
            range=lines.share_range(interval), share=words.percent(point.accuracy),
        )  # fmt: skip
        return self.finding(
            where, verdict, text, line, estimate=gap, interval=interval,
            n=None if nearest is None else nearest.n,
            test=None if nearest is None else f"{nearest.test}; p adjusted by Holm",
        )  # fmt: skip


def _ranked(arms: Sequence[Outcomes]) -> list[Outcomes]:
    """The most accurate first, on the items that all have, where there are any."""
    common = set.intersection(*(set(arm.items) for arm in arms))

    def accuracy(arm: Outcomes) -> float:
        places = [place for place, item in enumerate(arm.items) if item in common]
        held = arm.values[:, places]
        return float(np.nanmean(held)) if np.isfinite(held).any() else arm.accuracy

    return sorted(arms, key=lambda arm: -accuracy(arm))


def _between(models: Iterable[Contrast], a: Outcomes, b: Outcomes) -> Contrast | None:
    """The contrast of the two, said of ``a``."""
    found = (one for one in models if {one.plus, one.minus} == {a.at, b.at})
    return next((one if one.plus == a.at else one.turned() for one in found), None)


def _said(rows: Sequence[tuple[Outcomes, Contrast | None]]) -> str:
    """``b (by 5.0 points, 95 % interval 1.0 to 9.0)``, the nearest first; many are counted."""
    names = []
    for arm, one in rows[:_SAID]:
        far = "they share no items"
        if one is not None and one.estimate is not None:
            far = f"by {words.points(one.gap)}, {words.point_range(one.spread)}"
        names.append(f"{arm.model} ({far})")
    return words.listed([*names, f"{len(rows) - _SAID} more"] if len(rows) > _SAID else names)
