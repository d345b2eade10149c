"""The page's head in words: what was asked, what was run, how large the study is. No result but a count of verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onset.analysis.words import counted, listed, short_count
from onset.report.facts import Facts


def distinct(cells: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    """The values of a field, in order of appearance."""
    return list(dict.fromkeys(cell[name] for cell in cells))


def question_of(cells: Sequence[Mapping[str, Any]]) -> str:
    """The study's question where its author wrote none: what varies is what is asked."""
    sizes = len(distinct(cells, "params")) > 1
    if len(distinct(cells, "method")) > 1:
        tail = ", and does that change with the size of the model?" if sizes else "?"
        return "Which way of using the same labelled examples works best" + tail
    return "How does accuracy change with the size of the model?" if sizes else "How accurate is the model?"


def summary(shown: Mapping[str, Any], cells: Sequence[Facts]) -> str:
    """What was run, in a sentence or two; no result."""
    if not cells:
        return "No cell of this study has been run yet."
    methods, tasks = distinct(cells, "method"), distinct(cells, "task")
    budgets = sorted(labels for labels in distinct(cells, "labels") if labels)
    seeds = len(distinct(cells, "seed"))
    models = distinct(cells, "model")
    named = listed(models) if len(models) <= 6 else f"{len(models)} models"
    text = f"{counted(len(methods), 'method')} ({listed(methods)}) on {named}"
    text += (
        f", for {counted(len(tasks), 'task')} ({listed(tasks)})." if len(tasks) <= 6 else f", for {len(tasks)} tasks."
    )
    if budgets:
        given = " Every method was given the same labelled examples"
        given += (
            f" (budgets of {listed([str(n) for n in budgets])})" if len(budgets) > 1 else f" ({budgets[0]} of them)"
        )
        text += given + (f", drawn {seeds} times," if seeds > 1 else "") + " and was asked the same test items."
    return text


def vital(shown: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The study's size at a glance: (value, what it is)."""
    cells = shown["cells"]
    if not cells:
        return []
    sizes = sorted({cell["params"] for cell in cells if cell["params"]})
    span = " to ".join(dict.fromkeys(short_count(size) for size in (sizes[0], sizes[-1]))) if sizes else "unknown size"
    items = sorted({cell["n"] for cell in cells})
    unfinished = len(shown["missing"]) + len(shown["failed"])
    done = f"{len(cells)} of {len(cells) + unfinished}" if unfinished else str(len(cells))
    counts = [("model", f", {span} parameters"), ("method", ""), ("task", "")]
    rows = [_counted(len(distinct(cells, name)), name, tail) for name, tail in counts]
    return [
        *rows,
        (", ".join(str(n) for n in sorted(distinct(cells, "labels"))), "labelled examples"),
        _counted(len(distinct(cells, "seed")), "draw", " of examples (seeds)"),
        ("–".join(dict.fromkeys(str(n) for n in (items[0], items[-1]))), "test items a cell"),
        (done, "cells finished"),
    ]


def _counted(count: int, name: str, tail: str) -> tuple[str, str]:
    return str(count), counted(count, name).partition(" ")[2] + tail


def tally(comparisons: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, str]]:
    """(verdicts, how many comparisons, in words), empty ones left out."""
    verdicts = [one["verdict"] for one in comparisons]
    found = verdicts.count("wins") + verdicts.count("loses")
    rows = [
        ("wins", found, "found a difference"),
        ("equivalent", verdicts.count("equivalent"), "found the two equivalent"),
        ("undecided", verdicts.count("undecided"), "undecided"),
    ]
    return [row for row in rows if row[1]]
