"""Results of lm-evaluation-harness 0.4.x: ``results_DATE.json`` and ``samples_TASK_DATE.jsonl``.

    OUTPUT_PATH/MODEL/results_2026-01-31T12-00-00.000000.json         scores, configurations, model_num_parameters
    OUTPUT_PATH/MODEL/samples_gsm8k_2026-01-31T12-00-00.000000.jsonl  with --log_samples: a line a document and filter

Format: https://github.com/EleutherAI/lm-evaluation-harness, ``lm_eval/result_schema.py`` and
``lm_eval/loggers/evaluation_tracker.py`` (0.4.13). Items are keyed by ``doc_hash``; the same document twice in a task
is kept twice (``HASH``, ``HASH#2``, in the order of ``doc_id``). A line repeated with the same ``doc_id`` and filter
(appended twice, or padding between GPUs) counts once when it says the same and is refused when it does not. Files
without ``doc_hash`` (before 0.4.3) get the hash that later versions compute of ``doc``.

Of multiple choice the log-probabilities of the choices are read too: ``gold_logprob`` (nats) and ``gold_prob``
(normalised over the choices). Groups of tasks (``group_subtasks``) are means of their tasks and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onset.analysis.outcomes import Outcomes
from onset.analysis.words import listed
from onset.errors import DataError
from onset.read.base import Sizes, parse_json, read_text, safe
from onset.read.lm_eval_results import TaskScore, is_results, model_name, read_results, shots, task_scores
from onset.read.lm_eval_samples import read_samples

_DATE = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?"
_SAMPLES = re.compile(rf"samples_(?P<task>.+)_(?P<date>{_DATE})\.jsonl")
_DATED = re.compile(rf".+_(?P<date>{_DATE})\.json")


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the harness: its results file (None: only samples are there), date and samples files by task."""

    date: str
    results: Path | None
    samples: Mapping[str, Path]
    source: Path

    def content(self) -> dict[str, Any]:
        """The results file, as written; empty without one."""
        return {} if self.results is None else read_results(self.results)


def find(path: Path) -> list[Run]:
    """The runs under a folder (at any depth), or that of one results or samples file, in order of path and date."""
    if path.is_dir():
        files = [file for pattern in ("*.json", "*.jsonl") for file in sorted(path.rglob(pattern))]
    else:
        match = _SAMPLES.fullmatch(path.name) or _DATED.fullmatch(path.name)
        beside = sorted(path.parent.iterdir()) if match else [path]
        files = [file for file in beside if file == path or (match and match["date"] in file.name)]
        if _is_samples_file(path):
            files = [file for file in files if file == path or file.suffix == ".json"]
    groups: dict[tuple[Path, str], dict[str, Any]] = {}
    for file in files:
        samples, dated = _SAMPLES.fullmatch(file.name), _DATED.fullmatch(file.name)
        if samples or (file == path and _is_samples_file(file)):
            date, task = (samples["date"], samples["task"]) if samples else ("", file.stem)
            groups.setdefault((file.parent, date), {"samples": {}})["samples"][task] = file
        elif _is_results_file(file, named=file == path):
            groups.setdefault((file.parent, dated["date"] if dated else ""), {"samples": {}})["results"] = file
    return [
        Run(date, held.get("results"), held["samples"], path if path.is_file() else folder)
        for (folder, date), held in sorted(groups.items())
    ]


def _is_results_file(file: Path, *, named: bool) -> bool:
    likely = named or file.name.startswith("results") or _DATED.fullmatch(file.name) is not None
    return file.suffix == ".json" and likely and is_results(parse_json(read_text(file), str(file)))


def _is_samples_file(path: Path) -> bool:
    return path.suffix == ".jsonl"


def read(path: Path, sizes: Sizes, *, texts: bool = False) -> tuple[Outcomes, ...]:
    """The outcomes of every task, filter and metric under ``path``; ``texts``: with what was asked and answered.

    Of several runs of one task with as many examples in one folder the latest is read, and a note says so. Raises
    DataError for a damaged file, a line without what the format promises, and when no run has samples, or none with a
    number for a document.
    """
    runs = find(path)
    if runs and not any(run.samples for run in runs):
        raise DataError(f"{path}: no per-item results (samples_*.jsonl): run lm-eval with --log_samples")
    contents = {id(run): run.content() for run in runs}
    asked: dict[tuple[Path, str], set[str | None]] = {}
    for run in runs:
        for task, file in run.samples.items():
            asked.setdefault((file.parent, task), set()).add(shots(contents[id(run)], task))
    latest: dict[tuple[Path, str, str | None], tuple[Run, list[str]]] = {}
    for run in runs:
        for task, file in run.samples.items():
            of_file = file.parent, task
            # a run that does not say its examples may be any of the others
            key = *of_file, None if None in asked[of_file] else shots(contents[id(run)], task)
            known = latest.get(key)
            earlier = [] if known is None else [*known[1], known[0].date]
            latest[key] = run, earlier
    notes = [f"{one.task}: no samples file, so no per-item results" for _, _, (one, *_) in scores(path, sizes)]
    out: list[Outcomes] = []
    lacking = []
    for (_, task, _), (run, earlier) in latest.items():
        said = [f"{task}: of {len(earlier) + 1} runs the latest was read ({run.date})"] if earlier else []
        made = read_samples(run.samples[task], task, contents[id(run)], sizes, [*said, *notes], texts=texts)
        if not made:
            lacking.append(f"{task}: no metric has a number for each document in its samples, so no per-item results")
        out += made
    if latest and not out:
        files = listed([str(run.samples[task]) for (_, task, _), (run, _) in latest.items()])
        raise DataError(f"{files}: no metric with a number for a document")
    return tuple(replace(one, notes=(*one.notes, *lacking)) for one in out)


def scores(path: Path, sizes: Sizes, *, sampled_too: bool = False) -> list[tuple[str, float | None, list[TaskScore]]]:
    """Model, size and scores of every task under ``path`` that has no samples (with ``sampled_too``: of every task),
    from the results files: the latest where it is there twice.
    """
    out: dict[tuple[Path, str, str | None], tuple[str, float | None, list[TaskScore]]] = {}
    runs = [] if _is_samples_file(path) else find(path)  # a samples file that is named stands for its task alone
    sampled = {(file.parent, task) for run in runs for task, file in run.samples.items() if not sampled_too}
    for run in runs:
        if run.results is None:
            continue
        content = run.content()
        model = model_name(content, run.source)
        size = sizes.of(model, content.get("config", {}).get("model_num_parameters"))
        for task, one in task_scores(content).items():
            if (run.results.parent, safe(task)) not in sampled and (run.results.parent, task) not in sampled:
                out[run.results.parent, task, shots(content, task)] = (model, size, one)
    return list(out.values())
