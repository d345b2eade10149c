"""Nothing is lost: runs that are killed at every change of a file, full disks, damaged files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from results_faults import (
    Killed,
    Plan,
    Shim,
    as_a_dead_process,
    full_disk,
    killed_by_the_system,
    promised,
)

from onset.errors import Damaged, StoreError
from onset.models.scripted import ScriptedModel
from onset.results.files import as_files
from onset.results.read import load, read_cells
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import Study, make_study

TASK = {"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}


def model() -> ScriptedModel:
    return ScriptedModel({"heads": " The answer is heads."}, default=" The answer is tails.")


def prompted(seeds: int = 1, items: int = 6) -> Study:
    """A cell that asks and one that votes for each seed, of chunks of four items."""
    return make_study(
        name="s",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[TASK],
        methods=["answer-only", {"prompt": "answer-only", "vote": {"samples": 2}}],
        labels=[2],
        seeds=seeds,
        items=items,
        chunk=4,
    )


def go(study: Study, place: Any, notes: list[str] | None = None, **models: Any) -> Any:
    class Told(Silent):
        def note(self, text: str) -> None:
            if notes is not None:
                notes.append(text)

    return run(study, place, models=models or {"fake": model()}, observer=Told())


def enumerate_kills(
    folder: Path,
    patch: pytest.MonkeyPatch,
    work: Callable[[Any], Any],
    within: Callable[[Plan], Any],
    skip: tuple[str, ...],
) -> list[str]:
    """Kill ``work`` at every change in turn, do it again, and hold what is there against an uninterrupted run."""
    work(folder / "whole")
    expected = promised(folder / "whole", without=skip)
    met: list[str] = []
    at = 0
    while True:
        place, plan = folder / f"killed-{at}", Plan(at)
        with patch.context() as killing, as_a_dead_process(patch):
            files = within(plan) if within is not Shim else Shim(as_files(place), plan)
            if files is None:
                killed_by_the_system(killing, plan)
            try:
                work(place if files is None else files)
            except Killed:
                met.append(plan.met[-1])
            else:
                break
        work(place)
        assert promised(place, without=skip) == expected, met[-1]
        shutil.rmtree(place)
        at += 1
    return met


TIMES = ("timing.json", "lease.json")


@pytest.mark.slow
@pytest.mark.parametrize("level", ["files", "system"])
def test_killed_at_every_change_of_a_file_it_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    within: Any = Shim if level == "files" else (lambda _: None)
    met = enumerate_kills(tmp_path, monkeypatch, lambda place: go(prompted(), place), within, TIMES)
    if level == "files":
        changed = {one.partition(" ")[2].split(" ")[0] for one in met}
        assert changed >= {"create", "put", "remove"}
        names = {one.rpartition("/")[2].rpartition(" ")[2] for one in met}
        assert names >= {"lease.json", "study.json", "cell.json", "00000.jsonl", "00001.jsonl", "timing.json"}
        assert names >= {"records.parquet", "done.json"}
    else:
        assert {one.split(" ")[-1] for one in met} >= {"replace", "rename", "unlink", "link"}
        assert any(one.startswith("half of .00001.jsonl") for one in met)
    assert len(met) > 30


@pytest.mark.slow
@pytest.mark.parametrize("again", [True, False], ids=["once", "from then on"])
def test_a_disk_that_is_full_at_any_write_is_one_line_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    with monkeypatch.context() as patch:
        names = full_disk(patch, None, again=again)
        go(prompted(), tmp_path / "whole")
    expected = promised(tmp_path / "whole")
    for at in range(len(names)):
        place = tmp_path / f"full-{at}"
        with monkeypatch.context() as patch:
            full_disk(patch, at, again=again)
            with pytest.raises(StoreError) as caught:
                go(prompted(), place)
        assert str(caught.value).endswith("the disk is full; what was finished is kept, run again to go on")
        assert "\n" not in str(caught.value)
        assert not list(place.rglob("*.part"))
        go(prompted(), place)
        assert promised(place) == expected, names[at]
        shutil.rmtree(place)
    assert len(names) > 12


def damages(data: bytes) -> dict[str, bytes]:
    """Ways in which a file may be damaged."""
    third = len(data) // 3
    flips = {f"bit at {at}": data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in {0, third, len(data) - 1}}
    return {"empty": b"", "cut": data[:third], "cut by one": data[:-1], **flips}


@pytest.mark.slow
def test_a_damaged_file_of_any_kind_is_named_and_only_its_cell_is_measured_again(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    go(prompted(), whole)
    expected, kinds = promised(whole), set()
    for path in sorted(one.relative_to(whole).as_posix() for one in whole.rglob("*") if one.is_file()):
        for what, content in damages((whole / path).read_bytes()).items():
            place = Path(shutil.copytree(whole, tmp_path / "damaged"))
            (place / path).write_bytes(content)
            if path != "models.json":
                with pytest.raises(Damaged, match=r"^damaged file .*; run the study again: it is set aside") as caught:
                    (load(place), read_cells(place))
                assert caught.value.name == str(place / path)
                assert caught.value.exit_code == 1
            notes: list[str] = []
            summary = go(prompted(), place, notes)
            assert any(str(place / path) in one and "set aside as" in one for one in notes), (path, what, notes)
            lost = path.startswith("cells/") and not path.endswith("timing.json")
            assert (summary.ran, summary.kept) == ((1, 1) if lost else (0, 2)), (path, what)
            assert (place / f"{path}.damaged").read_bytes() == content
            assert promised(place) == expected, (path, what)
            load(place)
            shutil.rmtree(place)
            kinds.add(path.rpartition("/")[2])
    assert kinds == {"study.json", "cell.json", "done.json", "records.parquet", "timing.json"}


def test_the_study_file_of_another_study_is_not_written_over(tmp_path: Path) -> None:
    go(prompted(), tmp_path / "d")
    (tmp_path / "d" / "study.json").write_text("{")
    changed = make_study(
        name="other",
        models=[{"spec": "scripted:none.json", "label": "fake"}],
        tasks=[{**TASK, "flips": 3}],
        methods=["answer-only"],
        labels=[2],
        seeds=1,
        items=6,
    )
    with pytest.raises(StoreError) as caught:
        go(changed, tmp_path / "d")
    assert str(caught.value) == (
        f"damaged file {tmp_path}/d/study.json: it is not JSON; none of its cells is of this study: use another folder"
    )
    assert (tmp_path / "d" / "study.json").read_text() == "{"


# ---- tuning --------------------------------------------------------------------------------------------------------


def tuned(place: Path) -> Study:
    """Prompted, searched, tuned, and tuned after a stage."""
    pytest.importorskip("torch")
    from models_fixtures import llama, save, tokenizer

    if not (place / "tiny").exists():
        save(place / "tiny", llama(), tokenizer(bos=False))
        rows = [{"prompt": f"What is {n}?", "completion": f" It is {n}."} for n in range(4)]
        (place / "say.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return make_study(
        name="t",
        models=[{"spec": str(place / "tiny"), "label": "tiny"}],
        tasks=[TASK],
        methods=[{"prompt": "answer-only", "shots": 1}, {"tune": "lora", "on": "answers", "steps": 2}],
        labels=[4],
        seeds=1,
        items=2,
        dtype="float32",
        device="cpu",
        stages=[["say"]],
        recipes={"say": {"data": str(place / "say.jsonl"), "steps": 2}},
        keep_full=True,
    )


def opened(place: Path) -> Any:
    from onset.models import open_model

    return open_model(str(place / "tiny"), label="tiny", device="cpu", dtype="float32")


@pytest.mark.slow
def test_killed_at_every_change_of_a_file_while_tuning_it_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tuned(tmp_path)
    base = opened(tmp_path)
    without = (*TIMES, "stage.json")  # it holds a time
    met = enumerate_kills(tmp_path, monkeypatch, lambda place: go(study, place, tiny=base), Shim, without)
    assert sum("put folder" in one for one in met) == 2 * 3


@pytest.mark.slow
def test_damaged_weights_are_named_and_only_they_are_made_again(tmp_path: Path) -> None:
    study, base = tuned(tmp_path), opened(tmp_path)
    go(study, tmp_path / "whole", tiny=base)
    without = (*TIMES, "stage.json")
    expected = promised(tmp_path / "whole", without=without)
    for path in sorted((tmp_path / "whole" / "tuned").rglob("*")):
        name = path.relative_to(tmp_path / "whole").as_posix()
        if path.is_dir() or path.name == "timing.json":
            continue
        for what, content in {"cut": path.read_bytes()[:-9], "missing": None}.items():
            place = Path(shutil.copytree(tmp_path / "whole", tmp_path / "damaged"))
            (place / name).unlink()
            if content is not None:
                (place / name).write_bytes(content)
            if path.name != "tuning.json" or content is not None:
                with pytest.raises(Damaged, match=f"damaged file {place / name}: .*this tuning alone is done again"):
                    load(place)
            notes: list[str] = []
            summary = go(study, place, notes, tiny=base)
            assert (summary.ran, summary.kept) == (0, 2), (name, what, notes)
            assert any("set aside in" in one for one in notes), (name, what, notes)
            assert promised(place, without=without) == expected, (name, what)
            shutil.rmtree(place)


REALLY = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {tests!r} + '/results']
from results_faults import Plan, Shim
from results.test_faults import go, opened, tuned
from onset.results.files import as_files
place, at = Path(sys.argv[1]), int(sys.argv[2])
plan = Plan(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
go(tuned(place), Shim(as_files(place / "killed"), plan), tiny=opened(place))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no kill -9 here")
def test_really_killed_the_folder_is_free_at_once_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    study, base = tuned(tmp_path), opened(tmp_path)
    plan = Plan()
    go(study, Shim(as_files(tmp_path / "whole"), plan), tiny=base)
    without = (*TIMES, "stage.json")
    expected = promised(tmp_path / "whole", without=without)
    code = REALLY.format(tests=str(Path(__file__).parents[1]))
    for at in range(2, len(plan.met), len(plan.met) // 5):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), str(at)], capture_output=True, text=True, check=False
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        notes: list[str] = []
        go(study, tmp_path / "killed", notes, tiny=base)
        assert "which is gone: going on from what it kept" in notes[0]
        assert promised(tmp_path / "killed", without=without) == expected, plan.met[at]
        shutil.rmtree(tmp_path / "killed")
