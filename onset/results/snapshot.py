"""An object store as it is at one moment, and what a run remembers of it from one beginning to the next.

Ten thousand finished cells are fifty thousand objects, and each is a request. A listing gives a thousand of them at a
time, with sizes and the mark by which the store tells contents apart (``ETag``). So a run leaves an index of what it
has looked at: the small files as they were, and the digests of records that it has read whole, each with its mark.
Of an object whose mark is still the same nothing is fetched; what has changed, or is new, is, all together.
"""

from __future__ import annotations

import gzip
import json
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onset.results.files import Files, Wrapped

if TYPE_CHECKING:
    from onset.results.remote import RemoteFiles

INDEX = "index.json.gz"

ENOUGH = 64
"""Objects fetched that are worth a new index."""

_MOST = 1 << 30
"""Bytes of an index that are read: one of somebody else's could unpack to more than there is memory."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing says of an object: its bytes, and a ``mark`` that other content would not have (None: the store
    gives none).
    """

    size: int
    mark: str | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Listed:
        """From what fsspec says of it."""
        size = int(told["size"] or 0)
        marks = (told.get(name) for name in ("ETag", "etag", "md5Hash", "created"))
        mark = next((str(one) for one in marks if one), None)
        return cls(size, None if mark is None else f"{size} {mark}")


class Listing:
    """All ``objects`` of a place, by path."""

    def __init__(self, objects: Mapping[str, Listed]) -> None:
        self.objects = objects
        self._paths = sorted(objects)

    def below(self, folder: str) -> Sequence[str]:
        """Their paths, in order; of those in ``folder``, at any depth, where one is named."""
        if not folder:
            return self._paths
        return self._paths[bisect_left(self._paths, f"{folder}/") : bisect_left(self._paths, f"{folder}0")]  # "/" + 1


@dataclass(frozen=True)
class Snapshot:
    """`Files` to be read, as they were at one moment: below the folder ``under`` of ``files``.

    ``listing``: of all objects; ``held``: content of those at hand, and ``digests``: SHA-256 of those that were read
    for it, or are in the index; ``fetched``: how many of both were not in the index.
    """

    files: RemoteFiles
    under: str
    listing: Listing
    held: Mapping[str, bytes]
    digests: Mapping[str, str]
    fetched: int

    def __getattr__(self, name: str) -> Any:  # whatever changes files, or needs them on a disk
        return getattr(self.files.at(self.under) if self.under else self.files, name)

    def name(self, path: str = "") -> str:
        """Its URL."""
        return self.files.name("/".join(one for one in (self.under, path) if one))

    def at(self, path: str) -> Snapshot:
        """Below a folder."""
        return replace(self, under=self._at(path))

    def get(self, path: str) -> bytes:
        """The content, at hand or fetched."""
        where = self._there(path)
        return self.held[where] if where in self.held else self.files.get(where)

    def exists(self, path: str) -> bool:
        """Was there such an object?"""
        return self._at(path) in self.listing.objects

    def names(self, under: str = "") -> Iterator[str]:
        """Paths of all objects."""
        start = f"{self.under}/" if self.under else ""
        yield from (one.removeprefix(start) for one in self.listing.below(self._at(under)))

    def size(self, path: str) -> int:
        """Bytes of an object."""
        return self.listing.objects[self._there(path)].size

    def digest(self, path: str) -> str:
        """SHA-256 of an object."""
        where = self._there(path)
        return self.digests[where] if where in self.digests else self.files.digest(where)

    def index(self) -> bytes:
        """What is at hand, to be read again by `known`."""
        objects = self.listing.objects
        marks = {path: objects[path].mark for path in (*self.held, *self.digests)}
        texts = {path: _text(data) for path, data in self.held.items()}
        content = {
            "held": {path: [marks[path], text] for path, text in texts.items() if marks[path] and text is not None},
            "digests": {path: [marks[path], one] for path, one in self.digests.items() if marks[path]},
        }
        raw = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return gzip.compress(raw.encode(), 6, mtime=0)

    def _there(self, path: str) -> str:
        where = self._at(path)
        if where not in self.listing.objects:
            raise FileNotFoundError(2, "No such file", self.name(path))
        return where

    def _at(self, path: str) -> str:
        return "/".join(one for one in (self.under, path) if one)


def known(index: bytes | None, listing: Listing) -> tuple[dict[str, bytes], dict[str, str]]:
    """Contents and digests that an index (`Snapshot.index`; None: there is none) has of objects that are still the
    same; nothing of one that cannot be read: all of it is only a copy.
    """
    try:
        unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(index or b"", _MOST)
        content = json.loads(unpacked)
        marks = {path: one.mark for path, one in listing.objects.items() if one.mark is not None}
        held = {path: text.encode() for path, (mark, text) in content["held"].items() if marks.get(path) == mark}
        digests = {path: str(one) for path, (mark, one) in content["digests"].items() if marks.get(path) == mark}
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}, {}
    return held, digests


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True)
class Looked(Wrapped):
    """``files`` of which ``seen`` was fetched: reads are answered from it, but of a cell, of weights or of a file at
    the top that was changed through these files since. To remove what is not there asks nobody.

    ``under``: where the files are in the results folder; ``changed``: what was changed, for all files below.
    """

    seen: Files
    under: str = ""
    changed: set[str] = field(default_factory=set)

    def before(self, what: str, path: str) -> None:
        """Note the change."""
        self.changed.add("/".join(self._at(path).split("/")[:2]))

    def at(self, path: str) -> Looked:  # noqa: D102 - as `Files` says, and so all that follow
        return replace(self, files=self.files.at(path), seen=self.seen.at(path), under=self._at(path))

    def get(self, path: str) -> bytes:  # noqa: D102
        return self._read(path).get(path)

    def exists(self, path: str) -> bool:  # noqa: D102
        return self._read(path).exists(path)

    def names(self, under: str = "") -> Iterator[str]:  # noqa: D102
        return self._read(under).names(under)

    def size(self, path: str) -> int:  # noqa: D102
        return self._read(path).size(path)

    def digest(self, path: str) -> str:  # noqa: D102
        return self._read(path).digest(path)

    def modified(self, path: str) -> datetime:  # noqa: D102
        return self.files.modified(path)

    def put_all(self, files: Mapping[str, bytes]) -> None:  # noqa: D102
        for path in files:
            self.before("put", path)
        self.files.put_all(files)

    def remove(self, path: str) -> None:  # noqa: D102
        if self.exists(path):
            super().remove(path)

    def move(self, old: str, new: str) -> None:  # noqa: D102
        self.before("move", new)
        super().move(old, new)

    def remove_folder(self, path: str, marker: str | None = None) -> None:  # noqa: D102
        if any(True for _ in self.names(path)):
            super().remove_folder(path, marker)

    def move_folder(self, old: str, new: str, marker: str) -> None:  # noqa: D102
        self.before("move folder", new)
        super().move_folder(old, new, marker)

    def _read(self, path: str) -> Files:
        where = self._at(path)
        parts = where.split("/")
        if len(parts) > 1:
            stale = "/".join(parts[:2]) in self.changed
        else:
            stale = any(not where or one.split("/")[0] == where for one in self.changed)
        return self.files if stale else self.seen

    def _at(self, path: str) -> str:
        return "/".join(one for one in (self.under, path) if one)
