"""What is said of a study's outputs in the terminal: every number of samples, thinking, the steps of chains, a second
reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from onset.analysis.words import number
from onset.report.tables import add_row, grouped, heading, section, table
from onset.report.words import share, shares, signed

_SHOWN = (1, 2, 3, 5, 10, 20, 50, 100)
"""Numbers of samples that have a line, beside that of all."""


def print_banks(shown: Mapping[str, Any], console: Console) -> None:
    """Accuracy of a majority of k samples and of the best of them, a line a k."""
    if not shown.get("banks"):
        return
    heading(console, "Samples (maj@k: right by majority; pass@k: any right; in per cent, 95 % interval)")
    for key, group in grouped(shown["banks"], ("task", "shift", "stage")):
        section(console, key, [f"{group[0]['n']} items"])
        names = [("Model", "name"), ("Method", "name"), ("Labels", "n"), ("k", "n")]
        drawn = table([*names, ("maj@k", "n"), ("interval", "n"), ("pass@k", "n"), ("interval", "n")])
        for bank in group:
            for place, point in enumerate(_points(bank)):
                name = [bank["model"], ", ".join(bank["methods"]), bank["labels"]] if place == 0 else ["", "", ""]
                majority = [share(point["majority"]), shares(point["majority_interval"])]
                add_row(drawn, *name, point["k"], *majority, share(point["any"]), shares(point["any_interval"]))
        console.print(drawn)
        for bank in group:
            low, high = (signed(end) for end in bank["gain_interval"])
            console.print(
                f"{bank['model']}, {bank['methods'][0]}: maj@{bank['samples']} minus maj@1"
                f" {signed(bank['gain'])} ({low} to {high}), {bank['verdict']}",
                style="dim", markup=False, highlight=False,
            )  # fmt: skip


def _points(bank: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [one for one in bank["points"] if one["k"] in _SHOWN or one["k"] == bank["samples"]]


def print_thinking(shown: Mapping[str, Any], console: Console) -> None:
    """Accuracy by budget of thinking tokens, a line a budget."""
    if not shown.get("thinking"):
        return
    heading(console, "Thinking (tokens: mean of an output; cut: used up the budget; in per cent, 95 % interval)")
    for key, group in grouped(shown["thinking"], ("task", "shift", "stage")):
        section(console, key, [f"{group[0]['points'][0]['n']} items"])
        names = [("Model", "name"), ("Method", "name"), ("Labels", "n"), ("Budget", "n"), ("Tokens", "n")]
        drawn = table([*names, ("Acc.", "n"), ("interval", "n"), ("cut", "n"), ("interval", "n")])
        for line in group:
            for place, one in enumerate(line["points"]):
                name = [line["model"], one["method"], line["labels"]] if place == 0 else ["", one["method"], ""]
                right = [share(one["accuracy"]), shares(one["interval"])]
                thought = [one["budget"], number(one["tokens"])]
                add_row(drawn, *name, *thought, *right, share(one["cut"]), shares(one["cut_interval"]))
        console.print(drawn)


def print_chains(shown: Mapping[str, Any], console: Console) -> None:
    """Answers by their steps, and what a calculator changes: a line a method."""
    if not shown.get("chains"):
        return
    heading(console, "Steps (answer right or wrong, by right steps, a wrong one, or none that can be checked)")
    for key, group in grouped(shown["chains"], ("task", "shift", "stage")):
        section(console, key, [f"{group[0]['n']} items"])
        heads = [("Model", "name"), ("Method", "name"), ("Labels", "n"), ("Outputs", "n")]
        drawn = table([*heads, *((f"{answer} {steps}", "n") for answer in ("R", "W") for steps in ("r", "w", "?"))])
        for one in group:
            counts = [one["counts"][answer][steps] for answer in _ANSWERS for steps in _STEPS]
            add_row(drawn, one["model"], one["method"], one["labels"], one["outputs"], *counts)
        console.print(drawn)
        for one in group:
            for line in _chain_lines(one):
                console.print(f"{one['model']}, {one['method']}: {line}", style="dim", markup=False, highlight=False)
    console.print(
        "R, W: right, wrong answer; r, w, ?: right steps, a wrong one, none checked", style="dim", highlight=False
    )


_ANSWERS = ("right answer", "wrong answer")
_STEPS = ("right", "wrong", "unchecked")


def _chain_lines(one: Mapping[str, Any]) -> list[str]:
    said = []
    for name, words in (
        ("steps", "of the steps checked are right"),
        ("lucky", "of right answers with steps that can be checked have a wrong step"),
    ):
        if (held := one[name]) is not None:
            ends = shares(held["interval"])
            said.append(f"{share(held['value'])} ({ends}; {held['part']} of {held['whole']}) {words}")
    if (sums := one["calculator"]) is not None:
        low, high = (signed(end) for end in sums["interval"])
        said.append(
            f"with a calculator {share(sums['accuracy'])} instead of {share(sums['accuracy_without'])}:"
            f" {signed(sums['difference'])} ({low} to {high}), {sums['verdict']}"
        )
    return said


def print_second_readings(shown: Mapping[str, Any], console: Console) -> None:
    """Accuracy of outputs by the task's reader and by another one, and how often these differ: a line a method."""
    if not shown.get("second_readings"):
        return
    reader = shown["second_readings"][0]["reader"]
    heading(console, f"Answers read by {reader} too (of single outputs; in per cent, 95 % interval)")
    for key, group in grouped(shown["second_readings"], ("task", "shift", "stage")):
        section(console, key, [f"{group[0]['n']} items"])
        names = [("Model", "name"), ("Method", "name"), ("Labels", "n")]
        drawn = table([*names, *((head, "n") for head in ("task's", "interval", reader, "interval", "differ"))])
        for one in group:
            first, second, differ = (one[name] for name in ("first", "second", "differ"))
            name = [one["model"], ", ".join(one["methods"]), one["labels"]]
            each = [text for held in (first, second) for text in (share(held["value"]), shares(held["interval"]))]
            add_row(drawn, *name, *each, share(differ["value"]))
        console.print(drawn)
        for one in group:
            console.print(
                f"{one['model']}, {one['methods'][0]}: {_second_line(one)}", style="dim", markup=False, highlight=False
            )


def _second_line(one: Mapping[str, Any]) -> str:
    low, high = (signed(end) for end in one["interval"])
    right, unread = one["right"], one["unread"]
    late = f"; out of time in {one['timeouts']}" if one["timeouts"] else ""
    return (
        f"{signed(one['difference'])} ({low} to {high}), {one['verdict']}; of {one['outputs']} outputs right by both"
        f" {right['both']}, by the task's reader alone {right['first']}, by {one['reader']} alone {right['second']};"
        f" no answer: {unread['first']} and {unread['second']}{late}"
    )
