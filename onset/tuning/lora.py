"""LoRA: low-rank adapters beside frozen weights (Hu et al. 2021, arXiv 2106.09685, section 4.1).

A linear layer ``W x`` becomes ``W x + (alpha / r) B A x`` with ``A`` (r x in) random, ``B`` (out x r) zero at
the start, and only ``A`` and ``B`` trained: tuning begins at the base model. Hu et al. adapt the query and
value projections; here every linear layer but the output head is adapted, which Dettmers et al. 2023
(arXiv 2305.14314) find necessary to match full fine-tuning.

The adapter is never merged: ``W + B A`` rounded to the weights' precision is another model than the one
that was trained (peft issue 1836).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from onset.tuning.base import Example
from onset.tuning.beside import Beside, Put

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.shapes import Shapes


class LoRA(Beside):
    """LoRA of rank ``rank`` (at least 1), scaling ``alpha / rank``, and dropout (0..1) before ``A``.

    ``rslora``: scaling ``alpha / sqrt(rank)``, so that larger ranks learn as well (Kalajdzievski 2023). ``dora``: the
    adapted weight is a magnitude for each output, trained too, times a direction that the adapter changes (Liu et al.
    2024); the norms of all adapted weights are computed once a pass, which FLOPs do not count.

    Without dropout the sampling seed changes nothing, unless the model has dropout of its own. The learning rate is
    some ten times that of full tuning and more.
    """

    kind = "lora"
    source = (
        "Hu et al. 2021, arXiv 2106.09685; on all linear layers, Dettmers et al. 2023, arXiv 2305.14314; dora: Liu et"
        " al. 2024, arXiv 2402.09353; rslora: Kalajdzievski 2023, arXiv 2312.03732"
    )
    words = "LoRA (low-rank adapters)"
    learning_rate = 1e-3
    trains = "rank (inputs + outputs) of every linear layer but the head; with dora its outputs too"
    rank: int = Field(default=8, ge=1)
    alpha: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    dora: bool = False
    rslora: bool = False

    def trained(self, shapes: Shapes) -> int:
        """``A`` and ``B`` of each linear layer, and its magnitudes with ``dora``."""
        return sum(self.rank * (ins + outs) + self.dora * outs for ins, outs in shapes.linear)

    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        """``A`` drawn from ``seed``, ``B`` zero."""
        from peft import LoraConfig

        from onset.tuning.injected import inject

        config = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            use_dora=self.dora,
            use_rslora=self.rslora,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        return inject(model, config, seed)

    def again(self, model: HFModel, folder: Path) -> Put:
        """Rank, scaling and layers are the folder's."""
        from peft import LoraConfig

        from onset.tuning.injected import inject, read_config

        return inject(model, read_config(LoraConfig, folder), seed=0)

    def describe(self, tuned: HFModel, folder: Path) -> None:
        """An adapter folder in peft's own layout (``PeftModel.from_pretrained`` reads it)."""
        from onset.tuning.injected import write_config

        write_config(tuned.module, folder)

    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        """The adapter's weights under the names peft gives them in a file."""
        from onset.tuning.injected import adapter

        return adapter(module)
