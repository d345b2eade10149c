"""Does a server serve the weights that it is said to? It is held against a local copy, on fixed texts.

Compared are how many tokens the prompts have (the tokenizer), the log-probabilities of the texts' endings where the
server gives them, and what is generated greedily. Kernels and types of weights differ, so the last bits never agree:
bfloat16 against float32 moves a token's log-probability by some hundredths of a nat, weights of 4 bits against 16 by a
tenth and more, another model of the family by several tenths. Greedy texts part at the first near tie and say little
of what comes after it: their beginnings are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from onset.models.base import Model, ability
from onset.records import Pair, Request

TEXTS: tuple[tuple[str, str], ...] = (
    ("The capital of France is", " Paris."),
    ("Water freezes at a temperature of", " zero degrees Celsius."),
    (
        "Question: Ray owns 17 keys. Pam has 7 fewer. How many keys does Pam have?\nAnswer: Pam has 17 - 7 =",
        " 10 keys.",
    ),
    ("def add(a, b):\n    return", " a + b\n"),
    ("Monday, Tuesday, Wednesday,", " Thursday, Friday, Saturday"),
    ("El perro corre por el", " parque con los niños."),
    ("Once upon a time there was a", " little girl who lived in the forest."),
    ("2, 4, 8, 16, 32,", " 64, 128, 256"),
)
LENGTH = 12
"""Tokens that are generated of each."""
BEGINNING = 8
"""Characters of a generated text that are to agree."""
NEAR = 0.1
"""Nats a token by which log-probabilities of the same weights may differ."""
HALF = 0.5
"""Share of generated texts whose beginnings agree, from which on the weights may be the same."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """``lengths``: prompts with equal numbers of tokens, of ``texts`` (None: the server counts none); ``apart``: the
    largest difference of log-probabilities (nats a token; None: the server gives none, ``why``); ``begun``: greedy
    texts whose first characters agree.
    """

    texts: int
    lengths: int | None
    apart: float | None
    begun: int
    why: str

    @property
    def verdict(self) -> Literal["same", "different", "not shown"]:
        """``same``: nothing speaks against it, and log-probabilities or all beginnings agree; ``different``: tokens,
        log-probabilities, or more than half of the beginnings do not; ``not shown``: neither.
        """
        if (self.lengths is not None and self.lengths < self.texts) or self.begun < HALF * self.texts:
            return "different"
        if self.apart is not None:
            return "same" if self.apart <= NEAR else "different"
        return "same" if self.begun == self.texts else "not shown"

    def json(self) -> dict[str, Any]:
        """What ``onset check-server --json`` prints."""
        return {
            "verdict": self.verdict,
            "texts": self.texts,
            "equal_token_counts": self.lengths,
            "largest_logprob_difference": self.apart,
            "equal_beginnings": self.begun,
            "no_logprobs": self.why or None,
        }


def agreement(served: Model, local: Model) -> Agreement:
    """Ask both the same, in plain text. Raises ModelError where the server is not there, or takes no plain text."""
    asked = [Request(context, LENGTH) for context, _ in TEXTS]
    there, here = ([one for (one,) in model.generate(asked)] for model in (served, local))
    counts = [(a.prompt_tokens, b.prompt_tokens) for a, b in zip(there, here, strict=True)]
    counted = all(a is not None for a, _ in counts)
    begun = sum(a.text[:BEGINNING] == b.text[:BEGINNING] for a, b in zip(there, here, strict=True))
    can = ability(served)
    return Agreement(
        texts=len(TEXTS),
        lengths=sum(a == b for a, b in counts) if counted else None,
        apart=_apart(served, local) if can.score else None,
        begun=begun,
        why="" if can.score else can.why,
    )


def _apart(served: Model, local: Model) -> float:
    pairs = [Pair(context, continuation) for context, continuation in TEXTS]
    there, here = served.score(pairs), local.score(pairs)
    return max(
        abs((a.logprob or 0.0) - (b.logprob or 0.0)) / max(1, b.tokens) for a, b in zip(there, here, strict=True)
    )
