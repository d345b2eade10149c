"""`Files` in an object store, by its fsspec URL: ``s3://bucket/D``, ``gs://bucket/D``, ``memory://D``.

An object is put as a whole and seen by everybody when the put returns (S3, GCS and Azure say so of their stores), which
is what `Files` promises. There are no folders and no renames: a folder is put, moved and removed object by object, its
marker last or first, so that it is there only when all of it is. What must be on a disk (weights that are read,
checkpoints of a training) is in a folder of this machine, `scratch_root`.

`create`, on which leases rest, is a conditional put where the store has it (S3, GCS and memory: ``mode="create"``).
Where it has not, the object is put, and whoever finds its own content there after `SETTLE` seconds has won.

Keys come from where the store's own tools take them (environment, profiles, roles), never from a URL: one with a
password is refused. An answer of a server that failed is asked for again, ever more slowly, and is then one line.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from onset.errors import StoreError
from onset.results.files import GO_ON, nothing
from onset.results.snapshot import INDEX, Listed, Listing, Snapshot, known

T = TypeVar("T")

STORES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs"}
"""Schemes of stores that put objects as a whole, and the package that speaks each (``memory`` needs none)."""

CONDITIONAL = ("s3", "s3a", "gs", "gcs", "memory")
"""Schemes whose stores put an object only where there is none."""

SETTLE = 2.0
"""Seconds until whoever put an object without a condition looks whether it is still its own."""

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try of what a server failed at."""

_PIECE = 1 << 22
_AT_ONCE, _TOGETHER = 256, 1 << 26
"""Objects, and bytes, that are fetched together."""


def open_url(url: str) -> RemoteFiles:
    """The files at ``url``. Raises StoreError, without its password, where it cannot be a results folder, or the
    package that speaks to the store is missing.
    """
    scheme, _, rest = url.partition("://")
    if "@" in rest.partition("/")[0]:
        raise StoreError(
            f"{scheme}://...: a URL with a user or a password is refused, since it would be printed and kept: give them"
            " in the environment, as the store's own tools take them"
        )
    if scheme != "memory" and scheme not in STORES:
        known = ", ".join(f"{one}://" for one in (*STORES, "memory"))
        raise StoreError(f"{url}: results are kept in a folder or at {known}")
    if not rest.strip("/"):
        raise StoreError(f"{url}: no folder is named in it")
    files = RemoteFiles(f"{scheme}://{rest.strip('/')}")
    try:
        files.system  # noqa: B018 - the package is loaded
    except ImportError:
        extra = "s3" if STORES[scheme] == "s3fs" else None
        how = f"pip install 'lm-onset[{extra}]'" if extra else f"pip install {STORES[scheme]}"
        raise StoreError(f"{url}: {STORES[scheme]} is not installed: {how}") from None
    return files


