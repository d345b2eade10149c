"""Things that no labelled example tells of, of the same sort: fruit for fruit, clothes for clothes.

Ray has 17 apples and gives 5 apples away.  ->  Ray has 17 quinces and gives 5 quinces away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from onset.records import Item
from onset.shifts.base import Group, Rewrite, Shift
from onset.shifts.swapping import check_told, swapped, words_of
from onset.shifts.text import kept_words
from onset.shifts.words import SORTS, singular
from onset.tasks.base import Task

_MONEY = re.compile(r"\$|\b(?:heads|tails|quarters?|dimes?|nickels?|penn(?:y|ies)|cents?|dollars?)\b", re.IGNORECASE)


class OtherThings(Shift):
    """Things unseen in the labelled examples, one for one throughout the item, with the same article before them. Words
    of the right answers and choices stay; so do coins, where
    the item speaks of money or of their sides.
    """

    kind: ClassVar[str] = "other-things"
    source: ClassVar[str] = "Mirzadeh et al. 2024, arXiv 2410.05229"
    group: ClassVar[Group] = "domain"

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task that asks for knowledge without a context."""
        check_told(self, task)

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item told of other things."""
        return self.rewriting(task)(item)

    def rewriting(self, task: Task) -> Rewrite:
        """Which things are new is found out once."""
        seen = words_of(task)
        sorts = SORTS if task.solver is not None else SORTS[:-1]
        new = [
            (told, [one for one in others if one not in seen and singular(one) not in seen]) for told, others in sorts
        ]
        return lambda item: self._of_others(item, new)

    def _of_others(self, item: Item, new: Sequence[tuple[Sequence[str], list[str]]]) -> Item:
        rng, kept = self.rng(item), kept_words(item)
        text = f"{item.question}\n{item.context or ''}"
        present = set(re.findall(r"[a-z]+", text))
        money = _MONEY.search(text) is not None
        words: dict[str, str] = {}
        taken: set[str] = set()
        for told, others in new:
            for thing in told:
                one = singular(thing)
                if not {thing, one} & present or {thing, one} & kept or (thing == "coins" and money):
                    continue
                free = [
                    other for other in others if other not in taken and (other[0] in "aeiou") == (thing[0] in "aeiou")
                ]
                if free:
                    other = rng.choice(free)
                    taken.add(other)
                    words |= {thing: other, one: singular(other)}
                    words |= {thing.capitalize(): other.capitalize()}
        return swapped(item, words)
