"""Writing Onset's results in the formats that others read.

A run is what a harness would call one: one model asked in one way (method, labels, shift, stage, seed) on some tasks.
Each becomes a folder of its own, so that what tells runs apart is never lost: its name is in the path, its parts are
fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from onset.errors import StoreError
from onset.registry import Entry, Registry
from onset.results.files import Place, as_files, write_bytes, writing
from onset.results.read import Results, finished_at, load

WRITERS = Registry(
    "export format",
    {
        "lm-eval": Entry("onset.write.lm_eval:write", "results_*.json and samples_*.jsonl of lm-evaluation-harness"),
        "every-eval-ever": Entry(
            "onset.write.every_eval_ever:write", "aggregate and instance files, every_eval_ever 0.3.0"
        ),
    },
)
_AXES = ("model", "stage", "method", "labels", "shift", "seed")


@dataclass(frozen=True)
class ExportRun:
    """One run: ``cells`` (rows of the table of cells, a task each) with their ``records`` (rows of dictionaries), and
    ``finished``, when the last of them was.
    """

    study: str
    model: str
    stage: str
    method: str
    labels: int
    shift: str
    seed: int
    cells: tuple[Mapping[str, Any], ...]
    records: tuple[Sequence[Mapping[str, Any]], ...]
    finished: datetime

    @property
    def setting(self) -> dict[str, Any]:
        """How the model was asked, as fields."""
        return {name: getattr(self, name) for name in _AXES[1:]}

    @property
    def name(self) -> str:
        """``ladder/r2__cot__8-labels__seed-0``, with shift and stage where there are any."""
        parts = [self.model, self.method, f"{self.labels}-labels"]
        parts += [f"shift-{self.shift}"] if self.shift != "none" else []
        parts += [f"stage-{self.stage}"] if self.stage != "base" else []
        return "__".join([*parts, f"seed-{self.seed}"])


def export(folder: Place, out: Path, format: str) -> list[Path]:
    """Write the finished cells of the results folder ``folder`` to ``out`` in a format of `WRITERS`.

    Returns the files, in order. Raises UnknownName for another format, StoreError for a folder that is no results
    folder or holds nothing finished, and for an ``out`` that is not empty or cannot be written.
    """
    write: Callable[[Sequence[ExportRun]], Iterable[tuple[Path, bytes]]] = WRITERS.load(format)
    results = load(folder)
    if not len(results.cells):
        raise StoreError(f"{as_files(folder).name()}: no cell is finished, so there is nothing to export")
    with writing(out, "export to another folder"):
        if out.exists() and not out.is_dir():
            raise StoreError(f"{out} is a file; export to a folder")
        if out.exists() and any(out.iterdir()):
            raise StoreError(f"folder {out} is not empty; export to another one")
    written = []
    for place, content in write(runs(folder, results)):
        path = out / place
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
        written.append(path)
    return written


def runs(folder: Place, results: Results) -> list[ExportRun]:
    """The runs of a results folder, in order of first appearance."""
    tables = results.records.partition_by("cell", as_dict=True, maintain_order=True)
    out = []
    for key, group in results.cells.filter(pl.col("n") > 0).group_by(_AXES, maintain_order=True):
        cells = group.to_dicts()
        out.append(
            ExportRun(
                study=str(results.study.get("name")),
                **dict(zip(_AXES, key, strict=True)),
                cells=tuple(cells),
                records=tuple(tables[cell["cell"],].to_dicts() for cell in cells),
                finished=finished_at(folder, [cell["cell"] for cell in cells]),
            )
        )
    return out


def own_version() -> str:
    """The version of Onset that writes."""
    try:
        return version("lm-onset")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"


def json_bytes(value: Any) -> bytes:
    """Indented JSON."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def lines_bytes(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows).encode()
