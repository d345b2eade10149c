"""Maximum likelihood for many curves at once: an exact inner solution for each shape of a family.

Rows are curves (or bootstrap replicates of one) over the same S sizes. For a shape T (values 0..1 at the sizes)
accuracy is low + (high - low) T, and the log-likelihood is concave in (low, high): weighted least squares, iterated
(Fisher scoring with identity link; Green 1984, "Iteratively Reweighted Least Squares", JRSS B 46, 149-192), in 0..1.
All shapes are ranked by one weighted least-squares pass (matrix products over rows x shapes), the best few are solved
exactly. What is maximal is the same function of the data for the observed counts and for every replicate, so a
bootstrap test based on it needs no claim about how dense the shapes are.

Likelihoods: binomial on counts; beta-binomial with intra-size correlation rho where sizes are overdispersed (Williams
1982, "Extra-binomial variation in logistic linear models", Applied Statistics 31, 144-148: variance
n p (1 - p) (1 + (n - 1) rho)); Gaussian with known standard errors where only a score and its error are given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from onset.analysis.curves.shapes import Array, Curve
from onset.errors import InputError

Indices = NDArray[np.intp]

_EPS = 1e-9
_ITERATIONS = 4
_KEPT = 4
_ROUNDS = 8
_CELLS = 1_000_000
_NO_LESS = 1e-5
"""Shares nearer to 0 or 1 than this get the weight of this share."""


@dataclass(frozen=True, eq=False)
class Counts:
    """``right`` of ``n`` (both rows x sizes, n >= 1); ``rho``: intra-size correlation of each row, 0: binomial."""

    right: Array
    n: Array
    rho: Array

    bounded = True

    @property
    def share(self) -> Array:
        """Observed shares, rows x sizes."""
        out: Array = self.right / self.n
        return out

    def start_weight(self) -> Array:
        """Weights for the first pass: inverse variances at shares drawn in from 0 and 1 (Agresti and Coull 1998)."""
        drawn = (self.right + 1) / (self.n + 2)
        return self.weight(drawn[:, None, :])[:, 0, :]

    def weight(self, p: Array) -> Array:
        """Inverse variance of a share: rows x fits x sizes."""
        inside = np.clip(p, _NO_LESS, 1 - _NO_LESS)
        n = self.n[:, None, :]
        inflation = 1 + (n - 1) * self.rho[:, None, None] if self.rho.any() else 1.0
        out: Array = n / (inside * (1 - inside) * inflation)
        return out

    def log_likelihood(self, p: Array) -> Array:
        """Of shares ``p`` (rows x fits x sizes): rows x fits, nats, without the binomial coefficients."""
        inside = np.clip(p, _EPS, 1 - _EPS)
        right, wrong = self.right[:, None, :], (self.n - self.right)[:, None, :]
        if not self.rho.any():
            out: Array = (right * np.log(inside) + wrong * np.log1p(-inside)).sum(axis=2)
            return out
        rho = np.maximum(self.rho, 1e-9)[:, None, None]
        size = (1 - rho) / rho
        a, b = inside * size, (1 - inside) * size
        terms = special.betaln(right + a, wrong + b) - special.betaln(a, b)
        total: Array = terms.sum(axis=2)
        return total

    def take(self, rows: Indices) -> Counts:
        """Some of the rows."""
        return Counts(self.right[rows], self.n[rows], self.rho[rows])

    def simulate(self, p: Array, generators: Sequence[np.random.Generator]) -> Counts:
        """One replicate of its row for each of the shares ``p`` (rows x times x sizes): rows * times, row by row."""
        drawn = []
        for row, generator in enumerate(generators):
            share = np.clip(p[row], 0.0, 1.0)
            rho = float(self.rho[row])
            if rho > 1e-6:
                size = (1 - rho) / rho
                share = generator.beta(np.maximum(share * size, 1e-6), np.maximum((1 - share) * size, 1e-6))
            drawn.append(generator.binomial(self.n[row].astype(np.int64)[None, :], share))
        times = p.shape[1]
        return Counts(
            np.concatenate(drawn).astype(np.float64),
            np.repeat(self.n, times, axis=0),
            np.repeat(self.rho, times),
        )


@dataclass(frozen=True, eq=False)
class Scores:
    """``value`` with known standard error ``error`` (rows x sizes)."""

    value: Array
    error: Array

    bounded = False

    @property
    def share(self) -> Array:
        """The scores themselves."""
        return self.value

    def start_weight(self) -> Array:
        """Inverse variances, rows x sizes."""
        return 1 / self.error**2

    def weight(self, p: Array) -> Array:
        """Inverse variances: rows x fits x sizes."""
        out: Array = np.broadcast_to((1 / self.error**2)[:, None, :], p.shape)
        return out

    def log_likelihood(self, p: Array) -> Array:
        """Rows x fits, nats, without the constant."""
        out: Array = -0.5 * (((self.value[:, None, :] - p) / self.error[:, None, :]) ** 2).sum(axis=2)
        return out

    def take(self, rows: Indices) -> Scores:
        """Some of the rows."""
        return Scores(self.value[rows], self.error[rows])

    def simulate(self, p: Array, generators: Sequence[np.random.Generator]) -> Scores:
        """One replicate of its row for each of the scores ``p`` (rows x times x sizes): rows * times, row by row."""
        drawn = [
            p[row] + self.error[row] * generator.standard_normal(p.shape[1:])
            for row, generator in enumerate(generators)
        ]
        return Scores(np.concatenate(drawn), np.repeat(self.error, p.shape[1], axis=0))


Data = Counts | Scores

Limits = dict[type[Curve], tuple[Sequence[tuple[float, float]], Sequence[float]]]
"""Per family: bounds and first steps of its shape parameters."""


def counts(right: Array, n: Array) -> Counts:
    """Binomial counts, rows x sizes. Raises InputError for impossible ones."""
    right, n = np.atleast_2d(np.asarray(right, dtype=np.float64)), np.atleast_2d(np.asarray(n, dtype=np.float64))
    if right.shape != n.shape or (n < 1).any() or (right < 0).any() or (right > n).any():
        raise InputError("counts: expected 0 <= right <= n and n >= 1 at every size")
    return Counts(right, n, np.zeros(len(right)))


@dataclass(frozen=True, eq=False)
class Shapes:
    """Shapes of several families over the same sizes, within 0..1 at them.

    Where a family's unit runs from 0 to 1 (`asymptotic`), its ends are the curve's floor and ceiling and it is taken as
    it is, so that no fit implies a ceiling above 1 beyond the sizes; others are scaled to 0..1 at the sizes.
    ``values``: shapes x sizes; ``family`` and ``table``: the family and parameters of each; unit = ``low`` + ``span`` *
    value.
    """

    family: tuple[type[Curve], ...]
    table: tuple[Array, ...]
    values: Array
    low: Array
    span: Array

    @classmethod
    def of(cls, x: Array, *parts: tuple[type[Curve], Array]) -> Shapes:
        """``parts``: families with their tables of shapes; shapes that are level at all sizes are left out."""
        family: list[type[Curve]] = []
        table: list[Array] = []
        units = []
        for one, rows in parts:
            family += [one] * len(rows)
            table += list(rows)
            units.append(one.unit(x, rows))
        unit = np.concatenate(units)
        raw = np.array([one.asymptotic for one in family])
        spread = np.ptp(unit, axis=1)
        low, span = np.where(raw, 0.0, unit.min(axis=1)), np.where(raw, 1.0, spread)
        every = cls(tuple(family), tuple(table), (unit - low[:, None]) / np.maximum(span, 1e-12)[:, None], low, span)
        return every.only(np.flatnonzero(spread > 1e-6))

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
        rows = [family.unit(places, shape[None, :])[0] for family, shape in zip(self.family, self.table, strict=True)]
        return (np.array(rows) - self.low[:, None]) / self.span[:, None]

    def curve(self, index: int, low: float, high: float) -> Curve:
        """The curve of one shape with its ends."""
        factor = (high - low) / float(self.span[index])
        return self.family[index].make(self.table[index], low - factor * float(self.low[index]), factor)

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

    def shares(self, shapes: Shapes) -> Array:
        """Fitted values, rows x sizes."""
        return self.low[:, None] + (self.high - self.low)[:, None] * shapes.values[self.shape]


def constant_fit(data: Data) -> tuple[Array, Array]:
    """(log-likelihood, level) of the best constant, per row."""
    level = np.average(data.share, axis=1, weights=data.n if isinstance(data, Counts) else data.start_weight())
    if isinstance(data, Counts) and data.rho.any():
        for _ in range(_ITERATIONS):
            weight = data.weight(np.repeat(level[:, None, None], data.n.shape[1], axis=2))[:, 0]
            level = np.average(data.share, axis=1, weights=weight)
    shares = np.repeat(level[:, None, None], data.share.shape[1], axis=2)
    return data.log_likelihood(shares)[:, 0], level


def best_fit(data: Data, shapes: Shapes, *, rising: bool = True, kept: int = _KEPT) -> Best:
    """The best of ``shapes`` for every row.

    ``rising``: high >= low, else either sign; ``kept``: how many of the nearest shapes are solved exactly.
    """
    rows = len(data.share)
    size = max(1, _CELLS // max(len(shapes), 1))
    parts = [
        _best_of(data.take(np.arange(start, min(start + size, rows))), shapes.values, rising, kept)
        for start in range(0, rows, size)
    ]
    return Best(*(np.concatenate([getattr(one, name) for one in parts]) for name in Best.__dataclass_fields__))


def _best_of(data: Data, values: Array, rising: bool, kept: int) -> Best:
    kept = min(kept, len(values))
    loss = _screen(data, values, rising)
    nearest = np.argpartition(loss, kept - 1, axis=1)[:, :kept] if kept < len(values) else np.argsort(loss, axis=1)
    found, low, high = solve(data, values[nearest], rising=rising)
    top = found.argmax(axis=1)
    row = np.arange(len(found))
    return Best(found[row, top], nearest[row, top], low[row, top], high[row, top])


def _screen(data: Data, values: Array, rising: bool) -> Array:
    """Weighted sums of squares of all shapes, rows x shapes (without the part that is the same for all)."""
    weight, share = data.start_weight(), data.share
    total, first = weight.sum(axis=1)[:, None], (weight * share).sum(axis=1)[:, None]
    shape, square = weight @ values.T, weight @ (values**2).T
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


def solve(
    data: Data, values: Array, *, rising: bool = True, iterations: int = _ITERATIONS
) -> tuple[Array, Array, Array]:
    """Exact fits: ``values`` rows x fits x sizes -> (log-likelihood, low, high), each rows x fits.

    ``rising``: high >= low, else either sign. Shares stay within 0..1 at every size where the data are counts.
    """
    low, high = _weighted(data, data.start_weight()[:, None, :], values, rising)
    best = data.log_likelihood(_shares(low, high, values))
    if not data.bounded:
        return best, low, high
    kept = low, high
    for _ in range(iterations):
        low, high = _weighted(data, data.weight(_shares(low, high, values)), values, rising)
        found = data.log_likelihood(_shares(low, high, values))
        better = found > best
        best = np.where(better, found, best)
        kept = np.where(better, low, kept[0]), np.where(better, high, kept[1])
        # scoring can overshoot next to 0 and 1: go on from half way back to the best
        low, high = np.where(better, low, (low + kept[0]) / 2), np.where(better, high, (high + kept[1]) / 2)
    return best, *kept


@dataclass(frozen=True, eq=False)
class Refined:
    """Fits closed in on between the shapes of a grid: ``log_likelihood`` (rows) and ``shares`` (rows x sizes)."""

    log_likelihood: Array
    shares: Array


def refine(data: Data, x: Array, shapes: Shapes, best: Best, limits: Limits, *, rounds: int = 4) -> Refined:
    """Close in on each row's best shape: a pattern search over its family's shape parameters within ``limits``.

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
        value, share = found[rows], fitted[rows]
        for turn in range(rounds):
            moved = np.repeat(shape[:, None, :], 2 * len(bounds), axis=1)
            for index, (lowest, highest) in enumerate(bounds):
                for side, sign in enumerate((-1.0, 1.0)):
                    at = moved[:, 2 * index + side, index] + sign * steps[index] * 0.5**turn
                    moved[:, 2 * index + side, index] = np.clip(at, lowest, highest)
            unit = one.unit(x, moved.reshape(-1, len(bounds))).reshape(len(rows), 2 * len(bounds), x.size)
            base, span = _scale(one, unit)
            unit = (unit - base[..., None]) / span[..., None]
            values, lows, highs = solve(part, unit)
            top, row = values.argmax(axis=1), np.arange(len(rows))
            better = values[row, top] > value
            value = np.where(better, values[row, top], value)
            shape = np.where(better[:, None], moved[row, top], shape)
            new = _shares(lows[row, top, None], highs[row, top, None], unit[row, top, None])[:, 0]
            share = np.where(better[:, None], new, share)
        found[rows], fitted[rows] = value, share
    return Refined(found, fitted)


