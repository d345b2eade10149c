"""``onset plan`` in the terminal: what a study costs, and what it could find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.analysis.words import counted, duration, number, points
from onset.report.tables import add_row, heading, table
from onset.report.words import flops


def print_plan(plan: Mapping[str, Any], console: Console) -> None:
    """What ``onset plan`` prints before anything runs.

    ``plan``: ``study``, ``cells`` (count), ``shared`` (of these, cells that read others' outputs),
    ``flops`` and ``seconds`` in all, ``search`` (``trials``, ``flops`` and ``seconds`` of choosing settings),
    ``models`` (rows with ``model``, ``templates`` it is asked through, ``cells``, ``tunings``, ``trials``, ``flops``,
    ``seconds``; both null where not known), ``prompts`` (rows as
    `onset.study.prompts.prompt_rows`), ``detectable`` (rows as `onset.analysis.contrast.planning.Detectable`) and
    ``notes`` (lines).
    """
    heading(console, f"{plan['study']}: {counted(plan['cells'], 'cell')}")
    searched = plan["search"]["trials"] > 0
    columns = [("Model", "name"), ("Template", "name"), ("Cells", "n"), ("Tunings", "n")]
    columns += [("Trials", "n")] if searched else []
    drawn = table([*columns, ("FLOPs", "n"), ("Time", "n")])
    for row in plan["models"]:
        ways, cost = ", ".join(row["templates"]), _cost(row)
        counts = [row["cells"], row["tunings"], *([row["trials"]] if searched else [])]
        add_row(drawn, row["model"], ways, *counts, *cost)
    total = sum(row["tunings"] for row in plan["models"])
    drawn.add_section()
    counts = [plan["cells"], total, *([plan["search"]["trials"]] if searched else [])]
    add_row(drawn, "all", "", *counts, *_cost(plan))
    console.print(drawn)
    if searched:
        once, long = _cost(plan["search"])
        console.print(
            Text(f"Choosing settings: {plan['search']['trials']} trials, {once} FLOPs, {long}, in these sums.")
        )
    console.print(Text("Time is a guess from a short measurement of this machine, good to a factor of about two."))
    if plan["shared"]:
        read = f"{counted(plan['shared'], 'cell')} of these read what another one was answered"
        console.print(Text(f"{read} (the same samples, or no example at any budget): it is counted once."))
    if plan["prompts"]:
        _print_prompts(plan["prompts"], console)
    if plan["detectable"]:
        _print_detectable(plan["detectable"], console)
    for note in plan["notes"]:
        console.print(Text(f"note: {note}"))


def _print_prompts(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    heading(console, "Demonstrations in a prompt")
    drawn = table([("Method", "name"), ("Labels", "n"), ("Shown, about", "n"), ("Tokens of a prompt, about", "n")])
    for row in rows:
        add_row(drawn, row["method"], row["labels"], _span(row["demonstrations"]), _span(row["prompt_tokens"]))
    console.print(drawn)
    if any(row["demonstrations"][0] < row["usable"][0] for row in rows if row["fitted"]):
        console.print(Text("Fewer than are granted: no more fit beside the longest question and its answer."))


def _span(values: Sequence[int]) -> str:
    """``8``, or ``96–128``."""
    low, high = values
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _cost(row: Mapping[str, Any]) -> tuple[str, str]:
    """FLOPs and time, as far as they are known before a model is asked."""
    unknown = "unknown"
    return (
        unknown if row["flops"] is None else flops(row["flops"]),
        unknown if row["seconds"] is None else duration(row["seconds"]),
    )


def _print_detectable(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    heading(console, "Smallest difference a comparison finds with 80 % power")
    drawn = table(
        [("Comparison", "name"), ("Draws", "n"), ("Items", "n"), ("If they disagree on", "n"), ("Difference", "n")]
    )
    for row in rows:
        disagree = f"{number(100 * row['discordance'], 0)} % of items"
        found = points(row["difference"]) if row["difference"] < 1 else "none"
        add_row(drawn, row["design"], row["draws"], row["items"], disagree, found)
    console.print(drawn)
    for line in detectable_notes(rows):
        console.print(Text(line))


def detectable_notes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the table of detectable differences rests on, where it decides nothing, and what would see more."""
    lines = []
    sizes = sorted({row["family_size"] for row in rows})
    if sizes[-1] > 1:
        span = f"{sizes[0]}" if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"
        lines.append(f"Corrected for the {span} comparisons of a family (the first step of Holm's).")
    if any(row["draws"] == 1 for row in rows):
        lines.append("One draw answers about its own examples: how other examples would do is not in it.")
    for row in {(row["design"], row["draws"]): row for row in rows if row["draws"] > 1}.values():
        same = [one for one in rows if (one["design"], one["draws"]) == (row["design"], row["draws"])]
        said = f"{row['design'][:1].upper()}{row['design'][1:]}, {row['draws']} draws"
        noise = f"noise between draws {points(row['noise'])} ({row['source']})"
        pooled = (
            f"pooled over {counted(row['comparisons'], 'comparison')}"
            if row["prior_df"]
            else f"not pooled: {row['independent']} of at least 3 independent comparisons"
        )
        lines.append(f"{said}: {noise}, {pooled}.")
        if not any(one["decides"] for one in same):
            least = min(one["difference"] for one in same)
            finds = "no difference at all" if least >= 1 else f"only differences of {points(least)} and more"
            lines.append(f"  {counted(row['draws'], 'draw')} decide nothing here: they find {finds}.")
        better = [one for one in same if one["proposal"]]
        if better:
            best = max(better, key=lambda one: one["discordance"])
            other = best["proposal"]
            here = (
                f", and {best['draws']} x {best['items']} {points(best['difference'])}"
                if best["difference"] < 1
                else ""
            )
            found = f"{other['draws']} draws x {other['items']} items find {points(other['difference'])}"
            lines.append(f"  For the same cost {found}{here}.")
    return lines
