"""Passes of stages that have a loss of their own: as those of tuning, and with the log-probability of every token."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch

from onset.models.engine.linear import trained_linears
from onset.tuning.loop import MICRO_TOKENS, PASS_TOKENS, Encoded, completion_logits
from onset.tuning.optimise import Micro

Way = Callable[[], contextlib.AbstractContextManager[None]]
"""`computed`, for a module."""


def micro_of(device: torch.device) -> Micro:
    """What cuts batches, as in tuning."""
    return Micro(MICRO_TOKENS.get(device.type, 1024), PASS_TOKENS.get(device.type, 64))


@contextlib.contextmanager
def computed(device: torch.device, *, autocast: bool) -> Iterator[None]:
    """Within it passes are computed as those of tuning: by oneDNN where it is faster, in bfloat16 with ``autocast``."""
    with trained_linears(device), torch.autocast(device.type, dtype=torch.bfloat16, enabled=autocast):
        yield


def completion_logprobs(
    module: torch.nn.Module, rows: Sequence[Encoded], pad: int, temperature: float = 1.0
) -> list[torch.Tensor]:
    """Of each row the log-probability (nats, float32) of every token of its completion, at ``temperature``."""
    logits, targets = completion_logits(module, rows, pad)
    found = -torch.nn.functional.cross_entropy(logits / temperature, targets, reduction="none")
    return list(torch.split(found, [len(row.ids) - row.start for row in rows]))
