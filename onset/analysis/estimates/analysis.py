"""Everything that is estimated of one results folder or of anybody's results, and what is found in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from onset import markup
from onset.analysis import words
from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.banks import Bank
from onset.analysis.estimates.break_evens import BreakEven
from onset.analysis.estimates.calibration import Calibrated
from onset.analysis.estimates.chains import Chains
from onset.analysis.estimates.classification import CellF1, Classified
from onset.analysis.estimates.confidence import Confidences
from onset.analysis.estimates.conflicts import Conflict
from onset.analysis.estimates.costs import Key, Spent
from onset.analysis.estimates.decisions import Decision
from onset.analysis.estimates.forgetting import Forgetting
from onset.analysis.estimates.gains import GainCurve
from onset.analysis.estimates.label_breaks import LabelBreak
from onset.analysis.estimates.label_curves import LabelCurve, LabelPoint, Overtaking, means_of
from onset.analysis.estimates.log_linear import Growth
from onset.analysis.estimates.models import Models
from onset.analysis.estimates.new_facts import Placement
from onset.analysis.estimates.partial import PartialPair
from onset.analysis.estimates.pretraining_seeds import PretrainingSeeds
from onset.analysis.estimates.robustness import NO_SHIFTS, Robustness
from onset.analysis.estimates.scores import Scores
from onset.analysis.estimates.searches import Bounds, Searched
from onset.analysis.estimates.second_reader import SecondReading
from onset.analysis.estimates.size_curves import SizeCurve
from onset.analysis.estimates.stage_gains import StageGain
from onset.analysis.estimates.stage_reach import StageReach
from onset.analysis.estimates.stage_sizes import StageShift
from onset.analysis.estimates.stage_steps import StageSteps
from onset.analysis.estimates.task_sizes import TaskOrder
from onset.analysis.estimates.thinking import ThinkingLine
from onset.analysis.finding import Finding
from onset.analysis.outcomes import KEY, Measured, Outcomes
from onset.analysis.stats.bootstrap import REPLICATES


@dataclass(frozen=True, eq=False)
class Contrasts:
    """What is held against what: ``methods`` on one model, ``stages`` of training, clean items against shifted ones
    (``losses``) and methods by what they lose (``loss_differences``), and the ``models`` of other tools' results, with
    their ``scores`` that are not right or wrong.
    """

    methods: tuple[Contrast, ...]
    stages: tuple[Contrast, ...]
    losses: tuple[Contrast, ...]
    loss_differences: tuple[Contrast, ...]
    models: Models
    scores: Scores


@dataclass(frozen=True, eq=False)
class BySize:
    """What changes with the size of the model: ``curves`` of accuracy, ``gains`` of one method over another,
    ``task_orders``: which of related tasks needs the larger model, ``stage_shifts``: what a stage does to the size
    needed, ``pretraining_seeds``: which share of the seeds of a size has an ability.
    """

    curves: tuple[SizeCurve, ...]
    gains: tuple[GainCurve, ...]
    task_orders: tuple[TaskOrder, ...]
    stage_shifts: tuple[StageShift, ...]
    pretraining_seeds: tuple[PretrainingSeeds, ...] = ()


@dataclass(frozen=True, eq=False)
class ByLabels:
    """What changes with the number of labelled examples: accuracy, whether tuning overtakes prompting, and from how
    many on it is ahead (``breaks``).
    """

    curves: tuple[LabelCurve, ...]
    overtakings: tuple[Overtaking, ...]
    breaks: tuple[LabelBreak, ...] = ()


@dataclass(frozen=True, eq=False)
class Classes:
    """The ``arms`` of tasks whose answers are labels, and their ``cells`` by id."""

    arms: tuple[Classified, ...]
    cells: Mapping[str, CellF1]


@dataclass(frozen=True, eq=False)
class ByStage:
    """What a stage of training changes beside accuracy: the ``gains`` of chain of thought, how far samples ``reach``
    (pass@k), and how many ``steps`` are right.
    """

    gains: tuple[StageGain, ...] = ()
    reach: tuple[StageReach, ...] = ()
    steps: tuple[StageSteps, ...] = ()


@dataclass(frozen=True, eq=False)
class Analysis:
    """All estimates of what was ``measured``; shares (0..1) everywhere.

    ``margin``: of equivalence, and ``replicates``: of bootstraps, as they were used; ``spent``: what every arm cost,
    by the values of `onset.analysis.outcomes.KEY` (none of other tools' results); ``decisions``: what to use on each
    task of the user's own; ``banks``: what every number of samples would do, where samples vote; ``chains``: steps
    and answers of each arm; ``calibrations``: calibrated methods beside the same ones without; ``second_readings``:
    texts read by math-verify too, where that was asked for; ``thinking``: accuracy by the tokens that a model thinks;
    ``stages``: what stages of training change beside accuracy; ``forgetting``: what training changes elsewhere;
    ``robustness``: what shifts of the test items take, and from whom;
    ``searches``: arms whose settings were searched, and ``bounds``: those that are upper bounds, which are in nothing
    else;
    ``findings``: empty while the questions are asked.
    """

    measured: Measured
    margin: float
    contrasts: Contrasts
    sizes: BySize
    labels: ByLabels
    break_evens: tuple[BreakEven, ...]
    classes: Classes
    decisions: tuple[Decision, ...]
    spent: Mapping[Key, Spent] = field(default_factory=dict)
    replicates: int = REPLICATES
    partial: tuple[PartialPair, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    growths: tuple[Growth, ...] = ()
    placements: tuple[Placement, ...] = ()
    confidence: Confidences = field(default_factory=Confidences)
    banks: tuple[Bank, ...] = ()
    chains: tuple[Chains, ...] = ()
    calibrations: tuple[Calibrated, ...] = ()
    second_readings: tuple[SecondReading, ...] = ()
    thinking: tuple[ThinkingLine, ...] = ()
    stages: ByStage = ByStage()
    forgetting: tuple[Forgetting, ...] = ()
    robustness: Robustness = NO_SHIFTS
    searches: tuple[Searched, ...] = ()
    bounds: Bounds | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def study(self) -> Mapping[str, Any]:
        """The canonical study; of another tool's results a ``name`` alone."""
        return self.measured.study

    @property
    def arms(self) -> tuple[Outcomes, ...]:
        """The outcomes of every way of asking."""
        return self.measured.outcomes

    def _repr_html_(self) -> str:
        """What a notebook shows: the findings in words."""
        open_cells = len(self.measured.missing) + len(self.measured.failed)
        counts = [f"{len(self.measured.cells)} cells", f"{len(self.contrasts.methods)} comparisons"]
        counts += [f"{open_cells} cells not finished"] if open_cells else []
        said = [one.sentence for one in self.findings]
        return markup.heading(f"Findings of {self.study.get('name', '')}", *counts) + markup.listing(said)

    @property
    def has_ladder(self) -> bool:
        """Was a gain, or were related tasks, followed over the sizes of a family?"""
        return any(curve.shift == "none" for curve in self.sizes.gains) or bool(self.sizes.task_orders)

    def named(self, task: str) -> str | None:
        """``task`` where the study has several, else None: then a line need not say which."""
        return task if len({one.task for one in self.measured.read or self.arms}) > 1 else None

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
        return words.with_labels(self.used(labels, named, task), self.shown(labels, named, task), len(named))

    def used(self, labels: int, methods: Iterable[str], task: str | None = None) -> int:
        """``labels``, or 0 where none of ``methods`` uses an example at that budget (`Outcomes.shows_none`)."""
        named = set(methods)
        arms = [arm for arm in self.arms if arm.method in named and arm.labels == labels and task in (None, arm.task)]
        return 0 if arms and all(arm.shows_none for arm in arms) else labels

    def shown(self, labels: int, methods: Iterable[str], task: str | None = None) -> dict[str, tuple[int, int]]:
        """The fewest and most demonstrations of those of ``methods`` that prompt, as in `given`."""
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
        return {name: shown[name] for name in named if name in shown}

    @cached_property
    def means(self) -> Mapping[tuple[Any, ...], LabelPoint]:
        """The mean accuracy of every arm with its interval, by the values of `onset.analysis.outcomes.KEY`."""
        return means_of(self.labels.curves)

    def point(self, arm: Outcomes) -> LabelPoint:
        """The mean accuracy of an arm with its interval."""
        return self.means[tuple(getattr(arm, name) for name in KEY)]
