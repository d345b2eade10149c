"""Numbers in words: the same phrases in every sentence a reader meets."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from onset.analysis.phrases import PHRASES, Language, phrase
from onset.analysis.phrases.names import SHIFTS as SHIFT_NAMES
from onset.analysis.phrases.names import STEPS
from onset.analysis.phrases.told import retold

MINUS = "\N{MINUS SIGN}"


def number(value: float, digits: int = 1) -> str:
    """``-3.14`` as ``−3.1``; zero never has a sign."""
    text = f"{abs(value):.{digits}f}"
    return text if value >= 0 or float(text) == 0 else MINUS + text


def points(share: float) -> str:
    """A difference of accuracies (0..1) in percentage points: ``12.5 points``."""
    text = number(100 * share)
    return f"{text} point" if text.lstrip(MINUS) == "1.0" else f"{text} points"


def signed_bound(share: float) -> str:
    """`bound` with a plus before what is above 0."""
    text = bound(share)
    return f"+{text}" if share > 0 and float(text) > 0 else text


def percent(share: float) -> str:
    """An accuracy (0..1): ``62.5 %``."""
    return f"{number(100 * share)} %"


def point_range(interval: tuple[float, float]) -> str:
    """``95 % interval 4.0 to 21.0``, in points."""
    return f"95 % interval {bound(interval[0])} to {bound(interval[1])}"


def bound(share: float) -> str:
    """An end of an interval in points: ``4.0``; one near 0 has the digits that tell on which side it is, ``−0.03``."""
    value = 100 * share
    digits = next((digits for digits in (1, 2, 3) if float(f"{abs(value):.{digits}f}") > 0), 1)
    return number(value, digits)


def probability(p: float | None) -> str:
    """A p-value: ``.021``, ``below .001``; ``unknown`` for None."""
    if p is None:
        return "unknown"
    return "below .001" if p < 0.001 else "1" if p >= 0.9995 else f"{p:.3f}".removeprefix("0")


def parameters(count: float) -> str:
    """``135 M parameters``, ``1.7 B parameters``."""
    return f"{short_count(count)} parameters"


def short_count(count: float) -> str:
    """Three significant digits with k, M, B or T: ``135 M``."""
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * size:
            return f"{_three(count / size)} {unit}"
    return _three(count)


def on_scale(size: float, scale: Literal["params", "flops", "loss"], *, bare: bool = False) -> str:
    """A place on an axis of sizes: ``7 B parameters``, ``1e+22 FLOPs``, ``a loss of 2.1`` (of pretraining, nats).

    ``bare``: without what it counts, where that was said: ``7 B``, ``1e+22``, ``2.1``.
    """
    if scale == "params":
        return short_count(size) if bare else parameters(size)
    text = f"{size:.3g}"
    return text if bare else f"{text} FLOPs" if scale == "flops" else f"a loss of {text}"


def myriads(count: float) -> str:
    """Three significant digits, counted in ten thousands and hundred millions as Chinese does: ``4.6 万``."""
    for unit, size in (("亿", 1e8), ("万", 1e4)):
        if count >= 0.9995 * size:
            return f"{float(f'{count / size:.3g}'):g} {unit}"
    return _three(count)


def _three(value: float) -> str:
    rounded = float(f"{value:.3g}")
    return f"{rounded:g}" if rounded >= 1 else f"{rounded:.2g}"


def sample(items: int, draws: int) -> str:
    """``n = 200 items × 5 draws``; a single draw says so."""
    return f"n = {items} items × {draws} draws" if draws > 1 else f"n = {items} items, one draw of examples"


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"


class Name(str):
    """A name as somebody wrote it, or a text that begins with one: `begun` leaves its case alone."""

    __slots__ = ()

    def __add__(self, other: str) -> Name:
        """Begins with the name still."""
        return Name(str.__add__(self, other))


def unchanged(name: str, said: str) -> str:
    """How ``name`` is ``said``: a Name where somebody wrote it so."""
    known = f"task.{name}" in PHRASES or f"method.{name}" in PHRASES
    return Name(said) if said == name and not known else said


def led(first: object, text: str) -> str:
    """``text``, which begins with ``first``: a Name where that is one."""
    return Name(text) if isinstance(first, Name) else text


def filled(template: str, **places: str | int) -> str:
    """``template`` with its ``places`` filled: a Name where it begins with one."""
    first = re.match(r"{(\w+)}", template)
    return led(places.get(first[1]) if first else None, template.format(**places))


def begun(text: str) -> str:
    """``text`` with a capital first letter, but for a name: ``tickets``, and what is spelled without (``gsm8k``)."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    kept = isinstance(text, Name) or re.search(r"[\d_/=]|\.\w", first)
    return text if kept else text[:1].upper() + text[1:]


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{count} {singular}" if count == 1 else f"{count} {plural or singular + 's'}"


