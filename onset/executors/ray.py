"""Workers that are actors of a Ray cluster (ray.io), wherever it has room for what the study's models need.

Each actor holds the model that it opened, and runs jobs in a thread of its own, so that what torch keeps for a thread
stays. What it says is a stream of small objects; records go straight to the results folder, which every machine has to
see. An actor or a machine that is lost loses its job, which is given to another actor; actors end when the run does.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import threading
import time
from collections.abc import Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from onset.errors import ExecutorError
from onset.executors.base import Bench, Broken, Gone, Message, Ready, Staff, run_on
from onset.models import backend_of, default_label
from onset.models.reproducible import SETTINGS
from onset.study.entries import Resources
from onset.study.grid import Grid
from onset.study.jobs import Ended, Job, Work

if TYPE_CHECKING:
    from onset.executors.worker import Worker

STORE = 1 << 27
"""Bytes of the object store of a cluster that is started here: no results go through it."""

REACH = 10.0
"""Seconds in which the machine of an address has to answer."""

_PASSED_ON = ("OMP_NUM_THREADS", *SETTINGS)


@dataclass(frozen=True)
class OnRay:
    """``address`` of a Ray cluster (``auto``: the one that this machine belongs to; None: one is started here, and
    ended with the run); ``workers``: at most so many actors at a time. None: as many as there is room for. Raises
    ExecutorError.
    """

    address: str | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ExecutorError(f"executor 'ray': workers: {self.workers}, at least 1 is needed")

    def run(self, work: Work, jobs: Sequence[Job]) -> Generator[Ended, None, None]:
        """See `onset.study.jobs.Executor`. Raises ExecutorError where Ray is not installed, the cluster is not there,
        or no machine of it has what a model needs, and as `onset.executors.base.run_on`.
        """
        with _connected(self.address) as ray:
            room = _Room(ray, work.grid, self.workers)
            for job in jobs:
                room.check(job.label)
            environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            staff = Staff(room.most, room.shape, self.workers)
            yield from run_on(Actors(ray), work, jobs, staff, environ)


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """The package, connected to a cluster."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise ExecutorError("executor 'ray' needs the package ray: pip install 'lm-onset[ray]'") from None
    if ray.is_initialized():
        yield ray
        return
    _reach(address)
    here: dict[str, Any] = {} if address else {"include_dashboard": False, "object_store_memory": STORE}
    on_end = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address or "local", log_to_driver=False, configure_logging=False, **here)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ExecutorError(f"no Ray cluster at address '{address or 'local'}': {first}") from None
    with suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTERM, on_end)  # Ray takes it
    try:
        yield ray
    finally:
        ray.shutdown()


def _reach(address: str | None) -> None:
    """Raises ExecutorError where nobody listens at ``HOST:PORT``, which Ray tries for a minute."""
    found = re.fullmatch(r"([\w.-]+):(\d+)", address or "")
    if found is None:
        return
    try:
        socket.create_connection((found[1], int(found[2])), REACH).close()
    except (OSError, OverflowError) as error:
        raise ExecutorError(f"no Ray cluster at address '{address}': {error}") from None


