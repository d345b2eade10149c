"""A causal language model run step by step over a left-padded batch with a key-value cache.

Prompts of different lengths are aligned on the right, so that the next token of every row is computed
in the same column; a padding token is masked out and the positions count from each prompt's own first
token. Left padding therefore changes nothing but the last bits of the logits.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class Stepper:
    """One batch: `prefill` once, then `select` (drop, repeat, reorder rows) and `step`.

    ``module`` is a transformers causal LM, possibly wrapped by peft, in evaluation mode. Sliding-window
    layers keep only their window (transformers' ``DynamicCache`` built from the model's config).
    """

    def __init__(self, module: Any) -> None:
        from transformers import DynamicCache

        self._module = module
        self._device = module.get_input_embeddings().weight.device
        self._cache = DynamicCache(config=module.config)
        self._takes = forward_arguments(module)
        self._mask = torch.empty(0)
        self._position = torch.empty(0)

    def prefill(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Run the prompts (none empty). Returns the logits after the last token: [rows, vocabulary]."""
        width = max(map(len, prompts))
        # Token 0 stands in for padding: it is masked, so any id of the vocabulary would do.
        tokens = [[0] * (width - len(row)) + list(row) for row in prompts]
        real = [[0] * (width - len(row)) + [1] * len(row) for row in prompts]
        self._mask = torch.tensor(real, device=self._device)
        positions = (self._mask.cumsum(-1) - 1).clamp(min=0)
        self._position = positions[:, -1:] + 1
        return self._forward(torch.tensor(tokens, device=self._device), positions, last_only=True)[:, -1]

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows in this order; a row may be named several times."""
        if list(rows) == list(range(len(self._mask))):
            return
        index = torch.tensor(rows, device=self._device)
        self._cache.batch_select_indices(index)
        self._mask = self._mask[index]
        self._position = self._position[index]

    def step(self, tokens: Sequence[Sequence[int]]) -> Tensor:
        """Append tokens to every row. Returns their logits: [rows, longest, vocabulary].

        Rows may be of different lengths (padded on the right; the logits there mean nothing), but then
        this is the last step: later tokens would see the gap inside a sliding window.
        """
        width = max(map(len, tokens))
        padded = [list(row) + [0] * (width - len(row)) for row in tokens]
        real = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in tokens], device=self._device)
        self._mask = torch.cat([self._mask, real], dim=-1)
        positions = self._position + torch.arange(width, device=self._device)
        self._position = self._position + width
        return self._forward(torch.tensor(padded, device=self._device), positions, last_only=False)

    def _forward(self, tokens: Tensor, positions: Tensor, *, last_only: bool) -> Tensor:
        arguments: dict[str, Any] = {"input_ids": tokens, "past_key_values": self._cache, "use_cache": True}
        if "position_ids" in self._takes:
            arguments["position_ids"] = positions
        if last_only and "logits_to_keep" in self._takes:
            arguments["logits_to_keep"] = 1  # the vocabulary is wide: never compute the prompt's logits
        # no_grad, not inference_mode: the same module may be trained afterwards, and buffers that a
        # model computes lazily must not become inference tensors.
        with torch.no_grad():
            logits: Tensor = self._module(attention_mask=self._mask, **arguments).logits
        return logits


def forward_arguments(module: Any) -> frozenset[str]:
    """The names that the model's ``forward`` takes (of the model inside a peft wrapper)."""
    base = module.get_base_model() if hasattr(module, "get_base_model") else module
    return frozenset(inspect.signature(base.forward).parameters)


def vocabulary_size(module: Any) -> int:
    """The width of the logits."""
    return int(module.config.get_text_config().vocab_size)
