"""CommonsenseQA 2.0: yes or no questions and assertions that players of a game wrote to fool a model.

Source: Talmor et al. 2021, arXiv 2201.05320 (hub: ``tasksource/commonsense_qa_2.0``; released as ``CSQA2_train.json``
and ``CSQA2_dev.json``, JSON lines: 9,264 to learn from and 2,541 of development; answers of the test set are not
published):

    {"question": "a pupil can be either a student or part of an eye?", "answer": "yes", "confidence": 0.99}

Files of the release of maieutic prompting, which add negations and say true and false, are read too.
"""

from __future__ import annotations

from typing import Any

from onset.answers import ChoiceFormat
from onset.tasks.base import AnswerFormat
from onset.tasks.published import ASSENTS, Published, as_statement, judged, loader, member
from onset.tasks.tables import Row


def _convert(row: Row) -> dict[str, Any] | None:
    other = as_statement(row)
    if other is not None or row.get("answer") is None:
        return other
    return judged(member(row, "question"), row["answer"], "answer", ASSENTS)


DATA = Published(
    name="csqa2",
    hub="tasksource/commonsense_qa_2.0",
    splits=("train", "validation"),
    convert=_convert,
    format=ChoiceFormat(),
)
load = loader(DATA)


def answer_format() -> AnswerFormat:
    """One of the item's choices."""
    return DATA.format
