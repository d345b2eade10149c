"""Knowledge in the terminal: whom passages persuade, facts in weights beside context, and straight lines over size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.analysis.words import number
from onset.report.tables import VERDICT_STYLES, WIDE, add_row, grouped, heading, section, table
from onset.report.words import DASH, between, p_value, signed


def print_knowledge(shown: Mapping[str, Any], console: Console) -> None:
    """The tables that the study has of these: ``conflicts``, ``facts_in_weights``, ``knowledge_by_size``."""
    _print_conflicts(shown, console)
    _print_placements(shown, console)
    _print_lines(shown, console)


def _print_conflicts(shown: Mapping[str, Any], console: Console) -> None:
    if not shown.get("conflicts"):
        return
    heading(console, "Passage or memory (answers in per cent; known: right without a passage; kept: of these)")
    wide = console.width >= WIDE
    for key, group in grouped(shown["conflicts"], ("task", "shift", "stage")):
        section(console, key, [f"{group[0]['n']} items"])
        heads = [("Model", "name"), ("Method", "name"), ("Labels", "n"), ("Passage", "n"), ("Memory", "n")]
        heads += [("Neither", "n"), ("Lead", "n"), *([("95 % interval", "n")] if wide else [])]
        drawn = table([*heads, ("Known", "n"), ("Kept", "n")])
        for one in group:
            add_row(
                drawn, one["model"], one["method"], one["labels"], _share(one["passage"]), _share(one["memory"]),
                _share(one["neither"]), signed(one["lead"]), *([between(one["lead_interval"])] if wide else []),
                one["known"] if one["closed"] else DASH, _share(one["kept"]),
            )  # fmt: skip
        console.print(drawn)


def _print_placements(shown: Mapping[str, Any], console: Console) -> None:
    if not shown.get("facts_in_weights"):
        return
    heading(console, "Facts in weights and in context (accuracy in per cent, difference in points; p by Holm)")
    wide = console.width >= WIDE
    for key, group in grouped(shown["facts_in_weights"], ("model", "stage", "labels")):
        section(console, {"task": f"{key['labels']} facts", "shift": "none", **key}, [f"{group[0]['n']} items"])
        heads = [("Asked", "key"), ("Tuned", "name"), ("Reading", "name"), ("Weights", "n"), ("Context", "n")]
        heads += [("Diff.", "n"), *([("95 % interval", "n"), ("p", "n")] if wide else [])]
        drawn = table([*heads, ("Verdict", "key")])
        for one in group:
            verdict = Text(one["verdict"], style=VERDICT_STYLES.get(one["verdict"], ""))
            ends = DASH if one["interval"] is None else between(one["interval"])
            add_row(
                drawn, one["probe"], *one["methods"], _share(one["weights"]), _share(one["context"]),
                signed(one["difference"]), *([ends, p_value(one["p_holm"])] if wide else []), verdict,
            )  # fmt: skip
        console.print(drawn)


def _share(value: float | None) -> str:
    """In per cent, without the sign that the heading says."""
    return DASH if value is None else number(100 * value)


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
