r"""Templates that no labelled example has: the sentences of generated tasks in other words.

Pam has 7 fewer keys than Ray. How many keys does Pam have?
->  Pam has as many keys as Ray, minus 7. What number of keys has Pam got?
"""

from __future__ import annotations

from typing import ClassVar

from onset.shifts.base import Group
from onset.shifts.sentencewise import Patterns, Sentencewise

_N, _T = r"([A-Z]\w*)", r"([a-z]+)"
_MANY = {"twice": "doubled", "three times": "tripled", "four times": "quadrupled", "half": "halved",
         "a third": "divided by three"}  # fmt: skip

PATTERNS: Patterns = (
    (rf"{_N} (?:has|owns) (\d+) {_T}\.", r"\1 is the owner of \2 \3."),
    (rf"{_N} has (\d+) more {_T} than {_N}( has now)?\.", r"\1 has as many \3 as \4\5, plus \2."),
    (rf"{_N} has (\d+) fewer {_T} than {_N}( has now)?\.", r"\1 has as many \3 as \4\5, minus \2."),
    (rf"{_N} owns (\d+) {_T} more than {_N}\.", r"\1 has as many \3 as \4, plus \2."),
    (rf"{_N} owns (\d+) {_T} less than {_N}\.", r"\1 has as many \3 as \4, minus \2."),
    *(
        (rf"{_N} has {many} as many {_T} as {_N}(?: has( now))?\.", rf"\1 has the number of \2 that \3 has\4, {said}.")
        for many, said in _MANY.items()
    ),
    (rf"{_N} owns double the {_T} of {_N}\.", r"\1 has the number of \2 that \3 has, doubled."),
    (rf"{_N} owns half the {_T} of {_N}\.", r"\1 has the number of \2 that \3 has, halved."),
    (rf"{_N} then (?:finds|buys|gets) (\d+) more\.", r"\1 comes by another \2 after that."),
    (rf"{_N} then (?:gives away|loses|sells) (\d+) of them\.", r"\1 parts with \2 of them after that."),
    (
        rf"{_N} then splits them into (\d+) equal piles and keeps one pile\.",
        r"\1 sorts them into \2 equal piles after that and is left with one pile.",
    ),
    (rf"How many {_T} does {_N} (?:have|own)( now)?\?", r"What number of \1 has \2 got\3?"),
    (
        rf"How many {_T} do {_N} and {_N} have together( now)?\?",
        r"What number of \1 have \2 and \3 got between them\4?",
    ),
    (rf"How many more {_T} does {_N} have than {_N}( now)?\?", r"By how many \1 is \2 ahead of \3\4?"),
    (r"What is (\d+) \+ (\d+)\?", r"Add \1 and \2. What do you get?"),
    (
        r"Take the last letters of the words in (\"[^\"]+\") and concatenate them\.",
        r"Here are some words: \1. Join their final letters.",
    ),
    (r"What is the last letter of the word (\"[^\"]+\")\?", r"With which letter does the word \1 end?"),
    (rf"{_N} flips the coin\.", r"\1 turns the coin over."),
    (rf"{_N} does not flip the coin\.", r"\1 leaves the coin as it is."),
    (rf"{_N} flips it\.", r"\1 turns it over."),
    (rf"{_N} leaves it\.", r"\1 leaves it as it is."),
    (rf"The ([a-z ]+) of {_N} is {_N}\.", r"\2 has \3 as \1."),
    (rf"(?:Who|What) is ((?:the [a-z ]+ of )+){_N}\?", r"Name \1\2."),
)


class Reworded(Sentencewise):
    """Word problems, sums, last letters, coins and facts in other words."""

    kind: ClassVar[str] = "reworded"
    source: ClassVar[str] = "Zheng et al. 2023, arXiv 2305.14128; templates of our own"
    group: ClassVar[Group] = "domain"
    patterns: ClassVar[Patterns] = PATTERNS
