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

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onset.analysis.outcomes import NO_FILTER, Outcomes, Text
from onset.errors import DataError
from onset.read.base import (
    ItemRow,
    Sizes,
    is_number,
    json_lines,
    numbered,
    parse_json,
    read_text,
    safe,
    tabulate,
)
from onset.scores import normalised_choice_probability

INVALID = "[invalid]"
"""What a filter answers where its pattern found nothing."""

_DATE = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?"
_SAMPLES = re.compile(rf"samples_(?P<task>.+)_(?P<date>{_DATE})\.jsonl")
_DATED = re.compile(rf".+_(?P<date>{_DATE})\.json")
_FIXED = {
    "doc_id",
    "doc",
    "target",
    "arguments",
    "resps",
    "filtered_resps",
    "filter",
    "metrics",
    "doc_hash",
    "prompt_hash",
    "target_hash",
    "scores_per_repeat",
}


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


@dataclass(frozen=True, slots=True)
class TaskScore:
    """A score of the results file: ``value`` with its standard error (None: ``N/A``); ``method`` as in `shots`."""

    task: str
    method: str | None
    metric: str
    filter: str
    value: float
    stderr: float | None


def is_results(content: Any) -> bool:
    """Does a JSON document look like a results file?"""
    return isinstance(content, dict) and isinstance(content.get("results"), dict) and "configs" in content


def is_sample(row: Any) -> bool:
    """Does a JSON line look like one of a samples file?"""
    return isinstance(row, dict) and {"doc_id", "doc", "filtered_resps"} <= row.keys()


def read_results(path: Path) -> dict[str, Any]:
    """A results file. Raises DataError when it is none."""
    content = parse_json(read_text(path), str(path))
    if not is_results(content):
        raise DataError(f"{path}: expected an lm-eval results file with the keys results and configs")
    return dict(content)


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
    DataError for a damaged file, a line without what the format promises, and when no run has samples.
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
    for (_, task, _), (run, earlier) in latest.items():
        said = [f"{task}: of {len(earlier) + 1} runs the latest was read ({run.date})"] if earlier else []
        out += _read_samples(run.samples[task], task, contents[id(run)], sizes, [*said, *notes], texts=texts)
    return tuple(out)


def scores(path: Path, sizes: Sizes) -> list[tuple[str, float | None, list[TaskScore]]]:
    """Model, size and scores of every task under ``path`` that has no samples: the latest where it is there twice."""
    out: dict[tuple[Path, str, str | None], tuple[str, float | None, list[TaskScore]]] = {}
    runs = [] if _is_samples_file(path) else find(path)  # a samples file that is named stands for its task alone
    sampled = {(file.parent, task) for run in runs for task, file in run.samples.items()}
    for run in runs:
        if run.results is None:
            continue
        content = run.content()
        model = model_name(content, run.source)
        size = sizes.of(model, content.get("config", {}).get("model_num_parameters"))
        for task, one in _task_scores(content).items():
            if (run.results.parent, safe(task)) not in sampled and (run.results.parent, task) not in sampled:
                out[run.results.parent, task, shots(content, task)] = (model, size, one)
    return list(out.values())


def _task_scores(content: Mapping[str, Any]) -> dict[str, list[TaskScore]]:
    groups = {name for name, members in (content.get("group_subtasks") or {}).items() if members}
    groups |= set(content.get("groups") or {})
    found: dict[str, list[TaskScore]] = {}
    for task, row in content["results"].items():
        for key, value in row.items() if task not in groups else ():
            metric, comma, filter = key.partition(",")
            if not comma or metric.endswith("_stderr") or not is_number(value):
                continue
            stderr = row.get(f"{metric}_stderr,{filter}")
            error = float(stderr) if is_number(stderr) else None
            score = TaskScore(task, shots(content, task), metric, filter, float(value), error)
            found.setdefault(task, []).append(score)
    return found


def shots(content: Mapping[str, Any], task: str) -> str | None:
    """How the harness asked, as far as it says: ``5-shot``; None where no results file is there.

    ``task``: by its name, or by that of its samples file.
    """
    held = content.get("n-shot") or {}
    count = next((held[name] for name in held if task in (name, safe(name))), None)
    return f"{count}-shot" if isinstance(count, int) and not isinstance(count, bool) else None


def model_name(content: Mapping[str, Any], source: Path) -> str:
    """The model's name; of a local path its last part; the folder's where there is no results file."""
    name = content.get("model_name") or content.get("config", {}).get("model_args")
    if isinstance(name, Mapping):
        name = name.get("pretrained") or name.get("model")
    if not isinstance(name, str) or not name:
        return (source.parent if source.is_file() else source).name
    name = dict(part.partition("=")[::2] for part in name.split(",")).get("pretrained", name)
    return Path(name).name if name.startswith(("/", ".", "~")) else name


