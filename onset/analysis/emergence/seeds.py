"""Is an ability of a size, or of the seed it was pretrained with?

Zhao et al. 2025 ("Distributional Scaling of Emergent Capabilities", arXiv 2502.17356, abstract and section 1) train
many seeds of each size and find that where performance is bimodal over seeds, what changes with size, continuously, is
the probability distribution of training outcomes: how probable a breakthrough is. The mean over seeds, or one seed a
size, then looks like a sharp or a smooth rise while hardly a model is between the two clusters. The rules below that
decide it are ours. A seed of pretraining is a level of its own: it is no draw of examples, and its variance does not
shrink with the items.

Of one curve with several seeds at a size:

- **Has it.** A seed has the ability where the lower end of its 95 % interval (Wilson's of counts, normal of a score
  with its standard error) lies above chance by the margin, 5 points, or above an accuracy that is asked for. What items
  cannot tell counts as not having it, and how many those are (`SeedSize.open`) is said. P(has) is the share of all
  seeds, with Clopper and Pearson's exact interval.
- **P(has) over size**: the exact conditional test of a trend over the order of the sizes (Cochran 1954; Armitage 1955,
  Biometrics 11, 375-386; given how many have it in all, every way of dealing them to the sizes counts).
- **Two clusters.** Hartigan's dip test (`onset.analysis.stats.dip`) on the accuracies of the seeds of each size that
  has `MIN_SEEDS` and at least two on either side; over several such sizes the dips are added. With fewer seeds nothing
  is said of clusters. One seed apart from the others is no cluster.
- **What the mean's rise is due to.** Between neighbouring sizes the change of the mean is parted into that of the share
  and that of the levels of those that have the ability and of those that lack it (Kitagawa 1955, JASA 50, 1168-1194; a
  level that is not there at one of both sizes counts as unchanged). `due_to_share` is the share's part of the rise from
  the smallest to the largest size; it is above 1 where the levels fall meanwhile.

`emergent in distribution`: two clusters and a rise of P(has) are both shown, the mean rises by `Settings.least_rise` or
more, and at least half of that is due to the share. `rises`, `falls`: of P(has) alone, where the smallest and the
largest size differ in the direction of the trend; `two clusters`: without a trend; `open`: none of it is shown. Over
many curves p of the trends and p of the clusters become q (Benjamini and Hochberg 1995). Seeds that all
grow smoothly are called emergent in distribution in at most 5 % of simulations (`benchmarks/pretraining_seeds.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from scipy import special

from onset.analysis import words
from onset.analysis.curves.series import Curve, Scale, SizePoint
from onset.analysis.emergence.settings import Settings
from onset.analysis.stats.adjust import LEVEL, benjamini_hochberg
from onset.analysis.stats.counting import Counted
from onset.analysis.stats.dip import dip_test, spread_ties
from onset.analysis.stats.shares import clopper_pearson
from onset.errors import DataError, InputError
from onset.scores import wilson

SeedVerdict = Literal["emergent in distribution", "rises", "falls", "two clusters", "open"]
VERDICTS: tuple[SeedVerdict, ...] = ("emergent in distribution", "rises", "falls", "two clusters", "open")
MIN_SEEDS = 5
"""Seeds of a size below which nothing is said of clusters."""
_SIDE = 2
"""Seeds on either side below which there are no two clusters."""
DUE = 0.5
"""The part of the mean's rise that is due to the share of seeds, at least, of what is emergent in distribution."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One run: ``accuracy`` with its 95 % ``interval``; ``has``: is it shown to be above chance by the margin;
    ``lacks``: is it shown not to be? Neither: its items do not tell.
    """

    model: str
    seed: int
    accuracy: float
    interval: tuple[float, float]
    has: bool
    lacks: bool
    step: float = 0.0
    """By how much one item changes the accuracy; 0 of a score."""

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        told = {"model": self.model, "pretraining_seed": self.seed, "accuracy": self.accuracy}
        return told | {"interval": list(self.interval), "has": self.has, "lacks": self.lacks}


@dataclass(frozen=True, slots=True)
class SeedSize:
    """The seeds of one size, by their number. ``p_clusters``: of the dip test; None where nothing can be said."""

    size: float
    seeds: tuple[Seed, ...]
    p_clusters: float | None = None

    @property
    def has(self) -> int:
        """How many have the ability."""
        return sum(one.has for one in self.seeds)

    @property
    def of(self) -> int:
        """How many there are."""
        return len(self.seeds)

    @property
    def open(self) -> int:
        """How many are neither shown to have it nor to lack it."""
        return sum(not one.has and not one.lacks for one in self.seeds)

    @property
    def share(self) -> float:
        """P(has): of all seeds."""
        return self.has / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's of `share`, 95 %."""
        return clopper_pearson(self.has, self.of)

    @property
    def mean(self) -> float:
        """Of the accuracies over the seeds."""
        return float(np.mean([one.accuracy for one in self.seeds]))

    @property
    def spread(self) -> float | None:
        """Standard deviation of the accuracies between seeds; None of one seed."""
        return float(np.std([one.accuracy for one in self.seeds], ddof=1)) if self.of > 1 else None

    def level(self, has: bool) -> float | None:
        """Mean accuracy of those that have it, or lack it; None where there are none."""
        found = [one.accuracy for one in self.seeds if one.has is has]
        return float(np.mean(found)) if found else None

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "size": self.size,
            "seeds": [one.json() for one in self.seeds],
            "of": self.of,
            "has": self.has,
            "open": self.open,
            "share": self.share,
            "interval": list(self.interval),
            "mean": self.mean,
            "spread": self.spread,
            "mean_has": self.level(True),
            "mean_lacks": self.level(False),
            "p_clusters": self.p_clusters,
        }


