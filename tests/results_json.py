"""JSON files of a results folder on a disk, read and written as Onset does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onset.results.files import as_files, get_json, put_json


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """`put_json` on a disk."""
    put_json(as_files(path.parent), path.name, value)


def read_json(path: Path) -> dict[str, Any]:
    """`get_json` from a disk."""
    return get_json(as_files(path.parent), path.name)
