"""Two ways to grow, smooth and by a jump: the shapes of each with their prior masses.

A shape T runs over the sizes from a floor (0) towards a ceiling (1). Priors over shapes are stated here and nowhere
else; `onset.analysis.emergence.jump` weighs the two classes against each other.

**Smooth**: a tenth to nine tenths of the rise take 1.9 decades or more, at the bound of `Settings.steepest_smooth`.
Logistics in log size with slopes up to that bound, log-uniform from an eighth of it (half of the prior); curves whose
log-probability falls as a power law of size, which rise sooner than they level off, held to the same 1.9 decades (a
quarter; the test's null hypothesis holds them to 4.5, and such growth was taken for a jump in a quarter of simulated
curves); power laws of the error and the straight line in log size (an eighth each). The first two may have begun long
before the smallest size.

**Jump**: a tenth to nine tenths of the rise, or at least half of it at once, come within a decade. Logistics of such
slopes, log-uniform up to what cannot be told from a step (half of the prior); steps after which the curve keeps growing
evenly in log size, with none, a quarter or half of the rise still to come (.35); ramps that end at the largest size and
are shorter than a decade (.15). Places are uniform in log size, from the smallest size to where a rise would just begin
to show at the largest. A jump right after the smallest size counts, lest it pass for smooth growth; `emergent` asks for
two sizes before it.

Between the two lies growth that takes 1 to 1.9 decades; it belongs to neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from onset.analysis.curves.shapes import STEEPEST, Array, ErrorPowerLaw, Hinge, Logistic, LogLinear, LossPowerLaw

_JUMPED = (1.0, 0.75, 0.5)
_WIDTH = 2 * math.log(9)
"""Log-odds from a tenth to nine tenths of a logistic."""
_AS_LONG = math.log10(math.log(10) / -math.log(0.9)) / _WIDTH
"""Exponent over slope of a power law of the log-probability that takes as long as a logistic, 10 to 90 %."""
_LONGEST = 1.0
"""Decades of the longest jump."""


@dataclass(frozen=True, eq=False)
class Group:
    """One family: ``unit`` (shapes x sizes), the prior ``mass`` of each shape, summing to the family's in its class.

    ``from_floor``: 0 is the floor and 1 the ceiling; else they are the values at the smallest and the largest size, and
    the curve may start anywhere.
    """

    unit: Array
    mass: Array
    from_floor: bool = True


def smooth_shapes(x: Array, steepest: float) -> list[Group]:
    """Of sizes at places ``x`` (ascending); ``steepest``: log-odds per decade of the steepest logistic."""
    first, last = float(x[0]), float(x[-1])
    slopes = np.geomspace(steepest / 8, steepest, 7)
    logistic = _over(slopes, [(first - 1.5, last + 1.5)] * len(slopes), [min(0.5, 0.25 / one) for one in slopes])
    exponent = steepest * _AS_LONG
    falls = [
        (one, last + math.log10(end) / one)
        for one in np.geomspace(exponent / 8, exponent, 5)
        for end in np.geomspace(0.03, 8.0, 14)
    ]
    errors = np.array([[one, first] for one in np.geomspace(0.05, 1.0, 6)])
    return [
        _group(Logistic.unit(x, logistic[:, :2]), logistic[:, 2], 0.5),
        _group(LossPowerLaw.unit(x, np.array(falls)), np.ones(len(falls)), 0.25),
        _group(scaled(ErrorPowerLaw.unit(x, errors)), np.ones(len(errors)), 0.125, from_floor=False),
        _group(scaled(LogLinear.unit(x, np.zeros((1, 0)))), np.ones(1), 0.125, from_floor=False),
    ]


def jump_shapes(x: Array, steepest: float, at: Array | None = None) -> list[Group]:
    """Jumps among sizes at places ``x`` (ascending), evaluated there or ``at`` other places."""
    first, last, edges = float(x[0]), float(x[-1]), np.unique(x)
    at = x if at is None else at
    slopes = np.geomspace(max(_WIDTH / _LONGEST, 1.2 * steepest), STEEPEST, 6)
    # two log-odds before its midpoint an eighth of the rise is there
    ends = [(first, last + min(2.0 / one, 0.5)) for one in slopes]
    # within a gap a steep rise leaves little to tell; steps have every gap, however narrow
    least = float(np.median(np.diff(edges))) / 4
    logistic = _over(slopes, ends, [max(0.35 / one, least) for one in slopes])
    steps, widths = [], []
    for low, high in pairwise(edges):
        middle = (low + high) / 2
        past = np.clip((at - middle) / (last - middle), 0.0, 1.0)
        for jumped in _JUMPED:
            steps.append(np.where(at > middle, jumped + (1 - jumped) * past, 0.0))
            widths.append(high - low)
    breaks = np.linspace(max(last - _LONGEST, first), last, 9)[:-1, None]
    ramps = Hinge.unit(at, breaks) / Hinge.unit(np.array([last]), breaks)
    return [
        _group(Logistic.unit(at, logistic[:, :2]), logistic[:, 2], 0.5),
        _group(np.array(steps), np.array(widths), 0.35),
        _group(ramps, np.ones(len(breaks)), 0.15),
    ]


def _group(unit: Array, mass: Array, weight: float, *, from_floor: bool = True) -> Group:
    return Group(unit, mass / mass.sum() * weight, from_floor)


def _over(slopes: Array, ends: Sequence[tuple[float, float]], steps: Sequence[float]) -> Array:
    """(slope, midpoint, mass) of logistics: slopes equally likely, midpoints uniform for each."""
    rows = []
    for slope, (low, high), step in zip(slopes, ends, steps, strict=True):
        middles = np.linspace(low, high, max(2, math.ceil((high - low) / step) + 1))
        rows.append(np.column_stack([np.full(len(middles), slope), middles, np.full(len(middles), 1 / len(middles))]))
    return np.concatenate(rows)


def scaled(unit: Array) -> Array:
    """Shapes within 0..1 at the sizes (last axis)."""
    low = unit.min(axis=-1, keepdims=True)
    out: Array = (unit - low) / np.maximum(np.ptp(unit, axis=-1, keepdims=True), 1e-12)
    return out
