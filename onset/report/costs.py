"""What every arm costs in the terminal, and from how many labels and queries on tuning pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.analysis.words import number
from onset.report.tables import WIDE, add_row, grouped, heading, section, table
from onset.report.words import DASH, count, flops


def print_costs(shown: Mapping[str, Any], console: Console) -> None:
    """A line an arm: operations of a query with nothing reused and with what prompts begin with kept, and what is done
    once; tokens, attention and bytes where there is room.
    """
    if not shown.get("costs"):
        return
    heading(
        console, "Costs (FLOPs of a query; kept: what prompts begin with is run once; once: tuning, search, stages)"
    )
    wide = console.width >= WIDE
    for key, group in grouped(shown["costs"], ("task", "shift", "stage")):
        section(console, key, ["means over draws"])
        heads = [("Model", "name"), ("Method", "name"), ("Labels", "n"), *([("Tokens", "n")] if wide else [])]
        heads += [("Query", "n"), ("kept", "n"), *([("Attention", "n")] if wide else []), ("Once", "n")]
        drawn = table([*heads, ("s/query", "n"), *([("s once", "n"), ("Bytes", "n")] if wide else [])])
        for one in group:
            tokens = None if None in (ends := (one["prompt_tokens"], one["output_tokens"])) else sum(ends)
            values = [one["model"], one["method"], one["labels"], *([count(tokens)] if wide else [])]
            values += [flops(one["flops"]), flops(one["flops_reused"])]
            values += [flops(one["attention"])] if wide else []
            values += [flops(one["tuning"] + one["search"] + one["stages"]), _seconds(one["seconds"])]
            values += [_seconds(one["tuning_seconds"]), count(one["stored"]) if one["stored"] else DASH] if wide else []
            add_row(drawn, *values)
        console.print(drawn)


def _seconds(value: float | None) -> str:
    return DASH if not value else number(value, 3 if value < 1 else 1)


def print_break_evens(shown: Mapping[str, Any], console: Console) -> None:
    """Each tuned method against each prompting one: labels and queries from which on it is ahead, or cheaper."""
    labels = shown.get("break_even_labels") or ()
    queries = [one for one in shown.get("break_even_queries") or () if one["queries"] is not None]
    if labels:
        heading(console, "Break-even labels (95 % interval; one draw: the mean lead less one deviation between draws)")
        for key, group in grouped(labels, ("task", "shift", "stage", "model")):
            section(console, key, [f"{group[0]['n']} items, {group[0]['draws']} draws"])
            drawn = table([("Tuned", "name"), ("Prompted", "name"), ("On the mean", "key"), ("One draw", "key")])
            for one in group:
                add_row(drawn, one["tuned"], one["prompted"], _place(one["mean"]), _place(one["variance_counted"]))
            console.print(drawn)
    if queries:
        heading(console, "Break-even queries (tuning is cheaper in all from there on; kept: as above)")
        for key, group in grouped(queries, ("task", "shift", "stage", "model")):
            section(console, key, ["tuning that never pays is left out"])
            drawn = table([("Labels", "n"), ("Tuned", "name"), ("Prompted", "name"), ("Queries", "n"), ("kept", "n")])
            for one in group:
                kept = DASH if not one["knows_reuse"] else "never" if one["reused"] is None else count(one["reused"])
                add_row(drawn, one["labels"], one["tuned"], one["prompted"], _queries(one), kept)
            console.print(drawn)
    if labels or queries:
        console.print(Text("Which is cheaper says nothing of which is right more often.", style="dim"))


def _place(one: Mapping[str, Any] | None) -> str:
    """``40 (22 to 71)``, or the verdict."""
    if one is None:
        return DASH
    ends = _ends(one["interval"])
    at = "" if one["at"] is None else f"{one['at']:.0f} "
    if one["verdict"] in ("reached", "undecided"):
        text = f"{at}({ends})" if ends else at.strip()
        return text if one["verdict"] == "reached" else f"undecided {text}".strip()
    return str(one["verdict"])


def _ends(interval: Sequence[float | None]) -> str:
    low, high = (None if end is None else f"{end:.0f}" for end in interval)
    if low and high:
        return f"{low} to {high}"
    return f"above {low}" if low else f"up to {high}" if high else ""


def _queries(one: Mapping[str, Any]) -> str:
    low, high = one["interval"] or (None, None)
    if low is None or high is None:
        return count(one["queries"])
    return f"{count(one['queries'])} ({count(low)}–{count(high)})"
