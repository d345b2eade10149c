"""Accuracy against the number of samples: of their majority, and of a perfect choice among them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import (
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    accuracy_axis,
    category,
    dot,
    end,
    fade,
    layer,
    layered,
    log_scale,
    quantity,
    tooltip,
)
from onset.report.figures.rows import Row, facets, largest_budget_first

_MAJORITY, _ANY = "majority of k samples", "any of k samples"
_DASHES = {_MAJORITY: [1, 0], _ANY: [2, 3]}


def sample_figure(shown: Shown) -> Figure | None:
    """A panel for each model whose answers were voted on. None without a vote."""
    banks = largest_budget_first(shown.table("banks"))
    if not banks:
        return None
    panels = [
        _panel(where, group, shown.style)
        for where, group in facets(banks, ("task", "shift", "stage", "model", "labels"))
    ]
    caption = shown.style.say(
        "Accuracy against the number k of samples an item, on a log scale, from one bank of samples: averaged over all"
        " subsets of k of them. Solid: the answer of most of the k samples (maj@k; ties are split evenly). Dashed: the"
        " share of items at which at least one of them is right (pass@k), which a perfect choice among them would"
        " reach. Shaded: 95 % intervals."
    )
    return Figure("samples", "Accuracy and number of samples", caption, "model", tuple(panels))


def _panel(where: dict[str, str], banks: Rows, style: Style) -> Panel:
    rows = [row for bank in banks for row in _rows(bank, style.say)]
    ks = sorted({row["k"] for row in rows})
    top = min(1.0, math.ceil(max(row["high"] for row in rows) * 20 + 0.2) / 20)
    ticks = [k for k in ks if k in (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000) or k == ks[-1]]
    axis = {"values": ticks, "grid": False, "format": "d", "labelOverlap": "greedy"}
    x = quantity("k", title=style.say("Samples an item"), scale=log_scale(ks), axis=axis)
    names = [style.say(name) for name in _DASHES]
    dash = category("what", title=None, scale={"domain": names, "range": list(_DASHES.values())})
    at = {"x": x, "y": accuracy_axis(top), "color": style.colour()}
    fields = {"method": "Method", "k": "Samples an item", "what": "Answer", "says": "Accuracy"}
    band = {"x": x, "y": quantity("low"), "y2": end("high"), "color": style.colour(), "detail": category("what")}
    charts = [
        layer("area", rows, band | {"opacity": fade(0.13)}),
        layer("line", rows, at | {"strokeDash": dash, "opacity": fade(0.9)}, strokeWidth=1.8),
        layer("point", rows, at | {"opacity": fade(), "tooltip": tooltip(fields)}, **dot(22)),
    ]
    return Panel(str(where["model"]), where, (_chart(charts),), _describe(where, banks, style.say))


def _chart(charts: list[Spec]) -> Spec:
    return layered(charts, "Accuracy", 240)


def _rows(bank: Mapping[str, Any], say: Say) -> list[Row]:
    """One row a k and way of answering."""
    rows = []
    for point in bank["points"]:
        for name, key in ((_MAJORITY, "majority"), (_ANY, "any")):
            low, high = point[f"{key}_interval"]
            rows.append(
                {"method": bank["methods"][0], "k": point["k"], "what": say(name), "accuracy": point[key], "low": low}
                | {"high": high, "says": f"{percent(point[key])} ({number(100 * low)}–{number(100 * high)} %)"}
            )
    return rows


def _describe(where: Mapping[str, str], banks: Rows, say: Say) -> str:
    head = say(
        "{task}, {model}: accuracy against the number of samples.", task=say.task(where["task"]), model=where["model"]
    )
    said = [
        say(
            "{method}: {one} with one sample, {majority} by the majority of {count}, {any} by the best of them",
            method=say.method(bank["methods"][0]), one=percent(bank["points"][0]["majority"]),
            majority=percent(bank["points"][-1]["majority"]), count=bank["samples"],
            any=percent(bank["points"][-1]["any"]),
        )
        for bank in banks
    ]  # fmt: skip
    return f"{head} {say.clauses(said)}"
