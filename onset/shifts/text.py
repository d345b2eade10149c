"""What rewrites of a text share: what of an item they must leave alone, and how often they hit the rest.

Left alone are the words of the right answers and of the choices, numbers and number words, what stands in quotes, and
what is no prose: options within a question, code, formulas. So the answer stays, and a reader still finds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from onset.records import Item

_ANY_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"\"[^\"\n]*\"|“[^”\n]*”|`[^`\n]*`")
_OPTIONS = re.compile(r"(?:\n|(?<=\s))(?:Options:\s*)?\(A\) ")
_CODE = re.compile(r"^(?:[a-z_]\w* = .*|print\(.*\)|solve \w+:|def .*|return .*)$", re.MULTILINE)
_NUMBERS_SPELT = """
    zero four five seven eight nine eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
    twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half third quarter
    fifth sixth first second fourth seventh eighth ninth tenth once twice thrice double triple times three
"""
NUMBER_WORDS = frozenset([*_NUMBERS_SPELT.split(), "one", "two", "six", "ten", "both", "pair", "couple"])

Span = tuple[int, int]


def kept_words(item: Item) -> frozenset[str]:
    """Words, in lower case, that stay as they are: those of the right answers and of the choices, also where a question
    ends with these, and number words.
    """
    texts = (*item.golds, *(item.choices or ()), item.question[options_at(item.question) :])
    held = {word.casefold() for text in texts for word in _ANY_WORD.findall(text)}
    return NUMBER_WORDS | held


def options_at(text: str) -> int:
    """Where the lettered options begin that ``text`` ends with; its length where it has none."""
    options = _OPTIONS.search(text)
    return len(text) if options is None else options.start()


def prose(text: str) -> list[Span]:
    """The parts of ``text`` that are prose, as spans: not what is quoted, the options it ends with, or code."""
    end = options_at(text)
    taboo = sorted((one.start(), one.end()) for pattern in (_QUOTED, _CODE) for one in pattern.finditer(text[:end]))
    spans, at = [], 0
    for start, stop in taboo:
        if start > at:
            spans.append((at, start))
        at = max(at, stop)
    return [*spans, *([(at, end)] if at < end else [])]


def found(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """The matches of ``pattern`` that lie within the prose of ``text``."""
    spans = prose(text)
    return [
        one for one in pattern.finditer(text) if any(start <= one.start() and one.end() <= end for start, end in spans)
    ]


def replaced(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """``text`` with each (start, end, new) of ``edits`` put in; they do not overlap."""
    for start, end, new in sorted(edits, reverse=True):  # from the end: earlier places stay where they are
        text = text[:start] + new + text[end:]
    return text


def with_texts(item: Item, change: Callable[[str], str]) -> Item:
    """``item`` with question and context changed."""
    context = None if item.context is None else change(item.context)
    return replace(item, question=change(item.question), context=context)


def neighbours(text: str, at: int) -> frozenset[str]:
    """The words before and after the place ``at``, in lower case."""
    before, after = re.search(r"[\w'’-]+$", text[:at]), re.match(r" *([\w'’-]+)", text[at:])
    return frozenset([*([before.group().casefold()] if before else []), *([after[1].casefold()] if after else [])])


def share(count: int, rate: float) -> int:
    """How many of ``count`` places are hit at ``rate``: the nearest whole number, at least one where there is one."""
    return min(count, max(1, round(rate * count))) if count else 0
