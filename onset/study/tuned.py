"""A tuned model out of a results folder: what a study recommends, opened to be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.errors import StoreError
from onset.models import open_model
from onset.models.base import Model
from onset.results.read import read_cells
from onset.results.tuned import TunedFolder
from onset.study.served import is_served, with_adapter
from onset.tuning import tuner as open_tuner
from onset.tuning.base import Tuning
from onset.tuning.full import Full
from onset.tuning.lora import LoRA

if TYPE_CHECKING:
    from onset.tuning.verifier import Verifier


def open_tuned(folder: str | Path, *, device: str = "auto") -> Model:
    """The tuned model of ``folder`` (``D/tuned/ID`` of a results folder D): its base model with the weights beside it.

    It is asked as it was trained: with the question alone (tuned on prompts with demonstrations: with as many), through
    the chat template where the study tuned it so.
    The base model is opened as the study names it (paths as seen from where the study was run) and in the type of
    weights that it was measured in. Raises StoreError where the folder holds no tuned model, no cell of the results
    folder tells what it was tuned from, what a stage of training made of that was not kept, the weights are
    damaged or belong to another base model; ModelError where the base model cannot be opened.
    """
    folder = Path(folder)
    cell, base, method = _opened(folder, lambda one: one.get("tuned"), device)
    loaded: Model = with_adapter(base, folder) if is_served(base) else method.load(base, folder)  # type: ignore[arg-type]
    held = cell["tuned_revision"]
    if loaded.facts.revision != held:
        raise StoreError(f"{folder}: tuned from another model (revision {loaded.facts.revision}, the study has {held})")
    return loaded


def open_verifier(folder: str | Path, *, device: str = "auto") -> Verifier:
    """The verifier of ``folder`` (``D/tuned/ID``, ``verifier`` of a cell): ``rate(prompt, texts)`` scores texts as
    whole answers to a prompt, those of its generator (`open_tuned`). Raises as `open_tuned`.
    """
    from onset.tuning import verifier

    folder = Path(folder)
    cell, base, method = _opened(folder, lambda one: one.get("verifier", {}).get("id"), device)
    loaded = verifier.load(base, method, folder)  # type: ignore[arg-type]
    held = cell["verifier"]["revision"]
    if loaded.revision != held:
        raise StoreError(f"{folder}: learnt from another model (revision {loaded.revision}, the study has {held})")
    return loaded


def _opened(
    folder: Path, made: Callable[[Mapping[str, Any]], str | None], device: str
) -> tuple[Mapping[str, Any], Model, Tuning]:
    """A cell that ``made`` says needs the weights in ``folder``, the base model that they belong to, opened, and the
    way of tuning.
    """
    held = TunedFolder.of(folder)
    if not held.done:
        raise StoreError(f"{folder}: no tuned model here (a results folder keeps them in its folder tuned)")
    held.check(whole=True)
    cell = next((one for one in read_cells(folder.parents[1]) if made(one) == folder.name), None)
    if cell is None:
        raise StoreError(f"{folder}: no cell of {folder.parents[1]} says which model this was tuned from")
    said = cell["search"]["method"] if "search" in cell else cell["method_spec"]  # what a search took
    tuner = open_tuner(said["tune"], f"{folder}: 'tune'")
    dtype, rank = cell["environment"]["dtype"], tuner.rank if isinstance(tuner, LoRA) else 0
    base = open_model(cell["model_spec"], label=cell["model"], device=device, dtype=dtype, rank=rank)
    return cell, _staged(base, folder.parent, cell.get("made")), tuner


def _staged(base: Model, folder: Path, made: Mapping[str, Any] | None) -> Model:
    """What the stages of training that a cell names in ``made`` made of ``base``, out of ``folder``."""
    if made is None:
        return base
    names = [*([] if base.facts.stage == "base" else [base.facts.stage]), *(one["name"] for one in made["stages"])]
    for stage in made["stages"]:
        held = TunedFolder.of(folder / stage["made"])
        if not held.done:
            raise StoreError(
                f"{folder / stage['made']}: the weights after stage {stage['name']} were not kept; run the study with"
                " 'keep_full: true'"
            )
        held.check(whole=True)
        base = Full().load(base, held.local())  # type: ignore[arg-type]
    staged: Model = base.derive(base.module, replace(base.facts, stage=", ".join(names)))  # type: ignore[attr-defined]
    return staged
