"""What the prompts of a cell have in common, in numbers: all that costs need of prompts.

Prompts are half of what the records of a large study take, so that whoever reads a folder to analyse it keeps these
numbers in their place (`onset.results.read.load`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from onset.prompting.ask import ANSWER, GOLD


@dataclass(frozen=True, slots=True)
class Shared:
    """Of one cell: ``tokens`` of prompts that a kept beginning saves in all, ``once``: tokens of the beginnings;
    ``squares``: the pairs of tokens that attend, half of T^2 where causal; ``others``: FLOPs of other models.
    """

    tokens: float
    once: float
    squares: float
    others: float


AT_ONCE = 64
"""Cells whose records are read, and whose calls are laid out, together: small files take most of their time one by one,
and each call is a row, of which those of a large study do not fit.
"""


def shared_of(records: pl.DataFrame) -> dict[str, Shared]:
    """By cell, from column ``cell`` and the records, at best of `AT_ONCE` cells; nothing of a cell with a call whose
    tokens are not known.
    """
    out: dict[str, Shared] = {}
    for (cell,), table in _calls(records).partition_by("cell", maintain_order=True, as_dict=True).items():
        roles = dict.fromkeys(table["role"].to_list())
        parts = [_part(table if len(roles) == 1 else table.filter(pl.col("role") == role)) for role in roles]
        known = [one for one in parts if one is not None]
        if len(known) == len(parts):
            out[str(cell)] = Shared(*(sum(values, 0.0) for values in zip(*known, strict=True)))
    return out


def _part(calls: pl.DataFrame) -> tuple[float, float, float, float] | None:
    """The fields of `Shared`, of calls of one role; None where the tokens of one are not known."""
    others = 0.0
    if calls["model"].null_count() < len(calls):
        others = float(calls.filter(pl.col("model").is_not_null())["flops"].sum())
        calls = calls.filter(pl.col("model").is_null())
    if calls["prompt_tokens"].null_count() or calls["output_tokens"].null_count():
        return None
    if (calls["prompt_tokens"].min() or 0) <= 0:  # type: ignore[operator]
        calls = calls.filter(pl.col("prompt_tokens") > 0)
    if not len(calls):
        return 0.0, 0.0, 0.0, others
    p, o, n = (calls[name].to_numpy().astype(np.float64) for name in ("prompt_tokens", "output_tokens", "n"))
    squares = float((p**2 / 2 + p * o + o**2 / (2 * np.maximum(n, 1))).sum())
    tokens = once = 0.0
    texts = calls["text"]
    if not texts.null_count() and len(calls) > 1:
        letters = in_common(str(texts.min()), str(texts.max()))
        share = letters * p / np.maximum(calls["letters"].to_numpy(), 1)
        tokens, once = float(share.sum()), float(share.mean())
    return tokens, once, squares, others


def in_common(a: str, b: str) -> int:
    """Letters that both begin with: those that all texts between them in order begin with, too."""
    return next(
        (place for place, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b))
    )


def _calls(records: pl.DataFrame) -> pl.DataFrame:
    """Every call that is part of a method, a row: cell, role, text of the prompt and its letters, tokens, samples,
    model and its FLOPs.

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
    return pl.concat([called, alone]).with_columns(pl.col("text").str.len_chars().alias("letters"))
