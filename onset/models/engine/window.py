"""Sliding windows: in some layers a query sees only the last ``window`` keys, itself included.

Positions count from the prompt's first token, whatever part of the keys a token is stored in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class View:
    """What queries see of shared keys: nobody sees any before index ``first``; from there on, ``mask`` [queries, keys]
    is added to the scores (None: all see all), and ``sees_nothing`` [queries] marks who sees none (None: nobody).
    """

    first: int = 0
    mask: Tensor | None = None
    sees_nothing: Tensor | None = None

    def of(self, queries: Tensor) -> View:
        """The same for queries [n] that these numbers stand for, in that order and as often as they are named."""
        if self.mask is None or self.sees_nothing is None:
            return self
        return View(self.first, self.mask[queries], self.sees_nothing[queries])


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions of queries, [queries], none of them below ``lowest`` or above ``highest`` (known without asking the
    device).
    """

    values: Tensor
    lowest: int
    highest: int

    @classmethod
    def of(cls, at: NDArray[np.int64], device: torch.device) -> Positions:
        """Those of ``at`` [queries], on ``device``."""
        return cls(torch.from_numpy(at).to(device), int(at.min()), int(at.max()))


def view(positions: Positions, start: int, length: int, window: int | None, dtype: torch.dtype) -> View:
    """What queries at ``positions`` see of keys at positions ``start`` to ``start + length``, all of them earlier,
    when each sees only keys less than ``window`` before it (None: all).
    """
    if window is None:
        return View()
    # A query at p sees keys from p - window + 1 on.
    first = min(max(0, positions.lowest - window + 1 - start), length - 1)
    if positions.highest - window + 1 - start <= first:
        return View(first)
    places = torch.arange(start + first, start + length, device=positions.values.device)
    seen = places[None, :] > (positions.values - window)[:, None]
    return only(seen, dtype, first)


def only(seen: Tensor, dtype: torch.dtype, first: int = 0) -> View:
    """The view of queries that of the keys from ``first`` on see those that ``seen`` [queries, keys] says."""
    return View(first, hidden(~seen, dtype), ~seen.any(-1))


def hidden(unseen: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask to be added to scores: -inf where ``unseen``, else 0."""
    return torch.zeros(unseen.shape, dtype=dtype, device=unseen.device).masked_fill_(unseen, -torch.inf)


def near(tokens: int, window: int, device: torch.device) -> Tensor:
    """[tokens, tokens], True where a token sees another of its text: not later, and less than ``window`` before."""
    order = torch.arange(tokens, device=device)
    behind = order[:, None] - order[None, :]
    seen: Tensor = (behind >= 0) & (behind < window)
    return seen
