"""What is known of a loaded transformers model: its facts, its parameters, the revision of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from onset.errors import ModelError
from onset.models.base import ModelFacts
from onset.models.families import family_of


@dataclass(frozen=True, slots=True)
class ParameterCounts:
    """Parameters: all, without embeddings, and those each token is multiplied with."""

    total: int
    non_embedding: int
    compute: int


def count_parameters(module: Any) -> ParameterCounts:
    """Count a tied matrix once.

    Without embeddings: without every lookup table (of tokens and of positions) and without the output
    matrix (Kaplan et al. 2020, arXiv 2001.08361, section 2.1). For compute: with the output matrix,
    tied or not. All experts of a mixture are counted.
    """
    import torch

    head = module.get_output_embeddings()
    head_weights = {head.weight} if head is not None else set()
    tables = {part.weight for part in module.modules() if isinstance(part, torch.nn.Embedding)}
    total = sum(parameter.numel() for parameter in module.parameters())
    non_embedding = total - sum(weight.numel() for weight in tables | head_weights)
    return ParameterCounts(total, non_embedding, non_embedding + sum(weight.numel() for weight in head_weights))


def describe(
    module: Any, tokenizer: Any, label: str, revision: str, told: Mapping[str, Any] = MappingProxyType({})
) -> ModelFacts:
    """The facts of a loaded model. The tokenizer is named by class, size and hash of its JSON; ``told`` may name
    ``family``, ``stage`` and ``seed``, else the family is what architecture and label say and the stage is ``base``.
    """
    counts = count_parameters(module)
    config = module.config.get_text_config()
    digest = hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()[:8]
    weight = module.get_input_embeddings().weight
    return ModelFacts(
        name=label,
        family=told.get("family") or family_of(label, str(module.config.model_type)),
        stage=told.get("stage", "base"),
        params=counts.total,
        params_non_embedding=counts.non_embedding,
        params_compute=counts.compute,
        context=int(config.max_position_embeddings),
        tokenizer=f"{type(tokenizer).__name__}/{len(tokenizer)}/{digest}",
        revision=revision,
        dtype=str(weight.dtype).removeprefix("torch."),
        device=weight.device.type,
        attention=attention_of(config),
        pretraining_seed=told.get("seed"),
    )


def attention_of(config: Any) -> int | None:
    """Layers times heads times their size, of a transformers configuration; None where it does not say."""
    layers, heads = (getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads"))
    if not layers or not heads:
        return None
    size = getattr(config, "head_dim", None) or int(config.hidden_size) // int(heads)
    return int(layers) * int(heads) * int(size)


def told_beside(spec: str, folder: Path) -> dict[str, Any]:
    """``family``, ``stage`` and ``seed`` (of pretraining) from ``onset.json`` beside the weights, where there is one
    (`onset ladder train` writes it). Raises ModelError when it is no JSON object of text and a whole number.
    """
    path = folder / "onset.json"
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        told = {key: content[key] for key in ("family", "stage") if key in content}
        seed = {"seed": content["seed"]} if "seed" in content else {}
    except (ValueError, TypeError) as error:
        raise ModelError(f"model '{spec}': {path} is no JSON object: {error}") from None
    if not all(isinstance(value, str) and value for value in told.values()):
        raise ModelError(f"model '{spec}': {path}: family and stage must be text, received {told}")
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in seed.values()):
        raise ModelError(f"model '{spec}': {path}: seed must be a whole number, received {seed['seed']!r}")
    return told | seed


def hash_files(folder: Path) -> str:
    """16 hex digits over weights, configuration and tokenizer files: the same model has one revision on
    every device and in every dtype, whichever version of transformers wrote its configuration.
    """
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    told = {key: value for key, value in config.items() if key not in ("transformers_version", "_name_or_path")}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for file in [*weights, *sorted(folder.glob("tokenizer*.*"))]:
        digest.update(f"{file.name}\n".encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def end_tokens(configured: Any, tokenizer: Any) -> frozenset[int]:
    """Ids that end a text: those that the checkpoint has ``configured`` (one, a list or None) and the tokenizer's."""
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in [*listed, tokenizer.eos_token_id] if token is not None)
