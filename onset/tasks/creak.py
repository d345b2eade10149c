"""CREAK: statements on entities, true or false, with an explanation.

Source: Onoe et al. 2021, arXiv 2109.01653 (hub: ``amydeng2000/CREAK``: 10,176 to learn from and 1,371 of validation;
the test set is published without labels). A row, of the hub and of the released JSON lines:

    {"sentence": "Lauryn Hill separates two valleys as it is located between them.", "label": "false",
     "explanation": "Lauren Hill is actually a person and not a mountain.", "entity": "Lauryn Hill"}

The explanation is the rationale; methods that judge a statement find it in ``meta["statement"]``. Files of the release
of maieutic prompting, which add negations, are read too.
"""

from __future__ import annotations

from typing import Any

from onset.answers import ChoiceFormat
from onset.tasks.base import AnswerFormat
from onset.tasks.published import TRUTHS, Published, as_statement, judged, loader, member
from onset.tasks.tables import Row


def _convert(row: Row) -> dict[str, Any] | None:
    other = as_statement(row)
    if other is not None or row.get("label") is None:
        return other
    said = member(row, "sentence")
    explained = row.get("explanation")
    rationale = {"rationale": explained} if isinstance(explained, str) and explained.strip() else {}
    return judged(said, row["label"], "label", TRUTHS) | {"statement": said} | rationale


DATA = Published(
    name="creak",
    hub="amydeng2000/CREAK",
    splits=("train", "validation"),
    convert=_convert,
    format=ChoiceFormat(),
)
load = loader(DATA)


def answer_format() -> AnswerFormat:
    """One of the item's choices."""
    return DATA.format
