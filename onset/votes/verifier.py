"""The samples that a verifier finds best: re-ranking, and a vote among those ranked highest.

Source: Cobbe et al. 2021, arXiv 2110.14168, section 4.2: N solutions are sampled, each is scored by a verifier that was
trained to tell right ones from wrong ones, and the best is taken; of more than one (``keep``) the majority (section
4.3, figure 7). How the verifier is trained and scores: `onset.tuning.verifier`. The samples are those that a majority
over the same number reads (`onset.votes.base.Vote.bank`): its control at an equal number of samples.

    0.9 18    0.8 26    0.7 26    0.1 18        keep 1: 18;  keep 3: 26;  keep 4: two each, 18 has the best one
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from onset.errors import MethodError
from onset.records import Answer, Item
from onset.scores import vote
from onset.votes.base import Sample, Vote, Voted


class Verifier(Vote):
    """The answer of the sample with the highest score; with ``keep`` above 1 the majority of so many of the highest;
    ``weighted``: each of them counts its score, within 0 and 1, and not one.

    The verifier is trained on ``solutions`` samples for every granted example that has a rationale, drawn as those that
    vote, for ``epochs`` passes over them; ``joint``: with the loss of language modelling on the worked steps beside its
    own. ``rate``: its peak learning rate (None: that of the generator).

    Of equal scores the sample drawn first ranks higher; equal shares of a vote go to the answer of the best sample. A
    sample without an answer keeps its place among the ``keep`` and has no vote; a sample without a score (it does not
    fit the context) ranks last.
    """

    kind: ClassVar[str] = "verifier"
    source: ClassVar[str] = "Cobbe et al. 2021, arXiv 2110.14168, sections 4.2 and 4.3, appendix E"
    words: ClassVar[str] = "what a verifier trained on solutions of the examples ranks highest"
    verified: ClassVar[bool] = True

    keep: int = Field(default=1, ge=1)
    weighted: bool = False
    solutions: int = Field(default=100, ge=1, le=1000)
    epochs: int = Field(default=1, ge=1)
    joint: bool = True
    rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _no_more_than_there_are(self) -> Verifier:
        if self.keep > self.samples:
            raise ValueError(f"'keep' {self.keep} is more than 'samples' {self.samples}")
        return self

    def learning(self) -> dict[str, Any]:
        """What the verifier's training depends on beside its generator, as plain JSON: votes with the same share it."""
        drawn = {key: one for key, one in self.bank().items() if key != "samples"}
        return drawn | {key: getattr(self, key) for key in ("solutions", "epochs", "joint", "rate")}

    def choose(self, samples: Sequence[Sample], item: Item) -> Voted:
        """The answer of those ranked highest. ``detail``: ``ranked``, the places of the ``keep`` best, best first;
        ``answered``, how many of them have an answer.

        Raises MethodError where no sample has a score.
        """
        if all(one.score is None for one in samples):
            raise MethodError(
                f"vote 'verifier': none of {len(samples)} samples has a verifier's score: nothing ranks them"
            )

        def height(place: int) -> float:
            score = samples[place].score
            return -math.inf if score is None else score

        ranked = sorted(range(len(samples)), key=height, reverse=True)[: self.keep]
        kept = [samples[place] for place in ranked]
        weights: dict[str, float] = {}
        for one in kept:
            if one.answer.value is not None:
                counts = min(1.0, max(0.0, one.score or 0.0)) if self.weighted else 1.0
                weights[one.answer.value] = weights.get(one.answer.value, 0.0) + counts
        detail = {"ranked": ranked, "answered": sum(one.answer.value is not None for one in kept)}
        if not weights:
            return Voted(vote([one.answer for one in kept], None), detail)
        return Voted(Answer(max(weights, key=lambda value: weights[value]), "ok"), detail)
