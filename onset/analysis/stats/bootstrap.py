"""The crossed bootstrap: intervals of means over draws and items.

It answers "would it come out the same with other items *and* other draws of examples?". Draws (seeds) and items are
resampled independently, keeping whole rows and columns, so that both sides of a comparison always stay paired (the
pigeonhole bootstrap: Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2); arXiv 0712.1111).

Its raw variance is wrong at both ends: with few draws it understates the noise between draws by (D - 1) / D and knows
nothing of the uncertainty of that noise, while it counts the residual noise of single outcomes about three times
(shown there; checked in the tests). At a nominal 5 % raw intervals reject a true null in 8 % of simulated studies of
5 draws x 200 items with strong noise between draws, and in 0.2 % without any. So the replicates keep their shape but
are calibrated twice (the error rates that result are in tests/analysis/stats/test_statistics_simulation.py):

* to the unbiased variance of a two-way random-effects layout, (MS_draw + MS_item - MS_residual) / (D I), never below
  MS_draw / (D I) or MS_item / (D I) (Cornfield and Tukey 1956; the same sum is the denominator of the quasi-F ratio);
* to the t distribution with Satterthwaite's (1946) degrees of freedom for that sum: a replicate z standard
  errors from the estimate is moved to the t quantile of the same probability.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.shares import Interval
from onset.processors import side_by_side
from onset.records import derive_seed

Array = NDArray[np.float64]

REPLICATES = 10_000
FEW_INFORMATIVE = 10
"""Below this number of items whose value differs from the rest, resampling has no usable shape."""
_NO_FLOOR = float(np.finfo(np.float64).tiny)
"""The least variance of values on any scale: none, but resamples of few different items have no shape all the same."""
_CHUNK = 2_000_000
_KEPT_CHUNKS = 48
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class Block:
    """``values``: draws x items, NaN where a draw lacks an item; the block adds ``weight`` times its mean.

    One block is one set of items; two blocks with weights +1 and -1 are a difference between two test sets (their items
    are resampled apart, their draws together), k blocks with weights 1 / k a mean over tasks.
    """

    values: Array
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The variance of an estimate: ``total`` with its degrees of freedom ``df``, as the replicates are calibrated to.

    ``between_draws``, ``item_part`` and ``residual`` are what noise between draws, items and single outcomes explain
    (mean squares over D I; None for a single draw or an incomplete table); ``spread``: the sum of squared terms over
    their degrees of freedom, of items and single outcomes, in Satterthwaite's formula.
    """

    total: float
    df: float
    between_draws: float | None = None
    residual: float | None = None
    item_part: float | None = None
    spread: float = 0.0


@dataclass(frozen=True, eq=False)
class Crossed:
    """An estimate with the parts of its variance and calibrated crossed-bootstrap replicates, drawn when asked for.

    ``square``: the mean square of the values (of paired right and wrong outcomes the share that one side alone has
    right), for several blocks the variances of their values, weighted. ``least``: above 0 where too few items differ
    for resamples to have a shape: then the replicates are quantiles of a t distribution whose variance is at least
    that. ``blocks`` are resampled ``count`` times.
    """

    estimate: float
    parts: Parts
    draws: int
    items: int
    square: float
    least: float = 0.0
    blocks: tuple[Block, ...] = ()
    count: int = 0

    @property
    def standard_error(self) -> float:
        """Of the calibration."""
        return math.sqrt(self.parts.total)

    @property
    def replicates(self) -> Array:
        """The calibrated replicates, sorted."""
        return self._at(np.arange(self.count), self._order())

    def interval(self, level: float = LEVEL) -> Interval:
        """Percentile interval of the calibrated replicates, interpolated as by `numpy.quantile`."""
        return self._interval(level, self._order())

    def tail(self, value: float, *, above: bool) -> float:
        """One-sided p of the hypothesis that the truth lies at ``value`` or beyond (``above`` or below it).

        (hits + 1) / (replicates + 1): never 0.
        """
        ranks = range(self.count)
        if above:
            hits = self.count - bisect_left(ranks, value, key=self._one)
        else:
            hits = bisect_right(ranks, value, key=self._one)
        return (hits + 1) / (self.count + 1)

    def p(self, value: float = 0.0) -> float:
        """Two-sided p of "the truth is ``value``", by inverting the percentile interval."""
        return min(1.0, 2 * min(self.tail(value, above=True), self.tail(value, above=False)))

    # A resample is calibrated by its rank and no other one, and that is what costs: only those asked for are.

    def _order(self) -> _Order | None:
        return None if self.least else _in_order(self)

    def _interval(self, level: float, order: _Order | None) -> Interval:
        low, high = (self._quantile(share, order) for share in ((1 - level) / 2, (1 + level) / 2))
        return low, high

    def _quantile(self, share: float, order: _Order | None) -> float:
        place = (self.count - 1) * share
        below = math.floor(place)
        low, high = map(float, self._at(np.array([below, min(below + 1, self.count - 1)]), order))
        part = place - below
        return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part

    def _one(self, rank: int) -> float:
        return float(self._at(np.array([rank]), self._order())[0])

    def _at(self, ranks: NDArray[np.int64], order: _Order | None) -> Array:
        """The calibrated replicates of those ranks, from 0: their ranks against the raw spread, so that only the shape
        of the raw ones is kept; ``order``: these, None where they have no shape.
        """
        if order is None:
            probability = (ranks + 0.5) / self.count
        else:
            raw, spread = order
            probability = special.ndtr((raw[ranks] - self.estimate) / spread)
        made: Array = self.estimate + self.standard_error * _student(probability, self.parts.df)
        return made