@dataclass(frozen=True)
class SeedCurve:
    """P(has) over the sizes of one curve. ``above``: accuracy that a seed's interval must exceed; ``p_trend``: of no
    trend of P(has) over size, two-sided (None: one size, or all seeds alike), ``q_trend`` over all curves;
    ``p_clusters``: of one cluster at every size (None: too few seeds on either side at every size), ``q_clusters`` over
    all curves; ``due_to_share``: the share's part of the mean's rise (None: the mean does not rise by the least that
    counts).
    """

    curve: str
    family: str
    metric: str
    scale: Scale
    chance: float
    above: float
    sizes: tuple[SeedSize, ...]
    p_trend: float | None
    q_trend: float | None
    p_clusters: float | None
    q_clusters: float | None
    rise: float
    due_to_share: float | None
    verdict: SeedVerdict
    notes: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """Stable keys, documented in docs/notes/formats.md."""
        names = ("chance", "above", "p_trend", "q_trend", "p_clusters", "q_clusters", "rise", "due_to_share")
        told = {name: getattr(self, name) for name in names}
        return {"sizes": [one.json() for one in self.sizes], **told, "verdict": self.verdict, "notes": list(self.notes)}

    @property
    def mixed(self) -> tuple[SeedSize, ...]:
        """The sizes that say something of clusters."""
        return tuple(one for one in self.sizes if one.p_clusters is not None)


def has_seeds(curve: Curve) -> bool:
    """Has the curve several seeds of pretraining at some size?"""
    seeds: dict[float, set[int]] = {}
    for point in curve.points:
        if point.pretraining_seed is not None:
            seeds.setdefault(point.x, set()).add(point.pretraining_seed)
    return any(len(some) > 1 for some in seeds.values())


