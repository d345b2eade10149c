"""What chain of thought gains over answer-only, and a vote over one sample, at every size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.report.figures.base import (
    GREY,
    SIGNED,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    category,
    dot,
    end,
    fade,
    layer,
    layered,
    log_scale,
    quantity,
    size_axis,
    tooltip,
)
from onset.report.figures.rows import Row, dodged, facets, gap_words, with_budget_name


def gain_figure(shown: Shown) -> Figure | None:
    """Gains with their intervals, one panel a task. None without a gain."""
    rows = [with_budget_name(one) for one in shown.table("gains")]
    if not rows:
        return None
    panels = [_panel(where, group, shown.style) for where, group in facets(rows, ("task", "shift", "stage", "labels"))]
    caption = shown.style.say(
        "Difference in accuracy, in percentage points, against the number of parameters, on a log scale: chain of"
        " thought minus answer-only on the same items, and a vote minus one sample. Bars: 95 % intervals of the paired"
        " comparisons. Shaded: between the size from which on chain of thought is shown to win and the one below it."
    )
    return Figure("gains", "Gain and model size", caption, "task", tuple(panels))


def _panel(where: dict[str, str], group: Rows, style: Style) -> Panel:
    points = dodged(
        [_row(curve, point, style.say) for curve in group for point in curve["points"]], "params", style.methods
    )
    low = min(0.0, *(math.floor(20 * row["low"] - 0.2) / 20 for row in points))
    high = max(0.05, *(math.ceil(20 * row["high"] + 0.2) / 20 for row in points))
    sizes = sorted({row["params"] for row in points})
    scale = {"domain": [max(low, -1.0), min(high, 1.0)], "nice": False}
    axis = {"labelExpr": SIGNED, "tickCount": 5, "minExtent": 34, "maxExtent": 34}
    x = quantity(
        "x", title="Parameters", scale=log_scale([row["x"] for row in points]), axis=size_axis(sizes, True, style)
    )
    y = quantity("gain", title=None, scale=scale, axis=axis)
    at = {"x": x, "y": y, "color": style.colour()}
    lines = at | {"detail": [category("family"), category("against")], "opacity": fade(0.85)}
    ends = at | {"y": quantity("low"), "y2": end("high"), "opacity": fade(0.7)}
    spots = at | {"shape": style.shape(), "opacity": fade(), "tooltip": tooltip(_TOOLTIP)}
    layers = [
        *_gap_layers(group, x),
        layer("rule", [{"gain": 0}], {"y": y}, color=GREY),
        layer("line", points, lines, strokeWidth=1.8),
        layer("rule", points, ends, strokeWidth=2),
        layer("point", points, spots, **dot(62)),
    ]
    say = style.say
    words = say.clauses(
        say("{a} minus {b}", **dict(zip("ab", map(say.method, curve["sides"]), strict=True))) for curve in group
    )
    gain = say("{task}: gain against model size, {words}.", task=say.task(where["task"]), words=words)
    describe = style.told(gain, say("Every number is in the table of comparisons."))
    return Panel(where["task"], where, (layered(layers, "Gain (percentage points)", 220),), describe)


_TOOLTIP = {
    "method": "Method",
    "other": "Against",
    "model": "Model",
    "size": "Parameters",
    "says": "Gain, 95 % interval",
    "verdict": "Verdict",
}


def _row(curve: Mapping[str, Any], point: Mapping[str, Any], say: Say) -> Row:
    low, high = point["interval"]
    return {
        "method": curve["sides"][0],
        "family": curve["family"],
        "against": curve["sides"][1],
        "other": say.method(curve["sides"][1]),
        "params": point["params"],
        "model": point["model"],
        "size": say.size(point["params"]),
        "gain": point["gain"],
        "low": low,
        "high": high,
        "verdict": say(point["verdict"]),
        "says": gap_words(point["gain"], point["interval"], say),
    }


def _gap_layers(group: Rows, x: Spec) -> list[Spec]:
    gaps = [curve["crossover"]["gap"] for curve in group if curve["kind"] == "chain of thought"]
    rows = [{"x": gap[0], "to": gap[1]} for gap in gaps if gap]
    return [layer("rect", rows, {"x": x, "x2": end("to")}, color=GREY, opacity=0.16)] if rows else []
