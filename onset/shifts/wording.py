"""Other words around question and answer: ``Q:`` and ``A:`` for ``Question:`` and ``Answer:``.

Formats that mean the same change what a model answers: Sclar et al. 2024, arXiv 2310.11324. The words that announce an
answer stay, since answers are found by them. A model that was tuned on one wording is asked in another. Through a chat
template roles stand in place of these words, and nothing changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from onset.shifts.base import Perturbed
from onset.tasks.base import Task


class Wording(Perturbed):
    """Demonstrations and questions with ``question`` before the question, ``answer`` before the answer, and, where it
    is set, ``context`` before a passage.
    """

    kind: ClassVar[str] = "wording"
    source: ClassVar[str] = "Sclar et al. 2024, arXiv 2310.11324"

    question: str = Field(default="Q:", min_length=1)
    answer: str = Field(default="A:", min_length=1)
    context: str | None = Field(default=None, min_length=1)

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task whose questions stand without such words."""
        if not (task.layout.question and task.layout.answer):
            raise self.refuse(task, "its questions and answers stand without words before them")

    def asked(self, task: Task) -> Task:
        """``task`` in the other words."""
        words = {"question": self.question, "answer": self.answer, "context": self.context or task.layout.context}
        return replace(task, layout=replace(task.layout, **words))
