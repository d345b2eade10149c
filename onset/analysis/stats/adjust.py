"""What counts as shown: the level, the margin of equivalence, and p adjusted for how many tests were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

LEVEL = 0.95
"""Of every interval, unless it says another."""
ALPHA = 1 - LEVEL
MARGIN = 0.05
"""Differences of shares below it count as equivalent, unless a study says another."""


def holm(values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjusted p-values, in the order given."""
    order = sorted((p, index) for index, p in enumerate(values))
    adjusted = [1.0] * len(values)
    largest = 0.0
    for rank, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        adjusted[index] = largest
    return adjusted


def benjamini_hochberg(values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's (1995) adjusted p-values (q), in the order given: the false discovery rate at which each
    one would just be rejected.
    """
    order = np.argsort(values)
    scaled = np.array(values, dtype=np.float64)[order] * (len(values) / np.arange(1, len(values) + 1))
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return [float(q) for q in np.clip(adjusted, 0, 1)]


class Tailed(Protocol):
    """An estimate that knows its tails."""

    def tail(self, value: float, *, above: bool) -> float:
        """One-sided p of the hypothesis that the truth lies at ``value`` or beyond (``above`` or below it)."""
        ...


def two_one_sided(made: Tailed, margin: float) -> float:
    """P of equivalence within ``margin``: the larger of two one-sided tests (Schuirmann 1987)."""
    return max(made.tail(-margin, above=False), made.tail(margin, above=True))
