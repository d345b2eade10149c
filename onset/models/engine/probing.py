"""The probe: does a model, run by the engine, compute what it computes by itself?

No list of architectures could be kept true, so every model is tried out before its first request: a few short rows go
through all three modes and their logits are compared with plain forward passes. What a short trial cannot see, because
it shows only in long texts, is read from the configuration. A model that does not pass is run the plain way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from onset.models.engine.decode import decode
from onset.models.engine.encode import Encode
from onset.models.engine.fixed import Recorder, Steps
from onset.models.engine.hook import forward
from onset.models.engine.memory import is_out_of_memory
from onset.models.engine.prefill import prefill
from onset.models.engine.scoring import Tree, tree_logits
from onset.models.engine.storage import Block, Shape, Shared, Slots
from onset.models.stepper import Stepper, forward_arguments, vocabulary_size

CLOSE = 1e-3
"""Largest difference of a logit in float32, where logits vary by less than one in standard deviations."""

TIMES_ROUNDING = 5.0
"""In types of fewer digits: how many times more, in root mean square, the engine's logits may differ from plain ones
than those of a padded batch do."""

_TRUNK = 24
_OWN = (3, 9, 5)
"""Tokens of three rows after the trunk; further two rows share a branch."""
_BRANCH = 4
_STEPS = 3


class Unfit(Exception):
    """Why a model cannot be run by the engine, in words that end a sentence."""


@dataclass(frozen=True)
class _Trial:
    """The tokens of the trial: those of the trunk, of three rows, of a branch, and [rows, steps] that follow them."""

    trunk: tuple[int, ...]
    own: tuple[tuple[int, ...], ...]
    branch: tuple[int, ...]
    steps: tuple[tuple[int, ...], ...]

    @classmethod
    def drawn(cls, vocabulary: int) -> _Trial:
        """The same tokens at every trial."""
        rng = np.random.default_rng(0)

        def some(count: int) -> tuple[int, ...]:
            return tuple(rng.integers(vocabulary, size=count).tolist())

        rows = len(_OWN) + 2
        return cls(some(_TRUNK), tuple(map(some, _OWN)), some(_BRANCH), tuple(some(_STEPS) for _ in range(rows)))

    @property
    def texts(self) -> list[tuple[int, ...]]:
        """Each row whole: what it has behind the trunk before its steps."""
        return [*self.own, self.branch, self.branch]


def probe(module: Any) -> Shape:
    """The shape of ``module``'s keys and values. Raises Unfit when the engine cannot run it; memory errors pass."""
    return _probe(module, None)


def probe_recording(module: Any, recorder: Recorder) -> None:
    """Try out a ``module`` that has passed once more, with steps recorded and played again. Raises Unfit when that
    cannot be done or computes something else; memory errors pass.
    """
    _probe(module, recorder)


def _probe(module: Any, recorder: Recorder | None) -> Shape:
    missing = {"position_ids", "logits_to_keep"} - forward_arguments(module)
    if missing:
        raise Unfit(f"its forward takes no {min(missing)}")
    config = module.config.get_text_config()
    _check_positions(config)
    trial = _Trial.drawn(vocabulary_size(module))
    try:
        expected = _plain(module, trial)
        rounding = None if torch.finfo(expected.dtype).bits >= 32 else _rms(_padded(module, trial), expected)
        shape, trunk = _measure(module, trial, config)
        generated = _generating(module, trial, shape, trunk, recorder)
        scored = _scoring(module, trial, shape, trunk)
    except Unfit:
        raise
    except Exception as error:  # whatever an architecture that was made to be run in other ways raises
        if is_out_of_memory(error):
            raise
        first = str(error).strip().partition("\n")[0]
        raise Unfit(f"trying it out raised {type(error).__name__}: {first}"[:200]) from error
    for found, same in ((generated, expected), (scored, expected[-2:])):
        _compare(found, same, rounding)
    return shape


def _check_positions(config: Any) -> None:
    """Raises Unfit for rotary embeddings that depend on the length of the whole text, which rows do not share, and for
    layers that attend in another way in long texts.
    """
    given = getattr(config, "rope_parameters", None) or {}
    for one in (given, *(part for part in given.values() if isinstance(part, dict))):
        kind = one.get("rope_type", "default")
        if kind in ("dynamic", "longrope"):
            raise Unfit(f"its rotary embedding is of type {kind}: it changes with the length of the text")
    strange = sorted(set(getattr(config, "layer_types", None) or ()) - {"full_attention", "sliding_attention"})
    if strange:
        raise Unfit(f"it has layers of type {strange[0]}")
    if getattr(config, "attn_temperature_tuning", None):
        raise Unfit("its attention changes with the position")


