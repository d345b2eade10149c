r"""Answer formats: how an answer is found in a text, and what makes two answers the same.

Every format reads a text in the same order and stops at the first kind of evidence that is there:

    1. ``#### 18``
    2. ``the answer is 18``, ``final answer: 18``, ``\boxed{18}``
    3. ``answer: 18``
    4. no marker: what the format says of a bare answer (below)

A text is first cut where a new turn begins (``Question:``, ``Human:``, ``<|im_start|>`` and their like:
`onset.turns`), unless the item's own text has that mark: what follows is another problem. If the evidence of the kind
that decides names different answers, the status is ``ambiguous``; if it names none, ``none``. A text that a token
limit cut (``truncated=True``) before the answer was complete has status ``truncated``: when there is no marker, and
also when nothing but a point or a space follows the answer ("The answer is 1" may be the head of 18, "The answer is
18." of 18.5). In a text that repeats itself, a last repetition that the limit cut does no harm.

Values are canonical: equal answers are equal strings, so that votes for ``$1,000`` and ``1000.00`` add up. Nothing
looks at the gold answer to find an answer, except `BBHFormat`, and that only at its kind.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import zip_longest

from onset.errors import DataError
from onset.records import Answer, Item
from onset.scores import exact_match
from onset.turns import SENTENCE_END, new_turn, turns_of

_HASHES = re.compile(r"####")
_SAID = re.compile(r"\bthe\s+(?:final\s+|correct\s+)?answer\s+is\b|\bfinal\s+answer[*_]*\s*:", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\s*\{")
_ANSWER = re.compile(r"\banswer[*_]*\s*:", re.IGNORECASE)
_LEAD = r"[\s:*_`\"'“‘~≈$(\[{]|\\[(\[]|\\boxed\s*\{|\\text\s*\{"
_LONGEST_BOX = 300
"""Characters: a box that does not close within them holds no short answer."""
_NEGATED = re.compile(r"\b(?:not|neither|cannot)\b|n['’]t\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one piece of evidence says: ``value`` (None: nothing readable), whether it names several answers, the
    characters read (``raw``), and whether a text that was cut may have gone on with it (``open``).
    """

    value: str | None = None
    several: bool = False
    raw: str = ""
    open: bool = False


_Read = Callable[[str], _Reading]
_Canonical = Callable[[str], str | None]


def _decide(readings: Sequence[_Reading], *, truncated: bool) -> Answer:
    """The answer that one kind of evidence gives; ``readings`` in text order, so only the last can touch the cut."""
    if truncated and readings[-1].open:
        *readings, cut = readings
        if not any(reading.value and reading.raw.startswith(cut.raw) for reading in readings):
            return Answer(None, "truncated")
    values = {reading.value for reading in readings if reading.value is not None}
    if len(values) > 1 or any(reading.several for reading in readings):
        return Answer(None, "ambiguous")
    if not values:
        return Answer(None, "none")
    return Answer(values.pop(), "ok")


def _extract(text: str, item: Item, start: _Read, stated: _Read, bare: _Read, *, truncated: bool) -> Answer:
    """Walk the kinds of evidence. ``start`` reads what follows ``####`` and ``answer:``, ``stated`` what follows "the
    answer is", ``bare`` a text without a marker.
    """
    turn = new_turn(text, turns_of(item))
    if turn is not None:
        text, truncated = text[: turn.start()], False
    # "#### Step 1" is a heading and "Answer:" may head a chain of thought: where nothing readable follows they are no
    # evidence. "The answer is" with nothing readable after it is a statement: a guess below it would overrule the model
    for segments, read, binding in ((_hashed, start, False), (_stated, stated, True), (_labelled, start, False)):
        readings = [read(segment) for segment in segments(text)]
        if readings and (binding or any(reading.value for reading in readings)):
            return _decide(readings, truncated=truncated)
    return Answer(None, "truncated") if truncated else _decide([bare(text)], truncated=False)


