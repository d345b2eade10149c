"""Group relative policy optimisation (Shao et al. 2024, arXiv 2402.03300, equations 3 and 4).

    per token: min(r A, clip(r, 1 - e, 1 + e) A) - kl (ref / pi - log(ref / pi) - 1),   r = pi / pi_old

averaged over the tokens of an answer and the answers of a batch, and maximised. Every token that was drawn is learnt,
that which ended the text included. Dropout is off: the policy that is trained is the one that was asked.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from onset.errors import ModelError
from onset.models.chat import chosen_template
from onset.prompting.base import Prompt
from onset.prompting.text import STOP, end_rule, render
from onset.records import Completion, Item, Request, derive_seed
from onset.tasks.base import Task
from onset.tuning.base import Progress, Seeds
from onset.tuning.full import Copied, Full
from onset.tuning.loop import Encoded
from onset.tuning.optimise import Micro, Taken, Trace, optimise
from onset.tuning.stages.base import Trained, report_of, tenths
from onset.tuning.stages.logprobs import Way, completion_logprobs, computed, micro_of

if TYPE_CHECKING:
    from onset.models.chat import ChatTemplate
    from onset.models.hf import HFModel
    from onset.tuning.checkpoint import Checkpoint
    from onset.tuning.stages.reinforcement import Reinforcement


@dataclass(slots=True)
class Tried:
    """An answer in tokens, what it was worth (``advantage``), and the log-probabilities of its tokens under the policy
    that drew it (``old``; None: the one that is trained) and under the model before (``reference``; None: not asked).
    """

    row: Encoded
    advantage: float
    old: torch.Tensor | None = None
    reference: torch.Tensor | None = None

    @property
    def length(self) -> int:
        """Tokens that were drawn."""
        return len(self.row.ids) - self.row.start


@dataclass(slots=True)
class Batch:
    """What came of asking some questions: ``tried`` answers, ``figures`` of the step, ``samples`` for a person."""

    tried: list[Tried]
    figures: dict[str, float]
    samples: list[dict[str, Any]] = field(default_factory=list)


def advantages(rewards: Sequence[float], *, divide: bool) -> list[float]:
    """Rewards of a group less their mean and, with ``divide``, over their standard deviation (n - 1); 0 where all are
    equal.
    """
    mean = statistics.fmean(rewards)
    spread = statistics.stdev(rewards) if divide else 1.0
    return [(one - mean) / spread if spread > 0 else 0.0 for one in rewards]


def policy_loss(
    logprobs: Sequence[torch.Tensor], tried: Sequence[Tried], clip: float, kl: float, longest: int | None
) -> torch.Tensor:
    """The summed loss of ``tried``, whose tokens the policy gives ``logprobs``; ``longest``: what an answer's loss is
    divided by (None: its own length).
    """
    losses = []
    for new, one in zip(logprobs, tried, strict=True):
        ratio = torch.exp(new - (new.detach() if one.old is None else one.old))
        gain = torch.minimum(ratio * one.advantage, ratio.clamp(1 - clip, 1 + clip) * one.advantage)
        if one.reference is not None:
            apart = one.reference - new
            gain = gain - kl * (torch.exp(apart) - apart - 1)
        losses.append(-gain.sum() / (longest or one.length))
    return torch.stack(losses).sum()


def turns_of(asked: Sequence[str]) -> list[int]:
    """How often each of ``asked`` stands before itself: where a round ends within a batch, or a pool is smaller than
    it, a question comes twice, and its second answers are others.
    """
    counts: Counter[str] = Counter()
    turns = []
    for one in asked:
        turns.append(counts[one])
        counts[one] += 1
    return turns


class Asking:
    """Questions asked of the policy, and their answers scored."""

    def __init__(self, settings: Reinforcement, policy: HFModel, template: ChatTemplate | None) -> None:
        self.settings = settings
        self.policy = policy
        self.task: Task = settings.asked()
        self.solver: Prompt = settings.solver()
        self.template = template
        self.longest = self.solver.limit(self.task, template)

    def batch(self, at: int) -> Batch:
        """Batch ``at``, asked of the policy as it is now."""
        items = self.settings.batch(self.task.pool, at)
        turns = turns_of([item.id for item in items])
        requests = [self._request(item, at, turn) for item, turn in zip(items, turns, strict=True)]
        groups = self.policy.drawn(requests)
        out = Batch([], dict.fromkeys(("reward", "right", "flat", "answered", "asked", "written"), 0.0))
        for item, turn, request, (prompt, samples) in zip(items, turns, requests, groups, strict=True):
            if samples is None:
                raise ModelError(
                    f"a question of {self.settings.where} with its demonstrations has {len(prompt)} tokens, and its"
                    f" answer {request.max_tokens} more, which do not fit the context of {self.policy.facts.name}:"
                    " lower 'shots'"
                )
            done = [Completion(one.text, one.tokens, len(prompt), one.logprob, one.finish) for one in samples]
            answers = [self.solver.read(one, item, self.task) for one in done]
            right = [float(self.task.format.score(one, item).correct) for one in answers]
            rewards = self.settings.dealt(right, at, item, turn)
            worth = advantages(rewards, divide=self.settings.variant == "grpo")
            out.tried += [
                Tried(Encoded((*prompt, *one.ids), len(prompt)), gain) for one, gain in zip(samples, worth, strict=True)
            ]
            count = len(items) * len(samples)
            out.figures["reward"] += sum(rewards) / count
            out.figures["right"] += sum(right) / count
            out.figures["answered"] += sum(one.status == "ok" for one in answers) / count
            out.figures["flat"] += (not any(worth)) / len(items)
            out.figures["asked"] += len(prompt)
            out.figures["written"] += sum(one.tokens for one in samples)
            out.samples.append(self._said(item, request, done, answers, rewards))
        self.policy.free()  # the memory is that of training now
        return out

    def _request(self, item: Item, at: int, turn: int = 0) -> Request:
        shown = self.settings.demonstrations(self.task.pool, item, at)
        chat = self.template
        return Request(
            render(self.task, shown, item, rationale=self.solver.chain, chat=chat),
            max_tokens=self.longest,
            stop=STOP if chat is None else () if chat.end is None else (chat.end,),
            n=self.settings.samples,
            temperature=self.settings.temperature,
            seed=derive_seed("reinforcement", self.settings.seed, at, item.id, *([turn] if turn else [])),
            until=end_rule(self.task, item),
            templated=chat is not None,
        )

    def _said(
        self, item: Item, request: Request, done: Sequence[Completion], answers: Sequence[Any], rewards: Sequence[float]
    ) -> dict[str, Any]:
        return {
            "question": item.question,
            "gold": item.answer,
            "prompt": request.prompt,
            "answers": [
                {
                    "text": one.text,
                    "finish": one.finish,
                    "answer": found.value,
                    "status": found.status,
                    "reward": reward,
                }
                for one, found, reward in zip(done, answers, rewards, strict=True)
            ],
        }


def train(
    model: HFModel, settings: Reinforcement, seeds: Seeds, progress: Progress | None, checkpoint: Checkpoint | None
) -> Trained:
    """Train a copy of ``model`` (`Reinforcement.train`)."""
    schedule = settings.schedule().at(settings.rate)
    copied = Copied(model, settings.kind)
    module, pad = copied.module, model.tokenizer.eos_token_id
    asking = Asking(settings, model.derive(module, model.facts), chosen_template(model, None))
    device = next(module.parameters()).device
    micro, way = micro_of(device), partial(computed, device, autocast=copied.autocast)
    trained = list(module.parameters())
    longest = asking.longest if settings.variant == "dr-grpo" else None
    kept = _places(settings.steps // settings.updates)
    if settings.updates > 1:
        checkpoint = None  # what an unfinished batch was drawn by would be gone
    samples: list[dict[str, Any]] = [] if checkpoint is None else checkpoint.shown
    held: list[Batch] = []

    def fresh(at: int) -> Batch:
        batch = asking.batch(at)
        if settings.kl:
            _refer(model.module, batch.tried, pad, micro, settings.temperature)
        if settings.updates > 1:
            _remember(module, batch.tried, pad, micro, way, settings.temperature)
        samples.extend({"batch": at, **one} for one in batch.samples[:2] if at in kept)
        return batch

    def gradients(step: int) -> Taken:
        module.eval()
        at, again = divmod(step - 1, settings.updates)
        if not again:
            held[:] = [fresh(at)]
        batch = held[0]
        learnt = [one for one in batch.tried if one.advantage or settings.kl]
        if not learnt:
            return Taken(0.0, 0, _figures(batch, again))

        def loss(group: Sequence[Tried]) -> torch.Tensor:
            with way():
                found = completion_logprobs(module, [one.row for one in group], pad, settings.temperature)
            return policy_loss(found, group, settings.clip, settings.kl, longest) / len(batch.tried)

        total = micro.backward(learnt, loss, trained, lambda one: len(one.row.ids))
        return Taken(total, sum(len(one.row.ids) for one in learnt), _figures(batch, again))

    if checkpoint is not None:
        checkpoint.identity |= {"recipe": settings.identity(), "padding": pad, "autocast": copied.autocast}
    trace = optimise(module, gradients, seeds, schedule, micro=micro, progress=progress, checkpoint=checkpoint)
    return _trained(model, copied, trace, settings, asking, samples)


def _figures(batch: Batch, again: int) -> dict[str, float]:
    """Of a step; what was asked and written counts in the first step of its batch."""
    own = {"asked": 0.0, "written": 0.0, "read": 0.0} if again else {}
    read = sum(len(one.row.ids) for one in batch.tried if one.reference is not None)
    return {**batch.figures, "read": float(read), **own}


def _places(batches: int) -> set[int]:
    """Five batches, spread over all, of which texts are kept."""
    return {round(part * (batches - 1) / 4) for part in range(5)}


def _refer(module: torch.nn.Module, tried: Sequence[Tried], pad: int, micro: Micro, temperature: float) -> None:
    with torch.no_grad():
        for group in micro.groups(tried, lambda one: len(one.row.ids)):
            found = completion_logprobs(module, [one.row for one in group], pad, temperature)
            for one, values in zip(group, found, strict=True):
                one.reference = values


def _remember(
    module: torch.nn.Module, tried: Sequence[Tried], pad: int, micro: Micro, way: Way, temperature: float
) -> None:
    with torch.no_grad(), way():
        for group in micro.groups(tried, lambda one: len(one.row.ids)):
            found = completion_logprobs(module, [one.row for one in group], pad, temperature)
            for one, values in zip(group, found, strict=True):
                one.old = values


def _trained(
    model: HFModel,
    copied: Copied,
    trace: Trace,
    settings: Reinforcement,
    asking: Asking,
    samples: Sequence[dict[str, Any]],
) -> Trained:
    tuned = copied.finish()
    params = model.facts.known("params_compute")
    report = trace.report(Full.flops * params, dict(tuned.module.named_parameters()))
    figures = trace.figures
    asked, written, read = (int(sum(figures[name])) for name in ("asked", "written", "read"))
    detail = {
        "questions": len(asking.task.pool),
        "asked": asked,
        "written": written,
        "read": read,
        "reward": tenths(figures["reward"]),
        "right": tenths(figures["right"]),
        "flat": statistics.fmean(figures["flat"]),
    }
    names = ("reward", "right", "answered", "flat", "written")
    steps = [
        {"step": at + 1, "loss": loss, **{name: figures[name][at] for name in names}}
        for at, loss in enumerate(trace.losses)
    ]
    flops = report.flops + 2.0 * params * (asked + written + read)
    return Trained(tuned, report_of(report, flops, detail), {"steps": steps, "samples": samples})
