"""The figures, drawn from what `onset show --json` holds. Nothing here is estimated.

Every figure is a set of panels. A panel is one or two Altair charts stacked (accuracy, and the parse rate
below it) plus the values of the facets it belongs to, so that the report can lay panels out, hide them
behind a choice, or join them into one picture for a paper. Colours belong to methods and are the same in
every figure; dashes tell tuned from prompted; a line joins sizes of one family only.

The seven hues are those of Okabe and Ito (2008, "Color Universal Design"), with yellow and the light blue
darkened to at least 3:1 against white (WCAG 2.2, 1.4.11).
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt

from onset.analysis.curves.threshold import Place
from onset.analysis.words import bound, number, percent, short_count
from onset.errors import StoreError
from onset.report.emergence import place_words

Cell = Mapping[str, Any]
"""A cell in the shape of ``onset show --json``."""

PALETTE = ("#0072B2", "#D55E00", "#00875F", "#B5539A", "#A87800", "#3586BF", "#94703F")
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right", "triangle-left")
DASHES = {"prompted": [1, 0], "tuned": [5, 3]}
FOCUS = "focus"
QUERIES = "queries"
PAPER = "paper"
DEFAULT_QUERIES = 1000
"""Queries a tuned model is assumed to serve when its tuning is shared out; the report has a slider for it."""

FACETS = {"task": "Task", "labels": "Labelled examples", "shift": "Test items", "stage": "Stage", "model": "Model"}
"""Facets of a panel and their names in the report, in the order they are offered."""

VERDICTS = ("wins", "loses", "equivalent", "undecided")
VERDICT_COLOURS = {"wins": "#0072B2", "loses": "#D55E00", "equivalent": "#00875F", "undecided": "#767676"}

_SEVERAL = "datum.ink < 1"
_SHOWN = f"{FOCUS} == '' || datum.method == {FOCUS}"


@dataclass(frozen=True, slots=True)
class Panel:
    """``charts`` are drawn one above the other; ``where`` says which facet values the panel shows (as
    text); ``describe`` is its text for readers who cannot see it.
    """

    title: str
    where: Mapping[str, str]
    charts: tuple[alt.LayerChart, ...]
    describe: str


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

    def colour(self) -> alt.Color:
        """The colour channel, with every method in its domain."""
        scale = alt.Scale(domain=list(self.methods), range=list(self.colours.values()))
        return alt.Color("method:N", scale=scale, title="Method", legend=alt.Legend(symbolType="circle"))

    def shape(self) -> alt.Shape:
        """The shape channel."""
        scale = alt.Scale(domain=list(self.marks), range=list(self.marks.values()))
        legend = alt.Legend() if self.mark_field == "family" else None
        return alt.Shape(f"{self.mark_field}:N", scale=scale, title="Family", legend=legend)


def style_of(cells: Iterable[Cell]) -> Style:
    """The style of a study: methods and families in order of appearance."""
    rows = list(cells)
    methods = tuple(dict.fromkeys(str(cell["method"]) for cell in rows))
    return Style(methods, tuple(dict.fromkeys(str(cell["family"]) for cell in rows)))


def figures(shown: Mapping[str, Any]) -> list[Figure]:
    """Every figure with something in it, in reading order. ``shown``: what ``onset show --json`` prints."""
    from onset.report.confusion import confusion_figure  # it draws with what stands here

    cells = [cell for cell in shown["cells"] if cell["accuracy"] is not None]
    style = style_of(cells)
    drawn = [size_figure(cells, style, shown["curves"]), gain_figure(shown["gains"], style)]
    drawn += [task_figure(shown["task_orders"], cells, style, shown["curves"]), stage_figure(shown["stages"], style)]
    drawn += [label_figure(cells, style), cost_figure(cells, style), shift_figure(cells, style)]
    drawn += [comparison_figure(shown["comparisons"]), confusion_figure(shown.get("classification", ()))]
    return [figure for figure in drawn if figure is not None]


def size_figure(cells: Sequence[Cell], style: Style, curves: Sequence[Mapping[str, Any]] = ()) -> Figure | None:
    """Accuracy against model size with the parse rate below it; a dot plot by model when no family has
    two sizes, because then there is no curve to see. ``curves``: the curves of ``onset show --json``; a fitted
    one is drawn as the line. None without cells.
    """
    if not cells:
        return None
    has_curve = _has_curve(cells)
    panels = []
    for place, group in _facets(
        [cell for cell in cells if cell["params"] or not has_curve], ("task", "shift", "stage")
    ):
        for labels in _budgets(group):
            rows, where, top = _at_budget(group, labels), {**place, "labels": _labels(labels)}, _top(group)
            drawn = _size_panel(where, rows, style, top, curves) if has_curve else _model_panel(where, rows, style, top)
            panels.append(drawn)
    title = "Accuracy and model size" if has_curve else "Accuracy by model"
    caption = _SIZE_CAPTION if has_curve else _MODEL_CAPTION
    if has_curve and any(map(_is_drawn, curves)):
        caption += _FIT_NOTE
    if has_curve and not all(map(_is_drawn, curves)):
        caption += _JOINED_NOTE
    if has_curve and any(curve.get("emergence") for curve in curves):
        caption += _VERDICT_NOTE
    if has_curve and any(curve.get("scores") for curve in curves):
        caption += _SCORE_NOTE
    caption += _without(cells, "params", "parameter count") if has_curve else ""
    return Figure("size", title, caption + _INTERVALS + _seeds_note(cells), "task", tuple(panels))


_SIZE_CAPTION = (
    "Above: accuracy (share of test items answered correctly) against the number of parameters, on a log scale. Below:"
    " parse rate, the share of outputs an answer could be read from; where it is low, a low accuracy may be about"
    " format rather than ability. One line a method; sizes of different families are never joined. Points at one size"
    " are moved apart sideways."
)
_FIT_NOTE = " Lines: the fitted curve that goes with the verdict."
_JOINED_NOTE = (
    " Thin straight lines join the points of a method for which there is no curve: fewer than four sizes, or no curve"
    " that the data bear."
)
_VERDICT_NOTE = (
    " Above the plot: does accuracy grow smoothly with size or emerge, for methods with four sizes or more. Dotted, in"
    " the method's colour: the size at which its curve leaves chance; shaded: the 95 % interval of that size."
)
_SCORE_NOTE = (
    " In the middle: a continuous score of the same outputs, mean and 95 % interval; a jump of the ability shows in it"
    " as well, a jump of the metric does not."
)
_MODEL_CAPTION = (
    "Above: accuracy (share of test items answered correctly), one row a model. Below: parse rate, the share of outputs"
    " an answer could be read from. No model family has two sizes here, so there is no curve over size to draw."
)


def gain_figure(gains: Sequence[Mapping[str, Any]], style: Style) -> Figure | None:
    """What chain of thought gains over answer-only, and a vote over one sample, at every size. None without either."""
    if not gains:
        return None
    panels = [
        _gain_panel(where, group, style)
        for where, group in _facets([_with_place(one) for one in gains], ("task", "shift", "stage", "labels"))
    ]
    caption = (
        "Difference in accuracy, in percentage points, against the number of parameters, on a log scale: chain of"
        " thought minus answer-only on the same items, and a vote minus one sample. Bars: 95 % intervals of the paired"
        " comparisons. Shaded: between the size from which on chain of thought is shown to win and the one below it."
    )
    return Figure("gains", "Gain and model size", caption, "task", tuple(panels))


def _with_place(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "labels": _labels(one["labels"])}


def task_figure(
    orders: Sequence[Mapping[str, Any]], cells: Sequence[Cell], style: Style, curves: Sequence[Mapping[str, Any]]
) -> Figure | None:
    """Related tasks against model size, one curve a task, each with its midpoint. None without related tasks."""
    if not orders:
        return None
    panels = [_task_panel(order, cells, style, curves) for order in orders]
    caption = (
        "Accuracy against the number of parameters, on a log scale, one curve a task of the same kind: the fitted curve"
        " that goes with its verdict (straight lines between the points where the data bear none). Diamond: where"
        " accuracy is halfway between its floor and its ceiling; the bar through it is the 95 % interval of that size."
        + _INTERVALS
    )
    return Figure("tasks", "Tasks by the size they need", caption + _seeds_note(cells), "task", tuple(panels))


def stage_figure(stages: Sequence[Mapping[str, Any]], style: Style) -> Figure | None:
    """Models that differ in their training, at equal size: accuracies and differences. None without such a pair."""
    known = [_with_place(one) for one in stages if one["difference"] is not None]
    if not known:
        return None
    panels = [_stage_panel(where, group, style) for where, group in _facets(known, ("task", "shift", "labels"))]
    caption = (
        "Models of one family and size that differ in their training, one row a pair and method. Above: accuracy of the"
        " reference, the base model unless another is named (hollow), and of the other one (filled). Below: the"
        " difference in percentage points with its 95 % interval; left of the line the other model is less accurate."
    )
    return Figure("stages", "What each ingredient changes", caption, "task", tuple(panels))


def label_figure(cells: Sequence[Cell], style: Style) -> Figure | None:
    """Accuracy against the number of labelled examples, one panel a model that was given two budgets or more of a
    task. None without one.
    """
    tops = {where["task"]: _top(group) for where, group in _facets(cells, ("task",))}
    panels = [
        _label_panel(str(group[0]["model"]), where, group, style, tops[where["task"]])
        for where, group in _facets(cells, ("model", "task", "shift", "stage"))
        if len({cell["labels"] for cell in group} - {0}) > 1
    ]
    if not panels:
        return None
    caption = (
        "Accuracy against the number of labelled examples a method was given, on a log scale, one panel a model."
        " Budgets are nested: the larger one contains the smaller one's examples."
    )
    if any(cell["labels"] == 0 for cell in cells):
        caption += " Dashed horizontal lines: methods that use no labelled example."
    return Figure(
        "labels", "Accuracy and labelled examples", caption + _INTERVALS + _seeds_note(cells), "model", tuple(panels)
    )


def cost_figure(cells: Sequence[Cell], style: Style) -> Figure | None:
    """Accuracy against FLOPs a query, tuning shared out over the queries it serves. None when no cell
    has a FLOP count.
    """
    known = [cell for cell in cells if cell["flops_inference"]]
    if not known:
        return None
    panels = []
    for where, group in _facets(known, ("task", "shift", "stage")):
        for labels in _budgets(group):
            rows = _at_budget(group, labels)
            panels.append(
                _cost_panel(str(group[0]["task"]), {**where, "labels": _labels(labels)}, rows, style, _top(group))
            )
    caption = (
        "Accuracy against the floating-point operations one query costs, on a log scale: inference (2 operations a"
        " parameter and token, demonstrations included, nothing reused between queries) plus tuning divided by the"
        f" number of queries the tuned model serves ({DEFAULT_QUERIES:,} unless moved). Lines join sizes of one family."
        + _without(cells, "flops_inference", "FLOP count")
    )
    return Figure(
        "cost", "Accuracy and cost", caption + _INTERVALS + _seeds_note(cells), "task", tuple(panels), per_query=True
    )


def shift_figure(cells: Sequence[Cell], style: Style) -> Figure | None:
    """Accuracy on the task's own items and on shifted ones, one panel a model. None without a pair."""
    panels = []
    tops = {where["task"]: _top(group) for where, group in _facets(cells, ("task",))}
    for where, group in _facets(cells, ("model", "task", "stage")):
        clean = [cell for cell in group if cell["shift"] == "none"]
        for shift in dict.fromkeys(str(cell["shift"]) for cell in group if cell["shift"] != "none"):
            moved = [cell for cell in group if cell["shift"] == shift]
            for labels in _budgets(moved):
                pair = (_at_budget(clean, labels), _at_budget(moved, labels))
                if all(pair):
                    place = {**where, "shift": shift, "labels": _labels(labels)}
                    panels.append(_shift_panel(str(group[0]["model"]), place, pair, style, tops[where["task"]]))
    if not panels:
        return None
    caption = (
        "Accuracy on the task's own test items (filled) and on shifted ones (hollow), joined for each method, one"
        " panel a model. Thin bars: the two 95 % Wilson intervals." + _seeds_note(cells)
    )
    return Figure("shift", "Accuracy under a shift", caption, "model", tuple(panels))


