"""Curve families: accuracy against size, as small classes.

Every family is a line in one shape function of the size,

    p(x) = low + (high - low) * T(x; shape),      x = log10 of parameters or FLOPs (or the negative loss, see `place`)

so that, given the shape (a slope and a midpoint, say), accuracy is linear in two numbers. Fitting then is a search over
few shapes with an exact inner solution, the variable projection of Golub and Pereyra (1973, "The Differentiation of
Pseudo-Inverses and Nonlinear Least Squares Problems Whose Variables Separate", SIAM J. Numer. Anal. 10), here with the
likelihood of counts (`onset.analysis.curves.fitting`).

A family says: its name, its parameters with their units, `unit` (the shape function before it is scaled), `grid` (the
shapes a fit starts from), `bounds`, `make` (the curve with given ends) and, on the curve made, a call. `guess` is a
start for other optimisers.

Sources: logistic in log size with the chance level as floor (Wichmann and Hill 2001, "The psychometric function: I",
Perception & Psychophysics 63, 1293-1313, equation 1: the guess rate is the floor); hinge (Muggeo 2003, "Estimating
regression models with unknown break-points", Statistics in Medicine 22, 3055-3071); power law of the error (Hestness et
al. 2017, "Deep Learning Scaling is Predictable, Empirically", arXiv 1712.00409, equation 1); smoothly broken power law
(Caballero et al. 2022, "Broken Neural Scaling Laws", arXiv 2210.14891, equation 1 with one break); a power law of the
log-probability, p = exp(-A N^-a) (Hu et al. 2023, "Predicting Emergent Abilities with Infinite Resolution Evaluation",
arXiv 2310.03262; Schaeffer et al. 2023, "Are Emergent Abilities of Large Language Models a Mirage?", arXiv 2304.15004).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis.curves.series import Scale
from onset.errors import InputError

Array = NDArray[np.float64]

STEEPEST = 60.0
"""The steepest logistic told apart from a step, in log-odds per decade: nine tenths of its rise within .1 decades."""

KAPLAN = 0.076
"""Loss falls as N^-0.076 with parameters N: Kaplan et al. 2020 (arXiv 2001.08361), equation 1.1."""


def place(sizes: Sequence[float] | Array, scale: Scale = "params") -> Array:
    """Sizes on the axis of the fits: decades, growing with the model.

    Parameters and FLOPs: log10. Pretraining loss L (nats): -log10(L) / 0.076, the decades of parameters that the law
    of Kaplan et al. gives for it, so that one bound on steepness serves all three. Raises InputError for sizes <= 0.
    """
    values = np.asarray(sizes, dtype=np.float64)
    if not (values > 0).all():
        raise InputError(f"size {values.min():g}: expected a number above 0")
    return -np.log10(values) / KAPLAN if scale == "loss" else np.log10(values)


def unplace(x: float, scale: Scale = "params") -> float:
    """The size at a place: the inverse of `place`."""
    return float(10 ** (-x * KAPLAN if scale == "loss" else x))


class Curve(Protocol):
    """What all families share; instances are curves with their parameters as fields."""

    name: ClassVar[str]
    free: ClassVar[int]
    """Free parameters, the two ends included."""
    asymptotic: ClassVar[bool]
    """Does `unit` run from 0 (no size) to 1 (unlimited size)? Then the ends are floor and ceiling."""

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        """The shape function at places ``x`` (X,) for each row of ``shape`` (G, P): (G, X), before scaling."""
        ...

    @classmethod
    def grid(cls, x: Array) -> Array:
        """Shapes to start from for sizes at places ``x``, ascending: (G, P)."""
        ...

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        """Lowest and highest value of each shape parameter."""
        ...

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        """The curve offset + factor * unit."""
        ...

    def __call__(self, x: Array | Sequence[float]) -> Array:
        """Accuracy at places ``x``."""
        ...


def guess(family: type[Curve], x: Array, share: Array) -> Array:
    """The shape of ``family`` nearest to shares at places ``x`` in least squares: a start for other optimisers."""
    shapes = family.grid(x)
    units = family.unit(x, shapes)
    centred = units - units.mean(axis=1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=1))
    score = np.abs(centred @ (share - share.mean())) / np.where(norm > 0, norm, 1)
    best: Array = shapes[int(score.argmax())]
    return best


def _table(*axes: Sequence[float] | Array) -> Array:
    return np.array(list(product(*axes)), dtype=np.float64).reshape(-1, len(axes))


def _between(x: Array, *, below: float = 0.0, above: float = 0.0, step: float) -> Array:
    low, high = float(x.min()) - below, float(x.max()) + above
    return np.linspace(low, high, max(2, math.ceil((high - low) / step) + 1))


@dataclass(frozen=True, slots=True)
class Constant:
    """``level``: the same share at every size."""

    level: float
    name: ClassVar[str] = "constant"
    free: ClassVar[int] = 1
    asymptotic: ClassVar[bool] = False

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        return np.zeros((len(shape), len(x)))

    @classmethod
    def grid(cls, x: Array) -> Array:
        return np.zeros((1, 0))

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return []

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(offset)

    def __call__(self, x: Array | Sequence[float]) -> Array:
        return np.full(len(x), self.level)


@dataclass(frozen=True, slots=True)
class LogLinear:
    """``at_one`` (share at x = 0, i.e. one parameter) and ``slope`` (share per decade)."""

    at_one: float
    slope: float
    name: ClassVar[str] = "log-linear"
    free: ClassVar[int] = 2
    asymptotic: ClassVar[bool] = False

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        return np.repeat(x[None, :], len(shape), axis=0)

    @classmethod
    def grid(cls, x: Array) -> Array:
        return np.zeros((1, 0))

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return []

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(offset, factor)

    def __call__(self, x: Array | Sequence[float]) -> Array:
        return self.at_one + self.slope * np.asarray(x, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Logistic:
    """``floor`` and ``ceiling`` (shares), ``slope`` (log-odds per decade), ``midpoint`` (place)."""

    floor: float
    ceiling: float
    slope: float
    midpoint: float
    name: ClassVar[str] = "logistic"
    free: ClassVar[int] = 4
    asymptotic: ClassVar[bool] = True

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        out: Array = special.expit(shape[:, :1] * (x[None, :] - shape[:, 1:2]))
        return out

    @classmethod
    def grid(cls, x: Array) -> Array:
        return cls.between(x, 0.25, STEEPEST / 2)

    @classmethod
    def between(cls, x: Array, lowest: float, steepest: float, count: int = 12) -> Array:
        """Shapes of slopes from ``lowest`` to ``steepest``; the midpoints reach beyond the sizes at both ends."""
        rows = []
        for slope in np.geomspace(lowest, steepest, count):
            # three log-odds beyond the last size a twentieth of the rise is visible
            beyond = min(3.0 / slope, 2.0)
            rows.append(
                _table(
                    [slope], _between(x, below=min(beyond, 1.0), above=beyond, step=min(0.25, max(1.0 / slope, 0.08)))
                )
            )
        return np.concatenate(rows)

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return [(1e-3, STEEPEST), (float(x.min()) - 2, float(x.max()) + 2)]

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(offset, offset + factor, float(shape[0]), float(shape[1]))

    def __call__(self, x: Array | Sequence[float]) -> Array:
        rise = special.expit(self.slope * (np.asarray(x, dtype=np.float64) - self.midpoint))
        out: Array = self.floor + (self.ceiling - self.floor) * rise
        return out


@dataclass(frozen=True, slots=True)
class Hinge:
    """``base`` (share) up to ``break_at`` (place), then ``slope`` (share per decade)."""

    base: float
    slope: float
    break_at: float
    name: ClassVar[str] = "hinge"
    free: ClassVar[int] = 3
    asymptotic: ClassVar[bool] = False

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        return np.maximum(x[None, :] - shape[:, :1], 0.0)

    @classmethod
    def grid(cls, x: Array) -> Array:
        # at least two sizes before the break; the last size alone may be past it
        edges = np.unique(x)
        return _table(np.concatenate([np.linspace(a, b, 5)[:-1] for a, b in pairwise(edges[1:])]))

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return [(float(np.unique(x)[1]), float(x.max()))]

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(offset, factor, float(shape[0]))

    def __call__(self, x: Array | Sequence[float]) -> Array:
        return self.base + self.slope * np.maximum(np.asarray(x, dtype=np.float64) - self.break_at, 0.0)


@dataclass(frozen=True, slots=True)
class Step:
    """``before`` and ``after`` (shares) ``at`` a place: the middle of a gap between two sizes, all that data say."""

    before: float
    after: float
    at: float
    name: ClassVar[str] = "step"
    free: ClassVar[int] = 3
    asymptotic: ClassVar[bool] = False

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        return (x[None, :] >= shape[:, :1]).astype(np.float64)

    @classmethod
    def grid(cls, x: Array) -> Array:
        edges = np.unique(x)
        return _table((edges[1:] + edges[:-1]) / 2)

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return [(float(x.min()), float(x.max()))]

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(offset, offset + factor, float(shape[0]))

    def __call__(self, x: Array | Sequence[float]) -> Array:
        return np.where(np.asarray(x, dtype=np.float64) >= self.at, self.after, self.before)


@dataclass(frozen=True, slots=True)
class ErrorPowerLaw:
    """Error = ``irreducible`` + ``at_smallest`` * 10^(-``exponent`` (x - ``smallest``)): shares, exponent of size."""

    irreducible: float
    at_smallest: float
    exponent: float
    smallest: float
    name: ClassVar[str] = "power law of the error"
    free: ClassVar[int] = 3
    asymptotic: ClassVar[bool] = False

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        out: Array = -(10.0 ** (-shape[:, :1] * (x[None, :] - shape[:, 1:2])))
        return out

    @classmethod
    def grid(cls, x: Array) -> Array:
        return _table(np.geomspace(0.02, 3, 16), [float(x.min())])

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return [(1e-3, 10.0), (float(x.min()), float(x.min()))]

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(1 - offset, factor, float(shape[0]), float(shape[1]))

    def __call__(self, x: Array | Sequence[float]) -> Array:
        gone = 10.0 ** (-self.exponent * (np.asarray(x, dtype=np.float64) - self.smallest))
        out: Array = 1 - self.irreducible - self.at_smallest * gone
        return out


@dataclass(frozen=True, slots=True)
class BrokenPowerLaw:
    """Error = ``limit`` + ``scale`` * S(x); S = N^-c0 (1 + (N/d)^(1/f))^(-c1 f), N = 10^(x - ``smallest``).

    ``first`` c0 and ``change`` c1: exponents before the break and by how much they grow; ``break_at``: place of d;
    ``width`` f: how smooth the break is (natural log of size).
    """

    limit: float
    scale: float
    first: float
    change: float
    break_at: float
    width: float
    smallest: float
    name: ClassVar[str] = "smoothly broken power law"
    free: ClassVar[int] = 6
    asymptotic: ClassVar[bool] = False

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        first, change, at, width, smallest = (shape[:, [i]] for i in range(5))
        past = np.logaddexp(0.0, math.log(10) * (x[None, :] - at) / width)
        out: Array = -np.exp(-math.log(10) * first * (x[None, :] - smallest) - change * width * past)
        return out

    @classmethod
    def grid(cls, x: Array) -> Array:
        breaks = np.linspace(float(x.min()), float(x.max()), 11)[1:-1]
        changes = [-0.6, -0.2, 0.15, 0.4, 0.8, 1.6, 4.0]
        return _table([0.0, 0.03, 0.1, 0.3], changes, breaks, [0.1, 0.3, 1.0], [float(x.min())])

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        low, high = float(x.min()), float(x.max())
        return [(0.0, 5.0), (-5.0, 10.0), (low, high), (0.05, 3.0), (low, low)]

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(1 - offset, factor, *(float(value) for value in shape))

    def __call__(self, x: Array | Sequence[float]) -> Array:
        shape = np.array([[self.first, self.change, self.break_at, self.width, self.smallest]])
        out: Array = 1 - self.limit + self.scale * self.unit(np.asarray(x, dtype=np.float64), shape)[0]
        return out


@dataclass(frozen=True, slots=True)
class Quadratic:
    """``vertex`` (share) at place ``at``, plus ``curvature`` (share per squared decade): U-shaped above 0."""

    vertex: float
    curvature: float
    at: float
    name: ClassVar[str] = "quadratic"
    free: ClassVar[int] = 3
    asymptotic: ClassVar[bool] = False

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        return (x[None, :] - shape[:, :1]) ** 2

    @classmethod
    def grid(cls, x: Array) -> Array:
        return _table(_between(x, below=1.0, above=1.0, step=0.2))

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return [(float(x.min()) - 3, float(x.max()) + 3)]

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(offset, factor, float(shape[0]))

    def __call__(self, x: Array | Sequence[float]) -> Array:
        return self.vertex + self.curvature * (np.asarray(x, dtype=np.float64) - self.at) ** 2


@dataclass(frozen=True, slots=True)
class LossPowerLaw:
    """floor + (ceiling - floor) * exp(-A), A = 10^(-``exponent`` (x - ``unit_at``)): a loss that falls as a power law.

    Not offered as a description of its own: it is the smooth curve that looks sharp under exact match.
    """

    floor: float
    ceiling: float
    exponent: float
    unit_at: float
    name: ClassVar[str] = "power law of the log-probability"
    free: ClassVar[int] = 4
    asymptotic: ClassVar[bool] = True

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        out: Array = np.exp(-(10.0 ** (-shape[:, :1] * (x[None, :] - shape[:, 1:2]))))
        return out

    @classmethod
    def grid(cls, x: Array) -> Array:
        return cls.up_to(x, 0.3)

    @classmethod
    def up_to(cls, x: Array, exponent: float) -> Array:
        """Shapes with exponents up to ``exponent``; A at the largest size runs from 0.05 to 6."""
        rows = []
        for one in (exponent, exponent / 2, exponent / 4):
            for last in np.geomspace(0.05, 6.0, 10):
                rows.append((one, float(x.max()) + math.log10(last) / one))
        return np.array(rows)

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return [(1e-3, 1.0), (float(x.min()) - 20, float(x.max()) + 20)]

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(offset, offset + factor, float(shape[0]), float(shape[1]))

    def __call__(self, x: Array | Sequence[float]) -> Array:
        shape = np.array([[self.exponent, self.unit_at]])
        out: Array = self.floor + (self.ceiling - self.floor) * self.unit(np.asarray(x, dtype=np.float64), shape)[0]
        return out


@dataclass(frozen=True, slots=True)
class Ramp:
    """``floor`` up to ``start`` (place), a straight line over ``width`` decades, then ``ceiling`` (shares).

    Not offered as a description of its own: it is a curve that leaves its floor at once and not by a long tail, as a
    logistic does.
    """

    floor: float
    ceiling: float
    start: float
    width: float
    name: ClassVar[str] = "ramp"
    free: ClassVar[int] = 4
    asymptotic: ClassVar[bool] = True

    @classmethod
    def unit(cls, x: Array, shape: Array) -> Array:
        out: Array = np.clip((x[None, :] - shape[:, :1]) / shape[:, 1:2], 0.0, 1.0)
        return out

    @classmethod
    def grid(cls, x: Array) -> Array:
        # from the smallest size on: one that begins before it is a line, whose ends are the sizes
        widths = np.geomspace(0.1, max(2.0 * float(np.ptp(x)), 0.2), 10)
        return _table(_between(x, step=0.08)[:-1], widths)

    @classmethod
    def bounds(cls, x: Array) -> list[tuple[float, float]]:
        return [(float(x.min()), float(x.max())), (1e-2, 2.0 * float(np.ptp(x)))]

    @classmethod
    def make(cls, shape: Array, offset: float, factor: float) -> Self:
        return cls(offset, offset + factor, float(shape[0]), float(shape[1]))

    def __call__(self, x: Array | Sequence[float]) -> Array:
        rise = np.clip((np.asarray(x, dtype=np.float64) - self.start) / self.width, 0.0, 1.0)
        out: Array = self.floor + (self.ceiling - self.floor) * rise
        return out


FAMILIES: tuple[type[Curve], ...] = (
    Constant, LogLinear, Logistic, Hinge, Step, ErrorPowerLaw, BrokenPowerLaw, Quadratic,
)  # fmt: skip
"""The families a curve is described by (`best_family`), simplest first."""
