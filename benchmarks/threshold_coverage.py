"""How often does the interval of the threshold hold the truth? Simulated curves, no labels.

    python benchmarks/threshold_coverage.py [--curves 150] [--scatter 0] [--seed 0]

Truths: `smooth`, logistics whose log-odds rise by at most ln 10 a decade (half of them exactly so); `step`, at any
place between the second and the last size; `ramp`, level, then a straight line over half a decade, then level. Each
from chance (0, .25 or .5) to a ceiling of its own. Counted are curves whose growth is shown and whose truth crosses
within the sizes, as a user meets them: through `emergence_of`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onset.analysis.curves.series import SizePoint, curves_of
from onset.analysis.curves.shapes import Logistic, Ramp, Step
from onset.analysis.emergence.verdict import Settings, emergence_of

SIZES = {
    5: np.linspace(8, 10.4, 5),
    7: np.linspace(8, 11, 7),
    12: np.log10([2e6, 16e6, 53e6, 125e6, 244e6, 422e6, 1e9, 2e9, 4e9, 8e9, 27e9, 128e9]),
}
HALF_DECADE = 0.5


@dataclass(frozen=True)
class Truth:
    """``share`` at places, and the place where it reaches a share."""

    share: Callable[[np.ndarray], np.ndarray]
    reaches: Callable[[float], float]
    ceiling: float


def smooth(x: np.ndarray, chance: float, rng: np.random.Generator) -> Truth:
    slope = math.log(10) * (1.0 if rng.random() < 0.5 else rng.uniform(0.3, 1.0))
    top, at = chance + (1 - chance) * rng.uniform(0.3, 1.0), rng.uniform(x[2], x[-1] + 0.3)
    return Truth(
        Logistic(chance, top, slope, at), lambda share: at + math.log((share - chance) / (top - share)) / slope, top
    )


def step(x: np.ndarray, chance: float, rng: np.random.Generator) -> Truth:
    top, at = chance + (1 - chance) * rng.uniform(0.3, 1.0), rng.uniform(x[1], x[-1])
    return Truth(Step(chance, top, at), lambda share: at, top)


def ramp(x: np.ndarray, chance: float, rng: np.random.Generator) -> Truth:
    top, start = chance + (1 - chance) * rng.uniform(0.3, 1.0), rng.uniform(x[1], x[-1] - HALF_DECADE / 2)
    return Truth(
        Ramp(chance, top, start, HALF_DECADE),
        lambda share: start + HALF_DECADE * (share - chance) / (top - chance),
        top,
    )


TRUTHS = {"smooth": smooth, "step": step, "ramp": ramp}


def row(
    kind: str, count: int, n: int, chance: float, curves: int, scatter: float, seed: int
) -> tuple[list[bool], float]:
    """(held or not, median width in decades) of the curves that count."""
    rng = np.random.default_rng([seed, count, n, round(100 * chance), round(1000 * scatter), len(kind)])
    x, truths, points = SIZES[count], [], []
    for index in range(curves):
        truth = TRUTHS[kind](x, chance, rng)
        share = np.clip(truth.share(x), 0, 1)
        if scatter:
            size = (1 - scatter) / scatter
            share = rng.beta(np.maximum(share * size, 1e-9), np.maximum((1 - share) * size, 1e-9))
        right = rng.binomial(n, share)
        truths.append(truth)
        points += [
            SizePoint(
                f"{index}", "made up", f"m{i}", float(10 ** x[i]), "acc", n=n, correct=int(right[i]), chance=chance
            )
            for i in range(len(x))
        ]
    results = emergence_of(curves_of(points), Settings(replicates=24, threshold_replicates=0), adjust=False, here=True)
    held, widths = [], []
    for result, truth in zip(results, truths, strict=True):
        above = result.threshold.above_chance
        if above is None or truth.ceiling <= chance + above + 1e-9 or not x[0] < truth.reaches(chance + above) < x[-1]:
            continue
        place, at = result.threshold.place, truth.reaches(chance + above)
        low = -math.inf if place.low is None else math.log10(place.low)
        high = math.inf if place.high is None else math.log10(place.high)
        held.append(low <= at + 1e-4 and at - 1e-4 <= high)
        widths.append(min(high, x[-1]) - max(low, x[0]))
    return held, float(np.median(widths)) if widths else math.nan


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--curves", type=int, default=150)
    parser.add_argument("--scatter", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    heads = ["truth", "scatter", "sizes", "n", "chance 0", "chance .25", "chance .5", "all", "width in decades"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for kind in TRUTHS:
        if given.only not in kind:
            continue
        for count in SIZES:
            for n in (50, 200, 1000):
                cells, every, widths = [], [], []
                for chance in (0.0, 0.25, 0.5):
                    held, width = row(kind, count, n, chance, given.curves, given.scatter, given.seed)
                    cells.append(f"{100 * np.mean(held):.1f} (of {len(held)})" if held else "none")
                    every += held
                    widths.append(width)
                print(
                    f"| {kind} | {given.scatter:g} | {count} | {n} | {' | '.join(cells)} | {100 * np.mean(every):.1f}"
                    f" | {np.nanmedian(widths):.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
