"""Work side by side on the processors of this machine, in threads: for numpy and polars, which let go of the
interpreter while they compute.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def processors() -> int:
    """How many this process may use."""
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
