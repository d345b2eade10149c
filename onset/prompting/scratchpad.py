"""Scratchpads: the demonstrations show the state after every step of an algorithm before the answer.

Source: Nye et al. 2021, arXiv 2112.00114: the trace of an addition (section 3, figure 2) and of a program (section 5),
between the marks ``<scratch>`` and ``</scratch>``; the task writes it (`onset.tasks.base.Task.trace`). Deviations: the
paper tunes models on traces of additions and polynomials and prompts for polynomials and programs alone; here all are
prompts. Word problems and coin flips, which it does not have, are traced as programs whose lines are sentences. The
answer stands after "The answer is", as with every other method, so that the trace alone differs from chain of thought.

    Question: What is 29 + 57?
    Answer: <scratch>
    2 9 + 5 7 , C: 0
    2 + 5 , 6 C: 1
    , 8 6 C: 0
    0 8 6
    </scratch>
    The answer is 86.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from onset.errors import DataError
from onset.models.chat import ChatTemplate
from onset.prompting.ask import ANSWER
from onset.prompting.base import Need, Planned
from onset.prompting.cot import Chain
from onset.prompting.text import CHAT_CHAIN
from onset.records import Answer, Completion, Item
from onset.tasks.base import Task

OPENED, CLOSED = "<scratch>", "</scratch>"


class Scratchpad(Chain):
    """Demonstrations with the state after every step."""

    kind: ClassVar[str] = "scratchpad"
    source: ClassVar[str] = "Nye et al. 2021, arXiv 2112.00114, sections 3 and 5"
    words: ClassVar[str] = "questions with state traces and answers (scratchpad)"
    needs: ClassVar[frozenset[Need]] = frozenset({"traces"})

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task that writes no traces."""
        if task.trace is None:
            raise DataError(
                f"task {task.name}: method '{self.kind}' needs a task that writes state traces (addition, coin-flip,"
                " word-problems, world-problems, world-programs); this one has none"
            )

    def dressed(self, demos: Sequence[Item], task: Task) -> tuple[Item, ...]:
        """The demonstrations with their traces for rationales."""
        assert task.trace is not None
        return tuple(replace(demo, rationale=f"{OPENED}\n{task.trace(demo)}\n{CLOSED}") for demo in demos)

    def limit(self, task: Task, chat: ChatTemplate | None) -> int:
        """What a trace and an answer take."""
        return task.trace_tokens * (1 if chat is None else CHAT_CHAIN)

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """One call; a trace is about as long as those of the demonstrations."""
        return (Planned(ANSWER, 0.6 * task.trace_tokens, samples=samples),)

    def read(self, done: Completion, item: Item, task: Task) -> Answer:
        """The answer after the scratchpad, where it ends: its numbers are states."""
        return super().read(replace(done, text=done.text.rpartition(CLOSED)[2]), item, task)
