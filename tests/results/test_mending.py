"""A run that mends what is damaged is killed itself: the next one still knows what there is to do again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from results_faults import Killed, Plan, Shim, as_a_dead_process, promised
from test_faults import TASK, TIMES, go, opened, tuned

from onset.errors import Damaged, ModelError
from onset.records import Record
from onset.results.cell import CellFolder
from onset.results.files import as_files
from onset.results.folder import Store
from onset.results.read import load
from onset.study.grid import expand
from onset.study.runner import run_cells
from onset.study.spec import Study, make_study


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)


MENDED = 9
"""Changes at the beginning of a run within which it takes its lease, and mends what it finds."""


def voting() -> Study:
    """Two cells: of two votes on the same samples the second has a ``source.json``."""
    votes = [{"prompt": "answer-only", "vote": {"kind": one, "samples": 2}} for one in ("majority", "weighted")]
    return make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[TASK],
        methods=[{**one, "name": f"v{at}"} for at, one in enumerate(votes)],
        labels=[2],
        seeds=1,
        items=4,
        chunk=2,
    )


def record(position: int) -> Record:
    name = f"item-{position}"
    answers = (" heads",), ("stop",), ("heads",), "heads"
    return Record(position, name, None, name, "heads", "", "", *answers, "ok", True, False, None, None, 1, 1, 1.0)


def killed_while_it_mends(study: Study, place: Path, at: int, patch: pytest.MonkeyPatch, **models: Any) -> bool:
    """Was a run of ``study`` killed at its change ``at``? Else it came to its end before."""
    try:
        with as_a_dead_process(patch):
            go(study, Shim(as_files(place), Plan(at)), **models)
    except Killed:
        return True
    return False


def mend_killed_at_every_change(
    study: Study,
    whole: Path,
    name: str,
    content: bytes | None,
    patch: pytest.MonkeyPatch,
    without: tuple[str, ...] = TIMES,
    **models: Any,
) -> None:
    """Damage a file (None: it is gone), kill the run that mends it at each of its first changes, and run again."""
    expected = promised(whole, without=without)
    for at in range(MENDED):
        place = Path(shutil.copytree(whole, whole.parent / "damaged"))
        (place / name).unlink()
        if content is not None:
            (place / name).write_bytes(content)
        killed = killed_while_it_mends(study, place, at, patch, **models)
        assert killed or at >= 8  # of study.json alone there is no more to change
        go(study, place, **models)
        assert promised(place, without=without) == expected, (name, content, at)
        shutil.rmtree(place)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("study.json", b"{"),
        pytest.param("cell.json", b"{", marks=pytest.mark.slow),
        pytest.param("cell.json", None, marks=pytest.mark.slow),
        pytest.param("source.json", b"{", marks=pytest.mark.slow),
    ],
)
def test_a_damaged_file_is_done_again_by_the_run_after_one_that_was_killed(
    name: str, content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    go(voting(), whole)
    names = [one.relative_to(whole).as_posix() for one in sorted(whole.rglob("*")) if one.is_file()]
    (source,) = (one for one in names if one.endswith("source.json"))
    path = name if name == "study.json" else f"{source.rpartition('/')[0]}/{name}"
    mend_killed_at_every_change(voting(), whole, path, content, monkeypatch)


def test_facts_of_a_finished_cell_that_are_gone_are_named_and_measured_again(tmp_path: Path) -> None:
    go(voting(), tmp_path)
    path = min(tmp_path.glob("cells/*/cell.json"))
    path.unlink()
    with pytest.raises(Damaged, match=rf"^damaged file {path}: it is missing; run the study again: ") as caught:
        load(tmp_path)
    assert caught.value.exit_code == 1
    notes: list[str] = []
    summary = go(voting(), tmp_path, notes)
    assert (summary.ran, summary.kept) == (1, 1)
    assert [one for one in notes if f"damaged file {path}: it is missing" in one]


def test_the_facts_of_another_cell_are_not_those_of_this(tmp_path: Path) -> None:
    go(voting(), tmp_path)
    one, other = sorted(tmp_path.glob("cells/*/cell.json"))
    without = (*TIMES, "source.json")  # what is measured again reads the samples of the other
    expected = promised(tmp_path, without=without)
    shutil.copy(one, other)
    notes: list[str] = []
    assert go(voting(), tmp_path, notes).ran == 1
    assert [note for note in notes if f"damaged file {other}: it is that of cell {one.parent.name};" in note]
    assert promised(tmp_path, without=without) == expected


def test_damaged_facts_of_an_unfinished_cell_are_set_aside_when_a_run_begins(tmp_path: Path) -> None:
    """Whatever a run asks of them after that, such as the type of a model's weights, finds none."""
    notes: list[str] = []
    cell = Store(tmp_path, notes.append).cell("c")
    cell.begin({"id": "c", "facts": {}, "ledger": []})
    cell.commit([record(0)], 0, 1)
    assert not cell.settle()
    assert (cell.begun, list(cell.committed(2, 1)), notes) == (True, [0], [])
    (tmp_path / "cells" / "c" / "cell.json").write_text("{")
    assert not cell.settle()
    assert (cell.begun, list(cell.committed(2, 1))) == (False, [])
    assert len(notes) == 1
    assert notes[0].startswith(f"damaged file {tmp_path}/cells/c/cell.json: it is not JSON; set aside as ")


def test_records_that_are_cut_into_chunks_are_all_there_whenever_that_is_stopped(tmp_path: Path) -> None:
    records, stops = [record(at) for at in range(5)], 0
    while True:
        files = as_files(tmp_path / str(stops))
        whole = CellFolder(files, "c", str)
        whole.commit(records, 0, 2)
        try:
            CellFolder(Shim(files, Plan(stops)), "c", str).cut(records, 2)
        except Killed:
            stops += 1
        else:
            break
        assert whole.committed(5, 2) == {0, 2, 4}
        assert [row["position"] for row in whole.rows()] == list(range(5))
    assert stops == 2 * 3
    assert sorted(files.names("records")) == [f"records/0000{at}.jsonl" for at in range(3)]
    CellFolder(Shim(files, Plan(0)), "c", str).cut(records, 2)  # nothing is left to be done


@pytest.mark.slow
def test_damaged_weights_are_made_again_by_the_run_after_one_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, base = tuned(tmp_path), opened(tmp_path)
    whole = tmp_path / "whole"
    go(study, whole, tiny=base)
    names = [one.relative_to(whole).as_posix() for one in sorted(whole.rglob("tuned/*/tuning.json"))]
    mend_killed_at_every_change(study, whole, names[0], b"{", monkeypatch, (*TIMES, "stage.json"), tiny=base)
    expected = promised(whole, without=(*TIMES, "stage.json"))

    def refuse(*_: object) -> None:
        raise ModelError("no memory")

    (whole / names[0]).write_text("{")
    with monkeypatch.context() as patch:
        patch.setattr("onset.study.session.make", refuse)
        patch.setattr("onset.study.session.tune", refuse)
        summary = run_cells(expand(study), whole, models={"tiny": base})
    assert (summary.ran, summary.kept) == (0, 2)
    assert summary.failed
    assert len(load(whole).cells) == 2
    go(study, whole, tiny=base)
    assert promised(whole, without=(*TIMES, "stage.json")) == expected
