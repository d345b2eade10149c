"""The outcomes of a results folder: its cells are the draws."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.outcomes.cells import by_cell
from onset.analysis.outcomes.scores import SCORES, cell_scores
from onset.analysis.outcomes.table import ACCURACY, Asked, Flops, Measure, Outcomes, Outputs, Ran, Strings
from onset.analysis.setting import Setting, steps
from onset.analysis.stats.bootstrap import Array
from onset.records import content_hash
from onset.results.read import Results

KEY = ("model", "stage", "method", "labels", "task", "shift")
"""Columns of a results folder's cells that name one `Outcomes`."""


def outcomes_of(results: Results, source: str = "") -> tuple[Outcomes, ...]:
    """The accuracies of a results folder: one for every way of asking with a record, in order of first appearance.

    ``source``: what the outcomes say they were read from.
    """
    measured, known = cell_scores(results), _Known()
    cells = results.cells.filter(pl.col("n") > 0)
    tables = by_cell(results.records, _COLUMNS)
    return tuple(
        _outcomes(table.sort("seed").to_dicts(), tables, measured, known, source)
        for _, table in cells.group_by(KEY, maintain_order=True)
    )


_COLUMNS = ("item", "twin", "correct", "gold", "prompt_hash", "status", "cause")


class _Known:
    """Texts that stand in many records, kept once: ids of items, statuses, and the hashes of gold answers."""

    def __init__(self) -> None:
        self.texts: dict[str | None, str | None] = {}
        self.hash_of = functools.cache(content_hash)

    def list(self, column: pl.Series) -> list[Any]:
        """The values of a column."""
        keep = self.texts.setdefault
        return [keep(text, text) for text in column.to_list()]


def _outcomes(
    cells: Sequence[Mapping[str, Any]],
    tables: Mapping[str, pl.DataFrame],
    measured: Mapping[str, Mapping[str, Array]],
    known: _Known,
    source: str,
) -> Outcomes:
    held = [tables[cell["cell"]] for cell in cells]
    place: dict[str, int] = {}
    twins: list[str | None] = []
    targets: list[str | None] = []
    rows = []
    for one in held:
        items = known.list(one["item"])
        if not all(map(place.__contains__, items)):
            for item, twin, gold in zip(items, known.list(one["twin"]), one["gold"].to_list(), strict=True):
                if item not in place:
                    place[item] = len(place)
                    twins.append(twin)
                    targets.append(known.hash_of(gold))
        rows.append(np.array([place[item] for item in items], dtype=np.int64))
    first, n = cells[0], sum(cell["n"] for cell in cells)
    shown = [cell["demonstrations"] for cell in cells]
    return Outcomes(
        at=Setting(
            task=first["task"], shift=first["shift"], model=first["model"], family=first["family"],
            params=first["params"], stage=steps(first["stage"]), method=first["method"], labels=first["labels"],
            pretraining_seed=first.get("pretraining_seed"),
        ),
        measure=Measure(ACCURACY, chance=first["chance"]),
        draws=tuple(cell["seed"] for cell in cells),
        items=tuple(place),
        values=_numbers([one["correct"].to_numpy() for one in held], rows, len(place)),
        targets=tuple(targets),
        outputs=Outputs(
            prompts=_strings([one["prompt_hash"].to_list() for one in held], rows, len(place)),
            statuses=_strings([known.list(one["status"]) for one in held], rows, len(place)),
            scores=_scores([measured.get(cell["cell"], {}) for cell in cells], rows, len(place)),
        ),
        source=source,
        twins=tuple(twins),
        plans=tuple(cell["plan_hash"] for cell in cells),
        versions=tuple(cell["task_hash"] for cell in cells),
        asked=Asked(
            prompt=first["prompt"],
            tune=first["tune"],
            vote=first["vote"],
            template=first.get("template") or "plain",
            shown=(min(shown), max(shown)) if first["tune"] is None and first["labels"] else None,
            used=max(cell["labels_used"] for cell in cells),
            select=first.get("select") or "none",
            bound=bool(first.get("bound")),
        ),
        ran=Ran(
            flops=_flops(cells, n),
            overlong=sum(cell["overlong"] for cell in cells),
            failed=sum(cell["failed_items"] for cell in cells),
            cause=_cause(held) if any(cell["failed_items"] for cell in cells) else None,
        ),
    )  # fmt: skip


def _cause(held: Sequence[pl.DataFrame]) -> str | None:
    """Of the first item at which the method failed."""
    return next((why for one in held for why in one.filter(pl.col("status") == "failed")["cause"]), None)


def _flops(cells: Sequence[Mapping[str, Any]], n: int) -> Flops | None:
    """Means of the draws; None where a server does not tell what one takes."""
    if any(cell["flops_inference"] is None or cell["flops_search"] is None for cell in cells):
        return None
    return Flops(
        query=sum(cell["flops_inference"] for cell in cells) / n,
        tuning=sum(cell["flops_tuning"] for cell in cells) / len(cells),
        search=sum(cell["flops_search"] for cell in cells) / len(cells),
    )


def _numbers(columns: Sequence[Any], rows: Sequence[Any], items: int) -> Array:
    """Draws x items, from a column a draw and the place of each of its records; NaN where a draw lacks the item."""
    values = np.full((len(columns), items), np.nan)
    for row, (places, column) in enumerate(zip(rows, columns, strict=True)):
        values[row, places] = column
    return values


def _scores(draws: Sequence[Mapping[str, Array]], rows: Sequence[Any], items: int) -> dict[str, Array]:
    """The continuous scores that every draw has; one that some draw lacks would be a mean of other items."""
    return {
        metric: _numbers([draw[metric] for draw in draws], rows, items)
        for metric in SCORES
        if all(metric in draw for draw in draws)
    }


def _strings(columns: Sequence[Sequence[str | None]], rows: Sequence[Any], items: int) -> Strings:
    out = []
    for places, column in zip(rows, columns, strict=True):
        if len(places) == items and (places == np.arange(items)).all():
            out.append(tuple(column))
            continue
        row: list[str | None] = [None] * items
        for place, value in zip(places, column, strict=True):
            row[place] = value
        out.append(tuple(row))
    return tuple(out)
