"""From which size on does chain of thought overtake answering at once?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

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
    given_words,
    method_words,
    sample_words,
)
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import Say


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
                partial(_sentence, study, curve), _short(study, curve), estimate=said,
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


def _sentence(study: Analysis, curve: GainCurve, say: Say) -> str:
    parts = _said(curve, say)
    parts[0] = say(
        "Crossover on {task}, {given}, {family}: {said}", task=say.named_task(curve.task),
        given=given_words(study, curve.labels, curve.sides, curve.task, say), family=family_words(curve, say),
        said=parts[0],
    )  # fmt: skip
    parts[-1] = say("{sentence} ({sample})", sentence=parts[-1], sample=sample_words(curve.points, say))
    return say.text(parts)


def _said(curve: GainCurve, say: Say) -> list[str]:
    """What is said of the crossover, a sentence each."""
    found, sizes = curve.crossover, curve.sizes
    sides = _sides(curve, say)
    if found.verdict == "from" and found.gap:
        low, high = found.gap
        win = say(
            "a win of {name} over {other} is shown only at the largest size, {high}, not at {low}{but}"
            if high == sizes[-1]
            else "a win of {name} over {other} is shown at every size measured from {high} on, not at {low}{but}",
            high=say.parameters(high), low=say.size(low), but=_before_shown(curve, high, say), **sides,
        )  # fmt: skip
        win = win if found.estimate is None else say("taken size by size, {said}", said=win)
        below = say("below {size}, it {said}", size=say.size(high), said=_by_verdict(curve, low, say))
        return [say.clauses([_meets(curve, say), win]), below]
    if found.verdict == "always":
        said = (
            "a win of {name} over {other} is shown at every size measured, from {first} on; a crossover, if there is"
            " one, lies below"
        )
        return [
            say(said, first=say.parameters(sizes[0]), **sides),
            say("it {said}", said=_by_verdict(curve, sizes[0], say)),
        ]
    does = _by_verdict(curve, sizes[-1], say)
    if found.verdict == "none":
        said = "{name} does not beat {other} at any size up to {last}: it {said}"
        return [say(said, last=say.parameters(sizes[-1]), said=does, **sides)]
    shown = say("from which size on {name} beats {other} is not shown: it {said}", said=does, **sides)
    return [say.clauses([_meets(curve, say), shown])]


def _sides(curve: GainCurve, say: Say) -> dict[str, str]:
    return {"name": method_words(curve.sides[0], say), "other": method_words(curve.sides[1], say)}


def _meets(curve: GainCurve, say: Say) -> str:
    """Where the fitted curves meet, or why that is not said; empty where no curves are fitted."""
    found = curve.crossover
    if found.notes:
        # reasons are told in English alone
        why = f"{'; '.join(found.notes)}, so " if say.language == "en" else ""
        return say("{why}where the two meet is not said", why=why)
    if found.interval is None:
        return ""
    if found.interval == (None, None):
        return say("where the fitted curves meet, these outcomes do not say")
    if found.estimate is None:
        return say("the fitted curves do not meet within the sizes")
    return say(
        "by the fitted curves {name} overtakes {other} at about {at} ({range})", at=say.parameters(found.estimate),
        range=say.size_range(found.interval), **_sides(curve, say),
    )  # fmt: skip


def _before_shown(curve: GainCurve, high: int, say: Say) -> str:
    """Why a win is shown only beyond the place where the curves meet; empty where it is shown right after it."""
    place = curve.crossover.estimate
    between = [one for one in curve.points if place is not None and place < one.params < high]
    if not between or any(one.verdict in ("wins", "loses") for one in between):
        return ""
    said = ": the lead that the curves have at {sizes} is too small to be shown there by itself"
    return say(said, sizes=_sizes(between, say))


def _sizes(points: Sequence[Contrast], say: Say) -> str:
    return say.listed([say.size(one.params) for one in points])


def _by_verdict(curve: GainCurve, up_to: int, say: Say) -> str:
    """What the comparisons say at the sizes up to one, verdict by verdict."""
    parts = []
    for verdict in _VERDICTS:
        points = [one for one in curve.points if one.params <= up_to and one.verdict == verdict]
        picked = verdict in ("wins", "loses")
        firm = [one for one in points if not picked or curve.settled(one)]
        loose = [one for one in points if picked and not curve.settled(one)]
        parts += [_does(curve, verdict, firm, say)] if firm else []
        if loose:
            does, said = _does(curve, verdict, loose, say), "{does}, but not after correcting for {count} sizes"
            parts.append(say(said, does=does, count=len(curve.points)))
    return say.clauses(parts)


def _does(curve: GainCurve, verdict: Verdict, points: Sequence[Contrast], say: Say) -> str:
    """``wins at 132 k (12.0 points, 95 % interval 3.1 to 20.4)``."""
    places = {"sizes": _sizes_with_gains(points, say), "other": method_words(curve.sides[1], say)}
    said = {
        "loses": say("is worse than {other} at {sizes}", **places),
        "equivalent": say("makes no difference beyond the margin at {sizes}", **places),
        "undecided": say("is undecided at {sizes}", **places),
        "wins": say("wins at {sizes}", **places),
    }
    return said[verdict]


def _sizes_with_gains(points: Sequence[Contrast], say: Say) -> str:
    if len(points) <= _ENOUGH_TO_LIST:
        return say.listed(
            [
                say(
                    "{size} ({points}, {range})", size=say.size(one.params), points=say.points(one.gap),
                    range=say.point_range(one.spread),
                )
                for one in points
            ]
        )  # fmt: skip
    gains = [one.gap for one in points]
    ends = [one.interval for one in points if one.interval is not None]
    hull = min(one[0] for one in ends), max(one[1] for one in ends)
    least, most = (words.number(100 * end) for end in hull)
    return say(
        "{sizes} ({low} to {high}; 95 % intervals within {least} to {most})", sizes=_sizes(points, say),
        low=words.number(100 * min(gains)), high=say.points(max(gains)), least=least, most=most,
    )  # fmt: skip


_ENOUGH_TO_LIST = 3


_VERDICTS: tuple[Verdict, ...] = ("loses", "equivalent", "undecided", "wins")
