"""Matrix products on a CPU: by oneDNN where torch would take MKL and MKL is slow.

For float32, torch multiplies matrices by MKL, which on processors that are not Intel's leaves half of the vector unit
idle; oneDNN, which torch has on board too, does not. On Intel's, MKL is somewhat faster (`benchmarks/engine.py --floor`
measures both). The processor's maker decides, not a measurement, so that on one machine every run computes the same.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

_BY_TORCH = F.linear


@contextmanager
def fast_linears(device: torch.device) -> Iterator[None]:
    """Within it, linear layers of float32 on a CPU run by oneDNN, if `by_onednn`, where no gradient is wanted.

    That is done by putting another function in the place of `torch.nn.functional.linear`: a mode that overrides torch's
    functions would cost a tenth of the time of a pass, since it is asked at every operation. Not to be entered twice
    at a time.
    """
    if device.type != "cpu" or not by_onednn():
        yield
        return
    F.linear = _by_onednn
    try:
        yield
    finally:
        F.linear = _BY_TORCH


def _by_onednn(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if torch.is_grad_enabled() or not _is_plain(input, weight):
        return _BY_TORCH(input, weight, bias)
    return _linear(input, weight, bias)


def _is_plain(x: Tensor, weight: Tensor) -> bool:
    # For a weight whose rows are apart in memory, oneDNN has a reference implementation only: a thousand times slower.
    ours = x.dtype == weight.dtype == torch.float32 and type(weight) in (Tensor, torch.nn.Parameter)
    return ours and weight.dim() == 2 and weight.is_contiguous()


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x`` [..., in], ``weight`` [out, in], ``bias`` [out]: [..., out]."""
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return out


@cache
def by_onednn() -> bool:
    """Are float32 products on this machine's CPU better left to oneDNN?"""
    return bool(torch.backends.mkl.is_available()) and not _is_intel() and _works()  # type: ignore[no-untyped-call]


def _is_intel() -> bool:
    """Is the processor Intel's? Its maker's name stands in /proc/cpuinfo, or (Windows) in its description."""
    known = Path("/proc/cpuinfo")
    return "GenuineIntel" in (known.read_text(errors="replace") if known.is_file() else platform.processor())


def _works() -> bool:
    """Is the operator, which is not part of torch's public interface, there, and does it compute linear layers?"""
    generator = torch.Generator().manual_seed(0)
    x, weight, bias = (torch.randn(*size, generator=generator) for size in ((2, 3, 16), (8, 16), (8,)))
    try:
        pairs = [(_linear(x, weight, one), _BY_TORCH(x, weight, one)) for one in (None, bias)]
        return all(a.shape == b.shape and torch.allclose(a, b, atol=1e-5) for a, b in pairs)
    except (AttributeError, RuntimeError, TypeError):
        return False
