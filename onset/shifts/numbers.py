"""Other numbers, and the answer that they give.

    Ray has 17 keys. Pam has 7 fewer keys than Ray. (10)  ->  Ray has 24 keys. Pam has 9 fewer keys than Ray. (15)

A model that has read the test set knows the old answer. Where the task works its problems out, every number is drawn
anew: with as many digits, at most twice or half as large, and in the range that the labelled examples have, so that it
is no shift of size. Of GSM8K, whose solutions have their sums annotated (``<<48/2=24>>``), these are the numbers of a
question that stand once in it and once in the sums, and the sums are done again, where every operand is known: a number
of the question, an earlier result or a common constant. Whole results stay whole and positive ones positive.

Source: GSM-Plus, Li et al. 2024, arXiv 2402.19255 (numerical variation), by hand there.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Set
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import ClassVar

from onset.chains.arithmetic import result_of, tokens_of
from onset.records import Item
from onset.shifts.base import Group, Rewrite, Shift
from onset.shifts.text import Span, found, replaced
from onset.tasks.base import Task
from onset.tasks.checks import question_key

_NUMBER = re.compile(r"(?<![\w.,/$€%:-])\$?(\d{1,6})(?![\w/%]|[.,:]\d|-\w| ?[aApP]\.?[mM]\b| o'clock)")
_PLAIN = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_FIXED = frozenset({1, 2, 3, 4, 7, 10, 12, 24, 30, 50, 52, 60, 100, 365, 1000})
"""Of GSM8K: numbers that a solution may take from elsewhere (days of a week, a half, a hundredth)."""
_TRIES = 200
_STATED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+")
_BELOW_20 = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_SPELT = {word: at for at, word in enumerate(_BELOW_20.split())}
_TENS = dict(
    zip(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), range(20, 100, 10), strict=True)
)
_WORD = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[- ]({'|'.join([*_SPELT][1:10])}))?|({'|'.join(_SPELT)}))\b", re.IGNORECASE
)


class EditedNumbers(Shift):
    """Other numbers with the answer worked out anew; an item without numbers that can be changed safely stays."""

    kind: ClassVar[str] = "edited-numbers"
    source: ClassVar[str] = "Li et al. 2024 (GSM-Plus), arXiv 2402.19255"
    group: ClassVar[Group] = "adversarial"
    touches: ClassVar[frozenset[str]] = frozenset({"question", "context", "answer", "rationale"})

    def check_task(self, task: Task) -> None:
        """Raises DataError for a task whose answers cannot be worked out, or do not follow from numbers."""
        if task.solver is None and not any("sums" in item.meta for item in task.test):
            raise self.refuse(task, "its answers cannot be worked out: it is not generated, and has no annotated sums")
        if not any(found(_NUMBER, item.question) or "\n" in item.question for item in task.test):
            raise self.refuse(task, "its questions have no numbers")

    def rewrite(self, item: Item, task: Task) -> Item:
        """The item with other numbers."""
        return self.rewriting(task)(item)

    def rewriting(self, task: Task) -> Rewrite:
        """Which questions the task has already, labelled or to be asked (none is made again), and which numbers its
        labelled examples have, is found out once.
        """
        known, seen = {question_key(item) for item in (*task.pool, *task.test)}, _seen(task)
        return lambda item: self._edited(item, task, known, seen)

    def _edited(self, item: Item, task: Task, known: Set[Hashable], seen: Mapping[int, Span]) -> Item:
        rng = self.rng(item)
        if task.solver is None:
            return _by_sums(rng, item, seen)
        places = [one.span(1) for one in _NUMBER.finditer(item.question)]
        solved = task.solver.solve(item)
        if not places or solved is None or solved.answer != item.answer:
            return item
        for _ in range(_TRIES):
            edits = [(start, end, str(_near(rng, int(item.question[start:end]), seen))) for start, end in places]
            other = replace(item, question=replaced(item.question, edits))
            new = None if question_key(other) in known else task.solver.solve(other)
            if new is not None and other.question != item.question and (new.answer != item.answer or item.choices):
                return replace(other, answer=new.answer, rationale=new.rationale)
        return item


def _seen(task: Task) -> dict[int, Span]:
    """By the number of digits, the smallest and the largest number in the questions of the labelled examples."""
    numbers = sorted(int(one) for item in task.pool for one in _NUMBER.findall(item.question))
    of: dict[int, list[int]] = {}
    for one in numbers:
        of.setdefault(len(str(one)), []).append(one)
    return {digits: (held[0], held[-1]) for digits, held in of.items()}


def _near(rng: Random, value: int, seen: Mapping[int, Span]) -> int:
    """A number of as many digits, at most twice and at least half as large, and in the range that examples have."""
    digits = len(str(value))
    smallest, largest = seen.get(digits, (1, 10**digits))
    low = max(2 if digits == 1 else 10 ** (digits - 1), -(-value // 2), min(smallest, value))
    high = min(10**digits - 1, 2 * value, max(largest, value))
    return rng.randint(low, high) if low < high else value


def _by_sums(rng: Random, item: Item, seen: Mapping[int, Span]) -> Item:
    """A GSM8K problem whose annotated sums are done again with other numbers."""
    annotated = re.sub(r"(?<=\d),(?=\d{3})", "", str(item.meta.get("sums", "")))
    sums = [one.partition("=") for one in annotated.split(";") if "=" in one]
    if not sums or _value(sums[-1][2]) != _value(item.answer):
        return item
    results = {_value(result) for _, _, result in sums}
    operands = [Fraction(one) for left, _, _ in sums for one in _PLAIN.findall(left)]
    places = [one.span(1) for one in found(_NUMBER, item.question)]
    values = [int(item.question[start:end]) for start, end in places]
    stated, spelt = _stated(item.question), _spelt(item.question)
    free = [
        (start, end)
        for (start, end), value in zip(places, values, strict=True)
        if value not in _FIXED and value not in spelt and values.count(value) == operands.count(Fraction(value)) == 1
        and Fraction(value) not in results and stated.count(Fraction(value)) == 1
    ]  # fmt: skip
    elsewhere = {*stated, *spelt, *map(Fraction, _FIXED)}
    if not _all_known(sums, elsewhere):
        return item
    for _ in range(_TRIES if free else 0):
        changed = {Fraction(int(item.question[start:end])): (start, end) for start, end in free}
        new = {value: Fraction(_near(rng, int(value), seen)) for value in changed}
        answer = _again(sums, new, elsewhere)
        if (
            answer is None
            or answer == _value(item.answer)
            or not _alike(values, {int(a): int(b) for a, b in new.items()})
        ):
            continue
        edits = [(*span, str(int(new[value]))) for value, span in changed.items()]
        return replace(item, question=replaced(item.question, edits), answer=_written(answer), rationale=None)
    return item


def _stated(text: str) -> list[Fraction]:
    """The numbers that ``text`` has in digits, in order."""
    return [Fraction(one.replace(",", "")) for one in _STATED.findall(text)]


def _spelt(text: str) -> frozenset[Fraction]:
    """The numbers below a hundred that ``text`` has in words."""
    return frozenset(
        Fraction(
            _TENS[one[1].casefold()] + _SPELT[(one[2] or "zero").casefold()] if one[1] else _SPELT[one[3].casefold()]
        )
        for one in _WORD.finditer(text)
    )


def _all_known(sums: list[tuple[str, str, str]], known: Set[Fraction]) -> bool:
    """Is every operand ``known`` or the result of a sum before? Where one comes from a step that is not annotated,
    nobody can say what it would be with other numbers.
    """
    held = set(known)
    for left, _, result in sums:
        if not held >= {Fraction(one) for one in _PLAIN.findall(left)}:
            return False
        held |= {value for value in [_value(result)] if value is not None}
    return True


def _alike(values: list[int], new: Mapping[int, int]) -> bool:
    """Do the numbers of the question stand in the same order of size? (What is a part stays a part.)"""
    after = [new.get(one, one) for one in values]
    pairs = [(a, b) for a in range(len(values)) for b in range(a)]
    return all((values[a] < values[b]) == (after[a] < after[b]) for a, b in pairs)


def _again(
    sums: list[tuple[str, str, str]], new: Mapping[Fraction, Fraction], elsewhere: Set[Fraction]
) -> Fraction | None:
    """The last result, with ``new`` numbers in the place of old ones; None where one is not as whole, or positive, and
    where a number may be a result that has changed or one that stands ``elsewhere`` and has not.
    """
    known, last = dict(new), None
    moved: set[Fraction] = set()
    for left, _, result in sums:
        old = _value(result)
        if old is None or result_of(tokens_of(left)) != old:
            return None
        if moved & elsewhere & {Fraction(one) for one in _PLAIN.findall(left)}:
            return None
        text = _PLAIN.sub(lambda one: _plain(known.get(Fraction(one.group()), Fraction(one.group()))), left)
        value = result_of(tokens_of(text))
        if value is None or value <= 0 or (old.denominator == 1 and value.denominator != 1) or 100 % value.denominator:
            return None
        if old not in known or known[old] == value:
            known[old] = value
        else:
            return None  # two different quantities of one size: which is meant cannot be told
        moved |= {old} if value != old else set()
        last = value
    return last


def _value(text: str) -> Fraction | None:
    plain = text.strip().replace(",", "").replace("$", "")
    return Fraction(plain) if re.fullmatch(r"-?\d+(?:\.\d+)?", plain) else None


def _plain(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.10g}"


_written = _plain
