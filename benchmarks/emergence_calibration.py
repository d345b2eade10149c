"""Does the verdict of emergence keep its error rates? Simulated truth, no labels.

    python benchmarks/emergence_calibration.py [--curves 400] [--seed 0]

Smooth truth: logistics whose log-odds rise by at most ln 10 a decade (the bound of the null; half of the curves exactly
at it), from chance to a ceiling. Real jumps: steps between two sizes, and logistics that take half a decade. For each
number of sizes and of items: the share called emergent, the share of each other verdict, and how often the threshold's
interval holds the truth where the truth lies within the sizes.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter

import numpy as np

from onset.analysis.curves.series import Curve, SizePoint, curves_of
from onset.analysis.curves.shapes import Curve as Truth
from onset.analysis.curves.shapes import Logistic, unplace
from onset.analysis.curves.threshold import leave_by
from onset.analysis.emergence.verdict import Emergence, Settings, emergence_of

SIZES = {
    7: np.linspace(8, 11, 7),
    12: np.log10([2e6, 16e6, 53e6, 125e6, 244e6, 422e6, 1e9, 2e9, 4e9, 8e9, 27e9, 128e9]),
}
CHANCES = (0.0, 0.25, 0.5)


def simulate(
    truth: Truth, x: np.ndarray, n: int, chance: float, name: str, rng: np.random.Generator, scatter: float
) -> list[SizePoint]:
    share = truth(x)
    if scatter:
        size = (1 - scatter) / scatter
        share = rng.beta(np.maximum(share * size, 1e-9), np.maximum((1 - share) * size, 1e-9))
    right = rng.binomial(n, share)
    return [
        SizePoint(name, "simulated", f"m{i}", float(10 ** x[i]), "acc", n=n, correct=int(right[i]), chance=chance)
        for i in range(len(x))
    ]


def smooth_truth(x: np.ndarray, chance: float, rng: np.random.Generator) -> Truth:
    slope = math.log(10) * (1.0 if rng.random() < 0.5 else rng.uniform(0.3, 1.0))
    return Logistic(chance, chance + (1 - chance) * rng.uniform(0.3, 1.0), slope, rng.uniform(x[2], x[-1] + 0.3))


def jump_truth(x: np.ndarray, chance: float, rng: np.random.Generator) -> Truth:
    slope = 60.0 if rng.random() < 0.5 else 4.394 / 0.5
    return Logistic(chance, chance + (1 - chance) * rng.uniform(0.3, 1.0), slope, rng.uniform(x[3], x[-2]))


def flat_truth(x: np.ndarray, chance: float, rng: np.random.Generator) -> Truth:
    level = max(chance, 0.05)
    return Logistic(level, level, 1.0, float(x[0]))


TRUTHS = {"smooth": smooth_truth, "jump": jump_truth, "flat": flat_truth}


def covered(result: Emergence, truth: Truth, x: np.ndarray, n: int) -> bool | None:
    """None where the truth does not cross within the sizes or no threshold was given."""
    chance = truth.floor
    target = chance + leave_by(chance, n, Settings().margin)
    if truth.ceiling <= target or result.threshold.above_chance is None:
        return None
    at = truth["midpoint"] + math.log((target - chance) / (truth.ceiling - target)) / truth["slope"]
    if not x[0] < at < x[-1]:
        return None
    place, true = result.threshold.place, unplace(at)
    return (place.low is None or place.low <= true * 1.0001) and (place.high is None or true <= place.high * 1.0001)


def row(kind: str, count: int, n: int, curves: int, scatter: float, seed: int) -> str:
    rng = np.random.default_rng([seed, count, n, int(1000 * scatter), len(kind)])
    x = SIZES[count]
    truths, points = [], []
    for index in range(curves):
        chance = CHANCES[index % 3]
        truths.append(TRUTHS[kind](x, chance, rng))
        points += simulate(truths[-1], x, n, chance, f"{kind}{index}", rng, scatter)
    made: tuple[Curve, ...] = curves_of(points)
    start = time.process_time()
    results = emergence_of(made, Settings(threshold_replicates=0), adjust=False)
    seconds = time.process_time() - start
    tally = Counter(one.verdict for one in results)
    hits = [covered(one, truth, x, n) for one, truth in zip(results, truths, strict=True)]
    known = [one for one in hits if one is not None]
    shares = " | ".join(f"{100 * tally[v] / curves:.1f}" for v in ("emergent", "smooth", "flat", "unresolved"))
    other = 100 * (tally["inverse"] + tally["u-shaped"]) / curves
    coverage = f"{100 * np.mean(known):.1f} (of {len(known)})" if known else "none"
    rejected = 100 * np.mean([one.p_value is not None and one.p_value <= 0.05 for one in results])
    jumps = 100 * np.mean([one.p_jump is not None and one.p_jump > 0.5 for one in results])
    cells = [kind, f"{scatter:g}", count, n, shares, f"{other:.1f}", f"{rejected:.1f}", f"{jumps:.1f}", coverage]
    return f"| {' | '.join(str(cell) for cell in [*cells, f'{1000 * seconds / curves:.0f}'])} |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--curves", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    heads = ["truth", "scatter", "sizes", "n", "emergent", "smooth", "flat", "unresolved", "other", "p <= .05"]
    heads += ["p_jump > .5", "threshold covered", "ms a curve"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    kinds = [(kind, scatter) for scatter in (0.0, 0.01) for kind in ("smooth", "jump", "flat")]
    for kind, scatter in kinds:
        for count in SIZES:
            for n in (50, 200, 1000):
                if given.only in f"{kind}{scatter:g}":
                    print(row(kind, count, n, given.curves, scatter, given.seed), flush=True)


if __name__ == "__main__":
    main()
