"""The contract of a vote: one answer out of several samples. It reads a bank of samples and never asks.

Two votes that read the same bank (`Vote.bank`) share its samples: the second is read from what the first sampled.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import Field

from onset.records import Answer, Item, Sampling
from onset.step import Step, short

DEFAULT_TEMPERATURE = 0.7
"""Wang et al. 2022, section 3.1 (PaLM and GPT-3); only a vote samples."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of an answer: its ``text``, the ``answer`` read from it, the sum of its tokens' log-probabilities
    (nats at temperature 1; None: not known), how many ``tokens`` that is (None: not known) and a verifier's ``score``
    of it (`onset.tuning.verifier`; None: there is none).
    """

    text: str
    answer: Answer
    logprob: float | None
    tokens: int | None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Voted:
    """The ``answer`` that was chosen, and what else is to be kept of the choice (plain JSON)."""

    answer: Answer
    detail: Mapping[str, Any] = field(default_factory=dict)


class Vote(Step):
    """Settings that every vote has: how the samples are drawn (`onset.records.Sampling`)."""

    verified: ClassVar[bool] = False
    """Does it read a verifier's scores (`Sample.score`)?"""

    samples: int = Field(ge=2, le=1000)
    temperature: float = Field(default=DEFAULT_TEMPERATURE, gt=0, le=5)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)

    @property
    def sampling(self) -> Sampling:
        """How the samples are drawn."""
        return Sampling(self.samples, self.temperature, self.top_p, self.top_k)

    def bank(self) -> dict[str, Any]:
        """What decides the samples, as plain JSON."""
        return _drawn(self)

    def learning(self) -> dict[str, Any]:
        """Of a vote that is `verified` what the verifier's training depends on beside its generator, as plain JSON."""
        return {}

    def spec(self) -> dict[str, Any]:
        """How the samples are drawn is always said, the kind where it is not the plain majority."""
        own = {key: value for key, value in self.set().items() if key not in ("samples", "temperature")}
        named = {} if self.kind == "majority" else {"kind": self.kind}
        return {**named, "samples": self.samples, "temperature": self.temperature, **own}

    def label(self) -> str:
        """``vote20``, ``complexity20-keep10``: what differs from the defaults."""
        name = "vote" if self.kind == "majority" else self.kind
        parts = [f"{name}{self.samples}"]
        if self.temperature != DEFAULT_TEMPERATURE:
            parts.append(f"t{self.temperature:g}")
        parts += [f"{key.replace('_', '')}{short(value)}" for key, value in _others(self).items()]
        return "-".join(parts)

    @abstractmethod
    def choose(self, samples: Sequence[Sample], item: Item) -> Voted:
        """One answer of ``samples`` (in the order in which they were drawn). Pure."""


def _drawn(vote: Vote) -> dict[str, Any]:
    said = vote.set()
    return {"samples": vote.samples, "temperature": vote.temperature} | {
        key: said[key] for key in ("top_p", "top_k") if key in said
    }


def _others(vote: Vote) -> dict[str, Any]:
    return {key: value for key, value in vote.set().items() if key not in ("samples", "temperature")}
