"""An arm: one method at one budget on one model, task, stage and shift, over all its seeds.

Comparisons, curves and losses all start from the outcomes of arms: a table of draws x items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.stats.bootstrap import Array
from onset.results.read import Results

KEY = ("model", "stage", "method", "labels", "task", "shift")


@dataclass(frozen=True, eq=False)
class Arm:
    """The outcomes of one arm.

    ``values``: draws x items, 1.0 correct, 0.0 not, NaN where that draw did not have the item; ``seeds`` and ``items``
    name its rows and columns; ``twins`` is the clean item each one was made from (None when it was not);
    ``task_hash`` and ``plan_hash`` by seed; ``parse_rate`` and ``overlong`` over all draws; ``flops_query`` the mean
    floating-point operations of one query and ``flops_tuning`` those of one tuning run (0 for a prompting method);
    ``shown``: the fewest and most demonstrations of a draw's prompts, None for a tuned model and without labels;
    ``failed_items`` at which the method raised an error, in all draws, and the first ``cause``; ``template``: how it
    was asked, ``chat`` or ``plain``.
    """

    model: str
    family: str
    params: int
    stage: str
    method: str
    tune: str | None
    prompt: str
    vote: int | None
    labels: int
    task: str
    chance: float
    shift: str
    seeds: tuple[int, ...]
    items: tuple[str, ...]
    twins: tuple[str | None, ...]
    values: Array
    task_hash: Mapping[int, str]
    plan_hash: Mapping[int, str]
    parse_rate: float
    overlong: int
    flops_query: float
    flops_tuning: float
    failed_items: int = 0
    cause: str | None = None
    shown: tuple[int, int] | None = None
    template: str = "plain"

    @property
    def key(self) -> tuple[str, str, str, int, str, str]:
        """Model, stage, method, labels, task, shift."""
        return self.model, self.stage, self.method, self.labels, self.task, self.shift

    @property
    def accuracy(self) -> float:
        """Mean over everything measured."""
        return float(np.nanmean(self.values))


def arms(results: Results) -> tuple[Arm, ...]:
    """All arms with at least one record, in order of first appearance."""
    outcomes = {
        str(cell): (table["item"].to_list(), table["twin"].to_list(), table["correct"].to_numpy())
        for (cell,), table in results.records.select("cell", "item", "twin", "correct").group_by(
            "cell", maintain_order=True
        )
    }
    cells = results.cells.filter(pl.col("n") > 0)
    groups = cells.group_by(KEY, maintain_order=True)
    failed = results.records.filter(pl.col("status") == "failed").unique("cell", keep="first", maintain_order=True)
    causes: dict[str, str] = dict(failed.select("cell", "cause").iter_rows())
    return tuple(_arm(table.sort("seed").to_dicts(), outcomes, causes) for _, table in groups)


def _arm(
    cells: list[dict[str, Any]],
    outcomes: Mapping[str, tuple[list[str], list[str | None], Any]],
    causes: Mapping[str, str],
) -> Arm:
    columns: dict[str, int] = {}
    twins: list[str | None] = []
    for cell in cells:
        for item, twin in zip(*outcomes[cell["cell"]][:2], strict=True):
            if item not in columns:
                columns[item] = len(columns)
                twins.append(twin)
    values = np.full((len(cells), len(columns)), np.nan)
    for row, cell in enumerate(cells):
        items, _, correct = outcomes[cell["cell"]]
        values[row, [columns[item] for item in items]] = correct
    first, n = cells[0], sum(cell["n"] for cell in cells)
    shown = [cell["demonstrations"] for cell in cells]
    same = (
        "model",
        "family",
        "params",
        "stage",
        "method",
        "tune",
        "prompt",
        "vote",
        "labels",
        "task",
        "chance",
        "shift",
    )
    return Arm(
        **{name: first[name] for name in same},
        template=first.get("template") or "plain",
        seeds=tuple(cell["seed"] for cell in cells),
        items=tuple(columns),
        twins=tuple(twins),
        values=values,
        task_hash={cell["seed"]: cell["task_hash"] for cell in cells},
        plan_hash={cell["seed"]: cell["plan_hash"] for cell in cells},
        parse_rate=sum(cell["parse_rate"] * cell["n"] for cell in cells) / n,
        overlong=sum(cell["overlong"] for cell in cells),
        flops_query=sum(cell["flops_inference"] for cell in cells) / n,
        flops_tuning=sum(cell["flops_tuning"] for cell in cells) / len(cells),
        shown=(min(shown), max(shown)) if first["tune"] is None and first["labels"] else None,
        failed_items=sum(cell["failed_items"] for cell in cells),
        cause=next((causes[cell["cell"]] for cell in cells if cell["cell"] in causes), None),
    )
