"""Published data sets of questions on knowledge: the rows as they are released, as items.

    {name: triviaqa}                                         the data set of the hub that the task names
    {name: triviaqa, train: train.jsonl, test: dev.jsonl}    files: JSON lines, JSON, CSV, TSV, Parquet, `save_to_disk`
    {name: strategyqa, train: strategyqa_train.json, test: 0.3}

A task says which data set of the hub it is, and how a row of it, or of the files that its authors released, becomes a
question and its right answers (`Published.convert`). Rows are drawn, checked and read back as those of a task of the
user's own (`onset.tasks.own`); what was left out is said in ``Task.source``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onset.errors import DataError
from onset.records import content_hash
from onset.tasks.aliases import with_aliases
from onset.tasks.assembling import chance_of, check_filled, cut_rows, limit_of, readable, unmet
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.checks import Duplicates, NearDuplicates, Split, question_key, settle, settle_near
from onset.tasks.generated import whole
from onset.tasks.rows import Reader, parts_of
from onset.tasks.tables import Row
from onset.untrusted import loads

POOL = 2000
"""Labelled examples of a task unless it says otherwise: budgets are far smaller, and all are checked against the test
items."""
TRUTHS = ("true", "false")
ASSENTS = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Published:
    """A data set as it is published.

    ``hub``: its place on the hub, ``config`` the subset, ``splits`` those to learn from and to test on (the one with
    labels); ``convert``: a row as it is released -> question, answer (or all right answers, the first that
    demonstrations show), and choices, rationale and facts of the item, or None for a row that is published without an
    answer; it raises ValueError with what it expected.
    """

    name: str
    hub: str
    splits: tuple[str, str]
    convert: Callable[[Row], dict[str, Any] | None]
    format: AnswerFormat
    config: str | None = None


def loader(data: Published) -> Callable[..., list[Task]]:
    """The ``load`` of a task's module: its parameters are those that a study file may give."""

    def load(  # noqa: PLR0913 - each is a key of the study file, most are rarely given
        *,
        train: str | Path | None = None,
        test: str | Path | float | None = None,
        hub: str | None = None,
        revision: str | None = None,
        aliases: str | Path | None = None,
        pool: int = POOL,
        most: int | None = None,
        split_seed: int = 0,
        duplicates: Duplicates = "drop",
        near_duplicates: NearDuplicates = "drop",
    ) -> list[Task]:
        """The task, from the files ``train`` and ``test`` (which may be a share of ``train``), or from the hub.

        ``hub``: another copy of the data set; ``train`` and ``test`` then name splits. ``pool``: at most so many
        labelled examples, drawn by a hash of their question; ``most``: at most so many test items, drawn likewise
        (None: all). ``aliases``: see `onset.tasks.aliases`. Rows whose answer
        cannot be read back are left out. Raises DataError, with file and place, for what cannot be loaded or is no such
        row.
        """
        size = whole(data.name, "pool", pool, 1, 10_000_000)
        tried = None if most is None else whole(data.name, "most", most, 1, 10_000_000)
        seed = whole(data.name, "split_seed", split_seed, 0, 2**31 - 1)
        notes: list[str] = []
        beside: list[str] = []
        reader, learnt, tested = _source(data, train, test, hub, revision)
        if isinstance(tested, str | Path):
            read = [reader.split("train", learnt, notes), reader.split("test", tested, notes)]
        else:
            rows = reader.split("train and test", learnt, notes)
            apart = cut_rows(data.name, rows, tested, seed, duplicates, near_duplicates, notes)
            read, beside = [*apart], unmet(*apart, tested)
        if aliases is not None:
            read, found = with_aliases(read, aliases, task=data.name)
            beside += found
        read = [_drawn(read[0], size, seed, notes), _drawn(read[1], tried, seed, notes)]
        return [_task(data, read, notes, beside, duplicates, near_duplicates)]

    return load


def _source(
    data: Published, train: str | Path | None, test: str | Path | float | None, hub: str | None, revision: str | None
) -> tuple[Reader, str | Path, str | Path | float]:
    """What reads the rows, and the two splits as files or as names on the hub."""
    if train is not None and hub is None and test is None:
        raise DataError(
            f"task '{data.name}': 'train: {train}' needs 'test': a file, or the share of its rows to test on (0.3)"
        )
    if train is None and hub is None and test is not None:
        raise DataError(
            f"task '{data.name}': 'test' goes with 'train', a file of its own, or with 'hub', whose split it names"
        )
    place = hub if hub is not None else data.hub if train is None else None
    config = data.config if place == data.hub else None
    reader = Reader(
        data.name, parts_of(data.name, None), None, "text", None, "refuse", place, config, revision, data.convert
    )
    learnt, tested = train, test
    if place is not None:
        learnt, tested = train or data.splits[0], test or data.splits[1]
    assert learnt is not None and tested is not None  # noqa: PT018 - one of the cases above
    return reader, learnt, tested


