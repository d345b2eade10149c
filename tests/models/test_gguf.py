"""GGUF files: the same weights as transformers reads, tied matrices once, and one line for what cannot be read."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from models_fixtures import VOCABULARY, gemma3, llama, tokenizer
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM
from transformers.modeling_gguf_pytorch_utils import TENSOR_PROCESSORS, TensorProcessor, get_gguf_hf_weights_map

from onset.errors import ModelError
from onset.models import open_model
from onset.models.gguf import hash_file
from onset.models.hf import HFModel
from onset.models.peek import peek

Q4, Q6, Q8, F16, F32 = (gguf.GGMLQuantizationType[name] for name in ("Q4_0", "Q6_K", "Q8_0", "F16", "F32"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSET_CACHE", str(tmp_path / "cache"))


def qwen2(*, tied: bool) -> Qwen2ForCausalLM:
    torch.manual_seed(3)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.2,
        tie_word_embeddings=tied,
    )
    return Qwen2ForCausalLM(config)


def write(
    file: Path, module: Any, kinds: dict[str, Any] | None = None, *, extra: dict[str, torch.Tensor] | None = None
) -> Path:
    """``module`` as a GGUF file, quantised to 8 bits but for what ``kinds`` says by the tensor's name in the file;
    ``extra``: further tensors by that name.
    """
    config = module.config
    arch = {"gemma3_text": "gemma3"}.get(config.model_type, config.model_type)
    writer = gguf.GGUFWriter(file, arch)
    writer.add_name("made up")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    if arch == "gemma3":
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
        writer.add_sliding_window(config.sliding_window)
    _write_tokenizer(writer)
    names = {hf: name for name, hf in get_gguf_hf_weights_map(module, TensorProcessor()).items()}
    tensors = {names[key]: weight for key, weight in module.state_dict().items() if key in names}
    if config.tie_word_embeddings:
        tensors.pop("output.weight", None)
    for name, weight in {**tensors, **(extra or {})}.items():
        kind = F32 if weight.dim() == 1 else (kinds or {}).get(name, Q8)
        data = gguf.quants.quantize(weight.detach().numpy(), kind)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _write_tokenizer(writer: gguf.GGUFWriter) -> None:
    tok = tokenizer(bos=False)
    made = tok.backend_tokenizer
    vocabulary = sorted(tok.get_vocab(), key=tok.get_vocab().__getitem__)
    import json

    merges = [" ".join(pair) for pair in json.loads(made.to_str())["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    writer.add_token_scores([0.0] * len(vocabulary))  # older transformers read them of Gemma's files
    writer.add_token_types([3 if token in ("<eos>", "<bos>") else 1 for token in vocabulary])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(0)
    writer.add_bos_token_id(1)


def opened(file: Path, **options: Any) -> HFModel:
    model = open_model(f"gguf:{file}", device="cpu", **options)
    assert isinstance(model, HFModel)
    return model


def by_transformers(file: Path, dtype: torch.dtype) -> Any:
    return AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["llama", "gemma3", "qwen2"])
def test_weights_are_those_that_transformers_reads(kind: str, dtype: torch.dtype, tmp_path: Path) -> None:
    """Bit for bit: of queries and keys whose rows the file has in another order, norms it has with one added, biases."""
    module = {"llama": llama, "gemma3": gemma3, "qwen2": qwen2}[kind](tied=kind == "gemma3")
    file = write(tmp_path / "made.gguf", module, {"token_embd.weight": F16, "blk.0.attn_q.weight": Q4})
    expected = by_transformers(file, dtype)
    for _ in range(2):  # what is kept of the first time is used the second
        found = opened(file, dtype=str(dtype).removeprefix("torch."))
        weights = found.module.state_dict()
        assert weights.keys() == expected.state_dict().keys()
        for name, weight in expected.state_dict().items():
            assert weights[name].dtype == dtype
            assert torch.equal(weights[name], weight), name
        tokens = torch.arange(24)[None] % VOCABULARY
        with torch.no_grad():
            assert torch.equal(found.module(tokens).logits, expected(tokens).logits)  # buffers too


def test_a_tensor_read_in_blocks_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onset.models.gguf._BLOCK", 7 * 64)
    file = write(tmp_path / "made.gguf", qwen2(tied=False))
    expected = by_transformers(file, torch.float32).state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in opened(file).module.state_dict().items())


def test_no_processor_of_transformers_changes_the_matrices_read_in_blocks() -> None:
    """What `read_weights` takes for granted of every architecture."""
    for processor in set(TENSOR_PROCESSORS.values()):
        for name in ("token_embd.weight", "output.weight"):
            made: dict[str, torch.Tensor] = {}
            weights = np.arange(32, dtype=np.float32).reshape(8, 4)
            config = {"num_attention_heads": 2, "num_key_value_heads": 2, "n_head": 2, "hidden_size": 4}
            result = processor(config=config).process(
                weights=weights, name=name, tensor_key_mapping={}, parsed_parameters={"tensors": made}
            )
            kept = result.weights if result.name is not None else made["lm_head.weight"].numpy()
            assert np.array_equal(kept, np.arange(32).reshape(8, 4)), (processor, name)


def test_an_output_matrix_stored_twice_is_tied(tmp_path: Path) -> None:
    """Quantised in two ways; the one of more bits is used for both, and the model is as large as it is."""
    module = qwen2(tied=True)
    matrix = module.get_input_embeddings().weight
    for coarse, fine in (("token_embd.weight", "output.weight"), ("output.weight", "token_embd.weight")):
        kinds = {coarse: Q4, fine: Q8}
        file = write(tmp_path / f"{coarse}.gguf", module, kinds, extra={"output.weight": matrix})
        found = opened(file)
        assert found.facts.params == sum(one.numel() for one in module.parameters())
        assert found.facts.params_compute == peek(f"gguf:{file}").params_compute == found.facts.params
        assert found.module.get_output_embeddings().weight is found.module.get_input_embeddings().weight
        stored = by_transformers(file, torch.float32).state_dict()
        better = {"token_embd.weight": "model.embed_tokens.weight", "output.weight": "lm_head.weight"}[fine]
        assert torch.equal(found.module.get_input_embeddings().weight, stored[better])
        others = {name for name in stored if name not in ("model.embed_tokens.weight", "lm_head.weight")}
        assert all(torch.equal(found.module.state_dict()[name], stored[name]) for name in others)


def test_matrices_of_their_own_stay_so(tmp_path: Path) -> None:
    """As like as trained matrices may be that began as one: at a cosine of .8."""
    module = qwen2(tied=False)
    embeddings = module.get_input_embeddings().weight.detach()
    torch.manual_seed(4)
    other = 0.8 * embeddings + 0.6 * embeddings.std() * torch.randn_like(embeddings)
    module.lm_head.weight.data.copy_(other)
    file = write(tmp_path / "made.gguf", module)
    found = opened(file)
    assert found.facts.params == sum(one.numel() for one in module.parameters())
    assert found.facts.params_compute == peek(f"gguf:{file}").params_compute < found.facts.params


def test_only_what_is_slow_to_read_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "made.gguf", llama(hidden=64))
    opened(tmp_path / "made.gguf")
    [folder] = (tmp_path / "cache" / "gguf").iterdir()
    names = {file.name for file in folder.iterdir()}
    assert {"config.json", "tensors.json", "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".safetensors", ".bin"))]


def _changed(file: Path, change: Any) -> Path:
    content = bytearray(file.read_bytes())
    file.write_bytes(bytes(change(content)))
    return file


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """In one line each, by `open_model` and by `peek`, which `onset plan` uses."""
    good = write(tmp_path / "good.gguf", llama(hidden=64))

    def problem(file: Path) -> str:
        said = set()
        for use in (open_model, peek):
            with pytest.raises(ModelError) as caught:
                use(f"gguf:{file}")
            said.add(str(caught.value))
        [one] = said
        assert "\n" not in one
        return one

    def copy(name: str, change: Any) -> Path:
        return _changed(Path(shutil.copy(good, tmp_path / name)), change)

    size = good.stat().st_size
    head = copy("head.gguf", lambda content: content[:200])
    assert problem(head) == f"cannot load model 'gguf:{head}': it is damaged or cut short: its header cannot be read"
    short = copy("short.gguf", lambda content: content[: size // 2])
    assert problem(short).startswith(f"cannot load model 'gguf:{short}': it is ")
    strange = copy("strange.gguf", lambda content: content.replace(b"llama", b"lamma"))
    assert problem(strange) == (
        f"cannot load model 'gguf:{strange}': GGUF model with architecture lamma is not supported yet."
    )
    mute = copy("mute.gguf", lambda content: content.replace(b"tokenizer.ggml.tokens", b"tokenizer.ggml.nekots"))
    assert problem(mute) == f"cannot load model 'gguf:{mute}': it holds no tokenizer (tokenizer.ggml.tokens)"
    nameless = copy("nameless.gguf", lambda content: content.replace(b"general.architecture", b"general.erutcetihcra"))
    assert problem(nameless) == (
        f"cannot load model 'gguf:{nameless}': it names no architecture (general.architecture)"
    )


def test_a_file_is_hashed_once_while_it_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *given: read.append("") or digest(*given))
    file = tmp_path / "x.gguf"
    file.write_bytes(b"GGUF")
    first = hash_file(file)
    assert (hash_file(file), len(read)) == (first, 1)
    file.write_bytes(b"GGUF and more")
    assert hash_file(file) != first
    assert len(read) == 2
