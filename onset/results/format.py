"""Results folders of earlier formats: what reads them, and the named steps that bring them up to date.

`MIGRATIONS` holds one function for each step, in order. A step may be stopped at any instant and taken again: each
cell's folder is changed by one rename, and ``study.json`` names the new format only when all is done. Commands that
only read (`onset show`, `report`, `compare` ...) change nothing: they read every format of `READS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from onset.errors import StoreError
from onset.records import content_hash
from onset.results.files import read_json, remove_folder, write_json, writing
from onset.study.grid import Cell

FORMAT = 2
"""The format that is written."""

READS = (1, 2)
"""The formats that are read."""


def check_format(held: Any, folder: Path) -> int:
    """The format of a results folder, from its ``study.json``. Raises StoreError for one that is not read."""
    if held not in READS or isinstance(held, bool):
        known = " and ".join(map(str, READS))
        raise StoreError(
            f"results folder {folder} has format {held}; this Onset reads {known}: use the version that wrote it"
        )
    return int(held)


def migrate(folder: Path, held: int, cells: Sequence[Cell]) -> None:
    """Take a results folder from format ``held`` to `FORMAT`, for all that belongs to ``cells``.

    What belongs to none of them stays as it is, and is found when a later study names it again.
    """
    for step in MIGRATIONS[held - 1 :]:
        step(folder, cells)


def leave_unset_options_out_of_ids(folder: Path, cells: Sequence[Cell]) -> None:
    """From format 1 to 2: ids hold what is set alone; in format 1 they held every option, unset ones as null.

    Finished cells and tuned weights get their new names. A cell that was begun and not finished starts over: what
    format 2 knows of it was not written.
    """
    for cell in cells:
        old = _ids_of_format_1(cell)
        if old is None:
            continue
        old_id, old_tuned = old
        if old_tuned is not None and cell.tuned is not None:
            _rename(folder / "tuned" / old_tuned, folder / "tuned" / cell.tuned)
        place = folder / "cells" / old_id
        if not place.is_dir():
            continue
        if (place / "done.json").exists():
            path = place / "cell.json"
            facts = {"id": cell.id, "tuned": cell.tuned, "method_spec": cell.method.spec()}
            write_json(path, {**read_json(path), **facts})
            _rename(place, folder / "cells" / cell.id)
        else:
            remove_folder(place)


MIGRATIONS: tuple[Callable[[Path, Sequence[Cell]], None], ...] = (leave_unset_options_out_of_ids,)
"""The step at place i takes a folder from format i + 1 to i + 2."""

_METHOD_1 = ("prompt", "shots", "vote", "tune", "on", "steps", "learning_rate")
_SCHEDULE_1 = ("steps", "batch_size", "learning_rate", "warmup", "weight_decay", "clip", "max_length")


def _ids_of_format_1(cell: Cell) -> tuple[str, str | None] | None:
    """The ids of the cell and of its tuned model in format 1; None where it has an option that was not there."""
    spec, schedule = cell.method.spec(), asdict(cell.method.schedule())
    if not cell.said.keys() <= _SAID_1 or not spec.keys() <= set(_METHOD_1) or not schedule.keys() <= set(_SCHEDULE_1):
        return None
    shared: Mapping[str, Any] = {
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
    recipe = {"tune": cell.method.tune, "on": cell.method.on}
    return content_hash({**shared, **own}), content_hash({**shared, "method": recipe}) if cell.tuned else None


_SAID_1 = {
    *("model", "stage", "method", "labels", "task", "task_hash", "seed", "device", "dtype", "batch_tokens"),
    *("schedule", "name", "items", "shift", "chunk", "continuous"),
}


def _rename(old: Path, new: Path) -> None:
    if not old.is_dir():
        return
    with writing(old):
        if new.exists():
            remove_folder(old)
        else:
            old.rename(new)
