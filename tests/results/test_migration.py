"""Results folders of format 1: read as they are, and brought up to date by the next run."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from onset.analysis.study import analyse, to_json
from onset.cli import main
from onset.errors import StoreError
from onset.models.scripted import ScriptedModel
from onset.read import read_outcomes, read_points
from onset.report import facts
from onset.results import files
from onset.results.format import FORMAT, MIGRATIONS
from onset.results.read import load, read_cells
from onset.study.grid import expand
from onset.study.names import names
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import Study, make_study

FORMAT_1 = Path(__file__).parents[1] / "fixtures" / "format_1"
"""Written by the last version of format 1: tests/fixtures/README.md."""


PARTS: list[dict[str, Any]] = [
    {
        "models": [{"spec": "scripted:replies.json", "label": "fake"}],
        "methods": ["answer-only", "cot", {"prompt": "cot", "vote": {"samples": 3}, "shots": 1}],
        "seeds": 1,
    },
    {"models": [{"spec": "scripted:replies.json", "label": "breaks"}], "shifts": ["none"]},
    {"models": ["./tiny"], "methods": [{"tune": "lora", "on": "answers", "steps": 2}]},
]


def study(**changes: Any) -> Study:
    """The study of the fixture."""
    values: dict[str, Any] = {
        "name": "format-1",
        "models": ["scripted:replies.json"],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": ["answer-only"],
        "labels": [2],
        "seeds": 2,
        "items": 6,
        "chunk": 4,
        "shifts": ["none", "typos"],
        "error_budget": 1,
        "parts": PARTS,
    }
    return make_study(**{**values, **changes})


def replies() -> ScriptedModel:
    return ScriptedModel({"heads": " The answer is heads."}, default=" The answer is tails.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FORMAT_1, tmp_path / "d"))


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (".lock", "timing.json")
    }


def test_commands_that_read_read_format_1_and_write_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder)
    results = load(folder)
    assert (results.cells.height, len(results.failed), results.records.height) == (11, 1, 66)
    assert sorted(set(results.cells["method"])) == ["answer-only", "cot", "cot-shots1-vote3", "lora-answers-steps2"]
    assert results.cells.filter(results.cells["vote"] == 3).height == 2
    assert len(read_outcomes(folder)) == len(results.cells.group_by("model", "method", "shift").len())
    assert read_points(folder)
    to_json(analyse(results))
    for command in (
        ["show", str(folder), "--details"],
        ["compare", str(folder), str(folder), "--a", "method=cot", "--b", "method=answer-only"],
        ["emergence", str(folder)],
        ["export", str(folder), "--format", "lm-eval", "--out", str(tmp_path / "exported")],
    ):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0, capsys.readouterr().err
    assert contents(folder) == before


def test_a_report_describes_the_methods_of_format_1(folder: Path) -> None:
    words = {row["method"]: row["words"] for row in facts.methods(read_cells(folder))}
    assert words["answer-only"] == "Prompt with question and answer pairs; as many of the labelled examples as fit"
    assert words["cot-shots1-vote3"].endswith("; 1 demonstrations; majority of 3 samples at temperature 0.7")
    assert words["lora-answers-steps2"].endswith("asked without demonstrations; optimiser steps 2")


def test_a_run_keeps_what_format_1_finished_and_computes_the_rest(folder: Path) -> None:
    before = {row["cell"]: row for row in load(folder).cells.to_dicts()}
    digests = sorted(json.loads(path.read_text())["sha256"] for path in folder.glob("cells/*/done.json"))
    notes: list[str] = []

    class Told(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    summary = run(study(), folder, models={"breaks": replies()}, observer=Told())
    assert (summary.cells, summary.kept, summary.ran) == (12, 11, 1)
    assert notes[-1] == (
        "11 of 11 finished cells were measured by a version that asked or read otherwise; they are kept: use another"
        " folder to measure them anew"
    )
    held = json.loads((folder / "study.json").read_text())
    grid = expand(study())
    assert held["format"] == FORMAT == 2
    assert held["cells"] == [cell.id for cell in grid.cells]
    assert {path.name for path in folder.glob("cells/*")} == {cell.id for cell in grid.cells}
    assert {path.name for path in folder.glob("tuned/*")} == {cell.tuned for cell in grid.cells if cell.tuned}
    kept = [json.loads(path.read_text())["sha256"] for path in folder.glob("cells/*/done.json")]
    assert set(digests) <= set(kept)
    after = load(folder).cells.to_dicts()
    assert len(after) == 12
    found = 0
    for row in after:
        same = [
            one for one in before.values() if all(one[key] == row[key] for key in row if key not in ("cell", "tuned"))
        ]
        found += len(same)
        held = json.loads((folder / "cells" / row["cell"] / "cell.json").read_text())
        assert held["id"] == row["cell"]
        assert None not in held["method_spec"].values()
        assert held["tuned"] is None or (folder / "tuned" / held["tuned"]).is_dir()
    assert found == 11
    assert run(study(), folder).kept == 12


def test_what_a_study_leaves_out_is_found_when_it_is_named_again(folder: Path) -> None:
    assert run(study(parts=PARTS[:1]), folder).kept == 6
    assert run(study(), folder, models={"breaks": replies()}).kept == 11


class Crash(BaseException):
    """Stands in for a power cut: nothing catches it."""


def test_a_stop_at_any_instant_leaves_a_folder_that_migrates(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop after each change that a migration makes to the folder, in turn."""
    cells = [names(cell) for cell in expand(study(parts=PARTS[1:])).cells]

    def step_up(place: Path) -> None:
        for step in MIGRATIONS:
            step(place, cells)

    step_up(whole := Path(shutil.copytree(folder, folder.with_name("whole"))))
    expected = contents(whole)
    rename, replace_file = Path.rename, files.os.replace
    left = [0]

    def counted(change: Any) -> Any:
        def made(*arguments: Any) -> Any:
            if left[0] == 0:
                raise Crash
            left[0] -= 1
            return change(*arguments)

        return made

    monkeypatch.setattr(Path, "rename", counted(rename))
    monkeypatch.setattr(files.os, "replace", counted(replace_file))
    stops = 0
    while True:
        place = Path(shutil.copytree(folder, folder.with_name(f"stop-{stops}")))
        left[0] = stops
        try:
            step_up(place)
        except Crash:
            assert json.loads((place / "study.json").read_text())["format"] == 1
            results = load(place)
            assert set(results.records["cell"]) == set(results.cells["cell"])
        else:
            break
        left[0] = 10**9
        step_up(place)
        assert contents(place) == expected
        stops += 1
    assert stops == 5 * 2 + 2 + 1  # cells: facts and name; tuned models: name; the unfinished cell: set aside


@pytest.mark.parametrize("held", [0, 3, "2", None, True])
def test_other_formats_are_refused(folder: Path, held: Any) -> None:
    path = folder / "study.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": held}))
    message = f"results folder {folder} has format {held}; this Onset reads 1 and 2: use the version that wrote it"
    for work in (lambda: load(folder), lambda: run(study(), folder)):
        with pytest.raises(StoreError) as caught:
            work()
        assert str(caught.value) == message
