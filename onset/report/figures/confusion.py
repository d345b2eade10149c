"""What was answered instead of what: one confusion matrix a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.analysis.estimates.classification import OTHER, UNREAD
from onset.analysis.questions.say import Say
from onset.analysis.words import number, percent
from onset.report.figures.base import (
    Figure,
    Panel,
    Rows,
    Shown,
    Spec,
    category,
    fade,
    layer,
    layered,
    quantity,
    tooltip,
)
from onset.report.figures.rows import Row, facets, largest_budget_first

_ROW = 26
_BLUES = ("#f3f6f9", "#0072B2")


def confusion_figure(shown: Shown) -> Figure | None:
    """A panel for each model, with a matrix for each method. None without a task whose answers are labels."""
    rows = largest_budget_first(shown.table("classification"))
    if not rows:
        return None
    panels = [
        Panel(
            str(where["model"]),
            where,
            tuple(_matrix(one, shown.style.say) for one in group),
            _describe(where, group, shown.style.say),
        )
        for where, group in facets(rows, ("task", "shift", "stage", "model", "labels"))
    ]
    caption = shown.style.say(
        "One row for each label of the test items, one column for each label answered: how many items, over all draws;"
        " the colour is the share of the row. Right answers stand on the diagonal. The last two columns hold answers"
        " that are none of the labels, and outputs no answer was found in: they count as wrong. Macro-F1: the mean of"
        " the F1 of the labels, with its 95 % interval."
    )
    return Figure("confusion", "Which labels are taken for which", caption, "model", tuple(panels))


def _matrix(one: Mapping[str, Any], say: Say) -> Spec:
    angle = -35 if len(one["columns"]) > 4 or max(map(len, one["columns"])) > 12 else 0
    bare = {"labelLimit": 120, "domain": False, "ticks": False}
    across = bare | {"orient": "bottom", "labelAngle": angle}
    fields = {"method": "Method", "gold": "Label", "named": "Answered", "says": "Items"}
    at = {
        "x": category("answer", sort=list(one["columns"]), title="answered", axis=across),
        "y": category("gold", sort=list(one["classes"]), title="label", axis=bare | {"minExtent": 60}),
        "opacity": fade(),
        "tooltip": tooltip(fields),
    }
    fill = at | {"color": quantity("share", scale={"domain": [0, 1], "range": list(_BLUES)}, legend=None)}
    text = at | {"text": quantity("count"), "color": category("ink", scale=None, legend=None)}
    rows = _rows(one, say)
    layers = [layer("rect", rows, fill, stroke="white"), layer("text", rows, text, fontSize=12)]
    chart = layered(layers, _said(one, say), _ROW * len(one["classes"]))
    return chart | {"resolve": {"scale": {"color": "independent"}}}


def _rows(one: Mapping[str, Any], say: Say) -> list[Row]:
    """One row a label and answer."""
    rows = []
    for label, counts in zip(one["classes"], one["counts"], strict=True):
        total = sum(counts)
        for answer, count in zip(one["columns"], counts, strict=True):
            share = count / total if total else 0.0
            rows.append(
                {"gold": label, "answer": answer, "count": count, "share": share, "method": one["method"]}
                | {"named": say(answer) if answer in (OTHER, UNREAD) else answer}
                | {"says": say("{part} of {whole} ({share})", part=count, whole=total, share=percent(share))}
                | {"ink": "white" if share > 0.6 else "#222222"}
            )
    return rows


def _said(one: Mapping[str, Any], say: Say) -> str:
    low, high = (number(100 * end) for end in one["interval"])
    places = {"method": say.method(one["method"]), "f1": percent(one["macro_f1"]), "low": low, "high": high}
    return say("{method}: macro-F1 {f1} ({low} to {high})", **places)


def _describe(where: Mapping[str, str], group: Rows, say: Say) -> str:
    classes = group[0]["classes"]
    head = say(
        "{task}, {model}: confusion of {count} labels ({names}).", task=say.task(where["task"]), model=where["model"],
        count=len(classes), names=say.parted(classes),
    )  # fmt: skip
    return f"{head} {say.clauses(_said(one, say) for one in group)}"
