"""Weighted sums of accuracies that share draws and items: a slope over sizes, a mean over models, what is linearised.

A weighted sum of means is the mean of the weighted sum of their tables, so that draws and items stay paired through it;
what is not linear in the accuracies is replaced by its linearisation first (the delta method). Interval and p are those
of any contrast (`onset.analysis.contrast.estimating`): one moderated t where noise between draws is pooled, else the
crossed bootstrap, below six draws with a t interval over the draws beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onset.analysis.contrast.estimating import Pooled, draws_apart, few_draws
from onset.analysis.contrast.parts import Estimate, Scale
from onset.analysis.outcomes import Outcomes
from onset.analysis.stats.adjust import LEVEL, two_one_sided
from onset.analysis.stats.bootstrap import REPLICATES, Array, Block, Crossed, crossed_bootstrap
from onset.analysis.stats.draws import ENOUGH_DRAWS
from onset.analysis.stats.pooling import Moderated


@dataclass(frozen=True, eq=False)
class Together:
    """Arms on the draws and items that all of them have: ``clean`` and ``shifted``, each arms x draws x items.

    ``paired``: the items of both are in one order, each shifted one with its clean twin; else they are two test sets.
    """

    draws: tuple[int, ...]
    clean: Array
    shifted: Array
    paired: bool

    def blocks(self, by_clean: Sequence[float], by_shifted: Sequence[float]) -> list[Array]:
        """The weighted sum of all tables, as `crossed_of` takes it."""
        held = [weighted(self.clean, by_clean), weighted(self.shifted, by_shifted)]
        return [held[0] + held[1]] if self.paired else held


def together(clean: Sequence[Outcomes], shifted: Sequence[Outcomes]) -> Together | str:
    """The arms on what all of them share, or why that is nothing.

    An arm that shows no example and was asked once has the same answers in every draw.
    """
    every = [*clean, *shifted]
    several = [arm for arm in every if not _asked_once(arm)] or every[:1]
    draws = tuple(sorted(set.intersection(*(set(arm.draws) for arm in several))))
    if not draws:
        return "they share no draw of examples"
    items, others = _items(clean, draws), _items(shifted, draws)
    twins = dict(zip(shifted[0].items, shifted[0].twins, strict=True))
    paired = any(twins.get(item) is not None for item in others)
    if paired:
        known = set(items)
        others = [item for item in others if twins[item] in known]
        items = [twin for item in others if (twin := twins[item]) is not None]
    if min(len(items), len(others)) < 2:
        return "they share fewer than two items"
    return Together(
        draws,
        np.stack([_table(arm, draws, items) for arm in clean]),
        np.stack([_table(arm, draws, others) for arm in shifted]),
        paired,
    )


def _asked_once(arm: Outcomes) -> bool:
    return arm.shows_none and len(arm.draws) == 1


def _rows(arm: Outcomes, draws: Sequence[int]) -> list[int]:
    return [0] * len(draws) if _asked_once(arm) else [arm.draws.index(draw) for draw in draws]


def _items(arms: Sequence[Outcomes], draws: Sequence[int]) -> list[str]:
    """Items that every arm has in every draw, in the order of the first arm."""
    held = set(arms[0].items)
    for arm in arms:
        known = np.isfinite(arm.values[_rows(arm, draws)]).sum(axis=0) == len(draws)
        held &= {arm.items[at] for at in np.flatnonzero(known)}
    return [item for item in arms[0].items if item in held]


def _table(arm: Outcomes, draws: Sequence[int], items: Sequence[str]) -> Array:
    column = {item: at for at, item in enumerate(arm.items)}
    made: Array = arm.values[np.ix_(_rows(arm, draws), [column[item] for item in items])]
    return made


def weighted(tables: Array, weights: Sequence[float]) -> Array:
    """The weighted sum of ``tables`` (tables x draws x items)."""
    made: Array = np.einsum("t,tdi->di", np.asarray(weights, dtype=np.float64), tables)
    return made


def crossed_of(blocks: Sequence[Array], replicates: int = REPLICATES) -> Crossed | None:
    """The mean of the sum of ``blocks``: tables of weighted outcomes that share draws, each with items of its own."""
    return crossed_bootstrap([Block(one) for one in blocks], replicates, shares=False)


def estimate_of(
    crossed: Crossed,
    *,
    margin: float | None = None,
    limit: float = 1.0,
    pooled: Pooled = None,
    level: float = LEVEL,
) -> Estimate:
    """Interval and p of a sum of blocks as `crossed_of` makes them.

    ``margin``: of equivalence (None: not asked); ``limit``: the largest value that there can be; ``pooled``: the
    moderated estimate, or why noise between draws was not pooled.
    """
    scale = Scale("share", margin, limit=limit)
    if isinstance(pooled, Moderated):
        return Estimate(
            interval=scale.cut(pooled.interval(level=level)),
            p=pooled.p(),
            test=pooled.test,
            p_equivalent=None if margin is None else two_one_sided(pooled, margin),
            moderated=pooled,
        )
    draws = crossed.draws
    name = "crossed bootstrap over draws and items" if draws > 1 else "bootstrap over items"
    if 1 < draws < ENOUGH_DRAWS:
        by_draw = np.sum([one.weight * np.nanmean(one.values, axis=1) for one in crossed.blocks], axis=0)
        counts = [one.values.shape[1] for one in crossed.blocks]
        apart = draws_apart(by_draw, scale, counts, [1.0] * len(counts))
        test = f"{name}, with a t interval over {draws} draws: the wider of the two"
        return few_draws(crossed, apart, scale, test, pooled, level=level)
    return Estimate(
        interval=scale.cut(crossed.interval(level=level)),
        p=crossed.p(),
        test=name,
        p_equivalent=None if margin is None else two_one_sided(crossed, margin),
        not_pooled=pooled,
    )
