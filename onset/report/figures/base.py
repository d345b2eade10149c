"""What every figure is made of: panels, the style of a study, and the parts of a Vega-Lite specification.

A chart is the plain dictionary that Vega-Lite reads; functions here write its layers and channels. The seven hues are
those of Okabe and Ito (2008, "Color Universal Design"), with yellow and the light blue darkened to at least 3:1 against
white (WCAG 2.2, 1.4.11).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onset.analysis.phrases import Language
from onset.analysis.questions.say import Say
from onset.analysis.words import percent
from onset.untrusted import printable

Cell = Mapping[str, Any]
"""A cell in the shape of ``onset show --json``."""

Rows = Sequence[Mapping[str, Any]]
Spec = dict[str, Any]
"""A part of a Vega-Lite specification: a chart, a layer, a channel, an axis."""

PALETTE = ("#0072B2", "#D55E00", "#00875F", "#B5539A", "#A87800", "#6048FC", "#94703F")
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right", "triangle-left")
DASHES = {"prompted": [1, 0], "tuned": [5, 3]}
GREY = "#8a8a8a"
FOCUS = "focus"
QUERIES = "queries"
PAPER = "paper"
DEFAULT_QUERIES = 1000
"""Queries a tuned model is assumed to serve when its tuning is shared out; the report has a slider for it."""

FACETS = {"task": "Task", "labels": "Labelled examples", "shift": "Test items", "stage": "Stage", "model": "Model"}
"""Facets of a panel and their names in the report, in the order they are offered."""

PERCENT = "format(datum.value * 100, '.0f') + ' %'"
SIGNED = "datum.value == 0 ? '0' : format(datum.value * 100, '+.0f')"
INTERVALS = (
    "Bars: 95 % intervals, Wilson’s for one draw of examples, over draws and items for several. Grey dashes: the"
    " accuracy of a blind guess, where it is above zero."
)

SHOWN = f"{FOCUS} == '' || datum.method == {FOCUS}"


@dataclass(frozen=True, slots=True)
class Panel:
    """``charts`` are drawn one above the other; ``where`` says which facet values the panel shows (as
    text); ``describe`` is its text for readers who cannot see it; ``said`` are lines under its title.
    """

    title: str
    where: Mapping[str, str]
    charts: tuple[Spec, ...]
    describe: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """``caption`` says what the axes are and what is drawn, never what was found. ``grid`` is the facet
    laid out side by side; the other facets are chosen one at a time. ``per_query`` is true when the
    parameter ``queries`` moves it; ``paper_only`` when the report shows the same as a table.
    """

    name: str
    title: str
    caption: str
    grid: str
    panels: tuple[Panel, ...]
    per_query: bool = False
    paper_only: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """Methods and families in order of appearance: what colours, shapes and offsets follow from."""

    methods: tuple[str, ...]
    families: tuple[str, ...]
    language: Language = "en"

    @property
    def say(self) -> Say:
        """What says the words of figures in their language."""
        return Say(self.language)

    def told(self, *parts: str) -> str:
        """Sentences of a caption, said already; empty ones are left out."""
        return (" " if self.language == "en" else "").join(filter(None, parts))

    @property
    def colours(self) -> dict[str, str]:
        """Method -> hex colour."""
        return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(self.methods)}

    @property
    def marks(self) -> dict[str, str]:
        """Family -> point shape when there are several families, else method -> point shape."""
        names = self.families if len(self.families) > 1 else self.methods
        return {name: SHAPES[i % len(SHAPES)] for i, name in enumerate(names)}

    @property
    def mark_field(self) -> str:
        """What the point's shape stands for."""
        return "family" if len(self.families) > 1 else "method"

    def colour(self) -> Spec:
        """The colour channel, with every method in its domain."""
        scale = {"domain": list(self.methods), "range": list(self.colours.values())}
        return category("method", scale=scale, title="Method", legend={"symbolType": "circle"})

    def shape(self) -> Spec:
        """The shape channel."""
        scale = {"domain": list(self.marks), "range": list(self.marks.values())}
        legend: Spec | None = {} if self.mark_field == "family" else None
        return category(self.mark_field, scale=scale, title="Family", legend=legend)


def style_of(cells: Iterable[Cell], language: Language = "en") -> Style:
    """The style of a study: methods and families in order of appearance, its words in ``language``."""
    rows = list(cells)
    methods = tuple(dict.fromkeys(str(cell["method"]) for cell in rows))
    return Style(methods, tuple(dict.fromkeys(str(cell["family"]) for cell in rows)), language)


