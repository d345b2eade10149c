"""The parts of a contrast: what is compared (`Scale`), what was measured (`Sample`), what is estimated (`Estimate`) and
what is decided (`Decided`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from onset.analysis.outcomes import Aligned, Outcomes
from onset.analysis.outcomes.scores import UNBOUNDED
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES, Block, Crossed, crossed_bootstrap
from onset.analysis.stats.pooling import Moderated, Pool
from onset.analysis.stats.shares import Interval

Kind = Literal["binary", "share", "score"]
"""Outcomes that are right or wrong, shares in 0..1, or scores on any scale."""
Verdict = Literal["wins", "loses", "equivalent", "undecided"]


@dataclass(frozen=True, slots=True)
class Scale:
    """What is compared. ``margin``: differences below it count as equivalent (shares; None: not asked);
    ``higher_is_better``: False for an error or a loss; ``limit``: the largest difference that there can be.
    """

    kind: Kind = "binary"
    margin: float | None = MARGIN
    higher_is_better: bool = True
    limit: float = 1.0

    def cut(self, *intervals: Interval) -> Interval:
        """The hull of ``intervals``, cut at the limit on both sides."""
        low, high = min(one[0] for one in intervals), max(one[1] for one in intervals)
        return max(-self.limit, low), min(self.limit, high)


@dataclass(frozen=True, eq=False)
class Sample:
    """The outcomes of both sides, draws x items, and the estimate of their mean difference; ``crossed`` is None where
    nothing could be paired. ``repeated``: no side shows an example, and every draw has the very same outcomes.
    """

    table: Aligned
    crossed: Crossed | None
    repeated: bool = False

    @property
    def n(self) -> int:
        """Items compared; of two test sets those of the minus side."""
        return len(self.table.others)

    @property
    def levels(self) -> tuple[float | None, float | None]:
        """Means of both sides, over the outcomes compared."""
        if self.crossed is None:
            return None, None
        plus, minus = self.table.plus, self.table.minus
        if self.table.paired:
            known = np.isfinite(plus) & np.isfinite(minus)
            plus, minus = np.where(known, plus, np.nan), np.where(known, minus, np.nan)
        return float(np.nanmean(plus)), float(np.nanmean(minus))

    @property
    def by_draw(self) -> tuple[float, ...]:
        """The difference in each draw."""
        if self.crossed is None:
            return ()
        if self.table.paired:
            return tuple(float(np.nanmean(row)) for row in self.table.plus - self.table.minus)
        return tuple(
            float(np.nanmean(plus) - np.nanmean(minus))
            for plus, minus in zip(self.table.plus, self.table.minus, strict=True)
        )

    @property
    def discordant_by_draw(self) -> tuple[tuple[int, int], ...]:
        """In each draw, outcomes that are higher on the plus side, and on the minus side; none of two test sets, which
        have no pairs.
        """
        if not self.table.paired:
            return ()
        return tuple((int((row > 0).sum()), int((row < 0).sum())) for row in self.table.plus - self.table.minus)

    @property
    def discordant(self) -> tuple[int, int]:
        """`discordant_by_draw`, over all draws."""
        return sum(one[0] for one in self.discordant_by_draw), sum(one[1] for one in self.discordant_by_draw)

    def turned(self, *, swap: bool) -> Sample:
        """With the difference of the other sign: the sides swapped, or (of differences) each turned."""
        table = self.table
        if swap:
            table = replace(
                table, plus=table.minus, minus=table.plus, items=table.others, others=table.items, only=table.only[::-1]
            )
        else:
            table = replace(table, plus=-table.plus, minus=-table.minus, only=table.only[::-1])
        crossed = self.crossed and replace(
            self.crossed,
            estimate=-self.crossed.estimate,
            blocks=tuple(Block(one.values, -one.weight) for one in self.crossed.blocks),
        )
        return Sample(table, crossed, self.repeated)


def kind_of(a: Outcomes, b: Outcomes) -> Kind:
    """Right or wrong on both sides, shares on both, or scores on any scale."""
    if a.binary and b.binary:
        return "binary"
    known = [one.values[np.isfinite(one.values)] for one in (a, b)]
    within = all(((values >= 0) & (values <= 1)).all() for values in known)
    return "share" if within and not {a.metric, b.metric} & UNBOUNDED else "score"


def sample_of(table: Aligned, replicates: int = REPLICATES, *, shares: bool = True, repeated: bool = False) -> Sample:
    """What ``table`` says of the mean difference between its sides; two test sets are resampled apart.

    ``shares``: all values are within -1..1; ``repeated``: as in `Sample`.
    """
    if not table.plus.size or not table.minus.size:
        return Sample(table, None)
    apart = [Block(table.plus), Block(table.minus, -1.0)]
    blocks = [Block(table.plus - table.minus)] if table.paired else apart
    return Sample(table, crossed_bootstrap(blocks, replicates, shares=shares), repeated)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Interval and p of a difference, whose value is its sample's.

    ``t_interval``: of the draw-level differences alone (None for one draw, from six draws on, and where it is not
    looked at); ``p_equivalent``: the larger p of the two one-sided tests (None: not asked); ``moderated``: what both
    come from where noise between draws is pooled, else None, with the reason in ``not_pooled`` (None for one draw).
    """

    interval: Interval
    p: float
    test: str
    t_interval: Interval | None = None
    p_equivalent: float | None = None
    moderated: Moderated | None = None
    not_pooled: str | None = None

    @property
    def pool(self) -> Pool | None:
        """What noise between draws was pooled with."""
        return None if self.moderated is None else self.moderated.pool

    def turned(self) -> Estimate:
        """Of the difference of the other sign."""
        return replace(
            self,
            interval=_mirrored(self.interval),
            t_interval=self.t_interval and _mirrored(self.t_interval),
            moderated=self.moderated and replace(self.moderated, estimate=-self.moderated.estimate),
        )


def _mirrored(interval: Interval) -> Interval:
    return -interval[1], -interval[0]


@dataclass(frozen=True, slots=True)
class Decided:
    """What is shown, where ``size`` contrasts were asked together, which share what ``family`` says.

    ``p`` and ``p_equivalent``: adjusted over them (None where nothing was measured, or asked); ``verdict`` is said of
    the plus side; ``needed``: items at which the observed difference would be found with 80 % power (None when decided,
    when there is no difference, and when more items alone cannot decide), ``needed_draws`` draws of as many items (None
    for one draw, too).
    """

    family: str
    size: int
    p: float | None
    p_equivalent: float | None
    verdict: Verdict
    needed: int | None = None
    needed_draws: int | None = None

    def turned(self) -> Decided:
        """Said of the other side."""
        other: dict[Verdict, Verdict] = {"wins": "loses", "loses": "wins"}
        return replace(self, verdict=other.get(self.verdict, self.verdict))
