"""Another data set: the test items of another task, or of a file or split with columns of its own.

    {shift: test-set, task: {name: addition, digits: 5}}
    {shift: test-set, name: svamp, hub: ChilleD/SVAMP, test: test, columns: {question: question_concat, answer: Answer}}
    {shift: test-set, name: hans, test: hans.jsonl, labels: {entailment: entailment, non-entailment: not entailment}}

Answers are read as the study's own task reads them, so both sets must have the same kind of answer: where one calls
three classes what the other calls two, ``labels`` of the study's task may give two the same name (McCoy et al. 2019,
arXiv 1902.01007, section 4, count neutral and contradiction as non-entailment).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from onset.errors import DataError
from onset.prompting.text import answer_text
from onset.records import Item, canonical_json
from onset.shifts.base import TestSet
from onset.step import short
from onset.tasks import open_task
from onset.tasks.base import Task
from onset.tasks.checks import question_key, without_duplicates
from onset.tasks.rows import AnswerAs, Column, Reader, labels_of, parts_of
from onset.untrusted import loads


class OtherSet(TestSet):
    """The test items of another ``task`` (a line of a study: a name, or a mapping), or the rows of ``test``: a file, or
    with ``hub`` a split of that data set. ``config`` ... ``answer_separator`` as of a task of your own.

    Items have no twins. Refused where an item is one of the labelled examples, or has an answer that the task's format
    cannot read back; token limits are the larger ones of both tasks.
    """

    kind: ClassVar[str] = "test-set"
    example: ClassVar[Any] = None

    task: str | dict[str, Any] | None = None
    test: str | None = None
    hub: str | None = None
    config: str | None = None
    revision: str | None = None
    columns: dict[Column, str | list[str]] | None = None
    labels: dict[str | int | bool, str] | list[str | int] | None = None
    answer_as: AnswerAs = "text"
    answer_separator: str | None = None
    empty: Literal["refuse", "drop"] = "refuse"
    duplicates: Literal["refuse", "drop"] = "refuse"

    @model_validator(mode="after")
    def _one(self) -> OtherSet:
        if (self.task is None) == (self.test is None):
            raise ValueError("give either 'task', whose test items are taken, or 'test', a file or a split of 'hub'")
        if self.task is not None and (more := sorted(self.model_fields_set - {"task"})):
            raise ValueError(f"'{more[0]}' goes with 'test'; write it inside 'task'")
        return self

    def label(self) -> str:
        """The task with its settings, or the file's name without its ending."""
        if isinstance(self.task, str):
            return self.task
        if self.task is not None:
            more = [
                f"{key}{short(one)}" for key, one in self.task.items() if isinstance(one, int | float) or key == "order"
            ]
            return "-".join([str(self.task.get("name", "task")), *more])
        return Path(str(self.test)).stem if self.hub is None else f"{Path(self.hub).name}-{self.test}"

    def check_task(self, task: Task) -> None:
        """Raises DataError where an item is a labelled example of ``task`` or cannot be read by its format."""
        items = self.items(task)
        pool = {question_key(item) for item in task.pool}
        shared = [item for item in items if question_key(item) in pool]
        if shared:
            raise self.refuse(
                task,
                f"{len(shared)} of its {len(items)} items are labelled examples of the task, first:"
                f" {short_text(shared[0].question)}",
            )
        unread = [item for item in items if not _reads(task, item)]
        if unread:
            raise self.refuse(
                task,
                f"{len(unread)} of its {len(items)} items have an answer that the task's answer format cannot read"
                f" back, first: {short_text(unread[0].answer)}",
            )

    def items(self, task: Task) -> tuple[Item, ...]:
        """Its items, in their order."""
        return self._other().test if self.task is not None else _rows(canonical_json(self.set()))

    def asked(self, task: Task) -> Task:
        """``task`` with the larger token limits of both."""
        if self.task is None:
            return task
        other = self._other()
        answer, chain = max(task.answer_tokens, other.answer_tokens), max(task.rationale_tokens, other.rationale_tokens)
        if (answer, chain) == (task.answer_tokens, task.rationale_tokens):
            return task
        return replace(task, answer_tokens=answer, rationale_tokens=chain)

    def _other(self) -> Task:
        return _opened(canonical_json(self.task))


def _reads(task: Task, item: Item) -> bool:
    text = answer_text(item, rationale=False, layout=task.layout)
    try:
        return task.format.score(task.format.extract(text, item), item).correct
    except DataError:
        return False


def short_text(text: str) -> str:
    """The text in quotes on one line, at most 60 characters of it."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


@lru_cache(maxsize=8)
def _opened(spec: str) -> Task:
    return open_task(_loaded(spec))


@lru_cache(maxsize=8)
def _rows(settings: str) -> tuple[Item, ...]:
    said: Mapping[str, Any] = _loaded(settings)
    name, source = "test-set", str(said["test"])
    columns: Mapping[Column, str | Sequence[str]] | None = said.get("columns")
    reader = Reader(
        name,
        parts_of(name, columns),
        labels_of(name, said.get("labels")),
        said.get("answer_as", "text"),
        said.get("answer_separator"),
        said.get("empty", "refuse"),
        said.get("hub"),
        said.get("config"),
        said.get("revision"),
    )
    split, _ = without_duplicates(
        reader.split("test", source, []), task=name, duplicates=said.get("duplicates", "refuse")
    )
    return split.items


def _loaded(text: str) -> Any:
    return loads(text)
