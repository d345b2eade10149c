"""Do verdicts agree with labels given by eye? 48 BIG-bench tasks x 12 sizes of BIG-G.

    python benchmarks/emergence_labels.py ../shared/data/scaling/bigbench_bigg_3shot.csv

Labels: Appendix E of Wei et al. 2022 (``emergent:G``, ``smooth``, ``flat``; tasks that emerge only in PaLM and others
are left out). Beside our verdict (a test at 5 %: ``unresolved`` is a miss) and p_jump (above one half, whatever the
number of items; flat where no growth is the best family by AICc) stand the published-style rule R2 (mean of the low
side within 5 points of chance, rise of at least 10 points, last size at least 10 points above chance, any split after
four sizes), R2c (the same, only the two largest sizes may be above; chosen by hand on these labels) and a choice by
AICc. Intervals: 2,000 resamples of tasks.
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

import numpy as np

from onset.analysis.curves.fit import fit_family
from onset.analysis.curves.likelihood import counts
from onset.analysis.curves.series import Curve, curves_of
from onset.analysis.curves.shapes import Constant, Hinge, Logistic, LogLinear, Step, place
from onset.analysis.emergence.verdict import Emergence, emergence_of
from onset.read import read_points

KINDS = ("emergent", "smooth", "flat")


def rule(curve: Curve, *, late: bool) -> str:
    share = np.array([(point.correct or 0) / (point.n or 1) for point in curve.points])
    chance = curve.points[0].chance or 0.0
    for split in range(10 if late else 4, len(share)):
        low, high = share[:split].mean(), share[split:].mean()
        if low <= chance + 0.05 and high - low >= 0.10 and share[-1] >= chance + 0.10:
            return "emergent"
    return "smooth" if share[-3:].mean() - share[:3].mean() >= 0.05 else "flat"


def by_aicc(curve: Curve) -> str:
    x = place([point.x for point in curve.points])
    data = counts(np.array([point.correct for point in curve.points]), np.array([point.n for point in curve.points]))
    fits = {family: fit_family(data, x, family) for family in (Constant, LogLinear, Logistic, Hinge, Step)}
    sizes = x.size
    # Hurvich and Tsai 1989, Biometrika 76, 297-307: sizes count as data
    spare = {family: sizes - family.free - 1 for family in fits}
    score = {
        family: float(fit.aic[0]) + 2 * family.free * (family.free + 1) / spare[family] if spare[family] > 0 else np.inf
        for family, fit in fits.items()
    }
    best = min(score, key=lambda family: score[family])
    if best in (Hinge, Step):
        fitted = fits[best].curves[0](x)
        chance = curve.points[0].chance or 0.0
        if fitted[0] <= chance + 0.07 and fitted[-1] - fitted[0] >= 0.08:
            return "emergent"
    return "flat" if best is Constant else "smooth"


def by_jump(found: Emergence) -> str:
    if found.best_family == Constant.name:
        return "flat"
    return "emergent" if found.p_jump is not None and found.p_jump > 0.5 else "smooth"


def auc(truth: np.ndarray, p: np.ndarray) -> float:
    ones, others = p[truth == "emergent"], p[truth == "smooth"]
    if not len(ones) or not len(others):
        return math.nan
    return float(np.mean((ones[:, None] > others) + 0.5 * (ones[:, None] == others)))


def f1(truth: np.ndarray, said: np.ndarray, kind: str) -> float:
    hits = float(((truth == kind) & (said == kind)).sum())
    return 0.0 if hits == 0 else 2 * hits / float((truth == kind).sum() + (said == kind).sum())


def macro(truth: np.ndarray, said: np.ndarray) -> float:
    return float(np.mean([f1(truth, said, kind) for kind in KINDS if (truth == kind).any()]))


def kappa(truth: np.ndarray, said: np.ndarray) -> float:
    kinds = sorted(set(truth) | set(said))
    agree = float((truth == said).mean())
    expected = sum(float((truth == kind).mean() * (said == kind).mean()) for kind in kinds)
    return math.nan if expected == 1 else (agree - expected) / (1 - expected)


def spread(values: list[float]) -> str:
    low, high = np.nanquantile(values, [0.025, 0.975])
    return f"{low:.2f} to {high:.2f}"


def table(truth: np.ndarray, said: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    binary = np.isin(truth, ("emergent", "smooth"))
    print("| | TP FP FN | F1 emergent against smooth | macro-F1 of three | kappa | F1 minus that of R2 |")
    print("|---|---|---|---|---|---|")
    draws = rng.integers(0, len(truth), size=(2000, len(truth)))
    for name, answer in said.items():
        part, whole = answer[binary], truth[binary]
        hits = [int(((whole == a) & (part == b)).sum()) for a, b in (("emergent", "emergent"), ("smooth", "emergent"))]
        missed = int((whole == "emergent").sum()) - hits[0]
        resampled = {"f1": [], "macro": [], "kappa": [], "gap": []}
        for draw in draws:
            t, s, r = truth[draw], answer[draw], said["R2"][draw]
            b = np.isin(t, ("emergent", "smooth"))
            resampled["f1"].append(f1(t[b], s[b], "emergent"))
            resampled["gap"].append(resampled["f1"][-1] - f1(t[b], r[b], "emergent"))
            resampled["macro"].append(macro(t, s))
            resampled["kappa"].append(kappa(t, s))
        gap = f1(whole, part, "emergent") - f1(whole, said["R2"][binary], "emergent")
        print(
            f"| {name} | {hits[0]} {hits[1]} {missed} | {f1(whole, part, 'emergent'):.2f} ({spread(resampled['f1'])})"
            f" | {macro(truth, answer):.2f} ({spread(resampled['macro'])})"
            f" | {kappa(truth, answer):.2f} ({spread(resampled['kappa'])}) | {gap:+.2f} ({spread(resampled['gap'])}) |"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    given = parser.parse_args()
    with given.path.open() as file:
        labels = {row["curve"]: row["label"].split(":P")[0].removesuffix(":G") for row in csv.DictReader(file)}
        file.seek(0)
        palm = {row["curve"] for row in csv.DictReader(file) if row["label"] == "emergent:P"}
    curves = [one for one in curves_of(read_points(given.path)) if labels[one.curve] in KINDS and one.curve not in palm]
    found = emergence_of(curves)
    said = {
        "our verdict": [one.verdict for one in found],
        "our verdict, p unadjusted": [one.verdict for one in emergence_of(curves, adjust=False)],
        "p_jump": [by_jump(one) for one in found],
        "R2": [rule(one, late=False) for one in curves],
        "R2c": [rule(one, late=True) for one in curves],
        "AICc": [by_aicc(one) for one in curves],
    }
    truth = np.array([labels[one.curve] for one in curves])
    items = np.array([one.points[0].n or 0 for one in curves])
    # a curve that falls is no jump
    jump = np.array([0.0 if one.p_jump is None else one.p_jump for one in found])
    rng = np.random.default_rng(0)
    for title, rows in (("all", items > 0), ("30 items or more a size", items >= 30)):
        counted = ", ".join(f"{int((truth[rows] == kind).sum())} {kind}" for kind in KINDS)
        print(f"\n{title}: {int(rows.sum())} tasks ({counted})\n")
        table(truth[rows], {name: np.array(answer)[rows] for name, answer in said.items()}, rng)
        labels, p = truth[rows], jump[rows]
        draws = [auc(labels[draw], p[draw]) for draw in rng.integers(0, len(p), size=(2000, len(p)))]
        print(f"\nAUC of p_jump, emergent against smooth: {auc(labels, p):.2f} ({spread(draws)})")


if __name__ == "__main__":
    main()