def seed_curves(
    curves: Sequence[Curve], settings: Settings | None = None, *, above: float | None = None, adjust: bool = True
) -> tuple[SeedCurve | None, ...]:
    """What several seeds a size say of each of ``curves``, in their order; None of a curve that has them at no size, of
    a continuous score (a share of correct answers is asked for), or whose chance is not known.

    ``above``: accuracy that a seed must be shown to exceed to have the ability (0..1, at least chance plus the margin);
    None: chance plus the margin. ``adjust``: False takes every curve as the only one (q is p).

    Raises DataError where two points of one size have the same seed, or one of several has none.
    """
    settings = settings or Settings()
    found = [
        _measured(curve, settings, above)
        if has_seeds(curve) and not curve.points[0].continuous and curve.points[0].chance is not None
        else None
        for curve in curves
    ]
    known = [one for one in found if one is not None]
    trends = _over_all([one.p_trend for one in known], adjust)
    clusters = _over_all([one.p_clusters for one in known], adjust)
    decided = iter(
        _decided(replace(one, q_trend=trend, q_clusters=apart), settings)
        for one, trend, apart in zip(known, trends, clusters, strict=True)
    )
    return tuple(None if one is None else next(decided) for one in found)


def _over_all(p: Sequence[float | None], adjust: bool) -> list[float | None]:
    """Of each p that there is its q."""
    tested = [one for one in p if one is not None]
    q = iter(benjamini_hochberg(tested) if adjust else tested)
    return [None if one is None else float(next(q)) for one in p]


def _measured(curve: Curve, settings: Settings, asked: float | None) -> SeedCurve:
    chance = curve.points[0].chance
    assert chance is not None  # asked before
    above = chance + settings.margin if asked is None else asked
    if not chance + settings.margin <= above < 1:
        raise InputError(
            f"a seed that has the ability of {curve.curve} is above {above:g}: expected at least chance and the margin,"
            f" {chance + settings.margin:g}, and less than 1"
        )
    by_size: dict[float, list[SizePoint]] = {}
    for point in curve.points:
        by_size.setdefault(point.x, []).append(point)
    samples: list[list[float]] = []
    sizes = []
    for size, points in sorted(by_size.items(), reverse=curve.scale == "loss"):
        seeds = _seeds(points, above)
        apart = min(sum(one.has for one in seeds), sum(not one.has for one in seeds))
        p = None
        if len(seeds) >= MIN_SEEDS and apart >= _SIDE:
            spread = spread_ties([one.accuracy for one in seeds], [one.step for one in seeds])
            samples.append(spread)
            p = dip_test([spread])
        sizes.append(SeedSize(size, seeds, p))
    rise = sizes[-1].mean - sizes[0].mean
    return SeedCurve(
        curve=curve.curve, family=curve.family, metric=curve.metric, scale=curve.scale, chance=chance, above=above,
        sizes=tuple(sizes), p_trend=trend([one.has for one in sizes], [one.of for one in sizes]),
        q_trend=None, p_clusters=dip_test(samples) if samples else None, q_clusters=None, rise=rise,
        due_to_share=_due_to_share(sizes) / rise if rise >= settings.least_rise else None, verdict="open",
    )  # fmt: skip


def _seeds(points: Sequence[SizePoint], above: float) -> tuple[Seed, ...]:
    made: dict[int, Seed] = {}
    for point in points:
        where = f"{point.source}: " if point.source else ""
        seed = point.pretraining_seed
        if seed is None and len(points) > 1:
            raise DataError(
                f"{where}{point.curve}, {point.model}: no seed of pretraining, where other runs of its size have one"
            )
        if seed in made:
            raise DataError(
                f"{where}{point.curve}: {made[seed].model} and {point.model} are of one size and both of pretraining"
                f" seed {seed}: each seed may come once"
            )
        accuracy, interval, step = _accuracy(point)
        made[seed or 0] = Seed(
            point.model, seed or 0, accuracy, interval, interval[0] > above, interval[1] <= above, step
        )
    return tuple(made[seed] for seed in sorted(made))


def _accuracy(point: SizePoint) -> tuple[float, tuple[float, float], float]:
    """The share of all outcomes, its interval (of as many trials as these are worth), and the step of the share."""
    if point.n and point.correct is not None:
        held = point.counted or Counted(point.correct, point.n)
        return held.correct / held.n, wilson(point.correct, point.n), 1 / held.n
    if point.score is None or point.stderr is None:
        where = f"{point.source}: " if point.source else ""
        raise DataError(
            f"{where}{point.curve}, {point.model}: neither counts nor a standard error: whether a seed has the ability"
            " cannot be told"
        )
    half = float(special.ndtri((1 + LEVEL) / 2)) * point.stderr
    return point.score, (point.score - half, point.score + half), 0.0


