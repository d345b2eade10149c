"""One writer at a time: who holds a results folder, when that is over, and that whoever lost it writes no more."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from onset.errors import StoreError
from onset.results import lease
from onset.results.files import Wrapped, as_files
from onset.results.folder import Store
from onset.results.lease import LEASE, TTL, Owner, take
from onset.results.sealed import seal


def elsewhere(token: str = "theirs") -> Owner:
    """A process of another machine."""
    return Owner("elsewhere", "another kernel", 7, "1", token)


def left_by(folder: Path, owner: Owner, count: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    (folder / LEASE).write_bytes(lease._content(owner, count))


class Clock:
    """A monotonic clock of a watcher, and what happens while it waits."""

    def __init__(self, happens: Callable[[float], None] = lambda _: None) -> None:
        self.now = 0.0
        self.happens = happens

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.happens(self.now)


def taken(folder: Path, clock: Clock, notes: list[str]) -> lease.Lease:
    return take(as_files(folder), "folder d", notes.append, clock=clock, sleep=clock.sleep)


def test_a_lease_of_another_machine_that_stands_still_is_taken_over(tmp_path: Path) -> None:
    left_by(tmp_path / "d", elsewhere())
    clock, notes = Clock(), list[str]()
    held = taken(tmp_path / "d", clock, notes)
    assert TTL <= clock.now < TTL + 1
    assert notes == [
        "folder d was last used by process 7 on elsewhere; waiting up to 60 s to see whether it still is",
        "folder d was left by process 7 on elsewhere, which is gone: going on from what it kept",
    ]
    held.fence.check()
    held.release()
    assert list((tmp_path / "d").iterdir()) == []


@pytest.mark.parametrize("raised", [3.0, 59.0])
def test_a_lease_of_another_machine_that_is_renewed_is_refused_with_host_and_process(
    tmp_path: Path, raised: float
) -> None:
    left_by(tmp_path / "d", elsewhere())

    def renewed(now: float) -> None:
        if now >= raised:
            left_by(tmp_path / "d", elsewhere(), count=1)

    clock = Clock(renewed)
    with pytest.raises(StoreError) as caught:
        taken(tmp_path / "d", clock, [])
    assert str(caught.value) == (
        "folder d is in use by another run (process 7 on elsewhere); wait for it or use another"
    )
    assert clock.now == raised


def test_a_lease_that_is_no_lease_is_watched_too(tmp_path: Path) -> None:
    (tmp_path / LEASE).write_bytes(b"")
    clock, notes = Clock(), list[str]()
    taken(tmp_path, clock, notes).release()
    assert clock.now >= TTL
    assert notes == ["folder d was left by a run that was stopped: going on from what it kept"]


def test_wall_clocks_that_jump_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = iter([1e9, 0.0, 2e9, -5.0] * 1000)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    left_by(tmp_path / "d", elsewhere())
    os.utime(tmp_path / "d" / LEASE, (0, 0))  # fifty years ago, by its time
    clock = Clock(lambda now: left_by(tmp_path / "d", elsewhere(), count=int(now)))
    with pytest.raises(StoreError, match="is in use by another run"):
        taken(tmp_path / "d", clock, [])


HOLDS = """
import sys, time
from pathlib import Path
from onset.results.folder import Store
with Store(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="asks the system whether a process is there")
def test_a_process_of_this_machine_that_was_killed_is_seen_at_once(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path / "d")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "d").__enter__()
    here = Owner.here()
    assert str(caught.value) == (
        f"results folder {tmp_path}/d is in use by another run (process {holder.pid} on {here.host}); wait for it or use"
        " another"
    )
    holder.send_signal(signal.SIGKILL)
    while Owner(here.host, here.machine, holder.pid, None, "").alive() and lease._start(holder.pid) not in (
        None,
        "gone",
    ):
        time.sleep(0.01)
    notes: list[str] = []
    with Store(tmp_path / "d", notes.append):  # it is not reaped yet
        assert len(notes) == 1
        assert f"process {holder.pid} on {here.host}, which is gone" in notes[0]
    holder.wait()
    holder.stdout.close()


def test_a_process_id_that_another_process_has_now_is_not_the_holder() -> None:
    here = Owner.here()
    assert here.alive() is True
    if here.start is not None:
        assert replace(here, start="1").alive() is False


def test_who_lost_the_lease_changes_nothing_more(tmp_path: Path) -> None:
    with Store(tmp_path / "d") as store:
        store.files.put("a.json", b"1")
        left_by(tmp_path / "d", elsewhere())
        changes: list[Callable[[], object]] = [
            lambda: store.files.put("a.json", b"2"),
            lambda: store.files.put_all({"b": b"2"}),
            lambda: store.files.remove("a.json"),
            lambda: store.files.move("a.json", "b"),
            lambda: store.files.create("b", b""),
            lambda: store.files.remove_folder("cells"),
            lambda: store.cell("x").fail("no"),
            lambda: store.tuned("x").save(lambda _: None, {}, 0.0, None),
        ]
        for change in changes:
            with pytest.raises(StoreError) as caught:
                change()
            assert str(caught.value) == (
                f"results folder {tmp_path}/d: it was taken over by process 7 on elsewhere while this run stood still;"
                " this run stops, and has changed nothing since"
            )
    kept = sorted(path.relative_to(tmp_path / "d").as_posix() for path in (tmp_path / "d").rglob("*") if path.is_file())
    assert kept == ["a.json", LEASE]  # the lease of the other is not removed
    assert (tmp_path / "d" / "a.json").read_bytes() == b"1"


