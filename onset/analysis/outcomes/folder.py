"""The outcomes of a results folder: its cells are the draws."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

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
    columns = ("item", "twin", "correct", "gold", "prompt_hash", "status", "cause")
    records = {
        str(cell): table.to_dict(as_series=False)
        for (cell,), table in results.records.select("cell", *columns).group_by("cell", maintain_order=True)
    }
    hash_of = functools.cache(content_hash)
    measured = cell_scores(results)
    cells = results.cells.filter(pl.col("n") > 0)
    return tuple(
        _outcomes(table.sort("seed").to_dicts(), records, measured, hash_of, source)
        for _, table in cells.group_by(KEY, maintain_order=True)
    )


def _outcomes(
    cells: Sequence[Mapping[str, Any]],
    records: Mapping[str, Mapping[str, list[Any]]],
    measured: Mapping[str, Mapping[str, Mapping[str, float]]],
    hash_of: Callable[[str], str],
    source: str,
) -> Outcomes:
    held = [records[cell["cell"]] for cell in cells]
    place: dict[str, int] = {}
    twins: list[str | None] = []
    targets: list[str | None] = []
    for one in held:
        for item, twin, gold in zip(one["item"], one["twin"], one["gold"], strict=True):
            if item not in place:
                place[item] = len(place)
                twins.append(twin)
                targets.append(hash_of(gold))
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
        values=_numbers(held, place),
        targets=tuple(targets),
        outputs=Outputs(
            prompts=_strings(held, place, "prompt_hash"),
            statuses=_strings(held, place, "status"),
            scores=_scores([measured.get(cell["cell"], {}) for cell in cells], place),
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
            cause=next(
                (
                    why
                    for one in held
                    for why, how in zip(one["cause"], one["status"], strict=True)
                    if how == "failed"
                ),
                None,
            ),
        ),
    )  # fmt: skip


def _flops(cells: Sequence[Mapping[str, Any]], n: int) -> Flops | None:
    """Means of the draws; None where a server does not tell what one takes."""
    if any(cell["flops_inference"] is None or cell["flops_search"] is None for cell in cells):
        return None
    return Flops(
        query=sum(cell["flops_inference"] for cell in cells) / n,
        tuning=sum(cell["flops_tuning"] for cell in cells) / len(cells),
        search=sum(cell["flops_search"] for cell in cells) / len(cells),
    )


def _numbers(held: Sequence[Mapping[str, list[Any]]], place: Mapping[str, int]) -> Array:
    values = np.full((len(held), len(place)), np.nan)
    for row, one in enumerate(held):
        values[row, [place[item] for item in one["item"]]] = one["correct"]
    return values


def _scores(draws: Sequence[Mapping[str, Mapping[str, float]]], place: Mapping[str, int]) -> dict[str, Array]:
    """The continuous scores that every draw has; one that some draw lacks would be a mean of other items."""
    return {
        metric: np.array([[draw[metric].get(item, np.nan) for item in place] for draw in draws])
        for metric in SCORES
        if all(metric in draw for draw in draws)
    }


def _strings(held: Sequence[Mapping[str, list[Any]]], place: Mapping[str, int], column: str) -> Strings:
    rows = []
    for one in held:
        row: list[str | None] = [None] * len(place)
        for item, value in zip(one["item"], one[column], strict=True):
            row[place[item]] = value
        rows.append(tuple(row))
    return tuple(rows)
