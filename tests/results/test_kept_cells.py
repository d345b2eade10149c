"""What a results folder keeps must have been measured on the same weights, with the same demonstrations."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from models_fixtures import llama, save, tokenizer

from onset.errors import Damaged, StoreError
from onset.models.scripted import ScriptedModel
from onset.records import Item
from onset.registry import Entry
from onset.results.local import LocalFiles
from onset.results.read import load
from onset.shifts import SHIFTS
from onset.shifts.base import Shift
from onset.study import revisions
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import Study, make_study
from onset.tasks.base import Task

# ---- weights -------------------------------------------------------------------------------------------------------


def small(folder: Path, **changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": f"./{os.path.relpath(folder)}", "label": "tiny"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": [{"prompt": "answer-only", "shots": 1}],
        "labels": [1],
        "seeds": 1,
        "items": 4,
    }
    return make_study(**{**values, **changes})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save(tmp_path / "tiny", llama(), tokenizer(bos=False))


def change_weights(folder: Path) -> None:
    """Other weights in files of the same names and sizes, as when training goes on."""
    module = llama()
    with torch.no_grad():
        module.model.norm.weight += 1
    save(folder, module, tokenizer(bos=False))


def test_changed_weights_under_a_finished_study_are_refused(tmp_path: Path, model: Path) -> None:
    assert run(small(model), tmp_path / "d").ran == 1
    held = json.loads((tmp_path / "d" / "models.json").read_text())["models"]["tiny"]
    change_weights(model)
    with pytest.raises(StoreError) as caught:
        run(small(model), tmp_path / "d")
    message = str(caught.value)
    assert message.startswith("model 'tiny' has changed: revision ")
    assert message.endswith(
        f" but {tmp_path}/d holds results of revision {held['revision']}; restore the weights, or use another folder or"
        " another label"
    )
    save(model, llama(), tokenizer(bos=False))  # restored
    assert run(small(model), tmp_path / "d").kept == 1
    assert run(small(model), tmp_path / "other").ran == 1


def test_equal_weights_with_other_times_are_hashed_once_and_kept(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(small(model), tmp_path / "d")
    hashed: list[str] = []
    revision = revisions.revision

    def counted(spec: str) -> str | None:
        hashed.append(spec)
        return revision(spec)

    monkeypatch.setattr(revisions, "revision", counted)
    assert run(small(model), tmp_path / "d").kept == 1
    assert len(hashed) == 0
    for path in model.iterdir():
        os.utime(path, ns=(1, 10**18))
    assert [run(small(model), tmp_path / "d").kept for _ in range(2)] == [1, 1]
    assert len(hashed) == 1


def test_a_folder_without_fingerprints_is_compared_by_hash(tmp_path: Path, model: Path) -> None:
    run(small(model), tmp_path / "d")
    (tmp_path / "d" / "models.json").unlink()
    assert run(small(model), tmp_path / "d").kept == 1
    assert (tmp_path / "d" / "models.json").exists()
    (tmp_path / "d" / "models.json").unlink()
    change_weights(model)
    with pytest.raises(StoreError, match=r"^model 'tiny' has changed: revision"):
        run(small(model), tmp_path / "d")


def test_another_model_under_a_label_is_refused_before_anything_runs(tmp_path: Path, model: Path) -> None:
    run(small(model), tmp_path / "d")
    other = save(tmp_path / "other", llama(tied=True), tokenizer(bos=False))
    with pytest.raises(StoreError, match=r"^model 'tiny' has changed: revision"):
        run(small(other, seeds=2), tmp_path / "d")
    assert len(list((tmp_path / "d" / "cells").iterdir())) == 1


def test_a_model_that_is_gone_keeps_its_results_and_says_so(tmp_path: Path, model: Path) -> None:
    class Told(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    notes: list[str] = []
    study = small(model)
    run(study, tmp_path / "d")
    model.rename(tmp_path / "moved")
    assert run(study, tmp_path / "d", observer=Told()).kept == 1
    assert notes == [
        f"model 'tiny': {study.models[0].spec} is not here any more; its finished cells are kept as they are"
    ]


def test_a_folder_is_removed_also_where_a_crash_left_half_of_it(tmp_path: Path) -> None:
    for name in ("x", ".x.gone"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_text("")
    LocalFiles(tmp_path).remove_folder("x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("content", "what"), [("", "it is not JSON"), ("{}", "expected the cell's facts")])
def test_a_damaged_cell_names_the_remedy(tmp_path: Path, model: Path, content: str, what: str) -> None:
    run(small(model), tmp_path / "d")
    [cell] = (tmp_path / "d" / "cells").iterdir()
    (cell / "cell.json").write_text(content)
    with pytest.raises(Damaged) as caught:
        load(tmp_path / "d")
    assert caught.value.exit_code == 1
    if not content:
        assert str(caught.value) == (
            f"damaged file {cell}/cell.json: {what}; run the study again: it is set aside, and this cell alone is"
            " measured again"
        )

    class Told(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    notes: list[str] = []
    assert run(small(model), tmp_path / "d", observer=Told()).ran == 1
    assert notes[0] == (
        f"damaged file {cell}/cell.json: {what}; set aside as {cell}/cell.json.damaged, cell {cell.name} is measured"
        " again"
    )
    assert (cell / "cell.json.damaged").read_text() == content
    assert run(small(model), tmp_path / "d").kept == 1


# ---- demonstrations ------------------------------------------------------------------------------------------------


class Longer(Shift):
    """A shift whose questions are ten times as long."""

    kind: ClassVar[str] = "longer"

    def rewrite(self, item: Item, task: Task) -> Item:
        return replace(item, question=f"{'Look here. ' * 60}{item.question}", twin=item.id)


class Longest(Longer):
    """One that leaves no room at all for a demonstration."""

    kind: ClassVar[str] = "longest"

    def rewrite(self, item: Item, task: Task) -> Item:
        return replace(item, question=f"{'Look here. ' * 130}{item.question}", twin=item.id)


class Shorter(Shift):
    kind: ClassVar[str] = "shorter"

    def rewrite(self, item: Item, task: Task) -> Item:
        return replace(item, question=item.question.replace(" the ", " "), twin=item.id)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The table of shifts with three lines more."""
    for name in ("Longer", "Longest", "Shorter"):
        monkeypatch.setitem(SHIFTS._entries, name.lower(), Entry(f"{__name__}:{name}", name))
    return monkeypatch


