"""Another letter case: everything small, everything capital, or as it comes.

upper:  Ray has 17 keys. Pam has 7 fewer.  ->  RAY HAS 17 KEYS. PAM HAS 7 FEWER.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.text import found, kept_words, replaced, with_texts
from onset.tasks.base import Task

_WORD = re.compile(r"(?<![\w$\\])[A-Za-z]+(?:['’][a-z]+)?(?!\w)")


class Casing(Shift):
    """Words ``to`` capitals (``upper``), small letters (``lower``), with a capital each (``title``), or ``random``:
    each letter of a share ``rate`` of the words. The words of right answers and choices, quotes, code and options stay.
    """

    kind: ClassVar[str] = "casing"
    source: ClassVar[str] = "Wang et al. 2021 (TextFlint), arXiv 2103.11441"
    group: ClassVar[Group] = "noise"

    to: Literal["upper", "lower", "title", "random"] = "upper"
    rate: float = Field(default=1.0, gt=0, le=1)

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item in the other case."""
        rng, kept = self.rng(item), kept_words(item)

        def cased(word: str) -> str:
            if self.to == "random":
                return "".join(rng.choice((one.upper(), one.lower())) for one in word)
            if self.to == "title":
                return word[:1].upper() + word[1:]
            return word.upper() if self.to == "upper" else word.lower()

        def change(text: str) -> str:
            words = [one for one in found(_WORD, text) if one.group().casefold() not in kept]
            hit = [one for one in words if self.rate == 1 or rng.random() < self.rate]
            return replaced(text, [(one.start(), one.end(), cased(one.group())) for one in hit])

        return with_texts(item, change)
