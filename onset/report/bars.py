"""Small pictures in the text: an estimate with its interval, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onset.analysis.words import percent, signed_bound
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

    def place(share: float) -> float:
        return round(width / 2 + max(-1.0, min(1.0, share / reach)) * (width / 2 - 2), 1)

    words = (
        f"difference {signed(value)} points, 95 % interval {signed_bound(interval[0])} to {signed_bound(interval[1])}"
    )
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
        low=place(interval[0]),
        high=place(interval[1]),
        x=place(value),
    )


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
