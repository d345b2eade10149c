"""Marks of punctuation that are missing or doubled.

rate 0.5:  Ray has 17 keys. Pam, his sister, has 7 fewer.  ->  Ray has 17 keys Pam, his sister has 7 fewer..
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.text import found, replaced, share, with_texts
from onset.tasks.base import Task

_MARK = re.compile(r"(?<=[A-Za-z0-9)])[.,;:!?](?=\s|$)")


class Punctuation(Shift):
    """At a ``rate`` (0..1) of the marks ``. , ; : ! ?`` that end a word: each is left out (``drop``), doubled
    (``double``) or either (``any``). Marks within numbers and words, brackets, quotes, code and options stay.
    """

    kind: ClassVar[str] = "punctuation"
    source: ClassVar[str] = "Wang et al. 2021 (TextFlint), arXiv 2103.11441"
    group: ClassVar[Group] = "noise"

    rate: float = Field(default=0.5, gt=0, le=1)
    edit: Literal["any", "drop", "double"] = "any"

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with other punctuation."""
        rng = self.rng(item)

        def change(text: str) -> str:
            marks = found(_MARK, text)
            edits = []
            for one in rng.sample(marks, share(len(marks), self.rate)):
                edit = rng.choice(("drop", "double")) if self.edit == "any" else self.edit
                edits.append((one.start(), one.end(), "" if edit == "drop" else one.group() * 2))
            return replaced(text, edits)

        return with_texts(item, change)
