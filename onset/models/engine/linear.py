"""Matrix products on a CPU: who multiplies, and where the result lies.

For float32, torch multiplies matrices by MKL, which on processors that are not Intel's uses vectors of 256 bits;
oneDNN, which torch has on board too, uses what there is. On Intel's, MKL is somewhat faster (`benchmarks/engine.py
--floor` measures both), but for two sizes that steps of few rows have. The processor and the sizes decide, not a
measurement, so that on one machine every run computes the same.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

_BY_TORCH = F.linear

_FEW = range(4, 16)
"""Rows with which MKL takes up to three times as long as with 16, if the weight has `_LARGE` numbers or more."""
_LARGE = 1 << 21

_SOME = range(16, 49)
"""Rows with which MKL takes up to three times as long for x Wᵀ as for its transpose W xᵀ, if the weight has at least
half as many inputs again as outputs, and `_NOT_SMALL` numbers or more.
"""
_NOT_SMALL = 1 << 19


@dataclass(frozen=True, slots=True)
class Logits:
    """Memory [rows, vocabulary] for what a step's hidden states give with the output matrix ``weight`` [vocabulary,
    hidden]: the system takes as long to provide a new matrix of this size each step as it takes to read one.
    """

    weight: Tensor
    memory: Tensor

    @classmethod
    def of(cls, module: Any, rows: int) -> Logits | None:
        """Memory for ``rows`` rows of a model, where it is worth having: for a CPU's logits by MKL, if they are more
        than malloc keeps for the next who asks.
        """
        weight = getattr(module.get_output_embeddings(), "weight", None)
        if weight is None or weight.device.type != "cpu" or not by_mkl() or not _is_plain(weight, weight):
            return None
        enough = rows * len(weight) * weight.itemsize >= _KEPT_BY_MALLOC
        return cls(weight, torch.empty(rows, len(weight))) if enough else None


_KEPT_BY_MALLOC = 1 << 25
"""Bytes from which on glibc's malloc asks the system anew each time (32 MB, the largest M_MMAP_THRESHOLD)."""


@contextmanager
def fast_linears(device: torch.device, logits: Logits | None = None) -> Iterator[None]:
    """Within it, linear layers of float32 on a CPU run the faster way, where no gradient is wanted; those of the weight
    of ``logits`` put their result there.

    That is done by putting another function in the place of `torch.nn.functional.linear`: a mode that overrides torch's
    functions would cost a tenth of the time of a pass, since it is asked at every operation. Not to be entered twice
    at a time.
    """
    if device.type != "cpu" or not (by_onednn() or by_mkl()):
        yield
        return
    F.linear = _by_onednn if by_onednn() else partial(_by_mkl, logits)
    try:
        yield
    finally:
        F.linear = _BY_TORCH


@contextmanager
def trained_linears(device: torch.device) -> Iterator[None]:
    """Within it, linear layers of float32 on a CPU run by oneDNN where `fast_linears` does, with their gradients, which
    may be asked for outside. Autocast has its own way. Not to be entered twice at a time, or with `fast_linears`.
    """
    if device.type != "cpu" or not by_onednn():
        yield
        return
    F.linear = _by_onednn_trained
    try:
        yield
    finally:
        F.linear = _BY_TORCH


