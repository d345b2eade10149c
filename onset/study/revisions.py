"""Are the weights still those that the finished cells of a results folder were measured on?

A fingerprint of the files (sizes and times of change, milliseconds) says so in most runs. Where it differs the weights
are read and hashed, about a second a gigabyte, and their revision decides: files that were copied are the same weights.
The folder keeps, for each label, the last fingerprint whose revision is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from onset.errors import StoreError
from onset.models import backend_of
from onset.models.backend import Told
from onset.models.peek import fingerprint, revision
from onset.pipeline import ASKING
from onset.results.folder import Store
from onset.study.grid import Grid
from onset.study.jobs import Opened


class Revisions:
    """What is known of the models of a study, by label."""

    def __init__(self, store: Store, grid: Grid) -> None:
        self._store = store
        self._grid = grid

    def check(self, given: Collection[str], note: Callable[[str], None]) -> None:
        """Compare the models' files with what finished cells were measured on; those in ``given`` are open already.

        ``note`` is told of a model whose files are not here. Raises StoreError for weights that have changed.
        """
        specs = {cell.model: cell.model_spec for cell in self._grid.cells if cell.model not in given}
        for label, spec in specs.items():
            held = dict.fromkeys(self._held(label))
            if not held:
                continue
            local = backend_of(spec)[0].local
            now = self._revision(label, spec) if local else self._grid.told.get(label, Told()).revision
            if now is None and not local:
                continue  # nobody says
            if now is None:
                note(f"model '{label}': {spec} is not here any more; its finished cells are kept as they are")
                continue
            for one in held:
                if one != now:
                    raise changed(label, "revision", one, now, self._store)

    def seen(self, label: str, mark: str | None, found: str | None) -> None:
        """Note that files of fingerprint ``mark`` have the revision ``found`` (None: unknown)."""
        if mark is not None and found is not None:
            self._store.note_model(label, {"fingerprint": mark, "revision": found})

    def opened(self, what: Opened) -> None:
        """Note the files of a model that was opened, where it is known which they were."""
        label, made = what.node
        if made is None:
            self.seen(label, what.mark, what.revision)

    def _revision(self, label: str, spec: str) -> str | None:
        mark = fingerprint(spec)
        if mark is None:
            return None
        known = self._store.models().get(label, {})
        if known.get("fingerprint") == mark:
            return str(known["revision"])
        found = revision(spec)
        if found is not None:
            self.seen(label, mark, found)
        return found

    def _held(self, label: str) -> Iterator[str | None]:
        for cell in self._grid.cells:
            folder = self._store.cell(cell.id)
            if cell.model == label and folder.done:
                facts = folder.facts()
                yield facts["made"]["base_revision"] if cell.made is not None else facts["facts"]["revision"]


def changed(label: str, what: str, held: str | None, now: str | None, store: Store) -> StoreError:
    """The error for a model that is not the one of the finished cells."""
    remedy = "use another folder or another label"
    held, now = held or "unknown", now or "unknown"
    if what == "revision":
        remedy = f"restore the weights, or {remedy}"
    return StoreError(
        f"model '{label}' has changed: {what} {now}, but {store.folder} holds results of {what} {held}; {remedy}"
    )


def note_earlier(store: Store, grid: Grid, note: Callable[[str], None]) -> None:
    """Say how many finished cells were asked, or read, as an earlier version did."""
    done = [folder for cell in grid.cells if (folder := store.cell(cell.id)).done]
    earlier = sum(folder.facts().get("asking", 1) != ASKING for folder in done)
    if earlier:
        note(
            f"{earlier} of {len(done)} finished cells were measured by a version that asked or read otherwise;"
            " they are kept: use another folder to measure them anew"
        )
