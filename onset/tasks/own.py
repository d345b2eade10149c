"""The user's own task: a table with a question and an answer in each row.

    {"question": "Where is my parcel?", "answer": "shipping", "choices": ["shipping", "refund"]}

``question`` and ``answer`` (text or number) are required; ``rationale`` (worked steps without the final
answer), ``choices`` (at least two, on every item or on none) and ``context`` may be there. Other columns whose
value is text or a number are kept as facts of the item. Where several answers are right, ``answer`` is a list of them
(in CSV a text, with ``answer_separator``): any is right, and the first is what demonstrations show and targets are.

    {"question": "Who wrote Good Omens?", "answer": ["Terry Pratchett", "Neil Gaiman"]}

    {name: tickets, train: tickets.csv, test: 0.3, columns: {question: text, answer: label}}
    {name: reviews, hub: org/name, train: train, test: validation, columns: {question: sentence, answer: label}}

The rows may come from JSON lines, CSV, TSV, Parquet, a folder of the library datasets or the hub
(`onset.tasks.tables`); equal rows make equal items, and the task's hash is the same, whatever the file they came from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from onset.answers import ChoiceFormat, NumberFormat, OpenFormat, TextFormat
from onset.errors import DataError
from onset.prompting.text import STOP, answer_text
from onset.records import Item
from onset.shifts import SHIFTS
from onset.tasks.base import Ability, AnswerFormat, Task
from onset.tasks.checks import Duplicates, NearDuplicates, Split, settle, settle_near, without_duplicates
from onset.tasks.generated import token_limit, whole
from onset.tasks.near import Sketch, clusters
from onset.tasks.rows import AnswerAs, Column, Reader, labels_of, parts_of
from onset.tasks.splitting import cut, has_few_answers
from onset.tasks.tables import listed, refuse, short

FormatName = Literal["number", "choice", "text", "open"]
FORMATS: Mapping[str, type[NumberFormat] | type[ChoiceFormat] | type[TextFormat] | type[OpenFormat]] = {
    "number": NumberFormat,
    "choice": ChoiceFormat,
    "text": TextFormat,
    "open": OpenFormat,
}

_NUMBER = re.compile(r"[-+]?\$?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?%?|[-+]?\d+/\d+")


def answer_format(*, choices: bool = False, several: bool = False) -> AnswerFormat:
    """A short text, or one of the item's choices where it has some; ``several``: has it several right answers?"""
    return ChoiceFormat() if choices else OpenFormat() if several else TextFormat()


