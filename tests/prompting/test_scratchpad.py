"""Scratchpads: the prompt as whole text, what is read, and who has a trace."""

from __future__ import annotations

from typing import Any

import pytest
from chain_fixtures import Turns, solve

from onset.demos.fit import choose_demonstrations
from onset.errors import DataError
from onset.methods import method
from onset.models.scripted import ScriptedModel
from onset.plan import make_plan
from onset.prompting.scratchpad import Scratchpad
from onset.records import Answer, Item
from onset.study.grid import expand
from onset.study.spec import make_study
from onset.tasks import open_tasks
from onset.tasks.base import Task

DEMO = Item("What is 29 + 57?", "86", "Ones: 9 + 7 = 16, write 6, carry 1.")
ITEM = Item("What is 83 + 76?", "159")

PROMPT = """\
Question: What is 29 + 57?
Answer: <scratch>
2 9 + 5 7 , C: 0
2 + 5 , 6 C: 1
, 8 6 C: 0
0 8 6
</scratch>
The answer is 86.

Question: What is 83 + 76?
Answer:"""

REPLY = """ <scratch>
8 3 + 7 6 , C: 0
8 + 7 , 9 C: 0
, 5 9 C: 1
1 5 9
</scratch>
The answer is 159. So"""


@pytest.fixture(scope="module")
def task() -> Task:
    (task,) = open_tasks({"name": "addition", "digits": 2, "pool": 20, "test": 10})
    return task


def test_its_prompt_and_what_is_read(task: Task) -> None:
    attempt, kept, _ = solve(Scratchpad(), ITEM, task, {"83": REPLY}, demos=(DEMO,))
    (request,) = kept.requests
    assert (request.prompt, request.max_tokens) == (PROMPT, task.trace_tokens)
    assert attempt.completions[0].text == REPLY.removesuffix(" So")
    assert attempt.answer == Answer("159", "ok")
    assert kept.pairs[0].context == PROMPT + REPLY.removesuffix(" 159. So")
    chat, kept, _ = solve(Scratchpad(), ITEM, task, {"83": REPLY}, demos=(DEMO,), chat=Turns())
    trace = PROMPT.partition("Answer: ")[2].partition("\n\n")[0]
    assert kept.requests[0].prompt == (
        f'<user>Write the answer as "The answer is ...".\n\n{DEMO.question}<end><assistant>{trace}<end>'
        f"<user>{ITEM.question}<end><assistant>"
    )
    assert (chat.answer, kept.requests[0].max_tokens) == (Answer("159", "ok"), 2 * task.trace_tokens)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (" <scratch>\n8 3 + 7 6 , C: 0\n1 5 9\n</scratch>\n159", Answer("159", "ok")),
        (" <scratch>\nThe answer is 9.\n</scratch>\n", Answer("9", "ok")),  # ends where it announces an answer
        (" <scratch>\n8 3 + 7 6 , C: 0\n", Answer(None, "ambiguous")),
    ],
)
def test_the_answer_stands_after_the_scratchpad(reply: str, answer: Answer, task: Task) -> None:
    attempt, _, _ = solve(Scratchpad(), ITEM, task, {"83": reply}, demos=(DEMO,))
    assert attempt.answer == answer


def test_it_shows_traces_of_the_plan_and_the_ledger_counts_them_as_steps(task: Task) -> None:
    made, plan = method(prompt="scratchpad", shots=3), make_plan(task, 1)
    shown = choose_demonstrations(ScriptedModel({}), task, made, plan, 8, None)
    assert shown.everywhere == plan.take(8)[:3]
    (line,) = shown.ledger
    assert (line.use, line.rationales, line.ids) == ("demonstration", True, tuple(one.id for one in plan.take(3)))


def cells(**settings: Any) -> list[Any]:
    study = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "pool": 8, "test": 4}],
        "labels": [2],
        "seeds": 1,
        "items": 4,
    }
    return list(expand(make_study(**{**study, **settings})).cells)


def test_only_cells_that_show_traces_are_known_by_them() -> None:
    cot, scratch = cells(methods=["cot", "scratchpad"])
    assert "traces" not in cot.said
    assert scratch.said["traces"] == open_tasks({"name": "coin-flip", "pool": 8, "test": 4})[0].traces
    assert cot.task_hash == scratch.task_hash


def test_a_task_without_traces_is_refused_before_anything_runs() -> None:
    with pytest.raises(DataError) as caught:
        cells(methods=["scratchpad"], tasks=[{"name": "multi-hop", "pool": 8, "test": 4}])
    assert str(caught.value) == (
        "task multi-hop: method 'scratchpad' needs a task that writes state traces (addition, coin-flip, word-problems,"
        " world-problems, world-programs); this one has none"
    )
