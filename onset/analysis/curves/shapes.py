"""Curve families: accuracy against size, as rows of one table.

Every family is a line in one shape function of the size,

    p(x) = offset + factor * unit(x; shape),      x = log10 of parameters or FLOPs (or the negative loss, see `place`)

so that, given the shape (a slope and a midpoint, say), accuracy is linear in two numbers. Fitting then is a search over
few shapes with an exact inner solution, the variable projection of Golub and Pereyra (1973, "The Differentiation of
Pseudo-Inverses and Nonlinear Least Squares Problems Whose Variables Separate", SIAM J. Numer. Anal. 10), here with the
likelihood of counts (`onset.analysis.curves.fit`).

A family is called with its parameters and gives a curve: ``Logistic(0.25, 0.9, 3.0, 8.5)`` rises from 25 % to 90 % by
3 log-odds a decade around 10^8.5 parameters.

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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis.curves.series import Scale
from onset.errors import InputError

Array = NDArray[np.float64]
Bounds = Sequence[tuple[float, float]]

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


@dataclass(frozen=True, eq=False)
class Family:
    """One row of the table.

    ``parameters``: the two ends and the shape, as a call takes them; ``free``: how many of them a fit finds; ``unit``:
    the shape function at places (X,) for each row of shapes (G, P): (G, X); ``grid``: shapes to start from for sizes at
    places, ascending: (G, P); ``bounds``: lowest and highest value of each parameter of the shape; ``ends``: (offset,
    factor) of the first two parameters; ``asymptotic``: does ``unit`` run from 0 (no size) to 1 (unlimited size)? Then
    the ends are floor and ceiling.
    """

    name: str
    parameters: tuple[str, ...]
    free: int
    unit: Callable[[Array, Array], Array]
    grid: Callable[[Array], Array]
    bounds: Callable[[Array], Bounds]
    ends: Callable[[float, float], tuple[float, float]]
    asymptotic: bool = False

    def __call__(self, first: float, *rest: float) -> Curve:
        """The curve with ``parameters``."""
        offset, factor = self.ends(first, rest[0] if rest else 0.0)
        return Curve(self, tuple(float(value) for value in rest[1:]), offset, factor)

    def make(self, shape: Array, offset: float, factor: float) -> Curve:
        """The curve ``offset`` + ``factor`` * unit."""
        return Curve(self, tuple(float(value) for value in shape), offset, factor)

    def scaled(self, x: Array, shape: Array) -> tuple[Array, Array, Array]:
        """(units within 0..1 at the sizes, what was taken off them, what they were divided by); shapes (..., P).

        Where the unit is `asymptotic` its ends are the curve's floor and ceiling and it is taken as it is, so that no
        fit implies a ceiling above 1 beyond the sizes.
        """
        rows = shape.reshape(math.prod(shape.shape[:-1]), shape.shape[-1])
        unit = self.unit(x, rows).reshape(*shape.shape[:-1], x.size)
        if self.asymptotic:
            return unit, np.zeros(unit.shape[:-1]), np.ones(unit.shape[:-1])
        low, span = unit.min(axis=-1), np.maximum(np.ptp(unit, axis=-1), 1e-9)
        return (unit - low[..., None]) / span[..., None], low, span

    def __reduce__(self) -> tuple[Callable[[str], Family], tuple[str]]:
        """A process that is handed a family has its own row of it."""
        return family_named, (self.name,)


@dataclass(frozen=True, slots=True)
class Curve:
    """``offset`` + ``factor`` * unit of one ``shape``."""

    family: Family
    shape: tuple[float, ...]
    offset: float
    factor: float

    @property
    def name(self) -> str:
        """That of the family."""
        return self.family.name

    @property
    def free(self) -> int:
        """That of the family."""
        return self.family.free

    @property
    def floor(self) -> float:
        """Where the unit is 0."""
        return self.offset

    @property
    def ceiling(self) -> float:
        """Where the unit is 1."""
        return self.offset + self.factor

    def __getitem__(self, parameter: str) -> float:
        """A parameter of the shape, by its name in the family: ``curve["slope"]``."""
        return self.shape[self.family.parameters[-len(self.shape) :].index(parameter)]

    def __call__(self, x: Array | Sequence[float]) -> Array:
        """Accuracy at places ``x``."""
        unit = self.family.unit(np.asarray(x, dtype=np.float64), np.array([self.shape]))[0]
        out: Array = self.offset + self.factor * unit
        return out


# ---- the first two parameters of a family: (offset, factor) ---------------------------------------------------------


def _level_and_rate(level: float, rate: float) -> tuple[float, float]:
    return level, rate


def _two_levels(low: float, high: float) -> tuple[float, float]:
    return low, high - low


def _error(limit: float, scale: float) -> tuple[float, float]:
    return 1 - limit, scale


# ---- shape functions ------------------------------------------------------------------------------------------------


def _level(x: Array, shape: Array) -> Array:
    return np.zeros((len(shape), len(x)))


def _line(x: Array, shape: Array) -> Array:
    return np.repeat(x[None, :], len(shape), axis=0)


def _logistic(x: Array, shape: Array) -> Array:
    out: Array = special.expit(shape[:, :1] * (x[None, :] - shape[:, 1:2]))
    return out


def _hinge(x: Array, shape: Array) -> Array:
    return np.maximum(x[None, :] - shape[:, :1], 0.0)


def _step(x: Array, shape: Array) -> Array:
    return (x[None, :] >= shape[:, :1]).astype(np.float64)


def _falling(x: Array, shape: Array) -> Array:
    out: Array = -(10.0 ** (-shape[:, :1] * (x[None, :] - shape[:, 1:2])))
    return out


def _broken(x: Array, shape: Array) -> Array:
    first, change, at, width, smallest = (shape[:, [i]] for i in range(5))
    past = np.logaddexp(0.0, math.log(10) * (x[None, :] - at) / width)
    out: Array = -np.exp(-math.log(10) * first * (x[None, :] - smallest) - change * width * past)
    return out


def _square(x: Array, shape: Array) -> Array:
    return (x[None, :] - shape[:, :1]) ** 2


def _loss(x: Array, shape: Array) -> Array:
    out: Array = np.exp(_falling(x, shape))
    return out


def _ramp(x: Array, shape: Array) -> Array:
    out: Array = np.clip((x[None, :] - shape[:, :1]) / shape[:, 1:2], 0.0, 1.0)
    return out


# ---- grids ----------------------------------------------------------------------------------------------------------


def _table(*axes: Sequence[float] | Array) -> Array:
    return np.array(list(product(*axes)), dtype=np.float64).reshape(-1, len(axes))


def _between(x: Array, *, below: float = 0.0, above: float = 0.0, step: float) -> Array:
    low, high = float(x.min()) - below, float(x.max()) + above
    return np.linspace(low, high, max(2, math.ceil((high - low) / step) + 1))


def _single(x: Array) -> Array:
    return np.zeros((1, 0))


def logistics(x: Array, lowest: float, steepest: float, count: int = 12) -> Array:
    """Logistics of slopes from ``lowest`` to ``steepest``; the midpoints reach beyond the sizes at both ends."""
    rows = []
    for slope in np.geomspace(lowest, steepest, count):
        # three log-odds beyond the last size a twentieth of the rise is visible
        beyond = min(3.0 / slope, 2.0)
        middles = _between(x, below=min(beyond, 1.0), above=beyond, step=min(0.25, max(1.0 / slope, 0.08)))
        rows.append(_table([slope], middles))
    return np.concatenate(rows)


def loss_power_laws(x: Array, exponent: float) -> Array:
    """Power laws of the log-probability with exponents up to ``exponent``; A at the largest size from 0.05 to 6."""
    return np.array(
        [
            (one, float(x.max()) + math.log10(last) / one)
            for one in (exponent, exponent / 2, exponent / 4)
            for last in np.geomspace(0.05, 6.0, 10)
        ]
    )


def _hinges(x: Array) -> Array:
    # at least two sizes before the break; the last size alone may be past it
    edges = np.unique(x)
    return _table(np.concatenate([np.linspace(a, b, 5)[:-1] for a, b in pairwise(edges[1:])]))


def _steps(x: Array) -> Array:
    edges = np.unique(x)
    return _table((edges[1:] + edges[:-1]) / 2)


def _breaks(x: Array) -> Array:
    places = np.linspace(float(x.min()), float(x.max()), 11)[1:-1]
    changes = [-0.6, -0.2, 0.15, 0.4, 0.8, 1.6, 4.0]
    return _table([0.0, 0.03, 0.1, 0.3], changes, places, [0.1, 0.3, 1.0], [float(x.min())])


def _ramps(x: Array) -> Array:
    # from the smallest size on: one that begins before it is a line, whose ends are the sizes
    widths = np.geomspace(0.1, max(2.0 * float(np.ptp(x)), 0.2), 10)
    return _table(_between(x, step=0.08)[:-1], widths)


def _around(x: Array, beyond: float = 0.0) -> tuple[float, float]:
    return float(x.min()) - beyond, float(x.max()) + beyond


# ---- the table ------------------------------------------------------------------------------------------------------

Constant = Family("constant", ("level",), 1, _level, _single, lambda x: (), _level_and_rate)
"""The same share at every size."""

LogLinear = Family("log-linear", ("at one", "slope"), 2, _line, _single, lambda x: (), _level_and_rate)
"""Share at x = 0, i.e. one parameter, and share per decade."""

Logistic = Family(
    "logistic", ("floor", "ceiling", "slope", "midpoint"), 4, _logistic,
    lambda x: logistics(x, 0.25, STEEPEST / 2), lambda x: ((1e-3, STEEPEST), _around(x, 2.0)), _two_levels,
    asymptotic=True,
)  # fmt: skip
"""Shares, log-odds per decade, place."""

Hinge = Family(
    "hinge", ("base", "slope", "break at"), 3, _hinge, _hinges,
    lambda x: ((float(np.unique(x)[1]), float(x.max())),), _level_and_rate,
)  # fmt: skip
"""``base`` (share) up to a place, then ``slope`` (share per decade)."""

Step = Family("step", ("before", "after", "at"), 3, _step, _steps, lambda x: (_around(x),), _two_levels)
"""Shares, and a place: the middle of a gap between two sizes, all that data say."""

ErrorPowerLaw = Family(
    "power law of the error", ("irreducible", "at smallest", "exponent", "smallest"), 3, _falling,
    lambda x: _table(np.geomspace(0.02, 3, 16), [float(x.min())]),
    lambda x: ((1e-3, 10.0), (float(x.min()), float(x.min()))), _error,
)  # fmt: skip
"""Error = ``irreducible`` + ``at smallest`` * 10^(-``exponent`` (x - ``smallest``)): shares, exponent of size."""

BrokenPowerLaw = Family(
    "smoothly broken power law", ("limit", "scale", "first", "change", "break at", "width", "smallest"), 6, _broken,
    _breaks,
    lambda x: ((0.0, 5.0), (-5.0, 10.0), _around(x), (0.05, 3.0), (float(x.min()), float(x.min()))), _error,
)  # fmt: skip
"""Error = ``limit`` + ``scale`` * S(x); S = N^-c0 (1 + (N/d)^(1/f))^(-c1 f), N = 10^(x - ``smallest``).

