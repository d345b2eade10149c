"""What a piece of a study will cost, guessed: floating-point operations, and seconds on this machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onset.models.peek import Size
from onset.plan import make_plan
from onset.prompting.base import guessed_chain
from onset.study.cell import Cell
from onset.tasks.base import Task
from onset.tuning.materials.base import guessed
from onset.tuning.materials.demonstrations import lengths
from onset.votes.verifier import Verifier

PREFILL_SHARE, DECODE_SHARE, TUNING_SHARE = 0.9, 0.5, 0.7
"""Shares of the measured matrix-product speed that a model reaches in prefill, decoding and training
(`benchmarks/RESULTS.md`, "What a plan says and what it takes").
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Estimated ``flops`` and ``seconds`` of a cell's inference, or of a tuning; None: not known (a model behind a
    server tells no size, and its speed is not this machine's).
    """

    flops: float | None
    seconds: float | None

    def __add__(self, other: Cost) -> Cost:
        return Cost(_sum(self.flops, other.flops), _sum(self.seconds, other.seconds))


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def learning(cell: Cell, task: Task, size: Size, speed: float | None) -> Cost:
    """Of the verifier that ``cell`` needs, the sampling of its solutions included; ``speed``: None where the model runs
    elsewhere.
    """
    tuner, vote = cell.method.tune, cell.method.vote
    if size.params_compute is None or speed is None:
        return Cost(None, None)
    assert tuner is not None
    assert isinstance(vote, Verifier)
    granted = make_plan(task, cell.seed).take(cell.labels)
    problems = [one for one in granted if one.rationale] or granted
    question, _, written = lengths(task, problems, "rationales")
    solutions, batch = len(problems) * vote.solutions, cell.method.schedule().batch_size
    rows = float(vote.epochs * solutions)
    trained = rows * (question + written + tuner.own_tokens)
    if vote.joint:
        beside = vote.epochs * math.ceil(solutions / batch) * min(batch, len(problems))
        trained += beside * (guessed(task, problems, "rationales") + tuner.own_tokens)
    each = 2.0 * size.params_compute
    flops, read, told = tuner.flops * size.params_compute * trained, each * len(problems) * question, each * written
    told *= solutions
    seconds = flops / TUNING_SHARE + read / PREFILL_SHARE + told / DECODE_SHARE
    return Cost(flops + read + told, seconds / speed)


def scoring(cell: Cell, task: Task, size: Size, prompt: float, speed: float | None) -> Cost:
    """Of the scores of the samples of every item of ``cell``, whose prompt of ``prompt`` tokens they share, as if all
    were different.
    """
    if size.params_compute is None or speed is None:
        return Cost(None, None)
    vote = cell.method.vote
    assert vote is not None
    flops = 2.0 * size.params_compute * cell.items * (prompt + vote.samples * guessed_chain(task))
    return Cost(flops, flops / (PREFILL_SHARE * speed))
