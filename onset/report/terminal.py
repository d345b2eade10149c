"""Tables in the terminal: findings, cells, comparisons, plans, gradings, and what a study may name.

Everything fits 80 columns, in a terminal and in a pipe: names fold onto a second line, numbers never do and nothing
is cut with dots. Names come from users and models, so they are printed as plain text, never read as markup.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from onset.analysis.words import counted, number, percent, points, said, short_count, shows, signed_bound, span

WIDE = 112
"""Columns from which the cells also show tokens, FLOPs and seconds, and the comparisons the items needed."""

_TONE_STYLES = {
    "for": "bold blue",
    "against": "bold yellow",
    "level": "bold green",
    "open": "bold",
    "warning": "bold red",
}
_VERDICT_STYLES = {
    **dict.fromkeys(("wins", "supported"), "bold blue"),
    **dict.fromkeys(("loses", "contradicted"), "bold yellow"),
    "equivalent": "bold green",
}
"""Of a comparison, and of a claim of the essay."""


def print_show(shown: Mapping[str, Any], console: Console) -> None:
    """Findings, comparisons and cells of ``onset show``; ``shown`` is what ``onset show --json`` prints."""
    _heading(console, f"{shown['study']}: findings")
    print_findings(shown, console)
    if shown["comparisons"]:
        _heading(console, "Comparisons (method minus the one it is against, in points; p adjusted by Holm)")
        for key, group in _grouped(shown["comparisons"], ("task", "shift", "stage", "model")):
            draws = {len(one["seeds"]) for one in group}
            said = [counted(draws.pop(), "draw")] if len(draws) == 1 else []
            _section(console, key, [_model_size(group[0]), *said])
            console.print(_comparison_table(group, wide=console.width >= WIDE, draws=not said))
        for line in [*comparison_notes(shown["comparisons"]), *budget_notes(shown["cells"])]:
            console.print(Text(line, style="dim"))
    if shown["cells"]:
        _heading(console, "Cells")
        for key, group in _grouped(shown["cells"], ("task", "shift", "stage")):
            sizes = sorted({cell["n"] for cell in group})
            items = "–".join(dict.fromkeys([str(sizes[0]), str(sizes[-1])])) + " items"
            baselines = [f"chance {percent(group[0]['chance'])}"]
            if group[0].get("majority") is not None:
                baselines.append(f'always "{group[0]["majority_label"]}" {percent(group[0]["majority"])}')
            _section(console, key, [items, *baselines])
            console.print(_cell_table(group, wide=console.width >= WIDE))
        if not shown["comparisons"]:
            for line in budget_notes(shown["cells"]):
                console.print(Text(line, style="dim"))
        _print_templates(shown["cells"], console)
    _print_unfinished(shown, console)


def print_findings(shown: Mapping[str, Any], console: Console) -> None:
    """The findings in words, one paragraph each, verdict first."""
    if not shown["findings"]:
        console.print(Text("Nothing to say yet: no cell of this study is finished."))
    for finding in shown["findings"]:
        style = _TONE_STYLES[finding["tone"]]
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row(
            Text("•"), Text.assemble((said(finding["kind"], finding["verdict"]), style), f": {finding['sentence']}")
        )
        console.print(table)


def print_accuracies(shown: Mapping[str, Any], console: Console) -> None:
    """Accuracies with their intervals, in per cent: one line a task, shift and method, one column a model.

    For studies of one budget and one draw. A model that was not asked has a dash.
    """
    models = list(dict.fromkeys(cell["model"] for cell in shown["cells"]))
    rows = _grouped(shown["cells"], ("task", "shift", "method"))
    for first in range(0, len(models), _SIDE_BY_SIDE):
        some = models[first : first + _SIDE_BY_SIDE]
        table = _table([("Task", "name"), ("Method", "name")])
        for model in some:
            table.add_column(Text(model), justify="right", overflow="fold")
        for key, cells in rows:
            of = {cell["model"]: cell for cell in cells}
            if of.keys() & some:
                task = key["task"] if key["shift"] == "none" else f"{key['task']}, {key['shift']}"
                _row(table, task, key["method"], *(_accuracy(of.get(model)) for model in some))
        _heading(console, "Accuracy in per cent (95 % interval)")
        console.print(table)


_SIDE_BY_SIDE = 3
"""Models beside each other that fit 80 columns."""


def _accuracy(cell: Mapping[str, Any] | None) -> str:
    """``92 (88-95)``, which does not fold."""
    if cell is None or cell["accuracy"] is None or cell["interval"] is None:
        return "–"
    low, high = (number(100 * end, 0) for end in cell["interval"])
    return f"{number(100 * cell['accuracy'], 0)}\u00a0({low}–{high})"


def print_plan(plan: Mapping[str, Any], console: Console) -> None:
    """What ``onset plan`` prints before anything runs.

    ``plan``: ``study``, ``cells`` (count), ``flops`` and ``seconds`` in all, ``models`` (rows with ``model``,
    ``templates`` it is asked through, ``cells``, ``tunings``, ``flops``, ``seconds``), ``detectable`` (rows as
    `onset.analysis.contrast.planning.Detectable`) and ``notes`` (lines).
    """
    _heading(console, f"{plan['study']}: {counted(plan['cells'], 'cell')}")
    columns = [("Model", "name"), ("Template", "name"), ("Cells", "n"), ("Tunings", "n"), ("FLOPs", "n"), ("Time", "n")]
    table = _table(columns)
    for row in plan["models"]:
        ways, cost = ", ".join(row["templates"]), (_flops(row["flops"]), duration(row["seconds"]))
        _row(table, row["model"], ways, row["cells"], row["tunings"], *cost)
    total = sum(row["tunings"] for row in plan["models"])
    table.add_section()
    _row(table, "all", "", plan["cells"], total, _flops(plan["flops"]), duration(plan["seconds"]))
    console.print(table)
    console.print(Text("Time is a guess from a short measurement of this machine, good to a factor of about two."))
    if plan["detectable"]:
        _print_detectable(plan["detectable"], console)
    for note in plan["notes"]:
        console.print(Text(f"note: {note}"))


def _print_detectable(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    _heading(console, "Smallest difference a comparison finds with 80 % power")
    table = _table(
        [("Comparison", "name"), ("Draws", "n"), ("Items", "n"), ("If they disagree on", "n"), ("Difference", "n")]
    )
    for row in rows:
        disagree = f"{number(100 * row['discordance'], 0)} % of items"
        found = points(row["difference"]) if row["difference"] < 1 else "none"
        _row(table, row["design"], row["draws"], row["items"], disagree, found)
    console.print(table)
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


def print_list(kind: str, rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """What a study file may name. ``rows``: ``name`` and ``summary``; tasks also ``ability`` and ``parameters``."""
    _heading(console, f"{kind[:1].upper()}{kind[1:]}")
    table = _table([("Name", "key"), ("What it is", "name")])
    for row in rows:
        text = Text(str(row["summary"]))
        details = [str(row["ability"])] if row.get("ability") else []
        details += ["; ".join(map(str, row["parameters"]))] if row.get("parameters") else []
        if details:
            text.append(f"\n{' · '.join(details)}", style="dim")
        table.add_row(Text(str(row["name"])), text)
    console.print(table)


def print_grade(graded: Mapping[str, Any], console: Console) -> None:
    """The summary of ``onset grade``, and the first rows no answer was found in."""
    summary = graded["summary"]
    table = _table([("Rows", "n"), ("Correct", "n"), ("Accuracy", "n"), ("95 % interval", "n"), ("Parse rate", "n")])
    accuracy, interval = percent(summary["accuracy"]), _shares(summary["interval"])
    _row(table, summary["n"], summary["correct"], accuracy, interval, percent(summary["parse_rate"]))
    console.print(table)
    counts = [f"{count} {_STATUSES[status]}" for status, count in summary["status"].items() if count]
    console.print(Text(f"Of {counted(summary['n'], 'row')}: {', '.join(counts)}."))
    lost = [(place, row) for place, row in enumerate(graded["rows"], 1) if row["status"] != "ok"]
    for place, row in lost[:3]:
        ending = " ".join(row["prediction"].split())[-48:]
        console.print(Text(f"  row {place}, {_STATUSES[row['status']]}: …{ending}"))
    if len(lost) > 3:
        console.print(Text(f"  and {len(lost) - 3} more; --json prints every row"))


def print_claims(shown: Sequence[Mapping[str, Any]], console: Console, *, full: bool) -> None:
    """The claims of ``onset claims``: verdict and statement each; ``full`` adds the sentence, parts and figures.

    ``shown`` is what ``onset claims --json`` prints.
    """
    for claim in shown:
        statistic = claim["statistic"]
        counts = ", ".join(f"{statistic[state]} {word}" for state, word in _STATES.items() if statistic[state])
        verdict = (claim["verdict"], _VERDICT_STYLES.get(claim["verdict"], "bold"))
        console.print()
        console.print(Text.assemble((claim["id"], "bold"), ": ", verdict, (f" ({statistic['unit']}: {counts})", "dim")))
        console.print(Text(claim["statement"]))
        if full:
            _print_claim(claim, console)
    if not full:
        tally = [f"{sum(one['verdict'] == verdict for one in shown)} {verdict}" for verdict in _CLAIM_VERDICTS]
        console.print()
        console.print(Text(f"{counted(len(shown), 'claim')}: {', '.join(tally)}."))
        console.print(Text("onset claims ID prints the sentence, the parts and every figure with its source."))


def _print_claim(claim: Mapping[str, Any], console: Console) -> None:
    statistic = claim["statistic"]
    console.print(Text(claim["sentence"]))
    _heading(console, f"{statistic['unit'][:1].upper()}{statistic['unit'][1:]} ({statistic['name']})")
    table = _table([("Part", "name"), ("State", "key"), ("Figures", "name")])
    for part in statistic["parts"]:
        _row(table, part["part"], part["state"], part["words"])
    console.print(table)
    for key, group in _grouped(claim["figures"], ("paper", "table", "metric", "provenance")):
        _heading(console, f"{cited(key['paper'], key['table'])}: {key['metric']} ({key['provenance']})")
        table = _table([("Data set", "name"), ("Model", "name"), ("Method", "name"), ("Items", "n"), ("Value", "n")])
        for one in group:
            method = ", ".join(text for text in (one["method"], one["setting"]) if text)
            _row(table, one["dataset"], one["model"], method, one["items"] or "–", f"{one['value']:g}")
        console.print(table)


def cited(paper: str, table: str) -> str:
    """Paper and table in one, where the paper's name does not end with the table."""
    return paper if paper.endswith(table) else f"{paper}, {table}"


