"""Bottlenecks beside frozen layers: a projection down, an activation, a projection up, added to what a layer gives.

They are put by hooks on modules of the model itself, so that training, the plain path and the engine run them without
knowing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from onset.errors import ModelError
from onset.tuning.optimise import seeded
from onset.tuning.shapes import Parts

NAME = "onset_adapter"
"""What a bottleneck is called in the module that it belongs to."""

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": nn.functional.relu,
    "gelu": nn.functional.gelu,
    "silu": nn.functional.silu,
}


class Bottleneck(nn.Module):
    """``scale * up(activation(down(x)))`` in float32: [..., width] to [..., width]. ``down`` begins as torch's linear
    layers do (uniform, Kaiming), ``up`` and both biases at zero, so that tuning begins at the base model.

    ``seen``: what it reads, where that is not an input or output of the module that it belongs to.
    """

    def __init__(self, width: int, bottleneck: int, activation: str, scale: float, device: torch.device) -> None:
        super().__init__()
        self.down = nn.Linear(width, bottleneck, device=device, dtype=torch.float32)
        self.up = nn.Linear(bottleneck, width, device=device, dtype=torch.float32)
        self.activation, self.scale = activation, scale
        self.seen: Tensor | None = None
        for weight in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(weight)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """What is added; see above."""
        change: Tensor = self.up(ACTIVATIONS[self.activation](self.down(x.float())))
        return change * self.scale

    def take(self) -> Tensor:
        """`seen`, which is then forgotten: a graph of gradients hangs on it."""
        seen, self.seen = self.seen, None
        assert seen is not None
        return seen


@dataclass(frozen=True)
class _After:
    """After a module: what it gives passes through the bottleneck."""

    adapter: Bottleneck

    def __call__(self, layer: nn.Module, inputs: tuple[Any, ...], out: Any) -> Any:
        return _added(out, self.adapter)


@dataclass(frozen=True)
class _Beside:
    """After a module: its input passes through the bottleneck, or what that has ``seen``."""

    adapter: Bottleneck

    def __call__(self, layer: nn.Module, inputs: tuple[Any, ...], out: Any) -> Any:
        read = self.adapter.take() if self.adapter.seen is not None else inputs[0]
        return _added(out, lambda _: self.adapter(read))


@dataclass(frozen=True)
class _Seen:
    """Before a norm: the bottleneck will read what it is given."""

    adapter: Bottleneck

    def __call__(self, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.adapter.seen = inputs[0]


def _added(out: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """``out`` (or the first of several) with ``change`` of it added, in the type that it has."""
    if isinstance(out, tuple):
        return (_added(out[0], change), *out[1:])
    return (out + change(out)).to(out.dtype)


@dataclass(frozen=True)
class Maker:
    """Makes bottlenecks: all of one ``width`` (of the model), ``bottleneck`` and so on."""

    bottleneck: int
    activation: str
    scale: float

    def fill(self, module: Any, names: Sequence[str], seed: int) -> list[tuple[nn.Module, Bottleneck]]:
        """A new bottleneck in each module of ``names``, drawn from ``seed`` in their order; the modules with theirs."""
        table = module.get_input_embeddings().weight
        made = []
        with seeded(seed, table.device):
            for name in names:
                one = Bottleneck(table.shape[1], self.bottleneck, self.activation, self.scale, table.device)
                made.append((module.get_submodule(name), one))
        for holder, one in made:
            holder.add_module(NAME, one)
        return made


def put_after(module: Any, names: Sequence[str], maker: Maker, seed: int) -> None:
    """Put a bottleneck after each of ``names`` of ``module``, in place."""
    for holder, one in maker.fill(module, names, seed):
        holder.register_forward_hook(_After(one))


def put_beside(module: Any, names: Sequence[str], maker: Maker, seed: int, norms: Sequence[str] = ()) -> None:
    """Put a bottleneck beside each of ``names`` of ``module``, in place; it reads what they read, or what each of
    ``norms`` reads.
    """
    made = maker.fill(module, names, seed)
    for holder, one in made:
        holder.register_forward_hook(_Beside(one))
    for name, (_, one) in zip(norms, made, strict=False):
        module.get_submodule(name).register_forward_pre_hook(_Seen(one))


def norms_before(module: Any, parts: Parts, name: str, method: str) -> list[str]:
    """Of every layer the norm whose output the feed-forward part reads, and whose input is the residual stream.

    Raises ModelError where a layer has none, or nobody has said which it is (``name``, ``method``: whose).
    """
    found = []
    for block in parts.blocks:
        held = dict(module.get_submodule(block.layer).named_children())
        after = "post_attention_layernorm"  # with a norm behind the feed-forward part it belongs to the attention
        known = ("ln_2", "pre_feedforward_layernorm", *(() if "post_feedforward_layernorm" in held else (after,)))
        norm = next((one for one in known if one in held), None)
        if norm is None:
            raise ModelError(
                f"cannot tune {name} with '{method}': 'before_norm' is not covered for model type"
                f" '{module.config.get_text_config().model_type}'; covered: {NORMS}"
            )
        found.append(f"{block.layer}.{norm}")
    return found


NORMS = (
    "layers with post_attention_layernorm before the feed-forward part (Llama, Mistral, Qwen2, Qwen3, Gemma, gpt_neox),"
    " pre_feedforward_layernorm (Gemma 2, Gemma 3), ln_2 (gpt2)"
)


def adapters(module: Any) -> dict[str, nn.Parameter]:
    """The weights of all bottlenecks in ``module``, by their names in it."""
    return {name: weight for name, weight in module.named_parameters() if f".{NAME}." in name}


def carries(module: nn.Module) -> bool:
    """Are there bottlenecks in ``module``?"""
    return any(isinstance(one, Bottleneck) for one in module.modules())
