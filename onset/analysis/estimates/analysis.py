"""Everything that is estimated of one results folder, and what is found in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from onset import markup
from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.classification import CellF1, Classified
from onset.analysis.estimates.costs import BreakEven, Cost
from onset.analysis.estimates.decisions import Decision
from onset.analysis.estimates.gains import GainCurve
from onset.analysis.estimates.label_curves import LabelCurve, LabelPoint, Overtaking
from onset.analysis.estimates.models import NO_MODELS, Models
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.estimates.stage_sizes import StageShift
from onset.analysis.estimates.task_sizes import TaskOrder
from onset.analysis.finding import Finding
from onset.analysis.outcomes import Outcomes


@dataclass(frozen=True, eq=False)
class Analysis:
    """All estimates of one results folder; shares (0..1) everywhere, words in each ``sentence``.

    ``cells`` and ``records`` are the tables of `onset.results.read.Results`; ``margin`` is the equivalence margin
    used; ``classified``: the arms of tasks whose answers are labels, and ``cell_f1`` their cells by id;
    ``decisions``: what to use on each task of the user's own; ``models``: of other tools' results, compared;
    ``foreign``: another tool measured it, and ``notes`` say
    what had to be decided to read it; ``findings``: empty while the questions are asked.
    """

    study: Mapping[str, Any]
    cells: pl.DataFrame
    records: pl.DataFrame
    missing: tuple[str, ...]
    failed: Mapping[str, str]
    margin: float
    arms: tuple[Outcomes, ...]
    comparisons: tuple[Contrast, ...]
    curves: tuple[SizeCurve, ...]
    label_curves: tuple[LabelCurve, ...]
    overtakings: tuple[Overtaking, ...]
    costs: tuple[Cost, ...]
    break_evens: tuple[BreakEven, ...]
    losses: tuple[Contrast, ...]
    loss_differences: tuple[Contrast, ...]
    gains: tuple[GainCurve, ...]
    task_orders: tuple[TaskOrder, ...]
    stages: tuple[Contrast, ...]
    stage_shifts: tuple[StageShift, ...]
    classified: tuple[Classified, ...]
    cell_f1: Mapping[str, CellF1]
    decisions: tuple[Decision, ...]
    models: Models = NO_MODELS
    foreign: bool = False
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def _repr_html_(self) -> str:
        """What a notebook shows: the findings in words."""
        counts = [f"{len(self.cells)} cells", f"{len(self.comparisons)} comparisons"]
        counts += [f"{len(self.missing) + len(self.failed)} cells not finished"] if self.missing or self.failed else []
        said = [one.sentence for one in self.findings]
        return markup.heading(f"Findings of {self.study.get('name', '')}", *counts) + markup.listing(said)

    @property
    def has_ladder(self) -> bool:
        """Was a gain, or were related tasks, followed over the sizes of a family?"""
        return any(curve.shift == "none" for curve in self.gains) or bool(self.task_orders)

    def named(self, task: str) -> str | None:
        """``task`` where the study has several, else None: then a line need not say which."""
        return task if len({arm.task for arm in self.arms}) > 1 else None

    def clean(self) -> list[Outcomes]:
        """The arms without a shift."""
        return [arm for arm in self.arms if arm.shift == "none"]

    def given(self, labels: int | None, methods: Iterable[str], task: str | None = None) -> str:
        """``with 64 labelled examples``, and how many of them ``methods`` showed where these are fewer.

        ``task``: of this task alone (None: of all). Empty where the source does not say the labels (None).
        """
        if labels is None:
            return ""
        named = tuple(dict.fromkeys(methods))
        shown: dict[str, tuple[int, int]] = {}
        for arm in self.arms:
            if (
                arm.asked.shown is not None
                and arm.method in named
                and arm.labels == labels
                and task in (None, arm.task)
            ):
                low, high = shown.get(arm.method, arm.asked.shown)
                shown[arm.method] = (min(low, arm.asked.shown[0]), max(high, arm.asked.shown[1]))
        return words.with_labels(labels, {name: shown[name] for name in named if name in shown}, len(named))

    def point(self, arm: Outcomes) -> LabelPoint:
        """The mean accuracy of an arm with its interval."""
        key = (arm.model, arm.stage, arm.method, arm.task, arm.shift)
        curve = next(c for c in self.label_curves if (c.model, c.stage, c.method, c.task, c.shift) == key)
        return next(point for point in curve.points if point.labels == arm.labels)
