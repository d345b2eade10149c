"""A study expands to cells: model x stage x method x labels x task x shift x seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

from onset.errors import DataError, StudyError
from onset.methods import Method
from onset.models import default_label
from onset.models.backend import Told
from onset.records import Item, content_hash
from onset.shifts.base import AnyShift, Named, Unshifted
from onset.study.aside import asides_of, open_asides
from onset.study.cell import Cell
from onset.study.made import Made
from onset.study.notes import notes_of, unnamed
from onset.study.searched import tried_of
from onset.study.served import check_served
from onset.study.shifted import Asked, asked_under, shift_notes
from onset.study.spec import Study
from onset.study.text import TEXT
from onset.tasks import open_tasks
from onset.tasks.base import Task, asked_beside
from onset.tuning.stages.base import Recipe


@dataclass(frozen=True)
class Grid:
    """The cells of a study in running order, and the loaded tasks they speak of.

    Cells of one model come together, then those of one tuned model: each model is loaded once and each
    tuning runs once. ``told``: label -> what the study says of a model. ``notes`` are
    lines for the user: combinations left out and why. ``shifts``: the shift of each task and label, ``tests`` their
    items.
    """

    study: Study
    cells: tuple[Cell, ...]
    tasks: Mapping[str, Task]
    tests: Mapping[tuple[str, str], tuple[Item, ...]]
    families: Mapping[str, str | None]
    notes: tuple[str, ...]
    told: Mapping[str, Told]
    shifts: Mapping[tuple[str, str], AnyShift]

    def items(self, task: str, shift: str) -> tuple[Item, ...]:
        """The test items of a task under a shift: the same for every cell, drawn by content hash."""
        return self.tests[task, shift]

    def asked(self, cell: Cell) -> Task:
        """The task of ``cell`` as prompts about its items are written under its shift."""
        return self.shifts[cell.task, cell.shift].asked(self.tasks[cell.task])

    def sizes(self) -> Iterator[tuple[Study, int]]:
        """Every part of the study with each number of test items it has cells of."""
        for part in self.study.grids():
            if part.items != "all":
                yield part, part.items
            else:
                yield from ((part, len(items)) for items in self.tests.values())


def expand(study: Study) -> Grid:
    """Load the tasks and lay out the cells, those of all parts of a study together.

    Raises UnknownName, DataError or StudyError when a name, a file or a budget does not hold, or a model cannot be
    tuned as a method does.
    """
    pieces = [_expand(part) for part in study.grids()]
    tasks: dict[str, Task] = {}
    tests: dict[tuple[str, str], tuple[Item, ...]] = {}
    shifts: dict[tuple[str, str], AnyShift] = {}
    families: dict[str, str | None] = {}
    specs: dict[str, str] = {}
    told: dict[str, Told] = {}
    cells: dict[str, Cell] = {}
    for piece in pieces:
        for name, task in piece.tasks.items():
            if tasks.setdefault(name, task).hash != task.hash:
                raise StudyError(f"study: two parts have a task '{name}' with different examples; give one a name")
        for place, items in piece.tests.items():
            if tests.setdefault(place, items) != items:
                raise StudyError(f"study: two parts ask different numbers of items of {' under shift '.join(place)}")
        for place, shift in piece.shifts.items():
            if shifts.setdefault(place, shift) != shift:
                raise StudyError(f"study: two parts call different shifts '{place[1]}'; give one another 'name'")
        families |= {label: family for label, family in piece.families.items() if family or label not in families}
        for label, said in piece.told.items():
            if told.setdefault(label, said) != said:
                raise StudyError(f"study: two parts say different things of model '{label}'; give one a label")
        for cell in piece.cells:
            if specs.setdefault(cell.model, cell.model_spec) != cell.model_spec:
                raise StudyError(f"study: two parts call different models '{cell.model}'; give one a label")
            cells.setdefault(cell.id, cell)
    _check_stages(cells.values())
    check_served(cells.values())
    _check_names([method for part in study.grids() for method in part.build_methods()])
    notes = tuple(dict.fromkeys([*unnamed(study), *(note for piece in pieces for note in piece.notes)]))
    return Grid(study, tuple(_together(cells.values())), tasks, tests, families, notes, told, shifts)


def _together(cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells of one model together, models in order of appearance."""
    by_model: dict[str, list[Cell]] = {}
    for cell in cells:
        by_model.setdefault(cell.model, []).append(cell)
    for held in by_model.values():  # a template that one part names for a model makes another method of it
        _check_names([cell.method for cell in held if not cell.aside])
        yield from held