def test_a_lease_that_somebody_removed_is_lost(tmp_path: Path) -> None:
    with Store(tmp_path / "d") as store:
        (tmp_path / "d" / LEASE).unlink()
        with pytest.raises(StoreError, match="its lease was removed while this run stood still"):
            store.files.put("a.json", b"1")


def test_a_lease_is_renewed_and_not_by_who_lost_it(tmp_path: Path) -> None:
    files, notes = as_files(tmp_path), list[str]()
    held = take(files, "d", notes.append, every=0.02)
    first = (tmp_path / LEASE).read_bytes()
    end = time.monotonic() + 30
    while (tmp_path / LEASE).read_bytes() == first:
        assert time.monotonic() < end
        time.sleep(0.01)
    left_by(tmp_path, elsewhere())
    theirs = (tmp_path / LEASE).read_bytes()
    held._thread.join(timeout=30)
    assert not held._thread.is_alive()
    held.release()
    assert (tmp_path / LEASE).read_bytes() == theirs


@dataclass(frozen=True)
class Failing(Wrapped):
    """Files of which ``left`` reads of a lease are yet to fail, by ``error``."""

    error: Exception
    left: list[int]

    def get(self, path: str) -> bytes:
        if self.left[0] > 0:
            self.left[0] -= 1
            raise self.error
        return super().get(path)


@pytest.mark.parametrize("error", [StoreError("cannot read: no answer"), OSError(errno.EIO, "Input/output error")])
def test_a_lease_is_renewed_again_when_its_place_can_be_read_again(tmp_path: Path, error: Exception) -> None:
    left = [0]
    held = take(Failing(as_files(tmp_path), error, left), "d", lambda _: None, every=0.02)
    left[0] = 3
    end = time.monotonic() + 30
    while left[0]:
        assert time.monotonic() < end
        time.sleep(0.01)
    first = (tmp_path / LEASE).read_bytes()
    while (tmp_path / LEASE).read_bytes() == first:
        assert time.monotonic() < end
        time.sleep(0.01)
    held.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lease_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    left_by(tmp_path, elsewhere())
    left = [1]
    files = Failing(as_files(tmp_path), PermissionError(errno.EACCES, "Permission denied"), left)
    with pytest.raises(StoreError, match=rf"^cannot read {tmp_path}/{LEASE}: Permission denied$"):
        take(files, "d", lambda _: None)
    left[0] = 0
    (tmp_path / LEASE).unlink()
    held = take(files, "d", lambda _: None)
    left[0] = 1
    with pytest.raises(StoreError, match=rf"^cannot read {tmp_path}/{LEASE}: Permission denied$"):
        held.fenced().put("a", b"")
    held.fenced().put("a", b"")
    held.release()


def test_fenced_files_go_to_other_processes(tmp_path: Path) -> None:
    with Store(tmp_path / "d") as store:
        files = pickle.loads(pickle.dumps(store.files.at("cells")))
        files.put("a", b"1")
        assert (tmp_path / "d" / "cells" / "a").read_bytes() == b"1"
        left_by(tmp_path / "d", elsewhere())
        with pytest.raises(StoreError, match="taken over by process 7 on elsewhere"):
            files.put("a", b"2")


def test_of_many_that_find_a_stale_lease_one_takes_it(tmp_path: Path) -> None:
    here = Owner.here()
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        left_by(folder, Owner(here.host, here.machine, here.pid, "1", "gone"))  # another process had its id
        got: list[lease.Lease] = []
        refused: list[str] = []
        start = threading.Barrier(6)

        def race(
            start: threading.Barrier = start,
            folder: Path = folder,
            got: list[lease.Lease] = got,
            refused: list[str] = refused,
        ) -> None:
            start.wait()
            try:
                got.append(take(as_files(folder), "d", lambda _: None))
            except StoreError as error:
                refused.append(str(error))

        racers = [threading.Thread(target=race) for _ in range(6)]
        for one in racers:
            one.start()
        for one in racers:
            one.join()
        assert (len(got), len(refused)) == (1, 5)
        got[0].fence.check()
        got[0].release()


def test_a_takeover_that_was_killed_does_not_stand_in_the_way(tmp_path: Path) -> None:
    here = Owner.here()
    gone = Owner(here.host, here.machine, here.pid, "1", "gone")
    left_by(tmp_path, gone)
    (tmp_path / f"{LEASE}.taking").write_bytes(seal({**vars_of(gone), "count": 0}))
    notes: list[str] = []
    take(as_files(tmp_path), "d", notes.append).release()
    assert list(tmp_path.iterdir()) == []


def vars_of(owner: Owner) -> dict[str, object]:
    return {name: getattr(owner, name) for name in ("host", "machine", "pid", "start", "token")}
