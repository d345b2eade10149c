"""How many rows run together, and what happens when the memory is not enough after all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from onset.models.choosing import LOGIT_CELLS
from onset.models.engine.storage import Shape

PACKED = 512
"""Tokens of prompts run in one pass, unless a single prompt has more."""

MOST_ROWS = 256
"""Most rows in a batch: more do not make a step cheaper for each."""

_FREE_SHARE = 0.8
"""Share of a GPU's free memory that keys and values may take."""


def budget(tokens: int, shape: Shape) -> int:
    """The tokens whose keys and values may be held: ``tokens``, what the user allows, or what a GPU has room for."""
    if shape.device.type != "cuda":
        return tokens
    free, _ = torch.cuda.mem_get_info(shape.device)
    free += torch.cuda.memory_reserved(shape.device) - torch.cuda.memory_allocated(shape.device)
    return max(1, min(tokens, int(_FREE_SHARE * free) // shape.bytes_per_token))


def rows_that_fit(room: int, places: int, vocabulary: int) -> int:
    """Rows of ``places`` tokens in ``room`` tokens; at least one, which then runs alone over the budget."""
    return max(1, min(room // places, LOGIT_CELLS // vocabulary, MOST_ROWS))


def sections(needs: Sequence[int], fit: Callable[[int], int]) -> list[slice]:
    """Cut rows, sorted by rising ``needs`` (tokens), into sections that run one after the other; ``fit``: rows that
    fit together when the longest needs that many tokens.

    Slots of one batch are all as long as the longest needs. A section for the shorter rows lets more of them run
    together, and costs one more tail, in which the last rows of a section run in an emptying batch: about what one
    full batch takes. So a cut must save more than one batch.
    """
    found: list[slice] = []
    end = len(needs)
    while end:
        wide = fit(needs[end - 1])
        saved = [(cut / wide - cut / fit(needs[cut - 1]), cut) for cut in _steps(needs[:end])]
        gain, cut = max(saved, default=(0.0, 0))
        start = cut if gain > 1 else 0
        found.append(slice(start, end))
        end = start
    return found[::-1]


def _steps(needs: Sequence[int]) -> list[int]:
    """Places where sorted needs rise."""
    return [place for place in range(1, len(needs)) if needs[place] > needs[place - 1]]


def is_out_of_memory(error: BaseException) -> bool:
    """Did torch raise ``error`` because memory ran out (on a CPU it has no class of its own)?"""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
