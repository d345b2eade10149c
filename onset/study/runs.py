"""Several seeds of pretraining of one size: a folder of them stands for a model each, and each says its seed.

    models: [./trained/r2-8M]                                     every seed-N in it (`onset ladder train --seeds`)
    models: [{spec: EleutherAI/pythia-70m-seed3, family: pythia, pretraining_seed: 3}]

Models of one family, size and stage with different seeds of pretraining are runs of one size
(`onset.analysis.emergence.seeds`), which are something else than draws of examples (``seeds`` of a study).
"""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.errors import StudyError
from onset.models import default_label, split_spec
from onset.models.base import ModelFacts

if TYPE_CHECKING:
    from onset.study.entries import ModelEntry
    from onset.study.grid import Grid
    from onset.study.spec import Study

_SEED = re.compile(r"seed-(\d+)")


def with_runs(study: Study) -> Study:
    """``study`` with every folder of seeds in the place of which its models stand, in the order of their seeds.

    Raises StudyError for a seed of such a folder that is not trained to its end: leaving it out would make the share
    of seeds another one.
    """
    models = tuple(one for entry in study.models for one in _runs(entry))
    return study.model_copy(update={"models": models, "parts": tuple(with_runs(part) for part in study.parts)})


def facts_of(grid: Grid, label: str, facts: ModelFacts) -> dict[str, Any]:
    """The ``facts`` of a cell's model as JSON, with what the study says of it in their place."""
    entries = [one for part in grid.study.grids() for one in part.models]
    told = [one.pretraining_seed for one in entries if (one.label or default_label(one.spec)) == label]
    seed = next((one for one in told if one is not None), facts.pretraining_seed)
    return {**asdict(facts), "family": grid.families.get(label) or facts.family, "pretraining_seed": seed}


def _runs(entry: ModelEntry) -> list[ModelEntry]:
    kind, target = split_spec(entry.spec)
    folder = Path(target).expanduser()
    if kind != "hf" or not folder.is_dir() or (folder / "config.json").exists():
        return [entry]
    found = sorted((int(match[1]), one) for one in folder.iterdir() if (match := _SEED.fullmatch(one.name)))
    if not found:
        return [entry]
    if entry.pretraining_seed is not None:
        raise StudyError(f"study: {entry.spec} holds {len(found)} seeds: leave out 'pretraining_seed'")
    open_ones = [one.name for _, one in found if not (one / "config.json").exists() or (one / "checkpoint.pt").exists()]
    if open_ones:
        raise StudyError(
            f"study: {entry.spec} holds seeds that are not trained to their end: {', '.join(open_ones)}; call onset"
            " ladder train again, or name the others one by one"
        )
    name = entry.label or folder.resolve().name
    return [
        entry.model_copy(
            update={"spec": f"{target.rstrip('/')}/{one.name}", "label": f"{name}/{one.name}", "pretraining_seed": seed}
        )
        for seed, one in found
    ]
