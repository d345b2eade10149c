"""The records of finished cells, checked, under the columns of today."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import numpy as np
import polars as pl

from onset.errors import Damaged, StoreError
from onset.results.cell import AGAIN, DONE, RECORDS, finished
from onset.results.files import Files, Place, as_files
from onset.results.format import ADDED, ADDED_TO_CALLS, RECORD_SCHEMA
from onset.results.shared import AT_ONCE, Shared, shared_of

PROMPT = "prompt"


def read_records(cells: Sequence[tuple[Files, str]]) -> list[pl.DataFrame]:
    """The records of each finished cell (its files, its id), checked against its ``done.json``. Raises Damaged, with
    the remedy, for the first that is.
    """
    held = [_checked(_data, files, cell) for files, cell in cells]
    if (together := _together(held)) is not None:
        return together
    return [_checked(_records, files, *one) for (files, _), one in zip(cells, held, strict=True)]


_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def _checked(read: Callable[_Given, _Made], *args: _Given.args, **kwargs: _Given.kwargs) -> _Made:
    """What ``read`` gives, damage with its remedy."""
    try:
        return read(*args, **kwargs)
    except Damaged as error:
        raise Damaged(error.name, error.why, AGAIN) from error


def _together(held: Sequence[tuple[bytes, int]]) -> list[pl.DataFrame] | None:
    """The records of files (their bytes, and how many each should hold) that are all as those of today, read at once,
    since small files take most of their time one by one; None where one is not, or does not hold what it should.
    """
    if len(held) < 2 or not all(count for _, count in held):
        return None
    parts = _apart(held)
    if parts is None or parts[0].columns != _COLUMNS or _unlike(parts[0]):
        return None
    return None if any(one["item"].n_unique() < len(one) for one in parts) else parts


def _apart(held: Sequence[tuple[bytes, int]], columns: list[str] | None = None) -> list[pl.DataFrame] | None:
    """The ``columns`` (None: all) of each of several files, read as one table; None where that cannot be, or where it
    is not as long as they should be together.
    """
    try:
        table = pl.read_parquet([data for data, _ in held], columns=columns)
    except pl.exceptions.PolarsError:
        return None
    ends = np.cumsum([count for _, count in held]).tolist()
    if len(table) != ends[-1]:
        return None
    return [table[end - count : end] for (_, count), end in zip(held, ends, strict=True)]


class Gathered:
    """The records of cells, one after the other. Without ``prompts`` the table has no column ``prompt``, nor has a call
    in ``calls`` one: what costs need of them is in ``shared`` then, by cell (None: the table has them).
    """

    def __init__(self, *, prompts: bool) -> None:
        self.shared: dict[str, Shared] | None = None if prompts else {}
        self._left: list[tuple[str, pl.DataFrame]] = []
        self._tables: list[pl.DataFrame] = []

    def add(self, cell: str, records: pl.DataFrame) -> None:
        """Add what `read_records` gave."""
        self._left.append((cell, records))
        if len(self._left) == AT_ONCE:
            self._lay()

    def table(self) -> pl.DataFrame:
        """Column ``cell`` and the fields of a record; nothing is kept here.

        Every column lies in one piece: polars copies those that do not whenever some are selected. Column by column,
        so that no more than one is there twice.
        """
        self._lay()
        empty = pl.DataFrame(schema={"cell": pl.String, **RECORD_SCHEMA})
        tables, self._tables = [self._kept(empty), *self._tables], []
        names = tables[0].columns
        return pl.DataFrame([pl.concat([one.drop_in_place(name) for one in tables], rechunk=True) for name in names])

    def _lay(self) -> None:
        """Lay the cells that are left behind the others: of so many at once the prompts are held."""
        if not self._left:
            return
        table = pl.concat([records for _, records in self._left])
        cells = np.repeat(np.arange(len(self._left)), [len(records) for _, records in self._left])
        table.insert_column(0, pl.Series("cell", [cell for cell, _ in self._left]).gather(cells))
        if self.shared is not None:
            self.shared |= shared_of(table)
        self._tables.append(self._kept(table))
        self._left = []

    def _kept(self, table: pl.DataFrame) -> pl.DataFrame:
        if self.shared is None:
            return table
        kept = [one.name for one in RECORD_SCHEMA["calls"].inner.fields if one.name != PROMPT]
        calls = pl.col("calls").list.eval(pl.struct([pl.element().struct.field(name) for name in kept]))
        return table.drop(PROMPT).with_columns(calls)


class Prompts:
    """The prompts of a results folder's finished cells, read when they are wanted."""

    def __init__(self, folder: Place) -> None:
        self._files = as_files(folder).to_read(lambda path: path.endswith((f"/{DONE}", f"/{RECORDS}")))

    def of(self, cells: Sequence[tuple[str, pl.Series]]) -> list[pl.Series]:
        """Those of the records of each cell (its id), whose items they are expected to be, in order. Raises Damaged,
        and StoreError where a cell has other records by now.
        """
        places = [self._files.at(f"cells/{cell}") for cell, _ in cells]
        data = [_checked(_data, place, cell)[0] for place, (cell, _) in zip(places, cells, strict=True)]
        held = [(one, len(items)) for one, (_, items) in zip(data, cells, strict=True)]
        columns = ["item", PROMPT]
        tables = _apart(held, columns) or [pl.read_parquet(one, columns=columns) for one in data]
        for place, table, (_, items) in zip(places, tables, cells, strict=True):
            if not table["item"].equals(items):
                raise StoreError(f"{place.name(RECORDS)} was written again while it was read: read the folder again")
        return [table[PROMPT] for table in tables]


