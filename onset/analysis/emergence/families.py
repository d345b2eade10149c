"""One ability in several families of models: where each leaves chance, what is common, and what a new family would do.

Families differ in data, tokenizer and recipe, so a curve through all their models on raw size would mix the effect of
size with that of family (a family with better data at small sizes alone bends it). Each family keeps its own threshold
(`onset.analysis.curves.threshold`); here they are partially pooled on the axis of the fits, in decades:

    threshold of family i ~ Normal(mean, spread^2),      each known through a likelihood of its own

A family's likelihood is drawn from its profile interval: parabolas that lose 1.92 nats at each end (so normal where
the interval is symmetric, split-normal where not), level inside a gap between two sizes, and level beyond the sizes
where it is censored there: families that are still at chance at their largest size count as "no sooner than that" and
are not dropped, which would make the ability look easier than it is. Mean and spread: their posterior on a grid, flat
for the mean over all that is in reach, half-normal with scale 0.5 decades for the spread (with few families the spread
needs a prior that shrinks it: Gelman 2006, "Prior distributions for variance parameters in hierarchical models",
Bayesian Analysis 1, 515-534; half-normal: Röver et al. 2021, "On weakly informative prior distributions for the
heterogeneity parameter in Bayesian random-effects meta-analysis", Research Synthesis Methods 12, 448-474).

Where no threshold is censored the classical random-effects estimate stands beside it (`classical`): spread by Paule
and Mandel (1982, "Consensus values and weighting factors", J. Res. NBS 87, 377-385), interval of the mean by Hartung
and Knapp (2001, Statistics in Medicine 20, 3875-3889), and Cochran's test of no difference between families.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from onset.analysis import words
from onset.analysis.curves.place import Censored, Place
from onset.analysis.curves.series import Curve, Scale
from onset.analysis.curves.shapes import Array, place, unplace
from onset.analysis.curves.threshold import leave_by
from onset.analysis.emergence.verdict import Emergence, Settings, emergence_of
from onset.analysis.stats.adjust import ALPHA, LEVEL
from onset.analysis.stats.random_effects import random_effects
from onset.analysis.stats.shares import clopper_pearson
from onset.errors import InputError

PRIOR_SPREAD = 0.5
"""Decades: scale of the half-normal prior of the spread between families."""
_LOSS = 1.92
"""Nats lost at the ends of a 95 % profile interval: half the chi-square quantile."""
_BEYOND = 3.0
_STATES = 601
_SPREADS = np.geomspace(0.01, 3.0, 32)
_EDGE = 0.01
"""Decades over which the likelihood falls off outside a gap."""


@dataclass(frozen=True, slots=True)
class Span:
    """``estimate`` with its 95 % interval ``low`` to ``high``; sizes, or decades for a spread."""

    estimate: float
    low: float
    high: float

    def json(self) -> dict[str, float]:
        """Stable keys, documented in docs/notes/formats.md."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class FamilyThreshold:
    """One family, in sizes: ``alone``, its own threshold; ``pooled``: with what the others say (None: nothing pooled).

    ``used``: does it say anything at all about its threshold?
    """

    family: str
    verdict: str
    alone: Place
    pooled: Span | None
    used: bool

    def json(self) -> dict[str, Any]:
        """Stable keys, documented in docs/notes/formats.md."""
        return {
            "family": self.family,
            "verdict": self.verdict,
            "threshold": {
                "estimate": self.alone.estimate,
                "low": self.alone.low,
                "high": self.alone.high,
                "censored": self.alone.censored,
            },
            "pooled": None if self.pooled is None else self.pooled.json(),
            "used": self.used,
        }


@dataclass(frozen=True, slots=True)
class Classical:
    """Random effects without a prior: ``mean`` (sizes, Hartung-Knapp interval) and ``spread`` (decades, Paule-Mandel).

    ``q_p``: of Cochran's test of equal thresholds.
    """

    mean: Span
    spread: float
    q_p: float


