"""CommonsenseQA: questions on a concept with five answers to choose from.

Source: Talmor et al. 2019, arXiv 1811.00937 (hub: ``tau/commonsense_qa``: 9,741 to learn from and 1,221 of validation;
the test set is published without answers). A row of the hub, and of the released JSON lines:

    {"question": "Where would you find a saw?", "question_concept": "saw", "answerKey": "A",
     "choices": {"label": ["A", "B"], "text": ["toolbox", "logger"]}}
    {"question": {"stem": "...", "question_concept": "saw", "choices": [{"label": "A", "text": "toolbox"}, ...]},
     "answerKey": "A"}

The choices are shown without their letters. The concept is kept as ``meta["concept"]``, for methods that look it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.answers import ChoiceFormat
from onset.tasks.base import AnswerFormat
from onset.tasks.published import Published, loader, member
from onset.tasks.tables import Row


def _convert(row: Row) -> dict[str, Any] | None:
    question, key = member(row, "question"), member(row, "answerKey")
    if key in (None, ""):
        return None
    held = question if isinstance(question, Mapping) else row
    choices = member(held, "choices")
    if isinstance(choices, Mapping):
        pairs = list(zip(member(choices, "label"), member(choices, "text"), strict=True))
    else:
        pairs = [(member(one, "label"), member(one, "text")) for one in choices]
    by_letter = dict(pairs)
    if key not in by_letter:
        raise ValueError(f"answerKey {key!r} is none of the choices' letters {', '.join(map(str, by_letter))}")
    return {
        "question": member(held, "stem", "question"),
        "answer": by_letter[key],
        "choices": list(dict.fromkeys(text for _, text in pairs)),
        "concept": member(held, "question_concept"),
    }


DATA = Published(
    name="commonsenseqa",
    hub="tau/commonsense_qa",
    splits=("train", "validation"),
    convert=_convert,
    format=ChoiceFormat(),
)
load = loader(DATA)


def answer_format() -> AnswerFormat:
    """One of the item's choices."""
    return DATA.format
