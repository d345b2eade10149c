"""vLLM itself beside the embedded engine on a CPU: ``ONSET_VLLM=FOLDER`` names a model folder, SmolLM2 for example, in an
environment that has vLLM (docs/vllm.md says how to make one). Starting takes a minute or two each time.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import fake_vllm
import pytest

from onset.models import open_model
from onset.models.chat import chosen_template
from onset.models.hf import HFModel
from onset.models.vllm.model import VLLMModel
from onset.prompting.text import render
from onset.records import Completion, EndRule, Pair, Request
from onset.results.read import load
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_task
from onset.tuning.base import Example, Schedule, Seeds
from onset.tuning.lora import LoRA
from onset.tuning.weights import revision_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
STORY = "Once upon a time there was a"
LONG = (
    " small house at the edge of the wood, and in it lived an old woman with her three cats. One morning she found the"
)


@pytest.fixture(scope="module")
def folder() -> Path:
    told = os.environ.get("ONSET_VLLM")
    if not told:
        pytest.skip("no model folder is named: set ONSET_VLLM")
    pytest.importorskip("vllm", reason="vLLM is not installed")
    return Path(told).resolve()


@pytest.fixture(scope="module")
def here(folder: Path) -> HFModel:
    model = open_model(str(folder), device="cpu", dtype="float32")
    assert isinstance(model, HFModel)
    return model


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[VLLMModel]:
    model = open_model(f"vllm:{folder}", device="cpu", dtype="float32", batch_tokens=8192, rank=4)
    assert isinstance(model, VLLMModel)
    yield model
    model.close()


def asked(model: Any, tokens: int = 40) -> list[Request]:
    """Twenty questions of a task, ten with demonstrations, ended by their own rules."""
    task = open_task({"name": "coin-flip", "flips": 2, "pool": 20, "test": 20})
    chat = chosen_template(model, None)
    prompts = [
        render(task, task.pool[: 2 * (place % 2)], item, rationale=True, chat=chat)
        for place, item in enumerate(task.test[:20])
    ]
    rule = EndRule(task.layout.marker, task.layout.end)
    return [Request(one, tokens, templated=chat is not None, until=rule, stop=("\n\n",)) for one in prompts]


def told(found: list[list[Completion]]) -> list[tuple[str, int, str, int | None]]:
    return [(one.text, one.tokens, one.finish, one.prompt_tokens) for samples in found for one in samples]


def test_the_stand_in_has_the_names_of_the_real_one(folder: Path) -> None:
    import vllm
    from vllm.lora.request import LoRARequest
    from vllm.outputs import CompletionOutput, RequestOutput
    from vllm.sampling_params import RequestOutputKind

    for ours, theirs in (
        (fake_vllm.SamplingParams, vllm.SamplingParams),
        (fake_vllm.EngineArgs, vllm.EngineArgs),
        (fake_vllm.LoRARequest, LoRARequest),
        (fake_vllm.CompletionOutput, CompletionOutput),
        (fake_vllm.RequestOutput, RequestOutput),
    ):
        assert is_dataclass(ours)
        assert {one.name for one in fields(ours)} <= set(inspect.signature(theirs).parameters)
    assert {one.name for one in fake_vllm.RequestOutputKind} <= {one.name for one in RequestOutputKind}
    for name in ("add_request", "step", "abort_request", "from_engine_args"):
        ours, theirs = (inspect.signature(getattr(one, name)) for one in (fake_vllm.LLMEngine, vllm.LLMEngine))
        assert set(ours.parameters) - {"args"} <= set(theirs.parameters)


def test_a_study_gives_the_records_of_the_embedded_engine(folder: Path, tmp_path: Path) -> None:
    def rows(name: str, spec: str) -> list[dict[str, Any]]:
        study = make_study(
            name="s", models=[{"spec": spec, "label": "m"}], labels=8, seeds=1, items=16, device="cpu",
            tasks=[{"name": "coin-flip", "flips": 2, "pool": 20, "test": 16}], dtype="float32", batch_tokens=8192,
            methods=["answer-only", "cot", {"tune": {"kind": "lora", "rank": 4}, "on": "answers", "steps": 10, "name": "lora"}],
        )  # fmt: skip
        assert run(study, tmp_path / name).failed == {}
        kept = ("cell", "item", "outputs", "finishes", "lengths", "answer", "correct", "prompt_tokens")
        return load(tmp_path / name).records.select(kept).to_dicts()

    assert rows("vllm", f"vllm:{folder}") == rows("hf", str(folder))


def test_its_facts_are_those_of_the_same_files(served: VLLMModel, here: HFModel) -> None:
    assert served.facts == here.facts


def test_greedy_texts_end_where_the_embedded_engine_ends_them(served: VLLMModel, here: HFModel) -> None:
    requests = asked(here)
    theirs, ours = served.generate(requests), here.generate(requests)
    assert told(theirs) == told(ours)
    assert len({one.finish for samples in ours for one in samples}) > 1
    for (one,), (other,) in zip(theirs, ours, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=1e-4 * one.tokens)


def test_scores_are_those_of_the_embedded_engine(served: VLLMModel, here: HFModel) -> None:
    prompts = [one.prompt for one in asked(here)[:4]]
    pairs = [Pair(one, f" {answer}") for one in prompts for answer in ("heads", "tails", "heads up, the answer is 7.")]
    pairs += [Pair(STORY, LONG * 2), Pair(STORY, ""), Pair("", STORY)]
    for there, own in zip(served.score(pairs), here.score(pairs), strict=True):
        assert (there.tokens, there.context_tokens) == (own.tokens, own.context_tokens)
        assert there.logprob == pytest.approx(own.logprob, abs=1e-4 * max(1, own.tokens))


def test_equal_seeds_draw_equal_samples_and_others_others(served: VLLMModel) -> None:
    def drawn(seed: int) -> list[str]:
        (found,) = served.generate([Request(STORY, 24, n=5, temperature=0.8, top_p=0.95, top_k=40, seed=seed)])
        return [one.text for one in found]

    first = drawn(1)
    assert first == drawn(1)
    assert len(set(first)) == 5
    assert not set(first) & set(drawn(2))


def test_an_adapter_is_served_as_it_was_trained(served: VLLMModel, here: HFModel, tmp_path: Path) -> None:
    examples = [Example(f"{STORY} {one}.\nAnswer:", f" The {one} is blue.") for one in ("cat", "dog", "house", "tree")]
    tuner = LoRA(rank=4, alpha=8)
    tuned, _ = tuner.tune(here, examples, Seeds(1, 2, 3), Schedule(steps=12, batch_size=4, learning_rate=3e-3))
    tuner.save(tuned, tmp_path / "adapter")
    revision = revision_of(tmp_path / "adapter" / tuner.file, served.facts)
    theirs = served.adapted(tmp_path / "adapter", revision)
    assert theirs.facts == tuned.facts
    requests = [Request(f"{STORY} {one}.\nAnswer:", 16) for one in ("cat", "mouse", "river", "door")]
    requests += asked(here, 24)[:6]
    assert told(theirs.generate(requests)) == told(tuned.generate(requests))
    assert told(served.generate(requests)) == told(here.generate(requests))
    assert told(served.generate(requests)) != told(theirs.generate(requests))
    pairs = [Pair(f"{STORY} fox.\nAnswer:", " The fox is blue."), Pair(STORY, LONG * 2)]
    for there, own in zip(theirs.score(pairs), tuned.score(pairs), strict=True):
        assert there.logprob == pytest.approx(own.logprob, abs=1e-3 * own.tokens)
