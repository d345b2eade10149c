"""The words of the data flow, as frozen dataclasses.

    Item -> Prompt -> Completion -> Answer -> Score -> Record -> table -> estimate -> Finding -> report

Nothing here computes; everything downstream agrees on these shapes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "none", "truncated", "ambiguous", "out of budget"]
"""``ok`` found; ``none`` no answer in the text; ``truncated`` the text ended before the answer did;
``ambiguous`` several different answers and no rule to prefer one; ``out of budget`` the thinking took all the tokens it
may take, and no answer was begun."""

Outcome = Literal["ok", "none", "truncated", "ambiguous", "out of budget", "failed"]
"""A `Status`, or ``failed``: what was to find the answer raised an error (`Record.cause`)."""

Finish = Literal["eos", "stop", "length", "budget", "overlong"]
"""Why a completion ended: end-of-text token, a stop string or the end of its answer, the token limit, ``budget``: it
was still thinking at the limit of that (`Thinking`), or ``overlong``: the prompt does not fit the model's context and
nothing was generated."""


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces and no NaN: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


LONGEST_FACT = 80
"""Characters of a text of `Item.meta` that is kept in records: longer ones name no group."""


def content_hash(value: Any, length: int = 16) -> str:
    """First ``length`` hex digits of the SHA-256 of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed from named parts, so that init, order and sampling have seeds of their own."""
    return int(content_hash(list(parts), 16), 16) >> 1


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled example or test question.

    ``answer`` is the gold answer as the task writes it, ``rationale`` the worked steps without the
    final answer (lines separated by newlines), ``choices`` the allowed answers of a multiple-choice
    item, ``context`` a passage the question is about, ``twin`` the id of the clean item that a shift
    rewrote. ``meta`` holds small facts for slicing (``steps``, ``subtask`` ...). ``others``: further answers that are
    right too, where the item has several; demonstrations show, and targets are made of, ``answer``.
    """

    question: str
    answer: str
    rationale: str | None = None
    choices: tuple[str, ...] | None = None
    context: str | None = None
    twin: str | None = None
    meta: Mapping[str, str | int | float] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def golds(self) -> tuple[str, ...]:
        """All right answers, ``answer`` first."""
        return (self.answer, *self.others)

    @property
    def facts(self) -> str | None:
        """`meta` as a record keeps it, as JSON; None where there is none."""
        kept = {
            key: one
            for key, one in self.meta.items()
            if (len(one) <= LONGEST_FACT if isinstance(one, str) else math.isfinite(one))
        }
        return canonical_json(kept) if kept else None

    @property
    def id(self) -> str:
        """16 hex digits: the hash of question, right answers, choices and context (never of the rationale)."""
        said = [self.question, self.answer, self.choices, self.context]
        return content_hash([*said, self.others] if self.others else said)


@dataclass(frozen=True, slots=True)
class EndRule:
    """An answer ends where it ends: after ``marker`` (in any case) and a value, with the sentence; and before a new
    turn.

    The sentence ends at its point (``end``, or ``!`` or ``?``), with what closes around it, when a space, a line's end
    or a new turn follows ("3.5" and "J. K. Rowling" go on); or with the line, unless it ends with a colon. ``end``
    empty: with the line alone. ``number``: a sentence without a digit announces nothing. ``turns``: the marks of a new
    turn, names of `onset.turns.TURNS`.
    """

    marker: str
    end: str = "."
    number: bool = False
    turns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    """A text that may think before it answers, between the marks ``start`` and ``end`` (`onset.thinking`), for at most
    ``tokens`` tokens, its marks included. ``inside``: the prompt ends with ``start``.

    While a text thinks, neither stop strings nor the rule for the end of an answer end it.
    """

    start: str
    end: str
    tokens: int
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """How completions are drawn: ``n`` of them; ``temperature`` 0 is greedy (then ``n`` must be 1); of the next token's
    distribution at that temperature the ``top_k`` most probable tokens (None: all), then the smallest number of most
    probable ones whose probabilities reach ``top_p`` (0..1; 1: all; nucleus sampling, Holtzman et al. 2020, arXiv
    1904.09751, section 3.1).
    """

    n: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked of a model.

    ``prompt`` ends without a space: the completion owns the space. ``n``, ``temperature``, ``top_p`` and ``top_k`` as
    in `Sampling`, and ``seed`` keys every draw together with the sample's index and the
    step, so that a draw does not depend on which requests share its batch. Generation ends after
    ``max_tokens`` tokens, at the first of ``stop``, which is not part of the text returned, or where ``until``
    says: the text returned ends with the answer's sentence. ``templated``: a chat template made the prompt; its
    special tokens are in the text, and the completion begins a turn, without a space. ``thinking``: the completion may
    think first; ``stop`` and ``until`` are looked for in what follows.
    """

    prompt: str
    max_tokens: int
    stop: tuple[str, ...] = ()
    n: int = 1
    temperature: float = 0.0
    seed: int = 0
    until: EndRule | None = None
    templated: bool = False
    top_p: float = 1.0
    top_k: int | None = None
    thinking: Thinking | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back: ``text`` without the stop string, ``tokens`` generated (the end-of-text token and
    the tokens that showed the end count), ``prompt_tokens`` (both None where a server does not count them), the sum of
    the tokens' log-probabilities ``logprob`` at temperature 1 (nats; None when the backend does not give it) and why it
    ended. ``thinking``: how many of the tokens were thinking, marks included (None: it was not asked to, or did not
    think). ``thought``: what a server set apart as thinking, where it is no part of ``text``. ``summed``: how many
    tokens are in ``logprob`` where these are not all ``tokens``: a server goes on behind the end of an answer.
    """

    text: str
    tokens: int | None
    prompt_tokens: int | None
    logprob: float | None
    finish: Finish
    thinking: int | None = None
    thought: str = ""
    summed: int | None = None

    @property
    def length(self) -> int | None:
        """How many tokens ``logprob`` is the sum of (None: not known)."""
        return self.tokens if self.summed is None else self.summed


