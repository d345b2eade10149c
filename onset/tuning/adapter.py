"""Adapters: small bottlenecks in or beside the layers of a frozen model, after them or parallel to them.

{kind: sequential-adapter}                             # one a layer, after it (Pfeiffer et al. 2021)
{kind: sequential-adapter, layout: houlsby}            # two a layer, after attention and feed-forward part
{kind: parallel-adapter, bottleneck: 512, scale: 4}    # the scaled parallel adapter of He et al. 2022
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from onset.errors import StoreError
from onset.tuning.base import Example, Tuning
from onset.tuning.beside import Beside, Put

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.shapes import Parts, Shapes

Activation = Literal["relu", "gelu", "silu"]

SETTINGS = "adapter.json"
"""What a folder's adapters compute beside their weights."""
_COMPUTED = ("layout", "bottleneck", "activation", "scale", "before_norm")


def trained_in(shapes: Shapes, bottleneck: int, places: int) -> int:
    """Both matrices and both biases of each bottleneck."""
    return places * ((2 * bottleneck + 1) * shapes.hidden + bottleneck)


def write_settings(method: Tuning, folder: Path) -> None:
    """Write what ``method``'s adapters compute, which weights do not tell. Raises StoreError when it cannot be."""
    try:
        (folder / SETTINGS).write_text(json.dumps(_computed(method), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write adapter settings {folder / SETTINGS}: {error}") from error


def check_settings(method: Tuning, folder: Path) -> None:
    """Raises StoreError unless the adapters of ``folder`` compute what ``method``'s do."""
    path = folder / SETTINGS
    if not path.is_file():
        raise StoreError(f"no adapter at {folder}: {path.name} is missing")
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot read adapter settings {path}: {error}") from error
    if held != (asked := _computed(method)):
        raise StoreError(f"the adapter of {folder} was tuned with {_said(held)}; expected {_said(asked)}")


def _computed(method: Tuning) -> dict[str, Any]:
    values = method.model_dump(mode="json")
    return {"kind": method.kind, **{name: values[name] for name in _COMPUTED if name in values}}


def _said(settings: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items()) if isinstance(settings, dict) else "nothing"


class _Adapter(Beside):
    """What adapters have in common. Their own products (two multiplications a trained number and token) are not in the
    FLOPs, as those of LoRA are not.
    """

    file = "adapter.safetensors"
    bottleneck: int = Field(default=16, ge=1)
    activation: Activation = "relu"

    @abstractmethod
    def _put(self, module: Any, parts: Parts, model: HFModel, seed: int) -> None:
        """Put the adapters into ``module``, a copy of ``model``'s."""

    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        """Adapters that add nothing yet, drawn from ``seed``. Raises ModelError for a model that is not covered."""
        from onset.tuning import weights
        from onset.tuning.shapes import parts_of

        parts = parts_of(model.module, model.facts.name, self.kind)
        module = weights.copy_sharing(model.module)
        self._put(module, parts, model, seed)
        return Put(module, self.held(module))

    def again(self, model: HFModel, folder: Path) -> Put:
        """The settings have to be the folder's."""
        check_settings(self, folder)
        return self.put(model, 0, ())

    def describe(self, tuned: HFModel, folder: Path) -> None:
        """The settings that the weights do not tell."""
        write_settings(self, folder)

    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        """The adapters' weights by their names in the model."""
        from onset.tuning.bottleneck import adapters

        return adapters(module)


class SequentialAdapter(_Adapter):
    """Bottlenecks of ``bottleneck`` units (at least 1) that what a layer gives passes through: ``y + up(f(down(y)))``.

    ``layout: pfeiffer`` has one a layer, behind its last addition to the residual stream, which it reads and adds to
    (Pfeiffer et al. 2021); ``houlsby`` one after the attention and one after the
    feed-forward part, before what they give is normalised (Gemma 2 and 3) and added to the stream. No norm is trained,
    and the projection up begins at zero, where the papers have near zero: tuning begins at the base model.
    """

    kind = "sequential-adapter"
    source = "Houlsby et al. 2019, arXiv 1902.00751, section 2.1; Pfeiffer et al. 2021, arXiv 2005.00247"
    words = "Sequential adapters (bottlenecks after the layers)"
    learning_rate = 3e-3
    trains = "(2 bottleneck + 1) x width + bottleneck, once a layer (with layout houlsby twice)"
    layout: Literal["pfeiffer", "houlsby"] = "pfeiffer"

    def trained(self, shapes: Shapes) -> int:
        """A bottleneck a layer, or two."""
        layers = len(shapes.covered().blocks)
        return trained_in(shapes, self.bottleneck, 2 * layers if self.layout == "houlsby" else layers)

    def _put(self, module: Any, parts: Parts, model: HFModel, seed: int) -> None:
        from onset.tuning.bottleneck import Maker, put_after

        names = [
            name
            for one in parts.blocks
            for name in ((one.layer,) if self.layout == "pfeiffer" else (one.attention, one.feed_forward))
        ]
        put_after(module, names, Maker(self.bottleneck, self.activation, 1.0), seed)


class ParallelAdapter(_Adapter):
    """Bottlenecks beside the feed-forward parts: ``y + scale up(f(down(x)))``, where ``y`` is what the part makes of
    ``x``; with a ``scale`` other than 1 (the paper has 4, and 2 for classification) the scaled parallel adapter.

    ``before_norm``: it reads the residual stream before the norm that ``x`` comes from, as the package ``adapters`` has
    it in models with norms before their parts, and the paper's own code as an option. Initialised as LoRA: the
    projection down at random, the one up at zero. The paper's 512 units belong to models of 1,024 and long texts.
    """

    kind = "parallel-adapter"
    source = "He et al. 2022, arXiv 2110.04366, sections 3.3 and 4.6"
    words = "Parallel adapters (bottlenecks beside the feed-forward parts)"
    learning_rate = 3e-3
    trains = "(2 bottleneck + 1) x width + bottleneck, once a layer"
    scale: float = Field(default=1.0, gt=0)
    before_norm: bool = False

    def trained(self, shapes: Shapes) -> int:
        """A bottleneck a layer."""
        return trained_in(shapes, self.bottleneck, len(shapes.covered().blocks))

    def _put(self, module: Any, parts: Parts, model: HFModel, seed: int) -> None:
        from onset.tuning.bottleneck import Maker, norms_before, put_beside

        norms = norms_before(module, parts, model.facts.name, self.kind) if self.before_norm else ()
        names = [one.feed_forward for one in parts.blocks]
        put_beside(module, names, Maker(self.bottleneck, self.activation, self.scale), seed, norms)
