"""Natural Questions, open: questions that people asked a search engine, with short answers and no document.

Source: Kwiatkowski et al. 2019 (TACL 7), in the open form of Lee et al. 2019, arXiv 1906.00300 (hub:
``google-research-datasets/nq_open``: 87,925 to learn from and 3,610 of validation; released as ``NQ-open.train.jsonl``
and ``NQ-open.dev.jsonl``):

    {"question": "where did they film hot tub time machine", "answer": ["Fernie Alpine Resort"]}

Any of the answers is right.
"""

from __future__ import annotations

from typing import Any

from onset.answers import OpenFormat
from onset.tasks.base import AnswerFormat
from onset.tasks.published import Published, loader, member, texts
from onset.tasks.tables import Row


def _convert(row: Row) -> dict[str, Any] | None:
    return {"question": member(row, "question"), "answer": texts(member(row, "answer", "answers"), "answer")}


DATA = Published(
    name="natural-questions",
    hub="google-research-datasets/nq_open",
    splits=("train", "validation"),
    convert=_convert,
    format=OpenFormat(),
)
load = loader(DATA)


def answer_format() -> AnswerFormat:
    """A short text, any of the right answers."""
    return DATA.format
