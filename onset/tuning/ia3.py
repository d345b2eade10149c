"""IA3: keys, values and inner activations are scaled by learnt vectors (Liu et al. 2022, arXiv 2205.05638)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.tuning.base import Example
from onset.tuning.beside import Beside, Put

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.shapes import Shapes


class IA3(Beside):
    """(IA)^3, section 3.3: in every layer keys, values and what goes into the last product of the feed-forward part are
    multiplied by a vector each, which begins at one, so that tuning begins at the base model.

    Put by peft, but always on keys and values: peft's own choice for Qwen and Gemma is queries and values. Where one
    matrix gives queries, keys and values (GPT-2, GPT-NeoX), queries are scaled too, as peft does. The learning rate is
    ten times the paper's, which took many more steps, with Adafactor. The vectors begin at the same values whatever the
    seed.
    """

    kind = "ia3"
    source = "Liu et al. 2022, arXiv 2205.05638, section 3.3"
    words = "IA3 (scaled keys, values and inner activations)"
    learning_rate = 3e-2
    trains = "of every layer the widths of keys, values and inner activations"

    def trained(self, shapes: Shapes) -> int:
        """A number for each output of the projections and each input of the last feed-forward product."""
        parts = shapes.covered()
        return sum(one.width for layer in parts.attention for one in layer) + sum(width for _, width in parts.ends)

    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        """Vectors of ones. Raises ModelError for a model whose layers are not covered."""
        from peft import IA3Config

        from onset.tuning.injected import inject
        from onset.tuning.shapes import parts_of

        parts = parts_of(model.module, model.facts.name, self.kind)
        ends = [name for name, _ in parts.ends]
        config = IA3Config(
            target_modules=[one.name for layer in parts.attention for one in layer] + ends,
            feedforward_modules=ends,
            task_type="CAUSAL_LM",
        )
        return inject(model, config, seed)

    def again(self, model: HFModel, folder: Path) -> Put:
        """The layers are the folder's."""
        from peft import IA3Config

        from onset.tuning.injected import inject, read_config

        return inject(model, read_config(IA3Config, folder), seed=0)

    def describe(self, tuned: HFModel, folder: Path) -> None:
        """An adapter folder in peft's own layout (``PeftModel.from_pretrained`` reads it)."""
        from onset.tuning.injected import write_config

        write_config(tuned.module, folder)

    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        """The vectors under the names peft gives them in a file."""
        from onset.tuning.injected import adapter

        return adapter(module)
