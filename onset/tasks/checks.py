"""Duplicate questions within a split, and training questions that are also test questions.

Two items ask the same question when question, context and the set of choices agree after Unicode
normalisation (NFC), case folding and collapsing of white space. The order of the choices does not
count, the answer does not count: the same question with two answers is a conflict, not two items.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onset.errors import DataError
from onset.records import Item

Duplicates = Literal["refuse", "drop"]


def question_key(item: Item) -> tuple[str, ...]:
    """What makes two items the same question: question, context and sorted choices, normalised."""
    choices = sorted(_normalised(choice) for choice in item.choices or ())
    return (_normalised(item.question), _normalised(item.context or ""), *choices)


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class Split:
    """Items of one split in file order; ``name`` as messages say it (``train``, ``test``), ``path`` the
    file and ``lines`` the line of each item in it (1-based).
    """

    name: str
    path: str
    items: tuple[Item, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Repeats:
    """Positions to drop so that each question is there once, how many of them are members of groups
    whose answers disagree, and the first repeat with the earlier item it repeats.
    """

    drop: frozenset[int]
    conflicting: int
    first: tuple[int, int] | None


def settle(train: Split, tests: Sequence[Split], *, task: str, duplicates: Duplicates) -> tuple[list[Split], list[str]]:
    """Splits ``[train, *tests]`` without duplicates and without overlap, and a note on each drop.

    ``refuse`` raises DataError at the first split with a duplicate, then at the first test split
    that shares a question with ``train``. ``drop`` removes the later ones of equal questions, every
    one of a question that stands there with different answers (no label of those can be trusted), and each
    training item whose question is in a test split. No test split loses items to ``train``.
    """
    if duplicates not in ("refuse", "drop"):
        raise DataError(f"task '{task}': duplicates must be 'refuse' or 'drop', not {duplicates!r}")
    notes: list[str] = []
    settled = [_without_duplicates(split, task, duplicates, notes) for split in (train, *tests)]
    kept = _without_overlap(settled[0], settled[1:], task, duplicates, notes)
    return [kept, *settled[1:]], notes


def _without_duplicates(split: Split, task: str, duplicates: Duplicates, notes: list[str]) -> Split:
    repeats = _repeats(split)
    if repeats.first is None:
        return split
    conflict = f", {repeats.conflicting} of them with different answers" if repeats.conflicting else ""
    if duplicates == "refuse":
        later, earlier = (split.lines[position] for position in repeats.first)
        raise DataError(
            f"task '{task}': {split.path}: {_count(len(repeats.drop), 'duplicate item')} in {split.name}{conflict}, "
            f"first at line {later} (same question as line {earlier}); write 'duplicates: drop' to drop them"
        )
    notes.append(f"{_count(len(repeats.drop), 'duplicate')} dropped from {split.name}{conflict}")
    return _keep(split, [position not in repeats.drop for position in range(len(split.items))])


def _repeats(split: Split) -> _Repeats:
    groups: dict[tuple[str, ...], list[int]] = {}
    for position, item in enumerate(split.items):
        groups.setdefault(question_key(item), []).append(position)
    drop: set[int] = set()
    conflicting = 0
    for positions in groups.values():
        if len({_normalised(split.items[position].answer) for position in positions}) > 1:
            drop.update(positions)
            conflicting += len(positions)
        else:
            drop.update(positions[1:])
    later = [(positions[1], positions[0]) for positions in groups.values() if len(positions) > 1]
    return _Repeats(frozenset(drop), conflicting, min(later, default=None))


def _without_overlap(
    train: Split, tests: Sequence[Split], task: str, duplicates: Duplicates, notes: list[str]
) -> Split:
    for test in tests:
        where = {question_key(item): line for item, line in zip(test.items, test.lines, strict=True)}
        shared = [position for position, item in enumerate(train.items) if question_key(item) in where]
        if not shared:
            continue
        if duplicates == "refuse":
            first = shared[0]
            there = where[question_key(train.items[first])]
            raise DataError(
                f"task '{task}': {train.path}: {_count(len(shared), 'training item')} also in {test.name} "
                f"({test.path}), first at line {train.lines[first]} (line {there} of {test.name}); "
                "write 'duplicates: drop' to drop them from train"
            )
        notes.append(f"{_count(len(shared), 'item')} dropped from {train.name}: also in {test.name}")
        gone = set(shared)
        train = _keep(train, [position not in gone for position in range(len(train.items))])
    return train


def _keep(split: Split, keep: Sequence[bool]) -> Split:
    kept = [position for position, wanted in enumerate(keep) if wanted]
    return Split(
        split.name,
        split.path,
        tuple(split.items[position] for position in kept),
        tuple(split.lines[position] for position in kept),
    )


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
