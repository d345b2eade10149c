"""Arms of made-up outcomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onset.analysis.arms import Arm
from onset.analysis.stats.bootstrap import Array


def arm(values: Array, method: str = "a", *, items: tuple[str, ...] | None = None, **changes: object) -> Arm:
    """An arm of draws x items outcomes."""
    values = np.atleast_2d(np.asarray(values, dtype=np.float64))
    draws, n = values.shape
    whole = Arm(
        model="m",
        family="f",
        params=1_000_000,
        stage="base",
        method=method,
        tune=None,
        prompt="answer-only",
        vote=None,
        labels=8,
        task="t",
        chance=0.0,
        shift="none",
        seeds=tuple(range(draws)),
        items=items or tuple(f"{index:04d}" for index in range(n)),
        twins=(None,) * n,
        values=values,
        task_hash=dict.fromkeys(range(draws), "task"),
        plan_hash={seed: f"plan{seed}" for seed in range(draws)},
        parse_rate=1.0,
        overlong=0,
        flops_query=1.0,
        flops_tuning=0.0,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def outcomes(
    rng: np.random.Generator, draws: int, items: int, gap: float, draw_noise: float = 0.2
) -> tuple[Array, Array]:
    """Correlated outcomes of two methods, the first ``gap`` logits better."""
    base = rng.normal(0, 1.5, (1, items))

    def side(shift: float) -> Array:
        logits = base + shift + rng.normal(0, 0.5, (1, items)) + rng.normal(0, draw_noise, (draws, 1))
        return (rng.random((draws, items)) < 1 / (1 + np.exp(-logits))).astype(float)

    return side(gap), side(0.0)
