"""``onset compare`` in the terminal: the tasks, the means, where B loses, and what the sides do not share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.analysis.words import counted, listed, number, percent, point_range, points
from onset.report.tables import VERDICT_STYLES, WIDE, add_row, heading, table
from onset.report.words import p_value, shares, signed

SHOWN_MISMATCHES = 8
_MEANS = {"tasks": "Mean over {n} {noun}", "families": "Mean over {n} {noun}, sizes of one task averaged first"}


def print_comparison(content: Mapping[str, Any], console: Console) -> None:
    """Print what ``onset compare --json`` holds; shares become points where the metric is a share."""
    a, b = content["sides"]
    heading(console, f"From {a} to {b}")
    console.print(Text(f"A: {content['sources'][0]}\nB: {content['sources'][1]}", style="dim"))
    used = [one["metric"] + ("" if one["filter"] == "none" else f" ({one['filter']})") for one in content["tasks"]]
    console.print(Text(f"Metric: {listed(list(dict.fromkeys(used)))}", style="dim"))
    console.print(Text("Differences are B minus A; the verdict is said of B; q is p adjusted over tasks.", style="dim"))
    console.print()
    console.print(_tasks(content["tasks"], wide=console.width >= WIDE))
    console.print()
    for line in summary(content):
        console.print(Text(line))
    _print_mismatches(content["mismatches"], console)
    for line in content["notes"]:
        console.print(Text(f"note: {line}"))


def summary(content: Mapping[str, Any]) -> list[str]:
    """The means, the pooled comparison and the tasks on which B is worse, a sentence each."""
    a, b = content["sides"]
    tasks = content["tasks"]
    # several runs of one task (models, numbers of labels) are rows of the table
    noun = "tasks" if len({one["task"].partition(", ")[0] for one in tasks}) == len(tasks) else "rows"
    lines = []
    for name, title in _MEANS.items():
        mean = content["means"].get(name)
        if mean is not None and mean["n_tasks"] > 1:
            mean = mean | {"kind": "score" if any(not _is_share(one) for one in tasks) else "share"}
            ours, theirs = _cell(mean["accuracy_a"], mean, " %"), _cell(mean["accuracy_b"], mean, " %")
            heading = title.format(n=mean["n_tasks"], noun=noun)
            lines.append(f"{heading}: {ours} with {a}, {theirs} with {b}, difference {_gap(mean)}.")
    whole = content["overall"]
    if whole is None:
        lines.append("No mean over the tasks: their metrics do not add up.")
    else:
        verdict = f"{b} {whole['verdict']}" if whole["verdict"] in ("wins", "loses") else whole["verdict"]
        pooled = f"All {whole['n']} items" + (" pooled" if len(content["tasks"]) > 1 else "")
        lines.append(f"{pooled}: {verdict}, difference {_gap(whole)}, p {p_value(whole['p'])} ({whole['test']}).")
    lines += _losses(content["tasks"], b)
    return [*lines, *_low_parse_rates(content)]


def _losses(tasks: Sequence[Mapping[str, Any]], b: str) -> list[str]:
    """Where B is worse: settled, and as measured but undecided."""
    lost = [one for one in tasks if one["verdict"] == "loses"]
    unsettled = [one for one in tasks if one["verdict"] == "undecided" and (one["difference"] or 0) < 0]
    lines = []
    if len(tasks) > 1:
        lines.append(f"{b} loses on {_named(lost) if lost else 'no task'}.")
    if unsettled:
        lines.append(f"Lower with {b}, but undecided: {_named(unsettled)}.")
    return lines


def _named(tasks: Sequence[Mapping[str, Any]]) -> str:
    """Tasks with their differences, the largest loss first."""
    return listed([f"{one['task']} ({_size(one)})" for one in sorted(tasks, key=lambda one: one["difference"])])


def _size(one: Mapping[str, Any]) -> str:
    return signed(one["difference"]) if _is_share(one) else f"{one['difference']:+.3g}"


def _low_parse_rates(content: Mapping[str, Any]) -> list[str]:
    """The parse rate stands under every accuracy: said where an answer was not found everywhere."""
    whole = content["overall"] or {}
    rates = zip(content["sides"], (whole.get("parse_rate_a"), whole.get("parse_rate_b")), strict=True)
    said = [f"{percent(rate)} ({side})" for side, rate in rates if rate is not None and rate < 1]
    return (
        [f"An answer was found in {listed(said)} of the outputs compared; the others count as wrong."] if said else []
    )


def _tasks(tasks: Sequence[Mapping[str, Any]], *, wide: bool) -> Any:
    prefix = _common_prefix([one["task"] for one in tasks])
    heads = [("Task", "name"), ("Items", "n"), ("A", "n"), ("B", "n"), ("B − A", "n"), ("95 % interval", "n")]
    heads += [("p", "n"), ("q", "n")] if wide else [("q", "n")]
    drawn = table([*heads, ("Verdict", "key")])
    for one in tasks:
        name = one["task"].removeprefix(prefix) + (f" × {one['draws']} draws" if one["draws"] > 1 else "")
        verdict = Text(one["verdict"], style=VERDICT_STYLES.get(one["verdict"], ""))
        values = [name, one["n"], *(_cell(one[key], one) for key in ("accuracy_a", "accuracy_b"))]
        values += [_signed(one), _interval(one)]
        values += [p_value(one[key]) for key in (("p", "q") if wide else ("q",))]
        add_row(drawn, *values, verdict)
    return drawn


def _common_prefix(names: Sequence[str]) -> str:
    """``bbh/`` where every task begins with it."""
    heads = {name.rpartition("/")[0] for name in names}
    return f"{heads.pop()}/" if len(names) > 1 and len(heads) == 1 and heads != {""} else ""


def _is_share(one: Mapping[str, Any]) -> bool:
    return bool(one["kind"] != "score")


def _cell(value: float | None, one: Mapping[str, Any], unit: str = "") -> str:
    return "–" if value is None else f"{number(100 * value)}{unit}" if _is_share(one) else f"{value:.3g}"


def _signed(one: Mapping[str, Any]) -> str:
    value = one["difference"]
    return "–" if value is None else signed(value) if _is_share(one) else f"{value:+.3g}"


def _interval(one: Mapping[str, Any]) -> str:
    if one["interval"] is None:
        return "–"
    return shares(one["interval"]) if _is_share(one) else "{:.3g} to {:.3g}".format(*one["interval"])


def _gap(one: Mapping[str, Any]) -> str:
    if not _is_share(one):
        return f"{one['difference']:+.3g} (95 % interval {_interval(one)})"
    return f"{points(one['difference'])} ({point_range(tuple(one['interval']))})"


def _print_mismatches(mismatches: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not mismatches:
        return
    left_out = sum(one["refused"] for one in mismatches)
    heading(console, f"Not alike: {counted(len(mismatches), 'difference')}, {left_out} of them not compared")
    ordered = sorted(mismatches, key=lambda one: not one["refused"])
    for one in ordered[:SHOWN_MISMATCHES]:
        style = "bold yellow" if one["refused"] else ""
        console.print(Text(f"• {one['message']}{' (left out)' if one['refused'] else ''}", style=style))
    if len(ordered) > SHOWN_MISMATCHES:
        console.print(Text(f"  and {len(ordered) - SHOWN_MISMATCHES} more; --json prints all of them"))
