"""Formal steps by satisfiability: a line is accepted when its negation and the lines before it have no solution.

Source: de Moura & Bjorner 2008, "Z3: An Efficient SMT Solver" (TACAS), by the library z3-solver (extra ``z3``). Lines
may be inequalities too. Of a line about a new name every inequality about it, and the first equation, are taken if
something satisfies them with the lines before; all else must follow.

    2 < x < 4       x is new: taken
    x * x < 16      follows
    x = 3           follows over the integers (``z3-integers``), not over the reals (``z3``)

Every division that is taken says that what it divides by is not 0; of every other one this must follow. Names are
numbered and objects are built sign by sign: no text of a model is parsed by the library. What z3 does not decide within
`STEPS` of its own steps, which do not depend on how fast the machine is, is not accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from onset.errors import NotInstalled
from onset.prompting.formal import HIGHEST, Equation, Expr, Undefined, names_of, value

Domain = Literal["reals", "integers"]

STEPS = 2_000_000
"""z3's own count of work (``rlimit``) for one question: about a second."""
MILLISECONDS = 20_000
"""A limit behind that one, should a step take long."""
_NOTHING = "no numbers satisfy it with the lines before it"
_NOT_DECIDED = "z3 does not decide whether it follows"


def satisfiable(before: Sequence[Equation], line: Equation, *, domain: Domain) -> str | None:
    """None where ``line`` follows from ``before``, or says something of a new name that can be; else why not, in a few
    words. Raises NotInstalled where z3 is not installed.
    """
    built = _Built(domain)
    held = names_of(before)
    try:
        for one in before:
            built.take(one, [True] * (len(one.sides) - 1))
        taken = _taken(line, names_of([line]) - held)
        goals = built.take(line, taken)
    except Undefined as error:
        return str(error)
    found = built.check()
    if found != "sat":
        return _NOTHING if found == "unsat" else _NOT_DECIDED
    for goal in goals:
        found = built.check(built.library.Not(goal))
        if found != "unsat":
            return "it does not follow from the lines before it" if found == "sat" else _NOT_DECIDED
    return None


def _taken(line: Equation, new: set[str]) -> list[bool]:
    """Which pairs of neighbours are taken."""
    taken, equated = [], False
    for left, sign, right in line.related():
        about = not new.isdisjoint([*left.names(), *right.names()])
        taken.append(about and (sign != "=" or not equated))
        equated = equated or (about and sign == "=")
    return taken


class _Built:
    """What is known, as z3's objects in a context of its own."""

    def __init__(self, domain: Domain) -> None:
        try:
            import z3 as library
        except ImportError:
            raise NotInstalled("'checker: z3' needs the library z3-solver: pip install 'lm-onset[z3]'") from None
        self.library: Any = library
        self._context = library.Context()
        self._solver = library.Solver(ctx=self._context)
        self._solver.set("rlimit", STEPS)
        self._solver.set("timeout", MILLISECONDS)
        self._domain = domain
        self._names: dict[str, Any] = {}

    def take(self, line: Equation, taken: Sequence[bool]) -> list[Any]:
        """Add the pairs of ``line`` that are ``taken`` to what is known; the others, as goals."""
        goals: list[Any] = []
        for (left, sign, right), known in zip(line.related(), taken, strict=True):
            divisors: list[Any] = []
            a, b = (self._real(one, divisors) for one in (left, right))
            said = {"=": a == b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[sign]
            every = [*(one != 0 for one in divisors), said]
            if known:
                self._solver.add(*every)
            else:
                goals += every
        return goals

    def check(self, *assumed: Any) -> str:
        """``sat``, ``unsat`` or ``unknown``: do the lines taken, and ``assumed``, have a solution?"""
        self._solver.push()
        self._solver.add(*assumed)
        try:
            found = str(self._solver.check())
        finally:
            self._solver.pop()
        return found

    def _real(self, one: Expr, divisors: list[Any]) -> Any:
        """The expression over the reals; what it divides by is added to ``divisors``. Raises Undefined for what has no
        value, and for a power above `HIGHEST`.
        """
        if not any(one.names()):
            number = value(one, {})
            return self.library.Q(number.numerator, number.denominator, self._context)
        if one.name:
            return self._variable(one.name)
        if one.sign == "neg":
            return -self._real(one.parts[0], divisors)
        left, right = one.parts
        if one.sign == "^":
            power = value(right, {})
            if power.denominator != 1 or _degree(left) * abs(power) > HIGHEST:
                raise Undefined(f"a power must be a whole number up to {HIGHEST}")
            return self._power(self._real(left, divisors), int(power), divisors)
        a, b = self._real(left, divisors), self._real(right, divisors)
        if one.sign == "/":
            divisors.append(b)
            return a / b
        return a + b if one.sign == "+" else a - b if one.sign == "-" else a * b

    def _power(self, base: Any, power: int, divisors: list[Any]) -> Any:
        raised = self.library.RealVal(1, self._context)
        for _ in range(abs(power)):
            raised = raised * base
        if power > 0:
            return raised
        divisors.append(base)
        return self.library.RealVal(1, self._context) / raised

    def _variable(self, name: str) -> Any:
        if name not in self._names:
            made = f"v{len(self._names)}"
            integers = self._domain == "integers"
            self._names[name] = (
                self.library.ToReal(self.library.Int(made, self._context))
                if integers
                else self.library.Real(made, self._context)
            )
        return self._names[name]


def _degree(one: Expr) -> int:
    """A bound on the degree in its names: of a power, what `_Built` has let through."""
    if one.number is not None or one.name:
        return 1 if one.name else 0
    parts = [_degree(part) for part in one.parts]
    if one.sign in ("*", "/"):
        return sum(parts)
    if one.sign == "^":
        power = value(one.parts[1], {})
        return parts[0] * min(HIGHEST + 1, max(1, abs(power.numerator)))
    return max(parts)


reals = partial(satisfiable, domain="reals")
integers = partial(satisfiable, domain="integers")
