"""What is kept of a search: every part of a trial that was scored, so that a run that was stopped does not repeat it.

``D/searches/<id>/<trial>-<part>.json``; while a part's model is tuned, its weights, and what training keeps to go on
from, are in ``D/searches/<id>/<trial>-<part>/<hash of what it is measured with>/``, and go when it is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.errors import Damaged
from onset.records import content_hash
from onset.results.files import get_json, put_json, set_aside
from onset.results.folder import Store


class SearchFolder:
    """One search's files; the cells that share it read them."""

    def __init__(self, store: Store, search_id: str) -> None:
        self.files = store.files.at(f"searches/{search_id}")
        self._note = store.note

    def part(self, trial: int, part: int) -> dict[str, Any] | None:
        """What was kept of a part; None: it was not scored, or what was kept is damaged and set aside."""
        path = _path(trial, part)
        if not self.files.exists(path):
            return None
        try:
            held = get_json(self.files, path)
            if not {"measured", "failed", "correct"} <= held.keys():
                raise Damaged(self.files.name(path), "expected what a part of a trial scored")
        except Damaged as error:
            self._note(f"{error}; set aside as {set_aside(self.files, path)}, this part of the trial is made again")
            return None
        return held

    def keep(self, trial: int, part: int, scored: Mapping[str, Any]) -> None:
        """Keep what a part scored, and none of its weights."""
        put_json(self.files, _path(trial, part), scored)
        if any(True for _ in self.files.names(_scratch(trial, part))):
            self.files.remove_folder(_scratch(trial, part))

    def forget(self, trial: int, part: int) -> None:
        """Score a part anew the next time."""
        self.files.remove(_path(trial, part))

    def scratch(self, trial: int, part: int, measured: Mapping[str, Any]) -> Store:
        """Where a part's model is tuned: apart by what the part is ``measured`` with, so that nothing is read back that
        was tuned from other weights or otherwise.
        """
        return Store(self.files.at(f"{_scratch(trial, part)}/{content_hash(measured)}"), self._note)


def _path(trial: int, part: int) -> str:
    return f"{trial}-{part}.json"


def _scratch(trial: int, part: int) -> str:
    return f"{trial}-{part}"
