"""How one job is run: its model opened or made, then its cells, one after the other.

Each model is loaded once and each tuning runs once. A cell's items go through the pipeline in fixed
chunks; a chunk is committed before the next begins. A failed cell is noted and the run goes on.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from onset.demos.fit import Shown
from onset.errors import DataError, PlanMismatch, StoreError, Unanswered
from onset.models import DTYPES, open_model
from onset.models.backend import Told
from onset.models.base import Model, ability, keeping
from onset.models.chat import chosen_template
from onset.models.peek import fingerprint
from onset.pipeline import Evaluation
from onset.plan import ExamplePlan, check_ledger, make_plan
from onset.records import derive_seed
from onset.results.cell import CellFolder
from onset.results.folder import Store
from onset.study.able import check_able
from onset.study.cell import Cell
from onset.study.chunks import ask_again, check_items, measure
from onset.study.demonstrations import Demonstrations, shown_to
from onset.study.grid import Grid
from onset.study.held import Held
from onset.study.jobs import Ended, Job, Node, Opened, Work
from onset.study.made import Made
from onset.study.making import make, tune
from onset.study.observer import Observer
from onset.study.revisions import Revisions
from onset.study.runs import facts_of
from onset.study.searching import Searches
from onset.study.served import rank_of
from onset.study.shifted import clean_twins, shift_json
from onset.study.verifying import Verified, hf_model, verify
from onset.study.written import cell_json, template_json
from onset.tuning.base import TuningReport
from onset.tuning.stages.base import StageReport


@dataclass(frozen=True)
class InProcess:
    """The executor of one process: this one, job after job."""

    def run(self, work: Work, jobs: Sequence[Job]) -> Generator[Ended, None, None]:
        """See `onset.study.jobs.Executor`."""
        revisions = Revisions(work.store, work.grid)
        session = Session(work.store, work.grid, work.watch, work.models, revisions.opened)
        try:
            for job in jobs:
                yield session.run(job)
        finally:
            session.close()


class Session:
    """Runs jobs over one store; holds at most one model, what stages made of it, and one tuned model at a time."""

    def __init__(
        self,
        store: Store,
        grid: Grid,
        watch: Observer,
        models: Mapping[str, Model],
        opened: Callable[[Opened], None],
    ) -> None:
        """``opened`` is told of each model that is ready for the jobs of its node, when it is."""
        self.store = store
        self.grid = grid
        self.watch = watch
        self.models = models
        self.opened = opened
        self.failed: dict[str, str] = {}
        self.waiting: set[str] = set()
        self.again: frozenset[str] = frozenset()
        self.items: dict[str, int] = {}
        self.told: set[str] = set()
        self.made: dict[str, dict[str, Any]] = {}
        self.plans: dict[tuple[str, int], ExamplePlan] = {}
        self.demonstrations = Demonstrations(store, grid)
        self.held = Held(store, grid)
        self.searches = Searches(store, grid, watch)
        self._base: tuple[str, Model] | None = None
        self._model: tuple[Node, Model] | None = None
        self._kept = ExitStack()
        self._keeps = False
        self._unopened: dict[Node, str] = {}

    def run(self, job: Job, dtype: str | None = None) -> Ended:
        """Run the cells of ``job``. ``dtype``: the type in which its model was opened before, elsewhere."""
        self.again |= job.again
        model = self._ready(job, dtype)
        if model is not None:
            self._run_asked([cell for cell in job.cells if self._open_still(cell)], model)
        mine = {cell.id for cell in job.cells}
        return Ended(
            job,
            {cell: cause for cell, cause in self.failed.items() if cell in mine},
            frozenset(self.waiting & mine),
            self._unopened.get((job.label, None)) or self._unopened.get(job.node),
            {cell: number for cell, number in self.items.items() if cell in mine},
        )

    def close(self) -> None:
        """Let go of the models."""
        self._leave()
        self._base = None
        gc.collect()

    def _open_still(self, cell: Cell) -> bool:
        return cell.id not in self.failed and cell.id not in self.waiting

    def _ready(self, job: Job, dtype: str | None) -> Model | None:
        """The model that the cells of ``job`` ask or tune; None, and these failed, where it cannot be had."""
        cells = job.cells
        base = self._base_of(job.label, cells, dtype)
        if base is None:
            return None
        for cell in cells:
            self._guard([cell], partial(check_able, base, cell))
        able = [cell for cell in cells if self._open_still(cell)]
        if self._model is not None and self._model[0] == job.node:
            return self._model[1]
        if not able:
            return None  # each has failed for its own reason
        self._leave()
        model = base if job.made is None else self._staged(job.node, job.made, able, base)
        if model is not None:
            self._model = job.node, model
        return model

    def _leave(self) -> None:
        """Let go of the model of the last job, but not of the one that it was made of."""
        self._forget()
        if self._model is not None:
            staged, self._model = self._model[0][1] is not None, None
            if staged:
                gc.collect()

    def _forget(self) -> None:
        """Keep nothing of what a model has run: its weights may change."""
        self._kept.close()
        self._keeps = False

    def _base_of(self, label: str, cells: Sequence[Cell], dtype: str | None) -> Model | None:
        """The model called ``label``, as the study opens it; None, and ``cells`` failed, where it cannot be."""
        if self._base is not None and self._base[0] == label:
            return self._base[1]
        if (cause := self._unopened.get((label, None))) is not None:
            self._fail(cells, cause)
            return None
        self.close()
        model = self._open(label, cells, dtype)
        if model is None:
            self._note_unopened((label, None), cells)
            return None
        self.held.check(model, label, None)
        self._base = label, model
        return model

    def _open(self, label: str, cells: Sequence[Cell], known: str | None) -> Model | None:
        first = cells[0]
        if label in self.models:
            given = self.models[label]
            self._guard(cells, partial(self._tell, given))
            self.opened(Opened((label, None), given.facts.dtype))
            return given
        self.watch.doing(f"loading {label}")
        device, dtype, batch_tokens = first.compute
        if dtype == "auto":
            dtype = (known if known in DTYPES else None) or self.held.dtype(label) or dtype
        opened: list[Model] = []

        def load() -> None:
            mark = fingerprint(first.model_spec)
            model = open_model(
                first.model_spec,
                label=label,
                device=device,
                dtype=dtype,
                batch_tokens=batch_tokens,
                told=self.grid.told.get(label, Told()),
                rank=rank_of(self.grid.cells, label),
            )
            whole = mark is None or mark == fingerprint(first.model_spec)  # else: written to while it was read
            read = (mark or fingerprint(first.model_spec)) if whole else None
            self.opened(Opened((label, None), model.facts.dtype, model.facts.revision, read))
            self._tell(model)
            opened.append(model)

        self._guard(cells, load)
        return opened[0] if opened else None

    def _staged(self, node: Node, made: Made, cells: Sequence[Cell], base: Model) -> Model | None:
        """What stages of training make of ``base``; None, and ``cells`` failed, where they cannot."""
        from onset.models.hf import HFModel

        assert isinstance(base, HFModel)  # no other model says that it can be tuned
        if (cause := self._unopened.get(node)) is not None:
            self._fail(cells, cause)
            return None
        result: list[tuple[HFModel, dict[str, StageReport]]] = []
        self._guard(cells, lambda: result.append(make(made, base, self.store, self.watch)))
        if not result:
            self._note_unopened(node, cells)
            return None
        model, reports = result[0]
        self._tell(model)
        self.held.check(model, made.model, made)
        self.made[made.id] = made.to_json(base, reports)
        self.opened(Opened(node, base.facts.dtype))
        return model

    def _note_unopened(self, node: Node, cells: Sequence[Cell]) -> None:
        if (cause := self.failed.get(cells[0].id)) is not None:
            self._unopened[node] = cause

    def _run_asked(self, left: Sequence[Cell], model: Model) -> None:
        """Run cells of ``model``: those that prompt it, and those that tune it first."""
        prompted = [cell for cell in left if cell.tuned is None]
        if prompted and not self._keeps:
            self._kept.enter_context(keeping(model))
            self._keeps = True
        for cell in prompted:
            self._guard([cell], partial(self._run_prompted, cell, model))
        by_tuning: dict[str, list[Cell]] = {}
        for cell in left:
            if cell.tuned is not None:
                by_tuning.setdefault(cell.tuned, []).append(cell)
        for group in by_tuning.values():
            self._forget()
            self._run_tuned(group, model)
            gc.collect()

    def _discard(self, tuned: str, cells: Sequence[Cell]) -> None:
        """Remove weights as large as the model, when the cells that need them are done, unless the study keeps them."""
        if not self.grid.study.keep_full and not self.failed.keys() & {cell.id for cell in cells}:
            self.store.tuned(tuned).discard()

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
            self._fail(cells, " ".join(f"{type(error).__name__}: {error}".split())[:500])

    def _fail(self, cells: Sequence[Cell], cause: str) -> None:
        for cell in cells:
            self.failed[cell.id] = cause
            self.store.cell(cell.id).fail(cause)
            self.watch.failed(cell, cause)

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
        folder, items = self.store.cell(cell.id), self.grid.items(cell.task, cell.shift)
        if folder.done and cell.id not in self.again:  # of a job that is begun again, or whose weights alone were lost
            return
        plan, chat = self._plan(cell), chosen_template(base, cell.used.template)
        search = self.searches.of(cell, base, plan)
        examples = plan.take(cell.labels)
        ledger = (*shown.ledger, *cell.used.prompt.used(examples), *(() if search is None else search.ledger))
        ledger += () if verified is None else verified.ledger
        check_ledger(ledger, plan, cell.labels)
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
        again = folder.failed or folder.done
        folder.begin(said)
        every = frozenset(range(0, len(items), cell.chunk))
        before = done = every if folder.done else folder.committed(len(items), cell.chunk)
        if not before:
            folder.go_on()  # there is no item to be asked again
        self.watch.doing(cell.under_way)
        self.watch.advanced(cell, sum(min(cell.chunk, len(items) - first) for first in done))
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
        if not done:
            bank = self.held.bank(cell, said)
            folder.set_source(bank and bank[0])
            if bank is not None:
                started = time.perf_counter()
                folder.commit(evaluation.reread(items, bank[1]), 0, cell.chunk)
                if rater is not None and not bank[0].facts().get("verifier"):
                    folder.took(time.perf_counter() - started, None)
                self.watch.advanced(cell, len(items))
                done = folder.committed(len(items), cell.chunk)
        if len(done) * cell.chunk < len(items):
            measure(cell, folder, evaluation, examples, items, done, self.watch.advanced)
        if again:
            ask_again(cell, folder, evaluation, examples, items, before)
            folder.go_on()
        self.items[cell.id] = check_items(folder, self.grid.study.item_error_budget)
        if folder.done:
            return  # a worker that died had asked again what failed
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
