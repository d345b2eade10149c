"""What holds for every format that is written: a line in the table of `onset.write.base` enrols it here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from synthetic import synthetic_results

from onset.errors import StoreError
from onset.results.read import load
from onset.write.base import WRITERS, export, runs

EVERY = pytest.mark.parametrize("name", WRITERS)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "results"
    return synthetic_results(folder, models=(("mid", 10**8),), seeds=2, items=8, shifts=("none", "typos"))


@EVERY
def test_every_record_is_a_line_of_one_file_and_all_else_is_json(name: str, own: Path, tmp_path: Path) -> None:
    files = export(own, tmp_path, name)
    assert len(files) == len(set(files))
    lines = [json.loads(line) for file in files if file.suffix == ".jsonl" for line in file.read_text().splitlines()]
    assert len(lines) == load(own).records.height
    assert all(isinstance(json.loads(file.read_text()), dict) for file in files if file.suffix == ".json")
    assert {file.suffix for file in files} <= {".json", ".jsonl"}


def test_a_place_that_is_no_folder_is_one_line(own: Path, tmp_path: Path) -> None:
    (tmp_path / "mk.py").touch()
    with pytest.raises(StoreError, match=r"mk\.py is a file; export to a folder$"):
        export(own, tmp_path / "mk.py", "lm-eval")
    with pytest.raises(StoreError, match=r"^cannot write .*xxx: .*; export to another folder$"):
        export(own, tmp_path / ("x" * 300), "lm-eval")


@EVERY
def test_every_run_has_files_of_its_own(name: str, own: Path) -> None:
    write, made = WRITERS.load(name), runs(own, load(own))
    places = [place for run in made for place, _ in write([run])]
    assert len(places) == len(set(places)) >= 2 * len(made)
    assert sorted(places) == sorted(place for place, _ in write(made))


@EVERY
def test_a_text_of_a_record_is_kept(name: str, own: Path, tmp_path: Path) -> None:
    written = "".join(file.read_text() for file in export(own, tmp_path, name))
    for record in load(own).records.head(20).to_dicts():
        assert json.dumps(record["prompt"], ensure_ascii=False) in written
        assert all(json.dumps(text, ensure_ascii=False) in written for text in record["outputs"])


@EVERY
def test_equal_results_give_equal_bytes(name: str, own: Path, tmp_path: Path) -> None:
    first, again = (
        {file.relative_to(tmp_path / out): file.read_bytes() for file in export(own, tmp_path / out, name)}
        for out in ("a", "b")
    )
    assert first == again
