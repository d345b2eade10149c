"""Related tasks against model size, one curve a task, each with its midpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from onset.analysis.words import plain_parameters
from onset.report.figures.base import (
    CELL_TOOLTIP,
    INTERVALS,
    PALETTE,
    Cell,
    Figure,
    Panel,
    Rows,
    Shown,
    Style,
    accuracy_axis,
    category,
    chance_layers,
    dot,
    end,
    fade,
    ink,
    layer,
    layered,
    log_scale,
    quantity,
    size_axis,
    tooltip,
    top_of,
)
from onset.report.figures.rows import Row, budget_name, points_and_bars, seeds_note
from onset.report.figures.size import fitted_line, is_drawn


def task_figure(shown: Shown) -> Figure | None:
    """Related tasks in one plot. None without related tasks."""
    orders = shown.table("task_orders")
    if not orders:
        return None
    say = shown.style.say
    caption = shown.style.told(
        say(
            "Accuracy against the number of parameters, on a log scale, one curve a task of the same kind: the fitted"
            " curve that goes with its verdict (straight lines between the points where the data bear none). Diamond:"
            " where accuracy is halfway between its floor and its ceiling; the bar through it is the 95 % interval of"
            " that size."
        ),
        say(INTERVALS),
        seeds_note(shown.cells, shown.style),
    )
    panels = tuple(_panel(order, shown.cells, shown.table("curves"), shown.style) for order in orders)
    return Figure("tasks", "Tasks by the size they need", caption, "task", panels)


def _panel(order: Mapping[str, Any], cells: Sequence[Cell], curves: Rows, style: Style) -> Panel:
    """The colour stands for the task here, whose name is written at its midpoint."""
    names = {task: plain_parameters(task, style.language) or style.say.task(task) for task in order["tasks"]}
    mine = [cell for cell in cells if cell["shift"] == "none" and cell["task"] in names and _is_of(cell, order)]
    points: list[Row] = []
    bars: list[Row] = []
    lines: list[Row] = []
    middles: list[Row] = []
    for task, name in names.items():
        rows, spans = points_and_bars([cell for cell in mine if cell["task"] == task], style)
        points += [{**row, "x": row["params"], "task": name} for row in rows]
        bars += [{**row, "x": row["params"], "task": name} for row in spans]
        curve = next(c for c in curves if c["shift"] == "none" and c["task"] == task and _is_of(c, order))
        ends = [{**row, "x": row["params"]} for row in rows]
        line = fitted_line(curve["emergence"]["fit"], ends[0]) if is_drawn(curve) else ends
        lines += [{**row, "task": name} for row in line]
        middles.append(_middle(order, task, line) | {"task": name, "method": order["method"]})
    sizes = sorted({row["params"] for row in points})
    domain = list(names.values())
    palette = [PALETTE[i % len(PALETTE)] for i in range(len(domain))]
    x = quantity("x", title="Parameters", scale=log_scale(sizes), axis=size_axis(sizes, True, style))
    at = {"x": x, "y": accuracy_axis(top_of(mine))}
    at |= {"color": category("task", scale={"domain": domain, "range": palette}, legend=None)}
    spans_at = at | {"y": quantity("low"), "y2": end("high"), "strokeOpacity": ink(), "opacity": fade(0.5)}
    halves = at | {"x": quantity("from"), "x2": end("to"), "opacity": fade(0.9)}
    spots = at | {"opacity": fade(), "tooltip": tooltip({"task": "Task"} | CELL_TOOLTIP)}
    names_at = at | {"text": category("task"), "opacity": fade()}
    layers = [
        *chance_layers(mine, style),
        layer("line", lines, at | {"opacity": fade(0.85)}, strokeWidth=1.8),
        layer("rule", bars, spans_at, strokeWidth=2),
        layer("point", points, spots, **dot(40)),
        layer("rule", middles, halves, strokeWidth=3),
        layer("point", middles, at | {"opacity": fade()}, shape="diamond", **dot(110)),
        layer("text", middles, names_at, align="left", baseline="top", dx=8, dy=4, fontSize=12),
    ]
    where = {"task": str(order["stem"]), "stage": str(order["stage"]), "labels": budget_name(order["labels"])}
    title = f"{order['stem']} · {order['method']}"
    of_tasks = style.say(
        "{title}: accuracy against model size for {tasks}.", title=title, tasks=style.say.parted(domain)
    )
    describe = style.told(of_tasks, style.say("Every number is in the table of cells."))
    return Panel(title, where, (layered(layers, "Accuracy", 240),), describe)


def _is_of(one: Mapping[str, Any], order: Mapping[str, Any]) -> bool:
    return all(one[name] == order[name] for name in ("method", "labels", "stage", "family"))


def _middle(order: Mapping[str, Any], task: str, line: Rows) -> Row:
    """The midpoint on the line drawn and its interval, cut at the sizes drawn."""
    place = order["tasks"].index(task)
    lowest, highest = min(row["x"] for row in line), max(row["x"] for row in line)
    (low, high), at = order["intervals"][place], order["midpoints"][place]
    rows = sorted(line, key=lambda row: float(row["x"]))
    above = next(index for index, row in enumerate(rows) if row["x"] >= at or index == len(rows) - 1)
    left, right = rows[max(above - 1, 0)], rows[above]
    wide = math.log(right["x"] / left["x"])
    part = math.log(at / left["x"]) / wide if wide else 0.0
    value = left["accuracy"] + part * (right["accuracy"] - left["accuracy"])
    return {"from": low or lowest, "to": high or highest, "x": at, "accuracy": value}
