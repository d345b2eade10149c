"""The log-probability of continuations, with the prefill of a shared context run once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onset.models.decoding import LOGIT_CELLS, pack
from onset.models.prefix import SharedPrefix, shared_prefix
from onset.models.stepper import Stepper, forward_arguments, pick_logprobs, vocabulary_size


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens of a text up to the continuation (not empty) and tokens of the continuation."""

    before: tuple[int, ...]
    continuation: tuple[int, ...]


def score(module: Any, spans: Sequence[Span], budget: int) -> list[float]:
    """Log-probability (nats) of each continuation; 0.0, the probability one, for an empty one.

    ``budget``: most tokens in a batch (rows times padded length, what all contexts share counted once).
    """
    results = [0.0] * len(spans)
    order = sorted(
        (place for place, span in enumerate(spans) if span.continuation),
        key=lambda place: (-len(spans[place].before), spans[place].before, place),
    )
    sizes = [(len(span.before), len(span.continuation)) for span in spans]
    vocabulary = vocabulary_size(module)
    prefix = shared_prefix(module, [spans[place].before for place in order], forward_arguments(module))
    shared = 0 if prefix is None else len(prefix.tokens)

    def fits(count: int, head: int, tail: int) -> bool:
        return shared + count * (head - shared + tail) <= budget and count * tail * vocabulary <= LOGIT_CELLS

    for batch in pack(order, sizes, fits):
        for place, value in zip(batch, _score_batch(module, [spans[i] for i in batch], prefix), strict=True):
            results[place] = value
    return results


def _score_batch(module: Any, spans: Sequence[Span], prefix: SharedPrefix | None) -> list[float]:
    """Contexts once, then all continuations but their last token over the expanded cache."""
    contexts = list(dict.fromkeys(span.before for span in spans))
    spread = [contexts.index(span.before) for span in spans]
    stepper = Stepper(module, prefix)
    first = stepper.prefill(contexts)[spread]
    values: list[float] = pick_logprobs(first, [span.continuation[0] for span in spans]).double().tolist()
    longer = [place for place, span in enumerate(spans) if len(span.continuation) > 1]
    if longer:
        stepper.select([spread[place] for place in longer])
        logits = stepper.step([spans[place].continuation[:-1] for place in longer])
        for row, place in enumerate(longer):
            rest = spans[place].continuation[1:]
            # One row at a time: a float32 copy of all rows' logits would double the memory.
            values[place] += float(pick_logprobs(logits[row, : len(rest)], rest).double().sum())
    return values
