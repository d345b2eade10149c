"""Duplicate questions within a split, and training questions that are also test questions.

Two items ask the same question when question, context and the set of choices agree after Unicode
normalisation (NFC), case folding and collapsing of white space. The order of the choices does not
count, the answer does not count: the same question with two answers is a conflict, not two items.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from onset.errors import DataError
from onset.records import Item
from onset.tasks.near import Nearness, Sketch, near_across, near_within

Duplicates = Literal["refuse", "drop"]
NearDuplicates = Literal["refuse", "drop", "allow"]


def question_key(item: Item) -> tuple[str, ...]:
    """What makes two items the same question: question, context and sorted choices, normalised."""
    choices = sorted(_normalised(choice) for choice in item.choices or ())
    return (_normalised(item.question), _normalised(item.context or ""), *choices)


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


@dataclass(frozen=True, slots=True)
class Split:
    """Items of one split in file order; ``name`` as messages say it (``train``, ``test``), ``path`` the
    file and ``lines`` the place of each item in it (1-based): a line, or a row where ``unit`` says so.
    """

    name: str
    path: str
    items: tuple[Item, ...]
    lines: tuple[int, ...]
    unit: Literal["line", "row"] = "line"

    def place(self, position: int) -> str:
        """Where an item stands in its file: ``line 4``."""
        return f"{self.unit} {self.lines[position]}"

    def only(self, name: str, positions: Sequence[int]) -> Split:
        """Some of the items, as the split ``name`` of the same file."""
        return replace(
            self,
            name=name,
            items=tuple(self.items[position] for position in positions),
            lines=tuple(self.lines[position] for position in positions),
        )


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


def without_duplicates(split: Split, *, task: str, duplicates: Duplicates) -> tuple[Split, list[str]]:
    """The first step of `settle` alone, for rows that are not split yet."""
    notes: list[str] = []
    return _without_duplicates(split, task, duplicates, notes), notes


def _without_duplicates(split: Split, task: str, duplicates: Duplicates, notes: list[str]) -> Split:
    repeats = _repeats(split)
    if repeats.first is None:
        return split
    conflict = f", {repeats.conflicting} of them with different answers" if repeats.conflicting else ""
    if duplicates == "refuse":
        later, earlier = (split.place(position) for position in repeats.first)
        raise DataError(
            f"task '{task}': {split.path}: {_count(len(repeats.drop), 'duplicate item')} in {split.name}{conflict}, "
            f"first at {later} (same question as {earlier}); write 'duplicates: drop' to drop them"
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
        if len({frozenset(map(_normalised, split.items[position].golds)) for position in positions}) > 1:
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
        where = {question_key(item): position for position, item in enumerate(test.items)}
        shared = [position for position, item in enumerate(train.items) if question_key(item) in where]
        if not shared:
            continue
        if duplicates == "refuse":
            first = shared[0]
            there = test.place(where[question_key(train.items[first])])
            raise DataError(
                f"task '{task}': {train.path}: {_count(len(shared), 'training item')} also in {test.name} "
                f"({test.path}), first at {train.place(first)} ({there} of {test.name}); "
                "write 'duplicates: drop' to drop them from train"
            )
        notes.append(f"{_count(len(shared), 'item')} dropped from {train.name}: also in {test.name}")
        gone = set(shared)
        train = _keep(train, [position not in gone for position in range(len(train.items))])
    return train


def settle_near(
    train: Split, tests: Sequence[Split], *, task: str, near_duplicates: NearDuplicates
) -> tuple[Split, list[str]]:
    """``train`` without near duplicates of test items (`onset.tasks.near` says what these are), and a line on all there
    are, within and across the splits, those with other answers and those with other numbers included.

    ``refuse`` raises DataError where a training item is a near duplicate, with the same answer, of a test item;
    ``drop`` takes it from ``train``, ``allow`` says how many there are. Test sets are never changed.
    """
    if near_duplicates not in get_args(NearDuplicates):
        raise DataError(
            f"task '{task}': near_duplicates must be one of {', '.join(get_args(NearDuplicates))}, "
            f"not {near_duplicates!r}"
        )
    notes: list[str] = []
    sketches = [[Sketch(item) for item in split.items] for split in (train, *tests)]
    for split, made in zip((train, *tests), sketches, strict=True):
        pairs = near_within(made)
        if pairs:
            where = f"first {split.place(pairs[0][0])}, like {split.place(pairs[0][1])}"
            repeat = "repeats" if len(pairs) == 1 else "repeat"
            notes.append(f"{_count(len(pairs), 'item')} of {split.name} nearly {repeat} an earlier one ({where})")
    gone: set[int] = set()
    for test, made in zip(tests, sketches[1:], strict=True):
        near = near_across(sketches[0], made)
        if near.same and near_duplicates == "refuse":
            ours, theirs = near.same[0]
            raise DataError(
                f"task '{task}': {train.path}: {_count(len(near.same), 'training item')} nearly the same as an item of "
                f"{test.name} ({test.path}), first at {train.place(ours)} ({test.place(theirs)} of {test.name}: "
                f"{_start(test.items[theirs].question)}); write 'near_duplicates: drop' to drop them from train, or "
                "'near_duplicates: allow'"
            )
        gone.update(ours for ours, _ in near.same)
        notes += _across(near, train, test, near_duplicates)
    dropped = gone if near_duplicates == "drop" else set()
    return _keep(train, [position not in dropped for position in range(len(train.items))]), notes


def _across(near: Nearness, train: Split, test: Split, near_duplicates: NearDuplicates) -> list[str]:
    done = f"dropped from {train.name}" if near_duplicates == "drop" else f"of {train.name} kept"
    texts = [
        (near.same, f"{done}: nearly the same as one of {test.name}"),
        (near.differing, f"of {train.name} kept: nearly the same as one of {test.name} with another answer"),
        (near.numbers, f"of {train.name} kept: one of {test.name} but for its numbers"),
    ]
    lines = []
    for pairs, text in texts:
        if pairs:
            first = f"first {train.place(pairs[0][0])}, {test.place(pairs[0][1])} of {test.name}"
            lines.append(f"{_count(len(pairs), 'item')} {text} ({first})")
    return lines


def _start(text: str) -> str:
    """The text in quotes on one line, at most 60 characters of it."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


def _keep(split: Split, keep: Sequence[bool]) -> Split:
    return split.only(split.name, [position for position, wanted in enumerate(keep) if wanted])


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
