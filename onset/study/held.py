"""What a results folder holds of a study already: cells measured now must be measured alike, and may read it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onset.errors import StoreError
from onset.models import DTYPES
from onset.models.base import Model
from onset.models.chat import chosen_template
from onset.results.cell import CellFolder
from onset.results.folder import Store
from onset.study.cell import Cell
from onset.study.grid import Grid
from onset.study.made import Made
from onset.study.revisions import changed
from onset.study.written import alike, asked_by, environment, held_template, runs_it, template_json

_OF_BANK = ("facts", "tuned_revision", "ledger", "plan_hash", "asking", "template", "template_hash")
"""What must be equal of two cells of one bank, for one to be read from the outputs of the other."""


def _sampled(key: str, value: Any) -> Any:
    """``value`` of ``cell.json`` as far as the samples hang on it: what a verifier learnt from does not move them."""
    return [line for line in value if line["use"] != "verifier"] if key == "ledger" and value else value


class Held:
    """The finished cells of a study in its folder."""

    def __init__(self, store: Store, grid: Grid) -> None:
        self._store = store
        self._grid = grid

    def dtype(self, label: str) -> str | None:
        """The dtype that cells of ``label`` in the folder were begun in: a new trial may choose another (see
        `onset.models.dtypes`), and the cells of a model must compute alike.
        """
        seen = self._store.seen()
        for cell in self._grid.cells:
            told = seen.cell(cell.id)
            if cell.model == label and told.begun:
                held: str = told.facts()["facts"]["dtype"]
                return held if held in DTYPES else None  # a model without weights has none to load in
        return None

    def check(self, model: Model, label: str, made: Made | None) -> None:
        """Finished cells of this label and stage must have been measured on these very weights, in this way."""
        seen = self._store.seen()
        for cell in self._grid.cells:
            folder = seen.cell(cell.id)
            if cell.model == label and cell.made == made and folder.done:
                facts = folder.facts()["facts"]
                by, own = runs_it(folder.facts().get("environment", {})), runs_it(environment(model))
                if by != own:
                    raise changed(label, "engine", by, own, self._store)
                for what in ("revision", "dtype", "device"):
                    held, now = facts[what], getattr(model.facts, what)
                    if held != now and made is not None:
                        raise StoreError(
                            f"model '{label}' trained again (stage {made.stage}) has {what} {now}, but"
                            f" {self._store.folder} holds results of {what} {held}: training does not repeat on this"
                            " device; use another folder, or 'keep_full: true'"
                        )
                    if held != now:
                        raise changed(label, what, held, now, self._store)
                self._check_template(model, cell, seen)

    def _check_template(self, model: Model, cell: Cell, seen: Store) -> None:
        """A finished cell must have been asked as it would be asked now."""
        held = held_template(seen.cell(cell.id))
        now = template_json(chosen_template(model, asked_by(cell, seen).template))
        if held == now:
            return
        ways = {"plain": "in plain text", "chat": "through its chat template"}
        was, wanted = ways[str(held["template"])], ways[str(now["template"])]
        raise StoreError(
            f"model '{cell.model}', method {cell.method.name}: {self._store.folder} holds results of asking {was},"
            f" now it would be asked {wanted if was != wanted else 'through another one'}; use another folder"
        )

    def check_tuned(self, cell: Cell, tuned: Model) -> None:
        """A model tuned again must be the one that finished cells were measured on."""
        for other in self._grid.cells:
            folder = self._store.cell(other.id)
            if other.tuned == cell.tuned and folder.done:
                held = folder.facts()["tuned_revision"]
                if held != tuned.facts.revision:
                    raise StoreError(
                        f"model '{cell.model}' tuned again ({cell.method.name}, {cell.labels} labels, seed {cell.seed})"
                        f" has revision {tuned.facts.revision}, but {self._store.folder} holds results of revision"
                        f" {held}: tuning does not repeat on this device; use another folder, or 'keep_full: true'"
                    )

    def bank(self, cell: Cell, said: Mapping[str, Any]) -> tuple[CellFolder, list[dict[str, Any]]] | None:
        """A finished cell that holds the very outputs that ``cell`` would get, and its records: measured on the same
        weights, with the same demonstrations, in the same words (``said``: what is known of ``cell``), and with outputs
        of every item.
        """
        if cell.bank is None:
            return None
        for other in sorted(self._grid.cells, key=lambda one: one.verifier != cell.verifier):  # with scores, if needed
            held = self._store.cell(other.id)
            if other.bank != cell.bank or other.id == cell.id or not held.done:
                continue
            if other.verifier not in (None, cell.verifier):  # its time is that of scores which the cell has no use for
                continue
            facts = held.facts()
            same = all(alike(_sampled(key, facts.get(key)), _sampled(key, said[key])) for key in _OF_BANK)
            if same and (records := held.outputs()) is not None:
                return held, records
        return None
