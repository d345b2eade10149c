"""Shifted accuracy against clean accuracy with the lines of other methods, and drops against model size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import percent
from onset.report.figures.base import (
    GREY,
    PERCENT,
    SIGNED,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    category,
    dash,
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

_HIGH = 250
_MATCHED_TOOLTIP = {
    "method": "Method",
    "model": "Model",
    "budget": "Labelled examples",
    "both": "Clean and shifted",
    "beside": "Beside other methods",
}
_DROP_TOOLTIP = {"method": "Method", "model": "Model", "both": "Clean and shifted", "says": "Drop"}


def matched_figure(shown: Shown) -> Figure | None:
    """A panel for each task and shift with at least two arms. None without one."""
    grids = {(one["task"], one["shift"]): one for one in shown.robustness("grids")}
    panels = [
        _matched_panel(where, group, grids.get((where["task"], where["shift"])), shown.style)
        for where, group in facets(shown.robustness("falls"), ("task", "shift"))
        if len(group) > 1
    ]
    if not panels:
        return None
    caption = shown.style.say(
        "Accuracy on shifted items against accuracy on clean ones, a point an arm (model, method and number of labelled"
        " examples). On the grey diagonal nothing is lost. Grey line: fitted through all arms on the scale of log-odds;"
        " dotted in a method's colour: fitted through all arms of the other methods, which the points of that colour"
        " are held against."
    )
    return Figure("matched", "Shifted and clean accuracy", caption, "shift", tuple(panels))


def _matched_panel(where: dict[str, str], group: Rows, grid: Mapping[str, Any] | None, style: Style) -> Panel:
    say = style.say
    rows = [_point(one, say) for one in group]
    lowest = min(min(row["clean"], row["shifted"]) for row in rows)
    highest = max(max(row["clean"], row["shifted"]) for row in rows)
    ends = [max(0.0, lowest - 0.05), min(1.0, highest + 0.05)]
    axis = {"labelExpr": PERCENT, "tickCount": 5}
    scale = {"domain": ends, "nice": False}
    at = {
        "x": quantity("clean", title="Accuracy on clean items", scale=scale, axis=axis),
        "y": quantity("shifted", title="Accuracy on shifted items", scale=scale, axis=axis),
    }
    diagonal = [{"clean": value, "shifted": value} for value in ends]
    layers = [layer("line", diagonal, at, color=GREY, strokeDash=[2, 3], strokeWidth=1)]
    if grid is not None and grid["line"] is not None:
        layers.append(layer("line", _along(grid["line"]), at, color=GREY, strokeWidth=2, opacity=0.6))
    for one in () if grid is None else grid["methods"]:
        if one["line"] is not None:
            dotted = [row | {"method": one["method"]} for row in _along(one["line"])]
            lined = at | {"color": style.colour(), "opacity": fade(0.8)}
            layers.append(layer("line", dotted, lined, strokeDash=[1.5, 3], strokeWidth=1.6))
    look = {"color": style.colour(), "shape": style.shape(), "opacity": fade()}
    spots = at | look | {"tooltip": tooltip(_MATCHED_TOOLTIP)}
    layers.append(layer("point", rows, spots, **dot(55)))
    title = say("{task}, {shift}", task=say.task(where["task"]), shift=say.shift(where["shift"]))
    described = say(
        "{title}: accuracy on shifted items against accuracy on clean ones, {count} arms.", title=title, count=len(rows)
    )
    return Panel(title, where, (layered(layers, "", _HIGH),), described)


def _along(line: Mapping[str, Any]) -> list[Row]:
    return [{"clean": x, "shifted": y} for x, y in line["curve"]]


def _point(one: Mapping[str, Any], say: Say) -> Row:
    found = one["matched"]
    return {
        "method": one["method"],
        "family": str(one["family"]),
        "model": one["model"],
        "budget": str(one["labels"]),
        "clean": one["clean"],
        "shifted": one["shifted"],
        "both": say("{a} and {b}", a=percent(one["clean"]), b=percent(one["shifted"])),
        "beside": say("no line to hold it against")
        if found is None
        else gap_words(found["difference"], found["interval"], say),
    }


# ---- drops over size -----------------------------------------------------------------------------------------------


def drop_figure(shown: Shown) -> Figure | None:
    """A panel for each task, shift, stage and budget whose arms have two sizes or more. None without one."""
    known = [
        with_budget_name(one) for one in shown.robustness("falls") if one["params"] and one["interval"] is not None
    ]
    tuned = {str(cell["method"]) for cell in shown.cells if cell["tune"]}
    panels = [
        _drop_panel(where, group, tuned, shown.style)
        for where, group in facets(known, ("task", "shift", "stage", "labels"))
        if len({one["params"] for one in group}) > 1
    ]
    if not panels:
        return None
    caption = shown.style.say(
        "What a shift takes against model size, on a log scale: accuracy on clean items minus accuracy on shifted ones,"
        " in percentage points, with its 95 % interval. Above the line accuracy is lost. Lines join sizes of one"
        " family."
    )
    return Figure("drops by size", "Drop and model size", caption, "shift", tuple(panels))


def _drop_panel(where: dict[str, str], group: Rows, tuned: set[str], style: Style) -> Panel:
    say = style.say
    rows = [_drop(one, tuned, say) for one in group]
    rows = dodged(sorted(rows, key=lambda row: row["params"]), "params", style.methods)
    sizes = sorted({row["params"] for row in rows})
    reach = max(max(abs(row["low"]), abs(row["high"])) for row in rows) * 1.05
    scale = {"domain": [min(-0.02, min(row["low"] for row in rows) * 1.05), reach], "nice": False}
    drop = {"title": "Drop (percentage points)", "scale": scale, "axis": {"labelExpr": SIGNED, "tickCount": 5}}
    at = {
        "x": quantity("x", title="Parameters", scale=log_scale(sizes), axis=size_axis(sizes, True, style)),
        "y": quantity("drop", **drop),
        "color": style.colour(),
    }
    names = [name for name in style.methods if any(row["method"] == name for row in rows)]
    lined = at | {"detail": category("family"), "strokeDash": dash(), "opacity": fade(0.85)}
    bars = {**at, "y": quantity("low", **drop), "y2": end("high"), "opacity": fade(0.7)}
    spots = at | {"shape": style.shape(), "opacity": fade(), "tooltip": tooltip(_DROP_TOOLTIP)}
    layers: list[Spec] = [
        layer("rule", [{"drop": 0.0}], {"y": quantity("drop", **drop)}, color=GREY, strokeWidth=1),
        layer("line", rows, lined, strokeWidth=1.8),
        layer("rule", rows, bars, strokeWidth=1.6),
        layer("point", rows, spots, **dot(55)),
    ]
    title = say("{task}, {shift}", task=say.task(where["task"]), shift=say.shift(where["shift"]))
    described = say(
        "{title}: drop against model size for {methods}.", title=title, methods=say.parted(map(say.method, names))
    )
    return Panel(title, where, (layered(layers, "", _HIGH),), described)


def _drop(one: Mapping[str, Any], tuned: set[str], say: Say) -> Row:
    low, high = one["interval"]
    return {
        "method": one["method"],
        "model": one["model"],
        "family": str(one["family"]),
        "params": one["params"],
        "kind": "tuned" if one["method"] in tuned else "prompted",
        "drop": one["drop"],
        "low": low,
        "high": high,
        "both": say("{a} and {b}", a=percent(one["clean"]), b=percent(one["shifted"])),
        "says": gap_words(one["drop"], one["interval"], say),
    }


# ---- every shift and method ----------------------------------------------------------------------------------------

_ROW = 30
_LOSS = ("#2f6fa7", "#f4f4f2", "#c8501e")


def map_figure(shown: Shown) -> Figure | None:
    """A panel for each model, task, stage and budget that was asked under two shifts or more. None without one."""
    known = [with_budget_name(one) for one in shown.robustness("falls")]
    groups = [
        (where, group)
        for where, group in facets(known, ("model", "task", "stage", "labels"))
        if len({one["shift"] for one in group}) > 1
    ]
    if not groups:
        return None
    reach = max(abs(one["drop"]) for _, group in groups for one in group) or 0.05
    caption = shown.style.say(
        "What every shift takes from every method: accuracy on clean items minus accuracy on shifted ones, in"
        " percentage points. Orange: lost, blue: gained. A star: the drop, or gain, is shown (p adjusted by Holm)."
    )
    panels = tuple(_map_panel(where, group, reach, shown.style) for where, group in groups)
    return Figure("shift map", "Drop by shift and method", caption, "model", panels)


def _map_panel(where: dict[str, str], group: Sequence[Mapping[str, Any]], reach: float, style: Style) -> Panel:
    say = style.say
    shifts = list(dict.fromkeys(str(one["shift"]) for one in group))
    names = [name for name in style.methods if any(one["method"] == name for one in group)]
    rows = [
        {
            "method": one["method"],
            "shift": say.shift(one["shift"]),
            "drop": one["drop"],
            "text": say.points(one["drop"]).partition(" ")[0] + ("*" if one["verdict"] != "undecided" else ""),
            "both": say("{a} and {b}", a=percent(one["clean"]), b=percent(one["shifted"])),
            "says": say.points(one["drop"])
            if one["interval"] is None
            else gap_words(one["drop"], one["interval"], say),
            "ink": "white" if abs(one["drop"]) > 0.6 * reach else "#222222",
        }
        for one in group
    ]
    bare = {"domain": False, "ticks": False, "labelLimit": 160}
    at = {
        "x": category("shift", title=None, sort=[say.shift(one) for one in shifts], axis=bare | {"labelAngle": -30}),
        "y": category("method", title=None, sort=names, axis=bare | {"labelPadding": 8}),
        "opacity": fade(),
        "tooltip": tooltip({"method": "Method", "shift": "Test items", "both": "Clean and shifted", "says": "Drop"}),
    }
    scale = {"domain": [-reach, 0, reach], "range": list(_LOSS), "interpolate": "rgb"}
    text = at | {"text": category("text"), "color": category("ink", scale=None, legend=None)}
    layers = [
        layer("rect", rows, at | {"color": quantity("drop", scale=scale, legend=None)}, stroke="white"),
        layer("text", rows, text, fontSize=12),
    ]
    chart = layered(layers, "", _ROW * len(names)) | {"resolve": {"scale": {"color": "independent"}}}
    described = say(
        "{title}: what {count} shifts take from {methods}.", title=str(where["model"]), count=len(shifts),
        methods=say.parted(map(say.method, names)),
    )  # fmt: skip
    return Panel(str(where["model"]), where, (chart,), described)
