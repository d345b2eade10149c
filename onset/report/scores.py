"""Scores that are not right or wrong, in the terminal: their means, and pairs of models and of methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onset.analysis.words import score, signed_score
from onset.report.tables import VERDICT_STYLES, WIDE, add_row, grouped, heading, table
from onset.report.words import p_value


def print_scores(shown: Mapping[str, Any], console: Console) -> None:
    """A section a task and metric; ``shown`` is what ``onset show --json`` prints."""
    if not shown.get("scores"):
        return
    heading(console, "Other scores (each in its own unit, never mixed with accuracies; p adjusted by Holm)")
    place = ("task", "shift", "metric", "filter", "higher_is_better")
    pairs = {tuple(key.values()): group for key, group in grouped(shown["score_pairs"], place)}
    for key, group in grouped(shown["scores"], place):
        named = key["metric"] if key["filter"] is None else f"{key['metric']}, {key['filter']}"
        shift = "" if key["shift"] == "none" else f", shift {key['shift']}"
        text = Text(f"{key['task']}{shift} · {named}", style="underline")
        text.append(Text(f" ({'higher' if key['higher_is_better'] else 'lower'} is better)", style="dim not underline"))
        console.print()
        console.print(text)
        console.print(_means(group))
        held = pairs.get(tuple(key.values()))
        if held:
            console.print()
            console.print(_pairs(held, wide=console.width >= WIDE))


def _means(group: Sequence[Mapping[str, Any]]) -> Table:
    drawn = table(
        [("Model", "name"), ("Method", "name"), ("Value", "n"), ("95 % interval", "n"), ("Items", "n"), ("", "name")]
    )
    for one in group:
        lacking = "" if one["item_by_item"] else "no items" + (", no standard error" if one["stderr"] is None else "")
        interval = " to ".join(score(end, 3) for end in one["interval"]) if one["interval"] else "–"
        items = "–" if one["n"] is None else f"{one['n']}" + (f" × {one['draws']}" if one["draws"] > 1 else "")
        add_row(drawn, one["model"], one["method"], score(one["value"]), interval, items, lacking)
    return drawn


def _pairs(group: Sequence[Mapping[str, Any]], *, wide: bool) -> Table:
    heads = [("Of", "name"), ("Against", "name"), ("Diff.", "n"), ("95 % interval", "n"), ("p", "n")]
    drawn = table([*heads, ("Verdict", "key"), *([("Test", "name")] if wide else [])])
    for one in group:
        sides = one["sides"] if one["axis"] == "model" else [f"{one['model']}, {side}" for side in one["sides"]]
        interval = " to ".join(map(signed_score, one["interval"])) if one["interval"] else "–"
        difference = "–" if one["difference"] is None else signed_score(one["difference"])
        verdict = Text(one["verdict"], style=VERDICT_STYLES.get(one["verdict"], ""))
        add_row(drawn, *sides, difference, interval, p_value(one["p_holm"]), verdict, *([one["test"]] if wide else []))
    return drawn
