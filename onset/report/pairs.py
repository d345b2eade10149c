"""What ``onset pairs`` prints: what a kind of training went with, and what that cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.analysis.words import bound, counted, number, percent, short_count
from onset.report.tables import add_row, heading, table

CAVEATS = (
    "Observational: the models differ in more than their training (data, makers, prompts, templates, who asked them),"
    " and nobody drew by lot which were trained: a change is what went with the training, not what it did.",
    "A score is what was read from the output: training that changes how answers are written moves it without any"
    " change of ability.",
    "Families are the observations of a mean and of a slope; models of one family are no independent witnesses.",
)
"""What holds of every such table."""


def print_pairs(shown: Sequence[Mapping[str, Any]], console: Console, *, full: bool) -> None:
    """A line a benchmark and kind of training; ``full``: every pair too."""
    heads = ("Benchmark, training", "name"), ("Pairs", "n"), ("Families", "n")
    made = table((*heads, ("Mean change (95 %)", "key"), ("A tenfold size (95 %)", "key")))
    for one in shown:
        count = len(one["pairs"])
        add_row(
            made, f"{one['benchmark']}, {one['stage']}", count, one["mean"]["families"], _over(one["mean"]),
            "" if one["slope"] is None else _over(one["slope"]),
        )  # fmt: skip
    console.print(made)
    console.print()
    for one in shown:
        console.print(Text(sentence(one)))
    if full:
        for one in shown:
            _print_pairs(one, console)
    heading(console, "What this cannot tell")
    for line in CAVEATS:
        console.print(Text(line))


def _over(one: Mapping[str, Any]) -> str:
    return f"{number(100 * one['value'])} ({_ends(one['interval'])})"


def _ends(interval: Sequence[float] | None) -> str:
    return "none" if interval is None else f"{bound(interval[0])} to {bound(interval[1])}"


def _print_pairs(one: Mapping[str, Any], console: Console) -> None:
    heading(console, f"{one['benchmark']}, {one['stage']}")
    made = table(
        (("Model", "name"), ("Family", "name"), ("Size", "n"), ("Before", "n"), ("After", "n"), ("95 %", "key"))
    )
    for pair in one["pairs"]:
        add_row(
            made,
            pair["model"],
            pair["family"],
            short_count(pair["params"]),
            percent(pair["before"]),
            percent(pair["after"]),
            _ends(pair["interval"]) if pair["interval"] else "items not known",
        )
    console.print(made)


def sentence(one: Mapping[str, Any]) -> str:
    """A benchmark and kind of training in a sentence."""
    mean, slope = one["mean"], one["slope"]
    said = {
        "gains": "goes with a gain of",
        "loses": "goes with a loss of",
        "undecided": "is not shown to go with a change:",
    }[mean["verdict"]]
    value = abs(mean["value"]) if mean["verdict"] != "undecided" else mean["value"]
    text = f"{one['benchmark']}: {one['stage']} training {said} {number(100 * value)} points on average over"
    text += f" {counted(mean['families'], 'family', 'families')} ({_interval(mean['interval'])}"
    text += f"; {counted(len(one['pairs']), 'pair')})"
    if slope is not None:
        how = {"gains": "rises", "loses": "falls", "undecided": "is not shown to change"}[slope["verdict"]]
        text += f"; within families it {how} with size ({number(100 * slope['value'])} points a tenfold,"
        text += f" {_interval(slope['interval'])}; {counted(slope['families'], 'family', 'families')} of two sizes)"
    if one["shown_of"]:
        text += f"; of {counted(one['shown_of'], 'pair')} {one['up']} are shown to rise and {one['down']} to fall"
    return f"{text}."


def _interval(interval: Sequence[float] | None) -> str:
    if interval is None:
        return "no interval: fewer than three families"
    return f"95 % interval {bound(interval[0])} to {bound(interval[1])}"
