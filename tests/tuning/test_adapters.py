"""Adapters and MAM beside the package `adapters`: the same numbers of weights, and with its weights the same logits."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import transformers  # noqa: E402
from models_fixtures import gemma3, gpt2, gpt_neox, llama, tokenizer  # noqa: E402
from safetensors import safe_open  # noqa: E402
from tuner_conformance import EXAMPLES, SEEDS, SHORT, bytes_of, hf_model, logits, same  # noqa: E402

from onset.errors import ModelError, StoreError  # noqa: E402
from onset.models.facts import describe  # noqa: E402
from onset.models.hf import HFModel  # noqa: E402
from onset.records import Request  # noqa: E402
from onset.tuning import bottleneck, tuner  # noqa: E402
from onset.tuning.base import Schedule  # noqa: E402
from onset.tuning.shapes import Shapes  # noqa: E402

FIXTURES = Path(__file__).parents[1] / "fixtures" / "adapters"
KINDS = ["gemma3", "gpt2", "gpt_neox", "llama", "qwen2", "qwen3"]
ADAPTERS: list[Any] = [
    "sequential-adapter",
    {"kind": "sequential-adapter", "layout": "houlsby", "activation": "gelu"},
    "parallel-adapter",
    {"kind": "parallel-adapter", "scale": 4.0, "before_norm": True},
    "mam",
]
STILL = Schedule(steps=1, learning_rate=1e-37)
"""A rate too small to move anything: what tuning begins at."""


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@functools.cache
def _fixture(kind: str) -> tuple[dict[str, Any], dict[str, str]]:
    with safe_open(FIXTURES / f"{kind}.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118 - no iterator


def _cases() -> list[tuple[str, str]]:
    return [(kind, case) for kind in KINDS for case in json.loads(_fixture(kind)[1]["cases"])]


def _base(kind: str, **other: Any) -> HFModel:
    """The model that the package was put on: its very weights."""
    tensors, said = _fixture(kind)
    config, model, settings = json.loads(said["model"])
    module = getattr(transformers, model)(getattr(transformers, config)(**settings, **other)).eval()
    held = {name.removeprefix("base."): one for name, one in tensors.items() if name.startswith("base.")}
    held = {name.replace("embed_out.", "lm_head."): one for name, one in held.items()}  # GPT-NeoX's, until version 5
    weights = dict(module.named_parameters())
    assert weights.keys() == held.keys()
    for name, weight in weights.items():
        weight.data.copy_(held[name])
    tok = tokenizer(bos=False)
    return HFModel(module, tok, describe(module, tok, "tiny", "base-revision"))


def _rows(tensors: dict[str, Any], module: Any) -> Any:
    """The package's keys and values as a prefix of ours, which is held before its rotation."""
    columns = []
    for layer in range(2):
        keys, values = (tensors[f"mam.{layer}.{part}"] for part in ("keys", "values"))  # tokens, heads, dimensions
        if module.config.model_type == "llama":
            cos, sin = (one[0, :, None] for one in module.model.rotary_emb(keys, torch.arange(len(keys))[None]))
            first, second = keys.chunk(2, dim=-1)
            keys = keys * cos - torch.cat([-second, first], dim=-1) * sin
        columns += [keys.flatten(1), values.flatten(1)]
    return torch.cat(columns, dim=1)


