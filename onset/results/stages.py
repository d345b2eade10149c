"""What a stage of training took, in a results folder: kept when its weights are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onset.errors import Damaged
from onset.records import canonical_json
from onset.results.files import Files, get_json, put_json, set_aside
from onset.results.sealed import seal_lines

STAGE = "stage.json"


class StageFolder:
    """One stage's ``files``: ``stage.json``, and tables as JSON lines (docs/notes/formats.md). ``note`` is told of what
    is set aside; None: damaged files are raised.
    """

    def __init__(self, files: Files, note: Callable[[str], None] | None = None) -> None:
        self.files = files
        self._note = note

    def write(self, said: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Keep ``said``, which has the ``seconds`` of the training and its ``peak_bytes`` of memory, and ``tables`` of
        rows by name.
        """
        for name, rows in tables.items():
            self.files.put(f"{name}.jsonl", seal_lines(canonical_json(row) for row in rows))
        put_json(self.files, STAGE, said)

    def settle(self) -> None:
        """Set what is damaged aside."""
        if self.files.exists(STAGE):
            self.took()

    def took(self) -> tuple[float | None, int | None]:
        """Wall time of the training, and the most memory that it held in bytes; each where it was written."""
        if not self.files.exists(STAGE):
            return None, None
        try:
            held = get_json(self.files, STAGE)
        except Damaged as error:
            remedy = "run the study again: it is set aside, and how long the stage took is then not known"
            if self._note is None:
                raise Damaged(error.name, error.why, remedy) from error
            self._note(f"{error}; set aside as {set_aside(self.files, STAGE)}; how long the stage took is not known")
            return None, None
        return held.get("seconds"), held.get("peak_bytes")
