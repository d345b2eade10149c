"""Data structures: keys and values that many rows share, and those of each row.

A token's keys and values are one [key heads, dimension] matrix each a layer. They are held in two forms:

    Shared   [key heads, tokens, dimension]         one copy, read by many rows: demonstrations, or a question
    Slots    [rows, key heads, places, dimension]   what each row has for itself, in storage that never grows; a block
                                                    of rows has as many places as its longest needs

Active rows always occupy the first slots: when a row ends, the last active one is moved into its slot. So a step reads
contiguous pieces of memory, and nothing is ever concatenated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
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
        return numbers * self.bytes_per_number

    @property
    def bytes_per_number(self) -> int:
        """Bytes of a number of this dtype."""
        return torch.finfo(self.dtype).bits // 8


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

    def __init__(self, shape: Shape, blocks: Sequence[Block], spare: Spare | None = None) -> None:
        """``spare``: where memory may lie that other rows have left."""
        self.blocks = tuple(blocks)
        self.rows = sum(block.rows for block in blocks)
        self.places = sum(block.rows * block.places for block in blocks)
        """Of all slots."""
        self.shape = shape
        self._first = [block.offset + row * block.places for block in blocks for row in range(block.rows)]
        self._each = [block.places for block in blocks for _ in range(block.rows)]
        self._firsts, self._eaches = (as_index(one, shape.device) for one in (self._first, self._each))
        self._spare = spare or Spare()
        sizes = [(heads, dimension) for heads, *both in shape.layers for dimension in both]
        self._memory = self._spare.take(sum(self._bytes(*size) for size in sizes), shape)
        stores, start = [], 0
        for size in sizes:
            numbers = self._memory[start : start + self.places * math.prod(size) * shape.bytes_per_number]
            stores.append(numbers.view(shape.dtype).view(-1, size[1]))
            start += self._bytes(*size)
        self._keys, self._values = stores[::2], stores[1::2]
        self._parts = [
            {block: (self._part(keys, block), self._part(values, block)) for block in blocks}
            for keys, values in zip(self._keys, self._values, strict=True)
        ]

    def _bytes(self, heads: int, dimension: int) -> int:
        """What the keys (or values) of a layer take: the next begins where a line of the processor's cache does."""
        numbers = self.places * heads * dimension
        return -(-numbers * self.shape.bytes_per_number // _LINE) * _LINE

    def leave(self) -> None:
        """Leave the memory to the next rows. Nothing may be read or written afterwards."""
        self._spare.leave(self._memory, self.shape)

    def where(self, rows: Tensor, at: Tensor, heads: int) -> Tensor:
        """Where in a layer of ``heads`` key heads the place ``at`` of each of slots ``rows`` (both [n]) is: for
        `write`, [n * heads].
        """
        head = torch.arange(heads, device=rows.device)
        start = (self._firsts[rows] * heads + at)[:, None]
        return (start + head * self._eaches[rows][:, None]).flatten()

    def write(self, layer: int, where: Tensor, keys: Tensor, values: Tensor) -> None:
        """Put ``keys`` and ``values``, [n, key heads, dimension], where `where` says."""
        self._keys[layer].index_copy_(0, where, keys.reshape(len(where), -1))
        self._values[layer].index_copy_(0, where, values.reshape(len(where), -1))

    def read(self, layer: int, block: Block, rows: int, places: int) -> tuple[Tensor, Tensor]:
        """Keys and values in the first places of the first rows of a block: [rows, key heads, places, dimension]."""
        keys, values = self._parts[layer][block]
        return keys[:rows, :, :places], values[:rows, :, :places]

    def _part(self, store: Tensor, block: Block) -> Tensor:
        """What a block has of a layer's keys or values: [rows, key heads, places, dimension]."""
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


_LINE = 64
"""Bytes of a line of a processor's cache, which is also the width of its vectors."""


class Spare:
    """Memory of a CPU that rows have left for the next ones: the system takes time to provide new memory. At most one
    piece is kept; two threads never have the same.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: tuple[Tensor, torch.dtype] | None = None

    def take(self, size: int, shape: Shape) -> Tensor:
        """``size`` bytes. They hold zeros, or finite numbers of this dtype, not whatever was there: a masked place has
        weight 0, and 0 times NaN would be NaN.
        """
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None and kept[1] == shape.dtype and len(kept[0]) >= size and shape.device.type == "cpu":
            return kept[0]
        del kept  # before more is asked for
        if shape.device.type != "cpu":
            return torch.zeros(size, dtype=torch.uint8, device=shape.device)
        # NumPy's zeros are pages that the system provides when they are first touched: what no row needs costs nothing.
        raw: NDArray[np.uint8] = np.zeros(size + _LINE, dtype=np.uint8)
        start = -raw.ctypes.data % _LINE
        return torch.from_numpy(raw[start : start + size])

    def leave(self, memory: Tensor, shape: Shape) -> None:
        """Keep what `take` gave (of a GPU, torch keeps it by itself)."""
        if shape.device.type == "cpu":
            with self._lock:
                self._kept = memory, shape.dtype

    def free(self) -> None:
        """Give what is kept back to the system."""
        with self._lock:
            self._kept = None


def as_index(places: Sequence[int], device: torch.device) -> Tensor:
    """Places as an index tensor on ``device``."""
    return torch.tensor(places, dtype=torch.long, device=device)