class _Room:
    """What the models of a study need, and how many such actors there is room for."""

    def __init__(self, ray: Any, grid: Grid, workers: int | None) -> None:
        self._nodes: list[dict[str, float]] = [one["Resources"] for one in ray.nodes() if one["Alive"]]
        self._grid = grid
        self._workers = workers
        entries = [one for part in grid.study.grids() for one in part.models]
        self._said = {one.label or default_label(one.spec): one.resources for one in entries}
        self._specs = {cell.model: cell.model_spec for cell in grid.cells}
        self._shapes: dict[str, Resources] = {}

    def shape(self, label: str) -> Resources:
        """What an actor with the model ``label`` takes. Where the study does not say: a processor, and for a model of
        this kind a GPU if there is one.
        """
        if label not in self._shapes:
            said = self._said.get(label) or Resources()
            if said.gpus is None:
                here = backend_of(self._specs[label])[0].local and self._grid.study.device != "cpu"
                has = any(node.get("GPU", 0.0) >= 1.0 for node in self._nodes)
                said = said.model_copy(update={"gpus": 1.0 if here and has else 0.0})
            self._shapes[label] = said
        return self._shapes[label]

    def most(self, shape: Hashable) -> int:
        """How many such actors at a time: as many as said, or as there is room for now."""
        assert isinstance(shape, Resources)
        fit = sum(self._on(node, shape) for node in self._nodes)
        return fit if self._workers is None else self._workers

    def check(self, label: str) -> None:
        """Raises ExecutorError where no machine has what a model needs, and nobody says that there will be more."""
        shape = self.shape(label)
        if self.most(shape) == 0:
            has = "; ".join(sorted({_words(node) for node in self._nodes}))
            raise ExecutorError(
                f"model '{label}' needs {shape.words}, which no machine of the cluster has ({has}); a cluster that"
                " grows is asked with --workers"
            )

    def _on(self, node: dict[str, float], shape: Resources) -> int:
        return min((int(node.get(name, 0.0) // need) for name, need in _needs(shape).items() if need), default=1)


def _needs(shape: Resources) -> dict[str, float]:
    """As Ray calls them."""
    accelerator = {} if shape.accelerator is None else {f"accelerator_type:{shape.accelerator}": 0.001}
    return {"CPU": shape.cpus, "GPU": shape.gpus or 0.0, "memory": float(shape.memory or 0), **accelerator}


def _words(node: dict[str, float]) -> str:
    kinds = sorted(name.partition(":")[2] for name in node if name.startswith("accelerator_type:"))
    held = f"{node.get('CPU', 0):g} cpus, {node.get('GPU', 0):g} gpus, {node.get('memory', 0) / 1e9:.1f} GB"
    return f"{held}, {', '.join(kinds)}" if kinds else held


@dataclass
class _Actor:
    actor: Any
    stream: Any


@dataclass
class Actors:
    """A `onset.executors.base.Pool` of actors; a shape is the `onset.study.entries.Resources` of one."""

    ray: Any
    _held: dict[str, _Actor] = field(default_factory=dict)

    def __str__(self) -> str:
        return "an actor of a Ray cluster"

    @cached_property
    def _kind(self) -> Any:
        return self.ray.remote(Seat)

    def start(self, worker: str, bench: Bench, shape: Hashable) -> None:
        """See `onset.executors.base.Pool`."""
        assert isinstance(shape, Resources)
        options: dict[str, Any] = {"num_cpus": shape.cpus, "num_gpus": shape.gpus or 0.0, "max_restarts": 0}
        options |= {} if shape.memory is None else {"memory": shape.memory}
        options |= {} if shape.accelerator is None else {"accelerator_type": shape.accelerator}
        actor = self._kind.options(scheduling_strategy="SPREAD", **options).remote(bench)
        self._held[worker] = _Actor(actor, actor.begin.remote())

    def give(self, worker: str, job: Job, dtype: str | None) -> None:
        """See `onset.executors.base.Pool`."""
        held = self._held[worker]
        held.stream = held.actor.run.remote(job, dtype)

    def news(self, seconds: float) -> list[tuple[str, Message]]:
        """See `onset.executors.base.Pool`."""
        names = {id(one.stream): name for name, one in self._held.items() if one.stream is not None}
        streams = [one.stream for one in self._held.values() if one.stream is not None]
        if not streams:
            time.sleep(seconds)
            return []
        self.ray.wait(streams, num_returns=1, timeout=seconds, fetch_local=False)
        ready, _ = self.ray.wait(streams, num_returns=len(streams), timeout=0, fetch_local=False)
        return [pair for stream in ready for pair in self._heard(names[id(stream)])]

    def _heard(self, worker: str) -> list[tuple[str, Message]]:
        held = self._held[worker]
        try:
            said: list[Message] = self.ray.get(next(held.stream))
        except StopIteration:
            held.stream = None
            return []
        except self.ray.exceptions.RayError as error:
            held.stream = None
            return [(worker, Gone(_cause(error)))]
        return [(worker, one) for one in said]

    def stop(self, worker: str) -> None:
        """See `onset.executors.base.Pool`."""
        held = self._held.pop(worker)
        with suppress(Exception):  # it is gone already, or its cluster is
            self.ray.kill(held.actor, no_restart=True)


_CAUSES = {
    "OutOfMemoryError": "out of memory",
    "NodeDiedError": "its machine was lost",
    "LocalRayletDiedError": "its machine was lost",
    "ActorUnavailableError": "it cannot be reached any more",
}
_PHRASES = (
    (r"Worker exit type: NODE_OUT_OF_MEMORY|killed due to the node running low on memory", "out of memory"),
    (r"The actor (is dead|died) because its node has died", "its machine was lost"),
    (r"Worker exits with an exit code (\d+)\.", r"exit status \1"),
    (r"because its worker process has died", "its process ended unexpectedly"),
)
"""Of Ray 2.60, in this order: it names all that may have happened, nodes and signals too, of whatever process ended."""


def _cause(error: Exception) -> str:
    """Why an actor is gone, in a few words, of what Ray says in many."""
    for kind in type(error).__mro__:
        if kind.__name__ in _CAUSES:
            return _CAUSES[kind.__name__]
    text = " ".join(str(error).split())
    for phrase, words in _PHRASES:
        if (found := re.search(phrase, text)) is not None:
            return found.expand(words)
    return text[:200]


class Seat:
    """An actor's side: a worker in a thread of its own, of which methods hand on what it says, as it says it."""

    def __init__(self, bench: Bench) -> None:
        self._said: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._given: queue.SimpleQueue[tuple[Job, str | None]] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(bench,), daemon=True).start()

    def begin(self) -> Iterator[list[Message]]:
        """What is said until the worker is there."""
        yield from self._hear()

    def run(self, job: Job, dtype: str | None) -> Iterator[list[Message]]:
        """What is said until ``job`` has ended."""
        self._given.put((job, dtype))
        yield from self._hear()

    def _hear(self) -> Iterator[list[Message]]:
        while True:
            said = [self._said.get()]
            with suppress(queue.Empty):
                while True:
                    said.append(self._said.get_nowait())
            yield said
            if any(isinstance(one, (Ready, Ended, Broken)) for one in said):
                return

    def _work(self, bench: Bench) -> None:
        from onset.executors.worker import Worker

        worker: Worker = Worker(bench, self._said.put)
        while True:
            worker.run(*self._given.get())
