"""Virtual tokens: ids above a model's vocabulary, whose embeddings, or keys and values in every layer, are weights.

They stand before every text like any other tokens, so that training, the engine and the plain path run them without
knowing of them; what the engine's rows have in common begins with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from onset.models.base import Virtual
from onset.tuning import weights
from onset.tuning.base import Example
from onset.tuning.optimise import seeded
from onset.tuning.shapes import Parts, Projection

if TYPE_CHECKING:
    from onset.models.hf import HFModel

NAME = "onset_virtual"
"""What the module that holds the weights is called in the model."""


class Rows(nn.Module):
    """``weight`` [virtual tokens, width], float32: a row for each. ``first``: the id of the first one; ``at``: which of
    them each position of the forward pass under way is, below 0 for a token of the vocabulary. While it trains,
    ``encoder`` may make the rows, once a pass, and ``weight`` is not used.
    """

    def __init__(self, weight: Tensor, first: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.first = first
        self.at: Tensor = torch.empty(0)
        self.encoder: nn.Module | None = None
        self._all = self._none = False
        self._made: Tensor | None = None

    def take(self, ids: Tensor) -> Tensor:
        """Note which positions are virtual; the ids with some token of the vocabulary in their place."""
        self.at = ids - self.first
        if self.training:  # elsewhere a pass may be recorded, which no question may interrupt
            self._all, self._none = bool((self.at >= 0).all()), not bool((self.at >= 0).any())
        else:
            self._all = self._none = False
        self._made = None if self.encoder is None else self.encode()
        return ids.clamp(max=self.first - 1)

    def encode(self) -> Tensor:
        """The rows that the encoder makes."""
        assert self.encoder is not None
        rows: Tensor = self.encoder(torch.arange(len(self.weight), device=self.weight.device))
        return rows

    def settle(self) -> None:
        """Keep the rows that the encoder makes as ``weight``, and the encoder no longer."""
        with torch.no_grad():
            self.weight.copy_(self.encode())
        self.encoder = self._made = None

    def fill(self, out: Tensor, begin: int, end: int) -> Tensor:
        """``out`` [..., end - begin] with columns ``begin`` to ``end`` of the rows at virtual positions."""
        if self._none:
            return out
        if self._all:
            out = out.detach()  # what else is computed at virtual positions is read by nothing
        rows = self.weight if self._made is None else self._made
        given = rows[:, begin:end].to(out.dtype)[self.at.clamp(min=0)]
        return torch.where((self.at >= 0)[..., None], given, out)

    def fill_columns(self, out: Tensor, columns: Tensor, begin: int, end: int) -> Tensor:
        """`fill` of the ``columns`` of ``out`` alone."""
        if self._none:
            return out
        filled = self.fill(out[..., columns], begin, end)
        return (out.detach() if self._all else out).index_copy(-1, columns, filled)


@dataclass(frozen=True)
class _Taken:
    """Before the embedding: which positions are virtual."""

    rows: Rows

    def __call__(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.rows.take(inputs[0]), *inputs[1:])


@dataclass(frozen=True)
class _Filled:
    """After a module: at virtual positions its outputs in ``columns`` (None: all) are those of the rows from ``begin``
    on.
    """

    rows: Rows
    begin: int
    width: int
    columns: Tensor | None = None

    def __call__(self, layer: nn.Module, inputs: tuple[Any, ...], out: Tensor) -> Tensor:
        if self.columns is None:
            return self.rows.fill(out, self.begin, self.begin + self.width)
        return self.rows.fill_columns(out, self.columns.to(out.device), self.begin, self.begin + self.width)


def ids_of(model: HFModel, count: int) -> tuple[int, ...]:
    """The ids of ``count`` virtual tokens."""
    first = int(model.module.get_input_embeddings().weight.shape[0])
    return tuple(range(first, first + count))


def embedded(model: HFModel, rows: Tensor) -> tuple[nn.Module, Rows]:
    """A copy of the model's module, sharing its weights, in which virtual tokens have ``rows`` [count, hidden] as
    embeddings: what the layers get, after any scaling that the model has.
    """
    module, held = _with(model, rows)
    module.get_input_embeddings().register_forward_hook(_Filled(held, 0, rows.shape[1]))  # type: ignore[operator]
    return module, held


def remembered(model: HFModel, rows: Tensor, parts: Parts) -> tuple[nn.Module, Rows]:
    """A copy of the model's module, sharing its weights, in which virtual tokens have ``rows`` [count, width of
    `projections`] as what the projections give for keys and values, layer by layer. What else a layer computes at
    their positions is read by nothing.
    """
    module, held = _with(model, rows)
    begin = 0
    for one in projections(parts):
        columns = None if one.columns is None else torch.tensor(one.columns)
        module.get_submodule(one.name).register_forward_hook(_Filled(held, begin, one.given, columns))
        begin += one.given
    return module, held


def _with(model: HFModel, rows: Tensor) -> tuple[nn.Module, Rows]:
    module: Any = weights.copy_sharing(model.module)
    embedding = module.get_input_embeddings()
    held = Rows(rows.float(), embedding.weight.shape[0])
    module.add_module(NAME, held)
    embedding.register_forward_pre_hook(_Taken(held))
    return module, held


def projections(parts: Parts) -> list[Projection]:
    """What computes keys and values, in order."""
    return [one for layer in parts.attention for one in layer]


def observed(model: HFModel, ids: Sequence[int], parts: Parts) -> Tensor:
    """What the projections for keys and values give for a text of ``ids`` (at least one): rows of `remembered`."""
    found: list[Tensor] = []

    def keep(columns: tuple[int, ...] | None) -> Any:
        return lambda _, __, out: found.append(out[0] if columns is None else out[0][:, list(columns)])

    module = model.module
    hooks = [module.get_submodule(one.name).register_forward_hook(keep(one.columns)) for one in projections(parts)]
    try:
        with torch.no_grad():
            module(input_ids=torch.tensor([ids], device=_device(module)), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat([one.float() for one in found], dim=1)


def embeddings(model: HFModel, ids: Sequence[int]) -> Tensor:
    """What the model's embedding gives for ``ids``: [count, hidden], float32."""
    module = model.module
    with torch.no_grad():
        found: Tensor = module.get_input_embeddings()(torch.tensor(list(ids), device=_device(module)))
    return found.float()


def _device(module: Any) -> torch.device:
    device: torch.device = module.get_input_embeddings().weight.device
    return device


def drawn(model: HFModel, seed: int, shape: tuple[int, int], deviation: float) -> Tensor:
    """Normal numbers drawn from ``seed``, of mean 0 and standard ``deviation``."""
    device = _device(model.module)
    with seeded(seed, device):
        return torch.randn(shape, device=device) * deviation


def text_ids(model: HFModel, text: str, count: int, *, templated: bool = False) -> list[int]:
    """The first ``count`` tokens of ``text`` as a model reads it, repeated where it has fewer (as peft does);
    ``templated``: a chat template made it, with all special tokens in it.
    """
    ids = model.encode([text], templated=templated)[0]
    return (ids * -(-count // len(ids)))[:count]


def examples_ids(model: HFModel, examples: Sequence[Example], count: int) -> list[int]:
    """The first ``count`` tokens of the examples, written below each other as demonstrations are."""
    text = "\n\n".join(one.prompt + one.completion for one in examples) + "\n\n"
    return text_ids(model, text, count, templated=examples[0].templated)


def virtual(model: HFModel, count: int, *, given: bool) -> Virtual:
    """``count`` virtual tokens before every text; ``given``: do they stand for keys and values?"""
    return Virtual(ids_of(model, count), count if given else 0)
