"""Is the forecast of the next size any better than carrying the last value forward?

    python benchmarks/forecast_backtest.py ../shared/data/scaling/bigbench_bigg_3shot.csv    # 48 BIG-bench tasks
    python benchmarks/forecast_backtest.py --harness ../shared/data/scaling/pythia_evals_final.csv  # Pythia and OPT
    python benchmarks/forecast_backtest.py --simulate [--curves 280] [--seed 0]              # known truth

The largest size, and then the largest two, are left out, and forecast from the rest. Mean absolute error in points
against what was measured there, of the forecast, of persistence, of the mean of the last three sizes, of a straight
line in log size and of a logistic (both by maximum likelihood, within 0..1); then the difference to persistence with a
paired bootstrap interval over tasks, and how often the forecast's 95 % interval of a measurement held what was
measured. Where the forecast is refused (all sizes used are at chance) the last value stands in for it, and the task
counts in no coverage. On simulated curves the prior weight of the random walk in the ensemble is varied: it is the
pull towards persistence.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onset.analysis.curves.fit import fit_family
from onset.analysis.curves.likelihood import counts
from onset.analysis.curves.series import Curve, SizePoint, curves_of
from onset.analysis.curves.shapes import ErrorPowerLaw, Logistic, LogLinear, LossPowerLaw, loss_power_laws
from onset.analysis.emergence.ensemble import EQUAL, WALK, ensemble
from onset.analysis.emergence.forecast import forecast

Array = np.ndarray
METHODS = ("forecast", "persistence", "mean of last three", "log-linear", "logistic")


@dataclass(frozen=True)
class Outcome:
    """Of one curve and one number of sizes left out: mean absolute errors (points), and the intervals that held."""

    errors: Mapping[str, float]
    held: int
    intervals: int
    width: float


def outcomes(curve: Curve) -> dict[int, Outcome]:
    x = np.log10([point.x for point in curve.points])
    right = np.array([float(point.correct or 0) for point in curve.points])
    n = np.array([float(point.n or 0) for point in curve.points])
    backtest = forecast(curve).backtest
    made = {}
    for left_out in (1, 2):
        tested = [one for one in backtest if one.left_out == left_out]
        observed = np.array([one.observed for one in tested])
        used = slice(None, -left_out)
        data = counts(right[used], n[used])
        share = right[used] / n[used]
        guesses: dict[str, Array] = {
            "forecast": np.array([one.persistence if one.estimate is None else one.estimate for one in tested]),
            "persistence": np.full(left_out, share[-1]),
            "mean of last three": np.full(left_out, share[-3:].mean()),
        }
        for family in (LogLinear, Logistic):
            fitted = fit_family(data, x[used], family).curves[0]
            guesses[family.name] = np.clip(fitted(x[-left_out:]), 0, 1)
        known = [one for one in tested if one.measured is not None]
        made[left_out] = Outcome(
            {name: 100 * float(np.abs(guess - observed).mean()) for name, guess in guesses.items()},
            sum(bool(one.held) for one in known),
            len(known),
            100 * float(np.mean([one.measured[1] - one.measured[0] for one in known if one.measured]))
            if known
            else 0.0,
        )
    return made


def signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "\N{MINUS SIGN}")


def line(name: str, left_out: int, part: list[Outcome]) -> str:
    errors = {method: np.array([one.errors[method] for one in part]) for method in METHODS}
    generator = np.random.default_rng(0)
    difference = errors["forecast"] - errors["persistence"]
    means = difference[generator.integers(0, len(part), size=(10_000, len(part)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    held, intervals = sum(one.held for one in part), sum(one.intervals for one in part)
    refused = sum(not one.intervals for one in part)
    shown = " | ".join(f"{errors[method].mean():.1f}" for method in METHODS)
    width = np.mean([one.width for one in part if one.intervals]) if intervals else math.nan
    coverage = f"{held} of {intervals} ({100 * held / intervals:.0f} %)" if intervals else "none"
    return (
        f"| {name} | {left_out} | {len(part)} | {refused} | {shown} |"
        f" {signed(difference.mean())} ({signed(low)} to {signed(high)}) | {coverage} | {width:.0f} |"
    )


def table(groups: Iterable[tuple[str, list[dict[int, Outcome]]]]) -> None:
    print(
        "| curves | left out | number | refused | " + " | ".join(METHODS) + " | forecast minus persistence (95 %)"
        " | interval held | its width |"
    )
    print("|" + "---|" * (len(METHODS) + 7))
    for name, made in groups:
        for left_out in (1, 2):
            if made:
                print(line(name, left_out, [one[left_out] for one in made]), flush=True)


def measured(path: Path) -> None:
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    label = {row["curve"]: row["label"] for row in rows}
    curves = curves_of(
        SizePoint(
            row["curve"], row["family"], row["model"], float(row["params"]), row["metric"],
            n=int(row["n"]), correct=int(row["correct"]), chance=float(row["chance"]),
        )
        for row in rows
    )  # fmt: skip
    made = {curve.curve: outcomes(curve) for curve in curves}
    large = {curve.curve for curve in curves if min(point.n or 0 for point in curve.points) >= 100}
    predicted = {name for name, one in made.items() if one[1].intervals and one[2].intervals}
    groups = [
        ("all", set(made)),
        ("not refused", predicted),
        ("n >= 100", large),
        ("n >= 100, not refused", large & predicted),
    ]
    groups += [
        (f"labelled {one}", {name for name in made if label[name] == one}) for one in sorted(set(label.values()))
    ]
    table((name, [made[one] for one in made if one in members]) for name, members in groups)


def harness(path: Path) -> None:
    """Pythia (v1, not deduplicated) and OPT, 0-shot accuracy; items from the standard error, p (1 - p) / (n - 1)."""
    points = []
    for row in csv.DictReader(path.open(encoding="utf-8")):
        wanted = row["family"] == "opt" or (row["family"] == "pythia-v1" and float(row["deduped"]) == 0)
        share, stderr = float(row["value"]), float(row["stderr"] or 0)
        if not wanted or row["shots"] != "0" or row["metric"] != "acc" or not stderr:
            continue
        n = round(share * (1 - share) / stderr**2) + 1
        subject = row["task"].startswith("hendrycksTest")
        points.append(
            SizePoint(
                row["task"], row["family"], row["model"], float(row["n_params"]), "acc",
                n=n, correct=round(share * n), chance=0.25 if subject else None,
            )
        )  # fmt: skip
    groups: dict[str, list[dict[int, Outcome]]] = {}
    for curve in curves_of(points):
        if curve.sizes >= 6 and curve.sizes == len(curve.points):
            made = outcomes(curve)
            kind = "MMLU subjects" if curve.points[0].chance else "other tasks"
            groups.setdefault(f"{curve.family}: {kind}", []).append(made)
            if curve.points[0].chance and made[1].intervals and made[2].intervals:
                groups.setdefault(f"{curve.family}: {kind}, not refused", []).append(made)
    table(sorted(groups.items()))


# ---- known truth ----------------------------------------------------------------------------------------------------

SIZES = {
    7: np.linspace(8, 11, 7),
    12: np.log10([2e6, 16e6, 53e6, 125e6, 244e6, 422e6, 1e9, 2e9, 4e9, 8e9, 27e9, 128e9]),
}
KINDS = (
    "flat",
    "log-linear",
    "logistic",
    "power law of the error",
    "power law of the log-probability",
    "jump",
    "wandering",
)


def truth(x: Array, kind: str, rng: np.random.Generator) -> Array:
    """A curve at places ``x``; wandering: a logistic whose log-odds take a random walk, 0.3 over a decade."""
    chance = rng.choice([0, 0.25, 0.5])
    low, high = x[0], x[-1]
    if kind in ("flat", "log-linear"):
        first, slope = (rng.uniform(0, 0.2), 0.0) if kind == "flat" else (0.0, rng.uniform(0, 0.12))
        return np.clip(chance + first + slope * (x - low), 0, 1)
    if kind == "power law of the error":
        return ErrorPowerLaw(
            rng.uniform(0, 0.4) * (1 - chance), (1 - chance) * rng.uniform(0.3, 0.6), rng.uniform(0.05, 0.5), low
        )(x)
    if kind == "power law of the log-probability":
        shapes = loss_power_laws(x, 0.3)
        one = rng.integers(len(shapes))
        return chance + (1 - chance) * rng.uniform(0.5, 1) * LossPowerLaw.unit(x, shapes[one : one + 1])[0]
    ceiling = chance + (1 - chance) * rng.uniform(0.3, 1)
    if kind == "jump":
        return Logistic(chance, ceiling, 8.8, rng.uniform(x[3], high))(x)
    smooth = Logistic(chance, ceiling, math.exp(rng.uniform(math.log(0.7), math.log(2.3))), rng.uniform(low, high + 1))(
        x
    )
    if kind == "logistic":
        return smooth
    inside = np.clip(smooth, 0.01, 0.99)
    walk = np.concatenate([[0], np.cumsum(0.3 * rng.normal(size=x.size - 1) * np.sqrt(np.diff(x)))])
    return 1 / (1 + np.exp(-(np.log(inside / (1 - inside)) + walk)))


def simulated(x: Array, n: int, rho: float, kind: str, name: str, rng: np.random.Generator) -> Curve:
    share = truth(x, kind, rng)
    if rho:
        size = (1 - rho) / rho
        share = rng.beta(np.maximum(share * size, 1e-9), np.maximum((1 - share) * size, 1e-9))
    right = rng.binomial(n, share)
    # no chance level: nothing is refused
    return curves_of(
        SizePoint(name, "simulated", f"m{i}", float(10 ** x[i]), "acc", n=n, correct=int(right[i]))
        for i in range(x.size)
    )[0]


def simulate(curves: int, seed: int) -> None:
    groups = []
    for count, n, rho in ((12, 200, 0.0), (12, 200, 0.01), (12, 50, 0.0), (7, 200, 0.01)):
        rng = np.random.default_rng([seed, count, n, int(1000 * rho)])
        made: dict[str, list[dict[int, Outcome]]] = {}
        for index in range(curves):
            kind = KINDS[index % len(KINDS)]
            made.setdefault(kind, []).append(outcomes(simulated(SIZES[count], n, rho, kind, str(index), rng)))
        setting = f"{count} sizes, n = {n}, scatter {rho:g}"
        groups.append((f"{setting}: all", [one for part in made.values() for one in part]))
        if (count, n) == (12, 200):
            groups += [(f"{setting}: {kind}", part) for kind, part in made.items()]
    table(groups)


def pull(curves: int, seed: int) -> None:
    """Error without the largest size by the prior weight of the random walk (a family: 1; 0: left out)."""
    x = SIZES[12]
    print("\n| scatter | curves | " + " | ".join(f"walk {weight:g}" for weight in (0, 1, 6, 20)) + " | persistence |")
    print("|---|---|---|---|---|---|---|")
    for rho in (0.0, 0.01):
        rng = np.random.default_rng([seed, 7, int(1000 * rho)])
        errors: dict[str, list[list[float]]] = {}
        for index in range(curves):
            kind = KINDS[index % len(KINDS)]
            points = simulated(x, 200, rho, kind, str(index), rng).points
            right = np.array([float(point.correct or 0) for point in points])
            data = counts(right[:-1], np.full(x.size - 1, 200.0))
            row = []
            for weight in (0.0, 1.0, 6.0, 20.0):
                made = ensemble(
                    data, x[:-1], x[-1:], np.random.default_rng(index), draws=2000, prior={**EQUAL, WALK: weight}
                )
                row.append(100 * abs(float(np.median(made.expected)) - right[-1] / 200))
            errors.setdefault("wandering" if kind == "wandering" else "others", []).append(
                [*row, abs(right[-2] - right[-1]) / 2]
            )
        for name, rows in sorted(errors.items()):
            print(f"| {rho:g} | {name} | " + " | ".join(f"{value:.2f}" for value in np.mean(rows, axis=0)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--harness", type=Path)
    parser.add_argument("--simulate", action="store_true")
    parser.add_argument("--curves", type=int, default=280)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.file:
        measured(given.file)
    if given.harness:
        harness(given.harness)
    if given.simulate:
        simulate(given.curves, given.seed)
        pull(given.curves, given.seed)


if __name__ == "__main__":
    main()
