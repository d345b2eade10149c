"""Draft, sketch, check: prompts word by word, accepted, rejected and asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from told import Told, Turns, solve, task_of

from onset.errors import DataError, MethodError, StudyError
from onset.methods import method
from onset.prompting.draft_check import HEAD, DraftCheck, equations, sketch_prompt
from onset.records import Item

KEYS = Item("Ray owns 17 keys. Pam has 7 fewer. How many keys have both?", "27")
DEMO = Item("Al has 3 cups of 4. How many?", "12", rationale="Al has 3 * 4 = 12.")
BARE = Item("How many?", "2", rationale="One and one more is two.")
TASK = task_of(KEYS, number=True)
DRAFT = " Pam has 17 - 7 = 10.\nBoth have 27. The answer is 27."


def asked(sketches: Sequence[str], **settings: Any) -> tuple[Any, Told, Any]:
    left = iter(sketches)
    options = {"chat": settings.pop("chat")} if "chat" in settings else {}
    told = Told(lambda prompt, _: next(left) if HEAD in prompt else DRAFT)
    attempt, ask = solve(DraftCheck(**settings), KEYS, told, task=TASK, demos=[DEMO, BARE], **options)
    return attempt, told, ask


def test_prompts_are_word_by_word() -> None:
    attempt, told, ask = asked(["\n17 - 7 = 10\n17 + 10 = 27\nThe answer is 27."])
    assert told.prompts[0] == (
        "Question: Al has 3 cups of 4. How many?\nAnswer: Al has 3 * 4 = 12. The answer is 12.\n\n"
        "Question: How many?\nAnswer: One and one more is two. The answer is 2.\n\n"
        f"Question: {KEYS.question}\nAnswer:"
    )
    assert (
        told.prompts[1]
        == attempt.prompt
        == (
            "Write the steps of each draft as equations, one a line, and then the answer.\n\n"
            "Question: Al has 3 cups of 4. How many?\nDraft: Al has 3 * 4 = 12. The answer is 12.\nSketch:\n3 * 4 = 12\n"
            "The answer is 12.\n\n"
            f"Question: {KEYS.question}\nDraft: Pam has 17 - 7 = 10. Both have 27. The answer is 27.\nSketch:"
        )
    )
    assert (attempt.answer.value, attempt.detail["sketches"], attempt.detail["rejected"]) == ("27", 1, [])
    assert attempt.completions[0].text == "17 - 7 = 10\n17 + 10 = 27\nThe answer is 27."
    assert [call.role for call in ask.transcript] == ["draft", "answer", "gold"]
    assert ask.transcript[-1].prompt == f"{attempt.prompt}\n17 - 7 = 10\n17 + 10 = 27\nThe answer is"


def test_a_rejected_line_is_asked_again_after_those_accepted() -> None:
    attempt, told, ask = asked(
        ["\n17 - 7 = 10\n17 + 10 = 28\nThe answer is 28.", "\nboth = 17 + 10\nThe answer is 28.", "\nThe answer is 27."]
    )
    assert [one.prompt.rpartition("Sketch:")[2] for one in told.requests[1:]] == [
        "",
        "\n17 - 7 = 10",
        "\n17 - 7 = 10\nboth = 17 + 10",
    ]
    assert [one.temperature for one in told.requests[1:]] == [0.0, 0.7, 0.7]
    assert len({one.seed for one in told.requests[1:]}) == 3
    assert attempt.detail["rejected"] == [
        ["17 + 10 = 28", "the sides are 27 and 28"],
        ["The answer is 28.", "the last line is worth 27"],
    ]
    assert attempt.answer.value == "27"
    assert [call.role for call in ask.transcript] == ["draft", "answer", "gap", "gap", "gold"]


@pytest.mark.parametrize(
    ("sketch", "line", "why"),
    [
        ("\n17 - 7 = 11\n", "17 - 7 = 11", "the sides are 10 and 11"),
        ("\nPam has 10 keys.", "Pam has 10 keys.", "'has' is not expected here"),
        ("\n17 - 7 = 10", "", "it ends without an answer"),
        ("\nThe answer is 27.", "The answer is 27.", "no line stands before the answer"),
        ("\n17 + 10 = 27\nThe answer is many.", "The answer is many.", "the answer is no number"),
    ],
)
def test_a_spent_budget_fails_in_one_line(sketch: str, line: str, why: str) -> None:
    with pytest.raises(MethodError) as error:
        asked([sketch] * 1, budget=1)
    assert str(error.value) == f"no sketch of 1 was accepted; last rejected: {line!r} ({why})"


def test_no_more_is_asked_than_the_budget() -> None:
    left = Told(lambda prompt, _: "\n1 = 2" if HEAD in prompt else DRAFT)
    with pytest.raises(MethodError, match="no sketch of 3 was accepted"):
        solve(DraftCheck(budget=3), KEYS, left, task=TASK)
    assert len(left.requests) == 4


def test_through_a_chat_accepted_lines_begin_the_turn() -> None:
    attempt, told, _ = asked(["17 - 7 = 10\nno", "\n17 + 10 = 27\nThe answer is 27."], chat=Turns())
    assert told.prompts[2] == f"<user>{sketch_prompt(KEYS, DRAFT, [DEMO, BARE])}<assistant>17 - 7 = 10"
    assert attempt.answer.value == "27"


def test_the_equations_of_a_rationale() -> None:
    assert equations("He has 3 * 4 = 12, so 12 + 1 = 13. Then $2*3 = $<<2*3=6>>6 and x = 4.") == [
        "3 * 4 = 12",
        "12 + 1 = 13",
        "2*3=6",
    ]


def test_other_answers_and_votes_are_refused() -> None:
    with pytest.raises(DataError) as error:
        DraftCheck().check_task(task_of(Item("Who?", "Al")))
    assert str(error.value) == (
        "task made: method 'draft-sketch-check' needs answers that are numbers (received TextFormat)"
    )
    with pytest.raises(StudyError, match="'draft-sketch-check' has one checked answer; leave out 'vote'"):
        method(prompt="draft-sketch-check", vote=3)
