"""What is in a results folder: the format, its columns, and ``study.json``, which names the format.

Commands that only read (`onset show`, `report`, `compare` ...) change nothing: they read every format of `READS`. A run
brings a folder up to date first (`onset.results.migrations`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from onset.errors import Damaged, StoreError
from onset.results.files import Files, get
from onset.results.sealed import unseal_with_format

READS = (1, 2, 3)
"""The formats that are read."""

STUDY = "study.json"

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
    "summed": pl.List(pl.Int64),
}
"""The columns of ``records.parquet``: the fields of `onset.records.Record`, in order."""

ADDED = (
    "cause",
    "logprobs",
    "lengths",
    "scores",
    "calls",
    "detail",
    "rights",
    "thinking",
    "golds",
    "partial",
    "meta",
    "summed",
)
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


def read_study(files: Files) -> dict[str, Any]:
    """The content of ``study.json``. Raises StoreError where it is missing, Damaged where it is."""
    if not files.exists(STUDY):
        raise StoreError(f"{files.name()} is no results folder: it holds no {STUDY}")
    held, version = unseal_with_format(get(files, STUDY), files.name(STUDY))
    if version is None or not {"study", "cells"} <= held.keys():
        raise Damaged(files.name(STUDY), "expected the keys format, study and cells")
    return {"format": version, **held}


def check_format(held: Any, folder: str) -> int:
    """The format of a results folder, from its ``study.json``. Raises StoreError for one that is not read."""
    if held not in READS or isinstance(held, bool):
        known = f"{', '.join(map(str, READS[:-1]))} and {READS[-1]}"
        raise StoreError(
            f"results folder {folder} has format {held}; this Onset reads {known}: use the version that wrote it"
        )
    return int(held)
