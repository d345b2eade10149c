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
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from onset.analysis.outcomes.cells import by_cell
from onset.analysis.stats.bootstrap import Array
from onset.results.read import Results
from onset.scores import edit_similarity

SCORES = ("gold_logprob", "gold_prob", "1 - Brier", "pass rate", "token F1", "edit similarity")
"""In the order in which a figure prefers them."""
BOUNDED = frozenset(SCORES) - {"gold_logprob"}
"""Scores within 0..1."""

UNBOUNDED = frozenset({"gold_logprob", "perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte"})
"""Scores that are no shares, although all values may lie within 0..1."""


def cell_scores(results: Results) -> dict[str, dict[str, Array]]:
    """Cell -> score -> a value of each of the cell's records, in their order; of the cells with a size.

    A score that is measured for a part of a cell's records only is left out: its mean would be one of other items.
    """
    if not len(results.records):
        return {}
    cells = results.cells.filter((pl.col("n") > 0) & (pl.col("params") > 0)).select("cell", "task").to_dicts()
    tables = by_cell(results.records, _COLUMNS)
    canonical = _canonical(cells, results.records)
    return {cell["cell"]: _scores(tables[cell["cell"]], canonical, cell["task"]) for cell in cells}


_COLUMNS = (
    "item", "gold", "golds", "answer", "answers", "rights", "correct", "gold_logprob", "gold_prob", "partial",
    pl.col("answers").list.len().alias("samples"), (pl.col("golds").list.len() > 0).alias("several"),
)  # fmt: skip


def _canonical(cells: Iterable[Mapping[str, Any]], records: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Task -> item -> the gold answer as answers are written, from any record that has it right."""
    few = records.select("cell", "item", "answer", "correct")
    right = by_cell(few.filter(pl.col("correct") & pl.col("answer").is_not_null()), ("item", "answer"))
    found: dict[str, dict[str, str]] = {}
    for cell in cells:
        known = found.setdefault(cell["task"], {})
        if (table := right.get(cell["cell"])) is not None:
            known.update(zip(table["item"].to_list(), table["answer"].to_list(), strict=True))
    return found


def _scores(table: pl.DataFrame, canonical: Mapping[str, Mapping[str, str]], task: str) -> dict[str, Array]:
    """What is measured for all records, in the order of `SCORES`."""
    known = canonical.get(task, {})
    made = {metric: _values(metric, table, known) for metric in SCORES}
    return {metric: values for metric, values in made.items() if values is not None and np.isfinite(values).all()}


def _values(metric: str, table: pl.DataFrame, canonical: Mapping[str, str]) -> Array | None:
    """The values of a table's records; None where one is not known."""
    if metric in _OF_COLUMN:
        column = table[_OF_COLUMN[metric]]
        if column.null_count():
            return None
        if metric == "1 - Brier":
            return 1 - (1 - column.to_numpy().astype(np.float64)) ** 2
        return column.to_numpy().astype(np.float64)
    if metric == "pass rate":
        return _pass_rates(table, canonical)
    if table["gold_prob"].null_count() < len(table) or table["several"].any():
        return None
    golds = _golds(table, canonical)
    return np.array(
        [_similar(answer or "", gold) for answer, gold in zip(table["answer"].to_list(), golds, strict=True)]
    )


_OF_COLUMN = {
    "gold_logprob": "gold_logprob", "gold_prob": "gold_prob", "1 - Brier": "gold_prob", "token F1": "partial",
}  # fmt: skip


def _golds(table: pl.DataFrame, canonical: Mapping[str, str]) -> Iterator[str]:
    pairs = zip(table["item"].to_list(), table["gold"].to_list(), strict=True)
    return (canonical.get(item, gold) for item, gold in pairs)


def _pass_rates(table: pl.DataFrame, canonical: Mapping[str, str]) -> Array | None:
    """The share of an item's samples that are right; None where one has no several."""
    if table["answers"].null_count() or (table["samples"] < 2).any():
        return None
    values = []
    for said, gold, several, rights in zip(
        table["answers"].to_list(), _golds(table, canonical), table["golds"].to_list(), table["rights"].to_list(),
        strict=True,
    ):  # fmt: skip
        # of several right answers each is right: the records say which samples are
        right = rights if several else [answer == gold for answer in said]
        values.append(sum(right) / len(right))
    return np.array(values)


@functools.lru_cache(maxsize=65536)
def _similar(answer: str, gold: str) -> float:
    return edit_similarity(answer, gold)
