"""Accuracy by model, where no family has two sizes: one row a model, one dot a method, parse rate below."""

from __future__ import annotations

from collections.abc import Sequence

from onset.report.figures.base import (
    CELL_TOOLTIP,
    INTERVALS,
    PERCENT,
    Cell,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    category,
    chance_layers,
    dot,
    each_seed,
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


def model_figure(shown: Shown) -> Figure | None:
    """Accuracy by model. None without cells."""
    panels = []
    for place, group in facets(shown.cells, ("task", "shift", "stage")):
        for labels in budgets(group):
            where = {**place, "labels": budget_name(labels)}
            panels.append(_panel(where, at_budget(group, labels), shown.style, top_of(group)))
    if not panels:
        return None
    say = shown.style.say
    caption = shown.style.told(
        say("Above: accuracy (share of test items answered correctly), one row a model."),
        say("Below: parse rate, the share of outputs an answer could be read from.")
        if any(cell["parse_rate"] is not None for cell in shown.cells)
        else "",
        say("No model family has two sizes here, so there is no curve over size to draw."),
        say(INTERVALS),
        seeds_note(shown.cells, shown.style),
    )
    return Figure("size", "Accuracy by model", caption, "task", tuple(panels))


def _panel(where: dict[str, str], cells: Sequence[Cell], style: Style, top: float) -> Panel:
    points, bars = points_and_bars(cells, style)
    models = sorted({row["model"]: row["params"] or 0 for row in points}.items(), key=lambda pair: pair[1])
    order = [name for name, _ in models]
    methods = [name for name in style.methods if any(row["method"] == name for row in points)]
    scale = {"paddingInner": 0.25, "paddingOuter": 0.12}
    rows = {
        "y": category("model", title=None, sort=order, axis=name_axis({name: name for name in order}), scale=scale),
        "yOffset": category("method", sort=methods),
    }
    accuracy = [*chance_layers(cells, style, vertical=True), *_dot_layers(points, bars, "accuracy", top, rows, style)]
    charts = [layered(accuracy, "Accuracy", len(order) * rows_high(order, 14 * len(methods) + 12))]
    known = [row for row in points if row["parse"] is not None]
    if known:
        parse = _dot_layers(known, [], "parse", 1.0, rows, style)
        charts.append(layered(parse, "Parse rate", max(len(order) * rows_high(order, 7 * len(methods) + 8), 40)))
    return Panel(where["task"], where, tuple(charts), describe(where["task"], "model", cells, style))


def _dot_layers(points: Rows, bars: Rows, name: str, top: float, rows: dict[str, Spec], style: Style) -> list[Spec]:
    """``rows``: the channels that say in which row a method stands."""
    axis = {"labelExpr": PERCENT, "tickCount": 5}
    at = {**rows, "color": style.colour()}
    x = {"x": quantity(name, title=None, scale={"domain": [0, top], "nice": False}, axis=axis)}
    layers = []
    if bars:
        ends = {"x": quantity("low"), "x2": end("high"), "strokeOpacity": ink(), "opacity": fade(0.7)}
        layers = [layer("rule", bars, at | ends, strokeWidth=2), *each_seed(bars, at | x)]
    spots = at | x | {"shape": style.shape(), "opacity": fade(), "tooltip": tooltip(CELL_TOOLTIP)}
    return [*layers, layer("point", points, spots, **dot(62 if bars else 34))]
