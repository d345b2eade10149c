"""Sentences in a language: the English template stands where it is said, the others in a table by it.

``say("of {count} tried", count=...)``: a template has the same places in every language. What is put into places is
said by the same object, so that one function writes a sentence in every language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from onset.analysis import words
from onset.analysis.phrases import Language, counted, phrase
from onset.analysis.phrases.page import CHINESE
from onset.analysis.phrases.reading import READING
from onset.analysis.phrases.sentences import SENTENCES
from onset.analysis.phrases.told import CHECKED, SCORES, TOLD, retold
from onset.analysis.stats.shares import Interval

_Row = TypeVar("_Row")
Ends = tuple[float | None, float | None]
Sentence = Callable[["Say"], str]
"""What writes a sentence in the language of what it is given."""


_UNIT_SPACE = re.compile(r"(?<=[\u4e00-\u9fff\uff09]) (?=[\u4e00-\u9fff])")

_NAMES = ("model", "metric")
"""Places that are filled with names as somebody wrote them."""


class Say:
    """Says templates, numbers and names in one ``language``."""

    def __init__(self, language: Language = "en") -> None:
        self.language = language

    def __call__(self, template: str, **places: str | int) -> str:
        """The template with its places filled; in English where the table has it in no other language."""
        if self.language == "en":
            names = {key: words.Name(places[key]) for key in _NAMES if key in places}
            return words.filled(template, **{**places, **names})
        text = SENTENCES.get(template) or CHINESE.get(template, template)
        # in Chinese no space stands between a number's unit, or a bracket, and the word behind it
        return _UNIT_SPACE.sub("", text.format(**places))

    def counted(self, key: str, count: int) -> str:
        """A number of things (`word.KEY` of the phrases): ``3 cells``."""
        return counted(key, count, self.language)

    def listed(self, names: Sequence[str]) -> str:
        """``a, b and c``."""
        if self.language == "en" or not names:
            return words.led(names[0], words.listed(names)) if names else self("none")
        return "、".join(names)

    def first(self, rows: Sequence[_Row], most: int, told: Callable[[_Row], str]) -> list[str]:
        """What is ``told`` of the first ``most`` of ``rows``, and how many more there are."""
        said = [told(one) for one in rows[:most]]
        return [*said, self("{count} more", count=len(rows) - most)] if len(rows) > most else said

    def clauses(self, parts: Iterable[str]) -> str:
        """Clauses of one sentence, parted by semicolons."""
        held = [part for part in parts if part]
        return words.led(held[0] if held else None, phrase("word.clause", self.language).join(held))

    def parted(self, parts: Iterable[str]) -> str:
        """Parts of one clause, parted by commas."""
        held = [part for part in parts if part]
        return words.led(held[0] if held else None, phrase("word.separator", self.language).join(held))

    def text(self, sentences: Iterable[str]) -> str:
        """Sentences one after the other, each with its stop. In Chinese letters stand for names alone."""
        if self.language == "zh":
            return "".join(self.stopped(one) for one in sentences if one)
        return " ".join(self.stopped(words.begun(one)) for one in sentences if one)

    def stopped(self, sentence: str) -> str:
        """A sentence with its stop, begun as it is."""
        stop = "\N{IDEOGRAPHIC FULL STOP}" if self.language == "zh" else "."
        return _UNIT_SPACE.sub("", sentence) + stop

    def method(self, name: str) -> str:
        """A method as a person says it."""
        return words.unchanged(name, words.plain_method(name, self.language))

    def task(self, name: str) -> str:
        """A task as a person says it."""
        return words.unchanged(name, words.plain_task(name, self.language))

    def named(self, method: str) -> str:
        """A method: in English by its name in the study, elsewhere as a person says it."""
        return words.Name(method) if self.language == "en" else self.method(method)

    def named_task(self, task: str) -> str:
        """A task: in English by its name in the study, elsewhere as a person says it."""
        return words.unchanged(task, task) if self.language == "en" else self.task(task)

    def shift(self, name: str) -> str:
        """A shift: in English by its name in the study, elsewhere as a person says it."""
        return name if self.language == "en" else words.plain_shift(name, self.language)

    def stage(self, name: str) -> str:
        """A stage of training, its steps in order."""
        return words.plain_stage(name, self.language)

    def told(self, text: str) -> str:
        """A test, a reason, a check on a metric or a note on what was read as it was made, which is in English; as it
        is where no table knows it.
        """
        return text if self.language == "en" else self._known(text) or text

    def _known(self, text: str) -> str | None:
        return retold(text, TOLD) or retold(text, CHECKED, SCORES) or retold(text, READING)

    def reasons(self, reasons: Sequence[str]) -> str:
        """`` (reason; reason)``; elsewhere than in English those that a table knows."""
        if self.language == "en":
            return f" ({'; '.join(reasons)})" if reasons else ""
        known = self.clauses(said for one in reasons if (said := self._known(one)))
        return self(" ({why})", why=known) if known else ""

    def why(self, reasons: Sequence[str]) -> str:
        """``: reason``, the first alone; empty without one, and elsewhere than in English where no table knows it."""
        known = (reasons[0] if self.language == "en" else self._known(reasons[0])) if reasons else None
        return self(": {why}", why=known) if known else ""

    def probability(self, p: float | None) -> str:
        """A p-value."""
        text = words.probability(p)
        return self(text) if text.startswith(("below", "unknown")) else text

    def points(self, share: float) -> str:
        """A difference of shares in percentage points."""
        text = words.points(share)
        return text if self.language == "en" else phrase("word.points", "zh", value=text.partition(" ")[0])

    def size(self, params: float) -> str:
        """A number of parameters without the word."""
        return words.myriads(params) if self.language == "zh" else words.short_count(params)

    def parameters(self, params: float) -> str:
        """A number of parameters."""
        return self("{size} parameters", size=self.size(params))

    def interval(self, ends: Ends | None, written: Callable[[float], str]) -> str:
        """``95 % interval 2.1 M to 3.2 M``; an end that is None leaves it open on that side."""
        low, high = (None if end is None else written(end) for end in ends or (None, None))
        if low is None and high is None:
            return self("95 % interval open at both ends")
        if low is None:
            return self("95 % interval below {high}", high=high or "")
        if high is None:
            return self("95 % interval above {low}", low=low)
        return self("95 % interval {low} to {high}", low=low, high=high)

    def point_range(self, interval: Interval) -> str:
        """An interval of differences, in points."""
        return self.interval(interval, words.bound)

    def share_range(self, interval: Interval) -> str:
        """An interval of shares, in per cent."""
        low, high = (words.number(100 * end) for end in interval)
        return self("95 % interval {low} to {high} %", low=low, high=high)

    def size_range(self, ends: Ends) -> str:
        """An interval of sizes."""
        return self.interval(ends, self.size)

    def ratio_range(self, ends: Ends) -> str:
        """An interval of a ratio of sizes."""
        return self.interval(ends, words.ratio)

    def sample(self, items: int, draws: int) -> str:
        """Items and draws behind a number."""
        if draws > 1:
            return self("n = {items} items × {draws} draws", items=items, draws=draws)
        return self("n = {items} items, one draw of examples", items=items)

    def duration(self, seconds: float) -> str:
        """``1 min 35 s``."""
        text = words.duration(seconds)
        if self.language == "zh":
            for unit, name in ((" min", " 分"), (" h", " 小时"), (" s", " 秒")):
                text = text.replace(unit, name)
        return text

    def with_labels(self, labels: int, shown: Mapping[str, tuple[int, int]] | None = None, methods: int = 1) -> str:
        """A budget in words; ``shown``, ``methods``: as in `onset.analysis.words.with_labels`."""
        if labels == 0:
            return self("without labelled examples")
        given = self("with {examples}", examples=self.counted("example", labels))
        few = {name: self.span(*ends) for name, ends in (shown or {}).items() if ends[0] < labels}
        if not few:
            return given
        if methods == 1:
            return self("{given}, {count} of them shown", given=given, count=next(iter(few.values())))
        return self("{given}, of which {shown}", given=given, shown=self._shows(few))

    def shows(self, counts: Mapping[str, tuple[int, int]]) -> str:
        """``chain of thought shows 4``: method -> fewest and most demonstrations of its prompts."""
        return self._shows({name: self.span(*ends) for name, ends in counts.items()})

    def _shows(self, counts: Mapping[str, str]) -> str:
        groups: dict[str, list[str]] = {}
        for name, count in counts.items():
            groups.setdefault(count, []).append(self.method(name))
        said = [
            self("{methods} shows {count}" if len(names) == 1 else "{methods} show {count}",
                 methods=self.listed(names), count=count)
            for count, names in groups.items()
        ]  # fmt: skip
        return self.listed(said)

    def span(self, low: int, high: int) -> str:
        """``4``, or ``60 to 62`` where the ends differ."""
        return str(low) if low == high else self("{low} to {high}", low=low, high=high)


ENGLISH = Say("en")