def _shares(low: Array, high: Array, values: Array) -> Array:
    out: Array = low[:, :, None] + (high - low)[:, :, None] * values
    return out


def _weighted(data: Data, weight: Array, values: Array, rising: bool) -> tuple[Array, Array]:
    """Weighted least squares for (low, high) inside the allowed box, rows x fits."""
    share = data.share[:, None, :]
    up, down = values, 1 - values
    uu, dd, ud = (weight * up * up).sum(2), (weight * down * down).sum(2), (weight * up * down).sum(2)
    us, ds = (weight * up * share).sum(2), (weight * down * share).sum(2)
    det = np.maximum(uu * dd - ud**2, 1e-12)
    low, high = (uu * ds - ud * us) / det, (dd * us - ud * ds) / det
    if data.bounded:
        # on an edge of the box the other end is refitted
        for edge in (0.0, 1.0):
            out = low < 0 if edge == 0 else low > 1
            high = np.where(out, (us - edge * ud) / np.maximum(uu, 1e-12), high)
            low = np.where(out, edge, low)
            out = high < 0 if edge == 0 else high > 1
            low = np.where(out, (ds - edge * ud) / np.maximum(dd, 1e-12), low)
            high = np.where(out, edge, high)
        low, high = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
    if rising:
        level = (us + ds) / np.maximum(uu + dd + 2 * ud, 1e-12)
        falls = high < low
        low, high = np.where(falls, level, low), np.where(falls, level, high)
    return low, high


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
        precision = data.weight(_shares(low, high, every))
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


