"""From how many labelled examples on does tuning beat prompting: on the mean over draws, and for draws of one's own.

Every tuned method is held against every prompting one of the same model at the budgets that both were given; the leads
and intervals are those of the comparisons (`onset.analysis.contrast`), and the place where a lead begins is that of
`onset.analysis.curves.break_even`. A mean over draws is of no use to somebody who has one draw: after the idea of
Pecher, Srba and Bielikova (2025, "Comparing Specialised Small and General Large Language Models on Text Classification:
100 Labelled Samples to Achieve Break-Even Performance", arXiv 2402.12819), who count the labels at which tuning is
ahead on the average (about 100) and with the variance between runs counted (100 to 200 % more), the second place is
where the mean lead less one standard deviation between draws is above 0: five draws of six (of normal ones 84 %) are
ahead from there on. Noise of single outcomes, which more test items would remove, is taken out of that deviation. Its
interval puts together those of the mean and of the deviation (Zou and Donner 2008, "Construction of confidence limits
about effect measures: a general approach", Statistics in Medicine 27, 1693-1702). The paper's own rule may differ in
detail.

Where the sides use worked steps differently, labels alone do not say what they cost: with a price of a worked step's
annotation in answers, both are also held against each other at equal cost (`Priced`): each has the largest budget that
is paid for, in between its outcomes are mixed, and more money than its largest budget costs brings it nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.curves.break_even import Place, place_of_lead
from onset.analysis.outcomes import KEY, Outcomes, pair
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.means import mean_interval, spread_interval
from onset.analysis.stats.shares import Interval

DEVIATIONS = 1.0
"""Standard deviations between draws that the mean lead has to exceed where their variance is counted."""
PRICES = (0.0, 1.0, 3.0, 10.0)
"""Prices of a rationale, in answers, where none is set."""

Uses = Mapping[tuple[Any, ...], tuple[float, float]]
"""By the values of `KEY`: labelled examples and rationales that an arm uses, means over its draws."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Of tuning over prompting at one budget (shares): the mean over draws, and less `DEVIATIONS` standard deviations
    between draws (None: of one draw, or not known), each with its 95 % interval.
    """

    labels: int
    mean: float
    interval: Interval
    of_a_draw: float | None
    of_a_draw_interval: Interval | None

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "labels": self.labels,
            "lead": self.mean,
            "interval": list(self.interval),
            "lead_of_a_draw": self.of_a_draw,
            "lead_of_a_draw_interval": None if self.of_a_draw_interval is None else list(self.of_a_draw_interval),
        }


@dataclass(frozen=True, slots=True)
class Priced:
    """The break-even in what annotation costs, in answers, where a rationale costs ``rationale`` answers more."""

    rationale: float
    place: Place

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"rationale": self.rationale, **self.place.json()}


@dataclass(frozen=True, eq=False)
class LabelBreak(Placed):
    """From which number of labels on ``tuned`` beats ``prompted``, at the setting of ``at``.

    ``leads`` by ascending budget; ``mean``: of the mean over draws; ``counted``: with the variance between draws
    counted (None: fewer than two budgets with draws enough to know it); ``priced``: in cost, by ascending price; empty
    where no side uses rationales; ``p``: of the lead at the largest budget, by itself (None: not known).
    """

    at: Setting
    tuned: str
    prompted: str
    leads: tuple[Lead, ...]
    n: int
    draws: int
    mean: Place
    counted: Place | None
    priced: tuple[Priced, ...] = ()
    p: float | None = None

    def json(self) -> dict[str, Any]:
        """An entry of ``break_even_labels`` in ``onset show --json``."""
        where = {"task": self.task, "shift": self.shift, "model": self.model, "params": self.params}
        return where | {
            "stage": self.stage,
            "tuned": self.tuned,
            "prompted": self.prompted,
            "n": self.n,
            "draws": self.draws,
            "leads": [one.json() for one in self.leads],
            "p": self.p,
            "mean": self.mean.json(),
            "variance_counted": None if self.counted is None else self.counted.json(),
            "priced": [one.json() for one in self.priced],
        }


def label_breaks(
    comparisons: Sequence[Contrast],
    arms: Sequence[Outcomes],
    uses: Uses | None = None,
    *,
    prices: Sequence[float] = PRICES,
) -> tuple[LabelBreak, ...]:
    """Every tuned method against every prompting one that share two budgets above 0 or more.

    ``comparisons``: of methods, as a study asks them (side plus is tuned); ``uses``: what each arm uses, without which
    nothing is priced.
    """
    tuned = {arm.method for arm in arms if arm.tuned}
    groups: dict[tuple[str, ...], list[Contrast]] = {}
    for one in comparisons:
        facing = one.names[0] in tuned and one.names[1] not in tuned
        if facing and one.labels > 0 and one.difference is not None and one.interval is not None:
            groups.setdefault((one.task, one.shift, one.model, one.stage, *one.names), []).append(one)
    of = {arm.at: arm for arm in arms}
    return tuple(
        _break(sorted(group, key=lambda one: one.labels), of, uses or {}, prices)
        for group in groups.values()
        if len(group) > 1
    )


def _break(
    group: Sequence[Contrast], of: Mapping[Setting, Outcomes], uses: Uses, prices: Sequence[float]
) -> LabelBreak:
    leads = [_lead(one) for one in group]
    known = [one for one in leads if one.of_a_draw is not None and one.of_a_draw_interval is not None]
    counted = None
    if len(known) == len(leads):
        counted = place_of_lead(
            [one.labels for one in known],
            [one.of_a_draw for one in known if one.of_a_draw is not None],
            [one.of_a_draw_interval for one in known if one.of_a_draw_interval is not None],
        )
    first = group[0]
    sides = [[of[getattr(one, side)] for one in group if getattr(one, side) in of] for side in ("plus", "minus")]
    return LabelBreak(
        at=first.at.without("method", "labels"),
        tuned=first.names[0],
        prompted=first.names[1],
        leads=tuple(leads),
        n=max(one.n for one in group),
        draws=min(len(one.draws) for one in group),
        mean=place_of_lead([one.labels for one in leads], [one.mean for one in leads], [one.interval for one in leads]),
        counted=counted,
        priced=tuple(_priced(sides[0], sides[1], uses, prices)),
        p=group[-1].p,
    )


def _lead(one: Contrast) -> Lead:
    mean, interval = one.gap, one.spread
    found = _between_draws(one)
    if found is None:
        return Lead(one.labels, mean, interval, None, None)
    deviation, (least, most) = found
    value = mean - DEVIATIONS * deviation
    low = value - math.hypot(mean - interval[0], DEVIATIONS * (most - deviation))
    high = value + math.hypot(interval[1] - mean, DEVIATIONS * (deviation - least))
    return Lead(one.labels, mean, interval, value, (max(-1.0, low), min(1.0, high)))


def _between_draws(one: Contrast) -> tuple[float, Interval] | None:
    """The standard deviation of the lead between draws, without the noise of single outcomes, and its interval.

    0 where no side has draws to differ by; None where one draw, or a table with holes, does not tell.
    """
    crossed = one.sample.crossed
    if one.sample.repeated:
        return 0.0, (0.0, 0.0)
    if crossed is None or crossed.parts.between_draws is None or crossed.parts.residual is None:
        return None
    draws, single = crossed.draws, crossed.parts.residual * crossed.draws
    moderated = None if one.estimate is None else one.estimate.moderated
    own = crossed.parts.between_draws * draws, draws - 1.0
    square, df = own if moderated is None else (moderated.between * draws, moderated.df_between)
    low, high = spread_interval(square, df)
    root = [math.sqrt(max(0.0, value - single)) for value in (square, low, high)]
    return root[0], (root[1], root[2])


# ---- priced --------------------------------------------------------------------------------------------------------


def _priced(
    tuned: Sequence[Outcomes], prompted: Sequence[Outcomes], uses: Uses, prices: Sequence[float]
) -> list[Priced]:
    held = [[_used(arm, uses) for arm in side] for side in (tuned, prompted)]
    known = [[one for one in side if one is not None] for side in held]
    if any(len(a) != len(b) for a, b in zip(held, known, strict=True)) or not any(
        one[1] for side in known for one in side
    ):
        return []
    out = []
    for price in prices:
        costs = [[labels + price * rationales for labels, rationales in side] for side in known]
        place = _at_cost(_curve(tuned, costs[0]), _curve(prompted, costs[1]))
        if place is not None:
            out.append(Priced(price, place))
    return out


def _used(arm: Outcomes, uses: Uses) -> tuple[float, float] | None:
    return uses.get(tuple(getattr(arm, name) for name in KEY))


def _curve(arms: Sequence[Outcomes], costs: Sequence[float]) -> list[tuple[float, Outcomes]]:
    """By ascending cost, of equal costs (a prompt that shows four examples whatever the budget) the largest budget."""
    return sorted(dict(zip(costs, arms, strict=True)).items())


def _at_cost(ours: Sequence[tuple[float, Outcomes]], theirs: Sequence[tuple[float, Outcomes]]) -> Place | None:
    """Where ``ours`` is ahead at equal cost, over the costs at which both are paid for; None: at fewer than two."""
    start = max(ours[0][0], theirs[0][0])
    costs = sorted({cost for cost, _ in (*ours, *theirs) if cost >= start and cost > 0})
    if len(costs) < 2:
        return None
    found = [mean_interval(_difference(ours, theirs, cost), shares=True) for cost in costs]
    return place_of_lead(costs, [mean for mean, _ in found], [interval for _, interval in found])


def _difference(ours: Sequence[tuple[float, Outcomes]], theirs: Sequence[tuple[float, Outcomes]], cost: float) -> Array:
    """Outcomes at equal cost, draws x items: every part of one mixture against every part of the other."""
    parts = [
        (ours_share * theirs_share, pair(a, b, (a.method, b.method)))
        for ours_share, a in _mixture(ours, cost)
        for theirs_share, b in _mixture(theirs, cost)
    ]
    draws = sorted(set.intersection(*(set(one.draws) for _, one in parts)))
    items = sorted(set.intersection(*(set(one.items) for _, one in parts)))
    total = np.zeros((len(draws), len(items)))
    for share, one in parts:
        rows = [one.draws.index(draw) for draw in draws]
        places = {item: column for column, item in enumerate(one.items)}
        columns = [places[item] for item in items]
        total += share * (one.plus - one.minus)[np.ix_(rows, columns)]
    return total


def _mixture(curve: Sequence[tuple[float, Outcomes]], cost: float) -> list[tuple[float, Outcomes]]:
    """What ``cost`` buys: an arm, or of two neighbours so much of each as its place between them on a log axis says."""
    if cost >= curve[-1][0]:
        return [(1.0, curve[-1][1])]
    for (low, a), (high, b) in pairwise(curve):
        if low <= cost < high:
            share = 0.0 if cost == low or low <= 0 else math.log(cost / low) / math.log(high / low)
            return [(1.0, a)] if share == 0.0 else [(1.0 - share, a), (share, b)]
    raise ValueError(f"{cost} pays for none of {[cost for cost, _ in curve]}")
