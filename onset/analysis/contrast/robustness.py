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
from onset.analysis.arms import Arm
from onset.analysis.contrast.paired import kinds
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
    """A method's outcomes on both sets, aligned: with ``paired`` the clean columns are the twins of the shifted."""

    arm: Arm
    seeds: tuple[int, ...]
    clean: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    shifted: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    clean_items: tuple[str, ...]
    items: tuple[str, ...]
    paired: bool


def losses(arms: Sequence[Arm], *, replicates: int = REPLICATES) -> tuple[Loss, ...]:
    """The loss of every arm with a shift whose clean counterpart is in the results."""
    rows = [(one, place) for place, group in enumerate(_grouped(arms).values()) for one in group]
    found = [(one, place, crossed_bootstrap(_blocks(one), replicates)) for one, place in rows]
    measured = [(one, place, crossed) for one, place, crossed in found if crossed is not None]
    made = _estimates(
        [crossed for *_, crossed in measured],
        [_design(f"loss of a {'tuned' if one.arm.tune else 'prompted'} method", one) for one, *_ in measured],
        [(one.arm.key, (*one.arm.key[:5], "none")) for one, *_ in measured],
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
    return f"{what}, {'paired items' if one.paired else 'two test sets'}"


def loss_differences(arms: Sequence[Arm], *, replicates: int = REPLICATES) -> tuple[LossDifference, ...]:
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
        [(a.arm.key, b.arm.key) for a, b, *_ in measured],
    )
    out: list[LossDifference] = []
    for _, group in groupby(zip(made, measured, strict=True), key=lambda row: row[1][2]):
        family = list(group)
        adjusted = holm([estimate.made.p() for estimate, _ in family])
        out += [_difference(a, b, estimate, p) for (estimate, (a, b, *_)), p in zip(family, adjusted, strict=True)]
    return tuple(out)


def _pairs(group: Sequence[_Shifted]) -> list[tuple[_Shifted, _Shifted]]:
    """Every (more elaborate, simpler) pair of methods at equal labels."""
    ranked = sorted(group, key=lambda one: (one.arm.labels, one.arm.tune is not None, one.arm.vote is not None))
    return [(a, b) for b, a in combinations(ranked, 2) if a.arm.labels == b.arm.labels]


def _grouped(arms: Sequence[Arm]) -> dict[tuple[str, ...], list[_Shifted]]:
    clean = {arm.key: arm for arm in arms if arm.shift == "none"}
    groups: dict[tuple[str, ...], list[_Shifted]] = {}
    for arm in arms:
        if arm.shift == "none":
            continue
        partner = clean.get((*arm.key[:5], "none"))
        joined = _join(arm, partner) if partner else None
        if joined:
            groups.setdefault((arm.task, arm.shift, arm.model, arm.stage), []).append(joined)
    return groups


def _join(arm: Arm, clean: Arm) -> _Shifted | None:
    seeds = tuple(seed for seed in arm.seeds if seed in clean.seeds)
    if not seeds:
        return None
    shifted_rows = [arm.seeds.index(seed) for seed in seeds]
    clean_rows = [clean.seeds.index(seed) for seed in seeds]
    column = {item: index for index, item in enumerate(clean.items)}
    twinned = [index for index, twin in enumerate(arm.twins) if twin in column]
    if not twinned:
        return _Shifted(arm, seeds, clean.values[clean_rows], arm.values[shifted_rows], clean.items, arm.items, False)
    twins = [column[twin] for index in twinned if (twin := arm.twins[index]) is not None]
    return _Shifted(
        arm,
        seeds,
        clean.values[np.ix_(clean_rows, twins)],
        arm.values[np.ix_(shifted_rows, twinned)],
        tuple(clean.items[index] for index in twins),
        tuple(arm.items[index] for index in twinned),
        True,
    )


def _blocks(one: _Shifted) -> list[Block]:
    if one.paired:
        return [Block(one.clean - one.shifted)]
    return [Block(one.clean), Block(one.shifted, -1.0)]


def _loss(one: _Shifted, estimate: _Estimate, p_holm: float) -> Loss:
    crossed = estimate.made
    arm, interval = one.arm, _cut(crossed, 1.0)
    both = np.isfinite(one.clean) & np.isfinite(one.shifted) if one.paired else None
    clean = float(np.nanmean(one.clean if both is None else one.clean[both]))
    shifted = float(np.nanmean(one.shifted if both is None else one.shifted[both]))
    verdict: LossVerdict = "undecided" if p_holm > ALPHA else "loses" if crossed.estimate > 0 else "gains"
    size = words.sample(len(one.items), len(one.seeds))
    where = f"{arm.model}, {arm.method} with {words.counted(arm.labels, 'label')} on {arm.task}"
    levels = f"{words.percent(clean)} to {words.percent(shifted)}"
    gap = f"{words.points(abs(crossed.estimate))} under the shift {arm.shift}, from {levels}"
    shown = interval if crossed.estimate >= 0 else (-interval[1], -interval[0])
    spread = f"{words.point_range(shown)}; {size}"
    scope = " with these examples" if verdict != "undecided" and len(one.seeds) == 1 and arm.labels else ""
    verb = {"loses": "loses", "gains": "gains", "undecided": "changes, within noise, by"}[verdict]
    return Loss(
        model=arm.model,
        params=arm.params,
        stage=arm.stage,
        method=arm.method,
        labels=arm.labels,
        task=arm.task,
        shift=arm.shift,
        seeds=one.seeds,
        n=len(one.items),
        n_clean=len(one.clean_items),
        paired=one.paired,
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
    items = "paired on clean twins" if one.paired else "two test sets, not paired"
    if isinstance(made, Moderated):
        return f"{made.test}, {items}"
    return f"{'crossed ' if len(one.seeds) > 1 else ''}bootstrap, {items}"


def _cut(crossed: Crossed | Moderated, largest: float) -> Interval:
    low, high = crossed.interval()
    return max(-largest, low), min(largest, high)


def _contrast(a: _Shifted, b: _Shifted) -> list[Block] | None:
    """Blocks of (loss of a) - (loss of b) on common draws; None when items or kind of pairing differ."""
    seeds = [seed for seed in a.seeds if seed in b.seeds]
    if not seeds or a.paired != b.paired or set(a.items) != set(b.items) or set(a.clean_items) != set(b.clean_items):
        return None
    rows_a, rows_b = ([one.seeds.index(seed) for seed in seeds] for one in (a, b))
    shifted = a.shifted[rows_a] - b.shifted[np.ix_(rows_b, [b.items.index(item) for item in a.items])]
    order = a.items if a.paired else a.clean_items
    there = b.items if a.paired else b.clean_items
    clean = a.clean[rows_a] - b.clean[np.ix_(rows_b, [there.index(item) for item in order])]
    return [Block(clean - shifted)] if a.paired else [Block(clean), Block(shifted, -1.0)]


def _difference(a: _Shifted, b: _Shifted, estimate: _Estimate, p_holm: float) -> LossDifference:
    crossed, seeds = estimate.made, tuple(seed for seed in a.seeds if seed in b.seeds)
    arm, interval, gap = a.arm, _cut(crossed, 2.0), crossed.estimate
    verdict: DifferenceVerdict = "undecided" if p_holm > ALPHA else "loses more" if gap > 0 else "loses less"
    size = words.sample(len(a.items), len(seeds))
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
        n=len(a.items),
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