@dataclass(frozen=True)
class Shown:
    """What the figures of a study are drawn from: ``cells`` with an accuracy, their ``style``, and every table of
    ``onset show --json`` by its name.
    """

    cells: Sequence[Cell]
    style: Style
    tables: Mapping[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> Rows:
        """The rows of a table; none where the study has no such table."""
        rows: Rows = self.tables.get(name, ())
        return rows

    def robustness(self, name: str) -> Rows:
        """The rows of a table of ``robustness``; none where the study has no such table."""
        rows: Rows = self.tables.get("robustness", {}).get(name, ())
        return rows


# ---- channels ------------------------------------------------------------------------------------------------------


def quantity(name: str, **more: Any) -> Spec:
    """A channel of numbers."""
    return {"field": name, "type": "quantitative", **more}


def category(name: str, **more: Any) -> Spec:
    """A channel of names."""
    return {"field": name, "type": "nominal", **more}


def end(name: str) -> Spec:
    """The second end of a bar or band (channels x2 and y2)."""
    return {"field": name}


def fade(strong: float = 1.0) -> Spec:
    """Opacity ``strong``, and nearly none while another method alone is looked at."""
    return {"value": 0.08 * strong, "condition": {"test": SHOWN, "value": strong}}


def dash() -> Spec:
    """Solid for prompted, dashed for tuned."""
    scale = {"domain": list(DASHES), "range": list(DASHES.values())}
    return category("kind", title="Use of labels", scale=scale)


def ink() -> Spec:
    """Fainter for a seed by itself than for the mean."""
    return quantity("ink", scale=None, legend=None)


def tooltip(fields: Mapping[str, str]) -> list[Spec]:
    """What is said where a mark is pointed at: field of the row -> its name."""
    return [category(name, title=title) for name, title in fields.items()]


CELL_TOOLTIP = {
    "method": "Method",
    "model": "Model",
    "size": "Parameters",
    "budget": "Labelled examples",
    "says": "Accuracy",
    "counts": "Correct, 95 % interval",
    "parsed": "Parse rate",
}


# ---- axes ----------------------------------------------------------------------------------------------------------


def log_scale(values: Iterable[float]) -> Spec:
    """A logarithmic scale with some room beyond the values."""
    ends = sorted(values)
    pad = 10 ** max(0.08 * math.log10(ends[-1] / ends[0]), 0.06)
    return {"type": "log", "domain": [ends[0] / pad, ends[-1] * pad], "nice": False}


def size_axis(sizes: Sequence[float], labels: bool, style: Style) -> Spec:
    """Numbers of parameters, each written at its size where there is room."""
    names = "replace(replace(format(datum.value, '.2~s'), 'G', 'B'), /([kMBT])$/, ' $1')"
    if style.language != "en":
        said = {f"{size:.15g}": style.say.size(float(f"{size:.2g}")) for size in sizes}
        names = f"({literal(said)})[datum.value]"
    room = {"labelOverlap": "greedy", "labelSeparation": 8}
    return {"values": list(sizes), "labels": labels, "labelExpr": names, **room, "grid": False}


def accuracy_axis(top: float) -> Spec:
    """The channel y of an accuracy, from 0 to ``top``."""
    axis = {"labelExpr": PERCENT, "tickCount": 5, "minExtent": 34, "maxExtent": 34, "grid": True}
    return quantity("accuracy", title=None, scale={"domain": [0, top], "nice": False}, axis=axis)


def literal(table: Mapping[str, Any]) -> str:
    """``table`` as it stands in a Vega expression: every character beyond ASCII is escaped, since its parser takes the
    separators of lines U+2028 and U+2029 for the end of a text. Texts are those of the rows (`shown`).
    """
    return json.dumps(shown(table))


def shown(value: Any) -> Any:
    """``value`` with every text in it as a chart can hold it: a control character ends the process that draws it."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(key) if isinstance(key, str) else key: shown(one) for key, one in value.items()}
    return [shown(one) for one in value] if isinstance(value, list | tuple) else value


def name_axis(names: Mapping[str, str], most: int = 156) -> Spec:
    """An axis of names, value of the field -> name: as wide as the longest needs, and of several lines where it would
    be wider than ``most`` pixels.
    """
    lines = {value: wrapped(name, most) for value, name in names.items()}
    room = max(math.ceil(max(_wide(line) for some in lines.values() for line in some)) + 12, 40)
    bare = {"ticks": False, "domain": False, "labelPadding": 8}
    said = f"({literal(lines)})[datum.value]"
    return {"labelExpr": said, "labelLimit": room, "minExtent": room, "maxExtent": room, **bare}


def wrapped(name: str, most: int = 156) -> list[str]:
    """A name in lines of at most ``most`` pixels, parted behind a hyphen, a space, a stroke or a Chinese letter."""
    lines = []
    for part in name.split("\n"):
        line = ""
        for piece in re.findall(r"[^-_/ ,\u2e80-\uffff]*[-_/ ,\u2e80-\uffff]*", part):
            for bit in _bits(piece, most):
                if line and _wide(line + bit.rstrip()) > most - 12:
                    lines.append(line.rstrip())
                    line = ""
                line += bit
        lines.append(line.rstrip())
    return lines


def _bits(piece: str, most: int) -> Iterator[str]:
    """A piece as it is, cut only where it fits no line."""
    while _wide(piece.rstrip()) > most - 12:
        cut = max(place for place in range(1, len(piece)) if place == 1 or _wide(piece[:place]) <= most - 12)
        yield piece[:cut]
        piece = piece[cut:]
    yield piece


def _wide(text: str) -> float:
    """Pixels: about 6 a letter, 12 a Chinese one."""
    return sum(12.5 if letter >= "\u2e80" else 6.4 for letter in text)


def rows_high(names: Iterable[str], least: int, most: int = 156) -> int:
    """Pixels of a row that holds the lines of every name: ``least`` or more."""
    return max(least, *(16 * len(wrapped(name, most)) + 6 for name in names))


def top_of(cells: Iterable[Cell]) -> float:
    """The end of the accuracy axis: every interval and the chance line fit, rounded up to 5 %."""
    highest: float = max(max(cell["interval"][1], cell["chance"] or 0.0) for cell in cells)
    return min(1.0, math.ceil(highest * 20 + 0.2) / 20)


def reach_of(comparisons: Iterable[Mapping[str, Any]]) -> float:
    """Half the width of a difference axis that holds every interval, rounded up to 5 points."""
    widest: float = max(max(abs(end) for end in (*one["interval"], one["difference"])) for one in comparisons)
    return min(1.0, math.ceil(widest * 20 + 0.2) / 20)


# ---- layers --------------------------------------------------------------------------------------------------------


def layer(mark: str, rows: Rows, channels: Mapping[str, Any], **look: Any) -> Spec:
    """One kind of mark for ``rows``; ``look``: properties of the mark. Five digits are more than a screen can show."""
    values = [{name: _five(value) for name, value in row.items()} for row in rows]
    return {"data": {"values": values}, "mark": {"type": mark, **look}, "encoding": dict(channels)}


def _five(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value


def layered(layers: Sequence[Spec], heading: str, height: int) -> Spec:
    """A chart of ``layers``, the last on top."""
    title = {"text": heading, "anchor": "start", "fontSize": 12, "fontWeight": "normal", "offset": 6}
    return {"layer": list(layers), "title": title, "height": height}


def chance_layers(cells: Sequence[Cell], style: Style, *, vertical: bool = False) -> list[Spec]:
    """The accuracy of a blind guess, where it is above zero."""
    levels = sorted({cell["chance"] for cell in cells if cell["chance"]})
    if not levels:
        return []
    rows = [{"chance": level, "text": style.say("chance {level}", level=percent(level))} for level in levels]
    at = {"x" if vertical else "y": quantity("chance")}
    rule = layer("rule", rows, at, color=GREY, strokeDash=[3, 3])
    if vertical:
        return [rule]
    words = at | {"text": category("text"), "x": {"value": "width"}}
    return [rule, layer("text", rows, words, align="right", baseline="bottom", dy=-3, fontSize=12, color="#7a7a7a")]


def line_layers(points: Rows, bars: Rows, lines: Rows, axes: dict[str, Spec], style: Style) -> list[Spec]:
    """Lines, the bar of each seed, and points on top. ``axes``: the channels x and y."""
    colour = style.colour()
    joined = [
        layer(
            "line",
            some,
            {**axes, "color": colour, "strokeDash": dash(), "detail": category("family")}
            | {"opacity": fade(0.6 if thin else 0.85)},
            strokeWidth=0.9 if thin else 1.8,
            interpolate="linear" if thin else "monotone",
        )
        for thin in (False, True)
        if (some := [row for row in lines if row.get("joined", False) is thin])
    ]
    ends = {"x": axes["x"], "y": quantity("low"), "y2": end("high"), "color": colour, "strokeOpacity": ink()}
    span = layer("rule", bars, ends | {"opacity": fade(0.7)}, strokeWidth=2)
    spots = {**axes, "color": colour, "shape": style.shape(), "opacity": fade(), "tooltip": tooltip(CELL_TOOLTIP)}
    return [*joined, span, *each_seed(bars, axes | {"color": colour}), layer("point", points, spots, **dot(62))]


def dot(size: int) -> Spec:
    """The look of a filled point."""
    return {"filled": True, "size": size}


def each_seed(bars: Rows, channels: Mapping[str, Spec]) -> list[Spec]:
    """A small point for each seed, where a point is the mean of several."""
    if all(bar["ink"] == 1 for bar in bars):
        return []
    small = layer("point", bars, {**channels, "opacity": fade(0.55)}, **dot(12))
    return [small | {"transform": [{"filter": "datum.ink < 1"}]}]
