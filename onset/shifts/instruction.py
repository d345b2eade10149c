"""The instruction elsewhere, in other words, or left out.

An instruction stands before the demonstrations; here it may stand behind them, before the question: for a model that
follows the example next to it the order matters (Webson and Pavlick 2022, arXiv 2109.01247, vary instructions).
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from onset.shifts.base import Perturbed
from onset.tasks.base import Task


class Instruction(Perturbed):
    """The instruction ``at`` the first or the last place before the question, as ``text`` (unset: the task's own;
    empty: none at all).
    """

    kind: ClassVar[str] = "instruction"
    source: ClassVar[str] = "Webson and Pavlick 2022, arXiv 2109.01247"

    at: Literal["last", "first"] = "last"
    text: str | None = None

    @property
    def needs_demonstrations(self) -> bool:
        """Without demonstrations the first place is the last."""
        return self.text is None

    def check_task(self, task: Task) -> None:
        """Raises DataError where this leaves the prompt as it is."""
        if self.text is None and not task.instruction:
            raise self.refuse(task, "it has no instruction that could stand elsewhere; give one with 'text: ...'")
        if self.asked(task) == task:
            raise self.refuse(task, "its instruction stands there already, in these words")

    def asked(self, task: Task) -> Task:
        """``task`` with its instruction so."""
        text = task.instruction if self.text is None else self.text
        return replace(task, instruction=text, instruction_last=self.at == "last" and bool(text))
