"""How items and demonstrations become text.

The format in plain text is Wei et al. 2022 (arXiv 2201.11903, section 2): answer-only and chain-of-thought prompts
are the same text with and without the rationale, so that the rationale is the only factor:

    Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?
    Answer: Pam has 17 - 7 = 10. The answer is 10.

("Question:" instead of "Q:" follows Fu et al. 2022, arXiv 2210.00720.) A completion begins after
"Answer:" and owns the space. A tuned model sees the same format with no demonstrations.

Through a chat template each demonstration is a user's turn (the question, without the labels that the roles replace)
and an assistant's (the answer, in the same words); a completion begins the assistant's turn. The first turn says how to
write the answer ('Write the answer as "The answer is ...".'), the same for every method.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from onset.answers import NumberFormat
from onset.models.chat import ChatTemplate, Turn
from onset.records import EndRule, Item
from onset.tasks.base import PLAIN, Layout, Task
from onset.turns import turns_of

STOP = ("\n\n", "\nQuestion:", "Question:")


def is_statement(item: Item) -> bool:
    """Are its choices true and false?"""
    return {one.casefold() for one in item.choices or ()} == {"true", "false"}


def question_block(item: Item, layout: Layout = PLAIN) -> str:
    """The item up to and including ``Answer:``, with no trailing space."""
    lines = [f"{layout.context} {item.context}"] if item.context else []
    lines.append(f"{layout.question} {item.question}".lstrip())
    if item.choices:
        lines.append(f"Options: {'; '.join(item.choices)}")
    return "\n".join([*lines, layout.answer] if layout.answer else lines)


def answer_text(item: Item, *, rationale: bool, layout: Layout = PLAIN, chat: bool = False) -> str:
    """What follows `question_block` for a labelled example, leading space included; with ``chat``, the assistant's
    turn, which has none.

    Raises ValueError when a rationale is asked for and the item has none.
    """
    if chat:
        return answer_text(item, rationale=rationale, layout=layout).removeprefix(layout.lead)
    if not rationale:
        return f"{layout.lead}{layout.marker} {item.answer}{layout.end}"
    if not item.rationale:
        raise ValueError(f"item {item.id} has no rationale")
    # A blank line ends an answer (`STOP`): a rationale must not teach one.
    steps = re.sub(r"\s*\n\s*", "\n", item.rationale.strip())
    gap = "\n" if "\n" in steps else layout.lead
    return f"{layout.lead}{steps}{gap}{layout.marker} {item.answer}{layout.end}"


def render(
    task: Task, demonstrations: Sequence[Item], item: Item, *, rationale: bool, chat: ChatTemplate | None = None
) -> str:
    """The whole prompt: instruction, demonstrations, the item's question. A pure function."""
    if chat is not None:
        return chat(turns(task, demonstrations, item, rationale=rationale))
    said = [task.instruction] if task.instruction else []
    layout = task.layout
    shown = [
        question_block(demo, layout) + answer_text(demo, rationale=rationale, layout=layout) for demo in demonstrations
    ]
    before = [*shown, *said] if task.instruction_last else [*said, *shown]
    return "\n\n".join([*before, question_block(item, layout)])


def turns(task: Task, demonstrations: Sequence[Item], item: Item, *, rationale: bool) -> list[Turn]:
    """The prompt as turns, the user's and the assistant's by turns; the instruction stands in the first."""
    bare = replace(task.layout, question="", answer="")
    said: list[Turn] = []
    for demo in demonstrations:
        said.append(("user", question_block(demo, bare)))
        said.append(("assistant", answer_text(demo, rationale=rationale, layout=task.layout, chat=True)))
    last = [task.instruction] if task.instruction_last else []
    said.append(("user", "\n\n".join([*last, question_block(item, bare)])))
    asked = f'Write the answer as "{task.layout.marker} ...".'
    opening = f"{task.instruction}\n{asked}" if task.instruction and not task.instruction_last else asked
    return [("user", f"{opening}\n\n{said[0][1]}"), *said[1:]]


CHAT_CHAIN = 2
"""A chain in a chat may take this many times the tokens of one in plain text: instruct models write a paragraph where a
demonstration has a line, and end their turn themselves."""


def most_tokens(task: Task, *, rationale: bool, chat: ChatTemplate | None) -> int:
    """The token limit of an answer: the task's, and more for a chain in a chat."""
    if not rationale:
        return task.answer_tokens
    return task.rationale_tokens * (1 if chat is None else CHAT_CHAIN)


def end_rule(task: Task, item: Item) -> EndRule:
    """Where a text about ``item`` ends: with the sentence that announces its answer, or before a new turn."""
    layout = task.layout
    return EndRule(layout.marker, layout.end, isinstance(task.format, NumberFormat), turns_of(item))
