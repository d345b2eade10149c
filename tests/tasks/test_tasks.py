"""The table of tasks: what a study file may say, and what every registered task must do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import shared
from released_rows import RELEASED

from onset.answers import ChoiceFormat, NumberFormat, TextFormat
from onset.errors import DataError, UnknownName
from onset.prompting.text import answer_text
from onset.tasks import TASKS, describe, format_for, open_tasks
from onset.tasks.base import Task
from onset.tasks.checks import question_key


def opened(name: str, folder: Path) -> list[Task]:
    """Every task of the table, from data where it needs some."""
    spec: dict[str, Any] = {"name": name}
    if name == "gsm8k":
        spec |= {"path": str(shared("data", "gsm8k"))}
    elif name == "bbh":
        spec |= {"path": str(shared("data", "bbh"))}
    elif name == "own":
        spec |= {split: str(write(folder / f"{split}.jsonl", OWN[split])) for split in OWN}
    elif name in RELEASED:
        spec |= {
            split: str(write(folder / f"{split}.jsonl", rows))
            for split, rows in zip(("train", "test"), RELEASED[name], strict=True)
        }
    return open_tasks(spec)


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


OWN: dict[str, list[dict[str, object]]] = {
    "train": [
        {"question": "Where is my parcel?", "answer": "shipping", "rationale": "A parcel is sent."},
        {"question": "I want my money back.", "answer": "refund", "rationale": "Money back is a refund."},
    ],
    "test": [{"question": "It never came.", "answer": "shipping"}],
}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_conforms(name: str, tmp_path: Path) -> None:
    for task in opened(name, tmp_path):
        assert task.name.startswith(name)
        assert task.pool
        assert task.test
        assert 0 <= task.chance < 1
        assert task.source
        pool, tests = ({question_key(item) for item in items} for items in (task.pool, task.test))
        assert not pool & tests, f"{task.name}: pool and test overlap"
        assert len(pool) == len(task.pool), f"{task.name}: duplicates in the pool"
        for item in (*task.pool[:200], *task.test[:200]):
            texts = [answer_text(item, rationale=False)]
            texts += [answer_text(item, rationale=True)] if item.rationale else []
            for text in texts:
                answer = task.format.extract(text, item)
                assert task.format.score(answer, item).correct, (
                    f"{task.name}: {item.answer!r} read as {answer} in {text!r}"
                )
            others = [other for other in task.test if other.answer != item.answer and other.choices == item.choices]
            if others:
                assert not task.format.score(task.format.extract(texts[0], item), others[0]).correct
    labels = [task.name for task in opened(name, tmp_path)]
    assert len(set(labels)) == len(labels)


def test_every_task_is_described_without_heavy_packages() -> None:
    lines = describe()
    assert [line.name for line in lines] == list(TASKS)
    assert all(line.summary and line.ability for line in lines)
    parameters = {line.name: line.parameters for line in lines}
    assert parameters["word-problems"] == ("steps=3", "pool=512", "test=200", "seed=0")
    assert parameters["own"][:4] == ("name=own", "train", "test", "test_sets=none")
    code = (
        "import sys; from onset.tasks import describe; describe()\n"
        "print([m for m in ('torch', 'transformers', 'datasets', 'peft') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_table_says_of_each_task_the_ability_that_it_has(tmp_path: Path) -> None:
    for line in describe():
        if line.name not in ("gsm8k", "bbh"):
            assert {task.ability for task in opened(line.name, tmp_path)} == {line.ability}


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ("addition", "addition"),
        ({"name": "addition"}, "addition"),
        ({"name": "addition", "digits": 3}, "addition"),
        ({"name": "addition", "digits": 5, "pool": 9, "test": 4, "seed": 2}, "addition[digits=5]"),
        ({"name": "word-problems", "steps": 1, "pool": 9}, "word-problems[steps=1]"),
        ({"name": "multi-hop", "test": 5, "pool": 3}, "multi-hop"),
    ],
)
def test_labels_show_the_difficulty_and_nothing_else(spec: str | Mapping[str, Any], label: str) -> None:
    (task,) = open_tasks(spec)
    assert task.name == label


def test_a_subtask_is_named_after_a_slash() -> None:
    path = str(shared("data", "bbh"))
    (by_name,) = open_tasks({"name": "bbh/navigate", "path": path})
    (by_parameter,) = open_tasks({"name": "bbh", "subtask": "navigate", "path": path})
    assert by_name.name == by_parameter.name == "bbh/navigate"
    assert by_name.hash == by_parameter.hash


WORLD = (
    "world-coin, world-compare, world-new-facts, world-one-hop, world-problems, world-programs, world-reading, "
    "world-two-hop"
)


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (
            "gms8k",
            UnknownName,
            "unknown task 'gms8k': did you mean 'gsm8k'? Known: addition, bbh, coin-flip, com2sense, commonsenseqa, "
            "creak, csqa2, gsm8k, last-letters, multi-hop, natural-questions, own, strategyqa, triviaqa, webquestions, "
            f"word-problems, {WORLD}",
        ),
        (
            {"name": "tickets", "path": "x"},
            UnknownName,
            "unknown task 'tickets'. Known: addition, bbh, coin-flip, com2sense, commonsenseqa, creak, csqa2, gsm8k, "
            "last-letters, multi-hop, natural-questions, own, strategyqa, triviaqa, webquestions, word-problems, "
            f"{WORLD}",
        ),
        (
            {"name": "addition", "steps": 3},
            DataError,
            "task 'addition' has no parameter 'steps'. Allowed: digits, pool, seed, test",
        ),
        (
            {"name": "addition", "train": "x.jsonl"},
            DataError,
            "task 'addition' has no parameter 'train'. Allowed: digits, pool, seed, test",
        ),
        (
            {"name": "tickets", "test": "x.jsonl"},
            DataError,
            "task 'tickets' needs 'train'. Allowed: ability, aliases, answer_as, answer_separator, answer_tokens, chance, "
            "columns, config, duplicates, empty, format, hub, instruction, labels, near_duplicates, rationale_tokens, "
            "revision, split_seed, test, test_sets, train, unreadable",
        ),
        ("addition/easy", DataError, "task 'addition' has no subtasks, received 'addition/easy'"),
        (
            {"name": "bbh/navigate", "subtask": "snarks"},
            DataError,
            "task 'bbh/navigate': the subtask is given twice, in the name and as 'subtask'",
        ),
        ({"steps": 3}, DataError, "a task needs a 'name' (text), found: steps"),
        ({}, DataError, "a task needs a 'name' (text), found: nothing"),
        (["gsm8k"], DataError, "a task must be a name or a mapping with a name, not ['gsm8k']"),
    ],
)
def test_what_a_study_file_may_not_say(spec: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        open_tasks(spec)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("task", "row", "kind"),
    [
        ("gsm8k", {}, NumberFormat),
        ("addition", {}, NumberFormat),
        ("addition[digits=9]", {}, NumberFormat),
        ("coin-flip", {}, ChoiceFormat),
        ("last-letters", {}, TextFormat),
        ("own", {}, TextFormat),
        ("own", {"choices": ["a", "b"]}, ChoiceFormat),
        ("number", {}, NumberFormat),
        ("choice", {}, ChoiceFormat),
        ("text", {}, TextFormat),
    ],
)
def test_grading_needs_only_the_name(task: str, row: dict[str, object], kind: type) -> None:
    assert type(format_for(task, row)) is kind


@pytest.mark.parametrize("name", TASKS)
def test_every_task_can_be_graded_without_its_data(name: str, tmp_path: Path) -> None:
    for task in opened(name, tmp_path):
        row = {"task": task.name.partition("/")[2], "choices": task.test[0].choices}
        by_label, by_row = format_for(task.name, row), format_for(name, row)
        for item in task.test[:20]:
            text = answer_text(item, rationale=False)
            assert by_label.extract(text, item) == by_row.extract(text, item) == task.format.extract(text, item)


def test_an_unknown_name_in_grading_lists_tasks_and_formats() -> None:
    with pytest.raises(UnknownName) as caught:
        format_for("numbr", {})
    assert str(caught.value) == (
        "unknown task 'numbr': did you mean 'number'? Known: addition, bbh, choice, coin-flip, com2sense, "
        "commonsenseqa, creak, csqa2, gsm8k, last-letters, multi-hop, natural-questions, number, open, own, strategyqa, "
        f"text, triviaqa, webquestions, word-problems, {WORLD}"
    )
