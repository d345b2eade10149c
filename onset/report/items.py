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
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from typing import Any

import polars as pl

from onset.analysis.outcomes.cells import by_cell
from onset.processors import Elsewhere, side_by_side
from onset.results.files import Place
from onset.results.recorded import Prompts
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
    if prompts is None:
        held = by_cell(records, ("prompt",))

        def prompts(asked: Sequence[tuple[str, pl.Series]]) -> list[pl.Series]:
            return [held[cell]["prompt"] for cell, _ in asked]

    return _packed(_choose([cell["cell"] for cell in cells], records, most), prompts, text_limit, most)


def begin_pack(cells: Sequence[str], records: pl.DataFrame, folder: Place) -> Elsewhere[..., Packed]:
    """`pack`, begun by another process, of cells (ids) of a results folder, whose ``records`` have no prompts."""
    chosen = _choose(cells, records, MOST_ITEMS)
    # lists of texts take along whatever those that they were cut from held, but for texts that are made anew
    own = pl.col("outputs").list.eval(pl.element() + "")
    return Elsewhere(_of_folder, replace(chosen, heads=chosen.heads.with_columns(own)), folder)


def _of_folder(chosen: _Chosen, folder: Place) -> Packed:
    return _packed(chosen, Prompts(folder).of, TEXT_LIMIT, MOST_ITEMS)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Of each of ``cells`` (ids) the ``length``: how many records it has; ``items``: columns ``cell`` and ``item`` of
    all of them; ``heads``: of those that may be kept, in order of position, what is packed of them and which ``row`` of
    its cell each one is.
    """

    cells: list[str]
    lengths: list[int]
    items: pl.DataFrame
    heads: pl.DataFrame


def _choose(cells: Sequence[str], records: pl.DataFrame, most: int) -> _Chosen:
    wanted = ("cell", "position", *(name for name in _READ if name in records.columns))
    parts = by_cell(records, wanted)
    there = [cell for cell in cells if cell in parts]
    lengths = [len(parts[cell]) for cell in there]
    reach = _reach(lengths, most)
    heads = [_head(parts[cell], reach) for cell in there] or [_head(records.select(wanted), 0)]
    return _Chosen(there, lengths, records.select("cell", "item"), pl.concat(heads))


def _head(table: pl.DataFrame, reach: int | None) -> pl.DataFrame:
    """The first ``reach`` records of a cell, by position."""
    table = table.with_row_index("row")
    table = table if table["position"].is_sorted() else table.sort("position")
    return table if reach is None else table.head(reach)


def _packed(chosen: _Chosen, prompts: PromptsOf, text_limit: int, most: int) -> Packed:
    items, heads = by_cell(chosen.items, ("item",)), by_cell(chosen.heads, ("row",))
    places = [(cell, items[cell]["item"]) for cell in chosen.cells]

    def begin(some: Sequence[tuple[str, pl.Series]]) -> list[tuple[str, pl.Series]]:
        return [_begun(of, heads[cell]["row"]) for (cell, _), of in zip(some, prompts(some), strict=True)]

    parts = [places[first : first + AT_ONCE] for first in range(0, len(places), AT_ONCE)]
    begun = [one for part in side_by_side(begin, parts) for one in part]
    beginnings = [beginning for beginning, _ in begun]
    rests = pl.concat([pl.Series("rest", [], pl.String), *(rest for _, rest in begun)])
    records, lengths = chosen.heads.with_columns(rests), [len(heads[cell]) for cell in chosen.cells]
    starts = [end - length for end, length in zip(accumulate(lengths), lengths, strict=True)]
    limit = _limit(records, list(zip(starts, lengths, strict=True)), beginnings, text_limit)
    if sum(min(length, limit or length) for length in chosen.lengths) > most:
        limit = max(1, min(most // len(lengths), limit or most))
    kept = [length if limit is None else min(length, limit) for length in lengths]
    rows = pl.concat([records.head(0), *(records.slice(*one) for one in zip(starts, kept, strict=True))])
    texts, every = _Texts(), rows.iter_rows(named=True)
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    told = []
    for cell, beginning, count in zip(chosen.cells, beginnings, kept, strict=True):
        told.append({"cell": cell, "beginning": texts.number(beginning), "kept": count})
        for row in islice(every, count):
            _append(columns, row, texts)
    content = {"cells": told, "texts": list(texts.numbers), "rows": columns}
    raw = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    data = base64.b64encode(gzip.compress(raw, 9, mtime=0)).decode("ascii")
    return Packed(data, sum(kept), sum(chosen.lengths), limit)


def _reach(lengths: Sequence[int], most: int) -> int | None:
    """One more than the items of each cell that are ``most`` together; None: all are no more."""
    if sum(lengths) <= most:
        return None
    return max(1, bisect_right(range(most + 1), most, key=lambda each: sum(min(each, one) for one in lengths)))


def _begun(prompts: pl.Series, rows: pl.Series) -> tuple[str, pl.Series]:
    """What the ``prompts`` of a cell's records begin with, and the rest of those in ``rows``."""
    beginning = _shared_beginning(prompts)
    rest = prompts.gather(rows).str.slice(len(beginning))
    return beginning, pl.Series("rest", rest.to_list(), pl.String)  # a slice keeps the prompts


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
    "item", "twin", "question", "gold", "golds", "outputs", "answers", "finishes", "answer", "status",
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


def _limit(
    records: pl.DataFrame, cells: Sequence[tuple[int, int]], begun: Sequence[str], text_limit: int
) -> int | None:
    """Items of each cell that fit, None when all do; ``cells``: where each one's records begin, and how many it has."""
    seen: set[str] = set()
    room = text_limit - sum(len(beginning) for beginning in set(begun))
    texts = list(zip(*(records[name].to_list() for name in ("rest", "question", "outputs")), strict=True))
    for place in range(max((length for _, length in cells), default=0)):
        for start, length in cells:
            if place >= length:
                continue
            rest, question, outputs = texts[start + place]
            for text in (rest, question, *outputs):
                if text not in seen:
                    seen.add(text)
                    room -= len(text)
        if room < 0:
            return max(place, 1)
    return None
