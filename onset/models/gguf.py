"""GGUF files through transformers: dequantised once to float32, then loaded like any folder.

Reading a quantised file takes the better part of a minute for 270M parameters (tokenizer included), so
the result is kept in the cache folder: four bytes a parameter. The revision is the GGUF file's hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.errors import ModelError
from onset.models.cache import cache_folder, fresh
from onset.models.hf import HFModel, load_hf, loading

if TYPE_CHECKING:
    from onset.models import LoadOptions

LAYOUT = 1
"""Raised when what `convert` writes changes, so that folders of an older release are not used."""


def open_gguf(target: str, options: LoadOptions) -> HFModel:
    """The backend of ``gguf:PATH``. The default label is the file's stem.

    Raises ModelError when the file is missing, is not GGUF, or holds an unsupported architecture.
    """
    file = Path(target).expanduser()
    if not file.is_file():
        raise ModelError(f"GGUF file not found: {file}")
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise ModelError(f"not a GGUF file: {file}")
    revision = hash_file(file)
    return load_hf(
        f"gguf:{target}", str(convert(file, revision)), options.label or file.stem, options, revision=revision
    )


def hash_file(file: Path) -> str:
    """The revision of a GGUF file: 16 hex digits of its SHA-256."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def convert(file: Path, revision: str) -> Path:
    """The folder with the dequantised model, written when it is not there yet."""
    import transformers

    name = f"{file.stem}-{revision}-{LAYOUT}-transformers-{transformers.__version__}"
    target = cache_folder() / "gguf" / name
    if not target.exists():
        module, tokenizer = _read(file)
        with loading(f"gguf:{file}", quiet=True), fresh(target) as scratch:
            module.save_pretrained(scratch)
            tokenizer.save_pretrained(scratch)
    return target


@contextmanager
def _no_bar() -> Iterator[None]:
    """Hide the progress bar of a conversion that takes seconds: it does not heed transformers' own switch."""
    from transformers import modeling_gguf_pytorch_utils as reader

    bar = reader.tqdm
    reader.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        reader.tqdm = bar


def _read(file: Path) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with loading(f"gguf:{file}", quiet=True), _no_bar():
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        module = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    # The weights are plain float32 now: a config that still says otherwise would quantise them again.
    if hasattr(module.config, "quantization_config"):
        del module.config.quantization_config
    module.hf_quantizer = None
    module.is_quantized = False
    return module, tokenizer
