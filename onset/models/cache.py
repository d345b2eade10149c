"""Where Onset keeps what it can make again: converted and unpacked models."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onset.errors import ModelError


def cache_folder() -> Path:
    """``$ONSET_CACHE``, or the platform's folder for caches followed by ``onset``. It need not exist yet."""
    chosen = os.environ.get("ONSET_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "onset"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "onset"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onset"


@contextmanager
def fresh(target: Path) -> Iterator[Path]:
    """A scratch path beside ``target`` that becomes ``target`` when the block ends without an error.

    A crash leaves no half-written ``target``, and of two processes that make the same one, either's is
    kept. Raises ModelError when the cache cannot be written.
    """
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield scratch
        try:
            scratch.replace(target)
        except OSError:
            if not target.exists():  # a folder cannot replace one that another process made meanwhile
                raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(f"cannot write {target} ({reason}): point ONSET_CACHE at a folder with room") from error
    finally:
        _remove(scratch)


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
