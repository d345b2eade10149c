"""How probable is a jump? Marginal likelihoods of smooth growth and of jumps, under priors that are stated.

Given that a curve grows, it is either smooth or a jump from chance, each with prior probability one half; ``p_jump`` is
the posterior probability of the jump (Kass and Raftery 1995, "Bayes Factors", JASA 90, 773-795). Both classes are

    accuracy = floor + (ceiling - floor) * T(size)

and have the same prior but for T, the shape (`onset.analysis.curves.growth`):

* floor: half of the prior at chance itself, half spread evenly over the margin around it (at chance 0 evenly over the
  square root of the share, so that a floor of a few per mille has its part); where chance is not known, anywhere.
  Smooth growth that has no floor (a straight line, a power law of the error) starts there or, with half of its prior,
  above;
* rise over the sizes: uniform, as far as ceilings up to 1 allow it. So both are priors *given growth*: flat curves are
  in neither class, and a shape that cannot rise within the sizes has no weight.

Whether sizes scatter by more than their items is not known from a few of them, so three amounts of intra-size
correlation are summed over as well (`SCATTER`); the likelihood is that of binomial counts divided by their variance
inflation, matched to the beta-binomial at the observed share. The least of them, 0.001 (1.6 points of standard
deviation at a share of one half), says that no family of curves is exactly true.

Counts far below chance (probability under 0.01) are read as chance: what lies below it is no ability, and learning to
write an answer no jump of one. A jump from well above chance is in neither class; smooth growth is then nearer.

All of this is one sum over a table of some hundred thousand curves, the same for all counts over the same sizes: no
approximation but the spacing of the table. `benchmarks/emergence_jump.py` measures how far the probabilities can be
taken at their word when the truth is drawn from other and broader families.

Continuous scores have no chance and no bounds: start and rise (above 0) have flat priors, integrated in closed form. A
score may also improve before and after a jump, so there the jump stands on an even trend in log size and makes at least
half of the gain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis.curves.growth import Group, jump_shapes, scaled, smooth_shapes
from onset.analysis.curves.likelihood import Counts, Data, Scores, within
from onset.analysis.curves.shapes import Array
from onset.analysis.stats.tails import binomial_below

Floats = NDArray[np.float32]

SCATTER = (0.001, 0.01, 0.04)
SCATTER_PRIOR = (0.6, 0.3, 0.1)
_SPREAD = (0.01, 0.03, 0.1)
"""Scatter of a continuous score between sizes, standard deviations as shares of the range over the sizes."""
_BROKEN = (1.0, 0.75, 0.5)
"""Shares of a score's gain that a jump makes."""
_RISES = 28
_CELLS = 8_000_000
_ROWS = 1_000
"""Curves whose logarithms are taken in one go, few enough to stay in the processor's cache."""
_INSIDE = 2e-4
"""Shares nearer to 0 or 1 than this are taken as this: no curve is certain of a right or a wrong answer."""
_FAR_BELOW = 0.01


@dataclass(frozen=True, slots=True)
class Bounds:
    """``margin``: share around chance within which floors lie; ``steepest``: log-odds per decade of smooth growth.

    They come from `onset.analysis.emergence.settings.Settings`.
    """

    margin: float
    steepest: float


def p_jump(data: Data, x: Array, chance: Array, bounds: Bounds, *, continuous: bool = False) -> Array:
    """Posterior probability of a jump given growth, per row of ``data`` (rows x sizes).

    ``x``: places of the sizes, ascending; ``chance``: of each row, NaN where not known; ``continuous``: scores without
    chance and bounds rather than shares.
    """
    if continuous and isinstance(data, Scores):
        return _p_jump_of_scores(data, x, bounds)
    out = np.full(len(data.share), 0.5)
    for rows, table, found, constant in _by_chance(data, x, chance, bounds):
        smooth, jump = (
            special.logsumexp([_log_sum(one) for one in found[..., part]] + constant, axis=0)
            for part in (slice(table.smooth), slice(table.smooth, None))
        )
        out[rows] = special.expit(jump - smooth)
    return out


def jump_weights(data: Data, x: Array, chance: Array, bounds: Bounds) -> Array:
    """Posterior masses of the shapes of `growth.jump_shapes`, in their order, given a jump: rows x shapes."""
    out = np.zeros((len(data.share), sum(len(part.mass) for part in jump_shapes(x, bounds.steepest))))
    for rows, table, found, constant in _by_chance(data, x, chance, bounds):
        top = (found[..., table.smooth :].max(axis=2) + constant).max(axis=0)
        for one, common in zip(found[..., table.smooth :], constant, strict=True):
            mass = np.exp(one + (common - top)[:, None])
            for row, masses in zip(rows, mass, strict=True):
                out[row] += np.bincount(table.shape[table.smooth :] - table.first, masses, out.shape[1])
    weights: Array = out / out.sum(axis=1, keepdims=True)
    return weights


