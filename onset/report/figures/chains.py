"""Right and wrong answers by right and wrong steps: shares of all outputs, a bar a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import percent
from onset.report.figures.base import (
    PERCENT,
    Figure,
    Panel,
    Rows,
    Shown,
    Style,
    category,
    end,
    fade,
    layer,
    layered,
    name_axis,
    quantity,
    tooltip,
)
from onset.report.figures.rows import Row, facets, with_budget_name

_PARTS = {
    ("right answer", "right"): ("right answer, right steps", "#0072B2"),
    ("right answer", "unchecked"): ("right answer, steps unchecked", "#7FB4D6"),
    ("right answer", "wrong"): ("right answer, a wrong step", "#A87800"),
    ("wrong answer", "right"): ("wrong answer, right steps", "#E39A66"),
    ("wrong answer", "unchecked"): ("wrong answer, steps unchecked", "#B9B9B9"),
    ("wrong answer", "wrong"): ("wrong answer, a wrong step", "#767676"),
}
"""Answer and steps -> what they are called, and their colour: right answers are blue but for those by a wrong step."""


def chain_figure(shown: Shown) -> Figure | None:
    """A panel for each model that wrote steps. None without any."""
    chains = [with_budget_name(one) for one in shown.table("chains") if one["outputs"]]
    if not chains:
        return None
    panels = [
        _panel(where, group, shown.style)
        for where, group in facets(chains, ("task", "shift", "stage", "model", "labels"))
    ]
    caption = shown.style.say(
        "Shares of all outputs (over items, draws and samples) by answer and steps. Steps are right where some could be"
        " checked and none is wrong, by the sums in them and by what the task knows; they are unchecked where none"
        " could be."
    )
    return Figure("chains", "Answers and their steps", caption, "model", tuple(panels))


def _panel(where: dict[str, str], group: Rows, style: Style) -> Panel:
    say = style.say
    rows = [row for one in group for row in _rows(one, say)]
    names = list(dict.fromkeys(row["method"] for row in rows))
    parts = {"domain": [say(name) for name, _ in _PARTS.values()], "range": [colour for _, colour in _PARTS.values()]}
    axis = {"labelExpr": PERCENT, "tickCount": 5}
    at = {
        "x": quantity("low", title=say("Share of outputs"), scale={"domain": [0, 1], "nice": False}, axis=axis),
        "x2": end("high"),
        "y": category("method", title=None, sort=names, axis=name_axis({name: name for name in names})),
        "color": category(
            "what", title=None, scale=parts, legend={"columns": 1, "orient": "bottom", "labelLimit": 260}
        ),
        "opacity": fade(),
        "tooltip": tooltip({"method": "Method", "what": "Answer and steps", "says": "Outputs"}),
    }
    chart = layered([layer("bar", rows, at, height=16)], "", 30 * len(names) + 10)
    return Panel(str(where["model"]), where, (chart,), _describe(where, group, say))


def _rows(one: Mapping[str, Any], say: Say) -> list[Row]:
    """One row a kind of answer and steps, side by side from 0 to 1."""
    rows, at = [], 0.0
    for (answer, steps), (name, _) in _PARTS.items():
        count = one["counts"][answer][steps]
        share = count / one["outputs"]
        said = say("{part} of {whole} ({share})", part=count, whole=one["outputs"], share=percent(share))
        rows.append({"method": one["method"], "what": say(name), "low": at, "high": at + share, "says": said})
        at += share
    return rows


def _describe(where: Mapping[str, str], group: Rows, say: Say) -> str:
    head = say("{task}, {model}: answers by their steps.", task=say.task(where["task"]), model=where["model"])
    said = [
        say(
            "{method}: {sound} right by right steps, {lucky} right by a wrong step",
            method=say.method(one["method"]),
            sound=percent(one["counts"]["right answer"]["right"] / one["outputs"]),
            lucky=percent(one["counts"]["right answer"]["wrong"] / one["outputs"]),
        )
        for one in group
    ]
    return f"{head} {say.clauses(said)}"