def with_labels(labels: int, shown: Mapping[str, tuple[int, int]] | None = None, methods: int = 1) -> str:
    """``with 8 labelled examples``; a budget of 0 is said in words.

    ``shown``: method -> the fewest and most demonstrations of its prompts; fewer than ``labels`` are said:
    ``with 64 labelled examples, 4 of them shown``, or, where the sentence is about several ``methods``, ``with 64
    labelled examples, of which cot shows 4``.
    """
    if labels == 0:
        return "without labelled examples"
    given = f"with {counted(labels, 'labelled example')}"
    few = {name: span(*ends) for name, ends in (shown or {}).items() if ends[0] < labels}
    if not few:
        return given
    if methods == 1:
        return f"{given}, {next(iter(few.values()))} of them shown"
    return f"{given}, of which {shows(few)}"


def shows(counts: Mapping[str, str]) -> str:
    """``cot and answer-only show 4 and own shows 60 to 62``: ``counts`` by method."""
    groups: dict[str, list[str]] = {}
    for name, count in counts.items():
        groups.setdefault(count, []).append(name)
    return listed([f"{listed(names)} {'shows' if len(names) == 1 else 'show'} {one}" for one, names in groups.items()])


def span(low: int, high: int) -> str:
    """``4``, or ``60 to 62`` where the ends differ."""
    return str(low) if low == high else f"{low} to {high}"


def said(kind: str, verdict: str, language: Language = "en") -> str:
    """A finding's verdict where it stands alone, before its sentence: ``from`` says nothing by itself."""
    own = f"label.{kind}.{verdict}"
    return phrase(own if own in PHRASES else f"label.{verdict}", language)


def difference_name(kind: str, language: Language = "en", verdict: str = "") -> str | None:
    """What the difference is that is drawn of findings of ``kind`` with this ``verdict``; None where none is."""
    keys = (f"label.difference.{kind}.{verdict}", f"label.difference.{kind}")
    return next((phrase(key, language) for key in keys if key in PHRASES), None)


def plain_method(name: str, language: Language = "en") -> str:
    """A method's name as a person says it; one that is made of no known parts stays as it is.

    >>> plain_method("cot-shots4-vote8")
    'a vote over chain of thought (4 shown, 8 samples)'
    """
    base = max((one for one in _METHODS if name == one or name.startswith(f"{one}-")), key=len, default=None)
    if base is None:
        return name
    rest = name[len(base) + 1 :].replace("oracle-dev", "oracledev")
    parts = [_METHOD_PART.fullmatch(part) for part in rest.split("-") if part]
    if not all(parts):
        return name
    known = [(part["name"], part["value"]) for part in parts if part]
    text = phrase(f"method.{base}", language)
    for kind in [kind for kind, _ in known if kind in _VOTES]:
        text = phrase(f"method.+{kind}", language, name=text)
    renamed = [("samples" if kind in _VOTES else kind, value) for kind, value in known if value or kind not in _VOTES]
    return _with_more(text, [phrase(f"method.+{kind}", language, value=value) for kind, value in renamed], language)


def plain_task(name: str, language: Language = "en") -> str:
    """A task's name as a person says it, from its label; what no table knows stays as it is.

    >>> plain_task("world-problems[steps=2, things=held]")
    'word problems, two steps, unseen things'
    """
    base, _, subtask = name.partition("[")[0].partition("/")
    said = phrase(f"task.{base}", language) if f"task.{base}" in PHRASES else base
    said += f" {subtask.replace('_', ' ')}" if subtask else ""
    more = plain_parameters(name, language)
    return phrase("word.separator", language).join([said, more] if more else [said])


