"""A curve over size in words: its verdict, where it is halfway, where it leaves chance, and what was measured."""

from __future__ import annotations

from onset.analysis import words
from onset.analysis.curves.place import Place
from onset.analysis.emergence.verdict import MIN_SIZES, Emergence, curve_kind
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.questions import lines
from onset.analysis.questions.lines import Lines
from onset.analysis.questions.say import ENGLISH, Say


def curve_sentence(curve: SizeCurve, say: Say = ENGLISH) -> str:
    """The verdict in a sentence, or why there is none."""
    return say.stopped(curve_in_words(curve, say))


def curve_in_words(curve: SizeCurve, say: Say) -> str:
    """The verdict, or why there is none, without a stop."""
    given = [] if curve.at.labels is None else [say.counted("label", curve.labels)]
    given += [] if curve.shift == "none" else [say("shift {shift}", shift=say.shift(curve.shift))]
    what = say(
        "{method} on {task}{told}, {family}", method=say.named(curve.method), task=say.named_task(curve.task),
        told=say(" ({why})", why=say.parted(given)) if given else "",
        family=say("family {family}", family=str(curve.family))
        if curve.stage == "base"
        else say("family {family}, stage {stage}", family=str(curve.family), stage=say.stage(curve.stage)),
    )  # fmt: skip
    if curve.found is None:
        sizes = say.counted("size", curve.different)
        return say("{where}: {sizes}, no curve, which takes {least}", where=what, sizes=sizes, least=MIN_SIZES)
    said = f"{verdict_words(curve.found, say)}{halfway_words(curve.found, say)}{fit_words(curve, say)}"
    return say("{where}: {said}", where=what, said=said)


def curve_line(curve: SizeCurve, of: str | None, *, bare: bool = False) -> Lines:
    """The verdict in a short line, with the size at which the curve leaves chance or is halfway.

    ``bare``: said of accuracy, where there is but one way of asking.
    """
    found = curve.found
    assert found is not None  # a question speaks of curves that were judged
    place, form = Place(), ""
    if found.verdict == "emergent":
        place = found.threshold.place
        form = ".gap" if place.censored == "gap" else ".at" if place.estimate is not None else ""
    elif found.verdict == "smooth" and found.midpoint is not None:
        place = found.midpoint.profile.interval()
        form = ".at" if place.estimate is not None else ""
    elif found.verdict == "unresolved" and found.q_value is not None:
        form = ".grows"
    elif found.verdict == "unresolved" and found.fit is not None and not found.fit.drawn:
        form = ".no fit"
    ends = sorted(zip(curve.sizes, curve.correct, curve.n, strict=True))
    return lines.line(
        f"curve.{found.verdict}{form}",
        of,
        method=lines.accuracy if bare else lines.method(curve.method),
        at=lines.size(place.estimate or 0.0),
        low=lines.size(place.low or 0.0),
        high=lines.size(place.high or 0.0),
        range=lines.place_range(place),
        first=lines.size(min(curve.sizes)),
        last=lines.size(max(curve.sizes)),
        start=words.percent(ends[0][1] / ends[0][2]),
        end=words.percent(ends[-1][1] / ends[-1][2]),
    )


def verdict_words(found: Emergence, say: Say = ENGLISH) -> str:
    """What the verdict says of accuracy, with its test: the end of a sentence that begins with the method."""
    if found.verdict == "unresolved":
        return say("not resolved{why}", why=say.why(found.notes) if found.notes else say(": no test decides"))
    said = {
        "emergent": say("accuracy emerges, staying at chance and then growing faster than any smooth curve"),
        "smooth": say("accuracy grows smoothly with size"),
        "flat": say("accuracy does not change with size beyond the margin"),
        "inverse": say("accuracy falls with size"),
        "u-shaped": say("accuracy falls with size and then rises"),
    }[found.verdict]
    if found.verdict == "emergent" and found.q_value is not None:
        p = words.p_words(found.q_value)
        said += say(" (q = {p})", p=say(p) if p == "below 0.001" else p)
    return said


def halfway_words(found: Emergence, say: Say = ENGLISH) -> str:
    """Where the curve is halfway between its floor and its ceiling, with its interval, after a semicolon; or empty."""
    if found.midpoint is None:
        return ""
    curve, place = found.midpoint.curve, found.midpoint.profile.interval()
    ends = say.size_range((place.low, place.high))
    places = {"floor": words.percent(curve.floor), "ceiling": words.percent(curve.ceiling), "range": ends}
    sizes = [point.x for point in found.curve.points]
    if place.estimate is not None:
        said = "; halfway between {floor} and {ceiling} at about {at} ({range})"
        return say(said, at=say.parameters(place.estimate), **places)
    if place.censored == "above":
        said = "; not yet halfway to its ceiling at the largest model ({at}; {range})"
        return say(said, at=say.parameters(max(sizes)), range=ends)
    said = "; already past halfway at the smallest model ({at}; {range})"
    return say(said, at=say.parameters(min(sizes)), range=ends)


def fit_words(curve: SizeCurve, say: Say = ENGLISH) -> str:
    """That no curve fits, and what was measured instead, after a semicolon; empty where one does."""
    if curve.found is None or curve.found.fit is None or curve.found.fit.drawn:
        return ""
    p = words.p_words(curve.found.fit.p_value)
    kind = curve_kind(curve.found.verdict)
    said = "; no {kind} fits (p = {p}), so no place on it is said: {measured}"
    return say(said, kind=say(kind), p=say(p) if p == "below 0.001" else p, measured=measured_words(curve, say))


def measured_words(curve: SizeCurve, say: Say = ENGLISH) -> str:
    """``measured 17.0 % at 58 k, 25.0 % at 261 k and 92.0 % at 1.32 M``; of many sizes the ends."""
    rows = list(zip(curve.sizes, curve.correct, curve.n, strict=True))
    shown = rows if len(rows) <= _LISTED else [rows[0], rows[-1]]
    said = [say("{share} at {size}", share=words.percent(right / n), size=say.size(size)) for size, right, n in shown]
    return say("measured {points}", points=say.listed(said))


_LISTED = 8


def place_words(place: Place, say: Say = ENGLISH) -> str:
    """``between 58 k and 132 k parameters``, ``at about 84 k parameters (95 % interval ...)``, ``beyond 6.5 M``."""
    if place.censored == "gap" and place.low is not None and place.high is not None:
        return say("between {low} and {high}", low=say.size(place.low), high=say.parameters(place.high))
    ends = say.size_range((place.low, place.high))
    if place.estimate is not None:
        return say("at about {at} ({range})", at=say.parameters(place.estimate), range=ends)
    if place.censored == "below":
        return say("below the sizes measured ({range})", range=ends)
    return say("beyond the sizes measured ({range})", range=ends)
