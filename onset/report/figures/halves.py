"""Accuracy by answer on every test set under a shift: both halves of a trap set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import (
    GREY,
    PERCENT,
    SHAPES,
    Figure,
    Panel,
    Rows,
    Shown,
    Style,
    category,
    dot,
    end,
    fade,
    layer,
    layered,
    name_axis,
    quantity,
    rows_high,
    tooltip,
)
from onset.report.figures.rows import Row, facets, largest_budget_first

_TOOLTIP = {"method": "Method", "answer": "Answer", "says": "Accuracy", "given": "Given in"}
_MOST = len(SHAPES)


def halves_figure(shown: Shown) -> Figure | None:
    """A panel for each model, test set, stage and budget; of up to eight answers. None without one."""
    known = largest_budget_first(
        one
        for one in shown.robustness("breakdowns")
        if one["by"] == "answer" and one["shift"] != "none" and len(one["parts"]) <= _MOST
    )
    if not known:
        return None
    panels = [
        _panel(where, group, shown.style)
        for where, group in facets(known, ("model", "task", "stage", "shift", "labels"))
    ]
    caption = shown.style.say(
        "Accuracy under the shift on the items of each right answer, a shape an answer, joined for each method, with"
        " intervals that hold for all answers of a method together. Where one answer is nearly always right and the"
        " other nearly always wrong, one answer is given to all. Grey dashes: the mean over the answers of a constant"
        " answer."
    )
    return Figure("halves", "Accuracy by right answer", caption, "model", tuple(panels))


def _panel(where: dict[str, str], group: Rows, style: Style) -> Panel:
    say = style.say
    names = [name for name in style.methods if any(one["method"] == name for one in group)]
    answers = list(dict.fromkeys(part["name"] for one in group for part in one["parts"]))
    rows = [_row(one, part, say) for one in group for part in one["parts"]]
    joined = [
        {
            "method": one["method"],
            "accuracy": min(part["accuracy"] for part in one["parts"]),
            "to": max(part["accuracy"] for part in one["parts"]),
        }
        for one in group
    ]
    axis = {"labelExpr": PERCENT, "tickCount": 5}
    x = quantity("accuracy", title="Accuracy", scale={"domain": [0, 1], "nice": False}, axis=axis)
    at = {
        "x": x,
        "y": category("method", title=None, sort=names, axis=name_axis({name: name for name in names})),
        "color": style.colour(),
    }
    shape = category(
        "answer", scale={"domain": answers, "range": list(SHAPES[: len(answers)])}, title="Answer", legend={}
    )
    level = [{"accuracy": group[0]["constant"]}]
    layers = [layer("rule", level, {"x": x}, color=GREY, strokeDash=[3, 3])]
    layers.append(layer("rule", joined, at | {"x2": end("to"), "opacity": fade(0.35)}, strokeWidth=4))
    places = [6 * place - 3 * (len(answers) - 1) for place in range(len(answers))]
    for answer, offset in zip(answers, places, strict=True):
        some = [row for row in rows if row["answer"] == answer]
        bars = {**at, "x": quantity("low"), "x2": end("high"), "opacity": fade(0.7)}
        layers.append(layer("rule", some, bars, strokeWidth=1.5, yOffset=offset))
        spots = at | {"shape": shape, "opacity": fade(), "tooltip": tooltip(_TOOLTIP)}
        layers.append(layer("point", some, spots, yOffset=offset, **dot(70)))
    described = say(
        "{title}: accuracy under {shift} on the items of each answer ({answers}) for {methods}.",
        title=str(where["model"]), shift=say.shift(where["shift"]), answers=say.parted(answers),
        methods=say.parted(map(say.method, names)),
    )  # fmt: skip
    marks = say.parted(
        say("{shape}: {answer}", shape=say(_NAMES[SHAPES[place]]), answer=answer)
        for place, answer in enumerate(answers)
    )
    height = rows_high(map(say.method, names), 22 + 8 * len(answers), 220) * len(names) + 10
    title = say("{model}, {shift}", model=str(where["model"]), shift=say.shift(where["shift"]))
    return Panel(title, where, (layered(layers, "", height),), described, (marks,))


_NAMES = {
    "circle": "circle", "square": "square", "triangle-up": "triangle", "diamond": "diamond",
    "triangle-down": "triangle on its tip", "cross": "cross", "triangle-right": "triangle to the right",
    "triangle-left": "triangle to the left",
}  # fmt: skip


def _row(one: Mapping[str, Any], part: Mapping[str, Any], say: Say) -> Row:
    low, high = part["interval"]
    span = say("{low} to {high} %", low=number(100 * low), high=number(100 * high))
    return {
        "method": one["method"],
        "answer": part["name"],
        "accuracy": part["accuracy"],
        "low": low,
        "high": high,
        "says": say.parted([percent(part["accuracy"]), span]),
        "given": "" if part["answered"] is None else percent(part["answered"]),
    }
