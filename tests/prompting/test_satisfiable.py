"""Steps by z3: what follows, what may be taken, and both against looking at every number."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from told import Told, solve, task_of

from onset.errors import MethodError
from onset.prompting.checkers import CHECKERS
from onset.prompting.draft_check import HEAD, DraftCheck
from onset.prompting.formal import Unreadable, read_line
from onset.records import Item

FOLLOWS = "it does not follow from the lines before it"
NOTHING = "no numbers satisfy it with the lines before it"


@pytest.fixture
def z3() -> Any:
    return pytest.importorskip("z3", reason="z3-solver is not installed")


def verdict(checker: str, *texts: str) -> str | None:
    *before, line = [read_line(one, inequalities=True) for one in texts]
    return CHECKERS[checker](before, line)


def test_inequalities_are_read_where_they_are_asked_for_and_nowhere_else() -> None:
    line = read_line("2 <= x < y + 1 = 4 ≥ 0 > -1.", inequalities=True)
    assert line.signs == ("<=", "<", "=", ">=", ">")
    assert [sign for _, sign, _ in line.related()] == ["<=", "<", "=", ">=", ">"]
    assert not line.equal
    assert read_line("x < 5", inequalities=True).defines({}) is None
    assert read_line("x = 5", inequalities=True) == read_line("x = 5")
    assert read_line("x = 5 < 6", inequalities=True).defines({}) == "x"
    for text in ("2 < 3", "2 <= x", "x ≥ 2", "x <> 2", "x < = 2"):
        with pytest.raises(Unreadable):
            read_line(text)
    for text in ("x <> 2", "x < = 2", "x == 2", "x =< 2"):
        with pytest.raises(Unreadable):
            read_line(text, inequalities=True)


@pytest.mark.parametrize(
    ("texts", "reals", "integers"),
    [
        (("2 < x < 4", "x = 3"), FOLLOWS, None),
        (("2 < x < 4", "x * x < 16"), None, None),
        (("2 < x < 4", "x < 3.5"), FOLLOWS, None),
        (("2 * x = 5",), None, NOTHING),
        (("4 < x < 3",), NOTHING, NOTHING),
        (("x > 3", "x > 2"), None, None),
        (("x > 3", "x > 4"), FOLLOWS, FOLLOWS),
        (("x > 3", "x < 10"), FOLLOWS, FOLLOWS),
        (("x ^ 2 = 9", "x >= -3"), None, None),
        (("x ^ 2 = 9", "x = 3"), FOLLOWS, FOLLOWS),
        (("0 < x = 5",), None, None),
        (("x = 5 > 6",), FOLLOWS, FOLLOWS),
        (("x = 5 = 6",), FOLLOWS, FOLLOWS),
        (("1 / y = 2", "y = 1 / 2"), None, NOTHING),
        (("x <= 3", "x / x = 1"), FOLLOWS, FOLLOWS),
        (("x > 0", "x / x = 1"), None, None),
        (("x > 0", "x ^ -1 * x = 1"), None, None),
        (("1 / 0 > 2",), "division by zero", "division by zero"),
        (("x ^ 65 = 2",), *["a power must be a whole number up to 64"] * 2),
        (("(x ^ 9) ^ 9 = 2",), *["a power must be a whole number up to 64"] * 2),
        (("x = 2", "x ^ x = 4"), *["'x' has no value"] * 2),
        (("((9 ^ 64) ^ 64) * x = 1",), *["more than 1000 digits"] * 2),
    ],
    ids=str,
)
def test_what_follows(texts: tuple[str, ...], reals: str | None, integers: str | None, z3: Any) -> None:
    found = []
    for checker in ("z3", "z3-integers"):
        accepted = [verdict(checker, *texts[: place + 1]) for place in range(len(texts))]
        found.append(next((one for one in accepted if one is not None), None))
    assert found == [reals, integers]


SMALL = st.integers(-3, 3)


@given(SMALL, SMALL, SMALL, SMALL, SMALL, st.sampled_from(["<", "<=", ">", ">=", "="]), st.integers(-9, 9))
@settings(max_examples=60, deadline=None)
def test_it_accepts_what_every_number_satisfies(a: int, b: int, c: int, d: int, e: int, sign: str, f: int) -> None:
    """Whole numbers of a box, looked at one by one; a third one is defined by both."""
    pytest.importorskip("z3", reason="z3-solver is not installed")
    before = ["-2 <= x <= 3", "0 <= y <= 4", f"z = {a} * x - ({b}) * y * x"]
    box = [(x, y, a * x - b * y * x) for x, y in itertools.product(range(-2, 4), range(5))]
    line = f"{c} * x + ({d}) * y + ({e}) * z {sign} {f}"
    held = {
        "<": lambda one: one < f, "<=": lambda one: one <= f, ">": lambda one: one > f, ">=": lambda one: one >= f,
        "=": lambda one: one == f,
    }[sign]  # fmt: skip
    everywhere = all(held(c * x + d * y + e * z) for x, y, z in box)
    assert (verdict("z3-integers", *before, line) is None) == everywhere


def test_what_z3_cannot_decide_is_not_accepted_and_so_again(z3: Any) -> None:
    texts = ("x ^ 3 + y ^ 3 = 33 - z ^ 3", "x > y + z * x ^ 5")
    assert {verdict("z3-integers", *texts) for _ in range(2)} == {"z3 does not decide whether it follows"}


def test_a_sketch_of_inequalities_is_accepted(z3: Any) -> None:
    item = Item("A box holds more than 2 and fewer than 4 keys. How many?", "3")
    sketch = "\n2 < keys < 4\nkeys = 3\nThe answer is 3."
    told = Told(lambda prompt, _: sketch if HEAD in prompt else " The answer is 3.")
    found = {}
    for checker in ("z3-integers", "z3", "arithmetic"):
        attempt, _ = solve(DraftCheck(checker=checker, budget=1), item, told, task=task_of(item, number=True))
        found[checker] = (attempt.answer.value, [line for line, _ in attempt.detail["rejected"]])
    assert found == {"z3-integers": ("3", []), "z3": (None, ["keys = 3"]), "arithmetic": (None, ["2 < keys < 4"])}


def test_an_inequality_at_the_end_is_worth_nothing(z3: Any) -> None:
    item = Item("How many?", "3")
    told = Told(lambda prompt, _: "\nx = 3\nx > 2\nThe answer is 2." if HEAD in prompt else " 3.")
    attempt, _ = solve(DraftCheck(checker="z3", budget=1), item, told, task=task_of(item, number=True))
    assert attempt.detail["rejected"] == [["The answer is 2.", "the last line is worth nothing that is known"]]


def test_without_its_library_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    with pytest.raises(MethodError) as error:
        verdict("z3", "1 = 1")
    assert str(error.value) == "'checker: z3' needs the library z3-solver: pip install 'lm-onset[z3]'"
