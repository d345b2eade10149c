"""Both packaged models, dequantised, against plain transformers on real prompts. Minutes on two cores."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache

import pytest
import torch
from conftest import shared
from models_fixtures import plain_greedy, plain_logprob

from onset.models import open_model
from onset.models.hf import HFModel
from onset.models.packaged import PACKAGED, packaged_model
from onset.records import Pair, Request

pytestmark = pytest.mark.slow

STOP = ("\n\n", "\nQuestion:", "Question:")

PARAMS = {  # all, without embeddings, and what each token is multiplied with, from the models' cards and configs
    "gemma-3-270m": (268_098_176, 268_098_176 - 262_144 * 640, 268_098_176),
    "smollm2-135m-instruct": (134_515_008, 134_515_008 - 49_152 * 576, 134_515_008),
}


@cache
def real(name: str) -> HFModel:
    package = PACKAGED[name]
    if importlib.util.find_spec(package.module) is None:
        pytest.skip(f"model not installed: pip install {package.install}")
    model = open_model(f"packaged:{name}", device="cpu", dtype="float32")
    assert isinstance(model, HFModel)
    return model


def gsm8k_prompts(count: int, demonstrations: int) -> list[str]:
    """Few-shot prompts of the first test problems, in the format of `onset.prompting`."""

    def rows(split: str) -> list[dict[str, str]]:
        text = shared("data", "gsm8k", f"{split}.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def worked(row: dict[str, str]) -> str:
        rationale, _, number = row["answer"].partition("\n#### ")
        return f"Question: {row['question']}\nAnswer: {re.sub('<<.*?>>', '', rationale)}\nThe answer is {number}."

    head = "".join(worked(row) + "\n\n" for row in rows("train")[:demonstrations])
    return [f"{head}Question: {row['question']}\nAnswer:" for row in rows("test")[:count]]


@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_the_engine_equals_plain_generate_on_gsm8k(name: str) -> None:
    """Behind demonstrations that are longer than Gemma's window of 512 tokens."""
    model = real(name)
    assert model.engine_note is None
    prompts = gsm8k_prompts(64, demonstrations=4)
    assert model.count_tokens(prompts[0]) > 512
    requests = [Request(prompt, 32, STOP) for prompt in prompts]
    found = [completion for [completion] in model.generate(requests)]
    for request, completion in zip(requests, found, strict=True):
        assert (completion.text, completion.tokens) == plain_greedy(model.module, model.tokenizer, request)
    assert len({completion.text for completion in found}) > 32


@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_log_probabilities_are_those_of_one_forward_pass(name: str) -> None:
    """Of one token, to 1e-4: the first generated, and the last of a continuation."""
    model = real(name)
    prompts = gsm8k_prompts(3, demonstrations=4)
    for prompt, [first] in zip(prompts, model.generate([Request(prompt, 1) for prompt in prompts]), strict=True):
        ids = model.encode([prompt])[0]
        with torch.no_grad():
            best = int(model.module(torch.tensor([ids]), logits_to_keep=1).logits[0, -1].argmax())
        assert first.logprob == pytest.approx(plain_logprob(model.module, [*ids, best], len(ids)), abs=1e-4)
    pairs = [Pair(prompt + " The answer is", end) for prompt in prompts for end in (" yes", " no")]
    for pair, scored in zip(pairs, model.score(pairs), strict=True):
        ids = model.tokenizer(pair.context + pair.continuation)["input_ids"]
        assert scored.tokens == 1
        assert scored.logprob == pytest.approx(plain_logprob(model.module, ids, scored.context_tokens), abs=1e-4)


@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_draws_behind_a_shared_question_are_those_of_rows_of_their_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onset.models.engine import refill

    model = real(name)
    requests = [Request(prompt, 32, STOP, n=20, temperature=0.7, seed=5) for prompt in gsm8k_prompts(2, 4)]
    model.module.double()  # in float32, one draw in a thousand falls between two roundings
    try:
        twice = model.generate(requests)
        monkeypatch.setattr(refill, "BRANCH_FROM", 10**9)
        once = model.generate(requests)
    finally:
        model.module.float()
    assert [[one.text for one in texts] for texts in twice] == [[one.text for one in texts] for texts in once]
    assert len({one.text for texts in once for one in texts}) > 20


def test_prompts_longer_than_the_sliding_window() -> None:
    """Gemma 3 looks back 512 tokens in most layers: here that window begins inside what the prompts share, and in others
    has all of a prompt."""
    model = real("gemma-3-270m")
    prompts = [*gsm8k_prompts(3, demonstrations=6), *gsm8k_prompts(2, demonstrations=1)]
    assert model.count_tokens(prompts[0]) > 512 > model.count_tokens(prompts[-1])
    requests = [Request(prompt, 24) for prompt in prompts]
    for request, [completion] in zip(requests, model.generate(requests), strict=True):
        assert (completion.text, completion.tokens) == plain_greedy(model.module, model.tokenizer, request)


@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_scores_equal_one_plain_forward_pass(name: str) -> None:
    model = real(name)
    pairs = [
        Pair(prompt, f" {answer}")
        for prompt in gsm8k_prompts(2, demonstrations=1)
        for answer in ("18", "The answer is 3.")
    ]
    for pair, scored in zip(pairs, model.score(pairs), strict=True):
        ids = model.tokenizer(pair.context + pair.continuation)["input_ids"]
        assert scored.logprob == pytest.approx(plain_logprob(model.module, ids, scored.context_tokens), abs=1e-3)


@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_weights_are_those_that_transformers_reads(name: str) -> None:
    """Bit for bit, of a file dequantised tensor by tensor and of one dequantised whole."""
    from transformers import AutoModelForCausalLM

    model, file = real(name), packaged_model(name)
    expected = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).state_dict()
    found = model.module.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(weight, expected[key]) for key, weight in found.items())


@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_facts_of_the_packaged_models(name: str) -> None:
    facts = real(name).facts
    assert (facts.params, facts.params_non_embedding, facts.params_compute) == PARAMS[name]
    assert (facts.name, facts.stage) == (name, "base")
    assert len(facts.revision) == 16
