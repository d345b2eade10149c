"""Loading a transformers model: from the hub or a folder, and from files of another kind (`onset.models.gguf`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from logging import ERROR
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.errors import ModelError
from onset.models.facts import describe, hash_files, told_beside
from onset.models.hf import HFModel

if TYPE_CHECKING:
    import torch

    from onset.models.backend import LoadOptions


def open_hf(target: str, options: LoadOptions) -> HFModel:
    """The backend of hub ids and local folders. The default label is the id or the folder's name."""
    path = Path(target).expanduser()
    if path.is_dir():
        if not (path / "config.json").exists():
            raise ModelError(f"model folder {path} has no config.json")
        return load_hf(target, str(path), options.label or path.resolve().name, options)
    if looks_like_path(target):
        raise ModelError(f"model folder not found: {path}")
    return load_hf(target, target, options.label or target, options)


def load_hf(
    spec: str,
    source: str,
    label: str,
    options: LoadOptions,
    *,
    revision: str | None = None,
    read: Callable[[Any, torch.dtype], tuple[Any, Mapping[str, Any]]] | None = None,
) -> HFModel:
    """Load ``source`` (folder or hub id) for the spec the user wrote; ``revision`` None: hash the files.

    ``read``: makes the module from its configuration in a dtype and says which weights are missing, where they are not
    transformers' files in ``source``. Raises ModelError, one line, for whatever transformers refuses.
    """
    import torch
    from transformers import AutoConfig, AutoTokenizer

    from onset.models.dtypes import choose

    device = pick_device(spec, options.device)
    with loading(spec, quiet=Path(source).is_dir()):
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
        dtype = getattr(torch, choose(config, device) if options.dtype == "auto" else options.dtype)
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        module, report = read(config, dtype) if read is not None else _read(source, dtype)
        module = module.to(device)
        files = _weight_folder(source)
    absent = sorted(report["missing_keys"])
    if absent:
        raise ModelError(f"model '{spec}': {len(absent)} weights are not in its files, the first is {absent[0]}")
    check_usable(spec, module, tokenizer)
    facts = describe(module, tokenizer, label, revision or hash_files(files), told_beside(spec, files))
    return HFModel(
        module, tokenizer, facts, batch_tokens=options.batch_tokens, origin=spec.rstrip("/").rpartition("/")[2]
    )


def _read(source: str, dtype: torch.dtype) -> tuple[Any, Mapping[str, Any]]:
    """The module with weights of ``dtype``, and what transformers reports of them."""
    from transformers import AutoModelForCausalLM

    found: tuple[Any, Mapping[str, Any]] = AutoModelForCausalLM.from_pretrained(
        source, dtype=dtype, trust_remote_code=False, output_loading_info=True
    )
    return found


def pick_device(spec: str, name: str) -> str:
    """``auto`` resolved to ``cuda`` or ``cpu``; another name checked. Raises ModelError."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(name).type
    except RuntimeError:
        raise ModelError(f"model '{spec}': unknown device '{name}': use auto, cpu, cuda or cuda:N") from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"model '{spec}': device '{name}' asked for, and no CUDA device is available")
    return name


@contextmanager
def loading(spec: str, *, quiet: bool) -> Iterator[None]:
    """One line for whatever goes wrong in the block; ``quiet`` hides progress bars (not a download's).

    Warnings are silenced: what they warn of (absent weights) is an error here.
    """
    from huggingface_hub.utils import logging as hub
    from transformers.utils import logging

    hidden = quiet and logging.is_progress_bar_enabled()
    if hidden:
        logging.disable_progress_bar()
    verbosity, of_hub = logging.get_verbosity(), hub.get_verbosity()
    logging.set_verbosity_error()
    hub.set_verbosity(ERROR)  # a hub that cannot be reached is reported at each of its retries
    try:
        yield
    except Exception as error:  # transformers, tokenizers and safetensors have no error class in common
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"cannot load model '{spec}': {first}") from error
    finally:
        logging.set_verbosity(verbosity)
        hub.set_verbosity(of_hub)
        if hidden:
            logging.enable_progress_bar()


def _weight_folder(source: str) -> Path:
    """The folder on disk that a source was loaded from."""
    from transformers.utils import cached_file

    return Path(source) if Path(source).is_dir() else Path(cached_file(source, "config.json")).parent


def looks_like_path(target: str) -> bool:
    """A hub id is ``name`` or ``owner/name``; anything else was meant as a folder."""
    return re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", target) is None


def check_usable(spec: str, module: Any, tokenizer: Any) -> None:
    """Raises ModelError for models whose batches or scores would be silently wrong."""
    kind = module.config.model_type
    if not tokenizer.is_fast:
        raise ModelError(f"model '{spec}' has no fast tokenizer (tokenizer.json): character offsets are needed")
    if getattr(module, "_is_stateful", False):
        raise ModelError(f"model '{spec}': '{kind}' keeps a recurrent state, and padding would change its output")
    if getattr(module.config.get_text_config(), "max_position_embeddings", None) is None:
        raise ModelError(f"model '{spec}': the config of '{kind}' does not say how long its context is")
