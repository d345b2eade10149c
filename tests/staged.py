"""Results of stages of training that are made up: what made a model, and folders whose cells say so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onset.analysis.estimates.stages import Training
from onset.results.files import read_json


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
    """Let the cells of ``folder`` say what made the models of each stage."""
    for path in sorted(folder.glob("cells/*/cell.json")):
        held = read_json(path)
        if held["stage"] in made:
            held["made"] = {"id": held["stage"], "base_revision": "0", "stages": list(made[held["stage"]])}
            path.write_text(json.dumps(held), encoding="utf-8")
    return folder
