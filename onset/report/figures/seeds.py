"""Each seed's accuracy against model size, and below it the share of seeds that have the ability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import (
    PERCENT,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    accuracy_axis,
    chance_layers,
    dot,
    end,
    fade,
    layer,
    layered,
    log_scale,
    quantity,
    size_axis,
    tooltip,
)
from onset.report.figures.rows import Row, dodged, facets, with_budget_name

_FACETS = ("task", "shift", "stage", "family", "labels")


def seed_figure(shown: Shown) -> Figure | None:
    """A panel for each task, budget and family with several seeds at a size. None without any."""
    known = [with_budget_name(one) for one in shown.table("pretraining_seeds") if "sizes" in one]
    if not known:
        return None
    panels = [_panel(where, group, shown.style) for where, group in facets(known, _FACETS)]
    caption = shown.style.say(
        "Seeds of pretraining: above, each seed's accuracy against the number of parameters, filled where it is shown"
        " to have the ability (its interval lies above chance by the margin); below, the share of seeds that have it,"
        " with its exact 95 % interval."
    )
    return Figure("seeds", "Seeds of pretraining", caption, "task", tuple(panels))


def _panel(where: dict[str, str], group: Rows, style: Style) -> Panel:
    seeds = dodged([row for one in group for row in _seeds(one, style.say)], "params", style.methods)
    shares = dodged([row for one in group for row in _shares(one, style.say)], "params", style.methods)
    sizes = sorted({row["params"] for row in shares})
    scale = log_scale([row["x"] for row in seeds])
    bare = quantity("x", title=None, scale=scale, axis=size_axis(sizes, False, style))
    named = quantity("x", title="Parameters", scale=scale, axis=size_axis(sizes, True, style))
    top = min(1.0, max(max(row["accuracy"] for row in seeds) + 0.05, *(one["above"] + 0.05 for one in group)))
    return Panel(
        where["task"],
        where,
        (
            layered([*chance_layers(group, style), *_dots(seeds, bare, top, style)], "Accuracy of each seed", 240),
            layered(_bars(shares, named, style), "Share of seeds that have the ability", 120),
        ),
        _describe(where, group, style.say),
    )


def _dots(seeds: Rows, x: Spec, top: float, style: Style) -> list[Spec]:
    """Filled where a seed has the ability, else a ring."""
    at = {"x": x, "y": accuracy_axis(top), "color": style.colour(), "opacity": fade(0.8)}
    told = {
        "tooltip": tooltip(
            {"method": "Method", "model": "Model", "seed": "Seed", "says": "Accuracy", "state": "Has it"}
        )
    }
    full = [row for row in seeds if row["has"]]
    ring = [row for row in seeds if not row["has"]]
    layers = [layer("point", full, at | told, **dot(56))] if full else []
    return layers + ([layer("point", ring, at | told, filled=False, size=56, strokeWidth=1.6)] if ring else [])


def _bars(shares: Rows, x: Spec, style: Style) -> list[Spec]:
    axis = {"labelExpr": PERCENT, "values": [0, 0.5, 1], "minExtent": 34, "maxExtent": 34}
    at = {"x": x, "y": quantity("share", title=None, scale={"domain": [0, 1]}, axis=axis), "color": style.colour()}
    told = {"method": "Method", "size": "Parameters", "says": "Share"}
    span = at | {"y": quantity("low"), "y2": end("high"), "opacity": fade(0.7)}
    return [
        layer("line", shares, at | {"opacity": fade(0.8)}, strokeWidth=1.4),
        layer("rule", shares, span, strokeWidth=2),
        layer("point", shares, at | {"opacity": fade(), "tooltip": tooltip(told)}, **dot(50)),
    ]


def _seeds(one: Mapping[str, Any], say: Say) -> list[Row]:
    rows = []
    for size in one["sizes"]:
        for seed in size["seeds"]:
            low, high = (number(100 * bound) for bound in seed["interval"])
            state = "has it" if seed["has"] else "lacks it" if seed["lacks"] else "not told by its items"
            says = say.parted([percent(seed["accuracy"]), say("{low} to {high} %", low=low, high=high)])
            told = {"model": seed["model"], "seed": str(seed["pretraining_seed"]), "says": says, "state": say(state)}
            held = {"params": size["size"], "accuracy": seed["accuracy"], "has": seed["has"]}
            rows.append({"method": one["method"], **held, **told})
    return rows


def _shares(one: Mapping[str, Any], say: Say) -> list[Row]:
    rows = []
    for size in one["sizes"]:
        low, high = size["interval"]
        of = say("{part} of {whole}", part=size["has"], whole=size["of"])
        spread = say("{low} to {high} %", low=number(100 * low), high=number(100 * high))
        told = {"says": say.parted([of, spread]), "size": say.size(size["size"])}
        held = {"params": size["size"], "share": size["share"], "low": low, "high": high}
        rows.append({"method": one["method"], **held, **told})
    return rows


def _describe(where: Mapping[str, str], group: Rows, say: Say) -> str:
    shares = [
        say(
            "{method} {has} of {of} at {size}", method=say.method(one["method"]), has=size["has"], of=size["of"],
            size=say.size(size["size"]),
        )
        for one in group
        for size in one["sizes"]
    ]  # fmt: skip
    return say(
        "{task}: accuracy of each seed against model size for {methods}, and the share that has the ability: {shares}.",
        task=say.task(where["task"]), methods=say.parted(say.method(one["method"]) for one in group),
        shares=say.parted(shares),
    )  # fmt: skip
