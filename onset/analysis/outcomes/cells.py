"""The records of each cell, from the one table of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl


def by_cell(
    records: pl.DataFrame, columns: Sequence[str | pl.Expr], cells: Iterable[str] | None = None
) -> dict[str, pl.DataFrame]:
    """The ``columns`` of the records of each cell, in order of first appearance; of ``cells`` alone, where given.

    Records that lie together, as `onset.results.read.load` has them, are not copied: to gather each cell's from a
    table of a million costs more than what is done with them.
    """
    wanted = None if cells is None else set(cells)
    table = records.select(columns)
    places = list(_places(records["cell"]))
    names = [name for name, _, _ in places]
    if len(set(names)) == len(names):
        return {name: table.slice(start, length) for name, start, length in places if wanted is None or name in wanted}
    groups = records.select("cell").with_row_index("place").group_by("cell", maintain_order=True).agg("place")
    return {
        name: table[rows]
        for name, rows in zip(groups["cell"].to_list(), groups["place"], strict=True)
        if wanted is None or name in wanted
    }


def _places(cells: pl.Series) -> Iterator[tuple[str, int, int]]:
    """Cell, first row and number of rows of each run of records of one cell."""
    runs = cells.rle().struct.unnest()
    lengths = runs["len"].to_numpy().astype(np.int64)
    yield from zip(runs["value"].to_list(), (np.cumsum(lengths) - lengths).tolist(), lengths.tolist(), strict=True)


def cells_with(records: pl.DataFrame, column: str, text: str) -> list[str]:
    """The cells of which a record has ``text`` in ``column``, in order of first appearance."""
    has = pl.col(column).str.contains(text, literal=True)
    held: list[str] = records.lazy().filter(has).select("cell").collect()["cell"].unique(maintain_order=True).to_list()
    return held
