"""A little HTML for notebooks: what a value shows when a cell of a notebook ends with it.

Everything given is text and is escaped. Nothing sets a colour, so that a dark notebook stays dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def text(value: object) -> str:
    """``value`` in words, escaped; None is nothing, a list its members."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(text(one) for one in value)
    return escape(str(value))


def heading(*parts: object) -> str:
    """A line in bold, the parts after the first in plain."""
    first, *rest = (text(one) for one in parts)
    return f"<p><b>{first}</b>{''.join(f' · {one}' for one in rest if one)}</p>"


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """A table of names and values; values that are None or empty are left out."""
    body = "".join(
        f'<tr><th style="text-align: left">{text(name)}</th><td style="text-align: left">{text(value)}</td></tr>'
        for name, value in rows
        if value is not None and value not in ((), "")
    )
    return f"<table>{body}</table>"


def table(head: Sequence[str], rows: Sequence[Sequence[object]], limit: int) -> str:
    """At most ``limit`` rows, and how many more there are."""
    top = "".join(f"<th>{text(one)}</th>" for one in head)
    body = "".join(f"<tr>{''.join(f'<td>{text(one)}</td>' for one in row)}</tr>" for row in rows[:limit])
    more = len(rows) - limit
    rest = f"<p>… and {more} more {'row' if more == 1 else 'rows'}</p>" if more > 0 else ""
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{rest}"


def listing(lines: Sequence[object]) -> str:
    """A list with a line each."""
    return f"<ul>{''.join(f'<li>{text(one)}</li>' for one in lines)}</ul>"
