"""Mode 1: the trunk, what all prompts of a group begin with, is run once and its keys and values kept."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from onset.models.engine.hook import forward
from onset.models.engine.storage import Shared
from onset.models.engine.window import near


def encode(module: Any, tokens: tuple[int, ...], device: torch.device) -> Shared:
    """Run ``tokens`` (at least one) and keep their keys and values."""
    running = Encode(tokens)
    row = torch.tensor([tokens], device=device)
    forward(module, row, torch.arange(len(tokens), device=device)[None], 1, running)
    return running.trunk


class Trunks:
    """The trunk that was run last, kept for the next call: the second calls of a method, the next chunk of its items
    and another method often begin with the very same demonstrations.

    It is taken only for the same tokens, adapters and weights: those that were replaced, or written to where torch
    counts it. It does not count writes through ``weight.data`` and of fused optimisers, so that who keeps trunks from
    one call to the next has to know that the weights stay (`onset.models.hf.HFModel.keeping`).
    """

    def __init__(self) -> None:
        self._last: tuple[tuple[object, ...], Shared] | None = None

    def of(self, module: Any, tokens: tuple[int, ...], device: torch.device) -> Shared:
        """Keys and values of ``tokens`` (at least one), run now if they are not there."""
        key = tokens, device, _state(module)
        last = self._last
        if last is not None and last[0] == key:
            return last[1]
        self._last = last = None  # before more memory is asked for
        trunk = encode(module, tokens, device)
        self._last = key, trunk
        return trunk

    def free(self) -> None:
        """Forget it."""
        self._last = None


def _state(module: Any) -> tuple[object, ...]:
    """What changes with the weights of ``module`` and with what its adapters (peft's layers) do."""
    weights = [
        # a tensor made for inference alone counts no writes: it is never the same
        object() if one.is_inference() else (one.data_ptr(), one.dtype, one._version)
        for one in module.parameters()
    ]
    adapters = [
        (layer._disable_adapters, str(layer._active_adapter), str(getattr(layer, "scaling", None)))
        for layer in module.modules()
        if hasattr(layer, "_disable_adapters") and hasattr(layer, "_active_adapter")
    ]
    return *weights, *adapters


class Encode:
    """One row, causal attention; layers are added to ``trunk``, and their windows to ``windows``, as they come."""

    def __init__(self, tokens: tuple[int, ...]) -> None:
        self.trunk = Shared(tokens)
        self.windows: list[int | None] = []
        self._near: dict[int, Tensor] = {}

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Tensor:
        """``query``: [1, heads, tokens, dimension]; ``key``, ``value``: [1, key heads, tokens, dimension]. Returns
        [1, tokens, heads, dimension].
        """
        if layer != len(self.windows):
            raise ValueError(f"layer {layer} attends after {len(self.windows)} layers")
        self.windows.append(window)
        self.trunk.add_layer(key[0], value[0])
        tokens, each = query.shape[2], query.shape[1] // key.shape[1]
        seen = None if window is None or window >= tokens else self._within(window, tokens, query.device)
        out = F.scaled_dot_product_attention(
            query,
            key.repeat_interleave(each, 1),
            value.repeat_interleave(each, 1),
            attn_mask=seen,
            is_causal=seen is None,
            scale=scale,
        )
        return out.transpose(1, 2)

    def _within(self, window: int, tokens: int, device: torch.device) -> Tensor:
        """`near`, made once a window."""
        if window not in self._near:
            self._near[window] = near(tokens, window, device)
        return self._near[window]
