"""What curves a set of points allows beyond the largest size: draws from a likelihood-weighted ensemble.

Bayesian model averaging (Hoeting, Madigan, Raftery and Volinsky 1999, "Bayesian Model Averaging: A Tutorial",
Statistical Science 14, 382-417) over the smooth families of `onset.analysis.curves.shapes` and one more, each with an
equal share before the data:

* constant, log-linear, logistic with free floor and ceiling, hinge, power law of the error, power law of the
  log-probability. Before the data a family's shapes are equally likely and its two ends lie anywhere in 0..1, a fall
  being one to nine against a rise;
* a random walk with drift over log size (a local level: Harvey 1989, "Forecasting, Structural Time Series Models and
  the Kalman Filter", section 2.3), for curves that wander: its forecast without drift is persistence.

Every family is fitted with several amounts of scatter between models of one size (training runs differ), which are
averaged over as well. Evidence: for the walk, a forward pass over a grid of shares; for the constant, a sum over its
level; for the other families importance sampling of (shape, ends) around each shape's exact fit. Nothing here is fitted
to any real curve: the numbers below are priors, and `benchmarks/forecast_backtest.py` shows what they do on simulated
ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from onset.analysis.curves.fit import Shapes, solve
from onset.analysis.curves.likelihood import Counts, Data, Scores, constant_fit
from onset.analysis.curves.shapes import (
    Array,
    Constant,
    ErrorPowerLaw,
    Family,
    Hinge,
    Logistic,
    LogLinear,
    LossPowerLaw,
)

SCATTER = (0.0, 0.003, 0.01, 0.03, 0.1)
"""Intra-size correlation for counts; for scores, standard deviation in units of the range of the scores."""
_SCATTER_PRIOR = np.array([0.4, 0.2, 0.2, 0.15, 0.05])
RISES = 0.9
"""Before the data: how likely a curve that is not constant rises."""
WALK = "random walk"
STEPS = (0.02, 0.05, 0.1, 0.2)
"""Standard deviations of the walk over one decade (its variance grows in proportion to decades)."""
DRIFTS = (-0.05, 0.0, 0.05, 0.1, 0.2)
"""Share per decade."""
_DRIFT_PRIOR = np.array([0.1, 0.5, 0.2, 0.1, 0.1])
_STATES = 161
_FAMILIES: tuple[Family, ...] = (LogLinear, Logistic, Hinge, ErrorPowerLaw, LossPowerLaw)
EQUAL: Mapping[str, float] = {family.name: 1.0 for family in _FAMILIES} | {Constant.name: 1.0, WALK: 1.0}
"""Prior weights of the families."""


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Draws (draws x places). ``expected``: the curve; ``model``: one model of that size, with scatter between models.

    ``weights``: posterior weight of each family; ``scatter``: posterior mean of the scatter (see `SCATTER`).
    """

    expected: Array
    model: Array
    weights: dict[str, float]
    scatter: float


