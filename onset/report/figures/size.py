"""Accuracy against model size: points, the fitted curve of the verdict, thresholds, scores and parse rate below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onset.analysis.phrases import phrase
from onset.analysis.questions.say import Say
from onset.analysis.words import number
from onset.report.figures.base import (
    CELL_TOOLTIP,
    INTERVALS,
    PERCENT,
    SHOWN,
    Cell,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    accuracy_axis,
    category,
    chance_layers,
    dash,
    dot,
    end,
    fade,
    layer,
    layered,
    line_layers,
    log_scale,
    quantity,
    size_axis,
    tooltip,
    top_of,
)
from onset.report.figures.models import model_figure
from onset.report.figures.rows import (
    Row,
    at_budget,
    budget_name,
    budgets,
    describe,
    dodged,
    facets,
    left_out_note,
    points_and_bars,
    seeds_note,
)


def size_figure(shown: Shown) -> Figure | None:
    """Accuracy against model size with the parse rate below it; a dot plot by model when no family has
    two sizes, because then there is no curve to see. None without cells.
    """
    cells, curves = shown.cells, shown.table("curves")
    if not _has_curve(cells):
        return model_figure(shown)
    panels = []
    for place, group in facets([cell for cell in cells if cell["params"]], ("task", "shift", "stage")):
        for labels in budgets(group):
            rows, where = at_budget(group, labels), {**place, "labels": budget_name(labels)}
            panels.append(_panel(where, rows, shown, top_of(group), curves))
    return Figure("size", "Accuracy and model size", _caption(cells, curves, shown), "task", tuple(panels))


def _has_curve(cells: Iterable[Cell]) -> bool:
    sizes = defaultdict(set)
    for cell in cells:
        if cell["params"]:
            sizes[cell["family"], cell["task"], cell["method"]].add(cell["params"])
    return any(len(found) > 1 for found in sizes.values())


def _caption(cells: Sequence[Cell], curves: Rows, shown: Shown) -> str:
    style = shown.style
    notes = {
        _PARSE_NOTE: any(cell["parse_rate"] is not None for cell in cells),
        _LINE_NOTE: True,
        _FIT_NOTE: any(map(is_drawn, curves)),
        _JOINED_NOTE: not all(map(is_drawn, curves)),
        _GROWTH_NOTE: bool(shown.table("knowledge_by_size")),
        _VERDICT_NOTE: any(curve.get("emergence") for curve in curves),
        _SCORE_NOTE: any(curve.get("scores") for curve in curves),
    }
    return style.told(
        style.say(_CAPTION),
        *(style.say(note) for note, applies in notes.items() if applies),
        left_out_note(cells, "params", "parameter count", style),
        style.say(INTERVALS),
        seeds_note(cells, style),
    )


_CAPTION = "Above: accuracy (share of test items answered correctly) against the number of parameters, on a log scale."
_PARSE_NOTE = (
    "Below: parse rate, the share of outputs an answer could be read from; where it is low, a low accuracy may be"
    " about format rather than ability."
)
_LINE_NOTE = (
    "One line a method; sizes of different families are never joined. Points at one size are moved apart sideways."
)
_FIT_NOTE = "Lines: the fitted curve that goes with the verdict."
_JOINED_NOTE = (
    "Thin straight lines join the points of a method for which there is no curve: fewer than four sizes, or no curve"
    " that the data bear."
)
_GROWTH_NOTE = (
    "Fine dashes: the straight line in the logarithm of size through accuracy on a knowledge task, which is drawn where"
    " it is refused, too."
)
_VERDICT_NOTE = (
    "Above the plot: does accuracy grow smoothly with size or emerge, for methods with four sizes or more. Dotted, in"
    " the method's colour: the size at which its curve leaves chance, that is, comes to stand 5 points above it (more"
    " where items are few); shaded: the 95 % interval of that size."
)
_SCORE_NOTE = (
    "In the middle: a continuous score of the same outputs, mean and 95 % interval; a jump of the ability shows in it"
    " as well, a jump of the metric does not."
)


def _panel(where: dict[str, str], cells: Sequence[Cell], shown: Shown, top: float, curves: Rows) -> Panel:
    title, style = where["task"], shown.style
    points, bars = points_and_bars(cells, style)
    sizes = sorted({row["params"] for row in points})
    points, bars = (dodged(rows, "params", style.methods) for rows in (points, bars))
    names = _line_ends(points, top)
    scale = _with_room(log_scale([row["x"] for row in points]), [row["method"] for row in names])
    bare = quantity("x", title=None, scale=scale, axis=size_axis(sizes, False, style))
    named = quantity("x", title="Parameters", scale=scale, axis=size_axis(sizes, True, style))

    known = any(row["parse"] is not None for row in points)
    lines = _lines(points, where, curves)
    judged = _judged(points, where, curves)
    metric, rows = _score_rows(points, judged, style.say)
    accuracy = line_layers(points, bars, lines, {"x": bare if known or rows else named, "y": accuracy_axis(top)}, style)
    said = [
        style.say("{name}: {said}", name=style.say.method(method), said=verdict_words(curve["emergence"], style.say))
        for (method, *_), curve in judged.items()
    ]
    layers = [
        *_threshold_layers(judged, bare, style),
        *chance_layers(cells, style),
        *_growth_layers(points, where, shown),
        *accuracy,
        *_name_layers(names, bare, style),
    ]
    charts = [layered(layers, "Accuracy", 260)]
    if rows:
        axis = bare if known else named
        charts.append(layered(_score_layers(metric, rows, axis, style), _SCORE_NAMES.get(metric, metric), 84))
    charts += [layered(_parse_layers(points, named, style), "Parse rate", 64)] if known else []
    words = style.told(describe(title, "model size", cells, style), style.say.text(said))
    return Panel(title, where, tuple(charts), words, tuple(said))


# ---- lines ---------------------------------------------------------------------------------------------------------


def _lines(points: Sequence[Row], where: Mapping[str, str], curves: Rows) -> list[Row]:
    """The fitted curve of a method in a family where the analysis draws one, else its points joined (``joined``)."""
    fitted = {
        (curve["method"], curve["family"], curve["labels"]): curve["emergence"]["fit"]
        for curve in curves
        if is_drawn(curve) and all(curve[name] == where[name] for name in ("task", "shift", "stage"))
    }
    groups: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for point in points:
        groups[point["method"], point["family"], point["labels"]].append(point)
    lines = []
    for key, group in groups.items():
        kept = [{name: row[name] for name in ("method", "family", "kind", "x", "accuracy")} for row in group]
        joined = [row | {"joined": True} for row in kept]
        lines += fitted_line(fitted[key], group[0]) if key in fitted else joined
    return lines


def _growth_layers(points: Sequence[Row], where: Mapping[str, str], shown: Shown) -> list[Spec]:
    """The straight line in the logarithm of size of every method of which one was fitted."""
    drawn = {(point["method"], point["family"], point["labels"]) for point in points}
    rows = [
        {"method": one["method"], "line": place, "x": size, "accuracy": share}
        for place, one in enumerate(shown.table("knowledge_by_size"))
        if (one["method"], str(one["family"]), one["labels"]) in drawn
        and all(one[name] == where[name] for name in ("task", "shift", "stage"))
        for size, share in one["line"]
    ]
    if not rows:
        return []
    at = {"x": quantity("x"), "y": quantity("accuracy"), "color": shown.style.colour(), "detail": category("line")}
    return [layer("line", rows, at | {"opacity": fade(0.8)}, strokeWidth=1.2, strokeDash=[2, 3], clip=True)]


def is_drawn(curve: Mapping[str, Any]) -> bool:
    """Has the analysis a curve that the data bear?"""
    found = curve.get("emergence")
    return bool(found and found["fit"] and found["fit"]["drawn"])


def fitted_line(fit: Mapping[str, Any], row: Row) -> list[Row]:
    """The analysis's curve as rows, moved aside as far as the method's points are."""
    aside = row["x"] / row["params"]
    same = {name: row[name] for name in ("method", "family", "kind")} | {"joined": False}
    pairs = zip(fit["sizes"], fit["values"], strict=True)
    return [same | {"x": size * aside, "accuracy": round(value, 5)} for size, value in pairs]


def _line_ends(points: Sequence[Row], top: float) -> list[Row]:
    """The largest size of each method, where its name has room: a study of one family, no other end near it."""
    if len({row["family"] for row in points}) > 1:
        return []
    ends = {row["method"]: row for row in sorted(points, key=lambda row: float(row["params"]))}
    rows = list(ends.values())
    apart = 0.08 * top  # the height of a line of text
    return [
        row for row in rows if all(abs(row["accuracy"] - one["accuracy"]) >= apart for one in rows if one is not row)
    ]


def _with_room(scale: Spec, names: Sequence[str]) -> Spec:
    """The scale with room on the right for ``names`` (7 pixels a letter, of a plot of about 450)."""
    if not names:
        return scale
    first, last = scale["domain"]
    share = min((7 * max(map(len, names)) + 6) / 450, 0.3)
    return scale | {"domain": [first, last * (last / first) ** (share / (1 - share))]}


def _name_layers(names: Rows, x: Spec, style: Style) -> list[Spec]:
    """Names at the ends of lines, in plots that are wide enough."""
    if not names:
        return []
    hidden = {"value": 0, "condition": {"test": f"width > 420 && ({SHOWN})", "value": 1}}
    at = {"x": x, "y": quantity("accuracy"), "text": category("method"), "color": style.colour(), "opacity": hidden}
    return [layer("text", names, at, align="left", baseline="middle", dx=10, fontSize=12)]


# ---- verdicts ------------------------------------------------------------------------------------------------------

_Judged = Mapping[tuple[str, str, int | None], Mapping[str, Any]]


def _judged(points: Rows, where: Mapping[str, str], curves: Rows) -> _Judged:
    """(method, family, labels) -> the curve of each line of a panel that has a verdict, in the order of the lines."""
    known = {
        (curve["method"], curve["family"], curve["labels"]): curve
        for curve in curves
        if curve.get("emergence") and all(curve[name] == where[name] for name in ("task", "shift", "stage"))
    }
    keys = dict.fromkeys((str(row["method"]), str(row["family"]), row["labels"]) for row in points)
    return {key: known[key] for key in keys if key in known}


def verdict_words(emergence: Mapping[str, Any], say: Say) -> str:
    """``emergent, leaves chance at 47.2 k (33.3 k to 54.4 k)``."""
    held, verdict = emergence["threshold"], phrase(f"label.{emergence['verdict']}", say.language)
    low, high = (None if held[end] is None else say.size(held[end]) for end in ("low", "high"))
    places = {"verdict": verdict, "low": low or "", "high": high or ""}
    if held["censored"] == "gap" and low and high:
        return say("{verdict}, leaves chance between {low} and {high}", **places)
    if held["estimate"] is None:
        if low:
            return say("{verdict}, leaves chance above {low}", **places)
        return say("{verdict}, leaves chance below {high}", **places) if high else verdict
    both = say("{low} to {high}", **places)
    ends = both if low and high else f"> {low}" if low else f"< {high}" if high else say("unbounded")
    return say("{verdict}, leaves chance at {at} ({range})", at=say.size(held["estimate"]), range=ends, **places)


def _threshold_layers(judged: _Judged, x: Spec, style: Style) -> list[Spec]:
    """A band for each threshold interval, a line at its estimate; an open end runs to the edge of the plot."""
    first, last = x["scale"]["domain"]
    rows = []
    for (method, family, _), curve in judged.items():
        held = curve["emergence"]["threshold"]
        if held["low"] is None and held["high"] is None:
            continue
        ends = {"x": held["low"] or first, "to": held["high"] or last, "at": held["estimate"]}
        ends["above"] = held["above_chance"]
        rows.append({"method": method, "family": family, **ends})
    if not rows:
        return []
    colour = {"color": style.colour()}
    layers = [layer("rect", rows, {"x": x, "x2": end("to"), "opacity": fade(0.13)} | colour, clip=True)]
    marked = [row for row in rows if row["at"] is not None]
    if marked:
        at = {"x": quantity("at"), "opacity": fade(0.8)} | colour
        layers.append(layer("rule", marked, at, strokeDash=[2, 3], strokeWidth=1.5))
    return layers


# ---- below the accuracies ------------------------------------------------------------------------------------------

_SCORE_NAMES = {
    "gold_logprob": "Log-probability of the gold answer (nats)",
    "gold_prob": "Probability of the gold answer among the choices",
    "token F1": "Token F1 of the answer and the nearest right one",
    "pass rate": "Share of samples that are right",
    "edit similarity": "Edit similarity of the answer to the gold one",
}


def _score_rows(points: Rows, judged: _Judged, say: Say) -> tuple[str, list[Row]]:
    """The continuous score most of the judged lines have, and its rows."""
    held = {
        (key, score["metric"], model): (value, interval)
        for key, curve in judged.items()
        for score in curve["scores"]
        for model, value, interval in zip(score["models"], score["values"], score["intervals"], strict=True)
    }
    metrics = [score["metric"] for curve in judged.values() for score in curve["scores"]]
    if not metrics:
        return "", []
    metric = max(dict.fromkeys(metrics), key=metrics.count)
    rows = []
    for point in points:
        key = str(point["method"]), str(point["family"]), point["labels"]
        if (key, metric, point["model"]) not in held:
            continue
        value, interval = held[key, metric, point["model"]]
        low, high = interval or (value, value)
        row = {name: point[name] for name in ("method", "family", "kind", "model", "size", "x")}
        spread = say("{low} to {high}", low=number(low, 3), high=number(high, 3)) if interval else ""
        rows.append(row | {"score": value, "low": low, "high": high, "says": say.parted([number(value, 3), spread])})
    return metric, rows


def _score_layers(metric: str, rows: Rows, x: Spec, style: Style) -> list[Spec]:
    axis: Spec = {"labelExpr": PERCENT, "values": [0, 0.5, 1], "minExtent": 34, "maxExtent": 34}
    scale: Spec = {"domain": [0, 1]}
    if metric == "gold_logprob":
        # as wide as the per cent of the other panels
        axis, scale = {"tickCount": 3, "minExtent": 42, "maxExtent": 42}, {"zero": False}
    at = {"x": x, "y": quantity("score", title=None, scale=scale, axis=axis), "color": style.colour()}
    ends = at | {"y": quantity("low"), "y2": end("high"), "opacity": fade(0.7)}
    fields = {"method": "Method", "model": "Model", "size": "Parameters", "says": "Score"}
    spots = at | {"shape": style.shape(), "opacity": fade(), "tooltip": tooltip(fields)}
    return [
        layer("line", rows, at | {"detail": category("family"), "strokeDash": dash(), "opacity": fade(0.8)}, **_THIN),
        layer("rule", rows, ends, strokeWidth=1.5),
        layer("point", rows, spots, **dot(34)),
    ]


def _parse_layers(points: Rows, x: Spec, style: Style) -> list[Spec]:
    rows = [row for row in points if row["parse"] is not None]
    axis = {"labelExpr": PERCENT, "values": [0, 0.5, 1], "minExtent": 34, "maxExtent": 34}
    at = {"x": x, "y": quantity("parse", title=None, scale={"domain": [0, 1]}, axis=axis), "color": style.colour()}
    spots = at | {"shape": style.shape(), "opacity": fade(), "tooltip": tooltip(CELL_TOOLTIP)}
    return [
        layer("line", rows, at | {"detail": category("family"), "strokeDash": dash(), "opacity": fade(0.8)}, **_THIN),
        layer("point", rows, spots, **dot(34)),
    ]


_THIN: Spec = {"strokeWidth": 1.4}
