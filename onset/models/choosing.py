"""The next token of each row: the largest logit, or the inverse of the cumulative distribution at a uniform."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onset.errors import ModelError

LOGIT_CELLS = 1 << 26
"""Most logits (positions times vocabulary) that a pass computes: 256 MB in float32."""

_CELLS = {"cpu": 1 << 19, "cuda": 1 << 25}
"""Logits looked at in one go: on a CPU as many as stay in its cache (2 MB in float32), on a GPU enough to fill it."""

_BLOCK = 512
"""Tokens summed together, so that a draw adds up numbers in float64 without a float64 copy of all of them."""

_COLDEST = 1e-30
"""Lowest temperature used: with less, float32 would overflow; it already means "the largest"."""


def choose(
    logits: Tensor, temperatures: NDArray[np.float64], uniforms: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The next token of each row and its log-probability (nats) at temperature 1.

    ``logits``: [rows, vocabulary]; ``temperatures``: [rows], 0 takes the largest logit; ``uniforms``: [rows], in
    [0, 1): the token is the inverse of the cumulative distribution of softmax(logits / temperature) there. Raises
    ModelError when logits are not numbers.
    """
    size = _rows_at_once(logits)
    tokens, logprobs = [], []
    for start in range(0, len(logits), size):
        rows = slice(start, start + size)
        part = logits[rows].float()
        picked = _largest(part)
        shifted = part - part.gather(-1, picked[:, None])
        drawn = np.flatnonzero(temperatures[rows] > 0)
        if len(drawn):
            index = torch.from_numpy(drawn).to(part.device)
            picked[index] = _draw(shifted[index], temperatures[rows][drawn], uniforms[rows][drawn])
        found = shifted.gather(-1, picked[:, None])[:, 0]
        tokens.append(picked)
        logprobs.append(found - shifted.exp_().sum(-1).log())
    chosen: NDArray[np.int64] = torch.cat(tokens).cpu().numpy()
    values: NDArray[np.float64] = torch.cat(logprobs).double().cpu().numpy()
    if not np.isfinite(values).all():
        raise ModelError("the model's logits are not finite numbers: try dtype float32")
    return chosen, values


def logprobs_of(logits: Tensor, rows: Tensor, tokens: Tensor) -> Tensor:
    """Log-probabilities (float32, nats) of ``tokens`` [n] under rows ``rows`` [n] of ``logits`` [rows, vocabulary]; a
    row may be named several times.
    """
    size = _rows_at_once(logits)
    sums = torch.cat([logits[start : start + size].float().logsumexp(-1) for start in range(0, len(logits), size)])
    return logits[rows, tokens].float() - sums[rows]


def _rows_at_once(logits: Tensor) -> int:
    return max(1, _CELLS["cuda" if logits.device.type == "cuda" else "cpu"] // logits.shape[-1])


def _largest(logits: Tensor) -> Tensor:
    """Where the largest of each row is, the first of equals (or a value that is not a number)."""
    if logits.device.type == "cpu":  # NumPy's search uses the processor's vectors, torch's does not
        return torch.from_numpy(logits.numpy().argmax(-1))
    return logits.argmax(-1)


def _draw(shifted: Tensor, temperatures: NDArray[np.float64], uniforms: NDArray[np.float64]) -> Tensor:
    """Inverse-transform sampling. ``shifted``: [rows, vocabulary] logits, the largest 0. The sums are float64: in
    float32 a vocabulary of 262,144 loses the tail of the distribution to rounding.
    """
    rows, vocabulary = shifted.shape
    blocks = -(-vocabulary // _BLOCK)
    heat = torch.from_numpy(np.maximum(temperatures, _COLDEST)).to(shifted)
    weights = shifted.new_zeros(rows, blocks * _BLOCK)
    torch.div(shifted, heat[:, None], out=weights[:, :vocabulary])
    weights[:, :vocabulary].exp_()
    weights = weights.view(rows, blocks, _BLOCK)
    totals = weights.sum(-1, dtype=torch.float64).cumsum(-1)
    aim = torch.from_numpy(uniforms).to(shifted.device)[:, None] * totals[:, -1:]
    block = _first_above(totals, aim)
    before = torch.where(block > 0, totals.gather(-1, (block - 1).clamp(min=0)), 0.0)
    within = weights[torch.arange(rows, device=shifted.device), block[:, 0]].double().cumsum(-1)
    return (block * _BLOCK + _first_above(within, aim - before))[:, 0]


def _first_above(totals: Tensor, aim: Tensor) -> Tensor:
    """The first place where the running total ([rows, places]) is above ``aim`` [rows, 1]; where rounding puts the
    aim at the very end, the last place that adds anything.
    """
    last = torch.searchsorted(totals, totals[:, -1:].contiguous())
    return torch.minimum(torch.searchsorted(totals, aim, right=True), last)
