"""The contract of a stage of training: frozen settings, and ``train(model, seeds) -> a trained copy``.

    recipes:
      instruct: {data: instructions.jsonl, steps: 400}
      placebo: {data: instructions.jsonl, steps: 400, control: shuffled}
    stages: [[], [instruct], [placebo], [instruct, code]]

A stage changes all weights of a copy of the model, and what comes out is a model like any other. Equal arguments give
bit-equal weights on one machine with one number of threads.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import Field

from onset.errors import DataError
from onset.records import canonical_json
from onset.step import Step
from onset.tuning.base import Progress, Schedule, Seeds, TuningReport
from onset.tuning.stages.held import held_in

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.records import Item
    from onset.tuning.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class StageReport(TuningReport):
    """What a stage consumed: a `TuningReport`, whose ``flops`` are those of all its passes, and what else a person
    should know of it (``detail``, plain JSON; docs/notes/formats.md says what each kind has).
    """

    detail: Mapping[str, Any] = field(default_factory=dict)


def report_of(report: TuningReport, flops: float, detail: Mapping[str, Any]) -> StageReport:
    """``report`` with the ``flops`` of all passes and a ``detail``."""
    held = {one.name: getattr(report, one.name) for one in fields(report)}
    return StageReport(**{**held, "flops": flops, "detail": detail})


def tenths(values: Sequence[float]) -> list[float]:
    """Means of the first and of the last tenth of ``values``, one at least."""
    tenth = max(1, len(values) // 10)
    return [sum(values[:tenth]) / tenth, sum(values[-tenth:]) / tenth]


class Trained(NamedTuple):
    """What a stage made: the ``model``, its ``report``, and tables of rows to be kept beside it, by name (``steps``:
    one an optimiser step, ``samples``: texts that a person can read).
    """

    model: HFModel
    report: StageReport
    kept: Mapping[str, Sequence[Mapping[str, Any]]] = {}


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens that a stage is expected to run: ``trained`` forward and backward, ``read`` forward alone, ``written`` one
    by one. With N parameters: 6 N, 2 N and 2 N FLOPs a token (Kaplan et al. 2020, arXiv 2001.08361, section 2.1).
    """

    trained: float
    read: float = 0.0
    written: float = 0.0

    def flops(self, params: int) -> float:
        """All of it, with ``params`` parameters."""
        return params * (6.0 * self.trained + 2.0 * (self.read + self.written))


class Text(NamedTuple):
    """A text that a stage trains on: what it may be asked (``prompt``) and what follows (``rest``)."""

    prompt: str
    rest: str


class Stage(Step):
    """What all stages have: ``steps`` optimiser steps of ``batch_size`` examples at the peak ``learning_rate`` (None:
    that of its kind), with the schedule of tuning: warm-up over a tenth of the steps, linear decay. ``seed``: of the
    order of the examples and of everything that it draws.
    """

    rate: ClassVar[float]
    """The peak learning rate where a recipe names none."""

    steps: int = Field(ge=1)
    batch_size: int = Field(default=8, ge=1)
    learning_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0, lt=2**63)

    def __hash__(self) -> int:
        """Of what is set: a setting may be a mapping, which has no hash of its own."""
        return hash(canonical_json(self.spec()))

    @classmethod
    def settings(cls) -> list[str]:
        """What may be set, with the default of each; of the learning rate that of the kind."""
        return [
            f"learning_rate=X ({cls.rate:g})" if one.startswith("learning_rate=") else one for one in super().settings()
        ]

    @abstractmethod
    def train(
        self, model: HFModel, seeds: Seeds, progress: Progress | None = None, checkpoint: Checkpoint | None = None
    ) -> Trained:
        """The trained model, a copy; ``checkpoint``: what a run that was killed goes on from, to the same bits.

        Raises DataError where its files are not as they must be, ModelError where an example does not fit the model's
        context or the model lacks what training needs, Diverged where a loss or a gradient is not finite.
        """

    @abstractmethod
    def texts(self) -> Iterable[Text]:
        """Everything that it trains on or asks. Raises DataError for files that are not as they must be."""

    @abstractmethod
    def work(self) -> Work:
        """What it will run, guessed from characters. Raises DataError as `texts` does."""

    @property
    @abstractmethod
    def where(self) -> str:
        """Where what it trains on comes from, in words: ``corpus instructions.jsonl``."""

    def schedule(self) -> Schedule:
        """Of its training."""
        return Schedule(steps=self.steps, batch_size=self.batch_size, learning_rate=self.learning_rate)

    def holds(self, questions: Sequence[str]) -> list[str]:
        """Those of ``questions`` that it trains on (`onset.tuning.stages.held`)."""
        return held_in(self.texts(), questions)

    def refuse(self, questions: Sequence[str], task: str) -> None:
        """Raises DataError where it would train on some of a task's test ``questions``, with the count."""
        if held := self.holds(questions):
            raise DataError(
                f"stage {self.where} holds {len(held)} of the {len(questions)} test items of task {task}; leave"
                f" them out (first: {held[0][:80]!r})"
            )


@dataclass(frozen=True)
class Recipe:
    """A stage of a study: the ``name`` it has there, and its ``step``."""

    name: str
    step: Stage

    def known(self, task: str, pool: Sequence[Item]) -> str | None:
        """A line where it trains on labelled examples of a ``task``, which the methods of a study are granted few of;
        None where it does not.
        """
        held = self.step.holds([item.question for item in pool])
        if not held:
            return None
        return (
            f"stage {self.name} has {len(held)} of the {len(pool)} labelled examples of task {task} in its training,"
            " whatever a budget grants after it"
        )

    def seeds(self) -> Seeds:
        """All three of its seed: it draws no new weights."""
        return Seeds(self.step.seed, self.step.seed, self.step.seed)
