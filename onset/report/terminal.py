"""``onset show`` in the terminal: the lines of the first screen, and behind them everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onset.analysis.phrases import Language
from onset.analysis.phrases import counted as counted_in
from onset.analysis.phrases.page import words_in
from onset.analysis.words import counted, number, percent, said, short_count, signed_bound
from onset.report.confidence import print_confidence
from onset.report.costs import print_break_evens, print_costs
from onset.report.first import first_lines, set_apart
from onset.report.knowledge import print_knowledge
from onset.report.notes import budget_notes, comparison_notes
from onset.report.outputs import print_banks, print_chains, print_second_readings, print_thinking
from onset.report.robustness import print_robustness
from onset.report.scores import print_scores
from onset.report.searches import print_searches
from onset.report.tables import VERDICT_STYLES, WIDE, add_row, grouped, heading, section, table
from onset.report.training import print_training
from onset.report.words import count, flops, p_value, share, shares, signed

_TONE_STYLES = {
    "for": "bold blue",
    "against": "bold yellow",
    "level": "bold green",
    "open": "bold",
    "warning": "bold red",
}


def print_lines(shown: Mapping[str, Any], console: Console, language: Language = "en") -> None:
    """The headline and at most five findings, a line each, as the report begins: the verdict in its colour. Last comes
    what is not finished.

    ``shown``: what ``onset show --json`` prints, its short lines in ``language``.
    """
    say = words_in(language)
    unfinished, findings = set_apart(shown["findings"])
    kept, rest = first_lines(findings)
    if not kept:
        console.print(Text(say("No cell of this study has been run yet.")))
    drawn = Table.grid(padding=(0, 2, 0, 0))
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for place, one in enumerate([*kept, unfinished] if unfinished else kept):
        verdict = Text(said(one["kind"], one["verdict"], language), style=_TONE_STYLES[one["tone"]])
        drawn.add_row(verdict, Text(one["short"], style="" if place else "bold"))
    console.print(drawn)
    if rest:
        console.print(Text(counted_in("more finding", len(rest), language), style="dim"))


def print_show(shown: Mapping[str, Any], console: Console, language: Language = "en") -> None:
    """All findings in full, comparisons and cells; ``shown`` is what ``onset show --json`` prints, its sentences in
    ``language``. Tables are English.
    """
    heading(console, f"{shown['study']}: findings")
    print_findings(shown, console, language)
    if shown["comparisons"]:
        heading(console, "Comparisons (method minus the one it is against, in points; p adjusted by Holm)")
        for key, group in grouped(shown["comparisons"], ("task", "shift", "stage", "model")):
            draws = {len(one["seeds"]) for one in group}
            said = [counted(draws.pop(), "draw")] if len(draws) == 1 else []
            section(console, key, [_model_size(group[0]), *said])
            console.print(_comparison_table(group, wide=console.width >= WIDE, draws=not said))
        for line in [*comparison_notes(shown["comparisons"]), *budget_notes(shown["cells"])]:
            console.print(Text(line, style="dim"))
    if shown.get("models"):
        heading(console, "Models (one minus the one it is against, in points; p adjusted by Holm)")
        for key, group in grouped(shown["models"], ("task", "method", "shift")):
            named = {"task": key["task"] or "all tasks", "stage": "base"}
            section(console, key | named, [key["method"] or "each item counts the same"])
            console.print(_model_table(group, wide=console.width >= WIDE))
    print_scores(shown, console)
    if shown.get("robustness"):
        print_robustness(shown["robustness"], console)
    if shown["cells"]:
        heading(console, "Cells")
        for key, group in grouped(shown["cells"], ("task", "shift", "stage")):
            sizes = sorted({cell["n"] for cell in group})
            items = "–".join(dict.fromkeys([str(sizes[0]), str(sizes[-1])])) + " items"
            chance = group[0]["chance"]
            baselines = [] if chance is None else [f"chance {percent(chance)}"]
            if group[0].get("majority") is not None:
                baselines.append(f'always "{group[0]["majority_label"]}" {percent(group[0]["majority"])}')
            section(console, key, [items, *baselines])
            console.print(_cell_table(group, wide=console.width >= WIDE))
        if not shown["comparisons"]:
            for line in budget_notes(shown["cells"]):
                console.print(Text(line, style="dim"))
        _print_templates(shown["cells"], console)
    print_costs(shown, console)
    print_break_evens(shown, console)
    print_searches(shown, console)
    print_banks(shown, console)
    print_thinking(shown, console)
    print_chains(shown, console)
    print_knowledge(shown, console)
    print_confidence(shown, console)
    print_second_readings(shown, console)
    print_training(shown, console)
    _print_unfinished(shown, console)
    _print_reading(shown, console)


def print_findings(shown: Mapping[str, Any], console: Console, language: Language = "en") -> None:
    """The findings in words, one paragraph each, verdict first; ``language``: that of their sentences."""
    if not shown["findings"]:
        console.print(Text("Nothing to say yet: no cell of this study is finished."))
    for finding in shown["findings"]:
        style = _TONE_STYLES[finding["tone"]]
        drawn = Table.grid(padding=(0, 1))
        drawn.add_column(no_wrap=True)
        drawn.add_column(overflow="fold")
        verdict = said(finding["kind"], finding["verdict"], language)
        drawn.add_row(Text("•"), Text.assemble((verdict, style), f": {finding['sentence']}"))
        console.print(drawn)


def print_accuracies(shown: Mapping[str, Any], console: Console) -> None:
    """Accuracies with their intervals, in per cent: one line a task, shift and method, one column a model.

    For studies of one budget and one draw. A model that was not asked has a dash.
    """
    models = list(dict.fromkeys(cell["model"] for cell in shown["cells"]))
    rows = grouped(shown["cells"], ("task", "shift", "method"))
    for first in range(0, len(models), _SIDE_BY_SIDE):
        some = models[first : first + _SIDE_BY_SIDE]
        drawn = table([("Task", "name"), ("Method", "name")])
        for model in some:
            drawn.add_column(Text(model), justify="right", overflow="fold")
        for key, cells in rows:
            of = {cell["model"]: cell for cell in cells}
            if of.keys() & some:
                task = key["task"] if key["shift"] == "none" else f"{key['task']}, {key['shift']}"
                add_row(drawn, task, key["method"], *(_accuracy(of.get(model)) for model in some))
        heading(console, "Accuracy in per cent (95 % interval)")
        console.print(drawn)


_SIDE_BY_SIDE = 3
"""Models beside each other that fit 80 columns."""


def _accuracy(cell: Mapping[str, Any] | None) -> str:
    """``92 (88-95)``, which does not fold."""
    if cell is None or cell["accuracy"] is None or cell["interval"] is None:
        return "–"
    low, high = (number(100 * end, 0) for end in cell["interval"])
    return f"{number(100 * cell['accuracy'], 0)}\u00a0({low}–{high})"


# ---- tables --------------------------------------------------------------------------------------------------------


def _comparison_table(group: Sequence[Mapping[str, Any]], *, wide: bool, draws: bool) -> Table:
    """``draws``: with a column for their number, where it differs within the group."""
    budget = any(one["labels"] is not None for one in group)
    heads = [("Labels", "n")] if budget else []
    heads += [*([("Draws", "n")] if draws else []), ("Method", "name"), ("Against", "name"), ("Diff.", "n")]
    heads += [("95 % interval", "n"), ("p", "n"), ("Verdict", "key")]
    heads += [("Items", "n"), ("Items needed", "n"), ("Draws needed", "n")] if wide else []
    drawn = table(heads)
    for one in group:
        verdict = Text(one["verdict"], style=VERDICT_STYLES.get(one["verdict"], ""))
        interval = _signed_ends(one["interval"])
        count = [len(one["seeds"])] if draws else []
        values = [*([one["labels"]] if budget else []), *count, *one["sides"], signed(one["difference"]), interval]
        values += [p_value(one["p_holm"]), verdict]
        needed = [str(one[key]) if one[key] else "–" for key in ("needed", "needed_draws")]
        add_row(drawn, *values, *([one["n"], *needed] if wide else []))
    return drawn


def _model_table(group: Sequence[Mapping[str, Any]], *, wide: bool) -> Table:
    heads = [("Model", "name"), ("Against", "name"), ("Diff.", "n"), ("95 % interval", "n"), ("p", "n")]
    drawn = table([*heads, ("Verdict", "key"), *([("Items", "n"), ("Items needed", "n")] if wide else [])])
    for one in group:
        needed = [one["n"], str(one["needed"]) if one["needed"] else "–"]
        values = [*one["sides"], signed(one["difference"]), _signed_ends(one["interval"]), p_value(one["p_holm"])]
        verdict = Text(one["verdict"], style=VERDICT_STYLES.get(one["verdict"], ""))
        add_row(drawn, *values, verdict, *(needed if wide else []))
    return drawn


def _signed_ends(interval: Sequence[float] | None) -> str:
    return " to ".join(signed_bound(end) for end in interval) if interval else "–"


def _cell_table(group: Sequence[Mapping[str, Any]], *, wide: bool) -> Table:
    seeds = len({cell["seed"] for cell in group}) > 1
    budget = any(cell["labels"] is not None for cell in group)
    costs = wide and any(cell["tokens"] is not None for cell in group)
    heads = [("Model", "name"), ("Method", "name"), *([("Labels", "n")] if budget else [])]
    heads += [("Seed", "n")] if seeds else []
    heads += [("Accuracy", "n"), ("95 % interval", "n"), ("Parsed", "n")]
    labels = any(cell.get("macro_f1") is not None for cell in group)
    heads += [("Macro-F1", "n")] if labels else []
    partial = any(cell.get("partial") is not None for cell in group)
    heads += [("Token F1", "n")] if partial else []
    heads += [("Tokens", "n"), ("FLOPs", "n"), ("Seconds", "n")] if costs else []
    drawn = table(heads)
    for cell in group:
        values = [cell["model"], cell["method"], *([cell["labels"]] if budget else [])]
        values += [cell["seed"]] if seeds else []
        values += [share(cell["accuracy"]), shares(cell["interval"]), share(cell["parse_rate"])]
        values += [share(cell["macro_f1"])] if labels else []
        values += [share(cell["partial"])] if partial else []
        if costs:
            seconds = "–" if cell["seconds"] is None else number(cell["seconds"], 0)
            values += [count(cell["tokens"]), flops(cell["flops"]), seconds]
        add_row(drawn, *values)
    return drawn


def _print_templates(cells: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Which models were asked through their chat template, where any was."""
    asked: dict[str, list[str]] = {}
    for cell in cells:
        models = asked.setdefault(cell["template"], [])
        if cell["model"] not in models:
            models.append(cell["model"])
    if "chat" in asked:
        plain = f"; in plain text: {', '.join(asked['plain'])}" if "plain" in asked else ""
        console.print(Text(f"asked through their chat template: {', '.join(asked['chat'])}{plain}"))


def _print_unfinished(shown: Mapping[str, Any], console: Console) -> None:
    if shown["failed"]:
        heading(console, counted(len(shown["failed"]), "cell") + " failed")
        for cell, error in shown["failed"].items():
            console.print(Text(f"{cell}  {error}"))
    if shown["missing"]:
        heading(console, counted(len(shown["missing"]), "cell") + " not run yet")
        console.print(Text("  ".join(shown["missing"])))


def _print_reading(shown: Mapping[str, Any], console: Console) -> None:
    """Of other tools' results: which scores were read from where, and what had to be decided for it."""
    if not shown.get("sources"):
        return
    heading(console, "What was read")
    drawn = table([("Task", "name"), ("Model", "name"), ("Method", "name"), ("Score", "name"), ("File", "name")])
    for one in shown["sources"]:
        score = one["metric"] if one["filter"] is None else f"{one['metric']}, {one['filter']}"
        add_row(drawn, one["task"], one["model"], one["method"], score, Path(one["file"]).name)
    console.print(drawn)
    for line in shown["notes"]:
        console.print(Text(f"note: {line}", style="dim"))


def _model_size(row: Mapping[str, Any]) -> str:
    return f"{short_count(row['params'])} parameters" if row["params"] else "size unknown"
