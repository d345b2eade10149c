"""Few draws: how often does the interval of an arm's mean accuracy hold the truth, and how wide is it?

A simulated study has K prompted arms on D draws of examples x I items, the same items for all. The log-odds of a right
answer are those of the arm (uniform in -2..2.5), an item's difficulty (standard deviation 1) and what the draw of
examples makes of it (standard deviation as told; "threefold and more": 0.2 and 1.2 in turns). The truth is the mean
over all items and draws. Every arm goes through `onset.analysis.estimates.label_curves.means_over_draws` as those of a
results folder do; beside it the crossed bootstrap alone.

    python benchmarks/few_draws_means.py            # the table of benchmarks/RESULTS.md, minutes on one core
"""

from __future__ import annotations

import numpy as np
from few_draws import arm
from scipy.special import expit

from onset.analysis.estimates.label_curves import means_over_draws
from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap

STUDIES = 200
REPLICATES = 1000
APART = (0.2, 1.2)


def accuracy(logit: float, spread: float) -> float:
    """The mean of the logistic function of a normal number, by Gauss's and Hermite's quadrature."""
    places, weights = np.polynomial.hermite_e.hermegauss(61)
    return float(weights @ expit(logit + spread * places) / weights.sum())


def study(
    arms: int, draws: int, items: int, spreads: Array, rng: np.random.Generator
) -> tuple[list[Array], list[float]]:
    """Outcomes (draws x items) and true accuracy of each arm."""
    difficulty = rng.normal(size=items)
    tables, truths = [], []
    for spread in spreads[:arms]:
        logit = rng.uniform(-2, 2.5)
        moved = logit + spread * rng.normal(size=(draws, 1)) + difficulty
        tables.append((rng.random((draws, items)) < expit(moved)).astype(float))
        truths.append(accuracy(logit, float(np.hypot(1, spread))))
    return tables, truths


def rates(arms: int, draws: int, items: int, spreads: Array, studies: int = STUDIES) -> Array:
    """Share of truths held and mean width (2 x 2): of the intervals as reported, and of the bootstrap's alone."""
    rng = np.random.default_rng([arms, draws, items, *(int(1000 * one) for one in spreads)])
    held: list[list[tuple[bool, float]]] = [[], []]
    for _ in range(studies):
        tables, truths = study(arms, draws, items, spreads, rng)
        named = [arm(one, f"m{place}") for place, one in enumerate(tables)]
        points = means_over_draws(named, REPLICATES)
        for table, point, truth in zip(tables, points, truths, strict=True):
            crossed = crossed_bootstrap([Block(table)], REPLICATES)
            assert crossed is not None
            low, high = crossed.interval()
            for out, ends in zip(held, (point.interval, (max(0.0, low), min(1.0, high))), strict=True):
                out.append((ends[0] <= truth <= ends[1], ends[1] - ends[0]))
    return np.array([np.mean(one, axis=0) for one in held])


def main() -> None:
    """Print the table."""
    print(
        "| Arms | Draws | Items | Spread of draws (log-odds) | Held | Width, points | Bootstrap alone: held | Width |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for arms, draws, items in ((2, 2, 80), (3, 2, 50), (3, 2, 200), (12, 2, 80), (6, 3, 80), (6, 5, 80)):
        for spread in (0.0, 0.3, 1.0, None):
            spreads = np.resize(APART, arms) if spread is None else np.full(arms, spread)
            ours, alone = 100 * rates(arms, draws, items, spreads)
            said = "threefold and more" if spread is None else f"{spread}"
            numbers = f"{ours[0]:.1f} | {ours[1]:.0f} | {alone[0]:.1f} | {alone[1]:.0f}"
            print(f"| {arms} | {draws} | {items} | {said} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
