"""Confidence against correctness: calibration error, and what is left when the least confident answers are withheld.

Calibration: is a model that says .8 right in 80 %? Outcomes are put in order of confidence and cut into bins of equal
mass; the expected calibration error is the mean distance of a bin's accuracy from its mean confidence (ECE; Guo et al.
2017, arXiv 1706.04599, with bins of equal mass as in Nguyen and O'Connor 2015, arXiv 1508.05154). It is biased upwards,
the more the fewer outcomes there are: a calibrated model has an ECE above 0 (Kumar et al. 2019, arXiv 1909.10155). So
it is corrected by the bootstrap, and shown beside what chance alone would give: consistency resampling (Broecker and
Smith 2007, Weather and Forecasting 22), in which outcomes are drawn anew with the stated confidences.

Abstention: the risk of the answers that are kept when the least confident are withheld, over the share that is kept
(coverage), and the area under that curve, AURC (Geifman and El-Yaniv 2017, arXiv 1705.08500; Geifman et al. 2019, arXiv
1805.08206): the mean over k of the share that is wrong among the k most confident. An order that says nothing has an
AURC of the error rate. Outcomes of equal confidence stand in every order: what is expected over these is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from onset.analysis.stats.adjust import LEVEL
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.draws import ENOUGH_DRAWS, with_draws
from onset.analysis.stats.means import mean_interval
from onset.analysis.stats.shares import Interval
from onset.records import derive_seed
from onset.scores import wilson

BINS = 10
FEWEST = 100
"""Answered items below which no calibration error is told: ten to a bin."""
COVERAGES = (0.2, 0.5, 0.8)
"""Shares of the outcomes that are kept, for which accuracy is told with its interval; each is one of `_CURVE`."""
_CURVE = tuple(step / 20 for step in range(1, 21))
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Bin:
    """Outcomes of like confidence: their number ``n``, mean ``confidence`` and ``accuracy``, the share right."""

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """``plain``: ECE as it is defined; ``value``: less its bias, by the bootstrap, not below 0, with its 95 %
    ``interval``; ``chance``: the mean plain ECE of calibrated outcomes with these confidences, and ``p``: the
    share of these that have as large a one.
    """

    plain: float
    value: float
    interval: Interval
    chance: float
    p: float


@dataclass(frozen=True, slots=True)
class Estimated:
    """A ``value`` with its 95 % ``interval``."""

    value: float
    interval: Interval


@dataclass(frozen=True, eq=False)
class Assessment:
    """What confidence says of outcomes.

    ``answered``: items that are in some draw; ``outcomes`` (items x draws) and ``unanswered`` ones. Of the answered:
    ``accuracy`` and mean ``confidence`` (0..1), ``over``: the second less the first, and the ``brier`` score (mean
    squared distance of confidence from right or wrong); ``error``: ECE, None below `FEWEST` answered items; ``bins``:
    of the reliability diagram. Of all outcomes: ``aurc``, ``ordered``: the error rate less the AURC (above 0: the order
    tells something), ``curve``: accuracy at each coverage, and ``kept`` those of `COVERAGES` with intervals.
    ``risks``: a value of each outcome whose mean is the AURC.
    """

    answered: int
    outcomes: int
    unanswered: int
    accuracy: float
    confidence: float
    over: Estimated
    brier: Estimated
    error: CalibrationError | None
    bins: tuple[Bin, ...]
    aurc: Estimated
    ordered: Estimated
    curve: tuple[tuple[float, float], ...]
    kept: tuple[tuple[float, Estimated], ...]
    risks: Array


def assess(confidence: Array, right: Array) -> Assessment | None:
    """Of ``confidence`` (0..1, NaN: not answered) and ``right`` (0 or 1, NaN: no outcome), both draws x items; None
    where fewer than two items were answered: nothing has an interval then.
    """
    known = np.isfinite(confidence) & np.isfinite(right)
    some = known.any(axis=0)
    answered = int(some.sum())
    if answered < 2:
        return None
    good = np.where(known, right, np.nan)
    sure = np.where(known, confidence, np.nan)[:, some]
    over, brier = ((confidence - good)[:, some], ((confidence - good) ** 2)[:, some])
    risks = aurc_values(confidence, right)
    curve = dict(zip(_CURVE, map(float, kept(confidence, right, _CURVE)), strict=True))
    intervals = zip(COVERAGES, kept_intervals(confidence, right, COVERAGES), strict=True)
    return Assessment(
        answered=answered,
        outcomes=int(np.isfinite(right).sum()),
        unanswered=int((np.isfinite(right) & ~known).sum()),
        accuracy=float(np.nanmean(good)),
        confidence=float(np.nanmean(np.where(known, confidence, np.nan))),
        over=_mean(over, -1.0, _scatter(sure)),
        brier=_mean(brier, 0.0, _scatter(sure, brier=True)),
        error=calibration_error(confidence, good) if answered >= FEWEST else None,
        bins=reliability(confidence[known], good[known]) if answered >= FEWEST else (),
        aurc=_mean(risks, 0.0),
        ordered=_mean(1 - right - risks, -1.0),
        curve=tuple(curve.items()),
        kept=tuple((share, Estimated(curve[share], interval)) for share, interval in intervals),
        risks=risks,
    )


def reliability(confidence: Array, right: Array, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equal mass, by ascending confidence; equal confidences are in one bin, so there may be fewer.

    ``confidence`` (0..1) and ``right`` (0 or 1): one an outcome, no NaN.
    """
    order = np.argsort(confidence, kind="stable")
    held, good = confidence[order], right[order]
    first = _bin_starts(_groups(held)[0], len(held), bins)
    every = zip(np.split(held, first[1:]), np.split(good, first[1:]), strict=True)
    return tuple(Bin(len(sure), float(sure.mean()), float(well.mean())) for sure, well in every)


