"""Forecasts through scores, over parameters and tokens, on ladders that others trained.

    python benchmarks/forecast_ladders.py --olmo ../shared/data/scaling          # the 7B target, from smaller models
    python benchmarks/forecast_ladders.py --olmo ../shared/data/scaling --inside # larger rungs of the ladder instead
    python benchmarks/forecast_ladders.py --openlm ../shared/data/scaling/openlm_shared.csv --corpus c4
    python benchmarks/forecast_ladders.py --obsscaling ../shared/data/scaling/obsscaling
    ... --json FILE                                                              # also every single forecast

The ladders are written as tables of the form that `onset emergence` reads (`--tables FOLDER` keeps them), read back by
`onset.read.read_points` and forecast by `onset.analysis.emergence.forecast.forecast`: what the command does. Mean
absolute error in points; coverage of the 95 % interval of a measurement and of the 90 % one inside it; and the
difference to carrying the last value forward with a paired bootstrap interval over tasks. Where a forecast is refused,
the last value stands in for it and the task counts in no coverage.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onset.analysis.curves.series import Curve, Scale, curves_of
from onset.analysis.emergence.forecast import Target, forecast
from onset.read import read_points

Row = dict[str, Any]
COLUMNS = (
    "curve",
    "family",
    "model",
    "params",
    "flops",
    "tokens",
    "loss",
    "metric",
    "continuous",
    "n",
    "score",
    "chance",
)


@dataclass(frozen=True)
class Told:
    """One forecast against what was measured; shares in 0..1; ``estimate`` None: refused."""

    setting: str
    task: str
    model: str
    observed: float
    estimate: float | None
    last: float
    low: float
    high: float
    low90: float
    high90: float
    routes: dict[str, float]

    @property
    def error(self) -> float:
        return 100 * abs((self.last if self.estimate is None else self.estimate) - self.observed)

    @property
    def last_error(self) -> float:
        return 100 * abs(self.last - self.observed)


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def written(rows: Iterable[Row], path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
    return path


def read(path: Path, scale: Scale = "params") -> dict[str, tuple[Curve, list[Curve]]]:
    """Accuracy and the continuous scores of each task."""
    curves = curves_of(read_points([path], scale=scale), scale)
    out: dict[str, tuple[Curve, list[Curve]]] = {}
    for curve in curves:
        if not curve.points[0].continuous:
            name = f"{curve.family}: {curve.curve}"
            beside = [
                one
                for one in curves
                if (one.curve, one.family) == (curve.curve, curve.family) and one.points[0].continuous
            ]
            out[name] = (curve, beside)
    return out


def told(
    setting: str, rows: Sequence[Row], targets: Sequence[Row], folder: Path, scale: Scale = "params"
) -> list[Told]:
    """Forecasts from ``rows`` of the accuracies of ``targets``."""
    table = read(written(rows, folder / f"{setting.replace(' ', '_').replace('/', '_')}.csv"), scale)
    made = []
    for name, (curve, scores) in table.items():
        for target in targets:
            if f"{target['family']}: {target['curve']}" != name or target["metric"] != curve.metric:
                continue
            tokens = float(target["tokens"]) if target.get("tokens") and scale == "params" else None
            found = forecast(curve, [Target(float(target[scale]), tokens)], scores=scores, draws=3000, tested=False)
            (one,) = found.sizes
            low, high = one.measured or (np.nan, np.nan)
            low90, high90 = one.measured_90 or (np.nan, np.nan)
            made.append(
                Told(
                    setting, target["curve"], target["model"], float(target["score"]), one.estimate,
                    one.persistence, low, high, low90, high90, one.routes,
                )
            )  # fmt: skip
    return made


def line(name: str, part: Sequence[Told]) -> str:
    by_task: dict[str, list[Told]] = {}
    for one in part:
        by_task.setdefault(one.task, []).append(one)
    error = np.array([np.mean([one.error for one in group]) for group in by_task.values()])
    last = np.array([np.mean([one.last_error for one in group]) for group in by_task.values()])
    rng = np.random.default_rng(0)
    means = (error - last)[rng.integers(0, len(error), (10_000, len(error)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    known = [one for one in part if one.estimate is not None]
    held = sum(one.low <= one.observed <= one.high for one in known)
    held90 = sum(one.low90 <= one.observed <= one.high90 for one in known)
    width = 100 * float(np.mean([one.high - one.low for one in known])) if known else float("nan")
    bias = 100 * float(np.mean([(one.estimate or 0) - one.observed for one in known])) if known else float("nan")
    refused = len(part) - len(known)
    return (
        f"| {name} | {len(by_task)} | {len(part)} | {refused} | {error.mean():.2f} | {last.mean():.2f} |"
        f" {error.mean() - last.mean():+.2f} ({low:+.2f} to {high:+.2f}) | {bias:+.2f} | {held} of {len(known)} |"
        f" {held90} of {len(known)} | {width:.1f} |"
    ).replace("-", "\N{MINUS SIGN}")


HEAD = (
    "| forecast | tasks | forecasts | refused | error | last value | forecast minus last value (95 %) | bias |"
    " 95 % interval held | 90 % held | width of the 95 % |\n" + "|---" * 11 + "|"
)


# ---- OLMo's ladder --------------------------------------------------------------------------------------------------


def olmo(folder: Path) -> tuple[list[Row], list[Row]]:
    """(ladder, 7B target): accuracy, bits per byte of the right answer, and the loss on C4 in each row."""
    out = []
    for name in ("olmo_ladder.csv", "olmo_ladder_target_7B.csv"):
        rows = read_rows(folder / name)
        if "target" in name:
            rows = [row for row in rows if row["stat"] == "final"]
        loss = {row["run"]: row["value"] for row in rows if row["task"] == "lm:c4_en"}
        out.append(
            [
                {
                    "curve": row["task"], "family": "OLMo", "model": row["run"], "params": row["params_nonemb"],
                    "flops": row["train_flops"], "tokens": row["tokens"], "loss": loss[row["run"]],
                    "metric": row["metric"], "continuous": str(row["metric"] != "rc_acc").lower(),
                    "n": row["n"] if row["metric"] == "rc_acc" else "", "score": row["value"],
                    "chance": row["chance"] if row["metric"] == "rc_acc" else "", "paper8": row["paper8"] == "1",
                    "paper16": row.get("used_in_paper_fit") == "1", "xC": float((row.get("xC") or "0xC")[:-2]),
                }
                for row in rows
                if row["metric"] in ("rc_acc", "rc_bpb")
            ]
        )  # fmt: skip
    return out[0], out[1]


OLMO_INSIDE: dict[str, tuple[Callable[[Row], bool], Callable[[Row], bool]]] = {
    "760M and less, 2xC and less, to 3.2B 10xC": (
        lambda row: float(row["params"]) < 8e8 and row["xC"] <= 2,
        lambda row: float(row["params"]) > 3e9 and row["xC"] == 10,
    ),
    "1.3B and less, 5xC and less, to 3.2B 10xC": (
        lambda row: float(row["params"]) < 1.5e9 and row["xC"] <= 5,
        lambda row: float(row["params"]) > 3e9 and row["xC"] == 10,
    ),
    "760M and less, to 1.3B": (
        lambda row: float(row["params"]) < 8e8,
        lambda row: 1.2e9 < float(row["params"]) < 1.5e9,
    ),
    "1.3B and less, to 3.2B": (lambda row: float(row["params"]) < 1.5e9, lambda row: float(row["params"]) > 3e9),
}
SCORES = {
    "through bits per byte and loss": ("rc_bpb", True),
    "through bits per byte": ("rc_bpb", False),
    "through loss": ("", True),
    "size and tokens alone": ("", False),
}


def given(rows: Iterable[Row], scores: str) -> list[Row]:
    """Only what the table of a user with these scores would hold."""
    metric, loss = SCORES[scores]
    kept = [row for row in rows if row["metric"] in ("rc_acc", metric)]
    return kept if loss else [{**row, "loss": ""} for row in kept]


def eight(made: Sequence[Told], rows: Sequence[Row]) -> list[tuple[str, list[Told]]]:
    paper = {row["curve"] for row in rows if row["paper8"]}
    return [
        ("eight tasks", [one for one in made if one.task in paper]),
        ("others", [one for one in made if one.task not in paper]),
    ]


def run_olmo(folder: Path, inside: bool, chosen: Sequence[str], work: Path) -> list[Told]:
    ladder, target = olmo(folder)
    every: list[Told] = []
    for scores in chosen:
        if inside:
            settings = {
                name: ([row for row in ladder if used(row)], [row for row in ladder if wanted(row)])
                for name, (used, wanted) in OLMO_INSIDE.items()
            }
        else:
            settings = {
                "its authors' 16 runs, to 7B": ([row for row in ladder if row["paper16"]], target),
                "all 30 runs, to 7B": (ladder, target),
            }
        for name, (rows, wanted_rows) in settings.items():
            made = told(f"{name}, {scores}", given(rows, scores), wanted_rows, work)
            every += made
            for part, group in eight(made, ladder):
                print(line(f"{name}, {scores}: {part}", group), flush=True)
    return every


def run_flops(folder: Path, work: Path) -> list[Told]:
    ladder, target = olmo(folder)
    every: list[Told] = []
    for name, rows in {"16 runs": [row for row in ladder if row["paper16"]], "30 runs": ladder}.items():
        made = told(f"{name} over FLOPs", given(rows, "through bits per byte"), target, work, "flops")
        every += made
        for part, group in eight(made, ladder):
            print(line(f"{name} to 7B over FLOPs, through bits per byte: {part}", group), flush=True)
    return every


# ---- the models of Gadre et al. -------------------------------------------------------------------------------------

OPENLM: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "154M and less, to 412M": ((0, 2e8), (4e8, 5e8)),
    "154M and less, to 1.4B and 6.9B": ((0, 2e8), (1e9, 1e10)),
    "412M and less, to 1.4B": ((0, 5e8), (1e9, 2e9)),
    "412M and less, to 6.9B": ((0, 5e8), (5e9, 1e10)),
    "1.4B and less, to 6.9B": ((0, 2e9), (5e9, 1e10)),
}


def openlm(path: Path, corpus: str) -> list[Row]:
    """Tasks of 100 items and more that are no means over groups; the loss is that on held-out text of the corpus."""
    rows = read_rows(path)
    return [
        {
            "curve": row["task"], "family": corpus, "model": row["model"], "params": row["params"],
            "flops": row["flops"], "tokens": row["tokens"], "loss": row["train_corpus_val_loss"],
            "metric": "accuracy", "continuous": "false", "n": row["n"], "score": row["accuracy"],
            "chance": row["chance"], "xC": float(row["token_multiplier"]),
        }
        for row in rows
        if row["corpus"] == corpus and row["averaging"] == "micro" and row["n"] and int(row["n"]) >= 100
    ]  # fmt: skip


def run_openlm(path: Path, corpus: str, work: Path) -> list[Told]:
    rows = openlm(path, corpus)
    every: list[Told] = []
    for loss in (True, False):
        what = "through loss" if loss else "size and tokens alone"
        for name, (used, wanted) in OPENLM.items():
            part = [row for row in rows if used[0] < float(row["params"]) < used[1]]
            part = part if loss else [{**row, "loss": ""} for row in part]
            targets = [row for row in rows if wanted[0] < float(row["params"]) < wanted[1] and row["xC"] >= 20]
            made = told(f"{corpus}: {name}, {what}", part, targets, work)
            every += made
            print(line(f"{corpus}: {name}, {what}", made), flush=True)
            known = [one for one in made if one.estimate is not None]
            print(line(f"{corpus}: {name}, {what}, not refused", known), flush=True)
    return every


# ---- families of released models ------------------------------------------------------------------------------------


def run_obsscaling(folder: Path, work: Path) -> list[Told]:
    """Families of five sizes and more, the largest left out: accuracy alone, by FLOPs; items of public test sets."""
    rows = read_rows(folder / "base_llm_benchmark_eval.csv")
    chance = {
        "MMLU": 0.25,
        "ARC-C": 0.25,
        "HellaSwag": 0.25,
        "Winograd": 0.5,
        "GSM8K": 0.0,
        "XWinograd": 0.5,
        "HumanEval": 0.0,
    }
    items = {"MMLU": 14042, "ARC-C": 1172, "HellaSwag": 10042, "Winograd": 1267, "GSM8K": 1319, "HumanEval": 164}
    every = []
    for family in sorted({row["Model Family"] for row in rows}):
        members = [row for row in rows if row["Model Family"] == family and row["FLOPs (1E21)"]]
        for task, n in items.items():
            known = [row for row in members if row[task]]
            sizes = sorted({float(row["FLOPs (1E21)"]) for row in known})
            if len(sizes) < 5:
                continue
            made = [
                {
                    "curve": task, "family": family, "model": row["Model"],
                    "params": 1e9 * float(row["Model Size (B)"]), "flops": 1e21 * float(row["FLOPs (1E21)"]),
                    "metric": "accuracy", "continuous": "false", "n": n, "score": round(float(row[task]) * n) / n,
                    "chance": chance[task],
                }
                for row in known
            ]  # fmt: skip
            largest = 1e21 * sizes[-1]
            part = [row for row in made if row["flops"] < largest * 0.999]
            every += told(
                f"{family} {task}", part, [row for row in made if row["flops"] >= largest * 0.999], work, "flops"
            )
    print(line("families of five sizes and more, the largest", every))
    return every


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--olmo", type=Path)
    parser.add_argument("--inside", action="store_true")
    parser.add_argument("--scores", choices=list(SCORES), action="append", help="of --olmo: only these")
    parser.add_argument("--flops", action="store_true", help="of --olmo: also over FLOPs, through bits per byte")
    parser.add_argument("--openlm", type=Path)
    parser.add_argument("--corpus", choices=("c4", "rpj"), default="rpj")
    parser.add_argument("--obsscaling", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tables", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = chosen.tables or Path(temporary)
        work.mkdir(exist_ok=True)
        print(HEAD)
        made: list[Told] = []
        if chosen.olmo:
            made += run_olmo(chosen.olmo, chosen.inside, chosen.scores or list(SCORES), work)
        if chosen.olmo and chosen.flops:
            made += run_flops(chosen.olmo, work)
        if chosen.openlm:
            made += run_openlm(chosen.openlm, chosen.corpus, work)
        if chosen.obsscaling:
            made += run_obsscaling(chosen.obsscaling, work)
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(one) for one in made], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
