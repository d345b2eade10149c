"""Answers that are a short free text."""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass, field

from onset.answers.evidence import (
    LATEX,
    LONGEST_BARE,
    Canonical,
    Reading,
    box,
    extract,
    has_marker,
    lines_of,
    short,
    skip,
)
from onset.errors import DataError
from onset.records import Answer, Item, Score
from onset.scores import exact_match, token_f1
from onset.turns import CLOSING, SENTENCE_END, new_turn, turns_of

_ARTICLE = re.compile(r"(?:a|an|the)\s+(?=\S)")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_AROUND = string.punctuation + "“”‘’«»‹›„‚…¿¡。、，．！？：；（）「」『』《》 "
_BEGINS_NUMBER = re.compile(r"(?P<minus>(?<!-)-)?[$€£¥]?(?P<point>(?<!\.)\.)?$")
_ENDS_NAME = re.compile(r"[+#]+")
_SPACE = re.compile(r"(?:[*_`]*[:\s])*")
_OPENER = re.compile(rf"(?P<mark>\*+|_+|`+)|[\"'“‘$]|\\[(\[]|(?P<latex>{LATEX})")
_CLOSERS = {"“": "”", "‘": "’", "\\(": "\\)", "\\[": "\\]"}
_DRESS = re.compile(rf"(?:[*_`\"'“‘$:\s]|\\[(\[]|{LATEX})*")
_BOX = re.compile(r"\\boxed\s*\{")
_ESCAPED = re.compile(r"\\([{}$%#&_<>])")
_TEXT_END = re.compile(rf"{SENTENCE_END}[{CLOSING}]*(?=\s|$)")


def canonical_text(text: str) -> str | None:
    """Short free text in the one form used for comparing: lower case, single spaces, no leading article, no punctuation
    around it but a number's minus and what ends a name ("C++", "A+"). None when nothing is left; text of punctuation
    alone keeps it.

    >>> [canonical_text(text) for text in ('The  Eiffel tower.', '"Paris"', 'an Apple', '-5', 'C#.', '] }.', ' ')]
    ['eiffel tower', 'paris', 'apple', '-5', 'c#', '] }', None]
    """
    folded = " ".join(unicodedata.normalize("NFC", text).casefold().replace("\u2212", "-").split())  # the minus
    before = folded[: len(folded) - len(folded.lstrip(_AROUND))]
    inner = folded[len(before) :].rstrip(_AROUND)
    after = folded[len(before) + len(inner) :]
    if inner[:1].isdigit() and (begun := _BEGINS_NUMBER.search(before)):
        inner = ("-" if begun["minus"] else "") + ("0." if begun["point"] else "") + inner
    if inner[-1:].isalpha() and (end := _ENDS_NAME.match(after)):
        inner += end.group()
    return (_ARTICLE.sub("", inner, count=1) if _ARTICLE.match(inner) else inner) or canonical_verbatim(folded)


def canonical_verbatim(text: str) -> str | None:
    """Text whose punctuation is part of the answer (brackets to close, a list of words): single spaces, no final full
    stop, case ignored, out of the bold, the quotes or the box that it stands in. None when nothing is left.
    """
    folded = " ".join(text.casefold().split())
    return _undressed(folded).removesuffix(".").rstrip() or folded.removesuffix(".").rstrip() or None


def _undressed(text: str) -> str:
    """The text without what marks it as an answer: bold, backticks, and quotes, ``$`` and LaTeX commands that close
    at its end. Brackets stay: they may be the answer.
    """
    text, latex = text.strip(), False
    while text and (opener := _OPENER.match(text)) is not None:
        said, inside = opener.group(), text[opener.end() :].strip()
        closer = "}" if opener["latex"] else _CLOSERS.get(said, said)
        end = next((end for end in (closer, f"{closer}.") if inside.endswith(end)), None)
        if not opener["mark"] and (end is None or inside == end):
            break
        text, latex = inside[: -len(end)].rstrip() if end else inside, latex or opener["latex"] is not None
    text = _ESCAPED.sub(r"\1", text) if latex else text
    # bold that began before "the answer is" ends behind the answer
    bare = text.rstrip("*").rstrip()
    return text if "*" in bare else bare


