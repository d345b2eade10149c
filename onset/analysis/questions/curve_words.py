"""A curve over size in words: its verdict, where it is halfway, where it leaves chance, and what was measured."""

from __future__ import annotations

from onset.analysis import words
from onset.analysis.curves.place import Place
from onset.analysis.emergence.verdict import MIN_SIZES, Emergence, curve_kind
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.questions import lines
from onset.analysis.questions.lines import Lines


def curve_sentence(curve: SizeCurve) -> str:
    """The verdict in words, or why there is none."""
    given = [] if curve.at.labels is None else [words.counted(curve.labels, "label")]
    given += [] if curve.shift == "none" else [f"shift {curve.shift}"]
    told = f" ({', '.join(given)})" if given else ""
    what = f"{curve.method} on {curve.task}{told}, family {curve.family}"
    what += "" if curve.stage == "base" else f", stage {curve.stage}"
    if curve.found is None:
        return f"{what}: {words.counted(curve.different, 'size')}, no curve, which takes {MIN_SIZES}."
    return f"{what}: {verdict_words(curve.found)}{halfway_words(curve.found)}{fit_words(curve)}."


_SAID = {
    "emergent": "accuracy emerges, staying at chance and then growing faster than any smooth curve",
    "smooth": "accuracy grows smoothly with size",
    "flat": "accuracy does not change with size beyond the margin",
    "inverse": "accuracy falls with size",
    "u-shaped": "accuracy falls with size and then rises",
}


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
    )


def verdict_words(found: Emergence) -> str:
    """What the verdict says of accuracy, with its test: the end of a sentence that begins with the method."""
    if found.verdict == "unresolved":
        why = found.notes[0] if found.notes else "no test decides"
        return f"not resolved: {why}"
    said = _SAID[found.verdict]
    if found.verdict == "emergent" and found.q_value is not None:
        said += f" (q = {words.p_words(found.q_value)})"
    return said


def halfway_words(found: Emergence) -> str:
    """Where the curve is halfway between its floor and its ceiling, with its interval, after a semicolon; or empty."""
    if found.midpoint is None:
        return ""
    curve, place = found.midpoint.curve, found.midpoint.profile.interval()
    ends = words.range_words((place.low, place.high), words.short_count)
    halfway = f"halfway between {words.percent(curve.floor)} and {words.percent(curve.ceiling)}"
    sizes = [point.x for point in found.curve.points]
    if place.estimate is not None:
        return f"; {halfway} at about {words.parameters(place.estimate)} ({ends})"
    if place.censored == "above":
        return f"; not yet halfway to its ceiling at the largest model ({words.parameters(max(sizes))}; {ends})"
    return f"; already past halfway at the smallest model ({words.parameters(min(sizes))}; {ends})"


def fit_words(curve: SizeCurve) -> str:
    """That no curve fits, and what was measured instead, after a semicolon; empty where one does."""
    if curve.found is None or curve.found.fit is None or curve.found.fit.drawn:
        return ""
    p = words.p_words(curve.found.fit.p_value)
    kind = curve_kind(curve.found.verdict)
    return f"; no {kind} fits (p = {p}), so no place on it is said: {measured_words(curve)}"


def measured_words(curve: SizeCurve) -> str:
    """``measured 17.0 % at 58 k, 25.0 % at 261 k and 92.0 % at 1.32 M``; of many sizes the ends."""
    rows = list(zip(curve.sizes, curve.correct, curve.n, strict=True))
    shown = rows if len(rows) <= _LISTED else [rows[0], rows[-1]]
    said = [f"{words.percent(right / n)} at {words.short_count(size)}" for size, right, n in shown]
    return f"measured {words.listed(said)}"


_LISTED = 8


def place_words(place: Place) -> str:
    """``between 58 k and 132 k parameters``, ``at about 84 k parameters (95 % interval ...)``, ``beyond 6.5 M``."""
    if place.censored == "gap" and place.low is not None and place.high is not None:
        return f"between {words.short_count(place.low)} and {words.parameters(place.high)}"
    ends = words.range_words((place.low, place.high), words.short_count)
    if place.estimate is not None:
        return f"at about {words.parameters(place.estimate)} ({ends})"
    return f"{'below' if place.censored == 'below' else 'beyond'} the sizes measured ({ends})"
