"""Selection rules: which examples a trial uses and is asked about, which setting is taken, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from onset.errors import StudyError, UnknownName
from onset.methods import METHODS, method
from onset.plan import make_plan
from onset.search import SEARCH, read_search
from onset.search.base import Search, taken
from onset.search.grid import settings_of, with_setting
from onset.search.oracle_dev import OracleDev
from onset.search.within import Within
from onset.study.searched import searched
from onset.tasks import open_tasks
from onset.tasks.base import Task
from onset.tuning import TUNERS

(TASK,) = open_tasks({"name": "coin-flip", "flips": 2, "pool": 40, "test": 10})
PLAN = make_plan(TASK, 0)


def of(value: Any) -> Search:
    rule = read_search(value, "'search'")
    assert rule is not None
    return rule


@pytest.mark.parametrize("labels", [4, 7, 8, 16])
def test_every_granted_example_is_held_out_in_one_fold_and_used_in_the_others(labels: int) -> None:
    parts = Within(folds=4).parts(PLAN, labels)
    granted = PLAN.take(labels)
    assert sorted(item.id for part in parts for item in part.held) == sorted(item.id for item in granted)
    for part in parts:
        assert not {item.id for item in part.used} & {item.id for item in part.held}
        assert [item for item in granted if item not in part.held] == list(part.used)  # in the order of the plan
    sizes = {len(part.held) for part in parts}
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("labels", "folds"), [(8, 4), (9, 4), (4, 4), (16, 2)])
def test_next_examples_are_asked_with_all_before_them(labels: int, folds: int) -> None:
    parts = Within(folds=folds, by="next").parts(PLAN, labels)
    granted = PLAN.take(labels)
    assert len(parts) == folds - 1
    for part in parts:
        assert (*part.used, *part.held) == granted[: len(part.used) + len(part.held)]
    assert [item for part in parts for item in part.held] == list(granted[len(parts[0].used) :])


def test_a_dev_set_is_beyond_every_budget_and_the_same_for_all() -> None:
    rule = OracleDev(dev=30)
    small, large = (rule.parts(PLAN, labels)[0] for labels in (2, 10))
    assert small.held == large.held == PLAN.order[-30:]
    assert (small.used, large.used) == (PLAN.take(2), PLAN.take(10))
    assert {item.id for item in rule.outside(PLAN, 10)} == {item.id for item in large.held}
    assert not {item.id for item in large.held} & {item.id for item in large.used}


@pytest.mark.parametrize("rule", [Within(), Within(folds=3, by="next"), OracleDev(dev=5)], ids=lambda one: one.label())
@pytest.mark.parametrize("labels", [4, 8, 11])
def test_sizes_are_those_of_the_parts(rule: Search, labels: int) -> None:
    parts = rule.parts(PLAN, labels)
    assert rule.sizes(labels) == tuple((len(part.used), len(part.held)) for part in parts)
    assert rule.bound or rule.outside(PLAN, labels) == ()


def trial(accuracy: float | None, logprob: float | None = None, flops: float | None = 1.0) -> dict[str, Any]:
    return {"accuracy": accuracy, "gold_logprob": logprob, "flops": flops}


@pytest.mark.parametrize(
    ("trials", "ties", "place", "decided"),
    [
        ([trial(0.5, -1), trial(0.75, -9)], "log-probability", 1, "accuracy"),
        ([trial(0.5, -1), trial(0.5, -0.5), trial(0.5, -0.7)], "log-probability", 1, "log-probability"),
        ([trial(0.5, -1), trial(0.5, -0.5)], "default", 0, "default"),
        ([trial(0.5, -1), trial(0.5, None)], "log-probability", 0, "default"),  # not known of all
        ([trial(0.4, -1), trial(0.5, -1, 3), trial(0.5, -1, 2)], "log-probability", 2, "cost"),
        ([trial(0.4), trial(0.5, None, None), trial(0.5, None, 2)], "default", 2, "cost"),
        ([trial(0.4), trial(0.5), trial(0.5)], "default", 1, "order"),
        ([trial(None), trial(0.0), trial(None)], "log-probability", 1, "accuracy"),  # a trial that failed is not taken
    ],
)
def test_what_is_taken_and_why(trials: list[dict[str, Any]], ties: str, place: int, decided: str) -> None:
    assert taken(trials, ties) == (place, decided)


def test_nothing_is_taken_where_all_failed() -> None:
    with pytest.raises(ValueError, match="every trial failed"):
        taken([trial(None), trial(None)], "default")


@pytest.mark.parametrize("kind", list(TUNERS))
def test_every_way_of_tuning_has_settings_to_try(kind: str) -> None:
    (tuned,) = searched(method(tune=kind, on="answers"), [{"select": "within", "trials": 10}], None)
    settings = settings_of(tuned, TASK, 8)
    made = [with_setting(tuned, one) for one in settings]
    assert settings[0] == {}
    assert made[0].spec() == method(tune=kind, on="answers").spec()
    assert len({str(one.spec()) for one in made}) == 10
    rates = {one.schedule().learning_rate or one.tune.learning_rate for one in made if one.tune}
    assert min(rates) < tuned.tune.learning_rate < max(rates)  # type: ignore[union-attr]
    assert len({one.schedule().steps for one in made}) > 1
    if "tuning" in kind:
        assert any("begin" in one.tune.set() for one in made if one.tune)


@pytest.mark.parametrize("name", ["answer-only", "cot", "cot-vote", "scratchpad"])
def test_prompts_are_tried_with_other_demonstrations(name: str) -> None:
    (one,) = searched(METHODS.load(name), ["within"], None)
    made = [with_setting(one, setting) for setting in settings_of(one, TASK, 16)]
    assert len(made) == one.search.trials  # type: ignore[union-attr]
    assert all((other.prompt, other.vote, other.tune) == (one.prompt, one.vote, None) for other in made)
    assert len({(other.choose, other.shots) for other in made}) == len(made)


def test_calibration_is_tried_of_rank_classification() -> None:
    (one,) = searched(method(prompt="rank-classification"), ["within"], None)
    made = [with_setting(one, setting).prompt.set() for setting in settings_of(one, TASK, 16)]
    assert {"calibration": "contextual"} in made


def test_a_grid_of_products_is_tried_in_an_order_of_its_own_and_a_list_as_written() -> None:
    rates, steps = [1e-4, 1e-3, 1e-2], [10, 20, 30]
    tuned = method(tune="lora", on="answers")

    def tried(grid: Any, trials: int) -> list[Any]:
        (one,) = searched(tuned, [{"select": "within", "trials": trials}], grid)
        return [dict(setting) for setting in settings_of(one, TASK, 8)]

    every = tried({"learning_rate": rates, "steps": steps}, 10)
    assert every[0] == {}
    assert len({tuple(one.values()) for one in every[1:]}) == 9
    assert every[1:5] != [{"learning_rate": rates[0], "steps": one} for one in steps] + [
        {"learning_rate": rates[1], "steps": 10}
    ]
    assert tried({"learning_rate": rates, "steps": steps}, 4) == every[:4]  # fewer trials are the first of more
    listed = [{"steps": 5}, {"learning_rate": 0.5}]
    assert tried(listed, 3) == [{}, *listed]


def test_a_choice_of_a_setting_is_the_one_that_is_ordered() -> None:
    made = with_setting(method(prompt="answer-only"), {"choose": "balanced", "choose.order": 2, "shots": 4})
    assert made.choose.spec() == {"kind": "balanced", "order": 2}


def test_two_examples_have_no_six_orders() -> None:
    (one,) = searched(method(prompt="answer-only", shots=2), [{"select": "within", "trials": 6}], None)
    with pytest.raises(StudyError, match="'search' tries 6 settings of every method, this one has"):
        settings_of(one, TASK, 8)
    (one,) = searched(method(prompt="answer-only"), [{"select": "within", "trials": 3, "folds": 2}], None)
    with pytest.raises(StudyError, match="'search' tries 3 settings of every method, this one has 2"):
        settings_of(one, TASK, 2)  # each part shows one: the first, or the first of a balanced choice


@pytest.mark.parametrize("grid", ["abc", "3", "null"])
def test_a_rule_whose_grid_is_a_text_is_refused(grid: str) -> None:
    with pytest.raises(StudyError, match="'grid': expected a mapping of settings to lists of values"):
        read_search({"select": "within", "grid": grid}, "method: 'search'")


@pytest.mark.parametrize(
    ("entry", "rule", "grid", "message"),
    [
        ("cot", {"select": "within", "trials": 3}, [{"shots": 2}], "this one has 2; lower 'trials', give the method a"),
        ("zero-shot-cot", "within", None, "tries 6 settings of every method, this one has 1;"),
        ("cot", "within", {"shot": [1, 2]}, "'grid' has an unknown key 'shot'. Known: learning_rate, steps, shots,"),
        ("cot", "within", {"tune.rank": [1, 2]}, "its grid sets 'tune.rank', but it has no 'tune'"),
        ("cot", "within", {"learning_rate": [1, 2]}, "belongs to a tuning method"),
        ("answer-only", "within", {"choose": ["complex"]}, "which needs rationales; the method does not"),
        ("lora-answers", "within", {"tune.rank": [0]}, "its grid, 'tune', lora: 'rank'"),
        ("lora-answers", "within", {"tune.kind": ["full"]}, "its grid, 'tune', lora: unknown setting 'kind'"),
        ("cot", "within", {"shots": [-1]}, "'shots: -1': expected a whole number from 0 on"),
        ("cot", "within", {"shots": [True]}, "'shots: True': expected a whole number from 0 on"),
        ("cot", "within", {"template": ["chatty"]}, "'template: 'chatty'': expected auto, chat or plain"),
        ("lora-answers", "within", {"steps": [0]}, "'steps: 0': expected a whole number from 1 on"),
        (
            "lora-answers",
            "within",
            {"learning_rate": ["1e-3"]},
            "'learning_rate: '1e-3'': expected a finite number above",
        ),
        ("lora-answers", "within", {"learning_rate": [0.001], "steps": [60]}, "this one has 1; lower 'trials'"),
        ("answer-only", "within", [{"choose.order": 1, "shots": 1}, {"shots": 1}], "this one has 2; lower 'trials'"),
        ("answer-only", "within", [{"shots": 6}, {"shots": 7}, {"shots": 8}], "this one has 1; lower 'trials'"),
        ("cot", "within", {}, "'grid' must be a mapping of settings to lists of values, or a list of mappings"),
    ],
)
def test_bad_grids_are_one_clear_line(entry: str, rule: Any, grid: Any, message: str) -> None:
    (one,) = searched(METHODS.load(entry), [rule], grid)
    with pytest.raises(StudyError) as raised:
        settings_of(one, TASK, 8)
    assert f"method {entry}-within" in str(raised.value)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("withn", UnknownName, "unknown selection rule 'withn': did you mean 'within'?"),
        ({"trials": 3}, StudyError, "expected 'select' and settings, as {select: within, trials: 6}"),
        ({"select": "none", "trials": 3}, StudyError, "'select: none' has no settings; write 'none'"),
        ({"select": "within", "folds": 1}, StudyError, "'folds'"),
        ({"select": "within", "fold": 4}, StudyError, "unknown setting 'fold': did you mean 'folds'?"),
        ({"select": "within", "trials": 1}, StudyError, "'trials'"),
        ("oracle-dev", StudyError, "'dev' is missing"),
    ],
)
def test_bad_rules_are_one_clear_line(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        of(value)
    assert message in str(raised.value)


def test_a_rule_twice_and_a_grid_without_a_rule_are_refused() -> None:
    cot = METHODS.load("cot")
    with pytest.raises(StudyError, match="'search' has 'within' twice; each rule may appear once"):
        searched(cot, ["within", {"select": "within", "trials": 3}], None)
    with pytest.raises(StudyError, match="method cot: it has a 'grid', but 'search' is none: nothing would be tried"):
        searched(cot, ["none"], {"shots": [1]})


def test_a_rule_is_said_in_a_method_and_in_its_name() -> None:
    names = [
        one.name for one in searched(METHODS.load("cot"), ["none", "within", {"select": "oracle-dev", "dev": 9}], None)
    ]
    assert names == ["cot", "cot-within", "cot-oracle-dev"]
    plain, within = searched(METHODS.load("cot"), ["none", {"select": "within", "folds": 2}], [{"shots": 1}])
    assert plain.spec() == {"prompt": "cot"}
    assert within.spec()["search"] == {"kind": "within", "folds": 2, "grid": [{"shots": 1}]}
    assert of({"select": "within", "folds": 2}).own is None
    assert not within.zero_shot
    assert within.bank() is None


@pytest.mark.parametrize("kind", list(SEARCH))
def test_a_rule_says_what_it_is(kind: str) -> None:
    step = SEARCH.load(kind)
    assert step.kind == kind
    assert "arXiv" in step.source
    assert any(said.startswith("trials=") for said in step.settings())


def test_settings_that_the_examples_of_a_task_do_not_take_are_passed_over() -> None:
    addition: Task
    (addition,) = open_tasks({"name": "addition", "digits": 3, "pool": 40, "test": 10})
    (one,) = searched(METHODS.load("answer-only"), ["within"], None)
    balanced = {"choose": "balanced"}
    assert balanced in settings_of(one, TASK, 8)
    assert balanced not in settings_of(one, addition, 8)  # its answers are no labels
    assert len(settings_of(one, addition, 8)) == 6
