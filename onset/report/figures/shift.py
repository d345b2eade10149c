"""Slopes from accuracy on the task's own items to that on shifted ones, one panel a model."""

from __future__ import annotations

from collections.abc import Sequence

from onset.report.figures.base import (
    CELL_TOOLTIP,
    Cell,
    Figure,
    Panel,
    Shown,
    Style,
    accuracy_axis,
    category,
    chance_layers,
    dash,
    dot,
    end,
    fade,
    ink,
    layer,
    layered,
    quantity,
    tooltip,
    top_of,
)
from onset.report.figures.rows import at_budget, budget_name, budgets, describe, facets, points_and_bars, seeds_note

_HIGH = 240
_Pair = tuple[list[Cell], list[Cell]]
"""The same methods on the task's own items and on shifted ones."""


def shift_figure(shown: Shown) -> Figure | None:
    """One line a method with both accuracies. None without a pair."""
    panels = []
    tops = {where["task"]: top_of(group) for where, group in facets(shown.cells, ("task",))}
    for where, group in facets(shown.cells, ("model", "task", "stage")):
        for place, pair in _pairs(group):
            panels.append(_panel(str(group[0]["model"]), where | place, pair, shown.style, tops[where["task"]]))
    if not panels:
        return None
    caption = shown.style.told(
        shown.style.say(
            "Accuracy on the task's own test items (left) and on shifted ones (right), joined for each method, one"
            " panel a model. Thin bars: 95 % intervals, beside each other where methods are close."
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
    """A line a method, from its accuracy on the task's own items to that on the shifted ones."""
    say = style.say
    ends = [say.shift("none") if style.language != "en" else "as given", say.shift(where["shift"])]
    points, bars = [], []
    for cells, end_name in zip(pair, ends, strict=True):
        some, lines = points_and_bars(cells, style)
        points += [row | {"at": end_name} for row in some]
        bars += [row | {"at": end_name} for row in lines]
    both = [name for name in style.methods if [row["method"] for row in points].count(name) > 1]
    points, bars = ([row for row in rows if row["method"] in both] for rows in (points, bars))
    bare = {"labelAngle": 0, "domain": False, "ticks": False, "labelLimit": 140, "labelPadding": 8}
    at = {
        "x": category("at", title=None, sort=ends, axis=bare, scale={"padding": 0.5}),
        "y": accuracy_axis(top),
        "color": style.colour(),
    }
    upright = {**at, "y": quantity("low"), "y2": end("high"), "strokeOpacity": ink(), "opacity": fade(0.7)}
    joined = at | {"strokeDash": dash(), "opacity": fade(0.85)}
    spots = at | {"shape": style.shape(), "opacity": fade(), "tooltip": tooltip(CELL_TOOLTIP)}
    layers = [
        *chance_layers(pair[0], style),
        layer("line", points, joined, strokeWidth=2.2),
        *(
            layer(
                "rule",
                [one for one in bars if one["method"] == name],
                upright,
                strokeWidth=1.5,
                clip=True,
                xOffset=_aside(place, both),
            )
            for place, name in enumerate(both)
        ),
        layer("point", points, spots, **dot(70)),
    ]
    words = describe(title, "the shift", [*pair[0], *pair[1]], style)
    return Panel(title, where, (layered(layers, "", _HIGH),), words)


def _aside(place: int, methods: Sequence[str]) -> float:
    """Pixels beside the point, so that bars of methods can be told apart."""
    return 5.0 * (place - (len(methods) - 1) / 2)
