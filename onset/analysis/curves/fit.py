"""Maximum likelihood for many curves at once: an exact inner solution for each shape of a family.

Rows are curves (or bootstrap replicates of one) over the same S sizes. For a shape T (values 0..1 at the sizes)
accuracy is low + (high - low) T, and the log-likelihood is concave in (low, high): weighted least squares, iterated
(Fisher scoring with identity link; Green 1984, "Iteratively Reweighted Least Squares", JRSS B 46, 149-192), in 0..1.
All shapes are ranked by one weighted least-squares pass (matrix products over rows x shapes), the best few are solved
exactly, and the best of them is closed in on by a pattern search. What is maximal is the same function of the data for
the observed counts and for every replicate, so a bootstrap test based on it needs no claim about how dense the shapes
are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np

from onset.analysis.curves.likelihood import Data, Indices, along, constant_fit, within
from onset.analysis.curves.shapes import Array, Bounds, Curve, Family, Step

_ITERATIONS = 4
_KEPT = 4
_ROUNDS = 8
_CELLS = 30_000
"""Shapes of rows that are ranked, and shares that are solved, in one go: few enough for the processor's cache."""

Limits = dict[Family, tuple[Bounds, Sequence[float]]]
"""Per family: bounds and first steps of its shape parameters."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """Shapes of several families over the same sizes, within 0..1 at them (`Family.scaled`).

    ``values``: shapes x sizes; ``family`` and ``table``: the family and parameters of each; unit = ``low`` + ``span`` *
    value.
    """

    family: tuple[Family, ...]
    table: tuple[Array, ...]
    values: Array
    low: Array
    span: Array

    @classmethod
    def of(cls, x: Array, *parts: tuple[Family, Array]) -> Shapes:
        """``parts``: families with their tables of shapes; shapes that are level at all sizes are left out."""
        family = [one for one, rows in parts for _ in rows]
        table = [row for _, rows in parts for row in rows]
        values, low, span = (
            np.concatenate(some) for some in zip(*(one.scaled(x, rows) for one, rows in parts), strict=True)
        )
        every = cls(tuple(family), tuple(table), values, low, span)
        return every.only(np.flatnonzero(np.ptp(values, axis=1) * span > 1e-6))

    def only(self, rows: Indices) -> Shapes:
        """Some of the shapes."""
        return Shapes(
            tuple(self.family[i] for i in rows), tuple(self.table[i] for i in rows),
            self.values[rows], self.low[rows], self.span[rows],
        )  # fmt: skip

    def joined(self, other: Shapes) -> Shapes:
        """These and those of ``other``, over the same sizes."""
        return Shapes(
            self.family + other.family, self.table + other.table, np.concatenate([self.values, other.values]),
            np.concatenate([self.low, other.low]), np.concatenate([self.span, other.span]),
        )  # fmt: skip

    def at(self, places: Array) -> Array:
        """Scaled values at further places: shapes x places (below 0 or above 1 beyond the sizes)."""
        rows = [
            family.unit(places, np.array([shape for _, shape in some]))
            for family, some in groupby(zip(self.family, self.table, strict=True), key=itemgetter(0))
        ]
        return (np.concatenate(rows) - self.low[:, None]) / self.span[:, None]

    def __len__(self) -> int:
        return len(self.family)


@dataclass(frozen=True, eq=False)
class Best:
    """The best fit of each row: ``log_likelihood``, ``shape`` (index), ``low`` and ``high`` (all: rows)."""

    log_likelihood: Array
    shape: Indices
    low: Array
    high: Array

    def take(self, rows: Indices) -> Best:
        """Some of the rows."""
        return Best(*(getattr(self, name)[rows] for name in Best.__dataclass_fields__))

    def put(self, rows: Indices, other: Best) -> Best:
        """With those of ``other`` in some of the rows."""
        every = {name: getattr(self, name).copy() for name in Best.__dataclass_fields__}
        for name, values in every.items():
            values[rows] = getattr(other, name)
        return Best(**every)

    def shares(self, shapes: Shapes) -> Array:
        """Fitted values, rows x sizes."""
        return self.low[:, None] + (self.high - self.low)[:, None] * shapes.values[self.shape]


def best_fit(data: Data, shapes: Shapes, *, rising: bool = True, kept: int = _KEPT) -> Best:
    """The best of ``shapes`` for every row.

    ``rising``: high >= low, else either sign; ``kept``: how many of the nearest shapes are solved exactly.
    """
    rows, values = len(data.share), shapes.values
    kept, size = min(kept, len(values)), max(1, _CELLS // max(len(values), 1))
    square = values**2
    nearest = np.empty((rows, kept), dtype=np.intp)
    for start in range(0, rows, size):
        some = np.arange(start, min(start + size, rows))
        loss = _screen(data.take(some), values, square, rising)
        order = np.argpartition(loss, kept - 1, axis=1) if kept < len(values) else np.argsort(loss, axis=1)
        nearest[some] = order[:, :kept]
    found, low, high = solve(data, values[nearest], rising=rising)
    top = found.argmax(axis=1)
    row = np.arange(len(found))
    return Best(found[row, top], nearest[row, top], low[row, top], high[row, top])


def _screen(data: Data, values: Array, squares: Array, rising: bool) -> Array:
    """Weighted sums of squares of all shapes, rows x shapes (without the part that is the same for all).

    ``squares``: of ``values``.
    """
    weight, share = data.start_weight(), data.share
    total, first = weight.sum(axis=1)[:, None], (weight * share).sum(axis=1)[:, None]
    shape, square = weight @ values.T, weight @ squares.T
    cross = (weight * share) @ values.T
    spread = np.maximum(square - shape**2 / total, 1e-12)
    slope = (cross - first * shape / total) / spread
    if rising:
        slope = np.maximum(slope, 0.0)
    level = (first - slope * shape) / total
    if data.bounded:
        below = level < 0
        level = np.where(below, 0.0, level)
        slope = np.where(below, np.maximum(cross / np.maximum(square, 1e-12), 0.0), slope)
    out: Array = (
        level**2 * total + slope**2 * square + 2 * level * slope * shape - 2 * level * first - 2 * slope * cross
    )
    return out


# ---- the exact inner solution ---------------------------------------------------------------------------------------


def _blocks(values: Array) -> list[Indices]:
    """Rows of ``values`` that are solved in one go."""
    size = max(1, _CELLS // max(values[:1].size, 1))
    return [np.arange(start, min(start + size, len(values))) for start in range(0, len(values), size)]


def solve(
    data: Data, values: Array, *, rising: bool = True, iterations: int = _ITERATIONS
) -> tuple[Array, Array, Array]:
    """Exact fits: ``values`` rows x fits x sizes -> (log-likelihood, low, high), each rows x fits.

    ``rising``: high >= low, else either sign. Shares stay within 0..1 at every size where the data are counts.
    """
    blocks = _blocks(values)
    if len(blocks) > 1:
        parts = [solve(data.take(some), values[some], rising=rising, iterations=iterations) for some in blocks]
        found, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
        return found, low, high
    # sums over sizes are then sums of whole tables, and what belongs to rows is repeated over fits in one piece
    up = np.ascontiguousarray(values.T)
    down, share = 1 - up, along(data.share, 0)
    low, high = _weighted(share, along(data.start_weight(), 0), up, down, bounded=data.bounded, rising=rising)
    p = low + (high - low) * up
    best, kept = data.log_likelihood(p, 0), (low, high)
    for _ in range(iterations if data.bounded else 0):
        low, high = _weighted(share, data.weight(p, 0), up, down, bounded=True, rising=rising)
        p = low + (high - low) * up
        found = data.log_likelihood(p, 0)
        better = found > best
        if better.all():
            best, kept = found, (low, high)
            continue
        best = np.where(better, found, best)
        kept = np.where(better, low, kept[0]), np.where(better, high, kept[1])
        # scoring can overshoot next to 0 and 1: go on from half way back to the best
        low, high = np.where(better, low, (low + kept[0]) / 2), np.where(better, high, (high + kept[1]) / 2)
        p = low + (high - low) * up
    return np.ascontiguousarray(best.T), np.ascontiguousarray(kept[0].T), np.ascontiguousarray(kept[1].T)


def _weighted(
    share: Array, weight: Array, up: Array, down: Array, *, bounded: bool, rising: bool
) -> tuple[Array, Array]:
    """Weighted least squares for (low, high) inside the allowed box, fits x rows; tables are sizes x fits x rows."""
    part = weight * up
    one = part * share
    us = one.sum(0)
    ud = np.multiply(part, down, out=one).sum(0)
    part *= up
    uu = part.sum(0)
    np.multiply(weight, down, out=part)
    ds = np.multiply(part, share, out=one).sum(0)
    part *= down
    dd = part.sum(0)
    det = np.maximum(uu * dd - ud**2, 1e-12)
    low, high = (uu * ds - ud * us) / det, (dd * us - ud * ds) / det
    if bounded and not (min(low.min(), high.min()) >= 0 and max(low.max(), high.max()) <= 1):
        # on an edge of the box the other end is refitted
        for edge in (0.0, 1.0):
            out = low < 0 if edge == 0 else low > 1
            high = np.where(out, (us - edge * ud) / np.maximum(uu, 1e-12), high)
            low = np.where(out, edge, low)
            out = high < 0 if edge == 0 else high > 1
            low = np.where(out, (ds - edge * ud) / np.maximum(dd, 1e-12), low)
            high = np.where(out, edge, high)
        low, high = within(low, 0.0, 1.0), within(high, 0.0, 1.0)
    falls = high < low
    if rising and falls.any():
        level = (us + ds) / np.maximum(uu + dd + 2 * ud, 1e-12)
        low, high = np.where(falls, level, low), np.where(falls, level, high)
    return low, high


def _most(level: Array, crossed: Array) -> Array:
    """The largest rise of shares through ``level`` where the shape is ``crossed``."""
    out: Array = np.minimum(level / np.maximum(crossed, 1e-12), (1 - level) / np.maximum(1 - crossed, 1e-12))
    return out


def screen_through(data: Data, values: Array, crossed: Array, target: Array) -> Array:
    """Weighted sums of squares of rising curves forced through a point, as `solve_through` takes them."""
    weight, level = data.start_weight()[:, :, None], target[:, None]
    lean = values - crossed[..., None]
    cross = np.matmul(lean, weight * (data.share - level)[:, :, None])[..., 0]
    square = np.maximum(np.matmul(lean**2, weight)[..., 0], 1e-12)
    rise = np.maximum(cross / square, 0.0)
    rise = np.minimum(rise, _most(level, crossed)) if data.bounded else rise
    out: Array = rise**2 * square - 2 * rise * cross
    return out


def solve_through(data: Data, values: Array, crossed: Array, target: Array, *, iterations: int = 5) -> Array:
    """Log-likelihood of rising curves forced through a point: rows x fits.

    ``values``: rows x fits x sizes; ``crossed``: the shape's value where the curve must be at ``target`` (rows x fits,
    and rows). The curve is target + rise (T - crossed) with rise >= 0 and, for counts, shares within 0..1.
    """
    blocks = _blocks(values)
    if len(blocks) > 1:
        return np.concatenate(
            [
                solve_through(data.take(some), values[some], crossed[some], target[some], iterations=iterations)
                for some in blocks
            ]
        )
    lean = np.ascontiguousarray(values.T) - crossed.T
    most = _most(target, crossed.T) if data.bounded else np.full(crossed.T.shape, np.inf)
    share, square = along(data.share, 0) - target, lean**2

    def shares(weight: Array) -> Array:
        part = weight * lean
        part *= share
        rise = part.sum(0) / np.maximum(np.multiply(weight, square, out=part).sum(0), 1e-12)
        np.multiply(np.minimum(np.maximum(rise, 0.0), most), lean, out=part)
        part += target
        return part

    p = shares(along(data.start_weight(), 0))
    for _ in range(iterations - 1 if data.bounded else 0):
        p = shares(data.weight(p, 0))
    return np.ascontiguousarray(data.log_likelihood(p, 0).T)


# ---- closing in between the shapes of a grid ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Pattern:
    """What a pattern search tries around a shape of P parameters, within ``bounds``.

    ``moves``: tries x P, the first steps of the parameters, in powers of two where ``relative``; ``shrink``: their part
    that is left from one round to the next.
    """

    moves: Array
    bounds: Bounds
    shrink: float
    relative: Sequence[bool]

    @classmethod
    def along(
        cls, steps: Sequence[float], bounds: Bounds, shrink: float, relative: Sequence[bool] | None = None
    ) -> Pattern:
        """Each parameter that has a step down and up by it."""
        moves = [
            sign * step * np.eye(len(steps))[index] for index, step in enumerate(steps) if step for sign in (-1.0, 1.0)
        ]
        return cls(np.array(moves).reshape(-1, len(steps)), bounds, shrink, relative or [False] * len(steps))

    def around(self, shape: Array, turn: int) -> Array:
        """Rows x P -> rows x tries x P."""
        moves = self.moves * self.shrink**turn
        tried = np.where(self.relative, shape[:, None, :] * 2.0**moves, shape[:, None, :] + moves)
        low, high = np.array(self.bounds).T
        out: Array = np.minimum(np.maximum(tried, low), high)
        return out


def search(
    shape: Array,
    found: tuple[Array, ...],
    pattern: Pattern,
    rounds: Iterable[int],
    evaluate: Callable[[Array], tuple[Array, ...]],
) -> tuple[Array, tuple[Array, ...]]:
    """A pattern search for every row: of its shape and what is tried around it, the best is kept.

    (Hooke and Jeeves 1961, ""Direct Search" Solution of Numerical and Statistical Problems", J. ACM 8, 212-229.)
    ``shape``: rows x P; ``evaluate``: of shapes rows x tries x P what ``found`` holds of ``shape``, the log-likelihood
    first: rows x tries x ...; gives (shape, found).
    """
    row = np.arange(len(shape))
    for turn in rounds:
        tried = pattern.around(shape, turn)
        made = evaluate(tried)
        top = made[0].argmax(axis=1)
        better = made[0][row, top] > found[0]
        shape = np.where(better[:, None], tried[row, top], shape)
        found = tuple(
            np.where(better.reshape(-1, *[1] * (old.ndim - 1)), new[row, top], old)
            for old, new in zip(found, made, strict=True)
        )
    return shape, found


@dataclass(frozen=True, eq=False)
class Refined:
    """Fits closed in on between the shapes of a grid: ``log_likelihood`` (rows) and ``shares`` (rows x sizes)."""

    log_likelihood: Array
    shares: Array


def refine(data: Data, x: Array, shapes: Shapes, best: Best, limits: Limits, *, rounds: int = 4) -> Refined:
    """Close in on each row's best shape, its family's parameters within ``limits``.

    ``limits``: the bounds and first steps of the parameters of those families that have any.
    """
    fitted = best.shares(shapes)
    found = best.log_likelihood.copy()
    order = list(limits)
    family = np.array([order.index(one) if one in limits else -1 for one in shapes.family])[best.shape]
    for number, (one, (bounds, steps)) in enumerate(limits.items()):
        rows = np.flatnonzero(family == number)
        if not rows.size:
            continue
        part, shape = data.take(rows), np.array([shapes.table[index] for index in best.shape[rows]])

        def evaluate(tried: Array, one: Family = one, part: Data = part) -> tuple[Array, Array]:
            unit = one.scaled(x, tried)[0]
            values, low, high = solve(part, unit)
            return values, low[..., None] + (high - low)[..., None] * unit

        pattern = Pattern.along(steps, bounds, 0.5)
        closer = search(shape, (found[rows], fitted[rows]), pattern, range(rounds), evaluate)[1]
        found[rows], fitted[rows] = closer
    return Refined(found, fitted)


@dataclass(frozen=True, eq=False)
class FamilyFit:
    """One family's best curve for each row: ``curves`` and ``log_likelihood`` (rows)."""

    family: Family
    curves: tuple[Curve, ...]
    log_likelihood: Array

    @property
    def aic(self) -> Array:
        """Akaike's criterion (1974; lower is better, nats twice), rows."""
        out: Array = 2 * self.family.free - 2 * self.log_likelihood
        return out


