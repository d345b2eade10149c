"""Does chain of thought emerge with size?

Whether an ability emerges is the verdict on its curve (`onset.analysis.emergence.verdict`) and nothing else; paired
gains over answer-only and the steepest rise stand beside it as evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

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
    given_words,
    method_words,
    sample_words,
    size_curve_of,
)
from onset.analysis.questions.say import Say


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
        place = found.threshold.place
        return self.finding(
            f"{curve.task}, {curve.sides[0]}, {family_words(curve)}", found.verdict,
            partial(_sentence, study, curve, fitted, found),
            curve_line(fitted, study.named(curve.task)), estimate=place.estimate,
            interval=None if place.estimate is None else (place.low, place.high),
            n=max(point.n for point in curve.points),
            test="bootstrap against the best smooth curve; threshold: profile likelihood; paired differences",
        )  # fmt: skip


def _sentence(study: Analysis, curve: GainCurve, fitted: SizeCurve, found: Emergence, say: Say) -> str:
    name, place = method_words(curve.sides[0], say), found.threshold.place
    grows = say(
        "on {task} {given}, {family}, {grows}", task=say.named_task(curve.task), family=family_words(curve, say),
        given=given_words(study, curve.labels, curve.sides, curve.task, say), grows=_grows(found, name, say),
    )  # fmt: skip
    more = f"{halfway_words(found, say)}{fit_words(fitted, say)}"
    parts = [grows]
    if place.estimate is not None or place.low is not None or place.high is not None:
        parts.append(say("it leaves chance {place}", place=place_words(place, say)))
    parts[-1] += more
    split = _split(curve, place.estimate)
    parts += [_around(curve, split, say)] if split else []
    # of what falls with size the largest rise says nothing
    parts += [] if found.verdict == "inverse" else [_rises(curve, say)]
    parts[-1] = say("{sentence} ({sample})", sentence=parts[-1], sample=sample_words(curve.points, say))
    return say.text([*parts, _format_caution(study, curve, found, split, say)])


def _verdict(fitted: SizeCurve) -> str:
    return "unresolved" if fitted.found is None else fitted.found.verdict


def tasks_said(study: Analysis) -> set[str]:
    """The tasks of which this question speaks."""
    return {
        one.task
        for one in study.sizes.gains
        if one.kind == "chain of thought" and one.shift == "none" and len(one.sizes) >= MIN_SIZES
    }


def _grows(found: Emergence, name: str, say: Say) -> str:
    """The verdict as a clause about the method."""
    if found.verdict in ("emergent", "smooth"):
        p = None if found.q_value is None else words.p_words(found.q_value)
        q = "" if p is None else say(" (q = {p} against smooth growth)", p=say(p) if p == "below 0.001" else p)
        if found.verdict == "smooth":
            return say("{name} grows smoothly with size{q}", name=name, q=q)
        return say("{name} emerges: it stays at chance and then grows faster than any smooth curve{q}", name=name, q=q)
    if found.verdict == "unresolved":
        why = say.why(found.notes)
        if found.q_value is None:
            return say("{name} is not shown to change with size{why}", name=name, why=why)
        return say(
            "{name} grows with size, and whether smoothly or by emerging is not resolved{why}", name=name, why=why
        )
    said = {
        "flat": say("{name} does not change with size beyond the margin", name=name),
        "inverse": say("{name} falls with size", name=name),
        "u-shaped": say("{name} falls with size and then rises", name=name),
    }
    return said[found.verdict]


def _split(curve: GainCurve, threshold: float | None) -> tuple[int, int] | None:
    """The two neighbouring sizes between which the curve leaves chance; None where it does so at none."""
    below = [size for size in curve.sizes if threshold is not None and size < threshold]
    above = [size for size in curve.sizes if threshold is not None and size >= threshold]
    return (below[-1], above[0]) if below and above else None


def _format_caution(
    study: Analysis, curve: GainCurve, found: Emergence, split: tuple[int, int] | None, say: Say
) -> str:
    """An answer that is learnt to be written down looks like one that is learnt to be found."""
    if found.verdict != "emergent" or split is None:
        return ""
    place = (curve.task, curve.sides[0], curve.labels, curve.shift, curve.stage, curve.family)
    below = [
        say.size(arm.params)
        for arm in sorted(study.arms, key=lambda arm: arm.params)
        if (arm.task, arm.method, arm.labels, arm.shift, arm.stage, arm.family) == place
        and arm.params <= split[0]
        and arm.readable < LOW_PARSE_RATE
    ]
    if not below:
        return ""
    return say(
        "at {sizes} fewer than {share} % of its outputs held a readable answer, so part of what emerges may be the"
        " format",
        sizes=say.listed(below), share=words.number(100 * LOW_PARSE_RATE, 0),
    )  # fmt: skip


def _around(curve: GainCurve, split: tuple[int, int], say: Say) -> str:
    """The gain over the other method on both sides of the threshold."""
    low, high = split
    below = max((point for point in curve.points if point.params <= low), key=lambda point: point.gap)
    above = min((point for point in curve.points if point.params >= high), key=lambda point: point.gap)
    one_below = sum(point.params <= low for point in curve.points) == 1
    one_above = sum(point.params >= high for point in curve.points) == 1
    before = say(
        "{gain} at {size} ({range})" if one_below else "at most {gain} up to {size} ({range})",
        gain=say.points(below.gap), size=say.size(low), range=say.point_range(below.spread),
    )  # fmt: skip
    after = say(
        "{gain} at {size} ({range})" if one_above else "at least {gain} from {size} on (least at {least}; {range})",
        gain=say.points(above.gap), size=say.size(high), least=say.size(above.params),
        range=say.point_range(above.spread),
    )  # fmt: skip
    said = "its gain over {other} is measured as {before}, and as {after}"
    return say(said, other=method_words(curve.sides[1], say), before=before, after=after)


def _rises(curve: GainCurve, say: Say) -> str:
    if curve.rises is None:
        return say("neighbouring sizes cannot be compared")
    chain, direct = curve.rises
    other = method_words(direct.step.method, say)
    text = say("the largest rise measured between neighbouring sizes is {rise}", rise=_rise(chain, say))
    if curve.own_rise is not None:
        more = curve.own_rise.gap >= 0
        own = curve.own_rise if more else curve.own_rise.turned()
        text += say(
            ", {points} more than {other} over the same step ({range})"
            if more
            else ", {points} less than {other} over the same step ({range})",
            points=say.points(own.gap), other=other, range=say.point_range(own.spread),
        )  # fmt: skip
    parts = [text, say("that of {other} is {rise}", other=other, rise=_rise(direct, say))]
    parts += [say("the intervals allow for {count} steps", count=chain.steps)] if chain.steps > 1 else []
    return say.clauses(parts)


def _rise(rise: Rise, say: Say) -> str:
    low, high = (say.size(end.params or 0) for end in (rise.step.minus, rise.step.plus))
    said = "{points} (from {low} to {high}; {range})"
    gap, spread = say.points(rise.step.gap), say.point_range(rise.step.spread)
    return say(said, points=gap, low=low, high=high, range=spread)
