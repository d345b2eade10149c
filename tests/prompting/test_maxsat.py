"""Weighted MaxSAT: every optimum, by looking at all assignments and by RC2."""

from __future__ import annotations

import importlib.util
import itertools
import math
import random

import pytest

from onset.errors import MethodError
from onset.prompting.maxsat import Clause, exact, mean_of_optima, rc2

NEEDS_PYSAT = pytest.mark.skipif(importlib.util.find_spec("pysat") is None, reason="python-sat is not installed")


def by_hand(variables: int, clauses: list[Clause]) -> list[tuple[bool, ...]]:
    """The definition, word by word."""
    lost = {
        one: math.fsum(w for w, own in clauses if not any(one[abs(v) - 1] == (v > 0) for v in own))
        for one in itertools.product((False, True), repeat=variables)
    }
    least = min(lost.values())
    return sorted((one for one, value in lost.items() if value < least + 1e-9), key=lambda one: one[::-1])


def formula(seed: int) -> tuple[int, list[Clause]]:
    rng = random.Random(seed)
    variables = rng.randint(1, 7)
    literals = [one for variable in range(1, variables + 1) for one in (variable, -variable)]
    clauses = [
        (rng.choice([1.0, 0.5, 0.25, 0.125]), tuple(rng.sample(literals, min(len(literals), rng.randint(1, 3)))))
        for _ in range(rng.randint(0, 12))
    ]
    return variables, clauses


@pytest.mark.parametrize("seed", range(40))
def test_the_exact_optima_are_those_of_the_definition(seed: int) -> None:
    variables, clauses = formula(seed)
    assert exact(variables, clauses) == by_hand(variables, clauses)


@pytest.mark.parametrize("seed", range(40))
def test_the_mean_of_the_optima_is_that_of_the_definition(seed: int) -> None:
    variables, clauses = formula(seed)
    values = [random.Random(f"{seed}-{one}").randint(-2, 2) for one in range(variables)]
    optima = by_hand(variables, clauses)
    mean = math.fsum(value * true for one in optima for value, true in zip(values, one, strict=True)) / len(optima)
    assert mean_of_optima(exact, values, clauses) == pytest.approx(mean, abs=1e-12)


def test_what_no_clause_holds_is_true_in_half() -> None:
    """Thirty that are free beside two that contradict each other: no assignment of the thirty is looked at."""
    assert mean_of_optima(exact, [2] * 30 + [1, -1], [(1.0, (31,)), (0.5, (32,)), (1.0, (-31, -32))]) == 31.0
    assert mean_of_optima(exact, [1, 2], []) == mean_of_optima(rc2, [1, 2], [(0.0, (1,))]) == 1.5


@NEEDS_PYSAT
def test_more_optima_than_rc2_looks_at_are_one_line() -> None:
    clauses: list[Clause] = [(1.0, pair) for one in range(1, 7, 2) for pair in ((one, one + 1), (-one, -one - 1))]
    assert len(rc2(6, clauses, most=8)) == 8
    with pytest.raises(MethodError) as error:
        rc2(6, clauses, most=7)
    assert str(error.value) == "MaxSAT of 6 variables: more than 7 optima, too many to look at all"


@NEEDS_PYSAT
@pytest.mark.parametrize("seed", range(40))
def test_rc2_finds_the_same_optima(seed: int) -> None:
    variables, clauses = formula(seed)
    assert rc2(variables, clauses) == exact(variables, clauses)


def test_a_worked_example() -> None:
    """Two that contradict each other both ways: the one that is believed more stays."""
    assert exact(2, [(0.64, (1,)), (0.45, (2,)), (1.0, (-1, -2)), (1.0, (-2, -1))]) == [(True, False)]
    assert exact(2, [(0.5, (1,)), (0.5, (2,)), (1.0, (-1, -2))]) == [(True, False), (False, True)]
    assert exact(2, []) == [(False, False), (True, False), (False, True), (True, True)]


def test_too_many_variables_are_one_line() -> None:
    assert exact(20, [(1.0, (variable,)) for variable in range(1, 21)]) == [(True,) * 20]
    with pytest.raises(MethodError) as error:
        exact(21, [])
    assert str(error.value) == ("MaxSAT of 21 variables: every assignment is looked at up to 20; 'solver: rc2' goes on")


@pytest.mark.skipif(importlib.util.find_spec("pysat") is not None, reason="python-sat is installed")
def test_rc2_without_its_library_is_one_line() -> None:
    with pytest.raises(
        MethodError, match=r"^'solver: rc2' needs the library python-sat: pip install 'lm-onset\[maxsat\]'$"
    ):
        rc2(1, [])