def _plain(module: Any, trial: _Trial) -> Tensor:
    """Logits by one plain forward pass a row, after what it has behind the trunk and after each of its steps:
    [rows, 1 + steps, vocabulary].
    """
    device = module.get_input_embeddings().weight.device
    logits = []
    for own, steps in zip(trial.texts, trial.steps, strict=True):
        row = torch.tensor([[*trial.trunk, *own, *steps]], device=device)
        with torch.no_grad():
            logits.append(module(input_ids=row, use_cache=False).logits[0, -1 - len(steps) :])
    return torch.stack(logits)


def _measure(module: Any, trial: _Trial, config: Any) -> tuple[Shape, Shared]:
    """Encode the trunk and see what shape its keys and values have."""
    device = module.get_input_embeddings().weight.device
    running = Encode(trial.trunk)
    row = torch.tensor([trial.trunk], device=device)
    forward(module, row, torch.arange(_TRUNK, device=device)[None], 1, running)
    trunk = running.trunk
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"] * len(running.windows)
    window = getattr(config, "sliding_window", None)
    expected = [window if kind == "sliding_attention" else None for kind in kinds]
    if running.windows != expected:
        raise Unfit("its layers do not tell the attention function their sliding windows")
    layers = tuple(
        (keys.shape[0], keys.shape[2], values.shape[2]) for keys, values in zip(trunk.keys, trunk.values, strict=True)
    )
    return Shape(layers, trunk.keys[0].dtype, device), trunk


def _generating(module: Any, trial: _Trial, shape: Shape, trunk: Shared, recorder: Recorder | None) -> Tensor:
    """The logits of `_plain` by prefill and decode, the first step as it is and further ones recorded if there is a
    ``recorder``.
    """
    # One slot stays free: recorded steps run it too.
    slots = Slots(shape, [Block(0, len(trial.texts) + 1, max(map(len, trial.own)) + _STEPS, 0)])
    branch = Shared(trial.branch, _TRUNK)
    last = len(trial.own)
    rows = [(row, row) for row in range(last)]
    first = prefill(module, trunk, [*trial.own, trial.branch], slots, rows, [(last, branch)])
    logits = [first[[*range(last), last, last]]]
    lengths = np.array([*map(len, trial.own), 0, 0], dtype=np.int64)
    bases = np.array([_TRUNK] * last + [branch.end] * 2, dtype=np.int64)
    recorded = None if recorder is None else Steps(module, trunk, slots, recorder, (2, len(trial.branch) + 1))
    take: Callable[..., Tensor] = recorded or partial(decode, module, trunk, slots)
    for step in range(_STEPS):
        tokens = np.array([row[step] for row in trial.steps], dtype=np.int64)
        logits.append(take(tokens, lengths, bases, [(branch, (last, last + 1))]).clone())
        lengths = lengths + 1
    if recorded is not None and recorded.refused is not None:
        raise Unfit(f"recording a step raised {recorded.refused}"[:200])
    return torch.stack(logits, dim=1)


def _scoring(module: Any, trial: _Trial, shape: Shape, trunk: Shared) -> Tensor:
    """The logits of `_plain` for the two rows of the branch, as a tree whose leaves are their steps."""
    tree = Tree(trial.branch, tuple((*steps, 0) for steps in trial.steps[-2:]), (0, 1))
    logits = tree_logits(module, trunk, [tree], shape)
    one = list(range(1, 1 + _STEPS))
    return torch.stack([logits[[0, *one]], logits[[0, *(place + _STEPS for place in one)]]])


def _padded(module: Any, trial: _Trial) -> Tensor:
    """The logits of `_plain` by another plain way, a left-padded batch with a cache."""
    stepper = Stepper(module)
    logits = [stepper.prefill([trial.trunk + own for own in trial.texts])]
    for step in range(_STEPS):
        logits.append(stepper.step([[row[step]] for row in trial.steps])[:, -1])
    return torch.stack(logits, dim=1)


def _compare(found: Tensor, expected: Tensor, rounding: float | None) -> None:
    """Raises Unfit where logits differ by more than rounding explains (or are not numbers)."""
    if rounding is None:
        close = CLOSE
        difference = float((found - expected).abs().max()) / min(1.0, float(expected.std()))
    else:
        close, difference = TIMES_ROUNDING * rounding, _rms(found, expected)
    if not difference <= close:
        raise Unfit(f"its logits differ by {difference:.2g} from those of plain forward passes (at most {close:.2g})")


def _rms(found: Tensor, expected: Tensor) -> float:
    """The root mean square difference."""
    return float((found.float() - expected.float()).square().mean().sqrt())
