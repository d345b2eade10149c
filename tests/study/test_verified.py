"""A verifier in a study: one bank with its control, plan, ledger, costs, what is kept, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from models_fixtures import llama
from tuner_conformance import hf_model

import onset
from onset.errors import DataError, StudyError
from onset.methods import METHODS, method
from onset.prompting.ask import VERIFY
from onset.results.read import load
from onset.study.estimate import estimate
from onset.study.grid import expand
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import Study, make_study
from onset.votes.base import Sample
from onset.votes.verifier import Verifier

GENERATOR = {"tune": "lora", "on": "rationales", "epochs": 2}
LEARNS = {"kind": "verifier", "samples": 4, "solutions": 5}
METHODS_OF = {
    "single": GENERATOR,
    "best": {**GENERATOR, "vote": LEARNS},
    "ranked": {**GENERATOR, "vote": {**LEARNS, "keep": 3}},
    "majority": {**GENERATOR, "vote": 4},
}


class Told(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.learnt: list[int] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def verifying(self, cell: Any, done: int, steps: int) -> None:
        self.learnt.append(done)


def study(names: tuple[str, ...] = tuple(METHODS_OF), **changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s", "models": ["ladder/r0"], "methods": [{**METHODS_OF[name], "name": name} for name in names],
        "tasks": [{"name": "world-coin", "pool": 24, "test": 12}], "labels": 6, "seeds": 1, "items": 4,
        "device": "cpu", "dtype": "float32",
    }  # fmt: skip
    return make_study(**{**values, **changes})


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    folder, told = tmp_path_factory.mktemp("verified") / "d", Told()
    assert run(study(), folder, observer=told).ran == 4
    return folder, told


def cells_of(folder: Path) -> dict[str, dict[str, Any]]:
    return {cell["method"]: cell for cell in (json.loads(p.read_text()) for p in folder.glob("cells/*/cell.json"))}


def records_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    held = load(folder)
    names = {row["cell"]: row["method"] for row in held.cells.to_dicts()}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in held.records.sort("position").to_dicts():
        found.setdefault(names[row["cell"]], []).append(row)
    return found


def test_all_votes_read_the_samples_of_the_majority(ran: tuple[Path, Told]) -> None:
    records, cells = records_of(ran[0]), cells_of(ran[0])
    names = {cell["id"]: name for name, cell in cells.items()}
    sources = {
        names[path.parent.name]: names[json.loads(path.read_text())["cell"]]
        for path in ran[0].glob("cells/*/source.json")
    }
    assert sources == {"best": "majority", "ranked": "best"}
    for name in ("best", "ranked"):
        assert [row["outputs"] for row in records[name]] == [row["outputs"] for row in records["majority"]]
        for row in records[name]:
            detail = json.loads(row["detail"])
            scores = detail["verifier"]
            assert len(scores) == 4
            ranked = sorted(range(4), key=lambda place: -scores[place])[: 3 if name == "ranked" else 1]
            assert detail["vote"]["ranked"] == ranked
            if name == "best":
                assert row["answer"] == row["answers"][ranked[0]]
    assert all("verifier" not in json.loads(row["detail"]) for row in records["majority"])


def test_the_control_pays_for_the_generator_alone(ran: tuple[Path, Told]) -> None:
    cells, records = cells_of(ran[0]), records_of(ran[0])
    own = cells["best"]["verifier"]
    assert own == cells["ranked"]["verifier"]
    assert cells["single"]["tuning"] == cells["majority"]["tuning"]
    for key in ("flops", "tokens", "steps", "trained_params"):
        assert cells["best"]["tuning"][key] == cells["single"]["tuning"][key] + own[key]
    assert (own["problems"], own["solutions"], own["steps"]) == (6, 30, 4)
    assert cells["single"]["tuning"]["steps"] == 2  # epochs of one batch
    params = cells["best"]["facts"]["params_compute"]
    kept = [
        json.loads(line) for line in (ran[0] / "tuned" / f"{own['id']}.material.jsonl").read_text().splitlines()[1:]
    ]
    assert sum(row["right"] for row in kept) == own["right"]
    assert sum(one["count"] for row in kept for one in row["solutions"]) == 30
    assert own["prepared_flops"] == 2.0 * params * own["prepared_tokens"] > 0
    assert own["flops"] == 4.0 * params * own["tokens"] + own["prepared_flops"]
    for best, voted in zip(records["best"], records["majority"], strict=True):
        (call,) = (one for one in best["calls"] if one["role"] == VERIFY)
        assert (call["texts"], call["prompt"], call["model"]) == (None, None, "verifier of ladder/r0")
        assert call["flops"] == 2.0 * params * (call["prompt_tokens"] + call["output_tokens"])
        assert best["flops"] == voted["flops"] + call["flops"]
        assert (best["prompt_tokens"], best["output_tokens"]) == (voted["prompt_tokens"], voted["output_tokens"])
    rows = {row["method"]: row for row in load(ran[0]).cells.to_dicts()}
    assert rows["best"]["seconds"] > rows["majority"]["seconds"]
    assert rows["best"]["tuning_seconds"] > rows["majority"]["tuning_seconds"] == rows["single"]["tuning_seconds"]


def test_it_uses_the_granted_examples_and_no_others(ran: tuple[Path, Told]) -> None:
    cells = cells_of(ran[0])
    used = {
        name: [(line["use"], line["ids"], line["rationales"]) for line in cell["ledger"]]
        for name, cell in cells.items()
    }
    assert [use for use, *_ in used["best"]] == ["training", "verifier"]
    assert used["best"][0][1:] == used["best"][1][1:] == used["majority"][0][1:]
    assert {row["labels_used"] for row in load(ran[0]).cells.to_dicts()} == {6}


def test_a_kept_verifier_is_opened_and_scores_as_in_the_study(ran: tuple[Path, Told]) -> None:
    row, cell = records_of(ran[0])["best"][0], cells_of(ran[0])["best"]
    opened = onset.open_verifier(ran[0] / "tuned" / cell["verifier"]["id"])
    assert opened.revision == cell["verifier"]["revision"]
    assert list(opened.rate(row["prompt"], row["outputs"]).scores) == pytest.approx(
        json.loads(row["detail"])["verifier"]
    )
    held = {row["method"]: row["stored_bytes"] for row in load(ran[0]).cells.to_dicts()}
    files = [path for path in (ran[0] / "tuned").glob("*/*") if path.is_file()]
    assert held["best"] == sum(path.stat().st_size for path in files) > held["majority"] == held["single"] > 0


def test_asked_anew_it_is_what_it_is_read_again(ran: tuple[Path, Told], tmp_path: Path) -> None:
    told = Told()
    assert run(study(("best",)), tmp_path / "d", observer=told).ran == 1
    assert told.learnt == ran[1].learnt == [1, 2, 3, 4]
    assert not list(tmp_path.glob("d/cells/*/source.json"))
    cell = cells_of(tmp_path / "d")["best"]
    assert cell == cells_of(ran[0])["best"]
    both = [pl.read_parquet(folder / "cells" / cell["id"] / "records.parquet") for folder in (ran[0], tmp_path / "d")]
    assert both[0].equals(both[1])
    # kept: more items need no training, and another vote reads scores that are there
    more = study(("best", "ranked"), items=6)
    assert run(more, tmp_path / "d", observer=told).ran == 2
    assert len(told.learnt) == 4
    calls = [[one["role"] for one in row["calls"]].count(VERIFY) for row in load(tmp_path / "d").records.to_dicts()]
    assert set(calls) == {1}


def test_a_plan_counts_both_trainings_and_the_scores(ran: tuple[Path, Told]) -> None:
    grid = expand(study())
    plan = estimate(grid)
    cells = {cell.method.name: cell for cell in grid.cells}
    best, voted = cells["best"], cells["majority"]
    assert best.verifier == cells["ranked"].verifier == cells_of(ran[0])["best"]["verifier"]["id"]
    assert voted.verifier is None
    ranked = cells["ranked"]
    assert plan.shares == {best.id: voted.id, ranked.id: best.id}
    assert plan.price(ranked)[0] == plan.price(best)[0]
    asking = sum(one.flops or 0.0 for one in plan.cells.values())
    assert sum(plan.price(cell)[0] for cell in grid.cells) == pytest.approx(asking)
    assert plan.tunings.keys() == {best.tuned, best.verifier}
    own = cells_of(ran[0])["best"]["verifier"]
    assert 0.2 < (plan.tunings[best.verifier].flops or 0.0) / own["flops"] < 5
    asked = sum(row["flops"] for row in records_of(ran[0])["majority"])
    scored = sum(row["flops"] for row in records_of(ran[0])["best"]) - asked
    assert 0.2 < (plan.cells[best.id].flops or 0.0) / scored < 8  # equal samples are scored once
    assert plan.price(best)[0] > plan.price(voted)[0]
    assert plan.price(best)[1] == pytest.approx(sum(one.flops or 0.0 for one in plan.tunings.values()))
    assert plan.to_json(grid)["models"][0]["tunings"] == 2


def test_solutions_of_one_kind_are_told_and_crash_nothing(tmp_path: Path) -> None:
    """A random model is never right; its weights, as large as the model, go when its cells are done."""
    told = Told()
    whole = {"tune": "full", "on": "rationales", "steps": 2, "vote": LEARNS, "name": "whole"}
    coin = [{"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}]
    asked = study((), methods=[whole], models=[{"spec": "hub/tiny", "label": "tiny"}], tasks=coin, labels=3)
    model = hf_model(llama(context=2048), bos=False)
    assert run(asked, tmp_path / "d", observer=told, models={"tiny": model}).ran == 1
    note = "all 15 solutions of 3 problems are wrong: the verifier had nothing to tell apart, its scores rank by chance"
    assert told.notes == [f"tiny · whole · coin-flip · 3 labels · seed 0: {note}"]
    assert (cells_of(tmp_path / "d")["whole"]["verifier"]["right"], len(told.learnt)) == (0, 2)
    assert [path.suffix for path in (tmp_path / "d" / "tuned").iterdir()] == [".jsonl"]


@pytest.mark.slow
def test_a_search_makes_a_verifier_for_every_part(tmp_path: Path) -> None:
    searched = {**METHODS_OF["best"], "steps": 2, "name": "best"}
    del searched["epochs"]
    rule = {"select": "within", "trials": 2, "folds": 2}
    asked = study((), methods=[{**searched, "search": rule, "grid": {"vote.keep": [1, 2]}}])
    assert run(asked, tmp_path / "d").ran == 1
    (cell,) = cells_of(tmp_path / "d").values()
    assert [trial["failed"] for trial in cell["search"]["trials"]] == [None, None]
    assert cell["search"]["flops"] > 2 * cell["verifier"]["flops"] / 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"prompt": "cot", "vote": LEARNS},
            "method: 'vote: verifier' learns from worked solutions of a tuned model: it needs 'tune' and 'on:"
            " rationales', and 'tune' is not given",
        ),
        (
            {"tune": "lora", "on": "answers", "vote": LEARNS},
            "method: 'vote: verifier' learns from worked solutions of a tuned model: it needs 'on: rationales', or what"
            " else teaches worked steps and is asked without demonstrations (received on: answers)",
        ),
        (
            {"tune": "lora", "on": {"kind": "few-shot", "shots": 2, "of": "rationales"}, "vote": LEARNS},
            "method: 'vote: verifier' learns from worked solutions of a tuned model: it needs 'on: rationales', or what"
            " else teaches worked steps and is asked without demonstrations (received on: few-shot-shots2-ofrationales)",
        ),
        (
            {**GENERATOR, "vote": {**LEARNS, "keep": 5}},
            "method: 'vote', verifier: 'keep' 5 is more than 'samples' 4",
        ),
        (
            {**GENERATOR, "steps": 3},
            "method: 'steps: 3' and 'epochs: 2' both say how long to tune; leave one of them out",
        ),
        ({"prompt": "cot", "epochs": 2}, "method: 'epochs: 2' belongs to a tuning method, but 'tune' is not given"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as caught:
        method(**given)
    assert str(caught.value) == message


def test_epochs_are_not_searched() -> None:
    rule = {"select": "within", "trials": 2, "folds": 2}
    with pytest.raises(StudyError) as caught:
        expand(study((), methods=[{**GENERATOR, "name": "e", "search": rule}]))
    assert str(caught.value) == (
        "method e: a search tries numbers of steps, and 'epochs: 2' names none; write 'steps', or 'search: none'"
    )


def test_a_task_without_worked_steps_is_refused(tmp_path: Path) -> None:
    for name, numbers in (("train", range(12)), ("test", range(20, 26))):
        rows = [{"question": f"Is the number {n} odd?", "answer": ("no", "yes")[n % 2]} for n in numbers]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = {"name": "odd", "train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl")}
    with pytest.raises(DataError, match="method 'best' needs examples with a 'rationale', none of its"):
        expand(study(("best",), tasks=[own]))


def test_the_preset_is_the_papers() -> None:
    preset = METHODS.load("verifier")
    assert isinstance(preset.vote, Verifier)
    assert (preset.epochs, preset.vote.samples, preset.vote.solutions, preset.vote.keep) == (2, 100, 100, 1)
    assert [preset.schedule(count).steps for count in (None, 8, 64, 65)] == [60, 2, 16, 18]
    assert preset.vote.bank() == {"samples": 100, "temperature": 0.7}


def test_a_vote_without_scores_is_refused() -> None:
    from onset.errors import MethodError
    from onset.records import Answer, Item

    with pytest.raises(MethodError) as caught:
        Verifier(samples=2).choose([Sample("", Answer("1", "ok"), None, 1)] * 2, Item("How many?", "1"))
    assert str(caught.value) == "vote 'verifier': none of 2 samples has a verifier's score: nothing ranks them"