def _hashed(text: str) -> Iterator[str]:
    """What follows each ``####`` on its line, unless a sentence goes on there ("#### 1. Count the eggs")."""
    for segment in _HASHES.split(text)[1:]:
        line, newline, _ = segment.partition("\n")
        if re.search(r"[.:]\s+\S", line) is None:
            yield line + newline


def _stated(text: str) -> Iterator[str]:
    """What follows each "the answer is", and what each box holds."""
    marks = sorted([*_SAID.finditer(text), *_BOXED.finditer(text)], key=lambda match: match.start())
    for match, after in zip_longest(marks, marks[1:]):
        if match.group().startswith("\\"):
            yield _braced(text[match.end() : match.end() + _LONGEST_BOX])
        else:  # up to the next statement, but into a box: "the answer is \boxed{18}"
            boxed = after is not None and after.group().startswith("\\")
            yield text[match.end() : None if after is None else after.end() + _LONGEST_BOX if boxed else after.start()]


def _labelled(text: str) -> Iterator[str]:
    """What follows each "answer:"."""
    yield from _ANSWER.split(text)[1:]


def _braced(text: str) -> str:
    """The inside of braces that are already open, with the closing one: a box that is closed is complete."""
    depth = 1
    for place, char in enumerate(text):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth == 0:
            return text[: place + 1]
    return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


# ---------------------------------------------------------------------------------------------------------- numbers

_RUN = r"\d++(?:,\d++)*+(?:\.\d++)*+"
_NUMBER = re.compile(
    rf"""
    (?<![A-Za-z0-9_])                                   # x2 is no number
    (?P<sign>(?<![)\]}}])(?<!\d[ ])[-+])?               # in "5-3", "(5)-3" and "5 -3" the dash is an operator
    (?:[$€£¥][ ]?(?P<late>-)?)?
    (?:
        (?P<whole>\d++)[ ](?P<top>\d++)[ ]?/[ ]?(?P<bottom>\d++)
      | (?P<run>{_RUN}|(?<![\w.])\.\d++)
        (?:[eE](?P<power>[+-]?\d{{1,3}})(?!\w))?
        (?:[ ]?/[ ]?(?P<over>{_RUN}))?
    )
    (?:[ ](?P<scale>thousand|million|billion|trillion)\b)?
    (?:[ ]?%)?
    """,
    re.VERBOSE,
)
_GROUPED = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?")
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_LONGEST_RUN = 300
"""Digits beyond which a run of them is a model repeating itself, not a number."""
_GOES_ON = re.compile(
    r"""
    [ ]?(?:/[ ]?\d|[-+*×÷^·][ ]?[\d(]|[xX][ ]?\d) # an expression that is not worked out, a date, a range
  | :\d                                           # a time or a ratio
  | [ ](?:or|and|to)[ ]+[$€£¥]?\d                 # one of several
  | [ ]\d                                          # "1 000" or two numbers: there is no telling
    """,
    re.VERBOSE,
)
_SENTENCE = re.compile(r"[.!?](?=\s)|\n")
_EQUATION = re.compile(
    r"(?:(?P<name>[A-Za-z]\w?\s*)|(?P<left>(?:[\d\s.,$€£¥%+\-*/x×÷^·()]|(?<=[\d/][ ])[A-Za-z]+(?=[ ]?[-+*/×÷=]))*))="
)
_OPERATED = re.compile(r"[\d)%][ ]?(?:[A-Za-z]+[ ]?)?[-+*/x×÷^·(]")
_HEDGE = r"(?:(?:about|approximately|exactly|only|just|simply|equal\s+to|therefore|thus)\s+)?"
_NUMBER_LEAD = re.compile(rf"(?:{_LEAD}|=)*{_HEDGE}[(\[{{]*", re.IGNORECASE)
_CALCULATOR = re.compile(r"<<[^<>\n]*>>")
_VULGAR = re.compile("[\u00bc-\u00be\u2150-\u215e]")
_TYPOGRAPHY = [
    (re.compile(r"[\u2010-\u2013\u2212\ufe63\uff0d]"), "-"),  # hyphens, en dash, minus; never the em dash
    (re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))|(?<=\d)(?:\{,\}|\\,)(?=\d{3})"), ","),
    (re.compile(r"[\u00a0\u2009\u202f]"), " "),
    (re.compile(r"(?<=\d)\s*\\[dt]?frac(?=\s*\{)"), r" \\frac"),  # 1\frac{1}{2} is a mixed number
    (re.compile(r"\\[dt]?frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}"), r"\1/\2"),
    (re.compile(r"\\([$%])"), r"\1"),
]


