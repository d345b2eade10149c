"""One writer at a time: a file that names who writes, renewed while they live.

A lease is a file with the writer's host, process, a token of its own, and a count that a thread raises every `EVERY`
seconds. Whoever finds one and is on the same machine sees whether that process is still there. Anybody else watches
it: one whose count stands still for `TTL` seconds of the watcher's own monotonic clock is stale. No clock of one
machine is held against that of another, and one that is set back or forward changes nothing.

A stale lease is taken over under a second file, so that of two that find it one alone takes it. A writer that stood
still for so long (a laptop asleep, a process stopped) looks at the lease before every change that it makes (`Fence`),
and stops where it is another's. Between that look and the change is a moment in which both could write; what is put
there is put whole, and a chunk of records is the same bytes whoever writes it.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields

from onset.errors import Damaged, StoreError
from onset.results.files import Files, Wrapped
from onset.results.sealed import seal, unseal

LEASE = "lease.json"
TTL = 60.0
"""Seconds for which a count stands still until its writer is taken for gone."""
EVERY = 10.0
"""Seconds between two renewals."""
POLL = 0.5
_GUARD = ".taking"


@dataclass(frozen=True)
class Owner:
    """Who writes: ``host`` by name, the ``machine`` (what process ids are counted in), the ``pid``, when that process
    started (None: the system does not say), and a ``token`` that no other writer has.
    """

    host: str
    machine: str
    pid: int
    start: str | None
    token: str

    @classmethod
    def here(cls) -> Owner:
        """The running process, with a new token."""
        return cls(socket.gethostname(), _machine(), os.getpid(), _start(os.getpid()), secrets.token_hex(8))

    @property
    def words(self) -> str:
        """For a message."""
        return f"process {self.pid} on {self.host}"

    def alive(self) -> bool | None:
        """Is the process there? None: nobody here can say."""
        if self.machine != _machine() or os.name != "posix":  # elsewhere asking would end it
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            pass  # there, and of another user
        started = _start(self.pid)
        return started == self.start if started is not None and self.start is not None else True


class Lost(StoreError):
    """The lease is not this run's any more."""


@dataclass(frozen=True)
class Fence:
    """What a writer asks before every change: is the lease ``name`` of ``files`` still its own?"""

    files: Files
    name: str
    token: str

    def check(self) -> None:
        """Raises Lost where the lease is another's, or gone; StoreError where it cannot be read."""
        held, _ = _read(self.files, self.name)
        if held is None or held.token != self.token:
            by = "its lease was removed" if held is None else f"it was taken over by {held.words}"
            raise Lost(
                f"results folder {self.files.name()}: {by} while this run stood still; this run stops, and has changed"
                " nothing since"
            )


@dataclass(frozen=True)
class Fenced(Wrapped):
    """Files that are changed only while the lease is held."""

    fence: Fence

    def before(self, what: str, path: str) -> None:
        """Look at the lease."""
        self.fence.check()


class Lease:
    """A lease that is held, and renewed until it is released. ``fence`` may go to other processes."""

    def __init__(self, files: Files, name: str, owner: Owner, every: float) -> None:
        self.fence = Fence(files, name, owner.token)
        self._files, self._name, self._owner, self._every = files, name, owner, every
        self._count = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="onset-lease", daemon=True)
        self._thread.start()

    def fenced(self) -> Fenced:
        """The files, to be changed while the lease is held."""
        return Fenced(self._files, self.fence)

    def release(self) -> None:
        """Remove the lease, if it is still ours."""
        self._ended.set()
        self._thread.join()
        with suppress(StoreError):
            self.fence.check()
            self._files.remove(self._name)

    def _renew(self) -> None:
        while not self._ended.wait(self._every):
            self._count += 1
            try:
                self.fence.check()
                self._files.put(self._name, _content(self._owner, self._count), synced=False)
            except Lost:
                return  # the next change says so
            except StoreError:  # a full disk, a store that does not answer: others see it stand still, until it is over
                continue


def take(
    files: Files,
    what: str,
    note: Callable[[str], None],
    *,
    name: str = LEASE,
    ttl: float = TTL,
    every: float = EVERY,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Lease:
    """Hold the lease ``name`` of ``files``. ``what``: what it is of, for messages; ``note`` is told of one that is
    taken over, and of a wait.

    Raises StoreError, which names host and process, where somebody else holds it and lives: at once on one machine,
    else when the count was raised, after ``ttl`` seconds at the latest.
    """
    owner, watch = Owner.here(), _Watch(files, ttl, clock, sleep)
    waited: set[str] = set()
    while not files.create(name, _content(owner, 0)):
        held, data = _read(files, name)
        if data is None:
            continue  # released meanwhile
        if held is not None and held.alive() is None and held.token not in waited:
            waited.add(held.token)
            note(f"{what} was last used by {held.words}; waiting up to {ttl:.0f} s to see whether it still is")
        if not watch.stale(name, held, data):
            by = "another run" if held is None else f"another run ({held.words})"
            raise StoreError(f"{what} is in use by {by}; wait for it or use another")
        if _replace(files, name, data, _content(owner, 0), owner, watch):
            who = "a run that was stopped" if held is None else f"{held.words}, which is gone"
            note(f"{what} was left by {who}: going on from what it kept")
            break
    return Lease(files, name, owner, every)


@dataclass(frozen=True)
class _Watch:
    """Looks at leases of others."""

    files: Files
    ttl: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def stale(self, name: str, held: Owner | None, data: bytes) -> bool:
        """Is the one who wrote ``data`` there gone? Watches for ``ttl`` seconds where that cannot be seen. One that
        goes meanwhile is stale too.
        """
        if held is not None and (alive := held.alive()) is not None:
            return not alive
        begun = self.clock()
        while self.clock() - begun < self.ttl:
            self.sleep(POLL)
            _, now = _read(self.files, name)
            if now is None:
                return True
            if now != data:
                return False
        return True


def _replace(files: Files, name: str, stale: bytes, mine: bytes, owner: Owner, watch: _Watch) -> bool:
    """Put ``mine`` in the place of the lease ``stale``; False where another was faster."""
    guard = f"{name}{_GUARD}"
    if not files.create(guard, _content(owner, 0)):
        held, data = _read(files, guard)
        if data is not None and watch.stale(guard, held, data):
            files.remove(guard)  # of one that went away while it took over
        return False
    try:
        _, now = _read(files, name)
        if now is None:
            return False
        if now == stale:
            files.put(name, mine)
        return now == stale
    finally:
        files.remove(guard)


def _content(owner: Owner, count: int) -> bytes:
    return seal({**asdict(owner), "count": count})


def _read(files: Files, name: str) -> tuple[Owner | None, bytes | None]:
    """Who holds a lease, and its bytes; no owner where it is none, no bytes where it is not there. Raises StoreError
    where it cannot be read.
    """
    try:
        data = files.get(name)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        raise StoreError(f"cannot read {files.name(name)}: {error.strerror or error}") from error
    try:
        told = unseal(data, name)
        return Owner(**{one.name: told[one.name] for one in fields(Owner)}), data
    except (Damaged, KeyError):
        return None, data


def _machine() -> str:
    """What process ids are counted in: the running kernel and its namespace of processes, or else the computer."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()} {uuid.getnode():x}"


def _start(pid: int) -> str | None:
    """When a process started, in ticks since the kernel did; "gone": it ended and is not reaped; None: not known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            after = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return "gone" if after[0] in (b"Z", b"X") else after[19].decode()
