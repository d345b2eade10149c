"""Near duplicates: what is one and what is not, against a search of all pairs, and what a task does about them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from onset.errors import DataError
from onset.records import Item
from onset.tasks import open_tasks
from onset.tasks.base import Task
from onset.tasks.near import Sketch, clusters, folded, near_across, near_within

PARCEL = "Hello, where is my parcel? I ordered it on Monday and it has not arrived."


def pairs(ours: list[Item], theirs: list[Item]) -> dict[str, list[tuple[int, int]]]:
    found = near_across([Sketch(item) for item in ours], [Sketch(item) for item in theirs])
    return {"same": [*found.same], "differing": [*found.differing], "numbers": [*found.numbers]}


def only(kind: str | None, a: Item, b: Item) -> bool:
    """Is this, and nothing else, what ``a`` is to ``b``?"""
    wanted: dict[str, list[tuple[int, int]]] = {"same": [], "differing": [], "numbers": []}
    if kind:
        wanted[kind] = [(0, 0)]
    return pairs([a], [b]) == wanted


# ------------------------------------------------------------------------------------------- what is near


@pytest.mark.parametrize(
    ("a", "b", "near"),
    [
        (PARCEL, "hello where is my PARCEL -- I ordered it on monday, and it has not arrived!!", True),
        (PARCEL, "Hi, where is my parcel? I ordered it on Monday and it has not arrived.", True),
        (PARCEL, "Hello, where is my parcel? I ordered it on Tuesday and it has not come.", False),
        (PARCEL, "I ordered a parcel on Monday. Hello? It has not arrived, so where is it?", False),
        ("great movie", "Great movie!", True),  # short texts: equal once folded, or not at all
        ("great movie", "a great movie", False),
        ("not a great movie", "a great movie", False),
        ("我的包裹在哪里?", "我的包裹在哪里", True),
        ("मेरा पार्सल कहाँ है", "मेरा पार्सल कहीं है", False),
        ("?!", "?!", True),
        ("?!", "...", False),
    ],
)
def test_texts_are_near_by_their_runs_of_characters(a: str, b: str, near: bool) -> None:
    assert only("same" if near else None, Item(a, "x"), Item(b, "x"))


def test_folding_keeps_letters_marks_and_digits() -> None:
    assert folded("  It's 3 o'clock -- ＡＢＣ, naïve café\n") == "it s 3 o clock abc naïve café"


def test_another_answer_is_no_leak_and_other_numbers_are_another_problem() -> None:
    keys = "Ray owns {} keys and Pam has {} fewer of them. How many keys does Pam have now?"
    assert only("same", Item(keys.format(17, 7), "10"), Item(keys.format(17, 7) + "!", "10"))
    assert only("numbers", Item(keys.format(17, 7), "10"), Item(keys.format(19, 7), "12"))
    assert only("numbers", Item(keys.format(17, 7), "10"), Item(keys.format(19, 9), "10"))
    assert only("differing", Item(PARCEL, "refund"), Item(PARCEL + "!", "shipping"))


def test_passage_question_and_choices_have_to_be_near_each_by_itself() -> None:
    passage = "The lamp in the hall was repaired by Uma, who had learned the trade from her aunt Ida in Bern."
    who, where = "Who repaired the lamp in the hall?", "In which town did Uma learn her trade?"
    assert only("same", Item(who, "Uma", context=passage), Item(who, "Uma", context=passage.replace(",", "")))
    assert only(None, Item(who, "Uma", context=passage), Item(where, "Uma", context=passage))
    assert only(
        None, Item(who, "Uma", context=passage), Item(who, "Uma", context="Another passage of some length, on Uma.")
    )
    assert only(None, Item(PARCEL, "x", choices=("x", "y")), Item(PARCEL, "x", choices=("x", "z")))
    assert only("same", Item(PARCEL, "x", choices=("x", "y")), Item(PARCEL, "x", choices=("y", "x")))


def jaccard(a: str, b: str) -> float:
    first, second = ({text[i : i + 5] for i in range(len(text) - 4)} for text in (a, b))
    return len(first & second) / len(first | second)


def test_hashing_finds_what_a_search_of_all_pairs_finds() -> None:
    draw = random.Random(4)
    words = ["amber", "basket", "cellar", "dragon", "ember", "fountain", "garden", "harbour", "island", "journey"]
    texts: list[str] = []
    for _ in range(60):
        text = draw.choices(words, k=16)
        texts.append(" ".join(text))
        for changes in (1, 1, 2, 3):  # copies with some words changed lie on both sides of the threshold
            copy = list(text)
            for place in draw.sample(range(16), changes):
                copy[place] = draw.choice(words)
            texts.append(" ".join(copy))
    expected = {(j, i) for j in range(len(texts)) for i in range(j) if jaccard(texts[i], texts[j]) >= 0.8}
    assert 60 < len(expected) < 400
    sketches = [Sketch(Item(text, "x")) for text in texts]
    assert {place for place, _ in near_within(sketches)} == {j for j, _ in expected}
    assert all(pair in expected for pair in near_within(sketches))
    halves = sketches[::2], sketches[1::2]
    across = {2 * i for i, _ in near_across(*halves).same}
    assert across == {a for pair in expected for a, b in (pair, pair[::-1]) if a % 2 == 0 and b % 2 == 1}
    bound = clusters(sketches)
    assert all(bound[j] == bound[i] for j, i in expected)
    assert len(set(bound)) >= 30


def test_generated_problems_are_no_near_duplicates_of_each_other() -> None:
    for name in ("word-problems", "addition", "multi-hop", "world-problems", "world-programs", "world-reading"):
        for task in open_tasks(name):
            pool, test = ([Sketch(item) for item in items] for items in (task.pool, task.test))
            assert near_across(pool, test).same == (), name


def test_real_training_and_test_sets() -> None:
    folder = shared("data", "trec")
    items = [
        [Item(row["question"], row["answer"]) for row in map(json.loads, (folder / name).read_text().splitlines())]
        for name in ("train.jsonl", "test.jsonl")
    ]
    found = pairs(*items)
    # ten questions of the test set stand in the training set of TREC, one of them with another answer
    assert (len(found["same"]), len(found["differing"]), len(found["numbers"])) == (10, 1, 1)
    assert {items[0][place].question for place, _ in found["numbers"]} == {
        "Who was the 3rd president of the United States ?"
    }


# ------------------------------------------------------------------------------------------- what a task does


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def opened(train: list[tuple[str, str]], test: list[tuple[str, str]], **more: Any) -> Task:
    for name, rows in (("train", train), ("test", test)):
        lines = [json.dumps({"question": question, "answer": answer}) for question, answer in rows]
        Path(f"{name}.jsonl").write_text("\n".join(lines))
    (task,) = open_tasks({"name": "tickets", "train": "train.jsonl", "test": "test.jsonl", **more})
    return task


HI = PARCEL.replace("Hello", "Hi")
TRAIN = [("Pay me back.", "refund"), (HI, "shipping"), (PARCEL.replace("Hello", "Hey"), "shipping")]
TEST = [("It never came.", "shipping"), (PARCEL, "shipping")]


def test_a_near_duplicate_across_train_and_test_is_refused_by_default() -> None:
    with pytest.raises(DataError) as caught:
        opened(TRAIN, TEST)
    assert str(caught.value) == (
        "task 'tickets': train.jsonl: 2 training items nearly the same as an item of test (test.jsonl), first at line 2 "
        "(line 2 of test: 'Hello, where is my parcel? I ordered it on Monday and it ...'); write 'near_duplicates: drop'"
        " to drop them from train, or 'near_duplicates: allow'"
    )


def test_near_duplicates_are_dropped_from_train_or_allowed_and_always_named() -> None:
    within = "1 item of train nearly repeats an earlier one (first line 3, like line 2)"
    dropped = opened(TRAIN, TEST, near_duplicates="drop")
    assert [item.question for item in dropped.pool] == ["Pay me back."]
    assert len(dropped.test) == 2
    assert dropped.notes == (
        within,
        "2 items dropped from train: nearly the same as one of test (first line 2, line 2 of test)",
    )
    allowed = opened(TRAIN, TEST, near_duplicates="allow")
    assert len(allowed.pool) == 3
    assert allowed.notes == (
        within,
        "2 items of train kept: nearly the same as one of test (first line 2, line 2 of test)",
    )
    assert allowed.source == "train.jsonl: 3 items; test.jsonl: 2 items; " + "; ".join(allowed.notes)


def test_other_answers_and_other_numbers_are_named_and_kept() -> None:
    order = "Order {} was paid twice last week, please look into it and pay one back."
    train = [(HI, "refund"), (order.format(4711), "refund")]
    task = opened(train, [(PARCEL, "shipping"), (order.format(4712), "refund")])
    assert len(task.pool) == 2
    assert task.notes == (
        "1 item of train kept: nearly the same as one of test with another answer (first line 1, line 1 of test)",
        "1 item of train kept: one of test but for its numbers (first line 2, line 2 of test)",
    )


def test_nothing_left_is_said() -> None:
    with pytest.raises(DataError, match=r"train\.jsonl: train is empty once near duplicates are dropped$"):
        opened([(HI, "shipping")], TEST, near_duplicates="drop")
