"""Pairs of models from a CSV: a score before a stage of training and after it, of models that somebody else trained."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from onset.analysis.contrast.trained import TrainedPair
from onset.analysis.words import counted
from onset.errors import DataError
from onset.read.base import check_columns

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "family": ("family",),
    "base": ("base", "base_model"),
    "model": ("model", "instruct_model"),
    "stage": ("stage",),
    "params": ("params", "params_b"),
    "benchmark": ("benchmark", "task"),
    "before": ("before", "score_base"),
    "after": ("after", "score_instruct"),
    "n": ("n", "items"),
}
"""What is read, and the columns it may stand in; ``n`` may be missing. ``params_b`` counts billions."""


def read_pairs(
    path: Path, *, where: Mapping[str, str] | None = None, note: Callable[[str], None] = lambda _: None
) -> tuple[TrainedPair, ...]:
    """Every row with both scores; ``where``: only rows with these values of columns; ``note`` is called with a line
    that counts the others.

    Scores are shares in 0..1. Raises DataError, with the line, for a file that cannot be read, a column that is not
    there, a value that is no number or out of range, and where nothing is left.
    """
    rows, names = _rows(path)
    found = {part: next((one for one in allowed if one in names), None) for part, allowed in COLUMNS.items()}
    for part, column in found.items():
        if column is None and part != "n":
            raise DataError(f"{path}: no column '{COLUMNS[part][0]}' (found: {', '.join(names)})")
    for column in where or {}:
        if column not in names:
            raise DataError(f"{path}: no column '{column}' to choose by (found: {', '.join(names)})")
    kept = [(line, row) for line, row in rows if all(row[key] == value for key, value in (where or {}).items())]
    pairs = tuple(_pair(path, line, row, found) for line, row in kept if _has_both(row, found))
    lacking = [line for line, row in kept if not _has_both(row, found)]
    if lacking and pairs:
        count = counted(len(lacking), "row")
        note(
            f"{path}: {count} of {len(kept)} without a score before or after left out (the first is line {lacking[0]})"
        )
    if not pairs:
        asked = ", ".join(f"{key}={value}" for key, value in (where or {}).items())
        raise DataError(f"{path}: no row with a score before and after{f' where {asked}' if asked else ''}")
    seen: dict[tuple[str, str, str, str], TrainedPair] = {}
    for one in pairs:
        key = (one.base, one.model, one.stage, one.benchmark)
        if key in seen:
            raise DataError(f"{path}: {one.base} and {one.model} have two rows of {one.benchmark}, stage {one.stage}")
        seen[key] = one
    return pairs


def _rows(path: Path) -> tuple[list[tuple[int, dict[str, str]]], Sequence[str]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or ())
            check_columns(path, names)
            return [(reader.line_num, {key: value or "" for key, value in row.items()}) for row in reader], names
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{path}: not a CSV table in UTF-8") from None


def _has_both(row: Mapping[str, str], found: Mapping[str, str | None]) -> bool:
    return all(row[str(found[part])].strip() for part in ("before", "after"))


def _pair(path: Path, line: int, row: Mapping[str, str], found: Mapping[str, str | None]) -> TrainedPair:
    def number(part: str, low: float, high: float) -> float:
        text = row[str(found[part])]
        try:
            value = float(text)
        except ValueError:
            raise DataError(f"{path}, line {line}: '{found[part]}' is no number (received '{text}')") from None
        if not low <= value <= high or math.isinf(value):
            allowed = f"{low:g} to {high:g}" if high < math.inf else f"a finite number from {low:g}"
            raise DataError(f"{path}, line {line}: '{found[part]}' is {text}, expected {allowed}")
        return value

    def whole(part: str) -> int:
        value = number(part, 1, math.inf)
        if not value.is_integer():
            text = row[str(found[part])]
            raise DataError(f"{path}, line {line}: '{found[part]}' is {text}, expected a whole number")
        return int(value)

    size = number("params", 1e-6, math.inf) * (1e9 if found["params"] == "params_b" else 1.0)
    has_count = found["n"] is not None and row[str(found["n"])].strip()
    return TrainedPair(
        family=row[str(found["family"])],
        base=row[str(found["base"])],
        model=row[str(found["model"])],
        stage=row[str(found["stage"])],
        params=size,
        benchmark=row[str(found["benchmark"])],
        before=number("before", 0.0, 1.0),
        after=number("after", 0.0, 1.0),
        n=whole("n") if has_count else None,
    )
