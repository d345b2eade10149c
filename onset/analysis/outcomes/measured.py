"""What was measured, whoever measured it: outcomes, and the tables of cells and records that a report shows.

A results folder has both tables. Of another tool's results they are made from the outcomes, a cell a draw, with null
for what the source does not say: labels, plans, costs, and whatever else only a study knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import polars as pl

from onset.analysis.outcomes.aside import Aside, asides_of
from onset.analysis.outcomes.folder import outcomes_of
from onset.analysis.outcomes.table import NO_FILTER, Measure, Measuring, Outcomes
from onset.analysis.setting import BASE, Placed, Setting
from onset.analysis.stats.counting import counted
from onset.records import content_hash
from onset.results.format import CELL_SCHEMA, RECORD_SCHEMA
from onset.results.read import Results
from onset.results.shared import Shared
from onset.scores import wilson


@dataclass(frozen=True, slots=True)
class Stated(Placed, Measuring):
    """A score of which a source says no more than its ``value``, with its standard error (None: not said).

    ``n``: items (None: not said); the rest as in `Outcomes`.
    """

    at: Setting
    measure: Measure
    value: float
    stderr: float | None = None
    n: int | None = None
    source: str = ""


@dataclass(frozen=True, eq=False)
class Measured:
    """``outcomes``, right or wrong, and what is shown beside them.

    ``scores``: other metrics of another tool's results, item by item, and ``stated`` those without items: none of them
    is an accuracy of the cells.

    ``study``: the canonical study; of another tool's results a ``name`` alone. ``cells`` and ``records``: as in
    `onset.results.read.Results`; ``missing`` and ``failed``: its cells without results. ``foreign``: measured by
    another tool; ``notes``: what had to be decided to read it, in words; ``asides``: what was asked beside the study's
    own tasks, which is in no table; ``shared``: as there, too.
    """

    outcomes: tuple[Outcomes, ...]
    study: Mapping[str, Any]
    cells: pl.DataFrame
    records: pl.DataFrame
    missing: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    foreign: bool = False
    notes: tuple[str, ...] = ()
    scores: tuple[Outcomes, ...] = ()
    stated: tuple[Stated, ...] = ()
    asides: tuple[Aside, ...] = ()
    shared: Mapping[str, Shared] | None = None

    @property
    def read(self) -> tuple[Outcomes | Stated, ...]:
        """All that was read of another tool's results; empty of a results folder."""
        return (*self.outcomes, *self.scores, *self.stated) if self.foreign else ()


def measured_of(results: Results) -> Measured:
    """What a results folder holds. A model that a study has in several stages is another model in each: those after
    training are called by their stage too, ``tiny (instruct, code)`` (`model_of_stage`), so that no two have one name;
    and so is every model that the study trained, where not all are of one stage: it is held against nothing but what it
    was made of.
    """
    aside = results.aside
    every = results.cells if aside is None else pl.concat([results.cells, aside.cells])
    several = every.group_by("model").agg(pl.col("stage").n_unique()).filter(pl.col("stage") > 1)["model"].to_list()
    made = every.filter(pl.col("made").is_not_null())["model"].to_list() if every["stage"].n_unique() > 1 else []
    told = partial(_told_apart, labels=[*several, *made])
    results = replace(results, cells=told(results.cells))
    return Measured(
        outcomes_of(results),
        results.study,
        results.cells,
        results.records,
        results.missing,
        results.failed,
        asides=asides_of(None if aside is None else replace(aside, cells=told(aside.cells))),
        shared=results.shared,
    )


def _told_apart(cells: pl.DataFrame, labels: Sequence[str]) -> pl.DataFrame:
    several = pl.col("model").is_in(labels)
    named = pl.format("{} ({})", "model", "stage")  # as `model_of_stage`
    return cells.with_columns(
        pl.when(several & (pl.col("stage") != BASE)).then(named).otherwise("model").alias("model")
    )


_Known = TypeVar("_Known", Outcomes, Stated)
AS_ASKED = "as asked"
"""The method of results that do not say how the model was asked."""


