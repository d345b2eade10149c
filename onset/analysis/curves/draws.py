"""Curves that the data allow, drawn in proportion to their likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onset.analysis.curves.fit import Shapes, solve
from onset.analysis.curves.likelihood import Data
from onset.analysis.curves.shapes import Array


@dataclass(frozen=True, eq=False)
class Draws:
    """Curves drawn in proportion to their likelihood, shape by shape, and around each shape's ends.

    A flat prior over the shapes of a grid, a normal approximation for (low, high) given the shape. ``cumulative``: of
    the shapes' weights, rows x shapes; ``low``, ``high`` and ``spread`` (three numbers of a Cholesky factor): their
    ends.
    """

    values: Array
    cumulative: Array
    low: Array
    high: Array
    spread: tuple[Array, Array, Array]
    bounded: bool

    @classmethod
    def of(cls, data: Data, shapes: Shapes) -> Draws:
        """From exact fits of all ``shapes``."""
        every = np.broadcast_to(shapes.values[None], (len(data.share), *shapes.values.shape))
        found, low, high = solve(data, every)
        weight = np.exp(found - found.max(axis=1, keepdims=True))
        cumulative = weight.cumsum(axis=1)
        precision = data.weight(low[:, :, None] + (high - low)[:, :, None] * every)
        uu, dd = (precision * every**2).sum(2), (precision * (1 - every) ** 2).sum(2)
        ud = (precision * every * (1 - every)).sum(2)
        det = np.maximum(uu * dd - ud**2, 1e-9)
        first = np.sqrt(uu / det)
        across = -ud / det / first
        second = np.sqrt(np.maximum(dd / det - across**2, 0.0))
        return cls(shapes.values, cumulative / cumulative[:, -1:], low, high, (first, across, second), data.bounded)

    def shares(self, row: int, times: int, generator: np.random.Generator) -> Array:
        """``times`` curves of one row at the sizes: times x sizes."""
        chosen = np.searchsorted(self.cumulative[row], generator.random(times))
        chosen = np.minimum(chosen, self.cumulative.shape[1] - 1)
        noise = generator.standard_normal((2, times))
        first, across, second = (part[row, chosen] for part in self.spread)
        low = self.low[row, chosen] + first * noise[0]
        high = self.high[row, chosen] + across * noise[0] + second * noise[1]
        if self.bounded:
            low, high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
        out: Array = low[:, None] + (np.maximum(high, low) - low)[:, None] * self.values[chosen]
        return out
