"""Where something was measured: the coordinates that outcomes, contrasts and curves share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

Axis = Literal["task", "shift", "model", "family", "params", "stage", "method", "labels"]
CLEAN = "none"
"""The shift of a test set that is not shifted."""
BASE = "base"
"""What a stage without steps is called."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A task under a shift, asked of a model in one way.

    ``stage``: the steps of training in order, empty for the base model; ``params``: parameters of the model;
    ``labels``: the budget of labelled examples; ``pretraining_seed``: which of several runs of its size the model is,
    and left out with it. None (of ``stage`` and ``task``: empty): summed over, or the source has
    no such thing.
    """

    task: str
    shift: str = CLEAN
    model: str | None = None
    family: str | None = None
    params: float | None = None
    stage: tuple[str, ...] = ()
    method: str | None = None
    labels: int | None = None
    pretraining_seed: int | None = None

    @property
    def clean(self) -> bool:
        """Is the test set not shifted?"""
        return self.shift == CLEAN

    @property
    def stage_name(self) -> str:
        """The steps in one text; ``base`` without any."""
        return ", ".join(self.stage) or BASE

    def without(self, *axes: Axis) -> Setting:
        """The same setting with ``axes`` left out: the key of a group."""
        blank = Setting("")
        left = (*axes, "pretraining_seed") if "model" in axes else axes
        return replace(self, **{name: getattr(blank, name) for name in left})


def steps(stage: str) -> tuple[str, ...]:
    """The steps of a stage that is written in one text, ``base`` having none."""
    return () if stage in ("", BASE) else tuple(stage.split(", "))


def model_of_stage(label: str, stage: str) -> str:
    """What a model is called after a stage of training, where a study has the label in several stages."""
    return f"{label} ({stage})"


def label_of(model: str, stage: str) -> str:
    """The label of a model that is called by its stage too; of any other its name."""
    return model.removesuffix(f" ({stage})")


class Placed:
    """What is measured at a setting, which says its coordinates: empty text and 0 for what ``at`` does not have."""

    if TYPE_CHECKING:

        @property
        def at(self) -> Setting:
            """Where it was measured: a field, or a property of the class."""

    def coordinates(self, **asked: Any) -> dict[str, Any]:
        """As plain JSON; ``asked``: what is said of the method or methods."""
        model = {"model": self.model, "params": self.params, "stage": self.stage}
        return model | asked | {"labels": self.labels, "task": self.task, "shift": self.shift}

    @property
    def task(self) -> str:
        """The task's specification."""
        return self.at.task

    @property
    def shift(self) -> str:
        """The shift's name; ``none`` without one."""
        return self.at.shift

    @property
    def model(self) -> str:
        """The model's name."""
        return self.at.model or ""

    @property
    def family(self) -> str:
        """The model's family."""
        return self.at.family or ""

    @property
    def params(self) -> int:
        """Parameters of the model."""
        return int(self.at.params or 0)

    @property
    def stage(self) -> str:
        """The stage's steps in one text; ``base`` without any."""
        return self.at.stage_name

    @property
    def method(self) -> str:
        """The method's name."""
        return self.at.method or ""

    @property
    def labels(self) -> int:
        """The budget of labelled examples."""
        return self.at.labels or 0