_STATES = {"holds": "hold", "fails": "fail", "undecided": "undecided"}
_CLAIM_VERDICTS = ("supported", "contradicted", "not decidable from the figures held")

_STATUSES = {
    "ok": "with an answer",
    "none": "without an answer",
    "truncated": "cut off before the answer",
    "ambiguous": "with several different answers",
}


def duration(seconds: float) -> str:
    """``95`` -> ``1 min 35 s``; hours and minutes from an hour on."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


# ---- tables --------------------------------------------------------------------------------------------------------


def _comparison_table(group: Sequence[Mapping[str, Any]], *, wide: bool, draws: bool) -> Table:
    """``draws``: with a column for their number, where it differs within the group."""
    heads = [("Labels", "n"), *([("Draws", "n")] if draws else []), ("Method", "name"), ("Against", "name")]
    heads += [("Diff.", "n")]
    heads += [("95 % interval", "n"), ("p", "n"), ("Verdict", "key")]
    heads += [("Items", "n"), ("Items needed", "n"), ("Draws needed", "n")] if wide else []
    table = _table(heads)
    for one in group:
        verdict = Text(one["verdict"], style=_VERDICT_STYLES.get(one["verdict"], ""))
        interval = " to ".join(signed_bound(end) for end in one["interval"]) if one["interval"] else "–"
        count = [len(one["seeds"])] if draws else []
        values = [one["labels"], *count, *one["sides"], _points(one["difference"]), interval]
        values += [_p(one["p_holm"]), verdict]
        needed = [str(one[key]) if one[key] else "–" for key in ("needed", "needed_draws")]
        _row(table, *values, *([one["n"], *needed] if wide else []))
    return table


def budget_notes(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where a budget's examples are not all shown: ``With 64 labelled examples, cot shows 4.``"""
    shown: dict[int, dict[str, set[int]]] = {}
    for cell in cells:
        if cell["tune"] is None and cell["demonstrations"] < cell["labels"]:
            shown.setdefault(cell["labels"], {}).setdefault(cell["method"], set()).add(cell["demonstrations"])
    return [
        f"With {counted(labels, 'labelled example')}, "
        f"{shows({method: span(min(counts), max(counts)) for method, counts in methods.items()})}."
        for labels, methods in sorted(shown.items())
    ]


