"""Sentences of generated tasks, each written in another way that says the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from onset.records import Item
from onset.shifts.base import Shift
from onset.tasks.base import Task

Patterns = Sequence[tuple[str, str]]


class Sentencewise(Shift):
    """A rewrite by a table of ``patterns``: regular expressions of whole sentences, and what stands in their place. An
    item whose answer, worked out from the new text, is another one stays as it is.
    """

    patterns: ClassVar[Patterns] = ()

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task with no such sentence."""
        if task.solver is None or not any(self.rewrite(item, task) != item for item in task.test):
            raise self.refuse(task, "it has none of the sentences that this knows how to write otherwise")

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item, written otherwise."""
        made = replace(
            item,
            question=self._written(item.question),
            context=None if item.context is None else self._written(item.context),
        )
        solved = None if task.solver is None else task.solver.solve(made)
        return made if solved is not None and solved.answer == item.answer else item

    def _written(self, text: str) -> str:
        pieces = re.split(r"((?<=[.?!])\s+)", text)
        return "".join(_first(self.patterns, one) for one in pieces)


def _first(patterns: Patterns, sentence: str) -> str:
    for pattern, template in patterns:
        match = re.fullmatch(pattern, sentence)
        if match is not None:
            return match.expand(template)
    return sentence
