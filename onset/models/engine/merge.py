"""Attention over parts of the keys, and the rule that puts the parts together.

Softmax over all keys is a weighted mean of the softmaxes over disjoint parts of them, the weights being the parts'
sums of exponentials. So attention may be computed over the shared keys for all rows at once and over each row's own
keys apart, if each part also gives the logarithm of its sum (its log-sum-exp). That is exact but for rounding: Milakov
and Gimelshein 2018 (arXiv 1805.02867) for the rule, Juravsky et al. 2024 (Hydragen, arXiv 2402.05099, sections 3.1 and
3.2) for its use on shared prefixes.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from onset.models.engine.linear import half_by_mkl
from onset.models.engine.window import View

Part = tuple[Tensor, Tensor]
"""Output [..., queries, dimension] of attention over some keys, and its log-sum-exp [..., queries] in float32."""

_SCORES = 1 << 26
"""Most attention scores computed at once where there is no fused kernel: 256 MB in float32."""

_SHORT = 256
"""Keys up to which the fused kernel, which multiplies by MKL, beats products by oneDNN, which are then many small
operations.
"""

_CACHED = 1 << 18
"""Scores computed at once on a CPU, where they should stay in its cache: 1 MB in float32."""


def merge(first: Part, second: Part) -> Part:
    """Attention over the keys of both parts. A part that saw no key has log-sum-exp -inf and weight 0."""
    (one, one_lse), (other, other_lse) = first, second
    share = torch.sigmoid(one_lse - other_lse).unsqueeze(-1).to(one.dtype)
    return torch.lerp(other, one, share), torch.logaddexp(one_lse, other_lse)


def join(first: Part, second: Part) -> Tensor:
    """The output of `merge` alone, where no further part follows."""
    (one, one_lse), (other, other_lse) = first, second
    return torch.lerp(other, one, torch.sigmoid(one_lse - other_lse).unsqueeze(-1).to(one.dtype))


def attention(
    query: Tensor, key: Tensor, value: Tensor, scale: float, mask: Tensor | None = None, *, causal: bool = False
) -> Part:
    """Attention with its log-sum-exp.

    ``query``: [batch, heads, queries, dimension]; ``key``, ``value``: [batch, heads, keys, dimension], as many heads as
    queries; ``mask``: added to the scores, broadcast to [batch, heads, queries, keys]; ``causal``: query i sees keys 0
    to i. Every query must see a key.
    """
    if query.device.type == "cpu" and key.shape[-1] == value.shape[-1] and _fused_on_cpu(query.dtype):
        out, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, causal, attn_mask=mask, scale=scale
        )
        return out, lse
    return _by_products(query, key, value, scale, mask, causal=causal)


def attention_to_shared(query: Tensor, keys: Tensor, values: Tensor, scale: float, seen: View) -> Part:
    """Attention of many queries to the same keys, with its log-sum-exp. By the fused kernel on a CPU, unless products
    by oneDNN are faster; else two matrix products, as many queries at a time as keep the scores where they are fast to
    reach.

    ``query``: [heads, queries, dimension]; ``keys``, ``values``: [heads, keys, dimension]; ``seen``: what each query
    sees.
    """
    keys, values = keys[:, seen.first :], values[:, seen.first :]
    on_cpu = query.device.type == "cpu"
    if on_cpu and (not half_by_mkl() or keys.shape[1] <= _SHORT):
        mask = None if seen.mask is None else seen.mask[None, None]
        out, lse = attention(query[None], keys[None], values.contiguous()[None], scale, mask)
        part = out[0], lse[0]
    else:
        part = _shared_by_products(query, keys, values.transpose(1, 2), scale, seen.mask)
    return part if seen.sees_nothing is None else blind(part, seen.sees_nothing)


def values_in_order(values: Tensor) -> Tensor:
    """``values`` [heads, keys, dimension], laid in memory as `attention_to_shared` reads them."""
    if values.device.type == "cpu" and not half_by_mkl():
        return values.contiguous()
    return values.transpose(1, 2).contiguous().transpose(1, 2)


def _shared_by_products(query: Tensor, keys: Tensor, values: Tensor, scale: float, mask: Tensor | None) -> Part:
    """``values``: [heads, dimension, keys], as the second product reads them; ``mask`` [queries, keys]."""
    heads, queries, _ = query.shape
    on_cpu = query.device.type == "cpu"
    size = max(32, _CACHED // keys.shape[1]) if on_cpu else max(1, _SCORES // (heads * keys.shape[1]))
    together = 1 if on_cpu else heads
    query, values = query * scale, values.contiguous()  # of a window, a part of each row
    out = query.new_empty(heads, queries, values.shape[1])
    lse = torch.empty(heads, queries, dtype=torch.promote_types(query.dtype, torch.float32), device=query.device)
    for head in range(0, heads, together):
        of = slice(head, head + together)
        for start in range(0, queries, size):
            some = slice(start, start + size)
            scores = _times(query[of, some], keys[of]).to(lse.dtype)
            if mask is not None:
                scores += mask[some]
            top = scores.amax(-1, keepdim=True).clamp(min=torch.finfo(lse.dtype).min)
            weights = scores.sub_(top).exp_()
            total = weights.sum(-1, keepdim=True)
            out[of, some] = _times(weights.to(values.dtype), values[of]) / total
            lse[of, some] = (top + total.log()).squeeze(-1)
    return out, lse


def _times(left: Tensor, right: Tensor) -> Tensor:
    """``left`` [heads, rows, inner] times ``right`` [heads, columns, inner] transposed: [heads, rows, columns]. For a
    single head that is a linear layer, for which there may be a faster way (`onset.models.engine.linear`).
    """
    if len(left) == 1:
        return F.linear(left[0], right[0])[None]
    return left @ right.transpose(-1, -2)


def blind(part: Part, sees_nothing: Tensor) -> Part:
    """``part`` where queries that ``sees_nothing`` marks ([queries], True) count for nothing."""
    out, lse = part
    return out.masked_fill(sees_nothing[:, None], 0.0), lse.masked_fill(sees_nothing, -torch.inf)


def _by_products(query: Tensor, key: Tensor, value: Tensor, scale: float, mask: Tensor | None, *, causal: bool) -> Part:
    """Two matrix products and a softmax in float32, some queries at a time: any device, any dimensions."""
    queries, keys = query.shape[2], key.shape[2]
    exact = torch.promote_types(query.dtype, torch.float32)
    size = max(1, _SCORES // (query.shape[0] * query.shape[1] * keys))
    outs, sums = [], []
    query = query * scale  # before the product, which would overflow float16
    for start in range(0, queries, size):
        scores = (query[:, :, start : start + size] @ key.transpose(-1, -2)).to(exact)
        if mask is not None:
            scores = scores + (mask if mask.shape[2] == 1 else mask[:, :, start : start + size])
        if causal:
            order = torch.arange(keys, device=query.device)
            later = order[None, :] > order[start : start + size, None]
            scores = scores.masked_fill(later, -torch.inf)
        top = scores.amax(-1, keepdim=True).clamp(min=torch.finfo(torch.float32).min)
        weights = (scores - top).exp()
        total = weights.sum(-1, keepdim=True)
        outs.append((weights / total).to(value.dtype) @ value)
        sums.append((top + total.log()).squeeze(-1))
    return torch.cat(outs, dim=2), torch.cat(sums, dim=2)


@cache
def _fused_on_cpu(dtype: torch.dtype) -> bool:
    """Does torch's CPU kernel, which is not part of its public interface, still do what `_by_products` does?"""
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 3, 5, 8, generator=generator).to(dtype) for _ in range(3))
    mask = torch.zeros(2, 1, 1, 5, dtype=dtype)
    mask[1, ..., 3:] = -torch.inf
    try:
        fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, False, attn_mask=mask, scale=0.3
        )
        plain = _by_products(query, key, value, 0.3, mask, causal=False)
        close = 1e-4 if dtype == torch.float32 else 3e-2
        return all(
            one.shape == other.shape and torch.allclose(one.float(), other.float(), atol=close)
            for one, other in zip(fused, plain, strict=True)
        )
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return False
