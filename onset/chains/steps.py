"""The steps of a chain, each right, wrong or unchecked.

A step is a line or a sentence. It is wrong where an equation in it is (`onset.chains.arithmetic`), or where it says of
what a task knows what is not so (`Claims`); right where it has such, and none is wrong; unchecked else. Right says that
what it states is so, not that it was needed, or follows from what is before it; a step that goes on from a wrong number
is right where it calculates with it rightly, unless the task knows the number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from onset.chains.arithmetic import equations
from onset.records import Item
from onset.turns import new_turn, turns_of

Verdict = Literal["right", "wrong", "unchecked"]
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Steps:
    """How many steps of a chain are ``right``, ``wrong`` and ``unchecked``."""

    right: int
    wrong: int
    unchecked: int

    @property
    def verdict(self) -> Verdict:
        """Of the chain: wrong with a wrong step, right with right ones alone, unchecked without either."""
        return "wrong" if self.wrong else "right" if self.right else "unchecked"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a task's chains say that the task can tell to be so.

    ``patterns``: regular expressions whose groups ``key`` (and ``key2``) name what is spoken of, and ``value`` (and
    ``value2``) what is said of it, letter case aside. What is so is read by the same patterns from an item's question,
    context and worked steps, and from what ``known`` gives for all items; a key may have several values.
    ``closed``: what is not known there is not so (else it is unchecked).
    """

    patterns: tuple[str, ...]
    known: Callable[[], str] | None = None
    closed: bool = False

    def said(self, text: str) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
        """Place, key and value of everything that ``text`` claims."""
        for pattern in self.patterns:
            for match in _compiled(pattern).finditer(text):
                groups = {name: (value or "").strip().lower() for name, value in match.groupdict().items()}
                yield (
                    match.start(),
                    (pattern, *(value for name, value in groups.items() if name.startswith("key"))),
                    tuple(value for name, value in groups.items() if name.startswith("value")),
                )

    def truth(self, item: Item) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
        """The values that each key may have."""
        texts = [item.question, item.context or "", item.rationale or "", self.known() if self.known else ""]
        found: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for text in texts:
            for _, key, value in self.said(text):
                found.setdefault(key, set()).add(value)
        return found


def check(chain: str, item: Item, claims: Claims | None, marker: str, clean: Item | None = None) -> Steps:
    """The steps of ``chain`` about ``item``. ``claims``: those of its task, if it has such; ``marker``: the words that
    announce an answer: the sentence with them is no step, nor is what follows, a new turn. ``clean``: the item without
    the noise that it has, of which the same is so.
    """
    turn = new_turn(chain, turns_of(item))
    text = chain if turn is None else chain[: turn.start()]
    place = text.lower().rfind(marker.lower())
    text = text if place < 0 else text[:place]
    marks = [(one.at, one.right) for one in equations(text)]
    if claims is not None:
        truth = claims.truth(item)
        for told, values in ({} if clean is None else claims.truth(clean)).items():
            truth.setdefault(told, set()).update(values)
        for at, key, value in claims.said(text):
            if key in truth:
                marks.append((at, value in truth[key]))
            elif claims.closed:
                marks.append((at, False))
    counts = {"right": 0, "wrong": 0, "unchecked": 0}
    for start, end in _sentences(text):
        own = [good for at, good in marks if start <= at < end]
        counts["unchecked" if not own else "right" if all(own) else "wrong"] += 1
    return Steps(**counts)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Beginning and end of every line and sentence that says something: the number of a list's entry does not."""
    start = 0
    for match in [*_SENTENCE.finditer(text), None]:
        end = len(text) if match is None else match.start()
        if "=" in text[start:end] or any(char.isalpha() for char in text[start:end]):
            yield start, end
        start = end if match is None else match.end()


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)