def plain_parameters(name: str, language: Language = "en") -> str:
    """The parameters of a task's label alone: ``two steps, unseen things``; empty where it has none."""
    inside = name.partition("[")[2].removesuffix("]")
    more = [_parameter(one.strip(), language) for one in inside.split(",") if one.strip()]
    return phrase("word.separator", language).join(more)


def plain_shift(name: str, language: Language = "en") -> str:
    """A shift's name as a person says it; what no table knows stays as it is.

    >>> plain_shift("none")
    'as given'
    >>> plain_shift("typos-rate0.2", "zh")
    '拼写错误（rate0.2）'
    """
    if f"shift.{name}" in PHRASES:
        return phrase(f"shift.{name}", language)
    known = [one for one in SHIFT_NAMES if name.startswith(f"{one}-")]
    if language == "en" or not known:
        return name
    kind = max(known, key=len)  # with its settings behind it
    return f"{phrase(f'shift.{kind}', language)}（{name.removeprefix(f'{kind}-')}）"


def plain_stage(name: str, language: Language = "en") -> str:
    """A stage of training by its steps; in English its name, elsewhere what no table knows stays as it is.

    >>> plain_stage("scarce chain of thought, without code", "zh")
    '思维链稀少，缺代码'
    """
    if language == "en":
        return name
    return phrase("word.separator", language).join(retold(step, STEPS) or step for step in name.split(", "))


_METHODS = tuple(
    key.removeprefix("method.") for key in PHRASES if key.startswith("method.") and not key.startswith("method.+")
)
_VOTES = ("vote", "weighted", "complexity", "verifier")
_METHOD_PART = re.compile(
    r"(?P<name>budget|vote|weighted|complexity|verifier|keep|solutions|shots|steps|epochs|lr|topk|topp|t|chat|plain|within"
    r"|oracledev)(?P<value>[0-9.e]*)"
)


def _with_more(text: str, more: Sequence[str], language: Language) -> str:
    if not more:
        return text
    return phrase("word.bracket", language, name=text, more=phrase("word.separator", language).join(more))


def _parameter(text: str, language: Language) -> str:
    name, _, value = text.partition("=")
    number = phrase(f"number.{value}", language) if f"number.{value}" in PHRASES else value
    for key in (f"task.{text}", f"task.{name}="):
        if key in PHRASES:
            return phrase(key, language, value=number)
    return phrase("task.=", language, name=name, value=value) if value else name


def score(value: float, digits: int = 4) -> str:
    """A score in its own unit, with ``digits`` significant digits and never in exponents: ``0.6572``, ``58.68``."""
    if abs(value) >= 10**digits:
        return number(value, 0)
    value = round(value, 8) + 0.0  # what is less is nothing, and nothing has no sign
    places = digits - 1 - (math.floor(math.log10(abs(value))) if value else 0)
    return number(value, min(max(places, 0), 8))


def signed_score(value: float) -> str:
    """A difference of scores with its sign, to three significant digits: ``+0.0492``."""
    text = score(value, 3)
    return f"+{text}" if value > 0 else text


def p_words(value: float) -> str:
    """A p or q as it stands in a sentence: ``0.012``, ``below 0.001``."""
    return "below 0.001" if value < 0.001 else f"{value:.2g}"


def ratio(value: float) -> str:
    """Three significant digits, never in exponents: ``4.02``, ``0.85``, ``120``."""
    return _three(value)


def operations(flops: float) -> str:
    """Three significant digits with a prefix: ``130 TFLOPs``."""
    for unit, size in (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if flops >= 0.9995 * size:
            return f"{_three(flops / size)} {unit}FLOPs"
    return f"{_three(flops)} FLOPs"


def money(amount: float, currency: str) -> str:
    """Two significant digits, from 100 on whole ones: ``$0.014``, ``€12``, ``$1,340``."""
    if amount >= 99.5:
        return f"{currency}{amount:,.0f}"
    digits = max(0, 1 - math.floor(math.log10(amount))) if amount > 0 else 0
    text = f"{amount:.{digits}f}"
    return currency + (text.rstrip("0").rstrip(".") if "." in text else text)


def duration(seconds: float) -> str:
    """``95`` -> ``1 min 35 s``; hours and minutes from an hour on; ``0.4 s`` below a second."""
    if 0 < seconds < 1:
        return f"{seconds:.1g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
