"""What can be known of a model without loading its weights: size, template, and whether its files have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

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
    from onset.models.gguf import prepare
    from onset.models.packaged import packaged_model

    backend, target = split_spec(spec)
    if backend == "scripted":
        return _scripted(Path(target))
    if backend == LADDER:
        return _from_config(str(folder(target)))
    if backend == "packaged":
        return _from_config(str(prepare(packaged_model(target))[0]))
    if backend == "gguf":
        return _from_config(str(prepare(Path(target).expanduser())[0]))
    return _from_config(str(Path(target).expanduser()) if target.startswith("~") else target)


@cache
def peek_template(spec: str) -> Literal["chat", "plain"]:
    """How the model ``spec`` names is asked where a study leaves it to the model (see `onset.models.chat`), from its
    configuration and tokenizer alone. Raises ModelError as `peek` does.
    """
    from transformers import AutoConfig, AutoTokenizer

    from onset.models.chat import is_instruct, template_of
    from onset.models.gguf import prepare
    from onset.models.hf import loading
    from onset.models.packaged import packaged_model

    backend, target = split_spec(spec)
    if backend in ("scripted", LADDER):  # neither has a template
        return "plain"
    source = str(Path(target).expanduser()) if target.startswith("~") else target
    if backend in ("gguf", "packaged"):
        source = str(prepare(packaged_model(target) if backend == "packaged" else Path(target).expanduser())[0])
    with loading(spec, quiet=True):
        config = AutoConfig.from_pretrained(source).get_text_config()
        tokenizer = AutoTokenizer.from_pretrained(source)
        ends = _end_ids(source, config, tokenizer)
    name = spec.rstrip("/").rpartition("/")[2]
    return "chat" if is_instruct(tokenizer, ends, template_of(tokenizer, spec), name) else "plain"


def _end_ids(source: str, config: Any, tokenizer: Any) -> frozenset[int]:
    """Ids that end a text, as the loaded model will have them."""
    from transformers import GenerationConfig

    from onset.models.hf import end_tokens

    try:
        told = GenerationConfig.from_pretrained(source).eos_token_id
    except OSError:  # there is none: transformers makes one of the configuration
        told = getattr(config, "eos_token_id", None)
    return end_tokens(told, tokenizer)


def _scripted(path: Path) -> Size:
    from onset.models.scripted import ScriptedModel

    facts = ScriptedModel.from_file(path).facts
    return Size(facts.params_compute, facts.context)


def _from_config(source: str) -> Size:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from onset.models.hf import count_parameters, loading

    if source.startswith((".", "/")) and not Path(source).is_dir():
        raise ModelError(f"model folder not found: {source}")
    with loading(source, quiet=True):
        config = AutoConfig.from_pretrained(source).get_text_config()
        with torch.device("meta"):
            module = AutoModelForCausalLM.from_config(config)
            module.tie_weights()
    return Size(count_parameters(module).compute, int(getattr(config, "max_position_embeddings", 2048)))


def fingerprint(spec: str) -> str | None:
    """16 hex digits that change when the files under ``spec`` do, from their names, sizes and times of change: nothing
    is read, which takes milliseconds. None where nothing tells: a hub model whose weights are not in the cache, no
    file, a package that is not installed.

    Equal fingerprints: the same weights, unless somebody set a file's time back. Different ones: look closer, with
    `revision`, for a file that was copied has another time. A packaged model is known by the version of its package,
    one of the ladder by Onset's version and its files' sizes, a hub model by its commit.

    Raises UnknownName and ModelError as `onset.models.split_spec` does.
    """
    told = _identity(spec)
    return None if told is None else hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def revision(spec: str) -> str | None:
    """The `onset.models.ModelFacts.revision` that the model under ``spec`` would have, by reading its files and loading
    nothing: about a second a gigabyte. None where `fingerprint` is None. Raises as `fingerprint` does.
    """
    from onset.models.gguf import hash_file
    from onset.models.hf import hash_files

    backend, target = split_spec(spec)
    if fingerprint(spec) is None:
        return None
    if backend == "scripted":
        from onset.models.scripted import ScriptedModel

        return ScriptedModel.from_file(Path(target)).facts.revision
    if backend in ("gguf", "packaged"):
        from onset.models.packaged import packaged_model

        return hash_file(packaged_model(target) if backend == "packaged" else Path(target).expanduser())
    where = folder(target) if backend == LADDER else _hf_folder(target)
    return None if where is None else hash_files(where)


def _identity(spec: str) -> list[str] | None:
    """The lines that `fingerprint` hashes."""
    backend, target = split_spec(spec)
    if backend == LADDER:
        files = _model_files(folder(target))
        return [version("lm-onset"), *(f"{file.name} {file.stat().st_size}" for file in files)]
    if backend == "packaged":
        from onset.models.packaged import installed

        return installed(target)
    if backend in ("gguf", "scripted"):
        return _seen([Path(target).expanduser()])
    where = _hf_folder(target)
    if where is None or not (where / "config.json").is_file():
        return None
    if not Path(target).expanduser().is_dir():  # a snapshot of the hub's cache, named by its commit
        return (
            [target, where.name]
            if any(file.suffix in (".safetensors", ".bin") for file in _model_files(where))
            else None
        )
    return _seen(_model_files(where))


def _seen(files: Iterable[Path]) -> list[str] | None:
    found = [(file.name, file.stat()) for file in files if file.is_file()]
    return [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in found] or None


def _model_files(where: Path) -> list[Path]:
    """The files of a model folder that decide what it computes."""
    kinds = ("config.json", "generation_config.json", "*.safetensors", "*.bin", "tokenizer*", "*.jinja", "onset.json")
    return sorted({file for kind in kinds for file in where.glob(kind)})


def _hf_folder(target: str) -> Path | None:
    """A local folder, or the snapshot of a hub model in the cache."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    path = Path(target).expanduser()
    if path.is_dir():
        return path
    try:
        found = try_to_load_from_cache(target, "config.json")
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
