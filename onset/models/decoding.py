"""Generation: batches, the loop, the choice of the next token, stop strings.

Nothing a row does depends on its neighbours: padding is masked, a draw is keyed on (seed, sample,
step), and a finished row leaves the batch. What does depend on the batch is the rounding of the last
bits, so the batches themselves are a pure function of the requests and the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from onset.errors import ModelError
from onset.models.prefix import SharedPrefix, shared_prefix
from onset.models.stepper import Stepper, forward_arguments, pick_logprobs, vocabulary_size
from onset.records import Finish

LOGIT_CELLS = 1 << 26
"""Most logits (positions times vocabulary) a batch computes at once: 256 MB in float32."""

CHOICE_CELLS = 1 << 24
"""Most logits looked at at once when choosing tokens: bounds the float32 and float64 copies to a few
hundred megabytes whatever the vocabulary."""

UNFINISHED = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of one request, with its prompt as tokens (not empty)."""

    prompt: tuple[int, ...]
    max_tokens: int
    stop: tuple[str, ...]
    temperature: float
    seed: int
    sample: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What a row became: text without the stop string, tokens generated, their log-probability (nats)."""

    text: str
    tokens: int
    logprob: float
    finish: Finish


def generate(module: Any, tokenizer: Any, rows: Sequence[Row], eos: frozenset[int], budget: int) -> list[Sample]:
    """Run all rows, in batches of at most ``budget`` tokens; results in the order of ``rows``.

    What all prompts share counts once in a batch. ``eos`` are the token ids that end a text. Raises ModelError when
    the model computes no numbers.
    """
    vocabulary = vocabulary_size(module)
    prefix = shared_prefix(module, [row.prompt for row in rows], forward_arguments(module))
    shared = 0 if prefix is None else len(prefix.tokens)

    def fits(count: int, head: int, tail: int) -> bool:
        return shared + count * (head - shared + tail) <= budget and count * vocabulary <= LOGIT_CELLS

    results: list[Sample | None] = [None] * len(rows)
    # Longest first: a batch that does not fit the memory fails at once, not after an hour. Samples of
    # one prompt are adjacent, so that they share its prefill.
    order = sorted(range(len(rows)), key=lambda place: (-len(rows[place].prompt), rows[place].prompt, place))
    sizes = [(len(row.prompt), row.max_tokens) for row in rows]
    for batch in pack(order, sizes, fits):
        for place, sample in zip(batch, _run(module, tokenizer, [rows[i] for i in batch], eos, prefix), strict=True):
            results[place] = sample
    return [sample for sample in results if sample is not None]


def pack(
    order: Sequence[int], sizes: Sequence[tuple[int, int]], fits: Callable[[int, int, int], bool]
) -> Iterator[list[int]]:
    """Cut ``order`` into runs for which ``fits(count, longest head, longest tail)`` holds; a run has at
    least one member, even one that does not fit alone. ``sizes`` gives head and tail of each place.
    """
    batch: list[int] = []
    head = tail = 0
    for place in order:
        wider, longer = max(head, sizes[place][0]), max(tail, sizes[place][1])
        if batch and not fits(len(batch) + 1, wider, longer):
            yield batch
            batch, (wider, longer) = [], sizes[place]
        batch.append(place)
        head, tail = wider, longer
    if batch:
        yield batch


def _run(
    module: Any, tokenizer: Any, rows: Sequence[Row], eos: frozenset[int], prefix: SharedPrefix | None
) -> list[Sample]:
    """One batch through the loop: prefill each different prompt once, then a token a step."""
    decode = tokenizer.backend_tokenizer.decode
    texts = [GrowingText(decode, row, eos) for row in rows]
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    stepper = Stepper(module, prefix)
    logits = stepper.prefill(prompts)
    spread = [prompts.index(row.prompt) for row in rows]
    stepper.select(spread)
    logits = logits[spread]
    live = texts
    while live:
        tokens, logprobs = choose(logits, [text.draw() for text in live])
        for text, token, logprob in zip(live, tokens, logprobs, strict=True):
            text.push(token, logprob)
        kept = [slot for slot, text in enumerate(live) if text.finish is None]
        live = [live[slot] for slot in kept]
        if live:
            # The cache is copied when it grows anyway, so dropping a finished row at once costs little.
            stepper.select(kept)
            logits = stepper.step([[tokens[slot]] for slot in kept])[:, -1]
    return [text.sample() for text in texts]


def choose(logits: Tensor, draws: Sequence[tuple[float, float]]) -> tuple[list[int], list[float]]:
    """The next token of each row and its log-probability at temperature 1.

    ``logits``: [rows, vocabulary]; ``draws``: (temperature, uniform in [0, 1)) of each row. Temperature
    0 takes the largest logit; otherwise the token is the inverse of the cumulative distribution of
    softmax(logits / temperature) at the uniform. Raises ModelError when logits are not numbers.
    """
    tokens: list[int] = []
    logprobs: list[float] = []
    size = max(1, CHOICE_CELLS // logits.shape[-1])
    for start in range(0, len(draws), size):
        part, wanted = logits[start : start + size].float(), draws[start : start + size]
        picked = part.argmax(-1)
        sampled = [slot for slot, (temperature, _) in enumerate(wanted) if temperature > 0]
        if sampled:
            picked[sampled] = _invert(part[sampled], [wanted[slot] for slot in sampled])
        chosen: list[int] = picked.tolist()
        tokens += chosen
        logprobs += pick_logprobs(part, chosen).tolist()
    if not np.isfinite(logprobs).all():
        raise ModelError("the model's logits are not finite numbers: try dtype float32")
    return tokens, logprobs


def _invert(logits: Tensor, draws: Sequence[tuple[float, float]]) -> Tensor:
    """Inverse-transform sampling. The sums are float64: in float32 a vocabulary of 262,144 loses the
    tail of the distribution to rounding.
    """
    table = torch.tensor(draws, dtype=torch.float64, device=logits.device)
    temperature, uniform = table[:, :1], table[:, 1:]
    # Divided in float64: a temperature near 0 would overflow float32 (and then mean "the largest").
    shifted = (logits - logits.amax(-1, keepdim=True)).double() / temperature
    total = shifted.exp().cumsum(-1)
    at = torch.searchsorted(total, uniform * total[:, -1:], right=True)
    # Where rounding puts the uniform at the very end, the last token with any probability.
    last = torch.searchsorted(total, total[:, -1:].contiguous())
    return torch.minimum(at, last).squeeze(-1)


class GrowingText:
    """One row while it grows: its tokens, its text as far as whole characters go, and why it ended."""

    def __init__(self, decode: Callable[..., str], row: Row, eos: frozenset[int]) -> None:
        self.finish: Finish | None = None
        self._decode = decode
        self._row = row
        self._eos = eos
        self._tokens: list[int] = []
        self._logprob = 0.0
        self._cut: str | None = None
        # Tokens are decoded after a few before them: alone, some tokenizers drop a leading space.
        self._window = list(row.prompt[-4:])
        self._known = self._text(self._window)
        self._tail = ""
        # Philox (Salmon et al. 2011) is keyed: (seed, sample) names a stream and the step a place in it.
        # Made only for rows that sample.
        self._uniforms: list[float] = []
        if row.temperature > 0:
            key = np.array([row.seed % 2**64, row.sample], dtype=np.uint64)
            self._uniforms = np.random.Generator(np.random.Philox(key=key)).random(row.max_tokens).tolist()

    def draw(self) -> tuple[float, float]:
        """(temperature, uniform) of the coming step; the uniform of a greedy row is not used."""
        return self._row.temperature, self._uniforms[len(self._tokens)] if self._uniforms else 0.0

    def push(self, token: int, logprob: float) -> None:
        """Append a token; sets ``finish`` when the text ends with it."""
        self._tokens.append(token)
        self._logprob += logprob
        if token in self._eos:
            self.finish = "eos"
        elif self._stopped(token):
            self.finish = "stop"
        elif len(self._tokens) == self._row.max_tokens:
            self.finish = "length"

    def sample(self) -> Sample:
        """The finished row."""
        assert self.finish is not None
        text = self._whole_text() if self._cut is None else self._cut
        return Sample(text, len(self._tokens), self._logprob, self.finish)

    def _stopped(self, token: int) -> bool:
        """Whether a stop string is complete; looks only at the text that is new, plus what could be a
        stop string's beginning, and waits while the last character lacks bytes.
        """
        if not self._row.stop:
            return False
        self._window.append(token)
        text = self._text(self._window)
        if text.endswith(UNFINISHED) or len(text) <= len(self._known):
            return False
        self._tail += text[len(self._known) :]
        self._window = self._window[-4:]
        self._known = self._text(self._window)
        found = any(stop in self._tail for stop in self._row.stop)
        self._tail = self._tail[-max(map(len, self._row.stop)) :]
        if found:
            whole = self._whole_text()
            places = [place for stop in self._row.stop if (place := whole.find(stop)) >= 0]
            self._cut = whole[: min(places)] if places else None
        return self._cut is not None

    def _whole_text(self) -> str:
        """What the generated tokens add to the text of the prompt, without the end-of-text token."""
        tokens = self._tokens[:-1] if self.finish == "eos" else self._tokens
        before = self._text(self._row.prompt)
        whole = self._text([*self._row.prompt, *tokens])
        return whole[len(before) :] if whole.startswith(before) else self._text(tokens)

    def _text(self, tokens: Sequence[int]) -> str:
        return self._decode(list(tokens), skip_special_tokens=True)
