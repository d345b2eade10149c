"""Models that a study makes of others: by stages of training, and by tuning on the granted examples.

What is made is kept in the results folder as a whole, with what was said of its making, and read back by a run that
goes on; making it again gives the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from onset.demos.fit import Shown, choose_demonstrations
from onset.errors import DataError, Diverged, ModelError
from onset.models.base import Model
from onset.models.chat import ChatTemplate, chosen_template
from onset.plan import ExamplePlan
from onset.prompting.ask import bare
from onset.records import derive_seed
from onset.results.folder import Store
from onset.results.tuned import TunedFolder
from onset.study.cell import Cell
from onset.study.made import Made
from onset.study.memory import Peak
from onset.study.observer import Observer
from onset.study.served import is_served, let_go, trainable, with_adapter
from onset.study.written import environment, template_json
from onset.tasks.base import Task
from onset.tuning.base import Seeds, Tuning, TuningReport
from onset.tuning.checkpoint import Checkpoint
from onset.tuning.full import Full
from onset.tuning.materials.base import Given
from onset.tuning.materials.kept import Kept
from onset.tuning.stages.base import StageReport

if TYPE_CHECKING:
    from onset.models.hf import HFModel

Report = TypeVar("Report", bound=TuningReport)
Thing = TypeVar("Thing")


def make(what: Made, base: HFModel, store: Store, watch: Observer) -> tuple[HFModel, dict[str, StageReport]]:
    """``what``, made of ``base`` or read back, and what each of its stages took, by id.

    Raises DataError, ModelError and StoreError as training, saving and loading do.
    """
    reports: dict[str, StageReport] = {}
    model = base
    for one in what.chain:
        one.check_files()
        try:
            model, reports[one.id] = kept(
                store.tuned(one.id),
                None,
                partial(_train, one, model, store, watch),
                model,
                watch,
                Full().save,
                partial(Full().load, model),
                StageReport,
            )
        except ModelError as error:
            error.args = (f"stage {one.recipe.name}: {error}",)
            raise
        watch.training(one, one.recipe.step.steps, one.recipe.step.steps)
        own = base.facts.stage
        named = one.stage if own == "base" else f"{own}, {one.stage}"
        model = model.derive(model.module, replace(model.facts, stage=named))
    return model, reports


def _train(
    made: Made, base: HFModel, store: Store, watch: Observer, checkpoint: Checkpoint, memory: Peak
) -> tuple[HFModel, StageReport]:
    """What the last stage of ``made`` makes of ``base``; what it took is kept, whatever becomes of the weights."""
    step = made.recipe.step
    watch.doing(f"{made.model} · tuning stage {made.stage} · {step.steps} steps")
    started = time.perf_counter()
    done = step.train(base, made.recipe.seeds(), partial(watch.training, made), checkpoint)
    said = {"name": made.recipe.name, "model": made.model, "stages": made.stage, "step": step.identity()}
    seconds = checkpoint.seconds + time.perf_counter() - started
    took = {"seconds": seconds, "peak_bytes": memory.bytes}
    store.stage(made.id).write({**said, "training": done.report.to_json(), **took}, done.kept)
    return done.model, done.report


def tune(
    cell: Cell, task: Task, plan: ExamplePlan, base: Model, store: Store, watch: Observer
) -> tuple[Model, TuningReport, Shown]:
    """The tuned model that ``cell`` needs, made of ``base`` or read back, what it took, and which examples: what it is
    shown when it is asked, and the ledger of all.

    Raises DataError where no granted example has what is trained on; ModelError and StoreError as `make` does.
    """
    method = cell.used
    tuner, material = method.tune, method.on
    assert tuner is not None
    assert material is not None
    examples = material.usable(plan.take(cell.labels))
    if not examples:
        raise DataError(f"task {task.name}: none of the first {cell.labels} examples has a rationale to tune on")
    chat = chosen_template(base, method.template)
    held = store.tuned(cell.tuned or "")
    where = f"{method.name} · {cell.task} · {cell.labels} labels · seed {cell.seed}"

    def train(checkpoint: Checkpoint, _: Peak) -> tuple[HFModel, TuningReport]:
        if material.calls:
            watch.doing(f"{cell.model} · asking it for what is trained on · {where}")
        samples = Kept(held.samples, checkpoint.identity, watch.note, held.check_writer) if material.calls else None
        texts = material.make(Given(base, bare(task), examples, chat, cell.seed, samples))
        checkpoint.before = 0.0 if samples is None else samples.seconds
        if texts.rows:
            held.note_material(texts.rows)
        watch.doing(f"{cell.model} · tuning {where}")
        progress = partial(watch.tuning, cell)
        schedule = method.schedule(len(texts.examples))
        model, report = tuner.tune(trainable(base), texts.examples, _seeds(cell), schedule, progress, checkpoint)
        return model, prepared(report, base, texts.tokens)

    model, report = _kept_for(base, tuner, held, chat, train, watch)
    watch.tuned(cell)
    asked = choose_demonstrations(model, task, method, plan, cell.labels, None, chat)
    return model, report, replace(asked, ledger=(*material.ledger(examples), *asked.ledger))


def _kept_for(
    base: Model,
    tuner: Tuning,
    held: TunedFolder,
    chat: ChatTemplate | None,
    train: Callable[[Checkpoint, Peak], tuple[HFModel, TuningReport]],
    watch: Observer,
) -> tuple[Model, TuningReport]:
    """`kept` of a tuned model: as it was trained or read back, or ``base`` asked with the adapter that was written."""
    if not is_served(base):
        load: Callable[[Path], HFModel] = partial(tuner.load, trainable(base))
        return kept(held, chat, train, base, watch, tuner.save, load, TuningReport)

    def nothing(_: Path) -> HFModel | None:
        return None

    def save(tuned: HFModel | None, folder: Path) -> None:
        assert tuned is not None
        tuner.save(tuned, folder)

    tuned, report = kept(held, chat, train, base, watch, save, nothing, TuningReport)
    del tuned
    let_go()
    return with_adapter(base, held.local()), report


def prepared(report: Report, model: Model, tokens: int) -> Report:
    """``report`` with the ``tokens`` that ``model`` ran first, to make what is trained on."""
    flops = 2.0 * model.facts.known("params_compute") * tokens
    return replace(report, flops=report.flops + flops, prepared_tokens=tokens, prepared_flops=flops)


def kept(
    held: TunedFolder,
    chat: ChatTemplate | None,
    train: Callable[[Checkpoint, Peak], tuple[Thing, Report]],
    base: Model,
    watch: Observer,
    save: Callable[[Thing, Path], None],
    load: Callable[[Path], Thing],
    report_of: type[Report],
) -> tuple[Thing, Report]:
    """What ``held`` keeps, if it was trained through the template ``chat``, or what ``train`` makes of ``base``, kept
    there. Training that was interrupted goes on; one that diverged is not tried again while nothing that it depends on
    has changed. Raises Diverged then too.
    """
    template = None if chat is None else template_json(chat)  # before there were any, all were trained without
    whole = held.settle(whole=True)
    if whole and held.template() != template:
        held.discard()
        whole = False
    if whole:
        return load(held.local()), report_of(**held.report())
    by = {"base": base.facts.revision, "template": template, "environment": environment(base)}
    if (known := held.diverged(by)) is not None:
        what, path = known
        raise Diverged(**what, kept=path)
    checkpoint = Checkpoint(held.checkpoint, dict(by), watch.note, held.check_writer)
    started = time.perf_counter()
    try:
        with Peak(base.facts.device) as memory:
            model, report = train(checkpoint, memory)
    except Diverged as error:
        held.note_diverged(error.to_json(), by)
        checkpoint.remove()
        raise
    seconds = checkpoint.before + checkpoint.seconds + time.perf_counter() - started
    held.save(partial(save, model), report.to_json(), seconds, template, memory.bytes)
    return model, report


def _seeds(cell: Cell) -> Seeds:
    return Seeds(*(derive_seed("tuning", what, cell.seed) for what in ("init", "order", "sampling")))
