r"""Reading a passage to a model: one prompt, whether the passage was retrieved, generated or recited.

Source: Yu et al. 2023, arXiv 2209.10063; the released prompts word by word
(github.com/wyu97/GenRead, inprompts/regular_prompts.jsonl, ``question answering`` and ``fact checking``):

    Refer to the passage below and answer the following question with just one entity. \n\n Passage: ... \n\n
    Question: ... \n\n The answer is

Methods that read through this file differ in nothing but the passage. Deviations: an item with choices names them in a
line after its question, and an item's own context stands before its question; an answer has the task's token limit,
where it is 10 tokens, and in plain text ends with its paragraph, so that a next passage and question that the model
makes up are not read. An item whose choices are true and false is a statement, asked as fact checking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from onset.prompting.ask import ANSWER, GREEDY, Ask
from onset.prompting.base import Planned, Prompt, gold_score, guessed_tokens, read_all
from onset.prompting.text import is_statement
from onset.records import Answer, Attempt, Completion, Item
from onset.scores import vote
from onset.tasks.base import Task
from onset.turns import BLANK

READ = (
    "Refer to the passage below and answer the following question with just one entity. \n\n"
    " Passage: {background} \n\n Question: {query} \n\n The answer is"
)
CHECK = "{background} \n\n claim: {query} \n\n Is the claim true or false?"
PROVIDE = "Provide a background document from Wikipedia to answer the given question. \n\n {query} \n\n"
SUPPORT = (
    "Generate a background document from Wikipedia to support or refute the statement. \n\n Statement: {query} \n\n"
)
MARKER = "The answer is"


def query_of(item: Item) -> str:
    """The question as a passage is asked for, and read, about it."""
    lines = [item.context] if item.context else []
    lines.append(item.question)
    if item.choices and not is_statement(item):
        lines.append(f"Options: {'; '.join(item.choices)}")
    return "\n".join(lines)


def reading_prompt(passage: str, item: Item) -> str:
    """The prompt that reads ``passage``, as it is, about ``item``, in plain text."""
    text = CHECK if is_statement(item) else READ
    return text.format(background=passage, query=query_of(item))


def one_line(text: str) -> str:
    """``text`` without line breaks, as the released code reads a passage."""
    return " ".join(text.split())


class Reader(Prompt):
    """A method that asks about an item after a passage. It shows no demonstrations (zero-shot, as the paper)."""

    shows: ClassVar[bool] = False

    def reading(self, task: Task, passage: float, samples: int = 1, prompts: int = 1) -> Planned:
        """The planned calls that read ``prompts`` passages of ``passage`` tokens each."""
        own = guessed_tokens(task, partial(reading_prompt, ""))
        return Planned(ANSWER, 8.0, prompts, samples, own + passage)

    def longest(self, task: Task, demos: Sequence[Item], item: Item, chat: object) -> str:
        """The prompt without its passage: with one that is too long the item counts as overlong."""
        return reading_prompt("", item)

    def read(self, done: Completion, item: Item, task: Task) -> Answer:
        """What follows "The answer is", with which the prompt ends; a completion that says it again is read as it is.
        Pure.
        """
        return task.format.extract(after_marker(done.text), item, truncated=done.finish == "length")

    async def answers(self, passages: Sequence[str], item: Item, ask: Ask) -> Attempt:
        """An answer after each of ``passages``, and the majority of these (`onset.scores.vote`); with one passage, one
        answer, or as many as the method's vote wants.
        """
        prompts = [ask.wrap(reading_prompt(one, item)) for one in passages]
        limit, sampling = self.limit(ask.task, ask.chat), ask.sampling if len(prompts) == 1 else GREEDY
        stop, end = (None, ask.end) if ask.chat else ((), replace(ask.end, turns=(*ask.end.turns, BLANK)))
        calls = (
            ask.generate(one, ANSWER, max_tokens=limit, sampling=sampling, stop=stop, until=end) for one in prompts
        )
        done = [one for each in await asyncio.gather(*calls) for one in each]
        return await attempt(prompts[0], done, item, ask, self)


def after_marker(text: str) -> str:
    """``text`` with the words that announce an answer before it, unless it has them."""
    return text if MARKER.casefold() in text.casefold() else f"{MARKER} {text.strip()}"


async def attempt(prompt: str, done: Sequence[Completion], item: Item, ask: Ask, method: Prompt) -> Attempt:
    """The answers of ``done``, the one taken of them (the method's vote, else the majority), and the gold answer's
    score after ``prompt`` and "The answer is".
    """
    detail: dict[str, Any] = {}
    if ask.vote is not None:
        found = read_all(done, item, ask, method)
        answers, answer, detail = found.answers, found.voted.answer, found.detail
    else:
        answers = tuple(method.read(one, item, ask.task) for one in done)
        answer = vote(answers, [one.logprob for one in done])
    announced = prompt if prompt.endswith(MARKER) else f"{prompt}{ask.lead}{MARKER}"
    gold = await gold_score(announced, item, ask, run=done[0].finish != "overlong")
    return Attempt(prompt, tuple(done), answers, answer, gold, detail=detail)
