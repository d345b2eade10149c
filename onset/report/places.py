"""What the sizes said of one method mean, each in a clause: they are places of different things on one axis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import number
from onset.report.figures.rows import budget_name

_AT = ("task", "shift", "stage")


def places_said(shown: Mapping[str, Any], where: Mapping[str, str], subject: str, say: Say) -> list[str]:
    """The places of the method that ``subject`` (of a finding) names first, the smallest first.

    ``shown``: what ``onset show --json`` prints; ``where``: the facets of the panel that shows the method. Places that
    are out of reach are not said. Empty where fewer than two are, which need not be told apart.
    """
    names = re.split(", | over ", subject)
    curves = [one for one in shown["curves"] if one["emergence"] and _is_at(one, where) and one["method"] in names]
    if not curves:
        return []
    curve = min(curves, key=lambda one: names.index(one["method"]))
    gains = [
        one
        for one in shown["gains"]
        if one["kind"] == "chain of thought" and _is_at(one, where) and one["sides"][0] == curve["method"]
    ]
    found = [*_of_curve(curve, say), *(place for one in gains for place in _of_gain(one, say))]
    return [said for _, said in sorted(found)] if len(found) > 1 else []


def _is_at(one: Mapping[str, Any], where: Mapping[str, str]) -> bool:
    return all(one[name] == where.get(name) for name in _AT) and budget_name(one["labels"]) == where.get("labels")


def _of_curve(curve: Mapping[str, Any], say: Say) -> Iterator[tuple[float, str]]:
    """(size, clause): where the curve leaves chance, and where it is halfway."""
    method, found = say.method(curve["method"]), curve["emergence"]
    held, middle = found["threshold"], found["threshold"]["midpoint"]
    if held["estimate"] is not None and held["above_chance"] is not None:
        above = 100 * held["above_chance"]
        yield held["estimate"], say(
            "{at}: {method} appears: its curve stands {points} points above chance (dotted; shaded: 95 % interval)"
            if found["verdict"] == "emergent"
            else "{at}: {method} leaves chance: its curve stands {points} points above it (dotted; shaded: 95 %"
            " interval)",
            at=_at(held, say), method=method, points=number(above, 0 if round(above, 1) % 1 == 0 else 1),
        )  # fmt: skip
    if middle is not None and middle["estimate"] is not None:
        said = "{at}: {method} is halfway: its curve is midway between its floor and its ceiling"
        yield middle["estimate"], say(said, at=_at(middle, say), method=method)


def _of_gain(gain: Mapping[str, Any], say: Say) -> Iterator[tuple[float, str]]:
    """(size, clause): where it overtakes the other method, and from where on that is shown."""
    found, (method, other) = gain["crossover"], map(say.method, gain["sides"])
    if found["estimate"] is not None and found["verdict"] in ("from", "unresolved"):
        said = "{at}: {method} overtakes {other}: the two fitted curves meet"
        yield found["estimate"], say(said, at=say.size(found["estimate"]), method=method, other=other)
    if found["shown_from"] is not None and found["verdict"] == "from":
        said = (
            "{at}: {method} is shown to beat {other}: the smallest size measured from which on it wins at every size,"
            " item by item"
        )
        yield found["shown_from"], say(said, at=say.size(found["shown_from"]), method=method, other=other)


def _at(place: Mapping[str, Any], say: Say) -> str:
    """The size; both ends where it may be anywhere between them."""
    if place["censored"] == "gap" and place["low"] and place["high"]:
        return say("{low} to {high}", low=say.size(place["low"]), high=say.size(place["high"]))
    return say.size(place["estimate"])
