"""The records of a finished cell, checked, under the columns of today."""

from __future__ import annotations

import hashlib

import polars as pl

from onset.errors import Damaged
from onset.results.cell import AGAIN, DONE, RECORDS, finished
from onset.results.files import Files
from onset.results.format import ADDED, ADDED_TO_CALLS, RECORD_SCHEMA


def read_records(cell: Files) -> pl.DataFrame:
    """The records of a finished cell, checked against ``done.json``. Raises Damaged, with the remedy."""
    try:
        return _records(cell)
    except Damaged as error:
        raise Damaged(error.name, error.why, AGAIN) from error


def _records(cell: Files) -> pl.DataFrame:
    path = cell.name(RECORDS)
    expected, digest = finished(cell)
    try:
        data = cell.get(RECORDS)
    except OSError as error:
        raise Damaged(path, f"it cannot be read ({error.strerror or error})") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise Damaged(path, f"its SHA-256 is not the one in {DONE}")
    try:
        records = pl.read_parquet(data)
    except pl.exceptions.PolarsError as error:
        raise Damaged(path, "not a parquet file") from error
    schema = records.schema  # made anew each time that it is asked for
    if added := [name for name in ADDED if name not in schema]:
        records = records.with_columns(pl.lit(None, RECORD_SCHEMA[name]).alias(name) for name in added)
    if isinstance(held := schema.get("calls"), pl.List) and isinstance(held.inner, pl.Struct):
        records = records.with_columns(_widened(held.inner))
    schema = records.schema
    wrong = [name for name, kind in RECORD_SCHEMA.items() if schema.get(name) != kind]
    if wrong:
        raise Damaged(path, f"column '{wrong[0]}' is missing or of another type")
    if len(records) != expected:
        raise Damaged(path, f"{len(records)} records, {DONE} says {expected}")
    if records["item"].n_unique() < len(records):
        repeated = records.filter(pl.col("item").is_duplicated())
        raise Damaged(path, f"item {repeated['item'][0]} appears more than once")
    return records


def _widened(held: pl.Struct) -> pl.Expr:
    """The calls of records; earlier ones lack `ADDED_TO_CALLS`: null there."""
    there, every = {field.name for field in held.fields}, RECORD_SCHEMA["calls"].inner.fields
    missing = [one for one in every if one.name not in there and one.name in ADDED_TO_CALLS]
    if not missing:
        return pl.col("calls")
    kept = [pl.element().struct.field(one.name) for one in held.fields]
    return pl.col("calls").list.eval(pl.struct([*kept, *(pl.lit(None, one.dtype).alias(one.name) for one in missing)]))
