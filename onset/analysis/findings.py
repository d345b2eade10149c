"""From a results folder's tables to everything the report and the terminal show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from onset.analysis.arms import Arm, arms
from onset.analysis.cost import BreakEven, Cost, break_evens, costs
from onset.analysis.curves import SizeCurve, size_curves, size_within_reach
from onset.analysis.headlines import Evidence, Finding, headlines
from onset.analysis.intervals import REPLICATES
from onset.analysis.labels import LabelCurve, Overtaking, label_curves, overtakings
from onset.analysis.paired import MARGIN, Comparison, compare_all
from onset.analysis.robustness import Loss, LossDifference, loss_differences, losses
from onset.analysis.table import Results
from onset.study.store import FORMAT, write_json


@dataclass(frozen=True, eq=False)
class Analysis:
    """All estimates of one results folder; shares (0..1) everywhere, words in each ``sentence``.

    ``cells`` and ``records`` are the tables of `onset.analysis.table.Results`; ``margin`` is the equivalence margin
    used.
    """

    study: Mapping[str, Any]
    cells: pl.DataFrame
    records: pl.DataFrame
    missing: tuple[str, ...]
    failed: Mapping[str, str]
    margin: float
    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]
    curves: tuple[SizeCurve, ...]
    label_curves: tuple[LabelCurve, ...]
    overtakings: tuple[Overtaking, ...]
    costs: tuple[Cost, ...]
    break_evens: tuple[BreakEven, ...]
    losses: tuple[Loss, ...]
    loss_differences: tuple[LossDifference, ...]
    findings: tuple[Finding, ...]


def analyse(results: Results, *, margin: float | None = None, replicates: int = REPLICATES) -> Analysis:
    """Estimate everything. ``margin``: equivalence margin as a share; by default the study's, else 5 points.

    Equal results give equal numbers: the bootstrap's seed follows from the shapes of the tables.
    """
    chosen = margin if margin is not None else float(results.study.get("margin", MARGIN))
    measured = arms(results)
    compared = compare_all(measured, margin=chosen, replicates=replicates)
    tuned = {arm.method for arm in measured if arm.tune is not None}
    evidence = Evidence(
        arms=measured,
        comparisons=compared,
        curves=size_curves(measured, replicates=replicates),
        label_curves=label_curves(measured, replicates=replicates),
        overtakings=overtakings(compared, tuned),
        break_evens=break_evens(measured),
        losses=losses(measured, replicates=replicates),
        loss_differences=loss_differences(measured, replicates=replicates),
        missing=results.missing,
        failed=results.failed,
    )
    return Analysis(
        study=results.study,
        cells=results.cells,
        records=results.records,
        missing=results.missing,
        failed=results.failed,
        margin=chosen,
        arms=measured,
        comparisons=compared,
        curves=tuple(evidence.curves),
        label_curves=tuple(evidence.label_curves),
        overtakings=tuple(evidence.overtakings),
        costs=costs(measured),
        break_evens=tuple(evidence.break_evens),
        losses=tuple(evidence.losses),
        loss_differences=tuple(evidence.loss_differences),
        findings=headlines(evidence),
    )


def to_json(analysis: Analysis) -> dict[str, Any]:
    """The value of ``onset show D --json``, as documented in docs/notes/formats.md; None for what is not known."""
    return {
        "study": analysis.study.get("name"),
        "cells": [row | {"interval": _pair(row["low"], row["high"])} for row in analysis.cells.to_dicts()],
        "comparisons": [comparison_json(one) for one in analysis.comparisons],
        "curves": [curve_json(one) for one in analysis.curves],
        "findings": [finding_json(one) for one in analysis.findings],
        "missing": list(analysis.missing),
        "failed": dict(analysis.failed),
    }


def _pair(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]


def comparison_json(one: Comparison) -> dict[str, Any]:
    """A comparison as plain JSON: every field but the bootstrap replicates."""
    hidden = {"crossed"}
    return {name: _plain(getattr(one, name)) for name in one.__dataclass_fields__ if name not in hidden}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def curve_json(one: SizeCurve) -> dict[str, Any]:
    """A size curve as plain JSON; ``midpoint`` and the ends of its interval in parameters (None: out of reach)."""
    fit = one.fit
    out = {name: _plain(getattr(one, name)) for name in one.__dataclass_fields__ if name != "fit"}
    if fit is None:
        return out | {"fit": None}
    low, high = fit.midpoint_interval
    return out | {
        "fit": {
            "floor": fit.curve.floor,
            "ceiling": fit.curve.ceiling,
            "slope": fit.curve.slope,
            "midpoint": size_within_reach(one, fit.curve.midpoint),
            "midpoint_interval": [None if low is None else 10**low, None if high is None else 10**high],
            "log_likelihood": fit.log_likelihood,
            "p_flat": fit.p_flat,
            "at_limit": fit.at_limit,
        }
    }


def finding_json(one: Finding) -> dict[str, Any]:
    """A finding as plain JSON."""
    return {name: _plain(value) for name, value in asdict(one).items()}


def write_findings(folder: Path, analysis: Analysis) -> Path:
    """Write ``folder/findings.json`` by atomic rename and return its path.

    Raises StoreError when it cannot be written.
    """
    path = folder / "findings.json"
    content = {
        "format": FORMAT,
        "findings": [finding_json(one) for one in analysis.findings],
        "comparisons": [comparison_json(one) for one in analysis.comparisons],
    }
    write_json(path, content)
    return path
