"""What a method loses under a shift: accuracy on the clean test set minus accuracy on the shifted one.

A shift that rewrites items is paired: every shifted item with its clean twin. A shift that is another test set has no
twins: the items of the two sets are resampled apart and only the draws together. Two methods that saw the same items
are paired on them in either case, so that the difference of their losses is sharper than either loss. Intervals and p
are those of a moderated t where noise between draws can be pooled over the study (`onset.analysis.stats.pooling`), else
of the crossed bootstrap; p is adjusted by Holm over all losses (or pairs) of a task, shift, model and stage.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Literal

import numpy as np

from onset.analysis import words
from onset.analysis.contrast.paired import kinds
from onset.analysis.outcomes import Aligned, Outcomes, twinned
from onset.analysis.setting import Setting
from onset.analysis.stats.adjust import ALPHA, holm
from onset.analysis.stats.bootstrap import REPLICATES, Block, Crossed, crossed_bootstrap
from onset.analysis.stats.pooling import Moderated, Pool, pool
from onset.analysis.stats.shares import Interval

LossVerdict = Literal["loses", "gains", "undecided"]
DifferenceVerdict = Literal["loses more", "loses less", "undecided"]


@dataclass(frozen=True, slots=True)
class Loss:
    """Clean minus shifted accuracy (shares) of one method at one budget.

    ``paired``: on clean twins; ``n``: shifted items used, ``n_clean``: clean ones; ``p_holm``: adjusted over the losses
    of the same task, shift, model and stage. ``pool``: what noise between draws was pooled with; ``not_pooled`` says
    why it was not (both None for one draw).
    """

    model: str
    params: int
    stage: str
    method: str
    labels: int
    task: str
    shift: str
    seeds: tuple[int, ...]
    n: int
    n_clean: int
    paired: bool
    clean: float
    shifted: float
    loss: float
    interval: Interval
    p: float
    p_holm: float
    test: str
    verdict: LossVerdict
    sentence: str
    pool: Pool | None = None
    not_pooled: str | None = None


@dataclass(frozen=True, slots=True)
class LossDifference:
    """Loss of side a minus loss of side b (shares): positive when a loses more. ``p_holm`` and ``pool`` as in
    `Loss`.
    """

    sides: tuple[str, str]
    model: str
    params: int
    stage: str
    labels: int
    task: str
    shift: str
    seeds: tuple[int, ...]
    n: int
    difference: float
    interval: Interval
    p: float
    p_holm: float
    test: str
    verdict: DifferenceVerdict
    sentence: str
    pool: Pool | None = None
    not_pooled: str | None = None


@dataclass(frozen=True, eq=False)
class _Shifted:
    """A method under a shift, its clean outcomes (plus) and its shifted ones (minus) side by side."""

    arm: Outcomes
    table: Aligned


def losses(arms: Sequence[Outcomes], *, replicates: int = REPLICATES) -> tuple[Loss, ...]:
    """The loss of every arm with a shift whose clean counterpart is in the results."""
    rows = [(one, place) for place, group in enumerate(_grouped(arms).values()) for one in group]
    found = [(one, place, crossed_bootstrap(_blocks(one), replicates)) for one, place in rows]
    measured = [(one, place, crossed) for one, place, crossed in found if crossed is not None]
    made = _estimates(
        [crossed for *_, crossed in measured],
        [_design(f"loss of a {'tuned' if one.arm.tuned else 'prompted'} method", one) for one, *_ in measured],
        [(one.arm.at, one.arm.at.without("shift")) for one, *_ in measured],
    )
    held = zip(made, measured, strict=True)
    out: list[Loss] = []
    for _, group in groupby(held, key=lambda row: row[1][1]):
        family = list(group)
        adjusted = holm([estimate.made.p() for estimate, _ in family])
        out += [_loss(one, estimate, p) for (estimate, (one, *_)), p in zip(family, adjusted, strict=True)]
    return tuple(out)


@dataclass(frozen=True, slots=True)
class _Estimate:
    """What interval and p come from, and why noise between draws was not pooled."""

    made: Crossed | Moderated
    not_pooled: str | None

    @property
    def pool(self) -> Pool | None:
        return self.made.pool if isinstance(self.made, Moderated) else None


def _estimates(
    crossed: Sequence[Crossed], designs: Sequence[str], links: Sequence[tuple[Hashable, Hashable]]
) -> list[_Estimate]:
    return [
        _Estimate(said, None) if isinstance(said, Moderated) else _Estimate(one, said)
        for one, said in zip(crossed, pool(crossed, designs, links), strict=True)
    ]


def _design(what: str, one: _Shifted) -> str:
    return f"{what}, {'paired items' if one.table.paired else 'two test sets'}"


def loss_differences(arms: Sequence[Outcomes], *, replicates: int = REPLICATES) -> tuple[LossDifference, ...]:
    """Every pair of methods at equal labels, on the draws and items both have."""
    pairs = [(*pair, place) for place, group in enumerate(_grouped(arms).values()) for pair in _pairs(group)]
    measured = []
    for a, b, place in pairs:
        blocks = _contrast(a, b)
        crossed = crossed_bootstrap(blocks, replicates) if blocks else None
        if crossed is not None:
            measured.append((a, b, place, crossed))
    made = _estimates(
        [crossed for *_, crossed in measured],
        [_design(f"losses, {kinds(a.arm, b.arm)}", a) for a, b, *_ in measured],
        [(a.arm.at, b.arm.at) for a, b, *_ in measured],
    )
    out: list[LossDifference] = []
    for _, group in groupby(zip(made, measured, strict=True), key=lambda row: row[1][2]):
        family = list(group)
        adjusted = holm([estimate.made.p() for estimate, _ in family])
        out += [_difference(a, b, estimate, p) for (estimate, (a, b, *_)), p in zip(family, adjusted, strict=True)]
    return tuple(out)


def _pairs(group: Sequence[_Shifted]) -> list[tuple[_Shifted, _Shifted]]:
    """Every (more elaborate, simpler) pair of methods at equal labels."""
    ranked = sorted(group, key=lambda one: (one.arm.labels, one.arm.tuned, one.arm.asked.vote is not None))
    return [(a, b) for b, a in combinations(ranked, 2) if a.arm.labels == b.arm.labels]


def _grouped(arms: Sequence[Outcomes]) -> dict[Setting, list[_Shifted]]:
    clean = {arm.at: arm for arm in arms if arm.at.clean}
    found: dict[Setting, list[_Shifted]] = {}
    for arm in arms:
        partner = None if arm.at.clean else clean.get(arm.at.without("shift"))
        table = partner and twinned(partner, arm)
        if table:
            found.setdefault(arm.at.without("method", "labels"), []).append(_Shifted(arm, table))
    return found


def _blocks(one: _Shifted) -> list[Block]:
    if one.table.paired:
        return [Block(one.table.plus - one.table.minus)]
    return [Block(one.table.plus), Block(one.table.minus, -1.0)]


def _loss(one: _Shifted, estimate: _Estimate, p_holm: float) -> Loss:
    crossed = estimate.made
    arm, interval = one.arm, _cut(crossed, 1.0)
    both = np.isfinite(one.table.plus) & np.isfinite(one.table.minus) if one.table.paired else None
    clean = float(np.nanmean(one.table.plus if both is None else one.table.plus[both]))
    shifted = float(np.nanmean(one.table.minus if both is None else one.table.minus[both]))
    verdict: LossVerdict = "undecided" if p_holm > ALPHA else "loses" if crossed.estimate > 0 else "gains"
    size = words.sample(len(one.table.others), len(one.table.draws))
    where = f"{arm.model}, {arm.method} with {words.counted(arm.labels, 'label')} on {arm.task}"
    levels = f"{words.percent(clean)} to {words.percent(shifted)}"
    gap = f"{words.points(abs(crossed.estimate))} under the shift {arm.shift}, from {levels}"
    shown = interval if crossed.estimate >= 0 else (-interval[1], -interval[0])
    spread = f"{words.point_range(shown)}; {size}"
    scope = " with these examples" if verdict != "undecided" and len(one.table.draws) == 1 and arm.labels else ""
    verb = {"loses": "loses", "gains": "gains", "undecided": "changes, within noise, by"}[verdict]
    return Loss(
        model=arm.model,
        params=arm.params,
        stage=arm.stage,
        method=arm.method,
        labels=arm.labels,
        task=arm.task,
        shift=arm.shift,
        seeds=one.table.draws,
        n=len(one.table.others),
        n_clean=len(one.table.items),
        paired=one.table.paired,
        clean=clean,
        shifted=shifted,
        loss=crossed.estimate,
        interval=interval,
        p=crossed.p(),
        p_holm=p_holm,
        test=_test(one, crossed),
        verdict=verdict,
        sentence=f"{where} {verb} {gap}{scope} ({spread}).",
        pool=estimate.pool,
        not_pooled=estimate.not_pooled,
    )


def _test(one: _Shifted, made: Crossed | Moderated) -> str:
    items = "paired on clean twins" if one.table.paired else "two test sets, not paired"
    if isinstance(made, Moderated):
        return f"{made.test}, {items}"
    return f"{'crossed ' if len(one.table.draws) > 1 else ''}bootstrap, {items}"


def _cut(crossed: Crossed | Moderated, largest: float) -> Interval:
    low, high = crossed.interval()
    return max(-largest, low), min(largest, high)


def _contrast(one: _Shifted, other: _Shifted) -> list[Block] | None:
    """Blocks of (loss of one) - (loss of other) on common draws; None when items or kind of pairing differ."""
    a, b = one.table, other.table
    draws = [draw for draw in a.draws if draw in b.draws]
    same = a.paired == b.paired and set(a.items) == set(b.items) and set(a.others) == set(b.others)
    if not draws or not same:
        return None
    rows_a, rows_b = ([table.draws.index(draw) for draw in draws] for table in (a, b))
    shifted = a.minus[rows_a] - b.minus[np.ix_(rows_b, [b.others.index(item) for item in a.others])]
    # clean columns are those of the shifted items' twins, or another test set
    order, there = (a.others, b.others) if a.paired else (a.items, b.items)
    clean = a.plus[rows_a] - b.plus[np.ix_(rows_b, [there.index(item) for item in order])]
    return [Block(clean - shifted)] if a.paired else [Block(clean), Block(shifted, -1.0)]


def _difference(a: _Shifted, b: _Shifted, estimate: _Estimate, p_holm: float) -> LossDifference:
    crossed, seeds = estimate.made, tuple(draw for draw in a.table.draws if draw in b.table.draws)
    arm, interval, gap = a.arm, _cut(crossed, 2.0), crossed.estimate
    verdict: DifferenceVerdict = "undecided" if p_holm > ALPHA else "loses more" if gap > 0 else "loses less"
    size = words.sample(len(a.table.others), len(seeds))
    where = f"{arm.model} on {arm.task} under the shift {arm.shift}, {words.counted(arm.labels, 'label')}"
    if verdict == "undecided":
        text = (
            f"undecided whether {arm.method} or {b.arm.method} loses more: their losses differ by {words.points(gap)}"
        )
        shown = interval
    else:
        scope = " with these examples" if len(seeds) == 1 and arm.labels else ""
        text = f"{arm.method} {verdict} than {b.arm.method}{scope}: by {words.points(abs(gap))}"
        shown = interval if gap > 0 else (-interval[1], -interval[0])
    return LossDifference(
        sides=(arm.method, b.arm.method),
        model=arm.model,
        params=arm.params,
        stage=arm.stage,
        labels=arm.labels,
        task=arm.task,
        shift=arm.shift,
        seeds=seeds,
        n=len(a.table.others),
        difference=gap,
        interval=interval,
        p=crossed.p(),
        p_holm=p_holm,
        test=_test(a, crossed),
        verdict=verdict,
        sentence=f"{where}: {text} ({words.point_range(shown)}; {size}).",
        pool=estimate.pool,
        not_pooled=estimate.not_pooled,
    )
