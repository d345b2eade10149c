"""What an arm costs: a query, and what is done once; what is best for its cost.

    total(Q) = C_tuning + C_search + C_stages + Q c_query

Operations are counted from the tokens that ran (`onset.records.Record`): inference 2 N a token (Kaplan et al. 2020,
arXiv 2001.08361, section 2.1), training what its method says (full tuning 6 N, adapters about 4 N: no gradient of
frozen weights). Demonstrations are the same in every prompt of a cell, and an engine or a server that keeps their keys
and values runs them once: so a query is counted twice, with nothing reused (``flops``), and with all that the prompts
of a cell begin with kept (``flops_reused``; ``prefix``: that beginning, run once). How many tokens that is follows
from its share of each prompt's characters. Attention (4 L d T^2, half of it where causal) is no part of either and is
stated beside them (``attention``). Seconds are those of the machine that ran the study.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import polars as pl

from onset.analysis.estimates.money import Money, money_of, price_of
from onset.analysis.outcomes import KEY, Measured, Outcomes
from onset.analysis.outcomes.cells import by_cell
from onset.results.shared import AT_ONCE, Shared, shared_of

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
    ``search_tokens``: of the trials' prompts, outputs and training (None: nothing is searched, or not known);
    ``prepared_tokens``: run first to make what is tuned on; ``stages_tokens``: trained on by the stages, of which some
    wrote texts themselves (``stages_sampled``). ``money``: what all that costs (None: the study gives no price).
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
    search_tokens: tuple[float | None, float | None, float | None] | None = None
    prepared_tokens: float = 0.0
    stages_tokens: float = 0.0
    stages_sampled: bool = False
    money: Money | None = None

    @property
    def searched(self) -> bool:
        """Were its settings searched? The FLOPs of that are not known of a server's model, tokens and seconds are."""
        return self.search > 0 or self.search_tokens is not None

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
        held["money"] = None if self.money is None else self.money.json()
        held["search_tokens"] = None if self.search_tokens is None else list(self.search_tokens)
        return held | {f"{name}_used": held.pop(name) for name in ("labels", "rationales")}


def spent_of(measured: Measured) -> dict[Key, Spent]:
    """Of every arm of a results folder with records; nothing of another tool's results, which do not say it."""
    if measured.foreign:
        return {}
    shared = _shared(measured.records) if measured.shared is None else measured.shared
    out: dict[Key, Spent] = {}
    for key, table in measured.cells.filter(pl.col("n") > 0).group_by(KEY, maintain_order=True):
        held = [shared.get(cell) for cell in table["cell"].to_list()]
        spent, price = _spent(table, held), price_of(measured.study, table["model"][0], table["stage"][0])
        second = any(one is not None and one.others > 0 for one in held)
        out[key] = replace(spent, money=money_of(price, spent, second=second))
    return out


def _shared(records: pl.DataFrame) -> dict[str, Shared]:
    held, out = [*by_cell(records, records.columns).values()], dict[str, Shared]()
    for start in range(0, len(held), AT_ONCE):
        out |= shared_of(pl.concat(held[start : start + AT_ONCE]))
    return out


def _spent(table: pl.DataFrame, shared: Sequence[Shared | None]) -> Spent:
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
        search_tokens=_search_tokens(table["search"]),
        prepared_tokens=float(table["prepared_tokens"].sum()) / len(table),
        stages_tokens=float(table["stage_tokens"].sum()) / len(table),
        stages_sampled=any(_sampled(one) for one in table["made"].drop_nulls().unique()),
    )


def _whole(column: pl.Series) -> float | None:
    """The sum; None where a part of it is not known."""
    return None if column.null_count() else float(column.sum())


def _mean(column: pl.Series) -> float | None:
    return None if not len(column) or column.null_count() else float(column.sum()) / len(column)


def _search_tokens(searches: pl.Series) -> tuple[float | None, float | None, float | None] | None:
    held = [json.loads(one) for one in searches.drop_nulls()]
    if not held:
        return None
    names = ("prompt_tokens", "output_tokens", "tuning_tokens")
    prompts, outputs, trained = (_mean(pl.Series([one[name] for one in held], dtype=pl.Float64)) for name in names)
    return prompts, outputs, trained


def _sampled(made: str) -> bool:
    """Did a stage of those that ``made`` a model (JSON) write texts itself?"""
    return any(one["training"].get("detail", {}).get("written") for one in json.loads(made)["stages"])


def _most(column: pl.Series) -> int | None:
    """The largest; None where that of a draw is not known."""
    return None if column.null_count() else int(column.max())  # type: ignore[arg-type]


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
