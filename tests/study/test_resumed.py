"""Training within a study: killed, it goes on; diverged, it is not tried again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from models_fixtures import llama, save, tokenizer
from safetensors.torch import load_file

from onset.errors import CellsFailed
from onset.study import making
from onset.study.observer import Silent
from onset.study.runner import run
from onset.study.spec import make_study

TASK = {"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}

CHILD = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from onset.study.runner import run
from onset.study.spec import read_study
from onset.tuning import checkpoint

checkpoint.EVERY = 0
write, left = checkpoint.Checkpoint.write, int(sys.argv[3])

def counted(*arguments):
    global left
    write(*arguments)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

checkpoint.Checkpoint.write = counted
run(read_study(Path(sys.argv[1])), Path(sys.argv[2]))
"""

STUDY = """
name: killed
models: [./model]
recipes: {ins: {data: corpus.jsonl, steps: 6, batch_size: 2}}
stages: [[ins]]
tasks: [{name: coin-flip, flips: 2, pool: 20, test: 10}]
methods: [{tune: {kind: lora, dropout: 0.2}, on: answers, steps: 6}]
labels: [4]
seeds: 1
items: 4
device: cpu
dtype: float32
keep_full: true
"""


def kept(folder: Path) -> dict[str, Any]:
    """All that training left, but how long it took. (The header of a weight file has no fixed order.)"""
    files = [one for one in (folder / "tuned").rglob("*") if one.is_file() and one.name != "timing.json"]
    files += [*folder.glob("cells/*/records.parquet"), *folder.glob("cells/*/cell.json")]
    return {str(one.relative_to(folder)): held(one) for one in files}


def held(file: Path) -> Any:
    if file.suffix != ".safetensors":
        return file.read_bytes()
    return {name: weight.numpy().tobytes() for name, weight in load_file(file).items()}


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "left"), [(3, ["checkpoint"]), (7, ["", "checkpoint"])], ids=["stage", "tuning"])
def test_a_study_killed_while_it_trains_ends_with_the_same_bytes(stop: int, left: list[str], tmp_path: Path) -> None:
    """After step 3 of the stage; or when the stage is done (five checkpoints: its last step has none), in the tuning."""
    save(tmp_path / "model", llama(context=512), tokenizer(bos=False))
    rows = [{"prompt": f"Question: {n}?\nAnswer:", "completion": f"The answer is {n}."} for n in range(6)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    out = tmp_path / "killed"

    def call(folder: Path, stop: int) -> int:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        arguments = [sys.executable, "-c", CHILD, str(file), str(folder), str(stop)]
        return subprocess.run(arguments, check=False, env=environment).returncode

    assert call(out, stop) == -signal.SIGKILL
    assert sorted(one.name.partition(".")[2] for one in (out / "tuned").iterdir()) == left
    assert call(out, 0) == 0
    assert call(tmp_path / "whole", 0) == 0
    whole = kept(tmp_path / "whole")
    assert whole == kept(out)
    assert len(whole) > 6
    assert not any("checkpoint" in name for name in whole)


class Told(Silent):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def failed(self, cell: Any, error: str) -> None:
        self.said.append(error)


def test_a_diverged_run_is_recorded_and_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "model", llama(context=512), tokenizer(bos=False))
    arm = {"tune": "lora", "on": "answers", "steps": 5, "learning_rate": 3e38}
    study = make_study(
        name="s", models=[str(tmp_path / "model")], tasks=[TASK], methods=["answer-only", arm],
        labels=[4], seeds=1, items=4, dtype="float32", device="cpu", error_budget=0.5,
    )  # fmt: skip
    trained: list[str] = []
    checkpoint = making.Checkpoint

    def counted(*arguments: Any) -> Any:
        trained.append("once")
        return checkpoint(*arguments)

    monkeypatch.setattr(making, "Checkpoint", counted)
    first, again = Told(), Told()
    summary = run(study, tmp_path / "d", observer=first)
    assert (summary.ran, len(summary.failed), len(trained)) == (1, 1, 1)
    [said] = first.said
    assert said.startswith("Diverged: tuning diverged: the ")
    assert said.endswith("at a peak learning rate of 3e+38")
    [noted] = (tmp_path / "d" / "tuned").iterdir()
    held = json.loads(noted.read_text())
    assert held["diverged"]["rate"] == 3e38
    assert held["diverged"]["steps"] == 5
    [failed] = (tmp_path / "d" / "cells").glob("*/failed.json")
    assert json.loads(failed.read_text())["error"] == said

    run(study, tmp_path / "d", observer=again)
    assert len(trained) == 1  # not once more
    assert again.said == [f"{said}; not tried again, since it would do the same: remove {noted} to try it"]

    noted.unlink()
    run(study, tmp_path / "d", observer=Told())
    assert len(trained) == 2
    assert noted.exists()
    held["by"]["environment"]["torch"] = "of another year"
    noted.write_text(json.dumps(held))
    run(study, tmp_path / "d", observer=Told())
    assert len(trained) == 3

    with pytest.raises(CellsFailed, match="first: Diverged: tuning diverged"):
        run(study.model_copy(update={"error_budget": 0.0}), tmp_path / "d")
