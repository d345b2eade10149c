"""The protocol every model follows. A tuned model is a model: nothing after this knows of tuning."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from onset.errors import ModelError
from onset.records import Completion, Pair, Request, Scored


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a study must know of a model.

    ``params``: all parameters, a tied matrix counted once; ``params_non_embedding``: without input and
    output embeddings (Kaplan et al. 2020, section 2.1); ``params_compute``: the parameters each token is
    multiplied with (all but an untied input embedding), the N of "2 N FLOPs a token"; ``family`` the
    architecture lineage (sizes of one family share a curve); ``stage`` the training step applied to the
    base model before methods are compared (``base`` when none); ``context`` the longest sequence in
    tokens; ``revision`` a hash of weights and tokenizer; ``dtype`` and ``device`` of the computation; ``attention``:
    layers times the width of their attention (heads times their size), by which attention of T tokens takes
    4 ``attention`` T^2 operations, half of them where it is causal: no part of 2 N a token; ``pretraining_seed``: which
    of several runs of its size it is, where that is known.

    A server may tell neither size nor context, tokenizer or revision: None, where the study does not tell them.
    """

    name: str
    family: str
    stage: str
    params: int | None
    params_non_embedding: int | None
    params_compute: int | None
    context: int | None
    tokenizer: str | None
    revision: str | None
    dtype: str
    device: str
    attention: int | None = None
    pretraining_seed: int | None = None

    def flops(self, tokens: int | None) -> float | None:
        """Operations of running ``tokens``: 2 for each and each of ``params_compute``; None where either is unknown."""
        return None if tokens is None or self.params_compute is None else 2.0 * self.params_compute * tokens

    def known(self, what: Literal["params_compute", "context"]) -> int:
        """A fact that cannot be done without. Raises ModelError where it is not known."""
        value: int | None = getattr(self, what)
        if value is None:
            key = "params" if what == "params_compute" else what
            raise ModelError(f"model '{self.name}' does not tell its {key}: give it in the study, '{key}: ...'")
        return value


@dataclass(frozen=True, slots=True)
class Can:
    """What a model can do beside completing texts.

    ``score``: give log-probabilities of texts; ``score_chat``: also after a prompt of its chat template; ``tune``: have
    its weights changed; ``adapters``: be asked with a LoRA adapter beside its weights, trained on a model of the same
    files (`onset.models.vllm.model`); ``repeat``: give equal completions for equal requests, bit for bit. ``why``: why
    it gives no scores, in words that follow "it gives no log-probabilities".
    """

    score: bool = True
    score_chat: bool = True
    tune: bool = False
    repeat: bool = True
    adapters: bool = False
    why: str = ""

    def scores(self, *, chat: bool) -> bool:
        """Does it give log-probabilities where it is asked in this way?"""
        return self.score_chat if chat else self.score


@dataclass(frozen=True, slots=True)
class Virtual:
    """What a tuned model has before every text: token ``ids`` above those of its vocabulary, which its module knows.

    ``given``: how many of them stand for keys and values that are weights (prefix tuning), so that they are no tokens
    of a prompt; those of a soft prompt (prompt tuning) are run by the model, and count.
    """

    ids: tuple[int, ...] = ()
    given: int = 0


NOTHING = Virtual()
"""Nothing stands before a text."""


@runtime_checkable
class Model(Protocol):
    """Two questions can be asked of a model; both take many at once and answer in order.

    What else it can do, an attribute ``can`` says (`Can`): a model of one's own without it scores and is not tuned.
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

        A model that may refuse one request and answer the others has a method ``answers`` too: the same, with an
        `onset.errors.RequestRefused` in the place of what it refused, or an `onset.errors.Unanswered` in that of what
        has no answer yet; likewise `scores` beside `score`.
        """
        ...

    def score(self, pairs: Sequence[Pair]) -> list[Scored]:
        """The log-probability of each continuation after its context, in order."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` as the start of a prompt, special tokens included."""
        ...


def ability(model: Model) -> Can:
    """What ``model`` can do (`Can`)."""
    told: Can = getattr(model, "can", Can())
    return told


def keeping(model: Model) -> AbstractContextManager[None]:
    """While this is open nobody changes ``model``, which may keep what one call has run for the next; one that keeps
    nothing needs to know of none of this.
    """
    held: AbstractContextManager[None] = getattr(model, "keeping", nullcontext)()
    return held
