"""Where results are kept: files below one place, put there whole or not at all.

`Files` is what the results folder asks of a place; `onset.results.local` keeps it on a disk. Everything here can be
pickled, so that a job may take it along.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from onset.errors import Damaged, StoreError
from onset.results.sealed import seal, unseal

GO_ON = "what was finished is kept, run again to go on"


def nothing(path: str) -> bool:
    """No path."""
    return False


class Files(Protocol):
    """Files below one place. Paths are relative to it, with ``/``; folders come and go with what is in them.

    Whatever cannot be written is a StoreError of one line; a file that is not there is a FileNotFoundError from `get`,
    `size`, `digest` and `modified`, and nothing to `remove`.
    """

    def name(self, path: str = "") -> str:
        """What ``path`` is called in messages."""
        ...

    def at(self, path: str) -> Files:
        """The files below the folder ``path``."""
        ...

    def put(self, path: str, data: bytes, *, synced: bool = True) -> None:
        """Put a file there, in the place of one of that name: readers see the old one or the new one, and a failure
        leaves the old one. With ``synced`` it is safe from a power cut when this returns.
        """
        ...

    def put_all(self, files: Mapping[str, bytes]) -> None:
        """`put` of several files of one folder, in order: what is there of them after a crash is a beginning."""
        ...

    def create(self, path: str, data: bytes) -> bool:
        """Put a file where there is none; False, and nothing done, where there is one. Of two that try one succeeds."""
        ...

    def get(self, path: str) -> bytes:
        """The content of a file."""
        ...

    def exists(self, path: str) -> bool:
        """Is there such a file?"""
        ...

    def names(self, under: str = "") -> Iterator[str]:
        """Paths of all files below the folder ``under``, at any depth, in a fixed order, with ``under`` before them;
        without what is being written.
        """
        ...

    def size(self, path: str) -> int:
        """Bytes of a file."""
        ...

    def digest(self, path: str) -> str:
        """SHA-256 of a file, in hex, read piece by piece."""
        ...

    def modified(self, path: str) -> datetime:
        """When a file was put there."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, where it is there."""
        ...

    def move(self, old: str, new: str) -> None:
        """Give a file another name, in the place of one that has it."""
        ...

    def put_folder(self, path: str, marker: str) -> AbstractContextManager[Path]:
        """A real folder to fill, which becomes the folder ``path`` at the end: there as soon as its file ``marker`` is,
        and then whole. There must be none of that name.
        """
        ...

    def remove_folder(self, path: str, marker: str | None = None) -> None:
        """Remove a folder, where it is there: its file ``marker`` goes first."""
        ...

    def move_folder(self, old: str, new: str, marker: str) -> None:
        """Give a folder another name; there must be none of the new one. Its file ``marker`` comes last."""
        ...

    def local(self, path: str) -> Path:
        """A real folder with the files of the folder ``path``, to be read."""
        ...

    def scratch(self, path: str) -> Path:
        """A real path for a file that is written piece by piece, and may be lost: of this machine alone where the
        place is none of its disks.
        """
        ...

    def check(self, path: str) -> None:
        """To be called before a file of `scratch` is changed: raises StoreError where this writer may change nothing
        any more, as every other change does by itself.
        """
        ...

    def to_read(self, wanted: Callable[[str], bool], hashed: Callable[[str], bool] = nothing) -> Files:
        """The same files, to be read alone, as they are now or later; those ``wanted`` (by path) may be fetched
        together, and those of which the digest alone is wanted be ``hashed`` so.
        """
        ...


Place = Path | str | Files
"""Where results are: a folder, the URL of one in an object store, or its files."""


def as_files(place: Place) -> Files:
    """The files at ``place``. Raises StoreError for a URL that cannot be a results folder."""
    from onset.results.local import LocalFiles

    found = as_place(place)
    return LocalFiles(found) if isinstance(found, Path) else found


def as_place(place: Place) -> Path | Files:
    """A path, where ``place`` is on a disk, or its files. Raises as `as_files`."""
    if isinstance(place, str):
        if is_url(place):
            from onset.results.remote import open_url

            return open_url(place)
        return Path(place)
    return place


def is_url(text: str) -> bool:
    """Is it a URL, not a path on a disk?"""
    return re.match(r"[a-z][a-z0-9+.-]+://", text) is not None


