"""What every arm costs, and from how many labels and queries on tuning pays: in the terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.analysis.questions.say import Say
from onset.analysis.words import money, number
from onset.report.tables import WIDE, add_row, grouped, heading, section, table
from onset.report.words import DASH, count, flops, size

Row = Mapping[str, Any]
ENGLISH = Say()

MEMORY = (
    "memory: on a CPU all that the process had in memory, interpreter and libraries too; on a GPU what tensors took"
)
NOTE = (
    "FLOPs of a query: with nothing reused, and with what all prompts of a cell begin with kept (run once). Once:"
    " tuning, the search for settings and stages of training. Seconds and memory are those of the machine that ran"
    " the study; of memory the most that was held is given, on a CPU all that the process had in memory,"
    " interpreter and libraries too, on a GPU what tensors took."
)
CHEAPER = "Which is cheaper says nothing of which is right more often."
LABELS_NOTE = (
    "Labelled examples from which on the tuned method is ahead of the prompting one, with the 95 % interval: on"
    " the mean over draws, and for one draw (the mean lead less one standard deviation between draws)."
)
QUERIES_NOTE = (
    "Queries from which on the tuned method is cheaper in all, in FLOPs, with the 95 % interval; kept: where what"
    " prompts begin with is run once."
)


# ---- in the terminal -----------------------------------------------------------------------------------------------


def print_costs(shown: Row, console: Console) -> None:
    """A line an arm: operations of a query with nothing reused and with what prompts begin with kept, and what is done
    once, with seconds; tokens and attention where there is room. Then memory, bytes stored and money, where any is
    known.
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
        drawn = table([*heads, ("s/query", "n"), *([("s once", "n")] if wide else [])])
        for one in group:
            values = [one["model"], one["method"], one["labels"], *([count(_tokens(one))] if wide else [])]
            values += [flops(one["flops"]), flops(one["flops_reused"])]
            values += [flops(one["attention"])] if wide else []
            values += [flops(_once(one)), _seconds(one["seconds"]), *([_seconds(_once_seconds(one))] if wide else [])]
            add_row(drawn, *values)
        console.print(drawn)
    _print_memory(shown["costs"], console)


def _print_memory(rows: Sequence[Row], console: Console) -> None:
    priced = any(one["money"] for one in rows)
    if not priced and not any(one["peak"] or one["stored"] for one in rows):
        return
    heading(console, "Memory held at most, weights stored" + (", and money" if priced else ""))
    for key, group in grouped(rows, ("task", "shift", "stage")):
        section(console, key, ["the most of all draws"])
        heads = [("Model", "name"), ("Method", "name"), ("Labels", "n"), ("Asked", "n"), ("Trained", "n")]
        drawn = table([*heads, ("Stored", "n"), *([("1,000 queries", "n"), ("Once", "n")] if priced else [])])
        for one in group:
            values = [one["model"], one["method"], one["labels"], size(one["peak"]), size(_trained(one))]
            values += [
                size(one["stored"] or None),
                *([_money(one, "query", 1000), _money(one, "once")] if priced else []),
            ]
            add_row(drawn, *values)
        console.print(drawn)
    console.print(Text(MEMORY, style="dim"))


def print_break_evens(shown: Row, console: Console) -> None:
    """Each tuned method against each prompting one: labels and queries from which on it is ahead, or cheaper."""
    labels, queries = shown.get("break_even_labels") or (), _paying(shown)
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
                add_row(drawn, one["labels"], one["tuned"], one["prompted"], _queries(one), _kept(one))
            console.print(drawn)
    if labels or queries:
        console.print(Text(CHEAPER, style="dim"))


# ---- on the page ---------------------------------------------------------------------------------------------------


def cost_table(shown: Row) -> dict[str, Any] | None:
    """The arms' costs in words for the page, and whether any has a price; None where nothing is known of costs."""
    rows = shown.get("costs") or []
    if not rows:
        return None
    return {"rows": [{**one, **_said(one)} for one in rows], "priced": any(one["money"] for one in rows), "note": NOTE}


