"""The one training loop every tuning method shares.

What is trained is the caller's choice; how is the same for all: completion-only loss averaged over the
completion tokens of a batch, AdamW with linear warm-up and linear decay, clipped gradients
(`onset.tuning.optimise`), length-bucketed batches. Only torch is used, no trainer class, so that a comparison of
methods does not inherit one's defaults (the idea of peft's ``method_comparison``).
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from onset.errors import ModelError, TooLong
from onset.models.engine.linear import trained_linears
from onset.records import content_hash
from onset.tuning.base import Example, Progress, Schedule, Seeds
from onset.tuning.checkpoint import Checkpoint
from onset.tuning.optimise import Micro, Taken, Trace, optimise
from onset.tuning.target import Target

MICRO_TOKENS = {"cpu": 1024, "cuda": 4096}
"""Most padded tokens in one forward pass, by device: it bounds memory. It changes no result but the order of a sum (and
which draws of dropout meet which row)."""

PASS_TOKENS = {"cpu": 64, "cuda": 512}
"""A pass costs as much as so many tokens beside its own: 49 (SmolLM2 135M) to 160 (ladder/r3) on a CPU. Rows of unlike
length are padded to each other where that is less."""

_FUSED_FROM = 192
"""Tokens of a row from which on torch's fused attention is the faster one to train through, in bfloat16 on a CPU."""

