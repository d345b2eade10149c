"""Opening a model for vLLM: its files, its facts without its weights, and how much memory the engine is given.

What is known of it is what the same files opened by transformers tell (`onset.models.loading`): the parameters are
counted on torch's meta device, the revision is the hash of the files.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.errors import ModelError
from onset.models.configs import end_ids
from onset.models.facts import describe, hash_files, told_beside
from onset.models.loading import check_usable, load_hf, loading, looks_like_path, pick_device
from onset.models.vllm.engine import MOST_RANK, Engine, How, installed
from onset.models.vllm.model import VLLMModel

if TYPE_CHECKING:
    from onset.models.backend import LoadOptions

LEAST = 4096
"""Tokens of one text for which there is room, however few ``batch_tokens`` are (fewer where the context is shorter)."""

_FILES = ("*.json", "*.jinja", "tokenizer*", "model*.safetensors")
"""What is fetched of a repository of the hub: what transformers would load of it."""


def open_vllm(target: str, options: LoadOptions) -> VLLMModel:
    """The backend of ``vllm:ORG/NAME`` and ``vllm:FOLDER``. The default label is the id or the folder's name.

    Raises ModelError, one line, when vllm is not installed, the model is not there, or vLLM cannot run it.
    """
    spec = f"vllm:{target}"
    installed(spec)
    if options.rank > MOST_RANK:
        raise ModelError(f"model '{spec}': LoRA of rank {options.rank} asked for, vLLM serves ranks up to {MOST_RANK}")
    device = _device(spec, options.device)
    folder = _folder(spec, target)
    label = options.label or (Path(target).expanduser().resolve().name if _is_folder(target) else target)
    with loading(spec, quiet=True):
        config, tokenizer, module = _without_weights(str(folder))
        ends = end_ids(str(folder), config.get_text_config(), tokenizer)
    check_usable(spec, module, tokenizer)
    dtype = _dtype(config, device) if options.dtype == "auto" else options.dtype
    revision = hash_files(folder)
    facts = replace(describe(module, tokenizer, label, revision, told_beside(spec, folder)), dtype=dtype, device=device)
    context = facts.known("context")
    longest = min(context, max(options.batch_tokens, LEAST))
    gpus = gpus_of(config, device)
    how = How(
        str(folder),
        dtype,
        longest,
        max(options.batch_tokens, longest),
        bytes_a_token(config, dtype, gpus),
        gpus,
        options.rank,
        cpu=device == "cpu",
    )
    own = replace(options, device=device, dtype=dtype)
    return VLLMModel(
        Engine.start(spec, how),
        tokenizer,
        facts,
        ends,
        vocabulary=int(config.get_text_config().vocab_size),
        origin=spec.rstrip("/").rpartition("/")[2],
        trainable=partial(load_hf, spec, str(folder), label, own, revision=revision),
    )


def bytes_a_token(config: Any, dtype: str, gpus: int = 1) -> int:
    """Bytes of the keys and values of a token on each of ``gpus``, by transformers' ``config``."""
    text = config.get_text_config()
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    width = 4 if dtype == "float32" else 2
    return 2 * int(text.num_hidden_layers) * max(1, -(-int(heads) // gpus)) * int(size) * width


def gpus_of(config: Any, device: str, there: int | None = None) -> int:
    """Over how many GPUs the weights are spread (tensor parallel): as many as are ``there`` (None: those that this
    process sees), or the most by which the number of attention heads can be divided. 1 on a CPU.
    """
    if device == "cpu":
        return 1
    if there is None:
        import torch

        there = torch.cuda.device_count()
    heads = int(config.get_text_config().num_attention_heads)
    return max(one for one in range(1, max(1, there) + 1) if heads % one == 0)


def _device(spec: str, name: str) -> str:
    device = pick_device(spec, name)
    if device not in ("cpu", "cuda"):
        raise ModelError(
            f"model '{spec}': device '{device}': vLLM takes the GPUs that it sees; write 'cuda' or 'cpu', and choose by"
            " the environment's CUDA_VISIBLE_DEVICES"
        )
    return device


def _dtype(config: Any, device: str) -> str:
    from onset.models.dtypes import choose

    return choose(config, device)


def _without_weights(folder: str) -> tuple[Any, Any, Any]:
    """Configuration, tokenizer, and the module on torch's meta device."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    with torch.device("meta"):
        module = AutoModelForCausalLM.from_config(config)
        module.tie_weights()
    return config, AutoTokenizer.from_pretrained(folder, trust_remote_code=False), module


def _is_folder(target: str) -> bool:
    return Path(target).expanduser().is_dir()


def _folder(spec: str, target: str) -> Path:
    """The folder with the model's files, fetched from the hub where it is none here. Raises ModelError."""
    path = Path(target).expanduser()
    if not path.is_dir() and looks_like_path(target):
        raise ModelError(f"model folder not found: {path}")
    if not path.is_dir():
        from huggingface_hub import snapshot_download

        with loading(spec, quiet=False):
            path = Path(snapshot_download(target, allow_patterns=list(_FILES)))
    if not (path / "config.json").exists():
        raise ModelError(f"model folder {path} has no config.json")
    if not any(path.glob("*.safetensors")):
        raise ModelError(f"model '{spec}': {path} has no weights in safetensors")
    return path
