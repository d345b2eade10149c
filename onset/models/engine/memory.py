"""How many rows run together, and what happens when the memory is not enough after all."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache

import torch

from onset.models.choosing import LOGIT_CELLS
from onset.models.engine.storage import Block, Shape

PACKED = 1024
"""Tokens of prompts run in one pass, unless a single prompt has more."""

MOST_ROWS = 256
"""Most rows in a batch: more do not make a step cheaper for each."""

_BLOCK = 32
"""Slots of a block on a CPU: they have the same number of places and are read together, as far as the longest row among
them goes. Rows are put into slots by length, so neighbours differ little.
"""

_FREE_SHARE = 0.8
"""Share of a GPU's free memory that keys and values may take; passes, logits and recorded steps take of the rest."""


def budget(tokens: int, shape: Shape) -> int:
    """The tokens whose keys and values may be held: ``tokens``, what the user allows, or what a GPU has room for."""
    if shape.device.type != "cuda":
        return tokens
    free, _ = torch.cuda.mem_get_info(shape.device)
    free += torch.cuda.memory_reserved(shape.device) - torch.cuda.memory_allocated(shape.device)
    return max(1, min(tokens, int(_FREE_SHARE * free) // shape.bytes_per_token))


def most_rows(vocabulary: int) -> int:
    """Most rows in a batch whose logits have ``vocabulary`` columns."""
    return max(1, min(LOGIT_CELLS // vocabulary, MOST_ROWS))


def blocks(needs: Sequence[int], room: int, extra: int, most: int, device: torch.device) -> list[Block]:
    """Slots for rows that need so many places each, the largest need first: as many slots as fit ``room`` tokens, each
    slot taking ``extra`` tokens elsewhere, and ``most`` at most; at least one, which then runs alone over the budget.

    A block's slots are as long as its first row needs. So every row fits the slot it begins in, and any slot before it.
    """
    size = _BLOCK if device.type == "cpu" else most
    found: list[Block] = []
    first = offset = 0
    while first < min(len(needs), most):
        places = needs[first]
        rows = min(size, len(needs) - first, most - first, room // (places + extra))
        if rows < 1 and found:
            break
        found.append(Block(first, max(1, rows), places, offset))
        first += max(1, rows)
        offset += max(1, rows) * places
        room -= rows * (places + extra)
    return found


def sections(needs: Sequence[int], fit: Callable[[int], int]) -> list[slice]:
    """Cut rows, sorted by rising ``needs`` (tokens), into sections that run one after the other; ``fit``: slots that
    there is room for when the last row is that one (counted from 1).

    Slots of one batch are as long as the rows need that begin in them. A section for the shorter rows lets more of them
    run together, and costs one more tail, in which the last rows of a section run in an emptying batch: about what one
    full batch takes. So a cut must save more than one batch.
    """
    found: list[slice] = []
    end = len(needs)
    while end:
        wide = fit(end)
        saved = [(cut / wide - cut / fit(cut), cut) for cut in _steps(needs[:end])]
        gain, cut = max(saved, default=(0.0, 0))
        start = cut if gain > 1 else 0
        found.append(slice(start, end))
        end = start
    return found[::-1]


def _steps(needs: Sequence[int]) -> list[int]:
    """Places where sorted needs rise."""
    return [place for place in range(1, len(needs)) if needs[place] > needs[place - 1]]


def give_back(used: int) -> None:
    """Give the system what malloc keeps of memory that was freed, after a batch whose keys and values took ``used``
    bytes: with every call a little more of it would lie between blocks that are in use. Where that is not worth the
    hundredth of a second, or malloc has no such function (it is glibc's), nothing is done.
    """
    trim = _malloc_trim()
    if trim is not None and used >= _WORTH_TRIMMING:
        trim(0)


_WORTH_TRIMMING = 1 << 28


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return found


def is_out_of_memory(error: BaseException) -> bool:
    """Did torch raise ``error`` because memory ran out?"""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    # A CPU's allocator has no class of its own; CUDA's graphs ask for memory past torch's allocator.
    said = ("DefaultCPUAllocator", "CUDA error: out of memory")
    return isinstance(error, RuntimeError) and any(one in str(error) for one in said)
