"""The table of shifts. Adding one is one file with a `onset.shifts.base.Shift` and one line here."""

from __future__ import annotations

from onset.registry import Entry, Registry

SHIFTS = Registry(
    "shift",
    {
        "none": Entry("onset.shifts.base:Unshifted", "the test items as they are"),
        "typos": Entry("onset.shifts.typos:Typos", "one word in ten misspelt, first and last letters kept"),
    },
)
"""Besides these a task may bring named test sets of its own (a shift of domain): see `onset.shifts.base`."""
