"""What a stage of training took, in a results folder: kept when its weights are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onset.records import canonical_json
from onset.results.files import read_json, write_bytes, write_json, writing


class StageFolder:
    """One stage's files: ``stage.json``, and tables as JSON lines (docs/notes/formats.md)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, said: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Keep ``said``, which has the ``seconds`` of the training and its ``peak_bytes`` of memory, and ``tables`` of
        rows by name.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        for name, rows in tables.items():
            write_bytes(self.folder / f"{name}.jsonl", "".join(f"{canonical_json(row)}\n" for row in rows).encode())
        write_json(self.folder / "stage.json", dict(said))

    def took(self) -> tuple[float | None, int | None]:
        """Wall time of the training, and the most memory that it held in bytes; each where it was written."""
        path = self.folder / "stage.json"
        held = read_json(path) if path.exists() else {}
        return (held.get("seconds"), held.get("peak_bytes")) if isinstance(held, dict) else (None, None)
