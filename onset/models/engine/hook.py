"""Where the engine meets transformers: an attention function that hands each layer's queries, keys and values over.

With no cache given, a layer computes keys and values of the tokens of this pass only (rotated, normalised), and calls
the attention function that the configuration names. Unknown arguments of ``forward`` travel down to it, so the running
pass arrives as the argument ``onset_pass``. Masks are the passes' own: transformers would make them from shapes that
do not mean here what they mean there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from onset.models.engine.head import precise_head
from onset.models.engine.linear import Logits, fast_linears

NAME = "onset_engine"

_LOCK = Lock()


class Pass(Protocol):
    """One forward pass in one of the three modes."""

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None) -> Tensor:
        """The attention of one layer. ``query``: [rows, heads, queries, dimension]; ``key``, ``value``: [rows, key
        heads, queries, dimension], of the tokens of this pass. Returns [rows, queries, heads, dimension].
        """
        ...


def forward(
    module: Any,
    tokens: Tensor,
    positions: Tensor,
    keep: Tensor | int,
    running: Pass,
    memory: Logits | None = None,
    *,
    precise: bool = False,
) -> Tensor:
    """Run ``module`` on ``tokens`` at ``positions`` (both [rows, queries]) with the attention of ``running``.

    ``keep``: for which columns to compute logits (a number: that many last ones). Returns [rows, kept, vocabulary],
    which may lie in ``memory``. ``precise``: all logits in float32, not only the largest (`onset.models.engine.head`).
    """
    # One pass at a time, because what marks it is in the model's configuration.
    # no_grad, not inference_mode: the same module may be trained afterwards, and buffers that a model computes
    # lazily must not become inference tensors.
    head = precise_head(module, tokens.device, every=precise)
    with _LOCK, torch.no_grad(), _attending(module), fast_linears(tokens.device, memory), head:
        logits: Tensor = module(
            input_ids=tokens, position_ids=positions, use_cache=False, logits_to_keep=keep, onset_pass=running
        ).logits
    return logits


@contextmanager
def _attending(module: Any) -> Iterator[None]:
    config = module.config.get_text_config()
    plain = config._attn_implementation
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = plain


def _attend(  # noqa: PLR0913, PLR0917 - the calling convention of transformers
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    onset_pass: Pass | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """The attention function that transformers calls; shapes as in `Pass.attend`."""
    refused = [name for name in ("softcap", "s_aux", "position_bias") if others.get(name) is not None]
    if refused:
        raise ValueError(f"attention with {refused[0]}")
    if attention_mask is not None:  # not made by `_no_mask`
        raise ValueError("attention with a mask of its own")
    if onset_pass is None:
        raise ValueError("arguments of forward do not reach the attention")
    scale = scaling if scaling is not None else float(query.shape[-1]) ** -0.5
    return onset_pass.attend(module.layer_idx, query, key, value, scale, sliding_window), None


def _no_mask(*_: Any, **__: Any) -> None:
    """Masks are the passes'."""


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, _no_mask)
