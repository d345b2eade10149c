"""Charts of one row a pair: what both sides have, and the difference between them with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onset.report.figures.base import (
    GREY,
    PAPER,
    Rows,
    Spec,
    category,
    dot,
    end,
    fade,
    layer,
    name_axis,
    quantity,
    rows_high,
    tooltip,
)


def row_axis(names: Sequence[str]) -> Spec:
    """The channel that says in which row a pair stands, in the order of ``names``."""
    return category("name", title=None, sort=names, axis=name_axis({name: name for name in names}, most=200))


def rows_height(names: Sequence[str]) -> int:
    """Of a chart of these rows, in pixels; all are equally high."""
    return len(names) * rows_high(names, 40, 200) + 10


def listed(names: Sequence[str]) -> str:
    """The names of rows, as a description of the chart says them."""
    return ", ".join(name.replace("\n", " · ") for name in names)


def zero_line() -> Spec:
    """Where neither side has more."""
    return layer("rule", [{"zero": 0}], {"x": quantity("zero")}, color=GREY)


def both_sides(rows: Rows, at: Spec, x: Spec, other: str, said: dict[str, str]) -> list[Spec]:
    """The field of ``x`` hollow and the field ``other`` filled, joined; ``said``: what a tooltip says."""
    spot = at | {"opacity": fade(), "tooltip": tooltip(said)}
    hollow = {"filled": False, "size": 70, "strokeWidth": 2, "fill": {"expr": PAPER}}
    return [
        layer("rule", rows, at | {"x": x, "x2": end(other)}, strokeWidth=3, opacity=0.55),
        layer("point", rows, spot | {"x": quantity(other)}, **dot(70)),
        layer("point", rows, spot | {"x": x}, **hollow),
    ]


def differences(
    rows: Rows, at: Spec, low: Spec, said: dict[str, str], *, high: str = "high", middle: str = "difference"
) -> list[Spec]:
    """Intervals from ``low`` to the field ``high`` around the field ``middle``, and where neither side has more."""
    spot: dict[str, Any] = at | {"opacity": fade(), "tooltip": tooltip(said)}
    return [
        zero_line(),
        layer("rule", rows, at | {"x": low, "x2": end(high), "opacity": fade(0.8)}, strokeWidth=2),
        layer("point", rows, spot | {"x": quantity(middle)}, **dot(60)),
    ]
