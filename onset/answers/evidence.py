"""The kinds of evidence in a text, in the order in which they decide; what each holds is read by the format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from onset.records import Answer, Item
from onset.turns import new_turn, turns_of

_HASHES = re.compile(r"####")
_SAID = re.compile(r"\bthe\s+(?:final\s+|correct\s+)?answer\s+is\b|\bfinal\s+answer[*_]*\s*:", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\s*\{")
_ANSWER = re.compile(r"\banswer[*_]*\s*:", re.IGNORECASE)
LATEX = r"\\(?:boxed|text(?:bf|it|rm|sf|tt)?|math(?:bf|it|rm|sf|tt)?)\s*\{"
"""A box, or another command that its answer wears."""
LEAD = rf"[\s:*_`\"'“‘~≈$(\[{{]|\\[(\[]|{LATEX}"
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_BRACKETS = re.compile(rf"(?:{LATEX})*[\s()\[\]{{}}<>\\]*\}}")
_LEADS = re.compile(rf"(?:{LEAD})*")
_LONGEST_BOX = 300
"""Characters: a box that does not close within them holds no short answer."""
NEGATED = re.compile(r"\b(?:not|neither|cannot)\b|n['’]t\b", re.IGNORECASE)
SENTENCE = re.compile(r"[.!?](?=\s)|\n")
LONGEST_BARE = 12
"""Words: a longer line without a marker is talk, not a short answer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one piece of evidence says: ``value`` (None: nothing readable), whether it names several answers, the
    characters read (``raw``), and whether a text that was cut may have gone on with it (``open``).
    """

    value: str | None = None
    several: bool = False
    raw: str = ""
    open: bool = False


Read = Callable[[str], Reading]
Canonical = Callable[[str], str | None]


def _decide(readings: Sequence[Reading], *, truncated: bool) -> Answer:
    """The answer that one kind of evidence gives; ``readings`` in text order, so only the last can touch the cut."""
    if truncated and readings[-1].open:
        *readings, cut = readings
        if not any(reading.value and reading.raw.startswith(cut.raw) for reading in readings):
            return Answer(None, "truncated")
    values = {reading.value for reading in readings if reading.value is not None}
    if len(values) > 1 or any(reading.several for reading in readings):
        return Answer(None, "ambiguous")
    if not values:
        return Answer(None, "none")
    return Answer(values.pop(), "ok")


def extract(text: str, item: Item, start: Read, stated: Read, bare: Read, *, truncated: bool) -> Answer:
    """Walk the kinds of evidence. ``start`` reads what follows ``####`` and ``answer:``, ``stated`` what follows "the
    answer is", ``bare`` a text without a marker.
    """
    turn = new_turn(text, turns_of(item))
    if turn is not None:
        text, truncated = text[: turn.start()], False
    # "#### Step 1" is a heading and "Answer:" may head a chain of thought: where nothing readable follows they are no
    # evidence. "The answer is" with nothing readable after it is a statement: a guess below it would overrule the model
    for segments, read, binding in ((_hashed, start, False), (_stated, stated, True), (_labelled, start, False)):
        readings = [read(segment) for segment in segments(text)]
        if readings and (binding or any(reading.value for reading in readings)):
            return _decide(readings, truncated=truncated)
    return Answer(None, "truncated") if truncated else _decide([bare(text)], truncated=False)


def _hashed(text: str) -> Iterator[str]:
    """What follows each ``####`` on its line, unless a sentence goes on there ("#### 1. Count the eggs")."""
    for segment in _HASHES.split(text)[1:]:
        line, newline, _ = segment.partition("\n")
        if re.search(r"[.:]\s+\S", line) is None:
            yield line + newline


def _stated(text: str) -> Iterator[str]:
    """What follows each "the answer is", and what each box holds."""
    marks = sorted([*_SAID.finditer(text), *_BOXED.finditer(text)], key=lambda match: match.start())
    for match, after in zip_longest(marks, marks[1:]):
        if match.group().startswith("\\"):  # as it is written: its reader sees that it is a box
            inside, closed = box(text, match.end())
            yield match.group() + inside + "}" * closed
        else:  # up to the next statement, but into a box: "the answer is \boxed{18}"
            boxed = after is not None and after.group().startswith("\\")
            if after is not None and boxed and _LEADS.fullmatch(text, match.end(), after.start()):
                continue  # the box says it
            yield text[match.end() : None if after is None else after.end() + _LONGEST_BOX if boxed else after.start()]


def _labelled(text: str) -> Iterator[str]:
    """What follows each "answer:"."""
    yield from _ANSWER.split(text)[1:]


def box(text: str, place: int) -> tuple[str, bool]:
    """What a box holds whose inside begins at ``place``, and whether it closes: then it is complete. One of brackets
    alone (brackets to close are an answer) closes with the last brace of them.
    """
    inside = text[place : place + _LONGEST_BOX]
    brackets = _BRACKETS.match(inside)
    if brackets:
        return inside[: brackets.end() - 1], True
    depth = 1
    for brace in _BRACE.finditer(inside):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        if depth == 0:
            return inside[: brace.start()], True
    return inside, False


def has_marker(text: str) -> bool:
    """Does any mark announce an answer in ``text``?"""
    return any(mark.search(text) for mark in (_HASHES, _SAID, _BOXED, _ANSWER))


def lines_of(text: str) -> list[str]:
    """The lines of a text that are not empty, without the space around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def skip(pattern: re.Pattern[str], text: str, place: int) -> int:
    """Where ``pattern`` ends that begins at ``place``; ``place`` where it does not match."""
    match = pattern.match(text, place)
    return match.end() if match else place


def short(text: str) -> str:
    """The text on one line, at most 60 characters of it, in quotes."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
