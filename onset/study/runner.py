"""Run what is missing of a study, and nothing else.

Each model is loaded once and each tuning runs once. A cell's items go through the pipeline in fixed
chunks; a chunk is committed before the next begins. A failed cell is noted and the run goes on.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version as installed_version
from itertools import groupby
from pathlib import Path
from typing import Any

from onset.demos.fit import Shown
from onset.errors import (
    CellsFailed,
    DataError,
    Diverged,
    ItemsFailed,
    PlanMismatch,
    StoreError,
    StudyError,
    Unanswered,
)
from onset.models import open_model
from onset.models.backend import Told
from onset.models.base import Model, ability, keeping
from onset.models.chat import chosen_template
from onset.models.peek import fingerprint
from onset.pipeline import Evaluation
from onset.plan import ExamplePlan, check_ledger, make_plan
from onset.records import derive_seed
from onset.results.folder import CellFolder, Store
from onset.study.able import check_able
from onset.study.cell import Cell
from onset.study.chunks import measure
from onset.study.demonstrations import Demonstrations, shown_to
from onset.study.grid import Grid, expand
from onset.study.held import Held
from onset.study.made import Made
from onset.study.making import make, tune
from onset.study.names import names
from onset.study.observer import Observer, Silent
from onset.study.revisions import Revisions, note_earlier
from onset.study.runs import facts_of
from onset.study.searching import Searches
from onset.study.shifted import clean_twins, shift_json
from onset.study.spec import Study
from onset.study.verifying import Verified, hf_model, verify
from onset.study.written import cell_json, template_json
from onset.tuning.base import TuningReport
from onset.tuning.stages.base import StageReport


@dataclass(frozen=True, slots=True)
class Summary:
    """``cells`` in the study, ``ran`` now, ``kept`` from before, ``failed`` (cell id -> one line), and ``waiting``: how
    many have questions whose answers are yet to come.
    """

    cells: int
    ran: int
    kept: int
    failed: Mapping[str, str]
    waiting: int = 0


def run(
    study: Study,
    folder: Path | str,
    *,
    observer: Observer | None = None,
    models: Mapping[str, Model] | None = None,
) -> Summary:
    """Run the missing cells of ``study`` into ``folder``.

    ``models``: label -> an open model, used instead of opening the study's ``spec`` of that label (your
    own implementation of the protocol). Raises InputError and StoreError before or while running, and
    CellsFailed at the end when more than ``study.error_budget`` of the cells failed.
    """
    return run_grid(expand(study), folder, observer=observer, models=models)


def run_grid(
    grid: Grid,
    folder: Path | str,
    *,
    observer: Observer | None = None,
    models: Mapping[str, Model] | None = None,
) -> Summary:
    """`run` of a study that is expanded already: its tasks are loaded."""
    summary = run_cells(grid, folder, observer=observer, models=models)
    check_failed(summary, grid.study, folder)
    return summary


def run_cells(
    grid: Grid,
    folder: Path | str,
    *,
    observer: Observer | None = None,
    models: Mapping[str, Model] | None = None,
    only: Collection[str] | None = None,
) -> Summary:
    """`run_grid`, however many cells fail. ``only``: labels of the models to run; None: all."""
    study, watch = grid.study, observer or Silent()
    unknown = sorted(set(models or {}) - {cell.model for cell in grid.cells})
    if unknown:
        raise StudyError(f"models: '{unknown[0]}' is no model of study '{study.name}'")
    with Store(Path(folder)) as store:
        store.claim(study.canonical(), [names(cell) for cell in grid.cells], installed_version("lm-onset"))
        left = [cell for cell in grid.cells if not store.cell(cell.id).settle()]
        missing = [cell for cell in left if only is None or cell.model in only]
        session = _Session(store, grid, watch, dict(models or {}))
        session.revisions.check(session.models, watch.note)
        note_earlier(store, grid, watch.note)
        watch.begin(grid, missing)
        for _, cells in groupby(missing, key=lambda cell: cell.model):
            session.run_model(list(cells))
    return Summary(
        cells=len(grid.cells),
        ran=len(missing) - len(session.failed) - len(session.waiting),
        kept=len(grid.cells) - len(left),
        failed=session.failed,
        waiting=len(session.waiting),
    )


def check_failed(summary: Summary, study: Study, folder: Path | str) -> None:
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
            f" first: {causes[0]}; what succeeded is in {folder}, {again}"
        )


class _Session:
    """One run over one store; holds at most one model and one tuned model at a time."""

    def __init__(self, store: Store, grid: Grid, watch: Observer, models: dict[str, Model]) -> None:
        self.store = store
        self.grid = grid
        self.watch = watch
        self.models = models
        self.failed: dict[str, str] = {}
        self.waiting: set[str] = set()
        self.told: set[str] = set()
        self.made: dict[str, dict[str, Any]] = {}
        self.plans: dict[tuple[str, int], ExamplePlan] = {}
        self.demonstrations = Demonstrations(store, grid)
        self.revisions = Revisions(store, grid)
        self.held = Held(store, grid)
        self.searches = Searches(store, grid, watch)

    def run_model(self, cells: Sequence[Cell]) -> None:
        model = self._open(cells)
        if model is None:
            return
        self.held.check(model, cells[0].model, None)
        for cell in cells:
            self._guard([cell], partial(check_able, model, cell))
        left = [cell for cell in cells if cell.id not in self.failed and cell.id not in self.waiting]
        staged: dict[Made | None, list[Cell]] = {}
        for cell in left:
            staged.setdefault(cell.made, []).append(cell)
        for made, group in staged.items():
            if made is None:
                self._run_asked(group, model)
            else:
                self._run_staged(group, made, model)
                gc.collect()
        for one in {one.id for made in staged if made is not None for one in made.chain}:
            self._discard(one, cells)

    def _run_staged(self, cells: Sequence[Cell], made: Made, base: Model) -> None:
        """Run the cells of a model that stages of training make of ``base``."""
        from onset.models.hf import HFModel

        assert isinstance(base, HFModel)  # no other model says that it can be tuned
        result: list[tuple[HFModel, dict[str, StageReport]]] = []
        self._guard(cells, lambda: result.append(make(made, base, self.store, self.watch)))
        if not result:
            return
        model, reports = result[0]
        self._tell(model)
        self.held.check(model, made.model, made)
        self.made[made.id] = made.to_json(base, reports)
        self._run_asked(cells, model)

    def _discard(self, tuned: str, cells: Sequence[Cell]) -> None:
        """Remove weights as large as the model, when the cells that need them are done, unless the study keeps them."""
        if not self.grid.study.keep_full and not self.failed.keys() & {cell.id for cell in cells}:
            self.store.tuned(tuned).discard()

    def _run_asked(self, left: Sequence[Cell], model: Model) -> None:
        """Run cells of ``model``: those that prompt it, and those that tune it first."""
        prompted = [cell for cell in left if cell.tuned is None]
        with keeping(model):
            for cell in prompted:
                self._guard([cell], partial(self._run_prompted, cell, model))
        by_tuning: dict[str, list[Cell]] = {}
        for cell in left:
            if cell.tuned is not None:
                by_tuning.setdefault(cell.tuned, []).append(cell)
        for group in by_tuning.values():
            self._run_tuned(group, model)
            gc.collect()

    def _open(self, cells: Sequence[Cell]) -> Model | None:
        """The model of ``cells``; None, and these cells failed, when it cannot be loaded."""
        first = cells[0]
        if first.model in self.models:
            given = self.models[first.model]
            self._guard(cells, partial(self._tell, given))
            return given
        self.watch.doing(f"loading {first.model}")
        device, dtype, batch_tokens = first.compute
        if dtype == "auto":
            dtype = self.held.dtype(first.model) or dtype
        opened: list[Model] = []

        def load() -> None:
            mark = fingerprint(first.model_spec)
            model = open_model(
                first.model_spec,
                label=first.model,
                device=device,
                dtype=dtype,
                batch_tokens=batch_tokens,
                told=self.grid.told.get(first.model, Told()),
            )
            if mark is None or mark == fingerprint(first.model_spec):  # else: written to while it was read
                self.revisions.seen(first.model, mark or fingerprint(first.model_spec), model.facts.revision)
            self._tell(model)
            opened.append(model)

        self._guard(cells, load)
        return opened[0] if opened else None

    def _tell(self, model: Model) -> None:
        """Pass on what a model has to say of how it runs, once."""
        note: str | None = getattr(model, "engine_note", None)
        if note is not None:
            self._note(note)

    def _note(self, note: str) -> None:
        if note not in self.told:
            self.told.add(note)
            self.watch.note(note)

    def _guard(self, cells: Sequence[Cell], work: Callable[[], None]) -> None:
        """Run ``work``; an error fails ``cells`` and the run goes on, but for an error of the folder or the data."""
        try:
            work()
        except (StoreError, DataError, PlanMismatch):
            raise
        except Unanswered:
            self.waiting |= {cell.id for cell in cells}
        except Exception as error:  # whatever a model or a solver of the user's own may raise
            message = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            for cell in cells:
                self.failed[cell.id] = message
                self.store.cell(cell.id).fail(message)
                self.watch.failed(cell, message)

    def _run_prompted(self, cell: Cell, model: Model) -> None:
        cell = self.searches.chosen(cell, model, self._plan(cell))
        self._evaluate(cell, model, model, self.demonstrations.of(cell, model, self._plan(cell)), None)

    def _run_tuned(self, cells: Sequence[Cell], model: Model) -> None:
        result: list[tuple[Model, TuningReport, Shown]] = []
        found: list[Cell] = []
        task, plan = self.grid.tasks[cells[0].taught], self._plan(cells[0])

        def work() -> None:
            found.extend(self.searches.chosen(cell, model, plan) for cell in cells)
            result.append(tune(found[0], task, plan, model, self.store, self.watch))

        self._guard(cells, work)
        if not result:
            return
        first, (tuned, report, shown) = found[0], result[0]
        self._tell(tuned)
        self.held.check_tuned(first, tuned)
        verifiers: dict[str, Verified] = {}

        def ask(cell: Cell) -> None:
            if cell.verifier is not None and cell.verifier not in verifiers:
                verifiers[cell.verifier] = self._verify(cell, model, tuned, report)
            self._evaluate(cell, model, tuned, shown_to(cell, shown), report, verifiers.get(cell.verifier or ""))

        with keeping(tuned):
            for cell in sorted(found, key=lambda one: one.verifier is not None):  # these read the samples of the others
                self._guard([cell], partial(ask, cell))
        if first.used.tune is not None and not first.used.tune.keep:
            for made in dict.fromkeys(one for cell in cells for one in (cell.tuned, cell.verifier) if one):
                self._discard(made, cells)

    def _verify(self, cell: Cell, base: Model, tuned: Model, report: TuningReport) -> Verified:
        """The verifier that ranks the samples of ``tuned`` for ``cell``."""
        task, models = self.grid.tasks[cell.taught], (hf_model(base), hf_model(tuned))
        return verify(cell, task, self._plan(cell), models, report, self.store, self.watch)

    def _evaluate(
        self,
        cell: Cell,
        base: Model,
        model: Model,
        shown: Shown,
        report: TuningReport | None,
        verified: Verified | None = None,
    ) -> None:
        plan, chat = self._plan(cell), chosen_template(base, cell.used.template)
        search = self.searches.of(cell, base, plan)
        examples = plan.take(cell.labels)
        ledger = (*shown.ledger, *cell.used.prompt.used(examples), *(() if search is None else search.ledger))
        ledger += () if verified is None else verified.ledger
        check_ledger(ledger, plan, cell.labels)
        folder, items = self.store.cell(cell.id), self.grid.items(cell.task, cell.shift)
        task = self.grid.tasks[cell.task]
        said = {
            **cell_json(cell, base, task, plan, ledger, report if verified is None else verified.report),
            **shift_json(self.grid.shifts[cell.task, cell.shift], items),
            "facts": facts_of(self.grid, cell.model, base.facts),
            "tuned_revision": model.facts.revision if cell.tuned else None,
            **template_json(chat),
            **({} if cell.made is None else {"made": self.made[cell.made.id]}),
            **({} if search is None else {"search": search.facts}),
            **({} if verified is None else verified.facts),
        }
        cell.check_files()
        folder.begin(said)
        at = folder.committed(len(items), cell.chunk)
        self.watch.doing(f"{cell.model} · {cell.method.name} · {cell.task} · {cell.labels} labels · seed {cell.seed}")
        self.watch.advanced(cell, at)
        seed, asked = derive_seed("cell", cell.seed), tuple(item.question for item in items)
        continuous = cell.continuous and self._scores(model, chat is not None)
        clean = clean_twins(task, self.grid.shifts[cell.task, cell.shift], items)
        rater = None if verified is None else verified.verifier
        evaluation = Evaluation(
            model,
            self.grid.asked(cell),
            cell.used,
            shown,
            seed,
            continuous,
            chat,
            questions=asked,
            clean=clean,
            verifier=rater,
        )
        if at == 0:
            bank = self.held.bank(cell, said)
            folder.set_source(bank and bank[0])
            if bank is not None:
                started = time.perf_counter()
                folder.append(evaluation.reread(items, bank[1]))
                if rater is not None and not bank[0].facts().get("verifier"):
                    folder.add_time(time.perf_counter() - started)
                self.watch.advanced(cell, at := len(items))
        if at < len(items):
            measure(cell, folder, evaluation, examples, items, at, self.watch.advanced)
        if (cause := folder.cause_of_all()) is not None:
            folder.restart()
            raise ItemsFailed(f"every one of the {len(items)} items failed; first: {cause}")
        self._copy_tuning_time(cell, folder)
        if search is not None:
            folder.set_search_time(search.seconds)
        folder.finish(len(items), partial(evaluation.conclude, items))

    def _scores(self, model: Model, chat: bool) -> bool:
        can = ability(model)
        if not can.scores(chat=chat):
            self._note(
                f"model '{model.facts.name}' gives no log-probabilities{f' ({can.why})' if can.why else ''}:"
                " those of the gold answers are not measured"
            )
        return can.scores(chat=chat)

    def _copy_tuning_time(self, cell: Cell, folder: CellFolder) -> None:
        took = [self.store.tuned(one).took() for one in (cell.tuned, cell.verifier) if one is not None]
        seconds, peaks = [one for one, _ in took], [one for _, one in took]
        if took and None not in seconds:
            peak = None if None in peaks else max(one or 0 for one in peaks)
            folder.set_tuning_time(sum(one or 0.0 for one in seconds), peak)

    def _plan(self, cell: Cell) -> ExamplePlan:
        key = (cell.taught, cell.seed)
        if key not in self.plans:
            self.plans[key] = make_plan(self.grid.tasks[cell.taught], cell.seed)
        return self.plans[key]
