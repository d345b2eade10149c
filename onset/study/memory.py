"""How much memory a step of a study held at most, as far as the system tells.

- On a GPU: what torch's tensors took there at most (``torch.cuda.max_memory_allocated``), weights of the model
  included, the allocator's unused blocks and CUDA's own kernels not.
- On a CPU, under Linux: the most pages that the whole process had in memory during the step (``VmHWM`` in
  ``/proc/self/status``, proc(5)), interpreter, libraries and model included. That mark only rises, so it is set back
  when a step begins; where that is not allowed, pages are counted every `EVERY` seconds, and what lasts shorter is
  missed. A step never takes less than what the process held when it began.
- Elsewhere, and of models behind a server: not measured (None).
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

EVERY = 0.01
"""Seconds between two counts of the pages, where the system's mark cannot be set back."""

_PROC = Path("/proc/self")
_SLACK = 1 << 25
"""Bytes by which the mark may differ from the pages in memory right after it was set back."""


class Peak:
    """Inside, the most memory that is held on ``device`` (of `onset.models.base.ModelFacts`) is measured. Steps do not
    lie within each other: a new one sets the mark back.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._counting: _Counting | None = None
        self._marked = False
        self._most: int | None = None
        self._over = False

    def __enter__(self) -> Peak:
        if self._device == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats()
        elif self._device == "cpu":
            self._marked = _set_back()
            if not self._marked and _pages() is not None:
                self._counting = _Counting()
                self._counting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._most = self.bytes
        self._over = True
        if self._counting is not None:
            self._counting.stop()

    @property
    def bytes(self) -> int | None:
        """The most from the step's beginning until now, or until its end; None: not measured."""
        if not self._over:
            now = self._now()
            self._most = now if self._most is None or now is None else max(self._most, now)
        return self._most

    def _now(self) -> int | None:
        if self._device == "cuda":
            import torch

            return torch.cuda.max_memory_allocated()
        if self._marked:
            return _status("VmHWM")
        return None if self._counting is None else self._counting.most()


class _Counting(threading.Thread):
    """Counts the process's pages until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._done = threading.Event()
        self._most = _pages() or 0

    def most(self) -> int:
        """Bytes, until now."""
        self._most = max(self._most, _pages() or 0)
        return self._most

    def run(self) -> None:
        """Until `stop`."""
        while not self._done.wait(EVERY):
            self.most()

    def stop(self) -> None:
        """Count no more."""
        self._done.set()
        self.join()


def _set_back() -> bool:
    """Set the system's mark back to what is held now; was that done?"""
    try:
        (_PROC / "clear_refs").write_text("5")
    except OSError:
        return False
    mark, now = _status("VmHWM"), _pages()
    return mark is not None and now is not None and mark <= now + _SLACK


def _status(name: str) -> int | None:
    """Bytes of a line of ``status``, which is in units of 1024."""
    try:
        lines = (_PROC / "status").read_text().splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith(f"{name}:")), None)
    return None if found is None else 1024 * int(found)


def _pages() -> int | None:
    """Bytes of the process that are in memory now."""
    try:
        return int((_PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
