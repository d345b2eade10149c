"""A reasoning model's thinking: its prompt as whole text, its budget, and what is read and counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chain_fixtures import Turns, solve

from onset.answers import NumberFormat
from onset.errors import StudyError
from onset.methods import method
from onset.models.chat import ChatTemplate
from onset.models.scripted import MADE_UP_FACTS, ScriptedModel
from onset.prompting.ask import ANSWER, GOLD
from onset.prompting.thinking import FORCED, Thinks
from onset.records import Answer, Item, Thinking
from onset.results.read import load
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks.base import Task
from onset.votes.majority import Majority

ITEM = Item("Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?", "10", "Pam has 17 - 7 = 10.")
DEMO = Item("Gil has 2 keys and 3 more. How many?", "5", "2 + 3 = 5.")
TASK = Task("keys", "own", (), (), NumberFormat(), 0.0, "here")
THOUGHT = "<think> 17 + 7 is 24. The answer is 24. Wait, fewer: </think>"  # 13 words
ANSWERED = f"{THOUGHT}\n\nPam has 10 keys. The answer is 10."


class Opened(Turns):
    """A template that thinks only when told to, and begins the thinking itself then."""

    def __init__(self, thinks: bool = False) -> None:
        super().__init__()
        object.__setattr__(self, "thinks", thinks)

    def __call__(self, turns: Any) -> str:
        return super().__call__(turns) + ("<think>\n" if self.thinks else "")

    def that_thinks(self) -> ChatTemplate:
        return Opened(True)

    @property
    def marks(self) -> tuple[str, str]:
        return "<think>", "</think>"


PLAIN_PROMPT = """\
Question: Gil has 2 keys and 3 more. How many?
Answer: The answer is 5.

Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
Answer:"""

CHAT_PROMPT = (
    '<user>Write the answer as "The answer is ...".\n\nGil has 2 keys and 3 more. How many?<end>'
    "<assistant>The answer is 5.<end>"
    "<user>Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?<end><assistant><think>\n"
)


def test_its_prompt_and_what_is_read_in_plain_text() -> None:
    attempt, kept, ask = solve(Thinks(budget=20), ITEM, TASK, {"Pam": f" {ANSWERED} So"}, demos=(DEMO,))
    (request,) = kept.requests
    assert (request.prompt, request.max_tokens) == (PLAIN_PROMPT, 20 + 256)
    assert request.thinking == Thinking("<think>", "</think>", 20)
    (output,) = attempt.completions
    assert (output.text, output.thinking, output.tokens) == (f" {ANSWERED}", 13, 22)
    assert attempt.answer == Answer("10", "ok")
    assert [call.role for call in ask.transcript] == [ANSWER, GOLD]
    assert kept.pairs[0].context == f"{PLAIN_PROMPT} {THOUGHT}\n\nPam has 10 keys. The answer is"


def test_through_a_template_that_begins_the_thinking() -> None:
    reply = ANSWERED.removeprefix("<think>")
    attempt, kept, _ = solve(Thinks(), ITEM, TASK, {"Pam": reply}, demos=(DEMO,), chat=Opened())
    (request,) = kept.requests
    assert (request.prompt, request.max_tokens) == (CHAT_PROMPT, 2048 + 512)
    assert request.thinking == Thinking("<think>", "</think>", 2048, inside=True)
    assert request.templated
    assert attempt.completions[0].text == ANSWERED  # says that it thinks, also without its prompt
    assert attempt.answer == Answer("10", "ok")
    assert kept.pairs[0].context == CHAT_PROMPT + reply.removesuffix(" 10.")


def test_thinking_that_does_not_end_has_no_answer() -> None:
    attempt, kept, _ = solve(Thinks(budget=7), ITEM, TASK, {"Pam": f" {ANSWERED}"})
    (output,) = attempt.completions
    assert (output.finish, output.thinking, output.tokens) == ("budget", 7, 7)
    assert attempt.answer == Answer(None, "out of budget")
    assert kept.pairs[0].context.endswith("<think> 17 + 7 is 24. The\n</think>\n\nThe answer is")
    ended, _, _ = solve(Thinks(), ITEM, TASK, {"Pam": " <think> The answer is 10."})
    assert ended.answer == Answer(None, "none")  # it stopped by itself


def test_an_answer_may_be_forced() -> None:
    replies = {"Pam": f" {ANSWERED}", "</think>\n\nThe answer is": " 24. Or"}
    attempt, kept, ask = solve(Thinks(budget=7, forced=True), ITEM, TASK, replies)
    assert [call.role for call in ask.transcript] == [ANSWER, FORCED, GOLD]
    assert kept.requests[1].prompt.endswith("\nAnswer: <think> 17 + 7 is 24. The\n</think>\n\nThe answer is")
    (output,) = attempt.completions
    assert output.text == " <think> 17 + 7 is 24. The\n</think>\n\nThe answer is 24."
    assert (output.thinking, output.tokens) == (7, sum(call.output_tokens for call in ask.transcript[:2]))
    assert attempt.answer == Answer("24", "ok")
    within, kept, _ = solve(Thinks(budget=20, forced=True), ITEM, TASK, replies)
    assert (within.answer, len(kept.requests)) == (Answer("10", "ok"), 1)


def test_samples_out_of_budget_are_counted_and_do_not_vote() -> None:
    replies = {"Pam": [f" {ANSWERED}", " <think>" + " so" * 99, " <think>" + " so" * 99]}
    attempt, _, _ = solve(Thinks(budget=20), ITEM, TASK, replies, vote=Majority(samples=3))
    assert [one.status for one in attempt.answers] == ["ok", "out of budget", "out of budget"]
    assert attempt.answer == Answer("10", "ok")
    none, _, _ = solve(Thinks(budget=5), ITEM, TASK, replies, vote=Majority(samples=3))
    assert none.answer == Answer(None, "out of budget")


def test_a_model_that_does_not_think_is_read_as_it_is() -> None:
    attempt, _, _ = solve(Thinks(), ITEM, TASK, {"Pam": " Pam has 10. The answer is 10."})
    assert (attempt.answer, attempt.completions[0].thinking) == (Answer("10", "ok"), None)


def test_a_prompt_that_does_not_fit_with_its_budget_is_handed_back() -> None:
    short = ScriptedModel({"Pam": ANSWERED}, facts=replace(MADE_UP_FACTS, context=300))
    attempt, kept, _ = solve(Thinks(budget=200, forced=True), ITEM, TASK, short)
    assert [one.finish for one in attempt.completions] == ["overlong"]
    assert (attempt.answer, len(kept.requests), kept.pairs) == (Answer(None, "none"), 1, [])


def test_its_settings() -> None:
    made = method(prompt={"kind": "thinking", "budget": 512, "marks": ["<t>", "</t>"]}, shots=0)
    assert made.spec()["prompt"] == {"kind": "thinking", "budget": 512, "marks": ["<t>", "</t>"]}
    _, kept, _ = solve(made.prompt, ITEM, TASK, {"Pam": ANSWERED})
    assert kept.requests[0].thinking == Thinking("<t>", "</t>", 512)
    for settings, message in [
        (
            {"budget": 0},
            "method: 'prompt', thinking: 'budget': Input should be greater than or equal to 1 (received 0)",
        ),
        ({"marks": ["<t>", " "]}, "method: 'prompt', thinking: 'marks': a mark is some text, and not only space"),
    ]:
        with pytest.raises(StudyError) as caught:
            method(prompt={"kind": "thinking", **settings})
        assert str(caught.value).startswith(message)


def test_a_study_says_how_many_tokens_were_thought_and_how_often_the_budget_ran_out(tmp_path: Path) -> None:
    """Half of the coins are thought about for 6 words, half for longer than the budget; the vote reads the same."""
    replies = {
        "heads up": " <think> It is up: heads. </think> The answer is heads.",
        "tails up": " <think>" + " hm" * 50 + "</think> The answer is tails.",
    }
    prompt = {"kind": "thinking", "budget": 30}
    methods = ["answer-only", {"prompt": prompt, "shots": 0}]
    methods += [
        {"prompt": prompt, "shots": 0, "vote": {"samples": 3}},
        {"prompt": prompt, "shots": 0, "vote": {"kind": "weighted", "samples": 3}},
    ]
    study = make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{"name": "coin-flip", "pool": 8, "test": 20}],
        methods=methods,
        labels=[2],
        seeds=1,
        items=20,
    )
    run(study, tmp_path / "d", models={"fake": ScriptedModel(replies)})
    results = load(tmp_path / "d")
    cells = {row["method"]: row for row in results.cells.to_dicts()}
    records = results.records.to_dicts()
    up = sum("heads up" in one["question"] for one in records) / len(records)
    assert 0 < up < 1
    thinking = [row for name, row in cells.items() if name.startswith("thinking")]
    assert len(thinking) == 3
    for row in thinking:
        assert row["out_of_budget_rate"] == pytest.approx(1 - up)
        assert row["thinking_tokens"] == pytest.approx(6 * up + 30 * (1 - up))
        assert row["parse_rate"] == pytest.approx(up)
    assert (cells["answer-only"]["thinking_tokens"], cells["answer-only"]["out_of_budget_rate"]) == (None, 0)
    lost = [one for one in records if one["status"] == "out of budget"]
    assert {one["cell"] for one in lost} == {row["cell"] for row in thinking}
    assert all(set(one["thinking"]) == {30} and not one["correct"] for one in lost)
    weights = [
        json.loads(one["detail"]).get("vote", {}).get("weights")
        for one in records
        if one["detail"] and one["status"] == "ok"
    ]
    assert weights.count({"heads": 1.0}) == round(20 * up)  # of one cell
    assert set(map(str, weights)) == {"None", "{'heads': 1.0}"}