def ensemble(
    data: Data,
    x: Array,
    further: Array,
    generator: np.random.Generator,
    *,
    draws: int = 4000,
    prior: Mapping[str, float] = EQUAL,
) -> Ensemble:
    """Draws of the curve at places ``further``, ascending, given one row of ``data`` at places ``x``, ascending.

    At least three different places are needed. ``prior``: weights of the families, at least one of them above 0; those
    absent are left out.
    """
    problem = _Problem.of(data, x, further)
    parts = []
    if any(prior.get(family.name) for family in _FAMILIES):
        parts.append(_smooth(problem, prior, 4 * draws, generator))
    if prior.get(Constant.name):
        parts.append(_level(problem, draws, generator))
    if prior.get(WALK):
        parts.append(_walk(problem, draws, generator))
    # the first kind's evidence holds its families' priors already
    log_weight = np.array([part.log_evidence + math.log(prior.get(part.name, 1.0)) for part in parts])
    weight = np.exp(log_weight - log_weight.max())
    chosen = generator.multinomial(draws, weight / weight.sum())
    picked = [part.pick(times, generator) for part, times in zip(parts, chosen, strict=True)]
    expected, scatter, names = (np.concatenate([one[i] for one in picked]) for i in range(3))
    known = sorted(set(names.tolist()), key=lambda name: (-int((names == name).sum()), name))
    return Ensemble(
        expected,
        problem.scattered(expected, scatter, generator),
        {name: float((names == name).mean()) for name in known},
        float(scatter.mean()),
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """One row of data, repeated for each amount of scatter; ``low`` and ``high``: what is possible before the data."""

    rows: Data
    constant: Array
    x: Array
    further: Array
    low: float
    high: float
    scatter: Array

    @classmethod
    def of(cls, data: Data, x: Array, further: Array) -> _Problem:
        take = np.zeros(len(SCATTER), dtype=np.intp)
        rows = data.take(take)
        if isinstance(rows, Counts):
            scatter = np.array(SCATTER)
            return cls(Counts(rows.right, rows.n, scatter), np.zeros(len(take)), x, further, 0.0, 1.0, scatter)
        spread = max(float(np.ptp(rows.value[0])), 2 * float(np.median(rows.error[0])))
        scatter = spread * np.array(SCATTER)
        wide = Scores(rows.value, np.sqrt(rows.error**2 + scatter[:, None] ** 2))
        # twice the range that was seen, at either side
        low, high = float(rows.value.min()) - 2 * spread, float(rows.value.max()) + 2 * spread
        return cls(wide, -np.log(wide.error).sum(axis=1), x, further, low, high, scatter)

    @property
    def width(self) -> float:
        return self.high - self.low

    def likelihood(self, p: Array) -> Array:
        """Log-likelihood of shares ``p`` (scatter x fits x sizes): scatter x fits."""
        return self.rows.log_likelihood(p) + self.constant[:, None]

    def scattered(self, expected: Array, scatter: Array, generator: np.random.Generator) -> Array:
        """What one model has where the curve is at ``expected`` (draws x places); ``scatter``: of each draw."""
        amount = np.broadcast_to(scatter[:, None], expected.shape)
        if not isinstance(self.rows, Counts):
            return expected + amount * generator.standard_normal(expected.shape)
        size = (1 - amount) / np.maximum(amount, 1e-9)
        drawn = generator.beta(np.maximum(expected * size, 1e-6), np.maximum((1 - expected) * size, 1e-6))
        return np.where(amount > 0, drawn, expected)


@dataclass(frozen=True, eq=False)
class _Part:
    """Candidates of some families: ``expected`` (candidates x places), ``scatter``, ``names``, ``probability``."""

    name: str
    log_evidence: float
    expected: Array
    scatter: Array
    names: np.ndarray[tuple[int], np.dtype[np.str_]]
    probability: Array | None = None

    def pick(
        self, times: int, generator: np.random.Generator
    ) -> tuple[Array, Array, np.ndarray[tuple[int], np.dtype[np.str_]]]:
        rows = generator.choice(len(self.expected), times, p=self.probability)
        return self.expected[rows], self.scatter[rows], self.names[rows]


# ---- families with a shape and two ends -----------------------------------------------------------------------------


_CLOSE, _ENOUGH, _SPLITS = 4.0, 6, 5
"""A family is resolved where at least so many shapes lie within so many nats of its best; at most so many rounds."""
_THIRDS = (-2 / 3, 0.0, 2 / 3)


def _shapes(problem: _Problem, prior: Mapping[str, float]) -> tuple[Shapes, Array]:
    """All shapes and their prior probabilities (sum: that of the families).

    With many items a grid is too coarse for its family to be judged by: the cells of its best shapes are then split
    into thirds, with their prior, until several shapes explain the data about equally well.
    """
    x = problem.x
    wanted = [family for family in _FAMILIES if prior.get(family.name)]
    parts, masses = [], []
    for family in wanted:
        table = family.grid(x)
        first = table[:, 0] if table.shape[1] else np.zeros(len(table))
        # a steep logistic has more places to be at: slopes are equally likely, and then places
        values, inverse, count = np.unique(first, return_inverse=True, return_counts=True)
        table, mass = _resolved(problem, family, table, 1 / (len(values) * count[inverse]))
        parts.append((family, table))
        masses.append(prior[family.name] * mass)
    shapes = Shapes.of(x, *parts)
    weight = np.concatenate(masses)
    # `Shapes` leaves out shapes that are level at all sizes
    unit = np.concatenate([family.unit(x, table) for family, table in parts])
    return shapes, weight[np.ptp(unit, axis=1) > 1e-6]


def _resolved(problem: _Problem, family: Family, table: Array, mass: Array) -> tuple[Array, Array]:
    """The grid of one family, split where the data tell its neighbours apart: (shapes, prior masses)."""
    if not table.shape[1]:
        return table, mass
    data = problem.rows.take(np.zeros(1, dtype=np.intp))
    size = np.ones(len(table))
    for _ in range(_SPLITS):
        found = solve(data, family.scaled(problem.x, table)[0][None], rising=False)[0][0]
        best = np.argsort(-found)[:_ENOUGH]
        if found[best[-1]] >= found[best[0]] - _CLOSE:
            break
        made = [_split(family, table[one], float(size[one]), problem.x) for one in best]
        rest = np.setdiff1d(np.arange(len(table)), best)
        counts = [len(one) for one in made]
        table = np.concatenate([table[rest], *made])
        mass = np.concatenate([mass[rest], np.repeat(mass[best] / counts, counts)])
        size = np.concatenate([size[rest], np.repeat(size[best] / 3, counts)])
    return table, mass


def _split(family: Family, shape: Array, size: float, x: Array) -> Array:
    """The thirds of a shape's cell, ``size`` times as wide as in its family's grid."""
    moves = size * np.array(_THIRDS)
    if family is Logistic:
        slope, middle = shape
        step = min(0.25, max(1 / slope, 0.08)) / 2
        return np.array([(slope * math.exp(0.22 * one), middle + step * two) for one in moves for two in moves])
    if family is LossPowerLaw:
        exponent, last = float(shape[0]), float(x.max())
        height = (float(shape[1]) - last) * exponent
        return np.array(
            [
                (exponent * math.exp(0.35 * one), last + (height + 0.115 * two) / (exponent * math.exp(0.35 * one)))
                for one in moves
                for two in moves
            ]
        )
    if family is Hinge:
        edges = np.unique(x)
        gap = int(np.clip(np.searchsorted(edges, shape[0], side="right"), 1, len(edges) - 1))
        return np.array([[shape[0] + float(edges[gap] - edges[gap - 1]) / 8 * one] for one in moves])
    return np.array([[shape[0] * math.exp(0.17 * one), *shape[1:]] for one in moves])


def _smooth(problem: _Problem, prior: Mapping[str, float], draws: int, generator: np.random.Generator) -> _Part:
    """Importance sampling of (scatter, shape, low, high) from normals around each shape's exact fit."""
    shapes, weight = _shapes(problem, prior)
    data, values = problem.rows, shapes.values
    every = np.broadcast_to(values[None], (len(SCATTER), *values.shape))
    found, low, high = solve(data, every, rising=False)
    first, across, second = _spread(problem, every, low, high)
    before = np.log(_SCATTER_PRIOR)[:, None] + np.log(weight)[None, :]
    laplace = found + problem.constant[:, None] + before + np.log(first * second)
    proposal = np.exp(laplace - laplace.max()).ravel()
    proposal = 0.98 * proposal / proposal.sum() + 0.02 / proposal.size
    index = generator.choice(proposal.size, draws, p=proposal)
    row, shape = np.divmod(index, len(shapes))
    noise = generator.standard_normal((2, draws))
    one = low[row, shape] + first[row, shape] * noise[0]
    two = high[row, shape] + across[row, shape] * noise[0] + second[row, shape] * noise[1]
    inside = (one >= problem.low) & (one <= problem.high) & (two >= problem.low) & (two <= problem.high)
    likelihood = np.full(draws, -np.inf)
    for amount in range(len(SCATTER)):
        rows = np.flatnonzero(inside & (row == amount))
        if rows.size:
            at = one[rows, None] + (two - one)[rows, None] * values[shape[rows]]
            part = data.take(np.array([amount]))
            likelihood[rows] = part.log_likelihood(at[None])[0] + problem.constant[amount]
    density = -0.5 * (noise**2).sum(axis=0) - math.log(2 * math.pi) - np.log(first * second)[row, shape]
    ends = math.log(2) + np.log(np.where(two >= one, RISES, 1 - RISES)) - 2 * math.log(problem.width)
    log_weight = likelihood + ends + before[row, shape] - np.log(proposal[index]) - density
    top = float(log_weight.max())
    mass = np.exp(log_weight - top)
    at = one[:, None] + (two - one)[:, None] * shapes.at(problem.further)[shape]
    return _Part(
        "",
        top + math.log(float(mass.mean())),
        np.clip(at, problem.low, problem.high),
        problem.scatter[row],
        np.array([family.name for family in shapes.family])[shape],
        mass / mass.sum(),
    )


def _spread(problem: _Problem, every: Array, low: Array, high: Array) -> tuple[Array, Array, Array]:
    """Cholesky factors of the ends' covariances (scatter x shapes): a little wide, no wider than what is possible."""
    precision = problem.rows.weight(low[:, :, None] + (high - low)[:, :, None] * every) / 1.5
    least = 6.0 / problem.width**2
    uu = (precision * every**2).sum(2) + least
    dd = (precision * (1 - every) ** 2).sum(2) + least
    ud = (precision * every * (1 - every)).sum(2)
    det = uu * dd - ud**2
    first = np.sqrt(uu / det)
    across = -ud / det / first
    return first, across, np.sqrt(np.maximum(dd / det - across**2, 1e-18))


# ---- the constant ---------------------------------------------------------------------------------------------------


def _level(problem: _Problem, draws: int, generator: np.random.Generator) -> _Part:
    """The level by a sum over a grid around its best value, for each amount of scatter."""
    level = constant_fit(problem.rows)[1]
    weight = problem.rows.weight(np.repeat(level[:, None, None], problem.x.size, axis=2)).sum(axis=(1, 2))
    reach = np.maximum(8 / np.sqrt(weight), 1e-6 * problem.width)
    part = np.linspace(-1, 1, 241)
    grid = np.clip(level[:, None] + reach[:, None] * part, problem.low, problem.high)
    step = np.gradient(grid, axis=1)
    found = problem.likelihood(np.repeat(grid[:, :, None], problem.x.size, axis=2))
    with np.errstate(divide="ignore"):
        log_mass = found + np.log(step / problem.width) + np.log(_SCATTER_PRIOR)[:, None]
    total = float(special.logsumexp(log_mass))
    mass = np.exp(log_mass - total).ravel()
    index = generator.choice(mass.size, draws, p=mass / mass.sum())
    chosen = grid.ravel()[index]
    return _Part(
        Constant.name, total, np.repeat(chosen[:, None], problem.further.size, axis=1),
        problem.scatter[index // part.size], np.full(draws, Constant.name),
    )  # fmt: skip


# ---- the random walk ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _states(bounded: bool) -> tuple[Array, Array]:
    """(states, their widths) within 0..1: evenly on the arcsine scale for shares, where binomial noise is even."""
    part = (np.arange(_STATES) + 0.5) / _STATES
    states = np.sin(part * math.pi / 2) ** 2 if bounded else part
    edges = np.concatenate([[0.0], (states[1:] + states[:-1]) / 2, [1.0]])
    return states, np.diff(edges)


@lru_cache(maxsize=32)
def _transitions(gap: float, bounded: bool, scale: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Probabilities (steps x drifts x from x to) over ``gap`` decades; what would leave 0..1 stays at its end.

    ``scale``: the size of the walk's numbers relative to the width of what is possible.
    """
    states, widths = _states(bounded)
    edges = np.concatenate([[-np.inf], np.cumsum(widths)[:-1], [np.inf]])
    made = np.empty((len(STEPS), len(DRIFTS), _STATES, _STATES), dtype=np.float32)
    for i, step in enumerate(STEPS):
        for j, drift in enumerate(DRIFTS):
            mean = states + scale * drift * gap
            upto = special.ndtr((edges[None, :] - mean[:, None]) / (scale * step * math.sqrt(max(gap, 1e-6))))
            made[i, j] = np.diff(upto, axis=1)
    return made


def _walk(problem: _Problem, draws: int, generator: np.random.Generator) -> _Part:
    """Forward filtering over a grid of shares, for each step, drift and amount of scatter."""
    bounded = problem.rows.bounded
    states, widths = _states(bounded)
    # of scores, the range that was seen is a fifth of what is possible, and counts as 0..1
    scale = 1.0 if bounded else 0.2
    values = problem.low + problem.width * states
    single = _at_each_size(problem, values)
    shape = (len(STEPS), len(DRIFTS), len(SCATTER))
    belief = np.broadcast_to(widths, (*shape, _STATES)).copy()
    log_evidence = np.zeros(shape)
    for size in range(problem.x.size):
        if size:
            gap = round(float(problem.x[size] - problem.x[size - 1]), 9)
            if gap > 0:
                belief = belief @ _transitions(gap, bounded, scale)
        top = single[size].max(axis=1)
        belief = belief * np.exp(single[size] - top[:, None])
        total = np.maximum(belief.sum(axis=-1), 1e-300)
        belief /= total[..., None]
        log_evidence += np.log(total) + top
    before = (np.full(len(STEPS), 1 / len(STEPS))[:, None, None] * _DRIFT_PRIOR[None, :, None]) * _SCATTER_PRIOR
    log_mass = log_evidence + np.log(before) + problem.constant
    evidence = float(special.logsumexp(log_mass))
    index = generator.choice(log_mass.size, draws, p=np.exp(log_mass - evidence).ravel())
    step, drift, amount = np.unravel_index(index, shape)
    cumulative = belief[step, drift, amount].cumsum(axis=1)
    state = (cumulative < generator.random((draws, 1)) * cumulative[:, -1:]).sum(axis=1)
    at = problem.low + problem.width * (states[state] + widths[state] * (generator.random(draws) - 0.5))
    unit = scale * problem.width
    path = []
    for gap in np.diff(np.concatenate([problem.x[-1:], problem.further])):
        moved = np.array(DRIFTS)[drift] * gap + np.array(STEPS)[step] * math.sqrt(gap) * generator.standard_normal(
            draws
        )
        at = np.clip(at + unit * moved, problem.low, problem.high)
        path.append(at)
    return _Part(WALK, evidence, np.stack(path, axis=1), problem.scatter[amount], np.full(draws, WALK))


def _at_each_size(problem: _Problem, values: Array) -> Sequence[Array]:
    """Log-likelihood of each value at each size alone: sizes x (scatter x values), without the constant."""
    rows = problem.rows
    out = []
    for size in range(problem.x.size):
        part: Data
        if isinstance(rows, Counts):
            part = Counts(rows.right[:, [size]], rows.n[:, [size]], rows.rho)
        else:
            part = Scores(rows.value[:, [size]], rows.error[:, [size]])
        out.append(part.log_likelihood(np.broadcast_to(values[None, :, None], (len(SCATTER), values.size, 1))))
    return out
