"""Steps of an optimiser over whatever gradients a caller makes: the part that all training has in common.

AdamW with linear warm-up and linear decay, clipped gradients, torch's generators run from a seed, checkpoints, and a
run that diverges stopped. A caller says how the gradient of a step comes about:

    def gradients(step: int) -> Taken:                  # 1, 2, ... schedule.steps; the same for the same weights
        loss = micro.backward(rows[step - 1], loss_of, trained)
        return Taken(loss, tokens=..., figures={"reward": ...})

    checkpoint.identity["examples"] = content_hash(...)
    trace = optimise(module, gradients, seeds, schedule.at(1e-4), micro=micro, checkpoint=checkpoint)

A run that is killed goes on with the step after its checkpoint, so a step depends on nothing but its number, the
weights and torch's global generators.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from onset.errors import Diverged, OutOfMemory
from onset.models.engine.memory import is_out_of_memory
from onset.tuning.base import Progress, Schedule, Seeds, TuningReport
from onset.tuning.checkpoint import Checkpoint, State
from onset.tuning.weights import digest

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Taken:
    """What the gradient of a step was made of: its ``loss``, the ``tokens`` run without padding, and further
    ``figures`` by name (the same names at every step), which `Trace` keeps.
    """

    loss: float
    tokens: int
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """What a training run did: ``losses`` per step (nats a completion token) and ``tokens`` without padding;
    ``figures`` of each step; ``micro``: the padded tokens of a pass that memory was enough for, where it ran out.
    """

    losses: tuple[float, ...]
    tokens: int
    figures: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    micro: int | None = None

    def report(self, flops: float, trained: Mapping[str, Tensor]) -> TuningReport:
        """The run's report; ``flops`` a token, ``trained`` the weights that changed."""
        tenth = max(1, len(self.losses) // 10)
        return TuningReport(
            steps=len(self.losses),
            tokens=self.tokens,
            flops=float(flops * self.tokens),
            trained_params=sum(weight.numel() for weight in trained.values()),
            first_loss=sum(self.losses[:tenth]) / tenth,
            last_loss=sum(self.losses[-tenth:]) / tenth,
            micro_tokens=self.micro,
        )


class Micro:
    """Rows of a batch go through the model in groups of at most ``tokens`` padded tokens (at least one row), each group
    costing as much as ``extra`` tokens beside its own.

    Where memory runs out the group that was too much is halved, for the rest of the run: the gradient is the same sum
    in another order, and dropout meets other rows. ``lowered``: the limit since then (None: memory was enough).
    """

    def __init__(self, tokens: int, extra: int = 64) -> None:
        self.tokens = tokens
        self.extra = extra
        self.lowered: int | None = None

    def lower(self, tokens: int) -> None:
        """Groups of at most ``tokens`` from now on."""
        self.tokens = self.lowered = tokens

    def groups(self, rows: Sequence[Row], length: Callable[[Row], int]) -> list[list[Row]]:
        """``rows`` by ``length`` in tokens, in the groups that cost least: rows of a group are padded to its longest,
        the last.
        """
        ordered = sorted(rows, key=length)
        best = [(0, 0)]  # of the first 0, 1, ... rows: the cost, and where the last group begins
        for end, row in enumerate(ordered, start=1):
            most = max(1, self.tokens // max(1, length(row)))
            begins = range(max(0, end - most), end)
            best.append(min((best[begin][0] + self.extra + (end - begin) * length(row), begin) for begin in begins))
        found: list[list[Row]] = []
        end = len(ordered)
        while end:
            found.append(ordered[best[end][1] : end])
            end = best[end][1]
        return found[::-1]

    def backward(
        self,
        rows: Sequence[Row],
        loss: Callable[[Sequence[Row]], Tensor],
        trained: Iterable[Tensor],
        length: Callable[[Row], int],
    ) -> float:
        """Leave the gradient of the sum of ``loss`` over the groups of ``rows`` in ``trained``; returns that sum.

        ``loss``: of one group, a scalar tensor. Raises OutOfMemory where one row alone is too much.
        """
        weights = list(trained)
        while True:
            for weight in weights:
                weight.grad = None
            total, short = 0.0, None
            for group in self.groups(rows, length):
                try:
                    total += _backward(loss, group)
                except Exception as error:
                    if not is_out_of_memory(error):
                        raise
                    short = group
                if short is not None:  # outside of the handler, which holds what the failed pass had made
                    break
            if short is None:
                return total
            longest = length(short[-1])
            if len(short) == 1:
                raise OutOfMemory(
                    f"out of memory: one training example of {longest} tokens does not fit on {weights[0].device.type}"
                    " with its gradients; leave long examples out, or use a smaller model"
                )
            self.lower(len(short) * longest // 2)
            if weights[0].device.type == "cuda":
                torch.cuda.empty_cache()


def _backward(loss: Callable[[Sequence[Row]], Tensor], group: Sequence[Row]) -> float:
    one = loss(group)
    one.backward()  # type: ignore[no-untyped-call]
    return one.item()


def optimise(
    module: torch.nn.Module,
    gradients: Callable[[int], Taken],
    seeds: Seeds,
    schedule: Schedule,
    *,
    micro: Micro | None = None,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trace:
    """Train, in place, the parameters of ``module`` that require a gradient, and freeze them.

    ``gradients(step)`` leaves the gradient of a step in them. ``schedule`` names the peak of the learning rate
    (`Schedule.at`). ``micro``: what ``gradients`` cuts batches with. ``checkpoint``: what a run that was killed goes on
    from; its ``identity`` has to say what gradients depend on beside weights, seeds and schedule (a hash of the
    examples). Raises Diverged when a loss or a gradient is not finite, OutOfMemory where memory is not enough.
    """
    named = {name: weight for name, weight in module.named_parameters() if weight.requires_grad}
    trained = list(named.values())
    device = trained[0].device
    peak = schedule.learning_rate
    if peak is None:
        raise ValueError("the schedule names no learning rate: Schedule.at gives it one")
    optimiser = _optimiser(trained, peak, schedule.weight_decay)
    losses: list[float] = []
    figures: dict[str, list[float]] = {}
    tokens = 0
    said = {} if checkpoint is None else _identity(named, seeds, schedule)
    module.train()
    with seeded(seeds.sampling, device):
        if checkpoint is not None and (state := checkpoint.resume(said)) is not None:
            _restore(state, named, optimiser, micro, device)
            losses, tokens = list(state.losses), state.tokens
            figures = {name: list(values) for name, values in state.figures.items()}
        for step in range(len(losses) + 1, schedule.steps + 1):
            taken = gradients(step)
            norm = float(torch.nn.utils.clip_grad_norm_(trained, schedule.clip))
            for what, value in (("loss", taken.loss), ("gradient", norm)):
                if not math.isfinite(value):
                    raise Diverged(what, value, step, schedule.steps, peak)
            for group in optimiser.param_groups:
                group["lr"] = peak * rate(step, schedule)
            _step(optimiser, trained)
            losses.append(taken.loss)
            tokens += taken.tokens
            for name, figure in taken.figures.items():
                figures.setdefault(name, []).append(figure)
            if checkpoint is not None and checkpoint.due and step < schedule.steps:
                lowered = None if micro is None else micro.lowered
                held = _tensors(named, optimiser, device)
                checkpoint.write(said, State(step, losses, tokens, figures, lowered, held))
            if progress is not None:
                progress(step, schedule.steps)
    module.eval()
    for weight in trained:
        weight.requires_grad_(False)
    kept = {name: tuple(values) for name, values in figures.items()}
    return Trace(tuple(losses), tokens, kept, None if micro is None else micro.lowered)


def rate(step: int, schedule: Schedule) -> float:
    """The share of the peak learning rate at ``step`` (1-based), in (0, 1]: linear warm-up over
    ``warmup * steps`` steps, then linear decay that reaches zero one step after the last.
    """
    warm = round(schedule.warmup * schedule.steps)
    if step <= warm:
        return step / warm
    return (schedule.steps + 1 - step) / (schedule.steps + 1 - max(warm, 1))


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Inside, torch's global generators (CPU and ``device``) run from ``seed``; after, as if nothing was drawn."""
    cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if cuda else []):
        torch.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def _optimiser(trained: Sequence[torch.nn.Parameter], peak: float, decay: float) -> torch.optim.AdamW:
    groups = [
        {"params": [weight for weight in trained if weight.ndim >= 2], "weight_decay": decay},
        {"params": [weight for weight in trained if weight.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=peak, fused=True)


def _step(optimiser: torch.optim.Optimizer, trained: Sequence[torch.nn.Parameter]) -> None:
    """Take a step. Raises OutOfMemory where its moments are more than memory holds."""
    short = False
    try:
        optimiser.step()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        short = True
    if short:
        count = sum(weight.numel() for weight in trained)
        raise OutOfMemory(
            f"out of memory: {count} weights are trained, whose gradients and two moments of float32 do not fit on"
            f" {trained[0].device.type}; train fewer (adapters), or use a smaller model"
        )
    optimiser.zero_grad(set_to_none=True)


def _identity(named: Mapping[str, torch.nn.Parameter], seeds: Seeds, schedule: Schedule) -> dict[str, Any]:
    """What the weights after training depend on, in words and hashes."""
    device = next(iter(named.values())).device
    return {
        "seeds": asdict(seeds),
        "schedule": asdict(schedule),
        "first weights": digest("", named),
        "torch": torch.__version__,
        "device": device.type if device.type == "cpu" else torch.cuda.get_device_name(device),
    }


def _tensors(
    named: Mapping[str, torch.nn.Parameter], optimiser: torch.optim.Optimizer, device: torch.device
) -> dict[str, Tensor]:
    """All that the next step depends on: weights, the optimiser's state of each, generators."""
    held: dict[str, Tensor] = {"generator cpu": torch.get_rng_state()}
    if device.type == "cuda":
        held["generator cuda"] = torch.cuda.get_rng_state(device)
    for name, weight in named.items():
        held[f"weight {name}"] = weight
        held |= {f"state {key} {name}": value for key, value in optimiser.state[weight].items()}
    return held


def _restore(
    state: State,
    named: Mapping[str, torch.nn.Parameter],
    optimiser: torch.optim.Optimizer,
    micro: Micro | None,
    device: torch.device,
) -> None:
    """Put back what `_tensors` held."""
    with torch.no_grad():
        for name, weight in named.items():
            weight.copy_(state.tensors[f"weight {name}"])
    for name, tensor in state.tensors.items():
        kind, _, rest = name.partition(" ")
        if kind == "state":
            key, _, owner = rest.partition(" ")
            weight = named[owner]
            optimiser.state[weight][key] = tensor.to(weight.device, copy=True)  # no longer the file's memory
    if micro is not None and state.micro is not None:
        micro.lower(state.micro)
    torch.set_rng_state(state.tensors["generator cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state.tensors["generator cuda"], device)
