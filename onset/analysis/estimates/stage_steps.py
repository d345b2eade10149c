"""Does a stage of training make the steps right, or only the answers? Process accuracy before and after.

The share of the steps that could be checked which are right (`onset.analysis.estimates.chains`), after a stage minus
before it, paired on the draws and items that both have: each share is linearised, one value an item and draw whose mean
it is, so that an item without a step that can be checked moves neither. p by Holm over all of a task, shift and family.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from onset.analysis.contrast.asked import decided
from onset.analysis.contrast.contrast import Contrast, estimated, measure
from onset.analysis.estimates.chains import Chains
from onset.analysis.estimates.shares import Share
from onset.analysis.estimates.stages import Against, Trainings, sides
from onset.analysis.outcomes import Outputs
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES, Array


@dataclass(frozen=True, eq=False)
class StageSteps(Placed):
    """``change`` of the share of right steps; ``shares``: that share after and before (of all that each model wrote,
    also on items that the other lacks).
    """

    change: Contrast
    shares: tuple[Share, Share]
    against: Against

    @property
    def at(self) -> Setting:
        """The reference's setting."""
        return self.change.minus

    @property
    def sides(self) -> tuple[str, str]:
        """The stage and its reference."""
        return self.change.plus.stage_name, self.change.minus.stage_name

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares."""
        held = self.change.json()
        names = ("seeds", "n", "difference", "interval", "p", "p_holm", "p_equivalent_holm", "test", "margin")
        return {
            "task": self.task,
            "shift": self.shift,
            "labels": self.labels,
            "family": self.family,
            "params": self.params,
            "method": self.method,
            "models": [self.change.plus.model, self.change.minus.model],
            "sides": list(self.sides),
            "against": self.against,
            "shares": [one.json() for one in self.shares],
            **{name: held[name] for name in (*names, "family_size", "verdict")},
        }


def stage_steps(
    chains: Sequence[Chains], trainings: Trainings, *, margin: float = MARGIN, replicates: int = REPLICATES
) -> tuple[StageSteps, ...]:
    """Every arm with steps that can be checked after a stage, against its reference."""
    groups: dict[Hashable, list[Chains]] = {}
    for one in chains:
        if one.steps is not None:
            groups.setdefault((one.task, one.shift, one.family, one.labels, one.method), []).append(one)
    made = []
    for group in groups.values():
        for stage, reference, against in sides(group, trainings):
            arms = [replace(one.arm, values=_linear(one), outputs=Outputs()) for one in (stage, reference)]
            # linearised values may lie beyond 0 and 1, though their mean is a share
            change = measure(arms[0], arms[1], "stage", replicates=replicates, kind="score")
            change = estimated(replace(change, scale=replace(change.scale, margin=margin, limit=1.0)))
            if change.difference is not None and stage.steps is not None and reference.steps is not None:
                made.append(StageSteps(change, (stage.steps, reference.steps), against))
    made.sort(key=lambda one: (one.task, one.shift, one.family))
    done = decided(
        [one.change for one in made],
        [(one.task, one.shift, one.family) for one in made],
        lambda one: f"steps after stages on {one.task}, shift {one.shift}, {one.family}",
    )
    return tuple(replace(one, change=change) for one, change in zip(made, done, strict=True))


def _linear(one: Chains) -> Array:
    """One value an item and draw, whose mean is the share of right steps."""
    assert one.steps is not None
    value = one.steps.value
    made: Array = value + (one.right_steps - value * one.checked_steps) / np.nanmean(one.checked_steps)
    return made
