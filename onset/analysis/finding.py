"""What the findings are chosen from, and what a finding is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onset import markup
from onset.analysis import words
from onset.analysis.arms import Arm
from onset.analysis.contrast.factors import StageComparison
from onset.analysis.contrast.paired import Comparison
from onset.analysis.contrast.robustness import Loss, LossDifference
from onset.analysis.questions.classification import Classified
from onset.analysis.questions.cost import BreakEven
from onset.analysis.questions.crossover import GainCurve
from onset.analysis.questions.labels import LabelCurve, LabelPoint, Overtaking
from onset.analysis.questions.size_curves import SizeCurve
from onset.analysis.questions.stage_sizes import StageShift
from onset.analysis.questions.task_sizes import TaskOrder

LOW_PARSE_RATE = 0.8
"""Below this share of readable outputs a low accuracy may be a matter of format, and findings say so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the study says.

    ``subject``: what it is about; ``verdict`` in a word or two; ``estimate`` and ``interval`` (shares; for "size",
    "emergence" and "crossover" parameters, for "size by task" and "ingredient by size" a ratio of parameters, for
    "cost" queries; an end of the interval is None where it is out of reach) with ``n`` items and the ``test`` used,
    None where the finding is a count (then ``n`` is the count); ``sentence``: all of it in words.
    """

    kind: str
    subject: str
    verdict: str
    estimate: float | None
    interval: tuple[float | None, float | None] | None
    n: int | None
    test: str | None
    sentence: str

    def _repr_html_(self) -> str:
        """What a notebook shows: what it is about, its verdict, and all of it in words."""
        return markup.heading(self.subject, self.verdict) + markup.facts([("says", self.sentence), ("test", self.test)])


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything the findings are chosen from."""

    arms: Sequence[Arm]
    comparisons: Sequence[Comparison]
    curves: Sequence[SizeCurve]
    label_curves: Sequence[LabelCurve]
    overtakings: Sequence[Overtaking]
    break_evens: Sequence[BreakEven]
    losses: Sequence[Loss]
    loss_differences: Sequence[LossDifference]
    gains: Sequence[GainCurve]
    task_orders: Sequence[TaskOrder]
    stages: Sequence[StageComparison]
    stage_shifts: Sequence[StageShift]
    missing: Sequence[str]
    failed: Mapping[str, str]
    classified: Sequence[Classified] = ()

    def clean(self) -> list[Arm]:
        """The arms without a shift."""
        return [arm for arm in self.arms if arm.shift == "none"]

    def given(self, labels: int, methods: Iterable[str], task: str | None = None) -> str:
        """``with 64 labelled examples``, and how many of them ``methods`` showed where these are fewer.

        ``task``: of this task alone (None: of all).
        """
        named = tuple(dict.fromkeys(methods))
        shown: dict[str, tuple[int, int]] = {}
        for arm in self.arms:
            if arm.shown is not None and arm.method in named and arm.labels == labels and task in (None, arm.task):
                low, high = shown.get(arm.method, arm.shown)
                shown[arm.method] = (min(low, arm.shown[0]), max(high, arm.shown[1]))
        return words.with_labels(labels, {name: shown[name] for name in named if name in shown}, len(named))

    def point(self, arm: Arm) -> LabelPoint:
        """The mean accuracy of an arm with its interval."""
        key = (arm.model, arm.stage, arm.method, arm.task, arm.shift)
        curve = next(c for c in self.label_curves if (c.model, c.stage, c.method, c.task, c.shift) == key)
        return next(point for point in curve.points if point.labels == arm.labels)
