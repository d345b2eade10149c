"""Samples weigh as much as the model finds them probable: self-consistency with weighted votes.

Source: Wang et al. 2022, arXiv 2203.11171, section 2 and Table 1: the probability of steps and answer given the prompt,
as the product of the tokens' probabilities or as their geometric mean ("normalized" by the output length, equation 1),
summed or averaged over the samples that give an answer. The probabilities are those at temperature 1, whatever the
samples were drawn at. With ``normalised`` and ``sum``, the defaults, it is the row that comes closest to the plain
majority there.

    18  three tokens, log-probability -3    weight exp(-3 / 3) = 0.37
    18  three tokens, log-probability -6    weight exp(-6 / 3) = 0.14      18: 0.50
    26  two tokens, log-probability -1      weight exp(-1 / 2) = 0.61      26: 0.61
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from onset.errors import MethodError
from onset.records import Answer, Item
from onset.scores import vote
from onset.votes.base import Sample, Vote, Voted


class Weighted(Vote):
    """The answer whose samples are most probable together. ``normalised``: by their lengths in tokens; ``combine``: sum
    or mean of the weights of an answer's samples.
    """

    kind: ClassVar[str] = "weighted"
    source: ClassVar[str] = "Wang et al. 2022, arXiv 2203.11171, section 2, equation 1 and Table 1"
    words: ClassVar[str] = "the answer of the largest summed probability"

    normalised: bool = True
    combine: Literal["sum", "mean"] = "sum"

    def choose(self, samples: Sequence[Sample], item: Item) -> Voted:
        """The answer of the largest weight, of equals the one that was sampled first; where no sample has an answer,
        what the majority says. ``detail``: ``weights``, each answer's share (0..1) of all weights.

        Raises MethodError where a sample with an answer has no log-probability, or no number of tokens to divide it by.
        """
        answered = [one for one in samples if one.answer.value is not None]
        unknown = sum(1 for one in answered if one.logprob is None or (self.normalised and one.tokens is None))
        if unknown:
            raise MethodError(
                f"vote 'weighted': {unknown} of {len(answered)} samples with an answer have no log-probability; this"
                " model gives none: use 'majority'"
            )
        if not answered:
            return Voted(vote([one.answer for one in samples], None))
        logs = [self._log_weight(one) for one in answered]
        highest = max(logs)  # weights of whole sequences are too small for a float: only their ratios are needed
        found: dict[str, list[float]] = {}
        for one, log in zip(answered, logs, strict=True):
            found.setdefault(str(one.answer.value), []).append(math.exp(log - highest))
        weights = {value: math.fsum(own) / (len(own) if self.combine == "mean" else 1) for value, own in found.items()}
        whole = math.fsum(weights.values())
        shares = {value: weight / whole for value, weight in weights.items()}
        return Voted(Answer(max(weights, key=lambda value: weights[value]), "ok"), {"weights": shares})

    def _log_weight(self, sample: Sample) -> float:
        logprob = sample.logprob or 0.0
        return logprob / max(1, sample.tokens or 1) if self.normalised else logprob
