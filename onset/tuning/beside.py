"""Tuning of a few weights beside frozen ones: what such methods have in common.

A method says where its weights go (`Beside.put`); training, writing and reading back are the same for all.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from onset.errors import TooLong
from onset.models.base import NOTHING, Virtual
from onset.tuning.base import Example, Progress, Schedule, Seeds, Tuning, TuningReport

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Put:
    """A copy of a model's ``module`` that shares its weights, with new ones in it.

    ``weights``: those that are written, by name; ``trained``: those that a gradient changes (None: the same);
    ``finish``: makes the first of the second, when training is done; ``virtual``: what stands before every text;
    ``autocast``: are products made in bfloat16, where weights of fewer bits than float32 are trained as float32?
    """

    module: torch.nn.Module
    weights: Mapping[str, torch.nn.Parameter]
    trained: Mapping[str, torch.nn.Parameter] | None = None
    finish: Callable[[], None] = _nothing
    virtual: Virtual = NOTHING
    autocast: bool = False


class Beside(Tuning):
    """The base's own weights, shared and frozen, and a few beside them. ``file``: what the weights are written to."""

    flops = 4.0
    backward = "forward and gradients of activations; frozen weights need none"
    file: ClassVar[str] = "adapter_model.safetensors"

    @abstractmethod
    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        """New weights in a copy of ``model``'s module (`onset.tuning.weights.copy_sharing`), drawn from ``seed`` or
        made of ``examples``, none of which is there when weights are read back in their place. Raises ModelError where
        the model has no place for them.
        """

    def again(self, model: HFModel, folder: Path) -> Put:
        """The places that weights of ``folder`` are read into."""
        return self.put(model, 0, ())

    def further(self, model: HFModel, folder: Path) -> Put:
        """The weights of ``folder`` in their places, to be trained. Raises StoreError as `load`."""
        put = self._read(model, folder)
        return replace(put, trained=put.weights)

    def _read(self, model: HFModel, folder: Path) -> Put:
        """The weights of ``folder`` in their places, frozen."""
        from onset.tuning import weights

        put = self.again(model, folder)
        for weight in put.module.parameters():
            weight.requires_grad_(False)
        weights.read_into(put.weights, folder / self.file, model)
        return put

    def describe(self, tuned: HFModel, folder: Path) -> None:
        """Write what else belongs into ``folder``: nothing, unless a method says so."""

    def tune(
        self,
        model: HFModel,
        examples: Sequence[Example],
        seeds: Seeds,
        schedule: Schedule,
        progress: Progress | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> tuple[HFModel, TuningReport]:
        """The base's own weights, shared, with trained float32 ones beside them. The forward pass of training is that
        of evaluation (no autocast), whatever the dtype of the base.
        """
        from onset.tuning import weights
        from onset.tuning.loop import encode, train

        weights.refuse_adapted(model, self.kind)
        room = self.length
        context = model.facts.known("context")
        if room >= context:
            raise TooLong(
                f"cannot tune {model.facts.name} with '{self.kind}': {room} virtual tokens leave no room in its context"
                f" of {context} tokens; lower 'tokens'"
            )
        rows = encode(model.tokenizer, examples, schedule.limit(context - room))
        model.free()
        put = self.put(model, seeds.init, examples)
        trained = put.weights if put.trained is None else put.trained
        for weight in trained.values():
            weight.requires_grad_(True)
        before = put.virtual
        trace = train(
            put.module,
            [replace(row, ids=before.ids + row.ids, start=row.start + room, given=before.given) for row in rows],
            seeds,
            schedule.at(self.learning_rate),
            pad=model.tokenizer.eos_token_id,
            progress=progress,
            checkpoint=checkpoint,
        )
        report = trace.report(self.flops * model.facts.known("params_compute"), trained)
        put.finish()
        return weights.tuned_model(model, put.module, put.weights, before), report

    def save(self, tuned: HFModel, folder: Path) -> None:
        """The weights beside the frozen ones, in one file."""
        from onset.tuning import weights

        folder.mkdir(parents=True, exist_ok=True)
        self.describe(tuned, folder)
        weights.write(self.held(tuned.module), folder / self.file, str(tuned.facts.revision))

    @abstractmethod
    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        """The weights of a tuned ``module`` that are written, as in `Put.weights`."""

    def load(self, model: HFModel, folder: Path) -> HFModel:
        """The base's own weights, shared, with those of ``folder`` beside them."""
        from onset.tuning import weights

        put = self._read(model, folder)
        return weights.tuned_model(model, put.module, put.weights, put.virtual)
