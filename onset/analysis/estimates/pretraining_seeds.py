"""What several seeds of pretraining of one size say of an ability: `onset.analysis.emergence.seeds`, asked of a study.

Models of one family and stage are runs of one size where they have as many parameters and different seeds of
pretraining. Their draws of examples are pooled as everywhere, seed by seed; the seeds are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from onset.analysis.curves.points import point_of
from onset.analysis.curves.series import Curve, curves_of
from onset.analysis.emergence.seeds import SeedCurve, has_seeds, seed_curves
from onset.analysis.emergence.settings import Settings
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.errors import DataError


@dataclass(frozen=True)
class PretrainingSeeds(Placed):
    """One way of asking the seeds of one family. ``items``: outcomes behind all seeds; ``found``: what they say; None
    where it cannot be asked, and ``problem`` says why.
    """

    at: Setting
    items: int
    found: SeedCurve | None = None
    problem: str = ""

    def json(self) -> dict[str, Any]:
        """An entry of ``pretraining_seeds`` in ``onset show --json``."""
        names = ("task", "method", "labels", "shift", "stage", "family")
        told = {name: getattr(self, name) for name in names} | {
            "labels": self.at.labels,
            "problem": self.problem or None,
        }
        return told | ({} if self.found is None else self.found.json())


def pretraining_seeds(arms: Sequence[Outcomes], *, margin: float) -> tuple[PretrainingSeeds, ...]:
    """One for every (task, method, labels, shift, stage, family) that has several seeds at a size, with q over all.

    ``margin``: of the study; by so much a seed must be above chance.
    """
    groups: dict[Setting, list[Outcomes]] = {}
    for arm in arms:
        if arm.at.params and arm.chance is not None:
            groups.setdefault(arm.at.without("model", "params"), []).append(arm)
    made: list[PretrainingSeeds] = []
    curves: list[Curve] = []
    for at, group in groups.items():
        (curve,) = curves_of(point_of(arm, float(arm.params)) for arm in group)
        if not has_seeds(curve):
            continue
        one = PretrainingSeeds(at, sum(arm.counts().n for arm in group))
        try:
            seed_curves([curve])
        except DataError as error:
            made.append(replace(one, problem=str(error)))
        else:
            curves.append(curve)
            made.append(one)
    found = iter(seed_curves(curves, Settings(margin=margin)))
    return tuple(one if one.problem else replace(one, found=next(found)) for one in made)
