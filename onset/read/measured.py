"""Anybody's results as what a report is made of: right or wrong, each setting once, and the other scores beside it.

A results folder of Onset is taken as it is. Of other tools' results this chooses: one metric and filter for each task,
the same for all its runs where they have one in common (the rule is in `onset.analysis.outcomes.choosing`), among those
that are right or wrong. Metrics that are not (F1, perplexity, BLEU) are all kept, as scores of their own
(`onset.read.other_scores`). What is left out is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onset.analysis.outcomes import Measured, Outcomes, foreign, measured_of
from onset.analysis.outcomes.choosing import NoChoice, choose, picked
from onset.analysis.words import counted, listed
from onset.errors import DataError
from onset.read.detect import check_asked, check_models, format_of, read_all
from onset.read.other_scores import MetricKey, RunKey, TaskKey, by_task, scores_of, stated_of, unscored
from onset.results.files import Place, as_place
from onset.results.read import load


def read_measured(
    path: Place,
    *,
    metric: str | None = None,
    filter: str | None = None,
    texts: bool = False,
    **asked: Any,
) -> Measured:
    """What was measured under ``path``, a results folder of Onset or anything that `read_outcomes` reads.

    ``metric`` and ``filter``: where a source has several; ``texts``: with what was asked and answered (a results folder
    has its records, but for their prompts); ``asked``: ``only``, ``grade_as``, ``params`` and ``family`` of
    `read_outcomes`. Raises DataError where one of these is given for a results folder, which says all of it, where a
    setting is there more than once, where there is no score at all, and as `check_asked`, `check_models` and
    `read_outcomes` do.
    """
    path = as_place(path)
    if format_of(path) == "onset" or not isinstance(path, Path):
        given = [name for name, value in {"metric": metric, "filter": filter, **asked}.items() if value]
        if given:
            options = listed([f"--{name.replace('_', '-')}" for name in given])
            raise DataError(f"{path}: {options}: for results of other tools; a results folder of Onset says it itself")
        return measured_of(load(path, prompts=False))
    check_asked([path], asked.get("grade_as"), filter)
    outcomes, told, lacking = read_all(path, texts=texts, **asked)
    notes = [line for one in outcomes for line in one.notes] + lacking
    tasks = by_task(outcomes)
    kinds = {task: _right_or_wrong([one for held in runs.values() for one in held]) for task, runs in tasks.items()}
    chosen = _chosen(tasks, kinds, metric, filter, notes)
    scores = scores_of(tasks, kinds, metric, filter, notes)
    check_models(asked.get("params"), (one.model for one in (*outcomes, *told)))
    stated = stated_of(outcomes, told, metric, filter, notes)
    if not chosen and not scores and not stated:
        found = ", ".join(dict.fromkeys(one.metric for one in outcomes)) or "none"
        which = f"metric '{metric}'" if metric else "score"
        raise DataError(f"{path}: no {which} to show (metrics found: {found})")
    kept = _of_one_gold(chosen, notes)
    notes += _other_items(kept)
    name = path.resolve().stem if path.is_file() else path.resolve().name
    return foreign(kept, name, notes, scores=_of_one_gold(scores, notes), stated=stated)


def _chosen(
    tasks: Mapping[TaskKey, Mapping[RunKey, Sequence[Outcomes]]],
    kinds: Mapping[TaskKey, set[MetricKey]],
    metric: str | None,
    filter: str | None,
    notes: list[str],
) -> tuple[Outcomes, ...]:
    """Of each run of a task its one metric that is right or wrong; none where another metric is asked for."""
    out = []
    for key, runs in tasks.items():
        if not any(metric in (None, name) for name, _ in kinds[key]):
            continue
        usable = [[one for one in held if (one.metric, one.filter) in kinds[key]] for held in runs.values()]
        common = set.intersection(*({(one.metric, one.filter) for one in held} for held in usable))
        if common:
            usable = [[one for one in held if (one.metric, one.filter) in common] for held in usable]
        for candidates, held in zip(usable, runs.values(), strict=True):
            if not candidates:
                scores = listed(list(dict.fromkeys(one.metric for one in held)))
                notes.append(f"{key[0]}: no accuracy of {held[0].model}: no score is right or wrong ({scores})")
                continue
            try:
                choice = choose(candidates, metric=metric, filter=filter)
            except NoChoice as error:
                notes.append(f"{key[0]}: left out for {held[0].model}: {error}")
                continue
            notes += [f"{key[0]}: {line}" for line in choice.notes]
            out.append(picked(candidates, choice))
            notes += unscored(out[-1])
    return tuple(out)


def _right_or_wrong(outcomes: Sequence[Outcomes]) -> set[MetricKey]:
    """The metrics and filters whose every score is 0 or 1, more being better, in all runs that measured any."""
    kinds: dict[MetricKey, bool] = {}
    for one in outcomes:
        if np.isfinite(one.values).any():
            key = one.metric, one.filter
            kinds[key] = kinds.get(key, True) and one.binary and one.higher_is_better
    return {key for key, usable in kinds.items() if usable}


def _of_one_gold(outcomes: Sequence[Outcomes], notes: list[str]) -> list[Outcomes]:
    """Without items that have another right answer in another run: what they measure differs."""
    golds: dict[tuple[str, str], dict[str, set[str]]] = {}
    for one in outcomes:
        held = golds.setdefault((one.task, one.shift), {})
        for item, target in zip(one.items, one.targets, strict=True):
            if target is not None:
                held.setdefault(item, set()).add(target)
    out = []
    for one in outcomes:
        held = golds[one.task, one.shift]
        keep = [place for place, item in enumerate(one.items) if len(held.get(item, ())) < 2]
        lost = len(one.items) - len(keep)
        if lost:
            notes.append(f"{one.task}: {counted(lost, 'item')} with another right answer in another run left out")
        out.append(one.only(keep) if lost else one)
    return [one for one in out if np.isfinite(one.values).any()]


def _other_items(outcomes: Sequence[Outcomes]) -> list[str]:
    """Tasks of which runs have other items: a cell's accuracy is of its own, a pair's difference of those both have."""
    held: dict[tuple[str, str], list[frozenset[str]]] = {}
    for one in outcomes:
        held.setdefault((one.task, one.shift), []).append(frozenset(one.items))
    return [
        f"{task}: not all runs have the same items ({min(map(len, sets))} to {max(map(len, sets))}, of which"
        f" {len(frozenset.intersection(*sets))} are in all); pairs are compared on those that both have"
        for (task, _), sets in held.items()
        if len(set(sets)) > 1
    ]
