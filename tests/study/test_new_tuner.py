"""A tuning method that one line registers goes all the way: plan, run, show."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
import yaml
from models_fixtures import llama, save, tokenizer

from onset.cli import main
from onset.models.hf import HFModel
from onset.registry import Entry
from onset.study.runner import run
from onset.study.spec import read_study
from onset.tuning import TUNERS, weights
from onset.tuning.base import Example, Progress, Schedule, Seeds, TuningReport
from onset.tuning.loop import encode, train


@dataclass(frozen=True)
class Norms:
    """Trains the last normalisation alone."""

    name: ClassVar[str] = "norms"
    flops: ClassVar[float] = 2.5
    whole: ClassVar[bool] = False

    def tune(
        self,
        model: HFModel,
        examples: Sequence[Example],
        seeds: Seeds,
        schedule: Schedule,
        progress: Progress | None = None,
    ) -> tuple[HFModel, TuningReport]:
        rows = encode(model.tokenizer, examples, schedule.limit(model.facts.context))
        module = copy.deepcopy(model.module).requires_grad_(False)
        trained = self._trained(module)
        for weight in trained.values():
            weight.requires_grad_(True)
        trace = train(module, rows, seeds, schedule, 1e-2, pad=0, progress=progress)
        return weights.tuned_model(model, module, trained), trace.report(
            self.flops * model.facts.params_compute, trained
        )

    def save(self, tuned: HFModel, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        weights.write(self._trained(tuned.module), folder / "norms.safetensors", tuned.facts.revision)

    def load(self, model: HFModel, folder: Path) -> HFModel:
        module = copy.deepcopy(model.module).requires_grad_(False)
        trained = self._trained(module)
        weights.read_into(trained, folder / "norms.safetensors", model)
        return weights.tuned_model(model, module, trained)

    def _trained(self, module: torch.nn.Module) -> Mapping[str, torch.nn.Parameter]:
        return {name: one for name, one in module.named_parameters() if name == "model.norm.weight"}


def test_a_registered_tuner_is_planned_run_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(TUNERS._entries, "norms", Entry(f"{__name__}:Norms", "the last normalisation"))
    save(tmp_path / "tiny", llama(), tokenizer(bos=False))
    path = tmp_path / "study.yaml"
    study = {
        "name": "norms",
        "models": ["./tiny"],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
        "methods": ["answer-only", {"tune": "norms", "on": "answers", "steps": 3}],
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
    assert "norms-answers-steps3" in printed("show", str(tmp_path / "d"))
    shown = json.loads(printed("show", str(tmp_path / "d"), "--json"))
    tuned = next(cell for cell in shown["cells"] if cell["tune"] == "norms")
    report = json.loads(next((tmp_path / "d" / "tuned").glob("*/tuning.json")).read_text())
    facts = json.loads((tmp_path / "d" / "cells" / tuned["cell"] / "cell.json").read_text())["facts"]
    assert tuned["flops_tuning"] == report["flops"] == 2.5 * facts["params_compute"] * report["tokens"]
    assert report["trained_params"] == 32
    inference = sum(cell["flops"] for cell in planned["grid"])
    assert 0.2 < (planned["flops"] - inference) / report["flops"] < 5
