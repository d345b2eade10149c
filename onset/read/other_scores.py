"""Metrics that are not right or wrong: which of another tool's are shown, each with one filter, and what is said of it.

All metrics of a task are kept that are not right or wrong in all its runs (else the one asked for); several filters of
a metric are chosen from by the rule of `onset.analysis.outcomes.choosing`, among those that all its runs have. What a
source states without items (a results file without samples; BLEU, which is of a whole corpus) is kept as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from onset.analysis.outcomes import Outcomes, Stated
from onset.analysis.outcomes.choosing import NoChoice, choose, picked
from onset.analysis.words import listed
from onset.errors import DataError

TaskKey = tuple[str, str]
"""Task and shift."""
RunKey = tuple[str | None, ...]
"""Model, method, labels and stage."""
MetricKey = tuple[str, str]
"""Metric and filter."""

_Known = TypeVar("_Known", Outcomes, Stated)


def by_task(outcomes: Iterable[_Known]) -> dict[TaskKey, dict[RunKey, list[_Known]]]:
    """Task -> run -> all its metrics and filters. Raises DataError for a run that two sources have."""
    tasks: dict[TaskKey, dict[RunKey, list[_Known]]] = {}
    for one in outcomes:
        run = one.model, one.at.method, str(one.at.labels), one.stage
        tasks.setdefault((one.task, one.shift), {}).setdefault(run, []).append(one)
    for (task, _), runs in tasks.items():
        for held in runs.values():
            sources = list(dict.fromkeys(one.source for one in held))
            if len(sources) > 1:
                who = " ".join(part for part in (held[0].model, held[0].method) if part)
                raise DataError(f"{task} by {who} is there more than once: {listed(sources)}; name one of them")
    return tasks


def unscored(one: Outcomes) -> list[str]:
    """A note where outcomes have no score."""
    lacking = int((~np.isfinite(one.values)).sum())
    said = f"{one.task}, {one.model}: {lacking} of {one.values.size} outcomes have no score and do not count"
    return [said] if lacking else []


def scores_of(
    tasks: Mapping[TaskKey, Mapping[RunKey, Sequence[Outcomes]]],
    binary: Mapping[TaskKey, set[MetricKey]],
    metric: str | None,
    filter: str | None,
    notes: list[str],
) -> list[Outcomes]:
    """The metrics of each task that are not right or wrong, item by item; ``binary``: those that are.

    ``metric``: this one alone, which may also be a continuous score of the same outputs (``gold_logprob``).
    """
    out = []
    for key, runs in tasks.items():
        held = [one for some in runs.values() for one in some if np.isfinite(one.values).any()]
        names = dict.fromkeys(one.metric for one in held if (one.metric, one.filter) not in binary[key])
        names |= dict.fromkeys(name for one in held for name in one.outputs.scores if name == metric)
        for name in names:
            if metric in (None, name):
                out += _of_metric(name, key, runs, binary[key], filter, notes)
    return out


def _of_metric(
    name: str,
    key: TaskKey,
    runs: Mapping[RunKey, Sequence[Outcomes]],
    binary: set[MetricKey],
    filter: str | None,
    notes: list[str],
) -> list[Outcomes]:
    usable = [
        [one for one in held if (one.metric == name and (name, one.filter) not in binary) or name in one.outputs.scores]
        for held in runs.values()
    ]
    usable = [held for held in usable if held]
    common = set.intersection(*({one.filter for one in held} for held in usable))
    if common:
        usable = [[one for one in held if one.filter in common] for held in usable]
    out = []
    for candidates in usable:
        try:
            choice = choose(candidates, metric=name, filter=filter)
        except NoChoice as error:
            notes.append(f"{key[0]}, {name}: left out for {candidates[0].model}: {error}")
            continue
        notes += [f"{key[0]}, {name}: {line}" for line in choice.notes]
        one = picked(candidates, choice)
        if np.isfinite(one.values).any():
            out.append(one)
            notes += unscored(one)
    return out


def stated_of(
    outcomes: Iterable[Outcomes], stated: Iterable[Stated], metric: str | None, filter: str | None, notes: list[str]
) -> list[Stated]:
    """Of what is ``stated`` the scores that have no items in ``outcomes``. Raises DataError for one that is there
    twice.
    """
    known = {(one.at, one.metric) for one in outcomes}
    rest = [one for one in stated if (one.at, one.metric) not in known and metric in (None, one.metric)]
    out: list[Stated] = []
    for (task, _), runs in by_task(rest).items():
        for held in runs.values():
            for name in dict.fromkeys(one.metric for one in held):
                out += _with_one_filter(task, name, [one for one in held if one.metric == name], filter, notes)
    if out:
        names = listed(list(dict.fromkeys(f"{one.metric} of {one.task}" for one in out)))
        notes.append(f"no items of {names}: only what the results files state of them is known")
    return out


def _with_one_filter(
    task: str, name: str, held: Sequence[Stated], filter: str | None, notes: list[str]
) -> list[Stated]:
    try:
        choice = choose(named(held), metric=name, filter=filter)
    except NoChoice as error:
        notes.append(f"{task}, {name}: left out for {held[0].model}: {error}")
        return []
    notes += [f"{task}, {name}: {line}" for line in choice.notes]
    return [one for one in held if one.filter == choice.filter]


def named(stated: Sequence[Stated]) -> list[Outcomes]:
    """Outcomes without items, by which a metric and a filter are chosen."""
    return [Outcomes(one.at, one.measure, (), (), np.empty((0, 0))) for one in stated]
