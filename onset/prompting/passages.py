"""Passages that a method reads to a model: a file of them, and the best ones for a question by BM25.

    {"title": "Marie Curie", "text": "Born in Warsaw in 1867, she ..."}      # corpus.jsonl; a title may be left out

JSON lines and Parquet: a column ``text`` and, if there, ``title``, which is put before the text. Any other ending is
text: a passage is a paragraph, blank lines stand between them. A passage is shown on one line (white space folded).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import polars as pl

from onset.errors import DataError, NotInstalled
from onset.records import content_hash
from onset.untrusted import loads

Row = tuple[str, Mapping[str, Any]]
"""The place in its file ("line 3"), and what stands there."""


def read_rows(path: str, where: str) -> list[Row]:
    """The rows of a file of JSON lines or Parquet. ``where`` begins the error's line ("method retrieve-then-read,
    'corpus'").

    Raises DataError, with the place, for what is missing, unreadable or no row.
    """
    try:
        if path.endswith(".parquet"):
            return [(f"row {place}", row) for place, row in enumerate(pl.read_parquet(path).to_dicts(), 1)]
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise DataError(f"{where}: no file '{path}'") from None
    except pl.exceptions.PolarsError:
        raise DataError(f"{where}: {path} is no Parquet file") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DataError(f"{where}: cannot read '{path}': {reason}") from None
    return [(f"line {place}", _row(line, path, place, where)) for place, line in enumerate(lines, 1) if line.strip()]


def _row(line: str, path: str, place: int, where: str) -> Mapping[str, Any]:
    try:
        row = loads(line)
    except ValueError as error:
        refuse(where, path, f"line {place}", f"not JSON ({error})")
    if not isinstance(row, dict):
        refuse(where, path, f"line {place}", f"expected a JSON object, received {line.strip()[:60]}")
    return row


def refuse(where: str, path: str, place: str, what: str) -> NoReturn:
    """Raise DataError in one line: ``method knowledge, 'triples': kg.jsonl, line 4: 'head' is empty``."""
    raise DataError(f"{where}: {path}, {place}: {what}")


def text_of(row: Mapping[str, Any], key: str, where: str, path: str, place: str) -> str:
    """The text of a column, white space folded. Raises DataError where it is missing, empty or no text."""
    if key not in row:
        refuse(where, path, place, f"no '{key}' (received {', '.join(row) or 'nothing'})")
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        refuse(where, path, place, f"'{key}' must be text, received {value!r}")
    return " ".join(value.split())


@dataclass(frozen=True)
class Corpus:
    """The passages of a file, in its order, and the hash of all of them (16 hex digits)."""

    path: str
    texts: tuple[str, ...]

    @cached_property
    def hash(self) -> str:
        """16 hex digits over the passages in order: a file that moved, or has another format, has the same."""
        return content_hash(list(self.texts))


def read_corpus(path: str, where: str) -> Corpus:
    """The passages of ``path``; a file that did not change is read once.

    Raises DataError for a file that is missing, unreadable or holds no passage.
    """
    try:
        held = Path(path).stat()
    except OSError:
        raise DataError(f"{where}: no file '{path}'") from None
    return _read(path, where, held.st_mtime_ns, held.st_size)


@lru_cache(maxsize=8)
def _read(path: str, where: str, _changed: int, _size: int) -> Corpus:
    if path.endswith((".jsonl", ".json", ".parquet")):
        texts = [_passage(row, where, path, place) for place, row in read_rows(path, where)]
    else:
        try:
            written = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise DataError(f"{where}: cannot read '{path}': {reason}") from None
        texts = list(_paragraphs(written.splitlines()))
    if not texts:
        raise DataError(f"{where}: {path} holds no passage")
    return Corpus(path, tuple(texts))


def _passage(row: Mapping[str, Any], where: str, path: str, place: str) -> str:
    text = text_of(row, "text", where, path, place)
    title = row.get("title")
    return f"{' '.join(title.split())}: {text}" if isinstance(title, str) and title.strip() else text


def _paragraphs(lines: Iterable[str]) -> Iterable[str]:
    held: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            held += line.split()
        elif held:
            yield " ".join(held)
            held = []


class Index:
    """BM25 over a corpus, by bm25s (Lù 2024, arXiv 2407.03618): words in lower case, without English stop words."""

    def __init__(self, corpus: Corpus, k1: float, b: float) -> None:
        bm25s = _library()
        self.corpus = corpus
        self._bm25 = bm25s.BM25(k1=k1, b=b, method="lucene")
        words = bm25s.tokenize(list(corpus.texts), stopwords="en", show_progress=False)
        self._empty = not words.vocab
        if not self._empty:
            self._bm25.index(words, show_progress=False)

    def best(self, query: str, count: int) -> list[tuple[int, float]]:
        """Places and scores of the ``count`` best passages, fewer where fewer share a word with ``query``; equal
        scores in the order of the corpus.
        """
        words = _library().tokenize(query, stopwords="en", show_progress=False, return_ids=False)[0]
        known = [] if self._empty else [word for word in words if word in self._bm25.vocab_dict]
        if not known:
            return []
        scores = self._bm25.get_scores(known)
        order = np.argsort(-scores, kind="stable")[:count]
        return [(int(place), float(scores[place])) for place in order if scores[place] > 0]


def _library() -> Any:
    try:
        import bm25s
    except ImportError:
        raise NotInstalled("passages are found by the library bm25s: pip install 'lm-onset[local]'") from None
    return bm25s


@lru_cache(maxsize=8)
def index_of(corpus: Corpus, k1: float = 1.5, b: float = 0.75) -> Index:
    """The index of a corpus, built once: cells over the same passages share it. ``k1`` (at least 0) and ``b`` (0..1) as
    in Robertson and Zaragoza 2009 (doi 10.1561/1500000019); Lucene's variant.
    """
    return Index(corpus, k1, b)
