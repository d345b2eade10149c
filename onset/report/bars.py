"""Small pictures in the text: an estimate with its interval, as inline SVG that says its numbers when pointed at.

A picture that is ``scaled`` has the ends and the middle of its axis written below, for a reader who sees it alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onset.analysis.questions.say import ENGLISH, Say
from onset.analysis.words import MINUS, number, percent, ratio
from onset.report.words import signed

_Ticks = Sequence[tuple[float, str]]
"""(place on the picture, what is written there), from left to right."""


def reach_of_bars(rows: Sequence[Mapping[str, Any]], *, fitting: float = 1.0) -> float:
    """Half the width of a difference scale: every estimate fits, and the share ``fitting`` of the intervals.

    In a long table a single very wide interval (two draws of examples) would shrink all others to a dot.
    """
    ends = sorted(max(abs(end) for end in one["interval"]) for one in rows if one["interval"])
    values = [abs(one.get("difference", one.get("estimate")) or 0.0) for one in rows]
    widest: float = max([ends[int(fitting * (len(ends) - 1))] if ends else 0.0, *values, 0.05])
    return min(1.0, math.ceil(widest * 20 + 0.2) / 20)


def difference_bar(
    value: float | None,
    interval: Sequence[float] | None,
    reach: float,
    tone: str,
    *,
    say: Say = ENGLISH,
    name: str = "",
    width: int = 160,
    scaled: bool = False,
) -> Markup:
    """A difference (0 in the middle, ``reach`` at both ends) with its interval; ``name``: what it is of."""
    if value is None or interval is None:
        return Markup('<span class="nothing">–</span>')
    said = say.parted([f"{signed(value)} {_unit(say)}".strip(), say.point_range((interval[0], interval[1]))])
    words = say("{name}: {said}", name=name or say("difference"), said=said)
    most = f"{100 * reach:.0f}"
    ticks = [(2.0, f"{MINUS}{most}"), (width / 2, "0"), (width - 2.0, f"+{most}")] if scaled else []
    return _around_middle(words, tone, width, value / reach, (interval[0] / reach, interval[1] / reach), ticks)


def _unit(say: Say) -> str:
    """Of a difference: ``points``."""
    return say.points(0.02).partition(" ")[2]


def share_bar(
    value: float,
    interval: Sequence[float],
    chance: float | None,
    colour: str = "currentColor",
    *,
    say: Say = ENGLISH,
    width: int = 110,
    scaled: bool = False,
) -> Markup:
    """An accuracy on 0..1 with its interval and the chance level."""
    low, high = (round(3 + end * (width - 6), 1) for end in interval)
    said = say.parted([percent(value), say.share_range((interval[0], interval[1]))])
    return _picture(
        Markup(
            '<line class="axis" x1="3" x2="{end}" y1="9" y2="9"/><line class="zero" x1="{c}" x2="{c}" y1="3" y2="15"/>'
            '<line class="span" x1="{low}" x2="{high}" y1="9" y2="9" style="stroke:{colour}"/>'
            '<circle cx="{x}" cy="9" r="3.5" style="fill:{colour}"/>'
        ).format(
            end=width - 3,
            c=round(3 + (chance or 0.0) * (width - 6), 1),
            low=low,
            high=high,
            colour=colour,
            x=round(3 + value * (width - 6), 1),
        ),
        say("{name}: {said}", name=say("accuracy"), said=said),
        width,
        18,
        ticks=[(2.0, "0"), (width - 2.0, "100 %")] if scaled else [],
    )


def ratio_bar(
    value: float,
    interval: Sequence[float | None],
    reach: float,
    tone: str,
    *,
    say: Say = ENGLISH,
    width: int = 160,
    scaled: bool = False,
) -> Markup:
    """How many times as much, on a log scale from 1 / ``reach`` to ``reach`` with 1 in the middle.

    An open end of the interval runs to the edge.
    """

    def share(times: float) -> float:
        return math.log(times) / math.log(reach)

    low, high = interval
    words = say.parted([say("{ratio} times", ratio=ratio(value)), say.ratio_range((low, high))])
    shares = None if low is None else share(low), None if high is None else share(high)
    most = ratio(reach)
    ticks = [(2.0, f"1/{most}"), (width / 2, "1"), (width - 2.0, f"{most} ×")] if scaled else []
    return _around_middle(words, tone, width, share(value), shares, ticks)


def _around_middle(
    words: str,
    tone: str,
    width: int,
    value: float,
    interval: tuple[float | None, float | None],
    ticks: _Ticks,
) -> Markup:
    """A value and its interval on a scale from -1 to 1 with a line at 0; what lies beyond, or is open (None), stands at
    the edge.
    """
    low, high = interval

    def place(share: float) -> float:
        return round(width / 2 + max(-1.0, min(1.0, share)) * (width / 2 - 2), 1)

    drawn = Markup(
        '<line class="axis" x1="2" x2="{end}" y1="10" y2="10"/>'
        '<line class="zero" x1="{mid}" x2="{mid}" y1="2" y2="18"/>'
        '<line class="span" x1="{low}" x2="{high}" y1="10" y2="10"/><circle cx="{x}" cy="10" r="4"/>'
    ).format(
        end=width - 2,
        mid=width / 2,
        low=2 if low is None else place(low),
        high=width - 2 if high is None else place(high),
        x=place(value),
    )
    return _picture(drawn, words, width, 20, tone=tone, ticks=ticks)


def place_bar(
    value: float | None,
    interval: Sequence[float | None],
    sizes: Sequence[float],
    tone: str,
    *,
    say: Say = ENGLISH,
    width: int = 160,
    scaled: bool = False,
) -> Markup:
    """A place on the size axis with its interval, on a log scale over the study's ``sizes``, each with a tick.

    An open end of the interval runs to the edge.
    """
    least, most = min(sizes), max(sizes)
    first, last = math.log(least), math.log(most)

    def place(size: float) -> float:
        share = (math.log(size) - first) / (last - first)
        return round(5 + max(0.0, min(1.0, share)) * (width - 10), 1)

    low, high = interval
    said = say.size_range((low, high))
    if value is not None:
        said = say.parted([say.parameters(value), said])
    words = say("{said}, of sizes from {low} to {high}", said=said, low=say.size(least), high=say.parameters(most))
    marks = Markup("").join(
        Markup('<line class="zero" x1="{x}" x2="{x}" y1="7" y2="13"/>').format(x=place(size)) for size in sizes
    )
    dot = Markup("") if value is None else Markup('<circle cx="{x}" cy="10" r="4"/>').format(x=place(value))
    drawn = Markup(
        '<line class="axis" x1="2" x2="{end}" y1="10" y2="10"/>{marks}'
        '<rect class="band" x="{low}" width="{span}" y="4" height="12" rx="2"/>{dot}'
    ).format(
        end=width - 2,
        marks=marks,
        low=2 if low is None else place(low),
        span=round(max((width - 2 if high is None else place(high)) - (2 if low is None else place(low)), 2.0), 1),
        dot=dot,
    )
    ticks = [(2.0, say.size(least)), (width - 2.0, say.size(most))] if scaled else []
    return _picture(drawn, words, width, 20, tone=tone, ticks=ticks)


def _picture(drawn: Markup, words: str, width: int, height: int, *, tone: str = "", ticks: _Ticks = ()) -> Markup:
    """The picture with its words, and with ``ticks`` below it."""
    sides = {0: "start", len(ticks) - 1: "end"}
    texts = Markup("").join(
        Markup('<text class="tick" x="{x}" y="{y}" text-anchor="{side}">{text}</text>').format(
            x=number(x), y=height + 9, side=sides.get(place, "middle"), text=text
        )
        for place, (x, text) in enumerate(ticks)
    )
    return Markup(
        '<svg class="bar {tone}" role="img" aria-label="{words}" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
        "<title>{words}</title>{drawn}{texts}</svg>"
    ).format(tone=tone, words=words, w=width, h=height + (11 if ticks else 0), drawn=drawn, texts=texts)