@pytest.mark.parametrize(("kind", "case"), _cases())
def test_the_package_adapters_has_as_many_weights_and_computes_the_same_with_them(kind: str, case: str) -> None:
    tensors, metadata = _fixture(kind)
    said = json.loads(metadata["cases"])[case]
    model, method = _base(kind, **said["config"]), tuner(said["tune"])
    assert method.trained(Shapes.of(model.module)) == said["params"]
    put = method.put(model, 0, ())  # type: ignore[attr-defined]
    if case == "mam-projected":  # the package keeps the encoder, whose weights mean something else here
        return
    theirs = {name.removeprefix(f"{case}."): one for name, one in tensors.items() if name.startswith(f"{case}.")}
    filled = set()
    for name, weight in put.weights.items():
        if name == "prefix":
            weight.data.copy_(_rows(tensors, put.module))
            continue
        layer = next(one for one in name.split(".") if one.isdigit())
        part = "attention" if re.search(r"\.(self_attn|attn|attention)\.", name) else "ffn"
        key = f"{layer}.{part}.{'.'.join(name.split('.')[-2:])}"
        weight.data.copy_(theirs[key])
        filled.add(key)
    assert filled == {name for name in theirs if name.split(".")[-1] in ("weight", "bias")}
    ids = tensors["ids"]
    before = torch.tensor(put.virtual.ids, dtype=torch.long).expand(len(ids), -1)
    with torch.no_grad():
        found = put.module(input_ids=torch.cat([before, ids], dim=1), use_cache=False).logits[:, before.shape[1] :]
        without = model.module(input_ids=ids, use_cache=False).logits
    torch.testing.assert_close(found, theirs["logits"], rtol=1e-5, atol=1e-5)
    assert (found - without).abs().max() > 0.1


@pytest.mark.parametrize("way", ADAPTERS[:-1], ids=str)
@pytest.mark.parametrize("build", [llama, gpt2, gpt_neox, gemma3], ids=["llama", "gpt2", "gpt_neox", "gemma3"])
def test_tuning_begins_at_the_base_model_to_the_bit(way: Any, build: Any) -> None:
    model = hf_model(build())
    tuned, _ = tuner(way).tune(model, EXAMPLES, SEEDS, STILL)
    assert torch.equal(logits(tuned), logits(model))
    spread = 32**-0.5  # Kaiming's bound of torch's linear layers
    for name, weight in bottleneck.adapters(tuned.module).items():
        if name.endswith("down.weight"):
            assert 0.8 * spread < weight.abs().max() <= spread
        else:
            assert weight.abs().max() < 1e-30


def test_the_sequential_adapter_reads_what_the_layer_adds_to_where_both_parts_read_the_same() -> None:
    """Pythia's layers add attention and feed-forward part to one stream: the adapter stands behind both."""
    model = hf_model(gpt_neox())
    assert model.module.config.use_parallel_residual
    put = tuner("sequential-adapter").put(model, 3, EXAMPLES)  # type: ignore[attr-defined]
    weights = {name: torch.randn_like(weight) for name, weight in put.weights.items()}
    for name, weight in put.weights.items():
        weight.data.copy_(weights[name])
    ids = torch.tensor([[5, 9, 7]])
    given: list[Any] = []
    hooks = [layer.register_forward_hook(lambda _, __, out: given.append(out)) for layer in put.module.gpt_neox.layers]
    with torch.no_grad():
        put.module(input_ids=ids, use_cache=False)
        first = model.module.gpt_neox(input_ids=ids, use_cache=False, output_hidden_states=True).hidden_states[1]
    for hook in hooks:
        hook.remove()
    at = "gpt_neox.layers.0.onset_adapter"
    down = first @ weights[f"{at}.down.weight"].T + weights[f"{at}.down.bias"]
    expected = first + down.clamp(min=0) @ weights[f"{at}.up.weight"].T + weights[f"{at}.up.bias"]
    torch.testing.assert_close(given[0], expected, rtol=1e-5, atol=1e-5)


