"""Can the probability of a jump be taken at its word? Simulated truth, no labels.

    python benchmarks/emergence_jump.py [--axes 120] [--curves 60] [--seed 0] [--floors]

Half of the curves are smooth, half jump, each drawn from more and other families than the priors of
`onset.analysis.curves.growth` know. Smooth: six shapes (logit, probit, Gompertz, its mirror image, Student's t with two
degrees of freedom, a straight ramp) whose rise from a tenth to nine tenths takes 1.9 to 5 decades, exact match over a
loss that falls as a power law, straight lines and power laws of the error from chance or above. Jumps: the same six
shapes within 0.05 to 1 decade, steps, and steps after which growth goes on. Every curve rises by 10 points or more
over its sizes: 5 to 12 of them, unevenly spaced over 1.5 to 4.2 decades, 20 to 1000 items, chance 0, .25 or .5, floors
at chance, 2 points above it or (not at chance 0) below, scatter between sizes (intra-size correlation) 0, .003 or .01.
``between``: curves of 1 to 1.9 decades, which are neither.

``--floors``: how often p_jump is right about a step at the last size, from a floor at chance and 2 points above it.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from scipy import special, stats

from onset.analysis.curves.likelihood import Counts
from onset.analysis.emergence.jump import Bounds, p_jump
from onset.analysis.emergence.verdict import Settings

SHAPES = ("logit", "probit", "gompertz", "mirrored", "student", "ramp")
BINS = np.array([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0001])
BOUNDS = Bounds(Settings().margin, Settings().steepest_smooth)
_GOMPERTZ = math.log(math.log(10) / -math.log(0.9))


def rise(shape: str, z: np.ndarray) -> np.ndarray:
    """A shape that goes from a tenth to nine tenths over one unit of ``z``."""
    if shape == "logit":
        return special.expit(2 * math.log(9) * z)
    if shape == "probit":
        return special.ndtr(2 * stats.norm.ppf(0.9) * z)
    if shape == "gompertz":
        return np.exp(-np.exp(-_GOMPERTZ * z))
    if shape == "mirrored":
        return 1 - np.exp(-np.exp(_GOMPERTZ * z))
    if shape == "student":
        return stats.t.cdf(2 * stats.t.ppf(0.9, 2) * z, 2)
    return np.clip(0.8 * z + 0.5, 0, 1)


def truth(kind: str, x: np.ndarray, chance: float, floor: float, rng: np.random.Generator) -> np.ndarray:
    """Shares at the sizes; ``kind``: smooth, jump or between."""
    while True:
        low, top = floor, chance + (1 - chance) * rng.uniform(0.15, 1)
        sort = rng.integers(4 if kind == "jump" else 5)
        if kind == "between" or sort < (2 if kind == "jump" else 3):
            width = {"jump": 10 ** rng.uniform(-1.3, 0), "smooth": rng.uniform(1.9, 5), "between": rng.uniform(1, 1.9)}
            one = width[kind]
            ends = (x[0] - 1, x[-1] + 1) if kind == "smooth" else (x[0], x[-1] + 0.3 * one)
            part = rise(SHAPES[rng.integers(6)], (x - rng.uniform(*ends)) / one)
        elif kind == "jump":
            at, jumped = rng.uniform(x[0], x[-1]), 1.0 if sort == 2 else rng.uniform(0.5, 1)
            part = np.where(x >= at, jumped + (1 - jumped) * (x - at) / max(x[-1] - at, 1e-9), 0.0)
        elif sort == 3:
            part = np.exp(-rng.uniform(0.05, 4) * 10 ** (-rng.uniform(0.05, 0.3) * (x - x[-1])))
        else:
            part = x - x[0] if rng.random() < 0.5 else 1 - 10 ** (-rng.uniform(0.1, 1) * (x - x[0]))
            part = part / part[-1]
            low = floor + (1 - floor) * (rng.uniform(0, 0.5) if rng.random() < 0.5 else 0.0)
            top = rng.uniform(low, 1)
        share = low + (top - low) * part
        if share[-1] - share[0] >= 0.10:
            return np.clip(share, 0, 1)


def simulate(axes: int, curves: int, seed: int, kinds: tuple[str, ...]) -> dict[str, np.ndarray]:
    """What was true and what was said: one entry a curve."""
    rng = np.random.default_rng(seed)
    out: dict[str, list[np.ndarray | list[float]]] = {
        name: [] for name in ("p", "jump", "sizes", "n", "chance", "floor")
    }
    out |= {"scatter": []}
    for axis in range(axes):
        count, span = int(rng.integers(5, 13)), rng.uniform(1.5, 4.2)
        even, odd = np.linspace(0, span, count), np.sort(np.r_[0, span, rng.uniform(0, span, count - 2)])
        x, chance = 8 + 0.7 * even + 0.3 * odd, (0.0, 0.25, 0.5)[axis % 3]
        right, n, rows = [], [], []
        for index in range(curves):
            above = float(rng.choice([0, 0.02] if chance == 0 else [0, 0.02, -0.02]))
            kind, items = kinds[index % len(kinds)], round(10 ** rng.uniform(math.log10(20), 3))
            share, scatter = truth(kind, x, chance, chance + above, rng), float(rng.choice([0, 0, 0.003, 0.01]))
            if scatter:
                size = (1 - scatter) / scatter
                share = rng.beta(np.maximum(share * size, 1e-9), np.maximum((1 - share) * size, 1e-9))
            right.append(rng.binomial(items, share))
            n.append([items] * count)
            rows.append((kind == "jump", count, items, chance, above, scatter))
        data = Counts(np.array(right, dtype=float), np.array(n, dtype=float), np.zeros(curves))
        out["p"].append(p_jump(data, x, np.full(curves, chance), BOUNDS))
        for name, values in zip(
            ("jump", "sizes", "n", "chance", "floor", "scatter"), zip(*rows, strict=True), strict=True
        ):
            out[name].append(np.array(values, dtype=float))
    return {name: np.concatenate(parts) for name, parts in out.items()}


def auc(truly: np.ndarray, p: np.ndarray) -> float:
    ranks, ones = stats.rankdata(p), truly.sum()
    return float((ranks[truly == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(p) - ones)))


def brier(truly: np.ndarray, p: np.ndarray) -> float:
    return float(np.mean((p - truly) ** 2))


def reliability(truly: np.ndarray, p: np.ndarray) -> list[tuple[int, float, float]]:
    """(curves, mean probability, share of jumps) of each bin with curves in it."""
    where = np.digitize(p, BINS) - 1
    rows = [np.flatnonzero(where == one) for one in range(len(BINS) - 1)]
    return [(len(row), float(p[row].mean()), float(truly[row].mean())) for row in rows if row.size]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--axes", type=int, default=120)
    parser.add_argument("--curves", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--floors", action="store_true")
    given = parser.parse_args()
    if given.floors:
        floors(given.seed)
        return
    made = simulate(given.axes, given.curves, given.seed, ("smooth", "jump"))
    truly, p = made["jump"], made["p"]
    print("| says | curves | mean of what it says | jumps |\n|---|---|---|---|")
    for (count, said, was), low, high in zip(reliability(truly, p), BINS, BINS[1:], strict=False):
        print(f"| {low:.2f} to {min(high, 1):.2f} | {count} | {said:.2f} | {was:.2f} |")
    parts = {
        "all": p >= 0, "5 and 6 sizes": made["sizes"] <= 6, "7 to 9 sizes": abs(made["sizes"] - 8) <= 1,
        "10 to 12 sizes": made["sizes"] >= 10, "20 to 60 items": made["n"] < 60,
        "60 to 250 items": (made["n"] >= 60) & (made["n"] < 250), "250 to 1000 items": made["n"] >= 250,
        "chance 0, floor 0": (made["chance"] == 0) & (made["floor"] == 0),
        "chance 0, floor 2 %": (made["chance"] == 0) & (made["floor"] > 0), "chance .25": made["chance"] == 0.25,
        "chance .5": made["chance"] == 0.5, "no scatter": made["scatter"] == 0, "scatter .01": made["scatter"] == 0.01,
    }  # fmt: skip
    heads = ["curves", "number", "Brier score", "AUC", "right side of .5"]
    heads += ["jumps at .1 or less", "smooth at .1 or less", "smooth above .9"]
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for name, rows in parts.items():
        t, q = truly[rows], p[rows]
        print(
            f"| {name} | {len(q)} | {brier(t, q):.3f} | {auc(t, q):.3f} | {100 * np.mean((q > 0.5) == t):.1f} % |"
            f" {100 * np.mean(q[t == 1] <= 0.1):.1f} % | {100 * np.mean(q[t == 0] <= 0.1):.1f} % |"
            f" {100 * np.mean(q[t == 0] > 0.9):.1f} % |"
        )
    other = simulate(given.axes // 4, given.curves, given.seed + 1, ("between",))["p"]
    shares = " ".join(
        f"{100 * np.mean((other > low) & (other <= high)):.0f}" for low, high in ((-1, 0.2), (0.2, 0.8), (0.8, 1))
    )
    print(f"\nbetween (1 to 1.9 decades): {len(other)} curves, up to .2, .2 to .8, above .8: {shares} %")


def floors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heads = ["sizes", "chance", "rise to", "n", "right, floor at chance", "right, floor 2 points above"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for count in (5, 8, 12):
        x, last = np.linspace(7.5, 10.5, count), np.arange(count) == count - 1
        for chance in (0.0, 0.25):
            for top in (0.15, 0.5):
                for n in (50, 200, 1000):
                    right = []
                    for above in (0.0, 0.02):
                        share = np.where(last, chance + top * (1 - chance), chance + above)
                        k = rng.binomial(n, share, (400, count)).astype(float)
                        p = p_jump(Counts(k, np.full_like(k, n), np.zeros(400)), x, np.full(400, chance), BOUNDS)
                        right.append(f"{100 * np.mean(p > 0.5):.1f} %")
                    print(f"| {count} | {chance:g} | {chance + top * (1 - chance):.2f} | {n} | {' | '.join(right)} |")


if __name__ == "__main__":
    main()
