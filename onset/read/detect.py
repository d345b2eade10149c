"""Reading results of any known format: which one it is follows from the content.

| what is there | format |
|---|---|
| a folder with ``study.json`` | results folder of Onset |
| ``results_*.json``, ``samples_*.jsonl``, or a folder of them at any depth | lm-evaluation-harness 0.4.x |
| ``.eval``, ``.json`` with ``version`` and ``eval``, or a folder of them | inspect, log version 2 |
| ``.jsonl`` with ``prediction`` and ``target`` | texts, graded by a named task |
| ``.csv`` | curves over size: points only |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from onset.analysis.curves.points import metric_label, point_of, score_points
from onset.analysis.curves.series import Scale, SizePoint
from onset.analysis.outcomes import Outcomes, Stated
from onset.analysis.outcomes.choosing import NoChoice, choose, picked
from onset.analysis.setting import Setting
from onset.errors import DataError, UnknownName
from onset.read import csv_table, inspect_logs, jsonl, lm_eval, lm_eval_results, lm_eval_samples, onset_results
from onset.read.base import Sizes, parse_json, read_text
from onset.read.other_scores import named
from onset.results.files import Files, Place, as_place
from onset.results.read import is_results

Format = Literal["onset", "lm-eval", "inspect", "jsonl", "csv"]
KNOWN = (
    "an onset results folder (study.json), lm-eval results (results_*.json, samples_*.jsonl),"
    " inspect logs (.eval, .json), JSON lines (prediction, target) or a CSV table"
)


def format_of(path: Path | Files) -> Format:
    """The format of a file or folder. Raises DataError, with what is read, where there is none."""
    if not isinstance(path, Path):
        if not is_results(path):
            raise DataError(f"{path.name()}: no results folder of Onset there (other results are read from a disk)")
        return "onset"
    if not path.exists():
        raise DataError(f"no file '{path}'")
    found = _format_of_folder(path) if path.is_dir() else _format_of_file(path)
    if found is None:
        where = "no results found in this folder" if path.is_dir() else "not a known format"
        raise DataError(f"{path}: {where}: expected {KNOWN}")
    return found


def _format_of_folder(path: Path) -> Format | None:
    if is_results(path):
        return "onset"
    if lm_eval.find(path):
        return "lm-eval"
    return "inspect" if inspect_logs.find(path) else None


def _format_of_file(path: Path) -> Format | None:
    if path.suffix.lower() == ".csv":
        return "csv"
    if inspect_logs.is_archive(path):
        return "inspect"
    if path.suffix == ".jsonl":
        line = read_text(path).partition("\n")[0]
        row = parse_json(line, f"{path}, line 1") if line.strip() else None
        return "lm-eval" if lm_eval_samples.is_sample(row) else "jsonl" if jsonl.is_row(row) else None
    if path.suffix == ".json":
        content = parse_json(read_text(path), str(path))
        return "lm-eval" if lm_eval_results.is_results(content) else "inspect" if inspect_logs.is_log(content) else None
    return None


def read_outcomes(
    path: Place,
    *,
    only: str | None = None,
    grade_as: str | None = None,
    params: Mapping[str, float] | None = None,
    family: str | None = None,
    texts: bool = False,
) -> tuple[Outcomes, ...]:
    """The per-item results under ``path``: one `Outcomes` per model, task, method, filter and metric.

    ``only``: the one task that is wanted (``bbh`` is also ``bbh/navigate``); ``grade_as``: the task whose extractor and
    scorer grade JSON lines of texts (other results are graded already); ``params``: parameters by model name, whatever
    the source says; ``family``: puts all models into one; ``texts``: with what was asked and answered, where the
    source has it (a results folder has its records). Raises DataError for a format that is not known, a
    damaged file, and results without items (a CSV); StoreError for a damaged results folder; UnknownName for a task
    that has no extractor.
    """
    path, sizes = as_place(path), Sizes(params or {}, family)
    kind = format_of(path)
    if not isinstance(path, Path):
        return _only(onset_results.read(path, sizes), (), only, path)[0]
    if kind == "csv":
        raise DataError(f"{path}: a CSV table has no per-item results, so it cannot be compared item by item")
    readers: Mapping[str, Callable[[Path, Sizes], tuple[Outcomes, ...]]] = {
        "jsonl": partial(jsonl.read, task=grade_as, texts=texts),
        "onset": onset_results.read,
        "lm-eval": partial(lm_eval.read, texts=texts),
        "inspect": partial(inspect_logs.read, texts=texts),
    }
    return _only(readers[kind](path, sizes), (), only, path)[0]


def _only(
    outcomes: tuple[Outcomes, ...], stated: tuple[Stated, ...], task: str | None, path: Path | Files
) -> tuple[tuple[Outcomes, ...], tuple[Stated, ...]]:
    """Those of a task. Raises DataError where there are none."""
    if task is None:
        return outcomes, stated
    kept = tuple(one for one in outcomes if is_task(one.task, task))
    told = tuple(one for one in stated if is_task(one.task, task))
    if not kept and not told:
        found = ", ".join(sorted({one.task for one in (*outcomes, *stated)}))
        raise DataError(f"{path}: no results of task '{task}', found: {found}")
    return kept, told


def read_all(
    path: Path,
    *,
    only: str | None = None,
    grade_as: str | None = None,
    params: Mapping[str, float] | None = None,
    family: str | None = None,
    texts: bool = False,
) -> tuple[tuple[Outcomes, ...], tuple[Stated, ...], list[str]]:
    """The per-item results under ``path``, every score that results files of lm-eval state, with samples or without,
    and what is to be said of those without; what is asked as in `read_outcomes`.

    Raises DataError as `read_outcomes` does, but for results of lm-eval without items.
    """
    if format_of(path) != "lm-eval":
        asked: dict[str, Any] = {"only": only, "grade_as": grade_as, "params": params, "family": family}
        return read_outcomes(path, texts=texts, **asked), (), []
    outcomes, stated, notes = lm_eval.read_all(path, Sizes(params or {}, family), texts=texts)
    return *_only(outcomes, stated, only, path), notes


def is_task(label: str, asked: str) -> bool:
    """Is ``label`` the task that was asked for, or a part of it (``bbh/navigate`` of ``bbh``)?"""
    return label == asked or label.startswith((f"{asked}/", f"{asked}["))


def read_points(  # noqa: PLR0913 - what may be asked for, most of it rarely
    paths: Place | Iterable[Place],
    *,
    scale: Scale = "params",
    only: str | None = None,
    grade_as: str | None = None,
    metric: str | None = None,
    filter: str | None = None,
    params: Mapping[str, float] | None = None,
    family: str | None = None,
    note: Callable[[str], None] | None = None,
) -> tuple[SizePoint, ...]:
    """Points of curves over size from one or several files and folders, each of any known format.

    ``scale``: what size is; only a CSV table knows ``flops`` and ``loss``. ``only``, ``grade_as``, ``params`` and
    ``family`` as in `read_outcomes`; ``metric`` and ``filter`` where a source has several (the rule is in
    `onset.analysis.outcomes.choosing`); ``note`` is called with a line for each thing that had to be decided.

    A curve is a task; of Onset's results a task, method and number of labels, with shift and stage where there are
    any. Counts are pooled over draws. The continuous scores of the same outputs are points of their own
    (``gold_logprob`` in nats, ``gold_prob``) with ``continuous`` set and the standard error over items.
    Raises DataError where the size of a model is not known and where a model is twice in a curve, UnknownName for
    ``params`` of a model that is not there, and as `check_asked` and `read_outcomes` do.
    """
    sizes, tell = Sizes(params or {}, family), note or (lambda _: None)
    out: list[SizePoint] = []
    places: list[Place] = list(paths) if isinstance(paths, Iterable) and not isinstance(paths, str) else [paths]
    check_asked(places, grade_as, filter)
    for one in places:
        path = as_place(one)
        kind = format_of(path)
        if kind == "csv" and isinstance(path, Path):
            points = csv_table.read(path, sizes, scale)
            out += [p for p in points if (only is None or is_task(p.curve, only)) and metric in (None, p.metric)]
            continue
        if scale != "params":
            raise DataError(f"{path}: only a CSV table has {scale}; these results know params")
        if kind == "lm-eval" and isinstance(path, Path):
            found, told, notes = lm_eval.read_all(path, sizes)
            outcomes = [one for one in found if only is None or is_task(one.task, only)]
            stated = [one for one in told if only is None or is_task(one.task, only)]
            scores = _without_items(outcomes, stated, metric)
            out += _points_of_scores(path, scores, metric, filter, tell)
            for line in notes if not outcomes else ():
                tell(line)
            outcomes = [one for one in outcomes if _run(one) not in set(map(_run, scores))]
        else:
            outcomes = list(read_outcomes(path, only=only, grade_as=grade_as, params=params, family=family))
        out += points_of(outcomes, metric=metric, filter=filter, note=tell)
    if not out:
        asked = [f"{name} '{value}'" for name, value in (("task", only), ("metric", metric)) if value is not None]
        where = ", ".join(map(str, places))
        raise DataError(f"{where}: no points found" + (f" of {' and '.join(asked)}" if asked else ""))
    check_models(params, (one.model for one in out))
    _check_once(out)
    return tuple(out)


def _check_once(points: Iterable[SizePoint]) -> None:
    """Raises DataError where a model is twice in a curve, with one seed or none: its outcomes would count twice."""
    seen: dict[tuple[object, ...], SizePoint] = {}
    for one in points:
        key = one.curve, one.family, one.metric, one.model, one.x, one.tokens, one.loss, one.pretraining_seed
        first = seen.setdefault(key, one)
        if first is not one:
            seed = "" if one.pretraining_seed is None else f", seed {one.pretraining_seed},"
            raise DataError(
                f"{one.curve} by {one.model}{seed} is there more than once: {first.source} and {one.source}; name one"
                " of them (a table tells models apart by the columns model and seed)"
            )


def check_asked(places: Iterable[Place], grade_as: str | None, filter: str | None) -> None:
    """Raises DataError where none of what is to be read has texts to grade, or filters to choose from."""
    if grade_as is None and filter is None:
        return
    found = {format_of(as_place(one)) for one in places}
    if grade_as is not None and "jsonl" not in found:
        raise DataError(
            f"--grade-as {grade_as}: for JSON lines of texts, and none were named: other results are graded"
        )
    if filter is not None and "lm-eval" not in found:
        raise DataError(f"--filter {filter}: for results of lm-eval, and none were named")


def check_models(params: Mapping[str, float] | None, models: Iterable[str]) -> None:
    """Raises UnknownName where ``params`` says the size of a model that is none of those that were read."""
    known = set(models)
    for name in params or {}:
        if name not in known:
            raise UnknownName("model", name, known)


def points_of(
    outcomes: Sequence[Outcomes],
    *,
    metric: str | None = None,
    filter: str | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> list[SizePoint]:
    """The points of each run of each task: its chosen metric, and its continuous scores.

    Raises DataError where a size is not known, or where no task has the metric or filter asked for.
    """
    runs: dict[tuple[object, ...], list[Outcomes]] = {}
    for one in outcomes:
        key = (one.source, one.at)  # from two sources: two points, refused by who reads them
        runs.setdefault(key, []).append(one)
    out: list[SizePoint] = []
    lacking = []
    for candidates in runs.values():
        first = candidates[0]
        if first.at.params is None:
            raise csv_table.no_size(f"{first.source}: ", first.model)
        try:
            choice = choose(candidates, metric=metric, filter=filter)
        except NoChoice as error:
            lacking.append(f"{first.model}, {first.task}: {error}")
            continue
        for line in dict.fromkeys([*first.notes, *(f"{first.task}: {said}" for said in choice.notes)]):
            note(line)
        chosen = picked(candidates, choice)
        out.append(point_of(chosen, first.at.params, note))
        out += score_points(chosen, first.at.params, note) if metric is None else []
    if not out and lacking:
        raise DataError(lacking[0])
    for line in lacking:
        note(line)
    return out


def _without_items(outcomes: Sequence[Outcomes], stated: Sequence[Stated], metric: str | None) -> list[Stated]:
    """What is stated of runs that have no items, or none of the ``metric`` asked for."""
    held = set(map(_run, outcomes))
    usable = {_run(one) for one in outcomes if metric in (None, one.metric, *one.outputs.scores)}
    stating = {_run(one) for one in stated if metric in (None, one.metric)} - usable
    return [one for one in stated if _run(one) not in held or _run(one) in stating]


def _run(one: Outcomes | Stated) -> tuple[Setting, Path]:
    """Where it was measured, and the folder of its file: the same setting of two folders is two points."""
    return one.at, Path(one.source).parent


def _points_of_scores(
    path: Path,
    stated: Sequence[Stated],
    metric: str | None,
    filter: str | None,
    note: Callable[[str], None],
) -> list[SizePoint]:
    """Points of what results files state of runs without items: scores with their standard errors."""
    runs: dict[tuple[Setting, Path], list[Stated]] = {}
    for one in stated:
        runs.setdefault(_run(one), []).append(one)
    if runs:
        names = ", ".join(dict.fromkeys(at.task for at, _ in runs))
        note(f"{path}: no samples of {names}, so scores and their standard errors are read, not counts")
    out = []
    for (at, _), held in runs.items():
        if at.params is None:
            raise csv_table.no_size(f"{path}: ", at.model or "")
        # the same rule as for samples, on the names alone
        try:
            choice = choose(named(held), metric=metric, filter=filter)
        except NoChoice as error:
            note(f"{at.model}, {at.task}: {error}")
            continue
        for line in choice.notes:
            note(f"{at.task}: {line}")
        one = next(one for one in held if (one.metric, one.filter) == (choice.metric, choice.filter))
        out.append(
            SizePoint(
                curve=at.task if at.method is None else f"{at.task}, {at.method}",
                family=one.family,
                model=one.model,
                x=at.params,
                metric=metric_label(one.metric, one.filter),
                score=one.value,
                stderr=one.stderr,
                continuous=not 0 <= one.value <= 1,
                source=one.source,
            )
        )
    return out
