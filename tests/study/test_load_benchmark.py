"""The folders by which reading is measured: copies of a real one that are read like any other, and grow as told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from onset.results.read import load
from onset.study.grid import expand
from onset.study.runner import run_grid
from onset.study.spec import make_study

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
import load as benchmark  # type: ignore[import-not-found]

STUDY = {
    "name": "small",
    "models": ["ladder/r0", "ladder/r1"],
    "tasks": [{"name": "world-problems", "steps": 2}],
    "methods": ["answer-only", "cot"],
    "labels": 2,
    "seeds": 1,
    "items": 12,
    "chunk": 12,
    "continuous": False,
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("load") / "demo"
    run_grid(expand(make_study(**STUDY)), folder)
    return folder


def test_one_copy_is_the_folder_itself(demo: Path, tmp_path: Path) -> None:
    assert benchmark.make(demo, tmp_path / "one", 1, 1, 1, 1) == 48
    ours, theirs = load(tmp_path / "one"), load(demo)
    assert ours.records.equals(theirs.records)
    assert ours.cells.drop("seconds").equals(theirs.cells.drop("seconds"))


def test_copies_differ_in_family_task_draw_and_items(demo: Path, tmp_path: Path) -> None:
    assert benchmark.make(demo, tmp_path / "many", 2, 3, 2, 4) == 48 * 2 * 3 * 2 * 4
    made = load(tmp_path / "many")
    assert len(made.cells) == 4 * 12
    assert made.cells["cell"].n_unique() == 48
    assert set(made.cells["n"]) == {48}
    assert made.cells["family"].n_unique() == 2
    assert set(made.cells["seed"]) == {0, 1}
    assert set(made.cells["task"]) == {f"world-problems{one}[steps=2]" for one in ("", "-2", "-3")}
    of_task = made.records.join(made.cells.select("cell", "task"), on="cell")
    assert of_task["item"].n_unique() == 12 * 3 * 4
    assert of_task.select("task", "item").n_unique() == 12 * 3 * 4
    assert of_task.filter(of_task["correct"])["task"].n_unique() == 3