def _task(
    data: Published,
    read: Sequence[Split],
    notes: Sequence[str],
    beside: Sequence[str],
    duplicates: Duplicates,
    near_duplicates: NearDuplicates,
) -> Task:
    name = data.name
    splits, dropped = settle(read[0], read[1:], task=name, duplicates=duplicates)
    check_filled(name, splits, "duplicates")
    splits[0], near = settle_near(splits[0], splits[1:], task=name, near_duplicates=near_duplicates)
    check_filled(name, splits, "near duplicates")
    splits, unread, partly = readable(name, splits, data.format, "drop")
    check_filled(name, splits, "rows without a readable answer")
    labelled, items = splits[0].items, splits[1].items
    told = [*near, *beside, *partly]
    return Task(
        name=name,
        ability="knowledge reasoning",
        pool=labelled,
        test=items,
        format=data.format,
        chance=chance_of(name, items, None),
        source="; ".join(
            [*(f"{one.path}: {len(one.items)} items" for one in splits), *notes, *dropped, *unread, *told]
        ),
        answer_tokens=limit_of(name, "answer_tokens", None, 24, [item.answer for item in labelled]),
        rationale_tokens=limit_of(name, "rationale_tokens", None, 256, [item.rationale or "" for item in labelled]),
        notes=tuple(told),
    )


def _drawn(split: Split, size: int | None, seed: int, notes: list[str]) -> Split:
    """``size`` of the rows, those whose questions come first by a seeded hash, in file order."""
    every = len(split.items)
    if size is None or every <= size:
        return split
    keys = [content_hash([split.name, seed, *question_key(item)], 64) for item in split.items]
    notes.append(f"{size} of {every} rows drawn for {split.name}")
    return split.only(split.name, sorted(sorted(range(every), key=keys.__getitem__)[:size]))


# ---- what rows of published data sets hold ---------------------------------------------------------------------------


def member(row: Mapping[str, Any], *names: str) -> Any:
    """The value of the first of ``names`` that the row has, of a CSV cell as the JSON in it. Raises ValueError."""
    for name in names:
        if name in row:
            value = row[name]
            if isinstance(value, str) and value.strip().startswith(("[", "{")):
                try:
                    return loads(value)
                except ValueError:
                    return value
            return value
    found = ", ".join(sorted(row)) or "none"
    raise ValueError(f"expected column '{names[0]}', found columns: {found}")


def texts(value: Any, column: str) -> list[str]:
    """A text, or a list of texts, as a list."""
    held = [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else None
    if held is None or not held or not all(isinstance(one, str) for one in held):
        raise ValueError(f"{column} must be a text or a list of at least one, found {value!r}"[:200])
    return held


def one_of(value: Any, column: str, allowed: tuple[str, str]) -> str:
    """A truth value, however it is written (true, "True", 1, "yes"), as the first (true) or second of ``allowed``."""
    written = str(value).strip().casefold()
    for said, meant in zip(allowed, (("true", "1", "yes"), ("false", "0", "no")), strict=True):
        if written in meant:
            return said
    raise ValueError(f"{column} must be {allowed[0]} or {allowed[1]}, found {value!r}")


def judged(question: Any, truth: Any, column: str, allowed: tuple[str, str]) -> dict[str, Any]:
    """A question whose answer is one of ``allowed``: ``truth``, the value of ``column``, however written."""
    return {"question": question, "answer": one_of(truth, column, allowed), "choices": list(allowed)}


def as_statement(row: Row) -> dict[str, Any] | None:
    """A row of the true and false statements that were released with maieutic prompting (Jung et al. 2022, arXiv
    2205.11822): question, statement, negation, answer; None where it is another.
    """
    if not {"question", "statement", "answer"} <= row.keys():
        return None
    kept = {key: row[key] for key in ("statement", "negation") if isinstance(row.get(key), str)}
    return judged(row["question"], row["answer"], "answer", TRUTHS) | kept
