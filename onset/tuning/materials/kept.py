"""What a base model has written to be tuned on, kept while it writes: a run that was killed goes on behind it.

    kept = Kept(path, {"base": model.facts.revision}, note=print)
    texts = material.make(Given(model, task, examples, chat, seed, kept))
    ...                        # keep the tuned weights
    kept.remove()

A file of JSON lines: the format and what the texts depend on, then a line for each chunk of questions with its number,
what was asked, the seconds it took and a digest, synced before the next chunk is asked. Chunks are the same whether a
run was killed or not, and so are the batches in them and their texts.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onset.models.base import Model
from onset.records import Completion, Request, canonical_json, content_hash

FORMAT = 3
"""As of a results folder (`onset.results.sealed.FORMAT`)."""

ROWS = 256
"""Samples of a chunk: as many as the engine runs together at most (`onset.models.engine.memory.MOST_ROWS`)."""

Samples = list[tuple[Completion, ...]]
"""Of each question of a chunk."""


def _nobody(_: str) -> None:
    pass


def _always() -> None:
    pass


@dataclass
class Kept:
    """The samples of one tuning, in the file ``path``.

    ``identity``: what they depend on that the caller knows (JSON: revision of the base model, template, versions). A
    file of other samples, or a line that is damaged or of another chunk with all behind it, is not used. Where the file
    cannot be written, sampling goes on and ``note`` is told, once. ``check`` is called before each change of it, and
    raises where this run may change nothing any more. ``seconds``: how long earlier runs took for what was read back,
    by their ``clock``, so that what a run that was killed sampled is not free.
    """

    path: Path
    identity: Mapping[str, Any]
    note: Callable[[str], None] = _nobody
    check: Callable[[], None] = _always
    clock: Callable[[], float] = time.perf_counter
    seconds: float = 0.0
    _failed: bool = False

    def sampled(self, model: Model, requests: Sequence[Request]) -> Samples:
        """What ``model`` answers to ``requests``: what is kept of it, and the rest of it asked and kept."""
        chunks = list(chunked(requests))
        by = {**self.identity, "asked": content_hash([asdict(one) for one in requests])}
        held, took = self._read(by, chunks)
        self.seconds += took
        if held:
            self.note(f"sampling goes on after {sum(map(len, held))} of {len(requests)} questions, from {self.path}")
        for number, chunk in enumerate(chunks[len(held) :], len(held)):
            begun = self.clock()
            held.append([tuple(done) for done in model.generate(chunk)])
            self._write(number, chunk, self.clock() - begun, held[-1])
        return [done for chunk in held for done in chunk]

    def remove(self) -> None:
        """What was tuned on them is kept elsewhere."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _read(self, by: Mapping[str, Any], chunks: Sequence[Sequence[Request]]) -> tuple[list[Samples], float]:
        """The chunks that are kept whole, and their seconds; the file is left with these alone, or begun."""
        try:
            lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        except OSError:
            lines = []
        head = f"{canonical_json({'format': FORMAT, **by})}\n".encode()
        held: list[Samples] = []
        took = 0.0
        if lines[:1] == [head]:
            for number, (line, chunk) in enumerate(zip(lines[1:], chunks, strict=False)):
                found = _samples(line, number, chunk)
                if found is None:
                    break
                seconds, samples = found
                took += seconds
                held.append(samples)
        whole = b"".join([head, *lines[1 : 1 + len(held)]])
        if b"".join(lines) != whole:
            self._put(lambda: _replace(self.path, whole))
        return held, took

    def _write(self, number: int, chunk: Sequence[Request], seconds: float, samples: Samples) -> None:
        told = [[asdict(one) for one in done] for done in samples]
        line: dict[str, Any] = {**_place(number, chunk), "seconds": seconds, "samples": told}
        line["digest"] = content_hash(line)
        self._put(lambda: _append(self.path, f"{json.dumps(line)}\n".encode()))

    def _put(self, work: Callable[[], None]) -> None:
        if self._failed:
            return
        self.check()
        try:
            work()
        except OSError as error:
            self._failed = True  # a gap in the file would be read as if it were none
            self.remove()
            self.note(f"samples are not kept in {self.path} ({error.strerror}): sampling goes on")


def chunked(requests: Sequence[Request]) -> Sequence[Sequence[Request]]:
    """``requests`` in order, in parts of about `ROWS` samples: all of one question are in one part."""
    parts: list[list[Request]] = []
    rows = ROWS
    for one in requests:
        if rows + one.n > ROWS:
            parts.append([])
            rows = 0
        parts[-1].append(one)
        rows += one.n
    return parts


def _place(number: int, chunk: Sequence[Request]) -> dict[str, Any]:
    """Which chunk a line is of: two runs that write one file, on machines that share a disk, may write one twice."""
    return {"chunk": number, "asked": content_hash([asdict(one) for one in chunk])}


def _samples(line: bytes, number: int, chunk: Sequence[Request]) -> tuple[float, Samples] | None:
    """The seconds and the samples of a chunk out of its line; None where it is not whole, or of another chunk."""
    if not line.endswith(b"\n"):
        return None
    try:
        told = json.loads(line)
        if told.pop("digest") != content_hash(told) or not _place(number, chunk).items() <= told.items():
            return None
        seconds = float(told["seconds"])
        read = [tuple(Completion(**one) for one in done) for done in told["samples"]]
    except (ValueError, TypeError, KeyError):
        return None
    return (seconds, read) if [len(done) for done in read] == [one.n for one in chunk] else None


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    partial.write_bytes(content)
    os.replace(partial, path)


def _append(path: Path, line: bytes) -> None:
    with open(path, "ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
