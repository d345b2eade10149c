"""Linear layers on a CPU: by oneDNN where torch would take MKL.

For float32, torch multiplies matrices by MKL, which on processors that are not Intel's leaves half of the vector unit
idle; oneDNN, which torch has on board too, does not (`benchmarks/engine.py --floor` measures both). It is taken on
every processor, so that what is computed does not depend on a measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


def fast_linears(device: torch.device) -> AbstractContextManager[Any]:
    """Within it, linear layers of float32 on a CPU run by oneDNN. Only for passes without gradients."""
    return _ByOneDNN() if device.type == "cpu" and _works() else nullcontext()


class _ByOneDNN(TorchFunctionMode):
    """Replaces `torch.nn.functional.linear`, and nothing else."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is F.linear and not kwargs and _is_plain(*args[:2]):
            return _linear(*args)
        return func(*args, **(kwargs or {}))


def _is_plain(x: Tensor, weight: Tensor) -> bool:
    # For a weight whose rows are apart in memory, oneDNN has a reference implementation only: a thousand times slower.
    return x.dtype == weight.dtype == torch.float32 and weight.dim() == 2 and weight.is_contiguous()


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x`` [..., in], ``weight`` [out, in], ``bias`` [out]: [..., out]."""
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return out


@cache
def _works() -> bool:
    """Is the operator, which is not part of torch's public interface, there, and does it compute linear layers?"""
    generator = torch.Generator().manual_seed(0)
    x, weight, bias = (torch.randn(*size, generator=generator) for size in ((2, 3, 16), (8, 16), (8,)))
    try:
        pairs = [(_linear(x, weight, one), F.linear(x, weight, one)) for one in (None, bias)]
        return all(a.shape == b.shape and torch.allclose(a, b, atol=1e-5) for a, b in pairs)
    except (AttributeError, RuntimeError, TypeError):
        return False