# ---- one family, closed in on ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class FamilyFit:
    """One family's best curve for each row: ``curves``, ``log_likelihood`` and ``aicc`` (rows)."""

    family: type[Curve]
    curves: tuple[Curve, ...]
    log_likelihood: Array
    aicc: Array


def fit_family(data: Data, x: Array, family: type[Curve]) -> FamilyFit:
    """Maximum likelihood of ``family`` for each row: the grid's best shape, closed in on by a pattern search.

    (Hooke and Jeeves 1961, ""Direct Search" Solution of Numerical and Statistical Problems", J. ACM 8, 212-229.)
    AICc counts sizes as data (Hurvich and Tsai 1989, Biometrika 76, 297-307); infinite where too few.
    """
    sizes = x.size
    if family.free == 1:
        found, level = constant_fit(data)
        curves = tuple(family.make(np.zeros(0), float(one), 0.0) for one in level)
        return FamilyFit(family, curves, found, _aicc(found, 1, sizes))
    grid = Shapes.of(x, (family, family.grid(x)))
    best = best_fit(data, grid, rising=False)
    shape = np.array([grid.table[i] for i in best.shape]).reshape(len(best.shape), -1)
    found, low, high = (
        part[:, 0] for part in solve(data, grid.values[best.shape][:, None, :], rising=False, iterations=12)
    )
    best = Best(found, best.shape, low, high)
    found, low, high, shape = _close_in(data, x, family, best, shape, _ROUNDS if shape.shape[1] <= 2 else 3 * _ROUNDS)
    base, span = _scale(family, family.unit(x, shape))
    factor = (high - low) / span
    curves = tuple(
        family.make(shape[row], float(low[row] - factor[row] * base[row]), float(factor[row]))
        for row in range(len(shape))
    )
    return FamilyFit(family, curves, found, _aicc(found, family.free, sizes))


