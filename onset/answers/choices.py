"""Answers that are one of an item's choices."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from onset.answers.evidence import LEAD, LONGEST_BARE, NEGATED, SENTENCE, Reading, extract, lines_of, short, skip
from onset.errors import DataError
from onset.records import Answer, Item, Score
from onset.scores import exact_match

_LETTERED = re.compile(r"(?:\(([A-Z])\)|([A-Z])[.):]|([A-Z])$)\s*(.*)", re.DOTALL)
_CHOICE_LEAD = re.compile(rf"(?:{LEAD}|-\s|(?i:(?:option|choice|answer)\s+))*")
_VERDICT = re.compile(
    r"\b(?:correct|right|best)\s+(?:option|answer|choice)\s+is\W*(?:(?:option|choice)\s+)?"
    r"|\b(?:option|choice|answer)\s+\(?(?-i:(?P<letter>[A-Z]))\)?\s+is\s+(?:the\s+)?(?:correct|right|best)\b",
    re.IGNORECASE,
)
"""Says which it is: "the correct option is B", "option B is correct"."""
_ENDS = r"(?=\s*(?:$|[.,:;!)\]}*\n\"'”’]))"


@dataclass(frozen=True, slots=True)
class _Choice:
    """One allowed answer: ``start`` matches it where an answer is expected (a bare letter counts), ``mention``
    anywhere in a line (a bare letter does not: "A" is also an article).
    """

    text: str
    start: re.Pattern[str]
    mention: re.Pattern[str]


_TYPOGRAPHY = str.maketrans("‘’‐‑−", "''---")
_DASH = re.compile(r"[‒–](?=\d)")


def _plain(text: str) -> str:
    """The text with one form of each letter (NFC), hyphen, minus and apostrophe."""
    return _DASH.sub("-", unicodedata.normalize("NFC", text).translate(_TYPOGRAPHY))


@lru_cache(maxsize=4096)
def _choices(choices: tuple[str, ...]) -> tuple[_Choice, ...]:
    """The patterns of each choice, for texts that are `_plain`. Letters count only when every choice carries one of its
    own.
    """
    lettered = [_LETTERED.match(_plain(choice)) for choice in choices]
    letters = [next(filter(None, match.groups()[:3])) for match in lettered if match]
    if len(set(letters)) < len(choices):
        return tuple(_Choice(choice, (p := _words(_plain(choice))), p) for choice in choices)
    found = []
    for choice, letter, match in zip(choices, letters, lettered, strict=True):
        words = f"|{_words(match.group(4)).pattern}" if match and match.group(4).strip() else ""
        paired = rf"\(\s*(?i:{letter})\s*\)"
        ends = _ENDS if letter in "AI" else rf"(?:{_ENDS}|(?=\s))"  # "A" and "I" are words too
        start = rf"{paired}|(?i:{letter})\)|(?<!\w){letter}{ends}|(?<!\w)(?i:{letter})(?=\W*$){words}"
        found.append(_Choice(choice, re.compile(start), re.compile(paired + words)))
    return tuple(found)


def _words(choice: str) -> re.Pattern[str]:
    """The choice's text as whole words, whatever its case and spacing; "toxic" is not in "non-toxic"."""
    body = r"\s+".join(re.escape(word) for word in choice.split())
    if re.fullmatch(r"[\d.,]*\d", choice.strip()):  # "4" is not in "4.5", "-4" and "4,000"
        return re.compile(rf"(?<![\w.,-]){body}(?![.,]?\w)")
    return re.compile(rf"(?<!\w)(?<!\w-)(?i:{body})(?!-?\w)")


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


def _read_start_choice(choices: Sequence[_Choice], segment: str) -> Reading:
    """The choice that a segment begins with."""
    place = skip(_CHOICE_LEAD, segment, 0)
    first = _at(choices, segment, place)
    if first is None:
        return Reading(raw=segment[place:], open=not segment[place:].strip("( "))
    choice, match = first
    rest = segment[match.end() :]
    other = re.match(r"\s*(?:,|/|or\b|and\b)\s*", rest)
    second = _at(choices, rest, other.end()) if other else None
    if second is not None and second[0] is not choice:
        return Reading(several=True)
    # "(A)" is complete; a word at the very end of a cut text may be the head of a longer one
    unfinished = match.group()[-1].isalnum() and not rest.strip(" ")
    return Reading(choice.text, raw=match.group(), open=unfinished)


