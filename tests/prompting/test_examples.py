"""The example studies of methods: every registered step is in one of them, and every cell runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from onset.demos import DEMOS
from onset.prompting import PROMPTING
from onset.results.read import load
from onset.study.grid import Grid, expand
from onset.study.runner import run
from onset.study.spec import read_study
from onset.tuning import MATERIALS, TUNERS
from onset.votes import VOTES

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = {"methods.yaml": 19, "knowledge-methods.yaml": 11, "tuning.yaml": 31}
"""Their cells: each asks a small model a few questions, which takes seconds."""


@pytest.fixture(scope="module")
def grids() -> dict[str, Grid]:
    return {name: expand(read_study(FOLDER / name)) for name in EXAMPLES}


@pytest.mark.parametrize(
    ("table", "part"),
    [(PROMPTING, "prompt"), (DEMOS, "choose"), (VOTES, "vote"), (TUNERS, "tune"), (MATERIALS, "on")],
    ids=["prompt", "choose", "vote", "tune", "on"],
)
def test_every_step_is_in_an_example(table: Any, part: str, grids: dict[str, Grid]) -> None:
    steps = [getattr(cell.method, part) for grid in grids.values() for cell in grid.cells]
    biased = {"bitfit"} if part == "tune" else set()  # the ladder's models have no biases
    assert {step.kind for step in steps if step is not None} == set(table) - biased


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_lays_out_with_the_files_beside_it(name: str, grids: dict[str, Grid]) -> None:
    cells = grids[name].cells
    assert len({cell.id for cell in cells}) == len(cells) == EXAMPLES[name]
    assert sum(cell.items for cell in cells) <= 31 * 24


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_cell_runs(name: str, tmp_path: Path) -> None:
    summary = run(read_study(FOLDER / name), tmp_path / "d")
    assert (summary.ran, dict(summary.failed)) == (EXAMPLES[name], {})
    cells = load(tmp_path / "d").cells.to_dicts()
    assert all(cell["failed_items"] == 0 for cell in cells)


@pytest.mark.parametrize(("name", "cells"), [("knowledge.yaml", 50), ("new-facts.yaml", 18), ("robustness.yaml", 234)])
def test_the_longer_studies_lay_out(name: str, cells: int) -> None:
    assert len(expand(read_study(FOLDER / name)).cells) == cells


def test_the_passages_about_the_world_are_true_and_of_the_questions() -> None:
    grid = expand(read_study(FOLDER / "knowledge.yaml"))
    told = (FOLDER / "methods" / "world.jsonl").read_text().splitlines()
    passages = [json.loads(line)["text"] for line in told]
    for item in grid.tasks["world-one-hop[frequency=head]"].test:
        person = re.search(r"(?:does|of) (\w+ \w+)", item.question)
        assert person is not None
        (own,) = [one for one in passages if one.startswith(f"{person[1]} ")]
        assert item.answer in own