WINDOW = 8
"""Batches whose examples are sorted by length together."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example in tokens: ``ids`` with end-of-text last; ``start``, the index of the first completion token;
    ``given``: how many of the first are no tokens that the method runs (`onset.models.base.Virtual.given`);
    ``target``: the distributions at the completion tokens that the model is tuned towards (None: the tokens are).
    """

    ids: tuple[int, ...]
    start: int
    given: int = 0
    target: Target | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it, a target by its hash."""
        own = {"ids": self.ids, "start": self.start, "given": self.given}
        return own if self.target is None else {**own, "target": self.target.hash}


def encode(tokenizer: Any, examples: Sequence[Example], limit: int) -> list[Encoded]:
    """Tokenise prompt and completion as one string; a token that straddles the boundary belongs to the
    completion; the end-of-text token is appended as a token, not as text.

    Raises ModelError when there are no examples, when the tokenizer gives no character offsets or has no
    end-of-text token; TooLong when an example has more than ``limit`` tokens (the message counts them).
    """
    if not examples:
        raise ModelError("tuning needs at least 1 labelled example, received 0")
    if not getattr(tokenizer, "is_fast", False) or tokenizer.eos_token_id is None:
        raise ModelError(
            f"cannot tune with tokenizer {type(tokenizer).__name__}: it needs character offsets (a fast tokenizer) "
            "and an end-of-text token"
        )
    empty = sum(not example.completion and example.target is None for example in examples)
    if empty:
        raise ModelError(f"{empty} of {len(examples)} training examples have an empty completion")
    encoded = [encode_one(tokenizer, example) for example in examples]
    long = [len(one.ids) for one in encoded if len(one.ids) > limit]
    if long:
        raise TooLong(
            f"{len(long)} of {len(encoded)} training examples are longer than {limit} tokens (longest {max(long)}): "
            "raise the schedule's max_length or use a model with a longer context"
        )
    return encoded


def encode_one(tokenizer: Any, example: Example) -> Encoded:
    """`encode` of one, which may have an empty completion and any length."""
    coded = tokenizer(
        example.prompt + example.completion,
        add_special_tokens=not example.templated,
        return_offsets_mapping=True,
        verbose=False,
    )
    ids, offsets = list(coded["input_ids"]), coded["offset_mapping"]
    end = tokenizer.eos_token_id if example.end is None else tokenizer.convert_tokens_to_ids(example.end)
    if not ids or ids[-1] != end:  # some tokenizers add it themselves
        ids.append(end)
    boundary = len(example.prompt)
    # Special tokens in front have the offsets (0, 0), so they count as prompt.
    start = next((at for at, (_, end) in enumerate(offsets) if end > boundary), len(ids) - 1)
    # The very first token of a sequence is predicted from nothing: it cannot be trained.
    row = Encoded(tuple(ids), max(1, start), target=example.target)
    if row.target is not None and row.target.ids != row.ids[row.start :]:
        raise ModelError(f"a text to distil has other tokens after another prompt: {example.completion[:60]!r}")
    return row


def batches(lengths: Sequence[int], schedule: Schedule, seed: int) -> Iterator[list[int]]:
    """``schedule.steps`` batches of example indices.

    Every epoch visits every example once: shuffled, sorted by length within windows of `WINDOW`
    batches (so that a batch holds little padding), cut into batches of nearly equal size, and the
    batches shuffled again.
    """
    generator = torch.Generator().manual_seed(seed)
    steps = 0
    while True:
        order = torch.randperm(len(lengths), generator=generator).tolist()
        epoch = _cut(order, lengths, schedule.batch_size)
        for at in torch.randperm(len(epoch), generator=generator).tolist():
            yield epoch[at]
            steps += 1
            if steps == schedule.steps:
                return


def _cut(order: Sequence[int], lengths: Sequence[int], size: int) -> list[list[int]]:
    """Batches of at most ``size``; sizes within a window differ by at most one, so that no last small
    batch gives its examples a larger weight than the others.
    """
    out: list[list[int]] = []
    for low in range(0, len(order), size * WINDOW):
        window = sorted(order[low : low + size * WINDOW], key=lambda at: lengths[at])
        count = math.ceil(len(window) / size)
        edges = [round(part * len(window) / count) for part in range(count + 1)]
        out += [window[a:b] for a, b in itertools.pairwise(edges)]
    return out


def run_and_learnt(rows: Sequence[Encoded], schedule: Schedule, seed: int) -> tuple[int, int]:
    """Tokens that `train` runs on ``rows``, and how many of them are in the loss; ``seed``: of the order."""
    plan = [rows[at] for batch in batches([len(row.ids) for row in rows], schedule, seed) for at in batch]
    return sum(len(row.ids) - row.given for row in plan), sum(len(row.ids) - row.start for row in plan)


def completion_loss(module: torch.nn.Module, rows: Sequence[Encoded], pad: int) -> torch.Tensor:
    """The summed loss (nats, float32 scalar) over the completion tokens of ``rows`` in one forward pass: of each token
    the negative log-probability, or, where the rows have targets (all of them), the Kullback-Leibler divergence of the
    module's distribution from the target's.
    """
    logits, tokens = completion_logits(module, rows, pad)
    aims = [row.target.logprobs() for row in rows if row.target is not None]
    if aims:
        own = torch.nn.functional.log_softmax(logits, dim=-1)
        return torch.nn.functional.kl_div(own, torch.cat(aims), reduction="sum", log_target=True)
    return torch.nn.functional.cross_entropy(logits, tokens, reduction="sum")


def completion_logits(module: torch.nn.Module, rows: Sequence[Encoded], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (tokens x vocabulary, float32) before each completion token of ``rows``, row after row, and these tokens.

    Rows are padded on the right, where a causal model cannot see the padding: positions, sliding windows
    and recurrent states are those of the row alone, and no mask is needed. What the rows are given before their
    tokens (`Encoded.given`, the same for all) is run once for all.
    """
    given = rows[0].given
    width = max(map(length, rows))
    device = next(module.parameters()).device
    ids = torch.full((len(rows), width), pad)
    wanted = torch.zeros((len(rows), width), dtype=torch.bool)
    for at, row in enumerate(rows):
        ids[at, : length(row)] = torch.tensor(row.ids[given:])
        wanted[at, row.start - given : length(row)] = True
    targets = ids[wanted].to(device)
    before = wanted.roll(-1, dims=1).to(device)  # position t predicts token t + 1; start >= 1, so nothing wraps
    known = remembered(module, rows[0].ids[:given], len(rows)) if given else {"use_cache": False}
    with _head_only_on(module, before), attention(module, width):
        logits = module(input_ids=ids.to(device), **known).logits
    logits = logits if logits.ndim == 2 else logits[before]
    return logits.float(), targets