def canonical_number(text: str) -> str | None:
    """The number that ``text`` is, in the one form used for comparing: ``"1000"`` for ``$1,000.00``, ``"-3"``,
    ``"0.5"`` for ``1/2``, ``"1/3"``.

    Exact arithmetic; a percent or currency sign and a unit after the number are dropped ("50%" is 50), scale words are
    worked out ("2 million"), and so is an equation ("9 * 2 = 18"). None when the text does not begin with a number, or
    when that number is one of several or part of an expression. ``1,00`` and ``3,5`` are not read: a comma that
    groups no thousands may be a decimal comma or a list.

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
    value *= _SCALES.get(part["scale"] or "", 1)
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


def _read_start(segment: str) -> _Reading:
    """The number that a segment begins with, after "about", brackets, ``x =`` and a worked-out expression."""
    place = _skip(_NUMBER_LEAD, segment, 0)
    if not segment[place:].strip():
        return _Reading(open=True)
    while (equation := _EQUATION.match(segment, place)) is not None:
        # "9 * 2 =" and "x =" lead to the answer; in "18 = 9 * 2" it stands before
        if not equation["name"] and not _OPERATED.search(equation["left"]):
            break
        place = _skip(_NUMBER_LEAD, segment, equation.end())
    match = _NUMBER.match(segment, place)
    if match is None:
        return _Reading(raw=segment[place:], open=not segment[place:].strip())
    rest = segment[match.end() :]
    if _GOES_ON.match(rest):
        return _Reading(several=True)
    # nothing but points, operators and spaces follows: 18. may be the head of 18.5 and "18 +" of a sum
    unfinished = not match.group().endswith("%") and re.fullmatch(r"[^\w\n)\]}\"'*!?;]*|\s*\*\s*", rest) is not None
    return _Reading(_value(match), raw=match.group(), open=unfinished)


def _skip(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _read_stated_number(segment: str) -> _Reading:
    """The number a marker is followed by; failing that, the only number of the sentence after the marker."""
    reading = _read_start(segment)
    if reading.value is not None or reading.several or reading.open:
        return reading
    sentence = _SENTENCE.split(segment.lstrip(), maxsplit=1)[0]
    unfinished = segment.lstrip() == sentence
    if _NEGATED.search(sentence):
        return _Reading(raw=sentence, open=unfinished)
    values = {_value(match) for match in _NUMBER.finditer(sentence)} - {None}
    return _Reading(values.pop() if len(values) == 1 else None, len(values) > 1, sentence, unfinished)


def _read_bare_number(text: str) -> _Reading:
    """No marker: the number after the last ``=`` of the last line, or the only number of the text or the last line."""
    lines = _lines(text)
    if not lines:
        return _Reading()
    if "=" in lines[-1]:
        reading = _read_start(lines[-1].rpartition("=")[2])
        if reading.value is not None:
            return reading
    everywhere, last = (
        {_value(match) for match in _NUMBER.finditer(part)} - {None} for part in ("\n".join(lines), lines[-1])
    )
    for values in (everywhere, last):
        if len(values) == 1:
            return _Reading(values.pop())
    return _Reading(several=bool(everywhere))


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A number: `canonical_number` says which dresses it may wear, and equality is by exact value.

    Bare (no marker): the number after the last ``=`` of the last line, else the only number of the text, else the only
    number of the last line; several numbers and no rule to prefer one are ``ambiguous``. "The answer is between 3 and
    5", "5 + 3" and "5-7" are ``ambiguous`` too. The gold answer may be a whole GSM8K solution ending in ``#### 18``.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The number in ``text``; of ``item`` only the marks of turns in its own text play a part."""
        return _extract(_plain(text), item, _read_start, _read_stated_number, _read_bare_number, truncated=truncated)

    def correct(self, answer: Answer, item: Item) -> bool:
        """Is the number a gold one? Raises DataError when a gold answer is no number."""
        found = False
        for text in item.golds:
            gold = canonical_number(text.rpartition("####")[2])
            if gold is None:
                raise DataError(f"gold answer {_short(text)}: expected a number")
            found = found or exact_match(answer, gold)
        return found


