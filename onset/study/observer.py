"""Who watches a run: what `onset.study.runner.run` tells while it works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from onset.study.cell import Cell
from onset.study.grid import Grid
from onset.study.made import Made


class Observer(Protocol):
    """The terminal's progress display, a notebook's, or nobody."""

    def begin(self, grid: Grid, missing: Sequence[Cell]) -> None:
        """Called once, with the cells that will run."""
        ...

    def doing(self, text: str) -> None:
        """What happens now, in a few words."""
        ...

    def advanced(self, cell: Cell, items: int) -> None:
        """``items`` of ``cell`` have been committed (or were found committed)."""
        ...

    def tuning(self, cell: Cell, done: int, steps: int) -> None:
        """``done`` of the ``steps`` of the tuning that ``cell`` needs are taken."""
        ...

    def tuned(self, cell: Cell) -> None:
        """The tuning that ``cell`` needs is done."""
        ...

    def verifying(self, cell: Cell, done: int, steps: int) -> None:
        """``done`` of the ``steps`` of the training of the verifier that ``cell`` needs are taken."""
        ...

    def training(self, made: Made, done: int, steps: int) -> None:
        """``done`` of the ``steps`` of a stage of training are taken; all of them where it was made before."""
        ...

    def searched(self, cell: Cell, done: int, trials: int) -> None:
        """``done`` of the ``trials`` of the search that ``cell`` needs are made (or were found made)."""
        ...

    def failed(self, cell: Cell, error: str) -> None:
        """``cell`` failed; the run goes on."""
        ...

    def note(self, text: str) -> None:
        """Something that the user should know, in one line; the run goes on."""
        ...


class Silent:
    """An observer that shows nothing."""

    def begin(self, grid: Grid, missing: Sequence[Cell]) -> None:
        """Nothing."""

    def doing(self, text: str) -> None:
        """Nothing."""

    def advanced(self, cell: Cell, items: int) -> None:
        """Nothing."""

    def tuning(self, cell: Cell, done: int, steps: int) -> None:
        """Nothing."""

    def tuned(self, cell: Cell) -> None:
        """Nothing."""

    def verifying(self, cell: Cell, done: int, steps: int) -> None:
        """Nothing."""

    def training(self, made: Made, done: int, steps: int) -> None:
        """Nothing."""

    def searched(self, cell: Cell, done: int, trials: int) -> None:
        """Nothing."""

    def failed(self, cell: Cell, error: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
