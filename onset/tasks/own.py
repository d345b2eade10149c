"""The user's own task: a table with a question and an answer in each row.

    {"question": "Where is my parcel?", "answer": "shipping", "choices": ["shipping", "refund"]}

``question`` and ``answer`` (text, or a number, which then stands without an exponent: 0.00001) are required;
``rationale`` (worked steps without the final answer), ``choices`` (at least two, on every item or on none) and
``context`` may be there. Other columns whose value is text or a number are kept as facts of the item; of these
``memory`` says what is true outside the item's context, where that contradicts it
(`onset.analysis.estimates.conflicts`). Where several answers are right, ``answer`` is a list of them (in CSV a text,
with ``answer_separator``): any is right, and the first is what demonstrations show and targets are.

    {"question": "Who wrote Good Omens?", "answer": ["Terry Pratchett", "Neil Gaiman"]}

    {name: tickets, train: tickets.csv, test: 0.3, columns: {question: text, answer: label}}
    {name: reviews, hub: org/name, train: train, test: validation, columns: {question: sentence, answer: label}}

The rows may come from JSON lines, CSV, TSV, Parquet, a folder of the library datasets or the hub
(`onset.tasks.tables`); equal rows make equal items, and the task's hash is the same, whatever the file they came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from onset.answers import ChoiceFormat, NumberFormat, OpenFormat, TextFormat
from onset.errors import DataError
from onset.records import Item
from onset.shifts import SHIFTS
from onset.tasks.aliases import with_aliases
from onset.tasks.assembling import chance_of, check_filled, cut_rows, limit_of, readable, unmet
from onset.tasks.base import Ability, AnswerFormat, Task
from onset.tasks.checks import Duplicates, NearDuplicates, Split, settle, settle_near
from onset.tasks.generated import whole
from onset.tasks.rows import AnswerAs, Column, Reader, labels_of, parts_of
from onset.tasks.splitting import has_few_answers
from onset.tasks.tables import listed, refuse

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
    aliases: str | Path | None = None,
    split_seed: int | None = None,
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
    (`onset.tasks.splitting`), keyed by ``split_seed`` (0).

    ``columns`` says which column is the question, the answer and so on, where they are not called that; for
    ``choices`` it may be a list of columns. ``labels`` names all answers there are, which then are the choices of every
    item: a list, or a mapping from what stands in the file to the name (``{0: negative, 1: positive}``). Without it the
    names that a ``ClassLabel`` column carries are taken. ``answer_as``: is the answer of an item with choices their
    text, their letter (A first), or their index (0 first)? ``answer_separator`` stands between several right answers in
    one text. ``aliases``: a file with other names of right answers, each of which is right too (`onset.tasks.aliases`).

    ``format`` is ``choice`` when every item has choices, ``open`` when an item has several right answers, ``number``
    when every answer is a number, ``text`` otherwise, unless given. ``chance`` (0 to below 1) is the mean of
    1 / choices over the test items, 0 without choices, unless given. ``duplicates`` and overlap: see
    `onset.tasks.checks.settle`;
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
    notes: list[str] = []
    beside: list[str] = []
    if isinstance(test, str | Path):
        if split_seed is not None:
            raise DataError(f"task '{name}': 'split_seed' goes with a share as 'test' (0.3), which cuts 'train' in two")
        read = [reader.split(split, path, notes) for split, path in {"train": train, "test": test, **further}.items()]
    else:
        seed = whole(name, "split_seed", 0 if split_seed is None else split_seed, 0, 2**31 - 1)
        rows = reader.split("train and test", train, notes)
        apart = cut_rows(name, rows, test, seed, duplicates, near_duplicates, notes)
        beside = unmet(*apart, test)
        read = [*apart, *(reader.split(split, path, notes) for split, path in further.items())]
    if aliases is not None:
        read, found = with_aliases(read, aliases, task=name)
        beside += found
    splits, dropped = settle(read[0], read[1:], task=name, duplicates=duplicates)
    check_filled(name, splits, "duplicates")
    splits[0], near = settle_near(splits[0], splits[1:], task=name, near_duplicates=near_duplicates)
    check_filled(name, splits, "near duplicates")
    chosen = _format(name, splits, format)
    splits, unread, partly = readable(name, splits, chosen, unreadable)
    check_filled(name, splits, "rows without a readable answer")
    pool = splits[0].items
    near += [*beside, *partly, *_unnamed_labels(pool, chosen, chance)]
    return [
        Task(
            name=name,
            ability=ability,
            pool=pool,
            test=splits[1].items,
            format=chosen,
            chance=chance_of(name, splits[1].items, chance),
            source="; ".join(
                [*(f"{split.path}: {len(split.items)} items" for split in splits), *notes, *dropped, *unread, *near]
            ),
            instruction=instruction,
            answer_tokens=limit_of(name, "answer_tokens", answer_tokens, 24, [item.answer for item in pool]),
            rationale_tokens=limit_of(
                name, "rationale_tokens", rationale_tokens, 256, [one.rationale or "" for one in pool]
            ),
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
    (kept,), _, notes = readable(name, [split], chosen, "refuse")
    return Task(
        name=name,
        ability="own",
        pool=kept.items,
        test=(),
        format=chosen,
        chance=chance_of(name, kept.items, None),
        source=f"{split.path}: {len(kept.items)} items",
        answer_tokens=limit_of(name, "answer_tokens", None, 24, [item.answer for item in kept.items]),
        rationale_tokens=limit_of(name, "rationale_tokens", None, 256, [item.rationale or "" for item in kept.items]),
        notes=tuple(notes),
    )


def _unnamed_labels(pool: Sequence[Item], chosen: AnswerFormat, chance: float | None) -> list[str]:
    """A line where the answers are a few whole numbers, classes, perhaps, that a model should be told by name; and one
    where they are a few words, of which none could be guessed as far as a chance of 0 says.
    """
    answers = sorted({item.answer for item in pool}, key=lambda answer: (len(answer), answer))
    if not has_few_answers(pool) or len(answers) > 10:
        return []
    if isinstance(chosen, TextFormat) and chance is None:
        return [
            f"every answer is one of {listed(answers)}, and chance counts as 0; if they are classes, write 'labels: "
            "[...]', or give 'chance'"
        ]
    if not (isinstance(chosen, NumberFormat) and all(answer.isdigit() for answer in answers)):
        return []
    return [
        f"every answer is one of the numbers {', '.join(answers)}; if they are classes, name them: 'labels: "
        f"{{{answers[0]}: NAME, ...}}'"
    ]


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
        if not isinstance(shift, str):
            raise DataError(f"task '{name}': the name of a test set must be text ('{shift}', in quotes), not {shift!r}")
        if shift in SHIFTS or shift in ("train", "test"):
            raise DataError(f"task '{name}': a test set cannot be called '{shift}', that name is taken")
    return dict(test_sets)


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
