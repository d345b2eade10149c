r"""Multi-format question answering: own tasks and files of questions in the one encoding of UnifiedQA (Khashabi et al.
2020, arXiv 2005.00700, section 3.2), in which yes-or-no, multiple-choice, extractive and abstractive questions are the
same problem of text to text:

    what is the capital? \n (a) oslo (b) rome \n the seat of government is in rome. \n          rome

Question, choices and context in this order, between them a backslash and an n as two characters, and all of it
lower-cased, as is the answer. There an encoder reads this; here, where one model reads and writes, the mark stands once
more before the answer. (Single quotes, which the authors' code takes away, stay.)

Sources are mixed in equal parts whatever their size, as there (section 4), unless a ``share`` says otherwise.
"""

from __future__ import annotations

import string
from collections import Counter
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from onset.errors import DataError
from onset.records import Item
from onset.tasks import open_task
from onset.tasks.own import labelled
from onset.tuning.base import Example
from onset.tuning.stages.corpus import Supervised
from onset.tuning.stages.mixture import Source
from onset.tuning.stages.texts import digest

Format = Literal["yes or no", "multiple choice", "extractive", "abstractive"]

MARK = " \\n "
"""What stands between the parts of a question: a backslash and an n, not a new line."""


class MultiFormat(Supervised):
    """Labelled questions in UnifiedQA's encoding: of files (JSON lines of ``question``, ``answer``, ``choices`` and
    ``context``, or any table that a task of your own may be), and of the labelled pools of tasks.
    """

    kind = "multi-format"
    source = "Khashabi et al. 2020, arXiv 2005.00700, sections 3.2 and 4 (UnifiedQA)"
    words = "training on questions of several formats in one encoding"
    equal: ClassVar[bool] = True

    @model_validator(mode="after")
    def _check_sources(self) -> MultiFormat:
        if any(one.templates or one.cap for one in self.listed):
            raise ValueError("sources have a 'share' here, no 'templates' and no 'cap': the encoding is one for all")
        return self

    def read(self, source: Source) -> tuple[Example, ...]:
        """The questions of one source, encoded. Raises DataError."""
        return tuple(encoded(one, source.name) for one in self.items(source))

    def items(self, source: Source) -> tuple[Item, ...]:
        """The labelled questions of one source: of a task its pool, never a test item."""
        return labelled(source.file).items if source.file is not None else open_task(source.task).pool

    def content(self, source: Source) -> str:
        """16 hex digits of the file, or the task's hash."""
        return digest(source.file)[:16] if source.file is not None else open_task(source.task).hash

    def said(self) -> list[dict[str, Any]]:
        """Also how many questions of each format a source has."""
        counts = [Counter(format_of(one) for one in self.items(source)) for source in self.listed]
        return [
            {**one, "formats": dict(sorted(found.items()))} for one, found in zip(super().said(), counts, strict=True)
        ]


def encoded(item: Item, name: str) -> Example:
    """A question and its answer as a model reads and writes them. Raises DataError for more choices than letters."""
    parts = [item.question]
    if item.choices:
        if len(item.choices) > len(string.ascii_lowercase):
            raise DataError(
                f"stage corpus {name}: a question has {len(item.choices)} choices, at most 26 have a letter"
            )
        parts.append(
            " ".join(f"({letter}) {one}" for letter, one in zip(string.ascii_lowercase, item.choices, strict=False))
        )
    parts += [item.context] if item.context else []
    asked = MARK.join(" ".join(one.split()) for one in parts).lower()
    return Example(asked + MARK.rstrip(), f" {item.answer.lower()}")


def format_of(item: Item) -> Format:
    """Which of UnifiedQA's formats a question has: by its choices, its answer, and whether its context holds that."""
    if item.choices:
        return "multiple choice"
    if item.answer.lower() in ("yes", "no"):
        return "yes or no"
    return "extractive" if item.context and item.answer.lower() in item.context.lower() else "abstractive"
