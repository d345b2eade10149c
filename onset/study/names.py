"""What the cells of a study are called in its results folder, now and in earlier formats of it.

Nothing here may change: `tests/results/test_migration.py` holds a folder of each format.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from onset.records import content_hash
from onset.results.format import Names
from onset.study.cell import Cell


def names(cell: Cell) -> Names:
    """The names of ``cell``."""
    old = _ids_of_format_1(cell)
    return Names(cell.id, cell.tuned, cell.method.spec(), {} if old is None else {1: old})


_METHOD_1 = ("prompt", "shots", "vote", "tune", "on", "steps", "learning_rate")
_SCHEDULE_1 = ("steps", "batch_size", "learning_rate", "warmup", "weight_decay", "clip", "max_length")
_SAID_1 = {
    *("model", "stage", "method", "labels", "task", "task_hash", "seed", "device", "dtype", "batch_tokens"),
    *("schedule", "name", "items", "shift", "chunk", "continuous"),
}


def _ids_of_format_1(cell: Cell) -> tuple[str, str | None] | None:
    """The ids of the cell and of its tuned model in format 1; None where it has an option that was not there."""
    spec, schedule = cell.method.spec(), asdict(cell.method.schedule())
    if not cell.said.keys() <= _SAID_1 or not spec.keys() <= set(_METHOD_1) or not schedule.keys() <= set(_SCHEDULE_1):
        return None
    shared: dict[str, Any] = {
        "model": cell.model,
        "stage": cell.stage,
        "method": {key: spec.get(key) for key in _METHOD_1},
        "labels": cell.labels,
        "task": cell.task,
        "task_hash": cell.task_hash,
        "seed": cell.seed,
        "compute": list(cell.compute),
        "schedule": None if cell.method.tune is None else schedule,
    }
    own = {
        "name": cell.method.name,
        "items": cell.items_hash,
        "shift": cell.shift,
        "chunk": cell.chunk,
        "continuous": cell.continuous,
    }
    recipe = {"tune": spec.get("tune"), "on": spec.get("on")}
    return content_hash({**shared, **own}), content_hash({**shared, "method": recipe}) if cell.tuned else None
