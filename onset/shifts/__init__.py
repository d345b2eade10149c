"""The table of shifts. Adding one is one file with a class of `onset.shifts.base` (a rewrite, a test set or a
perturbation of the prompt) and one line here.
"""

from __future__ import annotations

from onset.registry import Entry, Registry

SHIFTS = Registry(
    "shift",
    {
        "none": Entry("onset.shifts.base:Unshifted", "the test items as they are"),
        "typos": Entry("onset.shifts.typos:Typos", "one word in ten misspelt, first and last letters kept"),
        "longer": Entry("onset.shifts.longer:Longer", "other problems of a generated task, with more steps"),
        "test-set": Entry("onset.shifts.test_set:OtherSet", "another data set: a task, a file or a split of the hub"),
        "demo-order": Entry("onset.shifts.demo_order:DemoOrder", "the same demonstrations in another order"),
        "demo-count": Entry("onset.shifts.demo_count:DemoCount", "half of the demonstrations"),
        "wording": Entry("onset.shifts.wording:Wording", "Q: and A: for Question: and Answer:"),
        "instruction": Entry("onset.shifts.instruction:Instruction", "the instruction behind the demonstrations"),
    },
)
"""Besides these a task may bring named test sets of its own (a shift of domain): see `onset.shifts.base`."""
