"""Models that a study makes of others: by stages of training, and by tuning on the granted examples.

What is made is kept in the results folder as a whole, with what was said of its making, and read back by a run that
goes on; making it again gives the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from onset.errors import DataError
from onset.models.base import Model
from onset.models.chat import ChatTemplate, chosen_template
from onset.plan import ExamplePlan, Use, use_of
from onset.prompting.text import answer_text, render
from onset.records import Item, derive_seed
from onset.results.folder import Store
from onset.results.tuned import TunedFolder
from onset.study.grid import Cell
from onset.study.made import Made
from onset.study.observer import Observer
from onset.study.written import template_json
from onset.tasks.base import Task
from onset.tuning.base import Example, Seeds, TuningReport
from onset.tuning.full import Full

if TYPE_CHECKING:
    from onset.models.hf import HFModel

Trained = tuple["HFModel", TuningReport]


def make(what: Made, base: HFModel, store: Store, watch: Observer) -> tuple[HFModel, dict[str, TuningReport]]:
    """``what``, made of ``base`` or read back, and what each of its stages took, by id.

    Raises DataError, ModelError and StoreError as training, saving and loading do.
    """
    reports: dict[str, TuningReport] = {}
    model = base
    for one in what.chain:
        one.check_files()
        model, reports[one.id] = _kept(
            store.tuned(one.id),
            None,
            partial(_train, one, model, watch),
            Full().save,
            partial(Full().load, model),
        )
        own = base.facts.stage
        named = one.stage if own == "base" else f"{own}, {one.stage}"
        model = model.derive(model.module, replace(model.facts, stage=named))
    return model, reports


def _train(made: Made, base: HFModel, watch: Observer) -> Trained:
    watch.doing(f"{made.model} · tuning stage {made.stage} · {made.recipe.step.steps} steps")
    return made.recipe.step.train(base, made.recipe.seeds())


def tune(
    cell: Cell, task: Task, plan: ExamplePlan, base: Model, store: Store, watch: Observer
) -> tuple[Model, TuningReport, Use]:
    """The tuned model that ``cell`` needs, made of ``base`` or read back, what it took, and which examples.

    Raises DataError where no granted example has what is trained on; ModelError and StoreError as `make` does.
    """
    from onset.models.hf import HFModel

    method = cell.method
    tuner = method.tune
    assert isinstance(base, HFModel)  # no other model says that it can be tuned
    assert tuner is not None
    granted = plan.take(cell.labels)
    examples = [item for item in granted if item.rationale or method.on == "answers"]
    if not examples:
        raise DataError(f"task {task.name}: none of the first {cell.labels} examples has a rationale to tune on")
    use = use_of("training", examples, rationales=method.on == "rationales")
    chat = chosen_template(base, method.template)

    def train() -> Trained:
        watch.doing(f"{cell.model} · tuning {method.name} · {cell.task} · {cell.labels} labels · seed {cell.seed}")
        texts = [_example(task, one, method.on == "rationales", chat) for one in examples]
        return tuner.tune(base, texts, _seeds(cell), method.schedule(), partial(watch.tuning, cell))

    model, report = _kept(store.tuned(cell.tuned or ""), chat, train, tuner.save, partial(tuner.load, base))
    watch.tuned(cell)
    return model, report, use


def _kept(
    held: TunedFolder,
    chat: ChatTemplate | None,
    train: Callable[[], Trained],
    save: Callable[[HFModel, Path], None],
    load: Callable[[Path], HFModel],
) -> Trained:
    """What ``held`` keeps, if it was trained through the template ``chat``, or what ``train`` makes, kept there."""
    template = None if chat is None else template_json(chat)  # before there were any, all were trained without
    if held.done and held.template() != template:
        held.discard()
    if held.done:
        return load(held.folder), TuningReport(**held.report())
    started = time.perf_counter()
    model, report = train()
    held.save(partial(save, model), asdict(report), time.perf_counter() - started, template)
    return model, report


def _example(task: Task, item: Item, rationale: bool, chat: ChatTemplate | None = None) -> Example:
    """The very prompt the tuned model will be evaluated with: no demonstrations."""
    prompt = render(task, (), item, rationale=rationale, chat=chat)
    answer = answer_text(item, rationale=rationale, layout=task.layout, chat=chat is not None)
    return Example(prompt, answer) if chat is None else Example(prompt, answer, templated=True, end=chat.end)


def _seeds(cell: Cell) -> Seeds:
    return Seeds(*(derive_seed("tuning", what, cell.seed) for what in ("init", "order", "sampling")))
