"""A study cut into jobs: what can be run apart, each by whoever has the model.

A job is the cells of one model that read one another's results: those of one bank of samples, of one tuned model with
its verifiers, of one search. Everything else that cells have of others is in the results folder and finished, or is
worked out anew with the same result. Models are opened, and stages of training made, by the first job that needs them.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from onset.models.base import Model
from onset.results.folder import Store
from onset.study.cell import Cell
from onset.study.grid import Grid
from onset.study.made import Made
from onset.study.observer import Observer

Node = tuple[str, str | None]
"""A model that cells need open: its label, and the id of what stages of training made of it (None: as it is)."""


@dataclass(frozen=True)
class Job:
    """Cells that are run in one place, one after the other, in this order. It is picklable, and nothing in it is open.

    All have the model ``label``, what stages of training ``made`` of it, and either ask it or tune it first. ``again``:
    ids of finished cells whose failed items are asked again.
    """

    label: str
    made: Made | None
    cells: tuple[Cell, ...]
    again: frozenset[str] = frozenset()

    @cached_property
    def node(self) -> Node:
        """What it needs open."""
        return self.label, None if self.made is None else self.made.id

    @property
    def key(self) -> str:
        """A name of its own among the jobs of a study: the id of its first cell."""
        return self.cells[0].id


@dataclass(frozen=True, slots=True)
class Opened:
    """What is known of a model that was opened, or made, for the jobs of ``node``: its ``dtype``, the ``revision`` of
    its files, and the ``mark`` of those that were read (None: it was open before, or nothing tells).
    """

    node: Node
    dtype: str
    revision: str | None = None
    mark: str | None = None


@dataclass(frozen=True)
class Ended:
    """What became of a job: the cells that ``failed`` (cell id -> one line) and those ``waiting`` for answers; all
    others are done. ``unopened``: why its model could not be opened or made, one line; None: it was. ``items``: of
    each cell that was asked here, how many items failed and count as wrong.
    """

    job: Job
    failed: Mapping[str, str] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    unopened: str | None = None
    items: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What all jobs of a run are done on. ``store``: open, and held by this process; ``models``: label -> a model that
    is open here, in place of the study's own.
    """

    store: Store
    grid: Grid
    watch: Observer
    models: Mapping[str, Model]


class Executor(Protocol):
    """Runs the jobs of a study, here or elsewhere."""

    def run(self, work: Work, jobs: Sequence[Job]) -> Generator[Ended, None, None]:
        """Each job once to its end, in any order; closing the generator stops what runs. What a cell raises fails the
        cell; an error of the folder or of the data (StoreError, DataError, PlanMismatch) is raised, and ends the run.
        """
        ...


def jobs_of(cells: Sequence[Cell], again: Collection[str] = ()) -> list[Job]:
    """``cells`` of a grid, which are yet to be run, as jobs in running order: model by model, what stages made of it
    after each other, those that prompt before those that tune. Every cell is in exactly one. ``again``: as of `Job`.
    """
    nodes: dict[str, dict[Made | None, list[Cell]]] = {}
    for cell in cells:
        nodes.setdefault(cell.model, {}).setdefault(cell.made, []).append(cell)
    return [
        Job(label, made, group, frozenset(one.id for one in group).intersection(again))
        for label, staged in nodes.items()
        for made, held in staged.items()
        for group in sorted(_together(held), key=lambda one: one[0].tuned is not None)
    ]


def _together(cells: Sequence[Cell]) -> list[tuple[Cell, ...]]:
    """``cells`` in groups that share a bank, a tuned model, a verifier or a search, also by way of others."""
    leader: dict[tuple[str, str], tuple[str, str]] = {}

    def find(one: tuple[str, str]) -> tuple[str, str]:
        while leader.setdefault(one, one) != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for cell in cells:
        for shared in _shares(cell):
            leader[find(shared)] = find(("cell", cell.id))
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(find(("cell", cell.id)), []).append(cell)
    return [tuple(group) for group in groups.values()]


def _shares(cell: Cell) -> Iterator[tuple[str, str]]:
    """What ``cell`` has in common with others that must not be made, or read before it is finished, in two places."""
    for kind in ("bank", "tuned", "verifier", "search"):
        if (shared := getattr(cell, kind)) is not None:
            yield kind, shared
