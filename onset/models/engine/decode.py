"""Mode 3: one new token for every active row.

A row's query meets up to three sets of keys: the trunk (all rows in one matrix product), its branch (all rows of the
branch in one), and the row's own slot. The parts are merged by their log-sum-exp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onset.models.engine.hook import forward
from onset.models.engine.linear import Logits
from onset.models.engine.merge import Part, attention, attention_to_shared, join, merge
from onset.models.engine.storage import Block, Shared, Slots, as_index
from onset.models.engine.window import Positions, View, hidden, view

_ROUND = 8
"""Places read of each slot are rounded up to this many."""


def decode(
    module: Any,
    trunk: Shared | None,
    slots: Slots,
    tokens: NDArray[np.int64],
    lengths: NDArray[np.int64],
    bases: NDArray[np.int64],
    branches: Sequence[tuple[Shared, Sequence[int]]],
    memory: Logits | None = None,
) -> Tensor:
    """Append ``tokens`` [rows] to the first slots and return the logits after them: [rows, vocabulary].

    ``lengths`` [rows]: tokens already in each slot; ``bases`` [rows]: the position of a slot's first token;
    ``branches``: each with the rows that see it; ``memory``: where the logits may lie, until the next step.
    """
    running = Decode(trunk, slots, lengths, bases, branches)
    row = torch.from_numpy(tokens).to(slots.shape.device)
    return forward(module, row[:, None], running.positions[:, None], 1, running, memory)[:, -1]


def _places(lengths: NDArray[np.int64], block: Block) -> int:
    """How many places to read of slots that hold so many tokens, and get one more."""
    return min(-(-(int(lengths.max()) + 1) // _ROUND) * _ROUND, block.places)


@dataclass(frozen=True, slots=True)
class _Read:
    """What is read of a block: its active rows (``rows`` of the step), as many places as the longest needs."""

    block: Block
    rows: slice
    places: int


@dataclass(frozen=True, slots=True)
class _Branch:
    """A branch with its rows [n] and their positions."""

    shared: Shared
    rows: Tensor
    positions: Positions


class Decode:
    """One step of n rows, in slots 0 to n."""

    def __init__(
        self,
        trunk: Shared | None,
        slots: Slots,
        lengths: NDArray[np.int64],
        bases: NDArray[np.int64],
        branches: Sequence[tuple[Shared, Sequence[int]]],
    ) -> None:
        device = slots.shape.device
        self._trunk = trunk
        self._slots = slots
        self._dtype = slots.shape.dtype
        self._lengths = torch.from_numpy(lengths).to(device)
        at = bases + lengths
        self.positions = torch.from_numpy(at).to(device)
        self._span = Positions(self.positions, int(at.min()), int(at.max()))
        self._at = lengths.tolist()
        self._where: dict[int, Tensor] = {}
        self._reads = []
        for block in slots.blocks:
            if block.first < len(lengths):
                rows = slice(block.first, min(block.first + block.rows, len(lengths)))
                self._reads.append(_Read(block, rows, _places(lengths[rows], block)))
        self._branches = [
            _Branch(
                shared,
                as_index(rows, device),
                Positions(
                    torch.from_numpy(at[list(rows)]).to(device), int(at[list(rows)].min()), int(at[list(rows)].max())
                ),
            )
            for shared, rows in branches
        ]
        self._masks: dict[int | None, list[Tensor]] = {}
        self._views: dict[tuple[int | None, int, int], View] = {}

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Tensor:
        """``query``: [n, heads, 1, dimension]; ``key``, ``value``: [n, key heads, 1, dimension]. Returns [n, 1, heads,
        dimension].
        """
        rows, groups = len(query), key.shape[1]
        if groups not in self._where:
            self._where[groups] = self._slots.where(range(rows), self._at, groups)
        self._slots.write(layer, self._where[groups], key, value)
        # Heads that share a key head are queries of it: [n, key heads, heads of it, dimension].
        grouped = query.reshape(rows, groups, -1, query.shape[-1])
        part = self._own(layer, grouped, scale, window)
        if self._branches:
            part = self._with_branches(layer, grouped, part, scale, window)
        if self._trunk is None:
            out = part[0]
        else:
            out = join(self._shared(layer, self._trunk, grouped, self._span, -1, scale, window), part)
        return out.reshape(rows, 1, query.shape[1], -1)

    def _own(self, layer: int, grouped: Tensor, scale: float, window: int | None) -> Part:
        """Attention of each row to its own slot, a block of slots at a time; shapes as those of `_shared`."""
        parts = []
        for read, mask in zip(self._reads, self._own_masks(window), strict=True):
            query = grouped[read.rows]
            keys, values = self._slots.read(layer, read.block, len(query), read.places)
            parts.append(attention(query, keys, values, scale, mask))
        if len(parts) == 1:
            return parts[0]
        return torch.cat([out for out, _ in parts]), torch.cat([lse for _, lse in parts])

    def _shared(
        self, layer: int, shared: Shared, grouped: Tensor, span: Positions, which: int, scale: float, window: int | None
    ) -> Part:
        """Attention of n rows to the same keys: their queries side by side, [key heads, n * heads of it, dimension].
        Returns parts of shape [n, key heads, heads of it, dimension] and [n, key heads, heads of it].
        """
        rows, groups, each, dimension = grouped.shape
        of = (window, which, each)
        if of not in self._views:
            seen = view(span, shared.start, len(shared.tokens), window, self._dtype)
            self._views[of] = seen.of(torch.arange(rows, device=grouped.device).repeat_interleave(each))
        out, lse = attention_to_shared(
            grouped.transpose(0, 1).reshape(groups, rows * each, dimension),
            shared.keys[layer],
            shared.values[layer],
            scale,
            self._views[of],
        )
        return (
            out.view(groups, rows, each, -1).transpose(0, 1),
            lse.view(groups, rows, each).transpose(0, 1),
        )

    def _with_branches(self, layer: int, grouped: Tensor, own: Part, scale: float, window: int | None) -> Part:
        """``own`` merged with what each row sees of its branch."""
        out, lse = own[0].clone(), own[1].clone()
        for which, branch in enumerate(self._branches):
            part = self._shared(layer, branch.shared, grouped[branch.rows], branch.positions, which, scale, window)
            out[branch.rows], lse[branch.rows] = merge(part, (out[branch.rows], lse[branch.rows]))
        return out, lse

    def _own_masks(self, window: int | None) -> list[Tensor]:
        """Places seen of a row's own slot, added to scores: [rows of the block, 1, 1, places] for each block. Made once
        a step and window.
        """
        if window not in self._masks:
            self._masks[window] = [self._own_mask(read.rows, read.places, window) for read in self._reads]
        return self._masks[window]

    def _own_mask(self, rows: slice, places: int, window: int | None) -> Tensor:
        order = torch.arange(places, device=self._lengths.device)[None, :]
        lengths = self._lengths[rows, None]
        unseen = order > lengths
        if window is not None and window < places:
            unseen |= order <= lengths - window
        return hidden(unseen, self._dtype)[:, None, None, :]
