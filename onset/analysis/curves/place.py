"""From a profile over places on the size axis to a place with its interval: the only way.

A profile says of each place how much worse the best curve is that has something there (its middle, its meeting with
another curve, its leaving chance) than the best of all: the deviance, twice the nats lost. The interval is that of
the profile likelihood (Venzon and Moolgavkar 1988, Applied Statistics 37, 87-94): the places that lose no more than a
quantile of chi-square; with scatter between sizes, which is estimated, one of F (McCullagh and Nelder 1989, section
4.5). It reaches from the first to the last of these places, whatever lies between. What lies beyond the sizes measured
is not said: an end there is None, and so is an estimate (``censored`` = "below", "above"). Where the data say no more
than between which two sizes it is, the interval is the gap between them (``censored`` = "gap").

How many times the size one curve's place is of another's is the difference d of the two places. Their items differ, so
the log-likelihoods add up (`apart`):

    D(d) = min over m of [deviance_a(m) + deviance_b(m + d)]

Where both curves have the same items, what they have in common is not used, and the interval is rather too wide. The
same models stand behind both curves: what another training run would change is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onset.analysis.curves.likelihood import Indices, allowance
from onset.analysis.curves.series import Scale
from onset.analysis.curves.shapes import Array, unplace
from onset.analysis.stats.adjust import LEVEL

Censored = Literal["gap", "below", "above"]

_PLATEAU = 0.04
"""Deviances that differ by less are no different: the searches behind them are not endlessly fine."""
_BETTER = 0.02
"""By how much the deviance beyond the sizes has to be lower than between them for a place to be there."""
_NEAR_GAP = 0.03
"""The part of a gap by which an interval may miss its ends."""
_STEP = 0.02
_NEAR, _TOP, _DENSE = 16.0, 1.0, 81


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the size axis: ``estimate``, ``low``, ``high`` in sizes; None: not in range at that end."""

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    censored: Censored | None = None


@dataclass(frozen=True, eq=False)
class Profile:
    """``deviance`` at ``places``, ascending, on the axis of the fits (`onset.analysis.curves.shapes.place`).

    ``sizes``: the places measured; ``below`` and ``above``: the deviance of its being before the first or past the last
    of them, as far as ``places`` do not say it (inf: they do); ``free``: degrees of freedom of the estimated scatter,
    None where there is none.
    """

    places: Array
    deviance: Array
    sizes: Array
    scale: Scale = "params"
    free: int | None = None
    below: float = math.inf
    above: float = math.inf

    def interval(self, level: float = LEVEL) -> Place:
        """Estimate and interval in sizes; see the module. An estimate is the middle where several are as likely."""
        allowed = allowance(level, self.free)
        first, last = float(self.sizes.min()), float(self.sizes.max())
        low, high = self._ends(allowed)
        likeliest = self._likeliest()
        outside = self._outside(likeliest)
        if not outside and first <= low and high <= last:
            gap = self._gap(low, high)
            if gap is not None:
                return Place(self._size(sum(gap) / 2), self._size(gap[0]), self._size(gap[1]), "gap")
        return Place(
            None if outside else self._size(likeliest),
            None if low < first else self._size(min(low, last)),
            None if high > last else self._size(max(high, first)),
            outside,
        )

    def at(self, places: Array) -> Array:
        """The deviance between its places: its signed root, which is nearly straight, by straight lines."""
        top = int(self.deviance.argmin())
        root = np.sqrt(self.deviance) * np.where(np.arange(len(self.places)) < top, -1.0, 1.0)
        out: Array = np.interp(places, self.places, root) ** 2
        return out

    def _size(self, place: float) -> float:
        return unplace(place, self.scale)

    def _likeliest(self) -> float:
        """The middle of the places around the likeliest that are as likely, which may lie beyond the sizes."""
        worse = np.flatnonzero(self.deviance > self.deviance.min() + _PLATEAU)
        top = int(self.deviance.argmin())
        low = worse[worse < top].max(initial=-1) + 1
        high = worse[worse > top].min(initial=len(self.places)) - 1
        return float((self.places[low] + self.places[high]) / 2)

    def _outside(self, likeliest: float) -> Censored | None:
        """On which side of the sizes it most likely is; None: between them."""
        if min(self.below, self.above) < float(self.deviance.min()) - _BETTER:
            return "below" if self.below <= self.above else "above"
        return "below" if likeliest < self.sizes.min() else "above" if likeliest > self.sizes.max() else None

    def _ends(self, allowed: float) -> tuple[float, float]:
        """The first and the last place allowed, by straight lines between places; infinite: beyond all of them."""
        inside = np.flatnonzero(self.deviance <= allowed)
        low, high = math.inf, -math.inf
        if inside.size:
            low, high = self._edge(int(inside[0]), -1, allowed), self._edge(int(inside[-1]), 1, allowed)
        return -math.inf if self.below <= allowed else low, math.inf if self.above <= allowed else high

    def _edge(self, index: int, side: int, allowed: float) -> float:
        """Where the deviance exceeds ``allowed`` beyond a place where it does not."""
        beyond = index + side
        if not 0 <= beyond < len(self.places) or not math.isfinite(self.deviance[beyond]):
            return float(self.places[index])
        share = (allowed - self.deviance[index]) / max(self.deviance[beyond] - self.deviance[index], 1e-12)
        return float(self.places[index] + share * (self.places[beyond] - self.places[index]))

    def _gap(self, low: float, high: float) -> tuple[float, float] | None:
        """The two sizes between which the interval reaches, where it reaches neither less far nor farther."""
        sizes = np.unique(self.sizes)
        index = int(np.searchsorted(sizes, (low + high) / 2)) - 1
        if not 0 <= index < len(sizes) - 1:
            return None
        left, right = float(sizes[index]), float(sizes[index + 1])
        near = _NEAR_GAP * (right - left)
        return (left, right) if abs(low - left) <= near and abs(high - right) <= near else None


