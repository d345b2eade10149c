"""What holds for every prompting method and every preset: a line in its table enrols it here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from onset.demos import DEMOS
from onset.demos.base import Choice
from onset.errors import DataError, InputError, StudyError
from onset.methods import METHODS, Method, method
from onset.models.scripted import ScriptedModel
from onset.prompting import PROMPTING
from onset.prompting.ask import ANSWER, GOLD, Ask, bare, spent
from onset.prompting.base import Prompt
from onset.records import Attempt, Completion, Item, Pair, Request, Scored
from onset.results.read import load
from onset.step import read_step
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_tasks
from onset.tasks.base import Task
from onset.votes import VOTES
from onset.votes.base import Vote
from onset.votes.majority import Majority

REPLIES = {
    "heads": " It is heads. The answer is heads.",
    "tails": " It is tails. The answer is tails.",
    "Sketch:": "\n1 + 1 = 2\nThe answer is 2.",
}
EVERY = pytest.mark.parametrize("name", PROMPTING)
FIXTURES = Path(__file__).parent / "fixtures"
NEEDED: dict[str, dict[str, Any]] = {
    "retrieve-then-read": {"corpus": str(FIXTURES / "passages.jsonl")},
    "knowledge": {"glosses": str(FIXTURES / "glosses.jsonl"), "triples": str(FIXTURES / "triples.jsonl")},
}
"""Settings of methods that cannot do without."""


def written(name: str) -> Any:
    """The method as a study writes it in the shortest way."""
    return {"kind": name, **NEEDED[name]} if name in NEEDED else name


@dataclass
class Told:
    """The calls of a solver, answered by a scripted model and kept."""

    model: ScriptedModel = field(default_factory=lambda: ScriptedModel(REPLIES))
    requests: list[Request] = field(default_factory=list)
    completions: list[list[Completion]] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)

    async def generate(self, request: Request) -> list[Completion]:
        self.requests.append(request)
        self.completions.append(self.model.generate([request])[0])
        return self.completions[-1]

    async def score(self, pair: Pair) -> Scored:
        self.pairs.append(pair)
        return self.model.score([pair])[0]


@pytest.fixture
def task(request: pytest.FixtureRequest) -> Task:
    """Coins, or what else the test's method can be asked about: statements about them, problems with numbers."""
    (coins,) = open_tasks({"name": "coin-flip", "pool": 8, "test": 6})
    (problems,) = open_tasks({"name": "word-problems", "pool": 8, "test": 6})
    statements = replace(coins, pool=tuple(map(stated, coins.pool)), test=tuple(map(stated, coins.test)))
    return next(one for one in (coins, statements, problems) if suits(request.node.callspec.params["name"], one))


def suits(name: str, task: Task) -> bool:
    try:
        prompt_of(name).check_task(task)
    except DataError:
        return False
    return True


def stated(item: Item) -> Item:
    """The question with true for heads and false for tails."""
    return replace(item, choices=("true", "false"), answer="true" if item.answer == "heads" else "false")


def prompt_of(name: str) -> Prompt:
    step: Prompt = read_step(PROMPTING, written(name), "test")
    return step


def solved(name: str, item: Item, task: Task, shown: int = 2, **options: Any) -> tuple[Attempt, Told, Ask]:
    """One item solved as a study would: prepared, with the first examples of the pool."""
    method, told = prompt_of(name), Told()
    demos = task.pool[:shown] if method.shows else ()
    ask = Ask(told, bare(task), item, demos, seed=3, **options)

    async def both() -> Attempt:
        first = replace(ask, transcript=[])
        ask.state = await method.prepare(first, task.pool)
        told.requests.clear(), told.completions.clear(), told.pairs.clear()
        return await method.solve(item, ask)

    return asyncio.run(both()), told, ask