def _check_stages(cells: Iterable[Cell]) -> None:
    """What stages make has one name."""
    held: dict[str, str] = {}
    for cell in cells:
        if cell.made is not None and held.setdefault(cell.made.id, cell.stage) != cell.stage:
            raise StudyError(f"study: stages [{held[cell.made.id]}] and [{cell.stage}] are the same training; keep one")


def _check_names(methods: Iterable[Method]) -> None:
    """A name stands for one method in every part, and a method has one name."""
    held: dict[str, Method] = {}
    for one in methods:
        if held.setdefault(one.name, one).spec() != one.spec():
            raise StudyError(f"study: two parts call different methods '{one.name}'; give one another name")
    for one, other in combinations(held.values(), 2):
        if one.spec() == other.spec():
            raise StudyError(
                f"study: methods '{one.name}' and '{other.name}' of two parts are the same; use one name in both"
            )


def _expand(study: Study) -> Grid:
    tasks: dict[str, Task] = {}
    for entry in study.tasks:
        for task in open_tasks(entry):
            if task.name in tasks:
                raise StudyError(f"study: task '{task.name}' appears twice; each may appear once")
            tasks[task.name] = task
    models = _labelled(study)
    families = {label: entry.family for (label, _), entry in zip(models, study.models, strict=True)}
    methods = study.build_methods()
    for task in tasks.values():
        _check_task(task, study, methods)
    asides = open_asides(study, tasks)
    under = {(name, one.label): asked_under(tasks[name], one, study.items) for name in tasks for one in study.named}
    under |= {
        (name, "none"): (
            Asked(task, Unshifted(), task.test) if name == TEXT else asked_under(task, Named("none"), study.items)
        )
        for name, task in asides.items()
    }
    for recipe in {recipe for stage in study.build_stages() for recipe in stage}:
        for name, task in {**tasks, **asides}.items():
            recipe.step.refuse([item.answer if name == TEXT else item.question for item in task.test], name)
    cells = tuple(_cells(study, models, tasks, asides, under, methods))
    if not cells:
        raise StudyError("study: no cell is left: every method is tuned or searched and the only budget is 0 labels")
    told = {label: entry.told for (label, _), entry in zip(models, study.models, strict=True)}
    notes = (*notes_of(study, tasks, methods, asides), *shift_notes(study, methods, under))
    tests = {place: one.items for place, one in under.items()}
    shifts = {place: one.shift for place, one in under.items()}
    return Grid(study, cells, tasks | asides, tests, families, notes, told, shifts)


def _labelled(study: Study) -> list[tuple[str, str]]:
    pairs = [(entry.label or default_label(entry.spec), entry.spec) for entry in study.models]
    labels = [label for label, _ in pairs]
    repeated = sorted({one for one in labels if labels.count(one) > 1})
    if repeated:
        raise StudyError(
            f"study: two models are called '{repeated[0]}'; give one a name with {{spec: ..., label: ...}}"
        )
    return pairs