def load(  # noqa: PLR0913 - each is a key of the study file, most are rarely given
    *,
    name: str = "own",
    train: str | Path,
    test: str | Path | float,
    test_sets: Mapping[str, str | Path] | None = None,
    hub: str | None = None,
    config: str | None = None,
    revision: str | None = None,
    columns: Mapping[Column, str | Sequence[str]] | None = None,
    labels: Mapping[Any, str] | Sequence[Any] | None = None,
    answer_as: AnswerAs = "text",
    answer_separator: str | None = None,
    split_seed: int = 0,
    format: FormatName | None = None,
    chance: float | None = None,
    instruction: str = "",
    ability: Ability = "own",
    duplicates: Duplicates = "refuse",
    near_duplicates: NearDuplicates = "refuse",
    empty: Literal["refuse", "drop"] = "refuse",
    unreadable: Literal["refuse", "drop"] = "refuse",
    answer_tokens: int | None = None,
    rationale_tokens: int | None = None,
) -> list[Task]:
    """The task in ``train`` and ``test``; ``test_sets`` names further test files, chosen as a shift.

    Files by default (their formats: `onset.tasks.tables`); with ``hub``, splits of that data set (``config`` and
    ``revision`` choose a subset and a version of it). ``test`` may be a share (``0.3``): then ``train`` is cut in two
    (`onset.tasks.splitting`), keyed by ``split_seed``.

    ``columns`` says which column is the question, the answer and so on, where they are not called that; for
    ``choices`` it may be a list of columns. ``labels`` names all answers there are, which then are the choices of every
    item: a list, or a mapping from what stands in the file to the name (``{0: negative, 1: positive}``). Without it the
    names that a ``ClassLabel`` column carries are taken. ``answer_as``: is the answer of an item with choices their
    text, their letter (A first), or their index (0 first)? ``answer_separator`` stands between several right answers in
    one text.

    ``format`` is ``choice`` when every item has choices, ``open`` when an item has several right answers, ``number``
    when every answer is a number, ``text`` otherwise, unless given. ``chance`` (0..1) is the mean of 1 / choices over
    the test items, 0 without choices, unless given. ``duplicates`` and overlap: see `onset.tasks.checks.settle`;
    ``near_duplicates``: see `onset.tasks.checks.settle_near`. ``empty: drop`` leaves out rows whose question is empty.
    The token limits follow the longest answer and rationale of ``train`` (at least 24 and 256) unless given.
    ``unreadable: drop`` leaves out rows none of whose right answers the format can read back from a text. What was
    dropped is said in ``Task.source``.

    Raises DataError, with file and line, for a missing file, a row that is no JSON object or lacks a
    column, an answer that is not among the choices or that the format cannot read back, an empty split,
    duplicates and overlap.
    """
    _check_words(name, ability, format, empty, unreadable, instruction, answer_as)
    separator = _separator(name, answer_separator, answer_as, named=labels is not None)
    parts, known = parts_of(name, columns), labels_of(name, labels)
    reader = Reader(name, parts, known, answer_as, separator, empty, hub, config, revision)
    further = _named_files(name, test_sets)
    seed = whole(name, "split_seed", split_seed, 0, 2**31 - 1)
    notes: list[str] = []
    unmet: list[str] = []
    if isinstance(test, str | Path):
        read = [reader.split(split, path, notes) for split, path in {"train": train, "test": test, **further}.items()]
    else:
        rows = reader.split("train and test", train, notes)
        apart = _cut(name, rows, test, seed, duplicates, near_duplicates, notes)
        unmet = _unmet(*apart, test)
        read = [*apart, *(reader.split(split, path, notes) for split, path in further.items())]
    splits, dropped = settle(read[0], read[1:], task=name, duplicates=duplicates)
    _check_filled(name, splits, "duplicates")
    splits[0], near = settle_near(splits[0], splits[1:], task=name, near_duplicates=near_duplicates)
    _check_filled(name, splits, "near duplicates")
    chosen = _format(name, splits, format)
    splits, unread, partly = _readable(name, splits, chosen, unreadable)
    _check_filled(name, splits, "rows without a readable answer")
    pool = splits[0].items
    near += [*unmet, *partly, *_numbers_as_labels(pool, chosen)]
    return [
        Task(
            name=name,
            ability=ability,
            pool=pool,
            test=splits[1].items,
            format=chosen,
            chance=_chance(name, splits[1].items, chance),
            source="; ".join(
                [*(f"{split.path}: {len(split.items)} items" for split in splits), *notes, *dropped, *unread, *near]
            ),
            instruction=instruction,
            answer_tokens=_limit(name, "answer_tokens", answer_tokens, 24, [item.answer for item in pool]),
            rationale_tokens=_limit(name, "rationale_tokens", rationale_tokens, 256, [i.rationale or "" for i in pool]),
            test_sets=tuple((split.name, split.items) for split in splits[2:]),
            notes=tuple(near),
        )
    ]


def labelled(path: str | Path) -> Split:
    """Labelled questions of a file, for training: columns ``question``, ``answer`` and, where they are there,
    ``rationale``, ``choices`` and ``context``. Raises DataError as `load` does.
    """
    name = Path(path).stem
    return Reader(name, parts_of(name, None), None, "text", None, "refuse", None, None, None).split("train", path, [])


def pool_of(path: str | Path) -> Task:
    """A task without test items, whose labelled pool is the file ``path``. Raises DataError as `load` does."""
    split = labelled(path)
    name = Path(path).stem
    chosen = _format(name, [split], None)
    (kept,), _, notes = _readable(name, [split], chosen, "refuse")
    return Task(
        name=name,
        ability="own",
        pool=kept.items,
        test=(),
        format=chosen,
        chance=_chance(name, kept.items, None),
        source=f"{split.path}: {len(kept.items)} items",
        answer_tokens=_limit(name, "answer_tokens", None, 24, [item.answer for item in kept.items]),
        rationale_tokens=_limit(name, "rationale_tokens", None, 256, [item.rationale or "" for item in kept.items]),
        notes=tuple(notes),
    )


