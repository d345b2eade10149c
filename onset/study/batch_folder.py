"""A folder of batches: the requests that were written, and the answers that came back.

    FOLDER/batch.json          whose it is, what is known of each server, and the files that were written
    FOLDER/trials.jsonl        what the servers answered when they were tried before anything was measured
    FOLDER/requests/*.jsonl    the requests, for the service
    FOLDER/answers/*           what the service gives back: files of output and of errors, under any name

Answers stay where they are put and are read anew each time, so that reading the same file twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from onset.errors import Damaged, DataError, RequestRefused, StoreError
from onset.models.servers.batch import Line, name_in, parcels, read_line, request_line
from onset.models.servers.dialect import complained_of
from onset.models.servers.kept import Kept, Wanted
from onset.records import canonical_json
from onset.results.files import as_files, get, put_json, write_bytes, writing
from onset.results.lease import LEASE, Lease, take
from onset.results.sealed import FORMAT, seal_lines, sealed_lines, unseal_lines, unseal_with_format

READS = (1, FORMAT)
"""Formats of ``batch.json`` that are read; in 1 it had no digest."""
_REMEDY = "what was written before is kept"
_NO_TRIALS = "remove it: the servers are tried again"
_BATCH, _TRIALS = "batch.json", "trials.jsonl"
Place = tuple[Path, int, int]
"""A line: its file, where it begins and how many bytes it has."""


@dataclass(slots=True)
class Server:
    """What is known of the server of a model: is it left ``offline``, which keys it ``refused``, which endpoints were
    ``tried``.
    """

    url: str
    model: str
    offline: bool
    refused: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)

    def json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self) | {"refused": sorted(self.refused), "tried": sorted(self.tried)}


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A file of ``requests`` of the model ``label`` to one ``endpoint``, of ``bytes`` and with a digest (None: written
    before there was one).
    """

    name: str
    label: str
    endpoint: str
    requests: int
    bytes: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file of answers: how many it ``answered`` and ``refused``, how often each error stands in it (``errors``), and
    does it end within a line (``cut``)?
    """

    path: Path
    answered: int
    refused: int
    errors: Mapping[str, int]
    cut: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """All ``files`` of answers. ``held``: those that are kept, by name; ``lines``: of every name, how many there are;
    ``failed``: name -> why it has neither answer nor refusal; ``tokens``: label -> those billed, in and out.
    """

    files: Sequence[AnswerFile]
    held: Mapping[str, Kept]
    lines: Mapping[str, int]
    failed: Mapping[str, str]
    tokens: Mapping[str, tuple[int, int]]


class BatchFolder:
    """Use as a context manager: its lease is held while open, ``note`` is told of one that is taken over. ``servers``:
    label -> what is known; ``files``: those written, in order.
    """

    def __init__(self, folder: Path, study: str, *, make: bool, note: Callable[[str], None]) -> None:
        """``make``: begin it where it is not there. Raises StoreError for a folder of another study, or of no batch."""
        self.folder = folder
        self.study = study
        self.servers: dict[str, Server] = {}
        self.files: list[RequestFile] = []
        self.rounds = 0
        self._files, self._note = as_files(folder), note
        self._lease: Lease | None = None
        if self._files.exists(_BATCH):
            self._load()
        elif not make:
            raise StoreError(f"folder {folder} holds no batch: run `onset batch write STUDY {folder}` first")
        elif folder.exists() and (
            not folder.is_dir() or any(one.name not in (".batch-lock", LEASE) for one in folder.iterdir())
        ):
            raise StoreError(f"{folder} is not empty and holds no batch; use another folder")

    def __enter__(self) -> BatchFolder:
        for one in (self.folder, self.folder / "requests", self.folder / "answers"):
            with writing(one, _REMEDY):
                one.mkdir(parents=True, exist_ok=True)
        self._lease = take(self._files, f"folder {self.folder}", self._note)
        self._files = self._lease.fenced()
        if not self._files.exists(_BATCH):
            self.save()  # what fails from here on leaves a folder that is begun again
        return self

    def __exit__(self, *_: object) -> None:
        if self._lease is not None:
            self._lease.release()
            self._lease, self._files = None, as_files(self.folder)

    def _load(self) -> None:
        path = self.folder / _BATCH
        held, version = unseal_with_format(get(self._files, _BATCH), str(path))
        try:
            study = held["study"]
            self.rounds = int(held["rounds"])
            self.servers = {
                label: Server(**{**row, "refused": set(row["refused"]), "tried": set(row["tried"])})
                for label, row in held["servers"].items()
            }
            self.files = [RequestFile(**row) for row in held["files"]]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StoreError(f"damaged file {path}: it is not as `onset batch write` wrote it") from None
        if version not in READS:
            raise StoreError(f"{path} has format {version}, and this version of Onset reads {READS[0]} and {READS[1]}")
        if study != self.study:
            raise StoreError(f"folder {self.folder} holds the batch of study '{study}', not '{self.study}'")

    def save(self) -> None:
        """Keep what is known of servers and files."""
        content = {
            "study": self.study,
            "rounds": self.rounds,
            "servers": {label: one.json() for label, one in self.servers.items()},
            "files": [asdict(one) for one in self.files],
        }
        put_json(self._files, _BATCH, content)

    def server(self, label: str, url: str, model: str, *, offline: bool) -> Server:
        """What is known of the server of ``label``. Raises StoreError where it was another one."""
        known = self.servers.setdefault(label, Server(url, model, offline))
        if (known.url, known.model) != (url, model):
            raise StoreError(
                f"folder {self.folder} holds requests of model '{label}' for openai:{known.url}#{known.model}, not"
                f" openai:{url}#{model}; use another folder or another label"
            )
        return known

    def trials(self) -> dict[str, Kept]:
        """What the servers answered when they were tried."""
        path, out = self.folder / _TRIALS, {}
        for place, line in enumerate(self._trials(), start=1):
            try:
                row = json.loads(line)
                name = row.pop("custom_id")
                out[name] = Kept(**row)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise Damaged(str(path), f"line {place} is no answer to a trial", _NO_TRIALS) from None
        return out

    def _trials(self) -> list[bytes]:
        """The lines of ``trials.jsonl``; before format 3 they were appended, without a digest."""
        if not self._files.exists(_TRIALS):
            return []
        data = get(self._files, _TRIALS)
        if not sealed_lines(data):
            return data.splitlines()
        try:
            return unseal_lines(data, str(self.folder / _TRIALS))
        except Damaged as error:
            raise Damaged(error.name, error.why, _NO_TRIALS) from error

    def keep_trial(self, name: str, kept: Kept) -> None:
        """Keep what a server answered when it was tried."""
        held = [one.decode() for one in self._trials()]
        self._files.put(_TRIALS, seal_lines([*held, canonical_json({"custom_id": name, **asdict(kept)})]))

    def write(self, wanted: Sequence[tuple[str, Wanted]]) -> list[RequestFile]:
        """Write the next round: the requests of each model (its label) to each endpoint in files of their own."""
        out: list[RequestFile] = []
        taken: set[str] = set()
        for label, path in dict.fromkeys((label, one.path) for label, one in wanted):
            mine = (request_line(one) for other, one in wanted if (other, one.path) == (label, path))
            slug = re.sub(r"[^A-Za-z0-9._]+", "-", label).strip("-") or "model"
            stem = f"round-{self.rounds + 1}-{slug}-{path.strip('/').split('/')[0]}"
            for lines in parcels(mine):
                numbered = (f"{stem}-{place}.jsonl" for place in range(1, len(taken) + 2))
                name = next(one for one in numbered if one not in taken)  # two labels may look alike in a file's name
                taken.add(name)
                content = b"".join(lines)
                write_bytes(self.folder / "requests" / name, content, _REMEDY)
                digest = hashlib.sha256(content).hexdigest()
                out.append(RequestFile(name, label, f"/v1{path}", len(lines), len(content), digest))
        self.rounds += bool(out)
        self.files += out
        return out

    def sent(self) -> dict[str, list[tuple[str, Place]]]:
        """Every request that was written: its name -> the label and the line of each time. Raises StoreError where a
        file is missing.
        """
        out: dict[str, list[tuple[str, Place]]] = defaultdict(list)
        for one in self.files:
            path = self.folder / "requests" / one.name
            if not path.exists():
                raise StoreError(f"{path} is missing: it tells which request an answer belongs to; put it back")
            if one.sha256 is not None and self._files.digest(f"requests/{one.name}") != one.sha256:
                raise Damaged(str(path), "it is not as `onset batch write` wrote it", "put it back")
            for line, place in _lines(path):
                name = name_in(line)
                if name is None:
                    raise StoreError(f"damaged file {path}: it is not as `onset batch write` wrote it; put it back")
                out[name].append((one.label, place))
        return dict(out)

    def answers(self, sent: Mapping[str, Sequence[tuple[str, Place]]]) -> Answers:
        """Read all files of answers, and learn which keys the servers refuse.

        Raises DataError, with file and line, for one that is of no batch of this folder: nothing is taken from any.
        """
        files: list[AnswerFile] = []
        places: dict[str, Place] = {}
        refusals: dict[str, list[Kept]] = defaultdict(list)
        lines: dict[str, set[str]] = defaultdict(set)
        failed: dict[str, str] = {}
        tokens: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for path in sorted((self.folder / "answers").glob("[!.]*")):
            counts: Counter[str] = Counter()
            errors: Counter[str] = Counter()
            for line, place in self._read(path, sent, counts):
                if line.id in lines[line.name]:
                    continue  # the same line in another file
                lines[line.name].add(line.id)
                if line.kept is None:
                    errors[line.why] += 1
                    failed[line.name] = line.why
                elif line.kept.body is None:
                    counts["refused"] += 1
                    refusals[line.name].append(line.kept)
                else:
                    counts["answered"] += 1
                    places.setdefault(line.name, place)
                    billed = tokens[sent[line.name][0][0]]
                    billed[0], billed[1] = billed[0] + line.tokens[0], billed[1] + line.tokens[1]
            files.append(AnswerFile(path, counts["answered"], counts["refused"], dict(errors), counts["cut"] > 0))
        refused = self._refusals(refusals, sent, places)
        return Answers(
            files=files,
            held=_Held(places, refused),
            lines={name: len(ids) for name, ids in lines.items()},
            failed={name: why for name, why in failed.items() if name not in places and name not in refused},
            tokens={label: (both[0], both[1]) for label, both in tokens.items()},
        )

    def _read(self, path: Path, sent: Mapping[str, Any], counts: Counter[str]) -> Iterator[tuple[Line, Place]]:
        """The lines of one file; one that is cut off at its end is counted as ``cut``."""
        number = 0
        for text, place in _lines(path):
            number += 1
            if not text.strip():
                continue
            try:
                line = read_line(text)
            except ValueError as error:
                if not text.endswith(b"\n") and str(error) == "is not JSON" and number > 1:
                    counts["cut"] += 1
                    return
                raise DataError(f"{path}, line {number}: {error}") from None
            if line.name not in sent:
                raise DataError(
                    f"{path}, line {number}: '{line.name[:60]}' is no request that was written into {self.folder}: is"
                    " the file of another study or folder?"
                )
            yield Line(line.name, line.id or f"{path.name}:{number}", line.kept, line.why, line.tokens), place

    def _refusals(
        self,
        refusals: Mapping[str, Sequence[Kept]],
        sent: Mapping[str, Sequence[tuple[str, Place]]],
        answered: Mapping[str, Place],
    ) -> dict[str, Kept]:
        """The refusals that are of the request itself. One that complains of a key that can be done without is none:
        the server's dialect is learnt, and the request is to be sent without it.
        """
        out = {}
        for name, held in refusals.items():
            if name in answered:
                continue
            error = held[-1].refusal()
            assert isinstance(error, RequestRefused)
            label = sent[name][0][0]
            complained = [key for _, place in sent[name] if (key := complained_of(error, _body(place))) is not None]
            if label in self.servers:
                self.servers[label].refused |= set(complained)
            if len(held) > len(complained):
                out[name] = held[-1]
        return out


class _Held(Mapping[str, Kept]):
    """Answers by name, read from their files when they are asked for: log-probabilities of all of them would not fit
    into memory.
    """

    def __init__(self, places: Mapping[str, Place], refused: Mapping[str, Kept]) -> None:
        self._places = places
        self._refused = refused

    def __getitem__(self, name: str) -> Kept:
        if name in self._places:
            kept = read_line(_text(self._places[name])).kept
            assert kept is not None
            return kept
        return self._refused[name]

    def __contains__(self, name: object) -> bool:
        return name in self._places or name in self._refused

    def __iter__(self) -> Iterator[str]:
        return iter([*self._places, *self._refused])

    def __len__(self) -> int:
        return len(self._places) + len(self._refused)


def _lines(path: Path) -> Iterator[tuple[bytes, Place]]:
    try:
        with open(path, "rb") as file:
            at = 0
            for line in file:
                yield line, (path, at, len(line))
                at += len(line)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None


def _text(place: Place) -> bytes:
    path, at, length = place
    with open(path, "rb") as file:
        file.seek(at)
        return file.read(length)


def _body(place: Place) -> Mapping[str, Any]:
    body: Mapping[str, Any] = json.loads(_text(place))["body"]
    return body
