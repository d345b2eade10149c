"""Does chain of thought emerge with size?

Whether an ability emerges is the verdict on its curve (`onset.analysis.emergence.verdict`) and nothing else; paired
gains over answer-only and the steepest rise stand beside it as evidence.
"""

from __future__ import annotations

from collections.abc import Iterable

from onset.analysis import words
from onset.analysis.emergence.verdict import MIN_SIZES, Emergence
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.gains import GainCurve, Rise
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.finding import LOW_PARSE_RATE, Finding
from onset.analysis.questions.base import CURVE_VERDICTS, Question
from onset.analysis.questions.curve_words import curve_line, fit_words, halfway_words, place_words
from onset.analysis.questions.gain_words import (
    chosen,
    family_words,
    method_words,
    sample_words,
    size_curve_of,
)


class Emerges(Question):
    """Per task and family: the verdict on the curve of chain of thought; clear cases first."""

    kind = "emergence"
    figure = "size"
    unit = "parameters"
    verdicts = CURVE_VERDICTS
    about_size = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        order = ("emergent", "smooth", "inverse", "u-shaped", "flat", "unresolved")
        made = [
            (fitted, curve)
            for curve in chosen(study.sizes.gains, "chain of thought")
            if (fitted := size_curve_of(study, curve, curve.sides[0])) is not None and fitted.found is not None
        ]
        made.sort(
            key=lambda pair: (order.index(_verdict(pair[0])), -(pair[0].found.rise or 0.0 if pair[0].found else 0.0))
        )
        for fitted, curve in made:
            yield self._finding(study, curve, fitted)

    def _finding(self, study: Analysis, curve: GainCurve, fitted: SizeCurve) -> Finding:
        found = fitted.found
        assert found is not None  # chosen for having a verdict
        name, family = method_words(curve.sides[0]), family_words(curve)
        given = study.given(curve.labels, curve.sides, curve.task)
        text = f"On {curve.task} {given}, {family}, {_grows(found, name)}"
        place = found.threshold.place
        if place.estimate is not None or place.low is not None or place.high is not None:
            text += f". It leaves chance {place_words(place)}"
        text += f"{halfway_words(found)}{fit_words(fitted)}"
        split = _split(curve, place.estimate)
        text += f". {_around(curve, split)}" if split else ""
        # of what falls with size the largest rise says nothing
        text += "" if found.verdict == "inverse" else f". {_rises(curve)}"
        text += f" ({sample_words(curve.points)}).{_format_caution(study, curve, found, split)}"
        return self.finding(
            f"{curve.task}, {curve.sides[0]}, {family}", found.verdict, text,
            curve_line(fitted, study.named(curve.task)), estimate=place.estimate,
            interval=None if place.estimate is None else (place.low, place.high),
            n=max(point.n for point in curve.points),
            test="bootstrap against the best smooth curve; threshold: profile likelihood; paired differences",
        )  # fmt: skip


def _verdict(fitted: SizeCurve) -> str:
    return "unresolved" if fitted.found is None else fitted.found.verdict


def tasks_said(study: Analysis) -> set[str]:
    """The tasks of which this question speaks."""
    return {
        one.task
        for one in study.sizes.gains
        if one.kind == "chain of thought" and one.shift == "none" and len(one.sizes) >= MIN_SIZES
    }


def _grows(found: Emergence, name: str) -> str:
    """The verdict as a clause about the method."""
    p = "" if found.q_value is None else f" (q = {words.p_words(found.q_value)} against smooth growth)"
    if found.verdict == "emergent":
        return f"{name} emerges: it stays at chance and then grows faster than any smooth curve{p}"
    if found.verdict == "smooth":
        return f"{name} grows smoothly with size{p}"
    if found.verdict == "unresolved":
        why = f": {found.notes[0]}" if found.notes else ""
        if found.q_value is None:
            return f"{name} is not shown to change with size{why}"
        return f"{name} grows with size, and whether smoothly or by emerging is not resolved{why}"
    said = {
        "flat": "does not change with size beyond the margin",
        "inverse": "falls with size",
        "u-shaped": "falls with size and then rises",
    }
    return f"{name} {said[found.verdict]}"


def _split(curve: GainCurve, threshold: float | None) -> tuple[int, int] | None:
    """The two neighbouring sizes between which the curve leaves chance; None where it does so at none."""
    below = [size for size in curve.sizes if threshold is not None and size < threshold]
    above = [size for size in curve.sizes if threshold is not None and size >= threshold]
    return (below[-1], above[0]) if below and above else None


def _format_caution(study: Analysis, curve: GainCurve, found: Emergence, split: tuple[int, int] | None) -> str:
    """An answer that is learnt to be written down looks like one that is learnt to be found."""
    if found.verdict != "emergent" or split is None:
        return ""
    place = (curve.task, curve.sides[0], curve.labels, curve.shift, curve.stage, curve.family)
    below = [
        words.short_count(arm.params)
        for arm in sorted(study.arms, key=lambda arm: arm.params)
        if (arm.task, arm.method, arm.labels, arm.shift, arm.stage, arm.family) == place
        and arm.params <= split[0]
        and arm.readable < LOW_PARSE_RATE
    ]
    if not below:
        return ""
    share = words.number(100 * LOW_PARSE_RATE, 0)
    return (
        f" At {words.listed(below)} fewer than {share} % of its outputs held a readable answer, so part of what"
        " emerges may be the format."
    )


def _around(curve: GainCurve, split: tuple[int, int]) -> str:
    """The gain over the other method on both sides of the threshold."""
    low, high = split
    below = max((point for point in curve.points if point.params <= low), key=lambda point: point.gap)
    above = min((point for point in curve.points if point.params >= high), key=lambda point: point.gap)
    one_below = sum(point.params <= low for point in curve.points) == 1
    one_above = sum(point.params >= high for point in curve.points) == 1
    before = f"{'' if one_below else 'at most '}{words.points(below.gap)}"
    after = f"{'' if one_above else 'at least '}{words.points(above.gap)}"
    there = "" if one_above else f"least at {words.short_count(above.params)}; "
    return (
        f"Its gain over {method_words(curve.sides[1])} is measured as {before}"
        f" {'at' if one_below else 'up to'} {words.short_count(low)} ({words.point_range(below.spread)}), and as"
        f" {after} {'at' if one_above else 'from'} {words.short_count(high)}{'' if one_above else ' on'}"
        f" ({there}{words.point_range(above.spread)})"
    )


def _rises(curve: GainCurve) -> str:
    if curve.rises is None:
        return "Neighbouring sizes cannot be compared"
    chain, direct = curve.rises
    text = f"The largest rise measured between neighbouring sizes is {_rise(chain)}"
    own = curve.own_rise
    if own is not None:
        more = (own.gap) >= 0
        shown = own if more else own.turned()
        text += f", {words.points(shown.gap)} {'more' if more else 'less'} than"
        text += f" {method_words(direct.step.method)} over the same step ({words.point_range(shown.spread)})"
    text += f"; that of {method_words(direct.step.method)} is {_rise(direct)}"
    return text + (f"; the intervals allow for {chain.steps} steps" if chain.steps > 1 else "")


def _rise(rise: Rise) -> str:
    span = f"from {words.short_count(rise.step.minus.params or 0)} to {words.short_count(rise.step.plus.params or 0)}"
    return f"{words.points(rise.step.gap)} ({span}; {words.point_range(rise.step.spread)})"
