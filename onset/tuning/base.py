"""The contract of a tuning method: frozen settings, and ``tune(model, examples, seeds, schedule) -> model``.

A tuned model is a model; nothing after `onset.models` knows that tuning exists. Examples arrive as
prompt and completion strings in the format the model will be evaluated in.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from onset.errors import InputError, ModelError
from onset.step import Step, short

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.tuning.beside import Put
    from onset.tuning.checkpoint import Checkpoint
    from onset.tuning.materials.base import Material
    from onset.tuning.shapes import Shapes


@dataclass(frozen=True, slots=True)
class Example:
    """``prompt`` ends without a space (``...Answer:``); ``completion`` begins with one; the loss is on the
    completion and on the end-of-text token after it. ``templated``: a chat template made the prompt, with all special
    tokens in it (`onset.records.Request`); ``end``: the token that ends such a turn (None: the end-of-text token).
    ``target`` (`onset.tuning.target.Target`): the distributions at these tokens that the model is tuned towards (None:
    the tokens themselves are).
    """

    prompt: str
    completion: str
    templated: bool = False
    end: str | None = None
    target: Any = None


@dataclass(frozen=True, slots=True)
class Seeds:
    """Three seeds apart: ``init`` of new weights, ``order`` of the examples, ``sampling`` of dropout."""

    init: int
    order: int
    sampling: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The fixed default schedule, the same at every budget: ``steps`` optimiser steps of ``batch_size``
    examples (fewer where the budget is smaller; an epoch is a new shuffle), AdamW with peak
    ``learning_rate`` (None: the method's own default), linear warm-up over ``warmup`` (a share of the
    steps, 0..1), then linear decay to zero. ``weight_decay`` applies to matrices only, ``clip`` is the
    largest global norm of the gradient, ``max_length`` the longest example in
    tokens (None: what fits the model's context, as for a prompt).

    Few labels need many passes at a small learning rate with warm-up (the baseline of Mosbach et al.
    2021, arXiv 2006.04884), so the number of steps is fixed rather than the number of epochs. Raises
    InputError for a value out of range.
    """

    steps: int = 60
    batch_size: int = 8
    learning_rate: float | None = None
    warmup: float = 0.1
    weight_decay: float = 0.0
    clip: float = 1.0
    max_length: int | None = None

    def limit(self, context: int) -> int:
        """The longest example allowed with a model of this context, in tokens."""
        return context if self.max_length is None else min(self.max_length, context)

    def at(self, rate: float) -> Schedule:
        """With ``rate`` as the peak, where none is named."""
        return replace(self, learning_rate=self.learning_rate or rate)

    def __post_init__(self) -> None:
        checks = {
            "steps": (self.steps >= 1, "at least 1"),
            "batch_size": (self.batch_size >= 1, "at least 1"),
            "learning_rate": (self.learning_rate is None or self.learning_rate > 0, "above 0"),
            "warmup": (0 <= self.warmup <= 1, "between 0 and 1"),
            "weight_decay": (self.weight_decay >= 0, "at least 0"),
            "clip": (self.clip > 0, "above 0"),
            "max_length": (self.max_length is None or self.max_length >= 1, "at least 1"),
        }
        for name, (holds, allowed) in checks.items():
            if not holds:
                raise InputError(f"tuning schedule: {name} is {getattr(self, name)}, must be {allowed}")


@dataclass(frozen=True, slots=True)
class TuningReport:
    """What tuning consumed: optimiser ``steps``, ``tokens`` run forward and backward (padding excluded; with
    `Tuning.own_tokens` for each example), ``flops`` (`Tuning.flops` a token and parameter),
    ``trained_params``, and the mean loss (nats a completion token, dropout on) of the first and of the
    last tenth of the steps. ``prepared_tokens``: run by the base model first, to make what is trained on
    (`onset.tuning.materials.base.Texts`), and their ``prepared_flops`` (2 a token and parameter), which are part of
    ``flops``. ``micro_tokens``: the padded tokens of a forward pass that memory was enough for, where it
    ran out and batches were cut into smaller passes (None: it was enough); weights then differ in their last bits from
    those of a larger memory.
    """

    steps: int
    tokens: int
    flops: float
    trained_params: int
    first_loss: float
    last_loss: float
    prepared_tokens: int = 0
    prepared_flops: float = 0.0
    micro_tokens: int | None = None

    def to_json(self) -> dict[str, Any]:
        """What is written of it: fields that say nothing, those at their defaults, are left out."""
        return {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}


Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


