"""Whom a model believes where a passage contradicts memory, and facts in weights beside the same facts in context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onset.analysis.questions.new_facts import PROBES
from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import (
    PAPER,
    PERCENT,
    SIGNED,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    end,
    fade,
    layer,
    layered,
    quantity,
    reach_of,
    tooltip,
)
from onset.report.figures.pairs import both_sides, differences, listed, row_axis, rows_height
from onset.report.figures.rows import Row, facets, gap_words, largest_budget_first

_SIDES = {"passage": ("circle", -8), "memory": ("diamond", 0), "neither": ("square", 8)}
"""The shape of a side's mark, and how many pixels above or below the middle of its row it stands."""
_SHARES = {"domain": [0, 1], "nice": False}
_TICKS = {"labelExpr": PERCENT, "tickCount": 5}


def conflict_figure(shown: Shown) -> Figure | None:
    """A panel for each task whose passages contradict memory, one row a model and method. None without one."""
    known = largest_budget_first(shown.table("conflicts"))
    if not known:
        return None
    panels = [
        _conflicts(where, group, shown.style) for where, group in facets(known, ("task", "shift", "stage", "labels"))
    ]
    caption = shown.style.say(
        "Questions after a passage that contradicts what is true outside of it, one panel a kind of passage, one row a"
        " model (and method), the smallest first: the share of answers that are the passage's (circle), memory's"
        " (diamond) and neither's (hollow square), with 95 % intervals."
    )
    return Figure("passage or memory", "Passage or memory", caption, "task", tuple(panels))


def _conflicts(where: dict[str, str], group: Rows, style: Style) -> Panel:
    say = style.say
    several = len({one["method"] for one in group}) > 1
    ranked = sorted(group, key=lambda one: (one["params"], style.methods.index(one["method"])))
    rows = [_side(one, side, several, say) for one in ranked for side in _SIDES]
    names = list(dict.fromkeys(row["name"] for row in rows))
    x = quantity("share", title="Share of the answers", scale=_SHARES, axis=_TICKS)
    at = {"x": x, "y": row_axis(names), "color": style.colour()}
    layers: list[Spec] = []
    for side, (shape, offset) in _SIDES.items():
        some = [row for row in rows if row["side"] == side]
        bars = {**at, "x": quantity("low"), "x2": end("high"), "opacity": fade(0.7)}
        look = {"filled": False, "strokeWidth": 2, "fill": {"expr": PAPER}} if side == "neither" else {"filled": True}
        spots = at | {"opacity": fade(), "tooltip": tooltip(_SIDE_TOOLTIP)}
        layers.append(layer("rule", some, bars, strokeWidth=1.5, yOffset=offset))
        layers.append(layer("point", some, spots, yOffset=offset, shape=shape, size=60, **look))
    said = [
        say(
            "{name}: {passage} by the passage, {memory} by memory, {neither} neither",
            name=listed([_name(one, several, say)]), passage=percent(one["passage"]), memory=percent(one["memory"]),
            neither=percent(one["neither"]),
        )
        for one in ranked
    ]  # fmt: skip
    title = say("{task}: answers by passage and by memory.", task=say.task(where["task"]))
    described = style.told(title, say.text(said))
    key = say("circle: by the passage; diamond: by memory; hollow square: by neither")
    return Panel(where["task"], where, (layered(layers, "", rows_height(names)),), described, (key,))


_SIDE_TOOLTIP = {"model": "Model", "method": "Method", "answers": "Answers", "says": "Share of the answers"}


def _name(one: Mapping[str, Any], several: bool, say: Say) -> str:
    return f"{one['model']}\n{say.method(one['method'])}" if several else str(one["model"])


def _side(one: Mapping[str, Any], side: str, several: bool, say: Say) -> Row:
    low, high = one[f"{side}_interval"]
    span = say("{low} to {high} %", low=number(100 * low), high=number(100 * high))
    return {
        "name": _name(one, several, say),
        "model": one["model"],
        "method": one["method"],
        "side": side,
        "answers": say(_ANSWERS[side]),
        "share": one[side],
        "low": low,
        "high": high,
        "says": say.parted([percent(one[side]), span]),
    }


_ANSWERS = {"passage": "by the passage", "memory": "by memory", "neither": "by neither"}


# ---- facts in weights ----------------------------------------------------------------------------------------------


def placement_figure(shown: Shown) -> Figure | None:
    """A panel for each model, stage and budget, one row a probe and pair of methods. None without one."""
    known = largest_budget_first(one for one in shown.table("facts_in_weights") if one["difference"] is not None)
    if not known:
        return None
    panels = [_placements(where, group, shown.style) for where, group in facets(known, ("model", "stage", "labels"))]
    caption = shown.style.say(
        "The same new facts learnt in weights and read in a passage, one row a way of asking about them (and pair of"
        " methods). Above: accuracy in context (hollow) and in weights (filled). Below: the difference in percentage"
        " points with its 95 % interval; left of the line the weights know less than the passage says."
    )
    return Figure("facts in weights", "Facts in weights and in context", caption, "model", tuple(panels))


def _placements(where: dict[str, str], group: Rows, style: Style) -> Panel:
    say = style.say
    several = len({tuple(one["methods"]) for one in group}) > 1
    rows = [_placement(one, several, say) for one in group]
    names = [row["name"] for row in rows]
    at = {"y": row_axis(names), "color": style.colour()}
    reach, ticks = reach_of(group), {"labelExpr": SIGNED, "tickCount": 5}
    gap = quantity(
        "low", title="Difference (percentage points)", scale={"domain": [-reach, reach], "nice": False}, axis=ticks
    )
    x, height = quantity("context", title=None, scale=_SHARES, axis=_TICKS), rows_height(names)
    charts = (
        layered(both_sides(rows, at, x, "weights", _FACT_TOOLTIP), "Accuracy", height),
        layered(differences(rows, at, gap, _FACT_TOOLTIP), "In weights less in context", height),
    )
    said = say.clauses(
        say(
            "{probe}: {weights} in weights, {context} in context", probe=listed([row["name"]]),
            weights=percent(row["weights"]), context=percent(row["context"]),
        )
        for row in rows
    )  # fmt: skip
    described = say("{where}: {said}", where=where["model"], said=said)
    key = say("hollow: in context; filled: in weights")
    return Panel(where["model"], where, charts, described, (key,))


_FACT_TOOLTIP = {"name": "Asked", "levels": "In context and in weights", "says": "Difference", "verdict": "Verdict"}


def _placement(one: Mapping[str, Any], several: bool, say: Say) -> Row:
    low, high = one["interval"]
    methods: Sequence[str] = one["methods"]
    probe = say(PROBES.get(one["probe"], one["probe"]))
    pair = say("{a} against {b}", a=say.method(methods[0]), b=say.method(methods[1]))
    return {
        "name": f"{probe}\n{pair}" if several else probe,
        "method": methods[0],
        "context": one["context"],
        "weights": one["weights"],
        "difference": one["difference"],
        "low": low,
        "high": high,
        "says": gap_words(one["difference"], one["interval"], say),
        "levels": say("{a} and {b}", a=percent(one["context"]), b=percent(one["weights"])),
        "verdict": say(one["verdict"]),
    }
