"""A chart as inline SVG: there without a script, in the colours of the page, wide and narrow."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from onset.analysis.phrases import Language, counted
from onset.analysis.phrases.page import Say
from onset.analysis.words import number, plain_method, plain_task
from onset.report.figures.base import Figure, Panel, Spec, Style
from onset.report.figures.pictures import schema_version
from onset.report.layout import in_words, mark, responsive

WIDTHS = {"wide": 640, "narrow": 262}
"""Width of the plot in pixels, by the class of its picture."""
_SHORT = 200
HEIGHTS = {"wide": 290, "narrow": 230}
_PAGE_COLOURS = {"#010101": "--ink", "#020202": "--soft", "#030303": "--line", "#040404": "--strong-line"}
"""Placeholders that a renderer keeps, and what the page puts in their place: so dark and light need one picture."""
_INK, _SOFT, _LINE, _STRONG = _PAGE_COLOURS


def still(figure: Figure, panel: Panel, style: Style, subject: str, language: Language, say: Say) -> dict[str, Any]:
    """The first chart of a panel for the template: a picture for each of `WIDTHS`, and the methods in it.

    ``subject``: what the headline is about; thresholds of methods it does not name are left out. Gives ``name`` of the
    figure, whether it is ``short`` (lower than what stands beside it), what the panel is ``about``, ``describe`` (for
    readers who cannot see it), ``pictures``: class -> SVG, ``methods``: name, name in plain words, colour, and whether
    it is tuned (dashed), of each method drawn; ``means``: what is meant by where a method appears, empty where none is
    shown to.
    """
    chart = _only_about(subject, _with_size_axis(panel), style)
    seen = {row["method"] for part in chart["layer"] for row in part["data"]["values"] if "method" in row}
    rows = [row for part in chart["layer"] for row in part["data"]["values"]]
    tuned = {row["method"] for row in rows if row.get("kind") == "tuned"}
    plain = {name: plain_method(name, language) for name in style.methods if name in seen}
    return {
        "name": figure.name,
        "short": _is_by_rows(chart) and chart["height"] < _SHORT,
        "about": _about(figure, panel, language),
        "describe": panel.describe,
        "means": _appears(chart, say),
        "pictures": {look: _svg(in_words(_with_room(chart, look), style), look) for look in WIDTHS},
        "methods": [
            {
                "name": name,
                "plain": words,
                "colour": style.colours[name],
                "tuned": name in tuned,
                "mark": mark("circle" if style.mark_field == "family" else style.marks[name]),
            }
            for name, words in plain.items()
        ],
    }


def _about(figure: Figure, panel: Panel, language: Language) -> str:
    """The panel's task in plain words, and its model and its budget where the figure has several."""
    parts = [plain_task(panel.where["task"], language)] if "task" in panel.where else []
    if len({one.where.get("model") for one in figure.panels}) > 1:
        parts.append(panel.where["model"])
    budgets = {one.where.get("labels") for one in figure.panels}
    if len(budgets) > 1 and panel.where["labels"].isdigit():
        parts.append(counted("example", int(panel.where["labels"]), language))
    return " · ".join(parts)


def _appears(chart: Spec, say: Say) -> str:
    above = [row["above"] for part in chart["layer"] for row in part["data"]["values"] if row.get("above")]
    if not above:
        return ""
    said = say("Appears: where its curve stands {points} points above chance (dotted; shaded: 95 % interval).")
    return said.format(points=number(100 * above[0], 0 if round(100 * above[0], 1) % 1 == 0 else 1))


def _with_size_axis(panel: Panel) -> Spec:
    """The first chart, with the horizontal axis that charts stacked over one another share below the last."""
    chart = dict(panel.charts[0])
    below = panel.charts[-1]["layer"][-1]["encoding"].get("x", {})
    layers = []
    for part in chart["layer"]:
        channels = dict(part["encoding"])
        if "axis" in channels.get("x", {}) and below.get("title"):
            channels["x"] = channels["x"] | {"axis": below["axis"], "title": below["title"]}
        layers.append(part | {"encoding": channels})
    return chart | {"layer": layers}


def _only_about(subject: str, chart: Spec, style: Style) -> Spec:
    """The chart without thresholds of methods that ``subject`` does not name: bands of all cover each other."""
    others = set(style.methods) - set(re.split(", | over ", subject))
    layers = []
    for part in chart["layer"]:
        rows = part["data"]["values"]
        if part["mark"]["type"] in ("rect", "rule") and any("at" in row for row in rows):
            rows = [row for row in rows if row["method"] not in others]
        layers += [part | {"data": {"values": rows}}] if rows else []
    return chart | {"layer": layers}


def _with_room(chart: Spec, look: str) -> Spec:
    """The chart with names at the ends of lines; none in the narrow picture, which has no room."""
    if look == "wide":
        return chart
    parts = [part for part in chart["layer"] if part["encoding"].get("text", {}).get("field") != "method"]
    return chart | {"layer": [_as_wide_as_its_points(part) for part in parts]}


def _as_wide_as_its_points(part: Spec) -> Spec:
    """The layer without the room that its axis of sizes keeps for names at the ends of lines."""
    x = part["encoding"].get("x", {})
    values = x.get("axis", {}).get("values") or []
    if x.get("scale", {}).get("type") != "log" or len(values) < 2:
        return part
    first, last = x["scale"]["domain"]
    scale = x["scale"] | {"domain": [first, min(last, max(values) * min(values) / first)]}
    return part | {"encoding": part["encoding"] | {"x": x | {"scale": scale}}}


def _svg(chart: Spec, look: str) -> Markup:
    import vl_convert

    height = chart["height"] if _is_by_rows(chart) else HEIGHTS[look]
    spec = responsive(chart) | {"width": WIDTHS[look], "height": height, "config": _CONFIG}
    text = str(vl_convert.vegalite_to_svg(spec, vl_version=schema_version()))
    for placeholder, name in _PAGE_COLOURS.items():
        text = text.replace(f'"{placeholder}"', f'"var({name})"')
    text = re.sub(r"(id=\"|url\(#)(?=clip)", rf"\1still-{look}-", text)
    text = re.sub(r' aria-[a-z]+="[^"]*"', "", text)  # the picture is described as a whole
    return Markup(text.replace('class="marks"', f'class="still {look}"', 1))


def _is_by_rows(chart: Spec) -> bool:
    """Is its height given by the number of its rows?"""
    return any(part["encoding"].get("y", {}).get("type") == "nominal" for part in chart["layer"])


_CONFIG: Spec = {
    "background": "transparent",
    "font": "DejaVu Sans, Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "title": {"color": _SOFT},
    "text": {"color": _INK},
    "axis": {
        "labelColor": _SOFT,
        "titleColor": _SOFT,
        "titleFontWeight": "normal",
        "gridColor": _LINE,
        "domainColor": _STRONG,
        "tickColor": _STRONG,
        "labelFontSize": 12,
        "titleFontSize": 12,
    },
}
