"""Where workers are started, and what is said of those that died."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from onset.executors import local
from onset.executors.ray import _cause


class Spawned:
    """Processes that are none: which GPU each was given."""

    exitcode = -9

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter((self, self))

    def start(self) -> None:
        self.given.append(os.environ["CUDA_VISIBLE_DEVICES"])


def test_a_worker_that_takes_the_place_of_a_dead_one_has_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    spawned = Spawned()
    monkeypatch.setattr("multiprocessing.get_context", spawned)
    pool = local.Processes(["0", "1", "2"], {})
    for worker in "abc":
        pool.start(worker, None, None)  # type: ignore[arg-type]
    assert spawned.given == ["0", "1", "2"]
    for worker, new in ("bd", "ce", "df"):
        pool.stop(worker)
        pool.start(new, None, None)  # type: ignore[arg-type]
    assert spawned.given[3:] == ["1", "2", "1"]
    pool.start("g", None, None)  # type: ignore[arg-type]
    assert spawned.given[6:] == ["0"]  # all have one: the first again


DIED = (
    "The actor died unexpectedly before finishing this task.\n\tclass_name: Seat\n\tpid: 3675\n\tip: 192.0.2.2\nThe"
    " actor is dead because its {} Worker exit type: {} Worker exit detail: {}"
)
ENDED = (
    "Worker unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) the process"
    " was killed by the OOM killer due to high memory usage, (2) ray stop --force was called, or (3) the worker crashed"
    " unexpectedly due to SIGSEGV or another unexpected error. If the process was killed by the kernel OOM killer"
    " (verifiable by checking for OOM in dmesg of the OOMing node), consider enabling resource isolation via"
    " --enable-resource-isolation to prevent node deaths by resource contention."
)
"""What Ray 2.60 says of a process that ended by SIGSEGV, by SIGKILL or by `os._exit`."""


@pytest.mark.parametrize(
    ("kind", "text", "cause"),
    [
        (
            "ActorDiedError",
            DIED.format("worker process has died.", "SYSTEM_ERROR", ENDED),
            "its process ended unexpectedly",
        ),
        (
            "ActorDiedError",
            DIED.format(
                "worker process has died.",
                "SYSTEM_ERROR",
                "Worker exits unexpectedly. Worker exits with an exit code 4.",
            ),
            "exit status 4",
        ),
        (
            "ActorDiedError",
            DIED.format(
                "worker process has died.",
                "NODE_OUT_OF_MEMORY",
                "Task was killed due to the node running low on memory.",
            ),
            "out of memory",
        ),
        ("ActorDiedError", "The actor died because its node has died. Node Id: 5676ee", "its machine was lost"),
        (
            "ActorDiedError",
            DIED.format("node has died.", "", "the actor's node was terminated unexpectedly: health check failed"),
            "its machine was lost",
        ),
        ("OutOfMemoryError", "Task was killed due to the node running low on memory.", "out of memory"),
        ("NodeDiedError", "", "its machine was lost"),
        ("ActorUnavailableError", "The actor 5bb8 is unavailable: RpcError", "it cannot be reached any more"),
        ("RayTaskError", "ValueError: no such\nthing", "ValueError: no such thing"),
    ],
)
def test_why_an_actor_is_gone_is_what_ray_says_of_it(kind: str, text: str, cause: str) -> None:
    assert _cause(type(kind, (Exception,), {})(text)) == cause
