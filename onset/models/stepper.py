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

from onset.models.prefix import SharedPrefix, Sight, sharing


class Stepper:
    """One batch: `prefill` once, then `select` (drop, repeat, reorder rows) and `step`.

    ``module`` is a transformers causal LM, possibly wrapped by peft, in evaluation mode. Sliding-window
    layers keep only their window (transformers' ``DynamicCache`` built from the model's config).
    ``prefix``: what all prompts begin with (`onset.models.prefix`): not run again, and not in the columns.
    """

    def __init__(self, module: Any, prefix: SharedPrefix | None = None) -> None:
        from transformers import DynamicCache

        self._module = module
        self._prefix = prefix
        self._shared = 0 if prefix is None else len(prefix.tokens)
        self._device = module.get_input_embeddings().weight.device
        self._cache = DynamicCache(config=module.config) if prefix is None else DynamicCache()
        self._takes = forward_arguments(module)
        self._mask = torch.empty(0)
        self._position = torch.empty(0)

    def prefill(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Run the prompts (none empty, all beginning with the prefix and longer than it). Returns the logits after
        the last token: [rows, vocabulary].
        """
        own = [prompt[self._shared :] for prompt in prompts]
        width = max(map(len, own))
        # Token 0 stands in for padding: it is masked, so any id of the vocabulary would do.
        tokens = [[0] * (width - len(row)) + list(row) for row in own]
        real = [[0] * (width - len(row)) + [1] * len(row) for row in own]
        self._mask = torch.tensor(real, device=self._device)
        positions = (self._mask.cumsum(-1) - 1).clamp(min=0) + self._shared
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
            if self._prefix is None:
                logits: Tensor = self._module(attention_mask=self._mask, **arguments).logits
                return logits
            sight = self._sight(self._prefix, positions)
            with sharing(self._module):
                shared: Tensor = self._module(sight=sight, **arguments).logits
            return shared

    def _sight(self, prefix: SharedPrefix, positions: Tensor) -> Sight:
        """Every real column up to the query's own; padding columns are seen by nobody."""
        columns, queries = self._mask.shape[1], positions.shape[1]
        order = torch.arange(columns, device=self._device)
        before = order[None, :] <= order[columns - queries :, None]
        own_position = (self._mask.cumsum(-1) - 1).clamp(min=0) + self._shared
        return Sight(prefix, self._mask.bool()[:, None, :] & before, positions, own_position)


def forward_arguments(module: Any) -> frozenset[str]:
    """The names that the model's ``forward`` takes (of the model inside a peft wrapper)."""
    base = module.get_base_model() if hasattr(module, "get_base_model") else module
    return frozenset(inspect.signature(base.forward).parameters)


def vocabulary_size(module: Any) -> int:
    """The width of the logits."""
    return int(module.config.get_text_config().vocab_size)


def pick_logprobs(logits: Tensor, tokens: Sequence[int]) -> Tensor:
    """Log-probabilities (float32, at temperature 1) of ``tokens`` [rows] under ``logits`` [rows, vocabulary]."""
    wide = logits.float()
    index = torch.tensor(tokens, device=logits.device).unsqueeze(-1)
    return wide.gather(-1, index).squeeze(-1) - wide.logsumexp(-1)
