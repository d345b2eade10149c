"""Does the order of two methods change under a shift, and from which size of the model on?

A lead is the contrast of two methods on the same items (`onset.analysis.contrast.asked`); what a shift does to it is
the difference of their losses, an interaction: lead on shifted items minus lead on clean ones. The order *reverses*
where one method is shown to be ahead on clean items and the other on shifted ones; both have to be shown, each p
adjusted within its own family, so that two tests together claim no more than either does (an intersection-union test,
Berger 1982). A lead *narrows* or *widens* where the change is shown, is *kept* where the leader is shown to be ahead on
both and no change is.

Over the models of a family the same pair makes a curve: from which size on each of the two is shown to be ahead, on
clean items and under the shift, with the size at which the fitted curves meet (`onset.analysis.estimates.gains`), and
how the change grows per tenfold parameters: the slope of least squares over log size, a weighted sum of all accuracies
(`onset.analysis.contrast.combined`). That of a single method's drop is found in the same way. p over the sizes, and
over the slopes of a task and shift, is adjusted by Holm.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from onset.analysis.contrast.asked import place
from onset.analysis.contrast.combined import crossed_of, estimate_of, together
from onset.analysis.contrast.contrast import Contrast, verdict_of
from onset.analysis.contrast.parts import Estimate, Verdict
from onset.analysis.estimates.gains import MIN_SIZES, Crossover, crossover_of
from onset.analysis.outcomes import Outcomes
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA, holm
from onset.analysis.stats.bootstrap import REPLICATES, Crossed
from onset.analysis.stats.pooling import Link, pool

OrderVerdict = Literal["reverses", "narrows", "widens", "keeps", "undecided"]


@dataclass(frozen=True, eq=False)
class Lead(Placed):
    """Two methods on one model, on clean and on shifted items (differences of shares).

    ``clean``, ``shifted``: the first minus the second; ``change``: shifted minus clean; each decided in its family.
    """

    clean: Contrast
    shifted: Contrast
    change: Contrast

    @property
    def at(self) -> Setting:
        """The second method's setting under the shift."""
        return self.shifted.minus

    @property
    def sides(self) -> tuple[str, str]:
        """The two methods."""
        return self.shifted.names

    @property
    def leader(self) -> int:
        """1 where the first method is ahead on clean items, -1 where the second is: shown, else as measured."""
        return _sign(self.clean) or (1 if (self.clean.difference or 0.0) >= 0 else -1)

    @property
    def verdict(self) -> OrderVerdict:
        """Of the order of the two, said of whoever leads on clean items: where that is not shown and the other is shown
        to be ahead under the shift, a shown change narrows the lead that was measured.
        """
        before, after = _sign(self.clean), _sign(self.shifted)
        if before * after < 0:
            return "reverses"
        moved = _sign(self.change)
        if moved and (before or after):
            return "widens" if moved == self.leader else "narrows"
        return "keeps" if before and before == after else "undecided"

    @property
    def p(self) -> float:
        """Of a reversal: the larger adjusted p of the two leads, 1 where they have one sign."""
        if (self.clean.difference or 0.0) * (self.shifted.difference or 0.0) >= 0:
            return 1.0
        return max(1.0 if one.p_adjusted is None else one.p_adjusted for one in (self.clean, self.shifted))

    def turned(self) -> Lead:
        """Said of the other method."""
        return Lead(self.clean.turned(), self.shifted.turned(), self.change.turned())

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return self.coordinates() | {
            "family": self.family,
            "sides": list(self.sides),
            "seeds": list(self.change.draws),
            "n": self.change.n,
            **{name: _of(one) for name, one in self._parts()},
            "verdict": self.verdict,
        }

    def _parts(self) -> tuple[tuple[str, Contrast], ...]:
        return ("clean", self.clean), ("shifted", self.shifted), ("change", self.change)


def _of(one: Contrast) -> dict[str, Any]:
    held = one.json()
    names = ("difference", "interval", "p", "p_holm", "family_size", "verdict", "test")
    return {name: held[name] for name in names}


def _sign(one: Contrast) -> int:
    return {"wins": 1, "loses": -1}.get(one.verdict, 0)


@dataclass(frozen=True, eq=False)
class Slope(Placed):
    """What changes per tenfold parameters (shares) under a shift: the drop of a method, or its lead over another.

    ``sides``: the method, or both; ``sizes``: in parameters, ascending; ``verdict``: ``wins`` where it rises with size.
    """

    at: Setting
    sides: tuple[str, ...]
    sizes: tuple[int, ...]
    value: float
    estimate: Estimate
    n: int
    draws: tuple[int, ...]
    p_adjusted: float | None = None
    verdict: Verdict = "undecided"

    def json(self) -> dict[str, Any]:
        """As plain JSON."""
        return _head(self, self.sides) | {
            "sizes": list(self.sizes),
            "seeds": list(self.draws),
            "n": self.n,
            "per_tenfold": self.value,
            "interval": list(self.estimate.interval),
            "p": self.estimate.p,
            "p_holm": self.p_adjusted,
            "test": self.estimate.test,
            "verdict": {"wins": "rises", "loses": "falls"}.get(self.verdict, self.verdict),
        }