def test_several_stand_on_one_base_without_a_copy_of_it() -> None:
    model = hf_model(llama())
    before = bytes_of(model)
    tuned = [tuner(way).tune(model, EXAMPLES[at : at + 2], SEEDS, SHORT)[0] for at, way in enumerate(ADAPTERS)]
    places = {name: weight.data_ptr() for name, weight in model.module.named_parameters()}
    for one in tuned:
        held = {name: weight.data_ptr() for name, weight in one.module.named_parameters() if name in places}
        assert held == places
        assert one.engine_note is None
    requests = [Request(one.prompt, max_tokens=8) for one in EXAMPLES]
    alone = [[text for [text] in one.generate(requests)] for one in tuned]
    turns = [[one.generate([request])[0][0] for one in (*tuned, model)] for request in requests]
    assert [[row[at].text for row in turns] for at in range(len(tuned))] == [
        [one.text for one in said] for said in alone
    ]
    assert len({logits(one).sum().item() for one in (*tuned, model)}) == len(tuned) + 1
    assert same(bytes_of(model), before)


@pytest.mark.parametrize("way", ADAPTERS, ids=str)
def test_a_model_with_adapters_is_refused(way: Any) -> None:
    tuned, _ = tuner(way).tune(hf_model(llama()), EXAMPLES, SEEDS, SHORT)
    with pytest.raises(ModelError, match=r"^cannot tune tiny with 'lora': it already carries an adapter$"):
        tuner("lora").tune(tuned, EXAMPLES, SEEDS, SHORT)


@pytest.mark.parametrize("way", ["parallel-adapter", "mam"])
def test_layers_without_a_norm_before_their_feed_forward_part_are_refused_where_it_is_asked_for(way: str) -> None:
    config = transformers.Olmo2Config(
        vocab_size=340, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=4, pad_token_id=0, bos_token_id=1, eos_token_id=0,
    )  # fmt: skip
    model = hf_model(transformers.Olmo2ForCausalLM(config))
    message = (
        f"cannot tune tiny with '{way}': 'before_norm' is not covered for model type 'olmo2'; covered: layers with"
        " post_attention_layernorm before the feed-forward part (Llama, Mistral, Qwen2, Qwen3, Gemma, gpt_neox),"
        " pre_feedforward_layernorm (Gemma 2, Gemma 3), ln_2 (gpt2)"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        tuner({"kind": way, "before_norm": True}).tune(model, EXAMPLES, SEEDS, SHORT)
    tuner(way).tune(model, EXAMPLES, SEEDS, SHORT)


def test_adapters_are_read_back_by_the_settings_that_they_were_tuned_with_alone(tmp_path: Path) -> None:
    model = hf_model(llama())
    method = tuner({"kind": "parallel-adapter", "scale": 4.0})
    tuned, _ = method.tune(model, EXAMPLES, SEEDS, SHORT)
    method.save(tuned, tmp_path)
    message = (
        f"the adapter of {tmp_path} was tuned with kind parallel-adapter, bottleneck 16, activation relu, scale 4.0,"
        " before_norm False; expected kind parallel-adapter, bottleneck 16, activation relu, scale 1.0,"
        " before_norm False"
    )
    with pytest.raises(StoreError, match=f"^{re.escape(message)}$"):
        tuner("parallel-adapter").load(model, tmp_path)
    (tmp_path / "adapter.json").write_text("{")
    with pytest.raises(StoreError, match=f"^cannot read adapter settings {re.escape(str(tmp_path))}/adapter.json: "):
        method.load(model, tmp_path)
    (tmp_path / "adapter.json").unlink()
    with pytest.raises(StoreError, match=f"^{re.escape(f'no adapter at {tmp_path}: adapter.json is missing')}$"):
        method.load(model, tmp_path)


def test_mam_trains_the_prefix_and_the_adapters_both() -> None:
    model = hf_model(llama())
    method = tuner({"kind": "mam", "tokens": 4})
    start = method.put(model, SEEDS.init, EXAMPLES)  # type: ignore[attr-defined]
    tuned, _ = method.tune(model, EXAMPLES, SEEDS, SHORT)
    held = method.held(tuned.module)  # type: ignore[attr-defined]
    assert held.keys() == start.weights.keys()
    assert not any(torch.equal(held[name], start.weights[name]) for name in held)
    assert len(tuned.virtual.ids) == tuned.virtual.given == 4
