"""The methods of a study whose settings are searched: by which rule, and which settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from onset.errors import NotInstalled, StudyError
from onset.methods import Method
from onset.search import NONE, SEARCH, read_search
from onset.search.grid import settings_of, with_setting
from onset.tasks.base import Task


def searched(one: Method, rules: Sequence[Any], grid: Any) -> list[Method]:
    """``one`` by each of ``rules`` (as a study writes them), the rule in its name (``none`` apart); ``grid``: what it
    tries in place of what its steps say.

    Raises UnknownName and StudyError as `read_search`; StudyError where a rule appears twice, or where there is a grid
    and no rule.
    """
    built = [read_search(rule, "study: 'search'") for rule in rules]
    for kind in (NONE, *SEARCH):
        if sum((NONE if rule is None else rule.kind) == kind for rule in built) > 1:
            raise StudyError(f"study: 'search' has '{kind}' twice; each rule may appear once")
    if grid is not None and not any(built):
        raise StudyError(f"method {one.name}: it has a 'grid', but 'search' is none: nothing would be tried")
    made = []
    for rule in built:
        if rule is None:
            made.append(one)
            continue
        if one.epochs is not None:
            raise StudyError(
                f"method {one.name}: a search tries numbers of steps, and 'epochs: {one.epochs}' names none; write"
                " 'steps', or 'search: none'"
            )
        own = rule if grid is None else rule.model_validate({**rule.model_dump(), "grid": grid})
        made.append(replace(one, name=f"{one.name}-{rule.kind}", search=own))
    return made


def tried_of(
    methods: Sequence[Method], tasks: Mapping[str, Task], budgets: Sequence[int]
) -> dict[tuple[str, str, int], tuple[Method, ...]]:
    """By task, method and budget: the method with each setting that its search tries, its own first; empty where
    nothing is searched. Raises StudyError as `settings_of`, where the rule cannot work with the budget, and where a
    setting needs a package that is not installed.
    """
    return {
        (task.name, one.name, labels): _tried(one, task, labels)
        for task, one, labels in product(tasks.values(), methods, budgets)
    }


def _tried(one: Method, task: Task, labels: int) -> tuple[Method, ...]:
    if one.search is None or not labels:
        return ()
    why = one.search.check(labels, len(task.pool))
    if why is not None:
        raise StudyError(f"method {one.name}, task {task.name}, {labels} labels: {why}")
    settings = settings_of(one, task, labels)
    made = tuple(with_setting(one, setting) for setting in settings)
    for setting, each in zip(settings, made, strict=True):
        try:
            each.choose.check_installed()
        except NotInstalled as error:
            tried = f"its search tries {dict(setting)}: " if setting else ""
            other = ", or give the method a 'grid' of others" if setting else ""
            raise StudyError(f"method {one.name}: {tried}{error}{other}") from error
    for each, (used, _) in product(made, one.search.sizes(labels)):  # a part has fewer examples than the budget
        each.prompt.check_budget(used)
        if each.on is not None:
            each.on.check(task, used)
    return made


def blind(methods: Sequence[Method]) -> list[str]:
    """What a person is told of a budget of 0 labels, where a method is searched."""
    names = [one.name for one in methods if one.search is not None and one.tune is None]
    return [f"0 labels: nothing to choose settings by, left out: {', '.join(names)}"] if names else []


def greedy(methods: Sequence[Method]) -> bool:
    """Is there a method that has no seed to vary without labelled examples?"""
    return any(not (one.tune or one.search or one.vote or one.prompt.seeded()) for one in methods)