@contextlib.contextmanager
def attention(module: Any, width: int) -> Iterator[None]:
    """Inside, attention of bfloat16 over ``width`` tokens and fewer than `_FUSED_FROM` is made of plain products on a
    CPU, for whose gradients torch's fused kernel takes four times as long (`benchmarks/tuning.py`).
    """
    weight = module.get_input_embeddings().weight
    kind = weight.device.type
    half = weight.dtype == torch.bfloat16 or torch.is_autocast_enabled(kind)
    if kind != "cpu" or not half or width >= _FUSED_FROM or not torch.is_grad_enabled():
        yield
        return
    with sdpa_kernel(SDPBackend.MATH):
        yield


def length(row: Encoded) -> int:
    """The tokens of a row that are run for it alone."""
    return len(row.ids) - row.given


def remembered(module: Any, ids: Sequence[int], count: int) -> dict[str, Any]:
    """Keys and values of ``ids`` for ``count`` rows, with their gradients, as arguments of a forward pass."""
    device = next(module.parameters()).device
    cache = module.base_model(input_ids=torch.tensor([ids], device=device), use_cache=True).past_key_values
    cache.batch_repeat_interleave(count)
    return {"past_key_values": cache, "use_cache": True}


@contextlib.contextmanager
def _head_only_on(module: Any, chosen: torch.Tensor) -> Iterator[None]:
    """Inside, the output head is applied to the ``chosen`` positions (batch x width, bool) only, so that
    logits are chosen x vocabulary: with a large vocabulary the head on prompts is most of the cost.

    A model without a separate head computes all logits.
    """
    head = module.get_output_embeddings()
    if head is None:
        yield
        return
    hook = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][chosen],))
    try:
        yield
    finally:
        hook.remove()


def train(
    module: torch.nn.Module,
    rows: Sequence[Encoded],
    seeds: Seeds,
    schedule: Schedule,
    *,
    pad: int,
    autocast: bool = False,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trace:
    """Train, in place, the parameters of ``module`` that require a gradient, on the completions of ``rows``.

    ``schedule`` names the peak of the learning rate (`Schedule.at`); ``pad``: any valid token id; ``autocast``
    runs matrix products in bfloat16, whose range needs no loss scaling, for float32 copies of a model
    that is not float32; ``checkpoint``: what a run that was killed goes on from. Raises as
    `onset.tuning.optimise.optimise` does.
    """
    trained = [weight for weight in module.parameters() if weight.requires_grad]
    kind = trained[0].device.type
    micro = Micro(MICRO_TOKENS.get(kind, 1024), PASS_TOKENS.get(kind, 64))
    plan = list(batches([len(row.ids) for row in rows], schedule, seeds.order))

    def gradients(step: int) -> Taken:
        batch = [rows[at] for at in plan[step - 1]]
        count = sum(len(row.ids) - row.start for row in batch)

        def loss(group: Sequence[Encoded]) -> torch.Tensor:
            with trained_linears(trained[0].device), torch.autocast(kind, dtype=torch.bfloat16, enabled=autocast):
                return completion_loss(module, group, pad) / count

        mean = micro.backward(batch, loss, trained, length)
        return Taken(mean, sum(map(length, batch)))

    if checkpoint is not None:
        hashed = content_hash([row.to_json() for row in rows])
        checkpoint.identity |= {"examples": hashed, "padding": pad, "autocast": autocast, "passes": micro.tokens}
    return optimise(
        module,
        gradients,
        seeds,
        schedule,
        micro=micro,
        progress=progress,
        checkpoint=checkpoint,
    )
