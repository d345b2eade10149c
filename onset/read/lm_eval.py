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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onset.analysis.outcomes import Measure, Outcomes, Stated
from onset.analysis.words import listed
from onset.errors import DataError
from onset.read.base import Sizes, json_lines, parse_json, read_text, safe
from onset.read.lm_eval_results import TaskScore, documents, is_results, model_name, read_results, shots, task_scores
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


@dataclass(frozen=True, eq=False)
class Asked:
    """A task as one run asked it: ``content``, its results file, is empty without one; ``samples`` None without any."""

    task: str
    run: Run
    content: Mapping[str, Any]
    samples: Path | None

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self.file.parent

    @property
    def file(self) -> Path:
        """The samples, else the results file."""
        return self.samples or self.run.results or self.run.source

    @property
    def model(self) -> str:
        """The model's name."""
        return model_name(self.content, self.samples or self.run.source)

    @property
    def size(self) -> Any:
        """The model's parameters, as the results file has them."""
        return self.content.get("config", {}).get("model_num_parameters")

    @property
    def shots(self) -> str | None:
        """How it was asked, as far as it says."""
        return shots(self.content, self.task)

    @property
    def scores(self) -> list[TaskScore]:
        """What the results file states."""
        return task_scores(self.content).get(self.task, [])

    def documents(self) -> int | None:
        """How many were asked; None where it is not said."""
        if self.samples is None:
            return documents(self.content, self.task)
        return len({str(row.get("doc_id")) for _, row in json_lines(self.samples)})


def chosen(runs: Sequence[Run], *, named: bool) -> list[tuple[Asked, list[str]]]:
    """Every task of ``runs`` by every model and number of examples, as the run asked it that is read, with what is
    to be said of that: of several in one folder that of the most documents (one with samples before all others), of
    these the latest.

    Raises DataError where a run that does not say its model or examples could be of several.
    """
    held: dict[tuple[Path, str], list[Asked]] = {}
    for run in runs:
        for one in _asked(run, named=named):
            held.setdefault((one.folder, safe(one.task)), []).append(one)
    out = []
    for several in held.values():
        for of_model in _told_apart(several, lambda one: one.model if one.content else None):
            out += [_of_several(same) for same in _told_apart(of_model, lambda one: one.shots)]
    return out


def _asked(run: Run, *, named: bool) -> list[Asked]:
    """The tasks of a run; ``named``: a samples file was named, which stands for its task alone."""
    content = run.content()
    told = task_scores(content)
    known = {safe(name): name for name in (*(content.get("configs") or {}), *told)}
    files = {known.get(safe(name), name): file for name, file in run.samples.items()}
    tasks = files if named else dict.fromkeys((*files, *told))
    return [Asked(task, run, content, files.get(task)) for task in tasks]


def _told_apart(held: Sequence[Asked], by: Callable[[Asked], str | None]) -> list[list[Asked]]:
    """Those of which ``by`` says the same; one of which it says nothing may be any other."""
    groups: dict[str | None, list[Asked]] = {}
    for one in held:
        groups.setdefault(by(one), []).append(one)
    unknown = groups.pop(None, [])
    if unknown and len(groups) > 1:
        names = " or ".join(map(str, groups))
        raise DataError(f"{unknown[0].file}: no results file says whether it is of {names}: name the files to read")
    return [[*next(iter(groups.values()), []), *unknown]] if unknown else list(groups.values())


def _of_several(same: Sequence[Asked]) -> tuple[Asked, list[str]]:
    if len(same) == 1:
        return same[0], []
    sampled = [one for one in same if one.samples is not None] or same
    counts = {id(one): one.documents() for one in sampled}
    told = None not in counts.values()
    read = max(sampled, key=lambda one: (counts[id(one)] or 0 if told else 0, one.run.date))
    latest = max(same, key=lambda one: one.run.date)
    said = f"{read.task}: of {len(same)} runs the latest was read ({read.run.date})"
    if read is not latest:
        has = f"{counts[id(latest)]} documents" if id(latest) in counts else "no samples"
        said = (
            f"{read.task}: of {len(same)} runs that of {read.run.date} was read, with {counts[id(read)]} documents:"
            f" the latest ({latest.run.date}) has {has}"
        )
    return read, [said]


def read_all(
    path: Path, sizes: Sizes, *, texts: bool = False, runs: Sequence[Run] | None = None
) -> tuple[tuple[Outcomes, ...], tuple[Stated, ...], list[str]]:
    """The outcomes of every task, filter and metric under ``path``, every score that its results files state, and what
    is to be said of tasks without outcomes, which outcomes of others say too; ``texts``: with what was asked and
    answered; ``runs``: those under ``path``, where they were found already.

    Raises DataError for a damaged file, and for a line without what the format promises.
    """
    out: list[Outcomes] = []
    stated: list[Stated] = []
    lacking: list[str] = []
    found = chosen(find(path) if runs is None else runs, named=_is_samples_file(path))
    sampled = {one.task for one, _ in found if one.samples}
    for one, said in found:
        stated += _stated(one, sizes)
        if one.samples is None:
            of = f" of {one.model}, {one.shots}" if one.task in sampled else ""
            lacking += [*said, *([f"{one.task}: no samples file{of}, so no per-item results"] if sampled else [])]
            continue
        made, left = read_samples(one.samples, one.task, one.model, one.content, sizes, said, texts=texts)
        out += made
        lacking += [] if made else [*said, *left]
    return tuple(replace(one, notes=(*one.notes, *lacking)) for one in out), tuple(stated), lacking


def _stated(one: Asked, sizes: Sizes) -> list[Stated]:
    return [
        Stated(
            at=sizes.at(score.task, one.model, one.size, method=score.method),
            measure=Measure(score.metric, score.filter, higher_is_better=score.higher_is_better),
            value=score.value,
            stderr=score.stderr,
            n=score.n,
            source=str(one.run.results),
        )
        for score in one.scores
    ]


def read(path: Path, sizes: Sizes, *, texts: bool = False) -> tuple[Outcomes, ...]:
    """The outcomes that `read_all` finds. Raises DataError, too, when no run has samples, or none with a number for a
    document.
    """
    runs = find(path)
    if runs and not any(run.samples for run in runs):
        raise DataError(f"{path}: no per-item results (samples_*.jsonl): run lm-eval with --log_samples")
    out, _, notes = read_all(path, sizes, texts=texts, runs=runs)
    if runs and not out:
        files = listed([str(file) for run in runs for file in run.samples.values()])
        raise DataError(f"{files}: no metric with a number for a document{''.join(f'; {line}' for line in notes)}")
    return out
