"""What an arm loses under each shift: accuracy on clean and on shifted items, the drop, which answers flip, and the
worst of several shifts.

A drop is a contrast along the shift (`onset.analysis.contrast.asked.losses`): of a rewrite paired, every item with its
clean twin, of another test set over the items of both and the draws together. Only twins flip: the share of answers
that were right and are wrong, of those that were right, and the other way round.

The worst shift is picked from several by what was measured, so that its own interval would be too high: it has
simultaneous intervals (Bonferroni over the shifts of the arm), and the largest true drop lies between the largest of
their lower and the largest of their upper ends, whichever shift it is. The same for the lowest accuracy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from onset.analysis.contrast.combined import estimate_of
from onset.analysis.contrast.contrast import Contrast, estimated
from onset.analysis.estimates.label_curves import LabelPoint
from onset.analysis.estimates.shares import Share, ratio
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA
from onset.analysis.stats.bootstrap import REPLICATES, Array, Block, crossed_bootstrap
from onset.analysis.stats.shares import Interval
from onset.scores import wilson

FallVerdict = Literal["loses", "gains", "undecided"]
WorstVerdict = Literal["loses", "holds", "undecided"]
_SAID: dict[str, FallVerdict] = {"wins": "loses", "loses": "gains"}


@dataclass(frozen=True, eq=False)
class Fall(Placed):
    """An arm under a shift (shares, 0..1).

    ``drop``: clean minus shifted, decided within its task, shift, model and stage; ``clean`` and ``shifted``: the arm's
    means with their intervals; ``flips``: right answers that become wrong, of those right on the clean twin, and wrong
    ones that become right (None of another test set, and where none is right, or wrong).
    """

    drop: Contrast
    clean: LabelPoint
    shifted: LabelPoint
    flips: tuple[Share | None, Share | None]

    @property
    def at(self) -> Setting:
        """The shifted arm's setting."""
        return self.drop.minus

    @property
    def paired(self) -> bool:
        """Is every shifted item paired with its clean twin?"""
        return self.drop.sample.table.paired

    @property
    def verdict(self) -> FallVerdict:
        """Said of the arm under the shift."""
        return _SAID.get(self.drop.verdict, "undecided")

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        held = self.drop.json()
        tested = ("p", "p_holm", "family_size", "test", "not_pooled", "by_draw", "needed", "needed_draws")
        names = (*tested, "unpaired", "mismatch")
        return self.coordinates(method=self.method) | {
            "family": self.family,
            "paired": self.paired,
            "seeds": held["seeds"],
            "n": self.drop.n,
            "clean": self.clean.accuracy,
            "clean_interval": list(self.clean.interval),
            "clean_n": self.clean.n,
            "shifted": self.shifted.accuracy,
            "shifted_interval": list(self.shifted.interval),
            "drop": self.drop.difference,
            "interval": held["interval"],
            **{name: held[name] for name in names},
            "verdict": self.verdict,
            "right_to_wrong": self.flips[0] and self.flips[0].json(),
            "wrong_to_right": self.flips[1] and self.flips[1].json(),
        }


@dataclass(frozen=True, eq=False)
class Worst(Placed):
    """The worst of several ``shifts`` for an arm: where it loses most, and where it is least accurate.

    ``drop`` and ``accuracy`` of the shifts named ``most`` and ``least``, with simultaneous 95 % intervals of the
    largest drop and of the lowest accuracy over all of the shifts, whichever they are.
    """

    at: Setting
    shifts: tuple[str, ...]
    most: str
    drop: float
    interval: Interval
    least: str
    accuracy: float
    accuracy_interval: Interval
    clean: float
    n: int
    draws: tuple[int, ...]
    margin: float

    @property
    def verdict(self) -> WorstVerdict:
        """``loses``: some shift is shown to take something; ``holds``: none takes more than the margin."""
        if self.interval[0] > 0:
            return "loses"
        return "holds" if self.interval[1] < self.margin else "undecided"

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        where = self.coordinates(method=self.method)
        del where["shift"]
        return where | {
            "shifts": list(self.shifts),
            "seeds": list(self.draws),
            "n": self.n,
            "clean": self.clean,
            "worst_shift": self.most,
            "drop": self.drop,
            "interval": list(self.interval),
            "lowest_shift": self.least,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
            "margin": self.margin,
            "verdict": self.verdict,
        }


