"""Draft, sketch, check: prompts word by word, accepted, rejected and asked again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from told import Told, Turns, solve, task_of

from onset.demos.fit import Shown
from onset.errors import DataError, StudyError
from onset.methods import method
from onset.models.scripted import ScriptedModel
from onset.pipeline import Evaluation
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
def test_a_spent_budget_leaves_no_answer_and_says_why(sketch: str, line: str, why: str) -> None:
    attempt, _, ask = asked([sketch] * 1, budget=1)
    assert (attempt.answer.value, attempt.answer.status) == (None, "none")
    assert (attempt.detail["sketches"], attempt.detail["rejected"]) == (1, [[line, why]])
    assert [call.role for call in ask.transcript] == ["draft", "answer", "gold"]
    assert attempt.gold.logprob is not None


def test_no_more_is_asked_than_the_budget() -> None:
    left = Told(lambda prompt, _: "\n1 = 2" if HEAD in prompt else DRAFT)
    attempt, _ = solve(DraftCheck(budget=3), KEYS, left, task=TASK)
    assert (attempt.answer.status, attempt.detail["sketches"], len(left.requests)) == ("none", 3, 4)
    assert attempt.completions[0].text == ""


def test_a_model_that_writes_no_sketch_measures_0_percent_and_fails_no_item() -> None:
    items = [KEYS, Item("Ann has 2 and 3 keys. How many?", "5")]
    model = ScriptedModel({"": " Pam has many."})
    evaluation = Evaluation(model, task_of(*items, number=True), method(prompt="draft-sketch-check"), Shown(), 0)
    records = evaluation.evaluate(items, 0)
    assert [(one.status, one.correct, one.cause) for one in records] == [("none", False, None)] * 2
    assert all(one.gold_logprob is not None for one in records)


def test_a_number_in_a_sketch_that_was_not_accepted_is_no_answer() -> None:
    reply = {"Sketch:": "\n17 - 7 = 10\n10 + 17 = 28", "": " The answer is 27."}
    settings = {"kind": "draft-sketch-check", "budget": 1}
    evaluation = Evaluation(ScriptedModel(reply), TASK, method(prompt=settings), Shown(), 0)
    (record,) = evaluation.evaluate([KEYS], 0)
    assert (record.outputs, record.status) == (("17 - 7 = 10",), "none")
    assert json.loads(record.detail or "")["calculator"] == {"answer": None, "correct": False, "replaced": [0]}


def test_as_many_demonstrations_fit_as_the_sketch_has_room_for() -> None:
    """Every prompt of an item fits a context in which `longest` and `limit` do."""
    made, demos = DraftCheck(tokens=20, budget=2), [DEMO] * 6
    for chat in (None, Turns()):
        longest = made.longest(TASK, demos, KEYS, chat)
        told = Told(lambda prompt, _: "\n17 - 7 = 10\n17 + 10 = 28" if HEAD in prompt else DRAFT)
        solve(made, KEYS, told, task=TASK, demos=demos, chat=chat)
        room = len(longest.split()) + made.limit(TASK, chat)
        assert [len(one.prompt.split()) + one.max_tokens <= room for one in told.requests] == [True] * 3
        assert HEAD in longest
    assert made.limit(TASK, None) == TASK.rationale_tokens + 2 * 20


def test_a_prompt_that_does_not_fit_is_overlong() -> None:
    for part, prompt in (("Answer:", "Question: "), (HEAD, HEAD)):
        told = Told(lambda prompt, _: DRAFT, fits=lambda prompt, part=part: part not in prompt)
        attempt, _ = solve(DraftCheck(), KEYS, told, task=TASK)
        assert [one.finish for one in attempt.completions] == ["overlong"]
        assert attempt.prompt.startswith(prompt)
        assert (attempt.answer.status, attempt.gold.logprob) == ("none", None)


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
