"""Choices of demonstrations: which of the granted examples a prompt shows. One file each, one line in this table.

A choice is a `onset.demos.base.Choice`: settings and ``rank(examples, task, item)``.
"""

from __future__ import annotations

from onset.registry import Entry, Registry

DEMOS = Registry(
    "choice of demonstrations",
    {
        "random": Entry("onset.demos.random:Random", "as the plan draws them, at random (the default)"),
        "balanced": Entry("onset.demos.balanced:Balanced", "each label equally often"),
        "nearest": Entry("onset.demos.nearest:Nearest", "the nearest to each question, by BM25"),
        "complex": Entry("onset.demos.complex:Complex", "those with most reasoning steps"),
        "simple": Entry("onset.demos.simple:Simple", "those with fewest reasoning steps (a control)"),
        "longest": Entry("onset.demos.longest:Longest", "the longest ones (a control)"),
        "fixed": Entry("onset.demos.fixed:Fixed", "those you name, by id or position, in that order"),
    },
)
