"""Answers of BIG-Bench Hard, of the kind of each gold answer."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

from onset.answers.choices import extract_choice, gold_choice
from onset.answers.evidence import Reading, extract
from onset.answers.numbers import NumberFormat, canonical_number
from onset.answers.text import canonical_verbatim, is_gold_text, read_bare_line, read_line
from onset.records import Answer, Item, Score
from onset.scores import exact_match

_PAIRS = {word: pair for pair in (("yes", "no"), ("true", "false"), ("valid", "invalid")) for word in pair}
_LETTERS = tuple(f"({letter})" for letter in string.ascii_uppercase[:18])
"""No BBH question has more than 18 options."""
_VERBATIM_END = re.compile(r"\.[*_`\"'”’$]*\s*$")
_LONGEST_VERBATIM = 100


@dataclass(frozen=True, slots=True)
class BBHFormat:
    """The answers of BIG-Bench Hard, whose 27 subtasks have four kinds of them.

    The kind is the kind of the gold answer, so that texts can be graded without the data: an option letter ``(B)``, one
    of a pair (yes/no, true/false, valid/invalid), a number, or open text (brackets, sorted words: compared as
    `canonical_verbatim`). Options are ``item.choices`` where the item has them. Suzgun et al. 2022 (arXiv 2210.09261)
    take what follows "the answer is"; on their released Codex outputs this format gives their scores.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The answer in ``text``, of the kind of ``item.answer``."""
        options = _bbh_options(item)
        if options:
            return extract_choice(text, item, options, truncated=truncated)
        if canonical_number(item.answer) is not None:
            return NumberFormat().extract(text, item, truncated=truncated)

        def read(segment: str) -> Reading:
            return read_line(segment, canonical_verbatim, _VERBATIM_END)

        def bare(whole: str) -> Reading:
            return read_bare_line(whole, canonical_verbatim, _LONGEST_VERBATIM)

        return extract(text, item, read, read, bare, truncated=truncated)

    def score(self, answer: Answer, item: Item) -> Score:
        """Is the answer the gold one? Raises DataError when the gold answer is empty or not among the choices."""
        options = _bbh_options(item)
        if options:
            return Score(exact_match(answer, gold_choice(item.answer, options)))
        if canonical_number(item.answer) is not None:
            return NumberFormat().score(answer, item)
        return Score(is_gold_text(answer, item, canonical_verbatim))


def _bbh_options(item: Item) -> tuple[str, ...] | None:
    """The allowed answers: the item's own, else those of the gold answer's kind; None for numbers and open text."""
    gold = item.answer.strip()
    if item.choices:
        return item.choices
    if gold in _LETTERS:
        return _LETTERS
    pair = _PAIRS.get(gold.casefold())
    if pair is None:
        return None
    return tuple(word.capitalize() for word in pair) if gold[0].isupper() else pair
