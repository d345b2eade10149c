"""Example plans and the ledger: the fairness of every comparison rests on this file.

One plan per (task, seed) orders the labelled pool; a budget of n labels grants its first n examples, so
budgets are nested (8 in 32 in 128). Every method at that budget may use these examples and no others,
for whatever purpose, and declares each use in the ledger; a use outside the plan is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from onset.errors import DataError, PlanMismatch
from onset.records import Item, content_hash
from onset.tasks.base import Task

Purpose = Literal["demonstration", "training", "dev", "index", "filter", "verifier", "question"]
"""What examples are used for. ``question``: asked without answer or rationale, which counts as no label."""


@dataclass(frozen=True)
class ExamplePlan:
    """The order in which a seed grants a task's labelled examples.

    ``order`` holds the items; ``hash`` (16 hex digits) covers task, seed and the ids in order, and is
    stored with every cell, so that two methods can be shown to have had the same examples.
    """

    task: str
    seed: int
    order: tuple[Item, ...]

    @cached_property
    def hash(self) -> str:
        """16 hex digits over task, seed and order."""
        return content_hash([self.task, self.seed, [item.id for item in self.order]])

    def take(self, labels: int) -> tuple[Item, ...]:
        """The first ``labels`` examples. Raises DataError when the pool holds fewer."""
        if labels > len(self.order):
            raise DataError(f"task {self.task}: {labels} labelled examples asked, its pool holds {len(self.order)}")
        return self.order[:labels]


def make_plan(task: Task, seed: int) -> ExamplePlan:
    """Order ``task.pool`` by a hash of (seed, item): a random permutation that does not depend on the
    order of the file. Where only some examples carry a rationale, those come first (in random order
    too), so that methods that need rationales and methods that do not share one plan at small budgets.

    Plans of a pool are kept, since every cell of a study asks for one of a few.
    """
    key = (id(task.pool), task.name, seed)
    if key not in _PLANS:
        if len(_PLANS) >= _KEPT:
            _PLANS.clear()
        _PLANS[key] = task.pool, _ordered(task, seed)
    return _PLANS[key][1]


_KEPT = 1024
_PLANS: dict[tuple[int, str, int], tuple[tuple[Item, ...], ExamplePlan]] = {}
"""Plans by the identity of their pool, which is held beside them so that no other one gets it."""


def _ordered(task: Task, seed: int) -> ExamplePlan:
    some = any(item.rationale for item in task.pool)

    def key(item: Item) -> tuple[bool, str]:
        drawn = hashlib.sha256(f"{seed}:{item.id}".encode()).hexdigest()
        return (some and not item.rationale, drawn)

    return ExamplePlan(task.name, seed, tuple(sorted(task.pool, key=key)))


@dataclass(frozen=True, slots=True)
class Use:
    """One use of labelled examples: what for, which (ids), and whether their rationales were used."""

    use: Purpose
    ids: tuple[str, ...]
    rationales: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as stored in ``cell.json``."""
        return {"use": self.use, "ids": list(self.ids), "rationales": self.rationales}


def use_of(purpose: Purpose, items: Sequence[Item], *, rationales: bool) -> Use:
    """The ledger line for ``items``."""
    return Use(purpose, tuple(item.id for item in items), rationales)


def check_ledger(ledger: Sequence[Use], plan: ExamplePlan, labels: int) -> None:
    """Refuse a ledger that uses an example outside the plan's first ``labels``: raises PlanMismatch."""
    granted = {item.id: item for item in plan.take(labels)}
    for line in ledger:
        strangers = [one for one in line.ids if one not in granted]
        if strangers:
            raise PlanMismatch(
                f"task {plan.task}, seed {plan.seed}, {labels} labels: {len(strangers)} of {len(line.ids)} examples"
                f" used for {line.use} are not in the example plan {plan.hash} (first: {strangers[0]})"
            )
        bare = [one for one in line.ids if line.rationales and not granted[one].rationale]
        if bare:
            raise PlanMismatch(
                f"task {plan.task}, seed {plan.seed}: {len(bare)} examples used for {line.use} with rationales"
                f" have none (first: {bare[0]})"
            )
