"""Which curves of gain a question speaks of, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.gains import GainCurve, GainKind
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.questions.say import ENGLISH, Say
from onset.analysis.setting import BASE


def chosen(gains: Iterable[GainCurve], kind: GainKind) -> list[GainCurve]:
    """Per task and family the curve at the largest budget of the method most accurate at the largest size.

    Without a shift; of the stage "base" where there is one.
    """
    groups: dict[tuple[str, str], list[GainCurve]] = {}
    for curve in gains:
        if curve.kind == kind and curve.shift == "none":
            groups.setdefault((curve.task, curve.family), []).append(curve)
    out = []
    for group in groups.values():
        based = [curve for curve in group if curve.stage == BASE] or group
        for stage in dict.fromkeys(curve.stage for curve in based):
            same = [curve for curve in based if curve.stage == stage]
            out.append(max(same, key=lambda curve: (curve.labels, curve.points[-1].levels[0] or 0.0)))
    return out


def size_curve_of(study: Analysis, gain: GainCurve, method: str) -> SizeCurve | None:
    """The curve of one of its two methods."""
    place = (gain.task, method, gain.labels, gain.shift, gain.stage, gain.family)
    for curve in study.sizes.curves:
        if (curve.task, curve.method, curve.labels, curve.shift, curve.stage, curve.family) == place:
            return curve
    return None


def family_words(curve: GainCurve, say: Say = ENGLISH) -> str:
    """``family rungs``, with the stage where it is not the base model's."""
    if curve.stage == BASE:
        return say("family {family}", family=str(curve.family))
    return say("family {family}, stage {stage}", family=str(curve.family), stage=say.stage(curve.stage))


def method_words(method: str, say: Say = ENGLISH) -> str:
    """A method in a sentence: in English ``cot`` is said in words, all others are named as in the study."""
    if say.language != "en":
        return say.method(method)
    return "chain of thought" if method == "cot" else method


def given_words(study: Analysis, labels: int | None, methods: Iterable[str], task: str | None, say: Say) -> str:
    """`Analysis.given` in a language."""
    named = tuple(dict.fromkeys(methods))
    if say.language == "en" or labels is None:
        return study.given(labels, named, task)
    return say.with_labels(study.used(labels, named, task), study.shown(labels, named, task), len(named))


def sample_words(points: Sequence[Contrast], say: Say = ENGLISH) -> str:
    """Items and draws behind the points of a curve."""
    items, draws = sorted({one.n for one in points}), sorted({len(one.draws) for one in points})
    if len(items) == len(draws) == 1:
        return say("{sample}, at each size", sample=say.sample(items[0], draws[0]))
    spans = ["–".join(dict.fromkeys(str(end) for end in (found[0], found[-1]))) for found in (items, draws)]
    return say("n = {items} items × {draws} draws a size", items=spans[0], draws=spans[1])


def outcomes_words(count: int, sizes: Iterable[float], say: Say) -> str:
    """``2400 outcomes at 8 sizes``."""
    different = len(set(sizes))
    return say("{outcomes} at {sizes}", outcomes=say.counted("outcome", count), sizes=say.counted("size", different))


WITHOUT = {
    "no growth": "no growth shown",
    "no curve fits": "no rising curve fits",
    "not halfway": "halfway at no size measured",
}
"""Why there is no place at which a curve is halfway, as a template."""