# ---------------------------------------------------------------------------------------------------------- choices

_LETTERED = re.compile(r"(?:\(([A-Z])\)|([A-Z])[.):]|([A-Z])$)\s*(.*)", re.DOTALL)
_CHOICE_LEAD = re.compile(rf"(?:{_LEAD}|-\s|(?i:(?:option|choice|answer)\s+))*")
_LONGEST_BARE = 12
"""Words: a longer line without a marker is talk, not a short answer."""
_ENDS = r"(?=\s*(?:$|[.,:;!)\]}*\n\"'”’]))"


@dataclass(frozen=True, slots=True)
class _Choice:
    """One allowed answer: ``start`` matches it where an answer is expected (a bare letter counts), ``mention``
    anywhere in a line (a bare letter does not: "A" is also an article).
    """

    text: str
    start: re.Pattern[str]
    mention: re.Pattern[str]


@lru_cache(maxsize=4096)
def _choices(choices: tuple[str, ...]) -> tuple[_Choice, ...]:
    """The patterns of each choice. Letters count only when every choice carries one of its own."""
    lettered = [_LETTERED.match(choice) for choice in choices]
    letters = [next(filter(None, match.groups()[:3])) for match in lettered if match]
    if len(set(letters)) < len(choices):
        return tuple(_Choice(choice, (p := _words(choice)), p) for choice in choices)
    found = []
    for choice, letter, match in zip(choices, letters, lettered, strict=True):
        words = f"|{_words(match.group(4)).pattern}" if match and match.group(4).strip() else ""
        paired = rf"\(\s*(?i:{letter})\s*\)"
        start = rf"{paired}|(?i:{letter})\)|(?<!\w){letter}{_ENDS}|(?<!\w)(?i:{letter})(?=\W*$){words}"
        found.append(_Choice(choice, re.compile(start), re.compile(paired + words)))
    return tuple(found)


def _words(choice: str) -> re.Pattern[str]:
    """The choice's text as whole words, whatever its case and spacing."""
    body = r"\s+".join(re.escape(word) for word in choice.split())
    return re.compile(rf"(?<!\w)(?i:{body})(?!\w)")


def _at(choices: Sequence[_Choice], text: str, place: int) -> tuple[_Choice, re.Match[str]] | None:
    """The longest choice that begins at ``place``."""
    found = [(choice, match) for choice in choices if (match := choice.start.match(text, place))]
    return max(found, key=lambda pair: len(pair[1].group()), default=None)


def _mentioned(choices: Sequence[_Choice], text: str) -> list[tuple[_Choice, re.Match[str]]]:
    """Mentions that do not lie inside a longer one ("red" in "dark red"), in text order."""
    spans = [(choice, match) for choice in choices for match in choice.mention.finditer(text)]
    spans.sort(key=lambda pair: (pair[1].start(), -pair[1].end()))
    kept: list[tuple[_Choice, re.Match[str]]] = []
    for choice, match in spans:
        if not kept or match.start() >= kept[-1][1].end():
            kept.append((choice, match))
    return kept


