"""What commands that run a study share: running it with a progress display, and saying what it found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from onset.study.spec import Study


def run_study(study: Study, out: Path | None) -> Path:
    """Run what is missing of a study with a progress display; returns its results folder (default: results/NAME)."""
    from onset.models.reproducible import make_reproducible

    make_reproducible()  # before torch is imported
    from onset.errors import Interrupted
    from onset.progress import Display
    from onset.study.estimate import estimate
    from onset.study.grid import expand
    from onset.study.runner import run_grid

    folder = out or Path("results") / study.name
    grid = expand(study)
    console = Console(stderr=True, highlight=False)
    for note in grid.notes:
        console.print(f"note: {note}", markup=False)
    with Display(console, estimate(grid)) as display:
        try:
            summary = run_grid(grid, folder, observer=display)
        except KeyboardInterrupt:
            done = sum((folder / "cells" / cell.id / "done.json").exists() for cell in grid.cells)
            tuning = "; the tuning that was under way starts over" if display.is_tuning else ""
            raise Interrupted(
                f"stopped; {done} of {len(grid.cells)} cells done, {folder} keeps them{tuning}; run again to go on"
            ) from None
    console.print(f"{summary.ran} cells run, {summary.kept} kept, {len(summary.failed)} failed")
    return folder


def finish(folder: Path, *, accuracies: bool = False) -> None:
    """Analyse, write findings and report, print the findings (with ``accuracies``: a table of them first) and name the
    files on the last lines.
    """
    from onset.analysis.study import analyse, to_json, write_findings
    from onset.report.html import build_report
    from onset.report.terminal import print_accuracies, print_findings
    from onset.results.read import load

    analysis = analyse(load(folder))
    write_findings(folder, analysis)
    path = build_report(folder, analysis=analysis)
    shown: dict[str, Any] = to_json(analysis)
    console = Console(highlight=False)
    if accuracies:
        print_accuracies(shown, console)
        console.print()
    print_findings(shown, console)
    print(f"Tables: onset show {folder}")
    print(f"Report: {path}")
