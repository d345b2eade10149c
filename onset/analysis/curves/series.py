"""Points of curves over size: what every reader of results hands to the analysis of emergence.

A curve is what shares (curve, family, metric): one ability, asked in one way, of models of one family, at several
sizes. Two metrics of the same outputs are two curves with the same ``curve`` and ``family``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from onset.analysis.stats.counting import Counted
from onset.errors import DataError

Scale = Literal["params", "flops", "loss"]
"""What ``x`` of a point is: parameters, floating-point operations of pretraining, or pretraining loss (nats)."""


MIN_SIZES = 4
"""Sizes below which no curve is fitted or judged: two ends, a slope and a midpoint; two at chance and two to rise over.
"""


@dataclass(frozen=True, slots=True)
class SizePoint:
    """How one model did.

    ``curve``: what was measured (a task, or task and method); ``family``: models that differ in their size alone, as
    far as is known; ``x`` > 0: the size on the scale of the table; ``metric``: the name of the score.
    Either counts (``n`` independent trials, ``correct`` of them) or a ``score`` with its standard error ``stderr``
    (None: unknown). ``counted``: the outcomes behind the counts where these are worth fewer trials, because several
    draws had the same items (`onset.analysis.stats.counting`); None: every outcome is a trial.
    ``chance``: the score of guessing (None: not stated by the source). ``continuous``: a continuous score of the
    outputs (log-probability of the gold answer, Brier, edit distance), not a share of correct answers. ``tokens``: of
    pretraining; ``loss``: of pretraining or on held-out text, in nats (None: not stated). ``pretraining_seed``:
    which of several runs of its size the model is (None: not stated). ``source``: where it was read, for messages.
    """

    curve: str
    family: str
    model: str
    x: float
    metric: str
    n: int | None = None
    correct: int | None = None
    score: float | None = None
    stderr: float | None = None
    chance: float | None = None
    continuous: bool = False
    source: str = ""
    counted: Counted | None = None
    tokens: float | None = None
    loss: float | None = None
    pretraining_seed: int | None = None

    def __post_init__(self) -> None:
        where = f"{self.source}: " if self.source else ""
        if not 0 < self.x < math.inf:
            raise DataError(f"{where}size of {self.model} is {self.x}: expected a finite number above 0")
        if (self.n is None) != (self.correct is None):
            raise DataError(f"{where}{self.curve}, {self.model}: counts need both n and correct")
        if self.n is not None and self.correct is not None and not 0 <= self.correct <= self.n:
            raise DataError(f"{where}{self.curve}, {self.model}: {self.correct} correct of {self.n} is impossible")
        if self.n is None and self.score is None:
            raise DataError(f"{where}{self.curve}, {self.model}: neither counts nor a score")
        if self.score is not None and not math.isfinite(self.score):
            raise DataError(f"{where}{self.curve}, {self.model}: score {self.score} is not a finite number")
        if self.stderr is not None and not 0 <= self.stderr < math.inf:
            raise DataError(
                f"{where}{self.curve}, {self.model}: standard error {self.stderr} is no finite number from 0 on"
            )
        for name, value in (("tokens", self.tokens), ("loss", self.loss)):
            if value is not None and not 0 < value < math.inf:
                raise DataError(f"{where}{name} of {self.model} is {value}: expected a finite number above 0")
        if self.chance is not None and not self.continuous and not 0 <= self.chance < 1:
            raise DataError(f"{where}{self.curve}, {self.model}: chance {self.chance} must lie in [0, 1)")

    def json(self) -> dict[str, Any]:
        """What was measured: outcomes and their design effect, or a score with its standard error."""
        start = {"model": self.model, "size": self.x}
        if self.n is None or self.correct is None:
            return start | {"score": self.score, "error": self.stderr}
        found = self.counted or Counted(self.correct, self.n)
        return start | {"n": found.n, "correct": found.correct, "design_effect": found.design_effect}


def _order(point: SizePoint) -> tuple[float, str, int, int, float]:
    """By size; ties by content, so that the order of the source does not matter."""
    return point.x, point.model, point.n or 0, point.correct or 0, point.score or 0.0


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of one (curve, family, metric), by ascending size."""

    curve: str
    family: str
    metric: str
    scale: Scale
    points: tuple[SizePoint, ...]

    @property
    def sizes(self) -> int:
        """How many different sizes."""
        return len({point.x for point in self.points})


def curves_of(points: Iterable[SizePoint], scale: Scale = "params") -> tuple[Curve, ...]:
    """Group ``points`` into curves, in order of first appearance.

    Raises DataError when the points of one curve disagree on chance or on whether the score is continuous.
    """
    groups: dict[tuple[str, str, str], list[SizePoint]] = {}
    for point in points:
        groups.setdefault((point.curve, point.family, point.metric), []).append(point)
    made = []
    for (curve, family, metric), members in groups.items():
        for name in ("chance", "continuous"):
            values = {getattr(point, name) for point in members}
            if len(values) > 1:
                said = ", ".join(sorted(str(value) for value in values))
                raise DataError(f"{members[0].source}: {curve}, {family}: points disagree on {name}: {said}")
        made.append(Curve(curve, family, metric, scale, tuple(sorted(members, key=_order))))
    return tuple(made)
