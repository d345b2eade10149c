"""What stages of training add to the gain of chain of thought: gains, and their differences below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import number
from onset.report.figures.base import SIGNED, Figure, Panel, Rows, Shown, Style, layered, quantity, reach_of
from onset.report.figures.pairs import both_sides, differences, listed, row_axis, rows_height, zero_line
from onset.report.figures.rows import Row, facets, gap_words, with_budget_name


def stage_gain_figure(shown: Shown) -> Figure | None:
    """One row a stage and reference. None where no stage has both methods."""
    known = [with_budget_name(one) for one in shown.table("stage_gains") if one["difference"] is not None]
    if not known:
        return None
    panels = [_panel(where, group, shown.style) for where, group in facets(known, ("task", "shift", "labels"))]
    caption = shown.style.say(
        "One row a stage and what it is held against, the base model unless another is named. Above: the gain of chain"
        " of thought over answering at once of the reference (hollow) and after the stage (filled). Below: the"
        " difference of both gains in percentage points with its 95 % interval; left of the line the stage takes from"
        " the gain."
    )
    return Figure("stage gains", "What a stage adds to the gain", caption, "task", tuple(panels))


def _panel(where: dict[str, str], group: Rows, style: Style) -> Panel:
    rows = [_row(one, style.say) for one in sorted(group, key=lambda one: (one["params"], one["sides"][0]))]
    names = [row["name"] for row in rows]
    reach = reach_of(group)
    most = max(reach, *(abs(row[key]) for row in rows for key in ("before", "after")))
    ticks = {"labelExpr": SIGNED, "tickCount": 5}
    x = quantity("before", title=None, scale={"domain": [-most, most], "nice": False}, axis=ticks)
    at = {"y": row_axis(names), "color": style.colour()}
    gains = [zero_line(), *both_sides(rows, at, x, "after", _TOOLTIP)]
    scale = {"domain": [-reach, reach], "nice": False}
    gap = quantity("low", title="Added to the gain (percentage points)", scale=scale, axis=ticks)
    height = rows_height(names)
    charts = (
        layered(gains, "Gain of either", height),
        layered(differences(rows, at, gap, _TOOLTIP), "Difference from the reference", height),
    )
    described = style.say(
        "{task}: {compared}: the gain after each stage, and that of what it is held against.",
        task=style.say.task(where["task"]), compared=listed(names),
    )  # fmt: skip
    return Panel(where["task"], where, charts, described)


_TOOLTIP = {"name": "Stage and methods", "levels": "Reference and stage", "says": "Difference", "verdict": "Verdict"}


def _row(one: Mapping[str, Any], say: Say) -> Row:
    low, high = one["interval"]
    after, before = (held["gain"] for held in one["gains"])
    stage, reference = (say.stage(name) for name in one["sides"])
    against = ""
    if one["against"] == "placebo":
        against = f"\n{say('against its placebo “{stage}”', stage=reference)}"
    elif one["against"] != "base":
        against = f"\n{say('given {reference}', reference=reference)}"
    return {
        "name": f"{stage}{against}\n{say.size(one['params'])} · {say.method(one['methods'][0])}",
        "method": one["methods"][0],
        "before": before,
        "after": after,
        "difference": one["difference"],
        "low": low,
        "high": high,
        "says": gap_words(one["difference"], one["interval"], say),
        "levels": say("{a} and {b}", a=number(100 * before), b=number(100 * after)),
        "verdict": say(one["verdict"]),
    }
