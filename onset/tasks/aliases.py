"""Further right answers of a task's items, from a file of aliases.

    {"answer": "United States", "aliases": ["USA", "U.S.", "United States of America"]}

A row gives other names of one answer, whichever questions have it: every item with that right answer (compared as
`onset.answers.normalised_answer`) accepts the aliases too. The file is a table (`onset.tasks.tables`); in CSV the
aliases are one text, parted by ``|``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from onset.answers import normalised_answer
from onset.errors import DataError
from onset.records import Item
from onset.tasks.checks import Split
from onset.tasks.tables import kind, read_table, refuse, short, unpaired

SEPARATOR = "|"


def with_aliases(splits: Sequence[Split], file: str | Path, *, task: str) -> tuple[list[Split], list[str]]:
    """The splits with the aliases of ``file`` among the right answers of their items, and a note where some of its
    answers are none of the task's.

    Raises DataError, in one line with the place, for a row without answer or aliases, for items with choices (one of
    these is right, and no other name of it), and for a file none of whose answers is a right answer of the task.
    """
    known, names = _read(str(file), task)
    if any(item.choices for split in splits for item in split.items):
        raise DataError(f"task '{task}': aliases go with open answers, and its items have choices: {file}")
    met: set[str] = set()
    out = []
    for split in splits:
        items = tuple(_item(item, known, met) for item in split.items)
        out.append(replace(split, items=items))
    if not met:
        raise DataError(
            f"task '{task}': {file}: none of its {len(known)} answers is a right answer of the task, the first is "
            f"{short(next(iter(names.values())))}"
        )
    left = [name for key, name in names.items() if key not in met]
    verb = "is no right answer" if len(left) == 1 else "are no right answers"
    return out, [f"{len(left)} of {len(known)} answers of {file} {verb} of any item, first {short(left[0])}"] * bool(
        left
    )


def _item(item: Item, known: dict[str, tuple[str, ...]], met: set[str]) -> Item:
    keys = [key for gold in item.golds if (key := normalised_answer(gold)) in known and key is not None]
    met.update(keys)
    golds = dict.fromkeys([*item.golds, *(alias for key in keys for alias in known[key])])
    return replace(item, others=tuple(golds)[1:]) if keys else item


def _read(file: str, task: str) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Normalised answer -> its aliases, and -> the answer as the file first writes it."""
    table = read_table(file, task=task, split="aliases", wanted=frozenset({"answer", "aliases"}))
    known: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for place, row in zip(table.places, table.rows, strict=True):
        where = f"{table.unit} {place}"
        for column in ("answer", "aliases"):
            if column not in row:
                found = ", ".join(sorted(row)) or "none"
                refuse(task, table.path, where, f"expected column '{column}' of a file of aliases, found: {found}")
        answer, aliases = row["answer"], row["aliases"]
        if isinstance(aliases, str):
            aliases = aliases.split(SEPARATOR)
        if not isinstance(answer, str) or (key := normalised_answer(answer)) is None:
            refuse(task, table.path, where, f"answer must be some text, found {short(answer)}")
        if not isinstance(aliases, list) or not aliases:
            refuse(task, table.path, where, f"aliases must be a list of at least one text, found {kind(aliases)}")
        for one in aliases:
            if not isinstance(one, str) or normalised_answer(one) is None:
                refuse(task, table.path, where, f"an alias must be some text, found {short(one)}")
            if what := unpaired(one):
                refuse(task, table.path, where, f"alias {short(one)} {what}")
        known[key] = tuple(dict.fromkeys([*known.get(key, ()), *(one.strip() for one in aliases)]))
        names.setdefault(key, answer)
    if not known:
        raise DataError(f"task '{task}': {file} is empty: expected rows with 'answer' and 'aliases'")
    return known, names
