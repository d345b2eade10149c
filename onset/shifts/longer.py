"""Longer chains than any demonstration has: the same generated task, ``by`` steps further.

The generalisation over length of Wei et al. 2022 (arXiv 2201.11903, section 5): demonstrations of two flips,
questions of three and four.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from onset.records import Item
from onset.shifts.base import TestSet
from onset.tasks.base import Task


class Longer(TestSet):
    """Other problems of the same generated task, ``by`` steps (digits, words, flips, hops) longer; as many as the task
    has test items. Token limits are those of the longer task.
    """

    kind: ClassVar[str] = "longer"
    source: ClassVar[str] = "Wei et al. 2022, arXiv 2201.11903, section 5"

    by: int = Field(default=2, ge=1)

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task that is not generated at a length, or that ends before it."""
        if task.longer is None:
            raise self.refuse(task, "it has no length that could be set; generated tasks have")
        task.longer(self.by)

    def items(self, task: Task) -> tuple[Item, ...]:
        """Those of the longer task."""
        return self._longer(task).test

    def asked(self, task: Task) -> Task:
        """``task`` with the token limits of the longer one."""
        other = self._longer(task)
        answer, chain = max(task.answer_tokens, other.answer_tokens), max(task.rationale_tokens, other.rationale_tokens)
        trace = max(task.trace_tokens, other.trace_tokens)
        return replace(task, answer_tokens=answer, rationale_tokens=chain, trace_tokens=trace, solver=other.solver)

    def _longer(self, task: Task) -> Task:
        assert task.longer is not None
        return task.longer(self.by)
