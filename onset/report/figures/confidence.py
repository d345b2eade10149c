"""How right a method is at each confidence, and how right what is left is when unsure answers are withheld."""

from __future__ import annotations

from collections.abc import Mapping

from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import (
    GREY,
    PERCENT,
    Cell,
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    Style,
    accuracy_axis,
    dash,
    dot,
    fade,
    layer,
    layered,
    quantity,
    tooltip,
)
from onset.report.figures.rows import Row, facets, largest_budget_first

_Looks = Mapping[tuple[object, object], Row]
"""Model and method -> what is drawn by."""
_DIAGONAL = ({"confidence": 0.0, "accuracy": 0.0}, {"confidence": 1.0, "accuracy": 1.0})

_WITH_BINS = (
    "Above: outcomes in bins of equal mass by confidence, the share that is right against the mean confidence; on"
    " the grey line a method is as sure as it is right, below it too sure. Methods with fewer than 100 answered"
    " items have no bins. Below: the share that is right among the surest answers, against the share of the"
    " questions that is answered; a flat line says that confidence tells nothing."
)
_WITHOUT = (
    "The share that is right among the surest answers, against the share of the questions that is answered; a flat line"
    " says that confidence tells nothing. With fewer than 100 answered items confidence is not held against accuracy."
)


def confidence_figure(shown: Shown) -> Figure | None:
    """A panel for each task, model and budget with a method whose confidence is known. None without one."""
    known = largest_budget_first(shown.table("confidence"))
    if not known:
        return None
    looks = {(cell["model"], cell["method"]): _look(cell) for cell in shown.cells}
    panels = [
        _panel(where, group, looks, shown.style)
        for where, group in facets(known, ("task", "shift", "stage", "model", "labels"))
    ]
    caption = shown.style.say(_WITH_BINS if any(one["bins"] for one in known) else _WITHOUT)
    return Figure("confidence", "Confidence", caption, "task", tuple(panels))


def _panel(where: dict[str, str], group: Rows, looks: _Looks, style: Style) -> Panel:
    say, charts = style.say, []
    bins = [row for one in group for row in _bins(one, looks)]
    if bins:
        charts.append(layered(_reliability(bins, style), "Right, by confidence", 240))
    kept = [row for one in group for row in _curve(one, looks)]
    charts.append(layered(_curves(kept, style), "Right among the surest", 160))
    return Panel(where["task"], where, tuple(charts), _describe(where, group, say))


def _reliability(rows: Rows, style: Style) -> list[Spec]:
    ticks = {"labelExpr": PERCENT, "tickCount": 5, "grid": False}
    scale = {"domain": [0, 1], "nice": False}
    x = quantity("confidence", title=style.say("Mean confidence of a bin"), scale=scale, axis=ticks)
    at = {"x": x, "y": accuracy_axis(1.0), "color": style.colour()}
    fields = {"method": "Method", "sure": "Mean confidence", "says": "Accuracy", "n": "Outcomes"}
    return [
        layer("line", _DIAGONAL, {"x": x, "y": quantity("accuracy")}, color=GREY, strokeDash=[2, 3]),
        layer("line", rows, at | {"strokeDash": dash(), "opacity": fade(0.7)}, strokeWidth=1.4),
        layer("point", rows, at | {"shape": style.shape(), "opacity": fade(), "tooltip": tooltip(fields)}, **dot(56)),
    ]


def _curves(rows: Rows, style: Style) -> list[Spec]:
    ticks = {"labelExpr": PERCENT, "tickCount": 5, "grid": False}
    x = quantity("coverage", title=style.say("Share of the questions answered"), scale={"domain": [0, 1]}, axis=ticks)
    fields = {"method": "Method", "share": "Kept", "says": "Accuracy"}
    at = {"x": x, "y": accuracy_axis(1.0), "color": style.colour()}
    return [
        layer("line", rows, at | {"strokeDash": dash(), "opacity": fade(0.85)}, strokeWidth=1.8),
        layer("point", rows, at | {"opacity": fade(0.85), "tooltip": tooltip(fields)}, **dot(14)),
    ]


def _look(cell: Cell) -> Row:
    """What a method's lines and points are drawn by."""
    return {
        "method": cell["method"],
        "family": str(cell["family"]),
        "kind": "tuned" if cell["tune"] else "prompted",
    }


def _bins(one: Mapping[str, object], looks: _Looks) -> list[Row]:
    held: list[Mapping[str, float]] = one["bins"]  # type: ignore[assignment]
    return [
        looks[one["model"], one["method"]]
        | {
            "confidence": each["confidence"],
            "accuracy": each["accuracy"],
            "n": int(each["n"]),
            "sure": percent(each["confidence"]),
            "says": percent(each["accuracy"]),
        }
        for each in held
    ]


def _curve(one: Mapping[str, object], looks: _Looks) -> list[Row]:
    held: list[Mapping[str, float]] = one["curve"]  # type: ignore[assignment]
    return [
        looks[one["model"], one["method"]]
        | {
            "coverage": each["coverage"],
            "accuracy": each["accuracy"],
            "share": percent(each["coverage"]),
            "says": percent(each["accuracy"]),
        }
        for each in held
    ]


def _describe(where: Mapping[str, str], group: Rows, say: Say) -> str:
    head = say("{task}, {model}: accuracy against confidence.", task=say.task(where["task"]), model=where["model"])
    said = [
        say(
            "{method}: {sure} sure on average and right in {right}; area under the risk-coverage curve {area} %",
            method=say.method(str(one["method"])), sure=percent(one["confidence"]), right=percent(one["accuracy"]),
            area=number(100 * one["aurc"]),
        )
        for one in group
    ]  # fmt: skip
    return f"{head} {say.clauses(said)}"
