"""What a study may call its models, tasks and methods: words that fit into tables and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from onset.errors import StudyError
from onset.models import default_label
from onset.untrusted import name_fault, printable

if TYPE_CHECKING:
    from onset.study.spec import Study

MOST_SEEDS = 10_000
"""Draws that a study may name by their number."""


def check_names(study: Study, where: str) -> None:
    """Raises StudyError for a name that is too long for a table or that a terminal would obey."""
    for kind, name in _names(study):
        fault = name_fault(name)
        if fault is not None:
            shown = printable(name).replace("\n", "\\n").replace("\t", "\\t")
            raise StudyError(f"{where}: the name of a {kind} {fault}: '{shown[:60]}{'...' if len(shown) > 60 else ''}'")


def _names(study: Study) -> Iterator[tuple[str, str]]:
    for entry in study.models:
        yield "model", entry.label or default_label(entry.spec)
        yield from (("family", entry.family),) if entry.family else ()
        yield from (("revision", entry.revision),) if entry.revision else ()
    for task in (*study.tasks, *study.elsewhere):
        yield from _of_task(task)
    for method in study.methods:
        named = method if isinstance(method, str) else method.name
        yield from (("method", named),) if named else ()
    for shift in study.named:
        yield "shift", shift.label
    for recipe in study.recipes:
        yield "recipe", recipe


def _of_task(task: str | Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name, sets = (task, None) if isinstance(task, str) else (task.get("name"), task.get("test_sets"))
    yield from (("task", name),) if isinstance(name, str) else ()
    for one in sets if isinstance(sets, Mapping) else ():
        yield from (("test set", one),) if isinstance(one, str) else ()
