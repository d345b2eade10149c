"""Few draws: type-I error, half widths and power of comparisons, with noise between draws pooled and without.

A simulated study compares pairs of methods on D draws of examples x I items. A pair disagrees on 35 % of the items. On
half of those the same side is right in every draw (items that differ), on the other half each draw tosses its coin
(noise of single outcomes); a draw moves the difference by a normal amount, whose standard deviation is the same in all
comparisons, or threefold in every other one ("threefold"; their geometric mean stays). Every comparison goes through
`onset.analysis.contrast.contrast` as those of a results folder do: what is printed are its p and its intervals.

    python benchmarks/few_draws.py            # the tables of benchmarks/RESULTS.md, minutes on one core
    python benchmarks/few_draws.py --quick    # a tenth of the studies
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from onset.analysis import setting as places
from onset.analysis.contrast.contrast import Contrast, contrast, share_noise
from onset.analysis.outcomes import Measure, Outcomes
from onset.analysis.stats.adjust import holm
from onset.analysis.stats.bootstrap import Array

DISAGREE = 0.35
ALPHA = 0.05
FEWEST = 20
"""Replicates where no use is made of them."""
COMPARISONS = 2_400
"""Simulated comparisons a setting."""


@dataclass(frozen=True)
class Setting:
    """``layout``: ``apart`` (each comparison has methods of its own), ``pairs`` (all pairs of methods: 3, 6, 15 of 3,
    4, 6), ``shifts`` (each pair of methods on two test sets, whose draws are correlated by .8).
    """

    draws: int
    comparisons: int
    items: int = 200
    sd: float = 0.08
    threefold: bool = False
    difference: float = 0.0
    layout: str = "apart"


@dataclass(frozen=True)
class Rates:
    """Shares of comparisons; half widths are medians, in points; ``family``: studies with a false winner after Holm."""

    pooled: float
    pooled_noisier: float
    alone: float
    half_pooled: float
    half_alone: float
    family: float
    is_pooled: float


def spreads(setting: Setting, count: int) -> Array:
    """The standard deviation between draws of each comparison (or method)."""
    if not setting.threefold:
        return np.full(count, setting.sd)
    return np.where(np.arange(count) % 2 == 0, setting.sd / np.sqrt(3), setting.sd * np.sqrt(3))


def study(setting: Setting, rng: np.random.Generator) -> tuple[list[Array], list[tuple[int, int]], Array]:
    """Differences (draws x items, -1, 0 or 1) of each comparison, its links, and its standard deviation."""
    g, d = setting.comparisons, setting.draws
    if setting.layout == "pairs":
        methods = next(k for k in range(2, 20) if k * (k - 1) // 2 >= g)
        own = spreads(setting, methods) / np.sqrt(2)
        effects = rng.normal(size=(methods, d)) * own[:, None]
        links = [(a, b) for a in range(methods) for b in range(a)][:g]
        sd = np.array([np.hypot(own[a], own[b]) for a, b in links])
        moved = np.array([effects[a] - effects[b] for a, b in links])
        return [_outcomes(setting, row, rng) for row in moved], links, sd
    sd = spreads(setting, g)
    noise = rng.normal(size=(g, d))
    links = [(2 * index, 2 * index + 1) for index in range(g)]
    if setting.layout == "shifts":
        sd = np.repeat(sd[: g // 2], 2)
        noise[1::2] = np.sqrt(0.8) * noise[::2] + np.sqrt(0.2) * noise[1::2]
        links = [links[index - index % 2] for index in range(g)]
    return [_outcomes(setting, row, rng) for row in noise * sd[:, None]], links, sd


def _outcomes(setting: Setting, moved: Array, rng: np.random.Generator) -> Array:
    """Single differences: the first side is right on an item that can differ with a probability that the draw moves."""
    shape = (setting.draws, setting.items)
    share = np.clip((setting.difference + moved)[:, None] / DISAGREE, -1, 1)
    # the coin of an item that keeps its outcome is tossed once, against a probability that still follows the draw
    coin = np.where(rng.random(setting.items) < 0.5, rng.random(setting.items), rng.random(shape))
    side = np.where(coin < (1 + share) / 2, 1.0, -1.0)
    return np.where(rng.random(setting.items) < DISAGREE, side, 0.0)


def arm(values: Array, method: str) -> Outcomes:
    """An arm of draws x items outcomes."""
    draws, n = values.shape
    return Outcomes(
        at=places.Setting("t", model="m", family="f", params=1, method=method, labels=8),
        measure=Measure("accuracy"),
        draws=tuple(range(draws)),
        items=_names(n),
        values=values,
    )


@lru_cache
def _names(count: int) -> tuple[str, ...]:
    return tuple(f"{index:04d}" for index in range(count))


def compared(differences: Sequence[Array], links: Sequence[tuple[int, int]], replicates: int) -> list[list[Contrast]]:
    """The comparisons alone, and with their noise between draws pooled."""
    alone = [
        contrast(arm(np.maximum(one, 0), "a"), arm(np.maximum(-one, 0), "b"), "method", replicates=replicates)
        for one in differences
    ]
    return [alone, share_noise(alone, ["simulated"] * len(alone), links)]


def rates(setting: Setting, comparisons: int, *, replicates: int = 1000, seed: int = 0) -> Rates:
    """Simulate as many studies as give about ``comparisons`` comparisons.

    The bootstrap takes most of the time and the moderated t does not use it: comparisons alone are counted in every
    fifth study.
    """
    rng = np.random.default_rng([seed, setting.draws, setting.comparisons, setting.items, int(1000 * setting.sd)])
    found: list[list[bool]] = [[], []]
    half: list[list[float]] = [[], []]
    noisier: list[bool] = []
    families, pooled = [], []
    for number in range(max(1, comparisons // setting.comparisons)):
        differences, links, sd = study(setting, rng)
        made = compared(differences, links, replicates if number % 5 == 0 else FEWEST)
        for place, rows in enumerate(made if number % 5 == 0 else [[], made[1]]):
            found[place] += [(one.p or 0.0) <= ALPHA for one in rows]
            half[place] += [(one.interval[1] - one.interval[0]) / 2 for one in rows if one.interval]
        noisier += [(one.p or 0.0) <= ALPHA for one, own in zip(made[1], sd, strict=True) if own > 0.99 * sd.max()]
        families.append(min(holm([one.p or 0.0 for one in made[1]])) <= ALPHA)
        pooled += [one.pool is not None for one in made[1]]
    return Rates(
        pooled=float(np.mean(found[1])),
        pooled_noisier=float(np.mean(noisier)),
        alone=float(np.mean(found[0])),
        half_pooled=100 * float(np.median(half[1])),
        half_alone=100 * float(np.median(half[0])),
        family=float(np.mean(families)),
        is_pooled=float(np.mean(pooled)),
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the studies")
    count = COMPARISONS // (10 if parser.parse_args().quick else 1)
    print("Type-I error in per cent at 5 %, standard deviation between draws 8 points\n")
    _heads("draws", "comparisons", "items", "spread")
    for draws, comparisons, items in product((2, 3, 5, 10), (3, 6, 18), (40, 200)):
        for threefold in (False, True):
            setting = Setting(draws, comparisons, items, threefold=threefold)
            _line(setting, count, items, "threefold" if threefold else "equal")
    print("\nComparisons that share methods or draws, 200 items\n")
    _heads("draws", "comparisons", "layout", "spread")
    layouts = (("pairs", 6), ("pairs", 15), ("shifts", 6), ("shifts", 18))
    for draws, (layout, comparisons) in product((2, 3, 5), layouts):
        for threefold in (False, True):
            setting = Setting(draws, comparisons, threefold=threefold, layout=layout)
            _line(setting, count, layout, "threefold" if threefold else "equal")
    print("\nHow often a difference of 20 points is found, in per cent (9 comparisons, 200 items, equal spread)\n")
    print("| draws | pooled | alone | half width pooled | alone |")
    print("|---|---|---|---|---|", flush=True)
    for draws in (2, 3, 5, 10):
        one = rates(Setting(draws, 9, difference=0.2), count)
        found = f"{100 * one.pooled:.0f} | {100 * one.alone:.0f}"
        print(f"| {draws} | {found} | {one.half_pooled:.1f} | {one.half_alone:.1f} |", flush=True)


def _heads(*names: str) -> None:
    heads = [*names, "pooled", "of the noisier ones", "a study, after Holm", "alone", "half width pooled", "alone"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)


def _line(setting: Setting, count: int, *said: object) -> None:
    one = rates(setting, count)
    cells = [setting.draws, setting.comparisons, *said]
    cells += [f"{100 * value:.1f}" for value in (one.pooled, one.pooled_noisier, one.family, one.alone)]
    cells += [f"{one.half_pooled:.1f}", f"{one.half_alone:.1f}"]
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
