"""How many demonstrations a cell will show, and how long its prompts will be: a guess from characters.

The run counts tokens (`onset.demos.fit`); here no tokenizer is loaded, and `CHARACTERS_PER_TOKEN` errs towards more
tokens in English prose, so that rather fewer demonstrations are promised than fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from onset.plan import make_plan
from onset.prompting.base import CHARACTERS_PER_TOKEN
from onset.records import Item
from onset.shifts.base import Perturbed
from onset.study.cell import Cell
from onset.study.grid import Grid

ITEMS = 20
"""Test items whose prompts are measured."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """``demonstrations`` shown, of ``usable`` ones that the budget grants; the mean ``tokens`` of a prompt, and of
    those the ``shared`` ones, which every prompt of the cell begins with.
    """

    demonstrations: int
    usable: int
    tokens: float
    shared: float


def prompts_of(grid: Grid, cell: Cell, context: int | None) -> Prompts:
    """What ``cell`` shows in a model of ``context`` tokens (None: not known, and all are counted), with the first
    seed's examples.

    Raises PlanMismatch where the choice names an example that the budget does not grant.
    """
    task, method = grid.asked(cell), cell.method
    items, prompt = grid.items(cell.task, cell.shift), method.prompt
    granted = () if cell.aside else make_plan(task, grid.study.seeds[0]).take(cell.labels)
    usable = [one for one in granted if one.rationale or not method.rationales]
    if not prompt.shows or method.shots == 0:
        usable = []

    def characters(demos: Sequence[Item], item: Item) -> int:
        return len(prompt.longest(task, demos, item, None))

    ranked = usable if method.choose.per_item or not usable else list(method.choose.rank(usable, task))
    shown = ranked[: method.shots]
    if method.shots is None and shown and context is not None:
        longest = max(items, key=lambda one: characters((), one))
        room = CHARACTERS_PER_TOKEN * (context - prompt.limit(task, None))
        shown = shown[: _largest(len(shown), lambda count: characters(ranked[:count], longest) <= room)]
    shift = grid.shifts[cell.task, cell.shift]
    if isinstance(shift, Perturbed):
        shown = list(shift.demos(shown, cell.seed))
    some = items[:ITEMS]
    whole = sum(characters(shown, one) for one in some) / len(some) / CHARACTERS_PER_TOKEN
    own = sum(characters((), one) for one in some) / len(some) / CHARACTERS_PER_TOKEN
    return Prompts(len(shown), len(ranked), whole, 0.0 if method.choose.per_item else whole - own)


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    """The largest count up to ``most`` that fits; 0 is taken to fit."""
    if fits(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def prompt_rows(cells: Iterable[tuple[Cell, Prompts]]) -> list[dict[str, Any]]:
    """A row for each method and budget that shows demonstrations, for ``onset plan``.

    ``method``, ``labels``, ``fitted`` (are as many shown as fit?), and [least, most] over models, tasks and shifts:
    ``demonstrations``, ``usable``, ``prompt_tokens`` (means of cells).
    """
    groups: dict[tuple[str, int, bool], list[Prompts]] = {}
    for cell, one in cells:
        if one.demonstrations or one.usable:
            groups.setdefault((cell.method.name, cell.labels, cell.method.shots is None), []).append(one)
    return [
        {
            "method": method,
            "labels": labels,
            "fitted": fitted,
            "demonstrations": _range([one.demonstrations for one in group]),
            "usable": _range([one.usable for one in group]),
            "prompt_tokens": _range([round(one.tokens) for one in group]),
        }
        for (method, labels, fitted), group in groups.items()
    ]


def _range(values: Sequence[int]) -> list[int]:
    return [min(values), max(values)]