@dataclass(frozen=True, slots=True)
class Overtaking:
    """From which size on ``method``, the one that is ahead at the largest size as measured, is ahead of the other."""

    method: str
    crossover: Crossover

    def json(self) -> dict[str, Any]:
        """As plain JSON, flat."""
        held = asdict(self.crossover)
        said = {name: list(value) if isinstance(value, tuple) else value for name, value in held.items()}
        return {"method": self.method, **said}


@dataclass(frozen=True, eq=False)
class LeadCurve(Placed):
    """The lead of one method over another at every size of a family, ascending, on clean and on shifted items.

    ``p_sizes``: the p of a reversal at each size, adjusted over the sizes; ``clean`` and ``shifted``: from which size
    on one is ahead; ``slope``: of what the shift does to the lead (None: draws or items have nothing in common).
    """

    leads: tuple[Lead, ...]
    p_sizes: tuple[float, ...]
    clean: Overtaking
    shifted: Overtaking
    slope: Slope | None

    @property
    def at(self) -> Setting:
        """What all points share."""
        return self.leads[0].at.without("model", "params", "method")

    @property
    def sides(self) -> tuple[str, str]:
        """The two methods."""
        return self.leads[0].sides

    @property
    def reversed(self) -> tuple[Lead, ...]:
        """Where the order is shown to reverse, p adjusted over the sizes too."""
        return tuple(
            one for one, p in zip(self.leads, self.p_sizes, strict=True) if one.verdict == "reverses" and p <= ALPHA
        )

    def json(self) -> dict[str, Any]:
        """As plain JSON, its leads by size inside."""
        return _head(self, self.sides) | {
            "points": [one.json() | {"p_sizes": p} for one, p in zip(self.leads, self.p_sizes, strict=True)],
            "clean": self.clean.json(),
            "shifted": self.shifted.json(),
            "slope": self.slope and self.slope.json(),
        }


def _head(one: Placed, sides: Sequence[str]) -> dict[str, Any]:
    """Where something over sizes was measured, and of which methods."""
    return {
        "task": one.task,
        "shift": one.shift,
        "labels": one.labels,
        "stage": one.stage,
        "family": one.family,
        "sides": list(sides),
    }


# ---- two methods ---------------------------------------------------------------------------------------------------


def leads(methods: Iterable[Contrast], loss_differences: Iterable[Contrast]) -> tuple[Lead, ...]:
    """Every pair of methods whose losses were compared, where both leads were measured too.

    ``methods``: comparisons of methods, ``loss_differences``: of their losses, as `onset.analysis.contrast.asked` has
    them.
    """
    known = {
        (said.at.without("method"), said.names): said
        for one in methods
        if one.difference is not None
        for said in (one, one.turned())
    }
    out = []
    for one in loss_differences:
        names = one.names
        where = one.minus.without("method")
        clean, shifted = known.get((where.without("shift"), names)), known.get((where, names))
        if clean is not None and shifted is not None:
            out.append(Lead(clean, shifted, _flipped(one)))
    return tuple(out)


def _flipped(one: Contrast) -> Contrast:
    """The difference of two losses (clean minus shifted) as the change of the lead: with the other sign, its sides
    called as they are.
    """
    turned = one.turned()
    return replace(turned, plus=one.plus, minus=one.minus, names=one.names)


# ---- over sizes ----------------------------------------------------------------------------------------------------


def lead_curves(
    found: Sequence[Lead], arms: Sequence[Outcomes], *, replicates: int = REPLICATES
) -> tuple[LeadCurve, ...]:
    """Every pair at three sizes of a family or more."""
    at = {arm.at: arm for arm in arms}
    groups: dict[Hashable, list[Lead]] = {}
    for one in found:
        if one.params:
            groups.setdefault((one.at.without("model", "params", "method"), one.sides), []).append(one)
    kept = [
        sorted(group, key=lambda one: one.params)
        for group in groups.values()
        if len({one.params for one in group}) >= MIN_SIZES
    ]
    slopes = _slopes([_four(group, at) for group in kept], replicates)
    clean: dict[Hashable, Overtaking] = {}
    out = []
    for group, slope in zip(kept, slopes, strict=True):
        # the clean side is one for all shifts
        own = (group[0].clean.minus.without("model", "params"), group[0].sides, tuple(one.model for one in group))
        if own not in clean:
            clean[own] = _overtaking([one.clean for one in group], at)
        shifted = _overtaking([one.shifted for one in group], at)
        out.append(LeadCurve(tuple(group), tuple(holm([one.p for one in group])), clean[own], shifted, slope))
    return tuple(out)


