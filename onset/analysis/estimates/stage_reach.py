"""Does a stage of training create an ability, or only make likelier what the model before it could sample?

Where both models have a bank of samples on the same items, pass@k (the share of items at which one of k samples is
right) is compared at every k. A stage that only makes right answers likelier raises pass@1, and the gap closes as k
grows: the model before reaches the same items with more samples. Yue et al. 2025 (arXiv 2504.13837) find that of
reinforcement learning: the base model's pass@k meets and passes that of the trained one at large k. A stage that
creates something keeps its lead at the largest k.

Three paired contrasts, adjusted by Holm over all of a task, shift and family: pass@1 and pass@K after minus before, and
how much the lead grows from 1 to K. K is the largest number of samples that both banks have, and the verdict is about K
samples: with more, an ability that was there and rarely shown may turn up. Where pass@k of the model before still rises
there, it would: rare right answers of every item give a lead that grows with few samples, whatever is true. So
"created" also asks that this curve has come to its end (`StageReach.ended`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from onset.analysis.contrast.asked import decided, link
from onset.analysis.contrast.contrast import Contrast, measure, share_noise
from onset.analysis.estimates.banks import Bank
from onset.analysis.estimates.stages import Against, Tokens, Trainings, sides, tokens_of
from onset.analysis.outcomes import Outputs
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import MARGIN
from onset.analysis.stats.bootstrap import REPLICATES
from onset.analysis.stats.pooling import Link

ReachVerdict = Literal["created", "made likelier", "narrowed", "no change", "lost", "undecided"]


FLAT = 0.1
"""pass@k of the model before has ended where doubling k adds at most this share of it and of the lead that is left,"""
FLAT_OF_MARGIN = 0.2
"""or at most this share of the margin."""


@dataclass(frozen=True, eq=False)
class StageReach(Placed):
    """pass@k of a stage against its reference.

    ``one`` and ``all``: pass@1 and pass@K, ``growth``: how much larger the difference is at K than at 1, each decided
    with all others of its task, shift and family. ``curves``: pass@k of both for k = 1 to K, on the items compared;
    ``placebo``: is the stage itself one?
    """

    one: Contrast
    all: Contrast
    growth: Contrast
    samples: int
    curves: tuple[tuple[float, ...], tuple[float, ...]]
    methods: tuple[str, ...]
    against: Against
    tokens: Tokens
    margin: float
    placebo: bool = False

    @property
    def at(self) -> Setting:
        """The reference's setting."""
        return self.one.minus

    @property
    def sides(self) -> tuple[str, str]:
        """The stage and its reference."""
        return self.one.plus.stage_name, self.one.minus.stage_name

    @property
    def keeps_its_lead(self) -> bool:
        """Is it shown that the difference at K is not smaller than that at 1 by the margin or more?"""
        return self.growth.interval is not None and self.growth.interval[0] > -self.margin

    @property
    def ended(self) -> bool:
        """Does pass@k of the model before hardly rise any more (`FLAT`) over the last doubling of k, to K?"""
        before = self.curves[1]
        rise = before[-1] - before[(self.samples + 1) // 2 - 1]
        return rise <= max(FLAT * min(before[-1], max(self.all.gap, 0.0)), FLAT_OF_MARGIN * self.margin)

    @property
    def verdict(self) -> ReachVerdict:
        """``created``: more items are reached with K samples, the lead of pass@1 does not close, and the model before
        reaches hardly any more with more samples (`ended`). ``made likelier``:
        pass@1 rises, and at K the models are equivalent, or the lead is shown to close and none is left that is shown.
        ``narrowed``: pass@1 rises and pass@K falls. ``lost``: pass@1 falls and pass@K does not rise. ``no change``:
        both are equivalent.
        """
        one, every = self.one.verdict, self.all.verdict
        if every == "wins" and one != "loses" and self.keeps_its_lead and self.ended:
            return "created"
        if one == "wins" and every == "loses":
            return "narrowed"
        if one == "wins" and (every == "equivalent" or (every != "wins" and self.growth.verdict == "loses")):
            return "made likelier"
        if one == "loses" and every != "wins":
            return "lost"
        return "no change" if one == every == "equivalent" else "undecided"

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares."""
        held = {name: getattr(self, name).json() for name in ("one", "all", "growth")}
        names = ("difference", "interval", "p", "p_holm", "p_equivalent_holm", "test", "verdict")
        return {
            "task": self.task,
            "shift": self.shift,
            "labels": self.labels,
            "family": self.family,
            "params": self.params,
            "methods": list(self.methods),
            "models": [self.one.plus.model, self.one.minus.model],
            "sides": list(self.sides),
            "against": self.against,
            "tokens": self.tokens.json(),
            "tokens_equal": self.tokens.equal,
            "seeds": list(self.one.draws),
            "n": self.one.n,
            "samples": self.samples,
            "margin": self.margin,
            "ended": self.ended,
            "points": [
                {"k": k, "after": after, "before": before}
                for k, (after, before) in enumerate(zip(*self.curves, strict=True), start=1)
            ],
            **{
                name: {key: one[key] for key in names} | {"after": one["accuracy_a"], "before": one["accuracy_b"]}
                for name, one in held.items()
            },
            "family_size": held["one"]["family_size"],
            "mismatch": held["one"]["mismatch"],
            "verdict": self.verdict,
        }


def stage_reaches(
    banks: Sequence[Bank], trainings: Trainings, *, margin: float = MARGIN, replicates: int = REPLICATES
) -> tuple[StageReach, ...]:
    """Every bank after a stage against that of its reference, of the same way of sampling and two samples or more."""
    groups: dict[Hashable, list[Bank]] = {}
    for bank in banks:
        groups.setdefault((bank.task, bank.shift, bank.family, bank.labels, bank.methods), []).append(bank)
    made: list[tuple[StageReach, Link]] = []
    for group in groups.values():
        for stage, reference, against in sides(group, trainings):
            found = _reach(stage, reference, against, tokens_of(stage, reference, trainings), margin, replicates)
            held = trainings.get((stage.model, stage.stage))
            placebo = held is not None and held.is_placebo
            if found is not None:
                made.append((replace(found, placebo=placebo), link(stage.arm, reference.arm)))
    made.sort(key=lambda row: (row[0].task, row[0].shift, row[0].family))
    members = share_noise(
        [getattr(one, name) for one, _ in made for name in _DESIGNS],
        [design for _ in made for design in _DESIGNS.values()],
        [sides_of for _, sides_of in made for _ in _DESIGNS],
    )
    places = [(one.task, one.shift, one.family) for one, _ in made for _ in _DESIGNS]
    done = decided(members, places, lambda one: f"pass@k of stages on {one.task}, shift {one.shift}, {one.family}")
    return tuple(
        replace(one, one=done[3 * at], all=done[3 * at + 1], growth=done[3 * at + 2])
        for at, (one, _) in enumerate(made)
    )


_DESIGNS = {
    "one": "one sample of two stages",
    "all": "any of the samples of two stages",
    "growth": "growth with samples, of two stages",
}
"""What of a `StageReach` is compared, and the name under which its noise between draws is pooled."""


def _reach(
    stage: Bank, reference: Bank, against: Against, tokens: Tokens, margin: float, replicates: int
) -> StageReach | None:
    samples = min(stage.samples, reference.samples)
    if samples < 2:  # a single sample has no k to grow to
        return None

    def held(value: str) -> Contrast:
        tables = [
            {"one": bank.passed[0], "all": bank.passed[samples - 1]}.get(
                value, bank.passed[samples - 1] - bank.passed[0]
            )
            for bank in (stage, reference)
        ]
        arms = [replace(b.arm, values=t, outputs=Outputs()) for b, t in zip((stage, reference), tables, strict=True)]
        return measure(arms[0], arms[1], "stage", margin=margin, replicates=replicates, kind="share")

    one, every, growth = held("one"), held("all"), held("growth")
    if one.difference is None:
        return None
    return StageReach(
        one=one,
        all=every,
        growth=growth,
        samples=samples,
        curves=_curves(stage, reference, one, samples),
        methods=stage.methods,
        against=against,
        tokens=tokens,
        margin=margin,
    )


def _curves(stage: Bank, reference: Bank, one: Contrast, samples: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """pass@k of both over the draws and items that the contrast compares."""
    items = set(one.sample.table.items)
    out = []
    for bank in (stage, reference):
        rows = [bank.arm.draws.index(draw) for draw in one.draws]
        columns = [place for place, item in enumerate(bank.arm.items) if item in items]
        table = bank.passed[:samples][:, rows][:, :, columns]
        out.append(tuple(float(value) for value in np.nanmean(table, axis=(1, 2))))
    return out[0], out[1]