@EVERY
@pytest.mark.parametrize("shown", [0, 2])
def test_it_says_what_it_asked_and_what_was_answered(name: str, shown: int, task: Task) -> None:
    for item in task.test:
        attempt, told, ask = solved(name, item, task, shown)
        answers = [call.prompt for call in ask.transcript if call.role == ANSWER]
        assert attempt.prompt in answers
        assert item.question in attempt.prompt
        for demo in task.pool:
            assert demo in ask.demos or demo.question not in attempt.prompt
        assert attempt.answer.status == "ok"
        assert item.choices is None or attempt.answer.value in item.choices
        assert len(attempt.answers) == (len(attempt.completions) or 1)
        assert attempt.completions or attempt.scores
        assert all(one.max_tokens > 0 for one in told.requests)


@EVERY
def test_every_token_that_ran_is_in_its_transcript(name: str, task: Task) -> None:
    """Counted here from what the model answered, there from the transcript."""
    for vote in (None, Majority(samples=3)):
        _, told, ask = solved(name, task.test[0], task, vote=vote if votes(name) else None)
        went_in, came_out = spent([call for call in ask.transcript if call.role not in (GOLD,)])
        pairs = {(one.context, one.continuation) for one in told.pairs}
        scored = [
            call for call in ask.transcript if call.role != GOLD and {(call.prompt, one) for one in call.texts} <= pairs
        ]
        generated = [call for call in ask.transcript if call.role != GOLD and call not in scored]
        assert sum(call.prompt_tokens for call in generated) == sum(done[0].prompt_tokens for done in told.completions)
        assert sum(call.output_tokens for call in generated) == sum(o.tokens for done in told.completions for o in done)
        assert went_in == sum(call.prompt_tokens for call in (*generated, *scored))
        assert came_out == sum(call.output_tokens for call in (*generated, *scored))
        contexts = {one.context for one in told.pairs}
        assert contexts == {call.prompt for call in ask.transcript} & contexts


def votes(name: str) -> bool:
    """Does it go together with a vote?"""
    try:
        prompt_of(name).check(Majority(samples=3))
    except StudyError:
        return False
    return True


@EVERY
def test_equal_calls_give_equal_attempts(name: str, task: Task) -> None:
    first, again = (solved(name, task.test[0], task) for _ in range(2))
    assert first[0] == again[0]
    assert first[1].requests == again[1].requests


@EVERY
def test_what_uses_no_example_asks_the_same_at_every_budget(name: str, task: Task) -> None:
    prompt, item = prompt_of(name), task.test[0]
    assert not prompt.uses_examples()
    assert prompt.used(task.pool) == ()

    def asked(examples: Sequence[Item]) -> tuple[Any, ...]:
        told, state = Told(), Told()
        ask = Ask(told, bare(task), item, seed=3)

        async def both() -> Attempt:
            ask.state = await prompt.prepare(replace(ask, calls=state, transcript=[]), examples)
            return await prompt.solve(item, ask)

        return asyncio.run(both()), state.requests, state.pairs, told.requests, told.pairs

    assert asked(()) == asked(task.pool[:2]) == asked(task.pool)


@EVERY
def test_it_samples_as_many_answers_as_it_is_told(name: str, task: Task) -> None:
    if not votes(name):
        with pytest.raises(StudyError):
            method(prompt=written(name), vote=5)
        return
    attempt, told, _ = solved(name, task.test[0], task, vote=Majority(samples=5))
    assert len(attempt.completions) == len(attempt.answers) == 5
    assert (5, 0.7) in {(one.n, one.temperature) for one in told.requests}


@EVERY
def test_calls_that_sample_have_seeds_of_their_own(name: str, task: Task) -> None:
    _, told, _ = solved(name, task.test[0], task, vote=Majority(samples=5) if votes(name) else None)
    drawn = [one for one in told.requests if one.temperature > 0]
    assert len({one.seed for one in drawn}) == len(drawn)
    _, told, _ = solved(name, task.test[0], task)
    if any(one.temperature > 0 for one in told.requests):
        assert prompt_of(name).seeded(), "without a vote its answers depend on the seed, and a study runs one seed"


