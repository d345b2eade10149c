"""One cell's files in a results folder."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import polars as pl

from onset.errors import Damaged, StoreError
from onset.records import Record, canonical_json
from onset.results.files import Files, get, get_json, put_json, set_aside
from onset.results.format import RECORD_SCHEMA
from onset.results.sealed import FORMAT, seal, seal_lines, unseal_lines

CELL, DONE, FAILED, TIMING = "cell.json", "done.json", "failed.json", "timing.json"
PREPARED, SOURCE, RECORDS, CHUNKS = "prepared.json", "source.json", "records.parquet", "records"

WHEREABOUTS = ("model_spec", "task_source")
"""Facts of a cell that may differ from run to run: they name places, and content is checked by hash."""

AGAIN = "run the study again: it is set aside, and this cell alone is measured again"
"""The remedy for a damaged file of a cell."""

NO_TIME = "run the study again: it is set aside, and the times of this cell are then not known"
"""The remedy for a damaged file of times."""


class CellFolder:
    """One cell's ``files``. ``note`` is told of what is set aside."""

    def __init__(self, files: Files, cell_id: str, note: Callable[[str], None]) -> None:
        self.files = files
        self.id = cell_id
        self._note = note

    @property
    def folder(self) -> str:
        """What it is called in messages."""
        return self.files.name()

    @property
    def begun(self) -> bool:
        """Is it known what the cell is measured with?"""
        return self.files.exists(CELL)

    @property
    def done(self) -> bool:
        """Is the cell finished?"""
        return self.files.exists(DONE)

    def facts(self) -> dict[str, Any]:
        """The content of ``cell.json``. Raises Damaged, with the remedy, for one that is."""
        held = self._json(CELL)
        if not {"facts", "ledger"} <= held.keys():
            raise Damaged(self.files.name(CELL), "expected the cell's facts", AGAIN)
        check_own(self.files, CELL, held.get("id"), self.id)
        return held

    def settle(self) -> bool:
        """`done`, after removing what a crash within `finish` left behind, and setting aside what is damaged."""
        if self.done:
            self._mend()
        if not self.done:
            self._mend_begun()
            return False
        self.files.remove_folder(CHUNKS)
        return True

    def _mend(self) -> None:
        """Set aside what is damaged of a finished cell; but for its times, it is not finished then."""
        try:
            if self.files.exists(TIMING):
                get_json(self.files, TIMING)
        except Damaged as error:
            self._note(f"{error}; set aside as {set_aside(self.files, TIMING)}; the times of cell {self.id} are lost")
        try:
            _, digest = finished(self.files, self.id)
            self.facts()
            for name in (PREPARED, SOURCE):
                if self.files.exists(name):
                    self._json(name)
            check_digest(self.files, digest)
        except Damaged as error:
            name = next(one for one in (DONE, CELL, PREPARED, SOURCE, RECORDS) if self.files.name(one) == error.name)
            if name != DONE:
                self.files.remove(DONE)  # first: whoever is killed from here on leaves no finished cell
            aside = (
                f"set aside as {set_aside(self.files, name)}" if self.files.exists(name) else "nothing is left of it"
            )
            self._note(f"damaged file {error.name}: {error.why}; {aside}, cell {self.id} is measured again")
            self.restart()

    def _mend_begun(self) -> None:
        """Set aside the damaged facts of a cell that was begun: nobody knows by what its records were measured."""
        try:
            if self.begun:
                self.facts()
        except Damaged as error:
            self._note(
                f"damaged file {error.name}: {error.why}; set aside as {set_aside(self.files, CELL)}, cell {self.id} is"
                " measured again"
            )
            self.restart()

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Write ``cell.json``; on resume, refuse a cell whose model, plan or environment changed. That it failed stays
        noted (`go_on`).

        Raises StoreError when what was measured so far was measured with something else.
        """
        if not self.done:
            self.files.remove(RECORDS)  # of a `finish` that did not come to its end
        if self.done or any(True for _ in self.files.names(CHUNKS)):
            if not self.done:
                self._mend_begun()
            held = self.facts() if self.begun else {}
            if held:
                changed = sorted(key for key in facts if held.get(key) != facts[key] and key not in WHEREABOUTS)
                if changed:
                    raise StoreError(
                        f"cell {self.id} was begun with another {', '.join(changed)};"
                        f" remove {self.folder} to compute it again"
                    )
                return
            self.restart()  # nobody knows by what they were measured
        put_json(self.files, CELL, facts)

    def committed(self, total: int, chunk: int) -> frozenset[int]:
        """The places of the first records of all chunks that are there, of ``total`` records in chunks of ``chunk``."""
        there = set()
        for first in range(0, total, chunk):
            path = _chunk(first, chunk)
            if not self.files.exists(path):
                continue
            try:
                lines = len(unseal_lines(get(self.files, path), self.files.name(path)))
                if lines == total:
                    for other in list(self.files.names(CHUNKS)):  # of a `rewrite` that did not come to its end
                        if other != path and other.endswith(".jsonl"):
                            self.files.remove(other)
                    return frozenset(range(0, total, chunk))
                if lines != min(chunk, total - first):
                    raise Damaged(self.files.name(path), f"it holds {lines} records")
            except Damaged as error:
                self._note(f"{error}; set aside as {set_aside(self.files, path)}, this chunk is measured again")
                continue
            there.add(first)
        return frozenset(there)

    def commit(self, records: Sequence[Record], first: int, chunk: int) -> None:
        """Commit the chunk that begins at the place ``first``, or all records at once: safe when this returns."""
        lines = [canonical_json(asdict(record)) for record in records]
        self.files.put(_chunk(first, chunk), seal_lines(lines))

    def outputs(self) -> list[dict[str, Any]] | None:
        """The records of a finished cell, in order; None where one does not hold what another cell reads: earlier ones
        lack log-probabilities, and an item at which the method or its vote failed has no outputs.
        """
        records = pl.read_parquet(get(self.files, RECORDS))
        if "logprobs" not in records.columns or (records["status"] == "failed").any():
            return None
        return records.to_dicts()

    def set_prepared(self, cost: Mapping[str, Any]) -> None:
        """Keep what the method's preparation took (``prepared.json``): it is part of the cell's cost."""
        put_json(self.files, PREPARED, cost)

    def set_source(self, other: CellFolder | None) -> None:
        """Name the finished cell whose outputs are read again (``source.json``; None: the model is asked), and take
        from it how long they took, and what was prepared for them.
        """
        if other is None:
            self.files.remove(SOURCE)
            return
        put_json(self.files, SOURCE, {"cell": other.id})
        held = {name: value for name, value in other._timing().items() if name in ("seconds", "peak_bytes")}
        self._set_timing({**self._timing(), **held, **_now()})
        if other.files.exists(PREPARED):
            self.set_prepared(other._json(PREPARED))

    def finish(
        self, total: int, conclude: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None = None
    ) -> None:
        """Compact the records to parquet and mark the cell done. ``conclude``: a last word on all of them."""
        rows = self._rows()
        if len(rows) != total:
            raise StoreError(f"cell {self.id}: {len(rows)} records on disk, {total} expected; remove {self.folder}")
        rows = rows if conclude is None else conclude(rows)
        packed = io.BytesIO()
        frame = pl.DataFrame(rows, schema=RECORD_SCHEMA, orient="row")
        frame.write_parquet(packed, compression="zstd", metadata={"onset.format": str(FORMAT)})
        data = packed.getvalue()
        done = seal({"cell": self.id, "records": total, "sha256": hashlib.sha256(data).hexdigest()})
        self.files.put_all({RECORDS: data, DONE: done})
        self.files.remove_folder(CHUNKS)

    @property
    def failed(self) -> bool:
        """Did an earlier run note that it failed?"""
        return self.files.exists(FAILED)

    def rows(self) -> list[dict[str, Any]]:
        """The records, in order: all of a finished cell, else those that are committed."""
        return pl.read_parquet(get(self.files, RECORDS)).to_dicts() if self.done else self._rows()

    def failures(self) -> int:
        """At how many items of the finished cell the method raised an error."""
        held = pl.read_parquet(get(self.files, RECORDS), columns=["status"])
        return int((held["status"] == "failed").sum())

    def rewrite(self, records: Sequence[Record], chunk: int) -> None:
        """Commit all records anew, in chunks of ``chunk``; a finished cell is open again then. A crash before leaves it
        as it was.
        """
        for first in reversed(range(0, len(records), chunk)):  # the first file may hold all of them, and goes last
            self.commit(records[first : first + chunk], first, chunk)
        self.files.remove(DONE)

    def cut(self, records: Sequence[Record], chunk: int) -> None:
        """Commit ``records``, all of the cell, in chunks of ``chunk`` where they were committed in one file."""
        last = (len(records) - 1) // chunk * chunk
        if not self.files.exists(_chunk(last, chunk)):
            self.rewrite(records, chunk)

    def go_on(self) -> None:
        """Forget that the cell failed: what failed was done again."""
        self.files.remove(FAILED)

    def restart(self) -> None:
        """Take back what was committed: the cell begins anew."""
        self.files.remove_folder(CHUNKS)

    def took(self, seconds: float | None, peak: int | None) -> None:
        """Add wall time, kept apart from the records since it differs from run to run (None: some answers came from
        where nobody measured how long they took, and the time is not known), and note the most bytes of memory held
        (None: not measured).
        """
        held = self._timing()
        if seconds is None or held["seconds"] is None:
            held["seconds"] = None
        else:
            held["seconds"] += seconds
        if peak is not None:
            held["peak_bytes"] = max(peak, int(held.get("peak_bytes") or 0))
        self._set_timing({**held, **_now()})

    def set_tuning_time(self, seconds: float, peak: int | None) -> None:
        """Note how long its tuning took, and the most memory that it held (bytes; None: not measured)."""
        self._set_timing({**self._timing(), "tuning_seconds": seconds, "tuning_peak_bytes": peak})

    def set_search_time(self, seconds: float) -> None:
        """Note how long the trials of its search took."""
        self._set_timing({**self._timing(), "search_seconds": seconds})

    def fail(self, message: str) -> None:
        """Note that the cell failed and why, in one line; a finished cell stays as it is."""
        if not self.done:
            put_json(self.files, FAILED, {"error": " ".join(message.split())})

    def _timing(self) -> dict[str, Any]:
        new = {"seconds": 0.0, "tuning_seconds": 0.0}
        if not self.files.exists(TIMING):
            return new
        try:
            return get_json(self.files, TIMING)
        except Damaged as error:
            self._note(f"{error}; set aside as {set_aside(self.files, TIMING)}; the times of cell {self.id} are lost")
            return {**new, "seconds": None}

    def _set_timing(self, held: Mapping[str, Any]) -> None:
        put_json(self.files, TIMING, held)

    def _rows(self) -> list[dict[str, Any]]:
        """The committed records, in order."""
        rows = []
        for path in sorted(self.files.names(CHUNKS)):
            if path.endswith(".jsonl"):
                rows += [json.loads(one) for one in unseal_lines(get(self.files, path), self.files.name(path))]
        return rows

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return get_json(self.files, name)
        except Damaged as error:
            raise Damaged(error.name, error.why, AGAIN) from error


def finished(files: Files, cell: str) -> tuple[int, str]:
    """How many records the finished ``cell`` has, and the SHA-256 of their file. Raises Damaged, also where the file is
    another cell's (earlier ones do not say whose they are).
    """
    held = get_json(files, DONE)
    for key in ("records", "sha256"):
        if key not in held:
            raise Damaged(files.name(DONE), f"no key '{key}'")
    check_own(files, DONE, held.get("cell"), cell)
    return int(held["records"]), str(held["sha256"])


def check_own(files: Files, name: str, said: Any, cell: str) -> None:
    """Raises Damaged, with the remedy, where the file ``name`` says that it is of another cell (None: it does not say
    of which).
    """
    if said not in (None, cell):
        raise Damaged(files.name(name), f"it is that of cell {said}", AGAIN)


def check_digest(files: Files, digest: str) -> None:
    """Raises Damaged where ``records.parquet`` is not there, or not the file that ``done.json`` was written for."""
    try:
        found = files.digest(RECORDS)
    except FileNotFoundError:
        raise Damaged(files.name(RECORDS), "it is missing", AGAIN) from None
    if found != digest:
        raise Damaged(files.name(RECORDS), "its SHA-256 is not the one in done.json", AGAIN)


def _chunk(first: int, chunk: int) -> str:
    return f"{CHUNKS}/{first // chunk:05d}.jsonl"


def _now() -> dict[str, str]:
    return {"finished": datetime.now(UTC).isoformat(timespec="seconds")}
