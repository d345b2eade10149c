"""Data structures: keys and values that many rows share, and those of each row.

A token's keys and values are one [key heads, dimension] matrix each a layer. They are held in two forms:

    Shared   [key heads, tokens, dimension]         one copy, read by many rows: demonstrations, or a question
    Slots    [rows, key heads, places, dimension]   what each row has for itself, in storage that never grows

Active rows always occupy the first slots: when a row ends, the last active one is moved into its slot. So a step reads
one contiguous piece of memory, and nothing is ever concatenated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from onset.models.engine.merge import values_in_order


@dataclass(frozen=True, slots=True)
class Shape:
    """What one token's keys and values take: for each layer (key heads, dimension of keys, dimension of values), as
    the probe saw them, with their dtype and device.
    """

    layers: tuple[tuple[int, int, int], ...]
    dtype: torch.dtype
    device: torch.device

    @property
    def bytes_per_token(self) -> int:
        """Bytes of all layers' keys and values of one token."""
        numbers = sum(heads * (of_key + of_value) for heads, of_key, of_value in self.layers)
        return numbers * torch.finfo(self.dtype).bits // 8


@dataclass(slots=True)
class Shared:
    """Keys and values that many rows see: ``tokens`` at positions ``start`` to ``end``; a layer's are [key heads,
    tokens, dimension] each. All positions are kept, also in layers with a sliding window.

    The beginning of all prompts of a group is the *trunk* (``start`` 0); a question sampled many times is a *branch*,
    which begins where the trunk ends. ``logits`` [vocabulary]: those after the last token, of a branch.
    """

    tokens: tuple[int, ...]
    start: int = 0
    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    logits: Tensor | None = None

    @property
    def end(self) -> int:
        """The position after the last token."""
        return self.start + len(self.tokens)

    def add_layer(self, keys: Tensor, values: Tensor) -> None:
        """Keep the next layer's keys and values, both [key heads, tokens, dimension]."""
        self.keys.append(keys.contiguous())
        self.values.append(values_in_order(values))


class Slots:
    """Storage for ``rows`` rows of at most ``places`` tokens each, allocated once. A slot's tokens stand in the
    order in which they were run; which position the first has is the caller's to know.
    """

    def __init__(self, shape: Shape, rows: int, places: int) -> None:
        def room(heads: int, dimension: int) -> Tensor:
            # Zeros, not whatever is there: a masked place has weight 0, and 0 times NaN would be NaN.
            return torch.zeros(rows, heads, places, dimension, dtype=shape.dtype, device=shape.device)

        self.rows = rows
        self.places = places
        self.device = shape.device
        self.keys = [room(heads, dimension) for heads, dimension, _ in shape.layers]
        self.values = [room(heads, dimension) for heads, _, dimension in shape.layers]

    def write_prompts(self, layer: int, rows: Tensor, keys: Tensor, values: Tensor) -> None:
        """Put prompts at the beginning of slots ``rows`` [n]. ``keys``, ``values``: [n, key heads, tokens,
        dimension].
        """
        self.keys[layer][rows, :, : keys.shape[2]] = keys
        self.values[layer][rows, :, : values.shape[2]] = values

    def write_step(self, layer: int, rows: Tensor, at: Tensor, keys: Tensor, values: Tensor) -> None:
        """Append a token to each of slots ``rows`` [n], at place ``at`` [n]. ``keys``, ``values``: [n, key heads,
        dimension].
        """
        self.keys[layer][rows, :, at] = keys
        self.values[layer][rows, :, at] = values

    def move(self, source: int, target: int, tokens: int) -> None:
        """Overwrite a slot with the first ``tokens`` tokens of another."""
        for store in (*self.keys, *self.values):
            store[target, :, :tokens] = store[source, :, :tokens]


def as_index(places: Sequence[int], device: torch.device) -> Tensor:
    """Places as an index tensor on ``device``."""
    return torch.tensor(places, dtype=torch.long, device=device)
