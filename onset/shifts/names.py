"""First names that no labelled example has.

    Natalia sold clips to 48 of her friends.  ->  Dagny sold clips to 48 of her friends.

A name in `onset.shifts.words` is replaced throughout the item by a rarer one of the same gender (GSM-Symbolic, Mirzadeh
et al. 2024, arXiv 2410.05229, varies names and numbers by templates; here any text that names people will do).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from onset.records import Item
from onset.shifts.base import Group, Rewrite, Shift
from onset.shifts.swapping import swapped, words_of
from onset.shifts.text import found, kept_words
from onset.shifts.words import EITHER, MEN, OTHER_MEN, OTHER_WOMEN, WOMEN
from onset.tasks.base import Task

_NAME = re.compile(
    r"(?<!\bLake )(?<!\bMount )(?<!\bSaint )(?<!\bSt\. )(?<!\bSan )(?<!\bFort )\b[A-Z][a-z]+\b(?! [A-Z][a-z])"
)
_SORTS = ((frozenset(WOMEN), OTHER_WOMEN), (frozenset(MEN), OTHER_MEN), (frozenset(EITHER), (*OTHER_WOMEN, *OTHER_MEN)))


def names_in(text: str) -> list[str]:
    """The first names that the table knows in ``text``, each once, in order; none with another name behind it."""
    known = frozenset().union(*(names for names, _ in _SORTS))
    return list(dict.fromkeys(one.group() for one in found(_NAME, text) if one.group() in known))


class OtherNames(Shift):
    """First names unseen in the labelled examples, of the same gender. Names among the right answers or the choices
    stay, and so does one that stands with a surname.
    """

    kind: ClassVar[str] = "other-names"
    source: ClassVar[str] = "Mirzadeh et al. 2024, arXiv 2410.05229"
    group: ClassVar[Group] = "domain"
    example: ClassVar[Any] = "word-problems"

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item told of others."""
        return self.rewriting(task)(item)

    def rewriting(self, task: Task) -> Rewrite:
        """Which names are new is found out once."""
        seen = words_of(task)
        new = [(names, [one for one in others if one.casefold() not in seen]) for names, others in _SORTS]
        return lambda item: self._renamed(item, new)

    def _renamed(self, item: Item, new: Sequence[tuple[frozenset[str], list[str]]]) -> Item:
        rng, kept = self.rng(item), kept_words(item)
        text = f"{item.question}\n{item.context or ''}"
        taken = set(re.findall(r"[A-Za-z]+", text))
        words: dict[str, str] = {}
        for name in names_in(text):
            if name.casefold() in kept:
                continue
            others = next(others for names, others in new if name in names)
            free = [one for one in others if one not in taken]
            if free:
                words[name] = rng.choice(free)
                taken.add(words[name])
        return swapped(item, words)
