"""Who runs the jobs of a study: this process, processes of this machine, or a Ray cluster.

Adding one is a file with a class that has `onset.study.jobs.Executor.run` and a line of `EXECUTORS`; one whose workers
are elsewhere is a `onset.executors.base.Pool` of them (`onset/executors/local.py`). Records are the same bytes
whoever runs a study, for models that repeat, on one kind of machine with one number of threads
(`onset.models.reproducible`).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from onset.errors import ExecutorError
from onset.registry import Entry, Registry
from onset.study.jobs import Executor

EXECUTORS = Registry(
    "executor",
    {
        "in-process": Entry("onset.study.session:InProcess", "this process, one job after the other"),
        "local": Entry("onset.executors.local:Local", "processes of this machine (--workers)"),
        "ray": Entry("onset.executors.ray:OnRay", "actors of a Ray cluster (--address, --workers)"),
    },
)


def open_executor(name: str, **settings: Any) -> Executor:
    """The executor called ``name`` with those of ``settings`` that are not None.

    Raises UnknownName; ExecutorError for a setting that it does not have, or that is out of range.

    >>> open_executor("local", workers=2).workers
    2
    """
    kind = EXECUTORS.load(name)
    known = [one.name for one in fields(kind)]
    given = {key: value for key, value in settings.items() if value is not None}
    for key in given:
        if key not in known:
            has = f"its settings: {', '.join(known)}" if known else "it has no settings"
            raise ExecutorError(f"executor '{name}' takes no '{key}'; {has}")
    made: Executor = kind(**given)
    return made