def trend(has: Sequence[int], of: Sequence[int]) -> float | None:
    """Two-sided exact p of no trend of a share over the order of sizes, given the totals; None: there is none to test.

    ``has[i]`` of ``of[i]`` at the i-th size. Twice the smaller tail, at most 1.
    """
    total = sum(has)
    if len(has) < 2 or total in (0, sum(of)):
        return None
    # (how many have it, the sum of their places) -> in how many ways
    ways: dict[tuple[int, int], int] = {(0, 0): 1}
    for place, count in enumerate(of):
        after: dict[tuple[int, int], int] = {}
        for (held, moved), number in ways.items():
            for more in range(min(count, total - held) + 1):
                key = held + more, moved + more * place
                after[key] = after.get(key, 0) + number * math.comb(count, more)
        ways = after
    observed = sum(place * one for place, one in enumerate(has))
    final = {moved: number for (held, moved), number in ways.items() if held == total}
    whole = sum(final.values())
    up = sum(number for moved, number in final.items() if moved >= observed)
    down = sum(number for moved, number in final.items() if moved <= observed)
    return min(1.0, 2 * min(up, down) / whole)


def _due_to_share(sizes: Sequence[SeedSize]) -> float:
    """The part of the mean's change over the sizes that is due to the share (Kitagawa 1955)."""
    due = 0.0
    for one, two in pairwise(sizes):
        levels = []
        for has in (True, False):
            first, second = one.level(has), two.level(has)
            levels.append((first if first is not None else second, second if second is not None else first))
        (has_one, has_two), (lacks_one, lacks_two) = levels
        if None in (has_one, lacks_one) or has_two is None or lacks_two is None:
            continue  # of both sizes all seeds are alike: the share does not change
        assert has_one is not None
        assert lacks_one is not None
        due += (two.share - one.share) * ((has_one - lacks_one) + (has_two - lacks_two)) / 2
    return due


def _decided(one: SeedCurve, settings: Settings) -> SeedCurve:
    low, high = one.sizes[0].share, one.sizes[-1].share
    agree = (high - low) * _direction(one.sizes) > 0
    moves = agree and one.q_trend is not None and one.q_trend <= settings.level
    apart = one.q_clusters is not None and one.q_clusters <= settings.level
    due = one.due_to_share is not None and one.due_to_share >= DUE
    verdict: SeedVerdict
    if moves and apart and due and high > low:
        verdict = "emergent in distribution"
    elif moves:
        verdict = "rises" if high > low else "falls"
    else:
        verdict = "two clusters" if apart else "open"
    return replace(one, verdict=verdict, notes=_notes(one))


def _direction(sizes: Sequence[SeedSize]) -> float:
    """Above 0 where more seeds have it at later sizes than `trend` expects, below 0 where fewer."""
    share = sum(one.has for one in sizes) / sum(one.of for one in sizes)
    return sum(place * (one.has - share * one.of) for place, one in enumerate(sizes))


def _notes(one: SeedCurve) -> tuple[str, ...]:
    most = max(size.of for size in one.sizes)
    notes = []
    if one.p_clusters is None:
        if most < MIN_SEEDS:
            notes.append(f"nothing is said of clusters: that takes {MIN_SEEDS} seeds of a size, the most are {most}")
        else:
            notes.append(
                f"nothing is said of clusters: at no size with {MIN_SEEDS} seeds are {_SIDE} or more on either side"
            )
    single = [size for size in one.sizes if size.of == 1]
    if single:
        notes.append(f"{words.counted(len(single), 'size has', 'sizes have')} one seed alone")
    unknown = sum(size.open for size in one.sizes)
    if unknown:
        notes.append(
            f"of {words.counted(unknown, 'seed')} the items do not tell whether they have it: counted as not having it"
        )
    return tuple(notes)
