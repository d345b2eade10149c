"""Choices of demonstrations: which of the granted examples a prompt shows. One file each, one line in this table.

A choice is a `onset.demos.base.Choice`: settings and ``rank(examples, task, item)``.
"""

from __future__ import annotations

from onset.registry import Entry, Registry

DEMOS = Registry(
    "choice of demonstrations",
    {
        "random": Entry("onset.demos.random:Random", "as the plan draws them, at random (the default)"),
    },
)
