"""Which of several models is better on a task, asked in one way: every pair of them, paired item by item.

For results of other tools, where models are what differs. Tests and intervals are those of methods on one model
(`onset.analysis.contrast.paired`); p is adjusted by Holm (1979) over the pairs of one task and method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from onset.analysis.contrast.paired import Comparison, decide, measure, share_noise
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """``first`` and ``second``: where the two models were measured; ``compared``: the first against the second."""

    first: Setting
    second: Setting
    compared: Comparison

    @property
    def models(self) -> tuple[str, str]:
        """Their names."""
        return self.first.model or "", self.second.model or ""

    def json(self) -> dict[str, Any]:
        """A row of ``models`` in ``onset show --json``."""
        one = self.compared
        same = (
            "n", "accuracy_a", "accuracy_b", "difference", "interval", "p", "p_holm", "p_equivalent_holm", "test",
            "margin", "discordant", "unpaired", "mismatch", "family_size", "verdict", "needed", "needed_draws",
            "sentence",
        )  # fmt: skip
        held = {name: getattr(one, name) for name in same}
        return {
            "task": self.first.task,
            "shift": self.first.shift,
            "method": self.first.method,
            "sides": list(self.models),
            "sizes": [self.first.params, self.second.params],
            "draws": list(one.seeds),
        } | {name: list(value) if isinstance(value, tuple) else value for name, value in held.items()}


def model_comparisons(
    arms: Sequence[Outcomes], *, margin: float = MARGIN, replicates: int = REPLICATES
) -> tuple[ModelComparison, ...]:
    """Every pair of models on a task that were asked in the same way, decided together; the larger one first."""
    groups: dict[Setting, list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault(arm.at.without("model", "family", "params"), []).append(arm)
    pairs = [
        (place, a, b)
        for place, group in enumerate(groups.values())
        for b, a in combinations(sorted(group, key=lambda arm: arm.params), 2)
    ]
    measured = [measure(a, b, margin=margin, replicates=replicates, names=(a.model, b.model)) for _, a, b in pairs]
    links = [((a.model, a.method, a.task), (b.model, b.method, b.task)) for _, a, b in pairs]
    shared = share_noise(measured, ["models"] * len(pairs), links)
    made: list[ModelComparison] = []
    for place in range(len(groups)):
        held = [(one, a, b) for one, (where, a, b) in zip(shared, pairs, strict=True) if where == place]
        family = [replace(one, family=f"{a.task}, shift {a.shift}, {a.method}") for one, a, _ in held]
        made += [ModelComparison(a.at, b.at, one) for one, (_, a, b) in zip(decide(family), held, strict=True)]
    return tuple(made)