def _cut(
    name: str,
    rows: Split,
    share: object,
    seed: int,
    duplicates: Duplicates,
    near_duplicates: NearDuplicates,
    notes: list[str],
) -> tuple[Split, Split]:
    """The rows of one file as train and test, near duplicates on one side unless they are allowed on both."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise DataError(f"task '{name}': test must be a file, or the share of the rows to test on (0.3), not {share!r}")
    rows, dropped = without_duplicates(rows, task=name, duplicates=duplicates)
    notes += dropped
    alone = tuple(range(len(rows.items)))
    bound = alone if near_duplicates == "allow" else clusters([Sketch(item) for item in rows.items])
    return cut(rows, share, seed, bound, task=name)


def _unmet(train: Split, test: Split, share: float) -> list[str]:
    """What a cut could not give: as many test items as asked, some of each answer where the answers are few."""
    every = [*train.items, *test.items]
    lines = []
    if len(test.items) < 0.9 * round(share * len(every)):
        lines.append(
            f"{len(test.items)} of {len(every)} rows are test items, fewer than 'test: {share:g}' asks for: near "
            "duplicates stay on one side"
        )
    gone = sorted({item.answer for item in train.items} - {item.answer for item in test.items})
    if gone and has_few_answers(every):
        lines.append(f"no test item has the answer {listed(gone)}")
    return lines


def _numbers_as_labels(pool: Sequence[Item], chosen: AnswerFormat) -> list[str]:
    """A line where the answers are a few whole numbers: classes, perhaps, that a model should be told by name."""
    answers = sorted({item.answer for item in pool}, key=lambda answer: (len(answer), answer))
    few = has_few_answers(pool) and len(answers) <= 10 and all(answer.isdigit() for answer in answers)
    if not (isinstance(chosen, NumberFormat) and few):
        return []
    return [
        f"every answer is one of the numbers {', '.join(answers)}; if they are classes, name them: 'labels: "
        f"{{{answers[0]}: NAME, ...}}'"
    ]


def _check_filled(name: str, splits: Sequence[Split], dropped: str) -> None:
    for split in splits:
        if not split.items:
            raise DataError(f"task '{name}': {split.path}: {split.name} is empty once {dropped} are dropped")


def _separator(name: str, given: object, answer_as: AnswerAs, *, named: bool) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not given.strip():
        raise DataError(f"task '{name}': answer_separator must be what stands between answers ('|'), not {given!r}")
    if named or answer_as != "text":
        raise DataError(f"task '{name}': answer_separator goes with answers in words, not with labels or choices")
    return given


def _check_words(
    name: object,
    ability: object,
    format: object,
    empty: object,
    unreadable: object,
    instruction: object,
    answer_as: object,
) -> None:
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"a task of your own needs a name, not {name!r}")
    for key, value, allowed in (
        ("ability", ability, get_args(Ability)),
        ("format", format, (None, *FORMATS)),
        ("empty", empty, ("refuse", "drop")),
        ("unreadable", unreadable, ("refuse", "drop")),
        ("answer_as", answer_as, get_args(AnswerAs)),
    ):
        if value not in allowed:
            words = ", ".join(str(word) for word in allowed if word is not None)
            raise DataError(f"task '{name}': {key} must be one of {words}, not {value!r}")
    if not isinstance(instruction, str):
        raise DataError(f"task '{name}': instruction must be text, not {instruction!r}")


def _named_files(name: str, test_sets: Mapping[str, str | Path] | None) -> dict[str, str | Path]:
    if test_sets is None:
        return {}
    if not isinstance(test_sets, Mapping):
        raise DataError(f"task '{name}': test_sets must map names to files, not {test_sets!r}")
    for shift in test_sets:
        if shift in SHIFTS or shift in ("train", "test"):
            raise DataError(f"task '{name}': a test set cannot be called '{shift}', that name is taken")
    return dict(test_sets)


def _limit(name: str, key: str, given: int | None, least: int, texts: Sequence[str]) -> int:
    """The limit given, or one that holds the longest text, at least ``least`` tokens."""
    if given is not None:
        return whole(name, key, given, 1, 1_000_000)
    longest = max(map(len, texts))
    return max(least, token_limit(longest)) if longest > least else least


def _chance(name: str, test: Sequence[Item], given: float | None) -> float:
    if given is not None:
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
            raise DataError(f"task '{name}': chance must be from 0 to 1, not {given!r}")
        return float(given)
    return math.fsum(1 / len(item.choices) if item.choices else 0.0 for item in test) / len(test)


def _format(name: str, splits: Sequence[Split], given: FormatName | None) -> AnswerFormat:
    """The answer format; raises DataError where only some items have choices, or none has where it needs them."""
    items = [item for split in splits for item in split.items]
    with_choices = bool(items[0].choices)
    for split in splits:
        for place, item in enumerate(split.items):
            if bool(item.choices) != with_choices:
                has, others = ("choices", "none") if item.choices else ("no choices", "choices")
                what = f"this item has {has}, the first item of {splits[0].name} has {others}"
                refuse(name, split.path, split.place(place), what)
    if given == "choice" and not with_choices:
        raise DataError(f"task '{name}': format 'choice' needs choices on every item, {splits[0].path} has none")
    numbers = all(_NUMBER.fullmatch(item.answer) for item in items)
    several = any(item.others for item in items)
    guessed = "choice" if with_choices else "open" if several else "number" if numbers else "text"
    return FORMATS[given or guessed]()


def _readable(
    name: str, splits: Sequence[Split], chosen: AnswerFormat, unreadable: str
) -> tuple[list[Split], list[str], list[str]]:
    """The splits with the rows whose right answer can be read back from a text; a line on each split that lost rows,
    and one on each in which some of an item's right answers cannot be.

    A gold answer that its own format cannot read would count every prediction as wrong, in silence. Raises DataError
    at the first such row, unless they are dropped, and where the format refuses an answer.
    """
    kept, dropped, partly = [], [], []
    for split in splits:
        keep: list[int] = []
        lost: list[tuple[str, str]] = []
        for place, item in enumerate(split.items):
            where = split.place(place)
            try:
                unread = _unread(item, chosen)
            except DataError as error:
                refuse(name, split.path, where, str(error))
            what = _unreadable(item, unread, chosen)
            if what is None:
                keep.append(place)
                lost += [(where, one) for one in unread]
            elif unreadable == "refuse":
                hint = "; write 'unreadable: drop' to leave such rows out" if isinstance(chosen, OpenFormat) else ""
                refuse(name, split.path, where, what + hint)
        gone = len(split.items) - len(keep)
        kept.append(split.only(split.name, keep) if gone else split)
        if gone:
            dropped.append(f"{gone} whose answer cannot be read back dropped from {split.name}")
        if lost:
            verb = "right answer cannot" if len(lost) == 1 else "right answers cannot"
            partly.append(
                f"{len(lost)} {verb} be read back from a text of {split.name}, others of the same items can (first "
                f"{lost[0][0]}, {short(lost[0][1])})"
            )
    return kept, dropped, partly


def _unread(item: Item, chosen: AnswerFormat) -> list[str]:
    """The right answers of ``item`` that ``chosen`` does not read back from a text that states them."""
    single = [replace(item, answer=one, others=()) for one in item.golds]
    texts = [answer_text(one, rationale=False) for one in single]
    return [
        one.answer
        for one, text in zip(single, texts, strict=True)
        if not chosen.score(chosen.extract(text, one), one).correct or (item.others and _stop(text))
    ]


def _unreadable(item: Item, unread: Sequence[str], chosen: AnswerFormat) -> str | None:
    """Why nothing that a model writes could be right, or the item be shown; None where it can."""
    if stop := _stop(answer_text(item, rationale=bool(item.rationale))):
        return f"answer or rationale holds {stop!r}, which ends an answer in every prompt"
    if len(unread) < len(item.golds):
        return None
    read = f"{short(item.answer)}" if not item.others else f"{short(item.answer)} or any other right one"
    return f"{type(chosen).__name__} cannot read the answer {read} back from a text"


def _stop(text: str) -> str | None:
    return next((one for one in STOP if one in text), None)
