"""Which dtype a model computes in when none is asked for, and that a study keeps to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from models_fixtures import llama, save, tokenizer
from transformers import LlamaConfig

import onset
from onset.models import dtypes, open_model
from onset.models.hf import HFModel
from onset.study.runner import run
from onset.study.spec import Study

LARGE = LlamaConfig(
    vocab_size=50_000, hidden_size=512, intermediate_size=1536, num_hidden_layers=20, num_attention_heads=8
)


def never(_: object) -> tuple[float, float]:
    raise AssertionError("no trial was to be made")


def test_a_small_model_computes_in_float32_without_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtypes, "gains", never)
    assert dtypes.choose(llama().config, "cpu") == "float32"
    assert dtypes.choose(llama().config, "cuda") == "bfloat16"


@pytest.mark.parametrize(
    ("few", "many", "chosen"), [(1.3, 1.25, "bfloat16"), (3.0, 1.1, "float32"), (0.5, 2.0, "float32")]
)
def test_bfloat16_must_be_clearly_faster_at_few_rows_and_at_many(
    few: float, many: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtypes, "gains", lambda _: (few, many))
    assert dtypes.choose(LARGE, "cpu") == chosen


def test_the_trial_of_this_processor_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial itself; the linear layers are torch's again after it."""
    plain = torch.nn.functional.linear
    seen = dtypes.gains(LARGE)
    assert min(seen) > 0
    assert torch.nn.functional.linear is plain
    monkeypatch.setattr(dtypes, "gains", lambda _: seen)
    assert dtypes.choose(LARGE, "cpu") == ("bfloat16" if min(seen) >= dtypes.MARGIN else "float32")


def test_a_model_is_loaded_in_the_type_that_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(save(tmp_path / "model", llama(), tokenizer(bos=False)))
    monkeypatch.setattr(dtypes, "SMALL", 0)
    for gain, chosen in ((2.0, torch.bfloat16), (1.0, torch.float32)):
        monkeypatch.setattr(dtypes, "gains", lambda _, gain=gain: (gain, gain))
        model = open_model(folder, device="cpu")
        assert isinstance(model, HFModel)
        assert {weight.dtype for weight in model.module.parameters()} == {chosen}
        assert model.facts.dtype == str(chosen).removeprefix("torch.")
    asked = open_model(folder, device="cpu", dtype="bfloat16")  # who asks is not second-guessed
    assert asked.facts.dtype == "bfloat16"


def test_a_study_that_has_begun_keeps_its_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though a later trial says otherwise: a study resumed on a busy machine must not change in its middle."""
    folder = str(save(tmp_path / "model", llama(), tokenizer(bos=False)))
    monkeypatch.setattr(dtypes, "SMALL", 0)

    def study(seeds: list[int]) -> Study:
        return onset.Study.model_validate(
            {
                "name": "kept",
                "models": [{"spec": folder, "label": "tiny"}],
                "tasks": [{"name": "coin-flip", "flips": 2, "pool": 40, "test": 20}],
                "methods": ["answer-only"],
                "labels": [2],
                "seeds": seeds,
                "items": 4,
                "device": "cpu",
            }
        )

    def types() -> list[str]:
        files = sorted((tmp_path / "out").glob("cells/*/cell.json"))
        return [json.loads(file.read_text())["facts"]["dtype"] for file in files]

    monkeypatch.setattr(dtypes, "gains", lambda _: (2.0, 2.0))
    run(study([0]), tmp_path / "out")
    monkeypatch.setattr(dtypes, "gains", lambda _: (1.0, 1.0))
    run(study([0, 1]), tmp_path / "out")
    assert types() == ["bfloat16", "bfloat16"]
    run(study([0, 1]), tmp_path / "anew")
    assert json.loads(next((tmp_path / "anew").glob("cells/*/cell.json")).read_text())["facts"]["dtype"] == "float32"
    [cell, *_] = (tmp_path / "out" / "cells").iterdir()
    (cell / "done.json").unlink()  # begun, not finished
    for other in (tmp_path / "out" / "cells").iterdir():
        if other != cell:
            (other / "done.json").unlink()
    run(study([0, 1]), tmp_path / "out")
    assert types() == ["bfloat16", "bfloat16"]


def test_a_plan_counts_on_the_type_that_will_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    from onset.study import estimate

    measured: list[tuple[str, str]] = []
    speeds = {"float32": 1e11}

    def measure(device: str, dtype: str) -> float:
        measured.append((device, dtype))
        return speeds[dtype]

    monkeypatch.setattr(estimate, "measure_speed", measure)
    small, large = estimate.Size(10**6, 512), estimate.Size(10**9, 512)
    for fast, of_large in ((2e11, 2e11), (1.1e11, 1e11)):
        speeds["bfloat16"] = fast
        known: dict[str, float] = {}
        assert estimate._speed("auto", "cpu", small, known) == 1e11
        assert estimate._speed("auto", "cpu", large, known) == of_large
    assert estimate._speed("bfloat16", "cpu", small, {}) == speeds["bfloat16"]
    assert measured.count(("cpu", "float32")) == 2  # once a plan
