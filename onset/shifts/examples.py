"""A shift shown on a small item, before and after: for lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from onset.prompting.text import render
from onset.records import Item
from onset.shifts import SHIFTS
from onset.shifts.base import AnyShift, Perturbed, Shift
from onset.step import read_step
from onset.tasks import open_task
from onset.tasks.base import Task

_SHORT: Mapping[str, Mapping[str, Any]] = {"word-problems": {"steps": 2}, "addition": {"digits": 1}}
_DEMOS = 3


def example_of(name: str) -> tuple[str, str] | None:
    """An item, or a prompt, before and after the shift called ``name`` with its default settings; None where it has no
    such, or settings that are needed. Generates a few items; reads no data.
    """
    kind: type[AnyShift] = SHIFTS.load(name)
    if kind.example is None or name == "none":
        return None
    shift: AnyShift = read_step(SHIFTS, name, f"shift '{name}'")
    if isinstance(shift, Perturbed):
        return _of_prompt(shift)
    text = str(kind.example)  # of a task, or an item itself
    task = replace(_task("addition"), test=(Item(text, "12"),)) if " " in text else _task(text)
    if isinstance(shift, Shift):
        pairs = zip(task.test, shift.items(task), strict=True)
        changed = [(_told(clean), _told(after)) for clean, after in pairs if clean.id != after.id]
        return min(changed, key=lambda pair: len(pair[0]), default=None)
    return _told(task.test[0]), _told(shift.items(task)[0])


def _told(item: Item) -> str:
    """Context, question, options and answer in a line."""
    options = f" ({'; '.join(item.choices)})" if item.choices else ""
    return f"{f'{item.context} ' if item.context else ''}{item.question}{options} [{item.answer}]"


def _of_prompt(shift: Perturbed) -> tuple[str, str]:
    task = replace(_task("addition"), instruction="Work it out.") if shift.needs_demonstrations else _task("addition")
    demos, asked = task.pool[:_DEMOS], task.test[0]
    before = render(task, demos, asked, rationale=False)
    return _line(before), _line(render(shift.asked(task), shift.demos(demos, 0), asked, rationale=False))


def _line(prompt: str) -> str:
    return " ".join(prompt.split())


@lru_cache(maxsize=4)
def _task(name: str) -> Task:
    return open_task({"name": name, "pool": 8, "test": 12, **_SHORT.get(name, {})})
