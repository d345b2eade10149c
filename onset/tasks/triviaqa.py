"""TriviaQA: trivia questions, each with all names of its answer, that a model answers without the evidence documents.

Source: Joshi et al. 2017, "TriviaQA", arXiv 1705.03551 (hub: ``mandarjoshi/trivia_qa``, subset ``rc.nocontext``:
138,384 to learn from and 17,944 of validation, whose answers are published). A row of the hub, and of the released
files (``{"Data": [...]}``):

    {"question": "Who was the man behind The Chipmunks?", "answer": {"value": "David Seville",
     "aliases": ["David Seville"], "normalized_aliases": ["david seville"]}}
    {"Question": "...", "Answer": {"Value": "David Seville", "Aliases": ["David Seville"], "HumanAnswers": [...]}}

Scored by exact match and F1 over all aliases, as its evaluation script does, but by SQuAD's normalisation, which takes
punctuation away; the script puts a space in its place. Said "Spider Man", the answer "Spider-Man" is right by the
script and wrong here (where it is "spiderman"); said "DC Comics", "D.C. Comics" is right here alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.answers import OpenFormat
from onset.tasks.base import AnswerFormat
from onset.tasks.published import Published, loader, member, texts
from onset.tasks.tables import Row, kind


def _convert(row: Row) -> dict[str, Any] | None:
    answer = member(row, "answer", "Answer")
    if not isinstance(answer, Mapping):
        raise ValueError(f"answer must be an object with value and aliases, found {kind(answer)}")
    value = member(answer, "value", "Value")
    if value in (None, "", "<unk>"):
        return None
    aliases = answer.get("aliases", answer.get("Aliases")) or []
    human = answer.get("HumanAnswers") or []
    named = [one for one in (*aliases, *human) if str(one).strip()]
    return {
        "question": member(row, "question", "Question"),
        "answer": texts([value, *named], "answer"),
    }


DATA = Published(
    name="triviaqa",
    hub="mandarjoshi/trivia_qa",
    splits=("train", "validation"),
    convert=_convert,
    format=OpenFormat(),
    config="rc.nocontext",
)
load = loader(DATA)


def answer_format() -> AnswerFormat:
    """A short text, any of the right answers."""
    return DATA.format
