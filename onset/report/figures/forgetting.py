"""What training forgets elsewhere, beside what it gains on its own task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import SIGNED, Figure, Panel, Rows, Shown, Style, layered, quantity
from onset.report.figures.pairs import differences, listed, row_axis, rows_height
from onset.report.figures.rows import Row, facets, gap_words

_TOOLTIP = {"name": "Training", "levels": "Before and after", "says": "Difference", "verdict": "Verdict"}


def forgetting_figure(shown: Shown) -> Figure | None:
    """A panel for each other task and for the text. None where nothing was asked elsewhere."""
    known = [one for one in shown.table("forgetting") if one["difference"] is not None]
    if not known:
        return None
    panels = [_panel(where, group, shown.style) for where, group in facets(known, ("task",))]
    caption = shown.style.say(
        "Other tasks, on which no example was granted, and plain text: one row a way of training and model, after minus"
        " before, with its 95 % interval. Left of the line accuracy was lost; for the text, in bits a byte, what is"
        " right of it was. Below, in the same rows: what the training gained on its own task. A method that prompts"
        " changes no weight and stands at 0."
    )
    return Figure("forgetting", "What training forgets elsewhere", caption, "task", tuple(panels))


def _panel(where: dict[str, str], group: Rows, style: Style) -> Panel:
    text = group[0]["metric"] != "accuracy"
    rows = [_row(one, text, style.say) for one in group]
    names = list(dict.fromkeys(row["name"] for row in rows))
    at = {"y": row_axis(names)}
    if all(row["method"] in style.methods for row in rows):
        at["color"] = style.colour()
    height = rows_height(names)
    title = "Change elsewhere (bits a byte)" if text else "Change elsewhere (percentage points)"
    charts = [layered(_layers(rows, at, "", title, points=not text), "Change elsewhere", height)]
    gains = [row for row in rows if row["gain"] is not None]
    if gains:
        below = _layers(gains, at, "gain_", "Gain on its own task (percentage points)", points=True)
        charts.append(layered(below, "Gain on its own task", height))
    described = style.say(
        "{task}: {compared}: what each changed elsewhere, and gained on its own task.",
        task=style.say.task(where["task"]), compared=listed(names),
    )  # fmt: skip
    return Panel(where["task"], where, tuple(charts), described)


def _layers(rows: Rows, at: dict[str, Any], key: str, title: str, *, points: bool) -> list[Any]:
    low, high, middle = f"{key}low", f"{key}high", key.rstrip("_") or "difference"
    reach = max(abs(row[name]) for row in rows for name in (low, high, middle)) * 1.05 or 0.05
    ticks = {"labelExpr": SIGNED, "tickCount": 5} if points else {"tickCount": 5}
    scale = {"domain": [-reach, reach], "nice": False}
    gap = quantity(low, title=title, scale=scale, axis=ticks)
    return differences(rows, at, gap, _TOOLTIP, high=high, middle=middle)


def _row(one: Mapping[str, Any], text: bool, say: Say) -> Row:
    stage, gain = one["stage"], one["gain"]
    named = say("after “{stage}”", stage=say.stage(stage))
    if one["home"] is not None:
        plain = say.method(one["method"])
        named = plain if stage == "base" else f"{plain}\n{named}"
    more = [say.size(one["params"])] + ([say.counted("label", one["labels"])] if one["home"] is not None else [])
    low, high = one["interval"]
    written = (lambda value: number(value, 3)) if text else percent
    said = number(one["difference"], 3) if text else gap_words(one["difference"], one["interval"], say)
    known = gain is not None and gain["interval"] is not None
    return {
        "name": f"{named}\n{' · '.join(more)}",
        "method": one["method"] or "",
        "difference": one["difference"],
        "low": low,
        "high": high,
        "levels": say("{a} and {b}", a=written(one["before"]), b=written(one["after"])),
        "says": said,
        "verdict": say(one["verdict"]),
        "gain": gain["difference"] if known else None,
        "gain_low": gain["interval"][0] if known else None,
        "gain_high": gain["interval"][1] if known else None,
    }
