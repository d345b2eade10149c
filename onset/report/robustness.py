"""What shifts of the test items take, in the terminal: ``onset show D --robustness``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onset.analysis.words import counted, number
from onset.report.tables import WIDE, add_row, grouped, heading, section, table
from onset.report.words import DASH, between, p_value, share, signed

_STYLES = {
    **dict.fromkeys(("loses", "reverses", "below", "uneven"), "bold yellow"),
    **dict.fromkeys(("gains", "holds", "keeps", "above"), "bold blue"),
    **dict.fromkeys(("narrows", "widens", "falls", "rises"), "bold"),
}
_MATCHED = {"wins": "falls less", "loses": "falls more"}


def print_robustness(shown: Mapping[str, Any], console: Console) -> None:
    """Every drop, the methods beside the line of the others, the worst shifts, whose lead changes, drops over sizes,
    and parts of the test sets; nothing of a study without a shift.

    ``shown``: the value of ``robustness`` in what ``onset show --json`` prints.
    """
    _print_falls(shown["falls"], console)
    _print_methods(shown["grids"], console)
    _print_worst(shown["worst"], console)
    _print_leads(shown["leads"], console)
    _print_slopes([*shown["slopes"], *(one["slope"] for one in shown["curves"] if one["slope"])], console)
    _print_parts(shown["breakdowns"], console)
    for one in shown["single_label"]:
        said = "all {n} items of {task} under the shift {shift} have one answer, {label}: a constant answer is right"
        console.print(Text(said.format(**one), style="bold red"))
    if shown["without_clean"]:
        lone = counted(len(shown["without_clean"]), "shifted arm")
        console.print(Text(f"{lone} without a clean counterpart: nothing to hold against", style="dim"))


def _print_falls(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not rows:
        return
    heading(console, "Robustness (accuracy in per cent; drop: clean minus shifted, in points; p adjusted by Holm)")
    wide = console.width >= WIDE
    for key, group in grouped(rows, ("task", "shift", "stage", "model")):
        budgets = {one["labels"] for one in group}
        draws, items = ({_size(one[name]) for one in group} for name in ("seeds", "n"))
        said = [counted(max(items), "item"), *([counted(max(draws), "draw")] if len(draws) == 1 else [])]
        said += [] if group[0]["paired"] else ["another test set"]
        if len(budgets) == 1:
            said.append(f"labels {budgets.copy().pop()}")
        section(console, key, said)
        console.print(_fall_table(group, budget=len(budgets) > 1, wide=wide))
    flips = "Flips: right answers that become wrong / wrong ones that become right, in per cent of either."
    matched = " Matched: shifted accuracy minus what the other methods have at this clean accuracy, in points."
    console.print(Text(f"{flips}{matched if wide else ''}", style="dim"))


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(value)


def _fall_table(group: Sequence[Mapping[str, Any]], *, budget: bool, wide: bool) -> Table:
    heads = [*([("Labels", "n")] if budget else []), ("Method", "name"), ("Clean", "n"), ("Shifted", "n")]
    heads += [("Drop", "n"), ("95 % interval", "n"), ("Flips", "n"), ("Verdict", "key")]
    heads += [("Matched", "n"), ("Matched interval", "n"), ("p", "n"), ("Items", "n"), ("Draws", "n")] if wide else []
    drawn = table(heads)
    for one in group:
        values = [one["labels"]] if budget else []
        found = one["matched"]
        values += [one["method"], *(number(100 * one[name]) for name in ("clean", "shifted")), signed(one["drop"])]
        values += [_ends(one["interval"]), _flips(one)]
        values += [Text(one["verdict"], style=_STYLES.get(one["verdict"], ""))]
        if wide:
            values += [DASH, DASH] if found is None else [signed(found["difference"]), _ends(found["interval"])]
            values += [p_value(one["p_holm"])]
            values += [one["n"], len(one["seeds"])]
        add_row(drawn, *values)
    return drawn


def _ends(interval: Sequence[float] | None) -> str:
    return DASH if interval is None else between(interval)


def _flips(one: Mapping[str, Any]) -> str:
    said = [DASH if part is None else number(100 * part["value"], 0) for part in _both(one)]
    return DASH if all(part is None for part in _both(one)) else " / ".join(said)


def _both(one: Mapping[str, Any]) -> tuple[Any, Any]:
    return one["right_to_wrong"], one["wrong_to_right"]


def _print_methods(grids: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not any(grid["methods"] or grid["left_out"] for grid in grids):
        return
    heading(console, "At matched clean accuracy (shifted accuracy minus that of the other methods, in points)")
    refused: dict[str, list[str]] = {}
    for grid in grids:
        reasons = dict.fromkeys(one["why"] for one in (*grid["methods"], *grid["left_out"]) if one["why"])
        if not any(one["difference"] is not None for one in grid["methods"]):
            refused.setdefault("; ".join(reasons), []).append(f"{grid['task']} · {grid['shift']}")
            continue
        line = grid["line"]
        fit = "" if line is None else f", line: slope {number(line['slope'], 2)}, r2 {number(line['r2'], 2)}"
        console.print()
        console.print(Text(f"{grid['task']} · shift {grid['shift']}{fit}", style="underline"))
        drawn = table(
            [("Method", "name"), ("Arms", "n"), ("Diff.", "n"), ("95 % interval", "n"), ("p", "n"), ("Verdict", "name")]
        )
        for one in grid["methods"]:
            verdict = _MATCHED.get(one["verdict"], one["verdict"])
            add_row(
                drawn,
                one["method"],
                one["arms"] or DASH,
                signed(one["difference"]),
                _ends(one["interval"]),
                p_value(one["p_holm"]),
                one["why"] or Text(verdict, style="" if verdict == "undecided" else "bold"),
            )
        console.print(drawn)
        for why in reasons:
            if count := sum(one["why"] == why for one in grid["left_out"]):
                console.print(Text(f"left out: {counted(count, 'arm')}, {why}", style="dim"))
    for why, places in refused.items():
        console.print()
        console.print(Text(f"nothing to say of {', '.join(places)}: {why}", style="dim"))


def _print_worst(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not rows:
        return
    heading(console, "Worst of several shifts (simultaneous intervals; drop in points, accuracy in per cent)")
    for key, group in grouped(rows, ("task", "stage", "model")):
        section(console, {**key, "shift": "none"}, [f"{len(group[0]['shifts'])} shifts"])
        drawn = table(
            [
                ("Labels", "n"),
                ("Method", "name"),
                ("Worst", "name"),
                ("Drop", "n"),
                ("95 % interval", "n"),
                ("Lowest", "n"),
                ("95 % interval", "n"),
                ("Verdict", "key"),
            ]
        )
        for one in group:
            low, high = (number(100 * end, 0) for end in one["accuracy_interval"])
            verdict = Text(one["verdict"], style=_STYLES.get(one["verdict"], ""))
            values = [one["labels"], one["method"], one["worst_shift"], signed(one["drop"]), _ends(one["interval"])]
            add_row(drawn, *values, number(100 * one["accuracy"]), f"{low} to {high}", verdict)
        console.print(drawn)


def _print_leads(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not rows:
        return
    heading(console, "Leads under a shift (first method minus the second, in points)")
    for key, group in grouped(rows, ("task", "shift", "stage", "model")):
        draws = {len(one["seeds"]) for one in group}
        section(
            console, key, [counted(group[0]["n"], "item"), *([counted(max(draws), "draw")] if len(draws) == 1 else [])]
        )
        drawn = table(
            [
                ("Labels", "n"),
                ("Method", "name"),
                ("Against", "name"),
                ("Clean", "n"),
                ("Shifted", "n"),
                ("Change", "n"),
                ("95 % interval", "n"),
                ("Verdict", "key"),
            ]
        )
        for one in group:
            clean, shifted, change = (one[name] for name in ("clean", "shifted", "change"))
            values = [one["labels"], *one["sides"], signed(clean["difference"]), signed(shifted["difference"])]
            values += [signed(change["difference"]), _ends(change["interval"])]
            add_row(drawn, *values, Text(one["verdict"], style=_STYLES.get(one["verdict"], "")))
        console.print(drawn)


def _print_slopes(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not rows:
        return
    heading(console, "Over size (points per tenfold parameters: of a drop, or of what a shift does to a lead)")
    for key, group in grouped(rows, ("task", "shift", "stage", "family")):
        section(console, {name: key[name] for name in ("task", "shift", "stage")}, [str(key["family"])])
        drawn = table(
            [
                ("Labels", "n"),
                ("Of", "name"),
                ("Sizes", "n"),
                ("Slope", "n"),
                ("95 % interval", "n"),
                ("p", "n"),
                ("Verdict", "key"),
            ]
        )
        for one in group:
            verdict = Text(one["verdict"], style=_STYLES.get(one["verdict"], ""))
            values = [one["labels"], " − ".join(one["sides"]), len(one["sizes"]), signed(one["per_tenfold"])]
            add_row(drawn, *values, _ends(one["interval"]), p_value(one["p_holm"]), verdict)
        console.print(drawn)


def _print_parts(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    shown = [one for one in rows if one["by"] != "answer" or one["shift"] != "none"]
    if not shown:
        return
    heading(console, "Parts of the test items (accuracy in per cent; intervals simultaneous over the parts)")
    for key, group in grouped(shown, ("task", "shift", "stage", "model", "by")):
        said = [f"by {key['by']}", f"{len(group[0]['parts'])} parts"]
        if group[0]["constant"] is not None:
            said.append(f"a constant answer {share(group[0]['constant'])}")
        section(console, key, said)
        drawn = table(
            [
                ("Labels", "n"),
                ("Method", "name"),
                ("Mean of parts", "n"),
                ("Worst", "name"),
                ("Worst right", "n"),
                ("95 % interval", "n"),
                ("Verdict", "key"),
            ]
        )
        for one in group:
            worst = one["worst"]
            low, high = (number(100 * end) for end in worst["interval"])
            verdict = Text(one["verdict"], style=_STYLES.get(one["verdict"], ""))
            values = [one["labels"], one["method"], number(100 * one["balanced"]), worst["name"]]
            add_row(drawn, *values, number(100 * worst["accuracy"]), f"{low} to {high}", verdict)
        console.print(drawn)
