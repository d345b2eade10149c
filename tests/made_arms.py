"""Outcomes that are made up: one way of asking, draws x items."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from scipy import stats

from onset.analysis.outcomes import Asked, Flops, Measure, Outcomes, Outputs, Ran
from onset.analysis.setting import Setting, steps
from onset.analysis.stats.bootstrap import Array, Block, crossed_bootstrap

_PARTS = {"at": Setting, "measure": Measure, "outputs": Outputs, "asked": Asked, "ran": Ran}


def arm(values: Array, method: str = "a", *, items: tuple[str, ...] | None = None, **changes: Any) -> Outcomes:
    """One way of asking with draws x items outcomes."""
    values = np.atleast_2d(np.asarray(values, dtype=np.float64))
    draws, n = values.shape
    whole = Outcomes(
        at=Setting("t", model="m", family="f", params=1_000_000, method=method, labels=8),
        measure=Measure("accuracy", chance=0.0),
        draws=tuple(range(draws)),
        items=items or tuple(f"{index:04d}" for index in range(n)),
        values=values,
        outputs=Outputs(statuses=(("ok",) * n,) * draws),
        twins=(None,) * n,
        versions=("task",) * draws,
        plans=tuple(f"plan{seed}" for seed in range(draws)),
        asked=Asked(prompt="answer-only"),
        ran=Ran(Flops(1.0, 0.0)),
    )
    return changed(whole, **changes)


def changed(one: Outcomes, **changes: Any) -> Outcomes:
    """``one`` with fields of its own, of its setting, measure or outputs, or of how it was asked and ran; ``stage`` in one text."""
    if "stage" in changes:
        changes["stage"] = steps(changes["stage"])
    for part, kind in _PARTS.items():
        inside = {field.name: changes.pop(field.name) for field in fields(kind) if field.name in changes}
        one = replace(one, **{part: replace(getattr(one, part), **inside)})
    return replace(one, **changes)


def outcomes(
    rng: np.random.Generator, draws: int, items: int, gap: float, draw_noise: float = 0.2
) -> tuple[Array, Array]:
    """Correlated outcomes of two methods, the first ``gap`` logits better."""
    base = rng.normal(0, 1.5, (1, items))

    def side(shift: float) -> Array:
        logits = base + shift + rng.normal(0, 0.5, (1, items)) + rng.normal(0, draw_noise, (draws, 1))
        return (rng.random((draws, items)) < 1 / (1 + np.exp(-logits))).astype(float)

    return side(gap), side(0.0)


def by_itself(*blocks: Block, replicates: int, limit: float = 2.0) -> tuple[tuple[float, float], float]:
    """Interval and p of a weighted mean of tables that nothing is pooled with: the bootstrap's; from two to five draws
    the wider of it and scipy's t over draws, and the larger p.
    """
    direct = crossed_bootstrap(blocks, replicates)
    assert direct is not None
    (low, high), p = direct.interval(), direct.p()
    if 1 < direct.draws < 6:
        over = stats.ttest_1samp(sum(block.weight * block.values.mean(axis=1) for block in blocks), 0)
        t_low, t_high = over.confidence_interval()
        low, high, p = min(low, t_low), max(high, t_high), max(p, float(over.pvalue))
    return (max(-limit, low), min(limit, high)), p
