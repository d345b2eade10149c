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
from onset.shifts.swapping import check_told, swapped, words_of
from onset.shifts.text import found, kept_words
from onset.shifts.words import EITHER, MEN, OTHER_MEN, OTHER_WOMEN, WOMEN
from onset.tasks.base import Task

_NAME = re.compile(r"\b[A-Z][a-z]+\b(?! [A-Z][A-Za-z.]| [IVX]\b| (?:the|of) [A-Z])")
_BEFORE = re.compile(r"(?:\b([A-Z][\w'’]*) |\b(?:[A-Z]|Dr|Mrs?|Ms|Prof|St)\. ?)$")
_SAID = """
    A After All Although And As At Because Before But By Can Could Did Do Does Each Every For From Given Had Has Have
    How If In Is It Last Later Let Next Now On Once One Or Since So Suppose That The Then This Though Today Tomorrow
    Tonight Was What When Where Which While Who Why Will With Would Yesterday Yet
"""
_OPENERS = frozenset(_SAID.split())
"""Words with a capital that begin a sentence, and have no name behind them that belongs to them."""
_SORTS = ((frozenset(WOMEN), OTHER_WOMEN), (frozenset(MEN), OTHER_MEN), (frozenset(EITHER), (*OTHER_WOMEN, *OTHER_MEN)))


def names_in(text: str) -> list[str]:
    """The first names that the table knows in ``text``, each once, in order; none that is part of a longer name
    somewhere: Ann Lee, C. S. Lewis, Lake Helen, Mary I, Joan of Arc.
    """
    known = frozenset().union(*(names for names, _ in _SORTS))
    names = dict.fromkeys(one.group() for one in found(_NAME, text) if one.group() in known)
    return [name for name in names if all(_alone(text, one.start()) for one in re.finditer(rf"\b{name}\b", text))]


def _alone(text: str, at: int) -> bool:
    """Does the name at ``at`` stand without others before and behind it?"""
    before = _BEFORE.search(text[:at])
    return _NAME.match(text, at) is not None and (before is None or before[1] in _OPENERS)


class OtherNames(Shift):
    """First names unseen in the labelled examples, of the same gender. Names among the right answers or the choices
    stay, and so does one that is part of a longer name.
    """

    kind: ClassVar[str] = "other-names"
    source: ClassVar[str] = "Mirzadeh et al. 2024, arXiv 2410.05229"
    group: ClassVar[Group] = "domain"
    example: ClassVar[Any] = "word-problems"

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task that asks for knowledge without a context."""
        check_told(self, task)

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
        made = swapped(item, words)
        after = f"{made.question}\n{made.context or ''}"
        left = any(re.search(rf"\b{name}\b", after) for name in words)  # in quotes: nobody would know who is meant
        return item if left else made
