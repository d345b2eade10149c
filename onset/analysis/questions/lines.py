"""The short line of a finding in every language: at most `LONGEST` characters, or `WRAPPED` where names are long.

A line is a phrase of `onset.analysis.phrases` whose places are filled with words. A word is the same in every language
(a model's name), or depends on it (`points`, `size`, `method` ...).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from onset.analysis import words
from onset.analysis.curves.place import Place
from onset.analysis.finding import Interval
from onset.analysis.phrases import LANGUAGES, PHRASES, Language, counted, phrase

Word = str | Callable[[Language], str]
Lines = Mapping[Language, str]

LONGEST = 110
"""What fits a line of the first screen."""
WRAPPED = 2 * LONGEST
"""What fits two: where names alone are too long for one, they are said whole on two, and cut only beyond."""
_CHINESE = re.compile(r"(?<=[万亿]) (?=[\u4e00-\u9fff])")
"""A space between a number's unit and the word behind it."""
_SETTINGS = re.compile("(?<=\\S) ?[(\uff08][^()\uff08\uff09]*[)\uff09]$")
_NUMBERS = re.compile("(?<=\\S) ?[(\uff08][^()\uff08\uff09]*\\d[^()\uff08\uff09]*[)\uff09]$")
"""An interval in brackets at the end of a line."""
_EMPTY = re.compile(r" (?=:)|\uff08\uff09")
"""What is left around a budget that is not said."""
_LEAST_OF_A_NAME = 12
_MARK = "\N{HORIZONTAL ELLIPSIS}"


def line(key: str, of: str | None = None, **values: Word) -> Lines:
    """The phrase ``line.KEY`` in every language; ``of``: the task it is about, None where that goes without saying.

    Where it is too long the task is said without its parameters, then left out, then the settings of methods and the
    budget are. What is still too long for one line wraps onto a second; beyond that the longest name is cut in its
    middle, and what is still too long before its interval.
    """
    return {language: _fitted(key, of, values, language) for language in LANGUAGES}


def _fitted(key: str, of: str | None, values: Mapping[str, Word], language: Language) -> str:
    said = {name: words.Name(one) if isinstance(one, str) else one(language) for name, one in values.items()}
    text = _phrase(key, language, **said)
    named = [] if of is None else [of, of.partition("[")[0]]
    tasks = [words.unchanged(name, words.plain_task(name, language)) for name in named]
    plain = _without_settings(said)
    bare = _phrase(key, language, **plain)
    texts = [_phrase("of", language, of=name, line=text) for name in tasks] + [text]
    texts += [_phrase("of", language, of=name, line=bare) for name in tasks[1:]] + [bare]
    if "given" in plain:
        plain["given"] = ""
        bare = _without_budget(_phrase(key, language, **plain))
        texts.append(bare)
    whole = next((one for one in texts if len(one) <= LONGEST), bare)
    if len(whole) > WRAPPED:
        whole = _without_budget(_phrase(key, language, **_shortened(plain, len(bare) - WRAPPED)))
    whole = whole if len(whole) <= WRAPPED else words.led(whole, _cut(whole))
    return _CHINESE.sub("", whole if language == "zh" else words.begun(whole))  # there letters stand for names alone


def _phrase(key: str, language: Language, **said: str) -> str:
    return words.filled(PHRASES[f"line.{key}"][language], **said)


def _without_budget(text: str) -> str:
    return words.led(text, _EMPTY.sub("", text))


def _cut(text: str) -> str:
    """At most `WRAPPED` characters: words are left out, and the numbers in the brackets that end it are kept."""
    found = _NUMBERS.search(text)
    kept = found.group() if found else ""
    return f"{text[: WRAPPED - len(kept) - 1].rstrip()}{_MARK}{kept}"


def _shortened(said: Mapping[str, str], excess: int) -> dict[str, str]:
    """The longest word ``excess`` shorter, by a cut in its middle; as they are where too little of it would be left."""
    name = max(said, key=lambda name: len(said[name]))
    left = len(said[name]) - excess - 1
    if left < _LEAST_OF_A_NAME:
        return dict(said)
    end = left // 2
    cut = f"{said[name][: left - end].rstrip()}{_MARK}{said[name][-end:].lstrip()}"
    return {**said, name: words.led(said[name], cut)}


def _without_settings(said: Mapping[str, str]) -> dict[str, str]:
    """The words without what stands in brackets behind a name, as far as that leaves them different."""
    bare = {name: words.led(text, _SETTINGS.sub("", text)) for name, text in said.items()}
    return {name: text if list(bare.values()).count(text) == 1 else said[name] for name, text in bare.items()}


def method(name: str) -> Word:
    """A method as a person says it."""
    return lambda language: words.unchanged(name, words.plain_method(name, language))


def accuracy(language: Language) -> str:
    """What a curve is of, where there is but one method."""
    return phrase("word.accuracy", language)


def parameters(task: str) -> Word:
    """What tells a task from its relatives, as a person says it."""
    return lambda language: words.plain_parameters(task, language)


def shift(name: str) -> Word:
    """A shift: in English by its name in the study."""
    return lambda language: name if language == "en" else words.plain_shift(name, language)


def stage(name: str) -> Word:
    """A stage of training, its steps in order."""
    return lambda language: words.plain_stage(name, language)


def points(share: float) -> Word:
    """A difference of shares in points."""
    number = words.number(100 * share)
    one = number.lstrip(words.MINUS) == "1.0"
    return lambda language: _form("points", one, language).format(value=number)


def _form(key: str, one: bool, language: Language) -> str:
    first, _, many = phrase(f"word.{key}", language, value="{value}").partition("|")
    return first if one or not many else many


def size(params: float) -> Word:
    """A size in parameters, as its language counts."""
    return lambda language: words.myriads(params) if language == "zh" else words.short_count(params)


def count(key: str, number: int) -> Word:
    """A number of things: ``3 cells``."""
    return lambda language: counted(key, number, language)


def share_range(interval: Interval | None) -> Word:
    """An interval of shares or of their differences, in percent or points."""
    return _range(interval, words.bound)


def score_range(interval: Interval | None) -> Word:
    """An interval of scores in their own unit, or of their differences."""
    return _range(interval, lambda end: words.score(end, 3))


def size_range(interval: Interval | None) -> Word:
    """An interval of sizes."""
    return _range(interval, size)


def label_range(interval: Interval | None) -> Word:
    """An interval of numbers of labelled examples."""
    return _range(interval, lambda end: f"{end:.0f}")


def ratio_range(interval: Interval | None) -> Word:
    """An interval of ratios."""
    return _range(interval, words.ratio)


def place_range(place: Place) -> Word:
    """The interval of a place on the axis of sizes."""
    return size_range((place.low, place.high))


def _range(interval: Interval | None, written: Callable[[float], Word]) -> Word:
    low, high = interval or (None, None)

    def spoken(language: Language) -> str:
        ends = {
            name: one if isinstance(one, str) else one(language)
            for name, end in (("low", low), ("high", high))
            if end is not None
            for one in (written(end),)
        }
        form = {2: "range", 0: "range.open"}.get(len(ends), "range.above" if "low" in ends else "range.below")
        return phrase(f"word.{form}", language, **ends)

    return spoken
