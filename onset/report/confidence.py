"""Confidence beside accuracy, in the terminal: a line a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from onset.report.tables import WIDE, add_row, grouped, heading, section, table
from onset.report.words import DASH, share, shares, signed


def print_confidence(shown: Mapping[str, Any], console: Console) -> None:
    """How sure each method is, its calibration error (none below 100 answered items) and its risk-coverage area."""
    if not shown.get("confidence"):
        return
    heading(
        console,
        "Confidence (in per cent; over: less the accuracy; AURC: share wrong over all coverages)",
    )
    for key, group in grouped(shown["confidence"], ("task", "shift", "stage")):
        section(console, key, [f"{group[0]['n']} items"])
        wide = console.width >= WIDE
        ends = [("interval", "n")] if wide else []
        heads = [("Model", "name"), ("Method", "name"), ("Labels", "n"), ("From", "name"), ("Sure", "n"), ("Over", "n")]
        drawn = table([*heads, ("ECE", "n"), *ends, ("AURC", "n"), *ends, ("Best half", "n")])
        for one in group:
            error = one["ece"]
            half = next(each["accuracy"] for each in one["kept"] if each["coverage"] == _HALF)
            add_row(
                drawn, one["model"], one["method"], one["labels"], one["kind"], share(one["confidence"]),
                signed(one["overconfidence"]), share(error["value"]) if error else DASH,
                *([shares(error["interval"]) if error else DASH] if wide else []), share(one["aurc"]),
                *([shares(one["aurc_interval"])] if wide else []), share(half),
            )  # fmt: skip
        console.print(drawn)


_HALF = 0.5
