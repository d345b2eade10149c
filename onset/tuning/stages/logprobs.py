"""Log-probabilities of completions, token by token, as training needs them: with a gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from onset.tuning.loop import Encoded, completion_logits


def completion_logprobs(
    module: torch.nn.Module, rows: Sequence[Encoded], pad: int, temperature: float = 1.0
) -> list[torch.Tensor]:
    """Of each row the log-probability (nats, float32) of every token of its completion, at ``temperature``."""
    logits, targets = completion_logits(module, rows, pad)
    found = -torch.nn.functional.cross_entropy(logits / temperature, targets, reduction="none")
    return list(torch.split(found, [len(row.ids) - row.start for row in rows]))
