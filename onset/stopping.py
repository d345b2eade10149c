"""Ctrl-C and SIGTERM: what is under way ends at once, what is finished is kept, and one line says how to go on.

Both arrive as `Stopped`, a KeyboardInterrupt, wherever the command is. Where Python itself swallows it (in a callback
of the collector, say, where an exception goes nowhere) it is sent again. A second one, while the first is being
answered, ends the process where it stands: every file is written whole or not at all, so that loses nothing more.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

WORDS = "stopped; what was finished is kept, run again to go on"
_AGAIN = 0.05
"""Seconds after which a signal that was swallowed is sent again."""


class Stopped(KeyboardInterrupt):
    """A signal, ``number``, that asked to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def code_of(stop: KeyboardInterrupt) -> int:
    """The exit code of a command that ``stop`` ended, as a shell has it: 130 of Ctrl-C, 143 of SIGTERM."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


def stoppable(work: Callable[[], None], last: bool = False) -> None:
    """Do ``work``, in the main thread, so that Ctrl-C and SIGTERM raise `Stopped` in it.

    Where one came, the process ends when ``work`` has ended, however it did: with its SystemExit's words and the
    signal's code, or with `WORDS`. Threads that wait for a server are not waited for. With ``last``, where the process
    has nothing more to do, one that comes after ``work`` is ignored, so that what is done ends as done.
    """
    if threading.current_thread() is not threading.main_thread():
        work()
        return
    came: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        came.append(number)
        for one in before:
            signal.signal(one, _end)
        raise Stopped(number)

    def send_again(told: Any) -> None:
        if not isinstance(told.exc_value, Stopped):
            hook(told)
            return
        for one in before:
            signal.signal(one, stop)
        again = threading.Timer(_AGAIN, os.kill, (os.getpid(), told.exc_value.number))
        again.daemon = True
        again.start()

    hook, sys.unraisablehook = sys.unraisablehook, send_again
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    before = {one: handler for one, handler in before.items() if handler is not signal.SIG_IGN}
    try:
        for one in before:
            signal.signal(one, stop)
        work()
    except Stopped as stopped:
        leave(WORDS, code_of(stopped))
    except SystemExit:
        if came:
            leave(WORDS, 128 + came[-1])
        raise
    finally:
        sys.unraisablehook = hook
        for one, handler in before.items():
            signal.signal(one, signal.SIG_IGN if last else handler)


def leave(words: str, code: int) -> NoReturn:
    """Say ``words`` on standard error, and end the process with ``code``."""
    try:
        sys.stdout.flush()
        print(f"onset: {words}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _end(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)
