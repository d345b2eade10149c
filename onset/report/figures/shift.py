"""Accuracy on the task's own items and on shifted ones, one panel a model."""

from __future__ import annotations

from collections.abc import Sequence

from onset.report.figures.base import (
    CELL_TOOLTIP,
    PAPER,
    PERCENT,
    Cell,
    Figure,
    Panel,
    Shown,
    Style,
    category,
    chance_layers,
    end,
    fade,
    ink,
    layer,
    layered,
    name_axis,
    quantity,
    rows_high,
    tooltip,
    top_of,
)
from onset.report.figures.rows import at_budget, budget_name, budgets, describe, facets, points_and_bars, seeds_note

_Pair = tuple[list[Cell], list[Cell]]
"""The same methods on the task's own items and on shifted ones."""


def shift_figure(shown: Shown) -> Figure | None:
    """One row a method with both accuracies. None without a pair."""
    panels = []
    tops = {where["task"]: top_of(group) for where, group in facets(shown.cells, ("task",))}
    for where, group in facets(shown.cells, ("model", "task", "stage")):
        for place, pair in _pairs(group):
            panels.append(_panel(str(group[0]["model"]), where | place, pair, shown.style, tops[where["task"]]))
    if not panels:
        return None
    caption = shown.style.told(
        shown.style.say(
            "Accuracy on the task's own test items (filled) and on shifted ones (hollow), joined for each method, one"
            " panel a model. Thin bars: the two 95 % Wilson intervals."
        ),
        seeds_note(shown.cells, shown.style),
    )
    return Figure("shift", "Accuracy under a shift", caption, "model", tuple(panels))


def _pairs(group: Sequence[Cell]) -> list[tuple[dict[str, str], _Pair]]:
    """Shift and budget as text, and the cells of both sides, where both were measured."""
    clean = [cell for cell in group if cell["shift"] == "none"]
    found = []
    for shift in dict.fromkeys(str(cell["shift"]) for cell in group if cell["shift"] != "none"):
        moved = [cell for cell in group if cell["shift"] == shift]
        for labels in budgets(moved):
            pair = (at_budget(clean, labels), at_budget(moved, labels))
            if all(pair):
                found.append(({"shift": shift, "labels": budget_name(labels)}, pair))
    return found


def _panel(title: str, where: dict[str, str], pair: _Pair, style: Style, top: float) -> Panel:
    sides = [points_and_bars(cells, style) for cells in pair]
    clean, moved = ({row["method"]: row for row in points} for points, _ in sides)
    both = [name for name in style.methods if name in clean and name in moved]
    axis = {"labelExpr": PERCENT, "tickCount": 5}
    x = quantity("accuracy", title="Accuracy", scale={"domain": [0, top], "nice": False}, axis=axis)
    at = {
        "x": x,
        "y": category("method", title=None, sort=both, axis=name_axis({name: name for name in both})),
        "color": style.colour(),
    }
    joined = [{**clean[name], "to": moved[name]["accuracy"]} for name in both]
    layers = [
        *chance_layers(pair[0], style, vertical=True),
        layer("rule", joined, at | {"x2": end("to")}, strokeWidth=3, opacity=0.55),
    ]
    for (_, bars), place, shade in zip(sides, (-6, 6), (0.7, 0.45), strict=True):
        ends = at | {"x": quantity("low"), "x2": end("high"), "strokeOpacity": ink(), "opacity": fade(shade)}
        rows = [bar for bar in bars if bar["method"] in both]
        layers.append(layer("rule", rows, ends, strokeWidth=1.5, yOffset=place))
    for found, fill in ((clean, {}), (moved, {"fill": {"expr": PAPER}})):
        spots = at | {"opacity": fade(), "tooltip": tooltip(CELL_TOOLTIP)}
        look = {"filled": not fill, "size": 70, "strokeWidth": 2, **fill}
        layers.append(layer("point", [found[name] for name in both], spots, **look))
    words = describe(title, "the shift", [*pair[0], *pair[1]], style)
    return Panel(
        title, where, (layered(layers, "", rows_high(map(style.say.method, both), 34, 220) * len(both) + 10),), words
    )
