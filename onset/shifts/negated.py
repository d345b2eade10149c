r"""Negations that turn a cue around: what is done is told with a "not", and what is not done without one.

    Ada flips the coin. Bo does not flip the coin.
    ->  Ada does not leave the coin as it is. Bo leaves the coin as it is.

A model that takes "not" for the sign that the coin stays is wrong on every sentence. (Kassner and Schütze 2020, arXiv
1911.03343: models hardly tell a statement from its negation.)
"""

from __future__ import annotations

from typing import ClassVar

from onset.shifts.base import Group
from onset.shifts.sentencewise import Patterns, Sentencewise

_N = r"([A-Z]\w*)"

PATTERNS: Patterns = (
    (rf"{_N} flips the coin\.", r"\1 does not leave the coin as it is."),
    (rf"{_N} does not flip the coin\.", r"\1 leaves the coin as it is."),
    (rf"{_N} flips it\.", r"\1 does not leave it as it is."),
    (rf"{_N} leaves it\.", r"\1 does not flip it."),
    (rf"{_N} tells the truth\.", r"\1 does not lie."),
    (rf"{_N} lies\.", r"\1 does not tell the truth."),
    (rf"{_N} says {_N} tells the truth\.", r"\1 says \2 does not lie."),
    (rf"{_N} says {_N} lies\.", r"\1 says \2 does not tell the truth."),
)


class Negated(Sentencewise):
    """Coins and liars (coin-flip, world-coin, bbh/web_of_lies), told by negations."""

    kind: ClassVar[str] = "negated"
    source: ClassVar[str] = "Kassner and Schütze 2020, arXiv 1911.03343"
    group: ClassVar[Group] = "adversarial"
    example: ClassVar[str] = "coin-flip"
    patterns: ClassVar[Patterns] = PATTERNS
