"""What searches of settings took, and the upper bounds apart: in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from onset.analysis.words import counted
from onset.report.tables import add_row, grouped, heading, section, table
from onset.report.words import flops, share, shares, signed

WITHIN = "Settings chosen within the budget"
WITHIN_NOTE = (
    "Score: accuracy on the held-out examples that the setting was picked by, so too high; change: against the settings"
    " as written. Few labels choose hardly better than chance (Perez et al. 2021)."
)
BOUND = "Upper bounds: settings chosen by oracle-dev"
BOUND_NOTE = "Chosen on labels beyond the budget: what choosing could bring at most, and in no comparison."


def _parts(shown: Mapping[str, Any]) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
    rows = shown.get("searches") or []
    parts = [(WITHIN, WITHIN_NOTE, False), (BOUND, BOUND_NOTE, True)]
    held = [(title, note, [one for one in rows if one["upper_bound"] is bound]) for title, note, bound in parts]
    return [part for part in held if part[2]]


def print_searches(shown: Mapping[str, Any], console: Console) -> None:
    """Which settings were taken within the budget, and under a heading of their own the upper bounds."""
    for title, note, rows in _parts(shown):
        heading(console, f"{title} (accuracies in per cent)")
        for key, group in grouped(rows, ("task", "shift", "stage")):
            section(console, key, [_trials(group)])
            heads = [("Model", "name"), ("Method", "name"), ("Labels", "n"), ("Score", "n"), ("Acc.", "n")]
            drawn = table([*heads, ("interval", "n"), ("Change", "n"), ("FLOPs", "n")])
            for one in group:
                cost = "–" if one["flops"] is None else flops(one["flops"])
                right = [share(one["score"]), share(one["accuracy"]), shares(one["interval"]), _change(one), cost]
                add_row(drawn, one["model"], one["method"], one["labels"], *right)
            console.print(drawn)
            for one in group:
                line = f"{one['model']}, {one['method']}, {one['labels']} labels: took {_taken(one['taken'])}"
                failed = f"; {counted(one['failed_trials'], 'trial')} failed" if one["failed_trials"] else ""
                console.print(line + failed, style="dim", markup=False, highlight=False)
        console.print(note, style="dim", highlight=False)


def _trials(group: Sequence[Mapping[str, Any]]) -> str:
    """``6 trials a draw``, ``2 to 6 trials a draw`` where methods have fewer settings than the rule allows."""
    counts = sorted({one["trials"] for one in group})
    return f"{' to '.join(dict.fromkeys(map(str, (counts[0], counts[-1]))))} trials a draw"


def search_tables(shown: Mapping[str, Any], say: Callable[[str], str]) -> list[dict[str, Any]]:
    """The same for the page: title, note and rows, the rows with ``took`` and ``change`` in words."""
    return [
        {"title": title, "note": note, "rows": [{**one, **_said(one, say)} for one in rows]}
        for title, note, rows in _parts(shown)
    ]


def _said(one: Mapping[str, Any], say: Callable[[str], str]) -> dict[str, str]:
    took = [
        (setting_words(each["setting"]) if each["setting"] else say("as written"), each["draws"])
        for each in one["taken"]
    ]
    return {"took": "; ".join(f"{words} ({draws})" for words, draws in took), "change": _change(one)}


def _change(one: Mapping[str, Any]) -> str:
    against = one["against"]
    return "–" if against is None or against["difference"] is None else signed(against["difference"])


def _taken(settings: Sequence[Mapping[str, Any]]) -> str:
    """``learning_rate 0.003 (3 draws); as written (2 draws)``."""
    return "; ".join(f"{setting_words(one['setting'])} ({counted(one['draws'], 'draw')})" for one in settings)


def setting_words(setting: Mapping[str, Any]) -> str:
    """A setting as one short text."""
    if not setting:
        return "as written"
    return ", ".join(f"{key} {_value(value)}" for key, value in setting.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} {one}" for key, one in value.items() if key != "kind")
        return f"{value.get('kind', '')} ({inside})" if inside else str(value.get("kind", ""))
    return "all" if value is None else str(value)
