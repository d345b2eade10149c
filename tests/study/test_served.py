"""A study whose model is run by vLLM (a stand-in): LoRA is trained on the same files and served, nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fake_vllm
import pytest
from models_fixtures import llama, save, tokenizer

from onset.errors import StoreError, StudyError
from onset.models.vllm.model import VLLMModel
from onset.results.read import load
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.served import rank_of
from onset.study.spec import Study, make_study
from onset.study.tuned import open_tuned

LORA = {"tune": {"kind": "lora", "rank": 4}, "on": "answers", "steps": 2, "name": "lora"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("served") / "tiny", llama(context=1024), tokenizer(bos=False))


@pytest.fixture(autouse=True)
def engines() -> Iterator[list[fake_vllm.LLMEngine]]:
    with fake_vllm.installed() as started:
        yield started


def study(spec: str, *methods: Any, **more: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s", "models": [{"spec": spec, "label": "m"}], "methods": list(methods) or ["answer-only", LORA],
        "labels": 2, "seeds": 1, "tasks": [{"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}], "items": 3,
        "device": "cpu", "dtype": "float32",
    }  # fmt: skip
    return make_study(**{**values, **more})


def rows(folder: Path) -> list[dict[str, Any]]:
    kept = ("cell", "item", "outputs", "finishes", "lengths", "answer", "prompt_tokens", "output_tokens", "flops")
    return load(folder).records.select(kept).to_dicts()


def test_it_gives_the_records_of_the_embedded_engine(
    folder: Path, tmp_path: Path, engines: list[fake_vllm.LLMEngine]
) -> None:
    assert run(study(str(folder)), tmp_path / "here").ran == 2
    assert run(study(f"vllm:{folder}"), tmp_path / "vllm").ran == 2
    assert rows(tmp_path / "vllm") == rows(tmp_path / "here")
    (one,) = engines
    assert (one.args.max_lora_rank, one.live) == (8, {})
    cells = [json.loads(path.read_text()) for path in sorted((tmp_path / "vllm").glob("cells/*/cell.json"))]
    assert all("vllm" in cell["environment"] for cell in cells)
    tuned = next(cell for cell in cells if cell["tuned"])
    weights = tmp_path / "vllm" / "tuned" / tuned["tuned"]
    assert (weights / "adapter_model.safetensors").read_bytes() == (
        tmp_path / "here" / "tuned" / tuned["tuned"] / "adapter_model.safetensors"
    ).read_bytes()
    kept = open_tuned(weights, device="cpu")
    assert isinstance(kept, VLLMModel)
    assert kept.facts.revision == tuned["tuned_revision"]

    with pytest.raises(StoreError) as caught:
        run(study(str(folder), "answer-only", LORA, "cot"), tmp_path / "vllm")
    assert "has changed: engine Onset, but" in str(caught.value)


REFUSED = {
    "full": ({"tune": "full", "on": "answers", "name": "x"}, "method x tunes with 'full'"),
    "dora": ({"tune": {"kind": "lora", "dora": True}, "on": "answers", "name": "x"}, "method x tunes with DoRA"),
    "ia3": ({"tune": "ia3", "on": "answers", "name": "x"}, "method x tunes with 'ia3'"),
    "distilled": (
        {"tune": "lora", "on": {"kind": "distilled", "shots": 1}, "name": "x"},
        "method x tunes on 'distilled', which needs the distributions of every token",
    ),
    "verifier": (
        {"tune": "lora", "on": "rationales", "prompt": "cot", "vote": {"kind": "verifier", "samples": 2}, "name": "x"},
        "the verifier of method x has weights of its own",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_changes_the_weights_is_refused_before_anything_runs(what: str, folder: Path) -> None:
    method, problem = REFUSED[what]
    with pytest.raises(StudyError) as caught:
        expand(study(f"vllm:{folder}", "answer-only", method))
    assert str(caught.value) == (
        "model 'm' is run by vLLM, which leaves its weights as they are and serves LoRA adapters beside them:"
        f" {problem}; leave 'vllm:' out of its name, or the method out for it (docs/vllm.md)"
    )
    expand(study(str(folder), "answer-only", method))


def test_a_stage_of_training_is_refused_before_anything_runs(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "say.jsonl").write_text('{"prompt": "Say keys.", "completion": "keys"}\n')
    say = {"data": str(tmp_path / "say.jsonl"), "steps": 3, "learning_rate": 1e-3}
    with pytest.raises(StudyError, match="beside them: stage say trains all of them; leave"):
        expand(study(f"vllm:{folder}", stages=[[], ["say"]], recipes={"say": say}))


def test_the_engine_has_room_for_the_largest_rank_that_is_tried(folder: Path) -> None:
    grid = [{"tune.rank": 12}]
    searched = {
        "tune": {"kind": "lora", "rank": 4},
        "on": "answers",
        "search": {"select": "within", "trials": 2, "grid": grid},
        "name": "x",
    }
    cells = expand(study(f"vllm:{folder}", "answer-only", searched, labels=6)).cells
    assert (rank_of(cells, "m"), rank_of(cells, "other")) == (12, 0)
    assert rank_of(expand(study(f"vllm:{folder}", "answer-only")).cells, "m") == 0
