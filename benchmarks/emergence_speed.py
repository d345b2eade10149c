"""How fast are verdicts? 10,000 curves of 12 sizes, and the same fits by a loop over scipy.

    python benchmarks/emergence_speed.py [--curves 10000] [--loop 200]

The curves are a mixture as one meets it: a fifth flat, two fifths smooth, a fifth jumps, a fifth falling or with few
items. Every curve gets its verdict with test, best family, threshold with profile interval and 200 bootstrap replicates
of it. The loop: for each of the first curves one four-parameter logistic by scipy.optimize.minimize (L-BFGS-B, three
starts, numerical gradients), the fit that is done once per replicate; ours does the same kind of fit in a batch.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from scipy import optimize

from onset.analysis.curves.fit import fit_family
from onset.analysis.curves.likelihood import counts
from onset.analysis.curves.series import SizePoint, curves_of
from onset.analysis.curves.shapes import Logistic
from onset.analysis.emergence.verdict import Settings, emergence_of

X = np.log10([2e6, 16e6, 53e6, 125e6, 244e6, 422e6, 1e9, 2e9, 4e9, 8e9, 27e9, 128e9])


def made(count: int) -> list[SizePoint]:
    rng = np.random.default_rng(0)
    points = []
    for index in range(count):
        chance, kind = (0.0, 0.25, 0.5)[index % 3], index % 5
        top = chance + (1 - chance) * rng.uniform(0.3, 1.0)
        slope = {0: 0.0, 1: 1.0, 2: 2.0, 3: 20.0, 4: -1.0 if index % 2 else 2.0}[kind]
        n = 20 if kind == 4 else int(rng.choice([50, 200, 1000]))
        truth = Logistic(chance, chance if kind == 0 else top, slope, rng.uniform(X[3], X[-2]))(X)
        right = rng.binomial(n, np.clip(truth, 0, 1))
        points += [
            SizePoint(f"c{index}", "made", f"m{i}", float(10 ** X[i]), "acc", n=n, correct=int(right[i]), chance=chance)
            for i in range(12)
        ]
    return points


def by_scipy(right: np.ndarray, n: np.ndarray) -> float:
    def loss(theta: np.ndarray) -> float:
        p = np.clip(Logistic(*theta)(X), 1e-9, 1 - 1e-9)
        return -float((right * np.log(p) + (n - right) * np.log1p(-p)).sum())

    bounds = [(0, 1), (0, 1), (0.05, 60), (X[0] - 1, X[-1] + 2)]
    starts = [(right[0] / n[0], right[-1] / n[-1], slope, 9.0) for slope in (1.0, 3.0, 10.0)]
    return -min(float(optimize.minimize(loss, one, method="L-BFGS-B", bounds=bounds).fun) for one in starts)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--curves", type=int, default=10_000)
    parser.add_argument("--loop", type=int, default=200)
    given = parser.parse_args()
    curves = curves_of(made(given.curves))
    start = time.perf_counter()
    single = emergence_of(curves[:1])
    print(f"one curve: {time.perf_counter() - start:.2f} s ({single[0].verdict})")
    start = time.perf_counter()
    found = emergence_of(curves)
    seconds = time.perf_counter() - start
    print(f"{len(curves)} curves: {seconds:.0f} s, {1000 * seconds / len(curves):.1f} ms a curve")
    print(dict(Counter(one.verdict for one in found)))
    used = sum(one.replicates for one in found)
    print(f"{used} replicates of the test, {Settings().threshold_replicates} of each threshold")

    some = curves[: given.loop]
    right = np.array([[point.correct for point in one.points] for one in some], dtype=float)
    n = np.array([[point.n for point in one.points] for one in some], dtype=float)
    start = time.perf_counter()
    loop = np.array([by_scipy(right[i], n[i]) for i in range(len(some))])
    each = (time.perf_counter() - start) / len(some)
    batch = counts(np.repeat(right, 20, axis=0), np.repeat(n, 20, axis=0))
    start = time.perf_counter()
    ours = fit_family(batch, X, Logistic).log_likelihood[::20]
    mine = (time.perf_counter() - start) / len(batch.right)
    print(f"scipy loop {1000 * each:.2f} ms a fit, ours {1000 * mine:.3f} ms: {each / mine:.0f} times as fast")
    print(f"log-likelihood, ours minus scipy's: smallest {min(ours - loop):.3f}, median {np.median(ours - loop):.4f}")
    print(f"so the test's replicates alone would take {used * 2 * each / 3600:.1f} hours in the loop (two fits each)")


if __name__ == "__main__":
    main()