def _by_onednn_trained(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    large = weight.numel() >= _WORTH
    if not large or torch.is_autocast_enabled(input.device.type) or not _is_plain(input, weight):
        return _BY_TORCH(input, weight, bias)
    product: Tensor = _Product.apply(input, weight, bias)  # type: ignore[no-untyped-call]
    return product


_WORTH = 1 << 16
"""Numbers in a weight from which on a product takes longer than a step into Python and back."""


class _Product(torch.autograd.Function):
    """x Wᵀ + b by oneDNN, and its gradients: g W, gᵀ x and the sum of g. Weights are laid out anew for the first of
    them, at each pass, which takes a tenth of a product of 200 rows and more.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        of_x, of_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(x if of_weight else None, weight if of_x else None)
        return _linear(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        rows = grad.reshape(-1, grad.shape[-1])
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            _linear(grad.contiguous(), weight.t().contiguous()) if of_x else None,
            _linear(rows.t().contiguous(), x.reshape(len(rows), -1).t().contiguous()) if of_weight else None,
            rows.sum(0) if of_bias else None,
        )


def _by_onednn(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if torch.is_grad_enabled() or not _is_plain(input, weight):
        return _BY_TORCH(input, weight, bias)
    return _linear(input, weight, bias)


def _by_mkl(logits: Logits | None, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if torch.is_grad_enabled() or not _is_plain(input, weight):
        return _BY_TORCH(input, weight, bias)
    outputs, inputs = weight.shape
    rows = input.numel() // inputs
    if rows in _FEW and weight.numel() >= _LARGE:
        return _linear(input, weight, bias)
    if bias is not None:
        return _BY_TORCH(input, weight, bias)
    if logits is not None and weight is logits.weight and rows <= len(logits.memory):
        out = torch.mm(input.reshape(rows, inputs), weight.t(), out=logits.memory[:rows])
    elif rows in _SOME and 2 * inputs >= 3 * outputs and weight.numel() >= _NOT_SMALL:
        out = torch.mm(weight, input.reshape(rows, inputs).t()).t().contiguous()
    else:
        return _BY_TORCH(input, weight)
    return out.view(*input.shape[:-1], outputs)


def _is_plain(x: Tensor, weight: Tensor) -> bool:
    # For a weight whose rows are apart in memory, oneDNN has a reference implementation only: a thousand times slower.
    ours = x.dtype == weight.dtype == torch.float32 and type(weight) in (Tensor, torch.nn.Parameter)
    return ours and weight.dim() == 2 and weight.is_contiguous()


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """By oneDNN. ``x`` [..., in], ``weight`` [out, in], ``bias`` [out]: [..., out]."""
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return out


@cache
def by_onednn() -> bool:
    """Are float32 products on this machine's CPU better left to oneDNN?"""
    return _has_both() and not _is_intel()


@cache
def by_mkl() -> bool:
    """Are they better left to MKL, but for a few sizes?"""
    return _has_both() and _is_intel()


@cache
def half_by_mkl() -> bool:
    """Does MKL leave half of the vector unit idle? AMD's are 512 bits wide from Zen 5 on, its family 26; narrower ones
    it fills, and there oneDNN is ahead by less than a fifth.
    """
    processor = _processor()
    family = re.search(r"\bfamily[\s:]+(\d+)", processor, re.IGNORECASE)
    return by_onednn() and "AuthenticAMD" in processor and family is not None and int(family[1]) >= _ZEN_5


_ZEN_5 = 26


@cache
def _has_both() -> bool:
    return bool(torch.backends.mkl.is_available()) and _works()  # type: ignore[no-untyped-call]


def _is_intel() -> bool:
    return "GenuineIntel" in _processor()


def _processor() -> str:
    """Where the processor's maker and family stand: /proc/cpuinfo, or (Windows) its description."""
    known = Path("/proc/cpuinfo")
    return known.read_text(errors="replace") if known.is_file() else platform.processor()


def _works() -> bool:
    """Is the operator, which is not part of torch's public interface, there, and does it compute linear layers?"""
    generator = torch.Generator().manual_seed(0)
    x, weight, bias = (torch.randn(*size, generator=generator) for size in ((2, 3, 16), (8, 16), (8,)))
    try:
        pairs = [(_linear(x, weight, one), _BY_TORCH(x, weight, one)) for one in (None, bias)]
        return all(a.shape == b.shape and torch.allclose(a, b, atol=1e-5) for a, b in pairs)
    except (AttributeError, RuntimeError, TypeError):
        return False
