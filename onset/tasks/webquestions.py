r"""WebQuestions: questions of a search engine's suggestions, whose answers are lists of Freebase entities.

Source: Berant et al. 2013 (EMNLP, D13-1160) (hub: ``stanfordnlp/web_questions``: 3,778 to learn from and 2,032 to test
on). A row of the hub, of the released JSON, and of the copy in GenRead (Yu et al. 2023):

    {"question": "what does jamaican people speak?", "answers": ["Jamaican Creole English Language", ...]}
    {"utterance": "...", "targetValue": "(list (description \"Jamaican English\") (description Jamaica))"}
    {"question": "...", "answer": ["Jamaican English"]}

Any of the listed answers is right, as others score it; Berant et al. score the whole list.
"""

from __future__ import annotations

import re
from typing import Any

from onset.answers import OpenFormat
from onset.tasks.base import AnswerFormat
from onset.tasks.published import Published, loader, member, texts
from onset.tasks.tables import Row

_DESCRIPTION = re.compile(r'\(description (?:"((?:[^"\\]|\\.)*)"|([^()"]+))\)')


def _convert(row: Row) -> dict[str, Any] | None:
    if "targetValue" in row:
        found = _DESCRIPTION.findall(str(row["targetValue"]))
        answers = [re.sub(r"\\(.)", r"\1", quoted) if quoted else bare.strip() for quoted, bare in found]
        if not answers:
            raise ValueError(f"targetValue must be a list of descriptions, found {row['targetValue']!r}"[:200])
        return {"question": member(row, "utterance"), "answer": answers}
    return {"question": member(row, "question"), "answer": texts(member(row, "answers", "answer"), "answers")}


DATA = Published(
    name="webquestions",
    hub="stanfordnlp/web_questions",
    splits=("train", "test"),
    convert=_convert,
    format=OpenFormat(),
)
load = loader(DATA)


def answer_format() -> AnswerFormat:
    """A short text, any of the right answers."""
    return DATA.format
