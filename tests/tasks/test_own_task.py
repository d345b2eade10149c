"""The user's own JSON lines: formats, chance, every refusal by its whole message, and SST-2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from onset.answers import ChoiceFormat, NumberFormat, TextFormat
from onset.errors import DataError
from onset.tasks import open_tasks
from onset.tasks.base import Task

TRAIN = [{"question": "Where is my parcel?", "answer": "shipping"}, {"question": "Pay me back.", "answer": "refund"}]
TEST = [{"question": "It never came.", "answer": "shipping"}]


class Files:
    """Writes files into the working folder and opens the task ``tickets`` made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, rows: list[Any]) -> str:
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return name

    def open(self, train: list[Any], test: list[Any], **more: Any) -> Task:
        spec = {"train": self.write("train.jsonl", train), "test": self.write("test.jsonl", test)}
        (task,) = open_tasks({"name": "tickets", **spec, **more})
        return task

    def refusal(self, train: list[Any], test: list[Any], **more: Any) -> str:
        with pytest.raises(DataError) as caught:
            self.open(train, test, **more)
        assert "\n" not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.chdir(tmp_path)
    return Files(tmp_path)


def choice(question: str, answer: str, *choices: str) -> dict[str, object]:
    return {"question": question, "answer": answer, "choices": list(choices)}


# ------------------------------------------------------------------------------------------- what is read


def test_texts_are_the_format_when_nothing_else_fits(files: Files) -> None:
    task = files.open(TRAIN, TEST)
    assert isinstance(task.format, TextFormat)
    assert (task.name, task.ability, task.chance, task.instruction) == ("tickets", "own", 0.0, "")
    assert (task.answer_tokens, task.rationale_tokens, task.test_sets) == (24, 256, ())
    assert task.source == "train.jsonl: 2 items; test.jsonl: 1 items"
    assert [item.question for item in task.pool] == ["Where is my parcel?", "Pay me back."]


def test_numbers_are_the_format_when_every_answer_is_one(files: Files) -> None:
    answers: list[Any] = [18, -3, 2.5, "$1,000", "1/2", "7"]
    task = files.open([{"question": f"q {n}", "answer": n} for n in answers], [{"question": "t", "answer": 4}])
    assert isinstance(task.format, NumberFormat)
    assert [item.answer for item in task.pool] == ["18", "-3", "2.5", "$1,000", "1/2", "7"]


def test_one_answer_in_words_makes_it_text_and_a_given_format_wins(files: Files) -> None:
    rows = [{"question": "a", "answer": "3"}, {"question": "b", "answer": "four"}]
    assert isinstance(files.open(rows, TEST).format, TextFormat)
    numbers = [{"question": "a", "answer": "3"}]
    assert isinstance(files.open(numbers, [{"question": "b", "answer": "4"}], format="text").format, TextFormat)


def test_choices_give_the_format_and_chance_is_their_mean_over_the_test_items(files: Files) -> None:
    test = [choice("b", "x", "x", "y"), choice("c", "x", "x", "y", "z", "w")]
    task = files.open([choice("a", "x", "x", "y", "z")], test)
    assert isinstance(task.format, ChoiceFormat)
    assert task.chance == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert files.open([choice("a", "x", "x", "y")], test, chance=0.4).chance == 0.4


def test_numbers_among_choices_are_choices(files: Files) -> None:
    row = {"question": "a", "answer": 3, "choices": [3, 4]}
    task = files.open([row], [{**row, "question": "b"}])
    assert isinstance(task.format, ChoiceFormat)
    assert (task.pool[0].answer, task.pool[0].choices) == ("3", ("3", "4"))


def test_optional_columns_and_further_keys(files: Files) -> None:
    row: dict[str, object] = {"question": " a ", "answer": "x", "rationale": "because", "context": "passage"}
    row |= {"id": 7, "topic": "t", "tags": ["u"]}
    task = files.open([row], [{**TEST[0], "rationale": None, "context": ""}], ability="robustness", instruction="Sort.")
    item = task.pool[0]
    assert (item.question, item.rationale, item.context) == ("a", "because", "passage")
    assert dict(item.meta) == {"id": 7, "topic": "t"}
    assert (task.test[0].rationale, task.test[0].context) == (None, None)
    assert (task.ability, task.instruction) == ("robustness", "Sort.")


