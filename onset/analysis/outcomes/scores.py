"""Continuous scores of a results folder's outputs, item by item.

Each grows with the ability: ``gold_logprob`` (nats), ``gold_prob`` (of the gold answer among the choices),
``1 - Brier`` (Brier 1950, Monthly Weather Review 78, of the gold answer alone: 1 - (1 - p)^2), ``edit similarity`` (of
the answer to the gold one, for answers that are no choice; not where an item has several right answers), ``token F1``
(of the words of the answer and the nearest right one: `onset.scores.token_f1`, for open questions) and ``pass rate``
(the share of samples that are right, where several were drawn: Hu et al. 2023, arXiv 2310.03262). Of several
right answers ``gold_logprob`` is that of the first.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from onset.results.read import Results
from onset.scores import edit_similarity

SCORES = ("gold_logprob", "gold_prob", "1 - Brier", "pass rate", "token F1", "edit similarity")
"""In the order in which a figure prefers them."""
BOUNDED = frozenset(SCORES) - {"gold_logprob"}
"""Scores within 0..1."""

UNBOUNDED = frozenset({"gold_logprob", "perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte"})
"""Scores that are no shares, although all values may lie within 0..1."""


def cell_scores(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """Cell -> score -> item -> value, of the cells with a size.

    A score that is measured for a part of a cell's records only is left out: its mean would be one of other items.
    """
    if not len(results.records):
        return {}
    cells = results.cells.filter((pl.col("n") > 0) & (pl.col("params") > 0)).to_dicts()
    held: dict[str, Mapping[str, list[Any]]] = {
        str(key[0]): table.to_dict(as_series=False)
        for key, table in results.records.select(
            "cell",
            "item",
            "gold",
            "golds",
            "answer",
            "answers",
            "rights",
            "correct",
            "gold_logprob",
            "gold_prob",
            "partial",
        ).group_by("cell")
    }
    canonical = _canonical(cells, held)
    out: dict[str, dict[str, dict[str, float]]] = {}
    for cell in cells:
        found = {metric: _values(metric, held[cell["cell"]], canonical, cell["task"]) for metric in SCORES}
        out[cell["cell"]] = {metric: values for metric, values in found.items() if values is not None}
    return out


def _canonical(
    cells: Iterable[Mapping[str, Any]], held: Mapping[str, Mapping[str, list[Any]]]
) -> dict[tuple[str, str], str]:
    """(task, item) -> the gold answer as answers are written, from any record that has it right."""
    found: dict[tuple[str, str], str] = {}
    for cell in cells:
        table = held[cell["cell"]]
        for item, answer, correct in zip(table["item"], table["answer"], table["correct"], strict=True):
            if correct and answer is not None:
                found[cell["task"], item] = answer
    return found


def _values(
    metric: str, table: Mapping[str, list[Any]], canonical: Mapping[tuple[str, str], str], task: str
) -> dict[str, float] | None:
    """Item -> score; None where it is not measured for all records."""
    items = table["item"]
    if metric == "gold_logprob":
        values = table["gold_logprob"]
    elif metric == "token F1":
        values = table["partial"]
    elif metric in ("gold_prob", "1 - Brier"):
        values = table["gold_prob"]
        if metric == "1 - Brier":
            values = [None if p is None else 1 - (1 - p) ** 2 for p in values]
    else:
        golds = [canonical.get((task, item), gold) for item, gold in zip(items, table["gold"], strict=True)]
        if metric == "pass rate":
            values = [
                sum(answer == gold for answer in one) / len(one) if len(one) > 1 else None
                for one, gold in zip(table["answers"], golds, strict=True)
            ]
            # of several right answers each is right: the records say which samples are
            values = [
                sum(right) / len(right) if several and value is not None else value
                for value, several, right in zip(values, table["golds"], table["rights"], strict=True)
            ]
        else:
            none = any(p is not None for p in table["gold_prob"]) or any(table["golds"])
            pairs = zip(table["answer"], golds, strict=True)
            values = [None if none else _similar(answer or "", gold) for answer, gold in pairs]
    measured = {item: float(value) for item, value in zip(items, values, strict=True) if value is not None}
    return measured if len(measured) == len(items) and all(map(math.isfinite, measured.values())) else None


@functools.lru_cache(maxsize=65536)
def _similar(answer: str, gold: str) -> float:
    return edit_similarity(answer, gold)