@dataclass(frozen=True)
class RemoteFiles:
    """The objects below ``url``, as `Files`."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def system(self) -> Any:
        """The fsspec file system that speaks to the store."""
        return _system(self.url.partition("://")[0], os.getpid())

    @property
    def root(self) -> str:
        """Where the folder is in the store."""
        return str(self.system._strip_protocol(self.url))

    @property
    def _at_once(self) -> dict[str, int]:
        """How an object is fetched by one request: s3fs would ask for its size first, to fetch a large one in parts."""
        return {"max_concurrency": 1} if STORES.get(self.url.partition("://")[0]) == "s3fs" else {}

    def name(self, path: str = "") -> str:
        """Its URL."""
        return f"{self.url}/{path}" if path else self.url

    def at(self, path: str) -> RemoteFiles:
        """The objects below a folder."""
        return replace(self, url=self.name(path))

    def put(self, path: str, data: bytes, *, synced: bool = True) -> None:
        """One put."""
        self._write(path, lambda: self.system.pipe_file(self._at(path), data))

    def put_all(self, files: Mapping[str, bytes]) -> None:
        """One put after the other."""
        for path, data in files.items():
            self.put(path, data)

    def create(self, path: str, data: bytes) -> bool:
        """By a conditional put, or as this module says."""
        if self.exists(path):
            return False
        if self.url.partition("://")[0] not in CONDITIONAL:
            self.put(path, data)
            time.sleep(SETTLE)
            return self._holds(path, data)
        try:
            self._write(path, lambda: self.system.pipe_file(self._at(path), data, mode="create"))
        except _Taken:
            return self._holds(path, data)  # it is ours where an answer was lost and asked for again
        return True

    def _holds(self, path: str, data: bytes) -> bool:
        """Is an object there, and this one? Whoever put another may have removed it."""
        try:
            return self.get(path) == data
        except FileNotFoundError:
            return False

    def get(self, path: str) -> bytes:
        """The content of an object."""
        return bytes(self._read(path, lambda: self.system.cat_file(self._at(path), **self._at_once)))

    def exists(self, path: str) -> bool:
        """Is there such an object?"""
        try:
            return bool(self._info(path)["type"] == "file")
        except FileNotFoundError:
            return False

    def names(self, under: str = "") -> Iterator[str]:
        """Paths of all objects."""
        yield from sorted(self._found(under))

    def size(self, path: str) -> int:
        """Bytes of an object."""
        return int(self._info(path)["size"])

    def digest(self, path: str) -> str:
        """SHA-256 of an object, read in pieces."""

        def work() -> str:
            with self.system.open(self._at(path), "rb", block_size=_PIECE) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()

        return self._read(path, work)

    def modified(self, path: str) -> datetime:
        """When it was put there, by the clock of the store."""
        when: datetime = self._read(path, lambda: self.system.modified(self._at(path)))
        return when if when.tzinfo else when.replace(tzinfo=UTC)

    def remove(self, path: str) -> None:
        """Remove an object, where it is there."""
        with suppress(FileNotFoundError):
            _tried(lambda: self.system.rm_file(self._at(path)), f"cannot write {self.name(path)}", GO_ON)

    def move(self, old: str, new: str) -> None:
        """By copying: a crash in between leaves both."""
        self._copy(old, new)
        self.remove(old)

    def _copy(self, old: str, new: str) -> None:
        try:
            _tried(lambda: self.system.cp_file(self._at(old), self._at(new)), f"cannot write {self.name(new)}", GO_ON)
        except FileNotFoundError as error:
            if not self.exists(old):
                raise
            raise self._no_place(new, error) from None

    @contextmanager
    def put_folder(self, path: str, marker: str) -> Iterator[Path]:
        """A folder of this machine, put object by object at the end."""
        root = scratch_root()
        root.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="put-", dir=root))
        try:
            yield scratch
            there = sorted(one.relative_to(scratch).as_posix() for one in scratch.rglob("*") if one.is_file())
            assert marker in there, f"{scratch} has no {marker}"
            for one in [*(name for name in there if name != marker), marker]:
                put = partial(self.system.put_file, str(scratch / one), self._at(f"{path}/{one}"))
                self._write(f"{path}/{one}", put)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def remove_folder(self, path: str, marker: str | None = None) -> None:
        """The marker, then all other objects."""
        if marker is not None:
            self.remove(f"{path}/{marker}")
        for one in list(self.names(path)):
            self.remove(one)

    def move_folder(self, old: str, new: str, marker: str) -> None:
        """Copied, the marker last, then removed, the marker first."""
        names = [one.removeprefix(f"{old}/") for one in self.names(old)]
        for one in sorted(names, key=lambda name: name == marker):
            self._copy(f"{old}/{one}", f"{new}/{one}")
        self.remove_folder(old, marker)

    def local(self, path: str) -> Path:
        """A copy on this machine, fetched now. It is whole when it takes the place of an earlier one, of which another
        process may be reading.
        """
        target = scratch_root() / "fetched" / _short(self.name(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
        try:
            for one in self.names(path):
                place = scratch / "new" / one.removeprefix(f"{path}/")
                place.parent.mkdir(parents=True, exist_ok=True)
                self._read(one, partial(self.system.get_file, self._at(one), str(place)))
            _put_in_place(scratch / "new", target, scratch / "old")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return target

    def scratch(self, path: str) -> Path:
        """A file of this machine, the same for the next run here."""
        target = scratch_root() / "running" / _short(self.url) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def check(self, path: str) -> None:
        """Nobody else is known of here."""

    def to_read(self, wanted: Callable[[str], bool], hashed: Callable[[str], bool] = nothing) -> Snapshot:
        """As it is now: what is ``wanted`` and not in the index of the last run (`onset.results.snapshot`) is fetched
        all together, and of what is to be ``hashed`` the digest alone is kept.
        """
        listing = Listing(self._found(""))
        index = self.get(INDEX) if INDEX in listing.objects else None
        held, digests = known(index, listing)
        held = {path: data for path, data in held.items() if wanted(path)}
        digests = {path: one for path, one in digests.items() if hashed(path)}
        new = [path for path in listing.objects if path not in held and wanted(path)]
        more = [path for path in listing.objects if path not in digests and hashed(path)]
        held |= self._fetched(new, listing)
        for part in _parts(more, listing):
            digests |= {path: hashlib.sha256(data).hexdigest() for path, data in self._fetched(part, listing).items()}
        return Snapshot(self, "", listing, held, digests, len(new) + len(more))

    def _fetched(self, paths: Sequence[str], listing: Listing) -> dict[str, bytes]:
        """The content of those of ``paths`` that are still there."""
        held: dict[str, bytes] = {}
        for part in _parts(paths, listing):
            named = {self._at(one): one for one in part}
            found: Any = self._read("", partial(self.system.cat, list(named), on_error="omit", **self._at_once))
            if isinstance(found, bytes):  # of one path, a store may give its content alone
                found = {next(iter(named)): found}
            told = {str(self.system._strip_protocol(one)): data for one, data in found.items()}
            held |= {one: bytes(told[path]) for path, one in named.items() if path in told}
        return held

    def _at(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def _info(self, path: str) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            self.system.invalidate_cache()
            found: dict[str, Any] = self.system.info(self._at(path))
            return found

        return self._read(path, work)

    def _found(self, under: str) -> dict[str, Listed]:
        """All objects below a folder, by path."""

        def work() -> dict[str, Listed]:
            self.system.invalidate_cache()
            try:
                found = self.system.find(self._at(under), detail=True)
            except FileNotFoundError:
                return {}
            return {one.removeprefix(f"{self.root}/"): Listed.of(told) for one, told in found.items()}

        held = self._read(under, work)
        return {one: told for one, told in held.items() if not under or one.startswith(f"{under}/")}

    def _write(self, path: str, work: Callable[[], Any]) -> None:
        """Raises StoreError, `_Taken`."""
        try:
            _tried(work, f"cannot write {self.name(path)}", GO_ON)
        except FileNotFoundError as error:
            raise self._no_place(path, error) from None

    def _no_place(self, path: str, error: FileNotFoundError) -> StoreError:
        bucket = self.url.partition("://")[2].partition("/")[0]
        return StoreError(
            f"cannot write {self.name(path)}: there is no bucket '{bucket}' ({_said(error)}); create it, or name"
            " another"
        )

    def _read(self, path: str, work: Callable[[], T]) -> T:
        return _tried(work, f"cannot read {self.name(path)}", "run again")


def _put_in_place(new: Path, target: Path, old: Path) -> None:
    """Give the folder ``new`` the name ``target``; what has that name becomes ``old``."""
    new.mkdir(exist_ok=True)
    while True:
        with suppress(FileNotFoundError):
            os.rename(target, old)
        try:
            os.rename(new, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(old, ignore_errors=True)  # another process was faster
        else:
            return


def _parts(paths: Sequence[str], listing: Listing) -> Iterator[Sequence[str]]:
    """``paths`` in parts that are fetched together, and held in memory for it."""
    part: list[str] = []
    room = _TOGETHER
    for one in paths:
        size = listing.objects[one].size
        if part and (len(part) == _AT_ONCE or size > room):
            yield part
            part, room = [], _TOGETHER
        part.append(one)
        room -= size
    if part:
        yield part


def scratch_root() -> Path:
    """Where this machine keeps what must be on a disk: ``ONSET_SCRATCH``, or ``onset`` in the user's cache."""
    told = os.environ.get("ONSET_SCRATCH")
    if told:
        return Path(told)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onset" / "scratch"


