"""The records, packed so that a page can carry them: every text once, gzip, base64.

A prompt is the cell's shared beginning (instruction and demonstrations) and a rest of its own; texts repeat from
cell to cell (questions, gold answers, rests), so each is stored once and named by its number. When the texts are
more than a page should carry, the first items of every cell are kept and the page says so: nothing is left out
in silence.
"""

from __future__ import annotations

import base64
import gzip
import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from onset.analysis.outcomes.cells import by_cell
from onset.processors import side_by_side
from onset.results.shared import AT_ONCE

TEXT_LIMIT = 32_000_000
"""Characters of text a page carries at most, before compression (a browser holds them in memory)."""

MOST_ITEMS = 100_000
"""Items a page carries at most, however short their texts; but one of each cell."""

_PARTING = "\n\n"
"""What parts demonstrations from the question: the shared beginning ends at one of these."""


@dataclass(frozen=True, slots=True)
class Packed:
    """``data``: base64 of gzipped JSON (read by templates/items.js); ``shown``: items kept in all; ``total``:
    items there are; ``limit``: items kept of each cell, None when all are.
    """

    data: str
    shown: int
    total: int
    limit: int | None


class _Texts:
    """Each text once, in order of first use."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        return -1 if text is None else self.numbers.setdefault(text, len(self.numbers))


PromptsOf = Callable[[Sequence[tuple[str, pl.Series]]], Sequence[pl.Series]]
"""The prompts of the records of cells, from the id of each and their items (`onset.results.recorded.Prompts.of`)."""


def pack(
    cells: Sequence[Mapping[str, Any]],
    records: pl.DataFrame,
    *,
    prompts: PromptsOf | None = None,
    text_limit: int = TEXT_LIMIT,
    most: int = MOST_ITEMS,
) -> Packed:
    """Pack ``records`` (columns ``cell`` and the fields of `onset.records.Record`) of ``cells``, in their order.

    ``prompts``: where the records have none. At least one item of each cell is kept, whatever ``text_limit``
    (characters) and ``most`` (items) say.
    """
    parts = by_cell(records, ("cell", "position", *(name for name in _READ if name in records.columns)))
    tables = [parts[cell["cell"]] for cell in cells if cell["cell"] in parts]
    lengths = [len(table) for table in tables]
    reach = _reach(lengths, most)
    begun: list[str] = []
    parts_of = [tables[first : first + AT_ONCE] for first in range(0, len(tables), AT_ONCE)]
    for part in side_by_side(lambda some: _begin(some, prompts, reach), parts_of):
        for beginning, table in part:
            tables[len(begun)] = table
            begun.append(beginning)
    limit = _limit(tables, begun, text_limit)
    if sum(min(length, limit or length) for length in lengths) > most:
        limit = max(1, min(most // len(tables), limit or most))
    texts = _Texts()
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    heads = []
    for table, beginning in zip(tables, begun, strict=True):
        kept = table if limit is None else table.head(limit)
        heads.append({"cell": table["cell"][0], "beginning": texts.number(beginning), "kept": len(kept)})
        for row in kept.iter_rows(named=True):
            _append(columns, row, texts)
    content = {"cells": heads, "texts": list(texts.numbers), "rows": columns}
    raw = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    data = base64.b64encode(gzip.compress(raw, 9, mtime=0)).decode("ascii")
    return Packed(data, sum(head["kept"] for head in heads), sum(lengths), limit)


def _reach(lengths: Sequence[int], most: int) -> int | None:
    """One more than the items of each cell that are ``most`` together; None: all are no more."""
    if sum(lengths) <= most:
        return None
    return max(1, bisect_right(range(most + 1), most, key=lambda each: sum(min(each, one) for one in lengths)))


def _begin(
    tables: Sequence[pl.DataFrame], prompts: PromptsOf | None, reach: int | None
) -> list[tuple[str, pl.DataFrame]]:
    """`_begun` of each, whose prompts are read where it has none."""
    if prompts is not None:
        read = prompts([(str(table["cell"][0]), table["item"]) for table in tables])
        tables = [table.with_columns(of.alias("prompt")) for table, of in zip(tables, read, strict=True)]
    return [_begun(table, reach) for table in tables]


def _begun(table: pl.DataFrame, reach: int | None) -> tuple[str, pl.DataFrame]:
    """What a cell's prompts begin with, and its first ``reach`` records with the ``rest`` of theirs."""
    table = table if table["position"].is_sorted() else table.sort("position")
    beginning = _shared_beginning(table["prompt"])
    kept = table if reach is None else table.head(reach)
    rest = pl.Series("rest", kept["prompt"].str.slice(len(beginning)).to_list(), pl.String)  # a slice keeps the prompts
    return beginning, kept.drop("prompt", "position").with_columns(rest)


_COLUMNS = (
    "item",
    "question",
    "rest",
    "gold",
    "outputs",
    "answers",
    "finishes",
    "answer",
    "status",
    "correct",
    "prob",
    "cause",
)


_READ = (
    "item", "twin", "question", "prompt", "gold", "golds", "outputs", "answers", "finishes", "answer", "status",
    "overlong", "correct", "cause", "gold_prob",
)  # fmt: skip
"""The fields of a record that these come from."""


def _append(columns: dict[str, list[Any]], row: Mapping[str, Any], texts: _Texts) -> None:
    """Add a record's fields; "item" is the clean item's id, so that an item and its shifted twin meet."""
    columns["item"].append(texts.number(row["twin"] or row["item"]))
    columns["question"].append(texts.number(row["question"]))
    columns["rest"].append(texts.number(row["rest"]))
    columns["gold"].append(texts.number("; ".join(row["golds"]) if row["golds"] else row["gold"]))
    columns["outputs"].append([texts.number(text) for text in row["outputs"]])
    columns["answers"].append([texts.number(text) for text in row["answers"]])
    columns["finishes"].append([texts.number(text) for text in row["finishes"]])
    columns["answer"].append(texts.number(row["answer"]))
    columns["status"].append(texts.number("overlong" if row["overlong"] else row["status"]))
    columns["correct"].append(int(row["correct"]))
    columns["cause"].append(texts.number(row["cause"]))
    columns["prob"].append(None if row["gold_prob"] is None else round(row["gold_prob"], 4))


def _shared_beginning(prompts: pl.Series) -> str:
    """What all prompts of a cell begin with, up to and including the last blank line of it."""
    if len(prompts) < 2:
        return ""
    first, last = str(prompts.min()), str(prompts.max())  # whatever these two share, all between them share
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    end = first.rfind(_PARTING, 0, length)
    return "" if end < 0 else first[: end + len(_PARTING)]


_ITEMS = 16
"""Items of each cell that are looked at together: of a large study most are never made Python's."""


def _limit(tables: Sequence[pl.DataFrame], begun: Sequence[str], text_limit: int) -> int | None:
    """Items of each cell that fit, None when all do."""
    seen: set[str] = set()
    room = text_limit - sum(len(beginning) for beginning in set(begun))
    for start in range(0, max((len(table) for table in tables), default=0), _ITEMS):
        parts = [table.select("rest", "question", "outputs").slice(start, _ITEMS).rows() for table in tables]
        for place in range(_ITEMS):
            for rows in parts:
                if place >= len(rows):
                    continue
                rest, question, outputs = rows[place]
                for text in (rest, question, *outputs):
                    if text not in seen:
                        seen.add(text)
                        room -= len(text)
            if room < 0:
                return max(start + place, 1)
    return None
