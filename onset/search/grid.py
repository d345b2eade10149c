"""Which settings of a method are tried, and a method with one of them.

A setting is a mapping from what a method may set to a value: ``{"learning_rate": 0.003, "tune.begin": "random"}``. A
name with a point is a setting of a step. The method as it is written is the first trial; the others are those that its
steps say (`onset.tuning.base.Tuning.grid`, `onset.prompting.base.Prompt.grid`, and for demonstrations `_demonstrations`
here), or the study's own::

    grid: {learning_rate: [0.001, 0.01], steps: [60, 120]}       # all products, tried in a fixed random order
    grid: [{shots: 2}, {shots: 4, choose: balanced}]             # these, in this order

Products are tried in an order that their content decides (random search over a grid: Bergstra and Bengio 2012, JMLR 13,
281-305), the same in every draw and study, so that fewer trials than products are no choice of anybody's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, product, zip_longest
from typing import Any

from onset.demos import DEMOS
from onset.demos.balanced import Balanced
from onset.demos.random import Random
from onset.errors import DataError, StudyError, UnknownName
from onset.methods import Method, method
from onset.prompting import PROMPTING
from onset.records import content_hash
from onset.registry import Registry
from onset.search.base import Search
from onset.step import Step, read_settings, read_step
from onset.tasks.base import Task
from onset.tuning import MATERIALS, TUNERS
from onset.votes import VOTES

Setting = Mapping[str, Any]

WHOLE = ("learning_rate", "steps", "shots", "choose", "template")
"""What a setting may name as a whole."""

_TABLES: Mapping[str, Registry] = {"tune": TUNERS, "prompt": PROMPTING, "choose": DEMOS, "vote": VOTES, "on": MATERIALS}
_SHOTS = (4, 1, 2, 8)
_NEAREST: Setting = {"choose": "nearest", "shots": 4}


def with_setting(one: Method, setting: Setting) -> Method:
    """``one`` with ``setting``, and not searched. Raises StudyError for a setting that it cannot have."""
    tuned = one.tune is not None
    given: dict[str, Any] = {
        "prompt": None if tuned else one.prompt,
        "shots": None if tuned else one.shots,
        "choose": None if one.choose == Random() else one.choose,
        "vote": one.vote,
        "tune": one.tune,
        "on": one.on,
        "steps": one.steps,
        "epochs": one.epochs,
        "learning_rate": one.learning_rate,
        "template": one.template,
        "name": one.name,
    }
    steps: dict[str, dict[str, Any]] = {}
    for key, value in setting.items():
        step, _, inside = key.partition(".")
        if key in WHOLE:
            given[key] = value
        elif inside and step in _TABLES:
            steps.setdefault(step, {})[inside] = value
        else:
            known = ", ".join([*WHOLE, *(f"{name}.SETTING" for name in _TABLES)])
            raise StudyError(f"method {one.name}: 'grid' has an unknown key '{key}'. Known: {known}")
    given |= {step: _with(one, step, setting.get(step), inside) for step, inside in steps.items()}
    try:
        made = method(**given)
    except (StudyError, UnknownName) as error:
        raise StudyError(f"method {one.name}: its grid has {dict(setting)}: {error}") from error
    if not made.needs <= one.needs:
        more = ", ".join(sorted(made.needs - one.needs))
        raise StudyError(f"method {one.name}: its grid has {dict(setting)}, which needs {more}; the method does not")
    return made


def _with(one: Method, step: str, named: Any, settings: Mapping[str, Any]) -> Step:
    """The step of ``one``, or the one that the setting has ``named`` beside them, with ``settings``."""
    where = f"method {one.name}: its grid, '{step}'"
    held: Step | None = getattr(one, step) if named is None else read_step(_TABLES[step], named, where)
    if held is None:
        raise StudyError(f"method {one.name}: its grid sets '{step}.{next(iter(settings))}', but it has no '{step}'")
    made: Step = read_settings(_TABLES[step], held.kind, {**held.set(), **settings}, where)
    return made


def settings_of(one: Method, task: Task, labels: int) -> tuple[Setting, ...]:
    """The settings that a search tries of ``one`` at a budget of ``labels``, its own (empty) first: as many as it has
    trials, no two the same method with the examples that a part of a trial has.

    Raises StudyError where there are fewer, so that all methods have as many trials, or where one is no setting of it.
    """
    rule = one.search
    assert rule is not None
    found: list[Setting] = []
    seen: list[Any] = []
    for setting in chain([{}], _written(one) if rule.grid is not None else _by_steps(one, task, labels)):
        made = with_setting(one, setting)
        if (same := _resolved(made, _most(rule, labels))) not in seen and (not setting or _takes(made, task)):
            seen.append(same)
            found.append(setting)
        if len(found) == rule.trials:
            return tuple(found)
    raise StudyError(
        f"method {one.name}, task {task.name}, {labels} labels: 'search' tries {rule.trials} settings of every method,"
        f" this one has {len(found)}; lower 'trials', give the method a 'grid' of more, or 'search: none'"
    )


def _most(rule: Search, labels: int) -> int:
    """The examples of the largest part of a trial: settings that are one method there are one in all."""
    return max((used for used, _ in rule.sizes(labels)), default=labels)


def _resolved(made: Method, shown: int) -> dict[str, Any]:
    """What tells a method from another where ``shown`` examples are there: as many shots as there are examples are all
    of them, a single one has no order, and a rate or number of steps may be the default in other words.
    """
    said = {key: value for key, value in made.spec().items() if key not in ("learning_rate", "steps")}
    if made.tune is not None:
        schedule = made.schedule()
        rate = schedule.at(made.tune.learning_rate).learning_rate
        return said | {"schedule": [rate, schedule.steps]}
    if made.shots is None or made.shots >= shown:
        said.pop("shots", None)
    if shown < 2 or made.shots == 1:
        choose = made.choose.model_copy(update={"order": None})
        said |= {"choose": None if choose == Random() else choose.spec()}
    return said


def _takes(made: Method, task: Task) -> bool:
    """A choice that cannot rank the examples of ``task`` is no setting."""
    try:
        made.choose.check_task(task)
        made.prompt.check_task(task)
    except DataError:
        return False
    return True


def _written(one: Method) -> Sequence[Setting]:
    """The grid of the study."""
    assert one.search is not None
    grid = one.search.own
    if isinstance(grid, Mapping) and grid and all(isinstance(values, list) and values for values in grid.values()):
        every = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
        return sorted(every, key=content_hash)
    if isinstance(grid, list) and grid and all(isinstance(setting, Mapping) and setting for setting in grid):
        return grid
    raise StudyError(
        f"method {one.name}: 'grid' must be a mapping of settings to lists of values, or a list of mappings (received"
        f" {grid!r})"
    )


def _by_steps(one: Method, task: Task, labels: int) -> Iterator[Setting]:
    """What the method's steps say, most promising first."""
    if one.tune is not None:
        yield from one.tune.grid(one.schedule())
        return
    own = [{f"prompt.{key}": value for key, value in setting.items()} for setting in one.prompt.grid()]
    if not (one.prompt.shows and one.shots != 0 and labels):
        yield from own
        return
    assert one.search is not None
    most = _most(one.search, labels)
    shown = most if one.shots is None else min(one.shots, most)
    others = math.factorial(min(shown, 8)) - 1  # in so many other orders can they be shown
    orders = [{"choose.order": order} for order in range(1, min(one.search.trials, others) + 1)]
    turns = zip_longest(orders, own, _demonstrations(one, most))
    yield from (setting for turn in turns for setting in turn if setting is not None)


def _demonstrations(one: Method, labels: int) -> list[Setting]:
    """How many demonstrations and which of ``labels``, where the method leaves that open. How many examples help
    differs by task and model (Brown et al. 2020, arXiv 2005.14165, figure 1.2), and so does their order (Lu et al.
    2022, arXiv 2104.08786).
    """
    shots: list[Setting] = [{"shots": count} for count in _SHOTS if one.shots is None and count < labels]
    if one.choose != Random():
        return shots
    near: list[Setting] = [_NEAREST] if one.shots is None and labels > _NEAREST["shots"] else []
    return [*shots[:1], {"choose": Balanced.kind}, *shots[1:2], *near, *shots[2:]]
