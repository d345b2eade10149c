"""Every way of tuning on every kind of model: conformance, formulas written out, and peft and transformers beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from models_fixtures import gemma3, gpt2, gpt_neox, llama, qwen2  # noqa: E402
from transformers import DynamicCache, OPTConfig, OPTForCausalLM  # noqa: E402
from tuner_conformance import EXAMPLES, SEEDS, SHORT, check, hf_model, logits  # noqa: E402

from onset.analysis.phrases.figures import FIGURES  # noqa: E402
from onset.errors import ModelError, StudyError  # noqa: E402
from onset.models import plain  # noqa: E402
from onset.models.hf import HFModel  # noqa: E402
from onset.models.rows import Row, Span  # noqa: E402
from onset.records import Pair, Request  # noqa: E402
from onset.tuning import TUNERS, material, tuner, virtual  # noqa: E402
from onset.tuning.base import Example, Schedule  # noqa: E402
from onset.tuning.shapes import COVERED, Shapes, parts_of  # noqa: E402

MODELS: dict[str, Callable[[], Any]] = {
    "llama": llama,
    "qwen2": qwen2,
    "gemma3": gemma3,
    "gpt2": gpt2,
    "gpt_neox": gpt_neox,
}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "lora": [{"dora": True}, {"rslora": True, "rank": 3}],
    "prefix-tuning": [
        {"tokens": 3, "begin": "text", "text": "Pam has 7 keys."},
        {"tokens": 5, "begin": "random"},
        {"tokens": 4, "begin": "random", "projection": 6},
    ],
    "sequential-adapter": [{"layout": "houlsby", "activation": "gelu", "bottleneck": 5}],
    "parallel-adapter": [{"scale": 4.0, "before_norm": True, "activation": "silu"}],
    "mam": [{"tokens": 4, "begin": "random", "projection": 6, "before_norm": True}],
    "prompt-tuning": [
        {"tokens": 3, "begin": "text", "text": "Pam"},
        {"tokens": 9, "begin": "labels"},
        {"tokens": 5, "begin": "vocabulary"},
        {"tokens": 5, "begin": "random"},
    ],
}
"""Settings beside the defaults, which every method is run with."""
WAYS: list[Any] = [*TUNERS] + [{"kind": name, **settings} for name, more in OPTIONS.items() for settings in more]
STILL = Schedule(steps=1, learning_rate=1e-37)
"""A rate too small to move anything: what tuning begins at."""


def _name(way: Any) -> str:
    return tuner(way).label()


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("way", WAYS, ids=_name)
def test_conformance(way: Any, kind: str, tmp_path: Path) -> None:
    method, model = tuner(way), hf_model(MODELS[kind]())
    if method.kind == "bitfit" and kind in ("llama", "gemma3"):
        message = (
            f"cannot tune tiny with 'bitfit': its layers have no bias terms (model type '{model.module.config.model_type}');"
            " gpt2, gpt_neox and qwen2 models have some"
        )
        with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
            method.tune(model, EXAMPLES, SEEDS, SHORT)
        return
    check(method, model, tmp_path / "new")


TWO, HIDDEN, INNER = 2, 32, 64


@pytest.mark.parametrize(
    ("way", "kind", "count"),
    [
        ("full", "llama", 340 * 32 * 2 + 2 * (32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 64 + 2 * 32) + 32),
        ("lora", "llama", 8 * TWO * (2 * (32 + 32) + 2 * (32 + 16) + 3 * (32 + 64))),
        ("lora", "gpt2", 8 * TWO * ((32 + 96) + (32 + 32) + 2 * (32 + 128))),
        (
            {"kind": "lora", "rank": 2, "dora": True},
            "llama",
            TWO * (2 * (2 * (32 + 32) + 2 * (32 + 16) + 3 * (32 + 64)) + 32 + 2 * 16 + 32 + 2 * 64 + 32),
        ),
        ("bitfit", "qwen2", TWO * (32 + 16 + 16)),
        ("bitfit", "gpt2", TWO * (32 + 96 + 32 + 32 + 128 + 32) + 32),
        ("bitfit", "gpt_neox", TWO * (32 + 96 + 32 + 32 + 64 + 32) + 32),
        ("ia3", "llama", TWO * (16 + 16 + 64)),
        ("ia3", "gemma3", TWO * (8 + 8 + 64)),
        ("ia3", "gpt2", TWO * (96 + 128)),
        ("prefix-tuning", "llama", 20 * TWO * 2 * 16),
        ("prefix-tuning", "gpt_neox", 20 * TWO * 2 * 32),
        ({"kind": "prefix-tuning", "tokens": 4, "begin": "random", "projection": 6}, "gpt2",
         4 * 32 + (32 * 6 + 6) + (6 + 1) * TWO * 2 * 32),
        ("prompt-tuning", "gemma3", 20 * 32),
        ("sequential-adapter", "llama", TWO * (2 * 16 * 32 + 16 + 32)),
        ({"kind": "sequential-adapter", "layout": "houlsby", "bottleneck": 5}, "gpt_neox", 2 * TWO * (2 * 5 * 32 + 5 + 32)),
        ({"kind": "parallel-adapter", "bottleneck": 64}, "gpt2", TWO * (2 * 64 * 32 + 64 + 32)),
        ("mam", "qwen2", 16 * TWO * 2 * 16 + TWO * (2 * 16 * 32 + 16 + 32)),
        ({"kind": "mam", "tokens": 4, "begin": "random", "projection": 6}, "gemma3",
         4 * 32 + (32 * 6 + 6) + (6 + 1) * TWO * 2 * 8 + TWO * (2 * 16 * 32 + 16 + 32)),
    ],
    ids=str,
)  # fmt: skip
def test_formulas_written_out(way: Any, kind: str, count: int) -> None:
    assert tuner(way).trained(Shapes.of(MODELS[kind]())) == count


@pytest.mark.parametrize("way", ["ia3", "prefix-tuning", "sequential-adapter", "parallel-adapter", "mam"])
def test_a_model_that_is_not_covered_is_refused_with_those_that_are(way: str) -> None:
    config = OPTConfig(
        vocab_size=340, hidden_size=32, ffn_dim=64, num_hidden_layers=1, num_attention_heads=4, word_embed_proj_dim=32
    )
    model = hf_model(OPTForCausalLM(config))
    message = f"cannot tune tiny with '{way}': model type 'opt' is not covered; covered: {COVERED}"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        tuner(way).tune(model, EXAMPLES, SEEDS, SHORT)


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (
            {"kind": "prefix-tuning", "begin": "text"},
            "'tune', prefix-tuning: 'begin: text' and 'text' go together (received begin: text, text: '')",
        ),
        (
            {"kind": "prompt-tuning", "text": "Hm"},
            "'tune', prompt-tuning: 'begin: text' and 'text' go together (received begin: examples, text: 'Hm')",
        ),
        (
            {"kind": "prefix-tuning", "projection": 4},
            "'tune', prefix-tuning: 'projection' needs 'begin: random' (received begin: examples)",
        ),
        (
            {"kind": "mam", "scale": 0},
            "'tune', mam: 'scale': Input should be greater than 0 (received 0)",
        ),
        (
            {"kind": "sequential-adapter", "layout": "bapna"},
            "'tune', sequential-adapter: 'layout': Input should be 'pfeiffer' or 'houlsby' (received 'bapna')",
        ),
        ({"kind": "lora", "rank": 0}, "'tune', lora: 'rank': Input should be greater than or equal to 1 (received 0)"),
        ({"kind": "ia3", "rank": 4}, "'tune', ia3: unknown setting 'rank': Known: none"),
    ],
)
def test_settings_that_do_not_hold(way: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        tuner(way)


@pytest.mark.parametrize("name", TUNERS)
def test_a_method_says_what_it_is(name: str) -> None:
    method = tuner(name)
    assert method.kind == name
    assert method.words in FIGURES
    assert method.source
    assert method.facts()["flops"].startswith(f"{method.flops:g} N FLOPs a token (forward")
    assert method.asked(material("answers")) == "answer-only"
    assert method.asked(material("rationales")) == "cot"


# --- what tuning begins at ---


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("way", ["prefix-tuning", "prompt-tuning"])
def test_virtual_tokens_begin_as_the_text_that_they_are_made_of(way: str, kind: str) -> None:
    """A prefix of a text's keys and values, or a soft prompt of its embeddings, is that text."""
    model = hf_model(MODELS[kind](), bos=False)
    text = "Pam has 7 keys."
    ids = model.encode([text])[0]
    tuned, _ = tuner({"kind": way, "tokens": len(ids), "begin": "text", "text": text}).tune(
        model, EXAMPLES, SEEDS, STILL
    )
    asked = model.encode([EXAMPLES[0].prompt])[0]
    with torch.no_grad():
        expected = model.module(input_ids=torch.tensor([[*ids, *asked]]), use_cache=False).logits[0, len(ids) :]
    torch.testing.assert_close(logits(tuned), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("way", ["prefix-tuning", "prompt-tuning"])
def test_virtual_tokens_begin_as_the_examples_as_they_stand_below_each_other(way: str) -> None:
    model = hf_model(llama(), bos=False)
    shown = "\n\n".join(one.prompt + one.completion for one in EXAMPLES[:2]) + "\n\n"
    ids = model.encode([shown])[0]
    tuned, _ = tuner({"kind": way, "tokens": len(ids)}).tune(model, EXAMPLES[:2], SEEDS, STILL)
    asked = model.encode([EXAMPLES[3].prompt])[0]
    with torch.no_grad():
        expected = model.module(input_ids=torch.tensor([[*ids, *asked]]), use_cache=False).logits[0, len(ids) :]
    torch.testing.assert_close(logits(tuned, EXAMPLES[3].prompt), expected, rtol=1e-4, atol=1e-4)


def test_a_soft_prompt_of_labels_holds_their_mean_embeddings_and_then_words() -> None:
    model = hf_model(llama())
    tuned, _ = tuner({"kind": "prompt-tuning", "tokens": 9, "begin": "labels"}).tune(model, EXAMPLES, SEEDS, STILL)
    rows = tuned.module.get_submodule(virtual.NAME).weight
    table = model.module.get_input_embeddings().weight
    for row, example in zip(rows, EXAMPLES, strict=False):
        ids = model.tokenizer(example.completion, add_special_tokens=False).input_ids
        torch.testing.assert_close(row, table[ids].mean(0))
    for row in rows[len(EXAMPLES) :]:
        assert (table == row).all(dim=1).any()


# --- beside peft and transformers ---


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft's own call
def test_a_prefix_is_what_peft_and_transformers_compute_from_its_keys_and_values() -> None:
    """The cache after the virtual tokens, given to the base model by `PeftModel` and by transformers alone."""
    from peft import PeftModel, PrefixTuningConfig, get_peft_model

    for build, bos in ((llama, True), (gpt_neox, False), (gpt2, False)):
        model = hf_model(build(), bos=bos)
        tuned, _ = tuner({"kind": "prefix-tuning", "tokens": 6, "begin": "random"}).tune(model, EXAMPLES, SEEDS, SHORT)
        with torch.no_grad():
            cache = tuned.module(
                input_ids=torch.tensor([tuned.virtual.ids]), past_key_values=DynamicCache(), use_cache=True
            ).past_key_values
        layers = [(layer.keys, layer.values) for layer in cache.layers]
        rows = tuned.module.get_submodule(virtual.NAME).weight
        heads = layers[0][0].shape[1]
        if build is llama:  # values are not rotated: the cache holds the prefix's own
            given = rows[:, 16:32].reshape(6, heads, -1).transpose(0, 1)
            torch.testing.assert_close(layers[0][1][0], given)
        asked = torch.tensor([model.encode([EXAMPLES[0].prompt])[0]])
        config = PrefixTuningConfig(
            task_type="CAUSAL_LM",
            num_virtual_tokens=6,
            num_layers=2,
            num_attention_heads=heads,
            token_dim=heads * layers[0][0].shape[3],
        )
        theirs: Any = get_peft_model(build().eval(), config)
        assert isinstance(theirs, PeftModel)
        flat = torch.stack([one[0].transpose(0, 1).reshape(6, -1) for pair in layers for one in pair], dim=1)
        theirs.prompt_encoder["default"].embedding.weight.data = flat.reshape(6, -1)
        with torch.no_grad():
            torch.testing.assert_close(theirs(input_ids=asked).logits[0], logits(tuned), rtol=1e-4, atol=1e-4)
            alone = model.module(input_ids=asked, past_key_values=cache).logits[0]
            torch.testing.assert_close(alone, logits(tuned), rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft's own call
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(
    "way",
    [{"kind": "lora", "dora": True}, {"kind": "lora", "rslora": True}, "ia3", "prompt-tuning"],
    ids=_name,
)
def test_peft_reads_the_folder_and_computes_the_same(way: Any, kind: str, tmp_path: Path) -> None:
    from peft import PeftModel

    model, method = hf_model(MODELS[kind](), bos=False), tuner(way)
    tuned, _ = method.tune(model, EXAMPLES, SEEDS, SHORT)
    method.save(tuned, tmp_path)
    theirs = PeftModel.from_pretrained(MODELS[kind](), str(tmp_path)).eval()
    ids = torch.tensor([model.encode([EXAMPLES[0].prompt])[0]])
    with torch.no_grad():
        found = theirs(input_ids=ids).logits[0, -ids.shape[1] :]
    torch.testing.assert_close(found, logits(tuned), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found, logits(model), rtol=1e-3, atol=1e-3)


def test_rslora_scales_by_the_root_of_the_rank() -> None:
    model = hf_model(llama())
    method = tuner({"kind": "lora", "rslora": True, "rank": 4, "alpha": 6})
    tuned, _ = method.tune(model, EXAMPLES, SEEDS, STILL)
    assert tuned.module.get_submodule("model.layers.0.self_attn.q_proj").scaling == {"default": 3.0}


# --- asking ---


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("way", sorted(TUNERS))
def test_the_engine_answers_as_the_plain_path(way: str, kind: str) -> None:
    if way == "bitfit" and kind in ("llama", "gemma3"):
        pytest.skip("no biases")
    tuned, _ = tuner(way).tune(hf_model(MODELS[kind]()), EXAMPLES, SEEDS, SHORT)
    assert tuned.engine_note is None
    before = tuned.virtual.ids
    requests = [Request(one.prompt, max_tokens=9) for one in EXAMPLES]
    rows = [Row((*before, *tuned.encode([one.prompt])[0]), 9, (), 0.0, 0, 0) for one in requests]
    plainly = plain.generate(tuned.module, rows, tuned._endings, tuned._vocabulary, 4096)
    done = [one for [one] in tuned.generate(requests)]
    assert [one.text for one in done] == [one.text for one in plainly]
    pairs = [Pair(one.prompt, one.completion) for one in EXAMPLES]
    spans = [Span(*tuned._split(pair)) for pair in pairs]
    assert all(span.before[: len(before)] == before for span in spans)
    scores = plain.score(tuned.module, spans, tuned._vocabulary, 4096)
    assert [one.logprob for one in tuned.score(pairs)] == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize(("way", "counted"), [("prefix-tuning", 0), ("prompt-tuning", 20)])
def test_what_stands_before_a_text_takes_of_the_context_and_only_a_soft_prompt_is_of_its_tokens(
    way: str, counted: int
) -> None:
    model = hf_model(llama(context=64))
    short = [one for one in EXAMPLES if model.count_tokens(one.prompt + one.completion) < 40]
    tuned, _ = tuner(way).tune(model, short, SEEDS, SHORT)
    prompt = short[0].prompt
    alone = model.count_tokens(prompt)
    assert tuned.count_tokens(prompt) == alone + 20
    [[fits], [over]] = tuned.generate([Request(prompt, 64 - 20 - alone), Request(prompt, 64 - 20 - alone + 1)])
    assert (fits.prompt_tokens, over.prompt_tokens) == (alone + counted,) * 2
    assert (fits.finish == "overlong", over.finish) == (False, "overlong")
    [scored] = tuned.score([Pair(prompt, " blue.")])
    assert scored.context_tokens == alone + counted


def test_examples_have_to_fit_beside_virtual_tokens() -> None:
    longest = max(hf_model(llama()).count_tokens(one.prompt + one.completion) + 1 for one in EXAMPLES)
    model = hf_model(llama(context=longest + 19))
    message = f"1 of 6 training examples are longer than {longest - 1} tokens (longest {longest})"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}"):
        tuner("prompt-tuning").tune(model, EXAMPLES, SEEDS, SHORT)
    tuner({"kind": "prompt-tuning", "tokens": 19}).tune(model, EXAMPLES, SEEDS, SHORT)


@pytest.mark.parametrize("way", ["prefix-tuning", "prompt-tuning"])
def test_virtual_tokens_that_fill_the_context_are_refused(way: str) -> None:
    message = (
        f"cannot tune tiny with '{way}': 64 virtual tokens leave no room in its context of 64 tokens; lower 'tokens'"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        tuner({"kind": way, "tokens": 64}).tune(hf_model(llama(context=64)), EXAMPLES, SEEDS, SHORT)


def test_virtual_tokens_begin_as_templated_examples_with_no_second_start_token() -> None:
    model = hf_model(llama())
    start = model.tokenizer.bos_token
    shown = [Example(f"{start}Question: a?\nAnswer:", " b", templated=True)]
    ids = virtual.examples_ids(model, shown, 6)
    assert ids == model.encode([shown[0].prompt], templated=True)[0][:6]
    assert ids.count(model.tokenizer.bos_token_id) == 1


def test_biases_of_fewer_bits_are_trained_in_float32(tmp_path: Path) -> None:
    """Steps much smaller than a bfloat16's rounding add up."""
    model = hf_model(gpt2().to(torch.bfloat16))
    method = tuner("bitfit")
    tuned, report = method.tune(model, EXAMPLES, SEEDS, Schedule(steps=60, batch_size=4, learning_rate=2e-3))
    assert report.last_loss < report.first_loss - 1
    assert {weight.dtype for weight in tuned.module.parameters()} == {torch.bfloat16}
    names = [name for name, _ in model.module.named_parameters()]
    assert [name for name, _ in tuned.module.named_parameters()] == names
    method.save(tuned, tmp_path)
    assert torch.equal(logits(method.load(model, tmp_path)), logits(tuned))


def test_where_keys_and_values_are_computed() -> None:
    """Of fused layers the columns, as transformers parts them."""
    ids = torch.tensor([[5, 9, 7]])
    for build in MODELS.values():
        model: HFModel = hf_model(build())
        parts = parts_of(model.module, "tiny", "test")
        rows = virtual.observed(model, ids[0].tolist(), parts)
        with torch.no_grad():
            cache = model.module(input_ids=ids, past_key_values=DynamicCache(), use_cache=True).past_key_values
        begin = 0
        for layer, held in zip(parts.attention, cache.layers, strict=True):
            width = sum(one.given for one in layer)
            values = held.values[0].transpose(0, 1)
            found = rows[:, begin : begin + width]
            if layer[0].columns is not None and model.module.config.model_type == "gpt_neox":
                found = found.reshape(3, 4, 2, 8)[:, :, 1]
            else:
                found = found[:, width // 2 :].reshape(values.shape)
            torch.testing.assert_close(found, values)
            begin += width
