"""What is in a results folder: the format, its columns, and the named steps that bring earlier formats up to date.

`MIGRATIONS` holds one function for each step, in order. A step may be stopped at any instant and taken again: each
cell's folder is changed by one rename, and ``study.json`` names the new format only when all is done. Commands that
only read (`onset show`, `report`, `compare` ...) change nothing: they read every format of `READS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from onset.errors import StoreError
from onset.results.files import read_json, remove_folder, write_json, writing

FORMAT = 2
"""The format that is written."""

READS = (1, 2)
"""The formats that are read."""

FINDINGS, REPORT = "findings.json", "report.html"
"""What is made of the results, in the same folder."""

RECORD_SCHEMA: dict[str, Any] = {
    "position": pl.Int64,
    "item": pl.String,
    "twin": pl.String,
    "question": pl.String,
    "gold": pl.String,
    "prompt_hash": pl.String,
    "prompt": pl.String,
    "outputs": pl.List(pl.String),
    "finishes": pl.List(pl.String),
    "answers": pl.List(pl.String),
    "answer": pl.String,
    "status": pl.String,
    "correct": pl.Boolean,
    "overlong": pl.Boolean,
    "gold_logprob": pl.Float64,
    "gold_prob": pl.Float64,
    "prompt_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "flops": pl.Float64,
    "cause": pl.String,
    "logprobs": pl.List(pl.Float64),
    "lengths": pl.List(pl.Int64),
    "scores": pl.List(pl.Float64),
    "calls": pl.List(
        pl.Struct(
            {
                "role": pl.String,
                "prompt_hash": pl.String,
                "prompt": pl.String,
                "prompt_tokens": pl.Int64,
                "output_tokens": pl.Int64,
                "n": pl.Int64,
                "texts": pl.List(pl.String),
                "model": pl.String,
                "flops": pl.Float64,
            }
        )
    ),
    "detail": pl.String,
    "rights": pl.List(pl.Boolean),
    "thinking": pl.List(pl.Int64),
    "golds": pl.List(pl.String),
    "partial": pl.Float64,
    "meta": pl.String,
}
"""The columns of ``records.parquet``: the fields of `onset.records.Record`, in order."""

ADDED = ("cause", "logprobs", "lengths", "scores", "calls", "detail", "rights", "thinking", "golds", "partial", "meta")
"""Columns that cells lack which were measured before there were such: null there (``cause`` in format 1, the others in
format 2 before methods of several calls)."""

ADDED_TO_CALLS = ("model", "flops")
"""The same of the fields of a call."""

CELL_SCHEMA: dict[str, Any] = {
    "cell": pl.String,
    "model": pl.String,
    "family": pl.String,
    "pretraining_seed": pl.Int64,
    "params": pl.Int64,
    "params_non_embedding": pl.Int64,
    "stage": pl.String,
    "method": pl.String,
    "tune": pl.String,
    "prompt": pl.String,
    "vote": pl.Int64,
    "template": pl.String,
    "method_spec": pl.String,
    "labels": pl.Int64,
    "task": pl.String,
    "ability": pl.String,
    "chance": pl.Float64,
    "shift": pl.String,
    "seed": pl.Int64,
    "n": pl.Int64,
    "correct": pl.Int64,
    "accuracy": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "parse_rate": pl.Float64,
    "truncated_rate": pl.Float64,
    "out_of_budget_rate": pl.Float64,
    "thinking_tokens": pl.Float64,
    "overlong": pl.Int64,
    "failed_items": pl.Int64,
    "gold_logprob": pl.Float64,
    "gold_prob": pl.Float64,
    "partial": pl.Float64,
    "prompt_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "tokens": pl.Int64,
    "others": pl.List(pl.Struct({"model": pl.String, "calls": pl.Int64, "tokens": pl.Int64, "flops": pl.Float64})),
    "flops_inference": pl.Float64,
    "flops_tuning": pl.Float64,
    "flops": pl.Float64,
    "seconds": pl.Float64,
    "tuning_seconds": pl.Float64,
    "select": pl.String,
    "bound": pl.Boolean,
    "flops_search": pl.Float64,
    "search_seconds": pl.Float64,
    "search": pl.String,
    "tuning_tokens": pl.Int64,
    "prepared_tokens": pl.Int64,
    "stage_tokens": pl.Int64,
    "flops_stages": pl.Float64,
    "stage_seconds": pl.Float64,
    "stored_bytes": pl.Int64,
    "peak_bytes": pl.Int64,
    "tuning_peak_bytes": pl.Int64,
    "stage_peak_bytes": pl.Int64,
    "attention": pl.Int64,
    "tuned": pl.String,
    "demonstrations": pl.Int64,
    "rationales": pl.Int64,
    "labels_used": pl.Int64,
    "plan_hash": pl.String,
    "task_hash": pl.String,
    "made": pl.String,
    "home": pl.String,
}
"""The columns of the table of cells (`onset.results.read.load`), explained in docs/notes/formats.md."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a results folder calls a cell: the ``id`` of its folder, and of the tuned weights that it needs (``tuned``;
    None: prompted).

    ``method``: what is set of its method, as ``cell.json`` holds it; ``former``: format -> both ids of that format,
    for those in which there could be such a cell.
    """

    id: str
    tuned: str | None
    method: Mapping[str, Any]
    former: Mapping[int, tuple[str, str | None]]


def check_format(held: Any, folder: Path) -> int:
    """The format of a results folder, from its ``study.json``. Raises StoreError for one that is not read."""
    if held not in READS or isinstance(held, bool):
        known = " and ".join(map(str, READS))
        raise StoreError(
            f"results folder {folder} has format {held}; this Onset reads {known}: use the version that wrote it"
        )
    return int(held)


def migrate(folder: Path, held: int, cells: Sequence[Names]) -> None:
    """Take a results folder from format ``held`` to `FORMAT`, for all that belongs to ``cells``.

    What belongs to none of them stays as it is, and is found when a later study names it again.
    """
    for step in MIGRATIONS[held - 1 :]:
        step(folder, cells)


def leave_unset_options_out_of_ids(folder: Path, cells: Sequence[Names]) -> None:
    """From format 1 to 2: ids hold what is set alone; in format 1 they held every option, unset ones as null.

    Finished cells and tuned weights get their new names. A cell that was begun and not finished starts over: what
    format 2 knows of it was not written.
    """
    for cell in cells:
        if 1 not in cell.former:
            continue
        old_id, old_tuned = cell.former[1]
        if old_tuned is not None and cell.tuned is not None:
            _rename(folder / "tuned" / old_tuned, folder / "tuned" / cell.tuned)
        place = folder / "cells" / old_id
        if not place.is_dir():
            continue
        if (place / "done.json").exists():
            path = place / "cell.json"
            facts = {"id": cell.id, "tuned": cell.tuned, "method_spec": dict(cell.method)}
            write_json(path, {**read_json(path), **facts})
            _rename(place, folder / "cells" / cell.id)
        else:
            remove_folder(place)


MIGRATIONS: tuple[Callable[[Path, Sequence[Names]], None], ...] = (leave_unset_options_out_of_ids,)
"""The step at place i takes a folder from format i + 1 to i + 2."""


def _rename(old: Path, new: Path) -> None:
    if not old.is_dir():
        return
    with writing(old):
        if new.exists():
            remove_folder(old)
        else:
            old.rename(new)
