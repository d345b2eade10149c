"""Rows of texts from anywhere: JSON lines with ``prediction`` and ``target``, graded as a run would.

    {"task": "navigate", "index": 3, "question": "...", "prediction": "... So the answer is No.", "target": "No"}

The answer is found and judged by the extractor and scorer of a named task (`onset.tasks.format_for`). ``task`` (the
name of a subtask, ``bbh/navigate``) and ``index`` make the key of a row; without ``index`` the question does, else the
line. Optional: ``model``, ``family``, ``params``, ``method``, ``choices``, ``truncated``. Rows that already say
``correct`` (true or false) or ``score`` (a number) need no task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onset.analysis.outcomes import Measure, Outcomes, Text
from onset.errors import DataError
from onset.grading import grade
from onset.read.base import ItemRow, Sizes, is_number, json_lines, numbered, tabulate, written_gold
from onset.records import content_hash
from onset.tasks import BARE_FORMATS, format_for, label_of
from onset.tasks.base import AnswerFormat

METRIC = "exact_match"
SCORE = "score"


def is_row(row: Any) -> bool:
    """Does a JSON line look like a row of this format?"""
    return isinstance(row, dict) and ("prediction" in row or "correct" in row or "score" in row)


def read(path: Path, sizes: Sizes, *, texts: bool = False, task: str | None = None) -> tuple[Outcomes, ...]:
    """The outcomes of each (model, method, task) of the file, in order of first appearance; ``texts``: with what was
    asked and answered.

    ``task``: whose extractor and scorer; None only where every row says ``correct`` or ``score``. Raises UnknownName
    for an unknown task, DataError with the line for a row that cannot be used.
    """
    rows = json_lines(path)
    groups: dict[tuple[str, str, str], list[tuple[int, dict[str, Any]]]] = {}
    wanted = task.partition("/")[2] if task else ""
    labels: dict[str | None, str] = {}
    for number, row in rows:
        name = row.get("task")
        if wanted and isinstance(name, str) and name not in (wanted, task):
            continue  # the user asked for one subtask of the file
        own = name if isinstance(name, str) else None
        if own not in labels:
            labels[own] = label_of(task, own) if task else str(name or path.stem)
        label = labels[own]
        model, method = str(row.get("model") or path.stem), str(row.get("method") or "")
        groups.setdefault((model, method, label), []).append((number, row))
    if not groups:
        found = ", ".join(dict.fromkeys(str(row.get("task")) for _, row in rows))
        raise DataError(f"{path}: no row of task '{task}', found: {found}")
    said = _said_of_models(path, groups)
    return tuple(_outcomes(path, sizes, task, key, held, said, texts=texts) for key, held in groups.items())


def _said_of_models(
    path: Path, groups: Mapping[tuple[str, str, str], Sequence[tuple[int, dict[str, Any]]]]
) -> dict[tuple[str, str], Any]:
    """By model and key what its rows say of ``params`` and ``family``. Raises DataError, with the line, where they
    contradict each other.
    """
    said: dict[tuple[str, str], tuple[Any, int]] = {}
    for (model, _, _), rows in groups.items():
        for number, row in rows:
            for name in ("params", "family"):
                if row.get(name) is None:
                    continue
                value, line = said.setdefault((model, name), (row[name], number))
                if value != row[name]:
                    raise DataError(
                        f"{path}, line {number}: {name} of model '{model}' is {row[name]}, in line {line} it is"
                        f" {value}: models that differ need names that differ (key 'model')"
                    )
    return {key: value for key, (value, _) in said.items()}


def _outcomes(
    path: Path,
    sizes: Sizes,
    task: str | None,
    key: tuple[str, str, str],
    rows: Sequence[tuple[int, dict[str, Any]]],
    said: Mapping[tuple[str, str], Any],
    *,
    texts: bool,
) -> Outcomes:
    model, method, label = key
    metric, made, notes = _rows(path, task, label, rows, texts=texts)
    family = said.get((model, "family"))
    return Outcomes(
        at=sizes.at(
            label,
            model,
            said.get((model, "params")),
            family=family if isinstance(family, str) else None,
            method=method or None,
        ),
        measure=Measure(metric),
        source=str(path),
        notes=tuple(notes),
        **tabulate({0: made}, str(path)),
    )


def _rows(
    path: Path, task: str | None, label: str, rows: Sequence[tuple[int, dict[str, Any]]], *, texts: bool
) -> tuple[str, list[ItemRow], list[str]]:
    metric, values, statuses = _graded(path, task, rows) if task else _stated(path, rows)
    keyed = [_key(label, number, row) for number, row in rows]
    keys, twice = numbered(key for _, key in keyed)
    kinds = {kind for kind, _ in keyed}
    notes = [f"{label}: {twice} rows have the key of an earlier row and count too"] if twice else []
    if "line" in kinds:
        notes.append(f"{label}: rows without index and question are paired by their line")
    made = [
        ItemRow(
            key,
            value,
            target=content_hash(str(row["target"]).strip()) if "target" in row else None,
            prompt=content_hash(row["prompt"]) if isinstance(row.get("prompt"), str) else None,
            status=status,
            text=_text(row) if texts else None,
        )
        for key, value, status, (_, row) in zip(keys, values, statuses, rows, strict=True)
    ]
    return metric, made, notes


def _text(row: Mapping[str, Any]) -> Text:
    question, prompt, wrote = (row.get(name) for name in ("question", "prompt", "prediction"))
    return Text(
        question=question if isinstance(question, str) else f"{row.get('index', '')}",
        gold=written_gold(row.get("target", "")),
        prompt=prompt if isinstance(prompt, str) else None,
        outputs=(wrote,) if isinstance(wrote, str) else (),
    )


def _key(label: str, number: int, row: Mapping[str, Any]) -> tuple[str, str]:
    if "index" in row:
        return "index", content_hash([label, row["index"]])
    if isinstance(row.get("question"), str):
        return "question", content_hash([label, row["question"]])
    return "line", content_hash([label, "line", number])


def _graded(
    path: Path, task: str, rows: Sequence[tuple[int, dict[str, Any]]]
) -> tuple[str, list[float], list[str | None]]:
    values, statuses = [], []
    formats: dict[tuple[Any, bool, bool], AnswerFormat] = {}

    def known(row: Mapping[str, Any]) -> AnswerFormat:
        key = str(row.get("task")), bool(row.get("choices")), isinstance(row.get("target"), list)
        if key not in formats:
            formats[key] = format_for(task, row)
        return formats[key]

    for number, row in rows:
        try:
            one = grade([row], known, source="row")["rows"][0]
        except DataError as error:
            raise DataError(f"{path}, line {number}: {str(error).removeprefix('row, line 1: ')}") from None
        values.append(float(one["correct"]))
        statuses.append(str(one["status"]))
    return METRIC, values, list(statuses)


def _stated(path: Path, rows: Sequence[tuple[int, dict[str, Any]]]) -> tuple[str, list[float], list[str | None]]:
    told = [row.get("correct") for _, row in rows]
    right = all(isinstance(one, bool) for one in told) or not any("score" in row for _, row in rows)
    key = "correct" if right else "score"
    values = []
    for number, row in rows:
        value = row.get(key)
        if not isinstance(value, bool) and (right or not is_number(value)):
            raise DataError(f"{path}, line {number}: {_unstated(row, key)}")
        values.append(float(value))  # type: ignore[arg-type]
    statuses = [row["status"] if isinstance(row.get("status"), str) else None for _, row in rows]
    return METRIC if right else SCORE, values, statuses


def _unstated(row: Mapping[str, Any], key: str) -> str:
    """What is wrong with a row that does not say whether it is right, or how good it is."""
    if key in row:
        expected = "true or false" if key == "correct" else "a finite number"
        return f"'{key}' is {json.dumps(row[key])[:40]}: expected {expected}"
    if "correct" in row or "score" in row:
        return f"the row has no '{key}', which others have"
    known = ", ".join(BARE_FORMATS)
    return (
        "the row does not say 'correct' or 'score': name the task whose extractor grades it (--grade-as gsm8k,"
        f" --grade-as bbh, or one of {known})"
    )