def fit_family(data: Data, x: Array, family: Family, *, enough: Array | None = None) -> FamilyFit:
    """Maximum likelihood of ``family`` for each row: the grid's best shape, closed in on.

    ``enough``: a log-likelihood of each row from which on it may stay at the shape of the grid.
    """
    if family.free == 1:
        constant, level = constant_fit(data)
        return FamilyFit(family, tuple(family(float(one)) for one in level), constant)
    grid = Shapes.of(x, (family, family.grid(x)))
    best = best_fit(data, grid, rising=False)
    shape = np.array([grid.table[i] for i in best.shape]).reshape(len(best.shape), -1)
    found: tuple[Array, ...] = tuple(
        part[:, 0].copy() for part in solve(data, grid.values[best.shape][:, None, :], rising=False, iterations=12)
    )
    bounds = family.bounds(x)
    steps = [0.0 if family is Step else (high - low) / 24 for low, high in bounds]
    if any(steps):
        relative = [low > 0 and high / low > 100 for low, high in bounds]
        rounds = _ROUNDS if len(bounds) <= 2 else 3 * _ROUNDS
        steps = [1.0 if power and step else step for step, power in zip(steps, relative, strict=True)]
        pattern = Pattern.along(steps, bounds, 0.01 ** (1 / rounds), relative)
        rows = np.arange(len(shape)) if enough is None else np.flatnonzero(found[0] < enough)
        part = data.take(rows)
        closer = search(
            shape[rows], tuple(one[rows] for one in found), pattern, range(rounds if rows.size else 0),
            lambda tried: solve(part, family.scaled(x, tried)[0], rising=False),
        )  # fmt: skip
        shape[rows] = closer[0]
        for old, new in zip(found, closer[1], strict=True):
            old[rows] = new
    _, base, span = family.scaled(x, shape)
    factor = (found[2] - found[1]) / span
    offset = found[1] - factor * base
    curves = tuple(family.make(one, float(a), float(b)) for one, a, b in zip(shape, offset, factor, strict=True))
    return FamilyFit(family, curves, found[0])
