"""From the cells of ``onset show --json`` to the rows that marks are drawn from."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onset.analysis.questions.say import Say
from onset.analysis.words import bound, number, percent
from onset.report.figures.base import Cell, Rows, Style

Row = dict[str, Any]


def facets(cells: Rows, names: Sequence[str]) -> list[tuple[dict[str, str], list[Mapping[str, Any]]]]:
    """The rows of each combination of values of ``names``, in order of appearance, and these values as text."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for cell in cells:
        groups[tuple(str(cell[name]) for name in names)].append(cell)
    return [(dict(zip(names, key, strict=True)), group) for key, group in groups.items()]


def budgets(cells: Iterable[Cell]) -> list[int | None]:
    """Numbers of labelled examples, the largest first; None where they are not known."""
    found: set[int | None] = {cell["labels"] for cell in cells}
    return sorted(found, key=lambda labels: -1 if labels is None else labels, reverse=True)


def at_budget(cells: Sequence[Cell], labels: int | None) -> list[Cell]:
    """The cells of a budget, and methods that never use a label, which belong beside every budget."""
    given = defaultdict(set)
    for cell in cells:
        given[cell["method"]].add(cell["labels"])
    return [cell for cell in cells if cell["labels"] == labels or given[cell["method"]] == {0}]


def budget_name(labels: int | None) -> str:
    """A budget as a facet's value."""
    if labels is None:
        return "not stated"
    return str(labels) if labels else "0 (zero-shot)"


def largest_budget_first(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows in their order, but those of larger budgets first, each with its budget as a facet's value."""
    ordered = sorted(rows, key=lambda one: -1 if one["labels"] is None else one["labels"], reverse=True)
    return [with_budget_name(one) for one in ordered]


def with_budget_name(one: Mapping[str, Any]) -> Row:
    """The row with its budget as a facet's value."""
    return {**one, "labels": budget_name(one["labels"])}


def points_and_bars(cells: Sequence[Cell], style: Style) -> tuple[list[Row], list[Row]]:
    """Points (one for each model, method, labels: the mean over seeds) and bars: the mean's interval, and of several
    seeds each one's accuracy, without length.
    """
    points, bars = [], []
    for _, group in facets(cells, ("model", "method", "labels", "stage", "shift")):
        point = _point(group, style.say)
        points.append(point)
        at = {name: point[name] for name in _BAR_FIELDS}
        low, high = group[0]["mean"]["interval"]
        bars.append(at | {"accuracy": point["accuracy"], "low": low, "high": high, "ink": 1.0})
        if len(group) > 1:
            bars += [at | dict.fromkeys(("accuracy", "low", "high"), cell["accuracy"]) | {"ink": 0.4} for cell in group]
    return points, bars


_BAR_FIELDS = ("method", "family", "model", "params", "labels", "inference", "tuning")


def _point(group: Sequence[Cell], say: Say) -> Row:
    first, mean = group[0], group[0]["mean"]
    each = [
        say.parted([say("{part} of {whole}", part=cell["correct"], whole=cell["n"]), _span(cell["interval"], say)])
        for cell in group
    ]
    seeds = say("mean of {count} seeds", count=len(group)) if len(group) > 1 else ""
    return {
        "method": first["method"],
        "family": str(first["family"]),
        "model": first["model"],
        "params": first["params"],
        "labels": first["labels"],
        "budget": say("not stated") if first["labels"] is None else str(first["labels"]),
        "kind": "tuned" if first["tune"] else "prompted",
        "accuracy": mean["accuracy"],
        "parse": mean["parse_rate"],
        "inference": mean["flops_query"] or None,
        "tuning": (mean["flops_tuning"] or 0.0) + (mean.get("flops_search") or 0.0),
        "size": say.size(first["params"]) if first["params"] else say("unknown"),
        "says": say.parted([percent(mean["accuracy"]), seeds, _span(mean["interval"], say)]),
        "counts": say.clauses(each),
        "parsed": say("not measured") if mean["parse_rate"] is None else percent(mean["parse_rate"]),
    }


def _span(interval: Sequence[float], say: Say) -> str:
    low, high = (number(100 * end) for end in interval)
    return say("{low} to {high} %", low=low, high=high)


def gap_words(gap: float, interval: Sequence[float], say: Say) -> str:
    """A difference and its interval where a mark is pointed at: ``3.1 points, 0.4 to 5.8``."""
    low, high = map(bound, interval)
    return say.parted([say.points(gap), say("{low} to {high}", low=low, high=high)])


def dodged(rows: Sequence[Row], name: str, methods: Sequence[str]) -> list[Row]:
    """Rows with ``x``: the field ``name`` moved sideways by method so that intervals at one value can be told apart."""
    values = sorted({row[name] for row in rows})
    present = [method for method in methods if any(row["method"] == method for row in rows)]
    decades = math.log10(values[-1] / values[0]) if len(values) > 1 else 1.0
    gap = min((math.log10(b / a) for a, b in itertools.pairwise(values)), default=1.0)
    step = min(0.022 * decades, 0.5 * gap / max(len(present), 1))
    centre = (len(present) - 1) / 2
    return [{**row, "x": row[name] * 10 ** (step * (present.index(row["method"]) - centre))} for row in rows]


def seeds_note(cells: Sequence[Cell], style: Style) -> str:
    """What of a figure's points is a mean, for its caption."""
    if len({cell["seed"] for cell in cells}) < 2:
        return ""
    return style.say("Large points: the mean over seeds with its interval; small points: each seed by itself.")


def left_out_note(cells: Sequence[Cell], name: str, words: str, style: Style) -> str:
    """How many cells a figure cannot draw because they lack the field ``name`` (``words``), for its caption."""
    count = sum(1 for cell in cells if not cell[name])
    said = "Not drawn: {count} of {all} cells, which have no {what}."
    return style.say(said, count=count, all=len(cells), what=style.say(words)) if count else ""


def describe(title: str, against: str, cells: Sequence[Cell], style: Style) -> str:
    """A panel in words: what is drawn against what, for which methods and models."""
    say = style.say
    present = [say.method(name) for name in style.methods if any(cell["method"] == name for cell in cells)]
    models = list(dict.fromkeys(str(cell["model"]) for cell in cells))
    said = "{title}: accuracy against {against} for {methods} on {models}."
    places = {"title": title, "against": say(against), "methods": say.parted(present), "models": say.parted(models)}
    return style.told(say(said, **places), say("Every number is in the table of cells."))
