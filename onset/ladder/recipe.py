"""How the models of the ladder are made: sizes, schedule, optimiser. Numbers only; `onset.ladder.pretrain` does it.

Every rung reads the same tokens in the same order with the same schedule, so that size is the one thing that differs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from onset.errors import InputError, UnknownName
from onset.ladder.tokenizer import VOCABULARY


@dataclass(frozen=True, slots=True)
class Rung:
    """A size: a Llama (Touvron et al. 2023, arXiv 2302.13971) of that ``width``, number of ``layers`` and ``heads``.

    Input and output embeddings are one matrix; every head has keys and values of its own.
    """

    name: str
    width: int
    layers: int
    heads: int

    @property
    def feed_forward(self) -> int:
        """The inner width of the feed-forward layers: 8/3 of the width, rounded to a multiple of 8."""
        return int(self.width * 8 / 3 / 8 + 0.5) * 8

    def params(self, vocabulary: int = VOCABULARY) -> int:
        """Parameters, embeddings counted once."""
        layer = 4 * self.width**2 + 3 * self.width * self.feed_forward + 2 * self.width
        return vocabulary * self.width + self.layers * layer + self.width


RUNGS: Mapping[str, Rung] = MappingProxyType(
    {
        one.name: one
        for one in (
            Rung("r0", 16, 2, 2),
            Rung("r1", 32, 2, 2),
            Rung("r2", 48, 3, 3),
            Rung("r3", 64, 4, 4),
            Rung("r4", 96, 5, 3),
            Rung("r5", 128, 6, 4),
            Rung("r6", 192, 7, 6),
            Rung("r7", 256, 8, 8),
        )
    }
)
ROPE_BASE = 10_000.0
NORM_EPSILON = 1e-6
CONTEXT = 1024
"""Positions a model is configured for; it is trained on `Schedule.sequence` of them."""


def rung(name: str) -> Rung:
    """The size of that name. Raises UnknownName."""
    if name not in RUNGS:
        raise UnknownName("rung", name, RUNGS)
    return RUNGS[name]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Batches of ``batch`` sequences of ``sequence`` tokens until ``tokens`` are read, and the learning rate's course.

    Raises InputError when the tokens do not fill one batch.
    """

    tokens: int = 163_840_000
    batch: int = 64
    sequence: int = 512
    warm_up: int = 200
    """Steps of warm-up; a tenth of all steps where that is less."""
    constant: float = 0.3
    """Share of the steps after which the rate falls."""
    floor: float = 0.02
    """Share of the peak rate at the end."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            least = self.batch * self.sequence
            raise InputError(f"training takes at least one batch of {least:,} tokens, received {self.tokens:,}")

    @property
    def steps(self) -> int:
        """Whole batches."""
        return self.tokens // (self.batch * self.sequence)

    def rate(self, step: int) -> float:
        """The share of the peak learning rate at ``step`` (0-based), in (0, 1]: linear warm-up, then constant, then a
        cosine from 1 to ``floor``.
        """
        warm = min(1.0, (step + 1) / min(self.warm_up, self.steps // 10 + 1))
        begun = self.constant * self.steps
        if step < begun:
            return warm
        fallen = (step - begun) / (self.steps - begun)
        return warm * (self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * fallen)))


@dataclass(frozen=True, slots=True)
class Optimiser:
    """Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon) for the matrices of the layers, Adam (Kingma
    and Ba 2015, arXiv 1412.6980) for embeddings and norms (see `onset.ladder.optimiser`).

    Against AdamW on a 652k model for 2,000 steps, Muon ended at a loss of .77 instead of .795.
    """

    momentum: float = 0.95
    newton_schulz: int = 5
    """Iterations of the orthogonalisation."""
    weight_decay: float = 0.05
    """Of Muon's matrices, times the learning rate."""
    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = 1e-8
    clip: float = 1.0
    """Largest norm of all gradients together."""

    def muon_rate(self, width: int) -> float:
        """The peak learning rate of the matrices."""
        return 0.03 if width <= 128 else 0.02

    def adam_rate(self, width: int) -> float:
        """The peak learning rate of embeddings and norms."""
        return min(0.006, 0.5 / width)


Drawn = Literal["weights", "order"]
"""What a seed of pretraining draws: the first weights, the order in which sequences are read."""


@dataclass(frozen=True, slots=True)
class Held:
    """What does not change with the seed of a run, and the seed it is drawn by."""

    what: Drawn
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a training run depends on but the corpus. ``seed`` is of the first weights and of the order in which
    sequences are read; one of the two has the seed of ``held`` instead, where that is given, so that runs of several
    seeds differ in the other alone.
    """

    rung: Rung
    schedule: Schedule = field(default_factory=Schedule)
    optimiser: Optimiser = field(default_factory=Optimiser)
    seed: int = 0
    held: Held | None = None

    def seed_of(self, what: Drawn) -> int:
        """The seed that the first weights, or the order of reading, are drawn by."""
        return self.held.seed if self.held is not None and self.held.what == what else self.seed

    def describe(self) -> dict[str, Any]:
        """As JSON: two recipes that differ differ here."""
        width = self.rung.width
        rates = {"muon_rate": self.optimiser.muon_rate(width), "adam_rate": self.optimiser.adam_rate(width)}
        optimiser = asdict(self.optimiser) | {"betas": list(self.optimiser.betas)} | rates
        schedule = asdict(self.schedule) | {"steps": self.schedule.steps}
        held = {} if self.held is None else {"held": asdict(self.held)}
        return {"rung": asdict(self.rung), "schedule": schedule, "optimiser": optimiser, "seed": self.seed, **held}