@dataclass(frozen=True, slots=True)
class Pair:
    """A continuation to score after a context. The continuation owns the space: ``context`` ends
    without one and ``continuation`` usually begins with one. The two are tokenised as one string and a
    token that straddles the boundary belongs to the continuation. ``templated`` as in `Request`.
    """

    context: str
    continuation: str
    templated: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """``logprob``: log-probability (nats) of the continuation, None when context plus continuation do
    not fit the model; ``tokens`` of the continuation; ``context_tokens`` before it.
    """

    logprob: float | None
    tokens: int
    context_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An extracted answer: ``value`` is canonical (None unless ``status`` is ``ok``)."""

    value: str | None
    status: Status

    def __post_init__(self) -> None:
        if (self.value is None) == (self.status == "ok"):
            raise ValueError(f"Answer with value {self.value!r} and status {self.status!r}")


@dataclass(frozen=True, slots=True)
class Score:
    """What an answer is worth. ``correct``: the strict score, right or wrong. ``partial``: how much of a right answer
    it is (0..1), where the answer format has such a score beside the strict one; None: it has none.
    """

    correct: bool
    partial: float | None = None


@dataclass(frozen=True, slots=True)
class Gold:
    """``logprob`` of the gold answer (nats; of several right ones the first), and its ``probability`` among the item's
    choices (None for open answers); both None where not measured.
    """

    logprob: float | None
    probability: float | None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model about an item: its ``role`` (`onset.prompting.ask`), the ``prompt``, the tokens that ran
    (those of the prompt once, however many samples share it; None: not known) and the ``texts`` that came back, or
    that were scored. ``model``: the name of the model that answered, where it is not the one that is measured, and the
    ``flops`` of that model.
    """

    role: str
    prompt: str
    prompt_tokens: int | None
    output_tokens: int | None
    texts: tuple[str, ...]
    model: str | None = None
    flops: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a solver hands back for one item.

    ``prompt`` is the text that asked for the answer, ``completions`` every sample in order, ``answers`` the
    answer of each (where it was chosen and nothing generated: that one, and no completion), ``answer`` the final one
    (after a vote, if any), ``gold`` how probable the gold answer was.
    ``scores``: the log-probabilities (nats) of the item's choices, where the answer was chosen by them; ``detail``:
    what else is to be kept of how the answer came about, as plain JSON.
    """

    prompt: str
    completions: tuple[Completion, ...]
    answers: tuple[Answer, ...]
    answer: Answer
    gold: Gold = Gold(None, None)
    scores: tuple[float | None, ...] | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A `Call` as stored: ``prompt`` and ``texts`` are null where the record holds them already (an answer's) or where
    they are no part of the method (the gold answer's score).
    """

    role: str
    prompt_hash: str
    prompt: str | None
    prompt_tokens: int | None
    output_tokens: int | None
    n: int
    texts: tuple[str, ...] | None
    model: str | None = None
    flops: float | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One item of one cell, as stored: a row of ``records.parquet``.

    ``position`` is the item's place in the cell's fixed order (0-based); ``flops`` the floating-point
    operations of inference (2 N a token, no reuse of shared prefixes), those of other models that it asked included,
    whose tokens are in their ``calls`` alone; over all
    ``calls`` that are part of the method (None where a server tells no tokens, or no size); ``rights``: is each of
    ``answers`` right; ``logprobs`` (nats), ``lengths`` (tokens) and ``thinking`` (how many of these tokens were
    thinking; None: the output did not think) of the outputs, ``scores`` and ``detail`` (JSON) as in `Attempt`;
    ``overlong`` is true when the
    prompt did not fit the context, ``status`` is ``failed`` when the method raised an error, ``cause`` in one line
    (then there are no outputs): such items count as wrong and are reported; ``golds``: all right answers where the
    item has several, ``gold`` first (empty where it has one); ``partial``: how much of a right answer ``answer`` is
    (0..1; 0 where none was found), where the answer format says that (`Score`); ``meta``: the item's facts (JSON; None:
    it has none), of texts those of at most `LONGEST_FACT` characters, which groups of items are told by; ``summed``: of
    each output how many tokens its log-probability sums where it is not that of all ``lengths`` (None: of none).
    """

    position: int
    item: str
    twin: str | None
    question: str
    gold: str
    prompt_hash: str
    prompt: str
    outputs: tuple[str, ...]
    finishes: tuple[str, ...]
    answers: tuple[str | None, ...]
    answer: str | None
    status: Outcome
    correct: bool
    overlong: bool
    gold_logprob: float | None
    gold_prob: float | None
    prompt_tokens: int | None
    output_tokens: int | None
    flops: float | None
    cause: str | None = None
    logprobs: tuple[float | None, ...] = ()
    lengths: tuple[int | None, ...] = ()
    scores: tuple[float | None, ...] | None = None
    calls: tuple[CallRecord, ...] = ()
    detail: str | None = None
    rights: tuple[bool, ...] = ()
    thinking: tuple[int | None, ...] = ()
    golds: tuple[str, ...] = ()
    partial: float | None = None
    meta: str | None = None
    summed: tuple[int | None, ...] | None = None
