"""Numbers in the words of tables and figures, with a dash for what was not measured."""

from __future__ import annotations

import re
from collections.abc import Sequence

from onset.analysis.curves.place import Place
from onset.analysis.curves.series import Scale
from onset.analysis.words import bound, number, on_scale, percent, short_count

DASH = "–"


def share(value: float | None) -> str:
    """An accuracy: ``62.5 %``."""
    return DASH if value is None else percent(value)


def signed(value: float | None) -> str:
    """A difference in points, with its sign: ``+3.1``."""
    return DASH if value is None else ("+" if value > 0 else "") + number(100 * value)


def shares(interval: Sequence[float] | None) -> str:
    """An interval of shares in per cent: ``57.5 to 67.2``."""
    return DASH if interval is None else f"{number(100 * interval[0])} to {number(100 * interval[1])}"


def between(interval: Sequence[float]) -> str:
    """An interval of differences in points: ``4.0 to 21.0``."""
    return f"{bound(interval[0])} to {bound(interval[1])}"


def p_value(value: float | None) -> str:
    """``0.021``, ``<0.001``."""
    return DASH if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def count(value: float | None) -> str:
    """``135 M``."""
    return DASH if value is None else short_count(value)


def size(value: float | None) -> str:
    """Bytes: ``8.3 kB``, ``412 MB``, ``1.24 GB``."""
    if value is None:
        return DASH
    for unit, of in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= 0.9995 * of:
            return f"{float(f'{value / of:.3g}'):g} {unit}"
    return f"{value:.0f} B"


def flops(value: float | None) -> str:
    """``9.3e08``."""
    return f"{value:.1e}".replace("e+", "e") if value else DASH


def place_words(place: Place, scale: Scale) -> str:
    """``8.4 B (2.1 B to 27 B)``; open ends and gaps in words."""

    def size(value: float) -> str:
        return on_scale(value, scale, bare=True)

    if place.censored == "gap" and place.low and place.high:
        return f"between {size(place.low)} and {size(place.high)}"
    if place.estimate is None and place.low is None and place.high is None:
        return f"not in range ({place.censored})" if place.censored else DASH
    low, high = None if place.low is None else size(place.low), None if place.high is None else size(place.high)
    more, less = ("<", ">") if scale == "loss" else (">", "<")
    if place.estimate is None:
        side = f"{more} {low}" if high is None and low else f"{less} {high}" if high else ""
        return f"not in range ({side})" if side else DASH
    ends = f"{low} to {high}" if low and high else f"{more} {low}" if low else f"{less} {high}" if high else "unbounded"
    return f"{size(place.estimate)} ({ends})"


def lead(text: str) -> tuple[str, str]:
    """The first sentence, which a first-time reader must understand, and the rest (may be empty)."""
    first, *rest = re.split("(?<=\u3002)", text, maxsplit=1)
    if rest:
        return first, rest[0]
    first, stop, behind = text.partition(". ")
    return (f"{first}.", behind) if stop and behind[:1].isupper() else (text, "")


def sentences(text: str) -> list[str]:
    """The sentences of a text one by one."""
    return [one for one in re.split("(?<=\\.) (?=[A-Z0-9])|(?<=\u3002)", text) if one]


def whole(text: str) -> str:
    """The text with numbers kept on one line with their percent signs and their k, M, B or T."""
    text = re.sub(r"(?<=\d) (?=(?:%|[kMBT]\b))", "\N{NO-BREAK SPACE}", text)
    return text.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
