"""How often does the interval of the midpoint hold the truth, and how often is a true curve rejected?

    python benchmarks/midpoint_coverage.py [--curves 400] [--seed 0]

Truth: logistics with floor 0 or chance .25, ceiling .8 to 1, slopes of 2 to 8 log-odds a decade (ten times the
size in odds is the bound of smooth growth, 2.3) and a midpoint within the middle half of the sizes; steps between two
sizes ("step": the interval has to reach the gap). ``scatter`` is the intra-size correlation of the counts. Every row:
sizes, items, scatter, covered (per cent, of intervals that were said), open (an end that runs off the sizes), none
(rejected or no growth), rejected (the true family's best curve, p < .01 and more than 5 points off). ``ratio``: the
same for the ratio of two such midpoints.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np

from onset.analysis.curves.likelihood import Counts
from onset.analysis.curves.midpoint import Midpoint, midpoints
from onset.analysis.curves.place import apart
from onset.analysis.curves.shapes import Curve, Logistic


def one(truth: Curve, x: np.ndarray, n: int, scatter: float, rng: np.random.Generator) -> Midpoint:
    """The midpoint of one simulated curve."""
    share = truth(x)
    if scatter:
        size = (1 - scatter) / scatter
        share = rng.beta(np.maximum(share * size, 1e-6), np.maximum((1 - share) * size, 1e-6))
    data = Counts(rng.binomial(n, share).astype(float)[None], np.full((1, x.size), float(n)), np.zeros(1))
    return midpoints(data, x, [rng], margin=0.05)[0]


def drawn(x: np.ndarray, rng: np.random.Generator, *, steep: bool) -> Curve:
    """A random truth."""
    wide = float(np.ptp(x))
    floor = float(rng.choice([0.0, 0.25]))
    middle = float(x[0] + wide * rng.uniform(0.25, 0.75))
    return Logistic(floor, float(rng.uniform(0.8, 1.0)), 200.0 if steep else float(rng.uniform(2.0, 8.0)), middle)


def row(sizes: int, n: int, scatter: float, curves: int, seed: int, *, steep: bool) -> str:
    """One line of the table."""
    rng = np.random.default_rng([seed, sizes, n, int(1000 * scatter), steep])
    x = np.linspace(6.0, 6.0 + 0.4 * (sizes - 1), sizes)
    held, ends, none, said = 0, 0, 0, 0
    ratios, before = [], None
    for _ in range(curves):
        truth = drawn(x, rng, steep=steep)
        found = one(truth, x, n, scatter, rng)
        if not found.fit.drawn:
            none, before = none + 1, None
            continue
        place, said = found.profile.interval(), said + 1
        low, high = (None if end is None else np.log10(end) for end in (place.low, place.high))
        held += (low is None or low <= truth["midpoint"] + 1e-6) and (high is None or truth["midpoint"] <= high + 1e-6)
        ends += low is None or high is None
        if before is not None:
            ratio = apart(before[1].profile, found.profile).interval()
            gap = 10 ** (truth["midpoint"] - before[0]["midpoint"])
            ratios.append((ratio.low or 0) <= gap * 1.0001 and gap <= (ratio.high or np.inf) * 1.0001)
            before = None
        else:
            before = truth, found
    share = [100 * held / max(said, 1), 100 * ends / max(said, 1), 100 * none / curves, 100 * np.mean(ratios)]
    kind = "step" if steep else "logistic"
    return f"| {kind} | {sizes} | {n} | {scatter} | " + " | ".join(f"{value:.1f}" for value in share) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--curves", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("| truth | sizes | items | scatter | covered | open | rejected | ratio covered |")
    print("|---|---|---|---|---|---|---|---|")
    for sizes, n, scatter in itertools.product((4, 5, 6, 8, 12), (100, 400), (0.0, 0.01)):
        print(row(sizes, n, scatter, given.curves, given.seed, steep=False), flush=True)
    for sizes, n in itertools.product((5, 8), (100, 400)):
        print(row(sizes, n, 0.0, given.curves, given.seed, steep=True), flush=True)


if __name__ == "__main__":
    main()
