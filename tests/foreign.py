"""Results of other tools with outcomes of one's choice, made from the real files in tests/fixtures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
LM_EVAL, INSPECT = FIXTURES / "lm_eval", FIXTURES / "inspect"
SCORES = FIXTURES / "lm_eval_scores"
"""Perplexity, bits per byte, F1 and chrF of the same two models."""
ITEMS = 240
"""Documents of a made-up run: the real ones, again and again under names of their own."""


def harness_run(
    folder: Path, model: str, params: int | None, right: Sequence[bool], *, shots: int = 0, date: str | None = None
) -> Path:
    """A run of lm-eval on ``world_facts`` by ``model``: ``right`` says which documents it has right."""
    folder.mkdir(parents=True, exist_ok=True)
    (results,) = (LM_EVAL / "r2").glob("results_*.json")
    (samples,) = (LM_EVAL / "r2").glob("samples_world_facts_*.jsonl")
    content = json.loads(results.read_text())
    content |= {"model_name": model, "n-shot": {"world_facts": shots}}
    content["config"] |= {"model_num_parameters": params, "model_args": {"pretrained": model}}
    for table in ("results", "configs", "versions", "higher_is_better"):
        content[table] = {"world_facts": content[table]["world_facts"]}
    (folder / _dated(results.name, date)).write_text(json.dumps(content))
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    rows = [
        lines[place % len(lines)]
        | {"doc_id": place, "doc_hash": f"{place:064x}", "acc": float(hit), "acc_norm": float(hit)}
        for place, hit in enumerate(right)
    ]
    file = folder / _dated(samples.name, date)
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    restated(folder / _dated(results.name, date), file)
    return folder


def also(folder: Path, task: str, right: Sequence[bool]) -> None:
    """The run in ``folder`` also asked ``task``: other documents of the same form."""
    (results,), (samples,) = folder.glob("results_*.json"), folder.glob("samples_world_facts_*.jsonl")
    content = json.loads(results.read_text())
    for table in ("results", "configs", "versions", "higher_is_better", "n-shot"):
        content[table][task] = content[table]["world_facts"]
    results.write_text(json.dumps(content))
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    rows = [
        lines[place] | {"doc_hash": f"{task}{place}", "acc": float(hit), "acc_norm": float(hit)}
        for place, hit in enumerate(right)
    ]
    file = samples.with_name(samples.name.replace("world_facts", task))
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    restated(results, file, task)


def restated(results: Path, samples: Path, task: str = "world_facts") -> None:
    """The results file states what the samples file makes of its task."""
    content = json.loads(results.read_text())
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    for key in [key for key in content["results"][task] if "," in key and "_stderr" not in key]:
        metric, _, filter = key.partition(",")
        held = [row[metric] for row in rows if row["filter"] == filter and row[metric] is not None]
        content["results"][task][key] = sum(held) / len(held)
    content["n-samples"] = content.get("n-samples", {}) | {task: {"original": len(rows), "effective": len(rows)}}
    results.write_text(json.dumps(content))


def _dated(name: str, date: str | None) -> str:
    """The file's name with another date: ``2026-11-25``."""
    return name if date is None else name.replace("2026-11-24", date)


def edited_log(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """An inspect log (JSON) with something changed."""
    content = json.loads(source.read_text())
    change(content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content))
    return target


def copied(source: Path, target: Path) -> Path:
    """A copy of a folder."""
    shutil.copytree(source, target)
    return target
