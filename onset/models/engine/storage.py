"""Data structures: keys and values that many rows share, and those of each row.

A token's keys and values are one [key heads, dimension] matrix each a layer. They are held in two forms:

    Shared   [key heads, tokens, dimension]         one copy, read by many rows: demonstrations, or a question
    Slots    [rows, key heads, places, dimension]   what each row has for itself, in storage that never grows; a block
                                                    of rows has as many places as its longest needs

Active rows always occupy the first slots: when a row ends, the last active one is moved into its slot. So a step reads
contiguous pieces of memory, and nothing is ever concatenated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
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


@dataclass(frozen=True, slots=True)
class Block:
    """``rows`` slots from slot ``first`` on, of ``places`` places each. ``offset``: places of all blocks before it."""

    first: int
    rows: int
    places: int
    offset: int


class Slots:
    """Storage for rows, allocated once. A slot's tokens stand in the order in which they were run; which position the
    first has is the caller's to know.

    A layer's keys are one [all places * key heads, dimension] matrix, of which each block has a part, to be seen as
    [rows, key heads, places, dimension]; the values likewise.
    """

    def __init__(self, shape: Shape, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self.rows = sum(block.rows for block in blocks)
        self.places = sum(block.rows * block.places for block in blocks)
        """Of all slots."""
        self._shape = shape
        self._first = [block.offset + row * block.places for block in blocks for row in range(block.rows)]
        self._each = [block.places for block in blocks for _ in range(block.rows)]
        self._keys = [_zeros(self.places * heads, dimension, shape) for heads, dimension, _ in shape.layers]
        self._values = [_zeros(self.places * heads, dimension, shape) for heads, _, dimension in shape.layers]

    def where(self, rows: Sequence[int], at: Sequence[int], heads: int) -> Tensor:
        """Where in a layer of ``heads`` key heads the place ``at`` of each of slots ``rows`` is: for `write`, [n *
        heads].
        """
        first = as_index([self._first[row] for row in rows], self._shape.device)
        each = as_index([self._each[row] for row in rows], self._shape.device)
        head = torch.arange(heads, device=first.device)
        start = (first * heads + as_index(at, first.device))[:, None]
        return (start + head * each[:, None]).flatten()

    def write(self, layer: int, where: Tensor, keys: Tensor, values: Tensor) -> None:
        """Put ``keys`` and ``values``, [n, key heads, dimension], where `where` says."""
        self._keys[layer].index_copy_(0, where, keys.reshape(len(where), -1))
        self._values[layer].index_copy_(0, where, values.reshape(len(where), -1))

    def read(self, layer: int, block: Block, rows: int, places: int) -> tuple[Tensor, Tensor]:
        """Keys and values in the first places of the first rows of a block: [rows, key heads, places, dimension]."""
        keys, values = (self._part(store, block) for store in (self._keys[layer], self._values[layer]))
        return keys[:rows, :, :places], values[:rows, :, :places]

    def _part(self, store: Tensor, block: Block) -> Tensor:
        heads = len(store) // self.places
        part = store[block.offset * heads : (block.offset + block.rows * block.places) * heads]
        return part.view(block.rows, heads, block.places, -1)

    def move(self, source: int, target: int, tokens: int) -> None:
        """Overwrite a slot with the first ``tokens`` tokens of another."""
        for store in (*self._keys, *self._values):
            heads = len(store) // self.places
            one, other = (
                store[self._first[slot] * heads :][: self._each[slot] * heads].view(heads, self._each[slot], -1)
                for slot in (source, target)
            )
            other[:, :tokens] = one[:, :tokens]


_ALIGNED = 64
"""Bytes: the width of a processor's vectors, and of a line of its cache."""


def _zeros(rows: int, columns: int, shape: Shape) -> Tensor:
    """Zeros, not whatever is there: a masked place has weight 0, and 0 times NaN would be NaN."""
    if shape.device.type != "cpu":
        return torch.zeros(rows, columns, dtype=shape.dtype, device=shape.device)
    # NumPy's zeros are pages that the system provides when they are first touched: what no row needs costs nothing.
    size = rows * columns * torch.finfo(shape.dtype).bits // 8
    raw = np.zeros(size + _ALIGNED, dtype=np.uint8)
    start = -raw.ctypes.data % _ALIGNED
    return torch.from_numpy(raw[start : start + size]).view(shape.dtype).view(rows, columns)


def as_index(places: Sequence[int], device: torch.device) -> Tensor:
    """Places as an index tensor on ``device``."""
    return torch.tensor(places, dtype=torch.long, device=device)
