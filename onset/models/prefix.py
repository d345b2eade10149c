"""The beginning that all prompts of a call share, run once and kept once.

Few-shot prompts repeat the same demonstrations before every question. Their keys and values depend on nothing that
follows, so they are computed for one row and every row of every batch attends to that one copy: the queries of all rows
meet the prefix in a single matrix product, each row's own keys are met apart, and the two softmaxes are merged by their
log-sum-exp. That is exact but for rounding (Hydragen, Juravsky et al. 2024, arXiv 2402.05099, sections 3.1 and 3.2; the
merging rule is Milakov and Gimelshein 2018, arXiv 1805.02867).

It hooks into transformers as an attention function (`AttentionInterface`) for the duration of a forward pass, for the
architectures in `ARCHITECTURES`, which the tests compare with the plain model; any other runs every prompt whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

SHARE_FROM = 64
"""Shortest beginning worth sharing, in tokens."""

ARCHITECTURES = ("gemma3_text", "gpt_neox", "llama", "mistral", "qwen2", "qwen3")

NAME = "onset_shared_prefix"
_SCORES = 1 << 26
"""Most attention scores computed at once where no fused kernel gives the log-sum-exp: 256 MB in float32."""


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
        return [(layer.keys.contiguous(), layer.values.contiguous()) for layer in cache.layers]


def shared_prefix(module: Any, prompts: Sequence[Sequence[int]], arguments: frozenset[str]) -> SharedPrefix | None:
    """What the prompts share, or None where sharing does not pay or the architecture is not one of
    `ARCHITECTURES`. ``arguments``: the names the model's ``forward`` takes.
    """
    distinct = list(dict.fromkeys(tuple(prompt) for prompt in prompts))
    if len(distinct) < 2 or not {"position_ids", "logits_to_keep"} <= arguments:
        return None
    first, last = min(distinct), max(distinct)  # the common beginning of all is that of these two
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    length = min(common, min(map(len, distinct)) - 1)  # every prompt runs at least one token of its own
    if length < SHARE_FROM or not _known(module):
        return None
    return SharedPrefix(module, first[:length])


class Sight:
    """What the queries of one forward pass may see. ``own``: [rows, queries, keys], which of the row's own keys;
    ``position`` and ``own_position``: [rows, queries] and [rows, keys], counted from the prompt's first token.
    """

    def __init__(self, prefix: SharedPrefix, own: Tensor, position: Tensor, own_position: Tensor) -> None:
        self.layers = prefix.layers
        self._length = len(prefix.tokens)
        self._own, self._position, self._own_position = own, position, own_position
        self._windows: dict[int | None, tuple[Tensor, int, Tensor | None]] = {}

    def within(self, window: int | None) -> tuple[Tensor, int, Tensor | None]:
        """For a layer with that sliding window (a key is seen from fewer than ``window`` positions on; None: all):
        the own keys seen, the first prefix position anybody sees, and which from there on each query sees
        ([rows, queries, tokens]; None: all of them). The same for every such layer, so made once.
        """
        if window not in self._windows:
            self._windows[window] = self._look(window)
        return self._windows[window]

    def _look(self, window: int | None) -> tuple[Tensor, int, Tensor | None]:
        if window is None:
            return self._own, 0, None
        near = self._own_position[:, None, :] > self._position[:, :, None] - window
        earliest = self._position - window + 1
        first = min(max(0, int(earliest.min())), self._length - 1)
        if int(earliest.max()) <= first:
            return self._own & near, first, None
        places = torch.arange(first, self._length, device=earliest.device)
        return self._own & near, first, places >= earliest[:, :, None]


@contextmanager
def sharing(module: Any) -> Iterator[None]:
    """Within the block the model attends through `attend`, which needs ``sight`` among the forward's arguments."""
    config = module.config.get_text_config()
    plain = config._attn_implementation
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = plain


