"""Accuracy against the number of labelled examples, one panel a model."""

from __future__ import annotations

from collections.abc import Sequence

from onset.report.figures.base import (
    CELL_TOOLTIP,
    INTERVALS,
    Cell,
    Figure,
    Panel,
    Shown,
    Style,
    accuracy_axis,
    chance_layers,
    fade,
    layer,
    layered,
    line_layers,
    log_scale,
    quantity,
    tooltip,
    top_of,
)
from onset.report.figures.rows import describe, dodged, facets, points_and_bars, seeds_note


def label_figure(shown: Shown) -> Figure | None:
    """A panel for each model that was given two budgets or more of a task. None without one."""
    cells = shown.cells
    tops = {where["task"]: top_of(group) for where, group in facets(cells, ("task",))}
    panels = [
        _panel(str(group[0]["model"]), where, group, shown.style, tops[where["task"]])
        for where, group in facets(cells, ("model", "task", "shift", "stage"))
        if len({cell["labels"] for cell in group} - {0, None}) > 1
    ]
    if not panels:
        return None
    say = shown.style.say
    caption = shown.style.told(
        say(
            "Accuracy against the number of labelled examples a method was given, on a log scale, one panel a model."
            " Budgets are nested: the larger one contains the smaller one's examples."
        ),
        say("Dashed horizontal lines: methods that use no labelled example.")
        if any(cell["labels"] == 0 for cell in cells)
        else "",
        say(INTERVALS),
        seeds_note(cells, shown.style),
    )
    return Figure("labels", "Accuracy and labelled examples", caption, "model", tuple(panels))


def _panel(title: str, where: dict[str, str], cells: Sequence[Cell], style: Style, top: float) -> Panel:
    trained = [cell for cell in cells if cell["labels"] > 0]
    zero = [cell for cell in cells if cell["labels"] == 0]
    points, bars = points_and_bars(trained, style)
    budgets = sorted({row["labels"] for row in points})
    points, bars = (dodged(rows, "labels", style.methods) for rows in (points, bars))
    axis = {"values": budgets, "grid": False, "format": "d"}
    x = quantity("x", title="Labelled examples", scale=log_scale([row["x"] for row in points]), axis=axis)
    axes = {"x": x, "y": accuracy_axis(top)}
    layers = [*chance_layers(cells, style), *line_layers(points, bars, points, axes, style)]
    if zero:
        at = {"y": quantity("accuracy"), "color": style.colour(), "opacity": fade(0.9)}
        spots = at | {"tooltip": tooltip(CELL_TOOLTIP)}
        layers.append(layer("rule", points_and_bars(zero, style)[0], spots, strokeWidth=1.6, strokeDash=[6, 3]))
    return Panel(title, where, (layered(layers, "Accuracy", 240),), describe(title, "labelled examples", cells, style))
