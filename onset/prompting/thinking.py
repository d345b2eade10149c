"""A reasoning model thinks before it answers, for a budget of tokens; what it thinks is no part of the answer.

Source: DeepSeek-AI 2025, arXiv 2501.12948, section 2.2 and table 1 (thinking between marks, then the answer). The
budget is that of Muennighoff et al. 2025, arXiv 2501.19393, section 3.1 ("budget forcing", its upper bound): text that
still thinks after ``budget`` tokens ends there. By default such an item has no answer and the status ``out of budget``;
with ``forced`` the thinking is closed and the answer is asked for with the words that announce one, as there ("Final
Answer:").

The model is asked through its chat template with thinking switched on (``enable_thinking``); every other method
switches it off. ``marks`` begin and end the thinking: those that the template speaks of (`onset.thinking.MARKS`),
unless set. Demonstrations are questions and answers; without them (``shots: 0``) it is how such models are evaluated by
those who make them. How many tokens each output thought is in its record (``thinking``), the mean in the table of cells
(``thinking_tokens``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field, field_validator

from onset.models.chat import ChatTemplate
from onset.prompting.ask import ANSWER, Ask
from onset.prompting.base import Planned, Prompt, gold_score, joined, read_all
from onset.prompting.cot import until_marker
from onset.prompting.text import STOP, most_tokens
from onset.records import Attempt, Completion, Item, Thinking
from onset.tasks.base import Task
from onset.thinking import MARKS, answer_start

FORCED = "forced answer"
"""Role of the call that asks for an answer where the budget was used up."""


class Thinks(Prompt):
    """Question and answer pairs; the model thinks, for ``budget`` tokens at most, and answers. ``forced``: whether an
    answer is asked for where the budget is used up; ``marks``: where thinking begins and ends.
    """

    kind: ClassVar[str] = "thinking"
    source: ClassVar[str] = "DeepSeek-AI 2025, arXiv 2501.12948; budget: Muennighoff et al. 2025, arXiv 2501.19393"
    words: ClassVar[str] = "question and answer pairs, and thinking before the answer"
    chain: ClassVar[bool] = True
    calls: ClassVar[str] = "1 call an item (with 'forced' 2 where the budget is used up)"

    budget: int = Field(default=2048, ge=1, le=1_000_000)
    forced: bool = False
    marks: tuple[str, str] | None = None

    @field_validator("marks")
    @classmethod
    def _some_text(cls, marks: tuple[str, str] | None) -> tuple[str, str] | None:
        if marks is not None and not all(one.strip() for one in marks):
            raise ValueError("a mark is some text, and not only space")
        return marks

    def longest(self, task: Task, demos: Sequence[Item], item: Item, chat: ChatTemplate | None) -> str:
        """Through the template that thinks."""
        return super().longest(task, demos, item, chat and chat.that_thinks())

    def limit(self, task: Task, chat: ChatTemplate | None) -> int:
        """The budget, and what an answer with its steps may take."""
        return self.budget + most_tokens(task, rationale=True, chat=chat)

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """Thinking and answer in one call."""
        return (Planned(ANSWER, 0.6 * self.limit(task, None), samples=samples),)

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Ask once (or for as many samples as the vote wants). The gold answer is scored after the first sample's
        thinking and what it wrote up to its answer, or after its thinking, closed, where that did not end.
        """
        thinks = ask if ask.chat is None else replace(ask, chat=ask.chat.that_thinks())
        prompt = thinks.prompt(item, rationale=False)
        rule = self._rule(prompt, thinks)
        written = await thinks.generate(
            prompt,
            ANSWER,
            max_tokens=self.limit(ask.task, ask.chat),
            sampling=ask.sampling,
            stop=STOP[1:] if ask.chat is None else None,  # thinking and answer are paragraphs
            until=ask.end,
            thinking=rule,
        )
        if self.forced:
            written = tuple(await asyncio.gather(*(self._closed(prompt, one, rule, thinks) for one in written)))
        # A text that begins to think in its prompt says so itself: it is read without the prompt.
        begun = rule.start if rule.inside else ""
        done = tuple(one if one.finish == "overlong" else replace(one, text=begun + one.text) for one in written)
        found = read_all(done, item, ask, self)
        announced = prompt + _announced(written[0].text, rule, ask)
        gold = await gold_score(announced, item, thinks, run=done[0].finish != "overlong")
        return Attempt(prompt, done, found.answers, found.voted.answer, gold, detail=found.detail)

    def _rule(self, prompt: str, ask: Ask) -> Thinking:
        start, end = self.marks or (MARKS[0] if ask.chat is None else ask.chat.marks)
        return Thinking(start, end, self.budget, inside=prompt.rstrip().endswith(start))

    async def _closed(self, prompt: str, one: Completion, rule: Thinking, ask: Ask) -> Completion:
        """``one``, or where it used up its budget, with its thinking closed and an answer after it."""
        if one.finish != "budget":
            return one
        text = _announced(one.text, rule, ask)
        (answer,) = await ask.generate(
            prompt + text, FORCED, max_tokens=ask.task.answer_tokens, until=replace(ask.end, marker="")
        )
        return joined(one, text, answer)


def _announced(text: str, rule: Thinking, ask: Ask) -> str:
    """The text up to the words that announce its answer, its thinking closed."""
    place = answer_start(text, rule)
    thought, rest = (f"{text.rstrip()}\n{rule.end}", "") if place is None else (text[:place], text[place:])
    return thought + until_marker(rest, ask.task.layout, "\n\n" if thought else ask.lead)
