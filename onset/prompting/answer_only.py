"""Answer-only prompting: the demonstrations show question and answer, no steps.

Source: the "standard prompting" baseline of Wei et al. 2022, arXiv 2201.11903, section 3.1: the same
demonstrations as chain of thought with the rationale deleted (Brown et al. 2020, arXiv 2005.14165).

    Question: What is 27 + 48?
    Answer: The answer is 75.
"""

from __future__ import annotations

from typing import ClassVar

from onset.prompting.ask import Ask
from onset.prompting.base import Prompt, answered, gold_score
from onset.records import Attempt, Item


class AnswerOnly(Prompt):
    """Question and answer pairs, no steps."""

    kind: ClassVar[str] = "answer-only"
    source: ClassVar[str] = "Brown et al. 2020, arXiv 2005.14165; Wei et al. 2022, arXiv 2201.11903, section 3.1"
    words: ClassVar[str] = "question and answer pairs"

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Ask once (or for as many samples as the vote wants) with answers only; the gold answer is scored after the
        same prompt and the words "The answer is".
        """
        prompt = ask.prompt(item, rationale=False)
        done, found = await answered(prompt, item, ask, self)
        announced = f"{prompt}{ask.lead}{ask.task.layout.marker}"
        gold = await gold_score(announced, item, ask, run=done[0].finish != "overlong")
        return Attempt(prompt, done, found.answers, found.voted.answer, gold, detail=found.detail)
