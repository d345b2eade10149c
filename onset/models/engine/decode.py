"""Mode 3: one new token for every active row.

A row's query meets up to three sets of keys: the trunk (all rows in one matrix product), its branch (all rows of the
branch in one), and the row's own slot. The parts are merged by their log-sum-exp.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
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

_MULTIPLE = 8
"""Places read of each slot are rounded up to a multiple of this."""


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


def _rounded(places: int) -> int:
    return -(-places // _MULTIPLE) * _MULTIPLE


@dataclass(frozen=True, slots=True)
class Read:
    """What is read of a block of slots: its active rows (``rows`` of the step), and the first ``places`` of each."""

    block: Block
    rows: slice
    places: int


def plan_reads(slots: Slots, lengths: NDArray[np.int64], rounded: Callable[[int], int]) -> list[Read]:
    """What a step of n rows reads, whose slots hold ``lengths`` [n] tokens and get one more: of each block as many
    places as the longest row needs, ``rounded`` up, or all that there are.
    """
    found = []
    for block in slots.blocks:
        if block.first < len(lengths):
            rows = slice(block.first, min(block.first + block.rows, len(lengths)))
            found.append(Read(block, rows, min(rounded(int(lengths[rows].max()) + 1), block.places)))
    return found


TRUNK = -1
"""What `Step.shared` calls the trunk; a branch has a number from 0."""


class Step(ABC):
    """Attention of n rows with one new token each, in slots 0 to n. What they see of shared keys, a subclass knows."""

    def __init__(
        self, trunk: Shared | None, slots: Slots, lengths: Tensor, span: Positions, reads: Sequence[Read]
    ) -> None:
        """``lengths`` [n]: tokens already in each slot; ``span``: the positions [n] of the new tokens."""
        self.positions = span.values
        self._span = span
        self._trunk = trunk
        self._slots = slots
        self._dtype = slots.shape.dtype
        self._lengths = lengths
        self._reads = reads
        self._where: dict[int, Tensor] = {}
        self._masks: dict[int | None, list[Tensor]] = {}
        self._views: dict[tuple[int | None, int, int], View] = {}

    @abstractmethod
    def branch_view(self, which: int, window: int | None) -> View:
        """What rows see of a branch, by the number that `with_branches` gives `shared`."""

    @abstractmethod
    def with_branches(self, layer: int, grouped: Tensor, own: Part, scale: float, window: int | None) -> Part:
        """``own`` merged with what each row sees of its branch. ``grouped``: [n, key heads, heads of it, dimension];
        parts as those of `shared`.
        """

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Tensor:
        """``query``: [n, heads, 1, dimension]; ``key``, ``value``: [n, key heads, 1, dimension]. Returns [n, 1, heads,
        dimension].
        """
        rows, groups = len(query), key.shape[1]
        if groups not in self._where:
            order = torch.arange(rows, device=query.device)
            self._where[groups] = self._slots.where(order, self._lengths, groups)
        self._slots.write(layer, self._where[groups], key, value)
        # Heads that share a key head are queries of it: [n, key heads, heads of it, dimension].
        grouped = query.reshape(rows, groups, -1, query.shape[-1])
        part = self.with_branches(layer, grouped, self._own(layer, grouped, scale, window), scale, window)
        if self._trunk is None:
            out = part[0]
        else:
            trunk = self._trunk.keys[layer], self._trunk.values[layer]
            out = join(self.shared(*trunk, grouped, TRUNK, scale, window), part)
        return out.reshape(rows, 1, query.shape[1], -1)

    def _own(self, layer: int, grouped: Tensor, scale: float, window: int | None) -> Part:
        """Attention of each row to its own slot, a block of slots at a time; shapes as those of `shared`."""
        parts = []
        for read, mask in zip(self._reads, self._own_masks(window), strict=True):
            query = grouped[read.rows]
            keys, values = self._slots.read(layer, read.block, len(query), read.places)
            parts.append(attention(query, keys, values, scale, mask))
        if len(parts) == 1:
            return parts[0]
        return torch.cat([out for out, _ in parts]), torch.cat([lse for _, lse in parts])

    def shared(
        self, keys: Tensor, values: Tensor, grouped: Tensor, which: int, scale: float, window: int | None
    ) -> Part:
        """Attention of n rows to the same ``keys`` and ``values`` [key heads, keys, dimension]: the rows' queries side
        by side, [key heads, n * heads of it, dimension]. Returns parts of shape [n, key heads, heads of it, dimension]
        and [n, key heads, heads of it].
        """
        rows, groups, each, dimension = grouped.shape
        of = (window, which, each)
        if of not in self._views:
            order = torch.arange(rows, device=grouped.device)
            self._views[of] = self._view(which, window).of(order.repeat_interleave(each))
        queries = grouped.transpose(0, 1).reshape(groups, rows * each, dimension)
        out, lse = attention_to_shared(queries, keys, values, scale, self._views[of])
        return (
            out.view(groups, rows, each, -1).transpose(0, 1),
            lse.view(groups, rows, each).transpose(0, 1),
        )

    def _view(self, which: int, window: int | None) -> View:
        if which != TRUNK:
            return self.branch_view(which, window)
        assert self._trunk is not None
        return view(self._span, self._trunk.start, len(self._trunk.tokens), window, self._dtype)

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


@dataclass(frozen=True, slots=True)
class _Branch:
    """A branch with its rows [n] and their positions."""

    shared: Shared
    rows: Tensor
    positions: Positions


class Decode(Step):
    """A step in the shapes that it needs: n rows, no more places than the longest has."""

    def __init__(
        self,
        trunk: Shared | None,
        slots: Slots,
        lengths: NDArray[np.int64],
        bases: NDArray[np.int64],
        branches: Sequence[tuple[Shared, Sequence[int]]],
    ) -> None:
        device = slots.shape.device
        at = bases + lengths
        reads = plan_reads(slots, lengths, _rounded)
        super().__init__(trunk, slots, torch.from_numpy(lengths).to(device), Positions.of(at, device), reads)
        self._branches = [
            _Branch(shared, as_index(rows, device), Positions.of(at[list(rows)], device)) for shared, rows in branches
        ]

    def branch_view(self, which: int, window: int | None) -> View:
        """For the branch's own rows."""
        branch = self._branches[which]
        return view(branch.positions, branch.shared.start, len(branch.shared.tokens), window, self._dtype)

    def with_branches(self, layer: int, grouped: Tensor, own: Part, scale: float, window: int | None) -> Part:
        """Branch by branch, each with its rows."""
        if not self._branches:
            return own
        out, lse = own[0].clone(), own[1].clone()
        for which, branch in enumerate(self._branches):
            keys, values = branch.shared.keys[layer], branch.shared.values[layer]
            part = self.shared(keys, values, grouped[branch.rows], which, scale, window)
            out[branch.rows], lse[branch.rows] = merge(part, (out[branch.rows], lse[branch.rows]))
        return out, lse
