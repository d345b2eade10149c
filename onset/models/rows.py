"""What is asked of a decoder, in tokens: rows to generate and spans to score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onset.records import EndRule, Finish, Thinking


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of one request (`onset.records.Request`), with its prompt as tokens (not empty)."""

    prompt: tuple[int, ...]
    max_tokens: int
    stop: tuple[str, ...]
    temperature: float
    seed: int
    sample: int
    until: EndRule | None = None
    top_p: float = 1.0
    top_k: int | None = None
    thinking: Thinking | None = None

    def uniforms(self) -> NDArray[np.float64]:
        """The uniform in [0, 1) of each step, [max_tokens]; zeros for a greedy row, which draws nothing.

        Philox (Salmon et al. 2011) is keyed: (seed, sample) names a stream and the step a place in it, so a draw
        depends neither on the batch nor on what else is asked.
        """
        if self.temperature == 0:
            return np.zeros(self.max_tokens)
        key = np.array([self.seed % 2**64, self.sample], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key)).random(self.max_tokens)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a row became: text up to where it ends, tokens generated, their log-probability (nats), why it ended, and
    how many tokens were thinking (None: it did not think). ``ids``: the tokens.
    """

    text: str
    tokens: int
    logprob: float
    finish: Finish
    thinking: int | None = None
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens of a text up to the continuation (not empty) and tokens of the continuation."""

    before: tuple[int, ...]
    continuation: tuple[int, ...]
