"""Answers to open questions: SQuAD's normalisation as others compute it, and what is read of completions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onset.answers import NumberFormat, OpenFormat, TextFormat, canonical_text, normalised_answer
from onset.errors import DataError
from onset.grading import grade
from onset.prompting.answer_only import AnswerOnly
from onset.prompting.cot import Chain
from onset.records import Answer, Completion, Item, Score
from onset.tasks import open_tasks

THEIRS: list[list[str]] = json.loads((Path(__file__).parent / "fixtures" / "squad_normalised.json").read_text())
SCORED = json.loads((Path(__file__).parent / "fixtures" / "squad_scores.json").read_text())["rows"]
CARTHAGE = Item("where was ancient carthage located?", "Tunisia", others=("Tunis", "The Gulf of Tunis"))


@pytest.mark.parametrize(("text", "theirs"), THEIRS)
def test_the_normalisation_is_that_of_squad(text: str, theirs: str) -> None:
    assert normalised_answer(text) == (theirs or canonical_text(text))


@pytest.mark.parametrize("row", [row for row in SCORED if all(row["golds"])], ids=lambda row: repr(row["answer"]))
def test_both_scores_are_those_of_squad_over_all_right_answers(row: dict[str, Any]) -> None:
    value = normalised_answer(row["answer"])
    answer = Answer(value, "ok") if value is not None else Answer(None, "none")
    first, *others = row["golds"]
    found = OpenFormat().score(answer, Item("q", first, others=tuple(others)))
    # of a text without words the script says that it matches exactly and has F1 0
    assert found == Score(row["exact"], pytest.approx(1.0 if row["exact"] else row["f1"]))


def test_grading_and_voting_have_the_partial_score_and_number_formats_none() -> None:
    rows = [{"prediction": "The answer is Gulf of Tunis.", "target": ["Tunis", "Tunisia"], "partial": 7}]
    graded = grade([*rows, {"prediction": "I cannot say\nno", "target": "yes"}], lambda _: OpenFormat())
    assert [row.get("partial") for row in graded["rows"]] == [pytest.approx(0.5), 0.0]
    assert graded["summary"]["partial"] == pytest.approx(0.25)
    assert grade([{**rows[0], "target": "x"}], lambda _: TextFormat())["rows"][0].keys() == rows[0].keys() - {
        "partial"
    } | {"answer", "status", "correct"}


@given(st.text())
def test_only_a_text_without_anything_to_compare_has_none(text: str) -> None:
    assert (normalised_answer(text) is None) == (text.strip().removesuffix(".").strip() == "")


@pytest.mark.parametrize(
    ("text", "value", "right"),
    [
        (" The answer is Tunisia.", "tunisia", True),
        ("Tunisia", "tunisia", True),
        ("The answer is: **Tunis**", "tunis", True),
        ("The answer is the gulf of Tunis, of course.", "gulf of tunis of course", False),
        ("The answer is Gulf of Tunis!\nIt is in Africa.", "gulf of tunis", True),
        ("The answer is Tunisia. It lies in North Africa.", "tunisia", True),
        ("The answer is Tunis, Tunisia", "tunis tunisia", False),
        ("The answer is Carthage.", "carthage", False),
        (" Tunisia\n\nQuestion: where is Rome?\nAnswer: Italy", "tunisia", True),
        ("Carthage lay near today's Tunis, in the north of Tunisia, where its ruins can be seen.", None, False),
        ("Tunisia\nTunis", "tunisia", True),
        (" Tunisia\nYou are correct. Carthage was located in Tunisia.", "tunisia", True),
        ("Let us see.\nIt was near Tunis. The answer is Tunisia.", "tunisia", True),
        ("Carthage\nSo the answer is Tunis, or the answer is Tunisia.", None, False),
        ("Carthage lay near today's Tunis, in the north of Tunisia, where its ruins can be seen.\nTunis", None, False),
        ("", None, False),
    ],
)
def test_what_is_read_and_whether_it_is_right(text: str, value: str | None, right: bool) -> None:
    answer = OpenFormat().extract(text, CARTHAGE)
    assert (answer.value, OpenFormat().score(answer, CARTHAGE).correct) == (value, right)


def test_a_text_that_was_cut_before_its_answer_ended_has_none() -> None:
    assert OpenFormat().extract("The answer is the Gulf of", CARTHAGE, truncated=True).status == "truncated"
    assert OpenFormat().extract("The answer is Tunis. It is", CARTHAGE, truncated=True).value == "tunis"
    assert OpenFormat().extract(" Tunis\nYou are correct. The city", CARTHAGE, truncated=True).value == "tunis"
    assert OpenFormat().extract(" Tunis, in the north", CARTHAGE, truncated=True).status == "truncated"


def test_the_first_of_several_steps_is_no_answer() -> None:
    task = open_tasks({"name": "coin-flip", "flips": 2, "pool": 4, "test": 4})[0]
    task = replace(task, format=OpenFormat())
    cut = Completion(" Carthage was a city.\nIt lay near", 8, 20, None, "length")
    silent = Completion(" Carthage was a city.\nIt lay near Tunis.", 9, 20, None, "stop")
    done = Completion(" Carthage was a city.\nThe answer is Tunis.", 9, 20, None, "stop")
    read = [Chain().read(one, CARTHAGE, task) for one in (cut, silent, done)]
    assert [one.status for one in read] == ["truncated", "ambiguous", "ok"]
    assert AnswerOnly().read(silent, CARTHAGE, task).value == "carthage was city"


@pytest.mark.parametrize(
    ("answers", "item", "said"),
    [
        (NumberFormat(), Item("q", "18", others=("1,000", "1/2")), ["18", "1000", "0.5"]),
        (TextFormat(), Item("q", "Paris", others=("The City of Light",)), ["paris", "city of light"]),
        (OpenFormat(), Item("q", "U.S.", others=("The States",)), ["us", "states"]),
    ],
)
def test_any_right_answer_is_right_and_no_other(
    answers: NumberFormat | TextFormat | OpenFormat, item: Item, said: list[str]
) -> None:
    for value in said:
        assert answers.score(Answer(value, "ok"), item).correct
    for wrong in (Answer("17", "ok"), Answer(None, "none")):
        assert not answers.score(wrong, item).correct


def test_a_further_answer_that_the_format_cannot_hold_is_named() -> None:
    with pytest.raises(DataError) as caught:
        NumberFormat().score(Answer("18", "ok"), Item("q", "18", others=("many",)))
    assert str(caught.value) == "gold answer 'many': expected a number"
    with pytest.raises(DataError) as caught:
        OpenFormat().score(Answer("x", "ok"), Item("q", "x", others=(" ",)))
    assert str(caught.value) == "gold answer ' ': expected some text"
