"""A results folder: written so that a crash at any instant loses at most the chunk in flight.

Layout and formats are in docs/notes/formats.md. The records of a cell are committed in whole chunks, a file each, which
is there or is not; a chunk that is not there is computed, in the same batches, so that a resumed cell ends with the
bytes of an uninterrupted one. ``done.json`` is written last. Whoever writes holds the folder's lease.

A file that is not as it was written is set aside, with a note, and what it was part of is done again: nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from typing import Any

from onset.errors import Damaged, StoreError
from onset.results.cell import CELL, DONE, FAILED, PREPARED, RECORDS, SOURCE, TIMING, CellFolder
from onset.results.files import Place, as_files, copy_aside, get_json, put_json, set_aside
from onset.results.format import STUDY, Names, check_format, read_study
from onset.results.lease import LEASE, Lease, take
from onset.results.migrations import migrate
from onset.results.sealed import FORMAT
from onset.results.snapshot import ENOUGH, INDEX, Looked, Snapshot
from onset.results.stages import STAGE, StageFolder
from onset.results.tuned import SAID, TunedFolder

MODELS = "models.json"


def _nobody(_: str) -> None:
    pass


def _is_said(path: str) -> bool:
    """Is it a file that says something of a cell, of weights or of a stage of training?"""
    match path.split("/"):
        case ["cells", _, name]:
            return name in (CELL, DONE, FAILED, TIMING, PREPARED, SOURCE)
        case ["tuned", _, name]:
            return name in SAID
        case ["stages", _, name]:
            return name == STAGE
    return False


def _is_records(path: str) -> bool:
    parts = path.split("/")
    return len(parts) == 3 and (parts[0], parts[2]) == ("cells", RECORDS)


class Store:
    """The results folder of one study. Use as a context manager to write: its lease is held while open.

    ``place``: a folder, or `Files`. ``note`` is told, in a line each, of what was damaged and set aside, and of a lease
    that was taken over.
    """

    def __init__(self, place: Place, note: Callable[[str], None] = _nobody) -> None:
        self.files = as_files(place)
        self.note = note
        self._lease: Lease | None = None
        self._open = self.files
        self._looked: set[str] = set()
        self._lost: set[str] = set()

    @property
    def folder(self) -> str:
        """What the folder is called in messages."""
        return self.files.name()

    def __enter__(self) -> Store:
        self._lease = take(self._open, f"results folder {self.folder}", self.note)
        self.files = self._lease.fenced()
        return self

    def __exit__(self, *_: object) -> None:
        if self._lease is not None:
            self._lease.release()
            self._lease, self.files = None, self._open

    def claim(self, study: Mapping[str, Any], cells: Sequence[Names], version: str) -> None:
        """Make this the folder of ``study``, or check that it is.

        A folder whose study has another name is refused. The same name with other axes is an edited
        study: cells are found by their content, so what still belongs is kept and only the rest runs. A
        folder of an earlier format is brought up to date first (`onset.results.format`).
        """
        came_from, held = FORMAT, None
        if self.files.exists(STUDY):
            held = self._held(cells)
            if held is None:
                migrate(self.files, 1, cells, self.note)  # nobody knows: every step is taken
                others = {one.split("/")[1] for one in self.files.names("cells")} - {cell.id for cell in cells}
                came_from = 1 if others else FORMAT
            else:
                name = held["study"].get("name")
                if name != study["name"]:
                    raise StoreError(
                        f"results folder {self.folder} holds study '{name}', not '{study['name']}'; use another folder"
                    )
                came_from = min(check_format(held["format"], self.folder), held.get("came_from", FORMAT))
                migrate(self.files, came_from, cells, self.note)
        elif any(one not in (LEASE, ".lock") for one in self.files.names()):
            raise StoreError(f"folder {self.folder} is not empty and holds no study; use another folder")
        content = {"format": FORMAT, "onset": version, "study": dict(study), "cells": [cell.id for cell in cells]}
        if came_from == 1:  # what belongs to no cell of this study still has its old name
            content["came_from"] = came_from
        if held != content:
            put_json(self.files, STUDY, content)

    def _held(self, cells: Sequence[Names]) -> dict[str, Any] | None:
        """The content of ``study.json``; None, and it is set aside, where it is damaged in a folder of this study."""
        try:
            held = read_study(self.files)
            if not isinstance(held["study"], dict):
                raise Damaged(self.files.name(STUDY), "expected the study's keys")
        except Damaged as error:
            own = {one for cell in cells for one in (cell.id, *(names[0] for names in cell.former.values()))}
            found = {one.split("/")[1] for one in self.files.names("cells")}
            if found and not found & own:
                raise StoreError(f"{error}; none of its cells is of this study: use another folder") from error
            self.note(f"{error}; set aside as {copy_aside(self.files, STUDY)} and written again")
            return None
        return held

    def seen(self, *, records: bool = False) -> Store:
        """The store as it is now, for the look at all of its cells with which a run begins: in an object store what is
        looked at is fetched all together, ``records`` too if they are read, and only what changed since the last run
        looked. What is changed through it is looked up anew; what others change is not seen.
        """
        seen = self.files.to_read(lambda path: _is_said(path) or (records and _is_records(path)), _is_records)
        if not isinstance(seen, Snapshot):
            return self  # a disk gives every file at once
        if seen.fetched >= ENOUGH and self._lease is not None:
            self.files.put(INDEX, seen.index())
        store = copy(self)
        store.files, store._looked, store._lost = Looked(self.files, seen), set(), set()
        return store

    def cell(self, cell_id: str) -> CellFolder:
        """The folder of one cell (made when it begins)."""
        return CellFolder(self.files.at(f"cells/{cell_id}"), cell_id, self.note)

    def tuned(self, tuned_id: str) -> TunedFolder:
        """Where the weights of a tuned model live."""
        return TunedFolder(self.files.at("tuned"), tuned_id, self.note)

    def lost(self, tuned_ids: Collection[str], wanted: Collection[str] = ()) -> bool:
        """Were some of these weights (of tuned models, or after a stage of training) here, and are damaged? They are
        set aside then. Of those that are ``wanted`` and not here: did an earlier run set them aside, and come to its
        end before they were made again? Sizes are compared here; every byte is read where weights are used.
        """
        for one in set(tuned_ids) - self._looked:
            self._looked.add(one)
            self.stage(one).settle()
            folder = self.tuned(one)
            if folder.there:
                if not folder.settle(whole=False):
                    self._lost.add(one)
            elif one in wanted and folder.set_aside:
                self.note(f"{folder.files.name()}: damaged weights were set aside, this tuning is done again")
                self._lost.add(one)
        return bool(self._lost.intersection(tuned_ids))

    def stage(self, made_id: str) -> StageFolder:
        """Where it is kept what a stage of training took."""
        return StageFolder(self.files.at(f"stages/{made_id}"), self.note)

    def models(self) -> dict[str, dict[str, str]]:
        """What is known of each model's files, by label; nothing where that was damaged."""
        if not self.files.exists(MODELS):
            return {}
        try:
            held: dict[str, dict[str, str]] = get_json(self.files, MODELS)["models"]
        except (Damaged, KeyError) as error:
            told = error if isinstance(error, Damaged) else Damaged(self.files.name(MODELS), "expected models")
            self.note(f"{told}: set aside as {set_aside(self.files, MODELS)}; weights are read anew")
            return {}
        return held

    def note_model(self, label: str, entry: Mapping[str, str]) -> None:
        """Keep what is known of the files of the model ``label``."""
        known = self.models()
        if known.get(label) != entry:
            put_json(self.files, MODELS, {"models": {**known, label: dict(entry)}})
