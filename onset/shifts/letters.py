"""Wrong letters anywhere in a word, at a character error rate.

Where `onset.shifts.typos` spares the first and last letter, as people do, this is the noise of recognisers and bad
keyboards: deletions, insertions, substitutions and swaps. The rate is the expected Levenshtein distance to the clean
text over its letters (the character error rate, as in textnoisr of Preligens), so a swap, which is two edits, is made
half as often.

    rate 0.1:  Which side of the mountain is colder in winter?  ->  Whih side of the mountainn is colper in winter?
"""

from __future__ import annotations

import re
from random import Random
from typing import ClassVar, Literal

from pydantic import Field

from onset.records import Item
from onset.shifts.base import Group, Shift
from onset.shifts.text import found, kept_words, replaced, with_texts
from onset.tasks.base import Task

RATE = 0.05
_WORD = re.compile(r"(?<![\w'’-])[A-Za-z]{3,}(?![\w'’-])")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_EDITS = ("delete", "insert", "substitute", "swap")


class Letters(Shift):
    """Edits letters of words of three letters or more at a character error ``rate`` (above 0, up to 0.3) over these, by
    one kind of ``edit`` or by ``any`` of the four in equal parts.

    Never touched: the words of the right answers and of the choices, number words, numbers, and what is quoted, code or
    an option. A word keeps at least two letters, becomes no other word of the item,
    and no two edits meet.
    """

    kind: ClassVar[str] = "letters"
    source: ClassVar[str] = "Belinkov and Bisk 2018, arXiv 1711.02173; rates as textnoisr's"
    group: ClassVar[Group] = "noise"

    rate: float = Field(default=RATE, gt=0, le=0.3)
    edit: Literal["any", "delete", "insert", "substitute", "swap"] = "any"

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with wrong letters."""
        rng, kept = self.rng(item), kept_words(item)
        texts = (item.question, item.context or "")
        present = {word.casefold() for text in texts for word in re.findall(r"\w+", text)} | kept
        return with_texts(item, lambda text: self._noisy(rng, text, kept, present))

    def _noisy(self, rng: Random, text: str, kept: frozenset[str], present: set[str]) -> str:
        words = [one for one in found(_WORD, text) if one.group().casefold() not in kept]
        letters = [(place, at) for place, one in enumerate(words) for at in range(len(one.group()))]
        rng.shuffle(letters)
        left = self.rate * len(letters)
        edits: dict[int, list[tuple[int, int, str]]] = {}
        taken: set[tuple[int, int]] = set()
        for place, at in letters:
            edit = rng.choice(_EDITS) if self.edit == "any" else self.edit
            cost = 2.0 if edit == "swap" else 1.0
            if left < cost / 2:
                break
            word, touched = words[place].group(), range(at, at + (2 if edit == "swap" else 1))
            if any((place, one) in taken for one in range(at - 1, touched.stop + 1)):
                continue  # edits that meet could undo each other
            new = _edited(rng, word, at, edit)
            made = None if new is None else replaced(word, [*edits.get(place, []), (at, touched.stop, new)])
            if new is not None and made is not None and len(made) > 1 and made.casefold() not in present:
                edits.setdefault(place, []).append((at, touched.stop, new))
                taken.update((place, one) for one in touched)
                left -= cost
        new_words = [
            (words[place].start(), words[place].end(), replaced(words[place].group(), of))
            for place, of in edits.items()
        ]
        return replaced(text, new_words)


def _edited(rng: Random, word: str, at: int, edit: str) -> str | None:
    """What stands in the place of the letter ``at`` (of two letters, for a swap); None where it would be the same."""
    letter = rng.choice(_ALPHABET)
    if edit == "delete":
        return ""
    if edit == "insert":
        return word[at] + letter
    if edit == "substitute":
        new = letter.upper() if word[at].isupper() else letter
        return None if new == word[at] else new
    pair = word[at : at + 2]
    return None if len(pair) < 2 or pair[0] == pair[1] else pair[::-1]
