"""A tuned model out of a results folder answers as the study's did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from models_fixtures import llama, save, tokenizer

import onset
from onset.errors import StoreError
from onset.records import Request
from onset.study.runner import run
from onset.study.spec import make_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tuned")
    save(place / "model", llama(context=512), tokenizer(bos=False))
    study = make_study(
        name="s", models=[str(place / "model")], tasks=[{"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}],
        methods=[{"tune": "lora", "on": "answers", "steps": 3}], labels=[4], seeds=1, items=4, dtype="float32",
        device="cpu",
    )  # fmt: skip
    run(study, place / "d")
    return place / "d"


def test_it_answers_as_the_cell_was_answered(folder: Path) -> None:
    results = onset.load(folder)
    (cell,) = results.cells.to_dicts()
    model = onset.open_tuned(folder / "tuned" / cell["tuned"])
    held = json.loads((folder / "cells" / cell["cell"] / "cell.json").read_text())
    assert model.facts.revision == held["tuned_revision"] != held["facts"]["revision"]
    for record in results.records.to_dicts():
        [[done]] = model.generate([Request(record["prompt"], 48)])
        assert done.text.startswith(record["outputs"][0])


def test_what_is_no_tuned_model_is_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no tuned model here"):
        onset.open_tuned(folder / "cells")
    copied = tmp_path / "d"
    shutil.copytree(folder, copied)
    (weights,) = (copied / "tuned").iterdir()
    weights.rename(copied / "tuned" / "another")
    with pytest.raises(StoreError, match="says which model this was tuned from"):
        onset.open_tuned(copied / "tuned" / "another")
    assert onset.load(copied).cells["tuned"].to_list() == [None]