def attend(  # noqa: PLR0913, PLR0917 - the calling convention of transformers
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    sight: Sight | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention of each row to the shared prefix and to its own keys, in transformers' calling convention.

    ``query``: [rows, heads, queries, dimension]; ``key``, ``value``: [rows, key heads, keys, dimension], the row's own.
    Returns [rows, queries, heads, dimension].
    """
    assert sight is not None
    refused = [name for name in ("softcap", "s_aux", "position_bias") if others.get(name) is not None]
    if refused:
        raise ValueError(f"attention with {refused[0]} cannot share a prefix")
    rows, heads, queries, dimension = query.shape
    groups = key.shape[1]
    scale = scaling if scaling is not None else float(dimension) ** -0.5
    own_seen, first, seen = sight.within(sliding_window)
    prefix_key, prefix_value = (part[:, :, first:] for part in sight.layers[module.layer_idx])
    # Heads that share a key head are queries of it: [rows, key heads, heads of it * queries, dimension].
    grouped = query.reshape(rows, groups, -1, dimension)
    each = heads // groups
    together = grouped.transpose(0, 1).reshape(1, groups, -1, dimension)
    mask = None if seen is None else seen.repeat(1, each, 1).reshape(-1, seen.shape[-1])
    common, common_lse = _common(together, prefix_key, prefix_value, scale, mask)
    common = common.view(groups, rows, -1, common.shape[-1]).transpose(0, 1)
    common_lse = common_lse.view(groups, rows, -1).transpose(0, 1)
    own, own_lse = _scores(grouped, key, value, scale, own_seen.repeat(1, each, 1)[:, None])
    share = torch.sigmoid(common_lse - own_lse).unsqueeze(-1).to(own.dtype)
    merged = torch.lerp(own, common, share).reshape(rows, heads, queries, -1)
    return merged.transpose(1, 2).contiguous(), None


def _common(query: Tensor, key: Tensor, value: Tensor, scale: float, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Attention to the prefix with its log-sum-exp; ``mask``: [queries, tokens], True where seen."""
    if query.device.type == "cpu" and query.dtype == value.dtype and key.shape[-1] == value.shape[-1]:
        added = None if mask is None else torch.zeros(mask.shape, dtype=query.dtype).masked_fill_(~mask, -torch.inf)
        out, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, False, attn_mask=None if added is None else added[None, None], scale=scale
        )
        if mask is None:
            return out, lse
        blind = ~mask.any(-1)
        return out.masked_fill(blind[:, None], 0.0), lse.masked_fill(blind, -torch.inf)
    size = max(1, _SCORES // (key.shape[1] * key.shape[2]))
    parts = [
        _scores(
            query[:, :, start : start + size], key, value, scale, None if mask is None else mask[start : start + size]
        )
        for start in range(0, query.shape[2], size)
    ]
    return torch.cat([out for out, _ in parts], dim=2), torch.cat([lse for _, lse in parts], dim=2)


def _scores(query: Tensor, key: Tensor, value: Tensor, scale: float, seen: Tensor | None) -> tuple[Tensor, Tensor]:
    """Attention with its log-sum-exp by two matrix products; a query that sees nothing gets zeros and -inf."""
    scores = (query @ key.transpose(-1, -2)).float() * scale
    if seen is not None:
        scores = scores.masked_fill(~seen, -torch.inf)
    top = scores.amax(-1, keepdim=True).clamp(min=torch.finfo(torch.float32).min)
    weights = (scores - top).exp()
    total = weights.sum(-1, keepdim=True)
    out = (weights / total.clamp(min=torch.finfo(torch.float32).tiny)).to(value.dtype) @ value
    return out, (top + total.log()).squeeze(-1)


def _no_mask(*_: Any, **__: Any) -> None:
    """Masks are `Sight`'s: transformers' own are made from columns, which here are not positions."""


def _known(module: Any) -> bool:
    """Is the architecture one that was compared with the plain model, and does it attend by torch's own function?"""
    config = module.config.get_text_config()
    return config.model_type in ARCHITECTURES and config._attn_implementation == "sdpa"


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, _no_mask)