def test_token_limits_follow_the_longest_text_of_train_or_are_given(files: Files) -> None:
    long = {"question": "a", "answer": "word " * 40, "rationale": "so " * 300}
    task = files.open([long, *TRAIN], TEST)
    assert (task.answer_tokens, task.rationale_tokens) == (130, 480)
    task = files.open([long, *TRAIN], TEST, answer_tokens=9, rationale_tokens=10)
    assert (task.answer_tokens, task.rationale_tokens) == (9, 10)


def test_blank_lines_a_byte_order_mark_and_odd_separators_inside_text(files: Files) -> None:
    task = files.open(["﻿" + json.dumps(TRAIN[0]), "", '{"question": "a\u2028b", "answer": "c"}'], TEST)
    assert [item.question for item in task.pool] == ["Where is my parcel?", "a\u2028b"]


def test_named_test_sets_are_kept_in_order(files: Files) -> None:
    mail = files.write("mail.jsonl", [{"question": "By mail.", "answer": "refund"}])
    task = files.open(TRAIN, TEST, test_sets={"mail": mail})
    assert [(name, [item.question for item in items]) for name, items in task.test_sets] == [("mail", ["By mail."])]


# ------------------------------------------------------------------------------------------- refusals of rows


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{not json}", "not JSON (Expecting property name enclosed in double quotes at column 2)"),
        ('{"question": "a", "answer": "b", "answer": "c"}', "not JSON (the key 'answer' stands twice in one object)"),
        ('{"question": "a", "answer": NaN}', "not JSON (NaN is no JSON number)"),
        ("[1]", "expected a JSON object, found a list"),
        ({"text": "a", "answer": "b"}, "expected column 'question', found columns: answer, text"),
        ({"question": "a"}, "expected column 'answer', found columns: question"),
        ({}, "expected column 'question', found columns: none"),
        ({"question": " ", "answer": "b"}, "question is empty; write 'empty: drop' to leave such rows out"),
        ({"question": "a", "answer": ""}, "answer is empty"),
        (r'{"question": "a\ud800", "answer": "b"}', "question holds half a surrogate pair at character 2"),
        (r'{"question": "a", "answer": "b", "n": "\ud800"}', "column 'n' holds half a surrogate pair at character 1"),
        (
            r'{"question": "a", "answer": "b", "\ud800": 1}',
            r"column '\ud800' holds half a surrogate pair at character 1",
        ),
        ({"question": "a", "answer": "b", "n": 10**400}, "column 'n' holds a number larger than a float can be"),
        ({"question": 3, "answer": "b"}, "question must be text, found a number"),
        ({"question": "a", "answer": {"b": 1}}, "answer must be text, found an object"),
        ({"question": "a", "answer": True}, "answer must be text, found true or false"),
        ({"question": "a", "answer": None}, "answer must be text, found null"),
        ({"question": "a", "answer": "b", "rationale": 1}, "rationale must be text, found a number"),
        (choice("a", "z", "x", "y"), "answer 'z' is not among the choices: x; y"),
        (choice("a", "x", "x"), "choices must be a list of at least two, found ['x']"),
        (choice("a", "x", "x", "x"), "choices must differ, found ['x', 'x']"),
        (choice("a", "x", "x", "y"), "this item has choices, the first item of train has none"),
        (
            {"question": "a", "answer": "He left. She too."},
            "TextFormat cannot read the answer 'He left. She too.' back from a text",
        ),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(files: Files, row: Any, message: str) -> None:
    assert files.refusal([*TRAIN, "", row], TEST) == f"task 'tickets': train.jsonl, line 4: {message}"


