"""A verifier: a copy of a tuned generator that also says, after every token of a solution, how right it is.

Source: Cobbe et al. 2021, arXiv 2110.14168, section 4.2 and appendix E. Solutions of the training problems are sampled
from the generator and labelled by whether their final answer is right. The verifier begins as the generator and has a
scalar head: a bias and a gain on the logit of one reserved token. At every token of a solution the head is trained
towards 1 where the solution is right and 0 where it is wrong (mean squared error); beside as many worked examples go
through it whose words it learns on (the joint objective), both losses masked to the solution and added unweighted:

    loss = mean over solution tokens of (gain * logit + bias - right)^2  +  mean over worked tokens of -log p(token)

An epoch is one pass over the solutions. A solution's score is the head's value after its last token. The end of text is
none of them: what a model computes there is about the next text, if about any.

Deviations. The reserved token is none of the vocabulary: its row of the output matrix is a vector of the verifier's
own, drawn at random (standard deviation 0.02) and trained with the rest, so that a frozen or tied output matrix stays
as it is and the token has no part in the softmax of the words. What the generator trained is what the verifier trains
(adapters beside the shared base, or all weights), by the schedule of all tuning, in batches that are not of one length:
longer solutions are wrong more often, and a batch of one label teaches the label of the batch. Dropout is that of the
method, 0 by default; the paper has a residual dropout of 0.2 in some of its runs. There is no calculator: samples are
the model's own from end to end. The paper draws 100 solutions of each of 7,473 problems.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from onset.errors import ModelError
from onset.models.engine.linear import trained_linears
from onset.prompting.ask import Rated
from onset.records import content_hash
from onset.tuning import weights
from onset.tuning.base import Example, Progress, Schedule, Seeds, TuningReport
from onset.tuning.loop import (
    MICRO_TOKENS,
    PASS_TOKENS,
    Encoded,
    attention,
    batches,
    encode,
    encode_one,
    length,
    remembered,
)
from onset.tuning.optimise import Micro, Taken, Trace, optimise, seeded

if TYPE_CHECKING:
    from onset.models.base import Virtual
    from onset.models.chat import ChatTemplate
    from onset.models.hf import HFModel
    from onset.tuning.base import Tuning
    from onset.tuning.beside import Put
    from onset.tuning.checkpoint import Checkpoint

HEAD = "verifier.safetensors"
DEVIATION = 0.02
READ_TOKENS = 8 * MICRO_TOKENS["cpu"]
"""Most padded tokens of a pass that scores: no gradients are held."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A sampled solution, and whether its final answer is right."""

    example: Example
    right: bool


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a verifier learns from: ``solutions``, ``epochs`` passes over them, and beside them ``worked`` examples, as
    many a step (none: its own loss alone).
    """

    solutions: Sequence[Solution]
    worked: Sequence[Example] = ()
    epochs: int = 1


@dataclass(frozen=True, slots=True)
class VerifierReport(TuningReport):
    """What making a verifier consumed: a `TuningReport` (``prepared_tokens``: of sampling the solutions). ``solutions``
    sampled and how many of them are ``right``; ``left_out``: those that do not fit the context; the mean
    squared error (0..1 and more) of the first and of the last tenth of the steps.
    """

    solutions: int = 0
    right: int = 0
    left_out: int = 0
    first_error: float = math.nan
    last_error: float = math.nan


class Judge(nn.Module):
    """``inner`` with the scalar head: the row of the ``reserved`` token, [hidden], ``gain`` and ``bias``, [1]; all
    float32.
    """

    def __init__(self, inner: Any, seed: int) -> None:
        super().__init__()
        head = inner.get_output_embeddings()
        if head is None:
            raise ModelError("a verifier needs a model with an output matrix of its own: this one has none to read")
        device = head.weight.device
        self.inner = inner
        with seeded(seed, device):
            self.reserved = nn.Parameter(torch.randn(head.weight.shape[1], device=device) * DEVIATION)
        self.gain = nn.Parameter(torch.ones(1, device=device))
        self.bias = nn.Parameter(torch.zeros(1, device=device))

    @property
    def head(self) -> dict[str, nn.Parameter]:
        """What is the verifier's beside the weights of its model, by name."""
        return {"reserved": self.reserved, "gain": self.gain, "bias": self.bias}

    def scores(self, hidden: Tensor) -> Tensor:
        """The head's values [tokens] of what the output matrix would read, ``hidden`` [tokens, hidden]."""
        return self.gain * (hidden.float() @ self.reserved) + self.bias

    def run(self, judged: Sequence[Encoded], worked: Sequence[Encoded], pad: int) -> tuple[Tensor, Tensor, Tensor]:
        """One forward pass of both kinds of rows: the head's values after every solution token of ``judged``, row after
        row; of ``worked`` the logits (tokens x vocabulary, float32) before each solution token, and these tokens.
        """
        rows = [*judged, *worked]
        given, width = rows[0].given, max(map(length, rows))
        device = self.reserved.device
        ids = torch.full((len(rows), width), pad)
        own = torch.zeros((len(rows), width), dtype=torch.bool)
        for at, row in enumerate(rows):
            ids[at, : length(row)] = torch.tensor(row.ids[given:])
            own[at, row.start - given : length(row)] = True
        after, learnt = own.clone(), own.clone()
        after[len(judged) :], learnt[: len(judged)] = False, False
        before = learnt.roll(-1, dims=1).to(device)  # position t predicts token t + 1; start >= 1, so nothing wraps
        known = remembered(self.inner, rows[0].ids[:given], len(rows)) if given else {"use_cache": False}
        seen: list[Tensor] = []

        def look(_: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            seen.append(inputs[0][after.to(device)])
            return (inputs[0][before],)

        hook = self.inner.get_output_embeddings().register_forward_pre_hook(look)
        try:
            with attention(self.inner, width):
                logits: Tensor = self.inner(input_ids=ids.to(device), **known).logits
        finally:
            hook.remove()
        return self.scores(seen[0]), logits.float(), ids[learnt].to(device)


class Verifier:
    """A trained verifier: ``model``, whose words it also knows, and the ``judge`` around its module."""

    def __init__(self, model: HFModel, judge: Judge) -> None:
        self.model = model
        self.judge = judge.eval().requires_grad_(False)
        self.revision = weights.digest(str(model.facts.revision), judge.head)
        self._shares: bool | None = None

    @property
    def name(self) -> str:
        """As its calls are named."""
        return f"verifier of {self.model.facts.name}"

    def flops(self, tokens: int) -> float:
        """2 a token and parameter."""
        return 2.0 * self.model.facts.known("params_compute") * tokens

    def rate(self, prompt: str, texts: Sequence[str], chat: ChatTemplate | None = None) -> Rated:
        """The score after the last token of each of ``texts``, each the whole answer to ``prompt`` (made by ``chat``;
        None: plain text), rounded to six places: about 1 for right, about 0 for wrong, and any number. None for one
        that does not fit the context.

        What their tokens begin with in common is run once, where the engine would share it too.
        """
        end = None if chat is None else chat.end
        examples = [Example(prompt, text, templated=chat is not None, end=end) for text in texts]
        virtual, context = self.model.virtual, self.model.facts.known("context")
        coded = [placed(spoken(encode_one(self.model.tokenizer, one)), virtual) for one in examples]
        rows = {at: row for at, row in enumerate(coded) if len(row.ids) <= context}
        shared = self._in_common(list(rows.values()))
        cut = [(at, replace(row, given=shared)) for at, row in rows.items()]
        found: dict[int, float] = {}
        with torch.no_grad():
            for group in Micro(READ_TOKENS).groups(cut, lambda one: length(one[1])):
                values, _, _ = self.judge.run([row for _, row in group], (), self._pad)
                last = torch.tensor([len(row.ids) - row.start for _, row in group]).cumsum(0) - 1
                found |= dict(zip([at for at, _ in group], values[last.to(values.device)].tolist(), strict=True))
        scores = tuple(round(found[at], 6) if at in found else None for at in range(len(texts)))
        read = shared - virtual.given if rows else 0
        return Rated(scores, read, sum(len(row.ids) - shared for row in rows.values()))

    @property
    def _pad(self) -> int:
        pad: int = self.model.tokenizer.eos_token_id
        return pad

    def _in_common(self, rows: Sequence[Encoded]) -> int:
        """How many first tokens all ``rows`` share before their solutions; those that stand before every text alone
        where the engine cannot run the model, which may keep no keys and values.
        """
        before = self.model.virtual.given
        if self._shares is None:
            self._shares = self.model.engine_note is None
        if not rows or not self._shares:
            return before
        most, first = min(row.start for row in rows), rows[0].ids
        differ = (at for at in range(before, most) if any(row.ids[at] != first[at] for row in rows))
        return next(differ, most)


def placed(row: Encoded, virtual: Virtual) -> Encoded:
    """``row`` behind what stands before every text."""
    return replace(row, ids=virtual.ids + row.ids, start=row.start + len(virtual.ids), given=virtual.given)


def spoken(row: Encoded) -> Encoded:
    """``row`` without the token that ends it; a text without a token is scored where it would begin."""
    return replace(row, ids=row.ids[:-1], start=min(row.start, len(row.ids) - 2))


def losses(scores: Tensor, right: Tensor, logits: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Both parts of the joint loss, each summed over its tokens: squared errors of ``scores`` [n] against ``right`` [n]
    (0 or 1), and the negative log-probabilities (nats) of ``tokens`` [m] under ``logits`` [m, vocabulary].
    """
    return ((scores - right) ** 2).sum(), nn.functional.cross_entropy(logits, tokens, reduction="sum")


def train(
    base: HFModel,
    put: Put,
    lessons: Lessons,
    seeds: Seeds,
    schedule: Schedule,
    flops: float,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[Verifier, VerifierReport]:
    """Train what ``put`` (`onset.tuning.base.Tuning.further`) has of the generator, and the head, on ``lessons``.

    ``schedule`` names the peak of the learning rate; its steps are those of the epochs. ``flops``: of a token and
    parameter, as the generator was tuned. Raises ModelError where nothing fits the context, and as
    `onset.tuning.optimise.optimise` does.
    """
    context, room = base.facts.known("context"), len(put.virtual.ids)
    limit = schedule.limit(context - room)
    solutions, worked = lessons.solutions, lessons.worked
    known = [(spoken(encode_one(base.tokenizer, one.example)), one.right) for one in solutions]
    fitting = [(placed(row, put.virtual), right) for row, right in known if len(row.ids) <= limit]
    if not fitting:
        raise ModelError(
            f"a verifier of {base.facts.name} has nothing to learn from: none of {len(solutions)} solutions fits"
            f" {limit} tokens"
        )
    texts = [placed(row, put.virtual) for row in encode(base.tokenizer, worked, limit)] if worked else []
    schedule = replace(schedule, steps=lessons.epochs * math.ceil(len(fitting) / schedule.batch_size))
    judge = Judge(put.module, seeds.init)
    trained = {**(put.weights if put.trained is None else put.trained), **judge.head}
    for weight in trained.values():
        weight.requires_grad_(True)
    rows = _Rows(fitting, texts, base.tokenizer.eos_token_id, put.autocast)
    trace = _optimise(judge, rows, seeds, schedule, progress, checkpoint)
    put.finish()
    model = weights.tuned_model(base, put.module, put.weights, put.virtual)
    report = trace.report(flops * base.facts.known("params_compute"), {**put.weights, **judge.head})
    tenth = max(1, schedule.steps // 10)
    errors = trace.figures["error"]
    held = {one.name: getattr(report, one.name) for one in fields(report)}
    return Verifier(model, judge), VerifierReport(
        **held,
        solutions=len(solutions),
        right=sum(one.right for one in solutions),
        left_out=len(solutions) - len(fitting),
        first_error=sum(errors[:tenth]) / tenth,
        last_error=sum(errors[-tenth:]) / tenth,
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Lessons in tokens, the token of padding, and `Put.autocast`."""

    solutions: Sequence[tuple[Encoded, bool]]
    worked: Sequence[Encoded]
    pad: int
    autocast: bool


def _optimise(
    judge: Judge,
    rows: _Rows,
    seeds: Seeds,
    schedule: Schedule,
    progress: Progress | None,
    checkpoint: Checkpoint | None,
) -> Trace:
    device, solutions, worked, pad = judge.reserved.device, rows.solutions, rows.worked, rows.pad
    micro = Micro(MICRO_TOKENS.get(device.type, 1024), PASS_TOKENS.get(device.type, 64))
    weights_trained = [weight for weight in judge.parameters() if weight.requires_grad]
    # of equal lengths for all: batches by length have one label each
    plan = list(batches([0] * len(solutions), schedule, seeds.order))
    beside = list(batches([0] * len(worked), schedule, seeds.order)) if worked else []

    def gradients(step: int) -> Taken:
        batch: list[tuple[Encoded, bool | None]] = [solutions[at] for at in plan[step - 1]]
        batch += [(worked[at], None) for at in (beside[step - 1] if beside else ())]
        counts = [
            sum(len(row.ids) - row.start for row, right in batch if (right is None) is of_words)
            for of_words in (False, True)
        ]
        passes: list[tuple[int, float]] = []

        def loss(group: Sequence[tuple[Encoded, bool | None]]) -> Tensor:
            judged = [(row, right) for row, right in group if right is not None]
            with trained_linears(device), torch.autocast(device.type, dtype=torch.bfloat16, enabled=rows.autocast):
                scores, logits, tokens = judge.run(
                    [row for row, _ in judged], [row for row, right in group if right is None], pad
                )
            right = torch.cat([torch.full((len(row.ids) - row.start,), float(one)) for row, one in judged] or [_NONE])
            squared, words = losses(scores, right.to(device), logits, tokens)
            error = squared / max(1, counts[0])
            passes.append((len(group), error.item()))
            return error + words / max(1, counts[1])

        total = micro.backward(batch, loss, weights_trained, lambda one: length(one[0]))
        return Taken(total, sum(length(row) for row, _ in batch), {"error": _last(passes, len(batch))})

    if checkpoint is not None:
        said = [[row.to_json() for row, _ in solutions], [right for _, right in solutions]]
        hashed = content_hash([*said, [row.to_json() for row in worked]])
        checkpoint.identity |= {"examples": hashed, "padding": pad, "autocast": rows.autocast, "passes": micro.tokens}
    return optimise(judge, gradients, seeds, schedule, micro=micro, progress=progress, checkpoint=checkpoint)


_NONE = torch.zeros(0)


def _last(passes: Sequence[tuple[int, float]], rows: int) -> float:
    """The sum over the passes of the last ``rows`` rows: those before were done again with less memory."""
    total = 0.0
    for count, error in reversed(passes):
        if rows <= 0:
            break
        rows, total = rows - count, total + error
    return total


def trained(held: Iterable[Tensor], hidden: int) -> int:
    """How many numbers a verifier trains: those that its generator keeps (``held``), the reserved token's row, gain and
    bias.
    """
    return sum(one.numel() for one in held) + hidden + 2


def save(verifier: Verifier, tuner: Tuning, folder: Path) -> None:
    """Write what `load` needs into ``folder``: the weights as ``tuner`` writes them, and the head. Raises StoreError
    when it cannot be written.
    """
    tuner.save(verifier.model, folder)
    weights.write(verifier.judge.head, folder / HEAD, verifier.revision)


def load(base: HFModel, tuner: Tuning, folder: Path) -> Verifier:
    """The verifier again, from the base model and what `save` wrote, to the bit. Raises StoreError as `Tuning.load`."""
    model = tuner.load(base, folder)
    judge = Judge(model.module, 0)
    weights.read_into(judge.head, folder / HEAD, model)
    return Verifier(model, judge)