# ---- shares ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Table:
    """Curves of both classes: ``floor`` + ``height`` * ``unit`` of ``shape``; ``unit``: shapes x sizes.

    ``smooth``: how many of the curves, the first, are smooth; ``first``: the first shape of a jump; ``prior``: log
    prior mass of each curve in its class.
    """

    unit: Array
    shape: NDArray[np.intp]
    floor: Array
    height: Array
    smooth: int
    first: int
    prior: Floats

    @classmethod
    def of(cls, classes: Sequence[Sequence[Group]], chance: float | None, margin: float) -> _Table:
        """``classes``: the groups of smooth growth and those of jumps; ``chance``: None where it is not known."""
        groups, split = [*classes[0], *classes[1]], len(classes[0])
        made = [_with_ends(group, chance, margin) for group in groups]
        before = np.cumsum([0, *(len(group.mass) for group in groups)])
        smooth = sum(len(one[0]) for one in made[:split])
        mass = np.concatenate(
            [one[3] / one[3].sum() * group.mass.sum() for one, group in zip(made, groups, strict=True)]
        )
        priors = [np.log(part / part.sum()) for part in (mass[:smooth], mass[smooth:])]
        return cls(
            np.concatenate([group.unit for group in groups]),
            np.concatenate([one[0] + start for one, start in zip(made, before[:-1], strict=True)]),
            np.concatenate([one[1] for one in made]), np.concatenate([one[2] for one in made]),
            smooth, int(before[split]), np.concatenate(priors).astype(np.float32),
        )  # fmt: skip

    def terms(self, out: Floats, *, counts: bool) -> Floats:
        """Of each curve at the sizes the logarithms of right and of wrong, or the share and its square, into ``out``:
        2 x curves x sizes.
        """
        for start in range(0, len(self.prior), _ROWS):
            some = slice(start, start + _ROWS)
            share = self.unit.take(self.shape[some], axis=0)
            share *= self.height[some, None]
            share += self.floor[some, None]
            share = within(share, _INSIDE, 1 - _INSIDE)
            out[0, some] = np.log(share)
            out[1, some] = np.log(np.subtract(1, share, out=share), out=share)
        if not counts:
            np.square(np.exp(out[0], out=out[0]), out=out[1])
        return out


