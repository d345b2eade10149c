"""Trained weights: copied, identified, written and read back."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from onset.errors import ModelError, StoreError
from onset.models.base import NOTHING, ModelFacts, Virtual

if TYPE_CHECKING:
    from onset.models.hf import HFModel

FORMAT = "3"
"""As of a results folder (`onset.results.sealed.FORMAT`)."""
REVISION = "onset_revision"
"""The key of a weight file's metadata that holds the tuned model's revision."""


def copy_sharing(module: torch.nn.Module) -> torch.nn.Module:
    """A copy with its own layers and flags whose parameters and buffers share the original's memory.

    Layers added to the copy, and weights frozen or unfrozen in it, are not seen by the original. Tied
    parameters stay tied.
    """
    memo: dict[int, Any] = {id(w): torch.nn.Parameter(w.detach(), requires_grad=False) for w in module.parameters()}
    memo |= {id(buffer): buffer for buffer in module.buffers()}
    return copy.deepcopy(module, memo)


def refuse_adapted(model: HFModel, method: str) -> None:
    """Raises ModelError when ``model`` carries an adapter: its weights would be taken for the model's own."""
    from onset.tuning.bottleneck import carries

    if getattr(model.module, "peft_config", None) or model.virtual.ids or carries(model.module):
        raise ModelError(f"cannot tune {model.facts.name} with '{method}': it already carries an adapter")


def tuned_model(
    base: HFModel, module: torch.nn.Module, trained: Mapping[str, torch.Tensor], virtual: Virtual = NOTHING
) -> HFModel:
    """``module`` as a model, with ``virtual`` before every text: the base's tokenizer, batches and facts, but for the
    revision, which is the hash of the base's revision and the trained weights.
    """
    revision = digest(str(base.facts.revision), trained)
    return base.derive(module.eval(), replace(base.facts, revision=revision), virtual)


def digest(revision: str, weights: Mapping[str, torch.Tensor]) -> str:
    """16 hex digits of the SHA-256 over ``revision`` and every weight's name, dtype, shape and bytes."""
    sha = hashlib.sha256(revision.encode())
    for name in sorted(weights):
        weight = weights[name].detach().cpu().contiguous()
        sha.update(f"\n{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        sha.update(weight.reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()[:16]


def write(weights: Mapping[str, torch.Tensor], path: Path, revision: str) -> None:
    """Write ``weights`` as safetensors that remember the tuned model's ``revision``.

    Raises StoreError when ``path`` cannot be written.
    """
    tensors = {name: weight.detach().cpu().contiguous() for name, weight in weights.items()}
    try:
        save_file(tensors, path, metadata={"format": "pt", REVISION: revision, "onset_format": FORMAT})
        _sort_metadata(path)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"cannot write tuned weights {path}: {error}") from error


def _sort_metadata(path: Path) -> None:
    """Put the metadata of a safetensors file into the order of their names: the library writes them in an order that
    differs from time to time, and equal weights should be equal bytes.
    """
    with open(path, "r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= length:  # what is left is filled with spaces, as the library does
            file.seek(8)
            file.write(text.ljust(length))


def read_into(weights: Mapping[str, torch.Tensor], path: Path, base: HFModel) -> None:
    """Fill ``weights``, in place, with what `write` wrote; their revision must come out as it was.

    Raises StoreError when the file cannot be read, holds other weights than ``weights``, is damaged, or
    was tuned from another base model.
    """
    try:
        with safe_open(path, framework="pt") as file:
            revision = (file.metadata() or {}).get(REVISION)
            names = set(file.keys())
            if names != set(weights):
                raise StoreError(
                    f"tuned weights {path} do not fit {base.facts.name}: {len(names - set(weights))} of "
                    f"{len(names)} are not in the model, {len(set(weights) - names)} are missing"
                )
            for name, weight in weights.items():
                stored = file.get_tensor(name)
                if (stored.shape, stored.dtype) != (weight.shape, weight.dtype):
                    raise StoreError(
                        f"tuned weights {path} do not fit {base.facts.name}: {name} is {_kind(stored)}, "
                        f"the model's {_kind(weight)}"
                    )
                weight.data.copy_(stored)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"cannot read tuned weights {path}: {error}") from error
    _refuse_other(path, base.facts, digest(str(base.facts.revision), weights), revision)


def revision_of(path: Path, base: ModelFacts) -> str:
    """The revision that the weights in ``path`` (by `write`) have with the model that ``base`` are the facts of; no
    model is needed. Raises StoreError as `read_into`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            revision = (file.metadata() or {}).get(REVISION)
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (OSError, SafetensorError) as error:
        raise StoreError(f"cannot read tuned weights {path}: {error}") from error
    _refuse_other(path, base, digest(str(base.revision), held), revision)
    return str(revision)


def _refuse_other(path: Path, base: ModelFacts, found: str, revision: str | None) -> None:
    if found != revision:
        raise StoreError(
            f"tuned weights {path} have revision {found} on {base.name} {base.revision}, expected "
            f"{revision}: they are damaged or were tuned from another base model"
        )


def _kind(weight: torch.Tensor) -> str:
    return f"{str(weight.dtype).removeprefix('torch.')} {list(weight.shape)}"