def _read_stated_choice(choices: Sequence[_Choice], segment: str) -> Reading:
    """The choice a marker is followed by; failing that, the only one the sentence after it names."""
    reading = _read_start_choice(choices, segment)
    if reading.value is not None or reading.several or reading.open:
        return reading
    sentence = SENTENCE.split(segment.lstrip(), maxsplit=1)[0]
    unfinished = segment.lstrip() == sentence
    if NEGATED.search(sentence):
        return Reading(raw=sentence, open=unfinished)
    named = {choice.text for choice, _ in _mentioned(choices, sentence)}
    return Reading(named.pop() if len(named) == 1 else None, len(named) > 1, sentence, unfinished)


def _read_bare_choice(choices: Sequence[_Choice], text: str) -> Reading:
    """No marker: the choice the text begins with, else the one its last line names."""
    place = skip(_CHOICE_LEAD, text, 0)
    first = _at(choices, text, place)
    if first is not None and (re.match(_ENDS, text[first[1].end() :]) or _alone(choices, *first, text)):
        return Reading(first[0].text)
    line = next(reversed(lines_of(text)), "")
    if NEGATED.search(line):
        return Reading()
    verdicts = [
        _at(choices, f"{verdict['letter']})", 0) if verdict["letter"] else _at(choices, line, verdict.end())
        for verdict in _VERDICT.finditer(line)
    ]
    said = {found[0].text for found in verdicts if found is not None}
    if said:
        return Reading(said.pop() if len(said) == 1 else None, several=len(said) > 1)
    mentions = {choice.text for choice, match in _mentioned(choices, line) if _concludes(line, match)}
    return Reading(mentions.pop() if len(mentions) == 1 else None, several=len(mentions) > 1)


def _alone(choices: Sequence[_Choice], choice: _Choice, match: re.Match[str], text: str) -> bool:
    """Whether "(B) text" begins an answer and no walk through the options: no other one is named anywhere."""
    lines = lines_of(text)
    if not match.group().endswith(")") or NEGATED.search(lines[0]):
        return False
    begun = [_at(choices, line, skip(_CHOICE_LEAD, line, 0)) for line in lines]
    named = {found[0].text for found in (*begun, *_mentioned(choices, text)) if found is not None}
    return named <= {choice.text}


def _concludes(line: str, match: re.Match[str]) -> bool:
    """Whether a mention is the conclusion of its line: it stands at either end, or is "(B)" in a short line. The "no"
    inside a sentence is rarely the answer No.
    """
    around = (line[: match.start()], line[match.end() :])
    at_edge = not all(part.strip(string.punctuation + " ") for part in around)
    return at_edge or (match.group().startswith("(") and len(line.split()) <= LONGEST_BARE)


@dataclass(frozen=True, slots=True)
class ChoiceFormat:
    """One of ``item.choices``; the value is the choice as the item writes it.

    Choices match as whole words, whatever their case and whichever apostrophe and minus is written. Where each choice
    is or carries a letter of its own (``(A)``, ``B``, ``C. text``) the letter alone counts too: ``(B)``, ``b)``,
    ``B.``; never otherwise. After "the answer is" the choice comes first, else it is the only one its sentence names,
    and a sentence with "not" in it names none. Bare (no marker): the choice the text begins with ("Yes, because ..."),
    else the one at either end of the last line, else the only ``(B)`` of a last line of at most 12 words.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The choice in ``text``. Raises DataError when the item has no choices."""
        return extract_choice(text, item, _own_choices(item), truncated=truncated)

    def score(self, answer: Answer, item: Item) -> Score:
        """Is the choice the gold one? Raises DataError when the gold answer is not among the choices."""
        return Score(exact_match(answer, gold_choice(item.answer, _own_choices(item))))


def _own_choices(item: Item) -> tuple[str, ...]:
    if not item.choices:
        raise DataError(f"question {short(item.question)}: expected choices, found none")
    return item.choices


def extract_choice(text: str, item: Item, choices: tuple[str, ...], *, truncated: bool) -> Answer:
    """The one of ``choices`` that ``text`` answers with, read as `ChoiceFormat` says."""
    known = _choices(choices)
    return extract(
        _plain(text),
        item,
        lambda segment: _read_start_choice(known, segment),
        lambda segment: _read_stated_choice(known, segment),
        lambda whole: _read_bare_choice(known, whole),
        truncated=truncated,
    )


def gold_choice(gold: str, choices: tuple[str, ...]) -> str:
    """The choice that the gold answer is, by its text or its letter."""
    if gold in choices:
        return gold
    whole = [choice.text for choice in _choices(choices) if choice.start.fullmatch(_plain(gold.strip()))]
    if len(whole) != 1:
        raise DataError(f"gold answer {short(gold)}: expected one of {', '.join(choices)}")
    return whole[0]
