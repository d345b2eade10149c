"""Accuracy against FLOPs a query, tuning shared out over the queries it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onset.report.figures.base import (
    DEFAULT_QUERIES,
    GREY,
    INTERVALS,
    QUERIES,
    Cell,
    Figure,
    Panel,
    Shown,
    Spec,
    Style,
    accuracy_axis,
    chance_layers,
    layer,
    layered,
    line_layers,
    quantity,
    top_of,
)
from onset.report.figures.rows import (
    at_budget,
    budget_name,
    budgets,
    describe,
    facets,
    left_out_note,
    points_and_bars,
    seeds_note,
)


def cost_figure(shown: Shown) -> Figure | None:
    """One panel a task. None when no cell has a FLOP count."""
    known = [cell for cell in shown.cells if cell["flops_inference"]]
    if not known:
        return None
    panels = []
    for place, group in facets(known, ("task", "shift", "stage")):
        for labels in budgets(group):
            where = {**place, "labels": budget_name(labels)}
            panels.append(_panel(where, at_budget(group, labels), shown.style, top_of(group)))
    style, say = shown.style, shown.style.say
    caption = style.told(
        say(
            "Accuracy against the floating-point operations one query costs, on a log scale: inference (2 operations a"
            " parameter and token, demonstrations included, nothing reused between queries) plus tuning divided by the"
            " number of queries the tuned model serves ({queries} unless moved). Lines join sizes of one family.",
            queries=f"{DEFAULT_QUERIES:,}",
        ),
        say("Grey steps: the highest accuracy for that cost or less."),
        left_out_note(shown.cells, "flops_inference", "FLOP count", style),
        say(INTERVALS),
        seeds_note(shown.cells, style),
    )
    return Figure("cost", "Accuracy and cost", caption, "task", tuple(panels), per_query=True)


_ONE_AND_THREE = "test(/^[13]e/, format(datum.value, '.0e')) ? replace(format(datum.value, '.0e'), '+', '') : ''"
"""Labels of a logarithmic axis: 1e8, 3e8, 1e9 ... so that half a decade has at least one."""

_EVERY = "replace(format(datum.value, '.1e'), '+', '')"
"""Labels of an axis of less than that."""


def _panel(where: dict[str, str], cells: Sequence[Cell], style: Style, top: float) -> Panel:
    points, bars = points_and_bars(cells, style)
    costs = [row["inference"] + row["tuning"] / DEFAULT_QUERIES for row in points]
    names = _ONE_AND_THREE if max(costs) > 3.2 * min(costs) else _EVERY
    axis = {"labelExpr": names, "labelOverlap": "greedy", "grid": False}
    x = quantity("cost", title="FLOPs a query", scale={"type": "log", "nice": False, "padding": 18}, axis=axis)
    axes = {"x": x, "y": accuracy_axis(top)}
    layers = [_front(points, axes), *map(_with_cost, line_layers(points, bars, points, axes, style))]
    chart = layered([*chance_layers(cells, style), *layers], "Accuracy", 260)
    words = describe(where["task"], "floating-point operations a query", cells, style)
    return Panel(where["task"], where, (chart,), words)


def _front(points: Sequence[Mapping[str, Any]], axes: Spec) -> Spec:
    """The highest accuracy at a cost or less, as steps; it moves with the number of queries, as the points do."""
    held = [{name: row[name] for name in ("accuracy", "inference", "tuning")} for row in points]
    highest = axes | {"y": axes["y"] | {"field": "highest"}}
    steps = _with_cost(layer("line", held, highest, color=GREY, strokeDash=[2, 2], interpolate="step-after"))
    so_far = {"window": [{"op": "max", "field": "accuracy", "as": "highest"}], "frame": [None, 0]}
    by = [{"field": "cost"}, {"field": "accuracy", "order": "descending"}]
    return steps | {"transform": [*steps["transform"], so_far | {"sort": by}]}


def _with_cost(part: Spec) -> Spec:
    """The layer with the cost of a query, which moves with the number of queries that share the tuning."""
    cost = {"calculate": f"datum.inference + datum.tuning / {QUERIES}", "as": "cost"}
    return part | {"transform": [*part.get("transform", ()), cost]}
