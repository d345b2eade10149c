"""The command ``onset``: parse, call, print.

Exit codes: 0 done, 1 failed cells over the error budget, 2 bad input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from onset.cli.claims import claims
from onset.cli.emergence import emergence
from onset.cli.ladder import app as ladder_app
from onset.cli.others import compare, export
from onset.cli.run import finish, run_study
from onset.errors import OnsetError, UnknownName

app = typer.Typer(
    help="Prompt or tune? How large? Does it survive a shift? Fair comparisons of language models, with intervals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(ladder_app, name="ladder")
app.command()(claims)
app.command()(compare)
app.command()(emergence)
app.command()(export)

Json = Annotated[bool, typer.Option("--json", help="Print JSON with stable keys instead of tables.")]
Folder = Annotated[Path, typer.Argument(metavar="D", help="A results folder, as written by `onset run`.")]
StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="A study file (YAML).")]


def _say_version(asked: bool) -> None:
    if asked:
        from onset import __version__

        print(f"onset {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Prompt or tune? How large? Does it survive a shift? Fair comparisons of language models, with intervals."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("onset-demo"),
) -> None:
    """Run a small real study and write its report: the quickest way to see what Onset does."""
    from onset.study.spec import read_study

    finish(run_study(read_study(Path(str(files("onset") / "demo.yaml"))), out))


@app.command()
def run(
    study: StudyFile,
    out: Annotated[Path | None, typer.Option(help="Results folder [default: results/NAME].")] = None,
) -> None:
    """Run what is missing of a study; resumes after any stop."""
    from onset.study.spec import read_study

    finish(run_study(read_study(study), out))


@app.command()
def plan(
    study: StudyFile,
    as_json: Json = False,
    out: Annotated[
        Path | None, typer.Option(help="Results folder, read for noise between draws [default: results/NAME].")
    ] = None,
) -> None:
    """Before anything runs: the cells, their FLOPs and time, the smallest difference that can be seen."""
    from onset.analysis.contrast.planning import detectable, to_json
    from onset.report.terminal import print_plan
    from onset.study.estimate import estimate
    from onset.study.grid import expand
    from onset.study.spec import read_study

    grid = expand(read_study(study))
    costs = estimate(grid)
    content = _plan_json(grid, costs)

    def price(cell: Any) -> tuple[float, float]:
        return costs.cells[cell.id].flops, costs.tunings[cell.tuned].flops if cell.tuned else 0.0

    content["detectable"] = to_json(detectable(grid, price, out or Path("results") / grid.study.name))
    if as_json:
        _print_json(content)
    else:
        print_plan(content, _console())


@app.command()
def show(folder: Folder, as_json: Json = False) -> None:
    """Findings, cells and comparisons in the terminal."""
    from onset.analysis.study import analyse, to_json
    from onset.report.terminal import print_show
    from onset.results.read import load

    content = to_json(analyse(load(folder)))
    if as_json:
        _print_json(content)
    else:
        print_show(content, _console())


@app.command()
def report(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="The HTML file [default: D/report.html].")] = None,
    png: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write each figure as PNG and SVG.")] = None,
) -> None:
    """Write one self-contained, offline report.html."""
    from onset.report.html import build_report, write_png

    print(build_report(folder, out=out))
    if png is not None:
        for path in write_png(folder, png):
            print(path)


@app.command()
def grade(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL rows with prediction, target and question?.")],
    task: Annotated[str, typer.Option(help="Whose extractor and scorer: a task's name, or number, choice, text.")],
    as_json: Json = False,
) -> None:
    """Extract and score answers in text from anywhere, exactly as a run would."""
    from onset.grading import grade as grade_rows
    from onset.grading import read_rows
    from onset.report.terminal import print_grade
    from onset.tasks import format_for

    graded = grade_rows(read_rows(file), lambda row: format_for(task, row), source=str(file))
    if as_json:
        _print_json(graded)
    else:
        print_grade(graded, _console())


@app.command("list")
def list_names(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="tasks, methods, shifts or models.")],
    as_json: Json = False,
) -> None:
    """What a study file may name: tasks, methods, shifts or models."""
    from onset.report.terminal import print_list

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
        _print_json(rows)
    else:
        print_list(kind, rows, _console())


def _tasks() -> list[dict[str, Any]]:
    from onset.tasks import describe

    return [
        {"name": name, "ability": ability, "summary": summary, "parameters": parameters}
        for name, ability, summary, parameters in describe()
    ]


def _methods() -> list[dict[str, Any]]:
    from onset.methods import METHODS, method_parameters

    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "summary": entry.summary,
            "parameters": [f"{key}={_short(value)}" for key, value in METHODS.load(name).spec().items()],
        }
        for name, entry in METHODS.items()
    ]
    return [*rows, {"name": "(your own)", "summary": "a mapping of parameters", "parameters": method_parameters()}]


def _short(value: Any) -> str:
    """A parameter's value as a study file writes it."""
    inside = ", ".join(f"{key}: {one}" for key, one in value.items()) if isinstance(value, dict) else ""
    return f"{{{inside}}}" if inside else str(value)


def _shifts() -> list[dict[str, Any]]:
    from onset.shifts import SHIFTS

    rows = [{"name": name, "summary": entry.summary} for name, entry in SHIFTS.items()]
    return [*rows, {"name": "(your own)", "summary": "any other test set of a task, named under its test_sets"}]


def _models() -> list[dict[str, Any]]:
    from onset.models import describe

    return [dict(row) for row in describe()]


def _plan_json(grid: Any, costs: Any) -> dict[str, Any]:
    from onset.models.peek import peek_template

    total = costs.total()
    models: dict[str, dict[str, Any]] = {}
    asked: dict[str, set[str]] = {}
    for cell in grid.cells:
        row = models.setdefault(
            cell.model, {"model": cell.model, "cells": 0, "tunings": 0, "flops": 0.0, "seconds": 0.0}
        )
        row["cells"] += 1
        asked.setdefault(cell.model, set()).add(cell.method.template or peek_template(cell.model_spec))
        row["flops"] += costs.cells[cell.id].flops
        row["seconds"] += costs.cells[cell.id].seconds
    for tuned, model in {cell.tuned: cell.model for cell in grid.cells if cell.tuned}.items():
        models[model]["tunings"] += 1
        models[model]["flops"] += costs.tunings[tuned].flops
        models[model]["seconds"] += costs.tunings[tuned].seconds
    return {
        "study": grid.study.name,
        "cells": len(grid.cells),
        "flops": total.flops,
        "seconds": total.seconds,
        "models": [{**row, "templates": sorted(asked[name])} for name, row in models.items()],
        "notes": list(grid.notes),
        "grid": [_cell_row(cell, costs) for cell in grid.cells],
    }


def _cell_row(cell: Any, costs: Any) -> dict[str, Any]:
    return {
        "id": cell.id,
        "model": cell.model,
        "stage": cell.stage,
        "method": cell.method.name,
        "labels": cell.labels,
        "task": cell.task,
        "shift": cell.shift,
        "seed": cell.seed,
        "items": cell.items,
        "flops": costs.cells[cell.id].flops,
        "seconds": costs.cells[cell.id].seconds,
    }


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def _print_json(value: Any) -> None:
    try:
        print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))
    except UnicodeEncodeError:  # half a surrogate pair in somebody's text, or a terminal that is not UTF-8
        print(json.dumps(value, indent=1, allow_nan=False))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; every `OnsetError` becomes one line on standard error and its exit code."""
    try:
        app(args=None if arguments is None else list(arguments))
    except OnsetError as error:
        print(f"onset: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print("onset: stopped; what was finished is kept, run again to go on", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