def _overtaking(points: Sequence[Contrast], at: Mapping[Setting, Outcomes]) -> Overtaking:
    """Curves are fitted where the measured lead changes its sign, and is shown at some size."""
    if points[-1].gap < 0:
        points = [one.turned() for one in points]
    firsts, seconds = [at[point.plus] for point in points], [at[point.minus] for point in points]
    signs, shown = {point.gap > 0 for point in points}, any(map(_sign, points))
    return Overtaking(points[0].names[0], crossover_of(points, firsts, seconds, fit=shown and len(signs) > 1))


def drop_slopes(
    losses: Sequence[Contrast], arms: Sequence[Outcomes], *, replicates: int = REPLICATES
) -> tuple[Slope, ...]:
    """How the drop of every method grows with size, where it was measured at three sizes of a family or more."""
    at = {arm.at: arm for arm in arms}
    groups: dict[Hashable, list[Contrast]] = {}
    for one in losses:
        if one.params:
            groups.setdefault(one.minus.without("model", "params"), []).append(one)
    kept = [
        sorted(group, key=lambda one: one.params)
        for group in groups.values()
        if len({one.params for one in group}) >= MIN_SIZES
    ]
    made = _slopes([_two(group, at) for group in kept], replicates)
    return tuple(one for one in made if one is not None)


@dataclass(frozen=True, eq=False)
class _Terms:
    """What a slope is of: accuracies with their signs at every size."""

    at: Setting
    sides: tuple[str, ...]
    sizes: tuple[int, ...]
    terms: tuple[tuple[tuple[int, Outcomes], ...], ...]

    @property
    def measured(self) -> Hashable:
        """Where its arms stand, whatever the shift: arms that show no example are the same ones at every budget."""
        return tuple((sign, place(arm)) for some in self.terms for sign, arm in some)


def _four(group: Sequence[Lead], at: Mapping[Setting, Outcomes]) -> _Terms:
    """The lead under the shift minus that on clean items."""
    terms = tuple(
        (
            (1, at[one.shifted.plus]),
            (-1, at[one.shifted.minus]),
            (-1, at[one.clean.plus]),
            (1, at[one.clean.minus]),
        )
        for one in group
    )
    return _Terms(group[0].at.without("model", "params", "method"), group[0].sides, _sizes(group), terms)


def _two(group: Sequence[Contrast], at: Mapping[Setting, Outcomes]) -> _Terms:
    terms = tuple(((1, at[one.plus]), (-1, at[one.minus])) for one in group)
    return _Terms(group[0].minus.without("model", "params"), (group[0].method,), _sizes(group), terms)


def _sizes(group: Sequence[Placed]) -> tuple[int, ...]:
    return tuple(one.params for one in group)


def _slopes(every: Sequence[_Terms], replicates: int) -> list[Slope | None]:
    """Each slope tested, noise between draws pooled over those of one kind; p by Holm over a task, shift and kind."""
    crossed = [_crossed(one, replicates) for one in every]
    links: list[Link] = [(one.measured, "its slope") for one in every]
    designs = [f"slopes over size of {'a drop' if len(one.sides) == 1 else 'a lead'}" for one in every]
    pooled = pool([None if one is None else one[0] for one in crossed], designs, links)
    made: list[Slope | None] = []
    for terms, found, said in zip(every, crossed, pooled, strict=True):
        if found is None:
            made.append(None)
            continue
        whole, n, draws = found
        estimate = estimate_of(whole, pooled=said, limit=math.inf)
        made.append(Slope(terms.at, terms.sides, terms.sizes, whole.estimate, estimate, n, draws))
    asked: dict[Hashable, list[int]] = {}
    for place_of, slope in enumerate(made):
        if slope is not None:
            asked.setdefault((slope.task, slope.shift, len(slope.sides)), []).append(place_of)
    for places in asked.values():
        held = [(every[at].measured, at, one) for at in places if (one := made[at]) is not None]
        tests = {measured: one.estimate.p for measured, _, one in held}  # what is measured once is one test
        adjusted = dict(zip(tests, holm([*tests.values()]), strict=True))
        for measured, at, slope in held:
            p = adjusted[measured]
            verdict = verdict_of(slope.value, p, None, higher_is_better=True)
            made[at] = replace(slope, p_adjusted=p, verdict=verdict)
    return made


def _crossed(one: _Terms, replicates: int) -> tuple[Crossed, int, tuple[int, ...]] | None:
    """The slope over log10 size, with the shifted items and draws behind it; None where none are in common."""
    x = np.log10(np.array(one.sizes, dtype=np.float64))
    if float(np.ptp(x)) == 0:
        return None
    by_size = (x - x.mean()) / float(((x - x.mean()) ** 2).sum())
    flat = [(weight * sign, arm) for weight, some in zip(by_size, one.terms, strict=True) for sign, arm in some]
    clean, shifted = ([pair for pair in flat if pair[1].at.clean is side] for side in (True, False))
    held = together([arm for _, arm in clean], [arm for _, arm in shifted])
    if isinstance(held, str):
        return None
    blocks = held.blocks([weight for weight, _ in clean], [weight for weight, _ in shifted])
    crossed = crossed_of(blocks, replicates)
    return None if crossed is None else (crossed, int(held.shifted.shape[2]), held.draws)
