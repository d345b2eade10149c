"""Votes: how one answer is taken of several samples. One file a vote, one line in this table.

A vote is a `onset.votes.base.Vote`: settings and ``choose(samples, item)``.
"""

from __future__ import annotations

from onset.registry import Entry, Registry

VOTES = Registry(
    "vote",
    {
        "majority": Entry("onset.votes.majority:Majority", "the answer that most samples give (self-consistency)"),
        "complexity": Entry(
            "onset.votes.complexity:Complexity", "the majority of the samples with most reasoning steps"
        ),
        "weighted": Entry("onset.votes.weighted:Weighted", "the answer whose samples are most probable together"),
        "verifier": Entry(
            "onset.votes.verifier:Verifier", "the samples that a verifier, tuned beside the generator, ranks highest"
        ),
    },
)
