"""Curves over size as a CSV table, one row per model and task: counts or scores, made by hand or by a script.

    curve,family,model,params,n,correct,chance,metric
    navigate,BIG-G,2m,2000000,250,124,0.5,exact_match

| column | meaning |
|---|---|
| ``curve`` or ``task`` | what was measured |
| ``family`` | models that differ in size alone share it (default: the model's name without its size) |
| ``model`` | its name (default: its size) |
| ``params``, ``flops``, ``loss`` | the size, above 0; the scale that is asked for must be there |
| ``tokens`` | of pretraining, above 0; ``loss`` beside another scale is that of pretraining (both used by forecasts) |
| ``n``, ``correct`` | items and how many of them are right |
| ``score`` or ``value`` | a score; a share in 0..1 unless the row is ``continuous`` |
| ``stderr`` | the standard error of the score (empty: unknown) |
| ``chance`` | the score of guessing, in 0..1 |
| ``metric`` | the name of the score (default ``accuracy``) |
| ``seed`` | of pretraining, from 0: which of several runs of its size the model is |
| ``continuous`` | ``true`` for a score that is no share of correct answers (log-probability, Brier, edit distance) |

Any other column is passed over. With ``n`` and ``correct`` a row is counts; ``score`` is then only checked against
them. With ``n`` and ``score`` alone it is counts where ``score`` times ``n`` is within 0.05 of a whole number (that
number is ``correct``), else a score with the ``stderr`` of the row, unknown where it has none: n is not used to guess
one.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

from onset.analysis.curves.series import Scale, SizePoint
from onset.errors import DataError
from onset.read.base import Sizes, check_columns, read_text

WHOLE = 0.05
"""How near ``score`` times ``n`` must be to a whole number to be a count."""
AGREES = 0.01
"""How much a score may differ from ``correct / n`` (rounding)."""
MOST = 10**12
"""The largest count that is read: sums over a curve stay exact in floats."""
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no", "")


def read(path: Path, sizes: Sizes, scale: Scale = "params") -> list[SizePoint]:
    """The points of the table, in its order.

    Raises DataError, with the line, for a missing column and one that is there twice, a cell that is no number, an
    impossible count, a share outside 0..1, and a model whose size is neither in the table nor given.
    """
    reader = csv.DictReader(io.StringIO(read_text(path)))
    columns = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = columns
    check_columns(path, columns)
    found = ", ".join(columns) or "nothing"
    for names in (("curve", "task"), ("correct", "score", "value")):
        if not set(names) & set(columns):
            raise DataError(f"{path}: expected a column {' or '.join(names)}, found: {found}")
    if scale not in columns and not (scale == "params" and "model" in columns and sizes.params):
        raise DataError(f"{path}: expected a column {scale} (the size of each model), found: {found}")
    points = []
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if None in row or None in row.values():  # csv's names for cells too many and too few
            raise DataError(f"{where}: expected {len(columns)} cells, as in the heading")
        points.append(_point({key: (value or "").strip() for key, value in row.items()}, where, sizes, scale))
    if not points:
        raise DataError(f"{path}: the table has no rows")
    return points


def _point(row: Mapping[str, str], where: str, sizes: Sizes, scale: Scale) -> SizePoint:
    curve = row.get("curve") or row.get("task") or ""
    if not curve:
        raise DataError(f"{where}: no curve or task")
    x = _number(row, scale, where)
    model = row.get("model") or (f"{x:g}" if x is not None else "")
    if scale == "params" and model in sizes.params:
        x = sizes.params[model]
    if x is None:
        raise no_size(f"{where}: ", model, scale)
    family = sizes.family if sizes.family is not None else row.get("family") or ""
    if not family and row.get("model"):
        family = sizes.family_of(model)
    n, correct = _count(row, "n", where), _count(row, "correct", where)
    score, stderr, chance = (_score(row, where), _number(row, "stderr", where), _number(row, "chance", where))
    flag = row.get("continuous", "").casefold()
    if flag not in (*_YES, *_NO):
        raise DataError(f"{where}: continuous is '{row['continuous']}': expected true or false")
    continuous = flag in _YES
    if not continuous and score is not None and not 0 <= score <= 1:
        raise DataError(f"{where}: score {score:g}: expected a share in 0..1 (or a column continuous with true)")
    if correct is not None and n is None:
        raise DataError(f"{where}: correct needs n beside it")
    if n is not None and correct is not None and score is not None and n and abs(score - correct / n) > AGREES:
        raise DataError(f"{where}: score {score:g} is not {correct} of {n}")
    if n is not None and correct is None and score is not None and not continuous:
        whole = round(score * n)
        correct = whole if abs(score * n - whole) <= WHOLE + 1e-12 else None
    counted = n is not None and correct is not None
    return SizePoint(
        curve=curve,
        family=family,
        model=model,
        x=x,
        metric=row.get("metric") or "accuracy",
        n=n if counted else None,
        correct=correct if counted else None,
        score=None if counted else score,
        stderr=None if counted else stderr,
        chance=chance,
        continuous=continuous,
        source=where,
        tokens=_number(row, "tokens", where),
        loss=None if scale == "loss" else _number(row, "loss", where),
        pretraining_seed=_count(row, "seed", where),
    )


def no_size(where: str, model: str, scale: Scale = "params") -> DataError:
    """The error of a model whose size nobody knows."""
    named = f"model '{model}'" if model else "a model without a name"
    how = f" give it (--params {model or 'NAME'}=7e9, or a column params)" if scale == "params" else f" fill in {scale}"
    return DataError(f"{where}the size of {named} is unknown:{how}")


def _number(row: Mapping[str, str], name: str, where: str) -> float | None:
    text = row.get(name, "")
    if not text or text.upper() in ("NA", "N/A", "NAN"):
        return None
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{where}: {name} is '{text}': expected a number") from None
    if not math.isfinite(value):
        raise DataError(f"{where}: {name} is '{text}': expected a finite number")
    return value


def _count(row: Mapping[str, str], name: str, where: str) -> int | None:
    value = _number(row, name, where)
    if value is None:
        return None
    if value < 0 or value != int(value):
        raise DataError(f"{where}: {name} is '{row[name]}': expected a whole number from 0")
    if value > MOST:
        raise DataError(f"{where}: {name} is '{row[name]}': expected at most {MOST:.0e}")
    return int(value)


def _score(row: Mapping[str, str], where: str) -> float | None:
    value = _number(row, "score", where)
    return value if value is not None else _number(row, "value", where)
