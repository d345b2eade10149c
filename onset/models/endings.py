"""When a text ends, and what its text is: end-of-text tokens and stop strings.

Looking for a stop string means decoding tokens, so it is done only where one can have become complete: at a token whose
own text holds the last character of a stop string. Which tokens those are is learnt as they come up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onset.records import Finish

UNFINISHED = "\N{REPLACEMENT CHARACTER}"

_BEFORE = 8
"""Tokens of the prompt decoded before a text: alone, some tokenizers drop its leading space."""

_TAIL = 256
"""Last tokens of a text in which a stop string is looked for, at least."""


class Endings:
    """The endings of texts with the same stop strings.

    ``decode``: tokens -> text (of a `tokenizers.Tokenizer`); ``eos``: ids that end a text; ``vocabulary``: how many
    ids there are; ``special``: ids of stop strings that are special tokens, whose text does not show. ``flags``
    [vocabulary]: can a text end at this token? True until it is known that it cannot.
    """

    def __init__(
        self,
        decode: Callable[..., str],
        eos: frozenset[int],
        stop: tuple[str, ...],
        vocabulary: int,
        special: frozenset[int] = frozenset(),
    ) -> None:
        self._decode = decode
        self._eos = eos
        self._special = special
        self._stop = stop
        self._last = frozenset(one[-1] for one in stop)
        self._tail = max([_TAIL, *(8 * len(one) for one in stop)])
        self.flags = np.ones(vocabulary, dtype=bool)
        if not stop:
            self.flags[:] = False
            self.flags[[token for token in eos if token < vocabulary]] = True

    def finish(self, prompt: Sequence[int], tokens: Sequence[int]) -> Finish | None:
        """Does the text of ``tokens`` after ``prompt`` end with its last token? To be asked where ``flags`` is True."""
        if tokens[-1] in self._eos:
            return "eos"
        if tokens[-1] in self._special:
            return "stop"
        if self._stop:
            if self._complete(prompt, tokens):
                return "stop"
            self._learn(prompt[-1], tokens[-1])
        return None

    def text(self, prompt: Sequence[int], tokens: Sequence[int], finish: Finish) -> str:
        """The text of a finished row: up to the first stop string, without the end-of-text token."""
        kept = tokens[:-1] if finish == "eos" else tokens
        whole = self._added(prompt[-_BEFORE:], kept)
        if finish != "stop":
            return whole
        places = [place for one in self._stop if (place := whole.find(one)) >= 0]
        return whole[: min(places)] if places else whole

    def _complete(self, prompt: Sequence[int], tokens: Sequence[int]) -> bool:
        if len(tokens) > self._tail:
            recent = self._added(tokens[-self._tail - _BEFORE : -self._tail], tokens[-self._tail :])
            if not self._holds(recent):
                return False
        return self._holds(self._added(prompt[-_BEFORE:], tokens))

    def _holds(self, text: str) -> bool:
        return any(one in text for one in self._stop)

    def _learn(self, before: int, token: int) -> None:
        """No stop string can end at ``token`` if its text, alone, holds no stop string's last character. A token that
        is part of a character shows that only together with its neighbours, and a space at the start of a text
        can be hidden by the tokenizer, so these stay flagged.
        """
        piece = self._added([before], [token])
        if UNFINISHED not in piece and " " not in self._last and not self._last & set(piece):
            self.flags[token] = False

    def _added(self, before: Sequence[int], tokens: Sequence[int]) -> str:
        """What ``tokens`` add to the text of ``before``."""
        start = self._decode(list(before), skip_special_tokens=True)
        whole = self._decode([*before, *tokens], skip_special_tokens=True)
        if whole.startswith(start):
            return whole[len(start) :]
        return self._decode(list(tokens), skip_special_tokens=True)
