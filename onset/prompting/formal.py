"""Steps of a calculation in a formal language: equations, one a line, read by a parser of its own.

    pam = 17 - 7 = 10
    2 * pam + 3 = 23

A line is a chain of expressions with ``=`` between them; where a checker reads inequalities, also ``< > <= >=``.
Numbers (``1,000``, ``0.5``), names, ``+ - * / ^`` (also ``×``, ``÷``, ``·``), minus before a term and brackets; nothing
else: no text of a model is ever evaluated, and none reaches a library or a program but as the numbers, names and signs
that were read here. Arithmetic is exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


class Unreadable(ValueError):
    """A line that is no chain of expressions; the message says why, in a few words."""


class Undefined(ValueError):
    """An expression without a value: a name that has none, a division by zero, a power out of range."""


LONGEST = 300
"""Characters of a line."""
DEEPEST = 40
"""Brackets within brackets."""
HIGHEST = 64
"""The largest power, either way."""
_MOST_DIGITS = 1000
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:\.\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/^()=]))"
)
_TOKEN_UNEQUAL = re.compile(_TOKEN.pattern.replace("(?P<sign>", "(?P<sign>[<>]=?|"))
_SAME = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "≤": "<=", "≥": ">="})


@dataclass(frozen=True, slots=True)
class Expr:
    """``sign`` of ``parts``: ``+ - * / ^`` of two, ``neg`` of one; without a sign a ``number`` or a ``name``."""

    sign: str = ""
    parts: tuple[Expr, ...] = ()
    number: Fraction | None = None
    name: str = ""

    def names(self) -> Iterator[str]:
        """The names in it, in order, as often as they stand there."""
        if self.name:
            yield self.name
        for part in self.parts:
            yield from part.names()


@dataclass(frozen=True, slots=True)
class Equation:
    """A line: its ``text``, its expressions (``sides``), at least two, and the ``signs`` between them (none: all are
    ``=``).
    """

    text: str
    sides: tuple[Expr, ...]
    signs: tuple[str, ...] = ()

    def pairs(self) -> Iterator[tuple[Expr, Expr]]:
        """Neighbours in the chain."""
        yield from zip(self.sides, self.sides[1:], strict=False)

    def related(self) -> Iterator[tuple[Expr, str, Expr]]:
        """Neighbours in the chain, and the sign between them."""
        signs = self.signs or ("=",) * (len(self.sides) - 1)
        yield from zip(self.sides, signs, self.sides[1:], strict=False)

    @property
    def equal(self) -> bool:
        """Is every sign in it ``=``?"""
        return set(self.signs) <= {"="}

    def defines(self, known: Mapping[str, object]) -> str | None:
        """The name that it introduces: one alone on the left, before ``=``, that is not ``known``, nor in what
        follows.
        """
        if self.signs and self.signs[0] != "=":
            return None
        name = self.sides[0].name
        others = {one for side in self.sides[1:] for one in side.names()}
        return name if name and name not in known and name not in others else None


def read_line(text: str, *, inequalities: bool = False) -> Equation:
    """The equation, or with ``inequalities`` the chain of both, that a line is; a full stop at its end is no part of
    it. Raises Unreadable for anything else.
    """
    text = " ".join(text.split()).removesuffix(".")
    if len(text) > LONGEST:
        raise Unreadable(f"longer than {LONGEST} characters")
    parser = _Parser(list(_tokens(text.translate(_SAME), _TOKEN_UNEQUAL if inequalities else _TOKEN)))
    sides, signs = [parser.sum(0)], []
    while sign := parser.took("=", "<", ">", "<=", ">="):
        signs.append(sign)
        sides.append(parser.sum(0))
    if parser.rest():
        raise Unreadable(f"'{parser.rest()}' is not expected here")
    if len(sides) < 2:
        raise Unreadable("no equation")
    return Equation(text, tuple(sides), () if set(signs) == {"="} else tuple(signs))


def _tokens(text: str, token: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text.rstrip()):
        match = token.match(text, place)
        if match is None:
            raise Unreadable(f"'{text[place:].strip()[:20]}' is no number, name or sign")
        kind = str(match.lastgroup)
        yield kind, match.group(kind)
        place = match.end()


class _Parser:
    """Recursive descent; powers bind strongest and to the right, minus before a term weaker than they."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def rest(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def took(self, *signs: str) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "sign" and self.rest() in signs:
            self._at += 1
            return self._tokens[self._at - 1][1]
        return ""

    def sum(self, depth: int) -> Expr:
        left = self._product(depth)
        while sign := self.took("+", "-"):
            left = Expr(sign, (left, self._product(depth)))
        return left

    def _product(self, depth: int) -> Expr:
        left = self._signed(depth)
        while sign := self.took("*", "/"):
            left = Expr(sign, (left, self._signed(depth)))
        return left

    def _signed(self, depth: int) -> Expr:
        if depth > DEEPEST:
            raise Unreadable(f"more than {DEEPEST} brackets within brackets")
        if self.took("-"):
            return Expr("neg", (self._signed(depth + 1),))
        base = self._atom(depth)
        return Expr("^", (base, self._signed(depth + 1))) if self.took("^") else base

    def _atom(self, depth: int) -> Expr:
        if self.took("("):
            inner = self.sum(depth + 1)
            if not self.took(")"):
                raise Unreadable("a bracket is not closed")
            return inner
        if self._at == len(self._tokens):
            raise Unreadable("something is missing at the end")
        kind, text = self._tokens[self._at]
        if kind == "sign":
            raise Unreadable(f"'{text}' is not expected here")
        self._at += 1
        return Expr(number=Fraction(text.replace(",", ""))) if kind == "number" else Expr(name=text)


def names_of(lines: Sequence[Equation]) -> set[str]:
    """All names in ``lines``."""
    return {name for one in lines for side in one.sides for name in side.names()}


def value(one: Expr, known: Mapping[str, Fraction]) -> Fraction:
    """Its exact value. Raises Undefined where it has none."""
    if one.number is not None:
        return one.number
    if one.name:
        if one.name not in known:
            raise Undefined(f"'{one.name}' has no value")
        return known[one.name]
    parts = [value(part, known) for part in one.parts]
    if one.sign == "neg":
        return -parts[0]
    left, right = parts
    if one.sign in "+-*":
        return _short(left + right if one.sign == "+" else left - right if one.sign == "-" else left * right)
    if one.sign == "/":
        if right == 0:
            raise Undefined("division by zero")
        return _short(left / right)
    return _power(left, right)


def _short(number: Fraction) -> Fraction:
    """``number``, of digits that are worked out: lines that each square the last would double them without end."""
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > 4 * _MOST_DIGITS:
        raise Undefined(f"more than {_MOST_DIGITS} digits")
    return number


def _power(base: Fraction, power: Fraction) -> Fraction:
    if power.denominator != 1 or abs(power) > HIGHEST:
        raise Undefined(f"a power must be a whole number up to {HIGHEST}")
    if base == 0 and power < 0:
        raise Undefined("division by zero")
    if max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(power) > 4 * _MOST_DIGITS:
        raise Undefined(f"more than {_MOST_DIGITS} digits")
    return base ** int(power)


def values(lines: Sequence[Equation]) -> dict[str, Fraction]:
    """What names stand for after ``lines``: those that a line introduces with an expression that has a value."""
    known: dict[str, Fraction] = {}
    for line in lines:
        name = line.defines(known)
        if name is not None:
            try:
                known[name] = value(line.sides[1], known)
            except Undefined:
                continue
    return known
