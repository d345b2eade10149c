"""Passage or memory: what a model answers where its context contradicts what is true outside of it.

An item with ``meta["memory"]`` says what is true outside its context; its right answer is the context's (counterfactual
passages: Longpre et al. 2021, arXiv 2109.05052; as the updating of knowledge, Si et al. 2022, arXiv 2210.09150). Each
answer is the passage's, the memory's, or neither; an item without an answer, or at which the method failed, is neither.
Where the study asks the same questions without a passage, it is told apart what the model knows: those that it answers
by memory there, with the same method and draw. (An item's id is made of its context too, so that one without is told
by it; of items with choices, which records do not hold, the task asked in fewest tokens is taken.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.outcomes import KEY, Measured, Outcomes
from onset.analysis.outcomes.cells import by_cell, cells_with
from onset.analysis.setting import Placed, Setting
from onset.analysis.stats.adjust import ALPHA, LEVEL
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.means import mean_interval
from onset.analysis.stats.shares import Interval
from onset.records import Item

SIDES = ("passage", "memory", "neither")
_SHARED = 0.9
"""Share of the questions that the closed-book arm has to have."""


@dataclass(frozen=True, slots=True)
class Told:
    """A share (0..1), or a difference of two, with its 95 % interval."""

    value: float
    interval: Interval


@dataclass(frozen=True, eq=False)
class Conflict(Placed):
    """One way of asking questions whose passage contradicts memory: shares of answers that are the ``passage``'s, the
    ``memory``'s and ``neither``, and ``lead``: the first less the second.

    ``n``: items; ``closed``: the task that asks the same questions without a passage (None: not in the study), of which
    ``known`` outcomes are right; ``kept``: of these, the share that keeps its memory (None: fewer than two items);
    ``leads``: by draw and item 1 where the passage is followed, -1 where memory is, 0 for neither.
    """

    at: Setting
    arm: Outcomes
    n: int
    shares: Mapping[str, Told]
    lead: Told
    closed: str | None
    known: int
    kept: Told | None
    leads: Array

    @property
    def verdict(self) -> str:
        """``passage`` or ``memory``, whichever is shown to be followed more often; else ``undecided``."""
        return _verdict(self.lead.interval)

    def among(self, count: int) -> tuple[str, Interval]:
        """Verdict and interval of the lead of the arm that was picked from ``count`` by it (Bonferroni)."""
        told = _mean(self.leads, -1.0, 1 - ALPHA / count)
        return _verdict(told.interval), told.interval

    def json(self) -> dict[str, Any]:
        """As plain JSON; shares 0..1."""
        out: dict[str, Any] = self.coordinates(method=self.method) | {"seeds": list(self.arm.draws), "n": self.n}
        for side in SIDES:
            out |= {side: self.shares[side].value, f"{side}_interval": list(self.shares[side].interval)}
        return out | {
            "lead": self.lead.value,
            "lead_interval": list(self.lead.interval),
            "closed": self.closed,
            "known": self.known,
            "kept": None if self.kept is None else self.kept.value,
            "kept_interval": None if self.kept is None else list(self.kept.interval),
            "verdict": self.verdict,
        }


def _verdict(interval: Interval) -> str:
    low, high = interval
    return "passage" if low > 0 else "memory" if high < 0 else "undecided"


def conflicts_of(measured: Measured) -> tuple[Conflict, ...]:
    """Every way of asking a task whose items say what memory holds, in the order of the cells."""
    asked = set(cells_with(measured.records, "detail", '"memory":'))
    if not asked:
        return ()
    wanted = (
        "item", "question", "answer", "correct", "gold", "golds", "gold_prob", "detail", "prompt_tokens",
    )  # fmt: skip
    tables = {cell: table.to_dicts() for cell, table in by_cell(measured.records, wanted).items()}
    groups = {
        key: table.sort("seed").to_dicts()
        for key, table in measured.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True)
    }
    arms = {tuple(getattr(arm, name) for name in KEY): arm for arm in measured.outcomes}
    out = []
    for key, cells in groups.items():
        if all(cell["cell"] in asked for cell in cells):
            draws = [tables[cell["cell"]] for cell in cells]
            closed = _closed(key, draws, groups, tables, asked)
            out.append(_conflict(arms[key], draws, closed))
    return tuple(out)


_Rows = Sequence[Mapping[str, Any]]


def _closed(
    key: tuple[object, ...],
    draws: Sequence[_Rows],
    groups: Mapping[tuple[object, ...], _Rows],
    tables: Mapping[str, _Rows],
    asked: set[str],
) -> tuple[str, dict[int, set[str]]] | None:
    """The task with the same questions, asked alike and in fewest tokens, and by draw the questions it gets right."""
    questions = {row["question"] for draw in draws for row in draw}
    task, seen = KEY.index("task"), []
    for other, cells in groups.items():
        alike = all(one == two for at, (one, two) in enumerate(zip(key, other, strict=True)) if at != task)
        if not alike or any(cell["cell"] in asked for cell in cells):
            continue
        rows = [tables[cell["cell"]] for cell in cells]
        if len(questions & {row["question"] for row in rows[0]}) < _SHARED * len(questions):
            continue
        if not all(_closed_book(row) for row in rows[0]):
            continue
        tokens = [row["prompt_tokens"] or 0 for draw in rows for row in draw]
        right = {cell["seed"]: {row["question"] for row in draw if row["correct"]} for cell, draw in
                 zip(cells, rows, strict=True)}  # fmt: skip
        seen.append((sum(tokens) / len(tokens), str(other[task]), right))
    return min(seen, key=lambda one: one[0])[1:] if seen else None


def _closed_book(row: Mapping[str, Any]) -> bool:
    """Has the item no context, as far as can be told?"""
    if row["gold_prob"] is not None:
        return True
    item = Item(row["question"], row["gold"], others=tuple((row["golds"] or ())[1:]))
    return bool(item.id == row["item"])


def _conflict(arm: Outcomes, draws: Sequence[_Rows], closed: tuple[str, dict[int, set[str]]] | None) -> Conflict:
    place = {item: column for column, item in enumerate(arm.items)}
    tables = {side: np.full(arm.values.shape, np.nan) for side in SIDES}
    knows = np.zeros(arm.values.shape, dtype=bool)
    for row, (seed, draw) in enumerate(zip(arm.draws, draws, strict=True)):
        right = closed[1].get(seed, set()) if closed else set()
        for record in draw:
            column = place[record["item"]]
            said = _side(record)
            for side in SIDES:
                tables[side][row, column] = float(side == said)
            knows[row, column] = record["question"] in right
    kept = np.where(knows, tables["memory"], np.nan)
    some = np.isfinite(kept).any(axis=0)
    return Conflict(
        at=arm.at,
        arm=arm,
        n=len(arm.items),
        shares={side: _mean(tables[side], 0.0) for side in SIDES},
        lead=_mean(tables["passage"] - tables["memory"], -1.0),
        closed=closed[0] if closed else None,
        known=int(knows.sum()),
        kept=_mean(kept[:, some], 0.0) if some.sum() > 1 else None,
        leads=tables["passage"] - tables["memory"],
    )


def _side(record: Mapping[str, Any]) -> str:
    if record["correct"]:
        return "passage"
    memory = json.loads(record["detail"]).get("memory") if record["detail"] else None
    return "memory" if memory is not None and record["answer"] == memory else "neither"


def _mean(values: Array, least: float, level: float = LEVEL) -> Told:
    value, (low, high) = mean_interval(values, level, shares=True)
    return Told(value, (min(value, max(least, low)), max(value, min(1.0, high))))
