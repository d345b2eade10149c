"""Make ``figures.csv``: the rows of a full table of published figures that a claim rests on.

    python -m onset.published.select RESULTS.csv [FIGURES.csv]

The full table has the columns of ``figures.csv`` and ``source``, where and how each number was read; of ``source``
only its kind is kept (`provenance`). The same table gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import sys
from importlib.resources import files
from pathlib import Path

from onset.published.claims import claims
from onset.published.numbers import COLUMNS, Figure, figure_of

_SECONDARY = ("notes", "as quoted", "verbatim quote", "abstract quotes", "equation table", "(quote)", "sotaverified")
_SECOND_HAND_PAPERS = ("as quoted in", "as reprinted in")


def provenance(paper: str, source: str) -> str:
    """The kind of source in a word or two."""
    if any(mark in paper for mark in _SECOND_HAND_PAPERS) or any(mark in source for mark in _SECONDARY):
        return "secondary"
    if "DIGITISED" in source:
        return "digitised figure"
    if "COMPUTED" in source:
        return "computed from released data"
    return "released data" if "(fetched" in source else "paper text"


def select(table: Path) -> str:
    """The text of ``figures.csv`` for a full table; rows whose value is no number are left out."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [
            {**row, "provenance": provenance(row["paper"], row["source"])}
            for row in csv.DictReader(file)
            if _is_number(row["value"])
        ]
    wanted = [one for claim in claims() for one in claim.rows]
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        figure: Figure = figure_of(row, str(table))
        if any(one.matches(figure) for one in wanted):
            writer.writerow(row)
    return out.getvalue()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def main(arguments: list[str]) -> None:
    """Write the selection; by default where the package reads it."""
    target = Path(arguments[1]) if len(arguments) > 1 else Path(str(files("onset.published"))) / "figures.csv"
    target.write_text(select(Path(arguments[0])), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