def _read_start_choice(choices: Sequence[_Choice], segment: str) -> _Reading:
    """The choice that a segment begins with."""
    place = _skip(_CHOICE_LEAD, segment, 0)
    first = _at(choices, segment, place)
    if first is None:
        return _Reading(raw=segment[place:], open=not segment[place:].strip("( "))
    choice, match = first
    rest = segment[match.end() :]
    other = re.match(r"\s*(?:,|/|or\b|and\b)\s*", rest)
    second = _at(choices, rest, other.end()) if other else None
    if second is not None and second[0] is not choice:
        return _Reading(several=True)
    # "(A)" is complete; a word at the very end of a cut text may be the head of a longer one
    unfinished = match.group()[-1].isalnum() and not rest.strip(" ")
    return _Reading(choice.text, raw=match.group(), open=unfinished)


def _read_stated_choice(choices: Sequence[_Choice], segment: str) -> _Reading:
    """The choice a marker is followed by; failing that, the only one the sentence after it names."""
    reading = _read_start_choice(choices, segment)
    if reading.value is not None or reading.several or reading.open:
        return reading
    sentence = _SENTENCE.split(segment.lstrip(), maxsplit=1)[0]
    unfinished = segment.lstrip() == sentence
    if _NEGATED.search(sentence):
        return _Reading(raw=sentence, open=unfinished)
    named = {choice.text for choice, _ in _mentioned(choices, sentence)}
    return _Reading(named.pop() if len(named) == 1 else None, len(named) > 1, sentence, unfinished)


def _read_bare_choice(choices: Sequence[_Choice], text: str) -> _Reading:
    """No marker: the choice the text begins with, else the one its last line names."""
    place = _skip(_CHOICE_LEAD, text, 0)
    first = _at(choices, text, place)
    if first is not None and re.match(_ENDS, text[first[1].end() :]):
        return _Reading(first[0].text)
    line = next(reversed(_lines(text)), "")
    if _NEGATED.search(line):
        return _Reading()
    mentions = {choice.text for choice, match in _mentioned(choices, line) if _concludes(line, match)}
    return _Reading(mentions.pop() if len(mentions) == 1 else None, several=len(mentions) > 1)


def _concludes(line: str, match: re.Match[str]) -> bool:
    """Whether a mention is the conclusion of its line: it stands at either end, or is "(B)" in a short line. The "no"
    inside a sentence is rarely the answer No.
    """
    around = (line[: match.start()], line[match.end() :])
    at_edge = not all(part.strip(string.punctuation + " ") for part in around)
    return at_edge or (match.group().startswith("(") and len(line.split()) <= _LONGEST_BARE)


@dataclass(frozen=True, slots=True)
class ChoiceFormat:
    """One of ``item.choices``; the value is the choice as the item writes it.

    Choices match as whole words, whatever their case. Where each choice is or carries a letter of its own (``(A)``,
    ``B``, ``C. text``) the letter alone counts too: ``(B)``, ``b)``, ``B.``; never otherwise. After "the answer is" the
    choice comes first, else it is the only one its sentence names, and a sentence with "not" in it names none. Bare (no
    marker): the choice the text begins with ("Yes, because ..."), else the one at either end of the last line, else the
    only ``(B)`` of a last line of at most 12 words.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The choice in ``text``. Raises DataError when the item has no choices."""
        return _extract_choice(text, item, _own_choices(item), truncated=truncated)

    def correct(self, answer: Answer, item: Item) -> bool:
        """Is the choice the gold one? Raises DataError when the gold answer is not among the choices."""
        return exact_match(answer, _gold_choice(item.answer, _own_choices(item)))


def _own_choices(item: Item) -> tuple[str, ...]:
    if not item.choices:
        raise DataError(f"question {_short(item.question)}: expected choices, found none")
    return item.choices


def _extract_choice(text: str, item: Item, choices: tuple[str, ...], *, truncated: bool) -> Answer:
    known = _choices(choices)
    return _extract(
        text,
        item,
        lambda segment: _read_start_choice(known, segment),
        lambda segment: _read_stated_choice(known, segment),
        lambda whole: _read_bare_choice(known, whole),
        truncated=truncated,
    )


