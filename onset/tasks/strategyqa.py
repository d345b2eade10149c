"""StrategyQA: questions to be answered yes or no by steps that they do not name, with the facts that decide them.

Source: Geva et al. 2021, arXiv 2101.02235. The test set has no published answers; the hub's ``ChilleD/StrategyQA`` cuts
the 2,290 labelled questions into train (1,603) and test (687). A row there, and of the released
``strategyqa_train.json``:

    {"question": "Are more people today related to Genghis Khan than Julius Caesar?", "answer": true,
     "facts": ["Julius Caesar had three children.", "Genghis Khan had sixteen children."]}

The facts, a line each, are the rationale: they are what a chain has to know, and leave the last step to it.
"""

from __future__ import annotations

from typing import Any

from onset.answers import ChoiceFormat
from onset.tasks.base import AnswerFormat
from onset.tasks.published import ASSENTS, Published, judged, loader, member, texts
from onset.tasks.tables import Row


def _convert(row: Row) -> dict[str, Any] | None:
    if row.get("answer") is None:
        return None
    facts = row.get("facts") or []
    lines = [facts] if isinstance(facts, str) else texts(member(row, "facts"), "facts") if facts else []
    rationale = "\n".join(one.strip() for one in lines if one.strip())
    told = judged(member(row, "question"), row["answer"], "answer", ASSENTS)
    return told | ({"rationale": rationale} if rationale else {})


DATA = Published(
    name="strategyqa",
    hub="ChilleD/StrategyQA",
    splits=("train", "test"),
    convert=_convert,
    format=ChoiceFormat(),
)
load = loader(DATA)


def answer_format() -> AnswerFormat:
    """One of the item's choices."""
    return DATA.format
