"""The command ``onset list``: what a study file may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from onset.cli.common import Json, console, print_json
from onset.errors import UnknownName
from onset.registry import Entry


def list_names(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="tasks, methods, shifts or models.")],
    as_json: Json = False,
) -> None:
    """What a study file may name: tasks, methods, shifts or models."""
    from onset.report.lists import print_list

    tables: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "tasks": _tasks,
        "methods": _methods,
        "shifts": _shifts,
        "models": _models,
    }
    if kind not in tables:
        raise UnknownName("kind", kind, tables)
    rows = tables[kind]()
    if as_json:
        print_json(rows)
    else:
        print_list(kind, rows, console())


def _tasks() -> list[dict[str, Any]]:
    from onset.tasks import describe

    return [
        {"name": name, "ability": ability, "summary": summary, "parameters": parameters}
        for name, ability, summary, parameters in describe()
    ]


def _methods() -> list[dict[str, Any]]:
    from onset.demos import DEMOS
    from onset.methods import METHODS, method_parameters
    from onset.prompting import PROMPTING
    from onset.search import SEARCH
    from onset.tuning import MATERIALS, STAGES, TUNERS
    from onset.votes import VOTES

    rows: list[dict[str, Any]] = [
        {
            "table": "methods",
            "name": name,
            "summary": entry.summary,
            "parameters": [f"{key}={_short(value)}" for key, value in METHODS.load(name).spec().items()],
        }
        for name, entry in METHODS.items()
    ]
    rows.append(
        {
            "table": "methods",
            "name": "(your own)",
            "summary": "a mapping of parameters",
            "parameters": method_parameters(),
        }
    )
    tables = {"prompt": PROMPTING, "choose": DEMOS, "vote": VOTES, "tune": TUNERS, "on": MATERIALS, "stage": STAGES}
    for key, table in (tables | {"search": SEARCH}).items():
        rows += [_step(key, name, entry) for name, entry in table.items()]
    return rows


def _step(table: str, name: str, entry: Entry) -> dict[str, Any]:
    """One row of a table of steps: the paper it follows, what may be set, what it needs, and what it asks; of a way of
    tuning what it trains and at which cost.
    """
    step = entry.load()
    row = {"table": table, "name": name, "summary": entry.summary, "source": step.source, "settings": step.settings()}
    row |= {"needs": sorted(step.needs)} if hasattr(step, "needs") else {}
    row |= step.facts() if hasattr(step, "facts") else {}
    return row | ({"calls": step.calls} if getattr(step, "calls", "") else {})


def _short(value: Any) -> str:
    """A parameter's value as a study file writes it."""
    inside = ", ".join(f"{key}: {one}" for key, one in value.items()) if isinstance(value, dict) else ""
    return f"{{{inside}}}" if inside else str(value)


def _shifts() -> list[dict[str, Any]]:
    from onset.shifts import SHIFTS

    rows = [_shift(name, entry) for name, entry in SHIFTS.items()]
    return [*rows, {"name": "(your own)", "summary": "any other test set of a task, named under its test_sets"}]


def _shift(name: str, entry: Entry) -> dict[str, Any]:
    """A row of a shift: its group, source and settings, and an item before and after."""
    from onset.shifts.examples import example_of

    kind = entry.load()
    row = {"name": name, "summary": entry.summary, "source": kind.source, "settings": kind.settings()}
    row |= {"table": f"shift {kind.group}"} if kind.group else {}
    example = example_of(name)
    return row if example is None else {**row, "before": example[0], "after": example[1]}


def _models() -> list[dict[str, Any]]:
    from onset.models import describe

    return [dict(row) for row in describe()]
