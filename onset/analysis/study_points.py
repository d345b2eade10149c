"""Curves over size of a study: its accuracies, and the continuous scores of the same outputs.

A curve is one way of asking (task, method, labels, shift, stage) in one family. Scores, each a mean over items that
grows with the ability: ``gold_logprob`` (nats), ``gold_prob`` (of the gold answer among the choices), ``1 - Brier``
(Brier 1950, Monthly Weather Review 78, of the gold answer alone: 1 - (1 - p)^2), ``edit similarity`` (of the answer to
the gold one, for answers that are no choice) and ``pass rate`` (the share of samples that are right, where several were
drawn: Hu et al. 2023, arXiv 2310.03262).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.intervals import Array
from onset.analysis.points import Curve, SizePoint, curves_of
from onset.analysis.size_curves import SizeCurve
from onset.analysis.table import Results
from onset.scores import edit_similarity

SCORES = ("gold_logprob", "gold_prob", "1 - Brier", "pass rate", "edit similarity")
"""In the order in which a figure prefers them."""
_BOUNDED = frozenset(SCORES) - {"gold_logprob"}
_KEY = ("task", "method", "labels", "shift", "stage", "family")


def curve_name(task: str, method: str, labels: int, shift: str, stage: str) -> str:
    """``addition, cot, 8 labels``, with shift and stage where there are any."""
    parts = [task, method, f"{labels} labels"]
    parts += [f"shift {shift}"] if shift != "none" else []
    parts += [f"stage {stage}"] if stage != "base" else []
    return ", ".join(parts)


def accuracy_curve(one: SizeCurve) -> Curve:
    """Counts of a size curve as effective ones: n divided by the design effect, rounded."""
    name = curve_name(one.task, one.method, one.labels, one.shift, one.stage)
    points = []
    for model, size, n, correct, effect in zip(
        one.models, one.sizes, one.n, one.correct, one.design_effect, strict=True
    ):
        effective = max(1, round(n / effect))
        right = round(correct / n * effective)
        points.append(
            SizePoint(
                name, one.family, model, float(size), "accuracy", n=effective, correct=right, chance=one.chance
            )
        )  # fmt: skip
    return Curve(name, one.family, "accuracy", "params", tuple(points))


def score_points(results: Results) -> tuple[SizePoint, ...]:
    """The continuous scores of every arm with a size, each with its standard error.

    Items are clusters over draws; with several draws their noise is in the error too. A score that was measured for a
    part of an arm's records only is left out: its mean would be one of other items.
    """
    if not len(results.records):
        return ()
    cells = results.cells.filter((pl.col("n") > 0) & (pl.col("params") > 0)).to_dicts()
    held: dict[str, Mapping[str, list[Any]]] = {
        str(key[0]): table.to_dict(as_series=False)
        for key, table in results.records.select(
            "cell", "item", "gold", "answer", "answers", "correct", "gold_logprob", "gold_prob"
        ).group_by("cell")
    }
    canonical = _canonical(cells, held)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for cell in cells:
        groups.setdefault((*(cell[name] for name in _KEY), cell["model"]), []).append(cell)
    out = []
    for group in groups.values():
        first = group[0]
        name = curve_name(*(first[key] for key in _KEY[:-1]))
        tables = [
            {metric: _values(metric, held[cell["cell"]], canonical, first["task"]) for metric in SCORES}
            for cell in group
        ]
        for metric in SCORES:
            draws = [table[metric] for table in tables]
            known = [draw for draw in draws if draw is not None]
            if len(known) < len(draws):
                continue
            mean, error = _mean_and_error(known, bounded=metric in _BOUNDED)
            out.append(
                SizePoint(
                    name, first["family"], first["model"], float(first["params"]), metric,
                    score=mean, stderr=error, continuous=True,
                )
            )  # fmt: skip
    return tuple(out)


def score_curves(results: Results) -> tuple[Curve, ...]:
    """`score_points` as curves."""
    return curves_of(score_points(results))


def _canonical(
    cells: Iterable[Mapping[str, Any]], held: Mapping[str, Mapping[str, list[Any]]]
) -> dict[tuple[str, str], str]:
    """(task, item) -> the gold answer as answers are written, from any record that has it right."""
    found: dict[tuple[str, str], str] = {}
    for cell in cells:
        table = held[cell["cell"]]
        for item, answer, correct in zip(table["item"], table["answer"], table["correct"], strict=True):
            if correct and answer is not None:
                found[cell["task"], item] = answer
    return found


def _values(
    metric: str, table: Mapping[str, list[Any]], canonical: Mapping[tuple[str, str], str], task: str
) -> dict[str, float] | None:
    """Item -> score; None where it is not measured for all records."""
    items = table["item"]
    if metric == "gold_logprob":
        values = table["gold_logprob"]
    elif metric in ("gold_prob", "1 - Brier"):
        values = table["gold_prob"]
        if metric == "1 - Brier":
            values = [None if p is None else 1 - (1 - p) ** 2 for p in values]
    else:
        golds = [canonical.get((task, item), gold) for item, gold in zip(items, table["gold"], strict=True)]
        if metric == "pass rate":
            samples = table["answers"]
            values = [
                sum(answer == gold for answer in one) / len(one) if len(one) > 1 else None
                for one, gold in zip(samples, golds, strict=True)
            ]
        else:
            choice = any(p is not None for p in table["gold_prob"])
            pairs = zip(table["answer"], golds, strict=True)
            values = [None if choice else _similar(answer or "", gold) for answer, gold in pairs]
    measured = {item: float(value) for item, value in zip(items, values, strict=True) if value is not None}
    return measured if len(measured) == len(items) and all(map(math.isfinite, measured.values())) else None


@functools.lru_cache(maxsize=65536)
def _similar(answer: str, gold: str) -> float:
    return edit_similarity(answer, gold)


def _mean_and_error(draws: Sequence[Mapping[str, float]], *, bounded: bool) -> tuple[float, float]:
    """Mean and standard error: items and draws as crossed random effects (`onset.analysis.intervals`)."""
    items = sorted({item for draw in draws for item in draw})
    table = np.array([[draw.get(item, math.nan) for item in items] for draw in draws])
    mean = float(np.nanmean(table))
    variance = _variance(table)
    if variance <= 0 and bounded:
        # nothing varies: the error of a share that is drawn in by two of each kind (Agresti and Coull 1998)
        drawn = (mean * len(items) + 2) / (len(items) + 4)
        variance = drawn * (1 - drawn) / (len(items) + 4)
    return mean, math.sqrt(max(variance, 0.0))


def _variance(table: Array) -> float:
    draws, items = table.shape
    means = np.nanmean(table, axis=0)
    by_item = float(means.var(ddof=1)) / items if items > 1 else 0.0
    if draws == 1 or not np.isfinite(table).all():
        return by_item
    by_draw = float(table.mean(axis=1).var(ddof=1)) / draws
    rest = table - table.mean(axis=1, keepdims=True) - means + table.mean()
    single = float((rest**2).sum()) / max((draws - 1) * (items - 1), 1) / (draws * items)
    return float(max(by_item + by_draw - single, by_item, by_draw))
