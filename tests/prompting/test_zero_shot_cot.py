"""Zero-shot chain of thought: its two prompts as whole text, and what is made of their answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chain_fixtures import Turns, solve

from onset.answers import NumberFormat
from onset.chains.steps import Steps, check
from onset.errors import InputError
from onset.methods import method
from onset.models.scripted import MADE_UP_FACTS, ScriptedModel
from onset.prompting.ask import ANSWER, GOLD
from onset.prompting.zero_shot_cot import EXTRACTION, ZeroShotChain, cue
from onset.records import Answer, Item
from onset.tasks import open_tasks
from onset.tasks.base import Layout, Task
from onset.votes.majority import Majority

ITEM = Item("Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?", "10", "Pam has 17 - 7 = 10.")
TASK = Task("keys", "own", (), (), NumberFormat(), 0.0, "here")

FIRST = """\
Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
Answer: Let's think step by step."""

SECOND = """\
Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
Answer: Let's think step by step. First we look at Ray.

He owns 17, and 17 - 7 = 10.
Therefore, the answer (arabic numerals) is"""

REPLIES = {"step by step.": " First we look at Ray.\n\nHe owns 17, and 17 - 7 = 10.\n", "numerals) is": " 10 keys. So"}


def test_its_prompts_and_what_is_read() -> None:
    attempt, kept, ask = solve(ZeroShotChain(), ITEM, TASK, REPLIES)
    assert [one.prompt for one in kept.requests] == [FIRST, SECOND]
    assert [(one.n, one.temperature, one.max_tokens) for one in kept.requests] == [(1, 0.0, 256), (1, 0.0, 24)]
    assert [one.role for one in ask.transcript] == [ANSWER, EXTRACTION, GOLD]
    (output,) = attempt.completions
    assert FIRST + output.text == SECOND + " 10 keys."
    assert attempt.answers == (Answer("10", "ok"),)
    assert attempt.prompt == FIRST
    assert output.tokens == sum(call.output_tokens for call in ask.transcript if call.role != GOLD)
    assert output.prompt_tokens == ask.transcript[0].prompt_tokens
    assert kept.pairs[0].context == SECOND
    assert kept.pairs[0].continuation == " 10."


def test_the_words_of_the_second_call_are_no_step() -> None:
    (output,) = solve(ZeroShotChain(), ITEM, TASK, REPLIES)[0].completions
    assert check(output.text, ITEM, None, ZeroShotChain().announces(ITEM, TASK)) == Steps(right=1, wrong=0, unchecked=1)


def test_through_a_chat_template_both_begin_the_assistants_turn() -> None:
    attempt, kept, _ = solve(ZeroShotChain(), ITEM, TASK, REPLIES, chat=Turns())
    asked = (
        "<user>Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?<end><assistant>Let's think step by step."
    )
    steps = " First we look at Ray.\n\nHe owns 17, and 17 - 7 = 10."
    assert [one.prompt for one in kept.requests] == [
        asked,
        f"{asked}{steps}\nTherefore, the answer (arabic numerals) is",
    ]
    assert all(one.stop == ("<end>",) and one.templated for one in kept.requests)
    assert attempt.answer == Answer("10", "ok")
    passage = replace(ITEM, context="Keys.", choices=("10", "11"))
    _, kept, _ = solve(ZeroShotChain(), passage, replace(TASK, instruction="Count."), REPLIES, chat=Turns())
    assert kept.requests[0].prompt == (
        f"<user>Count.\n\nContext: Keys.\n{ITEM.question}\nOptions: 10; 11<end><assistant>Let's think step by step."
    )


def test_each_sample_has_an_extraction_of_its_own() -> None:
    steps = [" It is 17 - 7 = 10.", " It is 17 + 7 = 24.", " Hm, 17 - 7 = 10."]
    replies = {
        "step by step.": steps,
        "= 10.\nTherefore, the answer (arabic numerals) is": " 10.",
        "24.\nThere": " 24.",
    }
    attempt, kept, ask = solve(ZeroShotChain(), ITEM, TASK, replies, vote=Majority(samples=3))
    assert [one.n for one in kept.requests] == [3, 1, 1, 1]
    assert [one.value for one in attempt.answers] == ["10", "24", "10"]
    assert attempt.answer == Answer("10", "ok")
    assert sum(one.tokens for one in attempt.completions) == sum(
        call.output_tokens for call in ask.transcript if call.role != GOLD
    )


