"""How large is a model, without loading its weights: what `onset plan` needs before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onset.errors import ModelError
from onset.ladder.rungs import folder
from onset.models import LADDER, split_spec


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

    backend, target = split_spec(spec)
    if backend == "scripted":
        return _scripted(Path(target))
    if backend == LADDER:
        return _from_config(str(folder(target)), {})
    if backend == "packaged":
        return _from_config(*_gguf(packaged_model(target)))
    if backend == "gguf":
        return _from_config(*_gguf(Path(target).expanduser()))
    return _from_config(str(Path(target).expanduser()) if target.startswith("~") else target, {})


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

    from onset.models.hf import count_parameters, loading

    if source.startswith((".", "/")) and not Path(source).is_dir():
        raise ModelError(f"model folder not found: {source}")
    with loading(source, quiet=True):
        config = AutoConfig.from_pretrained(source, **options).get_text_config()
        with torch.device("meta"):
            module = AutoModelForCausalLM.from_config(config)
            module.tie_weights()
    return Size(count_parameters(module).compute, int(getattr(config, "max_position_embeddings", 2048)))
