"""`Files` on a disk: a scratch file beside each, synced, and renamed into its place."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from onset.results.files import nothing, writing


@dataclass(frozen=True)
class LocalFiles:
    """The files of the folder ``root``, which is made when something is put there."""

    root: Path

    def name(self, path: str = "") -> str:
        """As the user named the folder."""
        return str(self.root / path)

    def at(self, path: str) -> LocalFiles:
        """The files below a folder."""
        return LocalFiles(self.root / path)

    def put(self, path: str, data: bytes, *, synced: bool = True) -> None:
        """By rename of a scratch file; with ``synced`` file and folder are synced."""
        with writing(self.root / path):
            replace_file(self.root / path, data, synced=synced)

    def put_all(self, files: Mapping[str, bytes]) -> None:
        """All scratch files are synced, then renamed in order, then their folder is synced once."""
        targets = {self.root / path: data for path, data in files.items()}
        scratches = [_scratch_of(target) for target in targets]
        with writing(self.root):
            try:
                for target, data in targets.items():
                    with _about(target):
                        _write(_scratch_of(target), data)
                for target in targets:
                    with _about(target):
                        os.replace(_scratch_of(target), target)
                for folder in {target.parent for target in targets}:
                    sync_folder(folder)
            except OSError:
                for one in scratches:
                    with suppress(OSError):
                        one.unlink(missing_ok=True)
                raise

    def create(self, path: str, data: bytes) -> bool:
        """By a hard link of a scratch file, which fails where there is a file; where the file system has no links, by
        opening the file for nobody else.
        """
        target = self.root / path
        scratch = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")  # nobody else's: it may be linked
        with writing(target):
            try:
                with _about(target):
                    _write(scratch, data, synced=False)
                try:
                    os.link(scratch, target)
                except FileExistsError:
                    return False
                except OSError:  # no links here
                    return _create_alone(target, data)
            finally:
                with suppress(OSError):
                    os.unlink(scratch)
        return True

    def get(self, path: str) -> bytes:
        """The content of a file."""
        with open(self._at(path), "rb") as file:
            return file.read()

    def exists(self, path: str) -> bool:
        """Is there such a file?"""
        return os.path.isfile(self._at(path))

    def _at(self, path: str) -> str:
        return os.path.join(self.root, path)  # a Path takes longer to be made than a small file to be read

    def names(self, under: str = "") -> Iterator[str]:
        """Paths of all files; without scratch files and folders, and what is going."""
        for folder, inside, names in os.walk(self.root / under):
            inside[:] = sorted(one for one in inside if not _passing(one))
            place = Path(folder).relative_to(self.root)
            yield from ((place / one).as_posix() for one in sorted(names) if not _passing(one))

    def size(self, path: str) -> int:
        """Bytes of a file."""
        return os.stat(self._at(path)).st_size

    def digest(self, path: str) -> str:
        """SHA-256 of a file."""
        with open(self._at(path), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def modified(self, path: str) -> datetime:
        """When it was put there, by the clock of the file system."""
        return datetime.fromtimestamp(os.stat(self.root / path).st_mtime, UTC)

    def remove(self, path: str) -> None:
        """Remove a file, where it is there."""
        with writing(self.root / path), suppress(FileNotFoundError):
            os.unlink(self.root / path)

    def move(self, old: str, new: str) -> None:
        """By rename."""
        with writing(self.root / old):
            os.replace(self.root / old, self.root / new)
            sync_folder((self.root / new).parent)

    @contextmanager
    def put_folder(self, path: str, marker: str) -> Iterator[Path]:
        """A scratch folder beside it; at the end its files are synced and it is renamed. A crash leaves none."""
        folder = self.root / path
        scratch = _scratch_of(folder)
        with writing(folder):
            shutil.rmtree(scratch, ignore_errors=True)  # what an earlier crash left
            make_folder(scratch)
        try:
            yield scratch
            assert (scratch / marker).is_file(), f"{scratch} has no {marker}"
            with writing(folder):
                for file in sorted(scratch.rglob("*")):
                    if file.is_file():
                        _sync(file)
                os.rename(scratch, folder)
                sync_folder(folder.parent)
        except Exception:
            shutil.rmtree(scratch, ignore_errors=True)  # on a full disk it holds the room that other files need
            raise

    def remove_folder(self, path: str, marker: str | None = None) -> None:
        """Renamed first, so that a crash leaves it whole or gone."""
        folder = self.root / path
        going = folder.with_name(f".{folder.name}.gone")
        with writing(folder):
            shutil.rmtree(going, ignore_errors=True)  # what an earlier crash left
            with suppress(FileNotFoundError):
                os.rename(folder, going)
                shutil.rmtree(going)

    def move_folder(self, old: str, new: str, marker: str) -> None:
        """By rename."""
        with writing(self.root / old):
            os.rename(self.root / old, self.root / new)
            sync_folder((self.root / new).parent)

    def local(self, path: str) -> Path:
        """The folder itself."""
        return self.root / path

    def scratch(self, path: str) -> Path:
        """The file itself."""
        return self.root / path

    def check(self, path: str) -> None:
        """Nobody else is known of here."""

    def to_read(self, wanted: Callable[[str], bool], hashed: Callable[[str], bool] = nothing) -> LocalFiles:
        """The files themselves."""
        return self


def replace_file(target: Path, data: bytes, *, synced: bool = True, alone: bool = True) -> None:
    """Put ``data`` in the place of ``target``. ``alone``: nobody else writes it now (who holds the lease of a results
    folder). Raises OSError, with nothing half-written left.
    """
    scratch = _scratch_of(target) if alone else target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    with _about(target):
        try:
            _write(scratch, data, synced=synced)
            os.replace(scratch, target)
            if synced:
                sync_folder(target.parent)
        except OSError:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)  # on a full disk it holds the room that other files need
            raise


def make_folder(folder: Path) -> None:
    """Make a folder with those above it, each entered safely in the one above."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, where the system can."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _about(target: Path) -> Iterator[None]:
    """An error names the file that is meant, not its scratch file."""
    try:
        yield
    except OSError as error:
        error.filename = str(target)
        error.filename2 = None
        raise


def _write(path: Path, data: bytes, *, synced: bool = True) -> None:
    try:
        file = open(path, "wb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        make_folder(path.parent)
        file = open(path, "wb")  # noqa: SIM115
    with file:
        file.write(data)
        if synced:
            file.flush()
            os.fsync(file.fileno())


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _create_alone(target: Path, data: bytes) -> bool:
    try:
        with open(target, "xb") as file:
            file.write(data)
    except FileExistsError:
        return False
    return True


def _scratch_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def _passing(name: str) -> bool:
    return name.startswith(".") and name.endswith((".part", ".gone"))