def _said(one: Row) -> dict[str, str]:
    return {
        "tokens": count(_tokens(one)),
        "query": flops(one["flops"]),
        "kept": flops(one["flops_reused"]),
        "once": flops(_once(one)),
        "query_seconds": _seconds(one["seconds"]),
        "once_seconds": _seconds(_once_seconds(one)),
        "asked": size(one["peak"]),
        "trained": size(_trained(one)),
        "weights": size(one["stored"] or None),
        "thousand": _money(one, "query", 1000),
        "once_money": _money(one, "once"),
    }


def break_even_tables(shown: Row, say: Say) -> dict[str, Any] | None:
    """Break-even labels and queries in words for the page; None where there is neither."""
    labels = [
        {**one, "on_mean": _place(one["mean"], say), "on_draw": _place(one["variance_counted"], say)}
        for one in shown.get("break_even_labels") or ()
    ]
    queries = [{**one, "at": _queries(one, say), "kept": _kept(one, say)} for one in _paying(shown)]
    never = len(shown.get("break_even_queries") or ()) - len(queries)
    if not labels and not queries:
        return None
    left_out = say("Tuning that never pays is left out ({count} of {all}).", count=never, all=never + len(queries))
    return {
        "labels": labels,
        "queries": queries,
        "labels_note": say(LABELS_NOTE),
        "queries_note": [say(QUERIES_NOTE), *([left_out] if never else []), say(CHEAPER)],
    }


# ---- in words ------------------------------------------------------------------------------------------------------


def _tokens(one: Row) -> float | None:
    ends = (one["prompt_tokens"], one["output_tokens"])
    return None if None in ends else sum(ends)


def _once(one: Row) -> float:
    return float(one["tuning"] + one["search"] + one["stages"])


def _once_seconds(one: Row) -> float | None:
    """Of all that is done once; None where that of a part is not known, or nothing is done."""
    parts = [one[f"{name}_seconds"] for name in ("tuning", "search", "stages") if one[name]]
    return None if None in parts or not parts else float(sum(parts))


def _trained(one: Row) -> int | None:
    """Memory that tuning and stages held at most; None where that of one is not known, or there is none."""
    peaks = [one[f"{name}_peak"] for name in ("tuning", "stages") if one[name]]
    return None if None in peaks or not peaks else max(peaks)


def _seconds(value: float | None) -> str:
    return DASH if not value else number(value, 3 if value < 1 else 1)


def _money(one: Row, what: str, times: int = 1) -> str:
    held = one["money"]
    return DASH if held is None or held[what] is None else money(times * held[what], held["currency"])


def _paying(shown: Row) -> list[Row]:
    """Pairs in which tuning is cheaper from some number of queries on."""
    return [one for one in shown.get("break_even_queries") or () if one["queries"] is not None]


def _place(one: Row | None, say: Say = ENGLISH) -> str:
    """``40 (22 to 71)``, or the verdict."""
    if one is None:
        return DASH
    ends = _ends(one["interval"], say)
    at = "" if one["at"] is None else f"{one['at']:.0f} "
    if one["verdict"] in ("reached", "undecided"):
        text = f"{at}({ends})" if ends else at.strip()
        return text if one["verdict"] == "reached" else f"{say('undecided')} {text}".strip()
    return say(str(one["verdict"]))


def _ends(interval: Sequence[float | None], say: Say) -> str:
    low, high = (None if end is None else f"{end:.0f}" for end in interval)
    if low and high:
        return say("{low} to {high}", low=low, high=high)
    return say("above {low}", low=low) if low else say("up to {high}", high=high) if high else ""


def _queries(one: Row, say: Say = ENGLISH) -> str:
    if one["queries"] <= 0:
        return say("the first on")
    low, high = (None if end is None else count(math.ceil(end)) for end in one["interval"] or (None, None))
    said = count(math.ceil(one["queries"]))
    if low is not None and high is not None:
        return f"{said} ({low}–{high})"
    ends = say("above {low}", low=low) if low else say("up to {high}", high=high) if high else ""
    return f"{said} ({ends})" if ends else said


def _kept(one: Row, say: Say = ENGLISH) -> str:
    if not one["knows_reuse"]:
        return DASH
    if one["reused"] is None:
        return say("never")
    return say("the first on") if one["reused"] <= 0 else count(math.ceil(one["reused"]))