def _scale(family: type[Curve], unit: Array) -> tuple[Array, Array]:
    """(low, span) of units over their last axis, as `Shapes` scales them."""
    if family.asymptotic:
        return np.zeros(unit.shape[:-1]), np.ones(unit.shape[:-1])
    return unit.min(axis=-1), np.maximum(np.ptp(unit, axis=-1), 1e-9)


def _close_in(
    data: Data, x: Array, family: type[Curve], best: Best, shape: Array, rounds: int
) -> tuple[Array, Array, Array, Array]:
    found, low, high = best.log_likelihood, best.low, best.high
    bounds = family.bounds(x)
    free = [index for index, (lowest, highest) in enumerate(bounds) if highest > lowest]
    if family.name == "step" or not free:
        return found, low, high, shape
    step = np.array([(highest - lowest) / 24 for lowest, highest in bounds])
    relative = np.array([lowest > 0 and highest / lowest > 100 for lowest, highest in bounds])
    row = np.arange(len(shape))
    pace = 0.01 ** (1 / rounds)
    for turn in range(rounds):
        tried = [shape]
        for index in free:
            for sign in (-1.0, 1.0):
                moved = shape.copy()
                if relative[index]:
                    moved[:, index] *= 2.0 ** (sign * pace**turn)
                else:
                    moved[:, index] += sign * step[index] * pace**turn
                moved[:, index] = np.clip(moved[:, index], *bounds[index])
                tried.append(moved)
        table = np.stack(tried, axis=1)
        unit = family.unit(x, table.reshape(-1, table.shape[2])).reshape(*table.shape[:2], x.size)
        base, span = _scale(family, unit)
        values, lows, highs = solve(data, (unit - base[..., None]) / span[..., None], rising=False)
        top = values.argmax(axis=1)
        better = values[row, top] > found
        found = np.where(better, values[row, top], found)
        low, high = np.where(better, lows[row, top], low), np.where(better, highs[row, top], high)
        shape = np.where(better[:, None], table[row, top], shape)
    return found, low, high, shape


