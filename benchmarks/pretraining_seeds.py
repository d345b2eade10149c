"""How often several seeds a size are called emergent in distribution, by what they really are. Simulated, no labels.

    python benchmarks/pretraining_seeds.py [--curves 400] [--seeds 5 8 16] [--items 200]

Six sizes from 20 thousand to 1.3 million parameters, a logistic over log10 size whose middle and steepness are drawn
anew for each curve; every curve is judged on its own at 5 %. Truths:

- together: all seeds of a size have one accuracy
- logit .5, logit 1.5: they scatter by a normal of that standard deviation in log-odds
- beta, uniform: their accuracies are beta-distributed with one mode, or uniform over as wide a range as there is room
- half way: a seed is at the floor, or anywhere between 0 and the ceiling, the latter more often as sizes grow: no two
  clusters, but no growth of all seeds together either
- lottery: a seed has it (at the ceiling, give or take three points) or not (2 %), and the odds grow with size
- growing lottery: likewise, and those that have it get better from 50 to 90 %
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from scipy import special

from onset.analysis.curves.series import Curve, SizePoint
from onset.analysis.emergence.seeds import VERDICTS, seed_curves

SIZES = (2e4, 6e4, 1.3e5, 2.6e5, 6.5e5, 1.3e6)
PLACES = np.log10(SIZES)


def truth(kind: str, seeds: int, rng: np.random.Generator) -> np.ndarray:  # noqa: PLR0911 - one a kind
    """True accuracies, sizes x seeds."""
    odds = (rng.uniform(2, 8) * (PLACES - rng.uniform(4.6, 6)))[:, None]
    top, shape = rng.uniform(0.6, 1), (len(SIZES), seeds)
    share = special.expit(odds)
    inside = np.clip(top * share, 0.01, 0.99)
    if kind == "together":
        return np.broadcast_to(top * share, shape)
    if kind.startswith("logit"):
        return top * special.expit(odds + rng.normal(0, float(kind.split()[1]), shape))
    if kind == "beta":
        count = 1 / np.minimum(inside, 1 - inside) + 1  # the smaller of both parameters is above 1
        return rng.beta(inside * count, (1 - inside) * count, shape)
    if kind == "uniform":
        return share + np.minimum(share, 1 - share) * rng.uniform(-1, 1, shape)
    has = rng.random(shape) < share
    if kind == "half way":
        return np.where(has, rng.uniform(0, top, shape), 0.01)
    if kind == "lottery":
        return np.where(has, top + rng.normal(0, 0.03, shape), 0.02)
    level = 0.5 + 0.4 * (PLACES - PLACES[0]) / np.ptp(PLACES)
    return np.where(has, level[:, None] + rng.normal(0, 0.04, shape), 0.02)


KINDS = ("together", "logit .5", "logit 1.5", "beta", "uniform", "half way", "lottery", "growing lottery")


def curve(shares: np.ndarray, items: int, rng: np.random.Generator) -> Curve:
    """Counts of ``items`` a seed."""
    points = tuple(
        SizePoint(
            "a", "f", f"{size:g}-{seed}", size, "accuracy", n=items, chance=0.0, pretraining_seed=seed,
            correct=int(rng.binomial(items, min(max(share, 0.0), 1.0))),
        )
        for size, row in zip(SIZES, shares, strict=True)
        for seed, share in enumerate(row)
    )  # fmt: skip
    return Curve("a", "f", "accuracy", "params", points)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 8, 16])
    parser.add_argument("--items", type=int, default=200)
    asked = parser.parse_args()
    print("| truth | seeds | " + " | ".join(VERDICTS) + " |\n|---|---|" + "---|" * len(VERDICTS))
    for seeds in asked.seeds:
        for number, kind in enumerate(KINDS):
            rng = np.random.default_rng([seeds, number])
            drawn = [curve(truth(kind, seeds, rng), asked.items, rng) for _ in range(asked.curves)]
            found = Counter(one.verdict for one in seed_curves(drawn, adjust=False) if one is not None)
            cells = (f"{100 * found[verdict] / asked.curves:.1f}" for verdict in VERDICTS)
            print(f"| {kind} | {seeds} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
