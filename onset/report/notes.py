"""What has to be known to read the tables of a study, in the terminal and in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onset.analysis.questions.say import ENGLISH, Say
from onset.analysis.words import number


def budget_notes(cells: Sequence[Mapping[str, Any]], say: Say = ENGLISH) -> list[str]:
    """Where a budget's examples are not all shown: ``With 64 labelled examples, chain of thought shows 4.``"""
    shown: dict[int, dict[str, set[int]]] = {}
    for cell in cells:
        if cell["tune"] is None and (cell["demonstrations"] or 0) < (cell["labels"] or 0):
            shown.setdefault(cell["labels"], {}).setdefault(cell["method"], set()).add(cell["demonstrations"])
    return [
        say(
            "With {examples}, {shown}.",
            examples=say.counted("example", labels),
            shown=say.shows({method: (min(counts), max(counts)) for method, counts in methods.items()}),
        )
        for labels, methods in sorted(shown.items())
    ]


def comparison_notes(comparisons: Sequence[Mapping[str, Any]], say: Say = ENGLISH) -> list[str]:
    """What has to be known to read the table of comparisons, where it applies."""
    lines = []
    if any(one["scope"] == "these examples" for one in comparisons):
        lines.append(say("One draw: the verdict is about these examples, not about others."))
    excludes = [
        one
        for one in comparisons
        if one["verdict"] == "undecided" and one["interval"] and (one["interval"][0] > 0 or one["interval"][1] < 0)
    ]
    if excludes:
        lines.append(
            say(
                "Undecided beside an interval without 0: the interval is of that comparison alone,"
                " p is corrected for all comparisons of its family."
            )
        )
    pooled = [one["pool"] for one in comparisons if one["pool"]]
    for design in dict.fromkeys(pool["design"] for pool in pooled):
        held = next(pool for pool in pooled if pool["design"] == design)
        lines.append(
            say(
                "Noise between draws is pooled over {comparisons} comparisons ({design}; {independent} independent):"
                " prior of {df} degrees of freedom.",
                comparisons=held["comparisons"],
                design=say.told(design),
                independent=held["independent"],
                df=number(held["prior_df"]),
            )
        )
    lines += [
        say("Not pooled: {why}.", why=say.told(why))
        for why in dict.fromkeys(one["not_pooled"] for one in comparisons)
        if why
    ]
    return lines
