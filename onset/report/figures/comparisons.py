"""Differences with their intervals, one row a comparison: for papers, since the report has the table."""

from __future__ import annotations

from onset.report.figures.base import (
    Figure,
    Panel,
    Rows,
    Shown,
    category,
    dot,
    end,
    layer,
    layered,
    quantity,
    reach_of,
)
from onset.report.figures.pairs import zero_line
from onset.report.figures.rows import facets

VERDICT_COLOURS = {"wins": "#0072B2", "loses": "#D55E00", "equivalent": "#00875F", "undecided": "#767676"}


def comparison_figure(shown: Shown) -> Figure | None:
    """One panel a task. None without a comparison that has a difference."""
    known = [one for one in shown.table("comparisons") if one["difference"] is not None]
    if not known:
        return None
    reach = reach_of(known)
    panels = [_panel(where, group, reach) for where, group in facets(known, ("task", "shift", "stage"))]
    caption = shown.style.say(
        "Difference in accuracy between the first and the second method named, in percentage points, with its 95 %"
        " interval. Right of the line the first method is more accurate."
    )
    return Figure("comparisons", "Differences between methods", caption, "task", tuple(panels), paper_only=True)


def _panel(where: dict[str, str], group: Rows, reach: float) -> Panel:
    rows = []
    for one in group:
        low, high = one["interval"]
        given = "" if one["labels"] is None else f" · {one['labels']} labels"
        name = f"{one['sides'][0]} − {one['sides'][1]} · {one['model']}{given}"
        row = {"name": name, "difference": one["difference"], "low": low, "high": high, "verdict": one["verdict"]}
        rows.append(row)
    verdicts = {"domain": list(VERDICT_COLOURS), "range": list(VERDICT_COLOURS.values())}
    names = {"labelLimit": 420, "ticks": False, "domain": False, "labelPadding": 8}
    ticks = {"labelExpr": "format(datum.value * 100, '+.0f')", "tickCount": 7}
    scale = {"domain": [-reach, reach], "nice": False}
    at = {
        "x": quantity("low", title="Difference (percentage points)", scale=scale, axis=ticks),
        "y": category("name", title=None, sort=None, axis=names),
        "color": category("verdict", title="Verdict", scale=verdicts),
    }
    layers = [
        zero_line(),
        layer("rule", rows, at | {"x2": end("high")}, strokeWidth=2),
        layer("point", rows, at | {"x": quantity("difference")}, **dot(60)),
    ]
    charts = (layered(layers, "", 20 * len(rows) + 10),)
    return Panel(where["task"], where, charts, f"Differences between methods on {where['task']}.")