def calibration_error(confidence: Array, right: Array, *, resamples: int = RESAMPLES) -> CalibrationError:
    """ECE of ``confidence`` and ``right``, both draws x items, NaN where there is no answer.

    The interval is that of a mean over draws and items: with the signs of the bins' gaps held, ECE is the mean of the
    signed distances of confidence from right or wrong, one value an outcome (`onset.analysis.stats.means`); its lower
    end is 0 where calibration is not refused (p above .05). For the bias draws and items are resampled independently,
    whole rows and columns; an item's
    outcomes of several draws are drawn by one random number where calibrated outcomes are made, as if they always
    agreed: with several draws p is too large rather than too small. Raises ValueError without any answer.
    """
    known = np.isfinite(confidence) & np.isfinite(right)
    if not known.any():
        raise ValueError("a calibration error of no outcomes")
    row, column = np.nonzero(known)
    order = np.argsort(confidence[known], kind="stable")
    row, column = row[order], column[order]
    held, good = confidence[known][order], right[known][order]
    starts, _ = _groups(held)
    draws, items = confidence.shape
    often, counted = _counts(draws, resamples, "draws"), _counts(items, resamples, "items")
    random, parts = _uniform(items, resamples), list(_parts(resamples, len(held)))
    plain = float(_ece_of(good[None, :], held, starts)[0])
    found = np.concatenate(
        [
            _ece(often[rows].take(row, axis=1) * counted[rows].take(column, axis=1), held - good, starts)
            for rows in parts
        ]
    )
    null = np.concatenate([_ece_of(random[rows].take(column, axis=1) < held, held, starts) for rows in parts])
    value = min(1.0, max(0.0, 2 * plain - float(np.nanmean(found))))
    p = (1 + int((null >= plain - 1e-12).sum())) / (1 + len(null))
    signed = np.full(confidence.shape, np.nan)
    signed[row, column] = _signs(held, good, starts) * (held - good)
    _, (low, high) = mean_interval(signed[:, known.any(axis=0)], shares=True)
    half = (high - low) / 2
    interval = 0.0 if p > 1 - LEVEL else max(0.0, value - half), min(1.0, value + half)
    return CalibrationError(plain, value, interval, float(null.mean()), p)


def aurc(confidence: Array, right: Array) -> float:
    """The area under the risk-coverage curve of outcomes (one axis, no NaN): 0 best; of no order, the error rate."""
    terms, _ = _risks(confidence, 1 - right)
    return float(terms.sum() / len(confidence))


def aurc_values(confidence: Array, right: Array) -> Array:
    """Values, draws x items (NaN where ``right`` is), whose mean in a draw is its AURC up to the jackknife's correction
    of bias: pseudo-values (Tukey 1958), n times the area less n - 1 times that without the outcome. Where
    ``confidence`` is NaN nothing was answered: such an outcome is withheld first. A draw with one item has its outcome.
    """
    out = np.full(right.shape, np.nan)
    for row in range(len(right)):
        known = np.isfinite(right[row])
        held = np.where(np.isfinite(confidence[row, known]), confidence[row, known], -1.0)
        out[row, known] = _pseudo(held, 1 - right[row, known])
    return out


