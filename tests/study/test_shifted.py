"""Shifts in a study: how they are named, what is asked under each kind, and what is left out or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from onset.errors import DataError, StudyError, UnknownName
from onset.models.scripted import ScriptedModel
from onset.results.folder import Store
from onset.study.grid import Grid, expand
from onset.study.prompts import prompts_of
from onset.study.runner import run
from onset.study.spec import Study, make_study, read_study


def coins(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": [{"prompt": "answer-only", "shots": 4}],
        "labels": [8],
        "seeds": 1,
        "items": 3,
    }
    return make_study(**{**values, **changes})


def asked(study: Study, folder: Path) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Run ``study``; what is written of its cells, and their records, by shift."""
    run(study, folder, models={"fake": ScriptedModel({}, default=" The answer is tails.")})
    found = {}
    with Store(folder) as store:
        for cell in expand(study).cells:
            held = store.cell(cell.id)
            found[cell.shift] = (dict(held.facts()), list(held.outputs() or ()))
    return found


def blocks(record: dict[str, Any]) -> list[str]:
    """The paragraphs of its prompt."""
    return str(record["prompt"]).split("\n\n")


def test_a_shift_is_named_by_a_name_or_by_its_settings() -> None:
    study = coins(shifts=["none", "typos", {"shift": "typos", "rate": 0.5}, {"shift": "typos", "seed": 3, "name": "b"}])
    cells = {cell.shift: cell for cell in expand(study).cells}
    assert list(cells) == ["none", "typos", "typos-rate0.5", "b"]
    assert [one.shift_said for one in cells.values()] == [
        None,
        None,
        [{"kind": "typos", "rate": 0.5}, None],
        [{"kind": "typos", "seed": 3}, None],
    ]
    (spelt,) = expand(coins(shifts=[{"shift": "typos", "rate": 0.1}])).cells
    assert spelt.id == cells["typos"].id


