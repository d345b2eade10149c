"""Which questions stand in the texts that a stage trains on.

A pass over the texts, whatever the number of questions: one of six words or more is looked for where its second to
fifth word stand beside each other. (Its first and last may have a quotation mark or the like on the other side.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

WHOLE = 30
"""A question of so many characters or more is looked for inside texts, a shorter one as a whole prompt, text or line,
with a word and a colon before it or without.
"""

_WORDS = 6
_LINE = re.compile(r"\n|\\n")
"""Lines, and the parts of a question in UnifiedQA's encoding (`onset.tuning.stages.multi_format`)."""
_LEAD = re.compile(r"\w+ ?: ?")


def held_in(texts: Iterable[tuple[str, str]], questions: Sequence[str]) -> list[str]:
    """Those of ``questions`` that stand in ``texts`` (a prompt, and what follows it): see `WHOLE`. Case and spaces do
    not count.
    """
    texts = list(texts)
    pairs = [(plain(prompt), plain(prompt + rest)) for prompt, rest in texts]
    alone = {one for pair in pairs for one in pair} | {one for pair in texts for one in _lines("".join(pair))}
    whole = list(dict.fromkeys(one for _, one in pairs))
    wanted = {one: plain(one) for one in questions}
    long = {one for one in wanted.values() if len(one) >= WHOLE}
    found = _inside(whole, long)
    return [one for one in questions if (wanted[one] in found if wanted[one] in long else wanted[one] in alone)]


def _lines(text: str) -> Iterator[str]:
    """The lines of ``text``, plain, and what stands in each behind a word and a colon (``Question:``)."""
    for line in _LINE.split(text):
        yield (one := plain(line))
        if lead := _LEAD.match(one):
            yield one[lead.end() :]


def plain(text: str) -> str:
    """``text`` in lower case, with one space between words."""
    return " ".join(text.lower().split())


def _inside(texts: Sequence[str], questions: Iterable[str]) -> set[str]:
    """Those of ``questions`` that are part of one of ``texts``; both are plain."""
    by_words: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    few: list[str] = []
    for one in questions:
        words = one.split()
        if len(words) < _WORDS:
            few.append(one)
        else:
            by_words.setdefault(tuple(words[1:5]), []).append((one, len(words)))
    found = {one for one in few if any(one in text for text in texts)}
    for text in texts if by_words else ():
        words = text.split()
        for at, key in enumerate(zip(words[1:], words[2:], words[3:], words[4:], strict=False)):
            for one, count in by_words.get(key, ()):
                if one not in found and one in " ".join(words[at : at + count]):
                    found.add(one)
    return found
