"""What training forgets elsewhere, beside what it gains on its own task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import (
    GREY,
    SIGNED,
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
    y = category("name", title=None, sort=names, axis=name_axis({name: name for name in names}, most=200))
    at = {"y": y}
    if all(row["method"] in style.methods for row in rows):
        at["color"] = style.colour()
    height = len(names) * rows_high(names, 40, 200) + 10
    title = "Change elsewhere (bits a byte)" if text else "Change elsewhere (percentage points)"
    charts = [layered(_layers(rows, at, "", title, points=not text), "Change elsewhere", height)]
    gains = [row for row in rows if row["gain"] is not None]
    if gains:
        below = _layers(gains, at, "gain_", "Gain on its own task (percentage points)", points=True)
        charts.append(layered(below, "Gain on its own task", height))
    described = style.say(
        "{task}: {compared}: what each changed elsewhere, and gained on its own task.",
        task=style.say.task(where["task"]), compared=", ".join(name.replace("\n", " · ") for name in names),
    )  # fmt: skip
    return Panel(where["task"], where, tuple(charts), described)


def _layers(rows: Rows, at: dict[str, Any], key: str, title: str, *, points: bool) -> list[Any]:
    low, high, middle = f"{key}low", f"{key}high", key.rstrip("_") or "difference"
    reach = max(abs(row[name]) for row in rows for name in (low, high, middle)) * 1.05 or 0.05
    ticks = {"labelExpr": SIGNED, "tickCount": 5} if points else {"tickCount": 5}
    scale = {"domain": [-reach, reach], "nice": False}
    gap = quantity(low, title=title, scale=scale, axis=ticks)
    spot = at | {"opacity": fade(), "tooltip": tooltip(_TOOLTIP)}
    return [
        layer("rule", [{"zero": 0}], {"x": quantity("zero")}, color=GREY),
        layer("rule", rows, at | {"x": gap, "x2": end(high), "opacity": fade(0.8)}, strokeWidth=2),
        layer("point", rows, spot | {"x": quantity(middle)}, **dot(60)),
    ]


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