def intervals(many: Sequence[Crossed], level: float = LEVEL) -> list[Interval]:
    """`Crossed.interval` of each: of whole numbers (right or wrong) to the bit, since sums of these are exact. Those of
    one shape are resampled together, shape beside shape: what they are drawn by is drawn once, and read once for
    `_TOGETHER` of them.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, one in enumerate(many):
        groups.setdefault((one.count, *(block.values.shape[::-1] for block in one.blocks)), []).append(place)

    def of_shape(places: Sequence[int]) -> dict[int, Interval]:
        made: dict[int, Interval] = {}
        for first in range(0, len(places), _TOGETHER):
            part = places[first : first + _TOGETHER]
            orders = _orders([many[place] for place in part if not many[place].least])
            made |= {place: many[place]._interval(level, orders.get(many[place])) for place in part}
        return made

    made: dict[int, Interval] = {}
    for some in side_by_side(of_shape, [groups[shape] for shape in sorted(groups)]):
        made |= some
    return [made[place] for place in range(len(many))]


_TOGETHER = 16
_KEPT = 32
_Order: TypeAlias = tuple[Array, float]
"""Raw replicates, sorted, and their standard deviation."""
_kept: OrderedDict[Crossed, _Order] = OrderedDict()
"""Those of the last few: a large study has thousands."""


def _in_order(crossed: Crossed) -> _Order:
    if crossed not in _kept:
        _kept.update(_orders([crossed]))
    _kept.move_to_end(crossed)
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)
    return _kept[crossed]


def _orders(many: Sequence[Crossed]) -> dict[Crossed, _Order]:
    """Resample some of one shape."""
    together = [one for one in many if len(many) > 1 and _multiplied(one)]
    raw = dict(zip(together, _raw_together(together), strict=True))
    made = {one: raw[one] if one in raw else _raw_replicates(one.blocks, one.count) for one in many}
    return {one: (np.sort(replicates), float(replicates.std())) for one, replicates in made.items()}


def _multiplied(one: Crossed) -> bool:
    """Is it one table without holes, of several draws? One draw alone is multiplied as a vector, whose sums go in
    another order.
    """
    values = one.blocks[0].values
    return len(one.blocks) == 1 and len(values) > 1 and bool(np.isfinite(values).all())


def crossed_bootstrap(blocks: Sequence[Block], replicates: int = REPLICATES, *, shares: bool = True) -> Crossed | None:
    """Resample draws and items of ``blocks`` independently; None when a block holds no value at all.

    ``shares``: the values are within -1..1; only then is there a least variance where hardly any items differ.

    Equal arguments give equal replicates: the resampling counts follow from the shapes alone. One draw means that
    only items are resampled.
    """
    filled = tuple(Block(np.asarray(block.values, dtype=np.float64), block.weight) for block in blocks)
    if any(not np.isfinite(block.values).any() for block in filled):
        return None
    items = sum(int(np.isfinite(block.values).any(axis=0).sum()) for block in filled)
    parts = _variance(filled, replicates, _floors(filled) if shares and len(filled) > 1 else [0.0] * len(filled))
    few = _informative(filled) < FEW_INFORMATIVE
    least = 0.0 if not few else _least_variance(filled) if shares else _NO_FLOOR
    if least and parts.total <= least:
        # the least variance is that of a score interval, which has normal quantiles
        parts = replace(parts, total=least, df=float(max(items - 1, 1)))
    return Crossed(
        estimate=sum(block.weight * float(np.nanmean(block.values)) for block in filled),
        parts=parts,
        draws=filled[0].values.shape[0],
        items=items,
        square=_square(filled),
        least=least,
        blocks=filled,
        count=replicates,
    )


def _square(blocks: Sequence[Block]) -> float:
    if len(blocks) == 1:
        return blocks[0].weight ** 2 * float(np.nanmean(blocks[0].values ** 2))
    return sum(block.weight**2 * float(np.nanvar(block.values)) for block in blocks)


def _student(probability: Array, df: float) -> Array:
    quantiles: Array = special.stdtrit(df, np.clip(probability, 1e-12, 1 - 1e-12))
    return quantiles


def _raw_replicates(blocks: Sequence[Block], replicates: int) -> Array:
    """Means under multinomial counts of draws and items, in chunks that bound the memory."""
    draws = blocks[0].values.shape[0]
    widest = max(block.values.shape[1] for block in blocks)
    rows = max(1, min(replicates, _CHUNK // widest))
    out = np.zeros(replicates)
    for start in range(0, replicates, rows):
        size = min(rows, replicates - start)
        draw_counts = _counts(draws, size, start, "draws")
        for index, block in enumerate(blocks):
            out[start : start + size] += block.weight * _resampled_mean(block.values, draw_counts, index, start)
    return out


def _raw_together(many: Sequence[Crossed]) -> list[Array]:
    """`_raw_replicates` of tables of one shape (`_multiplied`)."""
    if not many:
        return []
    draws, items = many[0].blocks[0].values.shape
    tables = np.concatenate([one.blocks[0].values for one in many]).astype(np.float32)
    count = many[0].count
    rows = max(1, min(count, _CHUNK // items))
    out = [np.zeros(count) for _ in many]
    for start in range(0, count, rows):
        size = min(rows, count - start)
        draw_counts = _counts(draws, size, start, "draws")
        sums = _counts(items, size, start, "items 0") @ tables.T
        for place, one in enumerate(many):
            mine = np.ascontiguousarray(sums[:, place * draws : (place + 1) * draws])
            out[place][start : start + size] += one.blocks[0].weight * (_total(draw_counts, mine) / (draws * items))
    return out


def _total(draw_counts: NDArray[np.float32], sums: NDArray[np.float32]) -> Array:
    total: Array = np.einsum("bd,bd->b", draw_counts, sums, dtype=np.float64)
    return total


def _resampled_mean(values: Array, draw_counts: NDArray[np.float32], index: int, start: int) -> Array:
    item_counts = _counts(values.shape[1], len(draw_counts), start, f"items {index}")
    known = np.isfinite(values)
    sums = item_counts @ np.where(known, values, 0).T.astype(np.float32)
    total = _total(draw_counts, sums)
    if known.all():
        return total / values.size
    weights = item_counts @ known.T.astype(np.float32)
    mass = _total(draw_counts, weights)
    # A resample of a very sparse table can hold no value at all: it then says nothing against the estimate.
    return np.where(mass > 0, total / np.where(mass > 0, mass, 1), np.nanmean(values))


@lru_cache(maxsize=8)
def _counts(n: int, size: int, start: int, stream: str) -> NDArray[np.float32]:
    """As `_drawn`, to multiply with: of the last few shapes, since these take four times the memory."""
    return _drawn(n, size, start, stream).astype(np.float32)


@lru_cache(maxsize=_KEPT_CHUNKS)
def _drawn(n: int, size: int, start: int, stream: str) -> NDArray[np.uint8]:
    """``size`` multinomial draws of ``n`` out of ``n``, the same for all tables of a shape (kept, one byte each)."""
    if stream == "draws" and n == 1:
        return np.ones((size, 1), dtype=np.uint8)
    rng = np.random.default_rng(derive_seed("crossed bootstrap", n, start, stream))
    chosen = rng.integers(0, n, size=(size, n), dtype=np.int32)
    counts = np.empty((size, n), dtype=np.uint8)
    rows = max(1, _BLOCK // n)  # counted in parts that the processor keeps at hand
    shifts = np.arange(min(rows, size))[:, None] * n
    for first in range(0, size, rows):
        part = chosen[first : first + rows]
        counts[first : first + rows] = np.bincount((part + shifts[: len(part)]).ravel(), minlength=part.size).reshape(
            part.shape
        )
    return counts


def _variance(blocks: Sequence[Block], replicates: int, floors: Sequence[float]) -> Parts:
    """The calibrated variance of the estimate, its degrees of freedom and its parts; ``floors``: the least variance
    that items add, of each block.
    """
    draws = blocks[0].values.shape[0]
    if any(not np.isfinite(block.values).all() for block in blocks):
        # No balanced layout: keep the raw variance (too large rather than too small) with a small-sample factor.
        size = draws if draws > 1 else min(block.values.shape[1] for block in blocks)
        raw = _raw_replicates(blocks, replicates)
        lacking = sum(max(0.0, floor - _by_item(block)) for block, floor in zip(blocks, floors, strict=True))
        return Parts(float(raw.var()) * size / max(size - 1, 1) + lacking, float(max(size - 1, 1)))
    item_part, residual = 0.0, 0.0
    spread = 0.0  # the sum of term^2 / freedom of Satterthwaite's formula
    by_draw = np.zeros(draws)
    for block, floor in zip(blocks, floors, strict=True):
        values, items = block.values, block.values.shape[1]
        rows, columns = values.mean(axis=1), values.mean(axis=0)
        by_draw += block.weight * rows
        square = block.weight**2
        by_item = max(_by_item(block), floor)
        rest = values - rows[:, None] - columns[None, :] + values.mean()
        freedom = max((draws - 1) * (items - 1), 1)
        single = square * float((rest**2).sum()) / freedom / (draws * items)
        item_part, residual = item_part + by_item, residual + single
        spread += by_item**2 / max(items - 1, 1) + single**2 / freedom
    if draws == 1:
        return Parts(item_part, item_part**2 / spread if spread > 0 else 1.0)
    between = float(by_draw.var(ddof=1)) / draws
    total, df = layout_variance(between, draws - 1, item_part, residual, spread)
    return Parts(total, df, between, residual, item_part, spread)


def _by_item(block: Block) -> float:
    """What differences between items add to the variance; 0 of a single one."""
    known = np.isfinite(block.values)
    columns = np.nanmean(block.values[:, known.any(axis=0)], axis=0)
    return block.weight**2 * float(columns.var(ddof=1)) / len(columns) if len(columns) > 1 else 0.0


def _floors(blocks: Sequence[Block]) -> list[float]:
    """The least variance of each block. A small set that is all right beside a large one would have none: that block
    of few different items which lacks most has `_least_variance`, and all others none, since not all of many sets are
    at the end of what they could be at once.
    """
    few = [block.values.shape[1] > 1 and _informative([block]) < FEW_INFORMATIVE for block in blocks]
    least = [_least_variance([block]) if one else 0.0 for block, one in zip(blocks, few, strict=True)]
    lacking = [floor - _by_item(block) for block, floor in zip(blocks, least, strict=True)]
    most = lacking.index(max(lacking))
    return [floor if place == most else 0.0 for place, floor in enumerate(least)]


def layout_variance(
    between: float, df_between: float, item_part: float, residual: float, spread: float
) -> tuple[float, float]:
    """The variance of a mean over draws and items, and its degrees of freedom (module docstring).

    ``between``, ``item_part``, ``residual``: mean squares of draws, items and single outcomes over D I; ``df_between``:
    the degrees of freedom of the first; ``spread``: the others' share of the sum in Satterthwaite's formula.
    """
    total = max(between + item_part - residual, between, item_part)
    whole = spread + between**2 / df_between
    return total, max(1.0, total**2 / whole) if whole > 0 else max(1.0, float(df_between))


def _informative(blocks: Sequence[Block]) -> int:
    """Items whose mean differs from their block's most common one."""
    count = 0
    for block in blocks:
        known = np.isfinite(block.values)
        means = np.where(known, block.values, 0).sum(axis=0)[known.any(axis=0)] / known.sum(axis=0)[known.any(axis=0)]
        same = np.unique(means.round(9), return_counts=True)[1]
        count += int(len(means) - same.max())
    return count


def _least_variance(blocks: Sequence[Block]) -> float:
    """The variance at which the half-width is Tango's for pairs that never disagree: z^2 / (I + z^2).

    Without it, outcomes that are all equal would give an interval of width zero from a handful of items.
    """
    z = float(special.ndtri((1 + LEVEL) / 2))
    return float(sum((block.weight * z / (block.values.shape[1] + z * z)) ** 2 for block in blocks))
