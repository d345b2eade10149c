"""Spaces that are missing, doubled, or in the middle of a word.

rate 0.2:  Ray has 17 keys and a ring.  ->  Ray has 17 keysand a  ring.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.text import found, kept_words, neighbours, replaced, share, with_texts
from onset.tasks.base import Task

_GAP = re.compile(r"(?<=[A-Za-z]{2}) (?=[A-Za-z]{2})")
_LONG = re.compile(r"(?<![\w'’-])[A-Za-z]{5,}(?![\w'’-])")


class Spacing(Shift):
    """At a ``rate`` (0..1) of the places: spaces between two words ``drop`` out or ``double``, or one stands within a
    word of five letters or more (``split``); ``any``: each of these. Never beside a number, a number word, or a word of
    the right answers and choices.
    """

    kind: ClassVar[str] = "spacing"
    source: ClassVar[str] = "Wang et al. 2021 (TextFlint), arXiv 2103.11441"
    group: ClassVar[Group] = "noise"

    rate: float = Field(default=0.1, gt=0, le=1)
    edit: Literal["any", "drop", "double", "split"] = "any"

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with other spaces."""
        rng, kept = self.rng(item), kept_words(item)

        def change(text: str) -> str:
            free = [one.span() for one in found(_GAP, text) if not neighbours(text, one.start()) & kept]
            gaps = [] if self.edit == "split" else free
            long = [one for one in found(_LONG, text) if one.group().casefold() not in kept]
            words = [(one.start(), one.end()) for one in long] if self.edit in ("any", "split") else []
            places = [*gaps, *words]
            edits = []
            for start, end in rng.sample(places, share(len(places), self.rate)):
                if end - start > 1:
                    middle = rng.randint(start + 2, end - 2)
                    edits.append((middle, middle, " "))
                else:
                    edit = rng.choice(("drop", "double")) if self.edit == "any" else self.edit
                    edits.append((start, end, "" if edit == "drop" else "  "))
            return replaced(text, edits)

        return with_texts(item, change)
