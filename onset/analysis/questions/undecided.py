"""What is not decided, and what would decide it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from statistics import median

from onset.analysis.contrast.contrast import Contrast
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones
from onset.analysis.questions.say import ENGLISH, Say


class Undecided(Question):
    """Once: how many comparisons are undecided, and the items or draws they take."""

    kind = "undecided"
    unit = "count"
    verdicts = tones({"undecided": "open"})
    wait = 1

    def _ask(self, study: Analysis) -> Iterable[Finding]:
        measured = [one for one in study.contrasts.methods if one.difference is not None]
        open_ones = [one for one in measured if one.verdict == "undecided"]
        if not open_ones:
            return
        needed = _items(open_ones)
        short = lines.line(
            f"undecided.undecided{'.items' if needed else ''}",
            open=str(len(open_ones)),
            comparisons=lines.count("comparison", len(measured)),
            count=str(len(needed)),
            items=str(round(median(needed))) if needed else "",
        )
        yield self.finding("comparisons", "undecided", partial(_sentence, measured), short, n=len(open_ones))


def _items(open_ones: Iterable[Contrast]) -> list[int]:
    """The items that comparisons take which more items can decide, ascending."""
    return sorted(one.needed for one in open_ones if one.needed is not None)


def _sentence(measured: Sequence[Contrast], say: Say) -> str:
    open_ones = [one for one in measured if one.verdict == "undecided"]
    parts = [
        say(
            "{open} of {comparisons} is undecided: neither a difference nor equivalence within {margin} is shown"
            if len(open_ones) == 1
            else "{open} of {comparisons} are undecided: neither a difference nor equivalence within {margin} is shown",
            open=len(open_ones), comparisons=say.counted("comparison", len(measured)),
            margin=say.points(open_ones[0].scale.margin or 0.0),
        )
    ]  # fmt: skip
    needed = _items(open_ones)
    parts += [say("at the differences observed, {needed}", needed=items_needed(needed, say))] if needed else []
    draws = sorted(one.needed_draws for one in open_ones if one.needed is None and one.needed_draws is not None)
    if draws:
        parts.append(
            say(
                "{count} takes {draws} draws rather than more items"
                if len(draws) == 1
                else "{count} take {draws} draws rather than more items",
                count=len(draws), draws=say.span(draws[0], draws[-1]),
            )
        )  # fmt: skip
    stuck = sum(one.needed is None and one.needed_draws is None and bool(one.difference) for one in open_ones)
    if stuck:
        parts.append(
            say(
                "{count} needs more seeds rather than more items"
                if stuck == 1
                else "{count} need more seeds rather than more items",
                count=stuck,
            )
        )
    return say.text([say.clauses(parts)])


def items_needed(needed: Sequence[int], say: Say = ENGLISH) -> str:
    """What it would take to decide the comparisons that more items can decide; ``needed`` ascending, not empty."""
    if len(needed) == 1:
        return say("one of them takes about {items} items to decide", items=needed[0])
    if needed[0] == needed[-1]:
        return say("{count} of them take about {items} items to decide", count=len(needed), items=needed[0])
    half = say(", half of them at most {items}", items=round(median(needed))) if len(needed) > 2 else ""
    return say(
        "{count} of them take about {low} to {high} items to decide{half}", count=len(needed), low=needed[0],
        high=needed[-1], half=half,
    )  # fmt: skip