def test_a_number_format_refuses_words(files: Files) -> None:
    assert files.refusal(TRAIN, TEST, format="number") == (
        "task 'tickets': train.jsonl, line 1: gold answer 'shipping': expected a number"
    )


def test_missing_files_and_empty_splits(files: Files) -> None:
    assert files.refusal([], TEST) == "task 'tickets': train.jsonl: train is empty, at least one row is needed"
    assert files.refusal(TRAIN, [""]) == "task 'tickets': test.jsonl: test is empty, at least one row is needed"
    assert files.refusal(TRAIN, TEST, test_sets={"mail": "no.jsonl"}) == "task 'tickets': no file 'no.jsonl' for mail"
    assert files.refusal(TRAIN, TEST, test_sets={"mail": "."}) == (
        "task 'tickets': . is a folder that save_to_disk did not write; what can be read: .jsonl, .json, .csv, .tsv, "
        ".parquet, or a folder written by save_to_disk of the library datasets"
    )
    (files.folder / "latin.jsonl").write_bytes(b'{"question": "caf\xe9", "answer": "b"}')
    assert files.refusal(TRAIN, TEST, test_sets={"mail": "latin.jsonl"}) == (
        "task 'tickets': cannot read 'latin.jsonl' for mail: not UTF-8 text"
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"chance": 1.5}, "chance must be from 0 to below 1, not 1.5"),
        ({"chance": 1}, "chance must be from 0 to below 1, not 1"),
        ({"format": "numbers"}, "format must be one of number, choice, text, open, not 'numbers'"),
        ({"format": "choice"}, "format 'choice' needs choices on every item, train.jsonl has none"),
        (
            {"ability": "magic"},
            "ability must be one of complex reasoning, knowledge reasoning, robustness, symbolic, own, not 'magic'",
        ),
        ({"duplicates": "keep"}, "duplicates must be 'refuse' or 'drop', not 'keep'"),
        ({"empty": "keep"}, "empty must be one of refuse, drop, not 'keep'"),
        ({"instruction": 3}, "instruction must be text, not 3"),
        ({"answer_tokens": 0}, "answer_tokens must be a whole number from 1 to 1000000, not 0"),
        ({"test_sets": "mail.jsonl"}, "test_sets must map names to files, not 'mail.jsonl'"),
        (
            {"test_sets": {2023: "mail.jsonl"}},
            "the name of a test set must be text ('2023', in quotes), not 2023",
        ),
        ({"test_sets": {"typos": "mail.jsonl"}}, "a test set cannot be called 'typos', that name is taken"),
    ],
)
def test_bad_parameters(files: Files, more: dict[str, Any], message: str) -> None:
    assert files.refusal(TRAIN, TEST, **more) == f"task 'tickets': {message}"


# ------------------------------------------------------------------------------------------- duplicates, overlap

AGAIN = {"question": "where  is MY parcel?\t", "answer": "Shipping"}
CONFLICT = {"question": "Pay me  back.", "answer": "shipping"}


def test_duplicates_are_refused_with_count_and_first_line(files: Files) -> None:
    assert files.refusal([*TRAIN, AGAIN, AGAIN], TEST) == (
        "task 'tickets': train.jsonl: 2 duplicate items in train, first at line 3 (same question as line 1); "
        "write 'duplicates: drop' to drop them"
    )
    assert files.refusal([*TRAIN, CONFLICT, AGAIN], TEST) == (
        "task 'tickets': train.jsonl: 3 duplicate items in train, 2 of them with different answers, first at line 3 "
        "(same question as line 2); write 'duplicates: drop' to drop them"
    )


def test_dropping_keeps_the_first_of_equals_and_none_of_a_conflict(files: Files) -> None:
    task = files.open([*TRAIN, CONFLICT, AGAIN], TEST, duplicates="drop")
    assert [item.question for item in task.pool] == ["Where is my parcel?"]
    assert task.source == (
        "train.jsonl: 1 items; test.jsonl: 1 items; 3 duplicates dropped from train, 2 of them with different answers"
    )


