"""From how many queries on tuning is cheaper than prompting, in all.

    Q* = (C_tuning + C_search - C_search of the prompt) / (c_prompt - c_tuned)

Operations are counted as in `onset.analysis.estimates.costs`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.estimates.costs import Key, Spent, key_of
from onset.analysis.outcomes import KEY, Flops, Measured, Outcomes
from onset.analysis.outcomes.cells import by_cell
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.means import mean_interval
from onset.analysis.stats.tails import root


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Queries from which a tuned method is cheaper in total than a prompting one; None: never.

    ``interval``: 95 %, over draws and items, an end that is None is out of reach; None where single queries' costs
    are not known or do not vary, or where it is never. ``reused``: the same queries where what prompts begin with is
    kept (None: never, or not known; ``knows_reuse`` tells them apart). ``until`` and ``reused_until``: queries up to
    which it is cheaper, where its queries cost more and finding the prompt took more than tuning did (else None).
    """

    model: str
    stage: str
    labels: int
    task: str
    shift: str
    tuned: str
    prompted: str
    queries: float | None
    interval: tuple[float | None, float | None] | None = None
    reused: float | None = None
    knows_reuse: bool = False
    until: float | None = None
    reused_until: float | None = None

    def json(self) -> dict[str, Any]:
        """An entry of ``break_even_queries`` in ``onset show --json``."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}
        return held | {"interval": None if self.interval is None else list(self.interval)}


def break_even_queries(tuning: float, per_query_prompted: float, per_query_tuned: float) -> float | None:
    """Q* for FLOPs of tuning and of one query on either side; None when a tuned query costs no less."""
    saved = per_query_prompted - per_query_tuned
    return tuning / saved if saved > 0 else None


def cheaper_until(tuning: float, per_query_prompted: float, per_query_tuned: float) -> float | None:
    """Queries up to which a tuned method is cheaper, where a query of it costs more, and what was done before took
    ``tuning`` < 0 operations more than for the prompt; None: it never is, or does not cease to be.
    """
    lost = per_query_tuned - per_query_prompted
    return -tuning / lost if lost > 0 and tuning < 0 else None


def break_evens(
    arms: Sequence[Outcomes], measured: Measured | None = None, spent: Mapping[Key, Spent] | None = None
) -> tuple[BreakEven, ...]:
    """Every tuned method against every prompting one with the same model, stage, labels, task and shift.

    ``measured`` and ``spent``: where they come from, for intervals and for prompts whose beginnings are kept. Stages
    of training are on both sides.
    """
    groups: dict[tuple[str, str, int, str, str], list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault((arm.model, arm.stage, arm.labels, arm.task, arm.shift), []).append(arm)
    costs = _Costs(measured)
    return tuple(
        _break_even(tuned, tuned.ran.flops, prompted, prompted.ran.flops, costs, spent or {})
        for group in groups.values()
        for tuned in group
        if tuned.tuned and tuned.ran.flops is not None
        for prompted in group
        if not prompted.tuned and prompted.ran.flops is not None
    )


def _break_even(
    tuned: Outcomes, once: Flops, prompted: Outcomes, other: Flops, costs: _Costs, spent: Mapping[Key, Spent]
) -> BreakEven:
    first = once.once - other.search
    queries = break_even_queries(max(0.0, first), other.query, once.query)
    ours, theirs = spent.get(key_of(tuned)), spent.get(key_of(prompted))
    reused, reused_until, knows = None, None, False
    if (
        ours is not None
        and theirs is not None
        and None not in (ours.flops_reused, theirs.flops_reused, ours.prefix, theirs.prefix)
    ):
        knows = True
        more = (ours.prefix or 0.0) - (theirs.prefix or 0.0) + ours.search - theirs.search
        each = theirs.flops_reused or 0.0, ours.flops_reused or 0.0
        reused = break_even_queries(max(0.0, ours.tuning + more), *each)
        reused_until = cheaper_until(ours.tuning + more, *each)
    return BreakEven(
        model=tuned.model,
        stage=tuned.stage,
        labels=tuned.labels,
        task=tuned.task,
        shift=tuned.shift,
        tuned=tuned.method,
        prompted=prompted.method,
        queries=queries,
        interval=costs.interval(tuned, prompted, queries) if queries else None,
        reused=reused,
        knows_reuse=knows,
        until=cheaper_until(first, other.query, once.query),
        reused_until=reused_until,
    )


class _Costs:
    """Operations of single queries and of each tuning, from the tables of a results folder."""

    def __init__(self, measured: Measured | None) -> None:
        self._cells: dict[Key, list[dict[str, Any]]] = {}
        self._records: dict[str, pl.DataFrame] = {}
        if measured is not None and not measured.foreign:
            for key, table in measured.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True):
                self._cells[key] = table.sort("seed").to_dicts()
            self._records = by_cell(measured.records, ("item", "flops"))

    def interval(self, tuned: Outcomes, prompted: Outcomes, queries: float) -> tuple[float | None, float | None] | None:
        """Of Q*: all Q at which "both cost the same in total" is not rejected (Fieller 1954)."""
        ours, theirs = (self._by_item(one) for one in (tuned, prompted))
        draws = sorted(ours.keys() & theirs.keys())
        items = (
            sorted(set.intersection(*(set(side[draw][0]) for side in (ours, theirs) for draw in draws)))
            if draws
            else []
        )
        if not items:
            return None
        saved = np.array([[theirs[d][0][item] - ours[d][0][item] for item in items] for d in draws])
        tuning = np.array([ours[draw][1] - theirs[draw][1] for draw in draws])
        if np.ptp(tuning) == np.ptp(saved) == 0:
            return None
        return ratio_interval(tuning, saved, queries)

    def _by_item(self, arm: Outcomes) -> dict[int, tuple[dict[str, float], float]]:
        """Draw -> the operations of each item, and of its tuning and search."""
        out = {}
        for cell in self._cells.get(key_of(arm), ()):
            table = self._records[cell["cell"]]
            if not table["flops"].null_count():
                out[int(cell["seed"])] = (
                    dict(zip(table["item"], table["flops"], strict=True)),
                    float(cell["flops_tuning"]) + float(cell["flops_search"]),
                )
        return out


_FAR = 1e6
"""An end of an interval this many times the estimate is out of reach."""


def ratio_interval(once: Array, saved: Array, at: float) -> tuple[float | None, float | None]:
    """The 95 % interval of mean(once) / mean(saved), around its estimate ``at`` above 0.

    ``once``: a value a draw; ``saved``: draws x items, the mean above 0.
    """

    def outside(queries: float) -> tuple[float, float]:
        _, interval = mean_interval(once[:, None] - queries * saved)
        return interval

    def below(log: float) -> float:
        return outside(math.exp(log))[0]

    def above(log: float) -> float:
        return outside(math.exp(log))[1]

    place, far, rounding = math.log(at), math.log(_FAR), 1e-9 * float(once.mean())
    return _end(below, at, place - far, rounding), _end(above, at, place + far, rounding)


def _end(excess: Callable[[float], float], at: float, far: float, rounding: float) -> float | None:
    """Where ``excess`` is 0 between ``at`` and ``far`` (a logarithm); None where it has one sign there."""
    place = math.log(at)
    here, there = excess(place), excess(far)
    if abs(here) <= rounding:
        return at
    if here * there > 0:
        return None
    return math.exp(root(excess, min(place, far), max(place, far), xtol=1e-6))
