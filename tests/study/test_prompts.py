"""How many demonstrations a plan promises, beside how many a run shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from onset.demos.fit import choose_demonstrations, longest_question
from onset.models.scripted import MADE_UP_FACTS, ScriptedModel
from onset.plan import make_plan
from onset.prompting.base import CHARACTERS_PER_TOKEN
from onset.study.grid import Grid, expand
from onset.study.prompts import prompt_rows, prompts_of
from onset.study.spec import make_study


class Characters(ScriptedModel):
    """Its tokens are what a plan takes for one."""

    def count_tokens(self, text: str) -> int:
        return -int(-len(text) // CHARACTERS_PER_TOKEN)


def grid_of(**method: Any) -> Grid:
    return expand(
        make_study(
            name="s",
            models=[{"spec": "scripted:none.json", "label": "fake"}],
            tasks=[{"name": "coin-flip", "pool": 64, "test": 10}],
            methods=[method],
            labels=[8, 64],
            seeds=1,
            items=10,
        )
    )


@pytest.mark.parametrize("context", [200, 700, 5000])
@pytest.mark.parametrize(
    "method",
    [
        {"prompt": "cot"},
        {"prompt": "answer-only", "choose": "longest"},
        {"prompt": "answer-only", "choose": {"kind": "fixed", "positions": [3, 1, 2]}},
        {"prompt": "cot", "shots": 4},
        {"prompt": "answer-only", "shots": 4, "choose": "nearest"},
    ],
    ids=str,
)
def test_a_plan_promises_what_a_run_shows_where_tokens_are_what_it_takes_them_for(
    method: dict[str, Any], context: int
) -> None:
    grid = grid_of(**method)
    model = Characters({}, facts=replace(MADE_UP_FACTS, context=context))
    for cell in grid.cells:
        task = grid.tasks[cell.task]
        if cell.method.choose.per_item and context < 1000:
            continue  # a plan shows all that were asked for; a run as many of these as fit each question
        longest = longest_question(model, task, ["none"], cell.method.prompt)
        plan = make_plan(task, 0)
        shown = choose_demonstrations(model, task, cell.method, plan, cell.labels, longest, items=task.test)
        found = prompts_of(grid, cell, context)
        assert found.demonstrations == len(shown.of(task.test[0]))
        assert found.tokens > found.shared >= 0


def test_rows_are_ranges_over_what_a_method_shows_at_a_budget() -> None:
    grid = grid_of(prompt="answer-only")
    rows = prompt_rows((cell, prompts_of(grid, cell, context)) for cell in grid.cells for context in (400, 100_000))
    assert [(row["method"], row["labels"], row["fitted"]) for row in rows] == [
        ("answer-only", 8, True),
        ("answer-only", 64, True),
    ]
    few, many = rows
    assert few["usable"] == [8, 8]
    assert many["usable"] == [64, 64]
    assert few["demonstrations"][1] == 8
    assert 0 < many["demonstrations"][0] < many["demonstrations"][1] == 64
    assert 0 < many["prompt_tokens"][0] <= 400 < many["prompt_tokens"][1]


def test_what_shows_nothing_has_no_row() -> None:
    grid = grid_of(prompt="answer-only", shots=0)
    assert prompt_rows((cell, prompts_of(grid, cell, 4096)) for cell in grid.cells) == []