def _by_chance(
    data: Data, x: Array, chance: Array, bounds: Bounds
) -> Iterator[tuple[NDArray[np.intp], _Table, Floats, Array]]:
    """Of rows with one chance level, a few at a time: (rows, table, and what `_likelihoods` gives)."""
    classes = smooth_shapes(x, bounds.steepest), jump_shapes(x, bounds.steepest)
    room = np.empty((2, 0, x.size), np.float32)
    for value in np.unique(chance):
        rows = np.flatnonzero(np.isnan(chance) if np.isnan(value) else chance == value)
        table = _Table.of(classes, None if np.isnan(value) else float(value), bounds.margin)
        curves = len(table.prior)
        if curves > room.shape[1]:
            # the first use of memory takes as long as the logarithms that are written to it
            room = np.empty((2, curves, x.size), np.float32)
        terms, size = table.terms(room[:, :curves], counts=isinstance(data, Counts)), max(1, _CELLS // curves)
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            yield some, table, *_likelihoods(data.take(some), table, terms, float(value))


def _likelihoods(data: Data, table: _Table, terms: Floats, chance: float) -> tuple[Floats, Array]:
    """For each amount of scatter the log of likelihood times prior of each curve (scatters x rows x curves), and what
    all curves have in common (scatters x rows).
    """
    weights = [_of_counts(data, rho, chance) if isinstance(data, Counts) else _of_shares(data, rho) for rho in SCATTER]
    found = np.empty((len(SCATTER), len(data.share), len(table.prior)), np.float32)
    for one, (first, second, _) in zip(found, weights, strict=True):
        np.matmul(first, terms[0].T, out=one)
        np.add(one, second @ terms[1].T, out=one)
    found += table.prior
    return found, np.array([common for *_, common in weights]) + np.log(SCATTER_PRIOR)[:, None]


def _log_sum(values: Floats) -> Array:
    top = values.max(axis=1, keepdims=True)
    out: Array = np.log(np.exp(values - top).sum(axis=1, dtype=np.float64)) + top[:, 0]
    return out


def _of_counts(data: Counts, rho: float, chance: float) -> tuple[Floats, Floats, Array]:
    """Weights of the logarithms of right and of wrong, rows x sizes, and what all curves have in common, rows."""
    right, n = data.right, data.n
    if math.isfinite(chance):
        right = np.where(binomial_below(right, n, chance) < _FAR_BELOW, chance * n, right)
    inflation = 1 + (n - 1) * rho
    good, bad = right / inflation, (n - right) / inflation
    near = (right + 0.5) / (n + 1)
    a, b = near * (1 - rho) / rho, (1 - near) * (1 - rho) / rho
    exact = special.betaln(right + a, n - right + b) - special.betaln(a, b)
    matched: Array = (exact - good * np.log(near) - bad * np.log1p(-near)).sum(axis=1)
    return good.astype(np.float32), bad.astype(np.float32), matched


def _of_shares(data: Scores, rho: float) -> tuple[Floats, Floats, Array]:
    """Weights of shares and of their squares, rows x sizes, and what all curves have in common, rows."""
    inside = np.clip(data.value, 0.1, 0.9)
    weight = 1 / (data.error**2 + rho * inside * (1 - inside))
    common: Array = (np.log(weight) - weight * data.value**2).sum(axis=1) / 2
    return (weight * data.value).astype(np.float32), -(weight / 2).astype(np.float32), common


def _with_ends(group: Group, chance: float | None, margin: float) -> tuple[NDArray[np.intp], Array, Array, Array]:
    """Every shape with every floor and every rise that keeps it within 0..1: (shape, floor, height, prior mass)."""
    floors, weights = _floors(chance, margin)
    if not group.from_floor and chance is not None:
        begin = floors[-1]
        further = begin + (1 - begin) * (np.arange(16) + 0.5) / 16
        floors, weights = np.concatenate([floors, further]), np.concatenate([weights, np.full(16, 1 / 16)])
    rises = (np.arange(_RISES) + 0.5) / _RISES
    span = np.ptp(group.unit, axis=1)
    height = rises[None, :] / np.maximum(span, 1e-9)[:, None]
    # shapes x floors x rises
    allowed = (floors[None, :, None] + height[:, None, :] <= 1 + 1e-9) & (span > 1e-6)[:, None, None]
    shape, mass = np.arange(len(span))[:, None, None], group.mass[:, None, None] * weights[None, :, None]
    columns = shape, floors[None, :, None], height[:, None, :], mass
    which, floor, rise, prior = (np.broadcast_to(one, allowed.shape)[allowed] for one in columns)
    return which, floor, rise, prior


def _floors(chance: float | None, margin: float) -> tuple[Array, Array]:
    """Floors and their prior: (floors, masses that sum to 1)."""
    if chance is None:
        floors = np.sin((np.arange(24) + 0.5) / 24 * math.pi / 2) ** 2
        return floors, np.full(24, 1 / 24)
    low, high = max(chance - margin, 0.0), min(chance + margin, 1.0)
    around = np.linspace(math.sqrt(low), math.sqrt(high), 10) ** 2 if low == 0 else np.linspace(low, high, 10)
    return np.concatenate([[chance], around]), np.concatenate([[0.5], np.full(10, 0.05)])


# ---- continuous scores ----------------------------------------------------------------------------------------------


def _p_jump_of_scores(data: Scores, x: Array, bounds: Bounds) -> Array:
    smooth, before = smooth_score_shapes(x, bounds)
    jumps, mass = jump_score_shapes(jump_shapes(x, bounds.steepest), x)
    odds = score_evidence(data, jumps, mass) - score_evidence(data, smooth, before)
    out: Array = special.expit(odds)
    return out


def smooth_score_shapes(x: Array, bounds: Bounds) -> tuple[Array, Array]:
    """(shapes within 0..1 at the sizes, prior masses) of smooth growth."""
    groups = smooth_shapes(x, bounds.steepest)
    return scaled(np.concatenate([one.unit for one in groups])), np.concatenate([one.mass for one in groups])


def jump_score_shapes(groups: Sequence[Group], x: Array, mass: Array | None = None) -> tuple[Array, Array]:
    """(shapes within 0..1, masses) of jumps on an even trend; ``mass``: of the jumps, instead of their prior's."""
    unit = scaled(np.concatenate([one.unit for one in groups]))
    mass = np.concatenate([one.mass for one in groups]) if mass is None else mass
    trend = (x - x[0]) / (x[-1] - x[0])
    made = np.concatenate([broken * unit + (1 - broken) * trend for broken in _BROKEN])
    return made, np.tile(mass, len(_BROKEN)) / len(_BROKEN)


def score_evidence(data: Scores, shapes: Array, mass: Array) -> Array:
    """Log marginal likelihood of start + rise * shape with rise > 0, per row; shapes (K x sizes) have prior ``mass``.

    Start and rise have flat priors of the same density whatever the shape, so only differences between classes mean
    anything. Scatter between sizes is summed over.
    """
    kept = (np.ptp(shapes, axis=1) > 1e-6) & (mass > 0)
    shapes, mass = shapes[kept], mass[kept]
    parts = []
    for spread, before in zip(_SPREAD, SCATTER_PRIOR, strict=True):
        weight = 1 / (data.error**2 + (spread * np.ptp(data.value, axis=1, keepdims=True)) ** 2)
        y = data.value - np.average(data.value, axis=1, weights=weight)[:, None]
        total = weight.sum(axis=1)[:, None]
        first, second = weight @ shapes.T, weight @ (shapes**2).T
        spare = np.maximum(second - first**2 / total, 1e-12 * total)
        slope = (weight * y) @ shapes.T / spare
        rest = ((weight * y**2).sum(axis=1)[:, None] - slope**2 * spare) / 2
        found = -rest - np.log(total * spare) / 2 + special.log_ndtr(slope * np.sqrt(spare))
        constant = np.log(weight).sum(axis=1) / 2 + math.log(before)
        parts.append(special.logsumexp(found + np.log(mass), axis=1) + constant)
    out: Array = special.logsumexp(parts, axis=0) - math.log(mass.sum())
    return out
