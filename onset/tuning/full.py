"""Full fine-tuning: every weight of a copy of the model is trained."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.tuning.base import Example, Progress, Schedule, Seeds, Tuning, TuningReport
from onset.tuning.beside import Put

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint
    from onset.tuning.loop import Encoded
    from onset.tuning.shapes import Shapes

WEIGHTS = "model.safetensors"


class Full(Tuning):
    """Full fine-tuning.

    The default is a small rate with warm-up and many steps, as Mosbach et al. 2021 (arXiv 2006.04884)
    recommend for few labels.
    """

    kind = "full"
    source = "Mosbach et al. 2021, arXiv 2006.04884 (small learning rate, warm-up and many steps for few labels)"
    words = "Full fine-tuning"
    flops = 6.0
    backward = "forward, gradients of activations and of all weights"
    learning_rate = 3e-5
    trains = "all N weights"
    keep = False

    def trained(self, shapes: Shapes) -> int:
        """Every weight, tied ones once."""
        return shapes.params

    def tune(
        self,
        model: HFModel,
        examples: Sequence[Example],
        seeds: Seeds,
        schedule: Schedule,
        progress: Progress | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> tuple[HFModel, TuningReport]:
        """A trained deep copy. Weights of fewer bits than float32 are trained as float32 under autocast
        and rounded back at the end, so that the tuned model computes as its base does.
        """
        from onset.tuning.loop import encode

        rows = encode(model.tokenizer, examples, schedule.limit(model.facts.known("context")))
        return self.fit(model, rows, seeds, schedule, progress, checkpoint)

    def fit(
        self,
        model: HFModel,
        rows: Sequence[Encoded],
        seeds: Seeds,
        schedule: Schedule,
        progress: Progress | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> tuple[HFModel, TuningReport]:
        """`tune` on examples in tokens."""
        from onset.tuning.loop import train

        copied = Copied(model, self.kind)
        trace = train(
            copied.module,
            rows,
            seeds,
            schedule.at(self.learning_rate),
            pad=model.tokenizer.eos_token_id,
            autocast=copied.autocast,
            progress=progress,
            checkpoint=checkpoint,
        )
        tuned = copied.finish()
        flops = self.flops * model.facts.known("params_compute")
        return tuned, trace.report(flops, dict(tuned.module.named_parameters()))

    def save(self, tuned: HFModel, folder: Path) -> None:
        """A folder that is itself a model in transformers' layout: weights, configuration, tokenizer."""
        from onset.tuning import weights

        folder.mkdir(parents=True, exist_ok=True)
        tuned.tokenizer.save_pretrained(folder)
        tuned.module.config.save_pretrained(folder)
        # Not save_pretrained: it refuses some published generation configs, of which only the end tokens matter.
        tuned.module.generation_config.to_json_file(folder / "generation_config.json")
        weights.write(dict(tuned.module.named_parameters()), folder / WEIGHTS, str(tuned.facts.revision))

    def load(self, model: HFModel, folder: Path) -> HFModel:
        """A copy of the base model with the weights of ``folder``."""
        from onset.tuning import weights

        module = copy.deepcopy(model.module).requires_grad_(False)
        trained = dict(module.named_parameters())
        weights.read_into(trained, folder / WEIGHTS, model)
        return weights.tuned_model(model, module, trained)

    def further(self, model: HFModel, folder: Path) -> Put:
        """The weights of ``folder``, as float32 while they are trained."""
        import torch

        module: Any = self.load(model, folder).module
        trained = dict(module.named_parameters())
        stored = {name: weight.dtype for name, weight in trained.items()}
        _cast(module, dict.fromkeys(stored, torch.float32))
        autocast = set(stored.values()) != {torch.float32}
        return Put(module, trained, finish=partial(_cast, module, stored), autocast=autocast)


class Copied:
    """A deep copy of a model whose weights are all trained, as float32 (``module``), under ``autocast`` where the model
    holds them in fewer bits. Raises ModelError where it carries an adapter; ``kind``: what it is to be trained by.
    """

    def __init__(self, model: HFModel, kind: str) -> None:
        import torch

        from onset.tuning import weights

        weights.refuse_adapted(model, kind)
        model.free()
        self._model = model
        self.module = copy.deepcopy(model.module).requires_grad_(True)
        self._stored = {name: weight.dtype for name, weight in self.module.named_parameters()}
        _cast(self.module, dict.fromkeys(self._stored, torch.float32))
        self.autocast = set(self._stored.values()) != {torch.float32}

    def finish(self) -> HFModel:
        """The trained model, its weights rounded back."""
        from onset.tuning import weights

        _cast(self.module, self._stored)
        return weights.tuned_model(self._model, self.module, dict(self.module.named_parameters()))


def _cast(module: Any, dtypes: Mapping[str, torch.dtype]) -> None:
    """Cast parameters one by one: buffers (rotary frequencies) keep their own precision."""
    for name, weight in module.named_parameters():
        weight.data = weight.data.to(dtypes[name])
