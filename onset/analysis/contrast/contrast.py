"""One contrast along any axis: how two methods, stages, sizes, models or sets of results differ, or what a shift does.

    contrast(plus, minus, axis)    the difference between two sides, on the draws and items both have
    interaction(a, b)              how two contrasts along one axis differ: a difference in differences
    decide(asked_together)         p adjusted over all that is asked together, and verdicts

A study goes the same way in three steps: `measure` each contrast, `share_noise` between draws over them, `decide`.
Tests and intervals are those of `onset.analysis.contrast.estimating`. p is adjusted by Holm (1979), and the p of
equivalence in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from onset.analysis.contrast.estimating import Pooled, resampled, side_by_side
from onset.analysis.contrast.needed import needed_draws, needed_items
from onset.analysis.contrast.parts import Decided, Estimate, Kind, Sample, Scale, Verdict, sample_of
from onset.analysis.outcomes import Outcomes, between, pair, twinned
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA, LEVEL, MARGIN, holm
from onset.analysis.stats.bootstrap import REPLICATES
from onset.analysis.stats.pooling import Link, Pool, pool
from onset.analysis.stats.shares import Interval, mcnemar
from onset.errors import InputError

Axis = Literal["method", "stage", "shift", "model", "size", "task", "labels", "set"]
"""What the sides differ in. ``size``: in the model, a step from a smaller one; ``set``: in where they come from."""
Scope = Literal["these examples", "draws", "no examples"]
"""What a verdict is about: the one draw of examples that was compared, draws of examples like those, or no examples at
all (a budget of 0, where nothing is drawn).
"""
SIDE_BY_SIDE = ("method", "stage", "model", "set")
"""Axes along which the sides are asked the same items in two ways: there equivalence is asked for, too."""
_APART: tuple[Axis, ...] = ("method", "stage", "shift", "task", "labels", "model")
"""What tells two contrasts apart, the first in which they differ."""


@dataclass(frozen=True, eq=False)
class Contrast(Placed):
    """Plus side minus minus side (values of accuracy as shares, 0..1).

    ``axis``: what the sides differ in, ``names``: what they are called. ``of``: None, or the axis of the two contrasts
    that are compared, each standing at its own minus side. It is ``at`` its minus side, the reference. Without
    ``estimate`` it was not tested, or nothing could be paired; ``decided``: None before `decide`.
    """

    axis: Axis
    of: Axis | None
    plus: Setting
    minus: Setting
    names: tuple[str, str]
    scale: Scale
    sample: Sample
    estimate: Estimate | None = None
    decided: Decided | None = None

    @property
    def at(self) -> Setting:
        """The setting of the minus side."""
        return self.minus

    @property
    def difference(self) -> float | None:
        """Plus minus minus; None where nothing could be paired."""
        return None if self.sample.crossed is None else self.sample.crossed.estimate

    @property
    def gap(self) -> float:
        """The difference of what was measured. Raises ValueError where nothing could be paired."""
        if self.difference is None:
            raise ValueError(f"{' and '.join(self.names)}: nothing was measured")
        return self.difference

    @property
    def spread(self) -> Interval:
        """The interval of what was tested. Raises ValueError where it was not."""
        if self.estimate is None:
            raise ValueError(f"{' and '.join(self.names)}: nothing was tested")
        return self.estimate.interval

    @property
    def levels(self) -> tuple[float | None, float | None]:
        """Means of both sides; of an interaction how far the two are apart at the plus and the minus end of ``of``."""
        return self.sample.levels

    @property
    def n(self) -> int:
        """Items compared; of two test sets those of the minus side."""
        return self.sample.n

    @property
    def draws(self) -> tuple[int, ...]:
        """The draws compared."""
        return self.sample.table.draws

    @property
    def refused(self) -> tuple[str, ...]:
        """Draws left out and why."""
        return self.sample.table.refused

    @property
    def discordant(self) -> tuple[int, int]:
        """Outcomes that are higher on the plus side, and on the minus side."""
        return self.sample.discordant

    @property
    def by_draw(self) -> tuple[float, ...]:
        """The difference in each draw."""
        return self.sample.by_draw

    @property
    def p_by_draw(self) -> tuple[float, ...]:
        """Exact McNemar p of each draw; empty for other outcomes than right and wrong."""
        if self.scale.kind != "binary" or self.sample.crossed is None:
            return ()
        return tuple(mcnemar(*one) for one in self.sample.discordant_by_draw)

    @property
    def scope(self) -> Scope:
        """What a verdict is about."""
        if self.sample.repeated or (not self.plus.labels and not self.minus.labels):
            return "no examples"
        return "these examples" if len(self.draws) < 2 else "draws"

    @property
    def interval(self) -> Interval | None:
        """Of the difference."""
        return None if self.estimate is None else self.estimate.interval

    @property
    def t_interval(self) -> Interval | None:
        """Of the draw-level differences alone."""
        return None if self.estimate is None else self.estimate.t_interval

    @property
    def p(self) -> float | None:
        """Of this contrast alone."""
        return None if self.estimate is None else self.estimate.p

    @property
    def p_equivalent(self) -> float | None:
        """The larger p of the two one-sided tests; None where equivalence is not asked for."""
        return None if self.estimate is None else self.estimate.p_equivalent

    @property
    def test(self) -> str:
        """What interval and p come from."""
        return "none: nothing to pair" if self.estimate is None else self.estimate.test

    @property
    def pool(self) -> Pool | None:
        """What noise between draws was pooled with."""
        return None if self.estimate is None else self.estimate.pool

    @property
    def not_pooled(self) -> str | None:
        """Why noise between draws was not pooled."""
        return None if self.estimate is None else self.estimate.not_pooled

    @property
    def p_adjusted(self) -> float | None:
        """P, adjusted over what was asked together."""
        return None if self.decided is None else self.decided.p

    @property
    def verdict(self) -> Verdict:
        """Said of the plus side."""
        return "undecided" if self.decided is None else self.decided.verdict

    @property
    def needed(self) -> int | None:
        """Items that would decide it."""
        return None if self.decided is None else self.decided.needed

    @property
    def needed_draws(self) -> int | None:
        """Draws of as many items that would decide it."""
        return None if self.decided is None else self.decided.needed_draws

    def turned(self) -> Contrast:
        """The same, said of the other side: the one place that turns a sign."""
        return replace(
            self,
            plus=self.minus,
            minus=self.plus,
            names=(self.names[1], self.names[0]),
            sample=self.sample.turned(swap=self.of is None),
            estimate=self.estimate and self.estimate.turned(),
            decided=self.decided and self.decided.turned(),
        )

    def json(self) -> dict[str, Any]:
        """Plain JSON, flat, without its setting; shares 0..1."""
        decided = self.decided or Decided("", 1, None, None, "undecided")
        held: dict[str, Any] = {
            "sides": self.names,
            "seeds": self.draws,
            "n": self.n,
            "accuracy_a": self.levels[0],
            "accuracy_b": self.levels[1],
            "difference": self.difference,
            "interval": self.interval,
            "t_interval": self.t_interval,
            "p": self.p,
            "p_equivalent": self.p_equivalent,
            "test": self.test,
            "margin": self.scale.margin,
            "discordant": self.discordant,
            "unpaired": self.sample.table.only,
            "mismatch": self.refused,
            "family": decided.family,
            "scope": self.scope,
            "by_draw": self.by_draw,
            "p_by_draw": self.p_by_draw,
            "not_pooled": self.not_pooled,
            "p_holm": decided.p,
            "p_equivalent_holm": decided.p_equivalent,
            "family_size": decided.size,
            "verdict": decided.verdict,
            "needed": decided.needed,
            "needed_draws": decided.needed_draws,
            "pool": None if self.pool is None else asdict(self.pool),
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in held.items()}


# ---- measured ------------------------------------------------------------------------------------------------------


def measure(
    plus: Outcomes,
    minus: Outcomes,
    axis: Axis,
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
    names: tuple[str, str] | None = None,
    kind: Kind = "binary",
) -> Contrast:
    """What `contrast` tests, without interval and p: `share_noise` gives them, from a bootstrap only where noise
    between draws is not pooled.
    """
    called = names or (_called(plus.at, axis), _called(minus.at, axis))
    table = (twinned if axis == "shift" else pair)(plus, minus, called)
    return Contrast(
        axis=axis,
        of=None,
        plus=plus.at,
        minus=minus.at,
        names=called,
        scale=Scale(
            kind,
            margin if axis in SIDE_BY_SIDE and kind != "score" else None,
            plus.higher_is_better,
            math.inf if kind == "score" else 1.0,
        ),
        sample=sample_of(table, replicates, shares=kind != "score", repeated=plus.repeated and minus.repeated),
    )


def _called(setting: Setting, axis: Axis) -> str:
    """The coordinate of a setting along ``axis``, in text."""
    if axis == "stage":
        return setting.stage_name
    return str(getattr(setting, "model" if axis in ("set", "size") else axis) or "")


def contrast(
    plus: Outcomes,
    minus: Outcomes,
    axis: Axis,
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
    names: tuple[str, str] | None = None,
    kind: Kind = "binary",
) -> Contrast:
    """The difference between two sides, by itself; not yet decided.

    Along ``shift`` the clean side is ``plus``. ``names``: what the sides are called, by default what they differ in.
    ``kind``: McNemar's test and its interval are for right and wrong only; other values get the bootstrap alone, and a
    ``score`` has no limits and no equivalence. Noise between draws is that of these two alone: `share_noise` pools it.
    """
    return estimated(measure(plus, minus, axis, margin=margin, replicates=replicates, names=names, kind=kind))


def interaction(a: Contrast, b: Contrast, *, margin: float | None = None, replicates: int = REPLICATES) -> Contrast:
    """How much larger the difference of ``a`` is than that of ``b``: a difference in differences, not yet tested.

    Both are contrasts along one axis; what they have in common is resampled together: draws, and items (or pairs of
    twins), or the items of each of two test sets. The axis of the result is what ``a`` and ``b`` differ in. Draws with
    other examples are refused. ``margin``: of equivalence (None: not asked). Raises InputError where the two are not of
    one axis and kind, or are the same setting.
    """
    for what, ours, theirs in (
        ("axis", a.axis, b.axis),
        ("kind of outcomes", a.scale.kind, b.scale.kind),
        ("sense of better", a.scale.higher_is_better, b.scale.higher_is_better),
    ):
        if ours != theirs:
            raise InputError(f"interaction: contrasts of one {what} have a difference, not {ours} and {theirs}")
    if a.of is not None or b.of is not None:
        raise InputError(f"interaction: contrasts of outcomes have one, not of interactions along {a.of or b.of}")
    axis = next((one for one in _APART if one != a.axis and _called(a.at, one) != _called(b.at, one)), None)
    if axis is None:
        raise InputError(f"interaction: both contrasts along {a.axis} are of one setting, {a.names} and {b.names}")
    names = _called(a.at, axis), _called(b.at, axis)
    return Contrast(
        axis=axis,
        of=a.axis,
        plus=a.at,
        minus=b.at,
        names=names,
        scale=replace(
            a.scale, kind="score" if a.scale.kind == "score" else "share", margin=margin, limit=2 * a.scale.limit
        ),
        sample=sample_of(between(a.sample.table, b.sample.table, names), replicates),
    )


# ---- tested --------------------------------------------------------------------------------------------------------


def estimated(one: Contrast, pooled: Pooled = None, *, level: float = LEVEL) -> Contrast:
    """With interval and p: of ``one`` alone, or where noise between draws is ``pooled``; ``level``: of the interval,
    where the sides are not asked the same items in two ways.
    """
    sample, crossed = one.sample, one.sample.crossed
    if crossed is None:
        return one
    if one.of is None and one.axis in SIDE_BY_SIDE:
        return replace(one, estimate=side_by_side(sample, crossed, one.scale, pooled))
    twins = "shift" in (one.axis, one.of)
    return replace(one, estimate=resampled(sample, crossed, one.scale, pooled, twins=twins, level=level))


def share_noise(members: Sequence[Contrast], designs: Sequence[str], links: Sequence[Link]) -> list[Contrast]:
    """The contrasts with noise between draws pooled over those of one design and number of draws, where there are
    enough (`onset.analysis.stats.pooling.pool`); the others by themselves, with the reason. Where no side shows an
    example and draws repeat each other there is no such noise: it neither is pooled nor says anything of others.

    Two of one link, shift and outcomes are one measurement that stands at several budgets: it is pooled once, and all
    of them get the one estimate.
    """
    same = [_measurement(*one) for one in zip(members, designs, links, strict=True)]
    first = {key: place for place, key in reversed([*enumerate(same)])}
    places = sorted(first.values())
    made = pool(
        [None if members[place].sample.repeated else members[place].sample.crossed for place in places],
        [designs[place] for place in places],
        [links[place] for place in places],
    )
    known = {same[place]: estimated(members[place], pooled) for place, pooled in zip(places, made, strict=True)}
    return [replace(one, estimate=known[key].estimate) for one, key in zip(members, same, strict=True)]


def _measurement(one: Contrast, design: str, link: Link) -> Hashable:
    """What two contrasts have in common that are one measurement."""
    table = one.sample.table
    values = table.plus.tobytes(), table.minus.tobytes()
    return design, link, one.axis, one.of, one.plus.shift, one.minus.shift, table.draws, table.plus.shape, values


# ---- decided -------------------------------------------------------------------------------------------------------


def decide(
    asked_together: Sequence[Contrast],
    family: str = "",
    adjust: Callable[[Sequence[float]], list[float]] = holm,
) -> list[Contrast]:
    """Adjust p over all of them, and give each its verdict, and what an undecided one needs. Those with one estimate
    (`share_noise`) are one test.

    ``family``: what they share, in words; ``adjust``: Holm, or another correction in the order given.
    """
    held = {id(one.estimate): one.estimate for one in asked_together if one.estimate is not None}
    tests = {key: one.p for key, one in held.items()}
    margins = {key: one.p_equivalent for key, one in held.items() if one.p_equivalent is not None}
    p = dict(zip(tests, adjust([*tests.values()]), strict=True))
    equivalent = dict(zip(margins, adjust([*margins.values()]), strict=True))
    out = []
    for one in asked_together:
        verdict = Decided(
            family=family,
            size=max(len(tests), 1),
            p=p.get(id(one.estimate)),
            p_equivalent=equivalent.get(id(one.estimate)),
            verdict="undecided",
        )
        verdict = replace(verdict, verdict=_verdict(one, verdict))
        if verdict.verdict == "undecided":
            moderated = None if one.estimate is None else one.estimate.moderated
            level = ALPHA / verdict.size
            verdict = replace(
                verdict,
                needed=needed_items(one.sample, moderated, one.scale.kind, level),
                needed_draws=needed_draws(one.sample, moderated, level),
            )
        out.append(replace(one, decided=verdict))
    return out


def _verdict(one: Contrast, decided: Decided) -> Verdict:
    return verdict_of(one.difference, decided.p, decided.p_equivalent, higher_is_better=one.scale.higher_is_better)


def verdict_of(
    difference: float | None, p: float | None, p_equivalent: float | None, *, higher_is_better: bool
) -> Verdict:
    """At the adjusted p: a difference, said of the plus side, else equivalence within the margin."""
    if difference is None or p is None:
        return "undecided"
    if p <= ALPHA and difference != 0:
        return "wins" if (difference > 0) == higher_is_better else "loses"
    return "equivalent" if p_equivalent is not None and p_equivalent <= ALPHA else "undecided"
