"""What two published figures allow to be said: differences with intervals, states of parts, crossovers.

Papers print a share and sometimes the number of items, never the outcomes item by item. Two shares on the same items
are therefore compared as if they came from different items: the interval is wider than a paired one would be. It takes
the items alone as random, not the training run, the prompt or the sample. Differences and intervals are in points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

from scipy import special

from onset.analysis.stats.adjust import LEVEL, MARGIN
from onset.analysis.stats.shares import newcombe
from onset.analysis.words import number
from onset.published.numbers import Figure

State = Literal["holds", "fails", "undecided"]
Verdict = Literal["supported", "contradicted", "not decidable from the figures held"]
Rule = Literal["every", "most"]

UNDECIDABLE: Verdict = "not decidable from the figures held"
MARGIN_POINTS = 100 * MARGIN
"""Differences smaller than this count as little, as in the package's own comparisons."""

NEEDED: dict[Rule, float] = {"every": 1.0, "most": 0.75}
"""The share of a claim's parts that have to hold; "as a rule" is three quarters."""

CLOSE = 1.0
"""Points that two values without an interval have to be apart before one counts as above the other."""


@dataclass(frozen=True, slots=True)
class Difference:
    """``a`` minus ``b`` in points, with its interval (None where the number of items is not stated)."""

    a: Figure
    b: Figure
    estimate: float
    interval: tuple[float, float] | None

    def gap(self) -> str:
        """``+39.0 (35.6 to 42.3)``."""
        gap = ("+" if round(self.estimate, 1) > 0 else "") + number(self.estimate)
        if self.interval is None:
            return f"{gap} (no interval)"
        return f"{gap} ({number(self.interval[0])} to {number(self.interval[1])})"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a claim: does it hold, and the numbers that say so.

    ``estimate`` and ``interval`` are in the unit of the claim's statistic, None where there is no single number; of
    several sources they are those of the difference nearest to zero. ``brief``: shorter words for the claim's sentence.
    """

    name: str
    state: State
    words: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    brief: str = ""


def value_words(figure: Figure) -> str:
    """The value as the paper prints it, whole numbers without a point."""
    return f"{figure.value:g}"


def difference(a: Figure, b: Figure) -> Difference:
    """The difference of two shares: Newcombe's (1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<873) hybrid score
    interval, 95 %, from two Wilson intervals on separate items.
    """
    estimate = round(a.value - b.value, 6)
    if a.items is None or b.items is None:
        return Difference(a, b, estimate, None)
    low, high = newcombe(_counts(b, b.items), _counts(a, a.items))
    return Difference(a, b, estimate, (100 * low, 100 * high))


def _counts(figure: Figure, items: int) -> tuple[int, int]:
    return round(figure.value / 100 * items), items


# ---- states --------------------------------------------------------------------------------------------------------


def above(one: Difference, bound: float = 0.0) -> State:
    """Is a above b by more than ``bound``? The whole interval decides; without one, values `CLOSE` points apart do."""
    low, high = one.interval or (one.estimate - CLOSE, one.estimate + CLOSE)
    return "holds" if low > bound else "fails" if high < bound else "undecided"


def below(one: Difference) -> State:
    """Is a below b?"""
    return above(difference(one.b, one.a))


def little(one: Difference, margin: float = MARGIN_POINTS) -> State:
    """Is a at or below b? It fails when a is shown to be above, holds when a gain of ``margin`` is ruled out."""
    low, high = one.interval or (one.estimate - CLOSE, one.estimate + CLOSE)
    return "fails" if low > 0 else "holds" if high < margin else "undecided"


def no_worse(one: Difference, margin: float) -> State:
    """Does a match b? It holds when a deficit of ``margin`` is ruled out, else fails when a is shown to be below.

    Without an interval the values decide.
    """
    low, high = one.interval or (one.estimate, one.estimate)
    return "holds" if low > -margin else "fails" if high < 0 else "undecided"


def agreed(states: Iterable[State]) -> State:
    """The state all have; undecided when they differ or there are none."""
    found = set(states)
    return found.pop() if len(found) == 1 else "undecided"


def all_of(states: Iterable[State]) -> State:
    """A part of parts: it fails with the first that fails and holds when all hold."""
    found = set(states)
    return "fails" if "fails" in found else "holds" if found == {"holds"} else "undecided"


def pairs_of(a: Iterable[Figure], b: Iterable[Figure]) -> list[Difference]:
    """Every figure of one cell against every figure of the other: a cell has a figure from each source."""
    return [difference(one, other) for one, other in product(a, list(b))]


def nearest(pairs: Iterable[Difference]) -> Difference:
    """The difference nearest to zero: what the sources say at least."""
    return min(pairs, key=lambda one: abs(one.estimate))


def pairs_words(pairs: Sequence[Difference], *, apart: bool = False) -> str:
    """``56.5 or 56.9 against 33: +23.5 (19.8 to 27.1)``: each side's values, and the gap nearest to zero.

    ``apart``: every gap, for sources that do not agree.
    """
    sides = (" or ".join(dict.fromkeys(value_words(getattr(one, side)) for one in pairs)) for side in ("a", "b"))
    gaps = dict.fromkeys(one.gap() for one in pairs) if apart else [nearest(pairs).gap()]
    return f"{' against '.join(sides)}: {' or '.join(gaps)}"


def compared(name: str, a: Iterable[Figure], b: Iterable[Figure], judge: Callable[[Difference], State] = above) -> Part:
    """The part that asks ``judge`` of two cells; undecided where one is empty and where the sources disagree."""
    pairs = pairs_of(a, b)
    if not pairs:
        return Part(name, "undecided", "no figures held")
    states = [judge(one) for one in pairs]
    words = pairs_words(pairs, apart=len(set(states)) > 1)
    return Part(name, agreed(states), words, nearest(pairs).estimate, nearest(pairs).interval)


def verdict(parts: Sequence[Part], rule: Rule) -> Verdict:
    """Supported when enough parts hold (`NEEDED`) even if all undecided ones failed, contradicted when too few would
    hold even if all undecided ones did. For ``every``: one failure contradicts, and all have to hold.
    """
    holds = sum(part.state == "holds" for part in parts)
    fails = sum(part.state == "fails" for part in parts)
    needed = NEEDED[rule] * len(parts)
    if parts and holds >= needed:
        return "supported"
    return "contradicted" if len(parts) - fails < needed else UNDECIDABLE


# ---- over sizes ----------------------------------------------------------------------------------------------------


def crossover(by_size: Sequence[tuple[int, State]], at: int) -> tuple[State, tuple[int | None, int | None]]:
    """From which size on is a method ahead for good, and can that be the size ``at``?

    ``by_size``: (size, is it ahead?) by ascending size. Returns the state of "from ``at`` on" and the sizes between
    which the method overtakes: (largest without a win, smallest from which all are won), None for "not in range".
    It fails when the method is shown to be behind at a size of ``at`` or more, or ahead for good below it.
    """
    start = len(by_size)
    while start and by_size[start - 1][1] == "holds":
        start -= 1
    gap = by_size[start - 1][0] if start else None, by_size[start][0] if start < len(by_size) else None
    behind = any(state == "fails" for size, state in by_size if size >= at)
    if behind or (gap[1] is not None and gap[1] < at):
        return "fails", gap
    inside = gap[0] is not None and gap[1] is not None and gap[0] < at
    return ("holds" if inside else "undecided"), gap


@dataclass(frozen=True, slots=True)
class Steepest:
    """The steepest rise between two neighbouring sizes.

    ``exponent``: by which power of size the odds grew there, log(odds ratio) / log(ratio of sizes), with an interval
    at 95 % over all steps (Bonferroni); ``share``: the part of the whole rise, in points, that lies in that step;
    ``before``: the same power from the smallest size up to that step, None where it is the first.
    """

    low: Figure
    high: Figure
    exponent: float
    interval: tuple[float, float]
    share: float
    before: float | None


def steepest(by_size: Sequence[Figure]) -> Steepest | None:
    """The step with the largest lower bound of its exponent; None below three sizes or without numbers of items.

    Odds with half a right and half a wrong answer added (Haldane 1940; Anscombe 1956), Wald interval of the log odds
    ratio. An exponent above 1: the odds grew faster than the size.
    """
    if len(by_size) < 3 or any(one.items is None or not one.params for one in by_size):
        return None
    ordered = sorted(by_size, key=lambda one: one.params or 0)
    z = float(-special.ndtri((1 - LEVEL) / 2 / (len(ordered) - 1)))
    whole = ordered[-1].value - ordered[0].value
    found = []
    for low, high in pairwise(ordered):
        power, error = _power(low, high)
        share = (high.value - low.value) / whole if whole else 0.0
        before = None if low is ordered[0] else _power(ordered[0], low)[0]
        found.append(Steepest(low, high, power, (power - z * error, power + z * error), share, before))
    return max(found, key=lambda one: one.interval[0])


def _power(low: Figure, high: Figure) -> tuple[float, float]:
    """(log odds ratio, its standard error), both over the log of the ratio of sizes."""
    width = math.log((high.params or 1) / (low.params or 1))
    (first, first_variance), (second, second_variance) = _log_odds(low), _log_odds(high)
    return (second - first) / width, math.sqrt(first_variance + second_variance) / width


def _log_odds(figure: Figure) -> tuple[float, float]:
    items = figure.items or 0
    right = round(figure.value / 100 * items) + 0.5
    wrong = items + 1 - right
    return math.log(right / wrong), 1 / right + 1 / wrong
