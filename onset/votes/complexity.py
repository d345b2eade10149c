"""The majority among the samples with most reasoning steps: complexity-based consistency.

Source: Fu et al. 2022, arXiv 2210.00720: of N sampled chains the K most complex vote, where a step is a line
(there N = 50, and K = 30 to 40, chosen on a development set). Two things the paper leaves open: chains as complex as
the one of rank K vote too, and a chain without an answer keeps its place among the K and has no vote; ``detail`` counts
both. Chains of one line all tie, so that all vote and the answer is that of self-consistency (``kept`` equals
``samples``): ``by: sentences``, a measure of its ablations, is for these. ``simplest`` is its control.

    3 lines: 18     2 lines: 26     2 lines: 26     1 line: 26        keep 1: 18;  keep 2: three vote, 26
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from onset.demos.complexity import sentences, steps
from onset.records import Item
from onset.scores import vote
from onset.votes.base import Sample, Vote, Voted


class Complexity(Vote):
    """The majority of the ``keep`` chains with most steps (``simplest``: with fewest). ``by``: what is counted."""

    kind: ClassVar[str] = "complexity"
    source: ClassVar[str] = "Fu et al. 2022, arXiv 2210.00720"
    words: ClassVar[str] = "majority of those with most steps"

    keep: int = Field(ge=1)
    by: Literal["steps", "sentences"] = "steps"
    simplest: bool = False

    @model_validator(mode="after")
    def _no_more_than_there_are(self) -> Complexity:
        if self.keep > self.samples:
            raise ValueError(f"'keep' {self.keep} is more than 'samples' {self.samples}")
        return self

    def choose(self, samples: Sequence[Sample], item: Item) -> Voted:
        """The majority of those kept (ties of answers: `onset.scores.vote`). ``detail``: ``kept``, how many voted or
        could have, ties at the last rank included; ``bound``, the steps of the one of rank ``keep``; ``answered``, how
        many of those kept have an answer.
        """
        counted = [{"steps": steps, "sentences": sentences}[self.by](one.text) for one in samples]
        bound = sorted(counted, reverse=not self.simplest)[min(self.keep, len(counted)) - 1]
        kept = [
            one
            for one, count in zip(samples, counted, strict=True)
            if (count <= bound if self.simplest else count >= bound)
        ]
        answer = vote([one.answer for one in kept], [one.logprob for one in kept])
        answered = sum(1 for one in kept if one.answer.status == "ok")
        return Voted(answer, {"kept": len(kept), "bound": bound, "answered": answered})