def _gold_choice(gold: str, choices: tuple[str, ...]) -> str:
    """The choice that the gold answer is, by its text or its letter."""
    if gold in choices:
        return gold
    whole = [choice.text for choice in _choices(choices) if choice.start.fullmatch(gold.strip())]
    if len(whole) != 1:
        raise DataError(f"gold answer {_short(gold)}: expected one of {', '.join(choices)}")
    return whole[0]


# ------------------------------------------------------------------------------------------------------------- text

_ARTICLE = re.compile(r"(?:a|an|the)\s+(?=\S)")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_TEXT_LEAD = re.compile(r"[\s:*_`]*")
_TEXT_END = re.compile(rf"{SENTENCE_END}(?=\s|$)")


def canonical_text(text: str) -> str | None:
    """Short free text in the one form used for comparing: lower case, single spaces, no leading article, no punctuation
    around it. None when nothing is left; text of punctuation alone keeps it.

    >>> [canonical_text(text) for text in ('The  Eiffel tower.', '"Paris"', 'an Apple', '] }.', ' ')]
    ['eiffel tower', 'paris', 'apple', '] }', None]
    """
    folded = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    inner = folded.strip(string.punctuation + "“”‘’ ")
    return (_ARTICLE.sub("", inner, count=1) if _ARTICLE.match(inner) else inner) or canonical_verbatim(folded)


def canonical_verbatim(text: str) -> str | None:
    """Text whose punctuation is part of the answer (brackets to close, a list of words): single spaces, no final full
    stop, case ignored. None when nothing is left.
    """
    return " ".join(text.casefold().split()).removesuffix(".").rstrip() or None


def _read_line(segment: str, canonical: _Canonical, end: re.Pattern[str]) -> _Reading:
    """The line a segment begins with, up to where ``end`` matches."""
    place = _skip(_TEXT_LEAD, segment, 0)
    line, newline, _ = segment[place:].partition("\n")
    stop = end.search(line)
    raw = line[: stop.start()] if stop else line
    return _Reading(canonical(raw), raw=raw, open=not stop and not newline)


def _read_bare_line(text: str, canonical: _Canonical, longest: int) -> _Reading:
    """No marker: the only line, when it has at most ``longest`` words (lines that say the same are one)."""
    values = {canonical(line) for line in _lines(text)} - {None}
    if len(values) != 1:
        return _Reading(several=len(values) > 1)
    value = values.pop()
    return _Reading(value if value is not None and len(value.split()) <= longest else None)


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A short free text, compared as `canonical_text`: a name, a word, a phrase.

    After a marker the answer ends with the sentence or the line. Bare (no marker): the text itself, when it is one line
    of at most 12 words; several different lines are ``ambiguous``.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The phrase in ``text``; of ``item`` only the marks of turns in its own text play a part."""
        return _extract_text(text, item, canonical_text, truncated=truncated)

    def correct(self, answer: Answer, item: Item) -> bool:
        """Is the phrase a gold one? Raises DataError when a gold answer is empty."""
        return _is_gold_text(answer, item, canonical_text)


def normalised_answer(text: str) -> str | None:
    """Short free text as open question answering compares it: lower case, no punctuation, no article, single spaces.

    The ``normalize_answer`` of SQuAD (Rajpurkar et al. 2016, arXiv 1606.05250, section 6.1; its evaluation script), by
    which DrQA (Chen et al. 2017, arXiv 1704.00051) and GenRead (Yu et al. 2023, arXiv 2209.10063) score exact match,
    after Unicode normalisation (NFC). Where it would leave nothing ("The The", "?") the text is `canonical_text`; None
    when nothing is left of that either. Only ASCII punctuation goes, and a decimal point with it: "3.5" is "35".

    >>> [normalised_answer(text) for text in ("The Beatles", "Washington, D.C.", "rock 'n' roll!", "The", " ")]
    ['beatles', 'washington dc', 'rock n roll', 'the', None]
    """
    folded = unicodedata.normalize("NFC", text).lower().translate(_NO_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", folded).split()) or canonical_text(text)


@dataclass(frozen=True, slots=True)
class OpenFormat:
    """The answer to an open question, compared as `normalised_answer` with every right answer: the exact match of open
    question answering.

    It is read as in `TextFormat`. Two right answers are two values: a vote counts each by itself.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The phrase in ``text``; of ``item`` only the marks of turns in its own text play a part."""
        return _extract_text(text, item, normalised_answer, truncated=truncated)

    def correct(self, answer: Answer, item: Item) -> bool:
        """Is the phrase one of the right ones? Raises DataError when one of these is empty."""
        return _is_gold_text(answer, item, normalised_answer)


def _extract_text(text: str, item: Item, canonical: _Canonical, *, truncated: bool) -> Answer:
    def read(segment: str) -> _Reading:
        return _read_line(segment, canonical, _TEXT_END)

    def bare(whole: str) -> _Reading:
        return _read_bare_line(whole, canonical, _LONGEST_BARE)

    return _extract(text, item, read, read, bare, truncated=truncated)


def _is_gold_text(answer: Answer, item: Item, canonical: _Canonical) -> bool:
    found = False
    for text in item.golds:
        gold = canonical(text)
        if gold is None:
            raise DataError(f"gold answer {_short(text)}: expected some text")
        found = found or exact_match(answer, gold)
    return found


def _short(text: str) -> str:
    """The text on one line, at most 60 characters of it, in quotes."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


