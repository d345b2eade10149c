"""Checkers of formal steps: does a line follow from those before it?

A checker is ``check(before, line) -> None``, or what is wrong in a few words. A line that introduces a name is a
definition: what it says of the name is taken, and the rest of its chain must follow. Every other line must follow.

    arithmetic  exact values; names must have been introduced
    sympy       also names that only equations determine (``3 * x + 2 = 17``, then ``x = 5``): a first equation about
                a new name is taken, a later one must hold in every solution (the library sympy)
    coq         a proof of each line by Coq's ``lra`` or ``nra`` over the reals, from the lines before it
    z3          its negation has no solution over the reals, by the solver z3; inequalities too
    z3-integers the same where names stand for whole numbers (`onset.prompting.satisfiable`)
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from onset.errors import MethodError, NotInstalled
from onset.prompting import satisfiable
from onset.prompting.formal import HIGHEST, Equation, Expr, Undefined, names_of, value, values

Checker = Callable[[Sequence[Equation], Equation], str | None]

_NOTHING = "no numbers satisfy it with the lines before it"
COQ_SECONDS, COQ_MEGABYTES = 20, 2048
"""What a proof may take of processor time and of memory."""
_NO_PROOF = (
    "Tactic failure",
    "Cannot find witness",
    "Unable to unify",
    "All the tactics failed",
    "No applicable tactic",
)


def arithmetic(before: Sequence[Equation], line: Equation) -> str | None:
    """All sides have one value."""
    known = values(before)
    try:
        name = line.defines(known)
        if name is not None:
            known[name] = value(line.sides[1], known)
        found = [value(side, known) for side in line.sides]
    except Undefined as error:
        return str(error)
    wrong = next((place for place, one in enumerate(found) if one != found[0]), None)
    return None if wrong is None else f"the sides are {found[0]} and {found[wrong]}"


def sympy(before: Sequence[Equation], line: Equation) -> str | None:
    """It holds in every solution of the lines before it, of which there is at least one."""
    library = _sympy()
    held, own = names_of(before), names_of([line])
    try:
        _divides(line, values(before))
        earlier = [_symbolic(a, library) - _symbolic(b, library) for one in before for a, b in one.pairs()]
        pairs = [_symbolic(a, library) - _symbolic(b, library) for a, b in line.pairs()]
    except Undefined as error:
        return str(error)
    if own - held:
        earlier, pairs = [*earlier, pairs[0]], pairs[1:]
    if any(not one.free_symbols and library.simplify(one) != 0 for one in earlier):
        return _NOTHING
    symbols = sorted({one for each in earlier for one in each.free_symbols}, key=str)
    try:
        solutions = library.solve(earlier, symbols, dict=True) if symbols else [{}]
    except NotImplementedError:
        return "the equations before it cannot be solved"
    if not solutions:
        return _NOTHING
    for each in solutions:
        if any(library.simplify(one.subs(each)) != 0 for one in pairs):
            return "it does not follow from the lines before it"
    return None


def _sympy() -> Any:
    try:
        import sympy as library
    except ImportError:
        raise NotInstalled("'checker: sympy' needs the library sympy: pip install 'lm-onset[check]'") from None
    return library


def _symbolic(one: Expr, library: Any) -> Any:
    """The expression as sympy's, built sign by sign: no text is parsed there."""
    if one.number is not None:
        return library.Rational(one.number.numerator, one.number.denominator)
    if one.name:
        return library.Symbol(f"v_{one.name}", real=True)
    parts = [_symbolic(part, library) for part in one.parts]
    if one.sign == "neg":
        return -parts[0]
    left, right = parts
    if one.sign == "^":
        if not (right.is_Integer and abs(right) <= HIGHEST):
            raise Undefined(f"a power must be a whole number up to {HIGHEST}")
        return left**right
    if one.sign == "/" and right == 0:
        raise Undefined("division by zero")
    return {"+": left + right, "-": left - right, "*": left * right}[one.sign] if one.sign != "/" else left / right


def coq(before: Sequence[Equation], line: Equation) -> str | None:
    """Coq proves it; of an equation that is taken, that it does not contradict what was taken before is looked at too.
    Raises NotInstalled where Coq is not there, MethodError where it does not run as it should.
    """
    known, held = values(before), names_of(before)
    try:
        _divides(line, known)
        script = coq_script(before, line)
        absurd = coq_script([*before, line], None)
    except Undefined as error:
        return str(error)
    found = _prove(script)
    if (
        found is None
        and names_of([line]) - held
        and line.defines(dict.fromkeys(held)) is None
        and _prove(absurd) is None
    ):
        return _NOTHING
    return found


