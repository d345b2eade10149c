"""Searches in a study: a planted setting is found, test items stay unseen, every arm has as many trials, all is kept."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

torch = pytest.importorskip("torch")

from models_fixtures import llama, save, tokenizer  # noqa: E402
from results_json import read_json, write_json  # noqa: E402

import onset  # noqa: E402
from onset.demos.fit import longest_question  # noqa: E402
from onset.errors import (  # noqa: E402
    CellsFailed,
    MethodError,
    NotInstalled,
    OutOfMemory,
    PlanMismatch,
    RequestRefused,
    StudyError,
    Unanswered,
)
from onset.models import open_model  # noqa: E402
from onset.models.scripted import ScriptedModel  # noqa: E402
from onset.plan import ExamplePlan, make_plan  # noqa: E402
from onset.prompting.answer_only import AnswerOnly  # noqa: E402
from onset.read import read_outcomes  # noqa: E402
from onset.results.folder import Store  # noqa: E402
from onset.search.base import Part  # noqa: E402
from onset.search.within import Within  # noqa: E402
from onset.study import searching  # noqa: E402
from onset.study.demonstrations import Demonstrations  # noqa: E402
from onset.study.estimate import estimate  # noqa: E402
from onset.study.grid import expand  # noqa: E402
from onset.study.observer import Silent  # noqa: E402
from onset.study.runner import run  # noqa: E402
from onset.study.searching import Searches  # noqa: E402
from onset.study.spec import Study, make_study, read_study  # noqa: E402

SHOWN = re.compile(r"The answer is")
ASKED = re.compile(r"(\d+) \+ (\d+)\S*\nAnswer:$")


def right_with(shots: int) -> Any:
    """A model that adds up rightly where it is shown ``shots`` demonstrations, and else wrongly."""

    def reply(prompt: str, sample: int) -> str:
        found = ASKED.search(prompt)
        assert found, prompt
        total = int(found[1]) + int(found[2])
        return f" The answer is {total if len(SHOWN.findall(prompt)) == shots else total + 1}."

    return reply


class Counting(ScriptedModel):
    """Counts what it generates, and stops the run at ``last``."""

    def __init__(self, shots: int = 2, last: int | None = None) -> None:
        super().__init__(right_with(shots))
        self.asked = 0
        self.last = last

    def generate(self, requests: Sequence[Any]) -> Any:
        self.asked += len(requests)
        if self.last is not None and self.asked > self.last:
            raise KeyboardInterrupt
        return super().generate(requests)


GRID = [{"shots": 1}, {"shots": 2}, {"shots": 3}]


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": "scripted:x.json", "label": "fake"}],
        "tasks": [{"name": "addition", "digits": 2, "pool": 60, "test": 12}],
        "methods": [{"prompt": "answer-only", "grid": GRID, "name": "ask"}],
        "labels": [8],
        "seeds": 1,
        "items": 6,
    }
    values["search"] = [{"select": "within", "trials": 4}]
    return make_study(**(values | changes))


def cells_of(folder: Path) -> dict[str, Any]:
    """``cell.json`` by method and shift."""
    held = [read_json(one / "cell.json") for one in sorted((folder / "cells").iterdir())]
    return {f"{one['method']} {one['shift']} {one['labels']} {one['seed']}": one for one in held}


@pytest.mark.parametrize(
    "rule", [{"select": "within"}, {"select": "within", "by": "next"}, {"select": "oracle-dev", "dev": 10}]
)
@pytest.mark.parametrize("shots", [1, 2, 3])
def test_the_planted_best_setting_is_found_and_used(tmp_path: Path, rule: dict[str, Any], shots: int) -> None:
    made = study(search=[{**rule, "trials": 4}], shifts=["none", "typos"])
    run(made, tmp_path / "d", models={"fake": ScriptedModel(right_with(shots))})
    results = onset.load(tmp_path / "d")
    clean = results.cells.filter(results.cells["shift"] == "none").to_dicts()[0]
    assert (clean["method"], clean["accuracy"]) == (f"ask-{rule['select']}", 1.0)
    said = cells_of(tmp_path / "d")[f"ask-{rule['select']} none 8 0"]["search"]
    assert [one["setting"] for one in said["trials"]] == [{}, *GRID]
    scores = [one["accuracy"] for one in said["trials"]]
    if rule.get("by") == "next":  # its first block has two examples, of which nobody can show three
        assert scores[shots] == max(scores) > sorted(scores)[-2]
    else:
        assert scores == [float(one == shots) for one in (None, 1, 2, 3)]
    assert (said["taken"], said["decided"]) == (shots, "accuracy")
    assert said["method"] == {"prompt": "answer-only", "shots": shots}
    if rule["select"] == "oracle-dev":  # an upper bound is compared with nothing, by no command
        assert read_outcomes(tmp_path / "d") == ()
    # the shift is asked with what was taken on clean examples, and the trials are made once
    shifted = cells_of(tmp_path / "d")[f"ask-{rule['select']} typos 8 0"]["search"]
    assert shifted == said
    prompts = results.records["prompt"].to_list()
    assert {len(SHOWN.findall(one)) for one in prompts} == {shots}


def test_a_study_without_a_search_has_the_ids_it_had() -> None:
    plain = study(methods=["answer-only"], search=["none"])
    ids = [cell.id for cell in expand(plain).cells]
    both = expand(study(methods=["answer-only"], search=["none", {"select": "within", "trials": 4}])).cells
    assert ids == [cell.id for cell in both if cell.search is None] == ["334d70da36e63bd6"]
    # changed once, with what the order of a setting is; never edit an id (tests/study/test_ids.py)
    assert [(cell.id, cell.search) for cell in both if cell.search] == [("c6b44282c04eab67", "97f5b91b1f7cfced")]


class Untouchable(tuple[Any, ...]):
    """Test items that may not be looked at."""

    def _refuse(self, *_: Any) -> Any:
        raise AssertionError("a test item was looked at")

    __iter__ = __getitem__ = __len__ = __bool__ = __contains__ = __add__ = __eq__ = __hash__ = _refuse  # type: ignore[assignment]


TUNED = {"tune": {"kind": "lora", "rank": 2}, "on": "answers", "steps": 2, "name": "lora"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("m") / "model", llama(context=512), tokenizer(bos=False))


def with_model(tiny: Path, **changes: Any) -> Study:
    values: dict[str, Any] = {
        "models": [{"spec": str(tiny), "label": "tiny", "family": "f"}],
        "methods": [TUNED],
        "dtype": "float32",
        "device": "cpu",
    }
    return study(**(values | changes))


@pytest.mark.parametrize("rule", ["within", "oracle-dev"])
def test_no_trial_looks_at_a_test_item(tmp_path: Path, tiny: Path, rule: str) -> None:
    settings = {"within": {}, "oracle-dev": {"dev": 6}}[rule]
    made = with_model(
        tiny,
        methods=["answer-only", {"prompt": "cot", "shots": 2}, TUNED],
        tasks=[{"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}],
        search=[{"select": rule, "trials": 3, **settings}],
    )
    grid = expand(made)
    (task,) = grid.tasks.values()
    model, plan = open_model(str(tiny), device="cpu", dtype="float32"), make_plan(task, 0)
    hidden = replace(task, test=Untouchable(), test_sets=Untouchable())
    with pytest.raises(AssertionError, match="was looked at"):
        longest_question(model, hidden, ("none",), grid.cells[0].method.prompt)
    blind = replace(grid, tasks={task.name: hidden}, tests=MappingProxyType({}))
    with Store(tmp_path) as store:
        searches = Searches(store, blind, Silent())
        found = [searches.of(cell, model, plan) for cell in grid.cells]
    assert len(found) == 3
    assert all(one is not None and len(one.facts["trials"]) == 3 for one in found)
    asked = {item.id for item in task.test}
    used = {name for one in found if one for line in one.ledger for name in line.ids}
    assert used == {item.id for item in plan.take(8)}
    assert not used & asked


def test_every_arm_has_as_many_trials_and_its_costs_are_counted(tmp_path: Path, tiny: Path) -> None:
    made = with_model(tiny, methods=["answer-only", TUNED], search=["none", {"select": "within", "trials": 3}])
    run(made, tmp_path / "d")
    held = cells_of(tmp_path / "d")
    assert "search" not in held["answer-only none 8 0"]
    facts = held["answer-only none 8 0"]["facts"]
    for name in ("answer-only", "lora"):
        said = held[f"{name}-within none 8 0"]["search"]
        assert len(said["trials"]) == 3
        assert all(one["n"] == 8 for one in said["trials"])
        tokens = said["prompt_tokens"] + said["output_tokens"]
        expected = 2 * facts["params_compute"] * tokens + 4 * facts["params_compute"] * said["tuning_tokens"]
        assert said["flops"] == pytest.approx(expected)
        assert (said["tuning_tokens"] > 0) == (name == "lora")
        # the examples that a trial held out or learnt from are all in the ledger, and none beyond the budget
        ledger = held[f"{name}-within none 8 0"]["ledger"]
        assert {line["use"] for line in ledger} == {"dev", "demonstration" if name == "answer-only" else "training"}
        assert len({one for line in ledger for one in line["ids"]}) == 8
    table = {row["method"]: row for row in onset.load(tmp_path / "d").cells.to_dicts()}
    assert table["lora-within"]["labels_used"] == 8
    assert list((tmp_path / "d" / "searches").rglob("*.safetensors")) == []  # weights of trials are not kept


def test_a_search_that_was_stopped_goes_on_and_repeats_no_trial(tmp_path: Path) -> None:
    whole = Counting()
    run(study(), tmp_path / "whole", models={"fake": whole})
    stopped = Counting(last=13)
    with pytest.raises(KeyboardInterrupt):
        run(study(), tmp_path / "d", models={"fake": stopped})
    rest = Counting()
    run(study(), tmp_path / "d", models={"fake": rest})
    # of four parts of two questions each a trial, six and a piece were asked: six are kept
    assert rest.asked == whole.asked - 12
    assert cells_of(tmp_path / "d") == cells_of(tmp_path / "whole")
    again = Counting()
    assert run(study(), tmp_path / "d", models={"fake": again}).ran == 0
    assert again.asked == 0
    # a shift that is added later needs no trial
    later = Counting()
    run(study(shifts=["none", "typos"]), tmp_path / "d", models={"fake": later})
    assert later.asked == 6


def test_trials_of_other_weights_are_made_again(tmp_path: Path) -> None:
    stopped = Counting(last=13)
    with pytest.raises(KeyboardInterrupt):
        run(study(), tmp_path / "d", models={"fake": stopped})
    for path in (tmp_path / "d" / "searches").rglob("*.json"):
        held = read_json(path)
        write_json(path, {**held, "measured": {**held["measured"], "revision": "other"}})
    rest, whole = Counting(), Counting()
    run(study(), tmp_path / "d", models={"fake": rest})
    run(study(), tmp_path / "whole", models={"fake": whole})
    assert rest.asked == whole.asked


def stop_when_tuned(made: Study, folder: Path) -> None:
    """Run ``made`` until the first trial's weights are kept, and nothing is asked of them."""

    def stopped(*_: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching._Trial, "_asked", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(made, folder)
    assert len(list((folder / "searches").rglob("tuning.json"))) == 1


def test_weights_that_a_trial_tuned_from_another_base_are_not_read_back(tmp_path: Path) -> None:
    base = save(tmp_path / "model", llama(context=512), tokenizer(bos=False))
    made = with_model(base, search=[{"select": "within", "trials": 2}])
    stop_when_tuned(made, tmp_path / "d")
    other = llama(context=512)
    with torch.no_grad():
        other.lm_head.weight.mul_(2)
    save(base, other, tokenizer(bos=False))
    run(made, tmp_path / "d")
    run(made, tmp_path / "whole")
    said, whole = (cells_of(tmp_path / one)["lora-within none 8 0"]["search"] for one in ("d", "whole"))
    assert said == whole
    assert not list((tmp_path / "d" / "searches").rglob("tuning.json"))


def test_a_trial_that_was_stopped_takes_the_time_of_all_runs(tmp_path: Path, tiny: Path) -> None:
    made = with_model(tiny, search=[{"select": "within", "trials": 2}])
    stop_when_tuned(made, tmp_path / "d")
    (timing,) = (tmp_path / "d" / "searches").rglob("timing.json")
    write_json(timing, {**read_json(timing), "seconds": 3000.0})
    run(made, tmp_path / "d")
    seconds = {one.name: read_json(one)["seconds"] for one in (tmp_path / "d" / "searches").rglob("*-*.json")}
    assert len(seconds) == 8
    assert [name for name, took in seconds.items() if took >= 3000.0] == ["0-0.json"]


def test_a_trial_that_diverges_counts_and_is_not_taken(tmp_path: Path, tiny: Path) -> None:
    grid = [{"learning_rate": 1e30}, {"learning_rate": 1e-4}]
    run(with_model(tiny, methods=[{**TUNED, "grid": grid}], search=[{"select": "within", "trials": 3}]), tmp_path / "d")
    said = cells_of(tmp_path / "d")["lora-within none 8 0"]["search"]
    failed = said["trials"][1]
    assert "diverged" in failed["failed"]
    assert (failed["accuracy"], failed["gold_logprob"]) == (None, None)
    assert said["taken"] != 1
    assert len(said["trials"]) == 3
    assert failed["flops"] > 0  # counted as if it had gone to its end
    assert failed["tuning_tokens"] > 0
    for what in ("flops", "tuning_tokens"):
        assert said[what] == sum(one[what] for one in said["trials"])


def test_a_trial_that_memory_was_short_for_is_tried_again(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = with_model(tiny, methods=[{**TUNED, "grid": [{"tune.rank": 4}]}], search=[{"select": "within", "trials": 2}])
    tune, calls = searching.tune, [0]

    def short(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] <= 2:  # the first part of both trials
            raise OutOfMemory("out of memory: no room")
        return tune(*arguments)

    monkeypatch.setattr(searching, "tune", short)
    with pytest.raises(CellsFailed, match="all 2 trials of its search failed; first: out of memory: no room"):
        run(made, tmp_path / "d")
    run(made, tmp_path / "d")
    trials = cells_of(tmp_path / "d")["lora-within none 8 0"]["search"]["trials"]
    assert [one["failed"] for one in trials] == [None, None]


class Refusing(Counting):
    """Refuses every question, or the one that it is asked first."""

    def __init__(self, *, every: bool) -> None:
        super().__init__()
        self.every = every
        self.first: str | None = None

    def answers(self, requests: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        for one in requests:
            asked = ASKED.search(one.prompt)
            assert asked
            self.first = self.first or asked[0]
            refuse = self.every or asked[0] == self.first
            found.append(RequestRefused("content filter") if refuse else self.generate([one])[0])
        return found


def test_an_example_that_is_refused_is_a_wrong_answer_of_its_trials(tmp_path: Path) -> None:
    """Also where each example is held out alone: the method has to raise at every example of a trial."""
    rule = {"select": "within", "trials": 4, "folds": 8}
    run(study(search=[rule]), tmp_path / "d", models={"fake": Refusing(every=False)})
    said = cells_of(tmp_path / "d")["ask-within none 8 0"]["search"]
    assert [(one["failed"], one["correct"], one["n"]) for one in said["trials"]] == [
        (None, right, 8) for right in (0, 0, 7, 0)
    ]
    assert said["taken"] == 2


def test_what_is_refused_in_every_trial_is_asked_again_by_the_next_run(tmp_path: Path) -> None:
    refusing, rest, whole = Refusing(every=True), Counting(), Counting()
    cause = "the method raised an error at every example; first: RequestRefused: content filter"
    with pytest.raises(CellsFailed, match=f"all 4 trials of its search failed; first: {cause}"):
        run(study(), tmp_path / "d", models={"fake": refusing})
    run(study(), tmp_path / "d", models={"fake": rest})
    run(study(), tmp_path / "whole", models={"fake": whole})
    assert rest.asked == whole.asked
    assert cells_of(tmp_path / "d") == cells_of(tmp_path / "whole")


def test_a_trial_whose_examples_do_not_fit_is_not_tried_again(tmp_path: Path, tiny: Path) -> None:
    arm = {"tune": {"kind": "prefix-tuning", "tokens": 3}, "on": "answers", "steps": 2, "name": "prefix"}
    made = with_model(
        tiny, methods=[{**arm, "grid": [{"tune.tokens": 600}]}], search=[{"select": "within", "trials": 2}]
    )
    run(made, tmp_path / "d")
    said = cells_of(tmp_path / "d")["prefix-within none 8 0"]["search"]
    assert "600 virtual tokens leave no room" in said["trials"][1]["failed"]
    (kept,) = (tmp_path / "d" / "searches").glob("*/1-*.json")
    assert read_json(kept)["failed"] == said["trials"][1]["failed"]


def test_a_trial_that_may_go_another_time_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose, gone = searching.choose_demonstrations, [True]

    def chosen(*arguments: Any, **more: Any) -> Any:
        if gone[0]:
            raise MethodError("the disk of passages is not there")
        return choose(*arguments, **more)

    monkeypatch.setattr(searching, "choose_demonstrations", chosen)
    with pytest.raises(CellsFailed, match="all 4 trials of its search failed; first: the disk of passages"):
        run(study(), tmp_path / "d", models={"fake": Counting()})
    gone[0] = False
    run(study(), tmp_path / "d", models={"fake": Counting()})
    trials = cells_of(tmp_path / "d")["ask-within none 8 0"]["search"]["trials"]
    assert [one["failed"] for one in trials] == [None] * 4


@pytest.mark.parametrize("grid", [[{"choose": "nearest", "shots": 2}], None])
def test_a_package_that_a_setting_needs_is_missed_before_anything_runs(
    grid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = {"prompt": "answer-only", "name": "ask", **({} if grid is None else {"grid": grid})}
    made = study(methods=[method], search=[{"select": "within", "trials": 2 if grid else 8}])
    (cell,) = expand(made).cells
    assert any(one.choose.kind == "nearest" for one in cell.settings or ())
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(StudyError) as raised:
        expand(made)
    said = str(raised.value)
    assert said.startswith("method ask-within: its search tries {'choose': 'nearest'")
    assert "'choose: nearest' needs the package bm25s: pip install 'lm-onset[local]', or give the method a" in said


@pytest.mark.parametrize("place", ["choosing", "asking"])
def test_a_package_that_is_missing_in_a_trial_fails_the_cell(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that is not tried for want of it is not a worse one."""
    choose, solve = searching.choose_demonstrations, AnswerOnly.solve

    def chosen(model: Any, task: Any, method: Any, *arguments: Any, **more: Any) -> Any:
        if place == "choosing" and method.shots == 1:
            raise NotInstalled("'choose' needs the package p: pip install p")
        return choose(model, task, method, *arguments, **more)

    async def solved(self: AnswerOnly, item: Any, ask: Any) -> Any:
        if place == "asking" and len(ask.demos) == 1:
            raise NotInstalled("'choose' needs the package p: pip install p")
        return await solve(self, item, ask)

    with monkeypatch.context() as patch:
        patch.setattr(searching, "choose_demonstrations", chosen)
        patch.setattr(AnswerOnly, "solve", solved)
        with pytest.raises(CellsFailed, match="first: NotInstalled: 'choose' needs the package p: pip install p;"):
            run(study(), tmp_path / "d", models={"fake": Counting()})
    rest, whole = Counting(), Counting()
    run(study(), tmp_path / "d", models={"fake": rest})
    run(study(), tmp_path / "whole", models={"fake": whole})
    assert rest.asked == whole.asked - 8  # the trial before it is kept
    assert cells_of(tmp_path / "d") == cells_of(tmp_path / "whole")


def test_a_search_of_which_every_trial_fails_fails_its_cells(tmp_path: Path, tiny: Path) -> None:
    grid = [{"learning_rate": 2e30}]
    made = with_model(
        tiny, methods=[{**TUNED, "learning_rate": 1e30, "grid": grid}], search=[{"select": "within", "trials": 2}]
    )
    with pytest.raises(CellsFailed, match="all 2 trials of its search failed; first: tuning diverged"):
        run(made, tmp_path / "d")


def test_what_a_search_took_can_be_opened(tmp_path: Path, tiny: Path) -> None:
    prefix = {
        "tune": "prefix-tuning",
        "on": "answers",
        "steps": 2,
        "name": "prefix",
        "grid": [{"tune.tokens": 3}, {"tune.tokens": 4}],
    }
    run(with_model(tiny, methods=[prefix], search=[{"select": "within", "trials": 3}]), tmp_path / "d")
    (folder,) = (tmp_path / "d" / "tuned").iterdir()
    said = cells_of(tmp_path / "d")["prefix-within none 8 0"]
    tokens = (20, 3, 4)[said["search"]["taken"]]
    assert len(onset.open_tuned(folder, device="cpu").virtual.ids) == tokens  # type: ignore[attr-defined]
    assert said["tuning"]["trained_params"] == tokens * said["tuning"]["trained_params"] // tokens


class Leaking(Within):
    """Says that it stays within the budget, and does not."""

    kind: ClassVar[str] = "leaking"

    def parts(self, plan: ExamplePlan, labels: int) -> tuple[Part, ...]:
        return (Part(plan.take(labels), plan.order[labels : labels + 2]),)


def test_the_ledger_refuses_an_example_outside_the_budget(tmp_path: Path) -> None:
    grid = expand(study())
    (cell,) = grid.cells
    leaking = replace(cell, method=replace(cell.method, search=Leaking(trials=4)))
    (task,) = grid.tasks.values()
    with Store(tmp_path) as store, pytest.raises(PlanMismatch, match="2 of 10 examples used for dev are not in the"):
        Searches(store, grid, Silent()).of(leaking, ScriptedModel(right_with(2)), make_plan(task, 0))


def test_a_dev_set_is_told_apart_from_the_ledger(tmp_path: Path) -> None:
    run(study(search=[{"select": "oracle-dev", "dev": 10, "trials": 4}]), tmp_path / "d", models={"fake": Counting()})
    said = cells_of(tmp_path / "d")["ask-oracle-dev none 8 0"]
    granted = {one for line in said["ledger"] for one in line["ids"]}
    assert len(said["search"]["outside"]) == 10
    assert len(granted) == 8
    assert not granted & set(said["search"]["outside"])


def test_answers_that_are_yet_to_come_wait_and_all_is_asked_that_can_be(tmp_path: Path) -> None:
    class Later(Counting):
        def generate(self, requests: Sequence[Any]) -> Any:
            self.asked += len(requests)
            raise Unanswered("to come")

    model = Later()
    summary = run(study(), tmp_path / "d", models={"fake": model})
    assert (summary.waiting, summary.failed) == (1, {})
    assert model.asked == 4 * 8  # every part of every trial
    assert not (tmp_path / "d" / "searches").exists()


def test_a_plan_counts_trials(tiny: Path) -> None:
    made = with_model(tiny, methods=["answer-only", TUNED], search=["none", {"select": "within", "trials": 3}])
    grid = expand(made)
    costs = estimate(grid)
    said = costs.to_json(grid)
    assert said["search"]["trials"] == 6
    assert [row["trials"] for row in said["models"]] == [6]
    assert sorted(row["trials"] for row in said["grid"]) == [0, 0, 3, 3]
    without = with_model(tiny, methods=["answer-only", TUNED], search=["none"])
    plain = estimate(expand(without)).total().flops
    total = costs.total().flops
    assert total is not None
    assert plain is not None
    extra = sum(costs.cells[cell.id].flops or 0 for cell in grid.cells if cell.search)
    extra += sum(costs.tunings[cell.tuned].flops or 0 for cell in grid.cells if cell.search and cell.tuned)
    assert total == pytest.approx(plain + extra + said["search"]["flops"])


def test_a_plan_counts_the_scores_of_gold_answers_where_they_decide(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onset.study.estimate.measure_speed", lambda *_: 1e9)

    def planned(ties: str) -> tuple[float, float]:
        made = with_model(tiny, methods=["answer-only"], search=[{"select": "within", "trials": 3, "ties": ties}])
        (cost,) = estimate(expand(made)).searches.values()
        assert cost.flops is not None
        assert cost.seconds is not None
        return cost.flops, cost.seconds

    scored, plain = planned("log-probability"), planned("default")
    assert scored[0] > 1.5 * plain[0]  # prompts are most of the tokens, and are read twice
    assert scored[1] > plain[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": [3]}, "method ask-within, task addition[digits=2], 3 labels: 4 folds of 3 labelled examples leave a fold empty; lower 'folds'"),
        ({"search": [{"select": "oracle-dev", "dev": 53, "trials": 4}]}, "a dev set of 53 beyond 8 labels needs 61 labelled examples, the pool holds 60"),
        ({"search": [{"select": "within", "trials": 5}]}, "'search' tries 5 settings of every method, this one has 4; lower 'trials', give the method a 'grid' of more, or 'search: none'"),
        ({"labels": [0]}, "study: no cell is left: every method is tuned or searched and the only budget is 0 labels"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_one_clear_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as raised:
        expand(study(**changes))
    assert message in str(raised.value)


def test_zero_labels_are_left_out_and_said() -> None:
    grid = expand(study(labels=[0, 8], search=["none", {"select": "within", "trials": 4}]))
    assert [(cell.method.name, cell.labels) for cell in grid.cells] == [("ask", 0), ("ask", 8), ("ask-within", 8)]
    assert "0 labels: nothing to choose settings by, left out: ask-within" in grid.notes


def test_the_example_tries_as_many_settings_of_every_method() -> None:
    grid = expand(read_study(Path(__file__).parents[2] / "examples" / "search.yaml"))
    trials = {cell.method.name: len(cell.settings or ()) for cell in grid.cells}
    assert {name.partition("-within")[0] for name, count in trials.items() if "within" in name and count == 4} == {
        name for name, count in trials.items() if count == 0
    }
    assert sorted(trials.values()) == [0] * 3 + [4] * 6


def test_every_stage_shows_what_its_own_search_took(tmp_path: Path) -> None:
    """Settings are chosen of every model that stages make, so that one stage may show other demonstrations."""
    (tmp_path / "say.jsonl").write_text('{"prompt": "Say blue.", "completion": "blue"}\n', encoding="utf-8")
    stages = {"recipes": {"say": {"data": str(tmp_path / "say.jsonl"), "steps": 1}}, "stages": [[], ["say"]]}
    grid = expand(study(**stages))
    plan = make_plan(next(iter(grid.tasks.values())), 0)
    with Store(tmp_path / "d") as store:
        shown = Demonstrations(store, grid)
        for cell, taken in zip(grid.cells, (1, 2), strict=True):
            assert cell.settings is not None
            used = replace(cell, chosen=cell.settings[taken])
            assert len(shown.of(used, ScriptedModel(right_with(1)), plan).everywhere) == taken
