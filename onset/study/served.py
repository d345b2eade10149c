"""Models whose weights stay as they are, because what runs them serves LoRA adapters beside these (vLLM).

The adapter is trained on the same files by transformers, written, and the model that is open is asked with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from onset.errors import ModelError, OnsetError, StudyError
from onset.methods import Method
from onset.models import backend_of
from onset.models.base import Model, ability
from onset.study.cell import Cell
from onset.tuning.lora import LoRA

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.models.vllm.model import VLLMModel


def rank_of(cells: Iterable[Cell], label: str) -> int:
    """The largest rank of LoRA adapters that the model ``label`` is asked with in ``cells``; 0: with none."""
    tuners = [one.tune for cell in cells if cell.model == label for one in _methods(cell)]
    return max((one.rank for one in tuners if isinstance(one, LoRA)), default=0)


def check_served(cells: Iterable[Cell]) -> None:
    """Raises StudyError for a cell that changes more of its model than what runs the model can serve."""
    serves: dict[str, bool] = {}
    for cell in cells:
        if cell.model_spec not in serves:
            serves[cell.model_spec] = _serves(cell.model_spec)
        if not serves[cell.model_spec]:
            continue
        for problem in _problems(cell):
            raise StudyError(
                f"model '{cell.model}' is run by vLLM, which leaves its weights as they are and serves LoRA adapters"
                f" beside them: {problem}; leave 'vllm:' out of its name, or the method out for it (docs/vllm.md)"
            )


def _serves(spec: str) -> bool:
    try:
        return backend_of(spec)[0].adapters
    except OnsetError:  # of a model that is open already, a spec need not name one
        return False


def _problems(cell: Cell) -> Iterator[str]:
    if cell.made is not None:
        yield f"stage {cell.made.stage} trains all of them"
    for one in _methods(cell):
        if one.tune is None:
            continue
        if not isinstance(one.tune, LoRA):
            yield f"method {one.name} tunes with '{one.tune.kind}'"
        elif one.tune.dora:
            yield f"method {one.name} tunes with DoRA"
        if one.on is not None and one.on.distributions:
            yield f"method {one.name} tunes on '{one.on.kind}', which needs the distributions of every token"
    if cell.verifier is not None:
        yield f"the verifier of method {cell.method.name} has weights of its own"


def _methods(cell: Cell) -> tuple[Method, ...]:
    """The method of a cell, and as its search tries it."""
    return (cell.method, *(cell.settings or ()))


def is_served(model: Model) -> bool:
    """Is ``model`` asked with adapters beside weights that stay as they are?"""
    return ability(model).adapters


def trainable(model: Model) -> HFModel:
    """``model``, or the one of the same files that an adapter of it is trained on. Raises ModelError where that cannot
    be opened.
    """
    from onset.models.hf import HFModel

    if is_served(model):
        return _served(model).trainable()
    assert isinstance(model, HFModel)  # no other says that it can be tuned
    return model


def with_adapter(model: Model, folder: Path) -> Model:
    """``model`` asked with the adapter that was trained for it and written into ``folder``. Raises StoreError where the
    adapter is damaged, or of other weights; ModelError where it is not served.
    """
    from onset.tuning.weights import revision_of

    served = _served(model)
    return served.adapted(folder, revision_of(folder / LoRA.file, served.facts))


def let_go() -> None:
    """Give back the memory of a model that nobody holds any more."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _served(model: Model) -> VLLMModel:
    from onset.models.vllm.model import VLLMModel

    if not isinstance(model, VLLMModel):
        raise ModelError(f"model '{model.facts.name}' says that it serves adapters, and is none that vLLM runs")
    return model
