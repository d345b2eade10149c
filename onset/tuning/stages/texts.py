"""Files that stages train on: corpora of JSON lines, and plain text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from onset.errors import DataError
from onset.tuning.base import Example
from onset.untrusted import fault, loads

Row = TypeVar("Row")


def bytes_of(path: str) -> bytes:
    """The content of a file. Raises DataError when it cannot be read."""
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise DataError(f"stage corpus {path}: cannot be read ({error.strerror})") from None


def digest(path: str) -> str:
    """The SHA-256 of a file, in hex digits. Raises DataError when it cannot be read."""
    return hashlib.sha256(bytes_of(path)).hexdigest()


def text_of(path: str) -> str:
    """The text of a file. Raises DataError for one that is not UTF-8 or has no text."""
    try:
        text = bytes_of(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"stage corpus {path}: not UTF-8") from None
    if not text.strip():
        raise DataError(f"stage corpus {path}: it has no text")
    return text


def read_corpus(path: str) -> tuple[Example, ...]:
    """The rows of a corpus: lines ``{"prompt": ..., "completion": ...}``, of which the completion is learnt, or
    ``{"text": ...}``, of which everything is. Other keys are left aside. Raises DataError, with the line.
    """
    return _corpus(path, digest(path))


@lru_cache(maxsize=8)
def _corpus(path: str, stamp: str) -> tuple[Example, ...]:
    """The rows of a corpus whose bytes have the hash ``stamp``."""
    return read_lines(path, _row)


def read_lines(path: str, row: Callable[[str, str], Row]) -> tuple[Row, ...]:
    """``row(where, line)`` of each line that is not blank. Raises DataError for a file without any."""
    try:
        lines = bytes_of(path).decode("utf-8-sig").split("\n")  # other line separators may stand inside a text
    except UnicodeDecodeError:
        raise DataError(f"stage corpus {path}: not UTF-8") from None
    rows = [
        row(f"stage corpus {path}, line {number}", line) for number, line in enumerate(lines, start=1) if line.strip()
    ]
    if not rows:
        raise DataError(f"stage corpus {path}: it has no lines")
    return tuple(rows)


def texts_in(where: str, line: str, keys: tuple[str, ...]) -> dict[str, str] | None:
    """Those of ``keys`` that a line has, None where one of them is no text or an empty one. Raises DataError for a line
    that is no JSON.
    """
    try:
        row = loads(line)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({fault(error)})") from None
    found = {key: row[key] for key in keys if key in row} if isinstance(row, Mapping) else {}
    return found if all(isinstance(one, str) and one.strip() for one in found.values()) else None


def _row(where: str, line: str) -> Example:
    found = texts_in(where, line, ("text", "prompt", "completion"))
    if found is None or set(found) not in ({"text"}, {"prompt", "completion"}):
        raise DataError(
            f"{where}: expected an object with 'text', or with 'prompt' and 'completion',"
            f" texts that are not empty (received {line[:60]!r})"
        )
    return Example("", found["text"]) if "text" in found else joined(found["prompt"], found["completion"])


def joined(prompt: str, completion: str) -> Example:
    """An example of which ``completion`` is learnt: what stands between the two, or a space, belongs to it."""
    bare = prompt.rstrip()
    gap = prompt[len(bare) :] or ("" if completion[:1].isspace() else " ")
    return Example(bare, gap + completion)
