"""Solvers read an item's text and work it out: held against what the generators made, which they never see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from conftest import shared

from onset.records import Item
from onset.tasks import open_task, open_tasks
from onset.tasks.base import Task
from onset.tasks.solving.bbh import Liars

SPECS: list[dict[str, Any]] = [
    {"name": "word-problems"},
    {"name": "word-problems", "steps": 7},
    {"name": "addition"},
    {"name": "addition", "digits": 9},
    {"name": "last-letters", "words": 1},
    {"name": "last-letters", "words": 5},
    {"name": "coin-flip", "flips": 5},
    {"name": "multi-hop", "hops": 3},
    {"name": "world-problems"},
    {"name": "world-problems", "steps": 6, "order": "shuffled", "things": "held"},
    {"name": "world-coin"},
    {"name": "world-compare"},
    {"name": "world-programs"},
    {"name": "world-programs", "steps": 6, "order": "shuffled"},
]


def opened(spec: dict[str, Any]) -> Task:
    return open_task({"pool": 16, "test": 16, **spec})


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_answers_and_steps_are_worked_out_from_the_text_alone(spec: dict[str, Any]) -> None:
    task = opened(spec)
    assert task.solver is not None
    sets = [task.pool, task.test, *(items for _, items in task.test_sets)]
    sets += [] if task.longer is None else [task.longer(1).test]
    for item in (one for items in sets for one in items):
        solver = task.longer(1).solver if item in sets[-1] and task.longer is not None else task.solver
        assert solver is not None
        bare = Item(item.question, "", choices=item.choices, context=item.context)
        found = solver.solve(bare)
        assert found is not None, item
        assert (found.answer, found.rationale) == (item.answer, item.rationale)


def test_what_cannot_be_worked_out_is_none() -> None:
    for name, change in (
        ("word-problems", lambda text: text.replace(" has ", " hsa ", 1)),
        ("addition", lambda text: text.replace("+", "-")),
        ("coin-flip", lambda text: text.replace("A coin", "A plate")),
        ("world-programs", lambda text: text.replace("=", "==", 1)),
    ):
        task = opened({"name": name})
        assert task.solver is not None
        for item in task.test:
            assert task.solver.solve(replace(item, question=change(item.question))) is None


def test_a_fact_that_contradicts_another_has_no_answer() -> None:
    task = opened({"name": "multi-hop", "hops": 1})
    assert task.solver is not None
    for item in task.test:
        wrong = next(one for one in item.choices or () if one != item.answer)
        fact = (item.rationale or "").replace(item.answer, wrong)
        assert task.solver.solve(replace(item, context=f"{item.context} {fact}")) is None


def test_premises_put_together_again_are_the_item() -> None:
    for spec in SPECS:
        task = opened(spec)
        assert task.solver is not None
        for item in task.test:
            held = task.solver.premises(item)
            assert held is None or held.put(item, [*held.sentences]) == item


def test_liars_are_told_from_the_truth_on_the_released_items() -> None:
    (task,) = open_tasks({"name": "bbh/web_of_lies", "path": str(shared("data", "bbh"))})
    assert task.solver is not None
    found = [task.solver.solve(item) for item in task.test]
    assert [one and one.answer for one in found] == [item.answer for item in task.test]
    assert Liars().solve(Item("Ada tells the truth. Bo says Cy lies. Does Bo tell the truth?", "Yes")) is None


def test_deductions_have_their_statements_as_premises() -> None:
    for size, count in (("three", 2), ("five", 4), ("seven", 6)):
        name = f"logical_deduction_{size}_objects"
        (task,) = open_tasks({"name": f"bbh/{name}", "path": str(shared("data", "bbh"))})
        assert task.solver is not None
        for item in task.test:
            held = task.solver.premises(item)
            assert held is not None
            assert len(held.sentences) >= count
            assert held.put(item, [*held.sentences]) == item
            assert "(A)" in held.after
            assert not any("(A)" in one for one in held.sentences)