def _divides(line: Equation, known: Mapping[str, Fraction]) -> None:
    """Raises Undefined for a division by zero (in Coq's reals it has a value, of which nothing is known), and for a
    value of more digits than are worked out, which no library is to try either.
    """
    for side in line.sides:
        try:
            value(side, known)
        except Undefined as error:
            if "division" in str(error) or "digits" in str(error):
                raise


def _prove(script: str) -> str | None:
    """None where Coq accepts the proof, else why not."""
    program = shutil.which("coqc")
    if program is None:
        raise NotInstalled("'checker: coq' needs the program coqc on the path (Debian: apt-get install coq)")
    limits = f"ulimit -v {COQ_MEGABYTES * 1024}; ulimit -t {COQ_SECONDS}; exec {_alone()} '{program}' -q step.v"
    with tempfile.TemporaryDirectory(prefix="onset-coq-") as folder:
        (Path(folder) / "step.v").write_text(script, encoding="utf-8")
        asked = ["/bin/sh", "-c", limits]
        try:
            ran = subprocess.run(
                asked, cwd=folder, capture_output=True, text=True, timeout=2 * COQ_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"no proof within {COQ_SECONDS} seconds"
    if ran.returncode == 0:
        return None
    if any(one in ran.stderr for one in _NO_PROOF):
        return "Coq finds no proof from the lines before it"
    if ran.returncode < 0 or "Out of memory" in ran.stderr:
        return f"no proof within {COQ_SECONDS} seconds and {COQ_MEGABYTES} MB"
    raise MethodError(f"coqc ended with {ran.returncode}: {' '.join(ran.stderr.split())[:200]}")


@lru_cache(maxsize=1)
def _alone() -> str:
    """What runs a program without network, where the system lets it."""
    tried = ["unshare", "--map-root-user", "--net", "true"]
    if shutil.which("unshare") and subprocess.run(tried, capture_output=True, check=False).returncode == 0:
        return "unshare --map-root-user --net"
    return ""


def coq_script(before: Sequence[Equation], line: Equation | None) -> str:
    """The theorem that ``line`` (None: a contradiction) follows from ``before``, and its proof. Names are numbered: a
    model's are not in it. Raises Undefined for what has no meaning over the reals.
    """
    every = before if line is None else [*before, line]
    names = {name: f"x{place}" for place, name in enumerate(dict.fromkeys(_in_order(every)))}
    taken = [pair for one in before for pair in one.pairs()]
    goals = [] if line is None else list(line.pairs())
    if line is not None and names_of([line]) - names_of(before):
        taken, goals = [*taken, goals[0]], goals[1:]
    said = "".join(f"{_real(a, names)} = {_real(b, names)} -> " for a, b in taken)
    goal = " /\\ ".join(f"{_real(a, names)} = {_real(b, names)}" for a, b in goals)
    goal = goal or ("False" if line is None else "True")
    bound = f"forall {' '.join(names.values())} : R, " if names else ""
    return (
        "From Coq Require Import Reals Lra Psatz.\nOpen Scope R_scope.\n"
        f"Goal {bound}{said}{goal}.\n"
        "Proof. intros; repeat split; first [exact I | lra | subst; lra | subst; nra]. Qed.\n"
    )


def _in_order(lines: Sequence[Equation]) -> Iterator[str]:
    for one in lines:
        for side in one.sides:
            yield from side.names()


def _real(one: Expr, names: dict[str, str]) -> str:
    if one.number is not None:
        top, bottom = one.number.numerator, one.number.denominator
        return f"{top}" if bottom == 1 else f"({top} / {bottom})"
    if one.name:
        return names[one.name]
    if one.sign == "neg":
        return f"(- {_real(one.parts[0], names)})"
    left, right = one.parts
    if one.sign == "^":
        power = value(right, {})
        if power.denominator != 1 or not 0 <= power <= HIGHEST:
            raise Undefined(f"a power must be a whole number from 0 to {HIGHEST}")
        factors = [_real(left, names)] * int(power)
        return f"({' * '.join(factors)})" if factors else "1"
    if one.sign == "/" and not any(right.names()) and value(right, {}) == 0:
        raise Undefined("division by zero")
    return f"({_real(left, names)} {one.sign} {_real(right, names)})"


CHECKERS: dict[str, Checker] = {
    "arithmetic": arithmetic,
    "sympy": sympy,
    "coq": coq,
    "z3": satisfiable.reals,
    "z3-integers": satisfiable.integers,
}
INEQUALITIES = frozenset({"z3", "z3-integers"})
"""Checkers of lines that may be inequalities."""
