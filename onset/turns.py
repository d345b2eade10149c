r"""Where a text stops being the model's own answer: a new turn begins, or the answer's sentence ends.

A model that goes on after its answer writes the next turn of a conversation: "The answer is 18.Human: A man has ...".
What follows is another problem and says nothing of this one. The marks of a new turn, by the names in `EndRule.turns`:

    Human, User, Assistant, Question    the word, as it is written here, and a colon, anywhere but inside a word
    Q                                   the same at the beginning of a line or after a sentence: not in "P: 3, Q: 4"
    <|                                  ``<|im_start|>``, ``<|endoftext|>``, ``<start_of_turn>``, ``</s>`` ...
    [INST]                              of Llama 2
    ###                                 ``### Instruction``, and a role after ``###``, alone on its line or with a colon

A mark at the very beginning, dressed or not ("**Question:** How many ..."), opens no *new* turn: the model says the
question again. Only a text that begins with the user's next words ("Human:", "User:") is not the model's at all.
"""

from __future__ import annotations

import re
from functools import lru_cache

from onset.records import EndRule, Item

_WORD = r"(?<![A-Za-z_]){}[ \t]*:"
_MARKS = {
    **{name: _WORD.format(name) for name in ("Human", "User", "Assistant", "Question")},
    "Q": r"(?:^|\n|(?<=[.!?)\]\"'*\d]))[ \t]*Q[ \t]*:",
    "<|": r"<\|[A-Za-z_]+\|>|<(?:start|end)_of_turn>|</?s>",
    "[INST]": r"\[/?INST\]",
    "###": r"\#{2,}[ \t]*(?:Instructions?|Human|User|Assistant|System)[ \t]*(?=[:\n])",
}
TURNS = tuple(_MARKS)
"""The marks of a new turn."""

BLANK = "blank line"
"""The mark of a text that has one paragraph: a blank line after its first words. It begins no turn: rules name it where
they want it."""
_MARKS[BLANK] = r"\n[ \t]*\n"

SENTENCE_END = r"(?<!\b[A-Z])(?<!\bSt)(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bJr)[.!?]"
"""The point that ends a sentence, before what follows is looked at. One after an initial or a title ends none: "J. K.
Rowling", "St. Louis"."""

CLOSING = r"*_`\"'”’)\]}$"
"""What may close around a sentence after its point, for a character class: ``**The answer is 18.**``."""

_VALUE = re.compile(r"[^\s:*_`\"'“‘$~≈.,;!?-]")
"""The first character of a value: not the dress it wears, nor a dash before it."""


_DRESS = " \t\r\n*_#>`"
"""What may stand before the first word of a text without being one: space, and the dress of a heading."""

TURN_LAST = ":>]\n"
"""Characters with which a mark is complete, its look-ahead included."""


def turns_of(item: Item) -> tuple[str, ...]:
    """The marks that begin a new turn in a text about ``item``: those that its own question, context and choices do not
    have. (An answer about a dialogue may quote it.)
    """
    own = "\n".join([item.question, item.context or "", *(item.choices or ())])
    return tuple(name for name in TURNS if re.search(_MARKS[name], own) is None)


def new_turn(text: str, turns: tuple[str, ...] = TURNS) -> re.Match[str] | None:
    """The mark that begins the first new turn in ``text``."""
    pattern = _any_of(turns)
    for match in pattern.finditer(text) if pattern else ():
        if text[: match.start()].strip(_DRESS) or match.group().startswith(("Human", "User")):
            return match
    return None


@lru_cache(maxsize=256)
def _any_of(turns: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(_MARKS[name] for name in turns)) if turns else None


def is_mark(token: str, turns: tuple[str, ...]) -> bool:
    """Is the text of a special token the mark of a turn?"""
    pattern = _any_of(turns)
    return pattern is not None and pattern.fullmatch(token) is not None


def find_end(text: str, rule: EndRule) -> tuple[int, int] | None:
    """Where ``text`` ends by ``rule``, and where what shows it ends (the space after a sentence, the mark of a turn);
    None while it may go on.

    >>> find_end(" 17 - 7 = 10. The answer is 3.5. So", EndRule("The answer is"))
    (32, 33)
    """
    turn, answer = new_turn(text, rule.turns), _answer_end(text, rule)
    if turn is not None and (answer is None or turn.start() < answer):
        return turn.start(), turn.end()
    return None if answer is None else (answer, answer + 1)


def _answer_end(text: str, rule: EndRule) -> int | None:
    """The end of the first sentence that announces a value, where it is seen to end."""
    for match in re.finditer(re.escape(rule.marker), text, re.IGNORECASE):
        value = _VALUE.search(text, match.end())
        place = None if value is None else _sentence_end(text, value.end(), rule.end)
        if place is not None and (not rule.number or re.search(r"\d", text[match.end() : place])):
            return place
    return None


def _sentence_end(text: str, start: int, end: str) -> int | None:
    """The first end of a sentence from ``start`` on: a point with a space after it, or the end of a line, unless a
    colon or a formula that opens there says that the line goes on. ``end`` empty: lines alone.
    """
    for match in _ends(end).finditer(text, start):
        if match.group() != "\n":
            return match.end()
        if not text[: match.start()].rstrip(" \t*_").endswith((":", "\\[", "\\(")):
            return match.start()
    return None


@lru_cache(maxsize=64)
def _ends(end: str) -> re.Pattern[str]:
    if not end:
        return re.compile(r"\n")
    own = "" if end in (".", "!", "?") else rf"|{re.escape(end)}"
    return re.compile(rf"(?:{SENTENCE_END}{own})[{CLOSING}]*(?=\s)|\n")
