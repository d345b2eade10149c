"""Zero-shot chain of thought: no demonstrations, the answer begins with a sentence that makes the model write steps.

Source: Kojima et al. 2022, arXiv 2205.11916, section 3, with the words of its code
(https://github.com/kojima-takeshi188/zero_shot_cot, `cot_trigger` and `direct_answer_trigger`). Two calls an item:

    Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
    Answer: Let's think step by step. <Pam has 17 - 7 = 10 keys.>
    Therefore, the answer (arabic numerals) is < 10.>

Deviations. "Question:" and "Answer:" instead of "Q:" and "A:", as in every prompt here. Steps end where they announce
an answer or a new question, and with the task's token limit (there: 128 tokens, whatever is written). The words of the
second call name the choices of an item that has two ("Yes or No" there), and say "among the options" of more ("among A
through E" there: options have no letters here). The answer is read after those words as after any announcement (there:
the first number or letter of the text). Through a chat template both texts begin the assistant's turn.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from onset.answers import NumberFormat
from onset.models.chat import ChatTemplate
from onset.prompting.ask import ANSWER, Ask
from onset.prompting.base import Planned, Prompt, gold_score, guessed_chain, joined, read_all
from onset.prompting.cot import until_marker
from onset.prompting.text import STOP, question_block, render
from onset.records import Answer, Attempt, Completion, Item
from onset.tasks.base import PLAIN, Task

EXTRACTION = "extraction"
"""Role of the second call."""


class ZeroShotChain(Prompt):
    """A question, and the words that make a model write steps (``trigger``); then the words that make it name the
    answer. ``announced``: an answer that the steps announce themselves is taken, and the second call is made after
    steps without one alone (no part of the paper: for models that were tuned to announce it).
    """

    kind: ClassVar[str] = "zero-shot-cot"
    source: ClassVar[str] = "Kojima et al. 2022, arXiv 2205.11916, section 3"
    words: ClassVar[str] = "the words that make a model write steps, then those that ask for the answer"
    shows: ClassVar[bool] = False
    chain: ClassVar[bool] = True
    calls: ClassVar[str] = "2 calls an item: the steps, the answer (with a vote of n samples: n + 1)"

    trigger: str = Field(default="Let's think step by step.", min_length=1)
    announced: bool = False

    def planned(self, task: Task, samples: int) -> tuple[Planned, ...]:
        """The steps, and the answers after them."""
        steps = guessed_chain(task)
        return (
            Planned(ANSWER, steps, samples=samples),
            Planned(EXTRACTION, 8.0, prompts=samples, tokens_more=steps),
        )

    async def solve(self, item: Item, ask: Ask) -> Attempt:
        """Ask for steps (as many samples as the vote wants), then after each for the answer, greedily.

        An output is the steps, the words of the second call and what follows them. The gold answer is scored after
        those words of the first sample.
        """
        asked = asking(ask.task, item, ask.chat) + ask.lead + self.trigger
        chains = await ask.generate(
            asked,
            ANSWER,
            max_tokens=self.limit(ask.task, ask.chat),
            sampling=ask.sampling,
            stop=STOP[1:] if ask.chat is None else None,  # steps may have paragraphs
            until=ask.end,
        )
        told = cue(item, ask.task)
        done = tuple(await asyncio.gather(*(self._answer(asked, one, told, ask) for one in chains)))
        found = read_all(done, item, ask, self)
        stem = asked + chains[0].text.rstrip() + told
        if self.announced and told not in done[0].text:
            stem = asked + until_marker(done[0].text, ask.task.layout, ask.lead)
        gold = await gold_score(stem, item, ask, run=done[0].finish != "overlong")
        return Attempt(asked, done, found.answers, found.voted.answer, gold, detail=found.detail)

    async def _answer(self, asked: str, chain: Completion, told: str, ask: Ask) -> Completion:
        """The steps of ``chain`` with the answer after them, as one completion."""
        if chain.finish == "overlong" or (self.announced and self._announced(chain, ask.item, ask.task)):
            return chain
        written = chain.text.rstrip() + told
        (answer,) = await ask.generate(
            asked + written, EXTRACTION, max_tokens=ask.task.answer_tokens, until=replace(ask.end, marker="")
        )
        if answer.finish == "overlong":
            return replace(chain, text=written, logprob=None, finish="overlong")
        return joined(chain, written, answer)

    def announces(self, item: Item, task: Task) -> str:
        """The words of the second call, or of the announcement."""
        return super().announces(item, task) if self.announced else cue(item, task).strip()

    def read(self, done: Completion, item: Item, task: Task) -> Answer:
        """The answer after the words of the second call."""
        _, told, rest = done.text.rpartition(cue(item, task))
        if self.announced and not told:
            return super().read(done, item, task)
        return task.format.extract(f"{PLAIN.marker}{rest}" if told else "", item, truncated=done.finish == "length")

    def _announced(self, chain: Completion, item: Item, task: Task) -> bool:
        """Do the steps announce an answer themselves?"""
        marked = task.layout.marker.lower() in chain.text.lower()
        return marked and super().read(chain, item, task).status == "ok"


def asking(task: Task, item: Item, chat: ChatTemplate | None) -> str:
    """The question as every method asks it, but that a chat is not told how to write the answer: a model that is told
    begins with the answer, and the second call asks for it.
    """
    if chat is None:
        return render(task, (), item, rationale=False)
    said = question_block(item, replace(task.layout, question="", answer=""))
    return chat([("user", f"{task.instruction}\n\n{said}" if task.instruction else said)])


def cue(item: Item, task: Task) -> str:
    """The words after which the answer to ``item`` stands, on a line of their own; in a layout with a marker of its own
    that marker.
    """
    if task.layout.marker != PLAIN.marker:
        return f"\n{task.layout.marker}"
    if item.choices:
        among = (
            f"the answer ({' or '.join(item.choices)})" if len(item.choices) == 2 else "among the options, the answer"
        )
        return f"\nTherefore, {among} is"
    kind = " (arabic numerals)" if isinstance(task.format, NumberFormat) else ""
    return f"\nTherefore, the answer{kind} is"
