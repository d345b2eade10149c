"""Logits of models of half precision on a CPU, of which the digits are kept that decide.

In bfloat16 a number has eight binary digits: between 16 and 32 logits are an eighth apart, so that the best two tokens
are often equal and the first of the vocabulary would be taken. Products are added up in float32 and only then rounded,
so the digits need only be computed again: when texts are generated, those of the tokens that may be the best; when
continuations are scored, all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_CELLS = 1 << 19
"""Logits looked at in one go, so that they stay in the processor's cache: 2 MB in float32."""
_CANDIDATES = 1 << 14
"""Logits computed again in one go: 60 MB of weights for a model 1,000 wide."""
_WEIGHT_ROWS = 2048
"""Rows of the output matrix turned into float32 at once where all logits are wanted: 8 MB for a model 1,000 wide."""


@contextmanager
def precise_head(module: Any, device: torch.device, *, every: bool) -> Iterator[None]:
    """Within it, the output layer of ``module`` gives logits in float32 where its weights are of half precision and on
    a CPU: ``every`` one as precise as its inputs are, or only the largest of each row and those too close to it to be
    told apart in half precision.
    """
    head = module.get_output_embeddings() if device.type == "cpu" else None
    output = getattr(head, "weight", None)
    if output is None or output.dtype not in (torch.bfloat16, torch.float16):
        yield
        return
    before = F.linear

    def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if weight is not output or bias is not None or input.dtype != output.dtype:
            return before(input, weight, bias)
        rows = input.reshape(-1, input.shape[-1])
        found = _all(rows, output) if every else _best(rows, output, before(rows, output))
        return found.view(*input.shape[:-1], len(output))

    F.linear = linear
    try:
        yield
    finally:
        F.linear = before


def _all(rows: Tensor, weight: Tensor) -> Tensor:
    """``rows`` [n, hidden] times ``weight`` [vocabulary, hidden] transposed, in float32."""
    out = torch.empty(len(rows), len(weight))
    exact = rows.float()
    for start in range(0, len(weight), _WEIGHT_ROWS):
        some = slice(start, start + _WEIGHT_ROWS)
        out[:, some] = exact @ weight[some].float().t()
    return out


def _best(rows: Tensor, weight: Tensor, rounded: Tensor) -> Tensor:
    """``rounded`` [n, vocabulary] in float32, with all that may be the largest of a row computed again."""
    out = torch.empty(rounded.shape, dtype=torch.float32)
    step = max(1, _CELLS // len(weight))
    steps = 2.0 * torch.finfo(rounded.dtype).eps
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        part = out[some].copy_(rounded[some])
        top = part.amax(-1, keepdim=True)
        # Each of two logits is off by half a step at most, and a step is at most eps times the power of two below.
        near = part >= top - steps * top.abs()
        found = np.flatnonzero(near.numpy())  # torch's search takes longer
        row, token = (torch.from_numpy(one) for one in divmod(found, len(weight)))
        for first in range(0, len(row), _CANDIDATES):
            at = row[first : first + _CANDIDATES], token[first : first + _CANDIDATES]
            part[at] = (rows[some][at[0]].float() * weight[at[1]].float()).sum(-1)
    return out
