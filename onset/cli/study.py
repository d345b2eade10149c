"""The commands on a study of one's own: ``demo``, ``run``, ``plan``, ``show`` and ``report``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onset.cli.common import (
    AnyResults,
    Details,
    InLanguage,
    Json,
    MathVerify,
    OfShifts,
    Reading,
    console,
    place,
    print_json,
    print_line,
    reads,
)
from onset.stopping import code_of

if TYPE_CHECKING:
    from onset.analysis.phrases import Language
    from onset.study.jobs import Executor
    from onset.study.spec import Study

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="A study file (YAML).")]
By = Annotated[
    str,
    typer.Option("--executor", help="Who runs it: in-process, local (processes of this machine), ray (a cluster)."),
]
Workers = Annotated[int | None, typer.Option(help="How many processes, or actors of a cluster, at most.")]
Address = Annotated[
    str | None, typer.Option(help="Of the Ray cluster; auto: that of this machine [default: one is started here].")
]


def demo(
    out: Annotated[Path, typer.Option(help="Where the results go.", metavar="PATH", parser=place)] = Path("onset-demo"),
    details: Details = False,
) -> None:
    """Run a small real study and write its report: the quickest way to see what Onset does."""
    from onset.study.spec import read_study

    finish(run_study(read_study(Path(str(files("onset") / "demo.yaml"))), out), details=details)


def run(
    study: StudyFile,
    out: Annotated[
        Path | None,
        typer.Option(help="Results folder, or its URL [default: results/NAME].", metavar="PATH", parser=place),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Also ask the failed items of finished cells again.")
    ] = False,
    details: Details = False,
    executor: By = "in-process",
    workers: Workers = None,
    address: Address = None,
) -> None:
    """Run what is missing of a study; resumes after any stop."""
    from onset.executors import open_executor
    from onset.study.spec import read_study

    by = open_executor(executor, workers=workers, address=address)
    finish(run_study(read_study(study), out, by, retry_failed=retry_failed), details=details)


def plan(
    study: StudyFile,
    as_json: Json = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Results folder, read for noise between draws [default: results/NAME].", metavar="PATH", parser=place
        ),
    ] = None,
) -> None:
    """Before anything runs: the cells, their FLOPs and time, the smallest difference that can be seen."""
    from onset.analysis.contrast.planning import detectable, to_json
    from onset.report.plans import print_plan
    from onset.study.estimate import estimate
    from onset.study.grid import expand
    from onset.study.spec import read_study

    grid = expand(read_study(study))
    costs = estimate(grid)
    found = detectable(grid, costs.price, out or Path("results") / grid.study.name)
    content = costs.to_json(grid) | {"detectable": to_json(found)}
    if as_json:
        print_json(content)
    else:
        print_plan(content, console())


@reads
def show(
    path: AnyResults,
    as_json: Json = False,
    details: Details = False,
    math_verify: MathVerify = False,
    robustness: OfShifts = False,
    language: InLanguage = "en",
    *,
    reading: Reading,
) -> None:
    """What results say, in a few lines; with --details all findings in full, comparisons and cells before them."""
    from onset.analysis.study import analyse, to_json
    from onset.errors import DataError, InputError
    from onset.read import read_measured
    from onset.report.robustness import print_robustness

    if robustness and details:
        raise InputError("--robustness shows what shifts take alone, --details everything: ask for one of them")
    content = to_json(analyse(read_measured(path, **reading.asked()), math_verify=math_verify), language)
    if robustness and not any(cell["shift"] != "none" for cell in content["cells"]):
        raise DataError(f"{path}: no cell was asked under a shift, --robustness has nothing to show")
    if as_json:
        print_json(content["robustness"] if robustness else content)
        return
    if robustness:
        print_robustness(content["robustness"], console(), language)
        return
    print_study(content, details=details, language=language)
    if not details:
        print_line(f"Tables: onset show {path} --details{'' if language == 'en' else f' --language {language}'}")


@reads
def report(
    path: AnyResults,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The HTML file [default: report.html in a folder of `onset run`, else here NAME-report.html]."
        ),
    ] = None,
    png: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write each figure as PNG and SVG.")] = None,
    math_verify: MathVerify = False,
    language: InLanguage = "en",
    *,
    reading: Reading,
) -> None:
    """Write one self-contained, offline HTML page of results: of a study, of lm-eval, of inspect."""
    from onset.analysis.study import analyse
    from onset.read import read_measured
    from onset.report.html import begin_report, build_report, write_png

    measured = read_measured(path, texts=True, **reading.asked())
    items = begin_report(path, measured)
    analysis = analyse(measured, math_verify=math_verify)
    print_line(build_report(path, out=out, analysis=analysis, items=items, language=language))
    if png is not None:
        for written in write_png(analysis, png):
            print_line(written)


def run_study(study: Study, out: Path | None, executor: Executor | None = None, *, retry_failed: bool = False) -> Path:
    """Run what is missing of a study with a progress display; returns its results folder (default: results/NAME).
    ``executor`` and ``retry_failed``: as of `onset.study.runner.run`.
    """
    from onset.models.reproducible import make_reproducible

    make_reproducible()  # before torch is imported
    from onset.analysis.words import counted
    from onset.errors import Interrupted
    from onset.progress import Display
    from onset.results.folder import Store
    from onset.study.estimate import estimate
    from onset.study.grid import expand
    from onset.study.runner import run_grid

    folder = out or Path("results") / study.name
    grid = expand(study)
    told = console(stderr=True)
    for note in grid.notes:
        told.print(f"note: {note}", markup=False)
    with Display(told, estimate(grid)) as display:
        try:
            summary = run_grid(grid, folder, observer=display, executor=executor, retry_failed=retry_failed)
        except KeyboardInterrupt as stop:
            store = Store(folder).seen()
            done = sum(store.cell(cell.id).done for cell in grid.cells)
            tuning = "; the tuning that was under way loses a minute at most" if display.is_tuning else ""
            raise Interrupted(
                f"stopped; {done} of {len(grid.cells)} cells done, {folder} keeps them{tuning}; run again to go on",
                code_of(stop),
            ) from None
    told.print(f"{summary.ran} cells run, {summary.kept} kept, {len(summary.failed)} failed")
    if summary.items:
        told.print(
            f"{counted(summary.items, 'item')} of these cells failed and count as wrong: onset run --retry-failed asks"
            " again"
        )
    return folder


def print_study(shown: Mapping[str, Any], *, details: bool, language: Language = "en") -> None:
    """The lines of a study's first screen; ``details``: everything else before them."""
    from onset.report.terminal import print_lines, print_show

    if details:
        print_show(shown, console(), language)
        print_line()
    print_lines(shown, console(), language)


def finish(folder: Path, *, accuracies: bool = False, details: bool = False) -> None:
    """Analyse, write findings and report, print the lines of its first screen (with ``accuracies``: a table of them
    first; with ``details``: everything `onset show --details` prints) and name the files on the last lines.
    """
    from onset.analysis.study import analyse, to_json, write_findings
    from onset.report.html import begin_report, build_report
    from onset.report.terminal import print_accuracies
    from onset.results.read import load

    results = load(folder, prompts=False)
    items = begin_report(folder, results)
    analysis = analyse(results)
    write_findings(folder, analysis)
    path = build_report(folder, analysis=analysis, items=items)
    shown: dict[str, Any] = to_json(analysis)
    if accuracies:
        print_accuracies(shown, console())
        print_line()
    print_study(shown, details=details)
    print_line(f"Tables: onset show {folder} --details")
    print_line(f"Report: {path}")
