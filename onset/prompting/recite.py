r"""Recite, then answer: the model recites passages from memory, answers after each, and the majority is taken.

Source: Sun et al. 2023, arXiv 2210.01296 (recitation-augmented language models); prompts and parameters of
the released code (github.com/Edward-Sun/RECITE, natural questions): 20 recitations of at most 128 tokens at temperature
0.7, each answered greedily. The rationales of the demonstrations are the passages recited for them.

    Question: Where was Marie Curie born?

    The answer to the above question can be found in the following Wikipedia page, section, and paragraph:

    Answer: Marie Curie was born in Warsaw ...

Demonstrations stand three line breaks apart; the second prompt is the recitation, a line, and the questions with their
answers alone (``Q:``, ``A:``). Deviations: tied answers go to the more probable one (`onset.scores.vote`), where the
released code takes the shorter; the answer's limit is the task's, where it is 16 tokens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from onset.errors import StudyError
from onset.models.chat import ChatTemplate
from onset.prompting.ask import ANSWER, GREEDY, Ask
from onset.prompting.base import Need, Planned, Prompt, unanswered
from onset.prompting.reading import after_marker, attempt, one_line, query_of
from onset.records import Answer, Attempt, Completion, Item, Sampling
from onset.tasks.base import Task
from onset.votes.base import Vote

RECITE = "The answer to the above question can be found in the following Wikipedia page, section, and paragraph:"
RELEVANT = "Based on the above paragraph, could you answer the following (probably) relevant questions?"
RECITATION = "recitation"
"""Role of the call that recites."""
_LINE, _APART = "\n\n", "\n\n\n"


class Recite(Prompt):
    """``recitations``: how many are drawn (1: greedy); ``tokens``: the most that one has; ``temperature`` of those that
    are drawn.
    """

    kind: ClassVar[str] = "recite"
    source: ClassVar[str] = "Sun et al. 2023, arXiv 2210.01296"
    words: ClassVar[str] = "questions with passages that answer them; passages recited before answering"
    needs: ClassVar[frozenset[Need]] = frozenset({"rationales"})
    calls: ClassVar[str] = "1 call an item that recites, and 1 for each recitation"

    recitations: int = Field(default=20, ge=1, le=200)
    tokens: int = Field(default=128, ge=1, le=4096)
    temperature: float = Field(default=0.7, gt=0, le=5)

    def check(self, vote: Vote | None) -> None:
        """It votes over its recitations."""
        if vote is not None:
            raise StudyError(f"method: '{self.kind}' votes over its {self.recitations} recitations; leave out 'vote'")

    def seeded(self) -> bool:
        """With several recitations."""
        return self.recitations > 1

    def longest(self, task: Task, demos: Sequence[Item], item: Item, chat: ChatTemplate | None) -> str:
        """The prompt that recites: longer than the one that answers, unless a recitation has its most tokens."""
        text = recite_prompt(demos, item)
        return text if chat is None else chat([("user", text)])

    def limit(self, task: Task, chat: ChatTemplate | None) -> int:
        """Room for a recitation and an answer."""
        return self.tokens + task.answer_tokens

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """Recitations of their most tokens, and an answer each, to prompts as long."""
        return (
            Planned(RECITATION, 0.7 * self.tokens, samples=self.recitations),
            Planned(ANSWER, 8.0, prompts=self.recitations),
        )

    def read(self, done: Completion, item: Item, task: Task) -> Answer:
        """What follows "A:"; a completion that announces its answer is read as it is. Pure."""
        return task.format.extract(after_marker(done.text), item, truncated=done.finish == "length")

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Recite, answer after each recitation, take the majority. Where the prompt that recites does not fit, the item
        is overlong.
        """
        chat = ask.chat is not None
        sampling = GREEDY if self.recitations == 1 else Sampling(self.recitations, self.temperature)
        stop = None if chat else (_LINE,)
        prompt = ask.wrap(recite_prompt(ask.demos, item))
        recited = await ask.generate(
            prompt, RECITATION, max_tokens=self.tokens, sampling=sampling, stop=stop, key="recitation"
        )
        if recited[0].finish == "overlong":
            return unanswered(prompt, recited[0])
        prompts = [ask.wrap(answer_prompt(one.text, ask.demos, item)) for one in recited]
        stop, limit = (None if chat else ("\n",)), ask.task.answer_tokens
        calls = (ask.generate(one, ANSWER, max_tokens=limit, stop=stop) for one in prompts)
        done = [one for each in await asyncio.gather(*calls) for one in each]
        return await attempt(prompts[0], done, item, ask, self)


def recite_prompt(demos: Sequence[Item], item: Item) -> str:
    """The prompt that recites, in plain text."""

    def asked(one: Item) -> str:
        return _LINE.join([f"Question: {query_of(one)}", RECITE, "Answer:"])

    return _APART.join([*(f"{asked(one)} {one_line(one.rationale or '')}" for one in demos), asked(item)])


def answer_prompt(recitation: str, demos: Sequence[Item], item: Item) -> str:
    """The prompt that answers after ``recitation``, in plain text."""

    def asked(one: Item) -> str:
        return f"Q: {query_of(one)}{_LINE}A:"

    shown = [*(f"{asked(one)} {one.answer}" for one in demos), asked(item)]
    return f"{one_line(recitation)}{_LINE}{RELEVANT}{_LINE}{_APART.join(shown)}"
