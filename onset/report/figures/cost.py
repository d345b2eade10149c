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
    Rows,
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
            prices = _prices(where, shown.table("costs"))
            panels.append(_panel(where, at_budget(group, labels), shown.style, top_of(group), prices))
    style, say = shown.style, shown.style.say
    caption = style.told(
        say(
            "Accuracy against the floating-point operations one query costs, on a log scale: inference (2 operations a"
            " parameter and token, demonstrations included, nothing reused between queries) plus tuning divided by the"
            " number of queries the tuned model serves ({queries} unless moved). Lines join sizes of one family.",
            queries=f"{DEFAULT_QUERIES:,}",
        ),
        say("Grey steps: the highest accuracy for that cost or less."),
        say(
            "Below: the same in money, by the prices that the study gives; what is done once (tuning, search, stages of"
            " training) is divided by the number of queries. Methods whose price is not known are in the upper plot"
            " alone."
        )
        if any(len(panel.charts) > 1 for panel in panels)
        else "",
        left_out_note(shown.cells, "flops_inference", "FLOP count", style),
        say(INTERVALS),
        seeds_note(shown.cells, style),
    )
    return Figure("cost", "Accuracy and cost", caption, "task", tuple(panels), per_query=True)


_ONE_AND_THREE = "test(/^[13]e/, format(datum.value, '.0e')) ? replace(format(datum.value, '.0e'), '+', '') : ''"
"""Labels of a logarithmic axis: 1e8, 3e8, 1e9 ... so that half a decade has at least one."""

_EVERY = "replace(format(datum.value, '.1e'), '+', '')"
"""Labels of an axis of less than that."""


def _prices(where: Mapping[str, str], costs: Rows) -> dict[tuple[str, str, int], Mapping[str, Any]]:
    """(model, method, labels) -> what it costs in money, of a panel's arms where all of it is known; none where the
    prices are in several currencies.
    """
    here = [one for one in costs if all(str(one[name]) == where[name] for name in ("task", "shift", "stage"))]
    held = {
        (one["model"], one["method"], one["labels"]): one["money"]
        for one in here
        if one["money"] is not None and None not in one["money"].values()
    }
    return held if len({one["currency"] for one in held.values()}) == 1 else {}


def _panel(
    where: dict[str, str],
    cells: Sequence[Cell],
    style: Style,
    top: float,
    prices: Mapping[tuple[str, str, int], Mapping[str, Any]],
) -> Panel:
    points, bars = points_and_bars(cells, style)
    charts = [_chart(points, bars, cells, style, top, "FLOPs a query")]
    priced, ends = (
        [{**row, "inference": held["query"], "tuning": held["once"]} for row in rows if (held := _of(row, prices))]
        for rows in (points, bars)
    )
    if priced:
        currency = next(iter(prices.values()))["currency"]
        title = style.say("{currency} a query", currency=currency)
        charts.append(_chart(priced, ends, cells, style, top, title))
    words = describe(where["task"], "floating-point operations a query", cells, style)
    return Panel(where["task"], where, tuple(charts), words)


def _of(row: Mapping[str, Any], prices: Mapping[tuple[str, str, int], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What an arm costs; None where that is not known, or is nothing, which has no place on a log axis."""
    held = prices.get((row["model"], row["method"], row["labels"]))
    return held if held is not None and held["query"] > 0 else None


def _chart(points: Rows, bars: Rows, cells: Sequence[Cell], style: Style, top: float, title: str) -> Spec:
    costs = [row["inference"] + row["tuning"] / DEFAULT_QUERIES for row in points]
    names = _ONE_AND_THREE if max(costs) > 3.2 * min(costs) else _EVERY
    axis = {"labelExpr": names, "labelOverlap": "greedy", "grid": False}
    x = quantity("cost", title=title, scale={"type": "log", "nice": False, "padding": 18}, axis=axis)
    axes = {"x": x, "y": accuracy_axis(top)}
    layers = [_front(points, axes), *map(_with_cost, line_layers(points, bars, points, axes, style))]
    return layered([*chance_layers(cells, style), *layers], "Accuracy", 260)


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
