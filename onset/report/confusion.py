"""The figure of what was answered instead of what: one confusion matrix a method, from ``onset show --json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from onset.analysis.words import counted, number, percent
from onset.report.figures import Figure, Panel, _data, _facets, _fade, _heading, _labels

_ROW = 26
_BLUES = ("#f3f6f9", "#0072B2")


def confusion_figure(classification: Sequence[Mapping[str, Any]]) -> Figure | None:
    """A panel for each model, with a matrix for each method. None without a task whose answers are labels."""
    if not classification:
        return None
    rows = [{**one, "labels": _labels(one["labels"])} for one in classification]
    panels = [
        Panel(str(where["model"]), where, tuple(_matrix(one) for one in group), _describe(where, group))
        for where, group in _facets(rows, ("task", "shift", "stage", "model", "labels"))
    ]
    caption = (
        "One row for each label of the test items, one column for each label answered: how many items, over all draws;"
        " the colour is the share of the row. Right answers stand on the diagonal. The last two columns hold answers"
        " that are none of the labels, and outputs no answer was found in: they count as wrong. Macro-F1: the mean of"
        " the F1 of the labels, with its 95 % interval."
    )
    return Figure("confusion", "Which labels are taken for which", caption, "model", tuple(panels))


def _matrix(one: Mapping[str, Any]) -> alt.LayerChart:
    cells = []
    for label, counts in zip(one["classes"], one["counts"], strict=True):
        total = sum(counts)
        for answer, count in zip(one["columns"], counts, strict=True):
            share = count / total if total else 0.0
            cells.append(
                {"gold": label, "answer": answer, "count": count, "share": share, "method": one["method"]}
                | {"says": f"{count} of {total} ({percent(share)})", "ink": "white" if share > 0.6 else "#222222"}
            )
    colour = alt.Scale(domain=[0, 1], range=list(_BLUES))
    angle = -35 if len(one["columns"]) > 4 or max(map(len, one["columns"])) > 12 else 0
    x_axis = alt.Axis(orient="bottom", labelAngle=angle, labelLimit=120, domain=False, ticks=False)
    y_axis = alt.Axis(labelLimit=120, domain=False, ticks=False, minExtent=60)
    base = alt.Chart(_data(cells)).encode(
        alt.X("answer:N", sort=list(one["columns"]), title="answered", axis=x_axis),
        alt.Y("gold:N", sort=list(one["classes"]), title="label", axis=y_axis),
        opacity=_fade(),
        tooltip=[
            alt.Tooltip(f"{field}:N", title=title)
            for field, title in (("method", "Method"), ("gold", "Label"), ("answer", "Answered"), ("says", "Items"))
        ],
    )
    fill = base.mark_rect(stroke="white").encode(alt.Color("share:Q", scale=colour, legend=None))
    text = base.mark_text(fontSize=10).encode(alt.Text("count:Q"), color=alt.Color("ink:N", scale=None, legend=None))
    layers = alt.layer(fill, text).resolve_scale(color="independent")
    return layers.properties(title=_heading(_said(one)), height=_ROW * len(one["classes"]))


def _said(one: Mapping[str, Any]) -> str:
    low, high = (number(100 * end) for end in one["interval"])
    return f"{one['method']}: macro-F1 {percent(one['macro_f1'])} ({low} to {high})"


def _describe(where: Mapping[str, str], group: Sequence[Mapping[str, Any]]) -> str:
    first = group[0]
    return (
        f"{where['task']}, {where['model']}: confusion of {counted(len(first['classes']), 'label')} "
        f"({', '.join(first['classes'])}). " + "; ".join(map(_said, group)) + "."
    )
