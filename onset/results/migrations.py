"""The named steps that bring a results folder of an earlier format up to date.

`MIGRATIONS` holds one function for each step, in order. A step may be stopped at any instant and taken again: every
file and every folder is put there as a whole, and ``study.json`` names the new format only when all is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

from onset.errors import Damaged
from onset.results.cell import CELL, CHUNKS, DONE, TIMING
from onset.results.files import Files, get, get_json, put_json, set_aside
from onset.results.format import Names
from onset.results.sealed import seal_lines, sealed, sealed_lines, unseal
from onset.results.tuned import MARKER, SAID, digests

Note = Callable[[str], None]
"""Is told, in a line each, of what is set aside."""

JOURNAL = "records.jsonl"
"""The records of an unfinished cell in formats 1 and 2: lines that were appended."""


def migrate(files: Files, held: int, cells: Sequence[Names], note: Note) -> None:
    """Take a results folder from format ``held`` to the present one, for all that belongs to ``cells``.

    What belongs to none of them keeps the name that it has, and is found when a later study names it again.
    """
    for step in MIGRATIONS[held - 1 :]:
        step(files, cells, note)


def leave_unset_options_out_of_ids(files: Files, cells: Sequence[Names], note: Note) -> None:
    """From format 1 to 2: ids hold what is set alone; in format 1 they held every option, unset ones as null.

    Finished cells and tuned weights get their new names. A cell that was begun and not finished starts over: what
    format 2 knows of it was not written; so does a finished one whose facts are damaged.
    """
    for cell in cells:
        if 1 not in cell.former:
            continue
        old_id, old_tuned = cell.former[1]
        if old_tuned is not None and cell.tuned is not None:
            _rename(files, f"tuned/{old_tuned}", f"tuned/{cell.tuned}", MARKER)
        place = f"cells/{old_id}"
        if files.exists(f"{place}/{DONE}"):
            _name_facts(files, cell, place, note)
            _rename(files, place, f"cells/{cell.id}", DONE)
        elif old_id != cell.id:
            files.remove_folder(place)


def _name_facts(files: Files, cell: Names, place: str, note: Note) -> None:
    """Put the new names into the facts of the finished ``cell`` in the folder ``place``; where these are damaged it is
    finished no more.
    """
    path = f"{place}/{CELL}"
    facts = {"id": cell.id, "tuned": cell.tuned, "method_spec": dict(cell.method)}
    try:
        put_json(files, path, {**get_json(files, path), **facts})
    except Damaged as error:
        files.remove(f"{place}/{DONE}")  # first: whoever is killed from here on leaves no finished cell
        aside = "nothing is left of it"
        if files.exists(path):
            name = set_aside(files, path).rpartition("/")[2]
            aside = f"set aside as {files.name(f'cells/{cell.id}/{name}')}"
        note(f"damaged file {error.name}: {error.why}; {aside}, cell {cell.id} is measured again")


def show_damage_in_every_file(files: Files, _: Sequence[Names], note: Note) -> None:
    """From format 2 to 3: every file says its format and shows what was lost of it or changed, and the records of an
    unfinished cell are a file a chunk.

    Finished records stay the bytes that they were: ``done.json`` has had their digest from the first format on. What
    is damaged already stays as it is, for the run to set aside.
    """
    names = list(files.names())
    for path in names:
        match path.split("/"):
            case ["cells", cell, name] if name == JOURNAL:
                _cut_into_chunks(files.at(f"cells/{cell}"), note)
            case ["cells", cell, name] if name == DONE:
                _note_when(files.at(f"cells/{cell}"))
    for path in names:
        match path.split("/"):
            case ["cells", _, _] | ["searches", _, _] | ["stages", _, "stage.json"] | ["tuned", _]:
                _seal(files, path, note)
            case [*_, "tuned", _, name] if name == MARKER:
                _seal_tuned(files, path)
            case [*_, "tuned", _, name] if name in SAID:
                _seal(files, path, note)
            case ["stages", _, _]:
                _seal_table(files, path, note)
            case ["models.json"]:
                _seal(files, path, note, under="models")
            case [".lock"]:
                files.remove(path)  # before there were leases


MIGRATIONS: tuple[Callable[[Files, Sequence[Names], Note], None], ...] = (
    leave_unset_options_out_of_ids,
    show_damage_in_every_file,
)
"""The step at place i takes a folder from format i + 1 to i + 2."""


def _seal(files: Files, path: str, note: Note, *, under: str | None = None) -> None:
    """Put a JSON file there again, with its digest; ``under``: the member that it becomes."""
    if path.endswith(".material.jsonl"):
        _seal_table(files, path, note)
    if not path.endswith(".json") or not files.exists(path):
        return
    if (held := _unsealed(files, path)) is not None:
        put_json(files, path, held if under is None else {under: held})


def _seal_table(files: Files, path: str, note: Note) -> None:
    """Put JSON lines there again, with their digest; a digest of damaged ones would show them as whole."""
    if not path.endswith(".jsonl"):
        return
    data = get(files, path)
    if sealed_lines(data):
        return
    try:
        *lines, rest = data.decode().split("\n")
        for one in lines:
            json.loads(one)
    except (ValueError, RecursionError):
        lines, rest = [], "damaged"
    if rest or not lines:
        note(f"damaged file {files.name(path)}: it is not whole lines of JSON; it is left as it is")
    else:
        files.put(path, seal_lines(lines))


def _seal_tuned(files: Files, path: str) -> None:
    """Say in ``tuning.json`` what its weights are."""
    if (held := _unsealed(files, path)) is not None:
        put_json(files, path, {**held, "files": digests(files.at(path.rpartition("/")[0]))})


def _unsealed(files: Files, path: str) -> dict[str, Any] | None:
    """The members of a JSON file without a digest; None: it has one, or is damaged."""
    data = get(files, path)
    if sealed(data):
        return None
    try:
        return unseal(data, path)
    except Damaged:
        return None


def _note_when(cell: Files) -> None:
    """When a cell was finished has been the time of its last file, which is put there again."""
    if sealed(get(cell, DONE)):
        return
    try:
        held = get_json(cell, TIMING) if cell.exists(TIMING) else {"seconds": None}
    except Damaged:
        return
    if "finished" not in held:
        when = cell.modified(DONE).astimezone(UTC)
        put_json(cell, TIMING, {**held, "finished": when.isoformat(timespec="seconds")})


def _cut_into_chunks(cell: Files, note: Note) -> None:
    """The journal of an unfinished cell, as a file a chunk; what a crash left behind the last whole one is cut."""
    try:
        facts = get_json(cell, CELL)
        chunk, total = int(facts["chunk"]), int(facts["items"])
        lines = [one.decode() for one in get(cell, JOURNAL).split(b"\n")[:-1]]
        for one in lines:
            json.loads(one)
    except (Damaged, KeyError, ValueError, TypeError):
        where, aside = cell.name(JOURNAL), set_aside(cell, JOURNAL)
        note(
            f"damaged file {where}, or the {CELL} beside it, which says what it was measured with; set aside as"
            f" {aside}, this cell is measured again"
        )
        return
    if not cell.exists(DONE):
        for first in range(0, len(lines), chunk):
            part = lines[first : first + chunk]
            if len(part) == min(chunk, total - first):
                cell.put(f"{CHUNKS}/{first // chunk:05d}.jsonl", seal_lines(part))
    cell.remove(JOURNAL)


def _rename(files: Files, old: str, new: str, marker: str) -> None:
    if old == new or not any(True for _ in files.names(old)):
        return
    if files.exists(f"{new}/{marker}"):
        files.remove_folder(old, marker)
    else:
        files.move_folder(old, new, marker)
