"""Small pictures in the text: an estimate with its interval, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onset.analysis.words import number, percent, short_count, signed_bound
from onset.report.words import signed


def reach_of_bars(rows: Sequence[Mapping[str, Any]], *, fitting: float = 1.0) -> float:
    """Half the width of a difference scale: every estimate fits, and the share ``fitting`` of the intervals.

    In a long table a single very wide interval (two draws of examples) would shrink all others to a dot.
    """
    ends = sorted(max(abs(end) for end in one["interval"]) for one in rows if one["interval"])
    values = [abs(one.get("difference", one.get("estimate")) or 0.0) for one in rows]
    widest: float = max([ends[int(fitting * (len(ends) - 1))] if ends else 0.0, *values, 0.05])
    return min(1.0, math.ceil(widest * 20 + 0.2) / 20)


def difference_bar(
    value: float | None, interval: Sequence[float] | None, reach: float, tone: str, *, width: int = 160
) -> Markup:
    """A difference (0 in the middle, ``reach`` at both ends) with its interval, as inline SVG."""
    if value is None or interval is None:
        return Markup('<span class="nothing">–</span>')

    words = (
        f"difference {signed(value)} points, 95 % interval {signed_bound(interval[0])} to {signed_bound(interval[1])}"
    )
    return _around_middle(words, tone, width, value / reach, (interval[0] / reach, interval[1] / reach))


def share_bar(
    value: float, interval: Sequence[float], chance: float | None, colour: str = "currentColor", *, width: int = 110
) -> Markup:
    """An accuracy on 0..1 with its interval and the chance level, as inline SVG."""
    low, high = (round(3 + end * (width - 6), 1) for end in interval)
    words = f"accuracy {percent(value)}, 95 % interval {percent(interval[0])} to {percent(interval[1])}"
    return Markup(
        '<svg class="bar" role="img" aria-label="{words}" width="{w}" height="18" viewBox="0 0 {w} 18">'
        '<line class="axis" x1="3" x2="{end}" y1="9" y2="9"/><line class="zero" x1="{c}" x2="{c}" y1="3" y2="15"/>'
        '<line class="span" x1="{low}" x2="{high}" y1="9" y2="9" style="stroke:{colour}"/>'
        '<circle cx="{x}" cy="9" r="3.5" style="fill:{colour}"/></svg>'
    ).format(
        words=words,
        w=width,
        end=width - 3,
        c=round(3 + (chance or 0.0) * (width - 6), 1),
        low=low,
        high=high,
        colour=colour,
        x=round(3 + value * (width - 6), 1),
    )


def ratio_bar(value: float, interval: Sequence[float | None], reach: float, tone: str, *, width: int = 160) -> Markup:
    """How many times as much, on a log scale from 1 / ``reach`` to ``reach`` with 1 in the middle, as inline SVG.

    An open end of the interval runs to the edge.
    """

    def share(times: float) -> float:
        return math.log(times) / math.log(reach)

    low, high = interval
    ends = [f"above {number(low)}" if low else "", f"below {number(high)}" if high else ""]
    words = f"{number(value)} times, 95 % interval {' and '.join(filter(None, ends)) or 'open'}"
    shares = None if low is None else share(low), None if high is None else share(high)
    return _around_middle(words, tone, width, share(value), shares)


def _around_middle(
    words: str, tone: str, width: int, value: float, interval: tuple[float | None, float | None]
) -> Markup:
    """A value and its interval on a scale from -1 to 1 with a line at 0; what lies beyond, or is open (None), stands at
    the edge.
    """
    low, high = interval

    def place(share: float) -> float:
        return round(width / 2 + max(-1.0, min(1.0, share)) * (width / 2 - 2), 1)

    return Markup(
        '<svg class="bar {tone}" role="img" aria-label="{words}" width="{w}" height="20" viewBox="0 0 {w} 20">'
        '<line class="axis" x1="2" x2="{end}" y1="10" y2="10"/>'
        '<line class="zero" x1="{mid}" x2="{mid}" y1="2" y2="18"/>'
        '<line class="span" x1="{low}" x2="{high}" y1="10" y2="10"/><circle cx="{x}" cy="10" r="4"/></svg>'
    ).format(
        tone=tone,
        words=words,
        w=width,
        end=width - 2,
        mid=width / 2,
        low=2 if low is None else place(low),
        high=width - 2 if high is None else place(high),
        x=place(value),
    )


def place_bar(
    value: float | None, interval: Sequence[float | None], sizes: Sequence[float], tone: str, *, width: int = 160
) -> Markup:
    """A place on the size axis with its interval, on a log scale over the study's ``sizes``, as inline SVG.

    An open end of the interval runs to the edge.
    """
    first, last = math.log(min(sizes)), math.log(max(sizes))

    def place(size: float) -> float:
        share = (math.log(size) - first) / (last - first)
        return round(5 + max(0.0, min(1.0, share)) * (width - 10), 1)

    low, high = interval
    ends = [f"above {short_count(low)}" if low else "", f"below {short_count(high)}" if high else ""]
    words = f"95 % interval {' and '.join(filter(None, ends)) or 'open'}, of sizes from {short_count(min(sizes))} to"
    ticks = Markup("").join(
        Markup('<line class="zero" x1="{x}" x2="{x}" y1="7" y2="13"/>').format(x=place(size)) for size in sizes
    )
    dot = Markup("") if value is None else Markup('<circle cx="{x}" cy="10" r="4"/>').format(x=place(value))
    return Markup(
        '<svg class="bar {tone}" role="img" aria-label="{words}" width="{w}" height="20" viewBox="0 0 {w} 20">'
        '<line class="axis" x1="2" x2="{end}" y1="10" y2="10"/>{ticks}'
        '<rect class="band" x="{low}" width="{span}" y="4" height="12" rx="2"/>{dot}</svg>'
    ).format(
        tone=tone,
        words=f"{words} {short_count(max(sizes))} parameters",
        w=width,
        end=width - 2,
        ticks=ticks,
        low=2 if low is None else place(low),
        span=round(max((width - 2 if high is None else place(high)) - (2 if low is None else place(low)), 2.0), 1),
        dot=dot,
    )
