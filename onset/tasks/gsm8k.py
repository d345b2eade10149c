r"""GSM8K: grade-school word problems of 2 to 8 steps, 7,473 to learn from and 1,319 to test on.

Source: Cobbe et al. 2021, "Training Verifiers to Solve Math Word Problems", arXiv 2110.14168; data and licence (MIT) at
https://github.com/openai/grade-school-math/tree/3101c7d5072418e28b9008a6636bde82a006892c/grade_school_math/data

    {"question": "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. ...",
     "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nNatalia sold ... clips altogether ...\n#### 72"}

The rationale is the solution without its calculator annotations ``<<48/2=24>>`` and its last line; the answer is the
number after ``####`` in canonical form. The annotated sums are kept in ``meta["sums"]``, for problems with other
numbers, unless the solution works something out beside them (``3*$40= $120``). Neither file has duplicates and no
question is in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from onset.answers import NumberFormat, canonical_number
from onset.errors import DataError
from onset.records import Item
from onset.tasks.base import AnswerFormat, Task
from onset.tasks.checks import Duplicates, Split, settle
from onset.tasks.tables import folder_of, unpaired
from onset.untrusted import loads

HUB = ("openai/gsm8k", "main")
_ANNOTATION = re.compile(r"<<[^<>\n]*>>")
_BARE = re.compile(r"=\s*[$€£]?\s*-?\.?\d")


def answer_format() -> AnswerFormat:
    """A number."""
    return NumberFormat()


def load(*, path: str | None = None, duplicates: Duplicates = "refuse") -> list[Task]:
    """The task ``gsm8k``, from ``path``, a folder with ``train.jsonl`` and ``test.jsonl`` as released, or from the hub.

    ``meta["steps"]`` of an item is the number of lines of its solution. ``duplicates``: see
    `onset.tasks.checks.settle`. Raises DataError for a missing or empty file, a row without question or solution, a
    solution that does not end in ``#### n``, duplicates and overlap, and when the hub cannot be reached.
    """
    folder = None if path is None else folder_of("gsm8k", path)
    splits = [_from_folder(folder, name) if folder is not None else _from_hub(name) for name in ("train", "test")]
    (train, test), notes = settle(splits[0], splits[1:], task="gsm8k", duplicates=duplicates)
    counted = [f"{split.path}: {len(split.items)} items" for split in (train, test)]
    return [
        Task(
            name="gsm8k",
            ability="complex reasoning",
            pool=train.items,
            test=test.items,
            format=answer_format(),
            chance=0.0,
            source="; ".join([*counted, *notes]),
        )
    ]


def _from_folder(folder: Path, name: str) -> Split:
    file = folder / f"{name}.jsonl"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"task 'gsm8k': no file '{file}': path must be a folder with train.jsonl, test.jsonl") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"task 'gsm8k': cannot read '{file}': {reason}") from None
    return _split(name, str(file), _rows(str(file), text))


def _rows(file: str, text: str) -> Iterator[tuple[int, Any]]:
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            try:
                yield line, loads(row)
            except json.JSONDecodeError as error:
                raise DataError(f"task 'gsm8k': {file}, line {line}: not JSON ({error.msg})") from None


def _from_hub(name: str) -> Split:
    where = f"{HUB[0]} ({HUB[1]}, {name})"
    try:
        import datasets

        rows = list(datasets.load_dataset(*HUB, split=name))
    except ImportError:
        raise DataError(
            "task 'gsm8k': reading from the hub needs the package 'datasets' (extra 'local'); "
            "or give 'path:' with a folder that holds train.jsonl and test.jsonl"
        ) from None
    except Exception as error:  # whatever the hub's client raises without a network: there is no common base class
        raise DataError(
            f"task 'gsm8k': cannot load {where} from the hub ({type(error).__name__}); "
            "without a network give 'path:' with a folder that holds train.jsonl and test.jsonl"
        ) from None
    return _split(name, where, enumerate(rows, 1))


def _split(name: str, where: str, rows: Iterator[tuple[int, Any]]) -> Split:
    numbered = [(line, _item(where, line, row)) for line, row in rows]
    if not numbered:
        raise DataError(f"task 'gsm8k': {where}: {name} is empty, at least one row is needed")
    return Split(name, where, tuple(item for _, item in numbered), tuple(line for line, _ in numbered))


def _item(where: str, line: int, row: Any) -> Item:
    for column in ("question", "answer"):
        if not isinstance(row, Mapping) or not isinstance(row.get(column), str) or not row[column].strip():
            found = ", ".join(sorted(row)) or "none" if isinstance(row, Mapping) else type(row).__name__
            raise DataError(f"task 'gsm8k': {where}, line {line}: expected text in column '{column}', found: {found}")
        if what := unpaired(row[column]):
            raise DataError(f"task 'gsm8k': {where}, line {line}: {column} {what}")
    solution, _, last = row["answer"].rpartition("####")
    answer = canonical_number(last)
    steps = [step for step in _ANNOTATION.sub("", solution).strip().split("\n") if step.strip()]
    if answer is None or not steps:
        raise DataError(
            f"task 'gsm8k': {where}, line {line}: expected a solution that ends in '#### n', "
            f"found the end {row['answer'][-40:]!r}"
        )
    meta: dict[str, str | int | float] = {"steps": len(steps)}
    sums = _ANNOTATION.findall(solution)
    if not _BARE.search(re.sub(_ANNOTATION.pattern + r"\S*", "", solution)) and ";" not in "".join(sums):
        meta["sums"] = ";".join(one[2:-2] for one in sums)
    return Item(row["question"].strip(), answer, rationale="\n".join(steps), meta=meta)