def _check_task(task: Task, study: Study, methods: Sequence[Method]) -> None:
    most = max(study.labels)
    if most > len(task.pool):
        raise DataError(f"task {task.name}: {most} labelled examples asked, its pool holds {len(task.pool)}")
    needing = [one.name for one in methods if one.rationales]
    if needing and most > 0 and not any(item.rationale for item in task.pool):
        raise DataError(
            f"task {task.name}: method '{needing[0]}' needs examples with a 'rationale', none of its"
            f" {len(task.pool)} labelled examples has one"
        )
    choosing = [one.name for one in methods if "choices" in one.needs]
    open_items = sum(1 for item in task.test if not item.choices)
    if choosing and open_items:
        raise DataError(
            f"task {task.name}: method '{choosing[0]}' needs items with choices, {open_items} of its {len(task.test)}"
            " test items have none"
        )
    for one in methods:
        one.choose.check_task(task)
        one.prompt.check_task(task)
        for labels in study.labels:
            one.prompt.check_budget(labels)
            if one.on is not None and labels > 0:
                one.on.check(task, labels)


def _cells(
    study: Study,
    models: Sequence[tuple[str, str]],
    tasks: Mapping[str, Task],
    asides: Mapping[str, Task],
    under: Mapping[tuple[str, str], Asked],
    methods: Sequence[Method],
) -> Iterator[Cell]:
    hashes = {name: task.hash for name, task in {**tasks, **asides}.items()}
    traced = {name: task.traces for name, task in tasks.items() if any("traces" in one.needs for one in methods)}
    own = {label: entry.template for (label, _), entry in zip(models, study.models, strict=True)}
    asked = {place: (len(one.items), content_hash(_asked(one.items))) for place, one in under.items()}

    def cell(node: tuple[str, str, Made | None], method: Method, place: tuple[str, str], **more: Any) -> Cell:
        label, spec, made = node
        task, shift = place
        return Cell(
            model=label,
            model_spec=spec,
            stage="base" if made is None else made.stage,
            made=made,
            method=_of_model(method, own[label]),
            task=task,
            task_hash=hashes[task],
            shift=shift,
            shift_said=under[place].said,
            items=asked[place][0],
            items_hash=asked[place][1],
            chunk=study.chunk,
            compute=(study.device, study.dtype, study.batch_tokens),
            continuous=study.continuous,
            traces=traced[task] if "traces" in method.needs else None,
            **more,
        )

    nodes = [
        (label, spec, _made(label, stage, (study.device, study.dtype)))
        for (label, spec), stage in product(models, study.build_stages())
    ]  # one a model and stage: its id takes a reading of the corpora
    tried = tried_of(methods, tasks, study.labels)
    for node, name, method, labels in product(nodes, tasks, methods, study.labels):
        settings = tuple(_of_model(one, own[node[0]]) for one in tried[name, method.name, labels]) or None
        taken = [one.label for one in study.named if under[name, one.label].takes(method, labels)]
        for seed, shift in product(_seeds(study, method, labels), taken):
            yield cell(node, method, (name, shift), labels=labels, seed=seed, settings=settings)
    beside = tuple(asides_of(study, methods, tuple(tasks), tuple(asides))) if asides else ()
    for node, one in product(nodes, beside):
        home = None if one.home is None else (one.home, hashes[one.home])
        yield cell(node, one.method, (one.task, "none"), labels=one.labels, seed=one.seed, aside=True, home=home)


def _made(model: str, stage: Sequence[Recipe], compute: tuple[str, str]) -> Made | None:
    made = None
    for recipe in stage:
        made = Made(model, recipe, compute, made)
    return made


def _asked(items: Sequence[Item]) -> list[Any]:
    """All of the test items that prompts may hold: their ids, and what is told beside them."""
    told = asked_beside(items)
    return [item.id for item in items] + ([told] if told else [])


def _of_model(method: Method, template: str | None) -> Method:
    """The method with the template that the study names for a model, where the method leaves it to the model."""
    if method.template is not None or template not in ("chat", "plain"):
        return method
    return replace(method, template="chat" if template == "chat" else "plain")


def _seeds(study: Study, method: Method, labels: int) -> tuple[int, ...]:
    """Without labelled examples there is nothing to tune or to choose by, and a greedy answer has no seed to vary."""
    if labels == 0 and (method.tune or method.search):
        return ()
    varies = method.tune or method.search or method.vote or method.prompt.seeded()
    return study.seeds if varies or (labels > 0 and method.shots != 0) else study.seeds[:1]
