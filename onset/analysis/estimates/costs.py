"""What an arm costs: a query, and what is done once; from how many queries on tuning pays; what is best for its cost.

    total(Q) = C_tuning + C_search + C_stages + Q c_query
    Q* = (C_tuning + C_search - C_search of the prompt) / (c_prompt - c_tuned)

Operations are counted from the tokens that ran (`onset.records.Record`): inference 2 N a token (Kaplan et al. 2020,
arXiv 2001.08361, section 2.1), training what its method says (full tuning 6 N, adapters about 4 N: no gradient of
frozen weights). Demonstrations are the same in every prompt of a cell, and an engine or a server that keeps their keys
and values runs them once: so a query is counted twice, with nothing reused (``flops``), and with all that the prompts
of a cell begin with kept (``flops_reused``; ``prefix``: that beginning, run once). How many tokens that is follows
from its share of each prompt's characters. Attention (4 L d T^2, half of it where causal) is no part of either and is
stated beside them (``attention``). Seconds are those of the machine that ran the study.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl
from scipy import optimize

from onset.analysis.outcomes import KEY, Flops, Measured, Outcomes
from onset.analysis.stats.bootstrap import Array
from onset.analysis.stats.means import mean_interval
from onset.prompting.ask import ANSWER, GOLD

Key = tuple[Any, ...]
"""The values of `onset.analysis.outcomes.KEY`: one arm."""


def key_of(arm: Outcomes) -> Key:
    """The key of an arm in every table of this room."""
    return tuple(getattr(arm, name) for name in KEY)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one arm took, means over its draws; None: not known.

    Of a query: ``prompt_tokens``, ``output_tokens``, ``flops``, ``flops_reused``, ``attention`` (FLOPs), ``seconds``.
    Once: ``tuning``, ``stages`` and ``search`` for settings (FLOPs; 0 without), ``prefix`` (FLOPs, where beginnings
    are kept), ``tuning_tokens``, ``tuning_seconds``, ``stages_seconds``, ``search_seconds``; ``stored`` (bytes of
    tuned weights); labelled examples used (``labels``), and how many of them with ``rationales``. ``adapters``:
    folders of kept weights inside the results folder, one a draw. Of memory (bytes) the most that any draw held:
    ``peak`` when asked, ``tuning_peak`` and ``stages_peak`` (`onset.study.memory` says what is measured).
    """

    prompt_tokens: float | None
    output_tokens: float | None
    flops: float | None
    flops_reused: float | None
    attention: float | None
    seconds: float | None
    tuning: float
    stages: float
    prefix: float | None
    tuning_tokens: float | None
    tuning_seconds: float | None
    stored: float | None
    stages_seconds: float | None
    labels: float
    rationales: float
    adapters: tuple[str, ...] = ()
    search: float = 0.0
    search_seconds: float | None = None
    peak: int | None = None
    tuning_peak: int | None = None
    stages_peak: int | None = None

    @property
    def once(self) -> float:
        """FLOPs before the first query: tuning, the search for its settings, and the stages of training before it."""
        return self.tuning + self.search + self.stages

    def total(self, queries: float, *, reused: bool = False) -> float | None:
        """FLOPs of so many queries and all that is done once."""
        if not reused:
            return None if self.flops is None else self.once + queries * self.flops
        if self.flops_reused is None or self.prefix is None:
            return None
        return self.once + self.prefix + queries * self.flops_reused

    def json(self) -> dict[str, Any]:
        """As plain JSON; labels and rationales ``used``, since an arm's labels are its budget."""
        held = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "adapters"}
        return held | {f"{name}_used": held.pop(name) for name in ("labels", "rationales")}


def spent_of(measured: Measured) -> dict[Key, Spent]:
    """Of every arm of a results folder with records; nothing of another tool's results, which do not say it."""
    if measured.foreign:
        return {}
    shared = _shared(measured.records)
    out: dict[Key, Spent] = {}
    for key, table in measured.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True):
        out[key] = _spent(table, [shared.get(cell) for cell in table["cell"].to_list()])
    return out


