"""How often is the metric check wrong? Simulated models, items and scores.

    python benchmarks/metric_check.py [--curves 60] [--seed 0] [--sizes 4 5 6 8] [--items 50 200 1000]

Items differ in difficulty and are the same for all models; sizes are evenly spaced over three decades. Half of the
curves are exact match over 3 to 12 tokens, scored by ``gold_logprob`` (L log p of each item, with noise) and ``edit
similarity`` (the share of tokens that are right); half are choices among four, scored by ``gold_logprob``,
``gold_prob`` and ``1 - Brier``.

Real jumps, inside the sizes or between the last two: what one token, or the advantage of the right choice, gains comes
within 0.03 to 0.3 decades, but for up to 30 % that come evenly over all sizes. Jumps of the metric: the log-odds of a
token grow evenly with log size, at 0.6 to 1 times the bound of smooth growth, and accuracy is p^L; or the advantage of
the right choice grows smoothly from nothing, and accuracy sets in where it exceeds what the others have by chance.

Counted are curves whose accuracy is called emergent (others have no jump to check).
"""

from __future__ import annotations

import argparse
import math
from collections import Counter

import numpy as np
from scipy import special

from onset.analysis.curves.series import Curve, SizePoint
from onset.analysis.emergence.metric import metric_check
from onset.analysis.emergence.verdict import Settings, emergence_of

SETTINGS = Settings(replicates=99, threshold_replicates=0)
TRUTHS = ("inside", "at the last size", "of the metric")
CHOICES = 4


def verdicts(sizes: int, n: int, curves: int, truth: str, seed: int) -> Counter[str]:
    """Verdicts on the curves of one truth whose accuracy is called emergent."""
    rng = np.random.default_rng([sizes, n, seed, TRUTHS.index(truth)])
    x = np.linspace(8, 11, sizes)
    made = [(match, choice)[index % 2](truth, x, n, rng) for index in range(curves)]
    accuracies = emergence_of([accuracy for accuracy, _ in made], SETTINGS, adjust=False, here=True)
    kept = [index for index, one in enumerate(accuracies) if one.verdict == "emergent"]
    found = iter(emergence_of([one for row in kept for one in made[row][1]], SETTINGS, adjust=False, here=True))
    out: Counter[str] = Counter()
    for row in kept:
        scores = [next(found) for _ in made[row][1]]
        out[metric_check(accuracies[row], scores, SETTINGS).verdict] += 1
    return out


def place(truth: str, x: np.ndarray, rng: np.random.Generator) -> float:
    return float(rng.uniform(x[-2], x[-1]) if truth == "at the last size" else rng.uniform(x[1], x[-2]))


def jump(x: np.ndarray, at: float, gain: float, rng: np.random.Generator) -> np.ndarray:
    """From 0 to ``gain``: up to 30 % evenly, the rest around ``at``."""
    even, width = rng.uniform(0, 0.3), 10 ** rng.uniform(-1.5, -0.5)
    return gain * ((1 - even) * special.expit(2 * math.log(9) * (x - at) / width) + even * (x - x[0]) / (x[-1] - x[0]))


def match(truth: str, x: np.ndarray, n: int, rng: np.random.Generator) -> tuple[Curve, list[Curve]]:
    """Exact match over several tokens."""
    tokens, top = int(rng.integers(3, 13)), rng.uniform(0.3, 0.95)
    high = special.logit(top ** (1 / tokens))
    if truth == "of the metric":
        ability = high + rng.uniform(0.6, 1) * math.log(10) * (x - x[-1])
    else:
        low = special.logit(rng.uniform(0.0005, 0.01) ** (1 / tokens))
        ability = low + jump(x, place(truth, x, rng), high - low, rng)
    p = special.expit(ability[:, None] + rng.uniform(0.2, 0.8) * rng.standard_normal(n))
    right = rng.random(p.shape) < p**tokens
    similar = np.where(right, 1.0, np.minimum(rng.binomial(tokens, p) / tokens, 1 - 1 / tokens))
    noise = 0.15 * math.sqrt(tokens) * rng.standard_normal(p.shape)
    return counted(x, right, 0.0), scored(x, {"gold_logprob": tokens * np.log(p) + noise, "edit similarity": similar})


def choice(truth: str, x: np.ndarray, n: int, rng: np.random.Generator) -> tuple[Curve, list[Curve]]:
    """The likeliest of four choices."""
    chance, items = 1 / CHOICES, 0.25 * rng.uniform(0.2, 0.8) * rng.standard_normal(n)
    if truth == "of the metric":
        top = rng.uniform(1, 3)
        ability = top * ((x - x[0]) / (x[-1] - x[0])) ** rng.uniform(1, 2)
        margin = ability[:, None] + items
        share = special.expit((margin / top - rng.uniform(0.5, 0.8)) * rng.uniform(8, 20))
    else:
        margin = jump(x, place(truth, x, rng), rng.uniform(1.5, 4), rng)[:, None] + items
        share = np.clip(special.expit(margin - math.log(CHOICES - 1)) - chance, 0, None) / (1 - chance)
    right = rng.random(margin.shape) < chance + (1 - chance) * share
    p = special.expit(margin + 0.4 * rng.standard_normal(margin.shape) - math.log(CHOICES - 1))
    logprob = np.log(p) - 3 + 0.3 * rng.standard_normal(p.shape)
    return counted(x, right, chance), scored(
        x, {"gold_logprob": logprob, "gold_prob": p, "1 - Brier": 1 - (1 - p) ** 2}
    )


def counted(x: np.ndarray, right: np.ndarray, chance: float) -> Curve:
    points = tuple(
        SizePoint(
            "made", "made", f"m{i}", float(10 ** x[i]), "accuracy", n=row.size, correct=int(row.sum()), chance=chance
        )
        for i, row in enumerate(right)
    )
    return Curve("made", "made", "accuracy", "params", points)


def scored(x: np.ndarray, tables: dict[str, np.ndarray]) -> list[Curve]:
    out = []
    for metric, table in tables.items():
        errors = table.std(axis=1, ddof=1) / math.sqrt(table.shape[1])
        points = tuple(
            SizePoint(
                "made", "made", f"m{i}", float(10 ** x[i]), metric, score=float(row.mean()), stderr=float(error),
                continuous=True,
            )
            for i, (row, error) in enumerate(zip(table, errors, strict=True))
        )  # fmt: skip
        out.append(Curve("made", "made", metric, "params", points))
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--curves", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", type=int, nargs="+", default=[4, 5, 6, 8])
    parser.add_argument("--items", type=int, nargs="+", default=[200, 50, 1000])
    given = parser.parse_args()
    print("| sizes | items | jump | checked | genuine | metric-induced | unresolved |")
    print(f"|{'---|' * 7}")
    for n in given.items:
        for sizes in given.sizes:
            for truth in TRUTHS:
                found = verdicts(sizes, n, given.curves, truth, given.seed)
                number = max(sum(found.values()), 1)
                shares = [f"{100 * found[name] / number:.0f} %" for name in ("genuine", "metric-induced", "unresolved")]
                print(f"| {sizes} | {n} | {truth} | {sum(found.values())} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main()
