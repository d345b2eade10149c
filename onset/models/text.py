"""What every model does whose tokenizer is here, whoever runs it: prompts as tokens, what fits, where texts end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from onset.errors import ModelError
from onset.models.base import NOTHING, ModelFacts, Virtual
from onset.models.chat import ChatTemplate, is_instruct, template_of
from onset.models.requests import check_requests
from onset.records import Completion, EndRule, Pair, Request, Scored, Thinking
from onset.turns import is_mark

if TYPE_CHECKING:
    from onset.models.endings import Endings
    from onset.models.rows import Row, Sample, Span


class TextModel(ABC):
    """A model that is asked in tokens of a ``tokenizer`` (a fast one) and answers in tokens (`_generate`, `_score`).

    ``facts`` are what the study will store, ``ends`` the ids that end a text. The text of a prompt is given to the
    tokenizer as it is: special tokens that the tokenizer puts first by default (such as ``<bos>``) are put there,
    unless a chat template has put its own (``templated``). ``chat`` is the tokenizer's template, ``instruct`` whether
    the model was trained on it (`onset.models.chat`); ``origin``, the last part of where the model was loaded from, may
    say so. ``virtual``: before every text.
    """

    def __init__(
        self, tokenizer: Any, facts: ModelFacts, ends: frozenset[int], origin: str = "", virtual: Virtual = NOTHING
    ) -> None:
        self.tokenizer = tokenizer
        self.origin = origin
        self.virtual = virtual
        self._facts = facts
        self._eos = ends
        self._known_endings: dict[tuple[tuple[str, ...], EndRule | None, Thinking | None], Endings] = {}

    @property
    def facts(self) -> ModelFacts:
        """The model's facts."""
        return self._facts

    @property
    @abstractmethod
    def _vocabulary(self) -> int:
        """The width of the logits."""

    @abstractmethod
    def _generate(self, rows: Sequence[Row]) -> list[Sample]:
        """What the rows become, in order. Each fits the context."""

    @abstractmethod
    def _score(self, spans: Sequence[Span]) -> list[float]:
        """The log-probability (nats) of each continuation, in order; 0.0 for an empty one. Each fits the context."""

    @cached_property
    def chat(self) -> ChatTemplate | None:
        """The tokenizer's chat template, None when it has none."""
        return template_of(self.tokenizer, self._facts.name)

    @cached_property
    def instruct(self) -> bool:
        """Was the model trained on its chat template?"""
        return is_instruct(self.tokenizer, self._eos, self.chat, self.origin or self._facts.name)

    def generate(self, requests: Sequence[Request]) -> list[list[Completion]]:
        """Completions of each request, in order (see `onset.models.base.Model.generate`).

        An ``overlong`` completion has ``prompt_tokens`` of the prompt that was not run. Raises ModelError for a bad
        request.
        """
        results: list[list[Completion]] = []
        for request, (tokens, found) in zip(requests, self.drawn(requests), strict=True):
            counted = len(tokens) - self.virtual.given
            if found is not None:
                results.append([Completion(s.text, s.tokens, counted, s.logprob, s.finish, s.thinking) for s in found])
            else:
                results.append([Completion("", 0, counted, None, "overlong")] * request.n)
        return results

    def drawn(self, requests: Sequence[Request]) -> list[tuple[tuple[int, ...], list[Sample] | None]]:
        """`generate` in tokens: each request's prompt, and its samples with theirs (None: they do not fit)."""
        from onset.models.rows import Row

        check_requests(requests)
        prompts = self._prompts(requests)
        rows = [
            Row(
                tuple(tokens),
                request.max_tokens,
                request.stop,
                request.temperature,
                request.seed,
                sample,
                request.until,
                request.top_p,
                request.top_k,
                request.thinking,
            )
            for request, tokens in zip(requests, prompts, strict=True)
            for sample in range(request.n)
            if self._fits(len(tokens) + request.max_tokens)
        ]
        samples = iter(self._generate(rows))
        return [
            (
                tuple(tokens),
                [next(samples) for _ in range(request.n)] if self._fits(len(tokens) + request.max_tokens) else None,
            )
            for request, tokens in zip(requests, prompts, strict=True)
        ]

    def score(self, pairs: Sequence[Pair]) -> list[Scored]:
        """The log-probability (nats) of each continuation after its context, in order.

        The continuation owns the space: ``Pair("...Answer:", " yes")``, never ``Pair("...Answer: ",
        "yes")``, because most tokenizers join a space with the word after it. Context and continuation
        are tokenised as one string, and a token that straddles the boundary belongs to the
        continuation, so that the tokens scored are those the model would read in the whole text.
        ``logprob`` is None when the whole does not fit the context; 0.0 for an empty continuation.
        """
        from onset.models.rows import Span

        spans = [Span(*self._split(pair)) for pair in pairs]
        fitting = [span for span in spans if self._fits(len(span.before) + len(span.continuation))]
        values = iter(self._score(fitting))
        return [
            Scored(
                next(values) if self._fits(len(span.before) + len(span.continuation)) else None,
                len(span.continuation),
                len(span.before) - self.virtual.given,
            )
            for span in spans
        ]

    def _endings(
        self, stop: tuple[str, ...], until: EndRule | None = None, thinking: Thinking | None = None
    ) -> Endings:
        from onset.models.endings import Endings, Marks

        if (stop, until, thinking) not in self._known_endings:
            special = {token.content: place for place, token in self._added_tokens().items() if token.special}
            ending = {one for one in special if one in stop or (until is not None and is_mark(one, until.turns))}
            marks = None
            if thinking is not None:
                start, end = (
                    tuple(self.tokenizer.encode(one, add_special_tokens=False))
                    for one in (thinking.start, thinking.end)
                )
                marks = Marks(thinking, start, end, not set(special.values()).isdisjoint(start + end))
                ending = {one for one in ending if one not in thinking.start + thinking.end}
            self._known_endings[stop, until, thinking] = Endings(
                self.tokenizer.backend_tokenizer.decode,
                self._eos,
                stop,
                self._vocabulary,
                frozenset(special[one] for one in ending),
                until,
                marks,
            )
        return self._known_endings[stop, until, thinking]

    def _added_tokens(self) -> dict[int, Any]:
        """Tokens that are not of the tokenizer's model, such as ``<|im_end|>``."""
        found: dict[int, Any] = self.tokenizer.added_tokens_decoder
        return found

    def count_tokens(self, text: str, *, templated: bool = False) -> int:
        """Tokens of ``text`` as the start of a prompt, special tokens and what stands before every text included."""
        return len(self.virtual.ids) + len(self.encode([text], templated=templated)[0])

    def _prompts(self, requests: Sequence[Request]) -> list[list[int]]:
        """Token ids of each request's prompt, with what stands before every text."""
        found: dict[int, list[int]] = {}
        for templated in (False, True):
            places = [place for place, request in enumerate(requests) if request.templated is templated]
            texts = [requests[place].prompt for place in places]
            found |= dict(zip(places, self.encode(texts, templated=templated), strict=True))
        return [[*self.virtual.ids, *found[place]] for place in range(len(requests))]

    def encode(self, texts: Sequence[str], *, templated: bool = False) -> list[list[int]]:
        """Token ids of each text as the start of a prompt: never empty, and without an end-of-text token that the
        tokenizer would put last. ``templated``: exactly those of the text, which a chat template made.
        """
        if not texts:
            return []
        encoded = self.tokenizer(
            list(texts),
            add_special_tokens=not templated,
            return_special_tokens_mask=True,
            return_attention_mask=False,
            verbose=False,
        )
        if templated:
            return [list(ids) for ids in encoded["input_ids"]]
        return [
            self._open_ended(ids, added)[0]
            for ids, added in zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True)
        ]

    def _open_ended(self, ids: list[int], added: list[int]) -> tuple[list[int], int]:
        """The ids of a text that will be continued, and how many were put before the tokenizer's own."""
        end = len(ids)
        while end and added[end - 1] and ids[end - 1] in self._eos:
            end -= 1
        if end:
            return ids[:end], 0
        return [self._start_token()], 1

    def _start_token(self) -> int:
        """What stands before a text when the tokenizer puts nothing there."""
        for token in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        raise ModelError(f"model '{self._facts.name}': empty text, and its tokenizer has no start token")

    def _split(self, pair: Pair) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Tokens before the continuation (at least one) and of the continuation."""
        encoded = self.tokenizer(
            pair.context + pair.continuation,
            add_special_tokens=not pair.templated,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            verbose=False,
        )
        ids, put_before = (
            (encoded["input_ids"], 0)
            if pair.templated
            else self._open_ended(encoded["input_ids"], encoded["special_tokens_mask"])
        )
        ends = [0] * put_before + [end for _, end in encoded["offset_mapping"]]
        start = next((i for i, end in enumerate(ends[: len(ids)]) if end > len(pair.context)), len(ids))
        if start == 0:  # nothing comes before the first token: the start token does
            return (*self.virtual.ids, self._start_token()), tuple(ids)
        return (*self.virtual.ids, *ids[:start]), tuple(ids[start:])

    def _fits(self, tokens: int) -> bool:
        return tokens <= self._facts.known("context")
