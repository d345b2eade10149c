"""Which demonstrations the items of a cell are shown: chosen among what the budget grants, as many as fit."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onset.errors import ModelError
from onset.methods import Method
from onset.models.base import Model
from onset.models.chat import ChatTemplate
from onset.plan import ExamplePlan, Use, use_of
from onset.prompting.base import Prompt
from onset.records import Item
from onset.shifts.base import AnyShift, apply_shift
from onset.tasks.base import Task


@dataclass(frozen=True, slots=True)
class Shown:
    """The demonstrations of a cell in the order in which they are shown: ``everywhere`` the same, or ``by_item`` (id of
    the question -> its own), and the ``ledger`` of what was used to choose and to show them.
    """

    everywhere: tuple[Item, ...] = ()
    by_item: Mapping[str, tuple[Item, ...]] | None = None
    ledger: tuple[Use, ...] = field(default=())

    def of(self, item: Item) -> tuple[Item, ...]:
        """What ``item`` is shown."""
        return self.everywhere if self.by_item is None else self.by_item[item.id]


def choose_demonstrations(  # noqa: PLR0913 - what is shown depends on all of these
    model: Model,
    task: Task,
    method: Method,
    plan: ExamplePlan,
    labels: int,
    longest: Item | None,
    chat: ChatTemplate | None = None,
    items: Sequence[Item] = (),
    *,
    asked: Sequence[Task] = (),
) -> Shown:
    """The demonstrations of a prompting method and their ledger.

    From the plan's first ``labels`` examples, those that carry what the method needs, ranked by ``method.choose``:
    ``method.shots`` of them, or, when that is None, as many as leave room in the model's context for ``longest``
    (`longest_question`; not used where ``method.shots`` is given) and its answer. A choice that looks at the question
    chooses for each of ``items``; where a prompt would not fit (and the model tells its context), its last-ranked
    demonstrations are left out. ``asked``: ``task`` as it is written under the study's shifts, where these differ: all
    prompts have to fit.
    """
    granted = plan.take(labels)
    usable = tuple(item for item in granted if item.rationale or not method.rationales)
    if not method.prompt.shows or not usable or method.shots == 0:
        return Shown()
    choice = method.choose
    if choice.per_item:
        most = len(usable) if method.shots is None else min(method.shots, len(usable))
        ranking = choice.ranking(usable, task)
        # of a server that does not tell its context nothing can be said to fit, or not to
        fits = None if model.facts.context is None else _Fits(model, asked or [task], method, chat, plan.seed)
        chosen = {
            one.id: fits.shown(ranking(one)[:most], one) if fits else choice.shown(ranking(one)[:most], plan.seed)
            for one in items
        }
        used = {demo.id: demo for shown in chosen.values() for demo in shown}
        shown = [one for one in usable if one.id in used]
        return Shown((), chosen, _ledger(method, usable, shown))
    ranked = tuple(choice.rank(usable, task))
    if method.shots is not None or longest is None:
        best = ranked[: method.shots]
        fitted = choice.shown(best, plan.seed)
    else:
        fitted = _Fits(model, asked or [task], method, chat, plan.seed).shown(ranked, longest)
    return Shown(fitted, None, _ledger(method, usable, fitted))


def _ledger(method: Method, usable: Sequence[Item], shown: Sequence[Item]) -> tuple[Use, ...]:
    lines = []
    if method.choose.reads:
        lines += _read(method, usable)
    if shown:
        lines.append(use_of("demonstration", shown, rationales=method.prompt.rationale))
    return tuple(lines)


def longest_question(
    model: Model, task: Task, shifts: Sequence[str | AnyShift | tuple[Item, ...]], prompt: Prompt
) -> Item:
    """The longest in tokens among the longest in characters, over the test items under each of ``shifts``, or the items
    given in its place.
    """
    every = itertools.chain.from_iterable(one if isinstance(one, tuple) else apply_shift(task, one) for one in shifts)
    longest = heapq.nlargest(50, every, key=lambda one: len(prompt.longest(task, (), one, None)))
    return max(longest, key=lambda one: model.count_tokens(prompt.longest(task, (), one, None)))


def _context(model: Model, method: Method) -> int:
    if model.facts.context is None:
        raise ModelError(
            f"model '{model.facts.name}' does not tell its context, so how many demonstrations fit it is not known:"
            f" give 'context: ...' beside the model, or 'shots: N' in method {method.name}"
        )
    return model.facts.context


def _read(method: Method, usable: Sequence[Item]) -> list[Use]:
    """What a choice that reads examples used: those with rationales apart where it read these too."""
    if method.rationales or not method.choose.reads_rationales:
        return [use_of("index", usable, rationales=method.rationales)]
    parts = {told: [one for one in usable if bool(one.rationale) == told] for told in (True, False)}
    return [use_of("index", part, rationales=told) for told, part in parts.items() if part]


class _Fits:
    """How many demonstrations leave room for a question and its answer, however the task is written (``tasks``)."""

    def __init__(
        self, model: Model, tasks: Sequence[Task], method: Method, chat: ChatTemplate | None, seed: int
    ) -> None:
        self._model: Any = model
        self._tasks = tasks
        self._method, self._chat, self._seed = method, chat, seed
        self._context = _context(model, method)

    def shown(self, ranked: Sequence[Item], item: Item) -> tuple[Item, ...]:
        """The largest number of the first of ``ranked`` whose prompt about ``item`` fits, as shown."""
        if self._fit(ranked, item):
            return self._arranged(ranked)
        low, high = 0, len(ranked)  # none is taken to fit: a prompt without demonstrations is what is asked
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._fit(ranked[:middle], item) else (low, middle)
        return self._arranged(ranked[:low])

    def _arranged(self, best: Sequence[Item]) -> tuple[Item, ...]:
        return self._method.choose.shown(best, self._seed)

    def _fit(self, best: Sequence[Item], item: Item) -> bool:
        return all(self._fits(task, self._arranged(best), item) for task in self._tasks)

    def _fits(self, task: Task, demos: Sequence[Item], item: Item) -> bool:
        method = self._method.prompt
        prompt = method.longest(task, demos, item, self._chat)
        # only a model with a chat template has to know what a templated prompt is
        tokens = (
            self._model.count_tokens(prompt, templated=True)
            if self._chat is not None
            else self._model.count_tokens(prompt)
        )
        return bool(tokens <= self._context - method.limit(task, self._chat))
