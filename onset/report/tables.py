"""Tables in the terminal: shared by every command that prints one.

Everything fits 80 columns, in a terminal and in a pipe: names wrap between their parts onto a second line, numbers
never do and nothing is cut with dots. Names come from users and models, so they are printed as plain text, never read
as markup.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

WIDE = 112
"""Columns from which tables also show what is looked up rarely: tokens, FLOPs and seconds, the items needed."""
VERDICT_STYLES = {
    **dict.fromkeys(("wins", "supported"), "bold blue"),
    **dict.fromkeys(("loses", "contradicted"), "bold yellow"),
    "equivalent": "bold green",
}
"""Of a comparison, and of a claim of the essay."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name that wraps behind ``-``, ``/``, a comma or a space and before ``[``.

    Inside a word only where the word alone is wider than its column.
    """

    text: str

    @property
    def parts(self) -> list[str]:
        """What is never torn apart where there is room."""
        return re.split(r"(?<=[\s\-/,])|(?=\[)", self.text)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widest = max(cell_len(part.rstrip()) for part in self.parts)
        return Measurement(widest, cell_len(self.text)).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [""]
        for part in self.parts:
            if lines[-1] and cell_len(f"{lines[-1]}{part}".rstrip()) > options.max_width:
                lines.append("")
            lines[-1] += part
        yield Text("\n".join(line.rstrip() for line in lines), overflow="fold")


def table(heads: Iterable[tuple[str, str]]) -> Table:
    """A table without lines. Kinds of column: ``n`` (right, whole), ``key`` (left, whole), ``name`` (left, wraps)."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for title, kind in heads:
        if kind == "name":
            made.add_column(title, overflow="fold")
        else:
            made.add_column(title, justify="right" if kind == "n" else "left", no_wrap=True)
    return made


def add_row(made: Table, *values: RenderableType | float) -> None:
    """A row of a table of `table`; texts and numbers are never read as markup."""
    made.add_row(*(_cell(value, column.no_wrap) for value, column in zip(values, made.columns, strict=True)))


def _cell(value: RenderableType | float, whole: bool) -> RenderableType:
    if isinstance(value, int | float):
        return Text(str(value))
    return value if not isinstance(value, str) else Text(value) if whole else Name(value)


def heading(console: Console, text: str) -> None:
    """A bold line with an empty one above."""
    console.print()
    console.print(Text(text, style="bold"))


def section(console: Console, key: Mapping[str, Any], details: Iterable[str]) -> None:
    """What a table is about, underlined: task, shift, stage and model of ``key``, and ``details`` in brackets."""
    parts = [str(key["task"])]
    parts += [f"shift {key['shift']}"] if key["shift"] != "none" else []
    parts += [f"stage {key['stage']}"] if key["stage"] != "base" else []
    text = Text(" · ".join([*parts, *([str(key["model"])] if "model" in key else [])]), style="underline")
    text.append(Text(f" ({', '.join(details)})", style="dim not underline"))
    console.print()
    console.print(text)


def grouped(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[tuple[dict[str, Any], list[Any]]]:
    """The rows of each combination of values of ``names``, in order of appearance, and these values."""
    groups: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return [(dict(zip(names, key, strict=True)), group) for key, group in groups.items()]
