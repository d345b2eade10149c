r"""The sums in a text: ``3 * 4 = 12``, found and checked by a parser.

    >>> [one.right for one in equations("2 eggs x $3 = $6, and 6 - 1 = 4.")]
    [True, False]

An equation has a sum on its left (numbers, ``+ - * / ^ x``, brackets, units behind numbers, LaTeX's operators) and a
number or another sum on its right. What is not all numbers is none: ``2x = 6``, ``total = 6``. Both sides are worked
out exactly, as fractions. They agree where they are equal; where the right side shows decimals, up to its last digit,
rounded or cut off; behind a sign of approximation, up to a whole number too. A percent sign may be a hundredth or stand
for points, and in ``3 * 4 = 12 - 2 = 10`` the number behind the first sign is its result. Sums of unlike units
(``1 hour + 30 minutes = 90 minutes``) are right where the numbers agree, and else no equation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

MOST_DIGITS = 60
MOST_POWER = 64
MOST_TOKENS = 60
"""A sum that is longer is none that a person would write."""

_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NO_UNITS = frozenset(
    {
        "and", "or", "is", "are", "was", "were", "then", "so", "to", "from", "in", "on", "at", "by", "for", "with",
        "which", "that", "he", "she", "they", "we", "it", "but", "because", "since", "as", "if", "when", "dozen",
        "dozens", "half", "mod",
    }
)  # fmt: skip
_FUNCTIONS = frozenset({"sqrt", "log", "ln", "sin", "cos", "tan", "max", "min", "mod", "gcd", "lcm", "abs"})
_COUNTED = frozenset(
    {"step", "day", "week", "month", "year", "part", "case", "round", "stage", "question", "problem", "page"}
)
"""Words whose number is a name: "Step 1 - 3 * 4 = 12"."""
_MOST_UNIT_WORDS = 3

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\u00a0\u2009\u202f]+|\\[,;! ()\[\]]|\\?[$€£¥]|`|\\boxed\s*\{|\\left(?![A-Za-z])|\\right(?![A-Za-z]))
    | (?P<power>\*\*|\^)
    | (?P<fraction>\\[dt]?frac\s*\{\s*(?P<above>\d{1,15})\s*\}\s*\{\s*(?P<below>\d{1,15})\s*\})
    | (?P<number>(?<![A-Za-z_\d.])(?<!\d,)
        (?:(?P<whole>\d+)[ ](?P<top>\d+)/(?P<bottom>\d+)(?![\d.])
          |(?P<plain>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+))
        (?P<percent>[ ]?\\?%)?)
    | (?P<times>\*|×|·|⋅|∙|\\times(?![A-Za-z])|\\cdot(?![A-Za-z])|(?<=[\d)\s%])[xX](?=\s*[$€£¥(]?\s*\.?\d)
        |(?:times|multiplied\s+by)\b(?=\s*[$€£¥(]?\s*\.?\d))
    | (?P<over>/|÷|\\div(?![A-Za-z])|divided\s+by\b)
    | (?P<plus>\+|plus\b(?=\s*[$€£¥(]?\s*\.?\d))
    | (?P<minus>[-\u2010-\u2013\u2212]|minus\b(?=\s*[$€£¥(]?\s*\.?\d))
    | (?P<approx>≈|\\approx(?![A-Za-z]))
    | (?P<equals>==?(?![=>])|equals\b|is\s+equal\s+to\b)
    | (?P<open>\() | (?P<close>\))
    | (?P<unit>\\(?:text|mathrm)\s*\{[^{}\n]*\})
    | (?P<word>[A-Za-z]+(?:['’-][A-Za-z]+)*)
    | (?P<line>\n)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = {"plus": "+", "minus": "-", "times": "*", "over": "/", "power": "^"}


@dataclass(slots=True)
class Token:
    """A piece of a text: ``kind`` is number, unit, an operator, ``(``, ``)``, ``=`` or ``break``, which no sum crosses.

    ``value`` of a number (its percent sign aside), with as many ``decimals`` as shown; ``percent``: has it a percent
    sign; ``scale``: the thousand, million ... behind it; ``approx``: an equals sign that says about.
    """

    kind: str
    start: int
    end: int
    text: str
    value: Fraction = Fraction(0)
    decimals: int = 0
    percent: bool = False
    scale: int = 1
    approx: bool = False


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of the equals sign at ``sign``: the ``left`` tokens, and the longest sum on the ``right``."""

    left: tuple[Token, ...]
    sign: int
    right: tuple[Token, ...]

    @property
    def result(self) -> Token | None:
        """The number that the right side begins with."""
        return self.right[0] if self.right[0].kind == "number" else None


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation at ``start`` to ``end`` (characters), and whether it is ``right``; ``at``: its equals sign."""

    start: int
    at: int
    end: int
    right: bool


class _NoSum(Exception):
    """These tokens are no sum that can be worked out."""


def equations(text: str) -> list[Equation]:
    """Every equation of ``text`` that can be checked, in order."""
    tokens = tokens_of(text)
    found = []
    for place, token in enumerate(tokens):
        if (
            token.kind == "="
            and (sides := sides_at(tokens, place, text))
            and (right := holds(sides, token)) is not None
        ):
            found.append(Equation(sides.left[0].start, token.start, sides.right[-1].end, right))
    return found


# ---- tokens --------------------------------------------------------------------------------------------------------


def tokens_of(text: str) -> list[Token]:
    """The tokens of ``text`` in order, without spaces, currency signs and markup."""
    made: list[Token] = []
    fresh = True  # at the beginning of a line, where - and * are bullets
    for match in _TOKEN.finditer(text):
        name = next(key for key in _KINDS if match.group(key) is not None)
        if name == "space":
            continue
        token = Token("break", match.start(), match.end(), match.group())
        if name in ("number", "fraction"):
            _number(token, match, text)
        elif name in _OPERATORS:
            token.kind = _operator(name, match, text, fresh)
        elif name in ("equals", "approx"):
            token.kind, token.approx = "=", name == "approx"
        elif name in ("open", "close"):
            token.kind = token.text
        elif name == "unit" and made and made[-1].kind in ("number", ")", "unit"):
            token.kind = "unit"
        elif name == "word":
            _word(token, made, text)
        fresh = name == "line"
        if token.kind != "space":
            made.append(token)
    return made


_KINDS = ("space", "power", "fraction", "number", "times", "over", "plus", "minus", "approx", "equals", "open", "close",
          "unit", "word", "line", "other")  # fmt: skip


def _number(token: Token, match: re.Match[str], text: str) -> None:
    after = text[match.end() : match.end() + 4]
    variable = re.match(r"_|[A-Za-z](?![A-Za-z])", after) and not re.match(r"[xX]\s*\d", after)
    if variable or len(match.group()) > MOST_DIGITS:
        return  # 2y is no number
    rest = text[match.end() : match.end() + 6]
    if re.match(r"(?:st|nd|rd|th)\b|, ?000", rest) or re.match(r"0\d", match.group()):
        return  # an ordinal; a number in pieces, "600, 000"
    token.kind = "number"
    if match.group("fraction"):
        above, below = int(match.group("above")), int(match.group("below"))
        if below == 0:
            token.kind = "break"
            return
        token.value = Fraction(above, below)
    elif match.group("whole"):
        if int(match.group("bottom")) == 0:
            token.kind = "break"
            return
        token.value = int(match.group("whole")) + Fraction(int(match.group("top")), int(match.group("bottom")))
    else:
        plain = match.group("plain").replace(",", "")
        token.value, token.decimals = Fraction(plain), len(plain.partition(".")[2])
    token.percent = match.group("percent") is not None


def _operator(name: str, match: re.Match[str], text: str, fresh: bool) -> str:
    before = text[max(0, match.start() - 40) : match.start()].rstrip(" ")
    after = text[match.end() : match.end() + 40]
    if match.group() == "**" and not (before[-1:].isdigit() or before.endswith(")")):
        return "space"  # bold
    if match.group() == "**" and not re.match(r" ?[\d(]", after):
        return "space"
    if fresh and name in ("minus", "times", "plus") and after[:1] == " ":
        return "break"
    return _OPERATORS[name]


def _word(token: Token, made: Sequence[Token], text: str) -> None:
    """A word behind a number is its unit; ``of`` behind a percentage or a fraction is a product."""
    if not made or "\n" in text[made[-1].end : token.start]:
        return
    last, said = made[-1], token.text.lower()
    if said == "of" and (last.percent or (len(made) > 2 and made[-2].kind == "/" and last.kind == "number")):
        token.kind = "*"
    elif last.kind == "number" and said in _SCALES and not last.percent:
        token.kind, last.scale = "unit", _SCALES[said]
    elif last.kind in ("number", ")", "unit") and len(said) > 1 and said not in _NO_UNITS:
        run = 0
        while run < len(made) and made[-1 - run].kind == "unit":
            run += 1
        token.kind = "unit" if run < _MOST_UNIT_WORDS else "break"


# ---- sides ---------------------------------------------------------------------------------------------------------

_PARTS = frozenset({"number", "unit", "(", ")", "+", "-", "*", "/", "^"})


def sides_at(tokens: Sequence[Token], place: int, text: str) -> Sides | None:
    """The sides of the equals sign at ``place``: None where the left is no sum, or the right no number or sum."""
    first = place
    while first > 0 and tokens[first - 1].kind in _PARTS and not _apart(tokens, first, text):
        first -= 1
    left = list(tokens[first:place])
    if left and left[0].kind == "-" and text[left[0].end : left[0].end + 1] == " ":
        left, first = left[1:], first + 1  # a dash
    if not left or len(left) > MOST_TOKENS or _part_of_more(tokens, first, left[0], text):
        return None
    if len(left) > 2 and left[1].kind == "-" and first > 0 and tokens[first - 1].text.lower() in _COUNTED:
        left = left[2:]
    if not any(one.kind in "+-*/^" for one in left[1:]) or left[-1].kind in "+-*/^(":
        return None
    last = place + 1
    while last < len(tokens) and tokens[last].kind in _PARTS and not (last > place + 1 and _apart(tokens, last, text)):
        last += 1
    for end in range(min(last, place + MOST_TOKENS), place + 1, -1):
        right = tokens[place + 1 : end]
        try:
            _Parser(right, hundredths=True).value()
        except _NoSum:
            continue
        return Sides(tuple(left), place, tuple(right))
    return None


def _apart(tokens: Sequence[Token], place: int, text: str) -> bool:
    """Does a new sum begin at ``place``, though nothing stands between it and what is before?"""
    before, here = tokens[place - 1], tokens[place]
    return (
        before.kind in ("number", ")", "unit")
        and here.kind in ("number", "(")
        and not (before.end == here.start and (before.kind, here.kind) != ("number", "number"))
    )


def _part_of_more(tokens: Sequence[Token], first: int, token: Token, text: str) -> bool:
    """Does what stands before the sum belong to it: a letter, a function, a ratio?"""
    before = text[token.start - 1 : token.start]
    if before.isalnum() or before in ("_", "^", "{", "}", ")"):
        return True
    if first == 0:
        return False
    last = tokens[first - 1]
    return last.text.lower() in _FUNCTIONS or bool(
        re.search(r"\d\s?:\s?$", text[max(0, token.start - 4) : token.start])
    )


# ---- worked out ----------------------------------------------------------------------------------------------------


def holds(sides: Sides, sign: Token) -> bool | None:
    """Is the equation right? None where it cannot be worked out, adds unlike units that do not agree, or says what a
    fraction of something is (``1/4 = 15``).
    """
    unlike, value, said = False, Fraction(0), Fraction(0)
    every = (*sides.left, *sides.right)
    for hundredths in (True, False) if any(one.percent for one in every) else (True,):
        for scales in (True, False) if any(one.scale > 1 for one in every) else (True,):
            for left in _bound(sides.left):
                try:
                    parser = _Parser(left, hundredths=hundredths, scales=scales)
                    value = parser.value()
                    unlike = unlike or parser.unlike
                    for right in (sides.right, sides.right[:1]) if sides.result else (sides.right,):
                        said = _Parser(right, hundredths=hundredths, scales=scales).value()
                        if agrees(value, said, right, sign, hundredths=hundredths):
                            return True
                except _NoSum:
                    return None
    kinds = [one.kind for one in sides.left if one.kind != "unit"]
    part = kinds == ["number", "/", "number"] and value < 1 < said and not any(one.percent for one in every)
    return None if unlike or part else False


def _bound(left: tuple[Token, ...]) -> list[tuple[Token, ...]]:
    """``left`` as it is, and with a fraction written closely behind a division taken as one: ``25 / 1/3``."""
    for place in range(2, len(left) - 2):
        over, above, by, below = left[place - 1 : place + 3]
        close = (
            above.end == by.start and by.end == below.start and not left[place - 2].end == over.start == above.start - 1
        )
        if over.kind == by.kind == "/" and above.kind == below.kind == "number" and close and below.value:
            one = Token("number", above.start, below.end, "", above.value / below.value)
            return [left, (*left[:place], one, *left[place + 3 :])]
    return [left]


def agrees(value: Fraction, said: Fraction, right: Sequence[Token], sign: Token, *, hundredths: bool = True) -> bool:
    """Is ``said``, which stands as the tokens ``right``, what ``value`` is, up to the digits shown?"""
    if value == said:
        return True
    decimals = right[0].decimals if len([one for one in right if one.kind == "number"]) == 1 else 0
    if right[0].kind != "number" or not (decimals or sign.approx):
        return False
    shown = decimals + (2 if right[0].percent and hundredths else 0)
    return abs(value - said) < Fraction(1, 10**shown)


def result_of(left: Sequence[Token]) -> Fraction | None:
    """What a sum is, a percent sign being a hundredth; None where it cannot be worked out or adds unlike units."""
    try:
        parser = _Parser(left, hundredths=True)
        value = parser.value()
    except _NoSum:
        return None
    return None if parser.unlike else value


class _Parser:
    """A sum by recursive descent: brackets, powers, products, sums."""

    def __init__(self, tokens: Sequence[Token], *, hundredths: bool, scales: bool = True) -> None:
        self.tokens, self.at, self.unlike = tokens, 0, False
        self.hundredths, self.scales = hundredths, scales

    def value(self) -> Fraction:
        """All of it. Raises _NoSum where it is no sum, divides by zero or grows beyond measure."""
        found, _ = self._sum()
        if self.at < len(self.tokens):
            raise _NoSum
        return found

    def _kind(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def _sum(self) -> tuple[Fraction, str]:
        value, unit = self._product()
        while self._kind() in ("+", "-"):
            sign = self._next().kind
            other, its = self._product()
            self.unlike = self.unlike or bool(unit and its and unit != its)
            value, unit = (value + other if sign == "+" else value - other), unit or its
        return value, unit

    def _product(self) -> tuple[Fraction, str]:
        value, unit = self._power()
        while self._kind() in ("*", "/", "("):  # 3(4 + 5) is a product
            sign = self._next().kind if self._kind() != "(" else "*"
            other, its = self._power()
            if sign == "/" and other == 0:
                raise _NoSum
            value, unit = (value * other if sign == "*" else value / other), "" if unit and its else unit or its
            if max(value.numerator.bit_length(), value.denominator.bit_length()) > 8 * MOST_DIGITS:
                raise _NoSum
        return value, unit

    def _power(self) -> tuple[Fraction, str]:
        value, unit = self._signed()
        if self._kind() == "^":
            self._next()
            power, _ = self._signed()
            if power.denominator != 1 or abs(power) > MOST_POWER or (value == 0 and power < 0):
                raise _NoSum
            if value.numerator.bit_length() * abs(int(power)) > 8 * MOST_DIGITS:
                raise _NoSum
            value = value ** int(power)
        return value, unit

    def _signed(self) -> tuple[Fraction, str]:
        if self._kind() == "-":
            self._next()
            value, unit = self._signed()
            return -value, unit
        if self._kind() == "(":
            self._next()
            value, unit = self._sum()
            if self._kind() != ")":
                raise _NoSum
            self._next()
        elif self._kind() == "number":
            token = self._next()
            value = token.value / 100 if token.percent and self.hundredths else token.value
            value, unit = (value * token.scale if self.scales else value), ""
        else:
            raise _NoSum
        words = []
        while self._kind() == "unit":
            words.append(self._next().text.lower().rstrip("s"))
        return value, " ".join(word for word in words if word not in _SCALES) or unit

    def _next(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]
