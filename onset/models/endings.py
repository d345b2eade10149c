"""When a text ends, and what its text is: end-of-text tokens, stop strings and the end of its answer.

Looking for a stop string means decoding tokens, so it is done only where one can have become complete: at a token whose
own text holds the last character of a stop string; for the end of an answer (`onset.turns`), at one that holds the end
of a line or of a mark, and at the one after a token that a sentence may end with. Which tokens those are is learnt as
they come up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from onset.models.rows import Row, Sample
from onset.records import EndRule, Finish, Thinking
from onset.thinking import answer_start
from onset.turns import CLOSING, TURN_LAST, find_end

UNFINISHED = "\N{REPLACEMENT CHARACTER}"

_BEFORE = 8
"""Tokens of the prompt decoded before a text: alone, some tokenizers drop its leading space."""

_TAIL = 256
"""Last tokens of a text in which a stop string is looked for, at least."""


EndingsOf = Callable[[tuple[str, ...], EndRule | None, Thinking | None], "Endings"]
"""The endings of texts with these stop strings and these rules."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of thinking of a ``rule`` as the tokens ``start`` and ``end``; ``special``: these tokens do not show in
    a text, so that they are looked for themselves.
    """

    rule: Thinking
    start: tuple[int, ...]
    end: tuple[int, ...]
    special: bool = False


@dataclass(frozen=True, slots=True)
class _Parts:
    """A text as its ``thinking``, the end mark included, and the ``rest`` (None: it still thinks)."""

    thinking: str
    rest: str | None


class Endings:
    """The endings of texts with the same stop strings and the same rule for the end of an answer.

    ``decode``: tokens -> text (of a `tokenizers.Tokenizer`); ``eos``: ids that end a text; ``vocabulary``: how many
    ids there are; ``special``: ids of stop strings and of marks of a turn that are special tokens, whose text does not
    show; ``marks``: of thinking, which a text may begin with. ``flags`` [vocabulary]: can a text end at this token?
    ``brink`` [vocabulary]: at the one after it? True until it is known that it cannot. ``budget``: the number of tokens
    at which a text ends that still thinks (0: no text does).
    """

    def __init__(
        self,
        decode: Callable[..., str],
        eos: frozenset[int],
        stop: tuple[str, ...],
        vocabulary: int,
        special: frozenset[int] = frozenset(),
        until: EndRule | None = None,
        marks: Marks | None = None,
    ) -> None:
        self._decode = decode
        self._marks = marks
        self.budget = 0 if marks is None else marks.rule.tokens
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

    @property
    def tokens(self) -> frozenset[int]:
        """Those that end a text wherever they come."""
        return self._eos | self._special

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
        if len(tokens) == self.budget and self._parts(prompt, tokens).rest is None:
            return "budget"
        return None

    def text(self, prompt: Sequence[int], tokens: Sequence[int], finish: Finish) -> str:
        """The text of a finished row: up to the first stop string or the end of its answer, without the end-of-text
        token.
        """
        kept = tokens[:-1] if finish == "eos" else tokens
        parts = self._parts(prompt, kept)
        whole = parts.rest or ""
        if finish == "stop" and parts.rest is not None:
            places = [place for one in self._stop if (place := whole.find(one)) >= 0]
            end = find_end(whole, self._until) if self._until else None
            places += [] if end is None else [end[0]]
            whole = whole[: min(places)] if places else whole
        return parts.thinking + whole

    def thought(self, prompt: Sequence[int], tokens: Sequence[int]) -> int | None:
        """How many of a finished row's ``tokens`` are thinking, marks included; None where it did not think."""
        if self._marks is None:
            return None
        parts = self._parts(prompt, tokens)
        if parts.rest is None or not parts.thinking:
            return len(tokens) if parts.rest is None else None
        low, high = 0, len(tokens)  # the first `high` tokens hold the end mark, the first `low` do not
        while high - low > 1:
            middle = (low + high) // 2
            held = self._parts(prompt, tokens[:middle])
            low, high = (low, middle) if held.rest is not None and held.thinking else (middle, high)
        return high

    def _parts(self, prompt: Sequence[int], tokens: Sequence[int]) -> _Parts:
        """The text of ``tokens``, and where it stops thinking."""
        if self._marks is None:
            return _Parts("", self._added(prompt[-_BEFORE:], tokens))
        rule = self._marks.rule
        if self._marks.special:
            return self._parts_by_tokens(self._marks, prompt, tokens)
        whole = self._added(prompt[-_BEFORE:], tokens)
        place = answer_start(whole, rule)
        return _Parts(whole, None) if place is None else _Parts(whole[:place], whole[place:])

    def _parts_by_tokens(self, marks: Marks, prompt: Sequence[int], tokens: Sequence[int]) -> _Parts:
        """The same where the marks do not show: they are put into the text."""
        begun = 0 if marks.rule.inside else _first(tokens, marks.start)
        thinks = marks.rule.inside or (begun is not None and not self._added(prompt[-_BEFORE:], tokens[:begun]).strip())
        start = "" if marks.rule.inside or not thinks else marks.rule.start
        after = (begun or 0) + (len(marks.start) if start else 0)
        end = _first(tokens, marks.end)
        if end is None:
            thinking = start + self._added(prompt[-_BEFORE:], tokens[after:])
            return _Parts(thinking, None) if thinks else _Parts("", thinking)
        inner = self._added(prompt[-_BEFORE:], tokens[after:end])
        rest = self._added(tokens[end : end + len(marks.end)], tokens[end + len(marks.end) :])
        return _Parts(start + inner + marks.rule.end, rest)

    def _complete(self, prompt: Sequence[int], tokens: Sequence[int]) -> bool:
        if self._marks is not None:
            rest = self._parts(prompt, tokens).rest
            return rest is not None and self._holds(rest)
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


class Text:
    """The text of one row while it grows, token by token; ``finish``: why it ended (None: it goes on)."""

    def __init__(self, row: Row, endings: Endings) -> None:
        self.row = row
        self.tokens: list[int] = []
        self.finish: Finish | None = None
        self._endings = endings
        self._logprob = 0.0

    @property
    def ends(self) -> frozenset[int]:
        """Tokens that end it wherever they come."""
        return self._endings.tokens

    @cached_property
    def uniforms(self) -> NDArray[np.float64]:
        """See `onset.models.rows.Row.uniforms`."""
        return self.row.uniforms()

    def push(self, token: int, logprob: float) -> None:
        """Append a token; sets ``finish`` when the text ends with it."""
        self.tokens.append(token)
        self._logprob += logprob
        known = self._endings
        if known.flags[token] or known.brink[self.tokens[-2:][0]] or len(self.tokens) == known.budget:
            self.finish = known.finish(self.row.prompt, self.tokens)
        if self.finish is None and len(self.tokens) == self.row.max_tokens:
            self.finish = "length"

    def sample(self) -> Sample:
        """The finished row."""
        assert self.finish is not None
        text = self._endings.text(self.row.prompt, self.tokens, self.finish)
        thought = self._endings.thought(self.row.prompt, self.tokens)
        return Sample(text, len(self.tokens), self._logprob, self.finish, thought, tuple(self.tokens))


def _first(tokens: Sequence[int], mark: tuple[int, ...]) -> int | None:
    """Where the tokens of ``mark`` begin in ``tokens``."""
    held, size = list(mark), len(mark)
    return next((place for place in range(len(tokens) - size + 1) if list(tokens[place : place + size]) == held), None)
