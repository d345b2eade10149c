"""Which training made the difference: models of one family and size that differ in their stage.

A stage is a step of training, or an ingredient left out of it ("base" against "without chain of thought"); a stage of
several steps names them in order ("scarce chain of thought, without code"). Two models are held against each other when
they are of one family, differ in size by at most `SAME_SIZE` and one has the stage of the other less its last step, or
"base" where no model has that; then every method both were asked with, at equal labels, task and shift, is compared on
the same items and the same example plan, by the tests of `onset.analysis.contrast.paired`. p is adjusted by Holm within
the family of all such comparisons on one task, shift and model family. One training run stands on either side: noise
between runs of the same recipe is not in the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from onset.analysis import words
from onset.analysis.contrast.paired import Comparison, Scope, Verdict, decide, measure, share_noise
from onset.analysis.outcomes import Outcomes
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES
from onset.analysis.stats.pooling import Pool
from onset.analysis.stats.shares import Interval

SAME_SIZE = 0.02
"""Sizes count as equal when they differ by at most this share of the reference's."""
BASE = "base"


@dataclass(frozen=True, slots=True)
class StageComparison:
    """A stage against its reference (``sides``, ``models``); ``verdict`` and ``difference`` (shares) are said of the
    stage.

    The rest is as in `onset.analysis.contrast.paired.Comparison`; ``family`` is what the comparisons adjusted together
    share, ``model_family`` the models'; ``params`` those of the reference.
    """

    sides: tuple[str, str]
    models: tuple[str, str]
    model_family: str
    params: int
    method: str
    labels: int
    task: str
    shift: str
    seeds: tuple[int, ...]
    n: int
    accuracy_a: float | None
    accuracy_b: float | None
    difference: float | None
    interval: Interval | None
    t_interval: Interval | None
    p: float | None
    p_holm: float | None
    p_equivalent: float | None
    p_equivalent_holm: float | None
    test: str
    margin: float
    discordant: tuple[int, int]
    unpaired: tuple[int, int]
    mismatch: tuple[str, ...]
    family: str
    family_size: int
    scope: Scope
    by_draw: tuple[float, ...]
    p_by_draw: tuple[float, ...]
    pool: Pool | None
    not_pooled: str | None
    verdict: Verdict
    needed: int | None
    needed_draws: int | None
    sentence: str


_SAME = (
    *("sides", "labels", "task", "shift", "seeds", "n", "accuracy_a", "accuracy_b", "difference", "interval"),
    *("t_interval", "p", "p_holm", "p_equivalent", "p_equivalent_holm", "test", "margin", "discordant", "unpaired"),
    *("mismatch", "family", "family_size", "scope", "by_draw", "p_by_draw"),
    *("pool", "not_pooled", "verdict", "needed", "needed_draws"),
)


def stage_comparisons(
    arms: Sequence[Outcomes], *, margin: float = MARGIN, replicates: int = REPLICATES
) -> tuple[StageComparison, ...]:
    """Every stage against the reference of its family and size, decided within its family; none without one."""
    groups: dict[tuple[str, str, str], list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault((arm.task, arm.shift, arm.family), []).append(arm)
    pairs = [(key, a, b) for key, group in groups.items() for a, b in _pairs(group)]
    members = [
        replace(
            measure(a, b, margin=margin, replicates=replicates, names=(a.stage, b.stage)),
            family=f"stages of {family} on {task}, shift {shift}",
            params=b.params,
        )
        for (task, shift, family), a, b in pairs
    ]
    # one method on two models: the same examples in the same words on both sides
    designs = [f"stages, {'tuned' if a.tuned else 'prompted'}" for _, a, _ in pairs]
    members = share_noise(members, designs, [(_source(a), _source(b)) for _, a, b in pairs])
    decided: list[StageComparison] = []
    for _, rows in groupby(zip(members, pairs, strict=True), key=lambda row: row[1][0]):
        held = list(rows)
        made = decide([member for member, _ in held])
        decided += [_as_stages(one, a, b) for one, (_, (_, a, b)) in zip(made, held, strict=True)]
    return tuple(decided)


def _source(arm: Outcomes) -> tuple[str, str, int, str]:
    """An arm without its shift, as in `onset.analysis.contrast.paired`."""
    return arm.model, arm.method, arm.labels, arm.task


def _pairs(group: Sequence[Outcomes]) -> list[tuple[Outcomes, Outcomes]]:
    """(stage, reference) of equal size, method and labels, ascending in size."""
    pairs = []
    for arm in (one for one in group if one.stage != BASE):
        found = (_like(group, arm, stage) for stage in (arm.stage.rpartition(", ")[0], BASE))
        reference = next((one for one in found if one is not None), None)
        if reference is not None:
            pairs.append((arm, reference))
    return sorted(pairs, key=lambda pair: pair[1].params)


def _like(group: Sequence[Outcomes], arm: Outcomes, stage: str) -> Outcomes | None:
    """The arm of that stage that is asked in the same way and of the same size."""
    for other in group:
        alike = (other.method, other.labels, other.stage) == (arm.method, arm.labels, stage)
        if alike and abs(arm.params - other.params) <= SAME_SIZE * other.params:
            return other
    return None


def _as_stages(one: Comparison, a: Outcomes, b: Outcomes) -> StageComparison:
    where = f"{a.method} with {words.counted(one.labels, 'label')} on {one.task}, {words.parameters(b.params)}"
    where += "" if one.shift == "none" else f", shift {one.shift}"
    return StageComparison(
        **{name: getattr(one, name) for name in _SAME},
        models=(a.model, b.model),
        model_family=b.family,
        params=b.params,
        method=a.method,
        sentence=f"{where}: {one.sentence}",
    )
