"""Workers that are processes of this machine.

They are started anew (spawn), each with its share of the processors' threads and, where there are GPUs, one of them.
A worker ends at once when the run does, however that ends: its connection is then closed.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from onset.errors import ExecutorError
from onset.executors.base import Bench, Gone, Message, Staff, run_on
from onset.processors import processors
from onset.study.jobs import Ended, Job, Work

THREADS = "OMP_NUM_THREADS"
MOST = 4
"""Workers where nobody says how many, and there is no GPU: each holds a model."""


@dataclass(frozen=True)
class Local:
    """``workers`` processes of this machine, 1 or more. None: one a GPU; without one, as many as processors, at most
    `MOST`. Each has an equal share of the processors as threads, unless ``OMP_NUM_THREADS`` says how many. Raises
    ExecutorError.
    """

    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ExecutorError(f"executor 'local': workers: {self.workers}, at least 1 is needed")

    def run(self, work: Work, jobs: Sequence[Job]) -> Generator[Ended, None, None]:
        """See `onset.study.jobs.Executor`. Raises as `onset.executors.base.run_on`."""
        gpus, cores = _gpus(), processors()
        number = self.workers or len(gpus) or min(cores, MOST)
        threads = os.environ.get(THREADS) or str(max(1, cores // number))
        environ = {THREADS: threads}
        yield from run_on(Processes(gpus, environ), work, jobs, Staff(lambda _: number, lambda _: None), environ)


@dataclass
class _Process:
    process: Any
    pipe: Connection
    gpu: str | None
    ended: bool = False


@dataclass
class Processes:
    """A `onset.executors.base.Pool` of processes. ``gpus``: names of those that they share, each as many as another."""

    gpus: Sequence[str]
    environ: Mapping[str, str]
    _held: dict[str, _Process] = field(default_factory=dict)

    def __str__(self) -> str:
        return "a process of this machine"

    def start(self, worker: str, bench: Bench, shape: Hashable) -> None:
        """See `onset.executors.base.Pool`."""
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, bench), name=f"onset-{worker}", daemon=True)
        at = Counter(one.gpu for one in self._held.values())
        gpu = min(self.gpus, key=lambda name: at[name], default=None)
        more = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
        with _environment({**self.environ, **more}), _undisturbed():
            process.start()
        there.close()
        self._held[worker] = _Process(process, here, gpu)

    def give(self, worker: str, job: Job, dtype: str | None) -> None:
        """See `onset.executors.base.Pool`."""
        with suppress(OSError):  # it has died, which `news` will tell
            self._held[worker].pipe.send((job, dtype))

    def news(self, seconds: float) -> list[tuple[str, Message]]:
        """See `onset.executors.base.Pool`."""
        if not self._held:
            time.sleep(seconds)
            return []
        names = {one.pipe: name for name, one in self._held.items() if not one.ended}
        found: list[tuple[str, Message]] = []
        for pipe in wait(list(names), seconds):
            name = names[pipe]  # type: ignore[index]
            held = self._held[name]
            try:
                while held.pipe.poll():
                    found.append((name, held.pipe.recv()))
            except (EOFError, OSError):
                held.ended = True
                held.process.join()
                found.append((name, Gone(_cause(held.process.exitcode))))
        return found

    def stop(self, worker: str) -> None:
        """See `onset.executors.base.Pool`."""
        held = self._held.pop(worker)
        held.process.kill()  # what it has put there is whole
        held.process.join()
        held.process.close()
        held.pipe.close()


def _cause(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"


def _serve(pipe: Connection, bench: Bench) -> None:
    """A worker's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run is told, and ends its workers
    from onset.executors.worker import Worker

    lock = threading.Lock()

    def tell(message: Message) -> None:
        with lock:
            try:
                pipe.send(message)
            except OSError:
                os._exit(1)  # the run is not there any more

    given: queue.SimpleQueue[tuple[Job, str | None]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, given), daemon=True).start()
    worker = Worker(bench, tell)
    while True:
        worker.run(*given.get())


def _listen(pipe: Connection, given: queue.SimpleQueue[tuple[Job, str | None]]) -> None:
    """Take jobs; end the process when the run does."""
    while True:
        try:
            given.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(1)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """The environment with ``values``, which a process that is started here has from its first line on."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _undisturbed() -> Iterator[None]:
    """An interrupt from the keyboard goes to all processes of a terminal: one that is started here does not see it, and
    this one sees it afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _gpus() -> list[str]:
    """What the GPUs that this process may use are called, without loading torch."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is not None:
        return [one.strip() for one in told.split(",") if one.strip()]
    return [str(number) for number, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]