# ----------------------------------------------------------------------------------------------------------- samples


def _read_samples(
    path: Path, file_task: str, content: Mapping[str, Any], sizes: Sizes, notes: Sequence[str], *, texts: bool
) -> list[Outcomes]:
    configs = content.get("configs") or {}
    task = next((name for name in configs if safe(name) == file_task), file_task)
    by_filter: dict[str, dict[int, dict[str, Any]]] = {}
    repeated = unhashed = 0
    for number, row in json_lines(path):
        where = f"{path}, line {number}"
        if not is_sample(row) or not isinstance(row["doc_id"], int):
            found = ", ".join(sorted(row))
            raise DataError(f"{where}: expected the keys doc_id, doc and filtered_resps, found: {found}")
        held = by_filter.setdefault(str(row.get("filter", NO_FILTER)), {})
        before = held.setdefault(row["doc_id"], row)
        if before is row:
            unhashed += "doc_hash" not in row
        elif _told(before) == _told(row):
            repeated += 1
        else:
            raise DataError(f"{where}: document {row['doc_id']} is there twice with different outcomes")
    said = list(notes)
    said += [f"{task}: {repeated} repeated lines counted once"] if repeated else []
    said += [f"{task}: {unhashed} lines without doc_hash, which was computed"] if unhashed else []
    config = configs.get(task) or {}
    model = model_name(content, path)
    size = content.get("config", {}).get("model_num_parameters")
    out: list[Outcomes] = []
    for filter, held in by_filter.items():
        rows = [held[doc_id] for doc_id in sorted(held)]
        keys, twice = numbered(_key(row) for row in rows)
        more = [f"{task}: {twice} of {len(rows)} documents are copies of another and count too"] if twice else []
        for metric in _metrics(rows, path):
            table = tabulate({0: _item_rows(rows, keys, metric, config, texts=texts)}, str(path))
            version = (content.get("versions") or {}).get(task)
            better = (content.get("higher_is_better") or {}).get(task, {}).get(metric)
            out.append(
                Outcomes(
                    at=sizes.at(task, model, size, method=shots(content, task)),
                    metric=metric,
                    filter=filter,
                    versions=() if version is None else (str(version),),
                    higher_is_better=better is not False,
                    chance=_chance(rows, config) if metric in ("acc", "acc_norm") else None,
                    source=str(path),
                    notes=(*said, *more),
                    **table,
                )
            )
    return out


