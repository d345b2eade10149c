"""Interval and p of a difference between two sides.

One draw of right and wrong: exact McNemar test (McNemar 1947; two-sided binomial on the discordant pairs). Its interval
is the wider of Tango's (1998) score interval and the exact one given the number of discordant pairs (Clopper and
Pearson's for the share of them that the plus side has right), so that it excludes 0 exactly where the test rejects. It
says nothing about other draws.

Several draws: where a study has enough contrasts of one design, noise between draws is pooled over them
(`onset.analysis.stats.pooling`), and interval, p and equivalence are those of one moderated t. Else the crossed
bootstrap over draws x items (`onset.analysis.stats.bootstrap`) gives interval and p. Below six draws the interval is
then the wider of that one and a t interval on the draw-level differences, and p the larger of the two: neither is
enough on its own there (the t interval takes the items as given, the bootstrap hardly sees the draws). Equivalence: two
one-sided tests at a stated margin (Schuirmann 1987).

What a shift or a step in size does, and how two differences differ, goes the same way, by the bootstrap also over one
draw (`resampled`). All intervals are cut at the largest difference there can be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from onset.analysis.contrast.parts import Estimate, Sample, Scale
from onset.analysis.stats.adjust import LEVEL, two_one_sided
from onset.analysis.stats.bootstrap import Array, Crossed
from onset.analysis.stats.draws import ENOUGH_DRAWS, OverDraws, over_draws, rounding_of
from onset.analysis.stats.pooling import Moderated
from onset.analysis.stats.shares import exact_interval, mcnemar, tango, tango_z

Pooled = Moderated | str | None
"""The moderated estimate; or why noise between draws was not pooled; None: there is none to pool, or none was asked."""


def side_by_side(sample: Sample, crossed: Crossed, scale: Scale, pooled: Pooled = None) -> Estimate:
    """Of two ways of asking on the same items; ``crossed`` is that of the sample."""
    draws = len(sample.table.draws)
    if isinstance(pooled, Moderated):
        return Estimate(
            interval=pooled.interval(scale.limit),
            p=pooled.p(),
            test=pooled.test,
            t_interval=_apart(sample, scale).interval(scale.limit) if 1 < draws < ENOUGH_DRAWS else None,
            p_equivalent=None if scale.margin is None else two_one_sided(pooled, scale.margin),
            moderated=pooled,
        )
    if (draws == 1 or sample.repeated) and scale.kind == "binary":
        return _one_draw(sample, scale, pooled)
    name = "crossed bootstrap over draws and items" if draws > 1 else "paired bootstrap over items"
    return _alone(sample, crossed, scale, name, pooled)


def _alone(
    sample: Sample, crossed: Crossed, scale: Scale, name: str, not_pooled: str | None, *, level: float = LEVEL
) -> Estimate:
    """By the bootstrap called ``name``, and over a few draws by a t interval beside it."""
    draws = len(sample.table.draws)
    if 1 < draws < ENOUGH_DRAWS:
        test = f"{name}, with a t interval over {draws} draws: the wider of the two"
        return few_draws(crossed, _apart(sample, scale), scale, test, not_pooled, level=level)
    return Estimate(
        interval=scale.cut(crossed.interval(level=level)),
        p=crossed.p(),
        test=name,
        p_equivalent=None if scale.margin is None else two_one_sided(crossed, scale.margin),
        not_pooled=not_pooled,
    )


def _apart(sample: Sample, scale: Scale) -> OverDraws:
    counts = [sample.n] if sample.table.paired else [len(sample.table.items), sample.n]
    return draws_apart(np.array(sample.by_draw), scale, counts, [1.0] * len(counts))


def few_draws(
    crossed: Crossed,
    apart: OverDraws,
    scale: Scale,
    test: str,
    not_pooled: str | None = None,
    *,
    level: float = LEVEL,
) -> Estimate:
    """The wider of the crossed bootstrap's interval and that of Student's t over draw-level differences (``apart``),
    and the larger p.
    """
    t_interval = apart.interval(scale.limit, level)
    both = None if scale.margin is None else [two_one_sided(one, scale.margin) for one in (apart, crossed)]
    return Estimate(
        interval=scale.cut(crossed.interval(level=level), t_interval),
        p=max(crossed.p(), apart.p()),
        test=test,
        t_interval=t_interval,
        p_equivalent=None if both is None else max(both),
        not_pooled=not_pooled,
    )


def draws_apart(by_draw: Array, scale: Scale, items: Sequence[int], weights: Sequence[float]) -> OverDraws:
    """Student's t over the weighted means ``by_draw`` of sets of ``items``."""
    return over_draws(by_draw, _rounding(scale, items, weights))


def _rounding(scale: Scale, items: Sequence[int], weights: Sequence[float]) -> float:
    """The variance that counting items hides; scores are not counted."""
    if math.isinf(scale.limit):
        return 0.0
    return sum(weight**2 * rounding_of(count) for count, weight in zip(items, weights, strict=True))


def _one_draw(sample: Sample, scale: Scale, not_pooled: str | None) -> Estimate:
    only_plus, only_minus = sample.discordant_by_draw[0]  # of several, all are the same
    score = tango(only_plus, only_minus, sample.n)
    assert score is not None  # there are items
    equivalent = None
    if scale.margin is not None:
        low = float(special.ndtr(-tango_z(only_plus, only_minus, sample.n, -scale.margin)))
        high = float(special.ndtr(tango_z(only_plus, only_minus, sample.n, scale.margin)))
        equivalent = max(low, high)
    return Estimate(
        interval=scale.cut(score, exact_interval(only_plus, only_minus, sample.n)),
        p=mcnemar(only_plus, only_minus),
        test="exact McNemar; interval: the wider of its own and Tango's score interval",
        p_equivalent=equivalent,
        not_pooled=not_pooled,
    )


def resampled(
    sample: Sample, crossed: Crossed, scale: Scale, pooled: Pooled = None, *, twins: bool, level: float = LEVEL
) -> Estimate:
    """By the moderated t or the bootstrap. ``twins``: a paired item is an item and its clean twin; ``level``: of the
    interval.
    """
    items = "two test sets, not paired"
    if sample.table.paired:
        items = "paired on clean twins" if twins else "paired on items"
    if isinstance(pooled, Moderated):
        return Estimate(
            interval=scale.cut(pooled.interval(level=level)),
            p=pooled.p(),
            test=f"{pooled.test}, {items}",
            p_equivalent=None if scale.margin is None else two_one_sided(pooled, scale.margin),
            moderated=pooled,
        )
    how = f"{'crossed ' if len(sample.table.draws) > 1 else ''}bootstrap"
    return _alone(sample, crossed, scale, f"{how}, {items}", pooled, level=level)
