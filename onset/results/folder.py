"""A results folder: written so that a crash at any instant loses at most the chunk in flight.

Layout and formats are in docs/notes/formats.md. Records are appended to ``records.jsonl`` in whole
chunks; what a crash leaves of a chunk is cut away on resume and the chunk is computed again, in the
same batches, so that a resumed cell ends with the bytes of an uninterrupted one. ``done.json`` is
written last, by atomic rename.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import polars as pl

from onset.errors import StoreError
from onset.records import Record, canonical_json
from onset.results.files import lock, read_json, write_bytes, write_json, writing
from onset.results.format import FORMAT, RECORD_SCHEMA, Names, check_format, migrate
from onset.results.stages import StageFolder
from onset.results.tuned import TunedFolder

WHEREABOUTS = ("model_spec", "task_source")
"""Facts of a cell that may differ from run to run: they name places, and content is checked by hash."""


class Store:
    """The results folder of one study. Use as a context manager: it is locked while open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    def __enter__(self) -> Store:
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock(self.folder / ".lock")
        if self._lock is None:
            raise StoreError(f"results folder {self.folder} is in use by another run; wait for it or use another")
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def claim(self, study: Mapping[str, Any], cells: Sequence[Names], version: str) -> None:
        """Make this the folder of ``study``, or check that it is.

        A folder whose study has another name is refused. The same name with other axes is an edited
        study: cells are found by their content, so what still belongs is kept and only the rest runs. A
        folder of an earlier format is brought up to date first (`onset.results.format`).
        """
        path, came_from = self.folder / "study.json", FORMAT
        if path.exists():
            held = read_json(path)
            if not isinstance(held, dict) or not isinstance(held.get("study"), dict):
                raise StoreError(f"damaged file {path}: expected the study's keys")
            name = held["study"].get("name")
            if name != study["name"]:
                raise StoreError(
                    f"results folder {self.folder} holds study '{name}', not '{study['name']}'; use another folder"
                )
            came_from = min(check_format(held.get("format"), self.folder), held.get("came_from", FORMAT))
            migrate(self.folder, came_from, cells)
        elif any(one.name != ".lock" for one in self.folder.iterdir()):
            raise StoreError(f"folder {self.folder} is not empty and holds no study; use another folder")
        content = {"format": FORMAT, "onset": version, "study": dict(study), "cells": [cell.id for cell in cells]}
        if came_from < FORMAT:  # what belongs to no cell of this study still has its old name
            content["came_from"] = came_from
        if not path.exists() or read_json(path) != content:
            write_json(path, content)

    def cell(self, cell_id: str) -> CellFolder:
        """The folder of one cell (made when it begins)."""
        return CellFolder(self.folder / "cells" / cell_id)

    def tuned(self, tuned_id: str) -> TunedFolder:
        """Where the weights of a tuned model live."""
        return TunedFolder(self.folder / "tuned" / tuned_id)

    def stage(self, made_id: str) -> StageFolder:
        """Where it is kept what a stage of training took."""
        return StageFolder(self.folder / "stages" / made_id)

    def models(self) -> dict[str, dict[str, str]]:
        """What is known of each model's files, by label. Raises StoreError, with the remedy, for a damaged file."""
        path = self.folder / "models.json"
        held = read_json(path) if path.exists() else {}
        if not isinstance(held, dict):
            raise StoreError(f"damaged file {path}: expected the models' labels; remove it")
        return held

    def note_model(self, label: str, entry: Mapping[str, str]) -> None:
        """Keep what is known of the files of the model ``label``."""
        known = self.models()
        if known.get(label) != entry:
            write_json(self.folder / "models.json", {**known, label: dict(entry)})


