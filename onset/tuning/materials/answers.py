"""The granted examples' answers: a question's prompt, and the answer alone.

Question: What is 27 + 48?
Answer: The answer is 75.
"""

from __future__ import annotations

from collections.abc import Sequence

from onset.plan import Use, use_of
from onset.records import Item
from onset.tasks.base import Task
from onset.tuning.materials.base import Expected, Format, Given, Material, Texts, guessed, labelled


class Answers(Material):
    """Questions and their answers; the tuned model is asked so, without demonstrations."""

    kind = "answers"
    source = (
        "the format of Brown et al. 2020, arXiv 2005.14165, without demonstrations; loss on the answer (Mosbach et al."
        " 2023, arXiv 2305.16938)"
    )
    words = "questions and answers"
    uses = "every example: training"

    @property
    def format(self) -> Format:
        """Answers alone."""
        return "answers"

    def ledger(self, examples: Sequence[Item]) -> tuple[Use, ...]:
        """All are trained on."""
        return (use_of("training", examples, rationales=self.format == "rationales"),)

    def make(self, given: Given) -> Texts:
        """A text an example."""
        return Texts(tuple(labelled(given, (), one, self.format) for one in given.examples))

    def expected(self, task: Task, examples: Sequence[Item]) -> Expected:
        """A text an example."""
        return Expected(len(examples), guessed(task, examples, self.format))
