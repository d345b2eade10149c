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
from onset.tasks.published import Published, loader, member, texts
from onset.tasks.tables import Row, kind, short


def _convert(row: Row) -> dict[str, Any] | None:
    question, key = member(row, "question"), member(row, "answerKey")
    if key in (None, ""):
        return None
    if not isinstance(key, str):
        raise ValueError(f"answerKey must be a letter, found {kind(key)}")
    held = question if isinstance(question, Mapping) else row
    pairs = _pairs(member(held, "choices"))
    by_letter = dict(pairs)
    if key not in by_letter:
        raise ValueError(f"answerKey {key!r} is none of the choices' letters {', '.join(map(str, by_letter))}")
    return {
        "question": member(held, "stem", "question"),
        "answer": by_letter[key],
        "choices": list(dict.fromkeys(text for _, text in pairs)),
        "concept": member(held, "question_concept"),
    }


def _pairs(choices: Any) -> list[tuple[str, str]]:
    """The letter and the text of each choice. Raises ValueError with what it expected."""
    if isinstance(choices, Mapping):
        letters, said = member(choices, "label"), member(choices, "text")
    elif isinstance(choices, list) and all(isinstance(one, Mapping) for one in choices):
        letters, said = [member(one, "label") for one in choices], [member(one, "text") for one in choices]
    else:
        raise ValueError(f"choices must be letters and texts, found {short(choices)}")
    letters, said = texts(letters, "label of choices"), texts(said, "text of choices")
    if len(letters) != len(said):
        raise ValueError(f"choices have {len(letters)} letters and {len(said)} texts")
    return list(zip(letters, said, strict=True))


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
