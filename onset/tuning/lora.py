"""LoRA: low-rank adapters beside frozen weights (Hu et al. 2021, arXiv 2106.09685, section 4.1).

A linear layer ``W x`` becomes ``W x + (alpha / r) B A x`` with ``A`` (r x in) random, ``B`` (out x r) zero at
the start, and only ``A`` and ``B`` trained: tuning begins at the base model. Hu et al. adapt the query and
value projections; here every linear layer but the output head is adapted, which Dettmers et al. 2023
(arXiv 2305.14314) find necessary to match full fine-tuning.

The adapter is never merged: ``W + B A`` rounded to the weights' precision is another model than the one
that was trained (peft issue 1836).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from peft import LoraConfig, inject_adapter_in_model

from onset.errors import StoreError
from onset.tuning import weights
from onset.tuning.base import Example, Progress, Schedule, Seeds, TuningReport
from onset.tuning.loop import encode, seeded, train

if TYPE_CHECKING:
    from onset.models.hf import HFModel

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
_ADAPTER = ".default."  # peft's name of a model's only adapter; its files leave it out


@dataclass(frozen=True)
class LoRA:
    """LoRA of rank ``rank`` (at least 1), scaling ``alpha / rank``, dropout (0..1) before ``A``, and peak
    ``learning_rate`` where the schedule names none.

    Without dropout the sampling seed changes nothing, unless the model has dropout of its own.
    """

    name: ClassVar[str] = "lora"
    flops: ClassVar[float] = 4.0  # forward 2, gradient of the input 2; frozen weights need no gradient
    whole: ClassVar[bool] = False
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.0
    learning_rate: float = 1e-3

    def tune(
        self,
        model: HFModel,
        examples: Sequence[Example],
        seeds: Seeds,
        schedule: Schedule,
        progress: Progress | None = None,
    ) -> tuple[HFModel, TuningReport]:
        """The base's own weights, shared, with a trained float32 adapter beside them. The forward pass of
        training is that of evaluation (no autocast), whatever the dtype of the base.
        """
        rows = encode(model.tokenizer, examples, schedule.limit(model.facts.known("context")))
        model.free()
        module = _inject(model, self._config(), seeds.init)
        trained = _adapter(module)
        for weight in trained.values():
            weight.requires_grad_(True)
        trace = train(
            module,
            rows,
            seeds,
            schedule,
            self.learning_rate,
            pad=model.tokenizer.eos_token_id,
            progress=progress,
        )
        return weights.tuned_model(model, module, trained), trace.report(
            self.flops * model.facts.known("params_compute"), trained
        )

    def save(self, tuned: HFModel, folder: Path) -> None:
        """An adapter folder in peft's own layout (``PeftModel.from_pretrained`` reads it)."""
        folder.mkdir(parents=True, exist_ok=True)
        config = copy.copy(tuned.module.peft_config["default"])
        config.target_modules = sorted(config.target_modules)  # a set: its order differs between processes
        config.save_pretrained(str(folder))
        weights.write(_adapter(tuned.module), folder / WEIGHTS, str(tuned.facts.revision))

    def load(self, model: HFModel, folder: Path) -> HFModel:
        """The base's own weights, shared, with the adapter of ``folder`` beside them; rank, scaling and
        layers are the folder's.
        """
        module = _inject(model, _read_config(folder / CONFIG), seed=0)
        trained = _adapter(module)
        weights.read_into(trained, folder / WEIGHTS, model)
        return weights.tuned_model(model, module, trained)

    def _config(self) -> LoraConfig:
        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )


def _inject(model: HFModel, config: LoraConfig, seed: int) -> torch.nn.Module:
    """A copy of the model's module, sharing its weights, with a fresh adapter drawn from ``seed``."""
    weights.refuse_adapted(model, LoRA.name)
    module = weights.copy_sharing(model.module)
    device = next(module.parameters()).device
    with seeded(seed, device):
        inject_adapter_in_model(config, module)
    for weight in _adapter(module).values():
        weight.data = weight.data.float()
    return module.requires_grad_(False)


def _adapter(module: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The adapter's weights under the names peft gives them in a file."""
    return {
        f"base_model.model.{name.replace(_ADAPTER, '.')}": weight
        for name, weight in module.named_parameters()
        if ".lora_" in name
    }


def _read_config(path: Path) -> LoraConfig:
    if not path.is_file():  # peft would look for the folder's name on the hub
        raise StoreError(f"no adapter at {path.parent}: {path.name} is missing")
    try:
        return LoraConfig.from_pretrained(str(path.parent))
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"cannot read adapter settings {path}: {error}") from error
