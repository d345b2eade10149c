"""What a CUDA graph does, on a CPU: operations are recorded with the memory they read and write, and done again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

NEEDS_A_NUMBER = {
    f"aten.{name}"
    for name in (
        "_local_scalar_dense",
        "_unique2",
        "bincount",
        "equal",
        "is_nonzero",
        "item",
        "masked_select",
        "nonzero",
        "unique_dim",
    )
}
"""Operations whose result Python, or a shape, depends on: in a recording CUDA refuses them. What an operation asks inside
itself, and copies from the processor's memory, a tape does not see.
"""


class Tape:
    """A recorder (`onset.models.engine.fixed.Recorder`): nothing of Python runs again when the tape is played, and an
    operation finds its inputs and leaves its result where it did.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self.recorded = 0
        self.played = 0

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        head = _Head()
        with mock.patch("torch.cuda.is_current_stream_capturing", return_value=True), head:
            run()
        self.recorded += 1

        def play() -> None:
            self.played += 1
            with torch.no_grad():
                for operation, args, given, results in head.done:
                    again = tree_leaves(operation(*args, **given))
                    for old, new in zip(results, again, strict=True):
                        if isinstance(old, Tensor) and not _memory(old) <= _memory((args, given)):
                            old.copy_(new)

        return play


class _Head(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Any, Any, Any, list[Any]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).rpartition(".")[0]
        chosen = args[1] if name.startswith("aten.index") else ()
        masks = [
            one for one in tree_leaves(chosen) if isinstance(one, Tensor) and one.dtype in (torch.bool, torch.uint8)
        ]
        if name in NEEDS_A_NUMBER or masks:
            raise RuntimeError(f"not permitted in a recording: {func}")
        result = func(*args, **(kwargs or {}))
        self.done.append((func, args, kwargs or {}, tree_leaves(result)))
        return result


def _memory(inside: Any) -> set[int]:
    """The pieces of memory that tensors in a structure lie in."""
    return {one.untyped_storage().data_ptr() for one in tree_leaves(inside) if isinstance(one, Tensor)} - {0}
