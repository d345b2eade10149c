"""The contract of a selection rule: how many settings of a method are tried, and on which examples they are scored.

A trial is one setting of a method: used with some labelled examples, asked about others (`Search.parts`). The setting
of highest accuracy is taken; what decides between equal ones is `taken`. Every method of a study has the same number of
trials, prompting ones too. Test items play no part: whoever runs a trial sees a task without them.

What to expect (Perez et al. 2021, arXiv 2105.11447, "true few-shot learning"): with few labels, cross-validation and
the score of next examples choose hardly better than chance, and far below a large dev set. A selection within the
budget is what a practitioner can have; `onset.search.oracle_dev` says what is left above it.
"""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from onset.plan import ExamplePlan
from onset.records import Item, canonical_json
from onset.step import Step


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a trial: the method has the examples ``used``, in the order of the plan, and is asked about ``held``."""

    used: tuple[Item, ...]
    held: tuple[Item, ...]


class Search(Step):
    """Settings that every rule has.

    ``trials``: settings tried, the method's own among them (at least 2). ``ties``: what decides between settings of
    equal accuracy: the mean ``log-probability`` of the gold answers, where every one of them has it (with eight labels
    accuracy has nine values, and most searches end in a tie), or the ``default``; then the method's own setting, then
    the cheapest, then the first. ``grid``: the settings that a method of the study tries in place of those that its
    steps say (`onset.search.grid`).
    """

    bound: ClassVar[bool] = False
    """Are labels beyond the budget used? Then the result is an upper bound, and no method of the comparison."""

    trials: int = Field(default=6, ge=2)
    ties: Literal["log-probability", "default"] = "log-probability"
    grid: str | None = None

    @field_validator("grid", mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        if isinstance(value, str):
            try:
                given = json.loads(value)
            except ValueError:
                given = value
            if not isinstance(given, dict | list):
                raise ValueError("expected a mapping of settings to lists of values, or a list of mappings")
        return value if value is None or isinstance(value, str) else canonical_json(value)

    @property
    def own(self) -> Any:
        """``grid`` as it was written; None where the steps' own settings are tried."""
        return None if self.grid is None else json.loads(self.grid)

    def set(self) -> dict[str, Any]:
        """What differs from the defaults, the grid as it was written."""
        return super().set() | ({} if self.grid is None else {"grid": self.own})

    @abstractmethod
    def check(self, labels: int, pool: int) -> str | None:
        """Why a budget of ``labels`` (at least 1) of a pool of ``pool`` labelled examples cannot be searched with, as
        the end of a line; None: it can.
        """

    @abstractmethod
    def parts(self, plan: ExamplePlan, labels: int) -> tuple[Part, ...]:
        """The parts of a trial at a budget of ``labels``; equal arguments give equal parts."""

    @abstractmethod
    def sizes(self, labels: int) -> tuple[tuple[int, int], ...]:
        """How many examples each part uses and holds out, for `onset plan`."""

    def outside(self, plan: ExamplePlan, labels: int) -> tuple[Item, ...]:
        """Labelled examples of `parts` that the budget does not grant."""
        granted = {item.id for item in plan.take(labels)}
        used = {item.id: item for part in self.parts(plan, labels) for item in (*part.used, *part.held)}
        return tuple(item for name, item in used.items() if name not in granted)


Decided = Literal["accuracy", "log-probability", "default", "cost", "order"]
"""What told the setting that was taken from the next one."""


def taken(trials: Sequence[Mapping[str, Any]], ties: str) -> tuple[int, Decided]:
    """The place of the trial that is taken, and what decided.

    Each of ``trials`` (the method's own setting first) has ``accuracy`` (None: it failed; it is never taken),
    ``gold_logprob`` (None: not known) and ``flops`` (None: not known). Raises ValueError where all failed.
    """
    left = [place for place, one in enumerate(trials) if one["accuracy"] is not None]
    if not left:
        raise ValueError("every trial failed")
    if len(left) == 1:
        return left[0], "accuracy"
    best = max(trials[place]["accuracy"] for place in left)
    left = [place for place in left if trials[place]["accuracy"] == best]
    if len(left) == 1:
        return left[0], "accuracy"
    known = [trials[place]["gold_logprob"] for place in left]
    if ties == "log-probability" and all(one is not None for one in known):
        left = [place for place, one in zip(left, known, strict=True) if one == max(known)]
        if len(left) == 1:
            return left[0], "log-probability"
    if 0 in left:
        return 0, "default"
    costs = [math.inf if trials[place]["flops"] is None else trials[place]["flops"] for place in left]
    cheapest = [place for place, one in zip(left, costs, strict=True) if one == min(costs)]
    return cheapest[0], "cost" if len(cheapest) == 1 else "order"
