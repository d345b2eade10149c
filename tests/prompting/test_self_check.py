"""Samples that the model itself scores: prompts word by word, the best one, the weighted vote."""

from __future__ import annotations

from typing import Any

import pytest
from told import Told, Turns, solve, task_of

from onset.errors import MethodError, StudyError
from onset.methods import method
from onset.prompting.self_check import SelfCheck, check_prompt
from onset.records import Item

SUM = Item("What is 27 + 48?", "75")
DEMO = Item("What is 1 + 1?", "2", rationale="1 + 1 = 2.")
TASK = task_of(SUM, number=True)
SAID = [" The answer is 65.", " The answer is 75.", " The answer is 65.", " I do not know.", " The answer is 7."]


def asked(probabilities: dict[str, float | None], **settings: Any) -> tuple[Any, Told, Any]:
    """(A) has the probability that its proposed answer has, (B) the rest."""

    def probability(context: str, option: str) -> float | None:
        if not context.endswith("answer is:"):
            return 0.5  # the gold answer's score
        proposed = context.partition(" Answer: ")[2].partition("\n")[0]
        p = probabilities[proposed]
        return None if p is None else p if option.strip() == "(A)" else 1 - p

    told = Told(lambda _, sample: SAID[sample], probability)
    options = {"chat": settings.pop("chat")} if "chat" in settings else {}
    attempt, ask = solve(SelfCheck(samples=5, **settings), SUM, told, task=TASK, demos=[DEMO], **options)
    return attempt, told, ask


P = {"The answer is 65.": 0.4, "The answer is 75.": 0.7, "The answer is 7.": 0.2}


def test_the_check_asks_word_by_word_as_the_paper() -> None:
    assert check_prompt(SUM, "The answer is 75.") == (
        "Question: What is 27 + 48?\nProposed Answer: The answer is 75.\nIs the proposed answer:\n (A) True\n (B) False\n"
        "The proposed answer is:"
    )
    assert check_prompt(SUM, "75", ["65", "75"]) == (
        "Question: What is 27 + 48?\nHere are some brainstormed ideas:\n65\n75\nPossible Answer: 75\n"
        "Is the possible answer:\n (A) True\n (B) False\nThe possible answer is:"
    )


def test_each_different_sample_with_an_answer_is_checked_once() -> None:
    attempt, told, ask = asked(P)
    assert told.prompts == ["Question: What is 1 + 1?\nAnswer: The answer is 2.\n\nQuestion: What is 27 + 48?\nAnswer:"]
    checks = [call.prompt for call in ask.transcript if call.role == "check"]
    assert checks == [check_prompt(SUM, one) for one in P]
    assert [call.role for call in ask.transcript] == ["answer", "check", "check", "check", "gold"]
    assert attempt.detail == {"p_true": [0.4, 0.7, 0.4, None, 0.2]}
    assert (told.requests[0].n, told.requests[0].temperature) == (5, 1.0)


def test_the_best_sample_is_taken_or_the_largest_sum() -> None:
    assert asked(P)[0].answer.value == "75"
    assert asked(P, take="vote")[0].answer.value == "65"  # 0.4 + 0.4 against 0.7
    assert asked(P | {"The answer is 65.": 0.3}, take="vote")[0].answer.value == "75"


def test_of_equally_probable_samples_the_first_is_taken() -> None:
    assert asked(dict.fromkeys(P, 0.5))[0].answer.value == "65"


def test_samples_that_cannot_be_checked_are_not_taken() -> None:
    attempt, _, _ = asked(P | {"The answer is 75.": None})
    assert (attempt.answer.value, attempt.detail["p_true"][1]) == ("65", None)
    with pytest.raises(MethodError, match=r"^none of 3 proposed answers fits the model's context with its check$"):
        asked(dict.fromkeys(P))


def test_without_an_answer_there_is_none() -> None:
    told = Told(lambda *_: " Nobody knows.")
    attempt, ask = solve(SelfCheck(samples=3), SUM, told, task=TASK)
    assert (attempt.answer.value, attempt.answer.status) == (None, "none")
    assert "check" not in {call.role for call in ask.transcript}


def test_ideas_are_the_first_samples_and_steps_are_part_of_what_is_proposed() -> None:
    _, _, ask = asked(P, shown=2)
    first = next(call.prompt for call in ask.transcript if call.role == "check")
    assert first == check_prompt(SUM, "The answer is 65.", ["The answer is 65.", "The answer is 75."])
    made = SelfCheck(samples=2, steps=True)
    told = Told(lambda *_: " 27 + 48 = 75. The answer is 75.")
    attempt, ask = solve(made, SUM, told, task=TASK, demos=[DEMO])
    assert "Answer: 1 + 1 = 2. The answer is 2.\n\n" in attempt.prompt
    assert ask.transcript[1].prompt == check_prompt(SUM, "27 + 48 = 75. The answer is 75.")
    assert ask.transcript[-1].prompt == f"{attempt.prompt} 27 + 48 = 75. The answer is"
    assert made.rationale
    assert made.needed() == {"scores", "rationales"}


def test_through_a_chat_the_options_begin_the_turn() -> None:
    _, told, ask = asked(P, chat=Turns())
    assert ask.transcript[1].prompt == f"<user>{check_prompt(SUM, 'The answer is 65.')}<assistant>"
    assert [one.continuation for one in told.pairs[:2]] == ["(A)", "(B)"]


def test_what_does_not_go_together_is_refused() -> None:
    for prompt, vote, message in (
        ({}, 5, "method: 'self-check' draws 10 samples of its own; leave out 'vote'"),
        ({"samples": 3, "shown": 4}, None, "method: 'self-check' shows 4 of 3 samples; 'shown' is too large"),
    ):
        with pytest.raises(StudyError) as error:
            method(prompt={"kind": "self-check", **prompt}, vote=vote)
        assert str(error.value) == message