@pytest.mark.parametrize(
    ("shift", "message"),
    [
        ({"shift": "typos", "rates": 1}, "shift, typos: unknown setting 'rates': did you mean 'rate'? Known: seed, rate, edit"),
        ({"shift": "typos", "rate": 2}, "shift, typos: 'rate': Input should be less than or equal to 1 (received 2)"),
        ({"shift": "typos", "kind": "casing"}, "shift, typos: unknown setting 'kind': Known: seed, rate, edit"),
        ({"rate": 0.2}, "study: a shift must be a name or a mapping with 'shift' (received {'rate': 0.2})"),
        ({"shift": "typos", "name": ""}, "study: the 'name' of a shift must be a word, not ''"),
        ({"shift": "test-set"}, "shift, test-set: give either 'task', whose test items are taken, or 'test', a file or a split of 'hub'"),
        ({"shift": "test-set", "task": "addition", "hub": "x"}, "shift, test-set: 'hub' goes with 'test'; write it inside 'task'"),
    ],
)  # fmt: skip
def test_what_a_shift_cannot_be_is_one_line(shift: Any, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        coins(shifts=[shift])
    assert str(caught.value) == message


def test_a_shift_in_no_table_and_one_that_is_named_twice() -> None:
    with pytest.raises(UnknownName, match=r"^unknown shift 'typo': did you mean 'typos'"):
        coins(shifts=[{"shift": "typo"}])
    with pytest.raises(UnknownName, match=r"^unknown shift 'typo': did you mean 'typos'"):
        expand(coins(shifts=["typo"]))
    with pytest.raises(StudyError, match=r"^study: 'shifts' repeats typos; each may appear once"):
        coins(shifts=["typos", {"shift": "typos", "rate": 0.1}])
    parts = [{"shifts": [{"shift": "typos", "rate": rate, "name": "much"}]} for rate in (0.2, 0.4)]
    with pytest.raises(StudyError, match=r"^study: two parts "):
        expand(coins(parts=parts))


@pytest.mark.parametrize(
    ("task", "shift", "message"),
    [
        ("addition", "instruction", "shift 'instruction' on task addition: it has no instruction that could stand"
         " elsewhere; give one with 'text: ...'"),
        ("world-programs", "wording", "shift 'wording' on task world-programs: its questions and answers stand without"
         " words before them"),
        ("world-reading", "longer", "shift 'longer' on task world-reading: it has no length that could be set; generated"
         " tasks have"),
        ("multi-hop", {"shift": "longer", "by": 3}, "task 'multi-hop': hops must be a whole number from 1 to 4, not 5"),
        ("world-problems", {"shift": "longer", "by": 3}, "task world-problems brings its own test set 'longer', which has"
         " no settings"),
        ("addition", {"shift": "test-set", "task": "coin-flip"}, "shift 'coin-flip' on task addition: 200 of its 200"
         " items have an answer that the task's answer format cannot read back, first: "),
    ],
)  # fmt: skip
def test_a_task_that_cannot_take_a_shift_says_so_before_anything_runs(task: str, shift: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        expand(coins(tasks=[task], shifts=["none", shift]))
    assert str(caught.value).startswith(message)


# ---- perturbations of the prompt -----------------------------------------------------------------------------------


def test_demonstrations_are_the_same_in_another_order_or_fewer(tmp_path: Path) -> None:
    shifts = ["none", "demo-order", {"shift": "demo-order", "order": "reversed"}, "demo-count"]
    found = asked(coins(shifts=shifts), tmp_path / "d")
    clean = {row["item"]: blocks(row) for row in found["none"][1]}
    for label, (facts, rows) in found.items():
        (line,) = facts["ledger"]
        for row in rows:
            *demos, question = blocks(row)
            *before, as_before = clean[row["item"]]
            assert question == as_before
            assert len(before) == 4
            if label == "demo-order":
                assert sorted(demos) == sorted(before) != demos != before
            elif label == "demo-order-orderreversed":
                assert demos == before[::-1]
            elif label == "demo-count":
                assert (demos, len(line["ids"])) == (before[2:], 2)
                assert (row["item"], row["twin"]) == (row["twin"], row["item"])
    assert {label: facts.get("shift_spec") for label, (facts, _) in found.items()} == {
        "none": None,
        "demo-order": "demo-order",
        "demo-order-orderreversed": {"kind": "demo-order", "order": "reversed"},
        "demo-count": "demo-count",
    }
    grid = expand(coins(shifts=shifts))
    planned = {cell.shift: prompts_of(grid, cell, None).demonstrations for cell in grid.cells}
    assert planned["none"] == 4


def test_what_is_under_way_is_said_with_its_shift() -> None:
    plain, shifted = expand(coins(shifts=["none", "typos"], labels=[8])).cells
    assert "shift" not in plain.under_way
    assert shifted.under_way == plain.under_way.replace(" · 8 labels", " · shift typos · 8 labels")


def test_what_shows_no_demonstration_is_left_out_where_these_are_perturbed() -> None:
    grid = expand(coins(shifts=["none", "demo-order", "wording"], labels=[0, 8]))
    assert [(cell.labels, cell.shift) for cell in grid.cells] == [
        (0, "none"),
        (0, "wording"),
        (8, "none"),
        (8, "demo-order"),
        (8, "wording"),
    ]
    assert "shift demo-order: no demonstrations to change, left out: answer-only-shots4 at 0 labels" in grid.notes


def test_demonstrations_too_few_to_be_perturbed_are_left_out() -> None:
    shifts = ["none", "demo-order", "demo-count", {"shift": "demo-count", "shots": 8, "name": "eight"}]
    methods = [{"prompt": "answer-only", "name": "all"}, {"prompt": "answer-only", "shots": 1, "name": "one"}]
    grid = expand(coins(shifts=shifts, methods=methods, labels=[1, 8, 9]))
    found = [(cell.method.name, cell.labels, cell.shift) for cell in grid.cells if cell.shift != "none"]
    assert found == [
        ("all", 8, "demo-order"),
        ("all", 8, "demo-count"),
        ("all", 9, "demo-order"),
        ("all", 9, "demo-count"),
        ("all", 9, "eight"),
    ]
    left = "all at 1 labels, {}one at 1 labels, one at 8 labels, one at 9 labels"
    for name, more in (("demo-order", ""), ("demo-count", ""), ("eight", "all at 8 labels, ")):
        assert f"shift {name}: no demonstrations to change, left out: {left.format(more)}" in grid.notes


def test_methods_whose_prompts_show_no_options_are_left_out_where_these_change_their_order(tmp_path: Path) -> None:
    rows = [{"question": f"{at} is even.", "answer": ["true", "false"][at % 2]} for at in range(8)]
    for name, part in (("train", rows[:2]), ("test", rows[2:])):
        pl.DataFrame([{**row, "choices": ["true", "false"]} for row in part]).write_ndjson(tmp_path / f"{name}.jsonl")
    files = {"train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl")}
    methods = [{"prompt": "answer-only", "name": "asked"}, {"prompt": "generate-then-read", "name": "read"}]
    grid = expand(
        coins(
            tasks=[{"name": "claims", "near_duplicates": "allow", **files}], methods=methods, labels=[2], items="all",
            shifts=["none", "option-order"],
        )
    )  # fmt: skip
    assert {(cell.method.name, cell.shift) for cell in grid.cells} == {
        ("asked", "none"),
        ("asked", "option-order"),
        ("read", "none"),
    }
    assert "task claims, shift option-order: the prompt shows no options, left out: read" in grid.notes


def test_a_statement_is_shifted_with_the_question_and_one_in_other_words_is_left_out(tmp_path: Path) -> None:
    said = [
        "Penguins normally migrate",
        "Factories purchase cocoa",
        "Orchestras need musicians",
        "Painters use colours",
    ]
    creak = [{"sentence": one, "label": ("true", "false")[at % 2]} for at, one in enumerate(said)]
    told = [
        {"question": f"{one}?", "statement": f"{one}.", "negation": f"It is false: {one}.", "answer": row["label"]}
        for one, row in zip(said, creak, strict=True)
    ]
    tasks = []
    for task, rows in (("creak", creak), ("com2sense", told)):
        for name, part in (("train", rows[:2]), ("test", rows[2:])):
            pl.DataFrame(part).write_ndjson(tmp_path / f"{task}-{name}.jsonl")
        files = {name: str(tmp_path / f"{task}-{name}.jsonl") for name in ("train", "test")}
        tasks.append({"name": task, "near_duplicates": "allow", **files})
    methods = [{"prompt": one, "name": one} for one in ("answer-only", "maieutic")]
    study = coins(tasks=tasks, methods=methods, labels=[2], items="all", shifts=["none", "casing", "option-order"])
    grid = expand(study)
    cells = [(cell.task, cell.method.name, cell.shift) for cell in grid.cells]
    assert sorted(cells) == [
        ("com2sense", "answer-only", "casing"),
        ("com2sense", "answer-only", "none"),
        ("com2sense", "answer-only", "option-order"),
        ("com2sense", "maieutic", "none"),
        ("creak", "answer-only", "casing"),
        ("creak", "answer-only", "none"),
        ("creak", "answer-only", "option-order"),
        ("creak", "maieutic", "casing"),
        ("creak", "maieutic", "none"),
    ]
    for item in grid.items("creak", "casing"):
        assert item.question.isupper()
        assert item.meta["statement"] == item.question
    assert [note for note in grid.notes if "casing" in note] == [
        "task com2sense, shift casing: statements and negations in words of their own are not rewritten with the question,"
        " left out: maieutic"
    ]


def test_questions_are_asked_in_other_words_and_the_instruction_stands_elsewhere(tmp_path: Path) -> None:
    rows = [{"question": f"Is {n} even?", "answer": ("yes", "no")[n % 2]} for n in range(12)]
    for name, part in (("train", rows[:8]), ("test", rows[8:])):
        pl.DataFrame(part).write_ndjson(tmp_path / f"{name}.jsonl")
    files = {"train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl")}
    shifts = ["none", "wording", "instruction", {"shift": "instruction", "at": "first", "text": "", "name": "bare"}]
    task = {"name": "even", **files, "instruction": "Answer yes or no.", "labels": ["yes", "no"]}
    study = coins(tasks=[task], shifts=shifts, labels=[4])
    found = asked(study, tmp_path / "d")
    first = {label: blocks(rows[0]) for label, (_, rows) in found.items()}
    assert first["none"][0] == "Answer yes or no."
    assert first["wording"] == [one.replace("Question:", "Q:").replace("Answer:", "A:") for one in first["none"]]
    assert first["wording"][-1].endswith("\nA:")
    assert first["instruction"] == [*first["none"][1:5], "Answer yes or no.", first["none"][5]]
    assert first["bare"] == first["none"][1:]
    said = {cell.shift: cell.shift_said for cell in expand(study).cells}
    assert said["none"] is None
    assert len({json.dumps(one) for one in said.values()}) == 4


