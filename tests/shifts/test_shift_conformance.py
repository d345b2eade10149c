"""Every shift of the table, over tasks of every kind: deterministic, its label right, nothing touched that it should not.

A shift that is registered is tested here, without more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from onset.errors import DataError
from onset.records import Item
from onset.shifts import SHIFTS
from onset.shifts.base import AnyShift, Perturbed, Shift, TestSet, apply_shift, read_shift
from onset.shifts.examples import example_of
from onset.shifts.text import options_at
from onset.step import read_step
from onset.tasks import open_task
from onset.tasks.base import Task, asked_beside

TASKS: Mapping[str, Mapping[str, Any]] = {
    "word-problems": {},
    "addition": {},
    "last-letters": {},
    "coin-flip": {},
    "multi-hop": {},
    "world-problems": {"order": "shuffled"},
    "world-coin": {},
    "world-compare": {},
    "world-programs": {},
    "world-two-hop": {},
    "prose": {},
}
COUNT = 16
PROSE = "Emily weighs {n} apples for her brother. A pound costs $3. How much do {n} pounds of apples cost?"
LETTERED = (
    Item("Which is red?\nOptions:\n(A) the cherry\n(B) the plum\n(C) none of the above", "(A)", choices=("(A)", "(B)", "(C)")),
    Item("Ada has a plum. Where does the plum lie?\n(A) in a bowl\n(B) on a plate", "(B)", choices=("(A)", "(B)")),
)  # fmt: skip
SHIFTED = [name for name in SHIFTS if name not in ("none", "test-set")]
"""``test-set`` has no settings of its own to begin with (tests/study/test_shifted.py)."""


@lru_cache(maxsize=32)
def task_of(name: str) -> Task:
    if name == "prose":
        items = tuple(Item(PROSE.format(n=n), str(3 * n)) for n in range(11, 11 + COUNT))
        return replace(task_of("addition"), name=name, test=items, solver=None, longer=None)
    return open_task({"name": name, "pool": 20, "test": COUNT, **TASKS[name]})


def shift_of(name: str, **settings: Any) -> AnyShift:
    shift: AnyShift = read_step(SHIFTS, {"kind": name, **settings}, "shift")
    return shift


@lru_cache(maxsize=512)
def taken(name: str, task: str) -> tuple[Item, ...] | None:
    """The items of a task under a shift; None where it is refused, in one line that says which and why."""
    refused = rf"shift '{name}' on task {re.escape(task_of(task).name)}: [^\n]+"
    try:
        return apply_shift(task_of(task), name)
    except DataError as error:
        if re.fullmatch(refused, str(error)):
            return None
        raise


@pytest.mark.parametrize("name", SHIFTED)
@pytest.mark.parametrize("task", TASKS)
def test_a_shift_is_deterministic_and_its_label_is_right(name: str, task: str) -> None:
    items, clean = taken(name, task), task_of(task)
    if items is None:
        return
    shift = read_shift(name).on(clean)
    assert items == shift.items(clean)
    if isinstance(shift, TestSet):
        assert all(item.twin is None or item.twin in {one.id for one in clean.test} for item in items)
    else:
        assert [item.twin for item in items] == [item.id for item in clean.test]
    if isinstance(shift, Perturbed):
        assert [item.id for item in items] == [item.id for item in clean.test]
    solver = shift.asked(clean).solver
    if solver is None:
        return
    for item in items:
        # noise hides a sentence from a strict reader; what it can still read has the same answer
        solved = solver.solve(item, strict=shift.group == "noise")
        assert solved is not None or shift.group == "noise"
        assert solved is None or solved.answer == item.answer


@pytest.mark.parametrize("name", [one for one in SHIFTED if issubclass(SHIFTS.load(one), Shift)])
@pytest.mark.parametrize("task", TASKS)
def test_a_rewrite_touches_what_it_says_and_nothing_else(name: str, task: str) -> None:
    items, kind, clean = taken(name, task), SHIFTS.load(name), task_of(task)
    for item, before in zip(items or (), clean.test, strict=items is not None):
        for part in {"question", "context", "choices", "answer"} - kind.touches:
            assert getattr(item, part) == getattr(before, part)
        assert (item.others, asked_beside([item])) == (before.others, asked_beside([before]))
        assert sorted(item.choices or ()) == sorted(before.choices or ())
        if "answer" not in kind.touches:
            assert item.answer == before.answer
        if kind.group in ("noise", "domain") or name in ("negated", "reordered"):  # numbers stay numbers, and in number
            texts = [f"{one.question} {one.context or ''}" for one in (item, before)]
            assert sorted(re.findall(r"\d+", texts[0])) == sorted(re.findall(r"\d+", texts[1]))
        for one in (item.question, item.context or ""):
            assert not one or one.strip()


@pytest.mark.parametrize("name", [one for one in SHIFTED if issubclass(SHIFTS.load(one), Shift)])
def test_a_rewrite_depends_on_the_item_and_its_seed_alone(name: str) -> None:
    changed = 0
    for task in TASKS:
        items = taken(name, task)
        if items is None:
            continue
        clean = task_of(task)
        alone = shift_of(name).items(replace(clean, test=clean.test[5:8]))
        if name != "option-order":  # looks at whether all share their choices
            assert alone == items[5:8]
        changed += sum(item.id != item.twin for item in items)
        other = shift_of(name, seed=1).items(clean)
        assert [one.twin for one in other] == [one.twin for one in items]
    assert changed >= COUNT // 2


@pytest.mark.parametrize("name", [one for one in SHIFTED if issubclass(SHIFTS.load(one), Shift)])
def test_lettered_options_stay_unless_they_are_what_is_shifted(name: str) -> None:
    task = task_of("addition")
    shift = shift_of(name)
    assert isinstance(shift, Shift)
    for item, before in zip(shift.rewritten(task, LETTERED), LETTERED, strict=True):
        block, was = (one.question[options_at(one.question) :] for one in (item, before))
        if name == "option-order":
            assert sorted(re.findall(r"\) (.+)", block)) == sorted(re.findall(r"\) (.+)", was))
            assert _option(item) == _option(before)
            assert item.question != before.question
        else:
            assert block == was
            assert item.answer == before.answer


def _option(item: Item) -> str:
    found = re.search(rf"^{re.escape(item.answer)} (.+)$", item.question, re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", SHIFTED)
def test_a_shift_can_be_shown(name: str) -> None:
    example = example_of(name)
    assert example is not None
    assert example[0] != example[1]
    assert SHIFTS.load(name).group


def test_which_rewrites_change_most_items_of_a_task_they_are_made_for() -> None:
    made = {
        "word-problems": ["other-names", "other-things", "reworded", "irrelevant", "edited-numbers"],
        "addition": ["reworded", "edited-numbers"],
        "coin-flip": ["reworded", "negated", "reordered", "option-order", "irrelevant"],
        "multi-hop": ["reworded", "reordered", "overlap", "option-order"],
        "world-problems": ["other-things", "reworded", "reordered", "edited-numbers"],
        "world-programs": ["edited-numbers"],
    }
    for task, names in made.items():
        for name in names:
            items = taken(name, task)
            assert items is not None
            assert sum(item.id != item.twin for item in items) >= 0.7 * COUNT, (task, name)
