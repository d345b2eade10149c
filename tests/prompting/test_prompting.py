"""What holds for every prompting method and every preset: a line in its table enrols it here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from onset.methods import METHODS, Method
from onset.models.scripted import ScriptedModel
from onset.prompting import NEEDS_RATIONALES, PROMPTING
from onset.prompting.base import Context, Solver
from onset.records import Attempt, Completion, Item, Pair, Request, Scored
from onset.results.read import load
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_tasks
from onset.tasks.base import Task

REPLIES = {"heads": " It is heads. The answer is heads.", "tails": " It is tails. The answer is tails."}
EVERY = pytest.mark.parametrize("name", PROMPTING)


@dataclass
class Told:
    """The calls of a solver, answered by a scripted model and kept."""

    requests: list[Request] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)

    async def generate(self, request: Request) -> list[Completion]:
        self.requests.append(request)
        return ScriptedModel(REPLIES).generate([request])[0]

    async def score(self, pair: Pair) -> Scored:
        self.pairs.append(pair)
        return ScriptedModel(REPLIES).score([pair])[0]


@pytest.fixture(scope="module")
def task() -> Task:
    (task,) = open_tasks({"name": "coin-flip", "pool": 8, "test": 6})
    return task


def solved(name: str, item: Item, task: Task, shown: int = 2, **options: Any) -> tuple[Attempt, Told]:
    solve: Solver = PROMPTING.load(name)
    told = Told()
    context = Context(task, task.pool[:shown], told, seed=3, **options)
    return asyncio.run(solve(item, context)), told


@EVERY
@pytest.mark.parametrize("shown", [0, 2])
def test_it_says_what_it_asked_and_what_was_answered(name: str, shown: int, task: Task) -> None:
    for item in task.test:
        attempt, told = solved(name, item, task, shown)
        assert attempt.prompt in {one.prompt for one in told.requests}
        assert item.question in attempt.prompt
        assert all((demo.question in attempt.prompt) == (demo in task.pool[:shown]) for demo in task.pool)
        assert attempt.answer.status == "ok"
        assert attempt.answer.value in item.choices
        assert len(attempt.completions) == len(attempt.answers) == 1
        assert all(one.max_tokens > 0 and one.until is not None for one in told.requests)


@EVERY
def test_equal_calls_give_equal_attempts(name: str, task: Task) -> None:
    first, again = (solved(name, task.test[0], task) for _ in range(2))
    assert first[0] == again[0]
    assert first[1].requests == again[1].requests


@EVERY
def test_it_samples_as_many_answers_as_it_is_told(name: str, task: Task) -> None:
    attempt, told = solved(name, task.test[0], task, samples=5, temperature=0.7)
    assert len(attempt.completions) == len(attempt.answers) == 5
    assert (told.requests[-1].n, told.requests[-1].temperature) == (5, 0.7)


@EVERY
def test_the_gold_answer_is_scored_where_that_is_wanted_and_it_was_asked(name: str, task: Task) -> None:
    item = task.test[0]
    scored, told = solved(name, item, task)
    assert scored.gold_logprob is not None
    assert 0 <= (scored.gold_prob or 0) <= 1
    assert all(one.context.startswith(scored.prompt) for one in told.pairs)
    plain, told = solved(name, item, task, continuous=False)
    assert (plain.gold_logprob, plain.gold_prob, plain.scored_tokens, told.pairs) == (None, None, 0, [])
    assert plain.answer == scored.answer


@EVERY
def test_its_demonstrations_have_steps_only_where_it_says_that_it_needs_them(name: str, task: Task) -> None:
    attempt, _ = solved(name, task.test[0], task)
    steps = [demo.rationale or "" for demo in task.pool[:2]]
    assert all((one in attempt.prompt) == (name in NEEDS_RATIONALES) for one in steps)


def test_what_needs_steps_is_in_the_table() -> None:
    assert set(PROMPTING) >= NEEDS_RATIONALES


@pytest.mark.parametrize("name", METHODS)
def test_a_preset_is_what_a_study_can_spell_out(name: str) -> None:
    preset: Method = METHODS.load(name)
    assert preset.name == name
    (spelt,) = make_study(**study([spelled(preset)])).build_methods()
    assert spelt.spec() == preset.spec()


def test_every_preset_that_only_asks_runs_in_a_study(tmp_path: Path) -> None:
    names = [name for name in METHODS if METHODS.load(name).tune is None]
    summary = run(make_study(**study(names)), tmp_path / "d", models={"fake": ScriptedModel(REPLIES)})
    assert (summary.ran, dict(summary.failed)) == (len(names), {})
    cells = {row["method"]: row for row in load(tmp_path / "d").cells.to_dicts()}
    assert set(cells) == set(names)
    assert all((row["n"], row["failed_items"], row["parse_rate"]) == (4, 0, 1) for row in cells.values())


def spelled(preset: Method) -> dict[str, Any]:
    """The preset's mapping in a study file: what follows from ``on`` is not written."""
    return {key: value for key, value in preset.spec().items() if not (preset.tune and key in ("prompt", "shots"))}


def study(methods: Sequence[object]) -> dict[str, Any]:
    return {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "pool": 8, "test": 4}],
        "methods": list(methods),
        "labels": [2],
        "seeds": 1,
        "items": 4,
    }