def _aicc(found: Array, free: int, sizes: int) -> Array:
    spare = sizes - free - 1
    return np.full_like(found, np.inf) if spare <= 0 else 2 * free - 2 * found + 2 * free * (free + 1) / spare


# ---- overdispersion -------------------------------------------------------------------------------------------------


def overdispersion(data: Counts, p: Array, free: int, *, level: float = 0.05) -> Array:
    """Intra-size correlation rho of each row around fitted shares ``p`` (rows x sizes), 0 where none is shown.

    Shown where Pearson's statistic, over the sizes that expect at least one right and one wrong answer, exceeds its
    chi-square quantile at ``level`` (1: take whatever is estimated); then rho solves "statistic = degrees of freedom"
    (Williams 1982, section 4). ``free``: parameters behind ``p``.
    """
    inside = np.clip(p, _EPS, 1 - _EPS)
    variance = data.n * inside * (1 - inside)
    used = np.minimum(data.n * inside, data.n * (1 - inside)) >= 1
    squares = np.where(used, (data.right - data.n * inside) ** 2 / variance, 0.0)
    spare = np.maximum(used.sum(axis=1) - free, 0)
    shown = (spare > 0) & (squares.sum(axis=1) > stats.chi2.ppf(1 - level, np.maximum(spare, 1)))

    def excess(rho: Array) -> Array:
        out: Array = (squares / (1 + (data.n - 1) * rho[:, None])).sum(axis=1) - spare
        return out

    rho = _bisect(excess, np.zeros(len(p)), np.full(len(p), 0.99))
    return np.where(shown, rho, 0.0)


def _bisect(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Roots of a falling function, element by element."""
    for _ in range(40):
        middle = (low + high) / 2
        above = function(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    out: Array = (low + high) / 2
    return out


def with_rho(data: Counts, rho: Array) -> Counts:
    """The same counts as beta-binomial ones."""
    return replace(data, rho=rho)


def solve_through(data: Data, values: Array, crossed: Array, target: Array, *, iterations: int = 5) -> Array:
    """Log-likelihood of rising curves forced through a point: rows x fits.

    ``values``: rows x fits x sizes; ``crossed``: the shape's value where the curve must be at ``target`` (rows x fits,
    and rows). The curve is target + rise (T - crossed) with rise >= 0 and, for counts, shares within 0..1.
    """
    lean = values - crossed[:, :, None]
    level = target[:, None, None]
    most = np.full(crossed.shape, np.inf)
    if data.bounded:
        most = np.minimum(
            target[:, None] / np.maximum(crossed, 1e-12), (1 - target[:, None]) / np.maximum(1 - crossed, 1e-12)
        )
    share = data.share[:, None, :] - level

    def shares(weight: Array) -> Array:
        rise = (weight * lean * share).sum(2) / np.maximum((weight * lean**2).sum(2), 1e-12)
        out: Array = level + np.clip(rise, 0.0, most)[:, :, None] * lean
        return out

    p = shares(data.start_weight()[:, None, :])
    for _ in range(iterations - 1 if data.bounded else 0):
        p = shares(data.weight(p))
    return data.log_likelihood(p)