def comparison_notes(comparisons: Sequence[Mapping[str, Any]]) -> list[str]:
    """What has to be known to read the table of comparisons, where it applies."""
    lines = []
    if any(one["scope"] == "these examples" for one in comparisons):
        lines.append("One draw: the verdict is about these examples, not about others.")
    excludes = [
        one
        for one in comparisons
        if one["verdict"] == "undecided" and one["interval"] and (one["interval"][0] > 0 or one["interval"][1] < 0)
    ]
    if excludes:
        lines.append(
            "Undecided beside an interval without 0: the interval is of that comparison alone,"
            " p is corrected for all comparisons of its family."
        )
    pooled = [one["pool"] for one in comparisons if one["pool"]]
    for design in dict.fromkeys(pool["design"] for pool in pooled):
        held = next(pool for pool in pooled if pool["design"] == design)
        lines.append(
            f"Noise between draws is pooled over {held['comparisons']} comparisons ({design};"
            f" {held['independent']} independent): prior of {number(held['prior_df'])} degrees of freedom."
        )
    lines += [f"Not pooled: {why}." for why in dict.fromkeys(one["not_pooled"] for one in comparisons) if why]
    return lines


def _cell_table(group: Sequence[Mapping[str, Any]], *, wide: bool) -> Table:
    seeds = len({cell["seed"] for cell in group}) > 1
    heads = [("Model", "name"), ("Method", "name"), ("Labels", "n"), *([("Seed", "n")] if seeds else [])]
    heads += [("Accuracy", "n"), ("95 % interval", "n"), ("Parsed", "n")]
    labels = any(cell.get("macro_f1") is not None for cell in group)
    heads += [("Macro-F1", "n")] if labels else []
    heads += [("Tokens", "n"), ("FLOPs", "n"), ("Seconds", "n")] if wide else []
    table = _table(heads)
    for cell in group:
        values = [cell["model"], cell["method"], cell["labels"], *([cell["seed"]] if seeds else [])]
        values += [_percent(cell["accuracy"]), _shares(cell["interval"]), _percent(cell["parse_rate"])]
        values += [_percent(cell["macro_f1"])] if labels else []
        if wide:
            seconds = "–" if cell["seconds"] is None else number(cell["seconds"], 0)
            values += [short_count(cell["tokens"]), _flops(cell["flops"]), seconds]
        _row(table, *values)
    return table


