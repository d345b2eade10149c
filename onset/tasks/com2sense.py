"""Com2Sense: statements on everyday life, true or false, written in pairs that differ in a few words.

Source: Singh et al. 2021, arXiv 2106.00969 (hub: ``tasksource/com2sense``; released as ``train.json`` and ``dev.json``;
the test set is published without labels). A row, of the hub and of the released lists:

    {"sent": "If it is raining, it is better to walk than to drive.", "label": "False", "domain": "physical",
     "scenario": "comparison", "numeracy": "False"}

Domain, scenario and numeracy are kept as facts of the item. Files of the release of maieutic prompting, which add
negations, are read too.
"""

from __future__ import annotations

from typing import Any

from onset.answers import ChoiceFormat
from onset.tasks.base import AnswerFormat
from onset.tasks.published import TRUTHS, Published, as_statement, judged, loader, member
from onset.tasks.tables import Row


def _convert(row: Row) -> dict[str, Any] | None:
    other = as_statement(row)
    if other is not None or row.get("label") in (None, ""):
        return other
    said = member(row, "sent")
    facts = {key: str(row[key]) for key in ("domain", "scenario", "numeracy") if row.get(key) is not None}
    return judged(said, row["label"], "label", TRUTHS) | {"statement": said} | facts


DATA = Published(
    name="com2sense",
    hub="tasksource/com2sense",
    splits=("train", "validation"),
    convert=_convert,
    format=ChoiceFormat(),
)
load = loader(DATA)


def answer_format() -> AnswerFormat:
    """One of the item's choices."""
    return DATA.format
