"""Which dtype a model computes in when none is asked for.

On a GPU that is bfloat16. On a CPU it is float32, unless the processor multiplies bfloat16 matrices faster
(AVX512_BF16, AMX): a short trial tells, for what a processor says of itself does not (many have bfloat16 instructions
that no library uses, and without them a product in bfloat16 takes several times as long). What was chosen stands in
`onset.models.ModelFacts.dtype`, and a study that has begun keeps to it (`onset.study.runner`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SMALL = 50_000_000
"""Parameters each token is multiplied with below which a model computes in float32 on a CPU without a trial: its time
goes into other things than products, and the embedded ladder, whose results are published, is of that kind.
"""

MARGIN = 1.2
"""How many times as fast bfloat16 must be, at few rows and at many."""

_FEW, _MANY = 16, 128
"""Rows of the two products: a step that decodes, and a prompt."""
_LARGEST = 1 << 24
"""Numbers of the weight used, at most: 64 MB in float32. Larger ones would tell no more."""
_REPEATS = 5


def choose(config: Any, device: str) -> str:
    """The dtype of a model with transformers' ``config`` on ``device`` (a name torch knows): its name."""
    if device != "cpu":
        return "bfloat16"
    if _compute(config) < SMALL:
        return "float32"
    return "bfloat16" if min(gains(config)) >= MARGIN else "float32"


def gains(config: Any) -> tuple[float, float]:
    """How many times as fast as in float32 products in bfloat16 are on this CPU: for few rows and for many, with a
    weight of the shape of the model's widest layers. Takes a fraction of a second.
    """
    import torch

    text = config.get_text_config()
    hidden = int(text.hidden_size)
    wide = int(getattr(text, "intermediate_size", None) or 4 * hidden)
    wide = max(1, min(wide, _LARGEST // hidden))
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(wide, hidden, generator=generator)
    few, many = (torch.randn(rows, hidden, generator=generator) for rows in (_FEW, _MANY))
    return _gain(few, weight), _gain(many, weight)


def _gain(x: torch.Tensor, weight: torch.Tensor) -> float:
    """The time of a linear layer in float32 over that in bfloat16, each the least of some, taken in turns: whatever
    else the machine does only adds to a time.
    """
    import torch
    import torch.nn.functional as F

    from onset.models.engine.linear import fast_linears

    pairs = [(x, weight), (x.bfloat16(), weight.bfloat16())]
    least = [float("inf"), float("inf")]
    with torch.no_grad(), fast_linears(x.device):
        for left, right in pairs:  # the first product of a shape makes its kernel
            F.linear(left, right)
        for _ in range(_REPEATS):
            for place, (left, right) in enumerate(pairs):
                start = time.perf_counter()
                F.linear(left, right)
                least[place] = min(least[place], time.perf_counter() - start)
    return least[0] / least[1]


def _compute(config: Any) -> int:
    import torch
    from transformers import AutoModelForCausalLM

    from onset.models.facts import count_parameters

    with torch.device("meta"):
        module = AutoModelForCausalLM.from_config(config)
        module.tie_weights()
    return count_parameters(module).compute
