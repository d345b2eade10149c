"""What is written of a cell beside its records: ``cell.json`` (docs/notes/formats.md)."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version as installed_version
from typing import Any

from onset.methods import Method
from onset.models.base import Model
from onset.models.chat import ChatTemplate
from onset.pipeline import ASKING
from onset.plan import ExamplePlan, Use
from onset.results.cell import CellFolder
from onset.results.folder import Store
from onset.study.cell import Cell
from onset.tasks.base import Task
from onset.tuning.base import TuningReport


def template_json(chat: ChatTemplate | None) -> dict[str, str | None]:
    """How a cell is asked, for ``cell.json``."""
    return {"template": "plain" if chat is None else "chat", "template_hash": None if chat is None else chat.hash}


def asked_by(cell: Cell, store: Store) -> Method:
    """The method of a finished cell as it was asked: with the template that its search took, where it has one."""
    if cell.search is None:
        return cell.method
    held = store.cell(cell.id).facts()["search"]["method"]
    return replace(cell.method, template=held.get("template"))


def held_template(folder: CellFolder) -> dict[str, str | None]:
    """How a finished cell was asked. (Before there were templates all were asked in plain text.)"""
    facts = folder.facts()
    return {"template": facts.get("template", "plain"), "template_hash": facts.get("template_hash")}


def alike(held: Any, said: Any) -> bool:
    """Equal, as far as both say: that a folder of earlier lacks a fact is nothing against it."""
    if isinstance(held, Mapping) and isinstance(said, Mapping):
        return all(held[key] == said[key] for key in held if key in said)
    return bool(held == said)


def cell_json(
    cell: Cell, base: Model, task: Task, plan: ExamplePlan, ledger: Sequence[Use], report: TuningReport | None
) -> dict[str, Any]:
    """``cell.json``, but for the facts of the model and the template."""
    return {
        "id": cell.id,
        "model": cell.model,
        "model_spec": cell.model_spec,
        "stage": base.facts.stage,
        "method": cell.method.name,
        "method_spec": cell.method.spec(),
        "labels": cell.labels,
        "task": cell.task,
        "ability": task.ability,
        "task_hash": cell.task_hash,
        "task_source": task.source,
        "chance": task.chance,
        "shift": cell.shift,
        "seed": cell.seed,
        "items": cell.items,
        "chunk": cell.chunk,
        "asking": ASKING,
        "plan_hash": plan.hash,
        "ledger": [line.to_json() for line in ledger],
        "tuned": cell.tuned,
        "tuning": None if report is None else report.to_json(),
        "environment": environment(base),
        **({"elsewhere": {"task": cell.home and cell.home[0]}} if cell.aside else {}),
    }


def environment(model: Model) -> dict[str, str | None]:
    """Versions of what computed, and on what."""
    own: Mapping[str, str] = getattr(model, "versions", {})  # of what runs it, where that is not transformers
    return {**versions(), **own, "device": model.facts.device, "dtype": model.facts.dtype}


def runs_it(environment: Mapping[str, str | None]) -> str:
    """What ran a model, by its `environment`: results of two engines are not put into one folder under one label."""
    return "vLLM" if environment.get("vllm") else "Onset"


def versions() -> dict[str, str | None]:
    """Of what shapes results here; None: it is not installed."""

    def of(package: str) -> str | None:
        try:
            return installed_version(package)
        except ModuleNotFoundError:
            return None

    return {
        "onset": of("lm-onset"),
        "python": platform.python_version(),
        "torch": of("torch"),
        "transformers": of("transformers"),
    }