def _table(heads: Iterable[tuple[str, str]]) -> Table:
    """A table without lines. Kinds of column: ``n`` (right, whole), ``key`` (left, whole), ``name`` (left, folds)."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for title, kind in heads:
        if kind == "name":
            table.add_column(title, overflow="fold", min_width=8)
        else:
            table.add_column(title, justify="right" if kind == "n" else "left", no_wrap=True)
    return table


def _row(table: Table, *values: RenderableType | float) -> None:
    table.add_row(*(Text(str(value)) if isinstance(value, str | int | float) else value for value in values))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _section(console: Console, key: Mapping[str, Any], details: Iterable[str]) -> None:
    parts = [str(key["task"])]
    parts += [f"shift {key['shift']}"] if key["shift"] != "none" else []
    parts += [f"stage {key['stage']}"] if key["stage"] != "base" else []
    text = Text(" · ".join([*parts, *([str(key["model"])] if "model" in key else [])]), style="underline")
    text.append(Text(f" ({', '.join(details)})", style="dim not underline"))
    console.print()
    console.print(text)


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
        _heading(console, counted(len(shown["failed"]), "cell") + " failed")
        for cell, error in shown["failed"].items():
            console.print(Text(f"{cell}  {error}"))
    if shown["missing"]:
        _heading(console, counted(len(shown["missing"]), "cell") + " not run yet")
        console.print(Text("  ".join(shown["missing"])))


def _grouped(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[tuple[dict[str, Any], list[Any]]]:
    groups: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return [(dict(zip(names, key, strict=True)), group) for key, group in groups.items()]


def _model_size(row: Mapping[str, Any]) -> str:
    return f"{short_count(row['params'])} parameters" if row["params"] else "size unknown"


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _points(value: float | None) -> str:
    return "–" if value is None else ("+" if value > 0 else "") + number(100 * value)


def _shares(interval: Sequence[float] | None) -> str:
    return "–" if interval is None else f"{number(100 * interval[0])} to {number(100 * interval[1])}"


def _p(value: float | None) -> str:
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _flops(value: float | None) -> str:
    return f"{value:.1e}".replace("e+", "e") if value else "–"