# ---- other test sets -----------------------------------------------------------------------------------------------


def test_another_task_or_a_file_with_columns_of_its_own_is_a_test_set(tmp_path: Path) -> None:
    rows = [{"body": f"What is {n} + 1?", "gold": n + 1} for n in range(5)]
    pl.DataFrame(rows).write_csv(tmp_path / "far.csv")
    (tmp_path / "s.yaml").write_text(
        """
name: s
models: [{spec: "scripted:none.json", label: fake}]
tasks: [{name: addition, pool: 10, test: 8}]
methods: [cot]
labels: 4
seeds: 1
items: 5
shifts:
  - none
  - longer
  - {shift: test-set, task: {name: addition, digits: 5, pool: 1, test: 6}}
  - {shift: test-set, name: far, test: far.csv, columns: {question: body, answer: gold}}
"""
    )
    grid = expand(read_study(tmp_path / "s.yaml"))
    asked = {cell.shift: grid.items("addition", cell.shift) for cell in grid.cells}
    assert list(asked) == ["none", "longer", "addition-digits5-pool1-test6", "far"]
    assert all(item.meta["digits"] == 5 for item in (*asked["longer"], *asked["addition-digits5-pool1-test6"]))
    assert {item.question for item in asked["far"]} == {row["body"] for row in rows}
    assert all(item.twin is None for name, items in asked.items() if name != "none" for item in items)
    limits = {cell.shift: grid.asked(cell).rationale_tokens for cell in grid.cells}
    assert limits["longer"] == limits["addition-digits5-pool1-test6"] > limits["none"] == limits["far"]
    assert len({cell.id for cell in grid.cells}) == 4


