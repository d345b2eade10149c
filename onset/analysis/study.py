"""From a results folder's tables to everything the report and the terminal show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from onset import markup
from onset.analysis.arms import Arm, arms
from onset.analysis.contrast.factors import StageComparison, stage_comparisons
from onset.analysis.contrast.paired import MARGIN, Comparison, compare_all
from onset.analysis.contrast.robustness import Loss, LossDifference, loss_differences, losses
from onset.analysis.finding import Evidence, Finding
from onset.analysis.questions.classification import CellF1, Classified, classified
from onset.analysis.questions.cost import BreakEven, Cost, break_evens, costs
from onset.analysis.questions.crossover import GainCurve, gain_curves
from onset.analysis.questions.headlines import headlines
from onset.analysis.questions.labels import LabelCurve, Overtaking, label_curves, overtakings
from onset.analysis.questions.size_curves import SizeCurve, size_curves
from onset.analysis.questions.stage_sizes import StageShift, stage_shifts
from onset.analysis.questions.task_sizes import TaskOrder, task_orders
from onset.analysis.stats.intervals import REPLICATES
from onset.results.files import write_json
from onset.results.format import FORMAT
from onset.results.read import Results


@dataclass(frozen=True, eq=False)
class Analysis:
    """All estimates of one results folder; shares (0..1) everywhere, words in each ``sentence``.

    ``cells`` and ``records`` are the tables of `onset.results.read.Results`; ``margin`` is the equivalence margin
    used; ``classified``: the arms of tasks whose answers are labels, and ``cell_f1`` their cells by id.
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
    gains: tuple[GainCurve, ...]
    task_orders: tuple[TaskOrder, ...]
    stages: tuple[StageComparison, ...]
    stage_shifts: tuple[StageShift, ...]
    classified: tuple[Classified, ...]
    cell_f1: Mapping[str, CellF1]
    findings: tuple[Finding, ...]

    def _repr_html_(self) -> str:
        """What a notebook shows: the findings in words."""
        counts = [f"{len(self.cells)} cells", f"{len(self.comparisons)} comparisons"]
        counts += [f"{len(self.missing) + len(self.failed)} cells not finished"] if self.missing or self.failed else []
        said = [one.sentence for one in self.findings]
        return markup.heading(f"Findings of {self.study.get('name', '')}", *counts) + markup.listing(said)


def analyse(results: Results, *, margin: float | None = None, replicates: int = REPLICATES) -> Analysis:
    """Estimate everything. ``margin``: equivalence margin as a share; by default the study's, else 5 points.

    Equal results give equal numbers: the bootstrap's seed follows from the shapes of the tables.
    """
    chosen = margin if margin is not None else float(results.study.get("margin", MARGIN))
    measured = arms(results)
    compared = compare_all(measured, margin=chosen, replicates=replicates)
    tuned = {arm.method for arm in measured if arm.tune is not None}
    curves = size_curves(measured, results)
    labelled, cell_f1 = classified(results, replicates=replicates)
    evidence = Evidence(
        arms=measured,
        comparisons=compared,
        curves=curves,
        label_curves=label_curves(measured, replicates=replicates),
        overtakings=overtakings(compared, tuned),
        break_evens=break_evens(measured),
        losses=losses(measured, replicates=replicates),
        loss_differences=loss_differences(measured, replicates=replicates),
        gains=gain_curves(measured, compared, replicates=replicates),
        task_orders=task_orders(curves),
        stages=stage_comparisons(measured, margin=chosen, replicates=replicates),
        stage_shifts=stage_shifts(curves),
        missing=results.missing,
        failed=results.failed,
        classified=labelled,
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
        gains=tuple(evidence.gains),
        task_orders=tuple(evidence.task_orders),
        stages=tuple(evidence.stages),
        stage_shifts=tuple(evidence.stage_shifts),
        classified=labelled,
        cell_f1=cell_f1,
        findings=headlines(evidence),
    )


def to_json(analysis: Analysis) -> dict[str, Any]:
    """The value of ``onset show D --json``, as documented in docs/notes/formats.md; None for what is not known."""
    return {
        "study": analysis.study.get("name"),
        "cells": [_cell_json(row, analysis.cell_f1.get(row["cell"])) for row in analysis.cells.to_dicts()],
        "comparisons": [comparison_json(one) for one in analysis.comparisons],
        "stages": [stage_json(one) for one in analysis.stages],
        "stage_shifts": [_nested(asdict(one)) for one in analysis.stage_shifts],
        "curves": [one.json() for one in analysis.curves],
        "gains": [gain_json(one) for one in analysis.gains],
        "task_orders": [_nested(asdict(one)) for one in analysis.task_orders],
        "classification": [one.json() for one in analysis.classified],
        "findings": [finding_json(one) for one in analysis.findings],
        "missing": list(analysis.missing),
        "failed": dict(analysis.failed),
    }


def _cell_json(row: dict[str, Any], f1: CellF1 | None) -> dict[str, Any]:
    of_labels = {
        "macro_f1": f1 and f1.macro_f1,
        "macro_f1_interval": f1 and list(f1.interval),
        "majority": f1 and f1.majority,
        "majority_label": f1 and f1.majority_label,
    }
    return row | {"interval": _pair(row["low"], row["high"])} | of_labels


def _pair(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]


def comparison_json(one: Comparison) -> dict[str, Any]:
    """A comparison as plain JSON: every field but the distributions behind interval and p."""
    hidden = {"crossed", "moderated", "pool"}
    held = {name: _plain(getattr(one, name)) for name in one.__dataclass_fields__ if name not in hidden}
    return held | {"pool": None if one.pool is None else asdict(one.pool)}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def stage_json(one: StageComparison) -> dict[str, Any]:
    """A comparison of two stages as plain JSON."""
    return {name: _plain(value) for name, value in asdict(one).items()}


def gain_json(one: GainCurve) -> dict[str, Any]:
    """A gain over the sizes as plain JSON, its points, crossover and rises inside."""
    return dict(_nested(asdict(one)))


def _nested(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nested(one) for name, one in value.items()}
    return [_nested(one) for one in value] if isinstance(value, list | tuple) else value


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
        "stages": [stage_json(one) for one in analysis.stages],
    }
    write_json(path, content)
    return path