# -------------------------------------------------------------------------------------------------- BIG-Bench Hard

_PAIRS = {word: pair for pair in (("yes", "no"), ("true", "false"), ("valid", "invalid")) for word in pair}
_LETTERS = tuple(f"({letter})" for letter in string.ascii_uppercase[:18])
"""No BBH question has more than 18 options."""
_VERBATIM_END = re.compile(r"\.\s*$")
_LONGEST_VERBATIM = 100


@dataclass(frozen=True, slots=True)
class BBHFormat:
    """The answers of BIG-Bench Hard, whose 27 subtasks have four kinds of them.

    The kind is the kind of the gold answer, so that texts can be graded without the data: an option letter ``(B)``, one
    of a pair (yes/no, true/false, valid/invalid), a number, or open text (brackets, sorted words: compared as
    `canonical_verbatim`). Options are ``item.choices`` where the item has them. Suzgun et al. 2022 (arXiv 2210.09261)
    take what follows "the answer is"; on their released Codex outputs this format gives their scores.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The answer in ``text``, of the kind of ``item.answer``."""
        options = _bbh_options(item)
        if options:
            return _extract_choice(text, item, options, truncated=truncated)
        if canonical_number(item.answer) is not None:
            return NumberFormat().extract(text, item, truncated=truncated)

        def read(segment: str) -> _Reading:
            return _read_line(segment, canonical_verbatim, _VERBATIM_END)

        def bare(whole: str) -> _Reading:
            return _read_bare_line(whole, canonical_verbatim, _LONGEST_VERBATIM)

        return _extract(text, item, read, read, bare, truncated=truncated)

    def correct(self, answer: Answer, item: Item) -> bool:
        """Is the answer the gold one? Raises DataError when the gold answer is empty or not among the choices."""
        options = _bbh_options(item)
        if options:
            return exact_match(answer, _gold_choice(item.answer, options))
        if canonical_number(item.answer) is not None:
            return NumberFormat().correct(answer, item)
        return _is_gold_text(answer, item, canonical_verbatim)


def _bbh_options(item: Item) -> tuple[str, ...] | None:
    """The allowed answers: the item's own, else those of the gold answer's kind; None for numbers and open text."""
    gold = item.answer.strip()
    if item.choices:
        return item.choices
    if gold in _LETTERS:
        return _LETTERS
    pair = _PAIRS.get(gold.casefold())
    if pair is None:
        return None
    return tuple(word.capitalize() for word in pair) if gold[0].isupper() else pair
