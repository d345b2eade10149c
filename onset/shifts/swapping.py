"""Words put in the place of others, the same throughout an item: question, context and worked steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from onset.records import Item
from onset.shifts.base import Shift
from onset.shifts.text import found, replaced
from onset.tasks.base import Task


def swapped(item: Item, words: Mapping[str, str]) -> Item:
    """``item`` with each key of ``words`` (whole words, as they are written) replaced, in prose alone."""
    if not words:
        return item
    pattern = re.compile(
        "|".join(rf"(?<![\w-]){re.escape(one)}(?![\w-])" for one in sorted(words, key=len, reverse=True))
    )

    def change(text: str) -> str:
        return replaced(text, [(one.start(), one.end(), words[one.group()]) for one in found(pattern, text)])

    return replace(
        item,
        question=change(item.question),
        context=None if item.context is None else change(item.context),
        rationale=None if item.rationale is None else change(item.rationale),
    )


def words_of(task: Task) -> frozenset[str]:
    """All words of the labelled examples of ``task``, in lower case: what stands in them is not new."""
    texts = (text for item in task.pool for text in (item.question, item.context or "", item.rationale or ""))
    return frozenset(word.casefold() for text in texts for word in re.findall(r"[A-Za-z]+", text))


def check_told(shift: Shift, task: Task) -> None:
    """Raises DataError for a task that asks what is known of the world: whom and what it tells of, answers hang on."""
    items = (*task.pool, *task.test)
    if task.ability == "knowledge reasoning" and not any(item.context for item in items):
        raise shift.refuse(task, "it asks for knowledge without a context: with others in it other answers are right")
