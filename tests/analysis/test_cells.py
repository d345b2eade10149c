"""The records of each cell, whether they lie together or not; replicates of which only the ranks asked for are made."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import special

from onset.analysis.outcomes.cells import by_cell, cells_with
from onset.analysis.stats.bootstrap import Block, Crossed, crossed_bootstrap
from onset.analysis.stats.bootstrap import _raw_replicates as raw_replicates

TOGETHER = ["b", "b", "b", "a", "c", "c"]
APART = ["b", "a", "b", "c", "b", "c"]


@pytest.mark.parametrize("cells", [TOGETHER, APART])
def test_each_cell_has_its_records_in_their_order(cells: list[str]) -> None:
    records = pl.DataFrame({"cell": cells, "item": range(6), "text": list("uvwxyz")})
    found = by_cell(records, ("item",))
    assert {cell: table["item"].to_list() for cell, table in found.items()} == {
        cell: [place for place, one in enumerate(cells) if one == cell] for cell in "bac"
    }
    assert list(found) == list(dict.fromkeys(cells))
    assert all(table.columns == ["item"] for table in found.values())
    assert list(by_cell(records, ("item",), ["c", "none"])) == ["c"]


def test_no_records_are_of_no_cell() -> None:
    assert by_cell(pl.DataFrame(schema={"cell": pl.String, "item": pl.String}), ("item",)) == {}


def test_the_cells_that_say_something() -> None:
    records = pl.DataFrame({"cell": APART, "detail": ["x.", None, "(", "x(", "", "(y"]})
    assert cells_with(records, "detail", "(") == ["b", "c"]


@pytest.mark.parametrize("draws", [1, 3])
def test_ranks_asked_for_are_those_of_all_replicates(draws: int) -> None:
    values = np.random.default_rng(draws).random((draws, 40))
    found = crossed_bootstrap([Block(values), Block(values[:, :30] / 2, -1.0)], 1000)
    assert found is not None
    raw = raw_replicates(found.blocks, 1000)
    shape = special.ndtr((raw - found.estimate) / raw.std())
    every = np.sort(found.estimate + found.standard_error * special.stdtrit(found.parts.df, shape))
    assert np.array_equal(found.replicates, every)
    _same(found, every)


def test_ranks_where_resamples_have_no_shape() -> None:
    values = np.zeros((2, 50))
    values[0, :3] = 1
    found = crossed_bootstrap([Block(values)], 999)
    assert found is not None
    assert found.least > 0
    _same(found, found.replicates)


def _same(found: Crossed, every: np.ndarray) -> None:
    for level in (0.95, 0.9, 0.5):
        assert found.interval(level) == tuple(np.quantile(every, [(1 - level) / 2, (1 + level) / 2]))
    for value in (*every[[0, 3, 500, -1]], found.estimate, 0.0, -5.0, 5.0):
        assert found.tail(value, above=True) == ((every >= value).sum() + 1) / (len(every) + 1)
        assert found.tail(value, above=False) == ((every <= value).sum() + 1) / (len(every) + 1)