def kept(confidence: Array, right: Array, coverage: Sequence[float]) -> Array:
    """The share right among the most confident ``coverage`` (0..1, each above 0) of the outcomes of each draw, mean
    over draws: one value a coverage. Arguments as in `aurc_values`.
    """
    draws, items = right.shape
    found: Array = _kept(_lines(confidence, right), coverage, np.ones((1, draws)), np.ones((1, items)))[0]
    return found


def kept_intervals(
    confidence: Array, right: Array, coverage: Sequence[float], *, resamples: int = RESAMPLES
) -> list[Interval]:
    """Intervals (95 %) of `kept`: percentiles over items and draws resampled, of one draw over items alone; with two to
    five draws its ends are the further out of these and of Student's t over the draws (of simulated cases the first
    alone held the truth in 70 to 91 %, both in 95 % and more). They reach at least as far as Wilson's of the outcomes
    of a draw that are kept: where these are all right, so they are in every resample.
    """
    draws, items = right.shape
    often, counted = _counts(draws, resamples, "draws"), _counts(items, resamples, "items")
    lines = _lines(confidence, right)
    found = np.concatenate([_kept(lines, coverage, often[rows], counted[rows]) for rows in _parts(resamples, items)])
    ends = np.nanquantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    made = [(float(low), float(high)) for low, high in ends.T]
    if 1 < draws < ENOUGH_DRAWS:
        by_draw = np.array([kept(confidence[[row]], right[[row]], coverage) for row in range(draws)])
        made = [with_draws(one, column[np.isfinite(column)]) for one, column in zip(made, by_draw.T, strict=True)]
    outcomes = float(np.isfinite(right).sum()) / draws
    least = [
        _counted(share, outcomes, value)
        for share, value in zip(coverage, kept(confidence, right, coverage), strict=True)
    ]
    both = zip(made, least, strict=True)
    return [(max(0.0, min(one[0], other[0])), min(1.0, max(one[1], other[1]))) for one, other in both]


def _counted(coverage: float, outcomes: float, value: float) -> Interval:
    """Wilson's interval of the share ``value`` that is right among so many kept ``outcomes``."""
    count = max(1, round(coverage * outcomes))
    return wilson(min(count, round(value * count)), count)


# ---- parts ---------------------------------------------------------------------------------------------------------


def _scatter(sure: Array, *, brier: bool = False) -> float:
    """Half the width of an interval of the mean of confidence less right (or its square) as it would be of calibrated
    outcomes, whose variance is c (1 - c) (of the square times (1 - 2 c)^2), on as many items: where all are right, what
    was seen does not vary. ``sure``: draws x items, NaN where there is no answer.
    """
    variance = sure * (1 - sure) * ((1 - 2 * sure) ** 2 if brier else 1.0)
    items = sure.shape[1]
    quantile = float(special.stdtrit(items - 1, (1 + LEVEL) / 2))
    return quantile * float(np.sqrt(np.nanmean(variance) / items))


def _mean(values: Array, least: float, scatter: float = 0.0) -> Estimated:
    """A mean within ``least`` and 1, with its interval cut there, which reaches ``scatter`` to both sides at least."""
    value, (low, high) = mean_interval(values, shares=True)
    low, high = min(low, value - scatter), max(high, value + scatter)
    value = min(1.0, max(least, value))
    return Estimated(value, (min(value, max(least, low)), max(value, min(1.0, high))))


def _groups(held: Array) -> tuple[np.ndarray, np.ndarray]:
    """Where runs of equal values start in a sorted array, and how long they are."""
    starts = np.flatnonzero(np.r_[True, np.diff(held) != 0])
    sizes: np.ndarray = np.diff(np.r_[starts, len(held)])
    return starts, sizes