def foreign(
    outcomes: Sequence[Outcomes],
    name: str,
    notes: Iterable[str] = (),
    *,
    scores: Sequence[Outcomes] = (),
    stated: Sequence[Stated] = (),
) -> Measured:
    """Another tool's ``outcomes``, right or wrong, no two of one setting; ``name``: what the results are called.

    ``scores`` and ``stated``: as in `Measured`, no two of one setting, metric and filter.
    """
    outcomes = [_asked_somehow(one) for one in outcomes]
    cells: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    for one in outcomes:
        for row in range(len(one.draws)):
            cell = _cell(one, row)
            cells.append(cell)
            records += _records(one, row, cell["cell"])
    held = {"cell": pl.String, **RECORD_SCHEMA}
    return Measured(
        tuple(outcomes),
        {"name": name},
        pl.DataFrame(cells, schema=CELL_SCHEMA, orient="row"),
        pl.DataFrame(records, schema=held, orient="row"),
        foreign=True,
        notes=tuple(dict.fromkeys(notes)),
        scores=tuple(map(_asked_somehow, scores)),
        stated=tuple(map(_asked_somehow, stated)),
    )


def _asked_somehow(one: _Known) -> _Known:
    return one if one.at.method is not None else replace(one, at=replace(one.at, method=AS_ASKED))


def source_of(one: Outcomes | Stated) -> dict[str, Any]:
    """Where outcomes of another tool were read, and which of its scores they are."""
    return {
        "task": one.task,
        "model": one.model,
        "method": one.at.method,
        "metric": one.metric,
        "filter": None if one.filter == NO_FILTER else one.filter,
        "version": one.version if isinstance(one, Outcomes) else None,
        "file": one.source,
    }


def _cell(one: Outcomes, row: int) -> dict[str, Any]:
    found = counted(one.values[row : row + 1])
    low, high = wilson(found.correct, found.n) if found.n else (None, None)
    known = [status for status in (one.outputs.statuses[row] if one.outputs.statuses else ()) if status is not None]
    at = one.at
    of = {
        name: float(np.nanmean(table[row]))
        for name, table in one.outputs.scores.items()
        if np.isfinite(table[row]).any()
    }
    return dict.fromkeys(CELL_SCHEMA) | {
        "cell": content_hash([one.source, at.task, at.model, at.method, one.metric, one.filter, one.draws[row]]),
        "model": at.model,
        "family": at.family,
        "params": None if at.params is None else int(at.params),
        "stage": at.stage_name,
        "method": at.method,
        "labels": at.labels,
        "task": at.task,
        "chance": one.chance,
        "shift": at.shift,
        "seed": one.draws[row],
        "n": found.n,
        "correct": found.correct,
        "accuracy": found.correct / found.n if found.n else None,
        "low": low,
        "high": high,
        "parse_rate": sum(status == "ok" for status in known) / len(known) if known else None,
        "gold_logprob": of.get("gold_logprob"),
        "gold_prob": of.get("gold_prob"),
    }


def _records(one: Outcomes, row: int, cell: str) -> list[dict[str, Any]]:
    if not one.outputs.texts:
        return []
    out = []
    for place, (item, text) in enumerate(zip(one.items, one.outputs.texts[row], strict=True)):
        value = one.values[row, place]
        if text is None or not np.isfinite(value):
            continue
        scores = {
            name: table[row, place] for name, table in one.outputs.scores.items() if np.isfinite(table[row, place])
        }
        out.append(
            dict.fromkeys(RECORD_SCHEMA)
            | {
                "cell": cell,
                "position": place,
                "item": item,
                "question": text.question,
                "gold": text.gold,
                "prompt": text.question if text.prompt is None else text.prompt,
                "outputs": list(text.outputs),
                "finishes": [],
                "answers": [],
                "answer": text.answer,
                "status": one.outputs.statuses[row][place] if one.outputs.statuses else None,
                "correct": bool(value),
                "overlong": False,
                "gold_logprob": scores.get("gold_logprob"),
                "gold_prob": scores.get("gold_prob"),
            }
        )
    return out
