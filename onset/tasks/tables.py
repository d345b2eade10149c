"""Rows of a table in whatever format a person has them: JSON lines, JSON, CSV, TSV, Parquet, a folder written by
``save_to_disk`` of the library datasets, or a data set of the Hugging Face hub.

The format follows from the ending; any other ending is read as JSON lines. A row keeps its place in the file (a line
where the file is text, else a row, both from 1), so that a message can name it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import polars as pl

from onset.errors import DataError
from onset.untrusted import fault, loads

_UNDER_DATA = re.compile(r'\s*\{\s*"[Dd]ata"\s*:')
Unit = Literal["line", "row"]
Row = Mapping[str, Any]

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
FORMATS = ".jsonl, .json, .csv, .tsv, .parquet, or a folder written by save_to_disk of the library datasets"


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` in file order and the place of each (``unit`` and number, from 1); ``columns``: the names that every row
    has (None: each row has its own); ``names``: the names of integer classes by column, where the file holds them.
    """

    path: str
    unit: Unit
    rows: tuple[Row, ...]
    places: tuple[int, ...]
    columns: tuple[str, ...] | None
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def refuse(task: str, path: str, place: str, what: str) -> NoReturn:
    """Raise DataError: ``task 'tickets': train.csv, line 4: answer is empty``."""
    raise DataError(f"task '{task}': {path}, {place}: {what}")


def unpaired(text: str) -> str | None:
    """What is wrong with a text of half a surrogate pair, which JSON can escape and no file and no hash can hold; None
    where nothing is.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"holds half a surrogate pair at character {error.start + 1}"
    return None


def folder_of(task: str, path: object) -> Path:
    """The folder that a task's ``path`` names. Raises DataError for what is no name of one."""
    if not isinstance(path, str | Path):
        raise DataError(f"task '{task}': path must be a folder, not {path!r}")
    return Path(path)


def read_table(path: str, *, task: str, split: str, wanted: frozenset[str]) -> Table:
    """The rows of a file or folder. ``wanted``: the columns that have to be there; among a comma, a semicolon and a tab
    a CSV file is split at the first that gives these (else at that of its ending).

    Raises DataError, with the place, for what is missing, unreadable or damaged.
    """
    file = Path(path)
    try:
        if file.is_dir():
            return _folder(file, path, task)
        ending = file.suffix.lower()
        if ending == ".parquet":
            return _parquet(file, path, task)
        with file.open(encoding="utf-8-sig", newline="") as opened:  # line breaks inside quotes stay as they are
            text = opened.read()
    except FileNotFoundError:
        raise DataError(f"task '{task}': no file '{path}' for {split}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"task '{task}': cannot read '{path}' for {split}: {reason}") from None
    if ending in _DELIMITERS:
        return _separated(text, path, task, _DELIMITERS[ending], wanted)
    if ending == ".json" and (text.lstrip().startswith("[") or _UNDER_DATA.match(text)):
        return _json_list(text, path, task)
    return _json_lines(text.replace("\r\n", "\n").replace("\r", "\n"), path, task)


# ---- JSON ----------------------------------------------------------------------------------------------------------


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _json_lines(text: str, path: str, task: str) -> Table:
    rows: list[Row] = []
    places: list[int] = []
    for line, one in enumerate(text.split("\n"), 1):
        if not one.strip():
            continue
        try:
            row = loads(one, parse_constant=_no_constant)
        except ValueError as error:
            refuse(task, path, f"line {line}", f"not JSON ({fault(error, column=True)})")
        if not isinstance(row, dict):
            refuse(task, path, f"line {line}", f"expected a JSON object, found {kind(row)}")
        rows.append(row)
        places.append(line)
    return Table(path, "line", tuple(rows), tuple(places), None)


def _json_list(text: str, path: str, task: str) -> Table:
    try:
        rows = loads(text, parse_constant=_no_constant)
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError) and error.doc:
            refuse(task, path, f"line {error.lineno}", f"not JSON ({fault(error, column=True)})")
        raise DataError(f"task '{task}': {path}: not JSON ({fault(error)})") from None
    if isinstance(rows, dict):  # as TriviaQA is released: the rows under "Data", beside words on all of them
        rows = rows.get("Data", rows.get("data"))
    if not isinstance(rows, list):
        raise DataError(f"task '{task}': {path}: expected a list of JSON objects under 'Data', found {kind(rows)}")
    for place, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            refuse(task, path, f"row {place}", f"expected a JSON object, found {kind(row)}")
    return Table(path, "row", tuple(rows), tuple(range(1, len(rows) + 1)), None)


