"""Typing errors: some words misspelt by one key stroke, the way people do and still understand.

Errors and limits are those of Pruthi et al. 2019 (arXiv 1905.11268, section 3): one edit a word, inside the
word (first and last letter stay), words of at least four letters. An edit swaps two neighbouring letters,
hits a neighbouring key (US QWERTY) or drops a letter. For example, rate 0.1:

    Which side of the mountain is colder in winter?  ->  Which side of the montuain is colder in winter?
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.text import options_at
from onset.tasks.base import Task

RATE = 0.1
"""The share of eligible words that is misspelt, at least one word where there is one."""

Edit = Literal["any", "swap", "key", "drop"]
_WORD = re.compile(r"(?<![\w'’-])[A-Za-z]{4,}(?![\w'’-])")
_ANY_WORD = re.compile(r"\w+")
_NEIGHBOURS = {
    "q": "wa", "w": "qesa", "e": "wrds", "r": "etfd", "t": "rygf",
    "y": "tuhg", "u": "yijh", "i": "uokj", "o": "iplk", "p": "ol",
    "a": "qwsz", "s": "awedxz", "d": "serfcx", "f": "drtgvc", "g": "ftyhbv",
    "h": "gyujnb", "j": "huikmn", "k": "jiolm", "l": "kop",
    "z": "asx", "x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk",
}  # fmt: skip
_NUMBERS_SPELT = """
    zero four five seven eight nine eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
    twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half third quarter
    fifth sixth first second fourth seventh eighth ninth tenth once twice thrice double triple times three
"""
_NUMBER_WORDS = frozenset(_NUMBERS_SPELT.split())

_Edited = Callable[[random.Random, str, int], str]


class Typos(Shift):
    """Misspells ``rate`` (0..1) of the eligible words of question and context, by an ``edit`` of one kind or of any:
    ``swap`` of two neighbouring letters, a neighbouring ``key``, a letter dropped (``drop``).

    Never touched: numbers, number words, hyphenated words, every word of the right answers and of the choices, options
    that a question ends with, and words of fewer than four letters. No misspelling makes a word that stands elsewhere
    in the item.
    """

    kind: ClassVar[str] = "typos"
    source: ClassVar[str] = "Pruthi et al. 2019, arXiv 1905.11268, section 3"
    group: ClassVar[Group] = "noise"

    rate: float = Field(default=RATE, gt=0, le=1)
    edit: Edit = "any"

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with typing errors."""
        rng = self.rng(item)
        parts = [item.question, item.context or ""]
        kept = {word.casefold() for text in (*item.golds, *(item.choices or ())) for word in _ANY_WORD.findall(text)}
        kept |= _NUMBER_WORDS
        present = {word.casefold() for text in parts for word in _ANY_WORD.findall(text)} | kept
        places = [
            (part, match.start(), match.group())
            for part, text in enumerate(parts)
            for match in _WORD.finditer(text)
            if match.group().casefold() not in kept and match.start() < options_at(text)
        ]
        if places:
            edits = {name: one for name, one in _EDITS.items() if self.edit in ("any", name)}
            chosen = rng.sample(places, max(1, round(self.rate * len(places))))
            for part, start, word in sorted(chosen, reverse=True):  # from the end: earlier places stay where they are
                text = parts[part]
                parts[part] = text[:start] + _misspelt(rng, word, present, edits) + text[start + len(word) :]
        return replace(item, question=parts[0], context=parts[1] or item.context)


def _misspelt(rng: random.Random, word: str, present: Collection[str], edits: Mapping[str, _Edited]) -> str:
    """``word`` after one edit that gives no word of ``present``; ``word`` itself where there is none."""
    for edit in rng.sample([*edits.values()], len(edits)):
        places = range(1, len(word) - 1)
        for place in rng.sample(places, len(places)):
            changed = edit(rng, word, place)
            if changed.casefold() not in present:
                return changed
    return word


def _swapped(rng: random.Random, word: str, place: int) -> str:
    """Two letters swapped; unchanged when the second would be the last letter."""
    if place + 2 >= len(word):
        return word
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _hit(rng: random.Random, word: str, place: int) -> str:
    letter = word[place]
    key = rng.choice(_NEIGHBOURS[letter.lower()])
    return word[:place] + (key.upper() if letter.isupper() else key) + word[place + 1 :]


def _dropped(rng: random.Random, word: str, place: int) -> str:
    return word[:place] + word[place + 1 :]


_EDITS: Mapping[str, _Edited] = {"swap": _swapped, "key": _hit, "drop": _dropped}
