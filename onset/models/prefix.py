"""The beginning that all prompts of a call share, run once.

Few-shot prompts repeat the same demonstrations before every question. Their keys and values depend on
nothing that follows, so they are computed once (one row) and copied into each batch. The layout stays that
of left padding: a row with p padding columns holds the prefix p columns further right, so distances
between its tokens, and with them sliding windows, are what they are without sharing; the last p prefix
tokens are run again. Only the last bits of the logits can differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

SHARE_FROM = 64
"""Shortest beginning worth sharing, in tokens: below, the copying costs as much as it saves."""


class SharedPrefix:
    """``tokens`` that every prompt of a call begins with, and their keys and values, computed when first
    needed. Lives for one call: the weights may be trained before the next.
    """

    def __init__(self, module: Any, tokens: tuple[int, ...]) -> None:
        self._module = module
        self.tokens = tokens

    @cached_property
    def layers(self) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of each layer, each [1, heads, tokens, dimension]; all positions, also of layers
        with a sliding window.
        """
        from transformers import DynamicCache

        device = self._module.get_input_embeddings().weight.device
        cache = DynamicCache()  # without the config: sliding layers would forget all but their window
        with torch.no_grad():
            self._module(
                input_ids=torch.tensor([self.tokens], device=device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        return [(layer.keys, layer.values) for layer in cache.layers]

    def place(self, cache: Any, padding: Sequence[int]) -> None:
        """Fill the empty ``cache`` with one row for each entry of ``padding``: so many columns of zeros
        (masked by the caller), then the prefix, cut at its own length.
        """
        for index, pair in enumerate(self.layers):
            cache.layers[index].update(*(_shifted(part, padding) for part in pair))


def shared_prefix(module: Any, prompts: Sequence[Sequence[int]], arguments: frozenset[str]) -> SharedPrefix | None:
    """What the prompts share, or None where sharing does not pay or the model keeps more than keys and
    values for each token. ``arguments``: the names the model's ``forward`` takes.
    """
    distinct = list(dict.fromkeys(tuple(prompt) for prompt in prompts))
    if len(distinct) < 2 or not {"position_ids", "logits_to_keep"} <= arguments:
        return None
    first, last = min(distinct), max(distinct)  # the common beginning of all is that of these two
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    length = min(common, min(map(len, distinct)) - 1)  # every prompt runs at least one token of its own
    if length < SHARE_FROM or not _plain_attention(module):
        return None
    return SharedPrefix(module, first[:length])


def _shifted(part: Tensor, padding: Sequence[int]) -> Tensor:
    """[1, heads, tokens, dimension] -> [rows, heads, tokens, dimension], row r moved right by padding[r]."""
    rows = part.new_zeros(len(padding), *part.shape[1:])
    for row, gap in enumerate(padding):
        rows[row, :, gap:] = part[0, :, : part.shape[2] - gap]
    return rows


def _plain_attention(module: Any) -> bool:
    """Does every layer keep its own keys and values, full or windowed, and nothing else?"""
    from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

    layers = DynamicCache(config=module.config).layers
    expected = module.config.get_text_config().num_hidden_layers
    return len(layers) == expected and all(type(one) in (DynamicLayer, DynamicSlidingWindowLayer) for one in layers)
