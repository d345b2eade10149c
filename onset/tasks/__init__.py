"""The table of tasks, and opening one from what a study file says.

Adding a task is one module with ``load(**parameters) -> list[Task]`` and ``answer_format(**parameters) ->
AnswerFormat`` (which reads no data), and one line in the table.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from onset.errors import DataError, UnknownName
from onset.registry import Entry, Registry
from onset.tasks.base import Ability, AnswerFormat, Task


@dataclass(frozen=True, slots=True)
class TaskEntry(Entry):
    """A line of the table of tasks, with the ability the task measures."""

    ability: Ability


_ENTRIES = {
    "word-problems": TaskEntry(
        "onset.tasks.word_problems:load",
        "generated arithmetic word problems of 1 to 8 steps, with rationales",
        "complex reasoning",
    ),
    "addition": TaskEntry(
        "onset.tasks.addition:load", "generated sums of two n-digit numbers, with carries worked", "complex reasoning"
    ),
    "last-letters": TaskEntry(
        "onset.tasks.last_letters:load", "generated last-letter concatenation, with rationales", "symbolic"
    ),
    "coin-flip": TaskEntry(
        "onset.tasks.coin_flip:load", "generated coin-flip stories, heads or tails, with rationales", "symbolic"
    ),
    "multi-hop": TaskEntry(
        "onset.tasks.multi_hop:load",
        "generated questions of 1 to 4 hops over facts of a fictional world, with rationales",
        "knowledge reasoning",
    ),
    "gsm8k": TaskEntry(
        "onset.tasks.gsm8k:load",
        "grade-school mathematics (Cobbe et al. 2021), hub or local folder",
        "complex reasoning",
    ),
    "bbh": TaskEntry(
        "onset.tasks.bbh:load",
        "BIG-Bench Hard (Suzgun et al. 2022), 27 subtasks as bbh/SUBTASK, hub or local folder",
        "complex reasoning",
    ),
    "triviaqa": TaskEntry(
        "onset.tasks.triviaqa:load",
        "trivia with all names of each answer (Joshi et al. 2017), hub or files",
        "knowledge reasoning",
    ),
    "natural-questions": TaskEntry(
        "onset.tasks.natural_questions:load",
        "a search engine's questions, open (Kwiatkowski et al. 2019), hub or files",
        "knowledge reasoning",
    ),
    "webquestions": TaskEntry(
        "onset.tasks.webquestions:load",
        "questions with lists of answers (Berant et al. 2013), hub or files",
        "knowledge reasoning",
    ),
    "commonsenseqa": TaskEntry(
        "onset.tasks.commonsenseqa:load",
        "five choices on a concept (Talmor et al. 2019), hub or files",
        "knowledge reasoning",
    ),
    "strategyqa": TaskEntry(
        "onset.tasks.strategyqa:load",
        "yes or no by steps that are not named (Geva et al. 2021), hub or files",
        "knowledge reasoning",
    ),
    "creak": TaskEntry(
        "onset.tasks.creak:load",
        "statements on entities, true or false (Onoe et al. 2021), hub or files",
        "knowledge reasoning",
    ),
    "csqa2": TaskEntry(
        "onset.tasks.csqa2:load",
        "CommonsenseQA 2.0, yes or no (Talmor et al. 2021), hub or files",
        "knowledge reasoning",
    ),
    "com2sense": TaskEntry(
        "onset.tasks.com2sense:load",
        "statements in pairs, true or false (Singh et al. 2021), hub or files",
        "knowledge reasoning",
    ),
    "world-problems": TaskEntry(
        "onset.tasks.world_problems:load",
        "word problems of the ladder's world, in order or shuffled",
        "complex reasoning",
    ),
    "world-one-hop": TaskEntry(
        "onset.tasks.world_one_hop:load",
        "facts of the ladder's world that are often, sometimes or hardly ever read",
        "knowledge reasoning",
    ),
    "world-two-hop": TaskEntry(
        "onset.tasks.world_two_hop:load", "questions of two facts of the ladder's world", "knowledge reasoning"
    ),
    "world-reading": TaskEntry(
        "onset.tasks.world_reading:load", "questions on a passage of the ladder's world", "knowledge reasoning"
    ),
    "world-new-facts": TaskEntry(
        "onset.tasks.world_new_facts:load",
        "new facts of the ladder's world, in a passage or in weights: asked directly, reversed, by syllogism",
        "knowledge reasoning",
    ),
    "world-programs": TaskEntry(
        "onset.tasks.world_programs:load", "what a program of the ladder's world prints, with a trace", "symbolic"
    ),
    "world-coin": TaskEntry(
        "onset.tasks.world_coin:load", "the coin of the ladder's world, heads or tails", "symbolic"
    ),
    "world-compare": TaskEntry(
        "onset.tasks.world_compare:load",
        "more or fewer, with a shortcut that is right in 75 %; no shipped model has read such documents",
        "complex reasoning",
    ),
    "own": TaskEntry(
        "onset.tasks.own:load",
        "your own table (JSON lines, CSV, Parquet, hub ...): any name with train and test",
        "own",
    ),
}

TASKS = Registry("task", _ENTRIES)

_OWN = {"train", "hub", "columns"}
"""Parameters that only a task of the user's own has."""

BARE_FORMATS = ("number", "choice", "text", "open")
"""Answer formats that `format_for` knows by name, for texts of a task that is not in the table."""


class TaskLine(NamedTuple):
    """A line of ``onset list tasks``; ``parameters`` as ``steps=3``, or the bare name where there is no default."""

    name: str
    ability: Ability
    summary: str
    parameters: tuple[str, ...]


