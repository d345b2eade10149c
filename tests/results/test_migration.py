"""Results folders of formats 1 and 2: read as they are, and brought up to date by the next run."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from models_fixtures import llama, save, tokenizer

from onset.analysis.study import analyse, to_json
from onset.cli import main
from onset.errors import StoreError
from onset.models.scripted import ScriptedModel
from onset.read import read_outcomes, read_points
from onset.records import Completion, Request
from onset.report import facts
from onset.results import local
from onset.results.files import as_files
from onset.results.folder import Store
from onset.results.format import Names
from onset.results.migrations import MIGRATIONS, migrate
from onset.results.read import finished_at, load, read_cells
from onset.results.sealed import FORMAT, unseal_lines
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
        if path.is_file() and path.name not in (".lock", "lease.json", "timing.json")
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
    assert held["format"] == FORMAT == 3
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
            one
            for one in before.values()
            if all(one[key] == row[key] for key in row if key not in ("cell", "tuned", "stored_bytes"))
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
            step(as_files(place), cells, [].append)

    step_up(whole := Path(shutil.copytree(folder, folder.with_name("whole"))))
    expected = contents(whole)
    left = [0]

    def counted(change: Any) -> Any:
        def made(*arguments: Any, **named: Any) -> Any:
            if left[0] == 0:
                raise Crash
            left[0] -= 1
            return change(*arguments, **named)

        return made

    for name in ("rename", "replace", "unlink"):
        monkeypatch.setattr(local.os, name, counted(getattr(local.os, name)))
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
    # cells: facts and name, times, and four files more; tuned models: name and two files; the unfinished cell: set aside
    assert stops > 5 * 6 + 2 * 3 + 1


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        ('{"chunk": 2, "items": 2}', '{"item": "a"}\n{"item": \n'),
        ("{", '{"item": "a"}\n{"item": "b"}\n'),
    ],
)
def test_damaged_records_of_an_unfinished_cell_are_set_aside_with_a_note(
    tmp_path: Path, facts: str, lines: str
) -> None:
    cell = tmp_path / "cells" / "c"
    cell.mkdir(parents=True)
    (cell / "cell.json").write_text(facts)
    (cell / "records.jsonl").write_text(lines)
    told: list[str] = []
    migrate(as_files(tmp_path), 2, [], told.append)
    assert told == [
        f"damaged file {cell / 'records.jsonl'}, or the cell.json beside it, which says what it was measured with;"
        f" set aside as {cell / 'records.jsonl.damaged'}, this cell is measured again"
    ]
    assert (cell / "records.jsonl.damaged").read_text() == lines


@pytest.mark.parametrize("content", [b'{"facts": {}, "led', b"[]", None])
@pytest.mark.parametrize("new", ["new", "old"])
def test_a_finished_cell_of_format_1_with_damaged_facts_starts_over(
    content: bytes | None, new: str, tmp_path: Path
) -> None:
    cell, told = tmp_path / "d" / "cells" / "old", list[str]()
    cell.mkdir(parents=True)
    said = {"format": 1, "onset": "0", "study": {"name": "s"}, "cells": ["old"]}
    (tmp_path / "d" / "study.json").write_text(json.dumps(said))
    (cell / "done.json").write_text('{"records": 1, "sha256": "0"}')
    if content is not None:
        (cell / "cell.json").write_bytes(content)
    with Store(tmp_path / "d", told.append) as store:
        for _ in range(2):  # it is looked at in each run of a folder of format 1
            store.claim({"name": "s"}, [Names(new, None, {}, {1: ("old", None)})], "1")
        found = store.cell(new)
        assert not found.settle()
        found.begin({"facts": {}, "ledger": []})
    (note,) = told
    kept = tmp_path / "d" / "cells" / new / "cell.json.damaged"
    assert note.startswith(f"damaged file {cell / 'cell.json'}: ")
    if content is None:
        assert note.endswith(f"; nothing is left of it, cell {new} is measured again")
    else:
        assert note.endswith(f"; set aside as {kept}, cell {new} is measured again")
        assert new == "new" or kept.read_bytes() == content


TABLE = b"".join(
    json.dumps({"n": n, "text": "x" * 9 + "\u2028"}, ensure_ascii=False).encode() + b"\n" for n in range(5)
)


@pytest.mark.parametrize("path", ["tuned/ab.material.jsonl", "stages/s/steps.jsonl"])
@pytest.mark.parametrize(
    "content",
    [TABLE[:-30], TABLE[:-1], TABLE.replace(b"xxxx", b"x\xffxx", 1), TABLE.replace(b"}", b"", 1), b"", b"\n" + TABLE],
)
def test_a_damaged_table_is_not_sealed_as_if_it_were_whole(path: str, content: bytes, tmp_path: Path) -> None:
    files, told = as_files(tmp_path), list[str]()
    files.put(path, content)
    files.put("tuned/cd.material.jsonl", TABLE)
    migrate(files, 2, [], told.append)
    assert files.get(path) == content
    assert told == [f"damaged file {tmp_path / path}: it is not whole lines of JSON; it is left as it is"]
    assert unseal_lines(files.get("tuned/cd.material.jsonl"), "t") == TABLE.splitlines()


@pytest.mark.parametrize("held", [0, 4, "2", True])
def test_other_formats_are_refused(folder: Path, held: Any) -> None:
    path = folder / "study.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": held}))
    message = f"results folder {folder} has format {held}; this Onset reads 1, 2 and 3: use the version that wrote it"
    for work in (lambda: load(folder), lambda: run(study(), folder)):
        with pytest.raises(StoreError) as caught:
            work()
        assert str(caught.value) == message


FORMAT_2 = FORMAT_1.with_name("format_2")
"""Written by the last version of format 2."""


def study_of_format_2(place: Path) -> Study:
    """Its study; the model and the corpus are made in ``place``."""
    save(place / "tiny", llama(), tokenizer(bos=False))
    rows = [{"prompt": f"What is {n}?", "completion": f" It is {n}."} for n in range(4)]
    (place / "say.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (place / "replies.json").write_text(
        json.dumps(
            {
                "rules": [{"contains": "heads", "text": " The answer is heads."}],
                "default": " The answer is tails.",
            }
        )
    )
    searched = {
        "prompt": "answer-only",
        "grid": [{"shots": 1}],
        "name": "searched",
        "search": {"select": "within", "trials": 2},
    }
    plain = {"shifts": ["none"], "seeds": 1}
    return make_study(
        name="format-2",
        models=[{"spec": f"scripted:{place}/replies.json", "label": "fake"}],
        tasks=[{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        methods=["answer-only", {"prompt": "cot", "shots": 1, "vote": {"samples": 3}}],
        labels=[4],
        seeds=2,
        items=6,
        chunk=4,
        shifts=["none", "typos"],
        error_budget=1,
        dtype="float32",
        device="cpu",
        recipes={"say": {"data": str(place / "say.jsonl"), "steps": 2}},
        parts=[
            {
                "methods": ["answer-only", {"prompt": "cot", "shots": 1, "vote": {"samples": 3}}],
                "seeds": 1,
                "shifts": ["none", "typos"],
            },
            {
                "models": [{"spec": f"scripted:{place}/replies.json", "label": "breaks"}],
                "shifts": ["none"],
                "methods": ["answer-only"],
            },
            {"methods": [searched], **plain},
            {
                "models": [{"spec": str(place / "tiny"), "label": "tiny"}],
                "methods": [{"tune": "lora", "on": "answers", "steps": 2}],
                "stages": [[], ["say"]],
                **plain,
            },
        ],
    )


@pytest.fixture
def of_2(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FORMAT_2, tmp_path / "of_2"))


def test_commands_that_read_read_format_2_and_write_nothing(of_2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(of_2)
    results = load(of_2)
    assert (results.cells.height, len(results.failed), results.records.height) == (7, 2, 42)
    for command in (["show", str(of_2)], ["advise", str(of_2)]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 0, capsys.readouterr().err
    assert contents(of_2) == before


def test_format_2_is_brought_up_to_date_with_nothing_lost(of_2: Path, tmp_path: Path) -> None:
    """Finished records keep their bytes, the chunk of an unfinished cell is kept, and every file shows damage."""
    before = {row["cell"]: row for row in load(of_2).cells.to_dicts()}
    parquet = {path: path.read_bytes() for path in of_2.glob("cells/*/records.parquet")}
    when = finished_at(of_2, before)
    asked = study_of_format_2(tmp_path)
    breaks = Counted({"heads": " The answer is heads."}, default=" The answer is tails.")
    summary = run(asked, of_2, models={"breaks": breaks})
    assert (summary.kept, summary.ran) == (7, 2)
    assert breaks.asked == 2 + 6  # of the cell that failed after a chunk of four, and of the one that had none
    assert all(path.read_bytes() == held for path, held in parquet.items())
    after = load(of_2)
    kept = [row for row in after.cells.to_dicts() if row["cell"] in before]
    assert [row | {"stored_bytes": 0} for row in kept] == [before[row["cell"]] | {"stored_bytes": 0} for row in kept]
    assert abs((finished_at(of_2, before) - when).total_seconds()) < 1  # a migration is no measurement
    run(
        asked,
        tmp_path / "anew",
        models={"breaks": Counted({"heads": " The answer is heads."}, default=" The answer is tails.")},
    )
    assert after.records.sort("cell", "position").equals(load(tmp_path / "anew").records.sort("cell", "position"))
    for path in of_2.rglob("*"):
        if path.suffix in (".json", ".jsonl") and path.name != "adapter_config.json":
            assert json.loads(path.read_bytes().splitlines()[0] if path.suffix == ".jsonl" else path.read_bytes())[
                "digest"
            ]
    assert run(asked, of_2).kept == 9


class Counted(ScriptedModel):
    """A scripted model that counts what it is asked."""

    asked = 0

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        self.asked += len(requests)
        return super().generate(requests)
