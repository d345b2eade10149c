"""Tables in the terminal: shared by every command that prints one.

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

WIDE = 112
"""Columns from which tables also show what is looked up rarely: tokens, FLOPs and seconds, the items needed."""


def table(heads: Iterable[tuple[str, str]]) -> Table:
    """A table without lines. Kinds of column: ``n`` (right, whole), ``key`` (left, whole), ``name`` (left, folds)."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for title, kind in heads:
        if kind == "name":
            made.add_column(title, overflow="fold", min_width=8)
        else:
            made.add_column(title, justify="right" if kind == "n" else "left", no_wrap=True)
    return made


def add_row(made: Table, *values: RenderableType | float) -> None:
    """A row of a table of `table`; texts and numbers are never read as markup."""
    made.add_row(*(Text(str(value)) if isinstance(value, str | int | float) else value for value in values))


def heading(console: Console, text: str) -> None:
    """A bold line with an empty one above."""
    console.print()
    console.print(Text(text, style="bold"))


def grouped(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[tuple[dict[str, Any], list[Any]]]:
    """The rows of each combination of values of ``names``, in order of appearance, and these values."""
    groups: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return [(dict(zip(names, key, strict=True)), group) for key, group in groups.items()]
