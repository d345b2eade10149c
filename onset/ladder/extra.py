"""Documents of the user's own, to be mixed into a corpus: does this text make an ability appear?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from onset.errors import DataError
from onset.ladder.corpora import Extra
from onset.untrusted import loads

SUFFIXES = (".txt", ".jsonl")
LONGEST = 2_000
"""Characters of one document, about a training sequence. Longer texts are cut at the ends of lines where possible, so
that drawing one document at random does not bring in a whole book.
"""


def read_extra(folder: Path, share: float) -> Extra:
    """All documents under ``folder``: every ``.txt`` file is a text, every line of a ``.jsonl`` file another,
    ``{"text": "..."}``. Files are read in the order of their paths.

    Raises DataError for a missing folder, one without such files, a file that cannot be read, a bad line (file, line,
    expected, found) or no text at all; InputError for a share that is not in (0, 1).
    """
    if not folder.is_dir():
        raise DataError(f"no folder of extra documents: {folder}")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in SUFFIXES)
    if not files:
        raise DataError(f"{folder} holds no file to read: expected {' or '.join('*' + one for one in SUFFIXES)}")
    texts = tuple(piece for path in files for text in _texts(path) for piece in _cut(text))
    if not texts:
        raise DataError(f"{folder}: {len(files)} files, and no text in them")
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return Extra(texts, share, folder.resolve().name, digest.hexdigest())


def _texts(path: Path) -> Iterator[str]:
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8 text, byte {error.start} is not") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if path.suffix == ".txt":
        yield content
        return
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            yield _text_of(line, f"{path}, line {number}")


def _text_of(line: str, where: str) -> str:
    try:
        row = loads(line)
    except ValueError as error:
        raise DataError(f'{where}: expected {{"text": "..."}}, and it is no JSON: {error}') from None
    text = row.get("text") if isinstance(row, dict) else None
    if not isinstance(text, str):
        found = f"the keys {', '.join(row) or 'none'}" if isinstance(row, dict) else f"a {type(row).__name__}"
        raise DataError(f'{where}: expected {{"text": "..."}}, found {found}')
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"{where}: the text holds half of a surrogate pair, which UTF-8 cannot write") from None
    return text


def _cut(text: str) -> Iterator[str]:
    """``text`` in pieces of at most `LONGEST` characters, cut after a line, else before a space, else anywhere."""
    while len(text) > LONGEST:
        line, space = text.rfind("\n", LONGEST // 2, LONGEST), text.rfind(" ", LONGEST // 2, LONGEST)
        end = line + 1 if line >= 0 else space if space >= 0 else LONGEST
        yield text[:end]
        text = text[end:]
    if text.strip():
        yield text