def falls(losses: Iterable[Contrast], means: Mapping[tuple[Any, ...], LabelPoint]) -> tuple[Fall, ...]:
    """Every loss with its flips. ``means``: mean accuracies by the values of `onset.analysis.outcomes.KEY`."""
    out = []
    for one in losses:
        clean, shifted = (
            means[side.model, side.stage_name, side.method, side.labels, side.task, side.shift]
            for side in (one.plus, one.minus)
        )
        out.append(Fall(one, clean, shifted, _flips(one)))
    return tuple(out)


def _flips(one: Contrast) -> tuple[Share | None, Share | None]:
    """Right answers that are lost, and wrong ones that become right: None where outcomes are no pairs of right and
    wrong, or there are none to flip.
    """
    table = one.sample.table
    if not table.paired or one.scale.kind != "binary":
        return None, None
    both = np.isfinite(table.plus) & np.isfinite(table.minus)
    clean, shifted = (np.where(both, side, np.nan) for side in (table.plus, table.minus))
    return _share(clean * (1 - shifted), clean), _share((1 - clean) * shifted, 1 - clean)


def _share(part: Array, whole: Array) -> Share | None:
    """A share of outcomes: of one draw with Wilson's interval, since each item is one trial."""
    made = ratio(part, whole)
    if made is None or len(part) > 1:
        return made
    return replace(made, interval=wilson(made.part, made.whole))


def worst_cases(
    found: Sequence[Fall], arms: Sequence[Outcomes], *, margin: float, replicates: int = REPLICATES
) -> tuple[Worst, ...]:
    """Of every arm with two shifts or more."""
    shifted = {arm.at: arm for arm in arms}
    groups: dict[Setting, list[Fall]] = {}
    for one in found:
        groups.setdefault(one.at.without("shift"), []).append(one)
    return tuple(
        _worst(group, [shifted[one.at] for one in group], margin, replicates)
        for group in groups.values()
        if len(group) > 1
    )


def _worst(group: Sequence[Fall], arms: Sequence[Outcomes], margin: float, replicates: int) -> Worst:
    level = 1 - ALPHA / len(group)
    again = [_at_level(one.drop, level).spread for one in group]
    accuracies = [_accuracy(arm, level, replicates) for arm in arms]
    most = max(group, key=lambda one: one.drop.gap)
    least = min(group, key=lambda one: one.shifted.accuracy)
    return Worst(
        at=most.at,
        shifts=tuple(one.shift for one in group),
        most=most.shift,
        drop=most.drop.gap,
        interval=(max(low for low, _ in again), max(high for _, high in again)),
        least=least.shift,
        accuracy=least.shifted.accuracy,
        accuracy_interval=(min(low for low, _ in accuracies), min(high for _, high in accuracies)),
        clean=most.clean.accuracy,
        n=min(one.drop.n for one in group),
        draws=most.drop.draws,
        margin=margin,
    )


def _at_level(one: Contrast, level: float) -> Contrast:
    """The same contrast with an interval of another ``level``."""
    held = one.estimate
    return one if held is None else estimated(one, held.moderated or held.not_pooled, level=level)


def _accuracy(arm: Outcomes, level: float, replicates: int) -> Interval:
    """The interval of the mean accuracy: of one draw Wilson's, of two to five the wider of the bootstrap's and that of
    Student's t over the draws, without which two draws that scatter would hold 94 % of truths where 99 % are said.
    """
    if len(arm.draws) == 1 and arm.binary:
        counts = arm.counts()
        return wilson(counts.correct, counts.n, level)
    crossed = crossed_bootstrap([Block(arm.values)], replicates)
    assert crossed is not None  # an arm holds at least one outcome
    low, high = estimate_of(crossed, level=level).interval
    return max(0.0, low), min(1.0, high)
