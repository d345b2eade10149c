"""What a shift is: the same task asked differently, so that what is right can still be told.

Shifts are of three kinds, each a class of settings (`onset.step.Step`) in the table of shifts:

    Shift      a rewrite of each test item. The label stays, or is worked out anew; the clean item is its twin.
    TestSet    other test items: a set that the task brings, a longer version of it, another data set.
    Perturbed  the prompt around the test items: order and number of demonstrations, wording, instruction.

A shift changes what a test item is asked, never which labelled examples are granted or what is trained on.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, ClassVar, Literal

from pydantic import Field

from onset.errors import DataError, StudyError, UnknownName
from onset.records import Item, derive_seed
from onset.shifts import SHIFTS
from onset.step import Step, read_settings, read_step
from onset.tasks.base import Task
from onset.tasks.checks import question_key

Group = Literal["", "noise", "domain", "adversarial", "prompt"]
Rewrite = Callable[[Item], Item]


def place(item: Item) -> bytes:
    """Where an item comes in the fixed random order in which test items are taken: a hash of the clean item."""
    return hashlib.sha256((item.twin or item.id).encode()).digest()


class AnyShift(Step):
    """What the three kinds share. ``group``: where lists and tables put it; ``example``: a task of which a test item
    shows it in ``onset list shifts`` (None: none could).
    """

    group: ClassVar[Group] = ""
    example: ClassVar[Any] = "word-problems"

    def check_task(self, task: Task) -> None:
        """Raises DataError where ``task`` cannot be asked so: which shift, which task, why."""

    @abstractmethod
    def items(self, task: Task) -> tuple[Item, ...]:
        """The test items of ``task`` under it."""

    def asked(self, task: Task) -> Task:
        """``task`` as prompts are written and read under it: its words, its instruction, its token limits."""
        return task

    def refuse(self, task: Task, why: str) -> DataError:
        """The line that says why ``task`` cannot take it."""
        return DataError(f"shift '{self.label()}' on task {task.name}: {why}")


class Unshifted(AnyShift):
    """The test items as they are: each its own twin."""

    kind: ClassVar[str] = "none"

    def items(self, task: Task) -> tuple[Item, ...]:
        """Those of the task."""
        return task.test


class Shift(AnyShift):
    """A rewrite. ``seed`` (0 or more) keys what is drawn, with the item's id, so that a rewrite depends on nothing
    else: neither on the other items nor on the method that is asked.

    ``touches``: what of an item it may change. ``answer`` among it: the answer is worked out anew.
    """

    touches: ClassVar[frozenset[str]] = frozenset({"question", "context"})

    seed: int = Field(default=0, ge=0)

    def rng(self, item: Item) -> Random:
        """The draws for ``item``."""
        return Random(derive_seed(self.kind, item.id, self.seed))

    @abstractmethod
    def rewrite(self, item: Item, task: Task) -> Item:
        """``item`` asked differently; itself where there is nothing to change. Pure."""

    def rewriting(self, task: Task) -> Rewrite:
        """`rewrite` as a function of the item: what all items of ``task`` share is done once."""
        return lambda item: self.rewrite(item, task)

    def rewritten(self, task: Task, items: Sequence[Item]) -> tuple[Item, ...]:
        """``items`` rewritten, in their order, each with the id of its clean twin, also where nothing changed.

        An item stays as it is where its rewrite would be a labelled example, another test item, or the rewrite of one
        that comes before it in the order in which test items are taken (`place`): a method would be shown the answer,
        or asked the same twice. A statement (`onset.tasks.base.TOLD`) that is the question is rewritten with it.
        """
        rewriting = self.rewriting(task)
        granted = {question_key(item) for item in task.pool}
        clean, taken = {item.id for item in task.test}, set[str]()
        made: dict[str, Item] = {}

        def met(item: Item, other: Item) -> bool:
            return question_key(other) in granted and question_key(item) not in granted

        for item in sorted(items, key=place):
            other = rewriting(item)
            if other.id != item.id and (other.id in clean or other.id in taken or met(item, other)):
                other = item
            taken.add(other.id)
            made[item.id] = replace(other, twin=item.id, meta=_meta(item, other))
        return tuple(made[item.id] for item in items)

    def items(self, task: Task) -> tuple[Item, ...]:
        """The test items rewritten."""
        return self.rewritten(task, task.test)


def _meta(item: Item, other: Item) -> Mapping[str, str | int | float]:
    """The facts of ``item`` once it is rewritten as ``other``."""
    said = other.meta.get("statement")
    same = isinstance(said, str) and said.strip() == item.question
    return {**other.meta, "statement": other.question} if same else other.meta


class TestSet(AnyShift):
    """Other test items: they have no twin, and are compared with the clean ones as one set with another."""

    __test__ = False  # no test of pytest's
    group: ClassVar[Group] = "domain"


class Perturbed(AnyShift):
    """A perturbation of the prompt: the test items stay as they are, each its own twin.

    ``demonstrations``: does it change which of the demonstrations are shown, or their order?
    `needs_demonstrations`: then cells that show none are left out, with a note.
    """

    group: ClassVar[Group] = "prompt"
    demonstrations: ClassVar[bool] = False

    @property
    def needs_demonstrations(self) -> bool:
        """Does it change nothing where none is shown?"""
        return self.demonstrations

    def items(self, task: Task) -> tuple[Item, ...]:
        """The test items."""
        return tuple(replace(item, twin=item.id) for item in task.test)

    def demos(self, demos: Sequence[Item], seed: int) -> tuple[Item, ...]:
        """``demos`` as they are shown under it; ``seed``: that of the draw of examples. Never other ones."""
        return tuple(demos)


class OwnSet(TestSet):
    """A test set that the task brings: ``set``, one of `onset.tasks.base.Task.test_sets`."""

    kind: ClassVar[str] = "own test set"

    set_name: str

    def label(self) -> str:
        """Its name."""
        return self.set_name

    def items(self, task: Task) -> tuple[Item, ...]:
        """Its items (those that were made from clean ones have twins)."""
        return dict(task.test_sets)[self.set_name]


@dataclass(frozen=True, slots=True)
class Named:
    """A shift as a study names it: ``label``, and its ``step`` (None: a bare name, which may be that of a test set)."""

    label: str
    step: AnyShift | None = None

    def on(self, task: Task) -> AnyShift:
        """The shift for ``task``: of a bare name the task's own test set, else that of the table.

        Raises UnknownName with everything this task knows; DataError for settings of a set that the task brings, and
        for a task that cannot take it.
        """
        own = dict(task.test_sets)
        if self.step is not None and self.step.kind in own:
            raise DataError(f"task {task.name} brings its own test set '{self.step.kind}', which has no settings")
        if self.step is None and self.label in own:
            return OwnSet(set_name=self.label)
        if self.step is None and self.label not in SHIFTS:
            raise UnknownName("shift", self.label, [*SHIFTS, *own])
        step: AnyShift = self.step or read_step(SHIFTS, self.label, f"shift '{self.label}'")
        step.check_task(task)
        return step


def read_shift(value: Any) -> Named:
    """The shift that ``value`` names in a study: a name, or a mapping of ``shift`` (a name of the table), its settings
    and, if its label is to be another one, ``name``.

        typos        {shift: typos, rate: 0.2}        {shift: test-set, name: svamp, test: svamp.jsonl}

    Raises UnknownName for a shift that is in no table, StudyError for settings that do not validate.
    """
    if isinstance(value, Named):
        return value
    if isinstance(value, AnyShift):
        return Named(value.label(), value)
    if isinstance(value, str):
        return Named(value)
    if not isinstance(value, Mapping) or not isinstance(value.get("shift"), str):
        raise StudyError(f"study: a shift must be a name or a mapping with 'shift' (received {value!r})")
    settings = {key: one for key, one in value.items() if key not in ("shift", "name")}
    step: AnyShift = read_settings(SHIFTS, value["shift"], settings, "shift")
    name = value.get("name")
    if name is not None and (not isinstance(name, str) or not name.strip() or name == "none"):
        raise StudyError(f"study: the 'name' of a shift must be a word, not {name!r}")
    if name is None and not settings:
        return Named(step.kind)
    return Named(name or step.label(), step)


def apply_shift(task: Task, shift: Any) -> tuple[Item, ...]:
    """The test items of ``task`` under ``shift``, in order; ``shift`` as in `read_shift`.

    ``none`` gives the test items; a rewrite and a perturbation give as many, with their twins; a test set its own.
    Raises UnknownName, StudyError or DataError where the task has no such shift or cannot take it.
    """
    return read_shift(shift).on(task).items(task)