def _firsts(ends: Array, bins: int) -> np.ndarray:
    """Of each row the first group of each bin: that whose middle is in it. ``ends``: resamples x groups, the mass
    (whole numbers) up to and with each group. Resamples x (bins + 1): the last is the number of groups, and a bin
    without a group ends where it begins.
    """
    rows, groups = ends.shape
    twice_middle = ends.copy()
    twice_middle[:, 1:] += ends[:, :-1]
    edges = 2 * ends[:, -1:] * np.arange(1, bins)
    out = np.empty((rows, bins + 1), dtype=int)
    out[:, 0], out[:, 1:-1], out[:, -1] = 0, _below(bins * twice_middle, edges), groups
    return out


def _below(rising: Array, values: Array) -> np.ndarray:
    """How many numbers of each row of ``rising`` (each not below the one before it) are below each of its ``values``;
    no number is negative.
    """
    rows, width = rising.shape
    apart = (max(float(rising[:, -1].max()), float(values.max())) + 1) * np.arange(rows)[:, None]
    found: np.ndarray = np.searchsorted((rising + apart).ravel(), values + apart) - width * np.arange(rows)[:, None]
    return found


_AT_ONCE = 16_384
"""Numbers of a table of resamples that are worked on together: what the processor keeps at hand."""


def _parts(rows: int, width: int) -> Iterator[slice]:
    """Rows of a table of resamples, part by part."""
    step = max(1, _AT_ONCE // max(width, 1))
    yield from (slice(first, first + step) for first in range(0, rows, step))


def _ece(weights: Array, gaps: Array, starts: np.ndarray, bins: int = BINS) -> Array:
    """ECE under each row of ``weights`` (resamples x outcomes, sorted by confidence; whole numbers), NaN where none has
    any; ``gaps``: of each outcome confidence less right or wrong.
    """
    last = np.r_[starts[1:], len(gaps)]
    mass = np.cumsum(weights, axis=1)
    first = _firsts(mass if len(starts) == len(gaps) else mass.take(last - 1, axis=1), bins)
    sums = np.zeros((len(weights), len(gaps) + 1))
    np.cumsum(weights * gaps, axis=1, out=sums[:, 1:])
    at = np.r_[starts, len(gaps)][first]
    apart = np.abs(np.diff(np.take_along_axis(sums, at, axis=1), axis=1)).sum(axis=1)
    total = mass[:, -1]
    out: Array = np.where(total > 0, apart / np.where(total > 0, total, 1.0), np.nan)
    return out


def _ece_of(good: np.ndarray, held: Array, starts: np.ndarray, bins: int = BINS) -> Array:
    """ECE of each row of ``good`` (resamples x outcomes, sorted by confidence), every outcome counted once."""
    first = _bin_starts(starts, len(held), bins)
    gaps = np.add.reduceat(held, first) - np.add.reduceat(good, first, axis=1, dtype=float)
    out: Array = np.abs(gaps).sum(axis=1) / len(held)
    return out


def _bin_starts(starts: np.ndarray, count: int, bins: int) -> np.ndarray:
    """The first outcome of each bin that has any, every one of ``count`` counted once."""
    ends = np.r_[starts[1:], count].astype(float)
    first = _firsts(ends[None, :], bins)[0]
    out: np.ndarray = starts[np.unique(first[first < len(starts)])]
    return out


def _signs(held: Array, good: Array, starts: np.ndarray) -> Array:
    """Of each outcome (sorted by confidence): 1 where its bin is surer than right, else -1."""
    first = _bin_starts(starts, len(held), BINS)
    gaps = np.add.reduceat(held - good, first)
    out: Array = np.repeat(np.where(gaps >= 0, 1.0, -1.0), np.diff(np.r_[first, len(held)]))
    return out


def _risks(confidence: Array, wrong: Array) -> tuple[Array, tuple[Array, Array, Array, Array]]:
    """Of each group of equal confidence, the most confident first, the sum over its places k of the share that is wrong
    among the k first; and the outcomes and wrong ones before it, its size and its wrong ones.
    """
    order = np.argsort(-confidence, kind="stable")
    starts, sizes = _groups(confidence[order])
    bad = np.add.reduceat(wrong[order], starts)
    size = sizes.astype(float)
    before, bad_before = np.cumsum(size) - size, np.cumsum(bad) - bad
    return _area(before, bad_before, size, bad), (before, bad_before, size, bad)


def _area(before: Array, bad_before: Array, size: Array, bad: Array) -> Array:
    """The sum over i = 1..size of (bad_before + i bad / size) / (before + i): harmonic numbers in closed form."""
    share = np.divide(bad, size, out=np.zeros_like(bad), where=size > 0)
    harmonic = special.digamma(before + size + 1) - special.digamma(before + 1)
    out: Array = size * share + (bad_before - share * before) * harmonic
    return out


def _pseudo(confidence: Array, wrong: Array) -> Array:
    """Jackknife pseudo-values of the AURC of one draw: leaving out one outcome changes its own group and shifts all
    that come after it.
    """
    n = len(wrong)
    if n == 1:
        return wrong.copy()
    terms, (before, bad_before, size, bad) = _risks(confidence, wrong)
    whole = terms.sum()
    order = np.argsort(-confidence, kind="stable")
    group = np.empty(n, dtype=int)
    group[order] = np.repeat(np.arange(len(size)), size.astype(int))
    earlier = np.cumsum(terms) - terms
    out = np.empty(n)
    for lost in (0.0, 1.0):
        own = np.where(size > 1, _area(before, bad_before, np.maximum(size - 1, 1), bad - lost), 0.0)
        shifted = np.zeros_like(terms)
        # the first group is never behind an outcome that is left out
        shifted[1:] = _area(before[1:] - 1, bad_before[1:] - lost, size[1:], bad[1:])
        later = shifted[::-1].cumsum()[::-1] - shifted
        rest = earlier + own + later
        mine = wrong == lost
        out[mine] = whole - rest[group[mine]]
    return out


@dataclass(frozen=True, slots=True)
class _Line:
    """The outcomes of one draw, the most confident first: the ``columns`` of their items, whether each is ``right``,
    and the ``last`` of each group of equal confidence (None: every one is a group of its own).
    """

    columns: np.ndarray
    right: Array
    last: np.ndarray | None


def _lines(confidence: Array, right: Array) -> list[_Line]:
    return [_line(*one) for one in zip(confidence, right, strict=True)]


def _line(confidence: Array, right: Array) -> _Line:
    known = np.isfinite(right)
    held = np.where(np.isfinite(confidence[known]), confidence[known], -1.0)
    order = np.argsort(-held, kind="stable")
    starts, _ = _groups(held[order])
    last = None if len(starts) == len(held) else np.r_[starts[1:], len(held)] - 1
    return _Line(np.flatnonzero(known)[order], right[known][order], last)


def _kept(lines: Sequence[_Line], coverage: Sequence[float], often: Array, items: Array) -> Array:
    """Resamples x coverages: the mean over draws, each counted as ``often`` (resamples x draws) says, of what is right
    among the items, each counted as ``items`` (resamples x items) says.
    """
    count = len(often)
    shares = np.asarray(coverage)
    sums, mass = np.zeros((count, len(shares))), np.zeros(count)
    for row, line in enumerate(lines):
        own = items.take(line.columns, axis=1)
        ends, good = np.cumsum(own, axis=1), np.cumsum(own * line.right, axis=1)
        if line.last is not None:
            ends, good = (one.take(line.last, axis=1) for one in (ends, good))
        weight = np.where(ends[:, -1] > 0, often[:, row], 0.0)
        mass += weight
        target = ends[:, -1:] * shares
        place = np.minimum(_below(ends, np.maximum(target - 1e-9, 0.0)), ends.shape[1] - 1)
        (upto, well), (before, well_before) = _at(place, ends, good), _at(place - 1, ends, good)
        level = (well - well_before) / np.maximum(upto - before, 1e-12)
        value = (well - (upto - target) * level) / np.where(target > 0, target, 1.0)
        sums += weight[:, None] * value
    out: Array = sums / np.where(mass > 0, mass, np.nan)[:, None]
    return out


def _at(place: np.ndarray, *tables: Array) -> list[Array]:
    """The numbers at a row's places in each table; 0 before the first."""
    return [np.where(place < 0, 0.0, np.take_along_axis(one, np.maximum(place, 0), axis=1)) for one in tables]


@lru_cache(maxsize=64)
def _counts(n: int, resamples: int, stream: str) -> np.ndarray:
    """How often each of ``n`` is drawn, resamples x n: the same for all tables of a shape, so that they stay paired."""
    if stream == "draws" and n == 1:
        return np.ones((resamples, 1))
    rng = np.random.default_rng(derive_seed("confidence", n, stream))
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)


@lru_cache(maxsize=16)
def _uniform(n: int, resamples: int) -> np.ndarray:
    return np.random.default_rng(derive_seed("calibrated outcomes", n)).random((resamples, n))
