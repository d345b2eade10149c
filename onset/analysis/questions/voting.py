"""At which size does a vote over several samples add to a single one?"""

from __future__ import annotations

from collections.abc import Iterable

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.gains import GainCurve
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import (
    chosen,
    family_words,
    sample_words,
)


class Voting(Question):
    """Per task and family: at which size a vote adds most to a single sample, and what it adds at both ends."""

    kind = "voting"
    figure = "gains"
    unit = "points"
    verdicts = tones(
        {
            "helps": "for",
            "helps in between": "for",
            "hurts": "against",
            "equivalent": "level",
            "undecided": "open",
        }
    )
    about_size = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        curves = chosen(study.sizes.gains, "voting")
        for curve in sorted(curves, key=lambda curve: -(_most(curve).difference or 0.0)):
            top = _most(curve)
            wins = [
                words.short_count(point.params)
                for point in curve.points
                if point.verdict == "wins" and curve.settled(point)
            ]
            given = study.given(curve.labels, curve.sides, curve.task)
            text = f"Voting on {curve.task}, {given}, {family_words(curve)}: a gain of"
            text += f" {curve.sides[0]} over {curve.sides[1]} is shown at {words.listed(wins) if wins else 'no size'}."
            text += f" The largest is measured at {words.parameters(top.params)},"
            text += f" {words.points(top.gap)} ({words.point_range(top.spread)}; {_picked(curve, top)})"
            ends = [("smallest", curve.points[0]), ("largest", curve.points[-1])]
            said = [
                f"at the {end} size, {words.short_count(one.params)}, it is {words.points(one.gap)}"
                f" ({words.point_range(one.spread)}; {_verdict_words(one)})"
                for end, one in ends
                if one.params != top.params
            ]
            yield self.finding(
                f"{curve.task}, {curve.sides[0]} over {curve.sides[1]}, {family_words(curve)}",
                _verdict(curve, top), f"{text}; {'; '.join(said)} ({sample_words(curve.points)}).",
                lines.line(
                    f"voting.{_verdict(curve, top).removesuffix(' in between')}", study.named(curve.task),
                    other=lines.method(curve.sides[1]),
                    size=lines.size(top.params), points=lines.points(top.gap),
                    range=lines.share_range(top.spread),
                ),
                estimate=top.difference, interval=top.interval, n=top.n, test=top.test,
            )  # fmt: skip


def _most(curve: GainCurve) -> Contrast:
    return max(curve.points, key=lambda point: point.gap)


def _verdict(curve: GainCurve, top: Contrast) -> str:
    inside = curve.sizes[0] < top.params < curve.sizes[-1]
    shown = {point.verdict for point in curve.points if curve.settled(point)}
    if "wins" in shown:
        ends = {point.verdict for point in curve.points if point.params in (curve.sizes[0], curve.sizes[-1])}
        return "helps in between" if inside and ends == {"equivalent"} else "helps"
    level = all(point.verdict == "equivalent" for point in curve.points)
    return "hurts" if "loses" in shown else "equivalent" if level else "undecided"


def _picked(curve: GainCurve, point: Contrast) -> str:
    """The verdict of a point that was picked from all sizes."""
    if point.verdict in ("wins", "loses") and not curve.settled(point):
        return f"not settled after correcting for {len(curve.points)} sizes"
    return _verdict_words(point)


def _verdict_words(point: Contrast) -> str:
    named = {"wins": "a gain", "loses": "a loss", "equivalent": "equivalent within the margin"}
    return named.get(point.verdict, "undecided")
