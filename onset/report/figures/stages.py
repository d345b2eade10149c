"""Models that differ in their training, at equal size: accuracies, and differences below."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import percent
from onset.report.figures.base import PERCENT, SIGNED, Figure, Panel, Rows, Shown, Style, layered, quantity, reach_of
from onset.report.figures.pairs import both_sides, differences, listed, row_axis, rows_height
from onset.report.figures.rows import Row, facets, gap_words, with_budget_name


def stage_figure(shown: Shown) -> Figure | None:
    """One row a pair of models and method. None without such a pair."""
    known = [with_budget_name(one) for one in shown.table("stages") if one["difference"] is not None]
    if not known:
        return None
    panels = [_panel(where, group, shown.style) for where, group in facets(known, ("task", "shift", "labels"))]
    caption = shown.style.say(
        "Models of one family and size that differ in their training, one row a pair and method. Above: accuracy of the"
        " reference, the base model unless another is named (hollow), and of the other one (filled). Below: the"
        " difference in percentage points with its 95 % interval; left of the line the other model is less accurate."
    )
    return Figure("stages", "What each ingredient changes", caption, "task", tuple(panels))


def _panel(where: dict[str, str], group: Rows, style: Style) -> Panel:
    rows = [_row(one, style.say) for one in sorted(group, key=lambda one: (one["params"], one["sides"][0]))]
    names = [row["name"] for row in rows]
    top = min(1.0, math.ceil(20 * max(max(row["base"], row["other"]) for row in rows) + 0.2) / 20)
    scale = {"domain": [0, max(top, 0.05)], "nice": False}
    x = quantity("base", title=None, scale=scale, axis={"labelExpr": PERCENT, "tickCount": 5})
    at = {"y": row_axis(names), "color": style.colour()}
    reach = reach_of(group)
    scale, ticks = {"domain": [-reach, reach], "nice": False}, {"labelExpr": SIGNED, "tickCount": 5}
    gap = quantity("low", title="Difference (percentage points)", scale=scale, axis=ticks)
    height = rows_height(names)
    charts = (
        layered(both_sides(rows, at, x, "other", _TOOLTIP), "Accuracy", height),
        layered(differences(rows, at, gap, _TOOLTIP), "Difference from the reference", height),
    )
    against = "{task}: {compared}, each against the base model of the same size unless another is named."
    describe = style.say(against, task=style.say.task(where["task"]), compared=listed(names))
    return Panel(where["task"], where, charts, describe)


_TOOLTIP = {"name": "Model and method", "levels": "Reference and other", "says": "Difference", "verdict": "Verdict"}


def _row(one: Mapping[str, Any], say: Say) -> Row:
    low, high = one["interval"]
    return {
        "name": f"{_against(one['sides'], say)}\n{say.size(one['params'])} · {say.method(one['method'])}",
        "method": one["method"],
        "base": one["accuracy_b"],
        "other": one["accuracy_a"],
        "difference": one["difference"],
        "low": low,
        "high": high,
        "says": gap_words(one["difference"], one["interval"], say),
        "levels": say("{a} and {b}", a=percent(one["accuracy_b"]), b=percent(one["accuracy_a"])),
        "verdict": say(one["verdict"]),
    }


def _against(sides: Sequence[str], say: Say) -> str:
    """The last step of a stage, and below it the stage it is compared with where that is not the base model."""
    stage, reference = sides
    if reference == "base":
        return say.stage(stage)
    given = say("given {reference}", reference=say.stage(reference))
    return f"{say.stage(stage.removeprefix(f'{reference}, '))}\n{given}"
