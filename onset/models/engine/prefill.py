"""Mode 2: what follows the trunk, for many prompts in one pass without padding.

Prompts of different lengths are laid end to end in one row of T tokens, so that the linear layers, which are most of
the work, run on no padding. Only the attention of a prompt to itself is computed on a padded [prompts, longest] grid.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        self._views: dict[int | None, View] = {}
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
        if window not in self._views:
            self._views[window] = view(self._span, 0, self._trunk.end, window, self._dtype)
        seen = self._views[window]
        # Heads that share a key head are queries of it, [key heads, heads of it * T, dimension].
        out, lse = attention_to_shared(
            query.reshape(groups, -1, dimension),
            self._trunk.keys[layer],
            self._trunk.values[layer],
            scale,
            seen,
            None if seen.mask is None else torch.arange(tokens, device=query.device).repeat(heads // groups),
        )
        out = out.reshape(heads, tokens, -1).transpose(0, 1)
        return out, lse.reshape(heads, tokens).transpose(0, 1)

    def _own(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Part:
        """Attention of each sequence to itself: [T, heads, dimension] and [T, heads]."""
        each = query.shape[1] // key.shape[1]
        queries, keys, values = (self._grid(part) for part in (query, key, value))
        self.store(layer, keys, values)
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
        """Keep keys and values [sequences, key heads, longest, dimension] of a layer, if they are needed later."""


class Prefill(Packed):
    """Prompts whose keys and values are kept: in a branch where there is one for it, else in slots."""

    def __init__(
        self,
        trunk: Shared | None,
        lengths: Sequence[int],
        shape: Shape,
        slots: Slots,
        rows: Sequence[tuple[int, int]],
        branches: Sequence[tuple[int, Shared]],
    ) -> None:
        super().__init__(trunk, [range(length) for length in lengths], shape)
        self._lengths = lengths
        self._slots = slots
        self._branches = branches
        self._from = as_index([prompt for prompt, _ in rows], shape.device)
        self._to = as_index([slot for _, slot in rows], shape.device)
        self._kept = max((lengths[prompt] for prompt, _ in rows), default=0)

    def store(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Into the slots and branches given."""
        for prompt, branch in self._branches:
            length = self._lengths[prompt]
            branch.add_layer(keys[prompt, :, :length], values[prompt, :, :length])
        if len(self._to):
            # No further than they are long: another prompt of the pass may be longer than a slot.
            kept = slice(self._kept)
            self._slots.write_prompts(layer, self._to, keys[self._from, :, kept], values[self._from, :, kept])


def prefill(
    module: Any,
    trunk: Shared | None,
    prompts: Sequence[Sequence[int]],
    slots: Slots,
    rows: Sequence[tuple[int, int]],
    branches: Sequence[tuple[int, Shared]],
    shape: Shape,
) -> Tensor:
    """Run ``prompts`` (what follows the trunk, none empty) and keep their keys and values.

    ``rows``: (prompt, slot) for each slot that a prompt is copied to; ``branches``: (prompt, branch) for each that is
    kept once. Returns the logits after each prompt's last token: [prompts, vocabulary].
    """
    lengths = [len(prompt) for prompt in prompts]
    running = Prefill(trunk, lengths, shape, slots, rows, branches)
    tokens = as_index([token for prompt in prompts for token in prompt], shape.device)
    last = as_index(lengths, shape.device).cumsum(0) - 1
    return forward(module, tokens[None], running.positions[None], last, running)[0]
