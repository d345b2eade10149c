"""Which of a text's tokens are those of its end, from the tokens as a server spells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onset.errors import ModelError

_HIDDEN = 8
"""Characters that tokens of parts of a character may hide before the next one that can be read."""

_FIRST = 40
"""The same before the first one that can be read: a server may not tell the first token at all."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the server spells it, and its log-probability (nats; None for the first, which nothing precedes)."""

    text: str
    logprob: float | None


def ending(tokens: Sequence[Token], text: str, start: int) -> tuple[float, int, int]:
    """Of the tokens of ``text``, those that end behind its character ``start``: the sum of their log-probabilities, how
    many there are, and how many come before.

    A token that straddles ``start`` is one of them, as in `onset.records.Pair`. What stands before the text (a start
    token) counts as before. Servers spell a token that is part of a character as U+FFFD or ``bytes:...``, and some
    leave out the space that a word begins with: both are found again from their neighbours.

    Raises ModelError when the tokens do not spell the text, or one has no log-probability.
    """
    ends = _ends(tokens, text)
    if ends is None:
        shown = "".join(one.text for one in tokens)[-60:]
        raise ModelError(f"the server's tokens do not spell the text: {shown!r} for {text[-60:]!r}")
    first = next((place for place, end in enumerate(ends) if end > start), len(ends))
    values = [one.logprob for one in tokens[first : len(ends)]]
    known = [one for one in values if one is not None]
    if len(known) < len(values):
        raise ModelError("the server gives a token no log-probability")
    return sum(known), len(values), first


def _ends(tokens: Sequence[Token], text: str) -> list[int] | None:
    """Where each token ends in the text; None where they do not spell it. Tries to begin at any of the first tokens:
    those before it are of no text.
    """
    for begin in range(min(len(tokens), 4)):
        found = _spell(tokens[begin:], text)
        if found is not None:
            return [0] * begin + found
    return None


def _spell(tokens: Sequence[Token], text: str) -> list[int] | None:
    ends: list[int] = []
    at, hidden = 0, 0
    for one in tokens:
        if at >= len(text):  # what was generated behind it
            return ends
        if not one.text or "\ufffd" in one.text or one.text.startswith("bytes:"):
            hidden += 1
            continue
        furthest = 0 if not hidden and text[at] != " " else 1 if not hidden else _HIDDEN if ends else _FIRST
        place = next((skip for skip in range(furthest + 1) if text.startswith(one.text, at + skip)), None)
        if place is None:
            return None
        ends += [at + place] * hidden
        at, hidden = at + place + len(one.text), 0
        ends.append(at)
    if len(text) - at > (_HIDDEN if hidden else 0):
        return None
    return ends + [len(text)] * hidden
