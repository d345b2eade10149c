"""What a worker does, wherever it is: it opens the models of its jobs and runs their cells, and says what it does."""

from __future__ import annotations

import os
import socket
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from onset.errors import ExecutorError, OnsetError
from onset.executors.base import Bench, Broken, Message, Ready, Told
from onset.results.folder import Store
from onset.study.cell import Cell
from onset.study.grid import Grid
from onset.study.jobs import Job
from onset.study.made import Made
from onset.study.session import Session
from onset.study.written import versions

EVERY = 0.2
"""Seconds between two words on the progress of one thing."""


class Worker:
    """Runs jobs on a bench, and says with ``tell`` what there is to say."""

    def __init__(self, bench: Bench, tell: Callable[[Message], None]) -> None:
        """Raises nothing: what is wrong with the bench is told."""
        self._tell = tell
        self._session: Session | None = None
        try:
            os.environ.update(bench.environ)
            if Path(bench.home).is_dir():
                os.chdir(bench.home)
            _check(bench)
            watch = Relayed(tell)
            self._session = Session(Store(bench.files, watch.note), bench.grid, watch, {}, tell)
            tell(Ready(f"process {os.getpid()} on {socket.gethostname()}"))
        except Exception as error:
            tell(_broken(error))

    def run(self, job: Job, dtype: str | None) -> None:
        """Run a job to its end, and tell what became of it."""
        assert self._session is not None
        try:
            self._tell(self._session.run(job, dtype))
        except Exception as error:
            self._tell(_broken(error))

    def close(self) -> None:
        """Let go of the models."""
        if self._session is not None:
            self._session.close()


def _check(bench: Bench) -> None:
    """Raises ExecutorError where this is no place to work: other versions, or another results folder."""
    here = versions()
    other = [one for one, version in bench.versions.items() if here[one] != version]
    if other:
        raise ExecutorError(
            f"worker on {socket.gethostname()}: {other[0]} {here[other[0]] or 'is not installed'}, but the run has"
            f" {bench.versions[other[0]] or 'none'}: install the same versions on every machine"
        )
    if not bench.files.root.exists(bench.files.ticket):
        raise ExecutorError(
            f"worker on {socket.gethostname()}: it does not see the results folder {bench.files.name()} of the run: use"
            " a folder that all machines share, or a URL such as s3://bucket/folder"
        )


def _broken(error: Exception) -> Broken:
    if isinstance(error, OnsetError):
        kind = next(one.__name__ for one in type(error).__mro__ if one.__module__ == "onset.errors")
        return Broken(kind, str(error))
    return Broken("", "".join(traceback.format_exception(error)))


class Relayed:
    """An observer that tells the run's (`onset.executors.base.Told`), of progress now and then. A cell that failed is
    told when its job has ended, since the job may be begun again.
    """

    def __init__(self, tell: Callable[[Message], None]) -> None:
        self._tell = tell
        self._last: dict[tuple[str, str], float] = {}

    def begin(self, grid: Grid, missing: Sequence[Cell]) -> None:
        """Nothing: the run has said it."""

    def doing(self, text: str) -> None:
        """Passed on."""
        self._tell(Told("doing", (text,)))

    def advanced(self, cell: Cell, items: int) -> None:
        """Passed on."""
        self._tell(Told("advanced", (cell.id, items)))

    def tuning(self, cell: Cell, done: int, steps: int) -> None:
        """Passed on."""
        self._progress("tuning", cell.id, done, steps)

    def tuned(self, cell: Cell) -> None:
        """Passed on."""
        self._tell(Told("tuned", (cell.id,)))

    def verifying(self, cell: Cell, done: int, steps: int) -> None:
        """Passed on."""
        self._progress("verifying", cell.id, done, steps)

    def training(self, made: Made, done: int, steps: int) -> None:
        """Passed on."""
        self._progress("training", made.id, done, steps)

    def searched(self, cell: Cell, done: int, trials: int) -> None:
        """Passed on."""
        self._tell(Told("searched", (cell.id, done, trials)))

    def failed(self, cell: Cell, error: str) -> None:
        """Nothing yet."""

    def note(self, text: str) -> None:
        """Passed on."""
        self._tell(Told("note", (text,)))

    def _progress(self, name: str, what: str, done: int, steps: int) -> None:
        now, last = time.monotonic(), self._last.get((name, what))
        if done >= steps or last is None or now - last >= EVERY:
            self._last[name, what] = now
            self._tell(Told(name, (what, done, steps)))