def test_a_test_set_that_holds_labelled_examples_is_refused(tmp_path: Path) -> None:
    grid: Grid = expand(coins(tasks=[{"name": "addition", "pool": 10, "test": 8}]))
    (task,) = grid.tasks.values()
    rows = [{"question": one.question, "answer": one.answer} for one in (task.pool[0], *task.test[:3])]
    pl.DataFrame(rows).write_ndjson(tmp_path / "far.jsonl")
    shift = {"shift": "test-set", "test": str(tmp_path / "far.jsonl")}
    with pytest.raises(DataError) as caught:
        expand(coins(tasks=[{"name": "addition", "pool": 10, "test": 8}], shifts=[shift]))
    assert str(caught.value) == (
        "shift 'far' on task addition: 1 of its 4 items are labelled examples of the task, first:"
        f" {replace(task.pool[0]).question!r}"
    )


def test_items_that_a_rewrite_left_as_they_are_are_counted(tmp_path: Path) -> None:
    rows = [{"question": text, "answer": "yes"} for text in ("Is 1 + 1 = 2?", "Is the mountain colder in winter?")]
    for name, part in (("train", [{"question": "Does it?", "answer": "no"}]), ("test", rows)):
        pl.DataFrame(part).write_ndjson(tmp_path / f"{name}.jsonl")
    files = {"train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl")}
    study = coins(tasks=[{"name": "t", **files}], shifts=["typos"], labels=[1], items="all")
    note = "task t, shift typos: 1 of 2 test items have nothing that it changes and are asked as they are"
    assert note in expand(study).notes
    assert asked(study, tmp_path / "d")["typos"][0]["unchanged"] == 1