def _spent(table: pl.DataFrame, shared: Sequence[_Shared | None]) -> Spent:
    n, timed = int(table["n"].sum()), table.filter(pl.col("seconds").is_not_null())
    prompts, outputs = (_whole(table[name]) for name in ("prompt_tokens", "output_tokens"))
    flops = _whole(table["flops_inference"])
    known = [one for one in shared if one is not None]
    reused = prefix = None
    if flops is not None and prompts is not None and outputs is not None and len(known) == len(shared):
        own = flops - sum(one.others for one in known)
        each = own / max(prompts + outputs, 1.0)
        reused = flops - each * sum(one.tokens for one in known)
        prefix = each * sum(one.once for one in known) / len(known)
    width = table["attention"][0]
    squares = [one.squares for one in known]
    return Spent(
        prompt_tokens=None if prompts is None else prompts / n,
        output_tokens=None if outputs is None else outputs / n,
        flops=None if flops is None else flops / n,
        flops_reused=None if reused is None else reused / n,
        attention=None if width is None or len(known) < len(shared) else 4.0 * width * sum(squares) / n,
        seconds=float(timed["seconds"].sum()) / int(timed["n"].sum()) if len(timed) else None,
        tuning=float(table["flops_tuning"].sum()) / len(table),
        stages=float(table["flops_stages"].sum()) / len(table),
        prefix=prefix,
        tuning_tokens=_mean(table["tuning_tokens"]),
        tuning_seconds=_mean(table["tuning_seconds"].drop_nulls()),
        stored=None if table["stored_bytes"].null_count() else _mean(table["stored_bytes"]),
        stages_seconds=_mean(table["stage_seconds"]),
        labels=float(table["labels_used"].sum()) / len(table),
        rationales=float(table["rationales"].sum()) / len(table),
        adapters=tuple(f"tuned/{one}" for one in table["tuned"].drop_nulls().unique(maintain_order=True)),
        search=float(table["flops_search"].sum()) / len(table),  # where it is not known, what a query takes is not
        search_seconds=_mean(table["search_seconds"]),
        peak=_most(table["peak_bytes"]),
        tuning_peak=_most(table["tuning_peak_bytes"]),
        stages_peak=_most(table["stage_peak_bytes"]),
    )


def _whole(column: pl.Series) -> float | None:
    """The sum; None where a part of it is not known."""
    return None if column.null_count() else float(column.sum())


def _mean(column: pl.Series) -> float | None:
    return None if not len(column) or column.null_count() else float(column.sum()) / len(column)


def _most(column: pl.Series) -> int | None:
    """The largest; None where that of a draw is not known."""
    return None if column.null_count() else int(column.max())  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Shared:
    """Of one cell: ``tokens`` of prompts that a kept beginning saves in all, ``once``: tokens of the beginnings;
    ``squares``: the pairs of tokens that attend, half of T^2 where causal; ``others``: FLOPs of other models.
    """

    tokens: float
    once: float
    squares: float
    others: float


def _shared(records: pl.DataFrame) -> dict[str, _Shared]:
    """By cell; nothing of a cell with a call whose tokens are not known."""
    calls = _calls(records)
    out: dict[str, dict[str, float]] = {}
    unknown = set()
    for (cell, _), group in calls.group_by(("cell", "role"), maintain_order=True):
        held = out.setdefault(str(cell), {"tokens": 0.0, "once": 0.0, "squares": 0.0, "others": 0.0})
        other, own = group.filter(pl.col("model").is_not_null()), group.filter(pl.col("model").is_null())
        held["others"] += float(other["flops"].sum())
        if own["prompt_tokens"].null_count() or own["output_tokens"].null_count():
            unknown.add(str(cell))
            continue
        ran = own.filter(pl.col("prompt_tokens") > 0)
        if not len(ran):
            continue
        p, o, n = (ran[name].cast(pl.Float64).to_numpy() for name in ("prompt_tokens", "output_tokens", "n"))
        held["squares"] += float((p**2 / 2 + p * o + o**2 / (2 * np.maximum(n, 1))).sum())
        texts = ran["text"].drop_nulls()
        if len(texts) == len(ran) and len(ran) > 1:
            letters = _in_common(str(texts.min()), str(texts.max()))
            share = letters * p / np.maximum(texts.str.len_chars().to_numpy(), 1)
            held["tokens"] += float(share.sum())
            held["once"] += float(share.mean())
    return {cell: _Shared(**held) for cell, held in out.items() if cell not in unknown}