def test_the_same_question_of_another_passage_or_with_other_choices_is_no_duplicate(files: Files) -> None:
    about = [{**TRAIN[0], "context": "one"}, {**TRAIN[0], "context": "two"}]
    assert len(files.open(about, TEST).pool) == 2
    which = [choice("Which?", "x", "x", "y"), choice("Which?", "z", "z", "w")]
    assert len(files.open(which, [choice("b", "x", "x", "y")]).pool) == 2
    shuffled = [choice("Which?", "x", "x", "y"), choice("Which?", "x", "y", "x")]
    assert files.refusal(shuffled, [choice("b", "x", "x", "y")]) == (
        "task 'tickets': train.jsonl: 1 duplicate item in train, first at line 2 (same question as line 1); "
        "write 'duplicates: drop' to drop them"
    )


def test_overlap_with_any_test_set_is_refused_whatever_the_answer(files: Files) -> None:
    leak = {"question": "IT never came.", "answer": "refund"}
    assert files.refusal([*TRAIN, leak], TEST) == (
        "task 'tickets': train.jsonl: 1 training item also in test (test.jsonl), first at line 3 (line 1 of test); "
        "write 'duplicates: drop' to drop them from train"
    )
    mail = files.write("mail.jsonl", [{"question": "By mail.", "answer": "refund"}, *TRAIN])
    assert files.refusal(TRAIN, TEST, test_sets={"mail": mail}) == (
        "task 'tickets': train.jsonl: 2 training items also in mail (mail.jsonl), first at line 1 (line 2 of mail); "
        "write 'duplicates: drop' to drop them from train"
    )


def test_dropping_overlap_takes_from_train_only(files: Files) -> None:
    mail = files.write("mail.jsonl", [TRAIN[0]])
    task = files.open([*TRAIN, *TEST], TEST, test_sets={"mail": mail}, duplicates="drop")
    assert [item.question for item in task.pool] == ["Pay me back."]
    assert (len(task.test), len(task.test_sets[0][1])) == (1, 1)
    assert task.source == (
        "train.jsonl: 1 items; test.jsonl: 1 items; mail.jsonl: 1 items; 1 item dropped from train: also in test; "
        "1 item dropped from train: also in mail"
    )
    assert files.refusal(TEST, TEST, duplicates="drop") == (
        "task 'tickets': train.jsonl: train is empty once duplicates are dropped"
    )


# ------------------------------------------------------------------------------------------- SST-2


def sst2(**more: str) -> Task:
    folder = shared("data", "sentiment")
    files = {"train": folder / "sst2_train.jsonl", "test": folder / "sst2_test.jsonl"}
    sets = {"customer-reviews": folder / "customer_reviews.jsonl"}
    (task,) = open_tasks({"name": "sst2", **files, "test_sets": sets, **more})
    return task


@pytest.mark.slow
def test_sst2_has_duplicates_overlap_and_empty_questions_and_loads_when_told_to_drop_them() -> None:
    task = sst2(duplicates="drop", empty="drop")
    reviews = dict(task.test_sets)["customer-reviews"]
    # 6,920 training rows: 9 repeats; "no. ." and "what 's next ?" (there twice) are test questions too.
    # 3,775 reviews: 4 empty, under both labels; 6 repeats
    assert (len(task.pool), len(task.test), len(reviews)) == (6909, 1821, 3765)
    assert task.source.endswith(
        "4 without a question dropped from customer-reviews; 9 duplicates dropped from train; "
        "6 duplicates dropped from customer-reviews; 2 items dropped from train: also in test; "
        "2 items of customer-reviews nearly repeat an earlier one (first line 1843, like line 1589)"
    )
    assert isinstance(task.format, ChoiceFormat)
    assert task.chance == 0.5


def test_sst2_is_refused_until_told_what_to_do() -> None:
    with pytest.raises(DataError, match=r"customer_reviews\.jsonl, line 769: question is empty; write 'empty: drop'"):
        sst2()
    with pytest.raises(DataError, match=r"sst2_train\.jsonl: 9 duplicate items in train, first at line 1118 "):
        sst2(empty="drop")