def kind(value: object) -> str:
    """What JSON calls a value of this type."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")


# ---- text with separators ------------------------------------------------------------------------------------------


def _separated(text: str, path: str, task: str, delimiter: str, wanted: frozenset[str]) -> Table:
    chosen = next(
        (one for one in dict.fromkeys([delimiter, ",", ";", "\t"]) if wanted <= set(_header(text, one))), delimiter
    )
    lines = _records(text, chosen, path, task)
    _, header = next(lines, (1, []))
    columns = [name.strip() for name in header]
    if not columns:
        return Table(path, "line", (), (), None)
    for name in columns:
        if columns.count(name) > 1:
            refuse(task, path, "line 1", f"two columns are called '{name}'")
    rows: list[Row] = []
    places: list[int] = []
    for line, cells in lines:
        if len(cells) != len(columns):
            hint = "; a text that holds a separator stands in double quotes" if len(cells) > len(columns) else ""
            refuse(task, path, f"line {line}", f"{len(cells)} cells where the header names {len(columns)}{hint}")
        rows.append(dict(zip(columns, cells, strict=True)))
        places.append(line)
    return Table(path, "line", tuple(rows), tuple(places), tuple(columns))


def _header(text: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])]
    except csv.Error:
        return []


def _records(text: str, delimiter: str, path: str, task: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank with the line it begins on: a text in quotes may hold line breaks."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = str(error)
            if "unexpected end of data" in what:
                what = "a double quote is opened here and never closed"
            elif "expected after" in what:
                what = "a double quote inside a quoted text is written twice"
            refuse(task, path, f"line {begins}", f"not a table of cells: {what}")
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


# ---- columns -------------------------------------------------------------------------------------------------------


def _parquet(file: Path, path: str, task: str) -> Table:
    try:
        table = pl.read_parquet(file)
        rows = _shortened(table.to_dicts(), [name for name, dtype in table.schema.items() if dtype in _SINGLE])
    except pl.exceptions.PolarsError:
        raise DataError(f"task '{task}': {path} is no Parquet file") from None
    return Table(path, "row", tuple(rows), tuple(range(1, len(rows) + 1)), tuple(table.columns), _class_names(file))


_SINGLE = (pl.Float32, pl.List(pl.Float32))


def _shortened(rows: list[dict[str, Any]], columns: list[str]) -> list[dict[str, Any]]:
    """``rows`` with floats of 32 bits in ``columns`` as the shortest number that rounds to them: 0.1, as a person has
    written it, for 0.10000000149011612.
    """
    return [{**row, **{name: _shortest(row[name]) for name in columns}} for row in rows] if columns else rows


def _shortest(value: object) -> object:
    if isinstance(value, list):
        return [_shortest(one) for one in value]
    return float(str(np.float32(value))) if isinstance(value, float) else value


def _class_names(file: Path) -> dict[str, tuple[str, ...]]:
    """The names of integer classes, which the library datasets keeps in a Parquet file's own metadata."""
    try:
        held = loads(pl.read_parquet_metadata(file).get("huggingface", "{}"))
        features = held["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return {
        column: tuple(feature["names"])
        for column, feature in features.items()
        if isinstance(feature, Mapping) and feature.get("_type") == "ClassLabel"
    }


def _folder(folder: Path, path: str, task: str) -> Table:
    if (folder / "dataset_dict.json").is_file():
        splits = sorted(one.name for one in folder.iterdir() if one.is_dir())
        raise DataError(
            f"task '{task}': {path} holds several splits; name one, as '{path}/{splits[0]}' ({listed(splits)})"
        )
    if not (folder / "dataset_info.json").is_file():
        raise DataError(
            f"task '{task}': {path} is a folder that save_to_disk did not write; what can be read: {FORMATS}"
        )
    return _of_dataset(_datasets(task).load_from_disk(str(folder)), path)


def read_hub(hub: str, split: str, *, task: str, config: str | None = None, revision: str | None = None) -> Table:
    """The rows of ``split`` of a data set of the Hugging Face hub, or of a local folder laid out like one; ``config``
    names one of its subsets, ``revision`` a commit, tag or branch.

    Needs the extra ``local``. Raises DataError where it cannot be loaded or has no such split.
    """
    library = _datasets(task)
    name = f"{hub}, {config}" if config else hub
    try:
        dataset = library.load_dataset(hub, config, split=split, revision=revision)
    except Exception as error:  # the library raises whatever its file systems, builders and parsers raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"task '{task}': cannot load split '{split}' of {name}: {reason[:300]}") from error
    return _of_dataset(dataset, f"{name}, {split}")


def _datasets(task: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise DataError(
            f"task '{task}': data sets of the hub and folders of save_to_disk need the library datasets: "
            "pip install 'lm-onset[local]'"
        ) from None
    return datasets


def _of_dataset(dataset: Any, path: str) -> Table:
    """A split as the library has it; pictures and sounds are left alone, decoding them would need further libraries."""
    readable = [
        name for name, feature in dataset.features.items() if type(feature).__name__ not in ("Image", "Audio", "Video")
    ]
    names = {
        column: tuple(feature.names)
        for column, feature in dataset.features.items()
        if type(feature).__name__ == "ClassLabel"
    }
    elements = {name: getattr(feature, "feature", feature) for name, feature in dataset.features.items()}  # of lists
    single = [name for name in readable if getattr(elements[name], "dtype", None) == "float32"]
    rows = tuple(_shortened([dict(row) for row in dataset.select_columns(readable).with_format(None)], single))
    return Table(path, "row", rows, tuple(range(1, len(rows) + 1)), tuple(readable), names)


def listed(names: list[str] | tuple[str, ...]) -> str:
    """``a, b and c``, at most twenty of them."""
    shown = [*names[:20], f"{len(names) - 20} more"] if len(names) > 20 else list(names)
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1] if shown else "none"


def short(value: object) -> str:
    """A value as Python writes it, at most 60 characters of that."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
