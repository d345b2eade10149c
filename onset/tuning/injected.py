"""Adapters that peft injects into a model: put, named and read back in peft's own layout.

``PeftModel.from_pretrained`` reads such a folder.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import PeftConfig, inject_adapter_in_model
from transformers.pytorch_utils import Conv1D

from onset.errors import StoreError
from onset.tuning import weights
from onset.tuning.beside import Put
from onset.tuning.optimise import seeded

if TYPE_CHECKING:
    from onset.models.hf import HFModel

CONFIG = "adapter_config.json"

_OWN = re.compile(r"\.(?:lora_|ia3_)")
"""What only weights of an adapter have in their names."""
_ADAPTER = re.compile(r"(?<=\.lora_magnitude_vector)\.default\.weight$|\.default(?=\.|$)")
"""peft's name of a model's only adapter, which its files leave out."""


def inject(model: HFModel, config: Any, seed: int) -> Put:
    """A copy of the model's module, sharing its weights, with a fresh adapter in float32 drawn from ``seed``."""
    module = weights.copy_sharing(model.module)
    config.fan_in_fan_out = any(isinstance(layer, Conv1D) for layer in module.modules())  # as their weights lie
    device = next(module.parameters()).device
    with seeded(seed, device):
        inject_adapter_in_model(config, module)
    for weight in adapter(module).values():
        weight.data = weight.data.float()
    return Put(module.requires_grad_(False), adapter(module))


def adapter(module: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The adapter's weights under the names peft gives them in a file."""
    return {
        f"base_model.model.{_ADAPTER.sub('', name)}": weight
        for name, weight in module.named_parameters()
        if _OWN.search(name)
    }


def write_config(module: Any, folder: Path) -> None:
    """Write the adapter's settings as peft does, and in the same order in every process."""
    config = copy.copy(module.peft_config["default"])
    for name in ("target_modules", "feedforward_modules"):
        if isinstance(getattr(config, name, None), set):
            setattr(config, name, sorted(getattr(config, name)))
    config.save_pretrained(str(folder))


def read_config(kind: type[PeftConfig], folder: Path) -> Any:
    """The settings of the adapter in ``folder``. Raises StoreError when there are none, or none that can be read."""
    path = folder / CONFIG
    if not path.is_file():  # peft would look for the folder's name on the hub
        raise StoreError(f"no adapter at {folder}: {path.name} is missing")
    try:
        return kind.from_pretrained(str(folder))
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"cannot read adapter settings {path}: {error}") from error