def _in_common(a: str, b: str) -> int:
    """Letters that both begin with: those that all texts between them in order begin with, too."""
    return next(
        (place for place, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b))
    )


def _calls(records: pl.DataFrame) -> pl.DataFrame:
    """Every call that is part of a method, a row: cell, role, text of the prompt, tokens, samples, model and its FLOPs.

    A record of before there were calls is one call.
    """
    wide = records.select("cell", pl.col("prompt").alias("whole"), "calls", "prompt_tokens", "output_tokens", "outputs")
    has = pl.col("calls").is_not_null() & (pl.col("calls").list.len() > 0)
    called = (
        wide.filter(has)
        .select("cell", "whole", "calls")
        .explode("calls")
        .unnest("calls")
        .filter(pl.col("role") != GOLD)
        .select(
            "cell",
            "role",
            pl.coalesce("prompt", pl.when(pl.col("role") == ANSWER).then("whole")).alias("text"),
            "prompt_tokens",
            "output_tokens",
            "n",
            "model",
            "flops",
        )
    )
    alone = wide.filter(~has).select(
        "cell",
        pl.lit(ANSWER).alias("role"),
        pl.col("whole").alias("text"),
        "prompt_tokens",
        "output_tokens",
        pl.col("outputs").list.len().cast(pl.Int64).alias("n"),
        pl.lit(None, pl.String).alias("model"),
        pl.lit(None, pl.Float64).alias("flops"),
    )
    return pl.concat([called, alone])


# ---- break-even queries --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Queries from which a tuned method is cheaper in total than a prompting one; None: never.

    ``interval``: 95 %, over draws and items, an end that is None is out of reach; None where single queries' costs
    are not known or do not vary, or where it is never. ``reused``: the same queries where what prompts begin with is
    kept (None: never, or not known; ``knows_reuse`` tells them apart).
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

    def json(self) -> dict[str, Any]:
        """An entry of ``break_even_queries`` in ``onset show --json``."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}
        return held | {"interval": None if self.interval is None else list(self.interval)}


def break_even_queries(tuning: float, per_query_prompted: float, per_query_tuned: float) -> float | None:
    """Q* for FLOPs of tuning and of one query on either side; None when a tuned query costs no less."""
    saved = per_query_prompted - per_query_tuned
    return tuning / saved if saved > 0 else None


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
    queries = break_even_queries(max(0.0, once.once - other.search), other.query, once.query)
    ours, theirs = spent.get(key_of(tuned)), spent.get(key_of(prompted))
    reused, knows = None, False
    if (
        ours is not None
        and theirs is not None
        and None not in (ours.flops_reused, theirs.flops_reused, ours.prefix, theirs.prefix)
    ):
        knows = True
        more = (ours.prefix or 0.0) - (theirs.prefix or 0.0) + ours.search - theirs.search
        reused = break_even_queries(max(0.0, ours.tuning + more), theirs.flops_reused or 0.0, ours.flops_reused or 0.0)
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
    )


class _Costs:
    """Operations of single queries and of each tuning, from the tables of a results folder."""

    def __init__(self, measured: Measured | None) -> None:
        self._cells: dict[Key, list[dict[str, Any]]] = {}
        self._records: dict[str, pl.DataFrame] = {}
        if measured is not None and not measured.foreign:
            for key, table in measured.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True):
                self._cells[key] = table.sort("seed").to_dicts()
            held = measured.records.select("cell", "item", "flops")
            self._records = {str(cell): table for (cell,), table in held.group_by("cell")}

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
    return math.exp(float(optimize.brentq(excess, min(place, far), max(place, far), xtol=1e-6)))


# ---- the best for its cost -----------------------------------------------------------------------------------------


def front(arms: Sequence[Outcomes], costs: Mapping[Key, float]) -> tuple[Outcomes, ...]:
    """The arms that no other one beats in accuracy at no more cost (Pareto), by ascending cost; those of which the cost
    is not known are left out. By the observed accuracies: neighbours may not be told apart.
    """
    known = sorted((one for one in arms if key_of(one) in costs), key=lambda one: (costs[key_of(one)], -one.accuracy))
    out: list[Outcomes] = []
    for one in known:
        if not out or one.accuracy > out[-1].accuracy:
            out.append(one)
    return tuple(out)
