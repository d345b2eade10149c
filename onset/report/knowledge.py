"""Knowledge in the terminal: whom passages persuade, facts in weights beside context, and straight lines over size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.report.tables import VERDICT_STYLES, add_row, grouped, heading, section, table
from onset.report.words import DASH, between, p_value, share, signed


def print_knowledge(shown: Mapping[str, Any], console: Console) -> None:
    """The tables that the study has of these: ``conflicts``, ``facts_in_weights``, ``knowledge_by_size``."""
    _print_conflicts(shown, console)
    _print_placements(shown, console)
    _print_lines(shown, console)


def _print_conflicts(shown: Mapping[str, Any], console: Console) -> None:
    if not shown.get("conflicts"):
        return
    heading(console, "Passage or memory (answers in per cent; known: right without a passage; kept: of these)")
    for key, group in grouped(shown["conflicts"], ("task", "shift", "stage")):
        section(console, key, [f"{group[0]['n']} items"])
        heads = [("Model", "name"), ("Method", "name"), ("Labels", "n"), ("Passage", "n"), ("Memory", "n")]
        heads += [("Neither", "n"), ("Lead", "n"), ("95 % interval", "n"), ("Known", "n"), ("Kept", "n")]
        drawn = table(heads)
        for one in group:
            add_row(
                drawn, one["model"], one["method"], one["labels"], share(one["passage"]), share(one["memory"]),
                share(one["neither"]), signed(one["lead"]), between(one["lead_interval"]),
                one["known"] if one["closed"] else DASH, share(one["kept"]),
            )  # fmt: skip
        console.print(drawn)


def _print_placements(shown: Mapping[str, Any], console: Console) -> None:
    if not shown.get("facts_in_weights"):
        return
    heading(console, "Facts in weights and in context (accuracy in per cent, difference in points; p by Holm)")
    for key, group in grouped(shown["facts_in_weights"], ("model", "stage", "labels")):
        section(console, {"task": f"{key['labels']} facts", "shift": "none", **key}, [f"{group[0]['n']} items"])
        heads = [("Asked", "name"), ("Tuned", "name"), ("Reading", "name"), ("Weights", "n"), ("Context", "n")]
        drawn = table([*heads, ("Diff.", "n"), ("95 % interval", "n"), ("p", "n"), ("Verdict", "key")])
        for one in group:
            verdict = Text(one["verdict"], style=VERDICT_STYLES.get(one["verdict"], ""))
            ends = DASH if one["interval"] is None else between(one["interval"])
            add_row(
                drawn, one["probe"], *one["methods"], share(one["weights"]), share(one["context"]),
                signed(one["difference"]), ends, p_value(one["p_holm"]), verdict,
            )  # fmt: skip
        console.print(drawn)


def _print_lines(shown: Mapping[str, Any], console: Console) -> None:
    if not shown.get("knowledge_by_size"):
        return
    heading(console, "Knowledge by size (points for a tenfold size; p: of a straight line, by Holm)")
    drawn = table(
        [("Task", "name"), ("Method", "name"), ("Labels", "n"), ("Sizes", "n"), ("Tenfold", "n"),
         ("95 % interval", "n"), ("p", "n"), ("Verdict", "key")]
    )  # fmt: skip
    for one in shown["knowledge_by_size"]:
        add_row(
            drawn, one["task"], one["method"], one["labels"], len(one["sizes"]), signed(one["per_tenfold"]),
            between(one["interval"]), p_value(one["p_holm"]), one["verdict"],
        )  # fmt: skip
    console.print(drawn)
