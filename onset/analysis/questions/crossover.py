"""From which size on does chain of thought overtake answering at once?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.contrast.parts import Verdict
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.estimates.gains import GainCurve
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.gain_words import (
    chosen,
    family_words,
    method_words,
    sample_words,
    size_range,
)
from onset.analysis.questions.lines import Lines


class Overtakes(Question):
    """Per task and family: from which size on chain of thought wins, and what it does below."""

    kind = "crossover"
    figure = "gains"
    unit = "parameters"
    verdicts = tones({"from": "for", "always": "for", "none": "level", "unresolved": "open"})
    about_size = True

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        order = {"from": 0, "always": 1, "none": 1, "unresolved": 2}

        def rank(curve: GainCurve) -> tuple[int, float]:
            # a loss at a small size says most about what happens below
            worst = min((point.gap for point in curve.points if point.verdict == "loses"), default=0.0)
            return order[curve.crossover.verdict], worst

        for curve in sorted(chosen(study.sizes.gains, "chain of thought"), key=rank):
            found = curve.crossover
            test = "paired comparisons at each size"
            test += "; place: both fitted curves, profile likelihood" if found.interval is not None else ""
            said = None if found.verdict == "none" else found.estimate
            yield self.finding(
                f"{curve.task}, {curve.sides[0]} over {curve.sides[1]}, {family_words(curve)}", found.verdict,
                f"{_said(study, curve)} ({sample_words(curve.points)}).", _short(study, curve), estimate=said,
                interval=None if said is None else found.interval, n=max(point.n for point in curve.points), test=test,
            )  # fmt: skip


def _short(study: Analysis, curve: GainCurve) -> Lines:
    found = curve.crossover
    meets = found.verdict in ("from", "unresolved") and found.estimate is not None
    return lines.line(
        f"crossover.{found.verdict}{'.at' if meets else ''}",
        study.named(curve.task),
        method=lines.method(curve.sides[0]),
        other=lines.method(curve.sides[1]),
        at=lines.size(found.estimate or 0),
        range=lines.size_range(found.interval),
        shown=lines.size(found.shown_from or 0),
        below=lines.size(found.gap[0] if found.gap else 0),
        first=lines.size(curve.sizes[0]),
        last=lines.size(curve.sizes[-1]),
    )


def _said(study: Analysis, curve: GainCurve) -> str:
    found, sizes = curve.crossover, curve.sizes
    name, other = method_words(curve.sides[0]), method_words(curve.sides[1])
    given = study.given(curve.labels, curve.sides, curve.task)
    text = f"Crossover on {curve.task}, {given}, {family_words(curve)}: "
    if found.verdict == "from" and found.gap:
        low, high = found.gap
        shown = "only at the largest size," if high == sizes[-1] else "at every size measured from"
        alone = "taken size by size, " if found.estimate is not None else ""
        text += f"{_meets(curve)}{alone}a win of {name} over {other} is shown {shown} {words.parameters(high)}"
        text += f"{'' if high == sizes[-1] else ' on'}, not at {words.short_count(low)}{_before_shown(curve, high)}."
        text += f" Below {words.short_count(high)}, it {_by_verdict(curve, low)}"
    elif found.verdict == "always":
        text += f"a win of {name} over {other} is shown at every size measured, from {words.parameters(sizes[0])} on"
        text += f"; a crossover, if there is one, lies below. It {_by_verdict(curve, sizes[0])}"
    elif found.verdict == "none":
        text += f"{name} does not beat {other} at any size up to {words.parameters(sizes[-1])}: it"
        text += f" {_by_verdict(curve, sizes[-1])}"
    else:
        text += f"{_meets(curve)}from which size on {name} beats {other} is not shown: it"
        text += f" {_by_verdict(curve, sizes[-1])}"
    return text


def _meets(curve: GainCurve) -> str:
    """Where the fitted curves meet, or why that is not said, before a semicolon."""
    found = curve.crossover
    name, other = method_words(curve.sides[0]), method_words(curve.sides[1])
    if found.notes:
        return f"{'; '.join(found.notes)}, so where the two meet is not said; "
    if found.interval is None:
        return ""
    if found.estimate is None:
        return "the fitted curves do not meet within the sizes; "
    spread = size_range(found.interval)
    return f"by the fitted curves {name} overtakes {other} at about {words.parameters(found.estimate)} ({spread}); "


def _before_shown(curve: GainCurve, high: int) -> str:
    """Why a win is shown only beyond the place where the curves meet; empty where it is shown right after it."""
    place = curve.crossover.estimate
    between = [one for one in curve.points if place is not None and place < one.params < high]
    if not between or any(one.verdict in ("wins", "loses") for one in between):
        return ""
    return f": the lead that the curves have at {_sizes(between)} is too small to be shown there by itself"


def _sizes(points: Sequence[Contrast]) -> str:
    return words.listed([words.short_count(one.params) for one in points])


def _by_verdict(curve: GainCurve, up_to: int) -> str:
    """What the comparisons say at the sizes up to one, verdict by verdict."""
    verbs = {
        "loses": f"is worse than {method_words(curve.sides[1])} at",
        "equivalent": "makes no difference beyond the margin at",
        "undecided": "is undecided at",
        "wins": "wins at",
    }
    parts = []
    for verdict in _VERDICTS:
        points = [one for one in curve.points if one.params <= up_to and one.verdict == verdict]
        picked = verdict in ("wins", "loses")
        firm = [one for one in points if not picked or curve.settled(one)]
        loose = [one for one in points if picked and not curve.settled(one)]
        parts += [f"{verbs[verdict]} {_sizes_with_gains(firm)}"] if firm else []
        if loose:
            unless = f"but not after correcting for {len(curve.points)} sizes"
            parts.append(f"{verbs[verdict]} {_sizes_with_gains(loose)}, {unless}")
    return "; ".join(parts)


def _sizes_with_gains(points: Sequence[Contrast]) -> str:
    if len(points) <= _ENOUGH_TO_LIST:
        return words.listed(
            [
                f"{words.short_count(one.params)} ({words.points(one.gap)}, {words.point_range(one.spread)})"
                for one in points
            ]
        )
    gains = [one.gap for one in points]
    ends = [one.interval for one in points if one.interval is not None]
    hull = min(one[0] for one in ends), max(one[1] for one in ends)
    sizes = _sizes(points)
    span = f"{words.number(100 * min(gains))} to {words.points(max(gains))}"
    return f"{sizes} ({span}; 95 % intervals within {words.number(100 * hull[0])} to {words.number(100 * hull[1])})"


_ENOUGH_TO_LIST = 3


_VERDICTS: tuple[Verdict, ...] = ("loses", "equivalent", "undecided", "wins")
