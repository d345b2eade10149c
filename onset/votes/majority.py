"""The majority of the samples' answers: self-consistency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from onset.records import Item
from onset.scores import vote
from onset.votes.base import Sample, Vote, Voted


class Majority(Vote):
    """The answer that most samples give, each counting once (Wang et al. 2022, arXiv 2203.11171, section 2, the
    "unweighted sum" row of Table 1). Ties and samples without an answer: `onset.scores.vote`. Two right
    answers of an item with several are two answers here: nothing that a vote sees tells which answers are right.
    """

    kind: ClassVar[str] = "majority"
    source: ClassVar[str] = "Wang et al. 2022, arXiv 2203.11171, section 2"
    words: ClassVar[str] = "majority"

    def choose(self, samples: Sequence[Sample], item: Item) -> Voted:
        """The majority; ``item`` is not looked at."""
        return Voted(vote([one.answer for one in samples], [one.logprob for one in samples]))
