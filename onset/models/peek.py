"""How large is a model, without loading its weights: what `onset plan` needs before anything runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onset.errors import ModelError


@dataclass(frozen=True, slots=True)
class Size:
    """``params_compute``: parameters each token is multiplied with; ``context`` in tokens."""

    params_compute: int
    context: int


def peek(spec: str) -> Size:
    """The size of the model ``spec`` names (see `onset.models.open_model`), from its configuration alone.

    Raises ModelError when there is no such file, folder or hub model.
    """
    from onset.models.packaged import packaged_model

    backend, colon, rest = spec.partition(":")
    if backend == "scripted" and colon:
        return _scripted(Path(rest))
    if backend == "packaged" and colon:
        return _from_config(*_gguf(packaged_model(rest)))
    if backend == "gguf" and colon:
        return _from_config(*_gguf(Path(rest).expanduser()))
    return _from_config(str(Path(spec).expanduser()) if spec.startswith("~") else spec, {})


def _gguf(path: Path) -> tuple[str, dict[str, Any]]:
    if not path.is_file():
        raise ModelError(f"GGUF file not found: {path}")
    return str(path.parent), {"gguf_file": path.name}


def _scripted(path: Path) -> Size:
    from onset.models.scripted import ScriptedModel

    facts = ScriptedModel.from_file(path).facts
    return Size(facts.params_compute, facts.context)


def _from_config(source: str, options: dict[str, Any]) -> Size:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(source, **options)
        text = config.get_text_config()
        with torch.device("meta"):
            module = AutoModelForCausalLM.from_config(text)
    except (OSError, ValueError, KeyError, json.JSONDecodeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"model '{source}' cannot be opened: {reason}") from None
    total = sum(parameter.numel() for parameter in module.parameters())
    embedding = module.get_input_embeddings().weight
    output = module.get_output_embeddings()
    untied = output is not None and not getattr(text, "tie_word_embeddings", True)
    return Size(total - (embedding.numel() if untied else 0), int(getattr(text, "max_position_embeddings", 2048)))
