"""A tuning method that one line registers goes all the way: conformance, plan, run, show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from models_fixtures import llama, save, tokenizer
from tuner_conformance import check, hf_model

import onset
from onset.cli import main
from onset.models.hf import HFModel
from onset.registry import Entry
from onset.study.runner import run
from onset.study.spec import read_study
from onset.tuning import TUNERS, tuner, weights
from onset.tuning.base import Example
from onset.tuning.beside import Beside, Put
from onset.tuning.shapes import Shapes


class Norms(Beside):
    """Trains the last normalisation alone."""

    kind = "norms"
    source = "a test"
    words = "Tuning of the last normalisation"
    flops = 2.5
    learning_rate = 1e-2
    trains = "the weights of the last normalisation"
    scale: float = 1.0

    def trained(self, shapes: Shapes) -> int:
        return shapes.hidden

    def put(self, model: HFModel, seed: int, examples: Sequence[Example]) -> Put:
        module = weights.copy_sharing(model.module)
        norm = module.get_submodule("model.norm")
        norm.weight = torch.nn.Parameter(self.scale * norm.weight.detach(), requires_grad=False)  # type: ignore[operator]
        return Put(module, self.held(module))

    def held(self, module: Any) -> Mapping[str, torch.nn.Parameter]:
        return {"norm": module.get_parameter("model.norm.weight")}


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TUNERS._entries, "norms", Entry(f"{__name__}:Norms", "the last normalisation"))


@pytest.mark.usefixtures("_registered")
def test_a_registered_tuner_holds_what_all_hold(tmp_path: Path) -> None:
    check(tuner({"kind": "norms", "scale": 0.5}), hf_model(llama()), tmp_path / "new")


@pytest.mark.usefixtures("_registered")
def test_a_registered_tuner_is_planned_run_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "tiny", llama(), tokenizer(bos=False))
    path = tmp_path / "study.yaml"
    study = {
        "name": "norms",
        "models": ["./tiny"],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": ["answer-only", {"tune": {"kind": "norms", "scale": 0.5}, "on": "answers", "steps": 3}],
        "labels": 2,
        "seeds": 1,
        "items": 6,
    }
    path.write_text(yaml.safe_dump(study))

    def printed(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert ended.value.code == 0, err
        return out

    planned = json.loads(printed("plan", str(path), "--json"))
    assert planned["models"][0]["tunings"] == 1
    assert run(read_study(path), tmp_path / "d").ran == 2
    assert "norms-scale0.5-answers-steps3" in printed("show", str(tmp_path / "d"))
    shown = json.loads(printed("show", str(tmp_path / "d"), "--json"))
    tuned = next(cell for cell in shown["cells"] if cell["tune"] == "norms")
    report = json.loads(next((tmp_path / "d" / "tuned").glob("*/tuning.json")).read_text())
    held = json.loads((tmp_path / "d" / "cells" / tuned["cell"] / "cell.json").read_text())
    assert tuned["flops_tuning"] == report["flops"] == 2.5 * held["facts"]["params_compute"] * report["tokens"]
    assert report["trained_params"] == 32
    inference = sum(cell["flops"] for cell in planned["grid"])
    assert 0.2 < (planned["flops"] - inference) / report["flops"] < 5
    listed = next(row for row in json.loads(printed("list", "methods", "--json")) if row["name"] == "norms")
    assert (listed["settings"], listed["kept"]) == (["scale=X (1)"], True)
    opened = onset.open_tuned(tmp_path / "d" / "tuned" / tuned["tuned"])
    assert opened.facts.revision == held["tuned_revision"]
