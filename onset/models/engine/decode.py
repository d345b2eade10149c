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
from onset.models.engine.merge import Part, attention, blind, join, merge
from onset.models.engine.storage import Shape, Shared, Slots, as_index
from onset.models.engine.window import Positions, View, hidden, view

_ROUND = 32
"""Places read of each slot are rounded up to this many, so that shapes repeat from step to step."""


def decode(
    module: Any,
    trunk: Shared | None,
    slots: Slots,
    tokens: NDArray[np.int64],
    lengths: NDArray[np.int64],
    bases: NDArray[np.int64],
    branches: Sequence[tuple[Shared, Sequence[int]]],
    shape: Shape,
) -> Tensor:
    """Append ``tokens`` [rows] to the first slots and return the logits after them: [rows, vocabulary].

    ``lengths`` [rows]: tokens already in each slot; ``bases`` [rows]: the position of a slot's first token;
    ``branches``: each with the rows that see it.
    """
    running = Decode(trunk, slots, lengths, bases, branches, shape)
    row = torch.from_numpy(tokens).to(shape.device)
    return forward(module, row[:, None], running.positions[:, None], 1, running)[:, -1]


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
        shape: Shape,
    ) -> None:
        device = shape.device
        self._trunk = trunk
        self._slots = slots
        self._dtype = shape.dtype
        self._rows = torch.arange(len(lengths), device=device)
        self._lengths = torch.from_numpy(lengths).to(device)
        at = bases + lengths
        self.positions = torch.from_numpy(at).to(device)
        self._span = Positions(self.positions, int(at.min()), int(at.max()))
        self._places = min(-(-(int(lengths.max()) + 1) // _ROUND) * _ROUND, slots.places)
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
        self._masks: dict[int | None, Tensor] = {}
        self._views: dict[tuple[int | None, int], View] = {}

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Tensor:
        """``query``: [n, heads, 1, dimension]; ``key``, ``value``: [n, key heads, 1, dimension]. Returns [n, 1, heads,
        dimension].
        """
        rows, groups = len(query), key.shape[1]
        self._slots.write_step(layer, self._rows, self._lengths, key[:, :, 0], value[:, :, 0])
        # Heads that share a key head are queries of it: [n, key heads, heads of it, dimension].
        grouped = query.reshape(rows, groups, -1, query.shape[-1])
        part = attention(
            grouped,
            self._slots.keys[layer][:rows, :, : self._places],
            self._slots.values[layer][:rows, :, : self._places],
            scale,
            self._own_mask(window),
        )
        if self._branches:
            part = self._with_branches(layer, grouped, part, scale, window)
        if self._trunk is None:
            out = part[0]
        else:
            out = join(self._shared(layer, self._trunk, grouped, self._span, -1, scale, window), part)
        return out.reshape(rows, 1, query.shape[1], -1)

    def _shared(
        self, layer: int, shared: Shared, grouped: Tensor, span: Positions, which: int, scale: float, window: int | None
    ) -> Part:
        """Attention of n rows to the same keys: their queries side by side, [1, key heads, n * heads of it, dimension].
        Returns parts of shape [n, key heads, heads of it, dimension] and [n, key heads, heads of it].
        """
        rows, groups, each, dimension = grouped.shape
        if (window, which) not in self._views:
            spread = Positions(span.values.repeat_interleave(each), span.lowest, span.highest)
            self._views[window, which] = view(spread, shared.start, len(shared.tokens), window, self._dtype)
        seen = self._views[window, which]
        part = attention(
            grouped.transpose(0, 1).reshape(1, groups, rows * each, dimension),
            shared.keys[layer][None, :, seen.first :],
            shared.values[layer][None, :, seen.first :],
            scale,
            None if seen.mask is None else seen.mask[None, None],
        )
        out, lse = blind(part, seen.sees_nothing)
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

    def _own_mask(self, window: int | None) -> Tensor:
        """Places seen of a row's own slot, added to scores: [n, 1, 1, places]. Made once a step and window."""
        if window not in self._masks:
            order = torch.arange(self._places, device=self._lengths.device)[None, :]
            unseen = order > self._lengths[:, None]
            if window is not None and window < self._places:
                unseen |= order <= (self._lengths - window)[:, None]
            self._masks[window] = hidden(unseen, self._dtype)[:, None, None, :]
        return self._masks[window]
