"""What all of the engine runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from onset.models.endings import EndingsOf
from onset.models.engine.encode import Trunks
from onset.models.engine.fixed import Recorder
from onset.models.engine.storage import Shape, Shared, Spare


@dataclass(frozen=True)
class Machine:
    """A model that has passed the probe: ``module`` with the ``shape`` of its keys and values, the width of its logits,
    and when texts end (stop strings and end rule -> `Endings`). ``batch_tokens``: the tokens whose keys and values
    may be held at once. ``spare``: memory left over from earlier rows; ``trunks``: what was run last.
    ``new_recorder``: makes what records the steps of a batch on a device, where that is worth it.
    """

    module: Any
    shape: Shape
    vocabulary: int
    endings: EndingsOf
    batch_tokens: int
    spare: Spare = field(default_factory=Spare)
    new_recorder: Callable[[torch.device], Recorder] | None = None
    trunks: Trunks = field(default_factory=Trunks)

    def trunk(self, tokens: tuple[int, ...]) -> Shared | None:
        """Keys and values of what prompts begin with; None where that is nothing."""
        return self.trunks.of(self.module, tokens, self.shape.device) if tokens else None
