"""Work side by side on the processors of this machine: in threads, for numpy and polars, which let go of the
interpreter while they compute; and in processes, for what is many small things, where threads wait for each other.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Generic, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


_alone = threading.Event()
"""Set in a process that another one began, which works beside it."""


def processors() -> int:
    """How many this process may use."""
    if _alone.is_set():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(make: Callable[[_Item], _Made], items: Sequence[_Item]) -> Iterator[_Made]:
    """What ``make`` gives for each of ``items``, in their order; no more are made ahead of what is taken than there are
    processors, so that little is held at a time. Raises what ``make`` does, at its item.
    """
    count = min(processors(), len(items))
    if count < 2:
        yield from map(make, items)
        return
    with ThreadPoolExecutor(count) as pool:
        begun: deque[Future[_Made]] = deque()
        for item in items:
            begun.append(pool.submit(make, item))
            if len(begun) > count:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


class Elsewhere(Generic[_Given, _Made]):
    """What ``make``, a function of a module, gives for what is ``given``: begun by another process while this one goes
    on, where there is another processor. `result` raises what ``make`` does.

    A process imports what ``make`` needs and no ``__main__``, so that no script and no notebook needs a guard for it.
    It ends when it has had nothing to do for a while, or when this one ends.
    """

    def __init__(self, make: Callable[_Given, _Made], *given: _Given.args, **named: _Given.kwargs) -> None:
        self._here = partial(make, *given, **named)
        self._begun = _CREW.begin(self._here)

    def result(self) -> _Made:
        """What was made: here and now, where others had so much to do that they did not come to it."""
        if self._begun is None or self._begun.cancel():
            return self._here()
        made: _Made = self._begun.result()
        return made


def gathered(begun: Sequence[Elsewhere[..., _Made]]) -> list[_Made]:
    """The results, in order; the last is asked for first, since others come to it last."""
    return [one.result() for one in reversed(begun)][::-1]


def across(make: Callable[..., _Made], asked: Sequence[Sequence[Any]]) -> list[_Made]:
    """What ``make``, a function of a module, gives for each of ``asked``, its arguments: by this process and others."""
    away = [Elsewhere(make, *one) for one in asked[1:]]
    return [make(*one) for one in asked[:1]] + gathered(away)


_MOST = 3
"""Processes beside this one: each takes a third of a second to start."""
_START, _IDLE = 10.0, 10.0
"""Seconds in which one has to start, and without work after which it ends."""
_COMMAND = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from onset.processors import serve; serve()"


class _Crew:
    """Processes, each with a thread here that hands it what is to be made, one after the other."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._can = os.name == "posix" and bool(sys.executable) and not getattr(sys, "frozen", False)

    def begin(self, make: Callable[[], Any]) -> Future[Any] | None:
        """None where no other process can be had."""
        others = min(processors() - 1, _MOST) if self._can else 0
        with self._lock:
            if self._count < others:
                with suppress(RuntimeError):  # no more threads can be had
                    threading.Thread(target=self._work, daemon=True, name="another process").start()
                    self._count += 1
            if not others or not self._count:
                return None
            made: Future[Any] = Future()
            self._asked.put((made, make))
        return made

    def _work(self) -> None:
        other: _Other | None = None
        while True:
            try:
                made, make = self._asked.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if self._asked.empty():
                        self._count -= 1
                        break
                continue
            if not made.set_running_or_notify_cancel():
                continue
            left = None
            try:
                other = other or self._other()
                good, what = other.make(make)
            except Exception:  # it did not start, cannot import what is asked, or was killed
                left, other = other, None
                good, what = _done(make)
            (made.set_result if good else made.set_exception)(what)
            del made, make, what  # nothing is kept while it waits
            if left is not None:
                left.end()
        if other is not None:
            other.end()

    def _other(self) -> _Other:
        try:
            return _Other()
        except Exception:
            self._can = False  # no other would start either
            raise


_CREW = _Crew()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_CREW.__init__)  # type: ignore[misc]  # threads stay behind


def _done(make: Callable[[], Any]) -> tuple[bool, Any]:
    try:
        return True, make()
    except BaseException as error:  # also one of polars that is no Exception
        return False, error


class _Other:
    """Another process. Raises OSError where it does not start."""

    def __init__(self) -> None:
        self._pipe, there = Pipe()
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing does
        # -P: nothing is imported from the working folder; a session of its own: Ctrl-C is answered here
        with there:
            self._process = subprocess.Popen(
                [sys.executable, *flags, "-P", "-c", _COMMAND, str(there.fileno()), json.dumps(sys.path)],
                pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True, env={**os.environ, "POLARS_MAX_THREADS": "1"},
            )  # fmt: skip
        if not self._pipe.poll(_START) or not self._greeted():
            self.end()
            raise OSError("another process did not start")

    def _greeted(self) -> bool:
        with suppress(EOFError):
            return bool(self._pipe.recv() == os.getpid())
        return False

    def make(self, make: Callable[[], Any]) -> tuple[bool, Any]:
        """`_done` there, in the folder in which this process works."""
        self._pipe.send((os.getcwd(), make))
        made: tuple[bool, Any] = self._pipe.recv()
        return made

    def end(self) -> None:
        """It has nothing to lose."""
        self._pipe.close()
        self._process.kill()
        self._process.wait()


def serve() -> None:
    """What such a process does: make what comes, until nobody is there who asks."""
    parent, pipe = os.getppid(), Connection(int(sys.argv[1]))
    _alone.set()
    threading.Thread(target=_look, args=(parent,), daemon=True).start()
    pipe.send(parent)
    with suppress(EOFError):
        while True:
            folder, make = pipe.recv()
            os.chdir(folder)
            pipe.send(_done(make))


_LOOK = 0.5
"""Seconds after which it looks whether the process that asks is still there."""


def _look(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)