def percentiles(at: Array, x: Array, scale: Scale) -> Place:
    """The interval (95 %) of replicates ``at``, places in ascending order, infinite where they lie beyond the sizes
    ``x``: an infinite end is None, but where both lie on one side the other end is that edge of the sizes.
    """
    cut = math.floor(len(at) * (1 - LEVEL) / 2)
    low, high = float(at[cut]), float(at[len(at) - 1 - cut])
    low, high = float(x.max()) if low == math.inf else low, float(x.min()) if high == -math.inf else high
    ends = [unplace(end, scale) if math.isfinite(end) else None for end in (low, high)]
    return Place(None, ends[0], ends[1])


def apart(a: Profile, b: Profile) -> Profile:
    """How many times the size of a's place b's is: read by `Profile.interval`; an end out of reach is None."""
    low, high = float(b.places[0] - a.places[-1]), float(b.places[-1] - a.places[0])

    def deviance(gaps: Array) -> Array:
        # places of a: its own, and those that the places of b stand for
        own = a.deviance + b.at(a.places + gaps[:, None])
        other = b.deviance + a.at(b.places - gaps[:, None])
        out: Array = np.minimum(own.min(axis=1), other.min(axis=1))
        return out

    def likely(rows: Indices, gaps: Array) -> tuple[Array]:
        return (-deviance(gaps) / 2,)

    start = np.linspace(low, high, max(2, math.ceil((high - low) / _STEP) + 1))
    ((gaps, _),) = profiles(likely, [start], near=_NEAR / 2, dense=_DENSE, rounds=3)
    ((gaps, found),) = profiles(likely, [gaps], near=_TOP / 2, dense=_DENSE, rounds=1)
    free = None if a.free is None and b.free is None else (a.free or b.free or 0) + (b.free or a.free or 0)
    ends = -2 * found[[0, -1]]
    return Profile(gaps, -2 * found, gaps[[0, -1]], "params", free, float(ends[0]), float(ends[1]))


def profiles(
    evaluate: Callable[[Indices, Array], tuple[Array, ...]],
    places: Sequence[Array],
    *,
    near: float,
    dense: int,
    rounds: int,
) -> list[tuple[Array, ...]]:
    """Of each row (places, what ``evaluate`` finds there), closer and closer where the log-likelihood is high.

    ``evaluate``: of rows and as many places, the log-likelihood first; ``places``: those that each row begins with,
    ascending; then ``dense`` more between the first and the last of those within ``near`` nats of its best, until half
    as many lie there, ``rounds`` times at most.
    """
    held: list[tuple[Array, ...]] = [(np.zeros(0),) for _ in places]
    more = dict(enumerate(places))
    for turn in range(rounds + 1):
        rows = np.concatenate([np.full(len(one), row) for row, one in more.items()])
        made = evaluate(rows, np.concatenate(list(more.values())))
        for row, one in more.items():
            new = (one, *(part[rows == row] for part in made))
            merged = new if not turn else tuple(np.concatenate(pair) for pair in zip(held[row], new, strict=True))
            order = np.argsort(merged[0], kind="stable")
            held[row] = tuple(part[order] for part in merged)
        more = {
            row: inner
            for row in more
            if (inner := _between(held[row][0], held[row][1], near, dense, first=not turn)).size
        }
        if not more:
            break
    return held


def _between(places: Array, found: Array, near: float, dense: int, *, first: bool) -> Array:
    """Further places around those within ``near`` nats of the best; none where there are enough."""
    high = np.flatnonzero(found >= found.max() - near)
    if not first and len(high) >= dense / 2:
        return np.zeros(0)
    inner = np.linspace(places[max(high[0] - 1, 0)], places[min(high[-1] + 1, len(places) - 1)], dense)
    return np.setdiff1d(inner, places)
