"""What a process says of itself; imports little, so that another process is quick to begin it."""

from __future__ import annotations

import os
import time


def of_process(seconds: float = 0.0) -> int:
    """Its number, after a while."""
    time.sleep(seconds)
    return os.getpid()
