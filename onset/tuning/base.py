"""The contract of a tuning method: ``tune(model, examples, settings) -> model``.

A tuned model is a model; nothing after `onset.models` knows that tuning exists. Examples arrive as
prompt and completion strings in the format the model will be evaluated in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from onset.models.hf import HFModel


@dataclass(frozen=True, slots=True)
class Example:
    """``prompt`` ends without a space (``...Answer:``); ``completion`` begins with one; the loss is on the
    completion and on the end-of-text token after it."""

    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Seeds:
    """Three seeds apart: ``init`` of new weights, ``order`` of the examples, ``sampling`` of dropout."""

    init: int
    order: int
    sampling: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The fixed default schedule, the same at every budget: ``steps`` optimiser steps of ``batch_size``
    examples (an epoch is a new shuffle), AdamW with peak ``learning_rate`` (None: the method's own
    default), linear warm-up over ``warmup`` (a share of the steps), then linear decay to zero."""

    steps: int = 120
    batch_size: int = 8
    learning_rate: float | None = None
    warmup: float = 0.06
    weight_decay: float = 0.0
    clip: float = 1.0
    max_length: int = 1024


@dataclass(frozen=True, slots=True)
class TuningReport:
    """What tuning consumed: optimiser ``steps``, ``tokens`` run forward and backward (padding excluded),
    training ``flops`` (6 N a token for full tuning, 4 N for adapters), ``trained_params``, the mean loss
    (nats a completion token) of the first and of the last tenth of the steps, and how many examples
    were longer than ``max_length`` (``overlong``: they are an error, never cut)."""

    steps: int
    tokens: int
    flops: float
    trained_params: int
    first_loss: float
    last_loss: float


Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


class Tuner(Protocol):
    """One tuning method. ``tune`` leaves the base model as it was: the tuned one shares its weights
    where the method allows it (LoRA) or owns a copy (full)."""

    name: Literal["full", "lora"]

    def tune(
        self,
        model: HFModel,
        examples: Sequence[Example],
        seeds: Seeds,
        schedule: Schedule,
        progress: Progress | None = None,
    ) -> tuple[HFModel, TuningReport]:
        """Train on ``examples``; raises ModelError when one does not fit ``schedule.max_length``."""
        ...

    def save(self, tuned: HFModel, folder: Path) -> None:
        """Write what `load` needs (safetensors) into ``folder``."""
        ...

    def load(self, model: HFModel, folder: Path) -> HFModel:
        """The tuned model again, from the base model and what `save` wrote: bit-equal weights."""
        ...
