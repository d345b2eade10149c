r"""math-verify as a second reader of answers that are numbers: what it finds in a text, and whether that is right.

Source: the library Math-Verify (https://github.com/huggingface/Math-Verify), version 0.9, with its own settings:
`parse` looks for LaTeX and plain expressions, the last of the best kind first, and `verify` compares them with sympy
(numbers to six decimals; a percent sign may be there or not). It knows nothing of items, so it gets the text that the
task's reader gets: after the thinking, and up to where a new turn begins.

    \boxed{\frac{1}{2}}                  1/2, equal to 0.5
    The answer is 5 or 6                5 (the task's reader: ambiguous)
    The answer is eighteen              nothing

What it evaluates are digits and operators, and LaTeX by a grammar; both have a time limit of whole seconds, set by a
signal, so it runs in the main thread alone. A comparison that takes longer counts as not equal and is counted.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from onset.errors import DataError, InputError
from onset.records import Item
from onset.thinking import answer_part
from onset.turns import new_turn, turns_of

SECONDS = 5
"""Of one text to be read, and of one comparison; the library's own."""


@dataclass(frozen=True, slots=True)
class Second:
    """What it says of a text: is an answer ``found``, is it ``right``, is it the ``same`` as that of the first reader
    (none and none are), and how many of its steps were cut at the time limit (``timeouts``).
    """

    found: bool
    right: bool
    same: bool
    timeouts: int = 0


Reader = Callable[[str, Item, Sequence[str], str | None], Second]
"""A text, the item that it is about (question and context have marks that begin no new turn), all right answers and the
first reader's answer, in their canonical form (`onset.answers.canonical_number`)."""


class _Timeouts(logging.Handler):
    """Counts the warnings by which the library says that it ran out of time, instead of printing them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count it."""
        self.count += "Timeout" in record.getMessage()


@contextmanager
def math_verify() -> Iterator[Reader]:
    """The reader. Raises InputError, one line, where the library is not there or this is not the main thread; and
    DataError for a gold answer in which it finds no number.
    """
    library = _library()
    if threading.current_thread() is not threading.main_thread():
        raise InputError("math-verify sets its time limits by a signal: call it from the main thread")
    log, told = logging.getLogger("math_verify"), _Timeouts()
    spoke, log.propagate = log.propagate, False
    log.addHandler(told)

    def found(text: str) -> Any:
        return library.parse(text, parsing_timeout=SECONDS)

    @lru_cache(maxsize=4096)
    def number(text: str) -> Any:
        made = library.parse(text, extraction_config=[library.ExprExtractionConfig()], parsing_timeout=SECONDS)
        if not made:
            raise DataError(f"math-verify finds no number in the answer '{text}'")
        return made

    def equal(text: str, said: Any) -> bool:
        return bool(library.verify(number(text), said, timeout_seconds=SECONDS))

    def read(text: str, item: Item, golds: Sequence[str], first: str | None) -> Second:
        before = told.count
        part = answer_part(text)
        turn = new_turn(part, turns_of(item))
        said = found(part if turn is None else part[: turn.start()])
        right = bool(said) and any(equal(gold, said) for gold in golds)
        same = not said if first is None else bool(said) and (right if golds == [first] else equal(first, said))
        return Second(bool(said), right, same, told.count - before)

    try:
        yield read
    finally:
        log.removeHandler(told)
        log.propagate = spoke


def _library() -> Any:
    try:
        import math_verify as library
    except ImportError:
        raise InputError("reading with math-verify needs the library: pip install 'lm-onset[math]'") from None
    return library