def _data(files: Files, cell: str) -> tuple[bytes, int]:
    """The bytes of a finished cell's records, checked, and how many records they should hold."""
    path = files.name(RECORDS)
    expected, digest = finished(files, cell)
    try:
        data = files.get(RECORDS)
    except OSError as error:
        raise Damaged(path, f"it cannot be read ({error.strerror or error})") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise Damaged(path, f"its SHA-256 is not the one in {DONE}")
    return data, expected


def _records(files: Files, data: bytes, expected: int) -> pl.DataFrame:
    path = files.name(RECORDS)
    try:
        records = pl.read_parquet(data)
    except pl.exceptions.PolarsError as error:
        raise Damaged(path, "not a parquet file") from error
    if wrong := _unlike(records):
        records = _of_today(records)
        wrong = _unlike(records)
    if wrong:
        raise Damaged(path, f"column '{wrong[0]}' is missing or of another type")
    if len(records) != expected:
        raise Damaged(path, f"{len(records)} records, {DONE} says {expected}")
    if records["item"].n_unique() < len(records):
        repeated = records.filter(pl.col("item").is_duplicated())
        raise Damaged(path, f"item {repeated['item'][0]} appears more than once")
    return records if records.columns == _COLUMNS else records.select(_COLUMNS)


_COLUMNS = list(RECORD_SCHEMA)


def _unlike(records: pl.DataFrame) -> list[str]:
    """The columns that are missing, or of another type."""
    schema = records.schema  # made anew each time that it is asked for
    return [name for name, kind in RECORD_SCHEMA.items() if schema.get(name) != kind]


def _of_today(records: pl.DataFrame) -> pl.DataFrame:
    """Records of earlier, with the columns that they lack."""
    schema = records.schema
    if added := [name for name in ADDED if name not in schema]:
        records = records.with_columns(pl.lit(None, RECORD_SCHEMA[name]).alias(name) for name in added)
    held = schema.get("calls")
    if isinstance(held, pl.List) and isinstance(held.inner, pl.Struct):
        records = records.with_columns(_widened(held.inner))
    return records


def _widened(held: pl.Struct) -> pl.Expr:
    """The calls of records; earlier ones lack `ADDED_TO_CALLS`: null there."""
    there, every = {field.name for field in held.fields}, RECORD_SCHEMA["calls"].inner.fields
    missing = [one for one in every if one.name not in there and one.name in ADDED_TO_CALLS]
    if not missing:
        return pl.col("calls")
    kept = [pl.element().struct.field(one.name) for one in held.fields]
    return pl.col("calls").list.eval(pl.struct([*kept, *(pl.lit(None, one.dtype).alias(one.name) for one in missing)]))
