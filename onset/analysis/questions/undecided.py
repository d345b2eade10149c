"""What is not decided, and what would decide it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from onset.analysis import words
from onset.analysis.estimates.analysis import Analysis
from onset.analysis.finding import Finding
from onset.analysis.questions import lines
from onset.analysis.questions.base import Question, tones


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
        needed = sorted(one.needed for one in open_ones if one.needed is not None)
        verb = "is" if len(open_ones) == 1 else "are"
        text = (
            f"{len(open_ones)} of {words.counted(len(measured), 'comparison')} {verb} undecided: neither a difference"
        )
        text += f" nor equivalence within {words.points(open_ones[0].scale.margin or 0.0)} is shown"
        if needed:
            text += f"; at the differences observed, {items_needed(needed)}"
        draws = sorted(one.needed_draws for one in open_ones if one.needed is None and one.needed_draws is not None)
        if draws:
            span = f"{draws[0]}" if draws[0] == draws[-1] else f"{draws[0]} to {draws[-1]}"
            text += f"; {len(draws)} take{'s' * (len(draws) == 1)} {span} draws rather than more items"
        stuck = sum(one.needed is None and one.needed_draws is None and bool(one.difference) for one in open_ones)
        text += f"; {stuck} need{'s' * (stuck == 1)} more seeds rather than more items" if stuck else ""
        short = lines.line(
            f"undecided.undecided{'.items' if needed else ''}",
            open=str(len(open_ones)),
            comparisons=lines.count("comparison", len(measured)),
            items=str(round(median(needed))) if needed else "",
        )
        yield self.finding("comparisons", "undecided", f"{text}.", short, n=len(open_ones))


def items_needed(needed: Sequence[int]) -> str:
    """What it would take to decide the comparisons that more items can decide; ``needed`` ascending, not empty."""
    if len(needed) == 1:
        return f"one of them takes about {needed[0]} items to decide"
    if needed[0] == needed[-1]:
        return f"{len(needed)} of them take about {needed[0]} items to decide"
    half = f", half of them at most {round(median(needed))}" if len(needed) > 2 else ""
    return f"{len(needed)} of them take about {needed[0]} to {needed[-1]} items to decide{half}"
