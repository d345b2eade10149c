"""Grading rows: what comes back, and what is refused with which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from onset.answers import ChoiceFormat, NumberFormat
from onset.errors import DataError
from onset.grading import grade, read_rows
from onset.tasks.base import AnswerFormat

SOLUTION = "She has 9 * 2 = <<9*2=18>>18.\n#### 18"
ROWS: list[dict[str, Any]] = [
    {"question": "How many?", "prediction": "The answer is $18.00", "target": SOLUTION, "id": "a"},
    {"prediction": "The answer is 1", "target": 18},
    {"prediction": "The answer is 1", "target": "1", "truncated": True},
    {"prediction": "No idea", "target": "1,000"},
    {"prediction": "It is 3 or 4", "target": 3.0},
]


def numbers(row: object) -> AnswerFormat:
    return NumberFormat()


def test_rows_come_back_in_order_with_their_keys() -> None:
    graded = grade(ROWS, numbers)["rows"]
    assert [(row["answer"], row["status"], row["correct"]) for row in graded] == [
        ("18", "ok", True),
        ("1", "ok", False),
        (None, "truncated", False),
        (None, "none", False),
        (None, "ambiguous", False),
    ]
    for row, given in zip(graded, ROWS, strict=True):
        assert {key: row[key] for key in given} == given
    json.dumps(graded)


def test_the_summary_counts_every_row() -> None:
    summary = grade(ROWS, numbers)["summary"]
    low, high = proportion_confint(1, 5, method="wilson")
    assert summary.pop("interval") == pytest.approx([low, high])
    assert summary == {
        "n": 5,
        "correct": 1,
        "accuracy": 0.2,
        "parse_rate": 0.4,
        "partial": None,
        "status": {"ok": 2, "none": 1, "truncated": 1, "ambiguous": 1, "out of budget": 0},
    }


def test_choices_of_a_row_are_the_allowed_answers() -> None:
    row = {"prediction": "The answer is (B).", "target": "dark red", "choices": ["(A) red", "(B) dark red"]}
    assert grade([row], lambda _: ChoiceFormat())["rows"][0]["correct"] is True


def test_grading_again_replaces_what_grading_added() -> None:
    once = grade(ROWS, numbers)
    assert grade(once["rows"], numbers) == once


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"target": "18", "id": 1}, "expected the key 'prediction', found: id, target"),
        ({"prediction": "18"}, "expected the key 'target', found: prediction"),
        ({}, "expected the key 'prediction', found: no keys"),
        ([], "expected an object with 'prediction' and 'target', found a list"),
        ({"prediction": 18, "target": "18"}, "prediction: expected text, found a number"),
        ({"prediction": "18", "target": None}, "target: expected text or a number, found null"),
        ({"prediction": "18", "target": True}, "target: expected text or a number, found true or false"),
        ({"prediction": "18", "target": []}, "target: expected at least one right answer, found an empty list"),
        ({"prediction": "18", "target": ["18", ["19"]]}, "target: expected text or a number, found a list"),
        ({"prediction": "18", "target": "eighteen"}, "gold answer 'eighteen': expected a number"),
        ({"prediction": "18", "target": "18", "choices": "18"}, "choices: expected a list of texts"),
        ({"prediction": "18", "target": "18", "truncated": 1}, "truncated: expected true or false, found a number"),
    ],
)
def test_a_row_that_cannot_be_graded(row: Any, message: str) -> None:
    with pytest.raises(DataError) as error:
        grade([ROWS[0], row], numbers, source="out.jsonl")
    assert str(error.value) == f"out.jsonl, line 2: {message}"


def test_nothing_to_grade() -> None:
    with pytest.raises(DataError) as error:
        grade([], numbers)
    assert str(error.value) == "rows: no rows to grade"


def test_read_rows(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text('\ufeff{"a": "\u2028"}\r\n{"a": 2}\n\n', encoding="utf-8")
    assert read_rows(file) == [{"a": "\u2028"}, {"a": 2}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "{file} is empty: expected rows with 'prediction' and 'target'"),
        (b"\n \n", "{file} is empty: expected rows with 'prediction' and 'target'"),
        (b'{"a": 1}\n{"a": \n', "{file}, line 2: expected a JSON object, found not JSON (Expecting value at column 6)"),
        (b'{"a": 1}\n\n{"a": 2}\n', "{file}, line 2: expected a JSON object, found an empty line"),
        (b'{"a": 1}\n[1]\n', "{file}, line 2: expected a JSON object, found a list"),
        (b"null", "{file}, line 1: expected a JSON object, found null"),
        (b"\xff\xfe\x00", "cannot read '{file}': not UTF-8 text"),
        (None, "no file '{file}'"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "out.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_rows(file)
    assert str(error.value) == message.format(file=file)
    with pytest.raises(DataError) as error:
        read_rows(tmp_path)
    assert str(error.value) == f"cannot read '{tmp_path}': Is a directory"
