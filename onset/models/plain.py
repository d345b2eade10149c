"""Generation and scoring the plain way: left-padded batches over transformers' own cache.

For models that the engine (`onset.models.engine`) does not take. Nothing a row does depends on its neighbours: padding
is masked, a draw is keyed on (seed, sample, step), and a finished row leaves the batch. What does depend on the batch
is the rounding of the last bits, so the batches themselves are a pure function of the requests and the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch

from onset.models.choosing import LOGIT_CELLS, Kept, choose, logprobs_of
from onset.models.endings import EndingsOf, Text
from onset.models.engine.head import precise_head
from onset.models.rows import Row, Sample, Span
from onset.models.stepper import Stepper


def generate(module: Any, rows: Sequence[Row], endings: EndingsOf, vocabulary: int, budget: int) -> list[Sample]:
    """Run all rows, in batches of at most ``budget`` tokens (rows times padded length, output included); results in the
    order of ``rows``. ``endings``: when texts end, by their stop strings and end rule; ``vocabulary``: the width of the
    logits. Raises ModelError when the model computes no numbers.
    """

    def fits(count: int, head: int, tail: int) -> bool:
        return count * (head + tail) <= budget and count * vocabulary <= LOGIT_CELLS

    results: list[Sample | None] = [None] * len(rows)
    # Longest first: a batch that does not fit the memory fails at once, not after an hour. Samples of
    # one prompt are adjacent, so that they share its prefill.
    order = sorted(range(len(rows)), key=lambda place: (-len(rows[place].prompt), rows[place].prompt, place))
    sizes = [(len(row.prompt), row.max_tokens) for row in rows]
    for batch in pack(order, sizes, fits):
        with _precise(module, every=False):
            samples = _run(module, [rows[i] for i in batch], endings)
        for place, sample in zip(batch, samples, strict=True):
            results[place] = sample
    return [sample for sample in results if sample is not None]


def score(module: Any, spans: Sequence[Span], vocabulary: int, budget: int) -> list[float]:
    """Log-probability (nats) of each continuation; 0.0, the probability one, for an empty one. A context is run once in
    a batch. ``budget`` and ``vocabulary`` as in `generate`.
    """

    def fits(count: int, head: int, tail: int) -> bool:
        return count * (head + tail) <= budget and count * tail * vocabulary <= LOGIT_CELLS

    results = [0.0] * len(spans)
    order = sorted(
        (place for place, span in enumerate(spans) if span.continuation),
        key=lambda place: (-len(spans[place].before), spans[place].before, place),
    )
    sizes = [(len(span.before), len(span.continuation)) for span in spans]
    for batch in pack(order, sizes, fits):
        with _precise(module, every=True):
            values = _score(module, [spans[i] for i in batch])
        for place, value in zip(batch, values, strict=True):
            results[place] = value
    return results


def _precise(module: Any, *, every: bool) -> AbstractContextManager[None]:
    """Logits of half precision as the engine has them."""
    return precise_head(module, module.get_input_embeddings().weight.device, every=every)


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


def _run(module: Any, rows: Sequence[Row], endings: EndingsOf) -> list[Sample]:
    """One batch through the loop: prefill each different prompt once, then a token a step."""
    texts = [Text(row, endings(row.stop, row.until, row.thinking)) for row in rows]
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    stepper = Stepper(module)
    logits = stepper.prefill(prompts)
    spread = [prompts.index(row.prompt) for row in rows]
    stepper.select(spread)
    logits = logits[spread]
    live = texts
    while live:
        temperatures = np.array([text.row.temperature for text in live])
        uniforms = np.array([text.uniforms[len(text.tokens)] for text in live])
        kept = Kept.of([text.row for text in live])
        tokens, logprobs = choose(logits, temperatures, uniforms, kept)
        for text, token, logprob in zip(live, tokens.tolist(), logprobs.tolist(), strict=True):
            text.push(token, logprob)
        going = [slot for slot, text in enumerate(live) if text.finish is None]
        live = [live[slot] for slot in going]
        if live:
            # The cache is copied when it grows anyway, so dropping a finished row at once costs little.
            stepper.select(going)
            logits = stepper.step([[text.tokens[-1]] for text in live])[:, -1]
    return [text.sample() for text in texts]


def _score(module: Any, spans: Sequence[Span]) -> list[float]:
    """Contexts once, then all continuations but their last token over the expanded cache."""
    contexts = list(dict.fromkeys(span.before for span in spans))
    spread = [contexts.index(span.before) for span in spans]
    stepper = Stepper(module)
    first = stepper.prefill(contexts)
    begins = torch.tensor([span.continuation[0] for span in spans], device=first.device)
    values: list[float] = logprobs_of(first, torch.tensor(spread, device=first.device), begins).double().tolist()
    longer = [place for place, span in enumerate(spans) if len(span.continuation) > 1]
    if longer:
        stepper.select([spread[place] for place in longer])
        logits = stepper.step([spans[place].continuation[:-1] for place in longer])
        for row, place in enumerate(longer):
            rest = torch.tensor(spans[place].continuation[1:], device=logits.device)
            found = logprobs_of(logits[row], torch.arange(len(rest), device=logits.device), rest)
            values[place] += float(found.double().sum())
    return values
