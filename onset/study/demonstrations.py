"""Which demonstrations a study shows: fitted once, and the same under every shift.

As many as fit means: as leave room for the longest prompt under the clean test items and the study's own shifts. What
finished cells of the results folder have shown already stays: a shift that is added later, and whose prompts are too
long for that, is refused, since a clean and a shifted cell that show different examples differ in more than the shift.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from onset.demos.fit import Shown, choose_demonstrations, longest_question
from onset.errors import StoreError
from onset.methods import Method
from onset.models.base import Model
from onset.models.chat import chosen_template
from onset.plan import ExamplePlan
from onset.prompting.base import Prompt
from onset.records import Item
from onset.results.folder import Store
from onset.shifts.base import Perturbed, Unshifted
from onset.study.cell import Cell
from onset.study.grid import Grid
from onset.tasks.base import Task

Key = tuple[str, str, Method, int, int, str | None]


def _key(cell: Cell) -> Key:
    """A search takes what is best of the model that it asks, so that stages of training may differ in what is shown."""
    return cell.model, cell.task, cell.method, cell.labels, cell.seed, cell.search


class Demonstrations:
    """The demonstrations of a study's prompted cells and their ledgers, chosen when they are first asked for."""

    def __init__(self, store: Store, grid: Grid) -> None:
        self._store = store
        self._grid = grid
        self._siblings: dict[Key, list[Cell]] = defaultdict(list)
        for cell in grid.cells:
            self._siblings[_key(cell)].append(cell)
        self._chosen: dict[Key, Shown] = {}
        self._under: dict[tuple[str, str], tuple[Item, ...]] = {}
        self._longest: dict[tuple[str, str, Prompt], Item] = {}

    def of(self, cell: Cell, model: Model, plan: ExamplePlan) -> Shown:
        """What ``cell`` shows, and its ledger.

        Raises StoreError where finished cells of the same model, task, method, budget and seed have shown what does
        not fit any more.
        """
        key = _key(cell)
        if cell.used.choose.per_item:  # every question has its own
            task, chat = self._grid.tasks[cell.task], chosen_template(model, cell.used.template)
            items, asked = self._grid.items(cell.task, cell.shift), [self._grid.asked(cell)]
            shown = choose_demonstrations(model, task, cell.used, plan, cell.labels, None, chat, items, asked=asked)
            return perturbed(self._grid, cell, shown)
        if key not in self._chosen:
            longest = self._longest_of(cell, model) if cell.used.shots is None else None
            asked = self._asked(cell.task)
            task, chat = self._grid.tasks[cell.task], chosen_template(model, cell.used.template)

            def choose(method: Method) -> Shown:
                return choose_demonstrations(model, task, method, plan, cell.labels, longest, chat, asked=asked)

            self._chosen[key] = self._kept(cell, choose)
        return perturbed(self._grid, cell, self._chosen[key])

    def _longest_of(self, cell: Cell, model: Model) -> Item:
        key = (cell.model, cell.task, cell.used.prompt)
        if key not in self._longest:
            task = self._grid.tasks[cell.task]
            shifts = [self._items(task, label) for label in self._shifts(cell.task)]
            self._longest[key] = longest_question(model, task, shifts, cell.used.prompt)
        return self._longest[key]

    def _items(self, task: Task, label: str) -> tuple[Item, ...]:
        """All test items under a shift, also those that are not asked."""
        key = task.name, label
        if key not in self._under:
            self._under[key] = self._grid.shifts.get(key, Unshifted()).items(task)
        return self._under[key]

    def _shifts(self, task: str) -> Sequence[str]:
        """The labels of the study's own shifts, and none, which prompts have to fit in any case."""
        return tuple(dict.fromkeys(["none", *(shift for name, shift in self._grid.tests if name == task)]))

    def _asked(self, task: str) -> list[Task]:
        """The task as prompts are written under the study's own shifts: itself, and where it is written otherwise."""
        clean = self._grid.tasks[task]
        written = [shift.asked(clean) for (name, _), shift in self._grid.shifts.items() if name == task]
        return [clean, *(one for one in written if one is not clean)]

    def _kept(self, cell: Cell, choose: Callable[[Method], Shown]) -> Shown:
        """As many as fit, or the fewer that finished cells have shown."""
        fitted = choose(cell.used)
        siblings = [one for one in self._siblings[_key(cell)] if not _perturbs(self._grid, one)]
        shown = {ids: one for one in siblings if (ids := self._finished(one)) is not None}
        if not shown:
            return fitted
        ids = min(shown, key=len)
        if len(shown) == 1 and len(ids) <= len(fitted.everywhere):
            fewer = choose(replace(cell.used, shots=len(ids))) if ids else Shown()
            if tuple(item.id for item in fewer.everywhere) == ids:
                return fewer
        counts = " and ".join(str(len(one)) for one in sorted(shown, key=len))
        shifts = ", ".join(self._shifts(cell.task))
        raise StoreError(
            f"model '{cell.model}', method {cell.method.name}, task {cell.task}, {cell.labels} labels, seed"
            f" {cell.seed}: finished cells in {self._store.folder} show {counts} demonstrations,"
            f" {len(fitted.everywhere)} fit the longest prompt of the shifts {shifts}; use another folder, or"
            f" 'shots: {len(fitted.everywhere)}' in the method"
        )

    def _finished(self, cell: Cell) -> tuple[str, ...] | None:
        folder = self._store.cell(cell.id)
        if not folder.done:
            return None
        ledger = folder.facts()["ledger"]
        return tuple(one for line in ledger if line["use"] == "demonstration" for one in line["ids"])


def _perturbs(grid: Grid, cell: Cell) -> bool:
    """Does the cell's shift change which demonstrations are shown, or their order?"""
    shift = grid.shifts[cell.task, cell.shift]
    return isinstance(shift, Perturbed) and shift.demonstrations


def perturbed(grid: Grid, cell: Cell, shown: Shown) -> Shown:
    """What ``cell`` is ``shown``, as its shift perturbs it; its ledger has what is left."""
    shift = grid.shifts[cell.task, cell.shift]
    if not (isinstance(shift, Perturbed) and shift.demonstrations):
        return shown
    everywhere = shift.demos(shown.everywhere, cell.seed)
    each = shown.by_item and {name: shift.demos(demos, cell.seed) for name, demos in shown.by_item.items()}
    left = {item.id for demos in (everywhere, *(each or {}).values()) for item in demos}
    ledger = tuple(
        replace(line, ids=tuple(one for one in line.ids if one in left)) if line.use == "demonstration" else line
        for line in shown.ledger
    )
    return Shown(everywhere, each, ledger)


def shown_to(cell: Cell, shown: Shown) -> Shown:
    """Of what a tuned model is shown, and has learnt from, what it is for ``cell``: asked beside the study's own tasks
    it sees no demonstration, since those of its own task are none of another.
    """
    return Shown(ledger=tuple(one for one in shown.ledger if one.use != "demonstration")) if cell.aside else shown