@dataclass(frozen=True)
class Wrapped:
    """`Files` that do what ``files`` do, and say `before` each change."""

    files: Files

    def before(self, what: str, path: str) -> None:
        """Called before ``what`` is done to ``path``; an error here keeps it from being done."""

    def name(self, path: str = "") -> str:  # noqa: D102 - as `Files` says, and so all that follow
        return self.files.name(path)

    def at(self, path: str) -> Files:  # noqa: D102
        return replace(self, files=self.files.at(path))

    def put(self, path: str, data: bytes, *, synced: bool = True) -> None:  # noqa: D102
        self.before("put", path)
        self.files.put(path, data, synced=synced)

    def put_all(self, files: Mapping[str, bytes]) -> None:  # noqa: D102
        self.before("put", next(iter(files), ""))
        self.files.put_all(files)

    def create(self, path: str, data: bytes) -> bool:  # noqa: D102
        self.before("create", path)
        return self.files.create(path, data)

    def get(self, path: str) -> bytes:  # noqa: D102
        return self.files.get(path)

    def exists(self, path: str) -> bool:  # noqa: D102
        return self.files.exists(path)

    def names(self, under: str = "") -> Iterator[str]:  # noqa: D102
        return self.files.names(under)

    def size(self, path: str) -> int:  # noqa: D102
        return self.files.size(path)

    def digest(self, path: str) -> str:  # noqa: D102
        return self.files.digest(path)

    def modified(self, path: str) -> datetime:  # noqa: D102
        return self.files.modified(path)

    def remove(self, path: str) -> None:  # noqa: D102
        self.before("remove", path)
        self.files.remove(path)

    def move(self, old: str, new: str) -> None:  # noqa: D102
        self.before("move", old)
        self.files.move(old, new)

    @contextmanager
    def put_folder(self, path: str, marker: str) -> Iterator[Path]:  # noqa: D102
        with self.files.put_folder(path, marker) as scratch:
            yield scratch
            self.before("put folder", path)

    def remove_folder(self, path: str, marker: str | None = None) -> None:  # noqa: D102
        self.before("remove folder", path)
        self.files.remove_folder(path, marker)

    def move_folder(self, old: str, new: str, marker: str) -> None:  # noqa: D102
        self.before("move folder", old)
        self.files.move_folder(old, new, marker)

    def local(self, path: str) -> Path:  # noqa: D102
        return self.files.local(path)

    def scratch(self, path: str) -> Path:  # noqa: D102
        return self.files.scratch(path)

    def check(self, path: str) -> None:  # noqa: D102
        self.before("scratch", path)
        self.files.check(path)

    def to_read(self, wanted: Callable[[str], bool], hashed: Callable[[str], bool] = nothing) -> Files:  # noqa: D102
        return self.files.to_read(wanted, hashed)


@contextmanager
def writing(path: Path | str, remedy: str = GO_ON) -> Iterator[None]:
    """Turn an operating-system error while writing under ``path`` into one clear line, which ends with ``remedy``."""
    try:
        yield
    except OSError as error:
        reason = {
            errno.ENOSPC: "the disk is full",
            errno.EDQUOT: "the disk quota is used up",
            errno.EROFS: "the file system is read-only",
            errno.EACCES: "permission denied",
            errno.EPERM: "permission denied",
            errno.ENOTDIR: "a part of the path is a file, not a folder",
            errno.EEXIST: "a file of that name is in the way",
        }.get(error.errno or 0, error.strerror or str(error))
        raise StoreError(f"cannot write {error.filename or path}: {reason}; {remedy}") from error


def put_json(files: Files, path: str, value: Mapping[str, Any]) -> None:
    """Put a sealed JSON file there (`onset.results.sealed`)."""
    files.put(path, seal(value))


def get_json(files: Files, path: str) -> dict[str, Any]:
    """Read a JSON file; one that is not as it was written, or not there, is Damaged."""
    try:
        return unseal(files.get(path), files.name(path))
    except FileNotFoundError:
        raise Damaged(files.name(path), "it is missing") from None
    except OSError as error:
        raise _unreadable(files, path, error) from error


def get(files: Files, path: str) -> bytes:
    """The content of a file; StoreError, with its name, where it cannot be read."""
    try:
        return files.get(path)
    except OSError as error:
        raise _unreadable(files, path, error) from error


def _unreadable(files: Files, path: str, error: OSError) -> StoreError:
    return StoreError(f"cannot read {files.name(path)}: {error.strerror or error}")


def set_aside(files: Files, path: str) -> str:
    """Give a damaged file a name under which nobody reads it; returns what it is then called in messages."""
    aside = _free(files.exists, path)
    files.move(path, aside)
    return files.name(aside)


def copy_aside(files: Files, path: str) -> str:
    """`set_aside` of a file that is there until another is put in its place."""
    aside = _free(files.exists, path)
    files.put(aside, get(files, path))
    return files.name(aside)


def set_folder_aside(files: Files, path: str, marker: str) -> str:
    """`set_aside` of a folder in which something is damaged."""
    aside = _free(lambda one: any(True for _ in files.names(one)), path)
    files.move_folder(path, aside, marker)
    return files.name(aside)


def _free(taken: Callable[[str], bool], path: str) -> str:
    tried = (f"{path}.damaged{'' if place == 1 else f'-{place}'}" for place in count(1))
    return next(one for one in tried if not taken(one))


def write_bytes(path: Path, data: bytes, remedy: str = GO_ON) -> None:
    """Write bytes on a disk by atomic rename, synced. Where that fails the old file stays and nothing half-written
    does; the message ends with ``remedy``.
    """
    from onset.results.local import replace_file

    with writing(path, remedy):
        if not path.parent.exists():  # a slip of whoever named the file
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        replace_file(path, data, alone=False)
