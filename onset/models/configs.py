"""What the files of a model tell without its weights: size, template, and whether they have changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from onset.errors import ModelError
from onset.models.backend import Size


def size_of(source: str) -> Size:
    """The size of the model in ``source`` (a folder or hub id), from its configuration. Raises ModelError."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from onset.models.facts import count_parameters
    from onset.models.loading import loading

    if source.startswith((".", "/")) and not Path(source).is_dir():
        raise ModelError(f"model folder not found: {source}")
    with loading(source, quiet=True):
        config = AutoConfig.from_pretrained(source, trust_remote_code=False).get_text_config()
        with torch.device("meta"):
            module = AutoModelForCausalLM.from_config(config)
            module.tie_weights()
    return Size(count_parameters(module).compute, int(getattr(config, "max_position_embeddings", 2048)))


def template_of_files(source: str, spec: str) -> Literal["chat", "plain"]:
    """How the model in ``source`` (a folder or hub id) is asked where a study leaves it to the model that it calls
    ``spec``. Raises ModelError.
    """
    from transformers import AutoConfig, AutoTokenizer

    from onset.models.chat import is_instruct, template_of
    from onset.models.loading import loading

    with loading(spec, quiet=True):
        config = AutoConfig.from_pretrained(source, trust_remote_code=False).get_text_config()
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        ends = end_ids(source, config, tokenizer)
    name = spec.rstrip("/").rpartition("/")[2]
    return "chat" if is_instruct(tokenizer, ends, template_of(tokenizer, spec), name) else "plain"


def end_ids(source: str, config: Any, tokenizer: Any) -> frozenset[int]:
    """Ids that end a text, as the loaded model will have them."""
    from transformers import GenerationConfig

    from onset.models.facts import end_tokens

    try:
        told = GenerationConfig.from_pretrained(source).eos_token_id
    except OSError:  # there is none: transformers makes one of the configuration
        told = getattr(config, "eos_token_id", None)
    return end_tokens(told, tokenizer)


def seen(files: Iterable[Path]) -> list[str] | None:
    """Names, sizes and times of change of those that are there; None for none."""
    found = [(file.name, file.stat()) for file in files if file.is_file()]
    return [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in found] or None


def model_files(where: Path) -> list[Path]:
    """The files of a model folder that decide what it computes."""
    kinds = ("config.json", "generation_config.json", "*.safetensors", "*.bin", "tokenizer*", "*.jinja", "onset.json")
    return sorted({file for kind in kinds for file in where.glob(kind)})