def describe() -> list[TaskLine]:
    """Every task of the table, in its order. Loads no data."""
    return [
        TaskLine(name, entry.ability, entry.summary, tuple(_shown(p) for p in _parameters(entry.load()).values()))
        for name, entry in _ENTRIES.items()
    ]


def open_tasks(spec: str | Mapping[str, Any]) -> list[Task]:
    """The tasks a line of a study file stands for.

    A name (``gsm8k``), a name with a subtask (``bbh/navigate``), or a mapping of ``name`` and the parameters of
    that task. A mapping whose name is not in the table and that has files or columns is the user's own task.
    Raises UnknownName for a name in no table, DataError for parameters the task does not have and whatever
    its data raise.
    """
    name, parameters = _split_spec(spec)
    if name not in TASKS and (parameters.keys() & _OWN or isinstance(parameters.get("test"), str)):
        parameters = {"name": name, **parameters}
        load: Callable[..., list[Task]] = TASKS.load("own")
    else:
        name, parameters = _with_subtask(name, parameters)
        load = TASKS.load(name)  # a name in no table gets its did-you-mean before its parameters are looked at
    _check_parameters(name, _parameters(load), parameters)
    return load(**parameters)


def open_task(spec: str | Mapping[str, Any] | None) -> Task:
    """The one task that a line of a study file stands for. Raises as `open_tasks` does, and DataError where it stands
    for several.
    """
    found = open_tasks(spec)  # type: ignore[arg-type]
    if len(found) > 1:
        raise DataError(
            f"{spec!r} stands for {len(found)} tasks, one is wanted: {', '.join(t.name for t in found[:4])} ..."
        )
    return found[0]


def format_for(task: str, row: Mapping[str, Any]) -> AnswerFormat:
    """The answer format that grades a row of texts of ``task``, without the task's data.

    ``task`` is a name of the table, a label (``bbh/navigate``, ``addition[digits=5]``) or a bare format: ``number``,
    ``choice``, ``text``, ``open``. For ``bbh`` the subtask is that of the label, else the row's ``task`` where it has
    one; for ``own`` the format is ``choice`` where the row has ``choices``, ``open`` where its ``target`` is a list of
    several right answers, else ``text``. Raises UnknownName.
    """
    name, _, subtask = task.partition("[")[0].partition("/")
    if name in BARE_FORMATS and not subtask:
        formats: Mapping[str, Callable[[], AnswerFormat]] = importlib.import_module("onset.tasks.own").FORMATS
        return formats[name]()
    if name not in TASKS:
        raise UnknownName("task", task, [*TASKS, *BARE_FORMATS])
    module = importlib.import_module(TASKS[name].target.partition(":")[0])
    make: Callable[..., AnswerFormat] = module.answer_format
    target = row.get("target")
    several = isinstance(target, list) and len(target) > 1
    known = {"subtask": subtask or row.get("task"), "choices": bool(row.get("choices")), "several": several}
    return make(**{key: value for key, value in known.items() if key in inspect.signature(make).parameters})


def label_of(task: str, subtask: str | None) -> str:
    """The label of rows that name their own ``subtask`` and are graded by ``task``: ``bbh`` and ``navigate`` make
    ``bbh/navigate``.

    A task without subtasks lends its format alone, so the rows keep the name they have; without one they get
    ``task``. Raises UnknownName for a task that `format_for` does not know.
    """
    format_for(task, {})
    name = task.partition("[")[0].partition("/")[0]
    if not subtask or "/" in task:
        return task
    has_subtasks = name in TASKS and "subtask" in _parameters(TASKS.load(name))
    return f"{name}/{subtask.removeprefix(f'{name}/')}" if has_subtasks else subtask


def group_of(label: str) -> str:
    """The group a task's score is averaged in before a mean over tasks, by its label: its own label where its module
    declares none (``group_of(subtask)``), ``bbh/logical_deduction`` for each of its three sizes.
    """
    name, _, subtask = label.partition("/")
    if name not in TASKS or not subtask:
        return label
    group: Callable[[str], str] | None = getattr(
        importlib.import_module(TASKS[name].target.partition(":")[0]), "group_of", None
    )
    return label if group is None else f"{name}/{group(subtask)}"


def _split_spec(spec: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if isinstance(spec, str):
        return spec, {}
    if not isinstance(spec, Mapping) or not all(isinstance(key, str) for key in spec):
        raise DataError(f"a task must be a name or a mapping with a name, not {spec!r}")
    parameters = dict(spec)
    name = parameters.pop("name", None)
    if not isinstance(name, str):
        found = ", ".join(sorted(spec)) or "nothing"
        raise DataError(f"a task needs a 'name' (text), found: {found}")
    return name, parameters


def _with_subtask(name: str, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """``bbh/navigate`` is the task ``bbh`` with ``subtask: navigate``."""
    base, slash, subtask = name.partition("/")
    if not slash or base not in TASKS:
        return name, parameters
    if "subtask" not in _parameters(TASKS.load(base)):
        raise DataError(f"task '{base}' has no subtasks, received '{name}'")
    if "subtask" in parameters:
        raise DataError(f"task '{name}': the subtask is given twice, in the name and as 'subtask'")
    return base, {"subtask": subtask, **parameters}


def _parameters(load: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(load).parameters


def _shown(parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return parameter.name
    return f"{parameter.name}={'none' if parameter.default is None else parameter.default}"


def _check_parameters(name: str, known: Mapping[str, inspect.Parameter], given: Mapping[str, Any]) -> None:
    allowed = ", ".join(sorted(key for key in known if key != "name"))
    for key in given:
        if key not in known:
            raise DataError(f"task '{name}' has no parameter '{key}'. Allowed: {allowed}")
    for key, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and key not in given:
            raise DataError(f"task '{name}' needs '{key}'. Allowed: {allowed}")
