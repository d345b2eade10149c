"""Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290, equation 7).

    loss = -log sigmoid(beta (log pi(chosen) - log pi(rejected) - log ref(chosen) + log ref(rejected)))

summed over pairs and divided by their number; a completion's log-probability is the sum over its tokens. Dropout is
off, so that the model begins as its own reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from onset.records import content_hash
from onset.tuning.base import Progress, Seeds
from onset.tuning.full import Copied, Full
from onset.tuning.loop import Encoded, batches, encode
from onset.tuning.optimise import Micro, Taken, Trace, optimise
from onset.tuning.stages.base import Trained, report_of, tenths
from onset.tuning.stages.logprobs import Way, completion_logprobs, computed, micro_of

if TYPE_CHECKING:
    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint
    from onset.tuning.stages.preference import Choice, Preference


@dataclass(frozen=True, slots=True)
class Pair:
    """A chosen and a rejected completion in tokens, and how much likelier the reference has the first (nats)."""

    chosen: Encoded
    rejected: Encoded
    reference: float = 0.0

    @property
    def tokens(self) -> int:
        """Of both."""
        return len(self.chosen.ids) + len(self.rejected.ids)

    @property
    def width(self) -> int:
        """Padded tokens of both in one pass."""
        return 2 * max(len(self.chosen.ids), len(self.rejected.ids))


def dpo_loss(margins: torch.Tensor, reference: torch.Tensor, beta: float) -> torch.Tensor:
    """The loss of each pair: ``margins``, how much likelier the policy has the chosen completion, ``reference``
    likewise (nats).
    """
    return -torch.nn.functional.logsigmoid(beta * (margins - reference))


def margins_of(module: torch.nn.Module, pairs: Sequence[Pair], pad: int) -> torch.Tensor:
    """How much likelier ``module`` has the chosen completion of each of ``pairs`` than the rejected one (nats)."""
    rows = [row for pair in pairs for row in (pair.chosen, pair.rejected)]
    sums = torch.stack([one.sum() for one in completion_logprobs(module, rows, pad)])
    return sums[0::2] - sums[1::2]


def train(
    model: HFModel,
    choices: Sequence[Choice],
    settings: Preference,
    swapped: int,
    seeds: Seeds,
    progress: Progress | None,
    checkpoint: Checkpoint | None,
) -> Trained:
    """Train a copy of ``model`` on ``choices`` (`Preference.train`)."""
    schedule = settings.schedule().at(settings.rate)
    limit = schedule.limit(model.facts.known("context"))
    sides = [encode(model.tokenizer, [getattr(one, side) for one in choices], limit) for side in ("chosen", "rejected")]
    pairs = [Pair(*both) for both in zip(*sides, strict=True)]
    copied = Copied(model, settings.kind)
    module, pad = copied.module, model.tokenizer.eos_token_id
    device = next(module.parameters()).device
    micro = micro_of(device)
    trained = list(module.parameters())

    way = partial(computed, device, autocast=copied.autocast)
    pairs = _referred(module.eval(), pairs, pad, micro, way)
    plan = list(batches([one.tokens for one in pairs], schedule, seeds.order))

    def gradients(step: int) -> Taken:
        module.eval()
        batch = [pairs[at] for at in plan[step - 1]]
        seen: list[torch.Tensor] = []

        def loss(group: Sequence[Pair]) -> torch.Tensor:
            with way():
                margins = margins_of(module, group, pad)
            reference = torch.tensor([one.reference for one in group], device=margins.device)
            seen.append((margins.detach() - reference).cpu())
            return dpo_loss(margins, reference, settings.beta).sum() / len(batch)

        total = micro.backward(batch, loss, trained, lambda pair: pair.width)
        moved = settings.beta * torch.cat(seen)[-len(batch) :]  # a pass that memory was not enough for was done again
        figures = {"accuracy": (moved > 0).double().mean().item(), "margin": moved.double().mean().item()}
        return Taken(total, sum(one.tokens for one in batch), figures)

    if checkpoint is not None:
        hashed = content_hash([asdict(one) for one in pairs])
        checkpoint.identity |= {"examples": hashed, "padding": pad, "autocast": copied.autocast, "beta": settings.beta}
    trace = optimise(module, gradients, seeds, schedule, micro=micro, progress=progress, checkpoint=checkpoint)
    return _trained(model, copied, trace, pairs, swapped)


def _referred(module: torch.nn.Module, pairs: Sequence[Pair], pad: int, micro: Micro, way: Way) -> list[Pair]:
    """``pairs`` with what the model before training says of them."""
    found: dict[int, float] = {}
    with torch.no_grad():
        for group in micro.groups(range(len(pairs)), lambda at: pairs[at].width):
            with way():
                values = margins_of(module, [pairs[at] for at in group], pad)
            found |= dict(zip(group, values.tolist(), strict=True))
    return [Pair(one.chosen, one.rejected, found[at]) for at, one in enumerate(pairs)]


def _trained(model: HFModel, copied: Copied, trace: Trace, pairs: Sequence[Pair], swapped: int) -> Trained:
    tuned = copied.finish()
    read = sum(one.tokens for one in pairs)
    params = model.facts.known("params_compute")
    report = trace.report(Full.flops * params, dict(tuned.module.named_parameters()))
    figures = trace.figures
    detail = {"pairs": len(pairs), "swapped": swapped, "read": read, "accuracy": tenths(figures["accuracy"])}
    steps = [
        {"step": at, "loss": loss, "accuracy": accuracy, "margin": margin}
        for at, (loss, accuracy, margin) in enumerate(
            zip(trace.losses, figures["accuracy"], figures["margin"], strict=True), start=1
        )
    ]
    return Trained(tuned, report_of(report, report.flops + 2.0 * params * read, detail), {"steps": steps})
