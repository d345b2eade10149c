"""Grading texts from anywhere: the extractor and the scorer of a run, without a model and without the task's data.

    {"prediction": "16 - 7 = 9, 9 * 2 = 18. The answer is $18.00", "target": "18"}
    -> the same row with "answer": "18", "status": "ok", "correct": true

A row has ``prediction`` (text) and ``target`` (text or number: the gold answer; for GSM8K it may be the whole solution
ending in ``#### 18``; a list of texts or numbers where several answers are right). It may have ``question``,
``choices`` (a list of texts) and ``truncated`` (true where a token limit cut the prediction); any other key is carried
along.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, get_args

from onset.errors import DataError
from onset.records import Item, Status
from onset.scores import wilson
from onset.tasks.base import AnswerFormat
from onset.thinking import answer_part
from onset.untrusted import fault, loads


def read_rows(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file: row i (from 0) is line i + 1.

    Raises DataError for a file that is missing, unreadable or empty, and for a line that is no JSON object; an empty
    line is one, except after the last row.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").rstrip().split("\n")
    except FileNotFoundError:
        raise DataError(f"no file '{path}'") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"cannot read '{path}': {reason}") from None
    if lines == [""]:
        raise DataError(f"{path} is empty: expected rows with 'prediction' and 'target'")
    return [_row(str(path), number, line) for number, line in enumerate(lines, 1)]


def _row(source: str, number: int, line: str) -> dict[str, Any]:
    try:
        row = loads(line, parse_constant=lambda name: _refuse(source, number, f"expected JSON, found {name}"))
    except json.JSONDecodeError as error:
        found = f"not JSON ({fault(error, column=True)})" if line.strip() else "an empty line"
        _refuse(source, number, f"expected a JSON object, found {found}")
    if not isinstance(row, dict):
        _refuse(source, number, f"expected a JSON object, found {_kind(row)}")
    return row


def grade(
    rows: Iterable[Mapping[str, Any]],
    format_for: Callable[[Mapping[str, Any]], AnswerFormat],
    *,
    source: str = "rows",
) -> dict[str, Any]:
    """``{"rows": [...], "summary": {...}}``: every row in order with its answer, and what they add up to.

    ``format_for`` gives the answer format of a row; ``source`` names the rows in messages, which count them from 1.
    To each row are added ``answer`` (canonical, or None), ``status``, ``correct`` and, where its format has one,
    ``partial`` (0..1: how much of a right answer it is); keys of these names that it already has are replaced. The
    summary: ``n``, ``correct``, ``accuracy`` (0..1, over all rows: an answer that was not found is wrong), ``interval``
    (Wilson, 95 %), ``parse_rate`` (the share with status ``ok``), ``partial`` (the mean over all rows; None unless
    every row has it) and ``status`` (counts).

    Raises DataError, with the row's number, for a row without prediction or target, one of the wrong kind, or a target
    that the format cannot read; and when there are no rows.
    """
    graded = [_graded(source, number, row, format_for) for number, row in enumerate(rows, 1)]
    if not graded:
        raise DataError(f"{source}: no rows to grade")
    n, correct = len(graded), sum(row["correct"] for row in graded)
    counts = Counter(row["status"] for row in graded)
    partial = [row["partial"] for row in graded if "partial" in row]
    summary = {
        "n": n,
        "correct": correct,
        "accuracy": correct / n,
        "interval": list(wilson(correct, n)),
        "parse_rate": counts["ok"] / n,
        "partial": math.fsum(partial) / n if len(partial) == n else None,
        "status": {status: counts[status] for status in get_args(Status)},
    }
    return {"rows": graded, "summary": summary}


def _graded(
    source: str, number: int, row: Mapping[str, Any], format_for: Callable[[Mapping[str, Any]], AnswerFormat]
) -> dict[str, Any]:
    prediction, truncated, item = _read(source, number, row)
    answers = format_for(row)
    try:
        answer = answers.extract(answer_part(prediction), item, truncated=truncated)
        worth = answers.score(answer, item)
    except DataError as error:
        _refuse(source, number, str(error))
    kept = {key: value for key, value in row.items() if key != "partial"}
    graded = {**kept, "answer": answer.value, "status": answer.status, "correct": worth.correct}
    return graded if worth.partial is None else graded | {"partial": worth.partial}


def _read(source: str, number: int, row: Mapping[str, Any]) -> tuple[str, bool, Item]:
    """Prediction, whether it was cut, and the item the row is about."""
    if not isinstance(row, Mapping):
        _refuse(source, number, f"expected an object with 'prediction' and 'target', found {_kind(row)}")
    for key in ("prediction", "target"):
        if key not in row:
            _refuse(source, number, f"expected the key '{key}', found: {', '.join(sorted(row)) or 'no keys'}")
    prediction, target, choices = row["prediction"], row["target"], row.get("choices")
    if not isinstance(prediction, str):
        _refuse(source, number, f"prediction: expected text, found {_kind(prediction)}")
    golds = target if isinstance(target, list) else [target]
    for one in golds:
        if isinstance(one, bool) or not isinstance(one, str | int | float):
            _refuse(source, number, f"target: expected text or a number, found {_kind(one)}")
    if not golds:
        _refuse(source, number, "target: expected at least one right answer, found an empty list")
    if choices and len(golds) > 1:
        _refuse(source, number, "target: expected one right answer, since the row has choices")
    if choices is not None and not (isinstance(choices, list) and all(isinstance(one, str) for one in choices)):
        _refuse(source, number, "choices: expected a list of texts")
    truncated = row.get("truncated", False)
    if not isinstance(truncated, bool):
        _refuse(source, number, f"truncated: expected true or false, found {_kind(truncated)}")
    question = row.get("question")
    first, *others = dict.fromkeys(map(str, golds))
    asked = question if isinstance(question, str) else ""
    return prediction, truncated, Item(asked, first, choices=tuple(choices) if choices else None, others=tuple(others))


def _kind(value: object) -> str:
    """What JSON calls a value of this type."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else kinds.get(type(value), type(value).__name__)


def _refuse(source: str, number: int, what: str) -> NoReturn:
    raise DataError(f"{source}, line {number}: {what}")
