"""Faults of files in tests: a run that is killed, or a disk that is full, at every change of a file in turn."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from onset.results import lease, local
from onset.results.files import Wrapped
from onset.results.lease import Owner


class Killed(BaseException):
    """Stands in for kill -9: nothing catches it, and nothing is written after it."""


@dataclass
class Plan:
    """Ends the run at change ``at`` (from 0; None: never), by ``end``."""

    at: int | None = None
    end: Callable[[], None] | None = None
    met: list[str] = field(default_factory=list)
    dead: bool = False

    def step(self, what: str) -> None:
        if self.dead:
            raise Killed(what)
        self.met.append(what)
        if self.at is not None and len(self.met) == self.at + 1:
            self.dead = True
            if self.end is not None:
                self.end()
            raise Killed(what)


@dataclass(frozen=True)
class Shim(Wrapped):
    """Files that a run is killed before and after every change of."""

    plan: Plan = field(default_factory=Plan)

    def _around(self, what: str, path: str, work: Callable[[], Any]) -> Any:
        self.plan.step(f"before {what} {path}")
        done = work()
        self.plan.step(f"after {what} {path}")
        return done

    def put(self, path: str, data: bytes, *, synced: bool = True) -> None:
        self._around("put", path, lambda: self.files.put(path, data, synced=synced))

    def put_all(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():  # what is there of them after a crash is a beginning
            self._around("put", path, lambda path=path, data=data: self.files.put_all({path: data}))

    def create(self, path: str, data: bytes) -> bool:
        return bool(self._around("create", path, lambda: self.files.create(path, data)))

    def remove(self, path: str) -> None:
        if self.files.exists(path):
            self._around("remove", path, lambda: self.files.remove(path))

    def move(self, old: str, new: str) -> None:
        self._around("move", old, lambda: self.files.move(old, new))

    @contextmanager
    def put_folder(self, path: str, marker: str) -> Iterator[Path]:
        with self.files.put_folder(path, marker) as scratch:
            self.plan.step(f"within put folder {path}")
            yield scratch
            self.plan.step(f"before put folder {path}")
        self.plan.step(f"after put folder {path}")

    def remove_folder(self, path: str, marker: str | None = None) -> None:
        if any(True for _ in self.files.names(path)):
            self._around("remove folder", path, lambda: self.files.remove_folder(path, marker))
        else:
            self.files.remove_folder(path, marker)

    def move_folder(self, old: str, new: str, marker: str) -> None:
        self._around("move folder", old, lambda: self.files.move_folder(old, new, marker))


def killed_by_the_system(patch: pytest.MonkeyPatch, plan: Plan) -> None:
    """The same below `Files`: before and after every rename, link and removal, and with half a file written."""
    for name in ("replace", "rename", "unlink", "link"):
        whole = getattr(os, name)

        def made(*args: Any, whole: Any = whole, name: str = name, **named: Any) -> Any:
            plan.step(f"before {name}")
            done = whole(*args, **named)
            plan.step(f"after {name}")
            return done

        patch.setattr(local.os, name, made)
    write = local._write

    def half(path: Path, data: bytes, *, synced: bool = True) -> None:
        if plan.dead or (plan.at is not None and len(plan.met) == plan.at):
            write(path, data[: len(data) // 2], synced=False)
        plan.step(f"half of {path.name}")
        write(path, data, synced=synced)

    patch.setattr(local, "_write", half)


def full_disk(patch: pytest.MonkeyPatch, at: int | None, *, again: bool) -> list[str]:
    """From write ``at`` on (with ``again``: at that one alone) half a file fits. Returns the names that are written."""
    write, met = local._write, list[str]()

    def full(path: Path, data: bytes, *, synced: bool = True) -> None:
        met.append(path.name)
        here = len(met) - 1
        if at is not None and (here == at or (here > at and not again)):
            write(path, data[: len(data) // 2], synced=False)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, data, synced=synced)

    patch.setattr(local, "_write", full)
    return met


_GONE: list[int] = []


def _dead() -> int:
    if not _GONE:
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        _GONE.append(gone.pid)
    return _GONE[0]


@contextmanager
def as_a_dead_process(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leases that are taken within are those of a process that is gone."""
    with patch.context() as within:
        within.setattr(lease.Owner, "here", staticmethod(_owner))
        yield


_HERE = Owner.here
_numbers = itertools.count()


def _owner() -> Owner:
    here = _HERE()
    return Owner(here.host, here.machine, _dead(), "1", f"{here.token}-{next(_numbers)}")


def promised(folder: Path, *, without: tuple[str, ...] = ("timing.json", "lease.json")) -> dict[str, str]:
    """Hash of every file whose bytes are promised: all but times."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in without
        and not path.name.startswith(".")
        and ".damaged" not in str(path.relative_to(folder))
    }