def coins(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": "scripted:none.json", "label": "fake"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": ["answer-only"],
        "labels": [20],
        "seeds": 1,
        "items": 6,
    }
    return make_study(**{**values, **changes})


def ask(study: Study, folder: Path) -> dict[tuple[str, int], tuple[str, ...]]:
    """Run ``study``; the demonstrations of its cells by shift and seed."""
    model = ScriptedModel({"heads": " The answer is heads."}, default=" The answer is tails.")
    model._facts = replace(model.facts, context=400)
    run(study, folder, models={"fake": model})
    cells = [json.loads(path.read_text()) for path in folder.glob("cells/*/cell.json")]
    return {
        (cell["shift"], cell["seed"]): tuple(one for line in cell["ledger"] for one in line["ids"]) for cell in cells
    }


def test_a_line_in_the_table_of_shifts_changes_no_demonstrations(tmp_path: Path, table: pytest.MonkeyPatch) -> None:
    with_line = ask(coins(shifts=["none", "shorter"]), tmp_path / "with")
    table.undo()
    without = ask(coins(), tmp_path / "without")
    assert with_line["none", 0] == without["none", 0] == with_line["shorter", 0]
    assert 5 < len(without["none", 0]) < 20


def test_demonstrations_fit_the_shifts_of_the_study(tmp_path: Path, table: pytest.MonkeyPatch) -> None:
    clean = ask(coins(), tmp_path / "clean")["none", 0]
    both = ask(coins(shifts=["none", "longer"]), tmp_path / "both")
    assert both["none", 0] == both["longer", 0] == clean[: len(both["none", 0])]
    assert 0 < len(both["none", 0]) < len(clean)
    assert ask(coins(shifts=["longer"]), tmp_path / "alone")["longer", 0] == both["longer", 0]


def test_a_shift_that_is_added_shows_what_finished_cells_showed(tmp_path: Path, table: pytest.MonkeyPatch) -> None:
    both = ask(coins(shifts=["none", "longer"]), tmp_path / "d")
    more = ask(coins(shifts=["none", "shorter"], seeds=2), tmp_path / "d")
    assert more["shorter", 0] == both["none", 0]
    assert len(more["shorter", 1]) > len(more["shorter", 0])  # nothing was finished with this seed


def test_a_shift_that_does_not_fit_finished_cells_is_refused(tmp_path: Path, table: pytest.MonkeyPatch) -> None:
    clean = len(ask(coins(), tmp_path / "d")["none", 0])
    fit = len(ask(coins(shifts=["longer"]), tmp_path / "alone")["longer", 0])
    with pytest.raises(StoreError) as caught:
        ask(coins(shifts=["none", "longer"]), tmp_path / "d")
    assert str(caught.value) == (
        f"model 'fake', method answer-only, task coin-flip, 20 labels, seed 0: finished cells in {tmp_path}/d show"
        f" {clean} demonstrations, {fit} fit the longest prompt of the shifts none, longer; use another folder, or"
        f" 'shots: {fit}' in the method"
    )
    ask(coins(shifts=["longer"]), tmp_path / "d")
    with pytest.raises(StoreError, match=rf" show {fit} and {clean} demonstrations, "):
        ask(coins(shifts=["none", "longer", "shorter"]), tmp_path / "d")
    method = {"prompt": "answer-only", "shots": fit}
    shown = ask(coins(shifts=["none", "longest"], methods=[method]), tmp_path / "d")
    assert len(shown["longest", 0]) == fit
