"""Shared fixtures: where the optional real data and models are."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

# a worker a core (`make test`): more threads than that would wait for each other
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """Thousands of tests and all their modules stay to the end: no collection of garbage, of which a study that is run
    makes several, has to look through them.
    """
    gc.collect()
    gc.freeze()


def shared(*parts: str) -> Path:
    """A path inside the shared folder of real data; skips the test with a reason where it is absent."""
    root = Path(os.environ.get("ONSET_SHARED", Path(__file__).parents[2] / "shared"))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"real data not here: {path} (set ONSET_SHARED)")
    return path