def comparison_figure(comparisons: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Differences with their intervals, one row a comparison (for papers; the report has the table)."""
    known = [one for one in comparisons if one["difference"] is not None]
    if not known:
        return None
    reach = _reach(known)
    panels = [
        _forest_panel(str(group[0]["task"]), where, group, reach)
        for where, group in _facets(known, ("task", "shift", "stage"))
    ]
    caption = (
        "Difference in accuracy between the first and the second method named, in percentage points, with its 95 %"
        " interval. Right of the line the first method is more accurate."
    )
    return Figure("comparisons", "Differences between methods", caption, "task", tuple(panels), paper_only=True)


_INTERVALS = " Bars: 95 % Wilson intervals. Grey dashes: the accuracy of a blind guess, where it is above zero."


def _seeds_note(cells: Sequence[Cell]) -> str:
    if len({cell["seed"] for cell in cells}) < 2:
        return ""
    return " Large points: the mean over seeds; small points and faint bars: each seed by itself."


def _without(cells: Sequence[Cell], field: str, name: str) -> str:
    count = sum(1 for cell in cells if not cell[field])
    return f" Not drawn: {count} of {len(cells)} cells, which have no {name}." if count else ""


# ---- which cells a panel shows -------------------------------------------------------------------------------------


def _facets(cells: Sequence[Cell], names: Sequence[str]) -> list[tuple[dict[str, str], list[Cell]]]:
    groups: dict[tuple[str, ...], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[tuple(str(cell[name]) for name in names)].append(cell)
    return [(dict(zip(names, key, strict=True)), group) for key, group in groups.items()]


def _budgets(cells: Iterable[Cell]) -> list[int]:
    return sorted({int(cell["labels"]) for cell in cells}, reverse=True)


def _at_budget(cells: Sequence[Cell], labels: int) -> list[Cell]:
    """The cells of a budget, and methods that never use a label, which belong beside every budget."""
    budgets = defaultdict(set)
    for cell in cells:
        budgets[cell["method"]].add(cell["labels"])
    return [cell for cell in cells if cell["labels"] == labels or budgets[cell["method"]] == {0}]


def _labels(labels: int) -> str:
    return str(labels) if labels else "0 (zero-shot)"


def _has_curve(cells: Iterable[Cell]) -> bool:
    sizes = defaultdict(set)
    for cell in cells:
        if cell["params"]:
            sizes[cell["family"], cell["task"], cell["method"]].add(cell["params"])
    return any(len(found) > 1 for found in sizes.values())


# ---- rows ----------------------------------------------------------------------------------------------------------


def _rows(cells: Sequence[Cell]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Points (one for each model, method, labels: the mean over seeds) and bars (one for each seed)."""
    points, bars = [], []
    for _, group in _facets(cells, ("model", "method", "labels", "stage", "shift")):
        base = _base(group)
        points.append(base)
        faint = 1.0 if len(group) == 1 else 0.4
        for cell in group:
            low, high = cell["interval"]
            seen = {"accuracy": cell["accuracy"], "low": low, "high": high, "ink": faint}
            bars.append({name: base[name] for name in _BAR_FIELDS} | seen)
    return points, bars


_BAR_FIELDS = ("method", "family", "model", "params", "labels", "inference", "tuning")


def _base(group: Sequence[Cell]) -> dict[str, Any]:
    first, accuracies = group[0], [cell["accuracy"] for cell in group]
    parses = [cell["parse_rate"] for cell in group if cell["parse_rate"] is not None]
    inference = [cell["flops_inference"] / cell["n"] for cell in group if cell["flops_inference"]]
    tuning = [cell["flops_tuning"] or 0.0 for cell in group]
    each = [f"{cell['correct']} of {cell['n']}, {_span(cell['interval'])}" for cell in group]
    return {
        "method": first["method"],
        "family": str(first["family"]),
        "model": first["model"],
        "params": first["params"],
        "labels": first["labels"],
        "kind": "tuned" if first["tune"] else "prompted",
        "accuracy": sum(accuracies) / len(accuracies),
        "parse": sum(parses) / len(parses) if parses else None,
        "inference": sum(inference) / len(inference) if inference else None,
        "tuning": sum(tuning) / len(tuning),
        "size": short_count(first["params"]) if first["params"] else "unknown",
        "says": f"{percent(sum(accuracies) / len(accuracies))}"
        + (f", mean of {len(group)} seeds" if len(group) > 1 else ""),
        "counts": "; ".join(each),
        "parsed": percent(sum(parses) / len(parses)) if parses else "not measured",
    }


def _span(interval: Sequence[float]) -> str:
    return f"{number(100 * interval[0])} to {number(100 * interval[1])} %"


def _dodged(rows: list[dict[str, Any]], field: str, methods: Sequence[str]) -> list[dict[str, Any]]:
    """Rows with ``x``: ``field`` moved sideways by method so that intervals at one value can be told apart."""
    values = sorted({row[field] for row in rows})
    present = [name for name in methods if any(row["method"] == name for row in rows)]
    decades = math.log10(values[-1] / values[0]) if len(values) > 1 else 1.0
    gap = min((math.log10(b / a) for a, b in itertools.pairwise(values)), default=1.0)
    step = min(0.022 * decades, 0.5 * gap / max(len(present), 1))
    centre = (len(present) - 1) / 2
    return [{**row, "x": row[field] * 10 ** (step * (present.index(row["method"]) - centre))} for row in rows]


def _log_scale(values: Iterable[float]) -> alt.Scale:
    ends = sorted(values)
    pad = 10 ** max(0.08 * math.log10(ends[-1] / ends[0]), 0.06)
    return alt.Scale(type="log", domain=[ends[0] / pad, ends[-1] * pad], nice=False)


def _top(cells: Iterable[Cell]) -> float:
    """The end of the accuracy axis: every interval and the chance line fit, rounded up to 5 %."""
    highest: float = max(max(cell["interval"][1], cell["chance"] or 0.0) for cell in cells)
    return min(1.0, math.ceil(highest * 20 + 0.2) / 20)


# ---- channels and layers -------------------------------------------------------------------------------------------


def _data(rows: Sequence[Mapping[str, Any]]) -> alt.InlineData:
    """Rows as data of a chart; five digits are more than a screen can show."""
    return alt.InlineData(values=[{name: _five(value) for name, value in row.items()} for row in rows])


def _five(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value


@functools.cache
def _fade(strong: float = 1.0) -> Any:
    shown = alt.ConditionalValueDefnumberExprRef(test=_SHOWN, value=strong)
    return alt.OpacityValue(0.08 * strong, condition=shown)


def _dash() -> alt.StrokeDash:
    scale = alt.Scale(domain=list(DASHES), range=list(DASHES.values()))
    return alt.StrokeDash("kind:N", title="Use of labels", scale=scale)


def _tooltip() -> list[alt.Tooltip]:
    fields = {"method": "Method", "model": "Model", "size": "Parameters", "labels": "Labelled examples"}
    fields |= {"says": "Accuracy", "counts": "Correct, 95 % interval", "parsed": "Parse rate"}
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in fields.items()]


def _heading(text: str, below: Sequence[str] = ()) -> alt.Title:
    more = {"subtitle": list(below), "subtitleFontSize": 10, "subtitlePadding": 4} if below else {}
    return alt.Title(text, anchor="start", fontSize=11, fontWeight="normal", offset=6, **more)


_SIGNED = "datum.value == 0 ? '0' : format(datum.value * 100, '+.0f')"
_PERCENT = "format(datum.value * 100, '.0f') + ' %'"


def _accuracy_axis(top: float) -> alt.Y:
    axis = alt.Axis(labelExpr=_PERCENT, tickCount=5, minExtent=34, maxExtent=34, grid=True)
    return alt.Y("accuracy:Q", title=None, scale=alt.Scale(domain=[0, top], nice=False), axis=axis)


def _chance_layers(cells: Sequence[Cell], *, vertical: bool = False) -> list[alt.Chart]:
    levels = sorted({cell["chance"] for cell in cells if cell["chance"]})
    if not levels:
        return []
    data = _data([{"chance": level, "text": f"chance {percent(level)}"} for level in levels])
    channel = alt.X("chance:Q") if vertical else alt.Y("chance:Q")
    base = alt.Chart(data).encode(channel)
    rule = base.mark_rule(color="#8a8a8a", strokeDash=[3, 3])
    if vertical:
        return [rule]
    text = base.mark_text(align="right", baseline="bottom", dy=-3, fontSize=10, color="#7a7a7a")
    return [rule, text.encode(alt.Text("text:N"), x=alt.value("width"))]


def _line_layers(
    points: list[dict[str, Any]],
    bars: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    axes: tuple[alt.X, alt.Y],
    style: Style,
) -> list[alt.Chart]:
    (x, y), colour = axes, style.colour()
    joined = [
        alt.Chart(_data(some))
        .mark_line(strokeWidth=0.9 if thin else 1.8)
        .encode(x, y, colour, _dash(), alt.Detail("family:N"), opacity=_fade(0.6 if thin else 0.85))
        for thin in (False, True)
        if (some := [row for row in lines if row.get("joined", False) is thin])
    ]
    ink = alt.StrokeOpacity("ink:Q", scale=None, legend=None)
    span = alt.Chart(_data(bars)).mark_rule(strokeWidth=2)
    span = span.encode(x, alt.Y("low:Q"), alt.Y2("high:Q"), colour, ink, opacity=_fade(0.7))
    each = alt.Chart(_data(bars)).mark_point(filled=True, size=12).transform_filter(_SEVERAL)
    each = each.encode(x, y, colour, opacity=_fade(0.55))
    spot = alt.Chart(_data(points)).mark_point(filled=True, size=62)
    spot = spot.encode(x, y, colour, style.shape(), opacity=_fade(), tooltip=_tooltip())
    return [*joined, span, *([each] if _several(bars) else []), spot]


def _several(bars: Iterable[Mapping[str, Any]]) -> bool:
    """Is any point the mean of several seeds?"""
    return any(bar["ink"] < 1 for bar in bars)


def _layer(layers: Sequence[alt.Chart], heading: str, height: int, below: Sequence[str] = ()) -> alt.LayerChart:
    """``below``: lines under the heading."""
    return alt.layer(*layers).properties(title=_heading(heading, below), height=height)


# ---- panels --------------------------------------------------------------------------------------------------------


def _size_panel(
    where: dict[str, str], cells: Sequence[Cell], style: Style, top: float, curves: Sequence[Mapping[str, Any]]
) -> Panel:
    title = where["task"]
    points, bars = _rows(cells)
    sizes = sorted({row["params"] for row in points})
    points, bars = (_dodged(rows, "params", style.methods) for rows in (points, bars))
    scale = _log_scale([row["x"] for row in points])

    def x(labels: bool) -> alt.X:
        return alt.X("x:Q", title="Parameters" if labels else None, scale=scale, axis=_size_axis(sizes, labels))

    lines = _size_lines(points, where, curves)
    accuracy = _line_layers(points, bars, lines, (x(False), _accuracy_axis(top)), style)
    judged = _judged(points, where, curves)
    said = [f"{method}: {verdict_words(curve['emergence'])}" for (method, *_), curve in judged.items()]
    layers = [*_threshold_layers(judged, scale, x(False), style), *_chance_layers(cells), *accuracy]
    charts = [_layer(layers, "Accuracy", 240, said)]
    metric, rows = _score_rows(points, judged)
    if rows:
        charts.append(_layer(_score_layers(metric, rows, x(False), style), _SCORE_NAMES.get(metric, metric), 84))
    charts.append(_layer(_parse_layers(points, x(True), style), "Parse rate", 64))
    describe = " ".join([_describe(title, "model size", cells, style), *(f"{one}." for one in said)])
    return Panel(title, where, tuple(charts), describe)


_SCORE_NAMES = {
    "gold_logprob": "Log-probability of the gold answer (nats)",
    "gold_prob": "Probability of the gold answer among the choices",
    "pass rate": "Share of samples that are right",
    "edit similarity": "Edit similarity of the answer to the gold one",
}
_Key = tuple[str, str, int]


def _judged(
    points: Iterable[Mapping[str, Any]], where: Mapping[str, str], curves: Iterable[Mapping[str, Any]]
) -> dict[_Key, Mapping[str, Any]]:
    """(method, family, labels) -> the curve of each line of a panel that has a verdict, in the order of the lines."""
    known = {
        (curve["method"], curve["family"], curve["labels"]): curve
        for curve in curves
        if curve.get("emergence") and all(curve[name] == where[name] for name in ("task", "shift", "stage"))
    }
    keys = dict.fromkeys((str(row["method"]), str(row["family"]), int(row["labels"])) for row in points)
    return {key: known[key] for key in keys if key in known}


def verdict_words(emergence: Mapping[str, Any]) -> str:
    """``emergent, leaves chance at 47.2 k (33.3 k to 54.4 k)``."""
    held = emergence["threshold"]
    place = Place(held["estimate"], held["low"], held["high"], held["censored"])
    if place.estimate is None and place.low is None and place.high is None:
        return str(emergence["verdict"])
    return f"{emergence['verdict']}, leaves chance at {place_words(place, 'params')}"


def _threshold_layers(
    judged: Mapping[_Key, Mapping[str, Any]], scale: alt.Scale, x: alt.X, style: Style
) -> list[alt.Chart]:
    """A band for each threshold interval, a line at its estimate; an open end runs to the edge of the plot."""
    first, last = scale.domain
    rows = []
    for (method, family, _), curve in judged.items():
        held = curve["emergence"]["threshold"]
        if held["low"] is None and held["high"] is None:
            continue
        ends = {"x": held["low"] or first, "to": held["high"] or last, "at": held["estimate"]}
        rows.append({"method": method, "family": family, **ends})
    if not rows:
        return []
    base = alt.Chart(_data(rows)).encode(style.colour())
    layers = [base.mark_rect(clip=True).encode(x, alt.X2("to:Q"), opacity=_fade(0.09))]
    marked = [row for row in rows if row["at"] is not None]
    if marked:
        rule = alt.Chart(_data(marked)).mark_rule(strokeDash=[2, 3], strokeWidth=1.5)
        layers.append(rule.encode(alt.X("at:Q"), style.colour(), opacity=_fade(0.8)))
    return layers


def _score_rows(
    points: Sequence[Mapping[str, Any]], judged: Mapping[_Key, Mapping[str, Any]]
) -> tuple[str, list[dict[str, Any]]]:
    """The continuous score most of the judged lines have, and its rows."""
    held = {
        (key, score["metric"], model): (value, error)
        for key, curve in judged.items()
        for score in curve["scores"]
        for model, value, error in zip(score["models"], score["values"], score["errors"], strict=True)
    }
    metrics = [score["metric"] for curve in judged.values() for score in curve["scores"]]
    if not metrics:
        return "", []
    metric = max(dict.fromkeys(metrics), key=metrics.count)
    rows = []
    for point in points:
        key = str(point["method"]), str(point["family"]), int(point["labels"])
        if (key, metric, point["model"]) not in held:
            continue
        value, error = held[key, metric, point["model"]]
        kept = {name: point[name] for name in ("method", "family", "kind", "model", "size", "x")}
        low, high = value - 1.96 * error, value + 1.96 * error
        rows.append(
            {
                **kept,
                "score": value,
                "low": low,
                "high": high,
                "says": f"{number(value, 3)} ± {number(1.96 * error, 3)}",
            }
        )
    return metric, rows


def _score_layers(metric: str, rows: list[dict[str, Any]], x: alt.X, style: Style) -> list[alt.Chart]:
    axis, scale = alt.Axis(labelExpr=_PERCENT, values=[0, 0.5, 1], minExtent=34, maxExtent=34), alt.Scale(domain=[0, 1])
    if metric == "gold_logprob":
        # as wide as the per cent of the other panels
        axis, scale = alt.Axis(tickCount=3, minExtent=42, maxExtent=42), alt.Scale(zero=False)
    y = alt.Y("score:Q", title=None, scale=scale, axis=axis)
    base = alt.Chart(_data(rows)).encode(x, y, style.colour())
    line = base.mark_line(strokeWidth=1.4).encode(alt.Detail("family:N"), _dash(), opacity=_fade(0.8))
    span = base.mark_rule(strokeWidth=1.5).encode(alt.Y("low:Q"), alt.Y2("high:Q"), opacity=_fade(0.7))
    fields = {"method": "Method", "model": "Model", "size": "Parameters", "says": "Score"}
    tooltip = [alt.Tooltip(f"{field}:N", title=title) for field, title in fields.items()]
    spot = base.mark_point(filled=True, size=34).encode(style.shape(), opacity=_fade(), tooltip=tooltip)
    return [line, span, spot]


def _size_lines(
    points: list[dict[str, Any]], where: Mapping[str, str], curves: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The fitted curve of a method in a family where the analysis draws one, else its points joined (``joined``)."""
    fitted = {
        (curve["method"], curve["family"], curve["labels"]): curve["emergence"]["fit"]
        for curve in curves
        if _is_drawn(curve) and all(curve[name] == where[name] for name in ("task", "shift", "stage"))
    }
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for point in points:
        groups[point["method"], point["family"], point["labels"]].append(point)
    lines = []
    for key, group in groups.items():
        kept = [{name: row[name] for name in ("method", "family", "kind", "x", "accuracy")} for row in group]
        joined = [row | {"joined": True} for row in kept]
        lines += _fitted_line(fitted[key], group[0]) if key in fitted else joined
    return lines


def _is_drawn(curve: Mapping[str, Any]) -> bool:
    """Has the analysis a curve that the data bear?"""
    found = curve.get("emergence")
    return bool(found and found["fit"] and found["fit"]["drawn"])


def _fitted_line(fit: Mapping[str, Any], row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The analysis's curve as rows, moved aside as far as the method's points are."""
    aside = row["x"] / row["params"]
    same = {name: row[name] for name in ("method", "family", "kind")} | {"joined": False}
    pairs = zip(fit["sizes"], fit["values"], strict=True)
    return [same | {"x": size * aside, "accuracy": round(value, 5)} for size, value in pairs]


def _gain_panel(where: dict[str, str], group: Sequence[Mapping[str, Any]], style: Style) -> Panel:
    points = [
        {
            "method": curve["sides"][0],
            "family": curve["family"],
            "against": curve["sides"][1],
            "params": point["params"],
            "model": point["model"],
            "size": short_count(point["params"]),
            "gain": point["gain"],
            "low": point["interval"][0],
            "high": point["interval"][1],
            "verdict": point["verdict"],
            "says": f"{number(100 * point['gain'])} points, {_in_points(point['interval'])}",
        }
        for curve in group
        for point in curve["points"]
    ]
    points = _dodged(points, "params", style.methods)
    low = min(0.0, *(math.floor(20 * row["low"] - 0.2) / 20 for row in points))
    high = max(0.05, *(math.ceil(20 * row["high"] + 0.2) / 20 for row in points))
    sizes = sorted({row["params"] for row in points})
    x = alt.X("x:Q", title="Parameters", scale=_log_scale([row["x"] for row in points]), axis=_size_axis(sizes, True))
    axis = alt.Axis(labelExpr=_SIGNED, tickCount=5, minExtent=34, maxExtent=34)
    y = alt.Y("gain:Q", title=None, scale=alt.Scale(domain=[max(low, -1.0), min(high, 1.0)], nice=False), axis=axis)
    base, colour = alt.Chart(_data(points)), style.colour()
    layers = [
        *_gap_layers(group, x),
        alt.Chart(_data([{"gain": 0}])).mark_rule(color="#8a8a8a").encode(y),
        base.mark_line(strokeWidth=1.8).encode(
            x, y, colour, alt.Detail(["family:N", "against:N"]), opacity=_fade(0.85)
        ),
        base.mark_rule(strokeWidth=2).encode(x, alt.Y("low:Q"), alt.Y2("high:Q"), colour, opacity=_fade(0.7)),
        base.mark_point(filled=True, size=62).encode(
            x, y, colour, style.shape(), opacity=_fade(), tooltip=_gain_tooltip()
        ),
    ]
    words = "; ".join(f"{curve['sides'][0]} minus {curve['sides'][1]}" for curve in group)
    describe = f"{where['task']}: gain against model size, {words}. Every number is in the table of comparisons."
    return Panel(where["task"], where, (_layer(layers, "Gain (percentage points)", 220),), describe)


def _gap_layers(group: Sequence[Mapping[str, Any]], x: alt.X) -> list[alt.Chart]:
    gaps = [curve["crossover"]["gap"] for curve in group if curve["kind"] == "chain of thought"]
    rows = [{"x": gap[0], "to": gap[1]} for gap in gaps if gap]
    return [alt.Chart(_data(rows)).mark_rect(color="#8a8a8a", opacity=0.16).encode(x, alt.X2("to:Q"))] if rows else []


def _gain_tooltip() -> list[alt.Tooltip]:
    fields = {"method": "Method", "against": "Against", "model": "Model", "size": "Parameters"}
    fields |= {"says": "Gain, 95 % interval", "verdict": "Verdict"}
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in fields.items()]


def _in_points(interval: Sequence[float]) -> str:
    return f"{bound(interval[0])} to {bound(interval[1])}"


def _task_panel(
    order: Mapping[str, Any], cells: Sequence[Cell], style: Style, curves: Sequence[Mapping[str, Any]]
) -> Panel:
    """One curve a task; the colour stands for the task here, whose name is written at its midpoint."""
    names = {task: _short_name(task, order["stem"]) for task in order["tasks"]}
    mine = [cell for cell in cells if cell["shift"] == "none" and cell["task"] in names and _is_of(cell, order)]
    points, bars, lines, middles = [], [], [], []
    for task, name in names.items():
        rows, spans = _rows([cell for cell in mine if cell["task"] == task])
        points += [{**row, "x": row["params"], "task": name} for row in rows]
        bars += [{**row, "x": row["params"], "task": name} for row in spans]
        curve = next(c for c in curves if c["shift"] == "none" and c["task"] == task and _is_of(c, order))
        ends = [{**row, "x": row["params"]} for row in rows]
        line = _fitted_line(curve["emergence"]["fit"], ends[0]) if _is_drawn(curve) else ends
        lines += [{**row, "task": name} for row in line]
        middles.append(_middle(order, task, line) | {"task": name, "method": order["method"]})
    sizes = sorted({row["params"] for row in points})
    x = alt.X("x:Q", title="Parameters", scale=_log_scale(sizes), axis=_size_axis(sizes, True))
    y = _accuracy_axis(_top(mine))
    domain = list(names.values())
    palette = [PALETTE[i % len(PALETTE)] for i in range(len(domain))]
    colour = alt.Color("task:N", scale=alt.Scale(domain=domain, range=palette), legend=None)
    ink = alt.StrokeOpacity("ink:Q", scale=None, legend=None)
    halves = alt.Chart(_data(middles))
    layers = [
        *_chance_layers(mine),
        alt.Chart(_data(lines)).mark_line(strokeWidth=1.8).encode(x, y, colour, opacity=_fade(0.85)),
        alt.Chart(_data(bars))
        .mark_rule(strokeWidth=2)
        .encode(x, alt.Y("low:Q"), alt.Y2("high:Q"), colour, ink, opacity=_fade(0.5)),
        alt.Chart(_data(points))
        .mark_point(filled=True, size=40)
        .encode(x, y, colour, opacity=_fade(), tooltip=[alt.Tooltip("task:N", title="Task"), *_tooltip()]),
        halves.mark_rule(strokeWidth=3).encode(alt.X("from:Q"), alt.X2("to:Q"), y, colour, opacity=_fade(0.9)),
        halves.mark_point(filled=True, size=110, shape="diamond").encode(x, y, colour, opacity=_fade()),
        halves.mark_text(align="left", baseline="top", dx=8, dy=4, fontSize=11).encode(
            x, y, colour, alt.Text("task:N"), opacity=_fade()
        ),
    ]
    where = {"task": str(order["stem"]), "stage": str(order["stage"]), "labels": _labels(order["labels"])}
    title = f"{order['stem']} · {order['method']}"
    describe = f"{title}: accuracy against model size for {', '.join(domain)}. Every number is in the table of cells."
    return Panel(title, where, (_layer(layers, "Accuracy", 240),), describe)


def _is_of(one: Mapping[str, Any], order: Mapping[str, Any]) -> bool:
    return all(one[name] == order[name] for name in ("method", "labels", "stage", "family"))


def _short_name(task: str, stem: str) -> str:
    """What tells a task from its relatives: the text in the brackets."""
    return task.removeprefix(stem).removeprefix("[").removesuffix("]") or task


def _middle(order: Mapping[str, Any], task: str, line: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The midpoint on the line drawn and its interval, cut at the sizes drawn."""
    place = order["tasks"].index(task)
    lowest, highest = min(row["x"] for row in line), max(row["x"] for row in line)
    (low, high), at = order["intervals"][place], order["midpoints"][place]
    rows = sorted(line, key=lambda row: float(row["x"]))
    above = next(index for index, row in enumerate(rows) if row["x"] >= at or index == len(rows) - 1)
    left, right = rows[max(above - 1, 0)], rows[above]
    wide = math.log(right["x"] / left["x"])
    share = math.log(at / left["x"]) / wide if wide else 0.0
    value = left["accuracy"] + share * (right["accuracy"] - left["accuracy"])
    return {"from": low or lowest, "to": high or highest, "x": at, "accuracy": value}


def _against(sides: Sequence[str]) -> str:
    """The last step of a stage, and below it the stage it is compared with where that is not the base model."""
    stage, reference = sides
    if reference == "base":
        return stage
    return f"{stage.removeprefix(f'{reference}, ')}\ngiven {reference}"


def _stage_panel(where: dict[str, str], group: Sequence[Mapping[str, Any]], style: Style) -> Panel:
    rows = [
        {
            "name": f"{_against(one['sides'])}\n{short_count(one['params'])} · {one['method']}",
            "method": one["method"],
            "base": one["accuracy_b"],
            "other": one["accuracy_a"],
            "difference": one["difference"],
            "low": one["interval"][0],
            "high": one["interval"][1],
            "says": f"{number(100 * one['difference'])} points, {_in_points(one['interval'])}",
            "levels": f"{percent(one['accuracy_b'])} and {percent(one['accuracy_a'])}",
            "verdict": one["verdict"],
        }
        for one in sorted(group, key=lambda one: (one["params"], one["sides"][0]))
    ]
    names = [row["name"] for row in rows]
    axis = _name_axis([line for name in names for line in name.split("\n")], most=200)
    axis.labelExpr = "split(datum.value, '\\n')"
    y = alt.Y("name:N", title=None, sort=names, axis=axis)
    top = min(1.0, math.ceil(20 * max(max(row["base"], row["other"]) for row in rows) + 0.2) / 20)
    share = alt.Scale(domain=[0, max(top, 0.05)], nice=False)
    ticks = alt.Axis(labelExpr=_PERCENT, tickCount=5)
    x, colour, base = alt.X("base:Q", title=None, scale=share, axis=ticks), style.colour(), alt.Chart(_data(rows))
    fields = {"name": "Model and method", "levels": "Reference and other", "says": "Difference", "verdict": "Verdict"}
    tooltip = [alt.Tooltip(f"{field}:N", title=title) for field, title in fields.items()]
    hollow = {"filled": False, "size": 70, "strokeWidth": 2, "fill": alt.ExprRef(PAPER)}
    levels = [
        base.mark_rule(strokeWidth=3, opacity=0.55).encode(x, alt.X2("other:Q"), y, colour),
        base.mark_point(filled=True, size=70).encode(alt.X("other:Q"), y, colour, opacity=_fade(), tooltip=tooltip),
        base.mark_point(**hollow).encode(x, y, colour, opacity=_fade(), tooltip=tooltip),
    ]
    reach = _reach(group)
    gap = alt.X("low:Q", title="Difference (percentage points)", scale=alt.Scale(domain=[-reach, reach], nice=False))
    gap = gap.axis(labelExpr=_SIGNED, tickCount=5)
    differences = [
        alt.Chart(_data([{"zero": 0}])).mark_rule(color="#8a8a8a").encode(alt.X("zero:Q")),
        base.mark_rule(strokeWidth=2).encode(gap, alt.X2("high:Q"), y, colour, opacity=_fade(0.8)),
        base.mark_point(filled=True, size=60).encode(
            alt.X("difference:Q"), y, colour, opacity=_fade(), tooltip=tooltip
        ),
    ]
    height = len(names) * (12 * max(name.count("\n") for name in names) + 28) + 10  # all rows are equally high
    charts = _layer(levels, "Accuracy", height), _layer(differences, "Difference from the reference", height)
    compared = ", ".join(name.replace("\n", " · ") for name in names)
    describe = f"{where['task']}: {compared}, each against the base model of the same size unless another is named."
    return Panel(where["task"], where, charts, describe)


def _size_axis(sizes: Sequence[float], labels: bool) -> alt.Axis:
    names = "replace(replace(format(datum.value, '.2~s'), 'G', 'B'), /([kMBT])$/, ' $1')"
    return alt.Axis(values=list(sizes), labels=labels, labelExpr=names, labelOverlap="greedy", grid=False)


def _parse_layers(points: list[dict[str, Any]], x: alt.X, style: Style) -> list[alt.Chart]:
    rows = [row for row in points if row["parse"] is not None]
    axis = alt.Axis(labelExpr=_PERCENT, values=[0, 0.5, 1], minExtent=34, maxExtent=34)
    y = alt.Y("parse:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=axis)
    base = alt.Chart(_data(rows)).encode(x, y, style.colour())
    line = base.mark_line(strokeWidth=1.4).encode(alt.Detail("family:N"), _dash(), opacity=_fade(0.8))
    return [line, base.mark_point(filled=True, size=34).encode(style.shape(), opacity=_fade(), tooltip=_tooltip())]


def _model_panel(where: dict[str, str], cells: Sequence[Cell], style: Style, top: float) -> Panel:
    title = where["task"]
    points, bars = _rows(cells)
    models = sorted({row["model"]: row["params"] or 0 for row in points}.items(), key=lambda pair: pair[1])
    order = [name for name, _ in models]
    methods = [name for name in style.methods if any(row["method"] == name for row in points)]
    y = alt.Y(
        "model:N", title=None, sort=order, axis=_name_axis(order), scale=alt.Scale(paddingInner=0.25, paddingOuter=0.12)
    )
    offset = alt.YOffset("method:N", sort=methods)
    accuracy = [
        *_chance_layers(cells, vertical=True),
        *_dot_layers(points, bars, "accuracy", top, (y, offset), style),
    ]
    parse = _dot_layers([row for row in points if row["parse"] is not None], [], "parse", 1.0, (y, offset), style)
    height = len(order) * (14 * len(methods) + 12)
    charts = (
        _layer(accuracy, "Accuracy", height),
        _layer(parse, "Parse rate", max(len(order) * (7 * len(methods) + 8), 40)),
    )
    return Panel(title, where, charts, _describe(title, "model", cells, style))


def _name_axis(names: Iterable[str], most: int = 156) -> alt.Axis:
    """An axis of names, as wide as the longest needs (about 6 pixels a letter), within reason."""
    room = min(max(6.4 * max(map(len, names)) + 12, 40), most)
    return alt.Axis(labelLimit=room - 8, minExtent=room, maxExtent=room, ticks=False, domain=False, labelPadding=8)


def _dot_layers(
    points: list[dict[str, Any]],
    bars: list[dict[str, Any]],
    field: str,
    top: float,
    rows: tuple[alt.Y, alt.YOffset],
    style: Style,
) -> list[alt.Chart]:
    y, offset = rows
    axis = alt.Axis(labelExpr=_PERCENT, tickCount=5)
    x = alt.X(f"{field}:Q", title=None, scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
    colour = style.colour()
    layers = []
    if bars:
        span = alt.Chart(_data(bars)).mark_rule(strokeWidth=2)
        ink = alt.StrokeOpacity("ink:Q", scale=None, legend=None)
        layers.append(span.encode(alt.X("low:Q"), alt.X2("high:Q"), y, offset, colour, ink, opacity=_fade(0.7)))
        each = alt.Chart(_data(bars)).mark_point(filled=True, size=12).transform_filter(_SEVERAL)
        if _several(bars):
            layers.append(each.encode(x, y, offset, colour, opacity=_fade(0.55)))
    spot = alt.Chart(_data(points)).mark_point(filled=True, size=62 if bars else 34)
    layers.append(spot.encode(x, y, offset, colour, style.shape(), opacity=_fade(), tooltip=_tooltip()))
    return layers


def _label_panel(title: str, where: dict[str, str], cells: Sequence[Cell], style: Style, top: float) -> Panel:
    trained = [cell for cell in cells if cell["labels"] > 0]
    zero = [cell for cell in cells if cell["labels"] == 0]
    points, bars = _rows(trained)
    budgets = sorted({row["labels"] for row in points})
    points, bars = (_dodged(rows, "labels", style.methods) for rows in (points, bars))
    axis = alt.Axis(values=budgets, grid=False, format="d")
    x = alt.X("x:Q", title="Labelled examples", scale=_log_scale([row["x"] for row in points]), axis=axis)
    layers = [*_chance_layers(cells), *_line_layers(points, bars, points, (x, _accuracy_axis(top)), style)]
    if zero:
        rule = alt.Chart(_data(_rows(zero)[0])).mark_rule(strokeWidth=1.6, strokeDash=[6, 3])
        layers.append(rule.encode(alt.Y("accuracy:Q"), style.colour(), opacity=_fade(0.9), tooltip=_tooltip()))
    return Panel(title, where, (_layer(layers, "Accuracy", 240),), _describe(title, "labelled examples", cells, style))


_ONE_AND_THREE = "test(/^[13]e/, format(datum.value, '.0e')) ? replace(format(datum.value, '.0e'), '+', '') : ''"
"""Labels of a logarithmic axis: 1e8, 3e8, 1e9 ... so that half a decade has at least one."""

_EVERY = "replace(format(datum.value, '.1e'), '+', '')"
"""Labels of an axis of less than that."""


def _cost_panel(title: str, where: dict[str, str], cells: Sequence[Cell], style: Style, top: float) -> Panel:
    points, bars = _rows(cells)
    cost = f"datum.inference + datum.tuning / {QUERIES}"
    costs = [row["inference"] + row["tuning"] / DEFAULT_QUERIES for row in points]
    axis = alt.Axis(
        labelExpr=_ONE_AND_THREE if max(costs) > 3.2 * min(costs) else _EVERY, labelOverlap="greedy", grid=False
    )
    x = alt.X("cost:Q", title="FLOPs a query", scale=alt.Scale(type="log", nice=False, padding=18), axis=axis)
    layers = [
        layer.transform_calculate(cost=cost)
        for layer in _line_layers(points, bars, points, (x, _accuracy_axis(top)), style)
    ]
    charts = (_layer([*_chance_layers(cells), *layers], "Accuracy", 260),)
    return Panel(title, where, charts, _describe(title, "floating-point operations a query", cells, style))


def _shift_panel(
    title: str, where: dict[str, str], pair: tuple[list[Cell], list[Cell]], style: Style, top: float
) -> Panel:
    sides = [_rows(cells) for cells in pair]
    clean, moved = ({row["method"]: row for row in points} for points, _ in sides)
    both = [name for name in style.methods if name in clean and name in moved]
    y = alt.Y("method:N", title=None, sort=both, axis=_name_axis(both))
    colour = style.colour()
    joined = [{**clean[name], "to": moved[name]["accuracy"]} for name in both]
    axis = alt.Axis(labelExpr=_PERCENT, tickCount=5)
    x = alt.X("accuracy:Q", title="Accuracy", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
    layers = [
        *_chance_layers(pair[0], vertical=True),
        alt.Chart(_data(joined)).mark_rule(strokeWidth=3, opacity=0.55).encode(x, alt.X2("to:Q"), y, colour),
    ]
    for (_, bars), place, shade in zip(sides, (-6, 6), (0.7, 0.45), strict=True):
        rows = [bar for bar in bars if bar["method"] in both]
        ink = alt.StrokeOpacity("ink:Q", scale=None, legend=None)
        span = alt.Chart(_data(rows)).mark_rule(strokeWidth=1.5, yOffset=place)
        layers.append(span.encode(alt.X("low:Q"), alt.X2("high:Q"), y, colour, ink, opacity=_fade(shade)))
    for found, filled in ((clean, True), (moved, False)):
        spot = alt.Chart(_data([found[name] for name in both])).mark_point(
            filled=filled, size=70, strokeWidth=2, fill=alt.Undefined if filled else alt.ExprRef(PAPER)
        )
        layers.append(spot.encode(x, y, colour, opacity=_fade(), tooltip=_tooltip()))
    cells = [*pair[0], *pair[1]]
    return Panel(
        title,
        where,
        (_layer(layers, "", 34 * len(both) + 10),),
        _describe(title, f"the shift {where['shift']}", cells, style),
    )


def _forest_panel(title: str, where: dict[str, str], group: Sequence[Mapping[str, Any]], reach: float) -> Panel:
    rows = []
    for one in group:
        low, high = one["interval"]
        name = f"{one['sides'][0]} − {one['sides'][1]} · {one['model']} · {one['labels']} labels"
        rows.append(
            {"name": name, "difference": one["difference"], "low": low, "high": high, "verdict": one["verdict"]}
        )
    verdicts = alt.Scale(domain=list(VERDICT_COLOURS), range=list(VERDICT_COLOURS.values()))
    colour = alt.Color("verdict:N", title="Verdict", scale=verdicts)
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=420, ticks=False, domain=False, labelPadding=8))
    axis = alt.Axis(labelExpr="format(datum.value * 100, '+.0f')", tickCount=7)
    x = alt.X(
        "low:Q", title="Difference (percentage points)", scale=alt.Scale(domain=[-reach, reach], nice=False), axis=axis
    )
    base = alt.Chart(_data(rows))
    layers = [
        alt.Chart(_data([{"zero": 0}])).mark_rule(color="#8a8a8a").encode(alt.X("zero:Q")),
        base.mark_rule(strokeWidth=2).encode(x, alt.X2("high:Q"), y, colour),
        base.mark_point(filled=True, size=60).encode(alt.X("difference:Q"), y, colour),
    ]
    return Panel(title, where, (_layer(layers, "", 20 * len(rows) + 10),), f"Differences between methods on {title}.")


def _reach(comparisons: Iterable[Mapping[str, Any]]) -> float:
    """Half the width of a difference axis that holds every interval, rounded up to 5 points."""
    widest: float = max(max(abs(end) for end in (*one["interval"], one["difference"])) for one in comparisons)
    return min(1.0, math.ceil(widest * 20 + 0.2) / 20)


def _describe(title: str, against: str, cells: Sequence[Cell], style: Style) -> str:
    present = [name for name in style.methods if any(cell["method"] == name for cell in cells)]
    models = list(dict.fromkeys(str(cell["model"]) for cell in cells))
    return (
        f"{title}: accuracy against {against} for {', '.join(present)} on {', '.join(models)}."
        " Every number is in the table of cells."
    )


# ---- out of the page -----------------------------------------------------------------------------------------------


def specification(chart: Any) -> dict[str, Any]:
    """The Vega-Lite specification of a chart, with the parameters every chart understands: ``focus`` (the
    one method to show, or empty), ``queries`` (queries that share the cost of tuning) and ``paper`` (the
    colour behind the chart).
    """
    made: dict[str, Any] = chart.to_dict(validate=False)
    values = {FOCUS: "", QUERIES: DEFAULT_QUERIES, PAPER: "white"}
    made["params"] = [{"name": name, "value": value} for name, value in values.items()]
    return made


def schema_version() -> str:
    """Version of Vega-Lite that Altair writes, as vl-convert names it (``6.4``)."""
    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def pictures(figure: Figure, *, columns: int = 3, width: int = 300) -> dict[str, dict[str, Any]]:
    """File name (without ending) -> specification of one static picture for each choice of the facets that
    are not side by side; ``width`` of a panel in pixels.
    """
    varying = [name for name in FACETS if len({panel.where.get(name) for panel in figure.panels}) > 1]
    chosen: dict[tuple[str, ...], list[Panel]] = defaultdict(list)
    for panel in figure.panels:
        chosen[tuple(panel.where[name] for name in varying if name != figure.grid)].append(panel)
    names = [name for name in varying if name != figure.grid]
    drawn = {}
    for values, panels in chosen.items():
        parts = [f"{name}-{value}" for name, value in zip(names, values, strict=True)]
        stacked = [_stacked(panel, width) for panel in panels]
        whole = alt.concat(*stacked, columns=columns) if len(stacked) > 1 else stacked[0]
        drawn[_slug("_".join([figure.name, *parts]))] = {**specification(whole), "config": PAPER_CONFIG}
    return drawn


def _stacked(panel: Panel, width: int) -> Any:
    charts = [chart.properties(width=width) for chart in panel.charts]
    title = alt.Title(panel.title, anchor="start", fontSize=13)
    return alt.vconcat(*charts, spacing=6).properties(title=title).resolve_scale(yOffset="independent")


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.=-]+", "-", text).strip("-")


PAPER_CONFIG: dict[str, Any] = {
    "background": "white",
    "font": "DejaVu Sans, Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "gridColor": "#e6e6e6",
        "domainColor": "#999999",
        "tickColor": "#999999",
        "labelFontSize": 10,
        "titleFontWeight": "normal",
    },
    "legend": {"orient": "bottom", "labelLimit": 240},
}
"""How every picture on paper looks."""


def _write_as(fmt: str, spec: dict[str, Any]) -> bytes:
    import vl_convert

    if fmt == "svg":
        return str(vl_convert.vegalite_to_svg(spec, vl_version=schema_version())).encode()
    picture: bytes = vl_convert.vegalite_to_png(spec, vl_version=schema_version(), scale=2)
    return picture


def write_pictures(shown: Mapping[str, Any], folder: Path, *, fmt: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write every figure into ``folder`` (created), PNG at two pixels a point and SVG, and the captions
    into ``captions.txt``; returns the paths. Raises StoreError when the folder cannot be written.
    """
    drawn = figures(shown)
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for figure in drawn:
            for name, spec in pictures(figure).items():
                for ending in fmt:
                    path = folder / f"{name}.{ending}"
                    path.write_bytes(_write_as(ending, spec))
                    paths.append(path)
        captions = folder / "captions.txt"
        captions.write_text("\n\n".join(f"{one.name}: {one.caption}" for one in drawn) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write figures into {folder}: {error.strerror}") from error
    return [*paths, captions]
