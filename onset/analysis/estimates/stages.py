"""Which stages of training are held against which, and what each of them was trained on.

A stage is held against the stage it was made from (the stage less its last step; the base model where nobody has that),
and against each of its placebos: a stage of the same steps whose last one is trained on the same corpus with a
``control`` (shuffled completions, say), so that what differs is what the corpus says and not that something was read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from onset.analysis.contrast.asked import made_of, same_size
from onset.analysis.outcomes import Measured
from onset.analysis.setting import BASE, Placed, label_of, steps

Against = Literal["placebo", "stage before", "base"]
EQUAL_TOKENS = 0.01
"""Numbers of training tokens count as equal when they differ by at most this share of the larger."""
_AMOUNT = ("control", "seed", "steps", "batch_size")
"""Settings by which a placebo may differ from its stage: what it is, its order, and how much is read."""
_Of = TypeVar("_Of", bound=Placed)


@dataclass(frozen=True, slots=True)
class Training:
    """What made a staged model: ``made``, the stages of ``cell.json`` in order (name, id, step, training)."""

    made: tuple[Mapping[str, Any], ...]

    def tokens(self, after: int = 0) -> int:
        """Tokens trained on in the stages behind the first ``after``."""
        return sum(int(one["training"]["tokens"]) for one in self.made[after:])

    @property
    def is_placebo(self) -> bool:
        """Is the last stage a control?"""
        return _controlled(self.made[-1]["step"])

    def is_placebo_of(self, other: Training) -> bool:
        """Does it differ in its last stage alone, which is a control of the other's?"""
        if [one["made"] for one in self.made[:-1]] != [one["made"] for one in other.made[:-1]]:
            return False
        mine, theirs = self.made[-1]["step"], other.made[-1]["step"]
        kept = {name: value for name, value in theirs.items() if name not in _AMOUNT}
        return self.is_placebo and not other.is_placebo and kept.items() <= mine.items()


def _controlled(step: Mapping[str, Any]) -> bool:
    return bool(step.get("control", "none") != "none")


Trainings = Mapping[tuple[str, str], Training]
"""(model, stage) as tables name them -> what made it."""


def trainings_of(measured: Measured) -> dict[tuple[str, str], Training]:
    """Of every staged model that a study made; not of one that came with its stage."""
    if not {"model", "stage", "made"} <= set(measured.cells.columns):
        return {}
    rows = measured.cells.select("model", "stage", "made").unique(maintain_order=True).to_dicts()
    return {
        (row["model"], row["stage"]): Training(tuple(json.loads(row["made"])["stages"]))
        for row in rows
        if row["made"] is not None
    }


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of training that a stage and what it is held against do not share (None: not known)."""

    stage: int | None
    reference: int | None

    @property
    def equal(self) -> bool | None:
        """Do they differ by at most `EQUAL_TOKENS`? None: not known."""
        if self.stage is None or self.reference is None:
            return None
        return abs(self.stage - self.reference) <= EQUAL_TOKENS * max(self.stage, self.reference)

    def json(self) -> list[int | None]:
        """Of the stage, of its reference."""
        return [self.stage, self.reference]


def tokens_of(stage: Placed, reference: Placed, trainings: Trainings) -> Tokens:
    """What each read that the other did not: all but the stages that both have in common."""
    after, before = (trainings.get((one.model, one.stage)) for one in (stage, reference))
    if after is None or (before is None and reference.stage != BASE):
        return Tokens(None, None)
    if before is None:
        return Tokens(after.tokens(), 0)
    shared = 0
    for ours, theirs in zip(after.made, before.made, strict=False):
        if ours["made"] != theirs["made"]:
            break
        shared += 1
    return Tokens(after.tokens(shared), before.tokens(shared))


def sides(group: Sequence[_Of], trainings: Trainings) -> Iterator[tuple[_Of, _Of, Against]]:
    """(stage, reference, what that is) of a ``group`` that is asked in one way, in order; sizes as in
    `onset.analysis.contrast.asked.SAME_SIZE`. A placebo is held against the base alone. Where models of one size went
    through the same stages, each is held against what was made of the same one.
    """
    for one in group:
        if one.stage == BASE:
            continue
        names: Iterable[tuple[str, Against]] = ((one.stage.rpartition(", ")[0], "stage before"), (BASE, "base"))
        for name, said in names:
            found = made_of(one, [other for other in group if other.stage == name])
            if found is not None:
                yield one, found, said
                break
        mine = trainings.get((one.model, one.stage))
        for other in group:
            theirs = trainings.get((other.model, other.stage))
            if mine and theirs and same_size(one, other) and _one_label(one, other) and theirs.is_placebo_of(mine):
                yield one, other, "placebo"


def _one_label(one: Placed, other: Placed) -> bool:
    """Were both made of one model, as far as they are called by its label?"""
    labels = [label_of(each.model, each.stage) for each in (one, other)]
    return labels[0] == labels[1] or labels == [one.model, other.model]


def last_step(stage: str) -> str:
    """The name of the last step of a stage; ``base`` without any."""
    return steps(stage)[-1] if steps(stage) else BASE
