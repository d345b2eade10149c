"""Published figures: what a paper printed, where, of which model, by which method, and on how many items.

``figures.csv`` holds the rows that the claims of this folder rest on, each with its citation (`select.py` makes it);
``items.csv`` holds the numbers of test items, with theirs. Values are as printed, in per cent unless the metric says
otherwise; sizes are in parameters. An empty cell is missing, never zero.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path

from onset.errors import DataError

COLUMNS = (
    "paper",
    "table_or_figure",
    "dataset",
    "model",
    "family",
    "params_billion",
    "method",
    "setting",
    "metric",
    "value",
    "provenance",
)

_SHARES = (
    "accuracy %",
    "acc ",
    "EM %",
    "test solve rate",
    "solve rate",
    "score %",
    "exact match %",
    "test-server score",
)
"""How the names of those metrics begin that are a share of items, so that a binomial interval means something."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One published number.

    ``params``: size in parameters, None where the source states none; ``value``: as printed; ``provenance``: how it was
    read (`paper text`, `released data`, `computed from released data`, `digitised figure`, `secondary`).
    """

    paper: str
    table: str
    dataset: str
    model: str
    family: str
    params: int | None
    method: str
    setting: str
    metric: str
    value: float
    provenance: str

    @property
    def items(self) -> int | None:
        """On how many items (None: not stated, or the metric is not a share of items, such as F1 or BLEU)."""
        if not self.metric.startswith(_SHARES) or "f1" in self.metric.lower():
            return None
        counts = _items()
        return counts.get((self.dataset, self.paper)) or counts.get((self.dataset, ""))

    def to_json(self) -> dict[str, str | int | float | None]:
        """The figure with the stable keys of ``onset claims --json``."""
        row: dict[str, str | int | float | None] = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**row, "items": self.items}


@dataclass(frozen=True, slots=True)
class Rows:
    """A query: the figures whose fields have one of the values given; an empty tuple asks for nothing."""

    paper: str
    table: tuple[str, ...] = ()
    dataset: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    setting: tuple[str, ...] = ()
    metric: tuple[str, ...] = ()

    def matches(self, figure: Figure) -> bool:
        """Is ``figure`` one of them?"""
        return figure.paper == self.paper and all(
            not wanted or getattr(figure, name) in wanted
            for name, wanted in ((one.name, getattr(self, one.name)) for one in fields(self)[1:])
        )


class Figures(Sequence[Figure]):
    """Figures in the order of the file, with queries."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self._figures = tuple(figures)

    def __getitem__(self, index: int) -> Figure:  # type: ignore[override]  # no slices
        return self._figures[index]

    def __len__(self) -> int:
        return len(self._figures)

    def __iter__(self) -> Iterator[Figure]:
        return iter(self._figures)

    def any_of(self, rows: Iterable[Rows]) -> Figures:
        """Those that one of the queries asks for."""
        wanted = tuple(rows)
        return Figures(figure for figure in self if any(one.matches(figure) for one in wanted))

    def where(self, **wanted: str | int | tuple[str, ...] | None) -> Figures:
        """Those whose fields equal what is given; a tuple means any of its members."""
        return Figures(
            figure
            for figure in self
            if all(
                getattr(figure, name) in value if isinstance(value, tuple) else getattr(figure, name) == value
                for name, value in wanted.items()
            )
        )

    def starting(self, field: str, *beginnings: str) -> Figures:
        """Those whose ``field`` begins with one of ``beginnings``."""
        return Figures(figure for figure in self if getattr(figure, field).startswith(beginnings))

    def sizes(self) -> list[int]:
        """The sizes stated, ascending."""
        return sorted({figure.params for figure in self if figure.params is not None})

    def values_of(self, field: str) -> list[str]:
        """The different values of a field, in order of first appearance."""
        return list(dict.fromkeys(getattr(figure, field) for figure in self))


def read_figures(path: Path) -> Figures:
    """Read a CSV with the columns `COLUMNS`. Raises DataError with file and line for a bad one."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DataError(f"{path}: columns are {reader.fieldnames}, expected {list(COLUMNS)}")
        return Figures(figure_of(row, f"{path}, line {reader.line_num}") for row in reader)


def figure_of(row: Mapping[str, str], where: str) -> Figure:
    """One row of the CSV. Raises DataError, which names ``where``, when a number is none."""
    try:
        billions = float(row["params_billion"]) if row["params_billion"] else None
        value = float(row["value"])
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
    return Figure(
        paper=row["paper"],
        table=row["table_or_figure"],
        dataset=row["dataset"],
        model=row["model"],
        family=row["family"],
        params=None if billions is None else round(billions * 1e9),
        method=row["method"],
        setting=row["setting"],
        metric=row["metric"],
        value=value,
        provenance=row["provenance"],
    )


@cache
def published() -> Figures:
    """The figures that come with the package."""
    return read_figures(Path(str(files("onset.published") / "figures.csv")))


@cache
def _items() -> dict[tuple[str, str], int]:
    text = (files("onset.published") / "items.csv").read_text(encoding="utf-8")
    return {(row["dataset"], row["paper"]): int(row["items"]) for row in csv.DictReader(text.splitlines())}
