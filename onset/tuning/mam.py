"""Mix-and-match adapters: a prefix at the attention, scaled parallel adapters beside the rest (He et al. 2022).

{kind: mam}                                                  # the paper's sizes for classification
{kind: mam, tokens: 30, bottleneck: 512, scale: 4, begin: random, projection: 800}    # those for summaries
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from onset.tuning.adapter import Activation, check_settings, trained_in, write_settings
from onset.tuning.base import Example
from onset.tuning.beside import Put
from onset.tuning.prefix import PrefixTuning

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.shapes import Shapes


class MAM(PrefixTuning):
    """The MAM adapter: a small prefix (``tokens``, ``begin``, ``text``, ``projection``: as prefix tuning has them), and
    beside every feed-forward part a bottleneck (``bottleneck``, ``activation``, ``scale``, ``before_norm``: as the
    parallel adapter has them). 16 tokens, 16 units and scale 2 are those of the paper's runs on MNLI and SST-2.

    Both are trained at one learning rate, the adapters': a thirtieth of prefix tuning's.
    """

    kind = "mam"
    source = "He et al. 2022, arXiv 2110.04366, section 4.6"
    words = "MAM (a prefix and scaled parallel adapters)"
    learning_rate = 3e-3
    trains = "what prefix tuning and parallel adapters train"
    file = "mam.safetensors"
    tokens: int = Field(default=16, ge=1)
    bottleneck: int = Field(default=16, ge=1)
    activation: Activation = "relu"
    scale: float = Field(default=2.0, gt=0)
    before_norm: bool = False

    def trained(self, shapes: Shapes) -> int:
        """The prefix (or what makes it) and a bottleneck a layer."""
        return super().trained(shapes) + trained_in(shapes, self.bottleneck, len(shapes.covered().blocks))

    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        """A prefix that begins as the settings say, and adapters that add nothing yet. Raises ModelError for a model
        whose layers are not covered.
        """
        from onset.tuning.bottleneck import Maker, adapters, norms_before, put_beside
        from onset.tuning.shapes import parts_of

        parts = parts_of(model.module, model.facts.name, self.kind)
        norms = norms_before(model.module, parts, model.facts.name, self.kind) if self.before_norm else ()
        put = super().put(model, seed, examples)
        prefix = put.weights if put.trained is None else put.trained
        names = [one.feed_forward for one in parts.blocks]
        put_beside(put.module, names, Maker(self.bottleneck, self.activation, self.scale), seed, norms)
        return replace(put, weights=self.held(put.module), trained={**prefix, **adapters(put.module)})

    def again(self, model: HFModel, folder: Path) -> Put:
        """The adapters' settings have to be the folder's."""
        check_settings(self, folder)
        return self.put(model, 0, ())

    def describe(self, tuned: HFModel, folder: Path) -> None:
        """The settings that the weights do not tell."""
        write_settings(self, folder)

    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        """The prefix and the adapters' weights."""
        from onset.tuning.bottleneck import adapters

        return {**super().held(module), **adapters(module)}
