"""The results file of one run of lm-evaluation-harness: its model, how it asked, and its scores by task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

from onset.errors import DataError
from onset.read.base import expect, is_number, parse_json, read_text, safe
from onset.read.lm_eval_metrics import lower_is_better

_SHAPE = {
    "results": {"*": dict},
    "configs": ({"*": (dict, NoneType)}, NoneType),
    "config": dict,
    "higher_is_better": ({"*": dict}, NoneType),
    **dict.fromkeys(("group_subtasks", "groups", "versions", "n-shot", "n-samples"), (dict, NoneType)),
}
_NO_REVISION = ("", "main", "none")


@dataclass(frozen=True, slots=True)
class TaskScore:
    """A score of the results file: ``value`` with its standard error (None: ``N/A``); ``method`` as in `shots`; ``n``:
    documents (None: not said); ``higher_is_better``: as the harness says, else as its metrics of that name are.
    """

    task: str
    method: str | None
    metric: str
    filter: str
    value: float
    stderr: float | None
    n: int | None = None
    higher_is_better: bool = True


def is_results(content: Any) -> bool:
    """Does a JSON document look like a results file?"""
    return isinstance(content, dict) and isinstance(content.get("results"), dict) and "configs" in content


def read_results(path: Path) -> dict[str, Any]:
    """A results file. Raises DataError when it is none, and for a key that has another type than the harness writes."""
    content = parse_json(read_text(path), str(path))
    if not is_results(content):
        raise DataError(f"{path}: expected an lm-eval results file with the keys results and configs")
    expect(content, _SHAPE, str(path), "")
    return dict(content)


def task_scores(content: Mapping[str, Any]) -> dict[str, list[TaskScore]]:
    """Task -> its scores; groups of tasks, which are means of theirs, are left out."""
    groups = {name for name, members in (content.get("group_subtasks") or {}).items() if members}
    groups |= set(content.get("groups") or {})
    found: dict[str, list[TaskScore]] = {}
    for task, row in content.get("results", {}).items():
        for key, value in row.items() if task not in groups else ():
            metric, comma, filter = key.partition(",")
            if not comma or metric.endswith("_stderr") or not is_number(value):
                continue
            stderr = row.get(f"{metric}_stderr,{filter}")
            error = float(stderr) if is_number(stderr) else None
            n, better = documents(content, task), higher_is_better(content, task, metric)
            score = TaskScore(task, shots(content, task), metric, filter, float(value), error, n, better)
            found.setdefault(task, []).append(score)
    return found


def higher_is_better(content: Mapping[str, Any], task: str, metric: str) -> bool:
    """As the results file says it of the task, else as the harness means a metric of that name."""
    said = (content.get("higher_is_better") or {}).get(task, {}).get(metric)
    return said if isinstance(said, bool) else not lower_is_better(metric)


def documents(content: Mapping[str, Any], task: str) -> int | None:
    """How many documents the task's scores are of; None where it is not said."""
    held = (content.get("n-samples") or {}).get(task)
    count = held.get("effective") if isinstance(held, Mapping) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None


def shots(content: Mapping[str, Any], task: str) -> str | None:
    """How the harness asked, as far as it says: ``5-shot``; None where no results file is there.

    ``task``: by its name, or by that of its samples file.
    """
    held = content.get("n-shot") or {}
    count = next((held[name] for name in held if task in (name, safe(name))), None)
    return f"{count}-shot" if isinstance(count, int) and not isinstance(count, bool) else None


def model_name(content: Mapping[str, Any], source: Path) -> str:
    """The model's name, of a local path its last part, the folder's where there is no results file; with its revision
    where that is not the main one: ``pythia-70m (step1000)``.
    """
    config = content.get("config", {})
    asked = config.get("model_args")
    if isinstance(asked, str):
        asked = dict(part.partition("=")[::2] for part in asked.split(",")) if "=" in asked else {"pretrained": asked}
    asked = asked if isinstance(asked, Mapping) else {}
    name = content.get("model_name") or asked.get("pretrained") or asked.get("model")
    if not isinstance(name, str) or not name:
        return (source.parent if source.is_file() else source).name
    name = dict(part.partition("=")[::2] for part in name.split(",")).get("pretrained", name)
    name = Path(name).name if name.startswith(("/", ".", "~")) else name
    revision = asked.get("revision") or config.get("model_revision")
    main = not isinstance(revision, str) or revision.casefold() in _NO_REVISION
    return name if main else f"{name} ({revision})"
