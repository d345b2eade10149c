"""The evaluation of the ladder: what it asks, of the shipped models or of others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from onset.cli import main
from onset.cli.ladder import evaluation
from onset.errors import ModelError
from onset.ladder.rungs import NAMES, folder
from onset.study.grid import expand
from onset.tasks import TASKS


def test_it_asks_all_shipped_models_about_everything() -> None:
    grid = expand(evaluation())
    assert {cell.model for cell in grid.cells} == {f"ladder/{name}" for name in NAMES}
    assert {cell.items for cell in grid.cells} == {200}
    asked = {cell.task.partition("[")[0] for cell in grid.cells}
    unread = {"world-compare", "world-new-facts"}  # which none has read
    assert asked == {name for name in TASKS if name.startswith("world-")} - unread
    shifts = {cell.shift for cell in grid.cells if cell.task == "world-problems"}
    sets = {name for name, _ in grid.tasks["world-problems"].test_sets}
    assert shifts == {"none", "typos", *sets} - {"shuffled"}  # which is a task of its own here


def test_named_models_take_the_place_of_all(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(folder("r0"), mine)
    grid = expand(evaluation([str(mine), "ladder/r3-nocot"], items=20))
    assert {cell.model for cell in grid.cells} == {"mine", "ladder/r3-nocot"}
    assert {cell.items for cell in grid.cells} == {20}
    assert {cell.shift for cell in grid.cells if cell.task == "world-compare"} == {"none", "misleading"}
    of = [sorted(cell.id for cell in grid.cells if cell.model == model) for model in ("mine", "ladder/r3-nocot")]
    assert len(of[0]) == len(of[1]) == len(set(of[0])) == 30
    with pytest.raises(ModelError, match="names nothing"):
        expand(evaluation(["hf:"]))


def test_the_command_prints_accuracies_and_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["ladder", "evaluate", "ladder/r2", "--items", "4"])
    assert ended.value.code == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert ["Task", "Method", "ladder/r2"] in lines
    (row,) = [line for line in lines if line[:2] == ["world-programs", "cot"]]
    assert row[2:] == ["100", "(51–100)"]
    assert lines[-2] == ["Tables:", "onset", "show", "results/ladder-evaluation", "--details"]
    results = tmp_path / "results" / "ladder-evaluation"
    assert (results / "report.html").exists()
    assert json.loads((results / "findings.json").read_text())["findings"]
    assert len(list((results / "cells").iterdir())) == 30