def test_an_answer_that_the_steps_announce_may_be_taken() -> None:
    own = ZeroShotChain(announced=True)
    steps = [" It is 17 - 7 = 10. The answer is 10.", " It is 17 - 7 = 10."]
    replies = {"step by step.": steps, "numerals) is": " 11."}
    attempt, kept, ask = solve(own, ITEM, TASK, replies, vote=Majority(samples=2))
    assert [one.role for one in ask.transcript] == [ANSWER, EXTRACTION, GOLD]
    assert [one.text for one in attempt.completions] == [steps[0], steps[1] + cue(ITEM, TASK) + " 11."]
    assert [one.value for one in attempt.answers] == ["10", "11"]
    assert kept.pairs[0].context == FIRST + " It is 17 - 7 = 10. The answer is"
    assert check(steps[0], ITEM, None, own.announces(ITEM, TASK)) == Steps(right=1, wrong=0, unchecked=0)
    (alone,) = solve(own, ITEM, TASK, REPLIES)[0].completions
    assert alone == solve(ZeroShotChain(), ITEM, TASK, REPLIES)[0].completions[0]


@pytest.mark.parametrize(
    ("rest", "answer"),
    [
        (" 10 or 11.", Answer(None, "ambiguous")),
        (" not known.", Answer(None, "none")),
        (" $10.00.", Answer("10", "ok")),
        (" the number of keys that Pam has,", Answer(None, "none")),
    ],
)
def test_what_is_no_number_after_the_words_is_none(rest: str, answer: Answer) -> None:
    """The numbers of the steps are not looked at."""
    attempt, _, _ = solve(ZeroShotChain(), ITEM, TASK, {**REPLIES, "numerals) is": rest})
    assert attempt.answer == answer


def test_an_answer_that_the_limit_cuts_is_truncated() -> None:
    task = replace(TASK, answer_tokens=1)
    attempt, _, _ = solve(ZeroShotChain(), ITEM, task, {**REPLIES, "numerals) is": " 10 keys"})
    assert attempt.completions[0].finish == "length"
    assert attempt.answer == Answer(None, "truncated")


def test_a_prompt_that_does_not_fit_is_handed_back() -> None:
    short = ScriptedModel(REPLIES, facts=replace(MADE_UP_FACTS, context=200))
    attempt, kept, ask = solve(ZeroShotChain(), ITEM, TASK, short)
    assert [one.finish for one in attempt.completions] == ["overlong"]
    assert (attempt.answer, len(kept.requests), kept.pairs) == (Answer(None, "none"), 1, [])
    assert ask.transcript[0].output_tokens == 0
    task = replace(TASK, rationale_tokens=30, answer_tokens=172)  # the steps fit, they and the answer do not
    attempt, kept, ask = solve(ZeroShotChain(), ITEM, task, short)
    assert [one.finish for one in attempt.completions] == ["overlong"]
    assert (len(kept.requests), attempt.completions[0].tokens) == (2, ask.transcript[0].output_tokens)


def test_the_words_of_the_second_call_say_what_an_answer_is() -> None:
    two, three = (replace(ITEM, choices=choices) for choices in (("yes", "no"), ("10", "11", "12")))
    (coin,) = open_tasks({"name": "coin-flip", "pool": 1, "test": 1})
    assert cue(two, coin) == "\nTherefore, the answer (yes or no) is"
    assert cue(three, TASK) == "\nTherefore, among the options, the answer is"
    assert cue(replace(ITEM, answer="ab"), coin) == "\nTherefore, the answer is"
    assert cue(ITEM, replace(TASK, layout=Layout(marker=">>>"))) == "\n>>>"


def test_its_words_can_be_set_and_it_shows_nothing() -> None:
    made = method(prompt={"kind": "zero-shot-cot", "trigger": "Take a deep breath."})
    _, kept, _ = solve(made.prompt, ITEM, TASK, REPLIES)
    assert kept.requests[0].prompt.endswith("\nAnswer: Take a deep breath.")
    assert made.spec() == {"prompt": {"kind": "zero-shot-cot", "trigger": "Take a deep breath."}, "shots": 0}
    with pytest.raises(InputError, match=r"^method: 'zero-shot-cot' shows no demonstrations; leave out 'shots' "):
        method(prompt="zero-shot-cot", shots=2)
    with pytest.raises(InputError, match=r"zero-shot-cot: 'trigger': String should have at least 1 character"):
        method(prompt={"kind": "zero-shot-cot", "trigger": ""})
