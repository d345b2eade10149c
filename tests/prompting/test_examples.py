"""The example study of methods that bring knowledge: it lays out, and every cell runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from onset.results.read import load
from onset.study.grid import expand
from onset.study.runner import run
from onset.study.spec import read_study

EXAMPLE = Path(__file__).parents[2] / "examples" / "knowledge.yaml"


def test_it_lays_out_with_the_files_beside_it() -> None:
    grid = expand(read_study(EXAMPLE))
    kinds = {cell.method.prompt.kind for cell in grid.cells}
    assert kinds >= {"retrieve-then-read", "generate-then-read", "recite", "knowledge", "self-check", "maieutic"}
    assert len({cell.id for cell in grid.cells}) == len(grid.cells) == 9


@pytest.mark.slow
def test_every_cell_runs(tmp_path: Path) -> None:
    summary = run(read_study(EXAMPLE), tmp_path / "d")
    assert (summary.ran, dict(summary.failed)) == (9, {})
    cells = load(tmp_path / "d").cells.to_dicts()
    assert all(cell["failed_items"] == 0 for cell in cells)
