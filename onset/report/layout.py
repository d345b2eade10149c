"""Figures in the page: what may be chosen of each, its charts as wide as their place, and one legend for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onset.analysis.estimates.classification import OTHER, UNREAD
from onset.analysis.phrases import Language
from onset.analysis.phrases.page import words_in
from onset.analysis.words import plain_method, plain_task
from onset.report.figures.base import DEFAULT_QUERIES, FACETS, Figure, Panel, Spec, Style, literal, name_axis
from onset.report.figures.pictures import specification


def responsive(chart: Spec) -> dict[str, Any]:
    """A chart's specification as wide as its place in the page, which has a legend of its own."""
    return specification(_without_legend(chart | {"width": "container"}))


def in_words(chart: Spec, style: Style) -> Spec:
    """A chart with its titles in the style's language and methods by the names that people say."""
    plain = {name: style.say.method(name) for name in style.methods}
    said: Spec = _in_words(chart, words_in(style.language), plain)
    return said


def _in_words(part: Any, say: Callable[[str], str], plain: Mapping[str, str]) -> Any:
    if isinstance(part, list):
        return [_in_words(one, say, plain) for one in part]
    if not isinstance(part, dict):
        return part
    made = {key: value if key == "data" else _in_words(value, say, plain) for key, value in part.items()}
    title = made.get("title")
    if isinstance(title, str):
        made["title"] = say(title)
    elif isinstance(title, dict) and isinstance(title.get("text"), str):
        made["title"] = title | {"text": say(title["text"])}
    if "encoding" in made and "data" in made:
        return _with_names(made, say, plain)
    return made


def _with_names(part: Spec, say: Callable[[str], str], plain: Mapping[str, str]) -> Spec:
    """A layer whose labels, axis and tooltip say methods by their plain names; rows keep the study's."""
    channels = dict(part["encoding"])
    named = False
    for key in ("text", "tooltip"):
        fields = channels.get(key)
        rows = fields if isinstance(fields, list) else [fields] if fields else []
        renamed = [one | {"field": "plain"} if one.get("field") == "method" else one for one in rows]
        if renamed != rows:
            channels[key], named = (renamed if isinstance(fields, list) else renamed[0]), True
    y = channels.get("y", {})
    if y.get("field") == "method" and y.get("axis"):
        channels["y"] = y | {"axis": y["axis"] | name_axis(plain, most=220)}
    x = channels.get("x", {})
    if x.get("field") == "answer" and x.get("axis"):
        labels = literal({name: say(name) for name in (OTHER, UNREAD)})
        channels["x"] = x | {"axis": x["axis"] | {"labelExpr": f"({labels})[datum.value] || datum.value"}}
    made = part | {"encoding": channels}
    if named:
        name = {"calculate": f"({literal(plain)})[datum.method]", "as": "plain"}
        made["transform"] = [*part.get("transform", ()), name]
    return made


def _without_legend(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_legend(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {key: value if key == "data" else _of_channel(key, value) for key, value in part.items()}


def _of_channel(key: str, value: Any) -> Any:
    return {**value, "legend": None} if _is_channel(key, value) else _without_legend(value)


def _is_channel(key: str, value: Any) -> bool:
    """Is it one of which the page's own legend speaks?"""
    known = isinstance(value, dict) and value.get("field") in ("method", "kind", "family")
    return key in ("color", "shape", "strokeOpacity", "strokeDash") and known


def laid_out(figure: Figure, language: Language = "en") -> dict[str, Any]:
    """A figure for the template: the facets to choose from (all but the one laid out), and its panels with titles in
    words (``spec``: as the study has them).
    """
    values = {name: list(dict.fromkeys(p.where[name] for p in figure.panels if name in p.where)) for name in FACETS}
    chosen = [name for name in FACETS if len(values[name]) > 1 and name != figure.grid]
    choices = [{"facet": name, "label": FACETS[name], "values": values[name]} for name in chosen]
    first = figure.panels[0].where
    panels = [
        {
            "title": _title(panel, language),
            "spec": panel.title,
            "where": {name: panel.where[name] for name in chosen},
            "describe": panel.describe,
            "said": panel.said,
            "charts": len(panel.charts),
            "shown": all(panel.where[name] == first[name] for name in chosen),
        }
        for panel in figure.panels
    ]
    return {
        "name": figure.name,
        "title": figure.title,
        "caption": figure.caption,
        "choices": choices,
        "panels": panels,
    } | {
        "per_query": figure.per_query,
        "queries": DEFAULT_QUERIES,
    }


def _title(panel: Panel, language: Language) -> str:
    """A panel's title, of which the task and the method of related tasks are names a person can read."""
    task = panel.where.get("task")
    parts = panel.title.split(" · ")
    return " · ".join((plain_task if part == task else plain_method)(part, language) for part in parts)


def legend_of(style: Style, cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The page's one legend: methods by colour and dash, and families by shape where there are several."""
    tuned = {cell["method"] for cell in cells if cell["tune"]}
    by_family = style.mark_field == "family"
    methods = [
        {
            "name": name,
            "colour": colour,
            "mark": mark("circle" if by_family else style.marks[name]),
            "tuned": name in tuned,
        }
        for name, colour in style.colours.items()
    ]
    families = [{"name": name, "mark": mark(shape)} for name, shape in style.marks.items()] if by_family else []
    return {"methods": methods, "families": families}


_MARKS = {
    "circle": "M-4.5,0A4.5,4.5,0,1,0,4.5,0A4.5,4.5,0,1,0,-4.5,0Z",
    "square": "M-4,-4H4V4H-4Z",
    "triangle-up": "M0,-4.8L5,4.2H-5Z",
    "diamond": "M0,-5.2L4.2,0L0,5.2L-4.2,0Z",
    "triangle-down": "M0,4.8L5,-4.2H-5Z",
    "cross": "M-5,-1.7H-1.7V-5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5Z",
    "triangle-right": "M4.8,0L-4.2,5V-5Z",
    "triangle-left": "M-4.8,0L4.2,5V-5Z",
}


def mark(shape: str) -> str:
    """The path of a point's shape, as Vega draws it."""
    return _MARKS[shape]
