"""pass@k before and after a stage of training, against the number of samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import percent
from onset.report.figures.base import (
    Figure,
    Panel,
    Rows,
    Shown,
    Style,
    accuracy_axis,
    category,
    dot,
    fade,
    layer,
    layered,
    log_scale,
    quantity,
    tooltip,
)
from onset.report.figures.rows import Row, facets, with_budget_name

_DASHES = {"after": [1, 0], "before": [5, 3]}
_TICKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)


def reach_figure(shown: Shown) -> Figure | None:
    """A panel for each stage and what it is held against. None without samples on both sides."""
    known = [with_budget_name(one) | {"model": _name(one, shown.style.say)} for one in shown.table("stage_reach")]
    if not known:
        return None
    panels = [_panel(where, group, shown.style) for where, group in facets(known, ("task", "shift", "model", "labels"))]
    caption = shown.style.say(
        "pass@k of a stage (solid) and of what it is held against (dashed) against the number k of samples, on a log"
        " scale: the share of items at which at least one of k samples is right, over all subsets of k. Where the lines"
        " meet, the model before reaches as many items with more samples."
    )
    return Figure("reach", "What samples reach after a stage", caption, "model", tuple(panels))


def _name(one: Mapping[str, Any], say: Say) -> str:
    return say("{a} and {b}", a=one["models"][1], b=one["models"][0])


def _panel(where: dict[str, str], group: Rows, style: Style) -> Panel:
    rows = [row for one in group for row in _rows(one, style.say)]
    ks = sorted({row["k"] for row in rows})
    top = min(1.0, math.ceil(max(row["accuracy"] for row in rows) * 20 + 0.2) / 20)
    ticks = [k for k in ks if k in _TICKS or k == ks[-1]]
    axis = {"values": ticks, "grid": False, "format": "d", "labelOverlap": "greedy"}
    x = quantity("k", title=style.say("Samples an item"), scale=log_scale(ks), axis=axis)
    names = [style.say(name) for name in _DASHES]
    dash = category("side", title=None, scale={"domain": names, "range": list(_DASHES.values())})
    at = {"x": x, "y": accuracy_axis(max(top, 0.05)), "color": style.colour()}
    fields = {"method": "Method", "k": "Samples an item", "side": "Model", "says": "Accuracy"}
    charts = [
        layer("line", rows, at | {"strokeDash": dash, "opacity": fade(0.9)}, strokeWidth=1.8),
        layer("point", rows, at | {"opacity": fade(), "tooltip": tooltip(fields)}, **dot(22)),
    ]
    return Panel(
        str(where["model"]),
        where,
        (layered(charts, "pass@k: at least one of k samples is right", 240),),
        _describe(where, group, style.say),
    )


def _rows(one: Mapping[str, Any], say: Say) -> list[Row]:
    """One row a k and side."""
    return [
        {"method": one["methods"][0], "k": point["k"], "side": say(side), "accuracy": point[side]}
        | {"says": percent(point[side])}
        for point in one["points"]
        for side in _DASHES
    ]


def _describe(where: Mapping[str, str], group: Rows, say: Say) -> str:
    return " ".join(
        say(
            "{task}, {stage} against {reference}: {one} with one sample, {all} with one of {count}.",
            task=say.task(where["task"]), stage=say.stage(one["sides"][0]), reference=say.stage(one["sides"][1]),
            count=one["samples"], **{name: _both(one["points"][at], say) for name, at in (("one", 0), ("all", -1))},
        )
        for one in group
    )  # fmt: skip


def _both(point: Mapping[str, Any], say: Say) -> str:
    return say("{before} before, {after} after", before=percent(point["before"]), after=percent(point["after"]))
