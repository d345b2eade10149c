"""The language of formal steps, and the checkers of them: by hand, against Python's fractions, and against each other."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onset.errors import MethodError
from onset.prompting import checkers
from onset.prompting.checkers import CHECKERS, coq_script
from onset.prompting.formal import Equation, Undefined, Unreadable, read_line, value, values

NEEDS_COQ = pytest.mark.skipif(shutil.which("coqc") is None, reason="coqc is not on the path")
NEEDS_Z3 = pytest.mark.skipif(importlib.util.find_spec("z3") is None, reason="z3-solver is not installed")
NEEDS_SYMPY = pytest.mark.skipif(importlib.util.find_spec("sympy") is None, reason="sympy is not installed")


def lines(*texts: str) -> list[Equation]:
    return [read_line(one) for one in texts]


def verdict(checker: str, *texts: str) -> str | None:
    *before, line = lines(*texts)
    return CHECKERS[checker](before, line)


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("17 - 7 = 10", Fraction(10)),
        ("2 + 3 * 4 = x", Fraction(14)),
        ("(2 + 3) × 4 = x", Fraction(20)),
        ("12 ÷ 8 = x", Fraction(3, 2)),
        ("2 ^ 3 ^ 2 = x", Fraction(512)),
        ("-2 ^ 2 = x", Fraction(-4)),
        ("2 ^ -1 = x", Fraction(1, 2)),
        ("8 - 3 - 2 = x", Fraction(3)),
        ("16 / 4 / 2 = x", Fraction(2)),
        ("1,000 * 1.5 = x", Fraction(1500)),
        ("- - .5 = x", Fraction(1, 2)),
        ("3 − 5 = x.", Fraction(-2)),
    ],
)
def test_what_a_line_is_worth(text: str, worth: Fraction) -> None:
    assert value(read_line(text).sides[0], {}) == worth


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("17 - 7", "no equation"),
        ("5 apples = 5", "'apples' is not expected here"),
        ("__import__('os') = 1", "''os') = 1' is no number, name or sign"),
        ("x.real = 1", "'.real = 1' is no number, name or sign"),
        ("f(2) = 4", "'(' is not expected here"),
        ("2 ** 3 = 8", "'*' is not expected here"),
        ("(2 = 2", "a bracket is not closed"),
        ("2 + = 2", "'=' is not expected here"),
        ("2 = ", "something is missing at the end"),
        ("1,00 = 100", "',00 = 100' is no number, name or sign"),
        ("(" * 50 + "1" + ")" * 50 + " = 1", "more than 40 brackets within brackets"),
        ("1 + " * 100 + "1 = 101", "longer than 300 characters"),
    ],
)
def test_anything_else_is_unreadable(text: str, why: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_line(text)
    assert str(error.value) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 / (2 - 2) = 0", "division by zero"),
        ("0 ^ -1 = 0", "division by zero"),
        ("9 ^ 99 = 0", "a power must be a whole number up to 64"),
        ("4 ^ 0.5 = 2", "a power must be a whole number up to 64"),
        ("(9 ^ 64) ^ 64 = 0", "more than 1000 digits"),
        ("x + 1 = 2", "'x' has no value"),
    ],
)
def test_an_expression_without_a_value_says_why(text: str, why: str) -> None:
    with pytest.raises(Undefined) as error:
        value(read_line(text).sides[0], {})
    assert str(error.value) == why


NUMBERS = st.integers(0, 99).map(str)
TEXTS = st.recursive(
    NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda one: f"({one[0]} {one[1]} {one[2]})"),
    max_leaves=8,
)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_values_are_those_of_pythons_fractions(text: str) -> None:
    import re

    wrapped = re.sub(r"\d+", lambda match: f"Fraction({match.group()})", text)
    try:
        expected = eval(wrapped, {"Fraction": Fraction})  # a text that this test made
    except ZeroDivisionError:
        with pytest.raises(Undefined, match="division by zero"):
            value(read_line(f"{text} = 0").sides[0], {})
        return
    assert value(read_line(f"{text} = 0").sides[0], {}) == expected


def test_names_stand_for_what_introduced_them() -> None:
    known = values(lines("pam = 17 - 7 = 10", "both = pam + 17", "3 * x = 9", "x = 3"))
    assert known == {"pam": 10, "both": 27, "x": 3}


SHARED = [
    (("17 - 7 = 10",), True),
    (("17 - 7 = 11",), False),
    (("2 * 3 = 6 = 12 / 2",), True),
    (("2 * 3 = 6 = 7",), False),
    (("pam = 17 - 7 = 10",), True),
    (("pam = 17 - 7 = 9",), False),
    (("pam = 17 - 7", "pam * 2 = 20"), True),
    (("pam = 17 - 7", "pam * 2 = 21"), False),
    (("pam = 17 - 7", "pam = 10"), True),
    (("pam = 17 - 7", "pam = 11"), False),
    (("a = 1 / 3", "b = a * 3 / 4", "b + b + b + b = 1"), True),
    (("0.1 + 0.2 = 0.3",), True),
    (("2 ^ 5 = 32",), True),
    (("r = 3", "3 * r ^ 2 = 27"), True),
    (("-3 + 5 = 2",), True),
]


@pytest.mark.parametrize(
    "checker",
    [
        "arithmetic",
        pytest.param("sympy", marks=NEEDS_SYMPY),
        pytest.param("coq", marks=NEEDS_COQ),
        pytest.param("z3", marks=NEEDS_Z3),
    ],
)
@pytest.mark.parametrize(("texts", "right"), SHARED, ids=lambda one: " ; ".join(one) if isinstance(one, tuple) else "")
def test_checkers_agree(checker: str, texts: Sequence[str], right: bool) -> None:
    assert (verdict(checker, *texts) is None) is right


def test_what_is_wrong_is_said() -> None:
    assert verdict("arithmetic", "17 - 7 = 11") == "the sides are 10 and 11"
    assert verdict("arithmetic", "x + 1 = 2") == "'x' has no value"


@pytest.mark.parametrize(
    "checker",
    [
        pytest.param("sympy", marks=NEEDS_SYMPY),
        pytest.param("coq", marks=[NEEDS_COQ, pytest.mark.slow]),
        pytest.param("z3", marks=NEEDS_Z3),
        pytest.param("z3-integers", marks=NEEDS_Z3),
    ],
)
def test_equations_may_determine_names(checker: str) -> None:
    assert verdict(checker, "3 * x + 2 = 17") is None
    assert verdict(checker, "3 * x + 2 = 17", "x = 5") is None
    assert verdict(checker, "3 * x + 2 = 17", "x = 6") is not None
    assert verdict(checker, "x + y = 10", "x - y = 4", "x = 7") is None
    assert verdict(checker, "x + y = 10", "x = 5") is not None


@pytest.mark.parametrize(
    "checker", [pytest.param("sympy", marks=NEEDS_SYMPY), pytest.param("coq", marks=[NEEDS_COQ, pytest.mark.slow])]
)
def test_what_contradicts_itself_is_not_taken(checker: str) -> None:
    nothing = "no numbers satisfy it with the lines before it"
    assert verdict(checker, "2 * (x - x) + y = y + 1") == nothing
    assert verdict(checker, "x + y = 10", "z + x = z + 11 - y") == nothing
    assert verdict(checker, "y = 0", "1 / y = 2") == "division by zero"


@NEEDS_COQ
def test_coq_says_why_it_does_not_accept() -> None:
    assert verdict("coq", "17 - 7 = 11") == "Coq finds no proof from the lines before it"
    assert verdict("coq", "1 / (2 - 2) = 1") == "division by zero"


@NEEDS_SYMPY
def test_no_library_is_given_a_number_of_more_digits_than_are_worked_out() -> None:
    assert verdict("sympy", "((((9 ^ 64) ^ 64) ^ 64) ^ 64) ^ 64 = 1") == "more than 1000 digits"


@NEEDS_SYMPY
def test_sympy_wants_every_solution_and_refuses_contradictions() -> None:
    assert verdict("sympy", "x ^ 2 = 9", "x = 3") == "it does not follow from the lines before it"
    assert verdict("sympy", "x ^ 2 = 9", "x * x + 1 = 10") is None
    assert verdict("sympy", "x = 1", "y = x = 2") == "it does not follow from the lines before it"
    assert verdict("sympy", "1 / (1 - 1) = 2") == "division by zero"


def test_a_theorem_holds_no_name_of_the_model() -> None:
    *before, line = lines("Qed = 17 - 7", "Axiom = Qed * 1.5", "Axiom = 15")
    assert coq_script(before, line) == (
        "From Coq Require Import Reals Lra Psatz.\nOpen Scope R_scope.\n"
        "Goal forall x0 x1 : R, x0 = (17 - 7) -> x1 = (x0 * (3 / 2)) -> x1 = 15.\n"
        "Proof. intros; repeat split; first [exact I | lra | subst; lra | subst; nra]. Qed.\n"
    )


def test_without_its_program_a_checker_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers.shutil, "which", lambda name: None)
    with pytest.raises(MethodError) as error:
        verdict("coq", "1 = 1")
    assert str(error.value) == "'checker: coq' needs the program coqc on the path (Debian: apt-get install coq)"
