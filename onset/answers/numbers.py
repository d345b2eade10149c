"""Answers that are numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from onset.answers.evidence import LEAD, NEGATED, SENTENCE, Reading, extract, lines_of, short, skip
from onset.errors import DataError
from onset.records import Answer, Item, Score
from onset.scores import exact_match

_RUN = r"\d++(?:,\d++)*+(?:\.\d++)*+"
_NUMBER = re.compile(
    rf"""
    (?<![A-Za-z0-9_√])                                  # x2 is no number
    (?P<sign>(?<![)\]}}])(?<!\d[ ])[-+])?               # in "5-3", "(5)-3" and "5 -3" the dash is an operator
    (?:[$€£¥][ ]?(?P<late>-)?)?
    (?:
        (?P<whole>\d++)[ ](?P<top>\d++)[ ]?/[ ]?(?P<bottom>\d++)
      | (?P<run>{_RUN}|(?<![\w.])\.\d++)
        (?:[eE](?P<power>[+-]?\d{{1,3}})(?!\w))?
        (?:[ ]?/[ ]?(?P<over>{_RUN}))?
    )
    (?:[ ](?P<scale>(?i:hundred|thousand|million|billion|trillion))(?![\w-]))?
    (?P<short>(?:[kKMB]|bn)(?!\w))?
    (?:[ ]?%)?
    """,
    re.VERBOSE,
)
_MONEY = re.compile(r"[$€£¥]")
"""What makes the k of "$70k" a thousand: without it "5k" may be a run."""
_GROUPED = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?")
_SCALES = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "k": 10**3, "m": 10**6, "b": 10**9, "bn": 10**9,
}  # fmt: skip
_LONGEST_RUN = 300
"""Digits beyond which a run of them is a model repeating itself, not a number."""
_GOES_ON = re.compile(
    r"""
    [ ]?(?:/[ ]?\d|[-+*×÷^·][ ]?[\d(]|[xX][ ]?\d) # an expression that is not worked out, a date, a range
  | \*\*\d                                         # a power as Python writes it
  | ['’:]\d                                        # a time or a ratio, feet and inches
  | [ ](?:or|and|to)[ ]+[$€£¥]?\d                 # one of several
  | ,[ ]+[$€£¥]?\d[\d.]*(?:,[ ]|,?[ ](?:and|or)[ ]) # the first of a list
  | [ ]\d                                          # "1 000" or two numbers: there is no telling
    """,
    re.VERBOSE,
)
_OPERATOR = r"[ ]?+(?:[-+*/xX×÷^·]|of(?=[ ]))[ ]?+"
_TERM = rf"[(\[]*+[-+]?+[$€£¥]?+-?+(?:{_RUN}|\.\d++)(?:[ ]?%)?+"
_WORD = r"(?!(?:[xX]|of)(?![A-Za-z]))[A-Za-z]++"
_UNIT = rf"(?:(?:[ ]?/[ ]?|[ -])?{_WORD}(?:(?:[ ]?/[ ]?|[ -]){_WORD}){{0,3}}+)?+[)\]]*+"
_SUM = rf"{_TERM}{_UNIT}(?>{_OPERATOR}{_TERM}{_UNIT})++"
_UNWORKED = re.compile(rf"{_UNIT}(?!(?:[ ]out)?[ ]of[ ]){_OPERATOR}{_TERM}")
_LATER = re.compile(
    r"(?:(?!\b(?:as|because|if|since|so|where|which)\b)(?:[^=;:,(\n.!?]|[.,](?=\d)))*=(?=\s*[$€£¥]?-?[$€£¥]?\.?\d)"
)
"""From a number to an equals sign in the same clause."""
_EQUATION = re.compile(
    rf"""
    (?: (?P<name>[A-Za-z]\w?\s*)
      | (?P<sum>{_SUM}\s*)                            # 9 eggs x $2 per egg =
      | (?P<left>(?:[\d\s.,$€£¥%+\-*/x×÷^·()]|(?<=[\d/][ ])[A-Za-z]+(?=[ ]?[-+*/×÷=]))*)
    )=
    """,
    re.VERBOSE,
)
_OPERATED = re.compile(r"[\d)%][ ]?(?:[A-Za-z]+[ ]?)?[-+*/x×÷^·(]")
_HEDGE = r"(?:(?:about|approximately|exactly|only|just|simply|equal\s+to|therefore|thus)\s+)?"
_NUMBER_LEAD = re.compile(rf"(?:{LEAD}|=)*{_HEDGE}[(\[{{]*", re.IGNORECASE)
_CALCULATOR = re.compile(r"<<[^<>\n]*>>")
_VULGAR = re.compile("[\u00bc-\u00be\u2150-\u215e]")
_TYPOGRAPHY = [
    (re.compile(r"[\u2010-\u2013\u2212\ufe63\uff0d]"), "-"),  # hyphens, en dash, minus; never the em dash
    (re.compile(r"(?<=\d)[\u00a0\u2009\u202f'’_](?=\d{3}(?!\d))|(?<=\d)(?:\{,\}|\\,)(?=\d{3})"), ","),
    (re.compile(r"[\u00a0\u2009\u202f]"), " "),
    (re.compile(r"(?<=\d)\s*\\[dt]?frac(?=\s*\{)"), r" \\frac"),  # 1\frac{1}{2} is a mixed number
    (re.compile(r"\\[dt]?frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}"), r"\1/\2"),
    (re.compile(r"\\sqrt\s*\{\s*"), "√"),
    (re.compile("\u2044"), "/"),  # the fraction slash
    (re.compile("(?<=\\d)²"), "^2"),
    (re.compile("(?<=\\d)³"), "^3"),
    (re.compile(r"(?<=\d)[ ]and[ ](?:a|one)[ -]half\b", re.IGNORECASE), " 1/2"),
    (re.compile(r"(?<=\d)[ ]and[ ](?:a|one)[ -]quarter\b", re.IGNORECASE), " 1/4"),
    (re.compile(r"(?<=\d)[ ]and[ ]three[ -]quarters\b", re.IGNORECASE), " 3/4"),
    (
        re.compile(
            r"\b(?:minus|negative)[ ]+(?=[$€£¥]?\.?\d)|(?:(?<=\bis[ ])|(?<==[ ]))-[ ](?=[$€£¥]?\.?\d)", re.IGNORECASE
        ),
        "-",
    ),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"[ ]?\\(?:text|mathrm)\s*\{[ ]?([^{}\n]*)\}"), r" \1"),
    (re.compile(r"\\times(?![A-Za-z])"), "×"),
    (re.compile(r"\\cdot(?![A-Za-z])"), "·"),
    (re.compile(r"\\div(?![A-Za-z])"), "÷"),
]


def canonical_number(text: str) -> str | None:
    """The number that ``text`` is, in the one form used for comparing: ``"1000"`` for ``$1,000.00``, ``"-3"``,
    ``"0.5"`` for ``1/2``, ``"1/3"``.

    Exact arithmetic; a percent or currency sign and a unit after the number are dropped ("50%" is 50). Worked out are
    scale words ("2 million", "$70k"), "minus 5", "2 and a half" and an equation ("9 * 2 = 18"). None when the text does
    not begin with a number, or when that number is one of several or part of an expression. ``1,00`` and ``3,5`` are
    not read: a comma that groups no thousands may be a decimal comma or a list.

    >>> [canonical_number(text) for text in ("$1,000", "18.00", "1 1/2", "2/6", "18 dollars (see 3.)", "eighteen")]
    ['1000', '18', '1.5', '1/3', '18', None]
    """
    return _read_start(_plain(text)).value


def _plain(text: str) -> str:
    """The text with one form of minus, thousands separator and fraction, and without calculator annotations."""
    text = _VULGAR.sub(_vulgar, _CALCULATOR.sub("", text))
    for pattern, replacement in _TYPOGRAPHY:
        text = pattern.sub(replacement, text)
    return text


def _vulgar(match: re.Match[str]) -> str:
    """``½`` as ``1/2``, and ``1½`` as ``1 1/2``."""
    after_digit = match.string[max(match.start() - 1, 0) : match.start()].isdigit()
    return (" " if after_digit else "") + unicodedata.normalize("NFKC", match.group()).replace("\u2044", "/")


def _value(match: re.Match[str]) -> str | None:
    """The canonical form of a match of `_NUMBER`; None when it only looks like a number (``1,00``)."""
    part = match.groupdict()
    runs = [part[name] for name in ("whole", "top", "bottom", "run", "over") if part[name] is not None]
    if any(len(run) > _LONGEST_RUN or not _GROUPED.fullmatch(run) for run in runs):
        return None
    number = [Fraction(run.replace(",", "")) for run in runs]
    if part["whole"] is not None:
        if number[2] == 0:
            return None
        value = number[0] + number[1] / number[2]
    else:
        value = number[0] * Fraction(10) ** int(part["power"] or 0)
        if part["over"] is not None:
            if number[1] == 0:
                return None
            value /= number[1]
    short = part["short"] if _MONEY.search(match.string, max(match.start() - 2, 0), match.end()) else None
    value *= _SCALES.get((part["scale"] or short or "").lower(), 1)
    return _written(-value if "-" in (part["sign"], part["late"]) else value)


def _written(value: Fraction) -> str:
    """A decimal where it ends, else a fraction in lowest terms."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _read_start(segment: str) -> Reading:
    """The number that a segment begins with, after "about", brackets, ``x =`` and a worked-out expression."""
    place = skip(_NUMBER_LEAD, segment, 0)
    if not segment[place:].strip():
        return Reading(open=True)
    while (equation := _EQUATION.match(segment, place)) is not None:
        # "9 * 2 =" and "x =" lead to the answer; in "18 = 9 * 2" it stands before
        if equation["left"] is not None and not _OPERATED.search(equation["left"]):
            break
        place = skip(_NUMBER_LEAD, segment, equation.end())
    match = _NUMBER.match(segment, place)
    if match is None:
        return Reading(raw=segment[place:], open=not segment[place:].strip())
    rest = segment[match.end() :]
    if _GOES_ON.match(rest) or _UNWORKED.match(rest) or _worked_out_later(rest, _value(match)):
        return Reading(several=True)
    # nothing but points, operators and spaces follows: 18. may be the head of 18.5 and "18 +" of a sum
    unfinished = not match.group().endswith("%") and re.fullmatch(r"[^\w\n)\]}\"'*!?;]*|\s*\*\s*", rest) is not None
    return Reading(_value(match), raw=match.group(), open=unfinished)


def _worked_out_later(rest: str, value: str | None) -> bool:
    """Does an operation behind a number lead to another one: "9 eggs at $2 each x 7 = $126"?"""
    sum_ = _LATER.match(rest)
    if sum_ is None or not _OPERATED.search(sum_.group()):
        return False
    result = _NUMBER.match(rest, skip(_NUMBER_LEAD, rest, sum_.end()))
    return result is not None and _value(result) != value


def _read_stated_number(segment: str) -> Reading:
    """The number a marker is followed by; failing that, the only number of the sentence after the marker."""
    reading = _read_start(segment)
    if reading.value is not None or reading.several or reading.open:
        return reading
    sentence = SENTENCE.split(segment.lstrip(), maxsplit=1)[0]
    unfinished = segment.lstrip() == sentence
    if NEGATED.search(sentence):
        return Reading(raw=sentence, open=unfinished)
    values = {_value(match) for match in _NUMBER.finditer(sentence)} - {None}
    return Reading(values.pop() if len(values) == 1 else None, len(values) > 1, sentence, unfinished)


def _read_bare_number(text: str) -> Reading:
    """No marker: the number after the last ``=`` of the last line, or the only number of the text or the last line."""
    lines = lines_of(text)
    if not lines:
        return Reading()
    if "=" in lines[-1]:
        reading = _read_start(lines[-1].rpartition("=")[2])
        if reading.value is not None:
            return reading
    everywhere, last = (
        {_value(match) for match in _NUMBER.finditer(part)} - {None} for part in ("\n".join(lines), lines[-1])
    )
    for values in (everywhere, last):
        if len(values) == 1:
            return Reading(values.pop())
    return Reading(several=bool(everywhere))


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A number: `canonical_number` says which dresses it may wear, and equality is by exact value.

    Bare (no marker): the number after the last ``=`` of the last line, else the only number of the text, else the only
    number of the last line; several numbers and no rule to prefer one are ``ambiguous``. "The answer is between 3 and
    5", "5 + 3" and "5-7" are ``ambiguous`` too. The gold answer may be a whole GSM8K solution ending in ``#### 18``.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The number in ``text``; of ``item`` only the marks of turns in its own text play a part."""
        return extract(_plain(text), item, _read_start, _read_stated_number, _read_bare_number, truncated=truncated)

    def score(self, answer: Answer, item: Item) -> Score:
        """Is the number a gold one? Raises DataError when a gold answer is no number."""
        found = False
        for text in item.golds:
            gold = canonical_number(text.rpartition("####")[2])
            if gold is None:
                raise DataError(f"gold answer {short(text)}: expected a number")
            found = found or exact_match(answer, gold)
        return Score(found)