class Tuning(Step):
    """A tuning method: one file and one line in `onset.tuning.TUNERS`.

    ``tune`` leaves the base model as it was, bit for bit: the tuned one shares its weights where the method allows it
    (all but full tuning) or owns a copy. Equal arguments give bit-equal weights on one machine with one number of
    threads, whether the run was interrupted or not. The class is importable without torch: a study file names it.
    """

    flops: ClassVar[float]
    """Floating-point operations of training, a token and parameter (`onset.models.base.ModelFacts.params_compute`):
    2 forward, 2 for the gradient of the activations, 2 more for that of the weights (Kaplan et al. 2020, arXiv
    2001.08361, section 2.1, without the attention term)."""
    backward: ClassVar[str]
    """Which of it the method needs, in words."""
    learning_rate: ClassVar[float]
    """The peak where a study names none (docs/notes/tuning-defaults.md)."""
    trains: ClassVar[str]
    """What is trained, and how many numbers that is, in words: `trained` as a formula."""
    keep: ClassVar[bool] = True
    """Are the tuned weights kept when their cells are finished? Not those as large as the model, unless a study says
    ``keep_full``."""

    @property
    def own_tokens(self) -> int:
        """Tokens that every prompt and example has beside its own, and that the model has to run (0: none)."""
        return 0

    @property
    def length(self) -> int:
        """Positions before every text that the method takes of the model's context."""
        return self.own_tokens

    def label(self) -> str:
        """Name and settings in one word: ``lora-rank4-dora``."""
        settings = (key if value is True else f"{key}{short(value)}" for key, value in self.set().items())
        return "-".join([self.kind, *settings])

    def grid(self, schedule: Schedule) -> Sequence[Mapping[str, Any]]:
        """The settings that a search tries beside those of ``schedule`` and its own, most promising first
        (`onset.search.grid`): the learning rate a factor of 3 and 10 up and down, twice and half the steps, and what
        else its weights may begin as (`starts`).
        """
        peak, steps = schedule.learning_rate or self.learning_rate, schedule.steps

        def at(rate: float = 1.0, length: float = 1.0, **more: Any) -> dict[str, Any]:
            changed = {"learning_rate": float(f"{rate * peak:.2g}")} if rate != 1 else {}
            changed |= {"steps": max(1, round(length * steps))} if length != 1 else {}
            return changed | {f"tune.{key}": value for key, value in more.items()}

        starts = self.starts()
        tried = [at(3), at(1 / 3), *(at(**one) for one in starts[:1]), at(length=2), at(1 / 3, 2)]
        tried += [at(3, **one) for one in starts[:1]] + [at(**one) for one in starts[1:]]
        tried += [at(3, 0.5), at(10), at(0.1), at(length=0.5), at(3, 2), at(1 / 3, 0.5)]
        return tried + [at(rate, **one) for one in starts for rate in (1 / 3, 3)]

    def starts(self) -> Sequence[Mapping[str, Any]]:
        """Other settings of what its new weights begin as, most promising first: none, unless it says so."""
        return ()

    def asked(self, on: Material) -> str | Mapping[str, Any]:
        """The prompting method by which the tuned model is asked: the format it was tuned on."""
        return on.asked

    @abstractmethod
    def trained(self, shapes: Shapes) -> int:
        """How many numbers are trained in a model of these shapes (`TuningReport.trained_params`)."""

    @abstractmethod
    def tune(
        self,
        model: HFModel,
        examples: Sequence[Example],
        seeds: Seeds,
        schedule: Schedule,
        progress: Progress | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> tuple[HFModel, TuningReport]:
        """Train on ``examples``. ``checkpoint``, passed on to `onset.tuning.loop.train` (or
        `onset.tuning.optimise.optimise`), is what a run that was killed goes on from, to the same bits. Raises
        ModelError when there are none, when one does not fit ``schedule.max_length`` or the model's context (it is
        never cut), when the model lacks what the method trains, or memory is not enough; Diverged when a loss or a
        gradient is not finite.
        """

    @abstractmethod
    def save(self, tuned: HFModel, folder: Path) -> None:
        """Write what `load` needs (safetensors) into ``folder``, which is created. Raises StoreError when it cannot be
        written.
        """

    @abstractmethod
    def load(self, model: HFModel, folder: Path) -> HFModel:
        """The tuned model again, from the base model and what `save` wrote: bit-equal weights and the same
        revision. Raises StoreError when ``folder`` is damaged, was tuned from another base model, or does not fit the
        settings; an adapter in peft's layout (LoRA, IA3) has its settings with it, which are then taken.
        """

    def further(self, model: HFModel, folder: Path) -> Put:
        """What `save` wrote into ``folder``, beside or in a copy of the base ``model``, to be trained further: a
        verifier begins as its generator (`onset.tuning.verifier`). Raises ModelError where a method does not say how,
        StoreError as `load`.
        """
        raise ModelError(f"what '{self.kind}' tuned cannot be trained further: a verifier cannot begin from it")

    @classmethod
    def facts(cls) -> dict[str, Any]:
        """What ``onset list methods`` says of the method beside its settings and source."""
        return {
            "trains": cls.trains,
            "flops": f"{cls.flops:g} N FLOPs a token ({cls.backward})",
            "learning_rate": cls.learning_rate,
            "kept": cls.keep,
        }