@EVERY
def test_the_gold_answer_is_scored_where_that_is_wanted_and_it_was_asked(name: str, task: Task) -> None:
    item = task.test[0]
    scored, _, ask = solved(name, item, task)
    assert scored.gold.logprob is not None
    assert 0 <= (scored.gold.probability or 0) <= 1
    assert all(call.prompt.startswith(scored.prompt) for call in ask.transcript if call.role == GOLD)
    plain, _, ask = solved(name, item, task, continuous=False)
    assert GOLD not in {call.role for call in ask.transcript}
    assert plain.answer == scored.answer


@EVERY
def test_its_demonstrations_have_steps_only_where_it_says_that_it_needs_them(name: str, task: Task) -> None:
    _, told, ask = solved(name, task.test[0], task)
    traced = "traces" in prompt_of(name).needs and task.trace
    steps = [traced(demo) if traced else demo.rationale or "" for demo in ask.demos]
    texts = " ".join(one.prompt for one in told.requests) + " ".join(one.context for one in told.pairs)
    assert all((one in texts) == prompt_of(name).rationale for one in steps)


@EVERY
def test_it_says_whom_it_follows_and_reads_its_own_spec(name: str) -> None:
    step = prompt_of(name)
    assert step.kind == name
    assert len(step.source) > 10
    assert read_step(PROMPTING, step.spec(), "test") == step
    assert step.__doc__


@pytest.mark.parametrize(("table", "base"), [(DEMOS, Choice), (VOTES, Vote)], ids=["demos", "votes"])
def test_choices_and_votes_say_whom_they_follow(table: Any, base: Any) -> None:
    for name in table:
        step = table.load(name)
        assert issubclass(step, base)
        assert step.kind == name
        assert len(step.source) > 10


def test_what_a_step_may_set_is_said_in_one_line_when_it_is_wrong() -> None:
    cases = [
        ({"prompt": "coot"}, "unknown prompting method 'coot': did you mean 'cot'? Known: "),
        ({"prompt": {"kind": "cot", "triger": 1}}, "method: 'prompt', cot: unknown setting 'triger': Known: none"),
        ({"prompt": {"shots": 1}}, "method: 'prompt': expected one of answer-only, cot"),
        (
            {"prompt": "cot", "vote": 1},
            "method: 'vote', majority: 'samples': Input should be greater than or equal to 2",
        ),
        ({"prompt": "cot", "vote": {"samples": 5, "temprature": 1}}, "did you mean 'temperature'? Known: samples, "),
        ({"prompt": "cot", "vote": {"kind": "minority", "samples": 5}}, "unknown vote 'minority'"),
        ({"prompt": "cot", "shots": 0, "choose": "random"}, "chooses demonstrations, but none are shown"),
    ]
    for settings, message in cases:
        with pytest.raises(InputError) as error:
            method(**settings)
        assert message in str(error.value)


@pytest.mark.parametrize("name", METHODS)
def test_a_preset_is_what_a_study_can_spell_out(name: str) -> None:
    preset: Method = METHODS.load(name)
    assert preset.name == name
    (spelt,) = make_study(**study([spelled(preset)])).build_methods()
    assert spelt.spec() == preset.spec()


def test_every_preset_that_only_asks_runs_in_a_study(tmp_path: Path) -> None:
    programs = {"name": "world-programs", "pool": 8, "test": 4}  # steps on lines of their own, which a choice may count
    names = [name for name in METHODS if METHODS.load(name).tune is None]
    counted = [name for name in names if METHODS.load(name).choose.needed()]
    parts = [study([name for name in names if name not in counted]), study(counted) | {"tasks": [programs]}]
    own = [{key: part[key] for key in ("tasks", "methods")} for part in parts]
    fake = ScriptedModel(REPLIES, default=" x = 1\n The answer is 1.")
    summary = run(make_study(**{**parts[0], "parts": own}), tmp_path / "d", models={"fake": fake})
    assert counted
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
