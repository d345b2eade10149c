"""What shifts of the test items take, in the terminal: ``onset show D --robustness``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onset.analysis.phrases import Language
from onset.analysis.questions.say import Say
from onset.analysis.words import bound, number, said
from onset.report.tables import WIDE, add_row, grouped, heading, table
from onset.report.words import DASH, p_value, share, signed

_STYLES = {
    **dict.fromkeys(("loses", "reverses", "below", "uneven"), "bold yellow"),
    **dict.fromkeys(("gains", "holds", "keeps", "above"), "bold blue"),
    **dict.fromkeys(("narrows", "widens", "falls", "rises"), "bold"),
}
_MATCHED = {"wins": "falls less", "loses": "falls more"}
_LABELS = {"equivalent": "as others"}
"""Of those verdicts the one that findings have another word for."""


class _Printer:
    """What is printed in a language: in English tasks, shifts and methods are called as the study calls them, elsewhere
    by the names that people say.
    """

    def __init__(self, console: Console, language: Language) -> None:
        self.console, self.say, self.wide = console, Say(language), console.width >= WIDE
        self.plain = language == "en"

    def heading(self, text: str) -> None:
        heading(self.console, self.say(text))

    def section(self, key: Mapping[str, Any], details: Sequence[str]) -> None:
        """What a table is about, underlined, and ``details`` in brackets."""
        say = self.say
        parts = [self.task(key["task"])]
        parts += [say("shift {shift}", shift=self.shift(key["shift"]))] if key.get("shift", "none") != "none" else []
        parts += [say("stage {stage}", stage=say.stage(key["stage"]))] if key["stage"] != "base" else []
        text = Text(" · ".join([*parts, *([str(key["model"])] if "model" in key else [])]), style="underline")
        text.append(Text(say(" ({details})", details=say.parted(details)), style="dim not underline"))
        self.console.print()
        self.console.print(text)

    def table(self, *heads: tuple[str, str]) -> Table:
        return table([(self.say(title), kind) for title, kind in heads])

    def verdict(self, name: str, kind: str) -> Text:
        """A verdict of findings of ``kind``, in its colour."""
        return Text(name if self.plain else said(kind, name, self.say.language), style=_STYLES.get(name, ""))

    def dim(self, text: str) -> None:
        self.console.print(Text(text, style="dim"))

    def task(self, name: str) -> str:
        return name if self.plain else self.say.task(name)

    def shift(self, name: str) -> str:
        return name if self.plain else self.say.shift(name)

    def method(self, name: str) -> str:
        return name if self.plain else self.say.method(name)

    def ends(self, interval: Sequence[float] | None) -> str:
        """An interval of differences, in points."""
        if interval is None:
            return DASH
        return self.say("{low} to {high}", low=bound(interval[0]), high=bound(interval[1]))

    def shares(self, interval: Sequence[float], digits: int = 1) -> str:
        """An interval of shares, in per cent."""
        low, high = (number(100 * end, digits) for end in interval)
        return self.say("{low} to {high}", low=low, high=high)


def print_robustness(shown: Mapping[str, Any], console: Console, language: Language = "en") -> None:
    """Every drop, the methods beside the line of the others, the worst shifts, whose lead changes, who is ahead under a
    shift alone, drops over sizes, and parts of the test sets; nothing of a study without a shift.

    ``shown``: the value of ``robustness`` in what ``onset show --json`` prints.
    """
    to = _Printer(console, language)
    _print_falls(shown["falls"], to)
    _print_methods(shown["grids"], to)
    _print_worst(shown["worst"], to)
    _print_leads(shown["leads"], to)
    _print_wins(shown["wins"], to)
    _print_slopes([*shown["slopes"], *(one["slope"] for one in shown["curves"] if one["slope"])], to)
    _print_parts(shown["breakdowns"], to)
    for one in shown["single_label"]:
        line = to.say(
            "all {n} items of {task} under the shift {shift} have one answer, {label}: a constant answer is right",
            n=one["n"], task=to.task(one["task"]), shift=to.shift(one["shift"]), label=one["label"],
        )  # fmt: skip
        console.print(Text(line, style="bold red"))
    if shown["without_clean"]:
        lone = to.say.counted("shifted arm", len(shown["without_clean"]))
        to.dim(to.say("{arms} without a clean counterpart: nothing to hold against", arms=lone))


def _print_falls(rows: Sequence[Mapping[str, Any]], to: _Printer) -> None:
    if not rows:
        return
    to.heading("Robustness (accuracy in per cent; drop: clean minus shifted, in points; p adjusted by Holm)")
    for key, group in grouped(rows, ("task", "shift", "stage", "model")):
        budgets = {one["labels"] for one in group}
        draws, items = ({_size(one[name]) for one in group} for name in ("seeds", "n"))
        details = [to.say.counted("item", max(items))]
        details += [to.say.counted("draw", max(draws))] if len(draws) == 1 else []
        details += [] if group[0]["paired"] else [to.say("another test set")]
        if len(budgets) == 1:
            details.append(to.say("labels {labels}", labels=budgets.copy().pop()))
        to.section(key, details)
        to.console.print(_fall_table(group, to, budget=len(budgets) > 1))
    to.dim(
        to.say(
            "Flips: right answers that become wrong / wrong ones that become right, in per cent of either. Matched:"
            " shifted accuracy minus what the other methods have at this clean accuracy, in points."
            if to.wide
            else "Flips: right answers that become wrong / wrong ones that become right, in per cent of either."
        )
    )


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list) else int(value)


def _fall_table(group: Sequence[Mapping[str, Any]], to: _Printer, *, budget: bool) -> Table:
    heads = [*([("Labels", "n")] if budget else []), ("Method", "name"), ("Clean", "n"), ("Shifted", "n")]
    heads += [("Drop", "n"), ("95 % interval", "n"), ("Flips", "n"), ("Verdict", "key")]
    if to.wide:
        heads += [("Matched", "n"), ("Matched interval", "n"), ("p", "n"), ("Items", "n"), ("Draws", "n")]
    drawn = to.table(*heads)
    for one in group:
        values: list[Any] = [one["labels"]] if budget else []
        found = one["matched"]
        values += [to.method(one["method"]), *(number(100 * one[name]) for name in ("clean", "shifted"))]
        values += [signed(one["drop"]), to.ends(one["interval"]), _flips(one), to.verdict(one["verdict"], "shift")]
        if to.wide:
            values += [DASH, DASH] if found is None else [signed(found["difference"]), to.ends(found["interval"])]
            values += [p_value(one["p_holm"]), one["n"], len(one["seeds"])]
        add_row(drawn, *values)
    return drawn


def _flips(one: Mapping[str, Any]) -> str:
    shares = [DASH if part is None else number(100 * part["value"], 0) for part in _both(one)]
    return DASH if all(part is None for part in _both(one)) else " / ".join(shares)


def _both(one: Mapping[str, Any]) -> tuple[Any, Any]:
    return one["right_to_wrong"], one["wrong_to_right"]


def _print_methods(grids: Sequence[Mapping[str, Any]], to: _Printer) -> None:
    if not any(grid["methods"] or grid["left_out"] for grid in grids):
        return
    say = to.say
    to.heading("At matched clean accuracy (shifted accuracy minus that of the other methods, in points)")
    refused: dict[str, list[str]] = {}
    for grid in grids:
        reasons = dict.fromkeys(one["why"] for one in (*grid["methods"], *grid["left_out"]) if one["why"])
        task, shift = to.task(grid["task"]), to.shift(grid["shift"])
        if not any(one["difference"] is not None for one in grid["methods"]):
            refused.setdefault("; ".join(map(say.told, reasons)), []).append(f"{task} · {shift}")
            continue
        line = grid["line"]
        fit = "" if line is None else say(", line: slope {slope}, r2 {r2}", slope=number(line["slope"], 2),
                                          r2=number(line["r2"], 2))  # fmt: skip
        to.console.print()
        to.console.print(Text(f"{task} · {say('shift {shift}', shift=shift)}{fit}", style="underline"))
        drawn = to.table(
            ("Method", "name"), ("Arms", "n"), ("Diff.", "n"), ("95 % interval", "n"), ("p", "n"), ("Verdict", "name")
        )
        for one in grid["methods"]:
            verdict = _MATCHED.get(one["verdict"], one["verdict"])
            word = verdict if to.plain else said("matched loss", _LABELS.get(verdict, verdict), say.language)
            shown = Text(word, style="" if verdict == "undecided" else "bold")
            values = [one["arms"] or DASH, signed(one["difference"]), to.ends(one["interval"]), p_value(one["p_holm"])]
            add_row(drawn, to.method(one["method"]), *values, say.told(one["why"]) if one["why"] else shown)
        to.console.print(drawn)
        for why in reasons:
            if count := sum(one["why"] == why for one in grid["left_out"]):
                to.dim(say("left out: {arms}, {why}", arms=say.counted("arm", count), why=say.told(why)))
    for why, places in refused.items():
        to.console.print()
        to.dim(say("nothing to say of {places}: {why}", places=say.parted(places), why=why))


def _print_worst(rows: Sequence[Mapping[str, Any]], to: _Printer) -> None:
    if not rows:
        return
    to.heading("Worst of several shifts (simultaneous intervals; drop in points, accuracy in per cent)")
    for key, group in grouped(rows, ("task", "stage", "model")):
        to.section(key, [to.say.counted("shift", len(group[0]["shifts"]))])
        drawn = to.table(
            ("Labels", "n"), ("Method", "name"), ("Worst", "name"), ("Drop", "n"), ("95 % interval", "n"),
            ("Lowest", "n"), ("95 % interval", "n"), ("Verdict", "key"),
        )  # fmt: skip
        for one in group:
            values = [one["labels"], to.method(one["method"]), to.shift(one["worst_shift"]), signed(one["drop"])]
            values += [to.ends(one["interval"]), number(100 * one["accuracy"]), to.shares(one["accuracy_interval"], 0)]
            add_row(drawn, *values, to.verdict(one["verdict"], "worst shift"))
        to.console.print(drawn)


def _print_leads(rows: Sequence[Mapping[str, Any]], to: _Printer) -> None:
    if not rows:
        return
    to.heading("Leads under a shift (first method minus the second, in points)")
    for key, group in grouped(rows, ("task", "shift", "stage", "model")):
        draws = {len(one["seeds"]) for one in group}
        details = [to.say.counted("item", group[0]["n"])]
        to.section(key, details + ([to.say.counted("draw", max(draws))] if len(draws) == 1 else []))
        drawn = to.table(
            ("Labels", "n"), ("Method", "name"), ("Against", "name"), ("Clean", "n"), ("Shifted", "n"), ("Change", "n"),
            ("95 % interval", "n"), ("Verdict", "key"),
        )  # fmt: skip
        for one in group:
            clean, shifted, change = (one[name] for name in ("clean", "shifted", "change"))
            values = [one["labels"], *map(to.method, one["sides"]), signed(clean["difference"])]
            values += [signed(shifted["difference"]), signed(change["difference"]), to.ends(change["interval"])]
            add_row(drawn, *values, to.verdict(one["verdict"], "order under shift"))
        to.console.print(drawn)


def _print_wins(rows: Sequence[Mapping[str, Any]], to: _Printer) -> None:
    if not rows:
        return
    to.heading("Ahead under a shift alone (in points; p adjusted by Holm over all shifts)")
    for key, group in grouped(rows, ("task", "shift", "stage", "model")):
        to.section(key, [to.say.counted("item", group[0]["n"])])
        drawn = to.table(
            ("Labels", "n"), ("Method", "name"), ("Against", "name"), ("Shifted", "n"), ("95 % interval", "n"),
            ("p", "n"), ("Clean", "n"), ("95 % interval", "n"),
        )  # fmt: skip
        for one in group:
            values = [one["labels"], *map(to.method, one["sides"]), signed(one["difference"]), to.ends(one["interval"])]
            add_row(drawn, *values, p_value(one["p_shifts"]), signed(one["clean"]), to.ends(one["clean_interval"]))
        to.console.print(drawn)


def _print_slopes(rows: Sequence[Mapping[str, Any]], to: _Printer) -> None:
    if not rows:
        return
    to.heading("Over size (points per tenfold parameters: of a drop, or of what a shift does to a lead)")
    for key, group in grouped(rows, ("task", "shift", "stage", "family")):
        to.section(key, [str(key["family"])])
        drawn = to.table(
            ("Labels", "n"), ("Of", "name"), ("Sizes", "n"), ("Slope", "n"), ("95 % interval", "n"), ("p", "n"),
            ("Verdict", "key"),
        )  # fmt: skip
        for one in group:
            values = [one["labels"], " − ".join(map(to.method, one["sides"])), len(one["sizes"])]
            values += [signed(one["per_tenfold"]), to.ends(one["interval"]), p_value(one["p_holm"])]
            add_row(drawn, *values, to.verdict(one["verdict"], "drop by size"))
        to.console.print(drawn)


def _print_parts(rows: Sequence[Mapping[str, Any]], to: _Printer) -> None:
    shown = [one for one in rows if one["by"] != "answer" or one["shift"] != "none"]
    if not shown:
        return
    to.heading("Parts of the test items (accuracy in per cent; intervals simultaneous over the parts)")
    for key, group in grouped(shown, ("task", "shift", "stage", "model", "by")):
        by = to.say("answer") if key["by"] == "answer" else key["by"]
        details = [to.say("by {key}", key=by), to.say.counted("part", len(group[0]["parts"]))]
        if group[0]["constant"] is not None:
            details.append(to.say("a constant answer {share}", share=share(group[0]["constant"])))
        to.section(key, details)
        drawn = to.table(
            ("Labels", "n"), ("Method", "name"), ("Mean of parts", "n"), ("Worst", "name"), ("Worst right", "n"),
            ("95 % interval", "n"), ("Verdict", "key"),
        )  # fmt: skip
        for one in group:
            worst = one["worst"]
            values = [one["labels"], to.method(one["method"]), number(100 * one["balanced"]), worst["name"]]
            values += [number(100 * worst["accuracy"]), to.shares(worst["interval"])]
            add_row(drawn, *values, to.verdict(one["verdict"], "trap set" if key["by"] == "answer" else "worst group"))
        to.console.print(drawn)
