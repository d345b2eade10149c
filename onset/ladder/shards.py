"""Documents and tokens of a corpus, by shards that are the same on however many processes.

A shard is `SHARD` tokens made by a generator of its own, seeded by the corpus' seed and the shard's number; a corpus is
its first shards, cut to length. So the first million tokens of a corpus are the first million of any longer one.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from onset.errors import InputError, StoreError
from onset.ladder import tokenizer as tokenizers
from onset.ladder.corpora import EXTRA, KINDS, MIXTURES, Corpus, Mixture, shares

SHARD = 2**18
"""Tokens of a shard, about 0.9 MB of text and a fifth of a second."""
MEASURED = 300
"""Documents of a kind that are measured to turn its share of tokens into a share of documents."""

Progress = Callable[[int, int], None]
"""Called with the tokens made and the tokens wanted."""
Made = TypeVar("Made")


class Document(NamedTuple):
    """A document: its kind (a key of `KINDS`, or ``extra``), text, and token ids without ``<eos>``."""

    kind: str
    text: str
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus with a tokenizer (the file of one; None for the shipped one): where documents come from."""

    corpus: Corpus
    tokenizer: Path | None = None

    def open(self) -> Reader:
        """Ready to make shards. Raises InputError for a bad tokenizer."""
        return Reader(self.corpus, _encoder(tokenizers.load(self.tokenizer).to_str()))

    def fingerprint(self) -> str:
        """16 hex digits: a hash of the first shard. `Corpus.describe` says which documents were asked for; another
        version of this package may answer with others.
        """
        return hashlib.sha256(self.open().tokens(0).tobytes()).hexdigest()[:16]


class Reader:
    """Makes the shards of one corpus."""

    def __init__(self, corpus: Corpus, encode: tokenizers.Encoder) -> None:
        self._corpus = corpus
        self._mixture = MIXTURES[corpus.mixture]
        self._encode = encode
        texts = corpus.extra.texts if corpus.extra else ()
        self._extra = [Document(EXTRA, text, encode(text)) for text in texts]
        random.Random(f"ladder corpus {corpus.seed}, extra documents").shuffle(self._extra)
        self._counts = {kind: SHARD * share / self._mean_tokens(kind) for kind, share in shares(corpus).items()}

    def documents(self, shard: int) -> Iterator[Document]:
        """The documents of a shard; the last one is the one that fills it."""
        rng = random.Random(f"ladder corpus {self._corpus.seed}, shard {shard}")
        begun = rng.randrange(len(self._extra)) if self._extra else 0  # then in turn, so that each is read as often
        extra = cycle([*self._extra[begun:], *self._extra[:begun]])
        room = SHARD
        while True:
            for kind in self._order(rng):
                made = next(extra) if kind == EXTRA else _make(kind, rng, self._mixture, self._encode)
                yield made
                room -= len(made.ids) + 1
                if room <= 0:
                    return

    def _order(self, rng: random.Random) -> list[str]:
        """The kinds of about a shard's documents in random order, each as often as its share says, the fraction by
        chance: closer to the shares than one draw a document.
        """
        order = [kind for kind, count in self._counts.items() for _ in range(int(count + rng.random()))]
        rng.shuffle(order)
        return order

    def tokens(self, shard: int) -> NDArray[np.int16]:
        """The `SHARD` tokens of a shard: ``<eos>`` before each document, the last one cut."""
        ids: list[int] = []
        for made in self.documents(shard):
            ids.append(0)
            ids += made.ids
        return np.array(ids[:SHARD], dtype=np.int16)

    def _mean_tokens(self, kind: str) -> float:
        """Tokens of a document with its ``<eos>``."""
        if kind != EXTRA:
            return _mean_tokens(kind, self._mixture, self._encode)
        return sum(len(made.ids) + 1 for made in self._extra) / len(self._extra)


def _make(kind: str, rng: random.Random, mixture: Mixture, encode: tokenizers.Encoder) -> Document:
    text = KINDS[kind].make(rng, mixture)
    return Document(kind, text, encode(text))


@lru_cache(maxsize=256)
def _mean_tokens(kind: str, mixture: Mixture, encode: tokenizers.Encoder) -> float:
    """Of a fixed sample of documents."""
    rng = random.Random(f"ladder corpus, length of {kind}")
    return sum(len(_make(kind, rng, mixture, encode).ids) + 1 for _ in range(MEASURED)) / MEASURED


