"""Which of several models is better on a task, asked in one way: every pair of them, paired item by item.

For results of other tools, where models are what differs. Tests and intervals are those of methods on one model
(`onset.analysis.contrast.estimating`); p is adjusted by Holm (1979) over the pairs of one task and method. Where all
models have several tasks in common they are also compared over all of these, each item counting the same, however many
ways it was asked in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from onset.analysis.contrast.asked import decided, link
from onset.analysis.contrast.contrast import Contrast, measure, share_noise
from onset.analysis.outcomes import Measure, Outcomes
from onset.analysis.setting import Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES, Array


@dataclass(frozen=True, eq=False)
class Models:
    """``pairs``: contrasts of every two models, over all tasks before task by task; ``overall``: each model over all
    tasks that every model has, its setting without a task and method; empty where these are fewer than two.
    """

    pairs: tuple[Contrast, ...] = ()
    overall: tuple[Outcomes, ...] = ()


NO_MODELS = Models()
"""Where models are not what is compared."""


def compare_models(arms: Sequence[Outcomes], *, margin: float = MARGIN, replicates: int = REPLICATES) -> Models:
    """Every pair of models that were asked the same in the same way, decided together; the larger one first."""
    overall = _overall(arms)
    groups: dict[Setting, list[Outcomes]] = {}
    for arm in (*overall, *arms):
        groups.setdefault(asked_alike(arm), []).append(arm)
    pairs = [
        (place, a, b)
        for place, group in enumerate(groups.values())
        for b, a in combinations(sorted(group, key=lambda arm: arm.params), 2)
    ]
    members = [
        measure(
            a,
            b,
            "model",
            margin=margin,
            replicates=replicates,
            kind="binary" if a.binary and b.binary else "share",
        )
        for _, a, b in pairs
    ]
    for kind in dict.fromkeys(one.scale.kind for one in members):
        places = [place for place, one in enumerate(members) if one.scale.kind == kind]
        links = [link(a, b) for _, a, b in (pairs[place] for place in places)]
        made = share_noise([members[place] for place in places], ["models"] * len(places), links)
        for place, one in zip(places, made, strict=True):
            members[place] = one
    found = decided(
        members,
        [place for place, *_ in pairs],
        lambda one: f"{one.task or 'all tasks'}, shift {one.shift}, {one.method}",
    )
    return Models(found, overall)


def asked_alike(arm: Outcomes) -> Setting:
    """What arms have in common whose models are compared."""
    return arm.at.without("model", "family", "params")


def _overall(arms: Sequence[Outcomes]) -> tuple[Outcomes, ...]:
    """Each model over the tasks that every model has, on clean items; a task that was asked in several ways counts
    once, each item averaged over the ways that all models have. Draws are kept where all have the same ones, else each
    item is averaged over its draws.
    """
    models: dict[str, dict[Setting, Outcomes]] = {}
    for arm in arms:
        if arm.at.clean:
            models.setdefault(arm.model, {})[asked_alike(arm)] = arm
    common = [one for one in next(iter(models.values()), {}) if all(one in held for held in models.values())]
    if len(models) < 2 or len({one.task for one in common}) < 2:
        return ()
    held = {model: [table[one] for one in common] for model, table in models.items()}
    same = len({arm.draws for some in held.values() for arm in some}) == 1
    return tuple(_joined(some, same_draws=same) for some in held.values())


def _joined(arms: Sequence[Outcomes], *, same_draws: bool) -> Outcomes:
    first = arms[0]
    tasks: dict[str, list[Outcomes]] = {}
    for arm in arms:
        tasks.setdefault(arm.task, []).append(arm)
    items, tables = [], []
    for place, ways in enumerate(tasks.values()):
        shared = [item for item in ways[0].items if all(item in way.items for way in ways)]
        columns = [[{item: at for at, item in enumerate(way.items)}[one] for one in shared] for way in ways]
        values = [way.values[:, at] for way, at in zip(ways, columns, strict=True)]
        tables.append(np.mean([one if same_draws else _mean_over_draws(one) for one in values], axis=0))
        items += [f"{place}/{item}" for item in shared]
    return Outcomes(
        at=Setting("", model=first.model, family=first.family, params=first.at.params),
        measure=Measure(first.metric),
        draws=first.draws if same_draws else (0,),
        items=tuple(items),
        values=np.hstack(tables),
    )


def _mean_over_draws(values: Array) -> Array:
    """Each item's mean over the draws that have it, NaN where none does: one row."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    return np.where(counts, np.where(known, values, 0.0).sum(axis=0) / counts.clip(1), np.nan)[None, :]