@dataclass(frozen=True)
class FamilyEffect:
    """Of one ability. ``mean``: the threshold of the average family (a geometric mean of sizes); ``spread``: standard
    deviation between families in decades; ``new_family``: 95 % prediction interval of the threshold of a family not yet
    seen, in sizes. None where the families together do not bound a threshold from both sides, with a note.
    """

    curve: str
    metric: str
    scale: Scale
    families: tuple[FamilyThreshold, ...]
    mean: Span | None
    spread: Span | None
    new_family: tuple[float, float] | None
    classical: Classical | None
    notes: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        """Stable keys, documented in docs/notes/formats.md."""
        classical = self.classical
        return {
            "curve": self.curve,
            "metric": self.metric,
            "scale": self.scale,
            "families": [one.json() for one in self.families],
            "mean": None if self.mean is None else self.mean.json(),
            "spread_decades": None if self.spread is None else self.spread.json(),
            "new_family": None if self.new_family is None else list(self.new_family),
            "classical": None
            if classical is None
            else {"mean": classical.mean.json(), "spread_decades": classical.spread, "q_p": classical.q_p},
            "notes": list(self.notes),
            "sentence": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """What a reader is told, in the house's words."""
        used = [one for one in self.families if one.used]
        text = f"{self.curve} in {words.counted(len(self.families), 'family', 'families')}: "
        if self.mean is None or self.spread is None or self.new_family is None:
            return text + "; ".join(self.notes) + "."
        single = words.listed([f"{one.family} {_place_said(one.alone, self.scale)}" for one in used])
        middle, low, high, first, last = (
            words.on_scale(size, self.scale)
            for size in (self.mean.estimate, self.mean.low, self.mean.high, *self.new_family)
        )
        text += (
            f"thresholds differ by a factor of {words.ratio(10**self.spread.estimate)} (one standard deviation; 95 %"
            f" interval {words.ratio(10**self.spread.low)} to {words.ratio(10**self.spread.high)}) around"
            f" {middle} (95 % interval {low} to {high}); a new family is expected between {first} and {last}."
            f" Alone: {single}."
        )
        return " ".join([text, *(f"{note[0].upper()}{note[1:]}." for note in self.notes)])


def family_effect(results: Sequence[Emergence] | Sequence[Curve], settings: Settings | None = None) -> FamilyEffect:
    """Thresholds of one ability in several families, partially pooled.

    ``results``: one for each family, of the same curve name, metric and scale; curves are given to `emergence` first.
    Raises InputError for fewer than two families, one that comes twice, or curves that are not of one ability.
    """
    settings = settings or Settings()
    curves = [one for one in results if isinstance(one, Curve)]
    measured = [one for one in results if isinstance(one, Emergence)] + list(emergence_of(curves, settings))
    _check([one.curve for one in measured])
    scale = measured[0].curve.scale
    known = [_known(one, settings) for one in measured]
    notes = []
    silent = [one.curve.family for one, at in zip(measured, known, strict=True) if at is None]
    if silent:
        notes.append(f"nothing is known of the threshold in {words.listed(silent)}")
    posterior = _posterior([at for at in known if at is not None])
    if posterior is None:
        notes.append("the families together do not bound the threshold from both sides: nothing is pooled")
    elif sum(at is not None for at in known) <= 2:
        notes.append("with two families the spread between families is hardly estimable: its interval is mostly prior")
    elif leaning := _leaning([at for at in known if at is not None], posterior):
        notes.append(leaning)
    pooled = iter(posterior.single if posterior else ())
    families = tuple(
        FamilyThreshold(
            one.curve.family, one.verdict, _as_place(at, scale),
            _sizes(next(pooled), scale) if posterior and at is not None else None, at is not None,
        )
        for one, at in zip(measured, known, strict=True)
    )  # fmt: skip
    first = measured[0].curve
    return FamilyEffect(
        first.curve, first.metric, scale, families,
        _sizes(posterior.mean, scale) if posterior else None,
        posterior.spread if posterior else None,
        _ordered(posterior.new.low, posterior.new.high, scale) if posterior else None,
        _classical(known, scale), tuple(notes),
    )  # fmt: skip


def _leaning(known: Sequence[Known], posterior: _Posterior) -> str:
    """A note where the spread depends on its prior by more than a fifth."""
    wider = _posterior(known, 2 * PRIOR_SPREAD)
    if wider is None or wider.spread.estimate < 1.2 * posterior.spread.estimate:
        return ""
    return (
        "the spread leans on its prior: with one twice as wide it would be a factor of"
        f" {words.ratio(10**wider.spread.estimate)}"
    )


def _check(curves: Sequence[Curve]) -> None:
    names = [one.family for one in curves]
    if len(set(names)) < 2:
        raise InputError(
            f"family effect: {words.counted(len(set(names)), 'family', 'families')}, at least 2 are needed"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"family effect: {words.listed(twice)} given more than once")
    for what in ("curve", "metric", "scale"):
        values = sorted({getattr(one, what) for one in curves})
        if len(values) > 1:
            raise InputError(f"family effect: expected one {what}, received {words.listed(values)}")


# ---- what is known of one family's threshold ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """On the axis of the fits: ``estimate``, ends of the interval (None: open), the range of the sizes, censoring.

    ``steps``: of a family whose growth is not shown, of each size its place and the nats that a threshold costs at or
    below it and above it.
    """

    estimate: float | None
    low: float | None
    high: float | None
    smallest: float
    largest: float
    censored: Censored | None
    steps: tuple[tuple[float, float, float], ...] = ()

    @property
    def bounded_below(self) -> bool:
        """Is a threshold far below excluded?"""
        return self.low is not None

    @property
    def bounded_above(self) -> bool:
        """Is a threshold far above excluded?"""
        return self.high is not None

    def log_likelihood(self, at: Array) -> Array:
        """Of thresholds ``at``, relative to the best."""
        if self.steps:
            ends = np.array([one[0] for one in self.steps])
            return self._stepped(at) - float(self._stepped(np.append(ends, ends.max() + 1)).max())
        if self.censored == "gap" and self.low is not None and self.high is not None:
            outside = np.maximum(np.maximum(self.low - at, at - self.high), 0.0)
            gap: Array = -_LOSS * (outside / _EDGE) ** 2
            return gap
        # level between `first` and `last`, falling to -1.92 at the ends of the interval
        first = last = self.estimate
        if first is None or last is None:
            above = self.censored == "above"
            first = self.largest if above else self.smallest if self.high is not None else (self.low or self.smallest)
            last = first
        total = np.zeros_like(at)
        if self.low is not None:
            total -= _LOSS * (np.maximum(first - at, 0.0) / max(first - self.low, _EDGE)) ** 2
        if self.high is not None:
            total -= _LOSS * (np.maximum(at - last, 0.0) / max(self.high - last, _EDGE)) ** 2
        return total

    def _stepped(self, at: Array) -> Array:
        total = np.zeros(at.shape)
        for size, reached, short in self.steps:
            total -= np.where(at <= size, reached, short)
        return total


def _known(one: Emergence, settings: Settings) -> Known | None:
    """None where nothing is known: neither end of an interval, and not level to one side of the threshold."""
    curve, at = one.curve, one.threshold.place
    x = place([point.x for point in curve.points], curve.scale)
    smallest, largest = float(x.min()), float(x.max())
    if one.threshold.above_chance is None:
        if one.verdict in ("inverse", "u-shaped"):
            return None
        return _level_side(curve, smallest, largest, settings)
    estimate, low, high = (None if size is None else float(place([size], curve.scale)[0]) for size in
                           (at.estimate, at.low, at.high))  # fmt: skip
    if low is None and high is None:
        return None
    return Known(estimate, low, high, smallest, largest, at.censored)


def _level_side(curve: Curve, smallest: float, largest: float, settings: Settings) -> Known | None:
    """Growth is not shown: short of the threshold (or past it) at every size, if the pooled share says so and that of
    the largest size (the smallest) does not speak against it.

    How much less likely another threshold is, the outcomes say: from it on the share is at least the target, before it
    at most; each size adds by how much its outcomes are likelier under their own share than under the target.
    """
    points = curve.points if curve.scale != "loss" else curve.points[::-1]
    chance = points[0].chance
    if chance is None or points[0].continuous or not all(point.n for point in points):
        return None
    right, n = sum(point.correct or 0 for point in points), sum(point.n or 0 for point in points)
    target = chance + leave_by(chance, float(np.median([point.n or 0 for point in points])), settings.margin)
    low, high = clopper_pearson(right, n, LEVEL)
    shares = [(point.correct or 0) / (point.n or 1) for point in points]
    lost = [
        (point.n or 0) * float(special.rel_entr(share, target) + special.rel_entr(1 - share, 1 - target))
        for point, share in zip(points, shares, strict=True)
    ]
    steps = tuple(
        (float(at), nats if share < target else 0.0, nats if share > target else 0.0)
        for at, nats, share in zip(place([point.x for point in points], curve.scale), lost, shares, strict=True)
    )
    if high < target and shares[-1] < target:
        return Known(None, largest - _EDGE, None, smallest, largest, "above", steps)
    if low > target and shares[0] > target:
        return Known(None, None, smallest + _EDGE, smallest, largest, "below", steps)
    return None


def _as_place(at: Known | None, scale: Scale) -> Place:
    if at is None:
        return Place()
    estimate, low, high = (None if end is None else unplace(end, scale) for end in (at.estimate, at.low, at.high))
    return Place(estimate, low, high, at.censored)


# ---- the posterior --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Posterior:
    """In decades: mean, spread, a new family, and each family given all."""

    mean: Span
    spread: Span
    new: Span
    single: tuple[Span, ...]


def _posterior(known: Sequence[Known], prior: float = PRIOR_SPREAD) -> _Posterior | None:
    """None where the families together do not bound a threshold from both sides; ``prior``: scale of the spread's."""
    if len(known) < 2 or not any(one.bounded_below for one in known) or not any(one.bounded_above for one in known):
        return None
    ends = [end for one in known for end in (one.low, one.high, one.smallest, one.largest) if end is not None]
    states = np.linspace(min(ends) - _BEYOND, max(ends) + _BEYOND, _STATES)
    likelihood = np.exp([one.log_likelihood(states) for one in known])
    before = np.exp(-0.5 * (_SPREADS / prior) ** 2) * np.gradient(_SPREADS)
    log_joint = np.empty((_SPREADS.size, _STATES))
    kernels = [_kernel(states, float(spread)) for spread in _SPREADS]
    marginals = [np.maximum(likelihood @ kernel.T, 1e-300) for kernel in kernels]
    for index, marginal in enumerate(marginals):
        log_joint[index] = np.log(marginal).sum(axis=0) + math.log(before[index])
    joint = np.exp(log_joint - log_joint.max())
    joint /= joint.sum()
    new = sum((weight @ kernel for weight, kernel in zip(joint, kernels, strict=True)), np.zeros(_STATES))
    single = np.zeros_like(likelihood)
    for weight, kernel, marginal in zip(joint, kernels, marginals, strict=True):
        single += (weight / marginal) @ kernel * likelihood
    return _Posterior(
        _summary(states, joint.sum(axis=0)),
        _summary(_SPREADS, joint.sum(axis=1)),
        _summary(states, new),
        tuple(_summary(states, mass) for mass in single),
    )


def _kernel(states: Array, spread: float) -> Array:
    """Normal densities around each state over the states, each summing to 1."""
    step = float(states[1] - states[0])
    apart = step * np.arange(1 - states.size, states.size)
    density = np.exp(-0.5 * (apart / max(spread, step / 2)) ** 2)
    # row i of a Toeplitz matrix: the densities of the distances to state i
    rows = np.lib.stride_tricks.sliding_window_view(density, states.size)[::-1]
    out: Array = rows / rows.sum(axis=1, keepdims=True)
    return out


def _summary(values: Array, mass: Array) -> Span:
    """Median and central 95 % of a distribution on a grid."""
    upto = np.concatenate([[0.0], np.cumsum(mass / mass.sum())])
    edges = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [values[-1]]])
    low, middle, high = np.interp([ALPHA / 2, 0.5, 1 - ALPHA / 2], upto, edges)
    return Span(float(middle), float(low), float(high))