class _Taken(Exception):
    """There is such an object already."""


def _tried(work: Callable[[], T], failed: str, remedy: str) -> T:
    """What ``work`` gives, tried again where a server failed. Raises FileNotFoundError, `_Taken`, StoreError."""
    for wait in (*WAITS, None):
        try:
            return work()
        except FileNotFoundError:
            raise
        except FileExistsError:
            raise _Taken from None
        except Exception as error:  # every store has its own
            if isinstance(error, StoreError):
                raise
            final = isinstance(error, (PermissionError, NotADirectoryError, IsADirectoryError, ValueError, TypeError))
            if wait is None or final or "credentials" in str(error).lower():
                raise StoreError(f"{failed}: {_said(error)}; {remedy}") from None
        time.sleep(wait)
    raise AssertionError


def _said(error: Exception) -> str:
    """An error in one line, without what may be a key."""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    for name, value in os.environ.items():
        if len(value) >= 8 and re.search("SECRET|TOKEN|PASSWORD|KEY", name):
            text = text.replace(value, "***")
    return re.sub(r"//[^/@\s]+@", "//***@", text)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _system(scheme: str, _: int) -> Any:
    """One for each process: connections do not survive a fork."""
    import fsspec

    return (
        fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True)
        if scheme != "memory"
        else (fsspec.filesystem("memory"))
    )
