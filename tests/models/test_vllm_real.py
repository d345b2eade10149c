"""vLLM itself beside the embedded engine on a CPU, in an environment that has vLLM (docs/vllm.md says how to make one):
with a model of the ladder, or with that of the folder that ``ONSET_VLLM`` names. Starting takes a minute or two.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import fake_vllm
import pytest

from onset.ladder.rungs import folder as ladder_folder
from onset.models import open_model
from onset.models.chat import chosen_template
from onset.models.hf import HFModel
from onset.models.vllm.engine import ONE_BY_ONE
from onset.models.vllm.model import VLLMModel
from onset.prompting.text import end_rule, render
from onset.records import Completion, Pair, Request
from onset.results.read import load
from onset.study.runner import run
from onset.study.spec import make_study
from onset.tasks import open_task
from onset.tasks.base import Task
from onset.tuning.base import Example, Schedule, Seeds
from onset.tuning.lora import LoRA
from onset.tuning.weights import revision_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
TASK = {"name": "world-two-hop", "pool": 24, "test": 20}
SMALLEST = "r4"
"""The smallest model of the ladder whose heads (32 numbers) vLLM's attention on a CPU takes."""


@pytest.fixture(scope="module")
def folder() -> Path:
    pytest.importorskip("vllm", reason="vLLM is not installed")
    told = os.environ.get("ONSET_VLLM")
    return Path(told).resolve() if told else ladder_folder(SMALLEST)


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


def task() -> Task:
    return open_task(TASK)


def asked(model: Any, tokens: int = 24) -> list[Request]:
    """Twenty questions of a task, ten with demonstrations, that end with their answer."""
    own, chat = task(), chosen_template(model, None)
    prompts = [
        render(own, own.pool[: 2 * (place % 2)], item, rationale=True, chat=chat)
        for place, item in enumerate(own.test[:20])
    ]
    return [
        Request(one, tokens, templated=chat is not None, until=end_rule(own, item))
        for one, item in zip(prompts, own.test, strict=False)
    ]


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
            tasks=[TASK], dtype="float32", batch_tokens=8192,
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
    requests, chat = asked(here), chosen_template(here, None) is not None
    ends = [item.answer for item in task().test[:3]]
    pairs = [Pair(one.prompt, f" {end}", templated=chat) for one in requests[:4] for end in ends]
    pairs += [
        Pair(requests[0].prompt, f" {requests[1].prompt}" * 2, templated=chat),
        Pair(requests[0].prompt, "", templated=chat),
    ]
    assert here.score(pairs[-2:-1])[0].tokens > ONE_BY_ONE
    for there, own in zip(served.score(pairs), here.score(pairs), strict=True):
        assert (there.tokens, there.context_tokens) == (own.tokens, own.context_tokens)
        assert there.logprob == pytest.approx(own.logprob, abs=1e-4 * max(1, own.tokens))


def test_equal_seeds_draw_equal_samples_and_others_others(served: VLLMModel, here: HFModel) -> None:
    def drawn(seed: int) -> list[str]:
        (one,) = served.generate(
            [replace(asked(here)[0], n=5, temperature=1.5, top_p=0.98, top_k=200, seed=seed, until=None)]
        )
        return [sample.text for sample in one]

    first = drawn(1)
    assert first == drawn(1)
    assert len(set(first)) > 2
    assert first != drawn(2)


def test_an_adapter_is_served_as_it_was_trained(served: VLLMModel, here: HFModel, tmp_path: Path) -> None:
    own = task()
    examples = [Example(render(own, (), item, rationale=False), f" not {item.answer}.") for item in own.pool[:8]]
    tuner = LoRA(rank=4, alpha=8)
    tuned, _ = tuner.tune(here, examples, Seeds(1, 2, 3), Schedule(steps=12, batch_size=4, learning_rate=3e-3))
    tuner.save(tuned, tmp_path / "adapter")
    revision = revision_of(tmp_path / "adapter" / tuner.file, served.facts)
    theirs = served.adapted(tmp_path / "adapter", revision)
    assert theirs.facts == tuned.facts
    requests = [Request(render(own, (), item, rationale=False), 12) for item in own.test[:6]]
    requests += asked(here)[:6]
    assert told(theirs.generate(requests)) == told(tuned.generate(requests))
    assert told(served.generate(requests)) == told(here.generate(requests))
    assert told(served.generate(requests)) != told(theirs.generate(requests))
    pairs = [
        Pair(requests[0].prompt, f" not {own.test[0].answer}."),
        Pair(requests[0].prompt, f" {requests[1].prompt}" * 2),
    ]
    for there, same in zip(theirs.score(pairs), tuned.score(pairs), strict=True):
        assert there.logprob == pytest.approx(same.logprob, abs=1e-3 * same.tokens)
