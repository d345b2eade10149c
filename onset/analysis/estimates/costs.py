"""What a method costs, in floating-point operations: per query, to tune, and from how many queries on tuning pays.

    Q* = C_train / (c_prompt - c_tuned)

Tuning costs C_train once and saves the demonstrations of every prompt; where it saves nothing, the answer is "never".
Inference counts 2 N a token with no reuse of shared prefixes (Kaplan et al. 2020, section 2.1), as the records do: an
engine that keeps the demonstrations' keys and values makes prompting cheaper and Q* larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onset.analysis.outcomes import Flops, Outcomes


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Queries from which a tuned method is cheaper in total than a prompting one; None: never."""

    model: str
    stage: str
    labels: int
    task: str
    shift: str
    tuned: str
    prompted: str
    queries: float | None


def break_even_queries(tuning: float, per_query_prompted: float, per_query_tuned: float) -> float | None:
    """Q* for FLOPs of tuning and of one query on either side; None when a tuned query costs no less."""
    saved = per_query_prompted - per_query_tuned
    return tuning / saved if saved > 0 else None


def break_evens(arms: Sequence[Outcomes]) -> tuple[BreakEven, ...]:
    """Every tuned method against every prompting method with the same model, stage, labels, task and shift."""
    groups: dict[tuple[str, str, int, str, str], list[Outcomes]] = {}
    for arm in arms:
        groups.setdefault((arm.model, arm.stage, arm.labels, arm.task, arm.shift), []).append(arm)
    return tuple(
        _break_even(tuned, tuned.ran.flops, prompted, prompted.ran.flops)
        for group in groups.values()
        for tuned in group
        if tuned.tuned and tuned.ran.flops is not None
        for prompted in group
        if not prompted.tuned and prompted.ran.flops is not None
    )


def _break_even(tuned: Outcomes, once: Flops, prompted: Outcomes, other: Flops) -> BreakEven:
    queries = break_even_queries(once.tuning, other.query, once.query)
    return BreakEven(
        model=tuned.model,
        stage=tuned.stage,
        labels=tuned.labels,
        task=tuned.task,
        shift=tuned.shift,
        tuned=tuned.method,
        prompted=prompted.method,
        queries=queries,
    )
