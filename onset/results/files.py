"""Files of a results folder: read and written so that nobody ever sees half of one."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from onset.errors import StoreError

GO_ON = "what was finished is kept, run again to go on"


@contextmanager
def writing(path: Path, remedy: str = GO_ON) -> Iterator[None]:
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


def write_json(path: Path, value: Any) -> None:
    """Write JSON by atomic rename, synced: a reader sees the old file or the new one, never half."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def write_bytes(path: Path, data: bytes, remedy: str = GO_ON) -> None:
    """Write bytes by atomic rename, synced. Where that fails the old file stays and nothing half-written does."""
    scratch = path.with_name(f".{path.name}.part")
    with writing(path, remedy):
        try:
            with open(scratch, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, path)
            _sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)  # on a full disk it holds the room that other files need
            error.filename = str(path)
            raise


@contextmanager
def writing_folder(folder: Path) -> Iterator[Path]:
    """A scratch folder to fill; at the end its files are synced and it becomes ``folder``. A crash leaves none."""
    scratch = folder.with_name(f".{folder.name}.part")
    with writing(folder):
        shutil.rmtree(scratch, ignore_errors=True)  # what an earlier crash left
        scratch.mkdir(parents=True)
        yield scratch
        for file in scratch.iterdir():
            with open(file, "rb") as saved:
                os.fsync(saved.fileno())
        scratch.rename(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder: renamed first, so that a crash leaves it whole or gone."""
    going = folder.with_name(f".{folder.name}.gone")
    with writing(folder):
        shutil.rmtree(going, ignore_errors=True)  # what an earlier crash left
        folder.rename(going)
        shutil.rmtree(going)


def lock(path: Path) -> IO[str] | None:
    """Hold ``path``, made when missing, until the file that is returned is closed; None where another process holds it.

    Raises StoreError where the operating system has no such locks: results are written under POSIX alone.
    """
    try:
        import fcntl  # here, so that results are read everywhere
    except ImportError:
        raise StoreError(
            f"cannot write {path.parent}: Onset runs studies on Linux and macOS, and reads results anywhere"
        ) from None
    with writing(path):
        file = open(path, "w")  # noqa: SIM115 - held until the caller closes it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> Any:
    """Read JSON; a damaged file is a StoreError that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    except ValueError:
        raise StoreError(f"damaged file {path}: it is not JSON") from None
