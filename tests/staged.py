"""Stages of training in tests: made up, in folders whose cells say so, and a small study that trains one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from results_json import read_json

from onset.analysis.estimates.stages import Training
from onset.study.spec import Study, make_study


def step(name: str, tokens: int, *, made: str | None = None, **settings: Any) -> dict[str, Any]:
    """A stage of ``cell.json``; ``settings`` beside a corpus of its own."""
    return {
        "name": name,
        "made": made or f"made-{name}",
        "step": {"kind": "corpus", "data": "hash", "steps": 10, **settings},
        "training": {"steps": 10, "tokens": tokens, "flops": 6.0 * tokens},
    }


def training(*steps: Mapping[str, Any]) -> Training:
    """What made a model."""
    return Training(tuple(steps))


def tell(folder: Path, made: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """Let the cells of ``folder`` say what made the models of each stage, of the label that the base model has."""
    for path in sorted(folder.glob("cells/*/cell.json")):
        held = read_json(path)
        if held["stage"] in made:
            held["model"] = held["model"].removesuffix(f"-{held['stage'].replace(' ', '-')}")
            held["made"] = {"id": held["stage"], "base_revision": "0", "stages": list(made[held["stage"]])}
            path.write_text(json.dumps(held), encoding="utf-8")
    return folder


def small_study(place: Path, **changes: Any) -> Study:
    """A tiny model of ``place`` (``model``), prompted and tuned, as it is and after a stage on its ``say.jsonl``."""
    values: dict[str, Any] = {
        "name": "s",
        "models": [{"spec": str(place / "model"), "label": "tiny", "family": "f"}],
        "tasks": [{"name": "coin-flip", "flips": 2, "pool": 20, "test": 10}],
        "methods": [{"prompt": "answer-only", "shots": 2}, {"tune": "lora", "on": "answers", "steps": 2}],
        "labels": [4],
        "seeds": 1,
        "items": 4,
        "dtype": "float32",
        "device": "cpu",
        "stages": [[], ["say"]],
        "recipes": {"say": {"data": str(place / "say.jsonl"), "steps": 2}},
    }
    return make_study(**(values | changes))
