"""What is kept of a search: every part of a trial that was scored, so that a run that was stopped does not repeat it.

``D/searches/<id>/<trial>-<part>.json``; while a part's model is tuned, its weights, and what training keeps to go on
from, are in ``D/searches/<id>/<trial>-<part>/``, and go when it is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onset.errors import StoreError
from onset.results.files import read_json, remove_folder, write_json, writing
from onset.results.folder import Store


class SearchFolder:
    """One search's files; the cells that share it read them."""

    def __init__(self, store: Store, search_id: str) -> None:
        self.folder = store.folder / "searches" / search_id

    def part(self, trial: int, part: int) -> dict[str, Any] | None:
        """What was kept of a part; None: it was not scored. Raises StoreError, with the remedy, for a damaged file."""
        path = self._path(trial, part)
        if not path.exists():
            return None
        held = read_json(path)
        if not isinstance(held, dict) or not {"measured", "failed", "correct"} <= held.keys():
            raise StoreError(f"damaged file {path}: expected what a part of a trial scored; remove it and run again")
        return held

    def keep(self, trial: int, part: int, scored: Mapping[str, Any]) -> None:
        """Keep what a part scored, and none of its weights."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self._path(trial, part), dict(scored))
        if (scratch := self._scratch(trial, part)).is_dir():
            remove_folder(scratch)

    def scratch(self, trial: int, part: int) -> Store:
        """Where a part's model is tuned."""
        return Store(self._scratch(trial, part))

    def _path(self, trial: int, part: int) -> Path:
        return self.folder / f"{trial}-{part}.json"

    def _scratch(self, trial: int, part: int) -> Path:
        return self.folder / f"{trial}-{part}"
