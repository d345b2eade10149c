"""What Onset's own worker measures: where the time of a run goes, and what the machine could do at best."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

KINDS = {
    "matrix products": r"aten::(addmm|mm|bmm|baddbmm|matmul|linear|addmv|mv)$|mkl|gemm",
    "attention": r"attention|flash|softmax|logsumexp",
    "index and copy": r"index|copy|clone|cat$|stack|gather|scatter|slice|select|contiguous|embedding|fill|zero|empty",
}
"""Kinds of torch operations by name, the first that fits; the others are "other operations"."""


def profiled(backend: Any, work: dict[str, Any]) -> dict[str, Any]:
    """Shares of the wall time of one warm run: torch operations by their own time on the calling thread, and what is
    left outside of them (Python, and kernels that torch does not see). The profiler itself slows the run.
    """
    from torch.profiler import ProfilerActivity, profile

    act: Callable[[dict[str, Any]], object] = backend.score if "choices" in work else backend.generate
    act(work)
    start = time.perf_counter()
    act(work)
    plain = time.perf_counter() - start
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as record:
        start = time.perf_counter()
        act(work)
        wall = time.perf_counter() - start
    spent = {one.key: one.self_cpu_time_total / 1e6 for one in record.key_averages()}
    shares = dict.fromkeys([*KINDS, "other operations"], 0.0)
    for name, seconds in spent.items():
        shares[_kind(name)] += seconds / wall
    shares["outside operations"] = 1 - sum(shares.values())
    largest = sorted(spent.items(), key=lambda one: -one[1])[:12]
    return {
        "seconds": plain,
        "profiled_seconds": wall,
        "shares": shares,
        "largest": [[name, seconds / wall] for name, seconds in largest],
    }


def _kind(name: str) -> str:
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name)), "other operations")


def hardware(shapes: list[list[int]], rows: list[int]) -> dict[str, Any]:
    """float32 products of ``rows`` x inner with inner x outer in GFLOP/s, by torch's ``linear`` and with weights packed
    for oneDNN (the two differ by more than half on some processors); copy (read and written) and read in GB/s.
    """
    import torch

    ways: dict[str, dict[str, float]] = {}
    with torch.no_grad():
        for inner, outer in shapes:
            weight = torch.randn(outer, inner)
            for count in rows:
                left = torch.randn(count, inner)
                for way, act in _products(left, weight).items():
                    speed = 2 * count * inner * outer / _fastest(act) / 1e9
                    ways.setdefault(way, {})[f"{count} x {inner} x {outer}"] = speed
        source, target = torch.ones(1 << 27), torch.empty(1 << 27)
        copy = 2 * source.nbytes / _fastest(lambda: target.copy_(source)) / 1e9
        read = source.nbytes / _fastest(source.sum) / 1e9
    return {"gflops": ways, "copy": copy, "read": read}


def _products(left: Any, weight: Any) -> dict[str, Callable[[], object]]:
    """The ways to multiply that this build of torch has; the second is one of its private operations."""
    import torch

    ways: dict[str, Callable[[], object]] = {"linear": lambda: torch.nn.functional.linear(left, weight)}
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, left.shape[0])
        torch.ops.mkldnn._linear_pointwise(left, packed, None, "none", [], "")
    except (AttributeError, RuntimeError, NotImplementedError):
        return ways
    ways["oneDNN, packed"] = lambda: torch.ops.mkldnn._linear_pointwise(left, packed, None, "none", [], "")
    return ways


def _fastest(act: Callable[[], object], least: float = 0.3) -> float:
    """Seconds of the fastest of at least five runs, over at least ``least`` seconds, after one not counted."""
    act()
    times: list[float] = []
    while len(times) < 5 or sum(times) < least:
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return min(times)
