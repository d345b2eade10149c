"""The protocol every model follows. A tuned model is a model: nothing after this knows of tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from onset.records import Completion, Pair, Request, Scored


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a study must know of a model.

    ``params``: all parameters, a tied matrix counted once; ``params_non_embedding``: without input and
    output embeddings (Kaplan et al. 2020, section 2.1); ``params_compute``: the parameters each token is
    multiplied with (all but an untied input embedding), the N of "2 N FLOPs a token"; ``family`` the
    architecture lineage (sizes of one family share a curve); ``stage`` the training step applied to the
    base model before methods are compared (``base`` when none); ``context`` the longest sequence in
    tokens; ``revision`` a hash of weights and tokenizer; ``dtype`` and ``device`` of the computation.
    """

    name: str
    family: str
    stage: str
    params: int
    params_non_embedding: int
    params_compute: int
    context: int
    tokenizer: str
    revision: str
    dtype: str
    device: str


@runtime_checkable
class Model(Protocol):
    """Two questions can be asked of a model; both take many at once and answer in order.

    A model that is to be asked through a chat template has two attributes more, ``chat`` and ``instruct`` (see
    `onset.models.chat.chosen_template`), and its `count_tokens` takes ``templated``.
    """

    @property
    def facts(self) -> ModelFacts:
        """The model's facts."""
        ...

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """``n`` completions for each request, in order.

        A prompt that does not fit the context together with ``max_tokens`` gives ``n`` completions
        with ``finish="overlong"``, empty text and 0 tokens: the caller counts them.
        """
        ...

    def score(self, pairs: Sequence[Pair]) -> list[Scored]:
        """The log-probability of each continuation after its context, in order."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` as the start of a prompt, special tokens included."""
        ...
