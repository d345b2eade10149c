"""Mode 2: what follows the trunk, for many prompts in one pass without padding.

Prompts of different lengths are laid end to end in one row of T tokens, so that the linear layers, which are most of
the work, run on no padding. Only the attention of a prompt to itself is computed on a padded [prompts, longest] grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from onset.models.engine.hook import forward
from onset.models.engine.merge import Part, attention, attention_to_shared, join
from onset.models.engine.storage import Shape, Shared, Slots, as_index
from onset.models.engine.window import Positions, View, hidden, near, view


class Packed:
    """Attention of packed sequences: each token sees the trunk and, of its own sequence, what ``own_mask`` lets it.

    ``sequences``: for each, the position of every token counted from the end of the trunk. In a sequence without
    branches these are 0, 1, 2 ... and a token sees what comes before it; a subclass may say otherwise.
    """

    def __init__(self, trunk: Shared | None, sequences: Sequence[Sequence[int]], shape: Shape) -> None:
        device = shape.device
        self._trunk = trunk
        self._dtype = shape.dtype
        self._sequences = sequences
        self._longest = max(map(len, sequences))
        begin = 0 if trunk is None else trunk.end
        flat = [begin + place for sequence in sequences for place in sequence]
        self.positions = as_index(flat, device)
        self._span = Positions(self.positions, min(flat), max(flat))
        self._sequence = as_index([row for row, sequence in enumerate(sequences) for _ in sequence], device)
        self._column = as_index([column for sequence in sequences for column in range(len(sequence))], device)
        self._views: dict[tuple[int | None, int], View] = {}
        self._masks: dict[int | None, Tensor | None] = {}

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Tensor:
        """``query``: [1, heads, T, dimension]; ``key``, ``value``: [1, key heads, T, dimension]. Returns [1, T, heads,
        dimension].
        """
        own = self._own(layer, query, key, value, scale, window)
        if self._trunk is None:
            return own[0][None]
        return join(self._common(layer, query, key.shape[1], scale, window), own)[None]

    def _common(self, layer: int, query: Tensor, groups: int, scale: float, window: int | None) -> Part:
        """Attention to the trunk: [T, heads, dimension] and [T, heads]."""
        assert self._trunk is not None
        _, heads, tokens, dimension = query.shape
        of = (window, heads // groups)
        if of not in self._views:
            seen = view(self._span, 0, self._trunk.end, window, self._dtype)
            self._views[of] = seen.of(torch.arange(tokens, device=query.device).repeat(heads // groups))
        # Heads that share a key head are queries of it, [key heads, heads of it * T, dimension].
        out, lse = attention_to_shared(
            query.reshape(groups, -1, dimension),
            self._trunk.keys[layer],
            self._trunk.values[layer],
            scale,
            self._views[of],
        )
        out = out.reshape(heads, tokens, -1).transpose(0, 1)
        return out, lse.reshape(heads, tokens).transpose(0, 1)

    def _own(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Part:
        """Attention of each sequence to itself: [T, heads, dimension] and [T, heads]."""
        each = query.shape[1] // key.shape[1]
        self.store(layer, key[0], value[0])
        queries, keys, values = (self._grid(part) for part in (query, key, value))
        if window not in self._masks:
            self._masks[window] = self.own_mask(window)
        mask = self._masks[window]
        out, lse = attention(
            queries,
            keys.repeat_interleave(each, 1),
            values.repeat_interleave(each, 1),
            scale,
            mask,
            causal=mask is None,
        )
        place = (self._sequence, self._column)
        return out.transpose(1, 2)[place], lse.transpose(1, 2)[place]

    def _grid(self, flat: Tensor) -> Tensor:
        """[1, heads, T, dimension] as [sequences, heads, longest, dimension], zeros after a sequence's end."""
        _, heads, _, dimension = flat.shape
        grid = flat.new_zeros(len(self._sequences), self._longest, heads, dimension)
        grid[self._sequence, self._column] = flat[0].transpose(0, 1)
        return grid.transpose(1, 2)

    def own_mask(self, window: int | None) -> Tensor | None:
        """What a token sees of its own sequence, added to scores [sequences, heads, longest, longest]; None: all that
        is not later. Padding is at the end, where no real token sees it.
        """
        if window is None or window >= self._longest:
            return None
        return hidden(~near(self._longest, window, self.positions.device), self._dtype)[None, None]

    def store(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Keep keys and values [key heads, T, dimension] of a layer, if they are needed later."""


class Prefill(Packed):
    """Prompts whose keys and values are kept: in a branch where there is one for it, else in slots."""

    def __init__(
        self,
        trunk: Shared | None,
        lengths: Sequence[int],
        slots: Slots,
        rows: Sequence[tuple[int, int]],
        branches: Sequence[tuple[int, Shared]],
    ) -> None:
        super().__init__(trunk, [range(length) for length in lengths], slots.shape)
        device = slots.shape.device
        starts = [0, *accumulate(lengths)]
        self._slots = slots
        self._branches = [(slice(starts[prompt], starts[prompt + 1]), branch) for prompt, branch in branches]
        # For each token that is kept in a slot: which of the pass it is, the slot, and its place there.
        kept = [(starts[prompt] + at, slot, at) for prompt, slot in rows for at in range(lengths[prompt])]
        self._from = as_index([token for token, _, _ in kept], device)
        self._rows = as_index([slot for _, slot, _ in kept], device)
        self._at = as_index([at for _, _, at in kept], device)
        self._where: dict[int, Tensor] = {}

    def store(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Into the slots and branches given."""
        for tokens, branch in self._branches:
            branch.add_layer(keys[:, tokens], values[:, tokens])
        if not len(self._rows):
            return
        heads = len(keys)
        if heads not in self._where:
            self._where[heads] = self._slots.where(self._rows, self._at, heads)
        keys, values = (part.transpose(0, 1)[self._from] for part in (keys, values))
        self._slots.write(layer, self._where[heads], keys, values)


def prefill(
    module: Any,
    trunk: Shared | None,
    prompts: Sequence[Sequence[int]],
    slots: Slots,
    rows: Sequence[tuple[int, int]],
    branches: Sequence[tuple[int, Shared]],
) -> Tensor:
    """Run ``prompts`` (what follows the trunk, none empty) and keep their keys and values.

    ``rows``: (prompt, slot) for each slot that a prompt is copied to; ``branches``: (prompt, branch) for each that is
    kept once. Returns the logits after each prompt's last token: [prompts, vocabulary].
    """
    lengths = [len(prompt) for prompt in prompts]
    running = Prefill(trunk, lengths, slots, rows, branches)
    device = slots.shape.device
    tokens = as_index([token for prompt in prompts for token in prompt], device)
    last = as_index(lengths, device).cumsum(0) - 1
    return forward(module, tokens[None], running.positions[None], last, running)[0]
