"""From the rows of a table to items: which column plays which part, labels by name, choices in one column or more."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from onset.errors import DataError
from onset.records import Item
from onset.tasks.checks import Split
from onset.tasks.tables import Row, Table, kind, listed, read_hub, read_table, refuse, short, unpaired
from onset.untrusted import loads

Column = Literal["question", "answer", "rationale", "choices", "context"]
AnswerAs = Literal["text", "letter", "index"]

_COLUMNS: tuple[Column, ...] = get_args(Column)


def parts_of(name: str, given: object) -> dict[Column, tuple[str, ...]]:
    """The columns that play each part; only ``choices`` may have several."""
    if given is None:
        return {part: (part,) for part in _COLUMNS}
    if not isinstance(given, Mapping):
        raise DataError(f"task '{name}': columns must map {', '.join(_COLUMNS)} to columns of the file, not {given!r}")
    for part, column in given.items():
        if part not in _COLUMNS:
            raise DataError(f"task '{name}': columns has no part {part!r}. Allowed: {', '.join(_COLUMNS)}")
        several = part == "choices" and isinstance(column, list | tuple) and len(column) > 1
        if not (isinstance(column, str) or (several and all(isinstance(one, str) for one in column))):
            wanted = "a column or a list of at least two" if part == "choices" else "a column"
            raise DataError(f"task '{name}': columns: {part} must be {wanted}, not {column!r}")
    parts: dict[Column, tuple[str, ...]] = {}
    for part in _COLUMNS:
        column = given.get(part, part)
        parts[part] = (column,) if isinstance(column, str) else tuple(column)
    return parts


def labels_of(name: str, given: object) -> dict[str, str] | None:
    """What stands in the file -> the answer it means, in the order given."""
    if given is None:
        return None
    pairs: list[tuple[Any, Any]] = []
    if isinstance(given, Mapping):
        pairs = [*given.items()]
    elif isinstance(given, list | tuple):
        pairs = [(one, one) for one in given]
    names = {_written(key): _written(value) for key, value in pairs}
    if (
        len(set(names.values())) < 2
        or len(names) < len(pairs)
        or not all(one and one.strip() for one in names.values())
    ):
        raise DataError(
            f"task '{name}': labels must be a list of at least two different answers, or map what stands in the file "
            f"to them, not {given!r}"
        )
    return {key: value for key, value in names.items() if key is not None and value is not None}


def _written(value: object) -> str | None:
    """A text, number or truth value as a file writes it; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else None


