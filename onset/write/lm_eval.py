"""Onset's results in the files of lm-evaluation-harness 0.4.13 (the format is described in `lm_eval`).

    OUT/RUN/results_DATE.json            one run: a model, a method, a number of labels, a shift and a seed
    OUT/RUN/samples_TASK_DATE.jsonl      one line an item, filter ``none``, metric ``exact_match``

The run is the model's name there; its parts stand in ``config.model_args``. ``doc`` is question, answer and Onset's
item id; of several right answers the answer is the list, in ``target`` too. An answer that was not found is
``[invalid]``, as a filter of the harness writes it. ``gold_logprob`` and ``gold_prob`` are metrics of the lines that
have them, with their mean where every line has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onset.read.base import safe
from onset.read.lm_eval_samples import INVALID, hash_of
from onset.write.base import ExportRun, json_bytes, lines_bytes, own_version

METRIC = "exact_match"
SCORES = ("gold_logprob", "gold_prob")


def write(runs: Sequence[ExportRun]) -> Iterable[tuple[Path, bytes]]:
    """Relative path and content of every file."""
    for run in runs:
        folder, date = Path(safe(run.name)), run.finished.strftime("%Y-%m-%dT%H-%M-%S.%f")
        lines = [
            [_line(record, voted=cell["vote"] is not None) for record in records]
            for cell, records in zip(run.cells, run.records, strict=True)
        ]
        for cell, rows in zip(run.cells, lines, strict=True):
            yield folder / f"samples_{safe(cell['task'])}_{date}.jsonl", lines_bytes(rows)
        yield folder / f"results_{date}.json", json_bytes(_results(run, lines))


def _line(record: Mapping[str, Any], *, voted: bool) -> dict[str, Any]:
    gold = golds_of(record)
    doc = {"question": record["question"], "answer": gold, "item": record["item"]}
    scores = {name: record[name] for name in SCORES if record[name] is not None}
    return {
        "doc_id": record["position"],
        "doc": doc,
        "target": gold,
        "arguments": {"gen_args_0": {"arg_0": record["prompt"], "arg_1": {"do_sample": voted}}},
        "resps": [list(record["outputs"])],
        "filtered_resps": [INVALID if record["answer"] is None else record["answer"]],
        "filter": "none",
        "metrics": [METRIC, *scores],
        "doc_hash": hash_of(json.dumps(doc, indent=2, ensure_ascii=False)),
        "prompt_hash": hash_of(record["prompt"]),
        "target_hash": hash_of(str(gold)),
        METRIC: float(record["correct"]),
        **scores,
    }


def golds_of(record: Mapping[str, Any]) -> str | list[str]:
    """The right answer, or the list of all of them where there are several, as the harness's own tasks have it."""
    return list(record["golds"]) if record["golds"] else str(record["gold"])


def _results(run: ExportRun, lines: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    tasks = [str(cell["task"]) for cell in run.cells]
    rows = dict(zip(tasks, lines, strict=True))
    cells = dict(zip(tasks, run.cells, strict=True))
    metrics = {task: [name for name in (METRIC, *SCORES) if all(name in row for row in rows[task])] for task in tasks}
    return {
        "results": {task: _scores(task, rows[task], metrics[task]) for task in tasks},
        "group_subtasks": {},
        "configs": {task: _config(run, cells[task]) for task in tasks},
        "versions": {task: cells[task]["task_hash"] for task in tasks},
        "n-shot": {task: cells[task]["demonstrations"] for task in tasks},
        "higher_is_better": {task: dict.fromkeys(metrics[task], True) for task in tasks},
        "n-samples": {task: {"original": len(rows[task]), "effective": len(rows[task])} for task in tasks},
        "config": {
            "model": "onset",
            "model_args": {"pretrained": run.model, **run.setting},
            "model_num_parameters": run.cells[0]["params"],
            "model_dtype": None,
            "model_revision": None,
            "model_sha": None,
            "batch_size": None,
            "batch_sizes": [],
            "device": None,
            "use_cache": None,
            "limit": None,
            "bootstrap_iters": 0,
            "gen_kwargs": {},
            "random_seed": run.seed,
            "numpy_seed": None,
            "torch_seed": None,
            "fewshot_seed": run.seed,
        },
        "git_hash": None,
        "date": run.finished.timestamp(),
        "lm_eval_version": None,
        "onset_version": own_version(),
        "task_hashes": {task: _task_hash(rows[task]) for task in tasks},
        "model_source": "onset",
        "model_name": run.name,
        "model_name_sanitized": safe(run.name),
        "system_instruction": None,
        "chat_template": None,
    }


def _scores(task: str, rows: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> dict[str, Any]:
    held: dict[str, Any] = {"name": task, "alias": task, "sample_len": len(rows)}
    for metric in metrics:
        values = np.array([row[metric] for row in rows])
        held[f"{metric},none"] = float(values.mean())
        known = len(rows) > 1
        held[f"{metric}_stderr,none"] = float(values.std(ddof=1) / len(rows) ** 0.5) if known else "N/A"
    return held


def _config(run: ExportRun, cell: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "task": cell["task"],
        "output_type": "generate_until",
        "num_fewshot": cell["demonstrations"],
        "metric_list": [{"metric": METRIC, "aggregation": "mean", "higher_is_better": True}],
        "repeats": cell["vote"] or 1,
        "metadata": {"study": run.study, "cell": cell["cell"], "chance": cell["chance"], **run.setting},
    }


def _task_hash(rows: Sequence[Mapping[str, Any]]) -> str:
    return hash_of("".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows))