@lru_cache(maxsize=4)
def _encoder(tokenizer: str) -> tokenizers.Encoder:
    """The encoder of a tokenizer's JSON, one a process: what it has remembered is worth keeping."""
    from tokenizers import Tokenizer

    return tokenizers.Encoder(Tokenizer.from_str(tokenizer))


def read_documents(
    source: Source, tokens: int, *, workers: int = 1, progress: Progress | None = None
) -> Iterator[Document]:
    """The first documents of a corpus, until they and their ``<eos>`` are ``tokens`` tokens or more.

    Shards hold as many documents as fill them, whereas what a model reads of the last of each is cut to `SHARD` tokens.
    Raises InputError for fewer tokens than 1.
    """
    made = 0
    for shard in _shards(_documents, source, tokens, workers):
        for document in shard:
            yield document
            made += len(document.ids) + 1
            if made >= tokens:
                break
        if progress:
            progress(min(made, tokens), tokens)
        if made >= tokens:
            return


def read_tokens(
    source: Source, tokens: int, *, workers: int = 1, progress: Progress | None = None
) -> Iterator[NDArray[np.int16]]:
    """The first ``tokens`` tokens of a corpus, a shard at a time. Raises InputError for fewer tokens than 1."""
    made = 0
    for shard in _shards(_tokens, source, tokens, workers):
        yield shard[: tokens - made]
        made = min(tokens, made + len(shard))
        if progress:
            progress(made, tokens)


def write_tokens(
    path: Path, source: Source, tokens: int, *, workers: int = 1, progress: Progress | None = None
) -> NDArray[np.int16]:
    """The corpus as a file of ``tokens`` 16-bit integers in numpy's format, mapped into memory; made if not there.

    It appears whole, by rename. Raises InputError for fewer tokens than 1, StoreError when it cannot be written or when
    what is there is no such file.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
            try:
                _fill(partial, source, tokens, workers, progress)
                os.replace(partial, path)
            finally:
                partial.unlink(missing_ok=True)
        found: NDArray[np.int16] = np.load(path, mmap_mode="r")
    except OSError as error:
        raise StoreError(f"cannot keep the corpus in {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise StoreError(f"{path} is no corpus: {error}; delete it") from None
    if found.shape != (tokens,) or found.dtype != np.int16:
        raise StoreError(f"{path} is no corpus of {tokens} tokens: {found.dtype} of shape {found.shape}; delete it")
    return found


def _fill(path: Path, source: Source, tokens: int, workers: int, progress: Progress | None) -> None:
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.int16)), "fortran_order": False, "shape": (tokens,)}
        np.lib.format.write_array_header_1_0(file, header)
        for shard in read_tokens(source, tokens, workers=workers, progress=progress):
            file.write(shard.tobytes())
        file.flush()
        os.fsync(file.fileno())


def _documents(reader: Reader, shard: int) -> list[Document]:
    return list(reader.documents(shard))


def _tokens(reader: Reader, shard: int) -> NDArray[np.int16]:
    return reader.tokens(shard)


def _shards(make: Callable[[Reader, int], Made], source: Source, tokens: int, workers: int) -> Iterator[Made]:
    """Enough shards for ``tokens``, in order."""
    if tokens < 1:
        raise InputError(f"a corpus has at least 1 token, received {tokens}")
    count = -(-tokens // SHARD)
    if min(workers, count) == 1:
        reader = source.open()
        yield from (make(reader, shard) for shard in range(count))
        return
    # spawn, because forking a process that has started torch's threads may hang
    spawned = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, count), mp_context=spawned, initializer=_start, initargs=(source,))
    try:
        yield from pool.map(_work, [make] * count, range(count))
    finally:
        pool.shutdown(cancel_futures=True)


_reader: Reader | None = None


def _start(source: Source) -> None:
    global _reader  # noqa: PLW0603 - a worker process makes shards of one corpus all its life
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    _reader = source.open()


def _work(make: Callable[[Reader, int], Made], shard: int) -> Made:
    assert _reader is not None
    return make(_reader, shard)
