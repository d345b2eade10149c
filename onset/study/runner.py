"""Run what is missing of a study, and nothing else: which cells these are, and who runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version as installed_version

from onset.errors import CellsFailed, Diverged, StudyError
from onset.models.base import Model
from onset.results.cell import CellFolder
from onset.results.files import Place, as_files
from onset.results.folder import Store
from onset.study.grid import Grid, expand
from onset.study.jobs import Ended, Executor, Job, Work, jobs_of
from onset.study.names import names
from onset.study.observer import Observer, Silent
from onset.study.revisions import Revisions, note_earlier
from onset.study.session import InProcess
from onset.study.spec import Study


@dataclass(frozen=True, slots=True)
class Summary:
    """``cells`` in the study, ``ran`` now, ``kept`` from before, ``failed`` (cell id -> one line), and ``waiting``: how
    many have questions whose answers are yet to come; ``items``: of the cells that ran now, how many items failed and
    count as wrong.
    """

    cells: int
    ran: int
    kept: int
    failed: Mapping[str, str]
    waiting: int = 0
    items: int = 0


def run(
    study: Study,
    folder: Place,
    *,
    observer: Observer | None = None,
    models: Mapping[str, Model] | None = None,
    executor: Executor | None = None,
    retry_failed: bool = False,
) -> Summary:
    """Run the missing cells of ``study`` into ``folder``.

    ``models``: label -> an open model, used instead of opening the study's ``spec`` of that label (your
    own implementation of the protocol). ``executor``: who runs the jobs (`onset.study.jobs`); None: this process, one
    after the other. ``retry_failed``: also ask the items of finished cells again at which the method raised an error.
    Raises InputError and StoreError before or while running, and CellsFailed at the end when more
    than ``study.error_budget`` of the cells failed.
    """
    return run_grid(
        expand(study), folder, observer=observer, models=models, executor=executor, retry_failed=retry_failed
    )


def run_grid(
    grid: Grid,
    folder: Place,
    *,
    observer: Observer | None = None,
    models: Mapping[str, Model] | None = None,
    executor: Executor | None = None,
    retry_failed: bool = False,
) -> Summary:
    """`run` of a study that is expanded already: its tasks are loaded."""
    summary = run_cells(grid, folder, observer=observer, models=models, executor=executor, retry_failed=retry_failed)
    check_failed(summary, grid.study, folder)
    return summary


def run_cells(
    grid: Grid,
    folder: Place,
    *,
    observer: Observer | None = None,
    models: Mapping[str, Model] | None = None,
    only: Collection[str] | None = None,
    executor: Executor | None = None,
    retry_failed: bool = False,
) -> Summary:
    """`run_grid`, however many cells fail. ``only``: labels of the models to run; None: all."""
    study, watch = grid.study, observer or Silent()
    unknown = sorted(set(models or {}) - {cell.model for cell in grid.cells})
    if unknown:
        raise StudyError(f"models: '{unknown[0]}' is no model of study '{study.name}'")
    with Store(folder, watch.note) as store:
        store.claim(study.canonical(), [names(cell) for cell in grid.cells], installed_version("lm-onset"))
        seen = store.seen(records=retry_failed)
        left = [cell for cell in grid.cells if not seen.cell(cell.id).settle()]
        retried = {cell.id for cell in grid.cells if retry_failed and _has_failures(seen.cell(cell.id))}
        wanted = {one for cell in grid.cells for one in cell.kept(every=study.keep_full)}
        lost = {cell.id for cell in grid.cells if seen.lost(cell.weights, wanted)}
        again = {cell.id for cell in left} | lost | retried
        left += [cell for cell in grid.cells if cell.id in retried]
        missing = [cell for cell in grid.cells if cell.id in again and (only is None or cell.model in only)]
        given = dict(models or {})
        Revisions(seen, grid).check(given, watch.note)
        note_earlier(seen, grid, watch.note)
        del seen
        watch.begin(grid, missing)
        failed: dict[str, str] = {}
        waiting: set[str] = set()
        failures: dict[str, int] = {}
        jobs = jobs_of(missing, retried)
        running, spent = (executor or InProcess()).run(Work(store, grid, watch, given), jobs), _Spent(jobs)
        with closing(running):
            for ended in running:
                failed |= ended.failed
                waiting |= ended.waiting
                failures |= ended.items
                for made in spent.after(ended):
                    if not grid.study.keep_full:
                        store.tuned(made).discard()
        ran = {cell.id for cell in left if only is None or cell.model in only} - failed.keys() - waiting
        for one in ran - failures.keys():  # of a worker that did not live to say so
            failures[one] = store.cell(one).failures()
    return Summary(
        cells=len(grid.cells),
        ran=len(ran),
        kept=len(grid.cells) - len(left),
        failed=failed,
        waiting=len(waiting),
        items=sum(failures.values()),
    )


def _has_failures(folder: CellFolder) -> bool:
    return folder.done and folder.failures() > 0


class _Spent:
    """Which weights, as large as their model, no job of it needs any more: those that its stages of training made, when
    all of its cells are done.
    """

    def __init__(self, jobs: Collection[Job]) -> None:
        self._left = Counter(job.label for job in jobs)
        self._made: dict[str, dict[str, None]] = {}
        for job in jobs:
            self._made.setdefault(job.label, {}).update(
                dict.fromkeys(one.id for one in (job.made.chain if job.made else ()))
            )
        self._open: set[str] = set()

    def after(self, ended: Ended) -> Collection[str]:
        """Ids of what is not needed any more after this job."""
        label = ended.job.label
        self._left[label] -= 1
        if ended.failed or ended.waiting:
            self._open.add(label)
        return () if self._left[label] or label in self._open else self._made[label]


def check_failed(summary: Summary, study: Study, folder: Place) -> None:
    """Raises CellsFailed where more than ``study.error_budget`` of the cells failed."""
    if len(summary.failed) > study.error_budget * summary.cells:
        causes = list(summary.failed.values())
        diverged = sum(one.startswith(f"{Diverged.__name__}: ") for one in causes)
        again = "run again to retry"
        if diverged == len(causes):
            again = "a run does not try again what diverged: lower its learning rate"
        elif diverged:
            again += f" all but the {diverged} that diverged: lower their learning rate"
        raise CellsFailed(
            f"{len(causes)} of {summary.cells} cells failed (budget {study.error_budget:.0%});"
            f" first: {causes[0]}; what succeeded is in {as_files(folder).name()}, {again}"
        )
