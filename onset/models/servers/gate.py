"""How many requests are under way at once: few at first, more while all goes well, half when the server has too many.

Additive increase, multiplicative decrease, after a start that doubles (Jacobson 1988, "Congestion avoidance and
control", section 2): what a network does that does not know its capacity either.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

FIRST, MOST = 4, 64
"""Requests at once at first, and at most."""


@dataclass(slots=True)
class Pass:
    """One request's way through the gate; ``era``: how often the gate had been halved when it was sent."""

    era: int


class Gate:
    """Shared by the threads that ask one server. ``limit``: requests at once, now."""

    def __init__(self, first: int = FIRST, most: int = MOST) -> None:
        self.limit = first
        self.most = most
        self._under_way = 0
        self._well = 0
        self._era = 0
        self._free = threading.Condition()

    @contextmanager
    def through(self) -> Iterator[Pass]:
        """Wait for a place, and leave it in the end."""
        with self._free:
            while self._under_way >= self.limit:
                self._free.wait()
            self._under_way += 1
            era = self._era
        try:
            yield Pass(era)
        finally:
            with self._free:
                self._under_way -= 1
                self._free.notify_all()

    def went_well(self) -> None:
        """A reply came: as many as are let through at once make room for more (twice as many until it was too much
        for the first time, then one).
        """
        with self._free:
            self._well += 1
            if self._well >= self.limit:
                self._well = 0
                self.limit = min(self.most, self.limit * 2 if self._era == 0 else self.limit + 1)
                self._free.notify_all()

    def too_much(self, held: Pass) -> None:
        """The server has too many: half, once for all that were sent before it was known."""
        with self._free:
            if held.era == self._era:
                self._era += 1
                self._well = 0
                self.limit = max(1, self.limit // 2)
            held.era = self._era
