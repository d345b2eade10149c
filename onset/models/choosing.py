"""The next token of each row: the largest logit, or the inverse of the cumulative distribution at a uniform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onset.errors import ModelError
from onset.models.rows import Row

LOGIT_CELLS = 1 << 26
"""Most logits (positions times vocabulary) that a pass computes: 256 MB in float32."""

_CELLS = {"cpu": 1 << 19, "cuda": 1 << 25}
"""Logits looked at in one go: on a CPU as many as stay in its cache (2 MB in float32), on a GPU enough to fill it."""

_BLOCK = 512
"""Tokens summed together, so that a draw adds up numbers in float64 without a float64 copy of all of them."""

_COLDEST = 1e-30
"""Lowest temperature used: with less, float32 would overflow; it already means "the largest"."""


_SEARCHED = 256
"""Tokens looked at first for those whose probabilities reach ``top_p``: mostly enough, and far from a sorted
vocabulary."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Of which tokens each row is drawn: ``top_p`` [rows] (1: all) and ``top_k`` [rows] (0: all), as in
    `onset.records.Sampling`.

    Tokens as probable as the one of rank ``top_k`` are kept with it, as transformers keeps them; of tokens as probable
    as the last that ``top_p`` needs, those of the lowest numbers.
    """

    top_p: NDArray[np.float64]
    top_k: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Kept:
        """What ``rows`` ask for."""
        return cls(np.array([row.top_p for row in rows]), np.array([row.top_k or 0 for row in rows], dtype=np.int64))

    def only(self, rows: NDArray[np.int64] | slice) -> Kept:
        """That of some of the rows."""
        return Kept(self.top_p[rows], self.top_k[rows])


def choose(
    logits: Tensor, temperatures: NDArray[np.float64], uniforms: NDArray[np.float64], kept: Kept | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The next token of each row and its log-probability (nats) at temperature 1.

    ``logits``: [rows, vocabulary]; ``temperatures``: [rows], 0 takes the largest logit; ``uniforms``: [rows], in
    [0, 1): the token is the inverse of the cumulative distribution of softmax(logits / temperature) there, of the
    tokens that are ``kept`` (None: all). Raises ModelError when logits are not numbers.
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
            some = None if kept is None else kept.only(rows).only(drawn)
            picked[index] = _draw(shifted[index], temperatures[rows][drawn], uniforms[rows][drawn], some)
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


def _draw(
    shifted: Tensor, temperatures: NDArray[np.float64], uniforms: NDArray[np.float64], kept: Kept | None
) -> Tensor:
    """Inverse-transform sampling. ``shifted``: [rows, vocabulary] logits, the largest 0. The sums are float64: in
    float32 a vocabulary of 262,144 loses the tail of the distribution to rounding.
    """
    rows, vocabulary = shifted.shape
    blocks = -(-vocabulary // _BLOCK)
    heat = torch.from_numpy(np.maximum(temperatures, _COLDEST)).to(shifted)
    weights = shifted.new_zeros(rows, blocks * _BLOCK)
    torch.div(shifted, heat[:, None], out=weights[:, :vocabulary])
    weights[:, :vocabulary].exp_()
    if kept is not None:
        _restrict(weights[:, :vocabulary], shifted, kept)
    weights = weights.view(rows, blocks, _BLOCK)
    totals = weights.sum(-1, dtype=torch.float64).cumsum(-1)
    aim = torch.from_numpy(uniforms).to(shifted.device)[:, None] * totals[:, -1:]
    block = _first_above(totals, aim)
    before = torch.where(block > 0, totals.gather(-1, (block - 1).clamp(min=0)), 0.0)
    within = weights[torch.arange(rows, device=shifted.device), block[:, 0]].double().cumsum(-1)
    return (block * _BLOCK + _first_above(within, aim - before))[:, 0]


def _restrict(weights: Tensor, logits: Tensor, kept: Kept) -> None:
    """Make the ``weights`` 0 of tokens that are not drawn from; both: [rows, vocabulary]. Rows that ask for the same
    are done together.
    """
    vocabulary = weights.shape[-1]
    limits = [(float(p), int(k) if 0 < k < vocabulary else 0) for p, k in zip(kept.top_p, kept.top_k, strict=True)]
    for top_p, top_k in dict.fromkeys(limits):
        if top_p == 1 and not top_k:
            continue
        mine = torch.tensor([one == (top_p, top_k) for one in limits], device=weights.device).nonzero()[:, 0]
        own, ranks = weights[mine], logits[mine]
        if top_k:
            own.masked_fill_(ranks < ranks.topk(top_k).values[:, -1:], 0)
        if top_p < 1:
            own.masked_fill_(~_nucleus(own, ranks, top_p, top_k or _SEARCHED), 0)
        weights[mine] = own


def _nucleus(weights: Tensor, ranks: Tensor, top_p: float, searched: int) -> Tensor:
    """The fewest most probable tokens whose share of ``weights`` reaches ``top_p``, as a mask; all [rows, vocabulary].
    ``ranks``: in whose order. They are looked for among the first ``searched``, then among more.
    """
    aim = top_p * weights.sum(-1, keepdim=True, dtype=torch.float64)
    size = min(searched, weights.shape[-1])
    while True:
        first = ranks.topk(size)
        reached = weights.gather(-1, first.indices).cumsum(-1, dtype=torch.float64)
        if size == weights.shape[-1] or bool((reached[:, -1:] >= aim).all()):
            break
        size = min(8 * size, weights.shape[-1])
    count = ((reached < aim).sum(-1, keepdim=True) + 1).clamp(max=size)
    last = first.values.gather(-1, count - 1)
    above, equal = ranks > last, ranks == last
    room = count - above.sum(-1, keepdim=True)
    if bool((equal.sum(-1, keepdim=True) > room).any()):
        equal &= equal.cumsum(-1) <= room
    return above | equal


def _first_above(totals: Tensor, aim: Tensor) -> Tensor:
    """The first place where the running total ([rows, places]) is above ``aim`` [rows, 1]; where rounding puts the
    aim at the very end, the last place that adds anything.
    """
    last = torch.searchsorted(totals, totals[:, -1:].contiguous())
    return torch.minimum(torch.searchsorted(totals, aim, right=True), last)