class CellFolder:
    """One cell's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def begun(self) -> bool:
        """Is it known what the cell is measured with?"""
        return (self.folder / "cell.json").exists()

    @property
    def done(self) -> bool:
        """Is the cell finished?"""
        return (self.folder / "done.json").exists()

    def facts(self) -> dict[str, Any]:
        """The content of ``cell.json``. Raises StoreError, with the remedy, for a damaged one."""
        path = self.folder / "cell.json"
        remedy = f"remove the folder {self.folder} and run the study again"
        try:
            held = read_json(path)
        except StoreError as error:
            raise StoreError(f"{error}; {remedy}") from error
        if not isinstance(held, dict) or not {"facts", "ledger"} <= held.keys():
            raise StoreError(f"damaged file {path}: expected the cell's facts; {remedy}")
        return held

    def settle(self) -> bool:
        """`done`, after removing what a crash between the last two steps of `finish` left behind."""
        if self.done:
            with writing(self.folder):
                (self.folder / "records.jsonl").unlink(missing_ok=True)
        return self.done

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Write ``cell.json``; on resume, refuse a cell whose model, plan or environment changed.

        Raises StoreError when what was measured so far was measured with something else.
        """
        path = self.folder / "cell.json"
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "failed.json").unlink(missing_ok=True)
        if path.exists() and (self.folder / "records.jsonl").exists():
            held = self.facts()
            changed = sorted(key for key in facts if held.get(key) != facts[key] and key not in WHEREABOUTS)
            if changed:
                raise StoreError(
                    f"cell {self.folder.name} was begun with another {', '.join(changed)};"
                    f" remove {self.folder} to compute it again"
                )
            return
        write_json(path, dict(facts))

    def committed(self, total: int, chunk: int) -> int:
        """How many records are safely on disk: whole chunks only. What a crash left behind them is cut."""
        path = self.folder / "records.jsonl"
        if not path.exists():
            return 0
        with writing(path), open(path, "r+b") as file:
            ends, position = [0], 0
            for line in file:
                if not line.endswith(b"\n"):
                    break
                position += len(line)
                ends.append(position)
            whole = len(ends) - 1
            keep = whole if whole == total else whole - whole % chunk
            if keep < whole or position != os.fstat(file.fileno()).st_size:
                file.truncate(ends[keep])
                os.fsync(file.fileno())
        return keep

    def append(self, records: Sequence[Record]) -> None:
        """Commit one chunk: flushed and synced before it returns."""
        path = self.folder / "records.jsonl"
        lines = "".join(canonical_json(asdict(record)) + "\n" for record in records)
        with writing(path), open(path, "ab") as file:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())

    def outputs(self) -> list[dict[str, Any]] | None:
        """The records of a finished cell, in order; None where one does not hold what another cell reads: earlier ones
        lack log-probabilities, and an item at which the method or its vote failed has no outputs.
        """
        records = pl.read_parquet(self.folder / "records.parquet")
        if "logprobs" not in records.columns or (records["status"] == "failed").any():
            return None
        return records.to_dicts()

    def set_prepared(self, cost: Mapping[str, Any]) -> None:
        """Keep what the method's preparation took (``prepared.json``): it is part of the cell's cost."""
        write_json(self.folder / "prepared.json", dict(cost))

    def set_source(self, other: CellFolder | None) -> None:
        """Name the finished cell whose outputs are read again (``source.json``; None: the model is asked), and take
        from it how long they took, and what was prepared for them.
        """
        path = self.folder / "source.json"
        if other is None:
            with writing(path):
                path.unlink(missing_ok=True)
            return
        write_json(path, {"cell": other.folder.name})
        held = {name: value for name, value in other._timing().items() if name in ("seconds", "peak_bytes")}
        write_json(self.folder / "timing.json", {**self._timing(), **held})
        if (prepared := other.folder / "prepared.json").exists():
            self.set_prepared(read_json(prepared))

    def finish(
        self, total: int, conclude: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None = None
    ) -> None:
        """Compact the records to parquet and mark the cell done. ``conclude``: a last word on all of them."""
        source, target = self.folder / "records.jsonl", self.folder / "records.parquet"
        with open(source, "rb") as file:  # text mode would also split at U+2028 inside an output
            rows = [json.loads(line) for line in file]
        if len(rows) != total:
            raise StoreError(
                f"cell {self.folder.name}: {len(rows)} records on disk, {total} expected; remove {self.folder}"
            )
        rows = rows if conclude is None else conclude(rows)
        packed = io.BytesIO()
        pl.DataFrame(rows, schema=RECORD_SCHEMA, orient="row").write_parquet(packed, compression="zstd")
        write_bytes(target, packed.getvalue())
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        write_json(self.folder / "done.json", {"records": total, "sha256": digest})
        with writing(source):
            source.unlink()

    def cause_of_all(self) -> str | None:
        """Why the first item failed, where every committed one did; else None."""
        first = None
        with open(self.folder / "records.jsonl", "rb") as file:
            for line in file:
                record = json.loads(line)
                if record["status"] != "failed":
                    return None
                first = first or str(record["cause"])
        return first

    def restart(self) -> None:
        """Take back what was committed: the cell begins anew."""
        with writing(self.folder):
            (self.folder / "records.jsonl").unlink(missing_ok=True)

    def add_time(self, seconds: float) -> None:
        """Add wall time, kept apart from the records: it differs from run to run."""
        held = self._timing()
        if held["seconds"] is not None:
            write_json(self.folder / "timing.json", {**held, "seconds": held["seconds"] + seconds})

    def forget_time(self) -> None:
        """Some of its answers came from where nobody measured how long they took: the wall time is not known."""
        write_json(self.folder / "timing.json", {**self._timing(), "seconds": None})

    def add_peak(self, size: int) -> None:
        """Note that asking held so many bytes of memory at most: the most of all its runs is kept."""
        held = self._timing()
        write_json(self.folder / "timing.json", {**held, "peak_bytes": max(size, int(held.get("peak_bytes") or 0))})

    def set_tuning_time(self, seconds: float, peak: int | None) -> None:
        """Note how long its tuning took, and the most memory that it held (bytes; None: not measured)."""
        write_json(
            self.folder / "timing.json", {**self._timing(), "tuning_seconds": seconds, "tuning_peak_bytes": peak}
        )

    def set_search_time(self, seconds: float) -> None:
        """Note how long the trials of its search took."""
        write_json(self.folder / "timing.json", {**self._timing(), "search_seconds": seconds})

    def _timing(self) -> dict[str, float | None]:
        path = self.folder / "timing.json"
        held: dict[str, float | None] = read_json(path) if path.exists() else {"seconds": 0.0, "tuning_seconds": 0.0}
        return held

    def fail(self, message: str) -> None:
        """Note that the cell failed and why, in one line."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "failed.json", {"error": " ".join(message.split())})
