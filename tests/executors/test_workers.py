"""Where workers are started, and what is said of those that died."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from onset.executors import local


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