``first`` c0 and ``change`` c1: exponents before the break and by how much they grow; ``break at``: place of d;
``width`` f: how smooth the break is (natural log of size).
"""

Quadratic = Family(
    "quadratic", ("vertex", "curvature", "at"), 3, _square,
    lambda x: _table(_between(x, below=1.0, above=1.0, step=0.2)), lambda x: (_around(x, 3.0),), _level_and_rate,
)  # fmt: skip
"""``vertex`` (share) at a place, plus ``curvature`` (share per squared decade): U-shaped above 0."""

LossPowerLaw = Family(
    "power law of the log-probability", ("floor", "ceiling", "exponent", "unit at"), 4, _loss,
    lambda x: loss_power_laws(x, 0.3), lambda x: ((1e-3, 1.0), _around(x, 20.0)), _two_levels, asymptotic=True,
)  # fmt: skip
"""floor + (ceiling - floor) * exp(-A), A = 10^(-``exponent`` (x - ``unit at``)): a loss that falls as a power law.

Not offered as a description of its own: it is the smooth curve that looks sharp under exact match.
"""

Ramp = Family(
    "ramp", ("floor", "ceiling", "start", "width"), 4, _ramp, _ramps,
    lambda x: (_around(x), (1e-2, 2.0 * float(np.ptp(x)))), _two_levels, asymptotic=True,
)  # fmt: skip
"""``floor`` up to ``start`` (place), a straight line over ``width`` decades, then ``ceiling`` (shares).

Not offered as a description of its own: it is a curve that leaves its floor at once and not by a long tail, as a
logistic does.
"""

FAMILIES: tuple[Family, ...] = (
    Constant, LogLinear, Logistic, Hinge, Step, ErrorPowerLaw, BrokenPowerLaw, Quadratic,
)  # fmt: skip
"""The families a curve is described by (`best_family`), simplest first."""


_NAMED = {one.name: one for one in (*FAMILIES, LossPowerLaw, Ramp)}


def family_named(name: str) -> Family:
    """The row of the table with this name. Raises KeyError for no such row."""
    return _NAMED[name]
