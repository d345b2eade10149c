"""BitFit: the bias terms alone are trained (Ben Zaken et al. 2021, arXiv 2106.10199)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.errors import ModelError
from onset.tuning.base import Example
from onset.tuning.beside import Beside, Put

if TYPE_CHECKING:
    import torch

    from onset.models.hf import HFModel
    from onset.tuning.shapes import Shapes


class BitFit(Beside):
    """Every bias term of a model that has some: of linear layers and of normalisations.

    Models without any (Llama, Mistral, Gemma, Qwen3) are refused; of Qwen2 the biases of queries, keys and values are
    trained, of GPT-2 and Pythia all. Biases of fewer bits than float32 are trained as float32, rounded in every forward
    pass, so that small steps are not lost, and stored as the base's are.
    """

    kind = "bitfit"
    source = "Ben Zaken et al. 2021, arXiv 2106.10199"
    words = "BitFit (bias terms)"
    backward = "forward and gradients of activations; those of biases are sums of them"
    learning_rate = 1e-3
    trains = "every number of the bias terms"
    file = "biases.safetensors"

    def trained(self, shapes: Shapes) -> int:
        """All bias terms."""
        return shapes.biases

    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        """Copies of the biases in place of them. Raises ModelError for a model without biases."""
        from onset.tuning import weights

        module: Any = weights.copy_sharing(model.module)
        biases = dict(self.held(module))
        if not biases:
            raise ModelError(
                f"cannot tune {model.facts.name} with '{self.kind}': its layers have no bias terms (model type"
                f" '{module.config.model_type}'); gpt2, gpt_neox and qwen2 models have some"
            )
        for bias in biases.values():
            bias.data = bias.data.clone()
        return _exact(module, biases) if examples else Put(module, biases)

    def further(self, model: HFModel, folder: Path) -> Put:
        """The biases of ``folder``, to be trained as in the beginning."""
        put = super().further(model, folder)
        return _exact(put.module, dict(put.weights))

    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        """The bias terms by their names."""
        return {name: bias for name, bias in module.named_parameters() if name.endswith(".bias")}


def _exact(module: Any, biases: dict[str, torch.nn.Parameter]) -> Put:
    """``biases`` of ``module``, those of fewer bits than float32 as float32 while they are trained."""
    import torch

    stored = {name: bias.dtype for name, bias in biases.items() if bias.dtype != torch.float32}
    if not stored:
        return Put(module, biases)
    exact = biases | {name: _train_rounded(module, name) for name in stored}
    return Put(module, exact, finish=partial(_round, module, exact, stored))


def _train_rounded(module: Any, name: str) -> torch.nn.Parameter:
    """Put a float32 parameter behind the bias ``name``: every forward pass uses it rounded to the bias's own dtype."""
    import torch
    from torch.nn.utils import parametrize

    class Rounded(torch.nn.Module):
        def __init__(self, dtype: torch.dtype) -> None:
            super().__init__()
            self.dtype = dtype

        def forward(self, exact: torch.Tensor) -> torch.Tensor:
            return exact.to(self.dtype)

    layer = module.get_submodule(name.removesuffix(".bias"))
    parametrize.register_parametrization(layer, "bias", Rounded(layer.bias.dtype), unsafe=True)
    exact: torch.nn.Parameter = layer.parametrizations.bias.original
    exact.data = exact.data.float()
    return exact


def _round(module: Any, exact: Mapping[str, torch.nn.Parameter], stored: Mapping[str, torch.dtype]) -> None:
    """Put what was trained in the place of the biases, in the dtype that they are ``stored`` in."""
    from torch.nn.utils import parametrize

    for name, dtype in stored.items():
        layer = module.get_submodule(name.removesuffix(".bias"))
        parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
        exact[name].data = exact[name].data.to(dtype)
        layer.bias = exact[name]
