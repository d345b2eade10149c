"""Accuracy against the number of labelled examples, one panel a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onset.report.figures.base import (
    CELL_TOOLTIP,
    INTERVALS,
    Cell,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    accuracy_axis,
    chance_layers,
    end,
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
    pairs = shown.table("break_even_labels")
    tops = {where["task"]: top_of(group) for where, group in facets(cells, ("task",))}
    panels = [
        _panel(str(group[0]["model"]), where, group, shown.style, tops[where["task"]], _begins(where, group, pairs))
        for where, group in facets(cells, _FACETS)
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
        say(
            "Dotted upright line, in the colour of the most accurate tuned method: the labels from which on it is ahead"
            " of the most accurate prompting one, on the mean over draws, where that is reached; shaded: the 95 %"
            " interval, of that pair by itself."
        )
        if any(_begins(where, group, pairs) for where, group in facets(cells, _FACETS))
        else "",
        say(INTERVALS),
        seeds_note(cells, shown.style),
    )
    return Figure("labels", "Accuracy and labelled examples", caption, "model", tuple(panels))


_FACETS = ("model", "task", "shift", "stage")


def _begins(where: dict[str, str], cells: Sequence[Cell], pairs: Rows) -> Mapping[str, Any] | None:
    """Of the best tuned and the best prompting method at the largest budget that a pair shares: the pair, where tuning
    comes to be ahead within the budgets; else None.
    """
    here = [one for one in pairs if all(str(one[name]) == where[name] for name in _FACETS)]
    share = {(cell["method"], cell["labels"]): cell["mean"]["accuracy"] for cell in cells}
    if not here:
        return None
    most = max(one["leads"][-1]["labels"] for one in here)
    among = [one for one in here if one["leads"][-1]["labels"] == most]
    best = max(among, key=lambda one: sum(share.get((one[side], most), 0.0) for side in ("tuned", "prompted")))
    return best if best["mean"]["verdict"] == "reached" else None


def _place_layers(pair: Mapping[str, Any], x: Spec, style: Style) -> list[Spec]:
    """A band for the interval and a line at the estimate; an open end runs to the edge of the plot."""
    (low, high), (first, last) = pair["mean"]["interval"], x["scale"]["domain"]
    row = {"method": pair["tuned"], "begin": low or first, "until": high or last, "place": pair["mean"]["at"]}
    colour = {"color": style.colour()}
    span = {"x": quantity("begin", scale=x["scale"]), "x2": end("until"), "opacity": fade(0.13)}
    layers = [layer("rect", [row], span | colour, clip=True)]
    if row["place"] is not None:
        at = {"x": quantity("place", scale=x["scale"]), "opacity": fade(0.8)}
        layers.append(layer("rule", [row], at | colour, strokeDash=[2, 3], strokeWidth=1.5))
    return layers


def _panel(
    title: str,
    where: dict[str, str],
    cells: Sequence[Cell],
    style: Style,
    top: float,
    begins: Mapping[str, Any] | None,
) -> Panel:
    trained = [cell for cell in cells if cell["labels"] > 0]
    zero = [cell for cell in cells if cell["labels"] == 0]
    points, bars = points_and_bars(trained, style)
    budgets = sorted({row["labels"] for row in points})
    points, bars = (dodged(rows, "labels", style.methods) for rows in (points, bars))
    axis = {"values": budgets, "grid": False, "format": "d"}
    x = quantity("x", title="Labelled examples", scale=log_scale([row["x"] for row in points]), axis=axis)
    axes = {"x": x, "y": accuracy_axis(top)}
    place = [] if begins is None else _place_layers(begins, x, style)
    layers = [*chance_layers(cells, style), *place, *line_layers(points, bars, points, axes, style)]
    if zero:
        at = {"y": quantity("accuracy"), "color": style.colour(), "opacity": fade(0.9)}
        spots = at | {"tooltip": tooltip(CELL_TOOLTIP)}
        layers.append(layer("rule", points_and_bars(zero, style)[0], spots, strokeWidth=1.6, strokeDash=[6, 3]))
    return Panel(title, where, (layered(layers, "Accuracy", 240),), describe(title, "labelled examples", cells, style))
