"""Addition of two numbers of ``digits`` digits, worked column by column with carries.

    Question: What is 347 + 589?
    Answer: Ones: 7 + 9 = 16, write 6, carry 1. Tens: 4 + 8 + 1 = 13, write 3, carry 1. Hundreds: 3 + 5 + 1 = 9,
    write 9. From left to right this is 936. The answer is 936.

The task of Brown et al. 2020 (arXiv 2005.14165, section 3.9.1) with the worked steps of a scratchpad
(Nye et al. 2021, arXiv 2112.00114, section 2). Operands have exactly ``digits`` digits (0 to 9 when 1). The key
of a problem is its two operands in increasing order: ``a + b`` and ``b + a`` are on the same side.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import partial

from onset.answers import NumberFormat
from onset.chains.steps import Claims
from onset.records import Item
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.generated import ENUMERABLE, Problem, Space, further, labelled, sample, token_limit, whole
from onset.tasks.solving.small import Sums
from onset.tasks.traces import of_sum

NAME = "addition"
DEFAULT_DIGITS = 3
_COLUMNS = ("Ones", "Tens", "Hundreds", "Thousands")
CLAIMS = Claims(
    (
        r"\b(?P<key>Ones|Tens|Hundreds|Thousands|Column \d+):"
        r" (?P<value>\d \+ \d(?: \+ \d)? = \d+, write \d(?:, carry \d)?)",
        r"\b(?P<key>Write the last carry) (?P<value>\d+)",
        r"\b(?P<key>From left to right this is) (?P<value>\d+)",
    )
)
"""A column, the digits of its operands included; the last carry; the sum as it is put together."""


def answer_format() -> AnswerFormat:
    """A number."""
    return NumberFormat()


def load(*, digits: int = DEFAULT_DIGITS, pool: int = 512, test: int = 200, seed: int = 0) -> list[Task]:
    """Sums of two ``digits``-digit numbers (1 to 40). Raises DataError for a value out of range or
    for more problems than exist (one digit: 100 in all).
    """
    whole(NAME, "digits", digits, 1, 40)
    label = labelled(NAME, "digits", digits, DEFAULT_DIGITS)
    low, high = (0, 9) if digits == 1 else (10 ** (digits - 1), 10**digits - 1)

    def draw(rng: random.Random) -> Problem:
        return _problem(rng.randint(low, high), rng.randint(low, high), digits)

    def every() -> Iterator[Problem]:
        return (_problem(a, b, digits) for a, b in itertools.product(range(low, high + 1), repeat=2))

    space = Space(label, draw, every if (high - low + 1) ** 2 <= ENUMERABLE else None)
    pool_items, test_items = sample(space, pool=pool, test=test, seed=seed)
    return [
        Task(
            name=label,
            ability="complex reasoning",
            pool=pool_items,
            test=test_items,
            format=answer_format(),
            chance=0.0,
            source=f"generated: {label}, seed {seed}",
            answer_tokens=24 + 2 * digits,
            rationale_tokens=token_limit(60 * digits + 80),
            claims=CLAIMS,
            trace=of_sum,
            trace_tokens=(digits + 1) * (3 * digits + 9) + 2 * digits + 60,
            longer=partial(further, load, "digits", digits, test=test, seed=seed),
            solver=Sums(partial(_within, digits, low, high)),
        )
    ]


def _problem(a: int, b: int, digits: int) -> Problem:
    item = Item(f"What is {a} + {b}?", str(a + b), _rationale(a, b, digits), meta={"digits": digits})
    return Problem(item, f"{min(a, b)} {max(a, b)}")


def _within(digits: int, low: int, high: int, a: int, b: int) -> str | None:
    """The steps of a sum of this task; None: it is none."""
    return _rationale(a, b, digits) if low <= min(a, b) <= max(a, b) <= high else None


def _rationale(a: int, b: int, digits: int) -> str:
    sentences = []
    carry = 0
    for column in range(digits):
        x, y = a // 10**column % 10, b // 10**column % 10
        total = x + y + carry
        carried = f" + {carry}" if carry else ""
        name = _COLUMNS[column] if column < len(_COLUMNS) else f"Column {column + 1}"
        carry = total // 10
        then = ", carry 1" if carry else ""
        sentences.append(f"{name}: {x} + {y}{carried} = {total}, write {total % 10}{then}.")
    if carry:
        sentences.append("Write the last carry 1.")
    return " ".join([*sentences, f"From left to right this is {a + b}."])
