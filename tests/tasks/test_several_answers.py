"""Items with several right answers, from the file to records, exports and the page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import shared

from onset.analysis.estimates.classification import classified
from onset.analysis.outcomes.scores import cell_scores
from onset.analysis.study import analyse
from onset.answers import NumberFormat, OpenFormat, TextFormat
from onset.errors import DataError
from onset.grading import grade
from onset.models.scripted import Rule, ScriptedModel
from onset.prompting.text import answer_text
from onset.read.base import Sizes
from onset.read.jsonl import read as read_texts
from onset.records import Item, content_hash
from onset.report.items import pack
from onset.results.read import Results, load
from onset.shifts.typos import Typos
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import format_for, open_tasks
from onset.tasks.base import Task
from onset.tasks.near import Sketch, near_across
from onset.write.base import export

TRAIN = [
    {"question": "Who wrote Good Omens?", "answer": ["Terry Pratchett", "Neil Gaiman"]},
    {"question": "Who wrote Emma?", "answer": "Jane Austen"},
    {"question": "Who wrote Faust?", "answer": ["Goethe"]},
]
TEST = [
    {"question": "Where do they speak Scots?", "answer": ["Scotland", "Northern Ireland", "Ulster"]},
    {"question": "What is the capital of France?", "answer": ["Paris"]},
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, rows: list[dict[str, Any]]) -> str:
    Path(name).write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return name


def task(train: list[dict[str, Any]] = TRAIN, test: list[dict[str, Any]] = TEST, **more: Any) -> Task:
    files = {"train": write("train.jsonl", train), "test": write("test.jsonl", test)}
    (found,) = open_tasks({"name": "authors", **files, **more})
    return found


def refusal(train: list[dict[str, Any]] = TRAIN, test: list[dict[str, Any]] = TEST, **more: Any) -> str:
    with pytest.raises(DataError) as caught:
        task(train, test, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- what is read --------------------------------------------------------------------------------------------------


def test_a_list_is_several_right_answers_and_the_first_is_shown() -> None:
    found = task()
    assert found.format == OpenFormat()
    assert [item.golds for item in found.pool] == [("Terry Pratchett", "Neil Gaiman"), ("Jane Austen",), ("Goethe",)]
    assert answer_text(found.pool[0], rationale=False) == " The answer is Terry Pratchett."
    assert found.answer_tokens == 24


def test_a_list_of_one_is_that_answer_and_equal_answers_are_one() -> None:
    one, same = Item("q", "Goethe"), Item("q", "Goethe", others=())
    assert one.id == same.id == content_hash(["q", "Goethe", None, None])
    alone = task([TRAIN[2]], [{"question": "t", "answer": ["a b", "a b", 7]}, TEST[1]])
    assert alone.pool[0] == Item("Who wrote Faust?", "Goethe")
    assert alone.test[0].golds == ("a b", "7")
    assert task([TRAIN[2]], [TEST[1]]).format == TextFormat()


def test_the_id_is_of_all_right_answers_in_their_order() -> None:
    item = task().pool[0]
    ids = {item.id, replace(item, others=()).id, replace(item, others=("Gaiman",)).id}
    ids.add(replace(item, answer="Neil Gaiman", others=("Terry Pratchett",)).id)
    assert len(ids) == 4
    assert task().hash != task([{**TRAIN[0], "answer": "Terry Pratchett"}, *TRAIN[1:]], format="open").hash


def test_a_separator_or_parquet_gives_the_same_items() -> None:
    rows = [(row["question"], row["answer"]) for row in TRAIN]
    lines = [f"{question},{'|'.join(answer) if isinstance(answer, list) else answer}" for question, answer in rows]
    Path("train.csv").write_text("\n".join(["question,answer", *lines]))
    write("test.jsonl", TEST)
    held = [answer if isinstance(answer, list) else [answer] for _, answer in rows]
    pl.DataFrame({"question": [question for question, _ in rows], "answer": held}).write_parquet("train.parquet")
    spec = {"name": "authors", "test": "test.jsonl", "near_duplicates": "allow"}
    for more in ({"train": "train.csv", "answer_separator": "|"}, {"train": "train.parquet"}):
        (found,) = open_tasks({**spec, **more})
        assert (found.pool, found.hash) == (task().pool, task().hash)


def test_numbers_and_texts_may_have_several_too() -> None:
    numbers = [{"question": "a", "answer": [1, 2.5]}, {"question": "b", "answer": 3}]
    found = task(numbers, [{"question": "t", "answer": ["4", 5]}], format="number")
    assert (found.format, found.test[0].golds) == (NumberFormat(), ("4", "5"))
    assert task(numbers, [{"question": "t", "answer": 4}]).format == OpenFormat()
    assert task(format="text").format == TextFormat()


CHOICE = {"question": "q", "answer": ["a", "b"], "choices": ["a", "b"]}


@pytest.mark.parametrize(
    ("row", "more", "message"),
    [
        ({"answer": []}, {}, "answer is an empty list, at least one right answer is needed"),
        ({"answer": ["a", " "]}, {}, "answer is empty"),
        ({"answer": ["a", None]}, {}, "answer must be text, found null"),
        ({"answer": ["a", ["b"]]}, {}, "answer must be text, found a list"),
        (CHOICE, {}, "a row with choices has one right answer, found ['a', 'b']"),
        ({"answer": "a||b"}, {"answer_separator": "|"}, "answer is empty"),
        ({"answer": ["x"]}, {"labels": ["x", "y"]}, "answer ['x'] is not among the labels x and y"),
        (
            {"answer": ["Sen. Barack Obama", "Mt. Begbie"]},
            {},
            "OpenFormat cannot read the answer 'Sen. Barack Obama' or any other right one back from a text;"
            " write 'unreadable: drop' to leave such rows out",
        ),
        ({"answer": ["a", "many"]}, {"format": "number"}, "gold answer 'a': expected a number"),
    ],
)
def test_refusals_say_the_line(row: dict[str, Any], more: dict[str, Any], message: str) -> None:
    assert refusal([{"question": "q", **row}], **more) == f"task 'authors': train.jsonl, line 1: {message}"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"answer_separator": " "}, "answer_separator must be what stands between answers ('|'), not ' '"),
        ({"answer_separator": 7}, "answer_separator must be what stands between answers ('|'), not 7"),
        (
            {"answer_separator": "|", "labels": ["a", "b"]},
            "answer_separator goes with answers in words, not with labels or choices",
        ),
        ({"unreadable": "keep"}, "unreadable must be one of refuse, drop, not 'keep'"),
    ],
)
def test_refusals_of_settings(more: dict[str, Any], message: str) -> None:
    assert refusal(**more) == f"task 'authors': {message}"


def test_answers_that_no_text_can_state_are_dropped_or_counted() -> None:
    rows = [
        *TRAIN,
        {"question": "Who?", "answer": ["Sen. Obama"]},
        {"question": "Whom?", "answer": ["Obama", "Sen. B"]},
    ]
    found = task(rows, unreadable="drop")
    assert [item.question for item in found.pool] == [row["question"] for row in (*TRAIN, rows[4])]
    assert "; 1 whose answer cannot be read back dropped from train; " in found.source
    assert found.notes == (
        "1 right answer cannot be read back from a text of train, others of the same items can (first line 5, 'Sen. B')",
    )
    assert refusal([rows[3]], unreadable="drop") == (
        "task 'authors': train.jsonl: train is empty once rows without a readable answer are dropped"
    )


def test_the_same_question_with_other_right_answers_is_a_conflict() -> None:
    again = {"question": "who wrote  good omens?", "answer": ["Neil Gaiman", "terry pratchett"]}
    assert "1 duplicate item in train, first at line 4" in refusal([*TRAIN, again])
    assert "with different answers, first at line 4" in refusal([*TRAIN, {**again, "answer": "Neil Gaiman"}])


def test_a_near_duplicate_that_shares_a_right_answer_is_a_leak() -> None:
    text = "which of the two men who wrote the book about good omens was the elder"
    test = [Sketch(Item(text, "Terry Pratchett", others=("Pratchett",)))]
    for golds, kind in ((("Sir Terry", "Pratchett"), "same"), (("Neil Gaiman", "Gaiman"), "differing")):
        train = [Sketch(Item(f"{text}?!", golds[0], others=golds[1:]))]
        assert getattr(near_across(train, test), kind) == ((0, 0),)


def test_typing_errors_leave_the_words_of_every_right_answer_alone() -> None:
    item = Item("They speak Gaelic and Scots tongue around Scotland together", "Scots tongue", others=("Gaelic",))
    (task,) = open_tasks({"name": "addition", "pool": 1, "test": 1})
    for seed in range(30):
        twin = Typos(rate=0.5, seed=seed).rewrite(item, task)
        assert {"Gaelic", "Scots", "tongue"} <= set(twin.question.split())
        assert twin.golds == item.golds


# ---- the table's way through a run ---------------------------------------------------------------------------------

SCOTS = [
    " The answer is Scotland.",
    " The answer is Ulster.",
    " Ulster.",
    " France.",
    " the Ulster",
    " I do not know it.",
]


def measure(model: ScriptedModel, test: list[dict[str, Any]], out: str, **method: Any) -> Results:
    write("train.jsonl", TRAIN)
    write("test.jsonl", test)
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "authors", "train": "train.jsonl", "test": "test.jsonl"}],
        methods=[{"prompt": "answer-only", "shots": 1, "name": "m", **method}],
        labels=[1],
        seeds=1,
        items="all",
    )
    run(study, Path(out), models={"fake": model})
    return load(out)


@pytest.fixture
def measured() -> Results:
    scores = {" Scotland.": -0.25, " Ulster.": -0.125, " Northern Ireland.": -4.0}
    rules = [Rule("Scots", tuple(SCOTS), scores), Rule("capital of France", (" It is Paris.",))]
    model = ScriptedModel(rules, default=" No.")
    return measure(model, TEST, "out", vote=6)


def of(results: Results, question: str) -> dict[str, Any]:
    (row,) = results.records.filter(pl.col("question") == question).to_dicts()
    return row


def test_a_vote_counts_each_right_answer_by_itself_and_any_is_right(measured: Results) -> None:
    row = of(measured, TEST[0]["question"])
    assert Counter(row["answers"]) == {"ulster": 3, "scotland": 1, "france": 1, "i do not know it": 1}
    assert (row["answer"], row["correct"], row["rights"]) == ("ulster", True, [True, True, True, False, True, False])
    assert (row["gold"], row["golds"]) == ("Scotland", TEST[0]["answer"])
    other = of(measured, TEST[1]["question"])
    assert (other["gold"], other["golds"], other["answer"], other["correct"]) == ("Paris", [], "it is paris", False)


def test_the_log_probability_is_that_of_the_first(measured: Results) -> None:
    row = of(measured, TEST[0]["question"])
    assert (row["gold_logprob"], row["gold_prob"]) == (-0.25, None)


def test_the_scores_of_the_samples_know_of_several(measured: Results) -> None:
    (scores,) = cell_scores(measured).values()
    place = measured.records["question"].to_list().index(TEST[0]["question"])
    assert scores["pass rate"][place] == pytest.approx(4 / 6)
    assert "edit similarity" not in scores


def test_answers_of_which_one_has_equals_are_no_labels() -> None:
    rows = [{"question": f"Is {n} even?", "answer": ["yes", "no"][n % 2]} for n in range(12)]
    model = ScriptedModel({"even": " The answer is yes."}, default=" No.")
    (one,), _ = classified(analyse(measure(model, rows, "labels")).measured)
    assert one.said.gold == (6, 6)
    rows[0]["answer"] = ["yes", "yeah"]
    assert classified(analyse(measure(model, rows, "several")).measured) == ((), {})


def test_exports_and_the_page_have_all_right_answers(measured: Results) -> None:
    golds = TEST[0]["answer"]
    line = next(
        row
        for file in export(Path("out"), Path("lm"), "lm-eval")
        if file.suffix == ".jsonl"
        for row in map(json.loads, file.read_text().splitlines())
        if row["doc"]["question"] == TEST[0]["question"]
    )
    assert line["target"] == line["doc"]["answer"] == golds
    shared_schema = [
        json.loads(text)
        for file in export(Path("out"), Path("every"), "every-eval-ever")
        if file.suffix == ".jsonl"
        for text in file.read_text().splitlines()
    ]
    assert sorted(row["input"]["reference"] for row in shared_schema) == [["Paris"], golds]
    packed = pack(analyse(measured).measured.cells.to_dicts(), measured.records)
    content = json.loads(gzip.decompress(base64.b64decode(packed.data)))
    shown = [content["texts"][number] for number in content["rows"]["gold"]]
    assert sorted(shown) == ["Paris", "Scotland; Northern Ireland; Ulster"]


def test_an_older_record_without_the_column_is_read(measured: Results) -> None:
    (cell,) = Path("out/cells").iterdir()
    old = pl.read_parquet(cell / "records.parquet").drop("golds")
    old.write_parquet(cell / "records.parquet")
    digest = hashlib.sha256((cell / "records.parquet").read_bytes()).hexdigest()
    (cell / "done.json").write_text(json.dumps({"records": len(old), "sha256": digest}))
    assert load("out").records["golds"].to_list() == [None, None]
    assert export(Path("out"), Path("lm-old"), "lm-eval")


# ---- texts from anywhere -------------------------------------------------------------------------------------------


def test_a_target_may_be_a_list() -> None:
    rows = [
        {"prediction": "The answer is Ulster.", "target": ["Scotland", "Ulster"]},
        {"prediction": "The answer is the Ulster.", "target": "Ulster"},
        {"prediction": "Wales", "target": ["Scotland", "Ulster"]},
        {"prediction": "It is 7.0", "target": [7, 8]},
    ]
    done = grade(rows[:3], lambda row: format_for("own", row))
    assert [row["correct"] for row in done["rows"]] == [True, True, False]
    assert grade(rows[3:], lambda row: format_for("number", row))["summary"]["accuracy"] == 1
    assert (format_for("own", rows[0]), format_for("own", rows[1])) == (OpenFormat(), TextFormat())
    (outcomes,) = read_texts(Path(write("texts.jsonl", rows[:3])), Sizes(), task="own", texts=True)
    assert outcomes.values.tolist() == [[1, 1, 0]]
    assert [text.gold for text in outcomes.outputs.texts[0] if text] == [
        "Scotland; Ulster",
        "Ulster",
        "Scotland; Ulster",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"target": []}, "target: expected at least one right answer, found an empty list"),
        ({"target": ["a", None]}, "target: expected text or a number, found null"),
        ({"target": ["a", "b"], "choices": ["a", "b"]}, "target: expected one right answer, since the row has choices"),
    ],
)
def test_targets_that_are_no_right_answers_are_refused(row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        grade([{"prediction": "x", **row}], lambda row: format_for("own", row))
    assert str(caught.value) == f"rows, line 1: {message}"


# ---- WebQuestions --------------------------------------------------------------------------------------------------


def test_webquestions_is_read_as_it_is_published() -> None:
    folder = shared("data", "webq")
    spec = {"name": "webq", "train": str(folder / "train.jsonl"), "test": str(folder / "test.jsonl")}
    (found,) = open_tasks({**spec, "near_duplicates": "drop", "unreadable": "drop"})
    assert found.format == OpenFormat()
    assert (len(found.pool), len(found.test)) == (3471, 2031)
    assert found.test[0].golds == ("Jamaican Creole English Language", "Jamaican English")
    assert found.test[0].meta == {"id": "0"}