def read_line(segment: str, canonical: Canonical, end: re.Pattern[str]) -> Reading:
    """The line a segment begins with, up to where ``end`` matches."""
    dress = segment[: skip(_DRESS, segment, 0)]
    boxed = _BOX.search(dress)
    if boxed:
        inside, closed = box(segment, boxed.end())
        return Reading(canonical(_undressed(_ESCAPED.sub(r"\1", inside))), raw=_bare(inside), open=not closed)
    place = max(skip(_SPACE, segment, 0), dress.rfind("\n") + 1)
    line, newline, _ = segment[place:].partition("\n")
    stop = end.search(line)
    raw, closing = (line[: stop.start()], stop.group().lstrip(".!?").strip()) if stop else (line, "")
    # what closes behind the point opened before the answer, or before "the answer is"
    value = _undressed(raw + closing).removesuffix(closing)
    return Reading(canonical(value), raw=_bare(raw), open=not stop and not newline)


def _bare(text: str) -> str:
    return text[skip(_DRESS, text, 0) :]


def read_bare_line(text: str, canonical: Canonical, longest: int) -> Reading:
    """No marker: the only line, when it has at most ``longest`` words (lines that say the same are one)."""
    values = {canonical(_undressed(line)) for line in lines_of(text)} - {None}
    if len(values) != 1:
        return Reading(several=len(values) > 1)
    value = values.pop()
    return Reading(value if value is not None and len(value.split()) <= longest else None)


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A short free text, compared as `canonical_text`: a name, a word, a phrase.

    After a marker the answer ends with the sentence or the line. Bare (no marker): the text itself, when it is one line
    of at most 12 words; several different lines are ``ambiguous``.
    """

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The phrase in ``text``; of ``item`` only the marks of turns in its own text play a part."""
        return _extract_text(text, item, canonical_text, truncated=truncated)

    def score(self, answer: Answer, item: Item) -> Score:
        """Is the phrase a gold one? Raises DataError when a gold answer is empty."""
        return Score(is_gold_text(answer, item, canonical_text))


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
    question answering. Beside it stands the F1 of the words, as in SQuAD's evaluation script; but an answer
    of which normalisation leaves nothing ("?", "The") is compared by what it is, so that it has F1 1 where it is right.

    It is read as in `TextFormat`, but of several lines without a marker the first is the answer if it has at most 12
    words, as others read open questions, who end the text there (lm-evaluation-harness 0.4.13, tasks nq_open and
    triviaqa). ``first_line`` false: not so, since the text has steps, whose first line is no answer. Two right answers
    are two values: a vote counts each by itself.
    """

    first_line: bool = field(default=True, repr=False)

    def extract(self, text: str, item: Item, *, truncated: bool = False) -> Answer:
        """The phrase in ``text``; of ``item`` only the marks of turns in its own text play a part."""
        turn = new_turn(text, turns_of(item))
        own = text if turn is None else text[: turn.start()]
        lines = lines_of(own)
        if self.first_line and len(lines) > 1 and not has_marker(own):
            first = _extract_text(lines[0], item, normalised_answer, truncated=False)
            if first.status == "ok":
                return first
        return _extract_text(text, item, normalised_answer, truncated=truncated)

    def score(self, answer: Answer, item: Item) -> Score:
        """Is the phrase one of the right ones, and how many of its words are those of the right one nearest to it
        (`onset.scores.token_f1`; 0 where no answer was found)? Raises DataError when a right one is empty.
        """
        golds = _golds(item, normalised_answer)
        partial = max(token_f1(answer.value, gold) for gold in golds) if answer.value is not None else 0.0
        return Score(any(exact_match(answer, gold) for gold in golds), partial)


def _extract_text(text: str, item: Item, canonical: Canonical, *, truncated: bool) -> Answer:
    def read(segment: str) -> Reading:
        return read_line(segment, canonical, _TEXT_END)

    def bare(whole: str) -> Reading:
        return read_bare_line(whole, canonical, LONGEST_BARE)

    return extract(text, item, read, read, bare, truncated=truncated)


def is_gold_text(answer: Answer, item: Item, canonical: Canonical) -> bool:
    """Is the answer a gold one in its ``canonical`` form? Raises DataError when nothing is left of one of these."""
    return any(exact_match(answer, gold) for gold in _golds(item, canonical))


def _golds(item: Item, canonical: Canonical) -> list[str]:
    golds = []
    for text in item.golds:
        gold = canonical(text)
        if gold is None:
            raise DataError(f"gold answer {short(text)}: expected some text")
        golds.append(gold)
    return golds