def _chance(rows: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> float | None:
    """The accuracy of guessing a choice: the mean of 1 / choices; None for other kinds of task."""
    if config.get("output_type") != "multiple_choice" or not all(row["filtered_resps"] for row in rows):
        return None
    return round(sum(1 / len(row["filtered_resps"]) for row in rows) / len(rows), 6)


def _told(row: Mapping[str, Any]) -> str:
    """What makes two lines the same: everything but the raw responses (whose order may differ between ranks)."""
    return json.dumps({key: value for key, value in row.items() if key not in ("resps", "arguments")}, sort_keys=True)


def _key(row: Mapping[str, Any]) -> str:
    held = row.get("doc_hash")
    return held if isinstance(held, str) else hash_of(json.dumps(row["doc"], indent=2, ensure_ascii=False))


def hash_of(text: str) -> str:
    """The hash the harness writes: SHA-256 of the text, 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _metrics(rows: Sequence[Mapping[str, Any]], path: Path) -> list[str]:
    """Metrics that give every document a number; a document without it is refused, not dropped."""
    names = list(dict.fromkeys(name for row in rows for name in _listed(row)))
    found = [str(name) for name in names if any(is_number(row.get(name)) for row in rows)]
    if not found:
        listed = ", ".join(map(str, names)) or "none"
        raise DataError(f"{path}: no metric with a number for a document, metrics: {listed}")
    return found


def _listed(row: Mapping[str, Any]) -> list[str]:
    names = row.get("metrics")
    return [str(name) for name in (names if isinstance(names, list) else row) if name not in _FIXED]


def _item_rows(
    rows: Sequence[Mapping[str, Any]], keys: Sequence[str], metric: str, config: Mapping[str, Any], *, texts: bool
) -> list[ItemRow]:
    out = []
    for row, key in zip(rows, keys, strict=True):
        value: Any = row.get(metric)
        target = row.get("target_hash")
        out.append(
            ItemRow(
                key,
                float(value) if is_number(value) else float("nan"),
                target=target if isinstance(target, str) else hash_of(str(row.get("target"))),
                prompt=row.get("prompt_hash"),
                status=_status(row),
                scores=_choice_scores(row, config),
                text=_text(row, metric) if texts else None,
            )
        )
    return out


_QUESTIONS = ("question", "query", "problem", "input")
"""What documents most often call their question."""


def _text(row: Mapping[str, Any], metric: str) -> Text:
    """Prompt and question (the document's own, else the prompt's last paragraph), and what came back.

    Of choices the answer is the likeliest one, which is what ``acc`` means by it; another metric weighs them otherwise.
    """
    doc, arguments = row["doc"], row.get("arguments")
    first = next(iter(arguments.values()), None) if isinstance(arguments, Mapping) else None
    given = first.get("arg_0") if isinstance(first, Mapping) else None
    prompt = given if isinstance(given, str) else None
    named = (doc.get(name) for name in _QUESTIONS) if isinstance(doc, Mapping) else ()
    question = next((text for text in named if isinstance(text, str)), None)
    answers, logprobs = row["filtered_resps"], _logprobs(row["filtered_resps"])
    gold = str(row.get("target"))
    if logprobs is None:
        outputs = tuple(text for one in row.get("resps") or () for text in one if isinstance(text, str))
        answer = answers[0] if isinstance(answers, list) and answers and isinstance(answers[0], str) else None
        answer = None if answer == INVALID else answer
    else:
        choices = _choices(arguments)
        shown = choices if len(choices) == len(logprobs) else [str(place) for place in range(len(logprobs))]
        outputs = ("\n".join(f"{value:8.3f}  {text.strip()}" for value, text in zip(logprobs, shown, strict=True)),)
        answer = shown[logprobs.index(max(logprobs))].strip() if metric == "acc" and len(logprobs) > 1 else None
        right = _gold(row, len(logprobs))
        gold = gold if right is None else shown[right].strip()
    return Text(
        question=(prompt or "").strip().rpartition("\n\n")[2] if question is None else question,
        gold=gold,
        prompt=prompt,
        outputs=outputs,
        answer=answer,
    )


def _status(row: Mapping[str, Any]) -> str | None:
    """Whether the filter found an answer in a generated text; None for log-probabilities, where none is looked for."""
    answers = row["filtered_resps"]
    if not isinstance(answers, list) or not answers or not isinstance(answers[0], str):
        return None
    return "none" if answers[0] in (INVALID, "") else "ok"


def _choice_scores(row: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, float | None]:
    """Log-probability and normalised probability of the gold choice."""
    logprobs = _logprobs(row["filtered_resps"])
    kind = config.get("output_type")
    if logprobs is None or kind not in (None, "multiple_choice", "loglikelihood"):
        return {}
    if kind == "loglikelihood":
        return {"gold_logprob": logprobs[0]} if len(logprobs) == 1 else {}
    gold = _gold(row, len(logprobs))
    if gold is None:
        return {"gold_logprob": None, "gold_prob": None}
    return {"gold_logprob": logprobs[gold], "gold_prob": normalised_choice_probability(gold, logprobs)}


def _logprobs(answers: Any) -> list[float] | None:
    """The log-probabilities of ``[[logprob, is_greedy], ...]``, which the harness writes as text."""
    if not isinstance(answers, list) or not answers or not all(isinstance(one, list) and one for one in answers):
        return None
    try:
        return [float(one[0]) for one in answers]
    except (TypeError, ValueError):
        return None


def _choices(arguments: Any) -> list[str]:
    """The texts whose log-probabilities were asked for."""
    shown = [one.get("arg_1") for one in arguments.values()] if isinstance(arguments, Mapping) else []
    return [text for text in shown if isinstance(text, str)]


def _gold(row: Mapping[str, Any], count: int) -> int | None:
    """The index of the gold choice: ``target`` is an index or the choice's text; None where both could be meant.

    None too where there are more answers than choices (unconditional log-probabilities stand after them).
    """
    arguments = row.get("arguments")
    texts = [text.strip() for text in _choices(arguments)]
    if len(texts) != count or len(set(texts)) < count:
        texts = []
    if texts and isinstance(arguments, Mapping):
        contexts = {one.get("arg_0") for one in arguments.values()}
        if len(contexts) > 1:  # one context for all choices, or these are not its choices
            return None
    target = str(row.get("target")).strip()
    meant = {texts.index(target)} if target in texts else set()
    if target.isdigit() and int(target) < count:
        meant.add(int(target))
    return meant.pop() if len(meant) == 1 else None
