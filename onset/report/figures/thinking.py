"""Accuracy against thinking tokens, one panel a task; below it how often thinking used up its budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import (
    DASHES,
    GREY,
    PERCENT,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    accuracy_axis,
    category,
    chance_layers,
    dot,
    end,
    fade,
    layer,
    layered,
    log_scale,
    quantity,
    tooltip,
)
from onset.report.figures.rows import Row, facets, with_budget_name

_FEWEST = 2
"""Budgets of a line that is drawn."""
_DASHES = ([1, 0], DASHES["tuned"], [2, 3], [8, 3, 2, 3])
_CONSTANT = 8
"""Tokens below which the axis is nearly linear, where an output does not think at all."""


def thinking_figure(shown: Shown) -> Figure | None:
    """A panel for each task that was thought about at two budgets or more. None without one."""
    lines = [with_budget_name(one) for one in shown.table("thinking") if len(one["points"]) >= _FEWEST]
    if not lines:
        return None
    panels = [
        _panel(where, group, shown) for where, group in facets(lines, ("task", "shift", "stage", "model", "labels"))
    ]
    caption = shown.style.say(
        "Above: accuracy against the thinking tokens of an output (their mean, marks of thinking included), one point"
        " a budget; lines join budgets that are asked alike in everything else. Below: the share of outputs that used"
        " up the budget before they had done thinking. Bars: 95 % intervals. Grey dashes: the accuracy of a blind"
        " guess, where it is above zero."
    )
    return Figure("thinking", "Accuracy and thinking", caption, "task", tuple(panels))


def _panel(where: dict[str, str], lines: Rows, shown: Shown) -> Panel:
    style, say = shown.style, shown.style.say
    rows = [row for line in lines for row in _rows(line, say)]
    cells = [cell for cell in shown.cells if (cell["task"], cell["shift"]) == (where["task"], where["shift"])]
    levels = [row["high"] for row in rows] + [cell["chance"] or 0.0 for cell in cells]
    top = min(1.0, math.ceil(max(levels) * 20 + 0.2) / 20)
    ticks = sorted({row["tokens"] for row in rows})
    names = list(dict.fromkeys(row["line"] for row in rows))
    dash = category(
        "line", title=None, legend=None if len(names) == 1 else {},
        scale={"domain": names, "range": [_DASHES[place % len(_DASHES)] for place in range(len(names))]},
    )  # fmt: skip
    axis = {"grid": False, "format": ".3~s", "values": ticks, "labelOverlap": "greedy", "labelSeparation": 8}
    scale = log_scale(ticks) if ticks[0] > 0 else {"type": "symlog", "constant": _CONSTANT, "nice": False}
    bare = quantity("tokens", title=None, scale=scale, axis=axis | {"labels": False})
    named = quantity("tokens", title=say("Thinking tokens an output"), scale=scale, axis=axis)
    shares = {"labelExpr": PERCENT, "values": [0, 0.5, 1], "minExtent": 34, "maxExtent": 34}
    share = quantity("cut", title=None, scale={"domain": [0, 1]}, axis=shares)
    above = [*chance_layers(cells, style), *_layers(rows, bare, accuracy_axis(top), ("low", "high"), dash, style)]
    below = _layers(rows, named, share, ("cut_low", "cut_high"), dash, style)
    charts = (layered(above, "Accuracy", 240), layered(below, say("Budget used up"), 64))
    return Panel(str(where["task"]), where, charts, _describe(where, lines, say))


def _layers(rows: Rows, x: Spec, y: Spec, ends: tuple[str, str], dash: Spec, style: Style) -> list[Spec]:
    at, colour, (low, high) = {"x": x, "y": y}, style.colour(), ends
    span = {"x": x, "y": quantity(low), "y2": end(high), "color": colour, "opacity": fade(0.7)}
    fields = {
        "method": "Method",
        "line": "Asked alike",
        "budget": "Budget",
        "thought": "Thinking tokens",
        "says": "Accuracy",
        "cut_says": "Budget used up",
    }
    spots = at | {"color": colour, "opacity": fade(), "tooltip": tooltip(fields)}
    return [
        layer("line", rows, at | {"strokeDash": dash}, color=GREY, strokeWidth=1.4),
        layer("rule", rows, span, strokeWidth=2),
        layer("point", rows, spots, **dot(62)),
    ]


def _rows(line: Mapping[str, Any], say: Say) -> list[Row]:
    """One row a budget."""
    rows = []
    for point in line["points"]:
        (low, high), (cut_low, cut_high) = point["interval"], point["cut_interval"]
        rows.append(
            {name: point[name] for name in ("method", "budget", "tokens", "accuracy", "cut")}
            | {"line": line["line"], "low": low, "high": high, "cut_low": cut_low, "cut_high": cut_high}
            | {
                "thought": number(point["tokens"]),
                "says": say(
                    "{share} ({low}–{high} %; {sample})", share=percent(point["accuracy"]), low=number(100 * low),
                    high=number(100 * high), sample=say.sample(point["n"], point["draws"]),
                ),
                "cut_says": f"{percent(point['cut'])} ({number(100 * cut_low)}–{number(100 * cut_high)} %)",
            }
        )  # fmt: skip
    return rows


def _describe(where: Mapping[str, str], lines: Rows, say: Say) -> str:
    head = say("{task}, {model}: accuracy against thinking tokens.", task=say.task(where["task"]), model=where["model"])
    said = [
        say(
            "{line}: {first} with {few} thinking tokens (budget {small}), {last} with {many} (budget {large})",
            line=line["line"], first=percent(line["points"][0]["accuracy"]),
            few=number(line["points"][0]["tokens"]), small=line["points"][0]["budget"],
            last=percent(line["points"][-1]["accuracy"]), many=number(line["points"][-1]["tokens"]),
            large=line["points"][-1]["budget"],
        )
        for line in lines
    ]  # fmt: skip
    return f"{head} {say.clauses(said)}"
