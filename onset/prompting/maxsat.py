"""Weighted MaxSAT over few variables: all assignments that satisfy the largest weight of clauses.

Exact by looking at every assignment, up to 20 variables; by RC2 (Ignatiev et al. 2019, doi 10.3233/SAT190116) of
python-sat beyond that, or where it is asked for (the extra ``maxsat``). Both give every optimum, so that nothing hangs
on which of several a solver happens to find. `mean_of_optima` leaves out what no clause holds, which is true in half.

    clause (1.0, (-1, 2))     weight 1: not the first variable, or the second
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from onset.errors import MethodError, NotInstalled

Clause = tuple[float, tuple[int, ...]]
"""Weight (above 0), and literals: variables from 1, negative where negated."""
Assignment = tuple[bool, ...]

MOST_EXACT = 20
"""Variables up to which every assignment is looked at: a million."""
_SCALE = 10**6
"""Weights are compared as whole millionths, by both solvers."""


def exact(variables: int, clauses: Sequence[Clause]) -> list[Assignment]:
    """Every optimum, in binary order with the first variable lowest. Raises MethodError for too many variables."""
    if variables > MOST_EXACT:
        raise MethodError(
            f"MaxSAT of {variables} variables: every assignment is looked at up to {MOST_EXACT}; 'solver: rc2' goes on"
        )
    place = np.arange(2**variables)
    value = [(place >> one & 1).astype(bool) for one in range(variables)]
    lost = np.zeros(2**variables, dtype=np.int64)
    for weight, literals in clauses:
        broken = np.ones(2**variables, dtype=bool)
        for literal in literals:
            held = value[abs(literal) - 1]
            broken &= ~held if literal > 0 else held
        lost[broken] += round(weight * _SCALE)
    best = np.flatnonzero(lost == lost.min())
    return [tuple(bool(one >> bit & 1) for bit in range(variables)) for one in best.tolist()]


def rc2(variables: int, clauses: Sequence[Clause], most: int = 4096) -> list[Assignment]:
    """Every optimum, as `exact` orders them. Raises MethodError for more than ``most`` of them, NotInstalled where
    python-sat is not there.
    """
    try:
        from pysat.examples.rc2 import RC2
        from pysat.formula import WCNF
    except ImportError:
        raise NotInstalled("'solver: rc2' needs the library python-sat: pip install 'lm-onset[maxsat]'") from None
    formula = WCNF()
    for variable in range(1, variables + 1):  # a variable in no clause has both values
        formula.append([variable, -variable])
    for weight, literals in clauses:
        if (whole := round(weight * _SCALE)) > 0:
            formula.append(list(literals), weight=whole)
    found: list[Assignment] = []
    with RC2(formula) as solver:
        cost: int | None = None
        for model in solver.enumerate():
            if cost is not None and solver.cost > cost:
                break
            if len(found) == most:
                raise MethodError(f"MaxSAT of {variables} variables: more than {most} optima, too many to look at all")
            cost, true = solver.cost, set(model)
            found.append(tuple(variable in true for variable in range(1, variables + 1)))
    return sorted(set(found), key=lambda one: one[::-1])


def mean_of_optima(
    solver: Callable[[int, Sequence[Clause]], list[Assignment]], values: Sequence[int], clauses: Sequence[Clause]
) -> float:
    """The mean over all optima of the sum of ``values``, one a variable, of those that are true. A variable in no
    clause that weighs anything is true in half of the optima: ``solver`` is asked about the others alone. Raises
    MethodError as it does.
    """
    weighty = [(weight, literals) for weight, literals in clauses if round(weight * _SCALE) > 0]
    held = sorted({abs(one) for _, literals in weighty for one in literals})
    if not held:
        return sum(values) / 2
    new = {old: place for place, old in enumerate(held, 1)}
    named = [
        (weight, tuple(new[abs(one)] * (1 if one > 0 else -1) for one in literals)) for weight, literals in weighty
    ]
    optima = solver(len(held), named)
    sums = [sum(values[old - 1] for old, true in zip(held, one, strict=True) if true) for one in optima]
    free = sum(value for place, value in enumerate(values, 1) if place not in new)
    return math.fsum(sums) / len(optima) + free / 2


SOLVERS = {"exact": exact, "rc2": rc2}
