"""What a finding is, and which of them are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from onset import markup
from onset.analysis.phrases import Language

Tone = Literal["for", "against", "level", "open", "warning"]
"""How a verdict is coloured: something is shown, its opposite is, a difference is shown to be small, none of these."""
Unit = Literal["share", "points", "parameters", "ratio", "queries", "labels", "score", "count"]
"""Of an estimate: a share (0..1), a difference of shares, a size, times the parameters, a number of queries or of
labelled examples, a difference of scores in the metric's own unit. ``count``: there is no estimate, ``n`` is the
count."""
Interval = tuple[float | None, float | None]

LOW_PARSE_RATE = 0.8
"""Below this share of readable outputs a low accuracy may be a matter of format, and findings say so."""
ALWAYS = -1.0
"""The rank of findings that are never left out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the study says.

    ``subject``: what it is about; ``verdict`` in a word or two, and its ``tone``; ``estimate`` and ``interval`` in
    ``unit`` (an end of the interval is None where it is out of reach) with ``n`` items and the ``test`` used, None
    where the finding is a count (then ``n`` is the count); ``figure``: name of the figure that shows it; ``rank``: the
    lower, the earlier it is dealt a place; ``sentences``: all of it in words, ``lines``: in one plain line, both by
    language.
    """

    kind: str
    subject: str
    verdict: str
    estimate: float | None
    interval: Interval | None
    n: int | None
    test: str | None
    tone: Tone
    unit: Unit
    figure: str | None
    rank: float
    sentences: Mapping[Language, str] = field(compare=False)
    lines: Mapping[Language, str] = field(compare=False)

    @property
    def sentence(self) -> str:
        """All of it in words, in English."""
        return self.sentences["en"]

    @property
    def short(self) -> str:
        """The finding in one line of at most 110 characters, in English."""
        return self.lines["en"]

    def _repr_html_(self) -> str:
        """What a notebook shows: what it is about, its verdict, and all of it in words."""
        return markup.heading(self.subject, self.verdict) + markup.facts([("says", self.sentence), ("test", self.test)])


def deal(findings: Sequence[Finding], most: int) -> tuple[Finding, ...]:
    """At most ``most`` findings of the lowest ranks, in the order given; those that always have a place come on top
    where they alone are more.
    """
    taken = sum(one.rank < 0 for one in findings)
    ranked = sorted(range(len(findings)), key=lambda index: findings[index].rank)
    return tuple(findings[index] for index in sorted(ranked[: max(most, taken)]))
