"""When a text ends, and what its text is: end-of-text tokens, stop strings and the end of its answer.

Looking for a stop string means decoding tokens, so it is done only where one can have become complete: at a token whose
own text holds the last character of a stop string; for the end of an answer (`onset.turns`), at one that holds the end
of a line or of a mark, and at the one after a token that a sentence may end with. Which tokens those are is learnt as
they come up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from onset.records import EndRule, Finish
from onset.turns import CLOSING, TURN_LAST, find_end

UNFINISHED = "\N{REPLACEMENT CHARACTER}"

_BEFORE = 8
"""Tokens of the prompt decoded before a text: alone, some tokenizers drop its leading space."""

_TAIL = 256
"""Last tokens of a text in which a stop string is looked for, at least."""


EndingsOf = Callable[[tuple[str, ...], EndRule | None], "Endings"]
"""The endings of texts with these stop strings and this rule."""


class Endings:
    """The endings of texts with the same stop strings and the same rule for the end of an answer.

    ``decode``: tokens -> text (of a `tokenizers.Tokenizer`); ``eos``: ids that end a text; ``vocabulary``: how many
    ids there are; ``special``: ids of stop strings and of marks of a turn that are special tokens, whose text does not
    show. ``flags`` [vocabulary]: can a text end at this token? ``brink`` [vocabulary]: at the one after it? True until
    it is known that it cannot.
    """

    def __init__(
        self,
        decode: Callable[..., str],
        eos: frozenset[int],
        stop: tuple[str, ...],
        vocabulary: int,
        special: frozenset[int] = frozenset(),
        until: EndRule | None = None,
    ) -> None:
        self._decode = decode
        self._eos = eos
        self._special = special
        self._stop = stop
        self._until = until
        self._last = frozenset(one[-1] for one in stop) | frozenset(TURN_LAST if until else "")
        self._tail = max([_TAIL, *(8 * len(one) for one in stop)])
        self.flags = np.ones(vocabulary, dtype=bool)
        self.brink = np.zeros(vocabulary, dtype=bool)
        if until is not None:
            self.brink[:] = True
            point = f"[.!?{re.escape(until.end[-1:])}][{CLOSING}]*"
            self._inside = re.compile(rf"{point}\s")
            self._before = re.compile(rf"{point}\Z|\A[{CLOSING}]*\Z")
        elif not stop:
            self.flags[:] = False
            self.flags[[token for token in eos if token < vocabulary]] = True

    def may_end(self, last: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Can texts end at the tokens ``last`` [n], which come after ``before`` [n]? (The first token of a text may
        stand for the one before it.) `finish` says whether one does.
        """
        found: NDArray[np.bool_] = self.flags[last] | self.brink[before]
        return found

    def finish(self, prompt: Sequence[int], tokens: Sequence[int]) -> Finish | None:
        """Does the text of ``tokens`` after ``prompt`` end with its last token? To be asked where `may_end` says so."""
        if tokens[-1] in self._eos:
            return "eos"
        if tokens[-1] in self._special:
            return "stop"
        if self._stop or self._until:
            if self._complete(prompt, tokens):
                return "stop"
            self._learn(prompt[-1], tokens[-1])
        return None

    def text(self, prompt: Sequence[int], tokens: Sequence[int], finish: Finish) -> str:
        """The text of a finished row: up to the first stop string or the end of its answer, without the end-of-text
        token.
        """
        kept = tokens[:-1] if finish == "eos" else tokens
        whole = self._added(prompt[-_BEFORE:], kept)
        if finish != "stop":
            return whole
        places = [place for one in self._stop if (place := whole.find(one)) >= 0]
        end = find_end(whole, self._until) if self._until else None
        places += [] if end is None else [end[0]]
        return whole[: min(places)] if places else whole

    def _complete(self, prompt: Sequence[int], tokens: Sequence[int]) -> bool:
        if len(tokens) > self._tail and self._until is None:
            recent = self._added(tokens[-self._tail - _BEFORE : -self._tail], tokens[-self._tail :])
            if not self._holds(recent):
                return False
        return self._holds(self._added(prompt[-_BEFORE:], tokens))

    def _holds(self, text: str) -> bool:
        return any(one in text for one in self._stop) or (
            self._until is not None and find_end(text, self._until) is not None
        )

    def _learn(self, before: int, token: int) -> None:
        """No text can end at ``token`` if its text, alone, holds no last character of a stop string or of a mark, and
        no end of a sentence. A token that is part of a character shows that only together with its neighbours, and a
        space at the start of a text can be hidden by the tokenizer, so these stay flagged.
        """
        piece = self._added([before], [token])
        if UNFINISHED in piece:
            return
        if self._until is not None:
            self.brink[token] = self._before.search(piece) is not None
            if self._inside.search(piece):
                return
        if " " not in self._last and not self._last & set(piece):
            self.flags[token] = False

    def _added(self, before: Sequence[int], tokens: Sequence[int]) -> str:
        """What ``tokens`` add to the text of ``before``."""
        start = self._decode(list(before), skip_special_tokens=True)
        whole = self._decode([*before, *tokens], skip_special_tokens=True)
        if whole.startswith(start):
            return whole[len(start) :]
        return self._decode(list(tokens), skip_special_tokens=True)
