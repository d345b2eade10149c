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
        "letters": Entry("onset.shifts.letters:Letters", "one letter in twenty missing, added, wrong or swapped"),
        "casing": Entry("onset.shifts.casing:Casing", "everything in capitals"),
        "spacing": Entry("onset.shifts.spacing:Spacing", "spaces missing, doubled or within a word"),
        "punctuation": Entry("onset.shifts.punctuation:Punctuation", "half of the marks missing or doubled"),
        "fillers": Entry("onset.shifts.fillers:Fillers", "filler words, as in speech"),
        "other-names": Entry("onset.shifts.names:OtherNames", "first names that no labelled example has"),
        "other-things": Entry("onset.shifts.things:OtherThings", "things that no labelled example tells of"),
        "other-units": Entry("onset.shifts.units:OtherUnits", "kilometres for miles, euros for dollars"),
        "reworded": Entry("onset.shifts.reworded:Reworded", "generated tasks in other words"),
        "irrelevant": Entry("onset.shifts.irrelevant:Irrelevant", "a sentence that does not matter"),
        "reordered": Entry("onset.shifts.reordered:Reordered", "premises in another order"),
        "edited-numbers": Entry("onset.shifts.numbers:EditedNumbers", "other numbers, the answer worked out anew"),
        "negated": Entry("onset.shifts.negated:Negated", "what is done told by negations"),
        "overlap": Entry("onset.shifts.overlap:Overlap", "a fact with the words of the question and a wrong value"),
        "option-order": Entry("onset.shifts.option_order:OptionOrder", "the options in another order"),
        "longer": Entry("onset.shifts.longer:Longer", "other problems of a generated task, with more steps"),
        "test-set": Entry("onset.shifts.test_set:OtherSet", "another data set: a task, a file or a split of the hub"),
        "demo-order": Entry("onset.shifts.demo_order:DemoOrder", "the same demonstrations in another order"),
        "demo-count": Entry("onset.shifts.demo_count:DemoCount", "half of the demonstrations"),
        "wording": Entry("onset.shifts.wording:Wording", "Q: and A: for Question: and Answer:"),
        "instruction": Entry("onset.shifts.instruction:Instruction", "the instruction behind the demonstrations"),
    },
)
"""Besides these a task may bring named test sets of its own (a shift of domain): see `onset.shifts.base`."""
