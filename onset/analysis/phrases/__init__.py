"""The one table of what a reader sees first: short lines, names and labels, in every language.

A phrase has the same places in every language. A line begins in lower case, as it may follow the name of a task.
English forms of a count stand as ``one|many``. `findings` holds the lines, `stages`, `seeds` and `shifts` those about
stages of training, seeds of pretraining and shifts, `terms` their parts, names and labels, `names` those of shifts and
stages, `told` names of tests and reasons, `reading` notes on what was read, `page` the words of the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from onset.analysis.phrases import seeds, shifts, stages
from onset.analysis.phrases.findings import LINES
from onset.analysis.phrases.names import SHIFTS
from onset.analysis.phrases.terms import LABELS, METHODS, NUMBERS, TASKS, WORDS

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


def _prefixed(prefix: str, table: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    return {f"{prefix}.{name}": phrases for name, phrases in table.items()}


_TABLE = {
    **_prefixed("line", LINES | stages.LINES | seeds.LINES | shifts.LINES),
    **_prefixed("word", WORDS | seeds.WORDS),
    **_prefixed("method", METHODS),
    **_prefixed("task", TASKS),
    **_prefixed("shift", SHIFTS),
    **_prefixed("number", {str(value): (name, str(value)) for value, name in enumerate(NUMBERS)}),
    **_prefixed("label", LABELS | stages.LABELS | seeds.LABELS | shifts.LABELS),
}
PHRASES: Mapping[str, Mapping[Language, str]] = MappingProxyType(
    {key: MappingProxyType(dict(zip(LANGUAGES, phrases, strict=True))) for key, phrases in _TABLE.items()}
)
"""Key -> language -> phrase. ``line``: short lines, ``word``: parts of them, ``method``, ``task``, ``shift``,
``number``: names, ``label``: kinds, verdicts (``kind.verdict``, else the verdict alone) and differences."""


def phrase(key: str, language: Language = "en", **values: str) -> str:
    """The phrase with its places filled. Raises KeyError for a key or a place that is in no table."""
    return PHRASES[key][language].format(**values)


def counted(key: str, count: int, language: Language = "en") -> str:
    """``word.KEY`` for a number of things: ``1 cell``, ``2 cells``, ``2 个单元``."""
    one, _, many = PHRASES[f"word.{key}"][language].partition("|")
    return (one if count == 1 or not many else many).format(count=count)