@dataclass(frozen=True, slots=True)
class Reader:
    """What a task says of its rows, and how rows become items. ``separator``: what stands between several right answers
    in one text (None: a text is one answer). ``convert``: a row of a published data set as one with the columns of a
    task (None: it is not used, being without an answer); raises ValueError with what it expected.
    """

    task: str
    columns: Mapping[Column, tuple[str, ...]]
    labels: Mapping[str, str] | None
    answer_as: AnswerAs
    separator: str | None
    empty: str
    hub: str | None
    config: str | None
    revision: str | None
    convert: Callable[[Row], dict[str, Any] | None] | None = None

    def split(self, split: str, source: str | Path, notes: list[str]) -> Split:
        """All items of a file, or of a split of the hub's data set."""
        table = self._table(split, str(source))
        if self.convert is None:
            self._check_columns(table, split)
        labels = self._labels_of(table)
        items: list[Item] = []
        at: list[int] = []
        without_question = without_answer = 0
        for place, given in zip(table.places, table.rows, strict=True):
            where = f"{table.unit} {place}"
            row = self._converted(table.path, where, given)
            if row is None:
                without_answer += 1
                continue
            if self.empty == "drop" and _is_blank(row, self.columns["question"][0]):
                without_question += 1
                continue
            items.append(self._item(table.path, where, row, labels))
            at.append(place)
        if not items:
            raise DataError(f"task '{self.task}': {table.path}: {split} is empty, at least one row is needed")
        if without_question:
            notes.append(f"{without_question} without a question dropped from {split}")
        if without_answer:
            notes.append(f"{without_answer} published without an answer left out of {split}")
        return Split(split, table.path, tuple(items), tuple(at), table.unit)

    def _converted(self, path: str, place: str, row: Row) -> Row | None:
        if self.convert is None:
            return row
        try:
            return self.convert(row)
        except ValueError as error:
            refuse(self.task, path, place, str(error))

    def _table(self, split: str, source: str) -> Table:
        if self.hub is not None:
            return read_hub(self.hub, source, task=self.task, config=self.config, revision=self.revision)
        for key, value in (("config", self.config), ("revision", self.revision)):
            if value is not None:
                raise DataError(f"task '{self.task}': '{key}' goes with 'hub', a data set of the Hugging Face hub")
        wanted = frozenset({*self.columns["question"], *self.columns["answer"]})
        return read_table(source, task=self.task, split=split, wanted=wanted)

    def _check_columns(self, table: Table, split: str) -> None:
        """A table with one set of columns lacks a column once, not in every row; of others each column that the task
        names stands in some row, but rationales, which only a file to learn from needs.
        """
        if table.columns is None and not table.rows:
            return
        free = table.columns is None
        held = table.columns or tuple(dict.fromkeys(column for row in table.rows for column in row))
        for part in _COLUMNS:
            named = self.columns[part] != (part,)
            if free:
                wanted = named and (part != "rationale" or split.startswith("train"))
            else:
                wanted = named or part in ("question", "answer")
            for column in self.columns[part] if wanted else ():
                if column not in held:
                    hint = f"; write 'columns: {{{part}: NAME}}' for the one that holds it" if column == part else ""
                    raise DataError(
                        f"task '{self.task}': {table.path} has no column '{column}', its columns are "
                        f"{listed(held)}{hint}"
                    )

    def _labels_of(self, table: Table) -> Mapping[str, str] | None:
        """The task's labels, else the names that the answer's column carries."""
        names = table.names.get(self.columns["answer"][0])
        if self.labels is not None or names is None or self.answer_as != "text":
            return self.labels
        return {str(number): one for number, one in enumerate(names)}

    def _item(self, path: str, place: str, row: Mapping[str, Any], labels: Mapping[str, str] | None) -> Item:
        for part in ("question", "answer"):
            (column,) = self.columns[part]
            if column not in row:
                found = ", ".join(sorted(row)) or "none"
                refuse(self.task, path, place, f"expected column '{column}', found columns: {found}")
        choices = self._choices(path, place, row)
        if labels is not None and choices is not None:
            refuse(self.task, path, place, "this row has choices of its own beside the task's labels")
        answer, *others = self._answers(path, place, row, choices, labels)
        if labels is not None:
            choices = tuple(dict.fromkeys(labels.values()))
        item = Item(
            question=self._text(path, place, "question", row[self.columns["question"][0]]),
            answer=answer,
            rationale=self._optional(path, place, "rationale", row),
            choices=choices,
            context=self._optional(path, place, "context", row),
            meta=self._facts(path, place, row),
            others=tuple(others),
        )
        if choices is not None and item.answer not in choices:
            refuse(
                self.task, path, place, f"answer {short(item.answer)} is not among the choices: {'; '.join(choices)}"
            )
        return item

    def _facts(self, path: str, place: str, row: Mapping[str, Any]) -> dict[str, str | int | float]:
        """The columns that play no part, where they hold text or a number."""
        used = {column for columns in self.columns.values() for column in columns}
        facts = {key: value for key, value in row.items() if key not in used and isinstance(value, str | int | float)}
        for key, value in facts.items():
            what = unpaired(key) or (unpaired(value) if isinstance(value, str) else None)
            if isinstance(value, int) and abs(value) > sys.float_info.max:
                what = "holds a number larger than a float can be"
            if what:
                refuse(self.task, path, place, f"column {short(key)} {what}")
        return facts

    def _answers(
        self,
        path: str,
        place: str,
        row: Mapping[str, Any],
        choices: tuple[str, ...] | None,
        labels: Mapping[str, str] | None,
    ) -> Sequence[str]:
        """The right answers, each once, in the order of the file: at least one."""
        value = row[self.columns["answer"][0]]
        if labels is None and self.answer_as != "text":
            return [self._pointed(path, place, row, choices)]
        if self.separator is not None and isinstance(value, str) and value.strip():
            value = value.split(self.separator)
        if labels is not None or not isinstance(value, list):
            return [self._answer(path, place, value, labels)]
        if choices is not None:
            refuse(self.task, path, place, f"a row with choices has one right answer, found {short(value)}")
        if not value:
            refuse(self.task, path, place, "answer is an empty list, at least one right answer is needed")
        return list(dict.fromkeys(self._answer(path, place, one, None) for one in value))

    def _answer(self, path: str, place: str, value: object, labels: Mapping[str, str] | None) -> str:
        if labels is not None:
            written = _written(value)
            if written is None or written not in labels:
                shown = listed([*labels])
                refuse(self.task, path, place, f"answer {short(value)} is not among the labels {shown}")
            return labels[written]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return self._text(path, place, "answer", self._digits(path, place, "answer", value) if number else value)

    def _pointed(self, path: str, place: str, row: Mapping[str, Any], choices: tuple[str, ...] | None) -> str:
        """The choice whose letter or index the answer is. An empty cell is no choice, and keeps its letter."""
        if choices is None:
            refuse(self.task, path, place, f"'answer_as: {self.answer_as}' needs choices on every row")
        value, columns = row[self.columns["answer"][0]], self.columns["choices"]
        filled = [at for at, column in enumerate(columns) if not _is_blank(row, column)]
        places = filled if len(columns) > 1 else [*range(len(choices))]
        index = _index(value, self.answer_as)
        if index is None or not 0 <= index <= places[-1]:
            wanted = f"a letter from A to {chr(65 + places[-1])}" if self.answer_as == "letter" else "an index"
            wanted += "" if self.answer_as == "letter" else f" from 0 to {places[-1]}"
            refuse(self.task, path, place, f"answer must be {wanted}, found {short(value)}")
        if index not in places:
            refuse(self.task, path, place, f"answer {short(value)} points at column '{columns[index]}', which is empty")
        return choices[places.index(index)]

    def _choices(self, path: str, place: str, row: Mapping[str, Any]) -> tuple[str, ...] | None:
        columns = self.columns["choices"]
        value = row.get(columns[0])
        if len(columns) > 1:  # a column for each choice; a question with fewer leaves the last ones empty
            value = [row[column] for column in columns if not _is_blank(row, column)]
        elif isinstance(value, str):
            if not value.strip():
                return None
            value = _json_of(value)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) < 2:
            refuse(self.task, path, place, f"choices must be a list of at least two, found {short(value)}")
        numbered = [self._digits(path, place, "choices", choice) for choice in value]
        choices = tuple(self._text(path, place, "choices", choice) for choice in numbered)
        if len(set(choices)) < len(choices):
            refuse(self.task, path, place, f"choices must differ, found {short(value)}")
        return choices

    def _digits(self, path: str, place: str, part: str, value: object) -> object:
        """A number as models write it, without an exponent; anything else as it is."""
        if isinstance(value, float):
            if not math.isfinite(value):
                refuse(self.task, path, place, f"{part} must be text or a finite number, found {value}")
            return f"{Decimal(str(value)):f}"
        return str(value) if isinstance(value, int) else value

    def _text(self, path: str, place: str, part: str, value: object) -> str:
        if not isinstance(value, str):
            refuse(self.task, path, place, f"{part} must be text, found {kind(value)}")
        if not value.strip():
            hint = "; write 'empty: drop' to leave such rows out" if part == "question" else ""
            refuse(self.task, path, place, f"{part} is empty{hint}")
        if what := unpaired(value):
            refuse(self.task, path, place, f"{part} {what}")
        return value.strip()

    def _optional(self, path: str, place: str, part: Column, row: Mapping[str, Any]) -> str | None:
        (column,) = self.columns[part]
        return None if _is_blank(row, column) else self._text(path, place, part, row[column])


def _is_blank(row: Mapping[str, Any], column: str) -> bool:
    value = row.get(column)
    return value is None or (isinstance(value, str) and not value.strip())


def _index(value: object, answer_as: AnswerAs) -> int | None:
    """The place of a choice: ``B``, ``(b)`` and ``B.`` are 1, and so are ``1`` and ``"1"``."""
    text = (_written(value) or "").strip("(). ")
    if answer_as == "letter":
        return ord(text.upper()) - 65 if len(text) == 1 and text.isascii() and text.isalpha() else None
    return int(text) if text.isascii() and text.isdigit() else None


def _json_of(text: str) -> object:
    """A list that stands in a cell as JSON; else the text itself, which is then refused."""
    try:
        return loads(text)
    except ValueError:
        return text
