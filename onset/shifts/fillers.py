"""Filler words, as in speech.

rate 0.1:  Ray has 17 keys and Pam has 7 fewer keys.  ->  Ray has 17 keys and, um, Pam has 7 fewer keys.
"""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.text import found, kept_words, neighbours, replaced, share, with_texts
from onset.tasks.base import Task

WORDS = ("um", "uh", "er", "well", "you know", "I mean", "let me see", "right")
"""None of these says how much, how sure or how often: "like", "about" and "maybe" would. Where an item speaks of left
and right, "right" is a direction and no filler."""
_SIDES = re.compile(r"\b(?:left|right)", re.IGNORECASE)
_GAP = re.compile(r"(?<=[a-z]) (?=[A-Za-z])")


class Fillers(Shift):
    """A filler, set off by commas, at a ``rate`` (0..1) of the spaces between two words: never beside a number or a
    word of the right answers and choices, nor within quotes, code and options.
    """

    kind: ClassVar[str] = "fillers"
    source: ClassVar[str] = "Gupta et al. 2021 (Disfl-QA), arXiv 2106.04016"
    group: ClassVar[Group] = "noise"

    rate: float = Field(default=0.1, gt=0, le=1)

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with fillers."""
        rng, kept = self.rng(item), kept_words(item)
        sides = _SIDES.search(f"{item.question} {item.context or ''}") is not None
        words = [one for one in WORDS if not (sides and one == "right")]

        def change(text: str) -> str:
            gaps = [one.start() for one in found(_GAP, text) if not neighbours(text, one.start()) & kept]
            hit = rng.sample(gaps, share(len(gaps), self.rate))
            return replaced(text, [(at, at + 1, f", {rng.choice(words)}, ") for at in hit])

        return with_texts(item, change)
