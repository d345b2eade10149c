"""``onset list``, ``onset grade`` and ``onset claims`` in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from onset.analysis.words import counted, percent
from onset.report.tables import VERDICT_STYLES, add_row, grouped, heading, table
from onset.report.words import shares


def print_list(kind: str, rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """What a study file may name. ``rows``: ``name`` and ``summary``; tasks also ``ability`` and ``parameters``."""
    for table_name in dict.fromkeys(row.get("table") for row in rows):
        heading(console, _HEADS.get(table_name or kind, f"{kind[:1].upper()}{kind[1:]}"))
        drawn = table([("Name", "key"), ("What it is", "name")])
        for row in (one for one in rows if one.get("table") == table_name):
            text = Text(str(row["summary"]))
            for line in _details(row):
                text.append(f"\n{line}", style="dim")
            drawn.add_row(Text(str(row["name"])), text)
        console.print(drawn)


_HEADS = {
    "prompt": "Prompting methods (prompt:)",
    "choose": "Choices of demonstrations (choose:)",
    "vote": "Votes (vote:)",
    "tune": "Tuning methods (tune:)",
    "on": "What is tuned on (on:)",
    "stage": "Stages of training (recipes:)",
    "search": "Selection rules (search:)",
    "shift noise": "Noise",
    "shift domain": "Another domain",
    "shift adversarial": "Adversarial",
    "shift prompt": "The prompt around the items",
}


def _details(row: Mapping[str, Any]) -> list[str]:
    """What else is known of a row, a line each."""
    parameters = "; ".join(map(str, row.get("parameters", ())))
    lines = [" · ".join(filter(None, [row.get("ability"), parameters]))]
    lines += ["settings: " + "; ".join(row["settings"])] if row.get("settings") else []
    facts = [str(row["calls"])] if row.get("calls") else []
    if row.get("trains"):
        kept = "kept" if row["kept"] else "kept with keep_full only"
        facts += [f"trains {row['trains']}", row["flops"], f"learning rate {row['learning_rate']:g}", f"weights {kept}"]
    facts += [f"uses {row['uses']}"] if row.get("uses") else []
    facts += ["needs " + ", ".join(row["needs"])] if row.get("needs") else []
    lines += [" · ".join(facts), *([f"source: {row['source']}"] if row.get("source") else [])]
    lines += [f"{key}: {row[key]}" for key in ("before", "after") if row.get(key)]
    return [line for line in lines if line]


def print_grade(graded: Mapping[str, Any], console: Console) -> None:
    """The summary of ``onset grade``, and the first rows no answer was found in."""
    summary = graded["summary"]
    drawn = table([("Rows", "n"), ("Correct", "n"), ("Accuracy", "n"), ("95 % interval", "n"), ("Parse rate", "n")])
    accuracy, interval = percent(summary["accuracy"]), shares(summary["interval"])
    add_row(drawn, summary["n"], summary["correct"], accuracy, interval, percent(summary["parse_rate"]))
    console.print(drawn)
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
        verdict = (claim["verdict"], VERDICT_STYLES.get(claim["verdict"], "bold"))
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
    heading(console, f"{statistic['unit'][:1].upper()}{statistic['unit'][1:]} ({statistic['name']})")
    drawn = table([("Part", "name"), ("State", "key"), ("Figures", "name")])
    for part in statistic["parts"]:
        add_row(drawn, part["part"], part["state"], part["words"])
    console.print(drawn)
    for key, group in grouped(claim["figures"], ("paper", "table", "metric", "provenance")):
        heading(console, f"{cited(key['paper'], key['table'])}: {key['metric']} ({key['provenance']})")
        drawn = table([("Data set", "name"), ("Model", "name"), ("Method", "name"), ("Items", "n"), ("Value", "n")])
        for one in group:
            method = ", ".join(text for text in (one["method"], one["setting"]) if text)
            add_row(drawn, one["dataset"], one["model"], method, one["items"] or "–", f"{one['value']:g}")
        console.print(drawn)


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
    "out of budget": "still thinking at the end of the budget",
}
