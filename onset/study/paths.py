"""The paths of a study: relative to its file as they are written, to the working directory as they are used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onset.demos import DEMOS
from onset.models import rebase_spec
from onset.models.backend import under
from onset.prompting import PROMPTING
from onset.tuning import STAGES, TUNERS
from onset.votes import VOTES

if TYPE_CHECKING:
    from onset.study.entries import MethodEntry
    from onset.study.spec import Study
    from onset.study.text import TextEntry

_PATH_KEYS = ("path", "train", "test")


def rebase(study: Study, folder: Path) -> Study:
    """``study``, read from a file in ``folder``, with its paths as seen from the working directory."""
    models = tuple(
        entry.model_copy(update={"spec": rebase_spec(entry.spec, folder), "label": entry.label})
        for entry in study.models
    )
    tasks = tuple(one if isinstance(one, str) else _task(one, folder) for one in study.tasks)
    methods = tuple(one if isinstance(one, str) else _method(one, folder) for one in study.methods)
    elsewhere = tuple(one if isinstance(one, str) else _task(one, folder) for one in study.elsewhere)
    text = _text(study.text, folder)
    shifts = tuple(one if isinstance(one, str) else _shift(one, folder) for one in study.shifts)
    parts = tuple(rebase(part, folder) for part in study.parts)
    recipes = {name: _recipe(one, folder) for name, one in study.recipes.items()}
    return study.model_copy(
        update={"models": models, "tasks": tasks, "methods": methods, "recipes": recipes, "parts": parts}
        | {"elsewhere": elsewhere, "text": text, "shifts": shifts}
    )


def _shift(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A shift that names a file, a data set or a task of the user's own."""
    return {**_task(entry, folder), **_of_task(entry, folder)}


def _text(text: str | TextEntry | None, folder: Path) -> str | TextEntry | None:
    if text is None:
        return None
    if isinstance(text, str):
        return under(text, folder)
    return text.model_copy(update={"file": under(text.file, folder)})


def _recipe(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    paths = STAGES.load(settings.get("kind", "corpus")).paths
    moved = {path: _source(settings[path], folder) for path in paths if path in settings}
    return {**settings, **moved, **_of_task(settings, folder)}


def _source(value: Any, folder: Path) -> Any:
    """A file, a source of a mixture that names one, or a list of these. What else it is, the recipe itself refuses."""
    if isinstance(value, str):
        return under(value, folder)
    if isinstance(value, list | tuple):
        return [_source(one, folder) for one in value]
    if not isinstance(value, Mapping):
        return value
    file = value.get("file")
    moved = {"file": under(file, folder)} if isinstance(file, str) else {}
    return {**value, **moved, **_of_task(value, folder)}


def _of_task(value: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A task of the user's own with its files."""
    return {"task": _task(value["task"], folder)} if isinstance(value.get("task"), Mapping) else {}


def _method(entry: MethodEntry, folder: Path) -> MethodEntry:
    """A method with the files that its steps name as seen from the working directory."""
    held: dict[str, Any] = {}
    for key, table in (("prompt", PROMPTING), ("choose", DEMOS), ("vote", VOTES), ("tune", TUNERS)):
        step = getattr(entry, key)
        if not isinstance(step, Mapping) or "kind" not in step:
            continue
        kind = table.load(step["kind"])
        moved = {path: under(step[path], folder) for path in kind.paths if step.get(path) is not None}
        moved |= {one: rebase_spec(step[one], folder) for one in kind.models if step.get(one) is not None}
        held |= {key: {**step, **moved}} if moved else {}
    return entry.model_copy(update=held) if held else entry


def _task(task: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    rebased = dict(task)
    if isinstance(rebased.get("aliases"), str):
        rebased["aliases"] = under(rebased["aliases"], folder)
    if isinstance(rebased.get("hub"), str):  # the others then name splits of it
        if rebased["hub"].startswith((".", "/", "~")):
            path = under(rebased["hub"], folder)
            rebased["hub"] = path if path.startswith((".", "/")) else f"./{path}"
        return rebased
    for key in _PATH_KEYS:
        if isinstance(rebased.get(key), str):
            rebased[key] = under(rebased[key], folder)
    if isinstance(rebased.get("test_sets"), Mapping):
        rebased["test_sets"] = {name: under(str(one), folder) for name, one in rebased["test_sets"].items()}
    return rebased
