"""What is tuned on, in a study: plan, ledger, costs, what is kept, and how the tuned model is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from models_fixtures import llama
from tuner_conformance import hf_model

from onset.errors import DataError
from onset.models.hf import HFModel
from onset.models.scripted import ScriptedModel
from onset.records import Request
from onset.report.facts import examples, methods
from onset.results.read import load
from onset.study.estimate import estimate
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.spec import Study, make_study
from onset.tuning.base import Example
from onset.tuning.loop import encode_one

SAID = [" It is heads. The answer is heads.", " The answer is tails.", " So heads. The answer is heads."]
ON: dict[str, Any] = {
    "few": {"kind": "few-shot", "shots": 2, "of": "rationales", "draws": 1},
    "distilled": {"kind": "distilled", "shots": 2, "samples": 3},
    "improved": {"kind": "self-improvement", "shots": 2, "samples": 3},
}


class Asked:
    """What a base model answers by a script, and how often it is asked with a temperature."""

    def __init__(self, model: HFModel) -> None:
        self.model, self.sampled = model, list[Request]()
        self.script = ScriptedModel({"": SAID})
        model.generate = self.generate  # type: ignore[method-assign]

    def generate(self, requests: Sequence[Request]) -> Any:
        self.sampled += [one for one in requests if one.n > 1]
        return self.script.generate(requests)


def study(items: int = 4, **changes: Any) -> Study:
    ways = [{"tune": "lora", "on": on, "steps": 2, "name": name} for name, on in ON.items()]
    values: dict[str, Any] = {
        "name": "s", "models": [{"spec": "hub/tiny", "label": "tiny"}], "methods": ways, "labels": 5, "seeds": 1,
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}], "items": items, "device": "cpu",
        "dtype": "float32",
    }  # fmt: skip
    return make_study(**{**values, **changes})


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Asked]:
    folder, asked = tmp_path_factory.mktemp("on") / "d", Asked(hf_model(llama(context=2048), bos=False))
    assert run(study(), folder, models={"tiny": asked.model}).ran == 3
    return folder, asked


def facts(folder: Path) -> dict[str, dict[str, Any]]:
    held = [json.loads(path.read_text()) for path in sorted(folder.glob("cells/*/cell.json"))]
    return {cell["method"]: cell for cell in held}


def test_the_ledger_says_what_was_used_for_what(ran: tuple[Path, Asked]) -> None:
    used = {
        name: [(line["use"], len(line["ids"]), line["rationales"]) for line in cell["ledger"]]
        for name, cell in facts(ran[0]).items()
    }
    assert used == {
        "few": [("training", 5, True), ("demonstration", 2, True)],
        "distilled": [("demonstration", 2, False), ("question", 3, False)],
        "improved": [("demonstration", 2, True), ("question", 3, False), ("demonstration", 2, True)],
    }
    cells = {row["method"]: row for row in load(ran[0]).cells.to_dicts()}
    assert {name: row["labels_used"] for name, row in cells.items()} == {"few": 5, "distilled": 2, "improved": 2}
    assert {name: row["rationales"] for name, row in cells.items()} == {"few": 5, "distilled": 0, "improved": 2}
    told = {row["method"]: row["used"] for row in examples(facts(ran[0]).values())}
    assert told["distilled"] == "2 shown in the prompt, 3 asked without their answers"
    words = {row["method"]: row["words"] for row in methods(facts(ran[0]).values())}
    assert words["few"].endswith(
        "on prompts with demonstrations (shots 2, of rationales, draws 1); the tuned model is asked with 2"
        " demonstrations; optimiser steps 2"
    )


def test_the_tuned_model_is_asked_as_it_was_tuned(ran: tuple[Path, Asked]) -> None:
    cells = {row["cell"]: row["method"] for row in load(ran[0]).cells.to_dicts()}
    prompts = {cells[row["cell"]]: row["prompt"] for row in load(ran[0]).records.to_dicts()}
    counts = {
        name: (prompt.count("Question:"), "comes up" in prompt or "flips" in prompt) for name, prompt in prompts.items()
    }
    assert {name: count for name, (count, _) in counts.items()} == {"few": 3, "distilled": 1, "improved": 3}
    assert prompts["few"] == prompts["improved"]


def test_what_the_base_model_ran_first_is_counted_and_kept(ran: tuple[Path, Asked]) -> None:
    folder, asked = ran
    held, params = facts(folder), asked.model.facts.params_compute
    assert [len(asked.sampled), {one.n for one in asked.sampled}] == [6, {3}]
    for name, cell in held.items():
        report, kept = cell["tuning"], material_of(folder, cell)
        trained = 4.0 * params * report["tokens"]
        assert report["flops"] == trained + report.get("prepared_flops", 0.0)
        assert kept.exists() == (name != "few")
        if name == "few":
            continue
        rows = [json.loads(line) for line in kept.read_text().splitlines()[1:]]
        mine = [one for one in asked.sampled if one.prompt in {row["prompt"] for row in rows}]
        assert len(rows) == len(mine) == 3
        done = [done for one in asked.script.generate(mine) for done in one]
        tokens = sum(one.tokens for one in done) + sum(one.prompt_tokens for one in done[::3])  # type: ignore[misc]
        if name == "distilled":  # and the teacher read every text once
            texts = [Example(row["prompt"], one["text"]) for row in rows for one in row["samples"]]
            tokens += sum(len(encode_one(asked.model.tokenizer, one).ids) for one in texts)
        assert report["prepared_tokens"] == tokens
        assert report["prepared_flops"] == 2.0 * params * tokens
    row = json.loads(material_of(folder, held["improved"]).read_text().splitlines()[1])
    assert (row["answer"], row["agreeing"], row["answers"]) == ("heads", 2, {"heads": 2, "tails": 1})


def material_of(folder: Path, cell: dict[str, Any]) -> Path:
    return folder / "tuned" / f"{cell['tuned']}.material.jsonl"


def test_what_was_sampled_stays_where_weights_as_large_as_the_model_go(tmp_path: Path) -> None:
    whole = study(methods=[{"tune": "full", "on": ON["improved"], "steps": 2, "name": "whole"}])
    asked = Asked(hf_model(llama(context=2048), bos=False))
    assert run(whole, tmp_path / "d", models={"tiny": asked.model}).ran == 1
    cell = facts(tmp_path / "d")["whole"]
    assert not (tmp_path / "d" / "tuned" / cell["tuned"]).exists()
    assert len(material_of(tmp_path / "d", cell).read_text().splitlines()[1:]) == 3
    again = run(study(items=6, methods=whole.canonical()["methods"]), tmp_path / "d", models={"tiny": asked.model})
    assert (again.ran, len(asked.sampled)) == (
        1,
        6,
    )  # sampled and tuned again, to the same weights: a run refuses others


def test_kept_weights_are_asked_more_without_sampling_again(ran: tuple[Path, Asked]) -> None:
    folder, asked = ran
    before, revisions = len(asked.sampled), {name: cell["tuned_revision"] for name, cell in facts(folder).items()}
    assert run(study(items=6), folder, models={"tiny": asked.model}).ran == 3
    assert len(asked.sampled) == before
    cells = [json.loads(path.read_text()) for path in folder.glob("cells/*/cell.json")]
    assert sorted((cell["method"], cell["tuned_revision"]) for cell in cells) == sorted(list(revisions.items()) * 2)


def test_the_plan_counts_what_is_sampled(ran: tuple[Path, Asked]) -> None:
    folder, asked = ran
    grid = expand(study())
    size = {"hub/tiny": _size(asked.model)}
    planned = estimate(grid, size)
    held = facts(folder)
    for cell in grid.cells:
        name = cell.method.name
        expected = planned.tunings[cell.tuned or ""].flops
        assert expected is not None
        assert 0.2 < expected / held[name]["tuning"]["flops"] < 5
        assert planned.prompts[cell.id].demonstrations == (0 if name == "distilled" else 2)
    many = {**ON["improved"], "samples": 300}
    more = expand(study(methods=[{"tune": "lora", "on": many, "steps": 2, "name": "improved"}]))
    (cost,) = estimate(more, size).tunings.values()
    (few,) = (planned.tunings[one.tuned or ""] for one in grid.cells if one.method.name == "improved")
    assert cost.flops is not None
    assert few.flops is not None
    written = 0.6 * next(iter(more.tasks.values())).rationale_tokens
    assert cost.flops - few.flops == pytest.approx(2.0 * asked.model.facts.known("params_compute") * 3 * 297 * written)


def _size(model: HFModel) -> Any:
    from onset.models.backend import Size

    return Size(model.facts.params_compute, model.facts.context)


def test_too_few_examples_are_refused_before_anything_runs() -> None:
    with pytest.raises(DataError, match=r"^task coin-flip.*: 'on: few-shot' with 2 demonstrations needs 3 labelled"):
        expand(study(labels=[5, 2]))