def _classical(known: Sequence[Known | None], scale: Scale) -> Classical | None:
    """None where a threshold is censored or unknown."""
    effect, error = [], []
    for one in known:
        if one is None or one.censored is not None or None in (one.estimate, one.low, one.high):
            return None
        if one.estimate is not None and one.low is not None and one.high is not None:
            effect.append(one.estimate)
            error.append(max((one.high - one.low) / (2 * 1.959964), 1e-3))
    mean, half, spread, q_p = random_effects(np.array(effect), np.array(error))
    low, high = _ordered(mean - half, mean + half, scale)
    return Classical(Span(unplace(mean, scale), low, high), spread, q_p)


# ---- words ----------------------------------------------------------------------------------------------------------


def _sizes(span: Span, scale: Scale) -> Span:
    low, high = _ordered(span.low, span.high, scale)
    return Span(unplace(span.estimate, scale), low, high)


def _ordered(low: float, high: float, scale: Scale) -> tuple[float, float]:
    """Sizes of two places, by ascending place: for a loss, which falls as models grow, the first is the larger."""
    return unplace(low, scale), unplace(high, scale)


def _place_said(at: Place, scale: Scale) -> str:
    if at.censored == "above" and at.low is not None:
        return f"beyond {words.on_scale(at.low, scale)}"
    if at.censored == "below" and at.high is not None:
        return f"before {words.on_scale(at.high, scale)}"
    if at.censored == "gap" and at.low is not None and at.high is not None:
        return f"between {words.on_scale(at.low, scale)} and {words.on_scale(at.high, scale)}"
    ends = [words.on_scale(end, scale) if end is not None else "not in range" for end in (at.low, at.high)]
    middle = "unknown" if at.estimate is None else words.on_scale(at.estimate, scale)
    return f"{middle} ({ends[0]} to {ends[1]})"
